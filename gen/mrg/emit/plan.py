"""Packets as C tables, for the walker of gen/support/fuzz/mrg_plan.h.

One file a module, with its packets and all that they are made of.  What the
tables mean is said there and in ir.py; here they are only written down.  Each
item has its points: what a fuzzer wants to have seen of it.  The C counts them
in the same order (mrg_plan_walk.c).

Reading order: tables, Tables.packet, Tables.fill, Tables.expr.
"""

from __future__ import annotations

from typing import Iterable, Optional, Sequence

from .. import ir, names
from ..field_ids import field_ids, gate, own_items, told
from ..layout import Run, Segment, contained, exprs, lengths, refs, segments, walk
from .plan_facts import decided, kept, never_more, said, solved
from .plan_row import NONE, Row, row_of
from .writer import Writer

OPS = {
    "+": "ADD", "-": "SUB", "*": "MUL", "/": "DIV", "%": "MOD", "<<": "SHL", ">>": "SHR", "&": "AND", "|": "OR", "^": "XOR",
    "==": "EQ", "!=": "NE", "<": "LT", "<=": "LE", ">": "GT", ">=": "GE", "&&": "BOTH", "||": "EITHER", "!": "NOT", "~": "INV",
}  # fmt: skip
MASK = (1 << 64) - 1
Key = tuple[int, str]  # of a point: id() of its item or packet, and a word for which of its points it is
HINTS_MAX = 400  # of one item
MAP_MAX = 512  # values of a choice whose arms are in a map


def name_of(module: ir.Module) -> str:
    return "mrg_plan_" + names.snake(module.name.replace(".", "_"))


class Tables:
    def __init__(self, module: ir.Module) -> None:
        self.module = module
        self.packets: dict[int, int] = {}  # id(packet) -> index
        self.order: list[ir.Packet] = []
        self.rows: dict[str, list[str]] = {k: [] for k in ("exprs", "arms", "pats", "varints", "lengths", "owing", "params", "lists", "numbers", "maps")}
        self.table: list[Row] = []  # of `items`
        self.ids = field_ids(module)
        self.points: list[str] = []
        self.keys: list[Key] = []  # of each point
        self.places: list[ir.Loc] = []  # of each point, where the specification has it
        self.loc = ir.Loc(module.path, 1, 1)  # of the item at hand
        self.point_items: list[int] = []  # of each point, the row of `items`
        self.row = 0  # of `items`, at hand
        self.index: dict[int, int] = {}  # id(item) -> its row
        self.impossible: set[int] = set()  # points that nothing leads to
        self.parts: dict[int, list[Segment]] = {}  # rows of `items` that are side by side: what they are, by the first
        self.alone: dict[int, ir.Item] = {}  # rows of items that stand alone
        self.values: list[int] = []  # rows of `exprs` that are no constants
        self.groups: dict[int, int] = {}  # of each row of an optional, where its items begin
        self.starts: list[int] = []  # likewise of each packet
        self.runs: dict[int, list[tuple[int, int]]] = {}  # id(packet) -> points of runs in it that are cut, and their bits
        self.chosen: set[int] = set()  # id(packet) of those that chains choose by their first octet
        self.slots: dict[int, int] = {}  # id(item) -> slot, of the packet at hand
        self.seen: set[int] = set()  # id(item) of those that something in a table asks for
        self.owing: dict[int, list[str]] = {}  # of a number's row, those of `owing`: packets that derive it
        self.at: ir.Packet
        packet_rows = []
        for packet in module.packets:
            self.add(packet)
        self.order.sort(key=lambda p: len(contained(p)))  # rows of what a packet has in it are known when it comes
        self.packets = {id(p): i for i, p in enumerate(self.order)}
        self.points_of: list[tuple[int, int]] = []  # of each packet: from, to
        # what somebody looks at, in whatever packet it is
        self.asked = {id(p.path[-1]) for packet in self.order for e in exprs(packet.items) for p in refs(e) if isinstance(p, ir.FieldRef)}
        self.asked |= {id(one) for packet in self.order for i in walk(packet.items) if isinstance(i, ir.List) for one in i.ascending or i.unique or []}
        self.owed = {id(length.path[-1]) for packet in self.order for length in lengths(packet)}
        for packet in self.order:
            self.chosen |= {id(arm.packet) for item in own_items(packet.items) if isinstance(item, ir.Chain) for arm in item.arms}
        for packet in self.order:
            first = len(self.points)
            packet_rows.append(self.packet(packet))
            self.points_of.append((first, len(self.points)))
        self.rows["packets"] = packet_rows
        for number, rows in self.owing.items():
            self.table[number].fields |= {"owing": self.put("owing", rows), "owing_n": len(rows)}
        self.mark_unseen()
        self.rows["items"] = [one.text() for one in self.table]

    def add(self, packet: ir.Packet) -> None:
        for p in contained(packet):
            if id(p) not in self.packets:
                self.packets[id(p)] = len(self.order)
                self.order.append(p)

    # --- the file -----------------------------------------------------------------

    def text(self) -> str:
        """A header with the tables, which are what `struct mrg_plan` has: PLAN_TABLES."""
        w = Writer()
        w.comment(f"{self.module.path} as tables, for whoever reads, makes and changes its packets: see mrg_plan.h.")
        w.line('#include "mrg_plan.h"')
        w.line()
        kinds = {"packets": "struct mrg_plan_packet", "items": "struct mrg_plan_item", "exprs": "struct mrg_plan_expr",
                 "arms": "struct mrg_plan_arm", "pats": "struct mrg_plan_pat", "varints": "struct mrg_plan_varint",
                 "lengths": "struct mrg_plan_length", "owing": "struct mrg_plan_owing", "params": "struct mrg_plan_param",
                 "lists": "uint32_t", "numbers": "uint64_t", "maps": "uint8_t"}  # fmt: skip
        for key, kind in kinds.items():
            with w.block(f"static const {kind} {key}[] =", "};"):
                for i, row in enumerate(self.rows[key] or ["{ 0 }" if " " in kind else "0"]):
                    w.line(f"{row}, /* {i} */" if key in ("items", "packets") else f"{row},")
            w.line()
        with w.block("static const uint32_t point_items[] =", "};"):
            for i in range(0, max(len(self.points), 1), 16):
                w.line(", ".join(map(str, self.point_items[i : i + 16] or [0])) + ",")
        w.line()
        with w.block("static const uint8_t leads[] =", "};"):
            for row in self.leads():
                w.line(f"{row},")
        w.line()
        with w.block("static const char *const points[] =", "};"):
            for point in self.points or [""]:
                w.line(f"{names.c_string(point)},")
        w.line()
        fields = ", ".join(f".{key} = {key}" for key in (*kinds, "points", "point_items", "leads"))
        w.line(f"#define PLAN_TABLES {fields}, .point_n = {len(self.points)}, .packet_n = {len(self.order)}, "
               f".sums = {_c(any('MRG_PLAN_SUM' in row for row in self.rows['exprs']))}")
        return w.text()

    def put(self, key: str, rows: Iterable[str]) -> int:
        """Rows at the end of a table; where they begin."""
        at = len(self.rows[key])
        self.rows[key] += rows
        return at

    def point(self, of: ir.Item | ir.Packet, what: dict[str, str], at: Sequence[ir.Loc] = ()) -> None:
        """what: each point's word, as in prove_items.py, and its name.  at: one a point, where it isn't that of the item at hand."""
        self.points += what.values()
        self.keys += [(id(of), word) for word in what]
        self.places += [*at, *[self.loc] * (len(what) - len(at))]
        self.point_items += [self.row] * len(what)

    def field(self, e: Optional[ir.Expr]) -> Optional[int]:
        """The row of a number that an expression depends on; or of what it counts."""
        found: list[int] = []
        for part in refs(e):
            if isinstance(part, ir.FieldRef) and isinstance(part.path[-1], ir.Let):
                found += [f for f in [self.field(part.path[-1].expr)] if f is not None]
            elif isinstance(part, ir.FieldRef) and id(part.path[-1]) in self.index:
                found.append(self.index[id(part.path[-1])])
        found = found or [self.index[id(part.item)] for part in refs(e) if isinstance(part, (ir.SizeOf, ir.CountOf)) and id(part.item) in self.index]
        return found[-1] if found else None

    def steer(self, field: Optional[int], switch: int) -> None:
        """Tell a number which choice it decides."""
        if field is not None and self.table[field].kind in ("SCALAR", "VARINT"):
            self.table[field].settle("steers", switch)

    def mark_unseen(self) -> None:
        """Numbers and octets that nothing in the tables asks for, once they are there."""
        late = {"IS_COMPUTED", "IS_SOLVED"}
        for item, at in self.index.items():
            one = self.table[at]
            field = one.fields["field"]
            solves = isinstance(field, int) and "IS_SOLVED" in self.table[field].flags
            asked = at in self.alone or at in self.owing or item in self.seen or solves or bool(late & {*one.flags})
            if one.kind in ("SCALAR", "VARINT", "BYTES", "LET", "ALIGN") and not asked:
                one.flags.insert(0, "IS_UNSEEN")

    def leads(self) -> list[str]:
        """Of each packet, a bit for each packet that it may have in it."""
        stride = (len(self.order) + 7) // 8
        out = []
        for packet in self.order:
            bits = sum(1 << self.packets[id(p)] for p in contained(packet))
            out.append(", ".join(str(b) for b in bits.to_bytes(stride, "little")))
        return out

    # --- packets ------------------------------------------------------------------

    def packet(self, packet: ir.Packet) -> str:
        self.at = packet
        self.slots = {}
        for item in own_items(packet.items):
            self.slots.setdefault(id(item), len(self.slots))
        self.hints = hints(packet)
        self.asking: list[tuple[int, bool]] = []  # rows of checks about octets that are to come, and whether it is those that are next
        self.solved = solved(packet)
        self.sure = decided(packet) if id(packet) in self.chosen else set()
        point = len(self.points)
        self.row = len(self.table)
        self.loc = packet.loc
        if packet.max_bytes is not None:
            self.point(packet, {"longer": f"{packet.name}: longer than {packet.max_bytes} octets"})
        items, n = self.items(packet.items)
        self.starts.append(items)
        params = self.put("params", (f"{{ {_c(p.kind == 'buffer')}, {p.lo}u, {_u(p.hi if p.hi else (1 << max(p.bits, 1)) - 1)} }}" for p in packet.params))
        known = lengths(packet)
        rows = []
        for length in known:
            self.seen.add(id(length.item))
            number, path, steps = self.index[id(length.path[-1])], self.path(length.path), len(length.path)
            rows.append(f"{{ {path}, {steps}, {number}, {self.slots[id(length.item)]}, {_c(length.kind == 'count')} }}")
            self.owing.setdefault(number, []).append(f"{{ {self.packets[id(packet)]}, {path}, {steps} }}")
        at = self.put("lengths", rows)
        return (f"{{ {names.c_string(packet.name)}, {items}, {n}, {len(self.slots)}, {params}, {len(packet.params)}, {at}, {len(known)}, "
                f"{packet.max_bytes or 0}, {self.ids[id(packet)]}, {point} }}")

    def items(self, items: Sequence[ir.Item]) -> tuple[int, int]:
        """A list of items, side by side: where it begins, and how many rows it is."""
        flat: list[tuple[Segment, bool]] = []  # and whether a run before it has made sure of it
        for segment in segments(list(items)):
            if not isinstance(segment, Run):
                flat.append((segment, False))
                continue
            if segment.bits:
                flat.append((segment, False))
            flat += [(item, True) for item in segment.items]
        at = self.reserved(len(flat))
        self.parts[at] = [part for part, _ in flat]
        for i, (part, in_run) in enumerate(flat):
            self.row = at + i
            self.loc = part.first.loc if isinstance(part, Run) else part.loc
            self.table[at + i] = self.run(part) if isinstance(part, Run) else self.fill(part, in_run)
        return at, len(flat)

    def reserved(self, n: int) -> int:
        """So many rows of `items`, which are filled later; where they begin."""
        self.table += [Row("", "", 0, {}, [])] * n
        return len(self.table) - n

    def one(self, item: ir.Item) -> int:
        """An item that stands alone: of a list, a region, an arm."""
        at = self.reserved(1)
        outer, self.row, self.loc = (self.row, self.loc), at, item.loc
        self.table[at] = self.fill(item, False)
        self.row, self.loc = outer
        self.alone[at] = item
        return at

    # --- items --------------------------------------------------------------------

    def label(self, item: ir.Item) -> str:
        return f"{self.at.name}.{item.name}" if item.name else self.at.name

    def run(self, run: Run) -> Row:
        first = run.first
        point = len(self.points)
        sure = id(first) in self.sure and run.bits <= 8
        if not sure:
            self.runs.setdefault(id(self.at), []).append((len(self.points), run.bits))
            self.point(first, {"run": f"{self.label(first)}: cut"})
        return row_of("RUN", first, value=run.bits, point=point, slot=self.slots[id(first)], flags=["IS_SURE"] if sure else [])

    def fill(self, item: ir.Item, in_run: bool) -> Row:
        point = len(self.points)
        self.index[id(item)] = self.row
        self.asked_now(item)
        base: dict[str, object] = {"slot": self.slots[id(item)], "point": point, "id": self.ids[id(item)] if told(item) else 0}
        at = self.label(item)
        match item:
            case ir.Scalar():
                return self.scalar(item, base, at)
            case ir.Varint():
                spec = item.spec
                if spec.shape == "tagged" and spec.hi == (1 << max(spec.widths)) - 1:
                    self.impossible.add(len(self.points))
                self.point(item, {"large": f"{at}: too large", "cut": f"{at}: cut"} | ({"shortest": f"{at}: not the shortest"} if spec.minimal else {}))
                return row_of("VARINT", item, **base, a=self.varint(spec), lo=item.lo, hi=_u(item.hi or spec.hi), flags=self.computed(item, at),
                              expr=self.expr(item.computed), severity=item.severity, **self.hint(item))  # fmt: skip
            case ir.Bytes():
                flags = ["HAS_MAX"] if item.max is not None else []
                flags += ["IS_NOCASE"] if item.nocase else []
                flags += said(self.at, item)
                if item.max is not None:
                    self.point(item, {"long": f"{at}: longer than {item.max} octets"})
                if not (in_run or item.sure or item.mode == "rest"):
                    flags.append("CAN_CUT")
                    self.point(item, {"cut": f"{at}: cut"})
                return row_of("BYTES", item, **base, mode={"len": "LEN", "rest": "REST", "until": "UNTIL"}[item.mode], value=item.until,
                              max=item.max or 0, flags=flags, expr=self.expr(item.length), field=self.field(item.length))  # fmt: skip
            case ir.Sub():
                args = [self.argument(a) for a in item.args]
                return row_of("PACKET", item, **base, a=self.packets[id(item.packet)], args=self.put("lists", args))
            case ir.List():
                return self.sequence(item, base, at)
            case ir.Switch():
                return self.switch(item, base, at)
            case ir.Chain():
                return self.chain(item, base, at)
            case ir.Region():
                cut, left = {} if item.sure else {"cut": f"{at}: its region is cut"}, {} if item.tail else {"left": f"{at}: octets left over"}
                self.point(item, cut | left)
                return row_of("REGION", item, **base, a=self.one(item.item), expr=self.expr(item.length), field=self.field(item.length),
                              flags=[*(["HAS_TAIL"] if item.tail else []), *([] if item.sure else ["CAN_CUT"]), *said(self.at, item)])  # fmt: skip
            case ir.Optional_():
                first = next((i.name for i in item.items if i.name), "more")
                gated = gate(item)
                self.point(item, {"present": f"{self.at.name}.{first}: present", "absent": f"{self.at.name}.{first}: absent"})
                row, (start, n) = self.row, self.items(item.items)
                self.groups[row] = start
                return row_of("OPTIONAL", item, **base, a=start, n=n, expr=self.expr(item.cond), field=self.field(item.cond),
                              gate=NONE if gated is None else self.slots[id(gated)])  # fmt: skip
            case ir.Align():
                self.point(item, {"cut": f"{at}: padding is cut"} | ({"zero": f"{at}: padding is not zero"} if item.zero else {}))
                return row_of("ALIGN", item, **base, value=item.to, flags=["IS_ZERO"] if item.zero else [])
            case ir.Let():
                return row_of("LET", item, **base, expr=self.expr(item.expr))
            case ir.Check():
                calls = any(isinstance(e, ir.Call) for e in refs(item.expr))
                sure = id(item) in self.sure
                if item.severity != "send" and not calls and not sure:
                    self.point(item, {"holds": f"{at}: {item.what}: holds", "broken": f"{at}: {item.what}: broken"})
                about = next((i for i in own_items(self.at.items) if item.name and i.name == item.name and not isinstance(i, (ir.Check, ir.Optional_))), item)
                self.seen.add(id(about))
                flags = ["CALLS"] if calls else ["IS_SURE"] if sure else []
                flags += ["IS_KEPT"] if kept(self.at, item) else []
                field = self.field(item.expr)
                peeks = [e.bits for e in refs(item.expr) if isinstance(e, ir.Peek)]
                if field is None and (peeks or any(isinstance(e, ir.Avail) for e in refs(item.expr))):
                    self.asking.append((self.row, bool(peeks)))
                    flags.append("PEEKS" if peeks else "ASKS_ROOM")
                near = [c.value + d for c in refs(item.expr) if isinstance(c, ir.Const) for d in (-1, 0, 1)]
                return row_of("CHECK", item, **base, a=self.slots[id(about)], expr=self.expr(item.expr), severity=item.severity,
                              flags=flags, what=item.what, field=field, bits=max(peeks, default=0), **self.numbers(near))  # fmt: skip
            case ir.EndianSel():
                return row_of("ENDIAN_BY", item, **base, expr=self.expr(item.cond))
        raise AssertionError(type(item).__name__)

    def scalar(self, item: ir.Scalar, base: dict[str, object], at: str) -> Row:
        flags = ["IS_SIGNED"] if item.signed else []
        flags += ["IS_SOLVED"] if id(item) in self.solved else []
        flags += ["IS_FREE"] if item.const is None and item.computed is None and id(item) not in self.owed | self.asked else []
        hint = self.hint(item)
        if item.const is not None:
            flags.append("IS_CONST")
            if id(item) in self.sure:
                flags.append("IS_SURE")
            elif item.severity != "send":
                self.point(item, {"const": f"{at}: not {item.const}"})
        if item.enum is not None and item.enum.closed:
            flags.append("IS_CLOSED")
            self.point(item, {"closed": f"{at}: not a {item.enum.name}"})
            hint["ranges"] = self.put("pats", (f"{{ {_u(m.lo)}, {_u(m.hi)}, {_u(MASK)} }}" for m in item.enum.members))
            hint["range_n"] = len(item.enum.members)
        flags += self.computed(item, at)
        return row_of("SCALAR", item, **base, bits=item.bits, endian=item.endian, severity=item.severity, flags=flags, lo=_u(item.lo),
                      hi=_u(item.hi), value=_u(item.const or 0), expr=self.expr(item.computed), **hint)  # fmt: skip

    def computed(self, item: ir.Scalar | ir.Varint, at: str) -> list[str]:
        if item.computed is None:
            return []
        flags = ["IS_COMPUTED"]
        if any(isinstance(e, ir.Sum) for e in refs(item.computed)):
            flags.append("IS_SUM")
        if any(isinstance(e, ir.Call) for e in refs(item.computed)):
            return [*flags, "CALLS"]
        if item.implied:
            return [*flags, "IS_IMPLIED"]
        if item.severity != "send":
            self.point(item, {"computed": f"{at}: not what is computed"})
        return flags

    def asked_now(self, item: ir.Item) -> None:
        """Tell checks before an item that it has the octets that they are about."""
        for at, next_ in self.asking:
            if next_ and isinstance(item, (ir.Bytes, ir.Scalar)) or not next_ and isinstance(item, (ir.Bytes, ir.List)) and item.mode == "rest":
                self.table[at].settle("field", self.row)
        if not isinstance(item, (ir.Check, ir.Let)):
            self.asking = [(at, next_) for at, next_ in self.asking if not next_]

    def hint(self, item: ir.Item) -> dict[str, int]:
        values = self.hints.get(id(item), [])
        if isinstance(item, ir.Scalar) and item.enum is not None:
            values = [*values, *(m.lo for m in item.enum.members)]
        return self.numbers(values)

    def numbers(self, near: Iterable[int]) -> dict[str, int]:
        values = [v for v in sorted(set(near)) if 0 <= v <= MASK][:HINTS_MAX]
        return {"hints": self.put("numbers", map(_u, values)), "hint_n": len(values)}

    def sequence(self, item: ir.List, base: dict[str, object], at: str) -> Row:
        flags = ["HAS_MAX"] if item.max is not None else []
        if item.mode == "until" or (item.mode in ("count", "bytes") and item.expr is not None and item.expr.lo > 0):
            self.impossible.add(len(self.points))
        self.point(item, {"none": f"{at}: none", "one": f"{at}: one"} | ({"more": f"{at}: more than one"} if item.max is None or item.max > 1 else {}))
        if item.max is not None:
            if never_more(item, item.max):
                self.impossible.add(len(self.points))
            self.point(item, {"many": f"{at}: more than {item.max} elements"})
        if item.mode == "bytes" and not item.sure:
            flags.append("CAN_CUT")
            self.point(item, {"cut": f"{at}: cut"})
        flags += said(self.at, item)
        path = item.ascending or item.unique
        row = {"path": 0, "path_len": 0, "ranges": 0, "range_n": 0}
        if path is not None:
            flags.append("IS_RISING" if item.ascending else "IS_UNIQUE")
            self.point(item, {"key": f"{at}: a key {'does not rise' if item.ascending else 'repeats'}"})
            inside = path[1:] if path[0] is item.elem else path  # empty: the element itself
            row["path"], row["path_len"] = self.path_in(item.elem, inside), len(inside)
            exempt = [part for lo, hi in item.exempt for part in _as_unsigned(lo, hi)]
            row["ranges"] = self.put("pats", (f"{{ {_u(lo)}, {_u(hi)}, {_u(MASK)} }}" for lo, hi in exempt))
            row["range_n"] = len(exempt)
        mode = {"count": "COUNTED", "bytes": "OCTETS", "rest": "REST", "while": "WHILE", "until": "UNTIL"}[item.mode]
        return row_of("LIST", item, **base, mode=mode, max=item.max or 0, flags=flags, a=self.one(item.elem), expr=self.expr(item.expr),
                      field=self.field(item.expr) if item.mode in ("count", "bytes") else None, **row)  # fmt: skip

    def switch(self, item: ir.Switch, base: dict[str, object], at: str) -> Row:
        arms = {f"arm {i}": f"{at}: {arm.name}" for i, arm in enumerate(item.arms)}
        self.point(item, arms | ({} if item.default else {"tag": f"{at}: no such tag"}), at=[arm.loc for arm in item.arms])
        rows = []
        for arm in item.arms:
            pats = self.put("pats", (f"{{ {_u(p.lo)}, {_u(p.hi)}, {_u(p.mask & MASK)} }}" for p in arm.pats))
            inner = NONE if arm.item is None else str(self.one(arm.item))
            rows.append(f"{{ .name = {names.c_string(arm.name)}, .pats = {pats}, .pat_n = {len(arm.pats)}, .item = {inner} }}")
        self.steer(self.field(item.on), self.row)
        mapped = self.mapped([[(p.lo & MASK, p.hi & MASK, p.mask & MASK) for p in arm.pats] or [(0, MASK, MASK)] for arm in item.arms])
        return row_of("SWITCH", item, **base, **mapped, a=self.put("arms", rows), n=len(rows), expr=self.expr(item.on), field=self.field(item.on),
                      bits=max((e.bits for e in refs(item.on) if isinstance(e, ir.Peek)), default=0))  # fmt: skip

    def chain(self, item: ir.Chain, base: dict[str, object], at: str) -> Row:
        self.point(item, {f"arm {i}": f"{at}: {arm.name}" for i, arm in enumerate(item.arms)}, at=[arm.loc for arm in item.arms])
        self.point(item, {"cut": f"{at}: cut", "tag": f"{at}: no such item", "longer": f"{at}: longer than {item.max_bytes} octets"})
        if any(arm.kind == "goto" for arm in item.arms):
            self.point(item, {"past": f"{at}: points past the end", "back": f"{at}: does not point back", "jumps": f"{at}: too many jumps"})
        rows = []
        for arm in item.arms:
            pats = self.put("pats", (f"{{ {lo}u, {hi}u, {_u(MASK)} }}" for lo, hi in arm.first))
            row = f".name = {names.c_string(arm.name)}, .pats = {pats}, .pat_n = {len(arm.first)}, .item = {NONE}, .kind = MRG_PLAN_{arm.kind.upper()}, "
            row += f".packet = {self.packets[id(arm.packet)]}, .args = {self.put('lists', [str(self.param(p)) for p in arm.packet.params])}"
            if arm.kind == "goto":
                assert arm.buffer is not None and isinstance(arm.at, ir.FieldRef)
                slots, self.slots = self.slots, {}
                for inner in own_items(arm.packet.items):
                    self.slots.setdefault(id(inner), len(self.slots))
                at_slot = self.slots[id(arm.at.path[-1])]
                self.seen.add(id(arm.at.path[-1]))
                self.table[self.index[id(arm.at.path[-1])]].flags.append("IS_JUMP")
                self.slots = slots
                row += f", .buffer = {self.param(arm.buffer)}, .at = {at_slot}, .max_jumps = {arm.max_jumps}"
            rows.append(f"{{ {row} }}")
        mapped = self.mapped([[(lo, hi, MASK) for lo, hi in arm.first] for arm in item.arms])
        return row_of("CHAIN", item, **base, **mapped, a=self.put("arms", rows), n=len(rows), max=item.max_bytes)

    def mapped(self, arms: list[list[tuple[int, int, int]]]) -> dict[str, int]:
        """Which arm is taken, by the patterns of each (least, greatest, mask): of small values in a map, of others by these arms."""
        tops = [hi + 1 for pats in arms for _, hi, mask in pats if mask == MASK and hi < MAP_MAX]
        size = max(tops, default=0) if len(arms) < 255 else 0
        rows = []
        for value in range(size):
            fits = (i for i, pats in enumerate(arms) if any(lo <= value & mask <= hi for lo, hi, mask in pats))
            rows.append(str(next(fits, len(arms))))
        far = [str(i) for i, pats in enumerate(arms) if any(mask != MASK or hi >= size for _, hi, mask in pats)]
        return {"map": self.put("maps", rows), "map_n": size, "far": self.put("lists", far), "far_n": len(far)}

    def varint(self, spec: ir.VarintSpec) -> int:
        widths = ", ".join(map(str, spec.widths)) or "0"
        return self.put("varints", [f"{{ MRG_PLAN_{spec.shape.upper()}, {_c(spec.order == 'little' or spec.shape == 'prefix')}, {_c(spec.minimal)}, "
                                    f"{spec.tag_bits}, {spec.prefix_bits}, {spec.max_bytes}, {{ {widths} }}, {_u(spec.hi)} }}"])  # fmt: skip

    # --- expressions --------------------------------------------------------------

    def path(self, path: Sequence[ir.Item]) -> int:
        """The slots of a dotted path: the first in this packet, each next one in the packet that the one before is."""
        self.seen |= set(map(id, path))
        steps = [str(_slot_within(self, before, item)) for before, item in zip(path, path[1:])]
        return self.put("lists", [str(self.slots[id(path[0])]), *steps])

    def path_in(self, elem: ir.Item, path: Sequence[ir.Item]) -> int:
        """As path, of an element's packet."""
        self.seen |= set(map(id, path))
        return self.put("lists", [str(_slot_within(self, before, item)) for before, item in zip((elem, *path), path)])

    def param(self, param: ir.Param) -> int:
        return next(i for i, p in enumerate(self.at.params) if p is param or p.name == param.name)

    def argument(self, arg: ir.Expr | ir.BufArg) -> str:
        if isinstance(arg, ir.BufArg):
            return NONE if arg.param is None else str(self.param(arg.param))
        return self.expr(arg)

    def expr(self, e: Optional[ir.Expr]) -> str:
        if e is None:
            return NONE
        row = self.put("exprs", [f"{{ {self.spelled(e)} }}"])
        if not isinstance(e, ir.Const):
            self.values.append(row)
        return str(row)

    def spelled(self, e: ir.Expr) -> str:
        if isinstance(e, (ir.SizeOf, ir.CountOf)):
            self.seen.add(id(e.item))
        if isinstance(e, ir.Sum):
            self.seen |= {id(e.first), id(e.last)}
        match e:
            case ir.Const():
                return f".op = MRG_PLAN_CONST, .value = {_u(e.value)}"
            case ir.FieldRef():
                return f".op = MRG_PLAN_FIELD, .a = {self.path(e.path)}, .n = {len(e.path)}, .b = {self.slots[id(e.path[0])]}"
            case ir.ParamRef():
                return f".op = MRG_PLAN_PARAM, .a = {self.param(e.param)}"
            case ir.BufLen():
                return f".op = MRG_PLAN_BUFLEN, .a = {self.param(e.param)}"
            case ir.SizeOf():
                return f".op = MRG_PLAN_SIZE, .a = {NONE if e.item is None else self.slots[id(e.item)]}"
            case ir.CountOf():
                return f".op = MRG_PLAN_COUNT, .a = {self.slots[id(e.item)]}"
            case ir.Avail():
                return ".op = MRG_PLAN_AVAIL"
            case ir.Here():
                return ".op = MRG_PLAN_HERE"
            case ir.Peek():
                return f".op = MRG_PLAN_PEEK, .bits = {e.bits}, .endian = {_endian(e.endian)}"
            case ir.Un():
                return f".op = MRG_PLAN_{OPS[e.op]}, .a = {self.expr(e.a)}"
            case ir.Bin():
                signed = e.a.lo < 0 or e.b.lo < 0
                return f".op = MRG_PLAN_{OPS[e.op]}, .a = {self.expr(e.a)}, .b = {self.expr(e.b)}, .is_signed = {_c(signed)}"
            case ir.Cond():
                return f".op = MRG_PLAN_COND, .a = {self.expr(e.c)}, .b = {self.expr(e.a)}, .c = {self.expr(e.b)}"
            case ir.In():
                pairs = [self.expr(bound) for pair in e.ranges for bound in pair]
                signed = e.e.lo < 0 or any(lo.lo < 0 for lo, _ in e.ranges)
                return f".op = MRG_PLAN_IN, .a = {self.expr(e.e)}, .b = {self.put('lists', pairs)}, .n = {len(e.ranges)}, .is_signed = {_c(signed)}"
            case ir.Sum():
                pairs = [x for part, size in e.pseudo for x in (self.expr(part), str(size))]
                return (f".op = MRG_PLAN_SUM, .bits = MRG_PLAN_{e.kind.upper()}, .a = {self.slots[id(e.first)]}, .b = {self.slots[id(e.last)]}, "
                        f".c = {self.put('lists', pairs)}, .n = {len(e.pseudo)}")
            case ir.Call():
                return ".op = MRG_PLAN_CALL"
        raise AssertionError(type(e).__name__)


def _slot_within(t: Tables, before: ir.Item, item: ir.Item) -> int:
    """The slot of `item` in whichever packet of `before` has it."""
    for packet in _packets_of(before):
        for i, one in enumerate(dict.fromkeys(map(id, own_items(packet.items)))):
            if one == id(item):
                return i
    raise AssertionError(f"{item.name} is not in {before.name}")


def _packets_of(item: ir.Item) -> Iterable[ir.Packet]:
    if isinstance(item, ir.Sub):
        yield item.packet
    elif isinstance(item, ir.Region):
        yield from _packets_of(item.item)
    elif isinstance(item, ir.List):
        yield from _packets_of(item.elem)
    elif isinstance(item, ir.Switch):
        for arm in item.arms:
            if arm.item is not None:
                yield from _packets_of(arm.item)
    elif isinstance(item, ir.Chain):
        yield from (arm.packet for arm in item.arms)


def hints(packet: ir.Packet) -> dict[int, list[int]]:
    """Constants that the packet, or one that uses it, holds against its fields."""
    found: dict[int, list[int]] = {}

    def note(e: ir.Expr, values: Iterable[int]) -> None:
        for part in refs(e):
            if isinstance(part, ir.FieldRef):
                found.setdefault(id(part.path[-1]), []).extend(v + d for v in values for d in (-1, 0, 1))

    for e in exprs(packet.items):
        for part in refs(e):
            if isinstance(part, (ir.Bin, ir.In)):
                note(part, [c.value for c in refs(part) if isinstance(c, ir.Const)])
    for item in walk(packet.items):
        if isinstance(item, ir.Switch):
            note(item.on, [v for arm in item.arms for p in arm.pats for v in {p.lo, p.hi}])
    return found


def _u(value: int) -> str:
    return f"{value & MASK:#x}u" if abs(value) > 9 else f"{value & MASK}u"


def _as_unsigned(lo: int, hi: int) -> list[tuple[int, int]]:
    """A range of numbers that may be below 0, as words of 64 bits have them: those above the others."""
    return [(lo, -1), (0, hi)] if lo < 0 <= hi else [(lo, hi)]


def _c(value: bool) -> str:
    return "true" if value else "false"


def _endian(endian: str) -> str:
    return f"MRG_PLAN_{endian.upper()}"
