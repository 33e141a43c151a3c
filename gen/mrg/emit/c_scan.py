"""Reading a packet: the scan function (every check) and its trusted twin

(`view_`: the same walk over bytes that were checked before, no checks)."""

from __future__ import annotations

import re
from typing import Callable, Optional

from .. import ir, layout, names
from . import acsl_loops, c_chain, c_expr, c_fast, c_list, c_shape, c_sum, c_view
from .c_common import Sites, check_name, dispatch, inline, varint_name
from .c_env import ScanEnv, paren
from .c_shape import Shape
from .writer import Writer


class Scan:
    """Emits one walk over a packet; `sites` is None for the trusted twin."""

    def __init__(self, w: Writer, shape: Shape, sites: Optional[Sites]) -> None:
        self.w = w
        self.notes = sites is not None and not inline(shape.packet)  # spec lines stay out of headers
        self.shape = shape
        self.packet = shape.packet
        self.sites = sites
        self.env = ScanEnv(self)
        self.end = "end"
        self.offset = 0  # of the current item from q, inside a run
        self.left: Optional[int] = None  # most octets behind the run at hand, as a constraint says
        self.there, self.peek_sure = 0, False  # octets of the run at hand, from q on
        self.peeked = 0  # octets from q on that were looked at
        self.room = 0  # octets that the region at hand has from q on at least
        self.says: Optional[ir.Expr] = None  # how many
        self.filling: Optional[str] = None  # the end of the region that the switch at hand must fill
        self.extents: dict[int, tuple[str, str]] = {}
        self.elem_locals: dict[int, tuple[str, bool]] = {}  # id(list element) -> its local, a view or a number
        self.hoisted: set[int] = set()  # ids of items whose local is declared before an optional group
        self.in_region = 0
        self.later: list[ir.Item] = []
        self.starts: dict[int, str] = {}
        self.needed = self._needed()
        self.sums = 0
        asked = [n for e in self._exprs(self.packet.items) for n in layout.refs(e)]
        self.counted = {id(n.item) for n in asked if isinstance(n, ir.CountOf)}
        self.sized = {id(n.item) for n in asked if isinstance(n, ir.SizeOf)}
        self.sizes: set[int] = set()  # ids of items with a local for their size, 0 where they are absent

    # --- what must be kept in locals -----------------------------------------------

    def _needed(self) -> set[int]:
        """Items whose values some emitted expression uses, through lets."""
        out: set[int] = set()
        self._add_refs(out, self._exprs(self.packet.items))
        self._add_refs(out, [i.cond for i in layout.walk(self.packet.items) if isinstance(i, ir.EndianSel)])
        changed = True
        while changed:
            before = len(out)
            for item in layout.walk(self.packet.items):
                if isinstance(item, ir.Let) and id(item) in out:
                    self._add_refs(out, [item.expr])
            changed = len(out) != before
        return out

    @staticmethod
    def _add_refs(out: set[int], exprs: list[ir.Expr]) -> None:
        for e in exprs:
            out.update(id(n.path[0]) for n in layout.refs(e) if isinstance(n, ir.FieldRef))

    def _exprs(self, items: list[ir.Item]) -> list[ir.Expr]:
        """Expressions that this walk evaluates, lets aside."""
        out: list[ir.Expr] = []
        checking = self.sites is not None
        for item in items:
            if isinstance(item, ir.Region):
                out.append(item.length)
                if checking:
                    out += self._exprs([item.item])
            elif isinstance(item, ir.Optional_):
                out.append(item.cond)
                out += self._exprs(item.items)
            elif isinstance(item, ir.Check):
                if checking and item.severity == "must" and not c_expr.always_true(item.expr):
                    out.append(item.expr)
            elif isinstance(item, (ir.Scalar, ir.Varint)):
                if checking and item.computed is not None and not item.implied and item.severity == "must":
                    out.append(item.computed)
            elif isinstance(item, ir.Sub) and item.packet.fixed and not checking:
                continue
            elif isinstance(item, ir.List) and not checking and c_list.stepped_over(item):
                out += [item.expr] if item.expr is not None else []
            elif not isinstance(item, (ir.Let, ir.EndianSel)):
                out += layout.exprs([item])
        return out

    def here(self) -> str:
        return f"q + {self.offset}" if self.offset else "q"

    # --- rejections -----------------------------------------------------------------

    def site(self, item: Optional[ir.Item], loc: ir.Loc, what: str) -> str:
        assert self.sites is not None
        return self.sites.ref(self.packet, item, loc, what)

    def reject(self, cond: str, status: str, at: str, bit: int, site: str) -> None:
        with_cond = f"if (MRG_UNLIKELY({cond}))"
        self.w.line(with_cond)
        self.w.line(f"\treturn {self.failure(status, at, bit, site)};")

    def failure(self, status: str, at: str, bit: int, site: str) -> str:
        if self.in_region and status == "MRG_MORE":
            status = "MRG_E_SHORT"
        return f"mrg_reject_at(rj, {status}, {at}, {bit}, {site})"

    def sub_failed(self, result: str, site: str) -> None:
        up = "mrg_reject_in" if self.in_region else "mrg_reject_up"
        self.w.line(f"if (MRG_UNLIKELY({result} == NULL))")
        self.w.line(f"\treturn {up}(rj, {site});")

    # --- items --------------------------------------------------------------------------

    def items(self, items: list[ir.Item]) -> None:
        for part in layout.segments(items):
            if isinstance(part, layout.Run):
                self.run(part)
            else:
                self.dynamic(part)

    def run(self, run: layout.Run) -> None:
        w = self.w
        first = next((i for i in run.items if layout.fixed_bits(i)), None)
        size = (run.bits + 7) // 8  # a varint may share the last byte
        if self.sites is not None and run.bits and first is not None:
            last = [i for i in run.items if layout.fixed_bits(i)][-1]
            lines = f"{first.loc.line}" if first.loc.line == last.loc.line else f"{first.loc.line}-{last.loc.line}"
            if self.notes:
                w.comment(f"{first.loc.file}:{lines} {_label(first)}{'' if first is last else ' .. ' + _label(last)}: {size} bytes")
            site = self.site(first, first.loc, f"needs {size} bytes")
            self.reject(f"(size_t)({self.end} - q) < {size}u", "MRG_MORE", "q", 0, site)
        self.there, self.left = run.size, None
        rows = c_fast.rows(self, run) if self.sites is not None else {}
        inside = {id(i) for row in rows.values() for i in row.all}
        for item in run.items:
            self.offset = run.offset(item) // 8
            if id(item) in rows:
                c_fast.constants(self, run, rows[id(item)])
            elif id(item) not in inside:
                self.run_item(item, run.offset(item) % 8)
            if id(item) in self.sizes:
                w.line(f"{item.name}_size_ = {(layout.fixed_bits(item) or 0) // 8}u;")
        self.offset = self.there = 0
        if run.size:
            w.line(f"q += {run.size};")

    def constant_site(self, item: ir.Scalar) -> str:
        assert item.const is not None
        what = f"must be {item.const:#x}" if item.const > 9 else f"must be {item.const}"
        return self.site(item, item.loc, what)

    def run_item(self, item: ir.Item, bit: int) -> None:
        if isinstance(item, ir.Scalar):
            self.scalar(item, bit)
        elif isinstance(item, ir.Let):
            if id(item) in self.needed:
                self.declare(item, c_expr.let_bits(item), c_expr.let_value(item, self.env))
        elif isinstance(item, ir.Check):
            self.check(item)
        elif isinstance(item, ir.EndianSel):
            self.w.line(f"const bool big = {c_expr.emit(item.cond, self.env)};")
            self.w.line("(void)big;")
        elif isinstance(item, ir.Sub):
            size = item.packet.size_max or 0
            self.sub(item, self.here(), f"{self.here()} + {size}")

    def declare(self, item: ir.Item, bits: int, value: str) -> None:
        """A local for the value of an item, visible to what follows it."""
        ctype = "int64_t" if isinstance(item, ir.Scalar) and item.signed else f"uint{bits}_t"
        if id(item) in self.hoisted:
            self.w.line(f"{names.value(item.name)} = {value};")
        else:
            self.w.line(f"const {ctype} {names.value(item.name)} = {value};")

    def scalar(self, item: ir.Scalar, bit: int) -> None:
        load = c_view.load(item, self.here(), bit, "big" if item.endian == "dyn" else "")
        if item.name and id(item) in self.needed:
            self.declare(item, 64 if item.bits > 32 else 32, load)
            load = names.value(item.name)
        if self.sites is None:
            return
        if item.const is not None and item.severity == "must":
            self.reject(f"{load} != {c_expr.number(item.const)}", "MRG_E_VALUE", self.here(), bit, self.constant_site(item))
        if item.enum is not None and item.enum.closed:
            known = f"{names.enum(item.enum)}_known({load})"
            self.reject(f"!{known}", "MRG_E_VALUE", self.here(), bit, self.site(item, item.loc, f"not a known {item.enum.name}"))
        if item.computed is not None and not item.implied and item.severity == "must":
            self.starts[id(item)] = self.mark(item)
            self.later.append(item)

    def mark(self, item: ir.Item) -> str:
        """Remember where an item stands, for a comparison at the end."""
        name = f"{item.name}_at"
        self.w.line(f"const uint8_t *const {name} = {self.here()};")
        return name

    def check(self, item: ir.Check) -> None:
        if self.sites is None or item.severity != "must" or c_expr.always_true(item.expr):
            return
        if self.offset == self.there:
            self.left = c_fast.most_left(item.expr, self.left)
        at, bit, site = self.check_site(item)
        self.reject(f"!({c_expr.emit(item.expr, self.env)})", "MRG_E_VALUE", at, bit, site)

    def check_site(self, item: ir.Check) -> tuple[str, int, str]:
        """What a constraint that does not hold is about: pointer, bit and site."""
        assert self.sites is not None
        at, bit = self.about(item) or (self.here(), 0)
        return at, bit, self.sites.ref(self.packet, _Named(item.name), item.loc, item.what)

    def about(self, item: ir.Check) -> Optional[tuple[str, int]]:
        """Where the field that a check is about stands: pointer and bit."""
        if not item.name:
            return None
        for slot in self.shape.slots:
            if slot.item.name == item.name:
                place = slot.start
                base = "p" if place.anchor is None else place.anchor
                if place.anchor == c_shape.LAST:
                    return None
                return (f"{base} + {place.bits // 8}" if place.bits >= 8 else base), place.bits % 8
        return None

    def sub(self, item: ir.Sub, start: str, end: str) -> None:
        name = names.packet(item.packet)
        needed = id(item) in self.needed
        sure = self.sites is None or self.sure(item, end)
        if sure and item.packet.fixed and not needed:
            return
        this = f"(struct mrg_span){{ p, (size_t)({'end'} - p) }}"
        args = c_view.call_args(self.shape, item.args, item.packet.params, self.env, this)
        var = names.value(item.name) if needed else f"{item.name or 'part'}_view"
        if needed or sure:
            self.w.line(f"struct {name} {var};")
        if sure:
            self.w.line(f"{name}_view_({start}, {end}{args}, &{var});")
            return
        after = f"{item.name or 'part'}_after"
        self.w.line(f"const uint8_t *const {after} = {name}_scan_({start}, {end}{args}, {'&' + var if needed else 'NULL'}, rj);")
        self.sub_failed(after, self.site(item, item.loc, "refused"))
        if item.packet.fixed:
            self.w.line(f"(void){after};")

    def sure(self, item: ir.Sub, end: str) -> bool:
        """The packet can't be refused: there is nothing to check in it, and its octets are there."""
        p, told = item.packet, c_fast.told(item, self.says)
        sized = p.fixed and (end != self.end or (p.size_max or 0) <= self.room)
        sized |= told is not None and p.size_min <= self.room
        return sized and c_fast.never_refused(p, told) or c_fast.takes_anything(p, self.room)

    # --- items of varying size -----------------------------------------------------------

    def dynamic(self, item: ir.Item) -> None:
        w = self.w
        anchor = self.shape.ends[id(item)]
        if isinstance(item, ir.Optional_):
            self.optional(item)
        elif isinstance(item, ir.Region):
            self.region(item)
        else:
            start = self.start_local(item)
            self.one(item)
            self.extents[id(item)] = (start, anchor or "q")
        inner = item.item if isinstance(item, ir.Region) else item
        if id(inner) in self.sizes:
            w.line(f"{inner.name}_size_ = (size_t)(q - {self.extents[id(inner)][0]});")
        if anchor:
            w.line(f"{anchor} = q;" if self.hoisted_anchor(anchor) else f"const uint8_t *const {anchor} = q;")

    def hoisted_anchor(self, anchor: str) -> bool:
        return anchor in self.anchors_hoisted

    anchors_hoisted: frozenset[str] = frozenset()

    def start_local(self, item: ir.Item) -> str:
        """A pointer to where a dynamic item starts, kept when a size is asked for."""
        slot = self.shape.by_item.get(id(item))
        if slot is None:
            return "q"
        place = slot.start
        if place.anchor == c_shape.LAST:
            return "q"
        base = "p" if place.anchor is None else place.anchor
        return f"({base} + {place.bits // 8})" if place.bits else base

    def one(self, item: ir.Item) -> None:
        """Read one item at q and move q behind it."""
        if isinstance(item, ir.Scalar):
            if self.sites is not None:
                self.reject(f"(size_t)({self.end} - q) < {item.bits // 8}u", "MRG_MORE", "q", 0, self.site(item, item.loc, f"needs {item.bits // 8} bytes"))
                self.scalar(item, 0)
            self.w.line(f"q += {item.bits // 8};")
        elif isinstance(item, ir.Bytes):
            self.bytes(item)
        elif isinstance(item, ir.Sub):
            sure = self.sites is None or self.sure(item, self.end)
            takes_all = self.sites is not None and c_fast.takes_anything(item.packet, self.room, c_fast.told(item, self.says))
            if takes_all and id(item) not in self.needed:
                self.w.line(f"q = {self.end};")
                return
            self.sub(item, "q", self.end)
            if sure and item.packet.fixed and id(item) not in self.needed:
                self.w.line(f"q += {item.packet.size_max};")
                return
            var = names.value(item.name) if id(item) in self.needed else f"{item.name or 'part'}_view"
            self.w.line(f"q += {var}.len;" if sure else f"q = {item.name or 'part'}_after;")
        elif isinstance(item, ir.List):
            c_list.emit_scan(self, item)
        elif isinstance(item, ir.Switch):
            self.switch(item)
        elif isinstance(item, ir.Chain):
            c_chain.emit_scan(self, item)
        elif isinstance(item, ir.Varint):
            self.varint(item)
        elif isinstance(item, ir.Align):
            self.align(item)
        else:
            raise NotImplementedError(f"{item.loc.file}:{item.loc.line}: {type(item).__name__}")

    def bytes(self, item: ir.Bytes) -> None:
        w = self.w
        if item.mode == "rest":
            if item.max is not None and self.sites is not None and not (self.left is not None and self.left <= item.max):
                self.reject(f"(size_t)({self.end} - q) > {item.max}u", "MRG_E_LIMIT", "q", 0, self.site(item, item.loc, f"at most {item.max} bytes"))
            w.line(f"q = {self.end};")
            return
        if item.mode == "until":
            self.until(item)
            return
        assert item.length is not None
        length = c_expr.emit(item.length, self.env)
        if self.sites is not None:
            if item.max is not None and item.length.hi > item.max:
                self.reject(f"{paren(length)} > {item.max}u", "MRG_E_LIMIT", "q", 0, self.site(item, item.loc, f"at most {item.max} bytes"))
            if not item.sure and item.length.hi > self.peeked:
                self.reject(f"{paren(length)} > (size_t)({self.end} - q)", "MRG_MORE", "q", 0, self.site(item, item.loc, "ends beyond its region"))
        w.line(f"q += {length};")

    def until(self, item: ir.Bytes) -> None:
        w = self.w
        bound = "" if item.max is None else f" && (size_t)(q - {item.name}_start) <= {item.max}u"
        with w.block(""):
            w.line(f"const uint8_t *const {item.name}_start = q;")
            if self.sites is None:
                w.line(f"while (*q != {item.until:#x})")
                w.line("\tq++;")
                w.line(f"(void){item.name}_start;")
            else:
                acsl_loops.until(self, item)
                w.line(f"while (q != {self.end} && *q != {item.until:#x}{bound})")
                w.line("\tq++;")
                if item.max is not None:
                    site = self.site(item, item.loc, f"at most {item.max} bytes")
                    start = f"{item.name}_start"
                    self.reject(f"(size_t)(q - {start}) > {item.max}u", "MRG_E_LIMIT", start, 0, site)
                self.reject(f"q == {self.end}", "MRG_MORE", f"{item.name}_start", 0, self.site(item, item.loc, f"no {item.until:#x} ends it"))
        w.line("q++;")

    def varint(self, item: ir.Varint) -> None:
        w = self.w
        value = names.value(item.name)
        ctype = "uint64_t"
        if id(item) not in self.hoisted:
            w.line(f"{ctype} {value} = 0;")
        compared = self.sites is not None and item.computed is not None and not item.implied and item.severity == "must"
        if compared:
            self.later.append(item)
            self.starts[id(item)] = f"{item.name}_start"
            w.line(f"const uint8_t *const {item.name}_start = q;")
        with w.block(""):
            if self.sites is None:
                w.line("size_t size;")
                w.line(f"{value} = {varint_name(item.spec)}_load(q, {self.end}, &size);")
            else:
                w.line("size_t size = 0;")
                w.line(f"const enum mrg_status st = {varint_name(item.spec)}_get(q, {self.end}, &{value}, &size);")
                w.line("if (MRG_UNLIKELY(st != MRG_OK))")
                status = "st == MRG_MORE ? MRG_E_SHORT : st" if self.in_region else "st"
                bit = self.shape.slot(item).start.bits % 8 if id(item) in self.shape.by_item else 0
                w.line(f"\treturn mrg_reject_at(rj, {status}, q, {bit}, {self.site(item, item.loc, 'not a valid ' + item.spec.name)});")
            w.line("q += size;")
        w.line(f"(void){value};")

    def align(self, item: ir.Align) -> None:
        w = self.w
        with w.block(""):
            w.line(f"const size_t pad = ({item.to}u - (size_t)(q - p) % {item.to}u) % {item.to}u;")
            if self.sites is not None:
                self.reject(f"pad > (size_t)({self.end} - q)", "MRG_MORE", "q", 0, self.site(item, item.loc, "padding ends beyond its region"))
                if item.zero:
                    acsl_loops.counting(self, "i", "pad")
                    w.line("for (size_t i = 0; i < pad; i++)")
                    w.line("\tif (q[i] != 0)")
                    w.line(f"\t\treturn {self.failure('MRG_E_VALUE', 'q + i', 0, self.site(item, item.loc, 'padding must be zero'))};")
            w.line("q += pad;")

    def region(self, item: ir.Region) -> None:
        w = self.w
        start = self.start_local(item)
        name = item.item.name or "region"
        length = c_expr.emit(item.length, self.env)
        if self.sites is not None:
            if self.notes:
                w.comment(f"{item.loc.file}:{item.loc.line} {name}")
            if not item.sure:
                self.reject(f"{paren(length)} > (size_t)({self.end} - q)", "MRG_MORE", "q", 0, self.site(item.item, item.loc, "ends beyond its region"))
        outer, self.end = self.end, f"{name}_lim"
        w.line(f"const uint8_t *const {self.end} = q + {paren(length)};")
        if self.sites is not None or not self.skippable(item.item):
            self.in_region += 1
            self.filling = None if item.tail else self.end
            if isinstance(item.item, (ir.Sub, ir.Switch)):
                self.room, self.says = item.length.lo, item.length
            self.one(item.item)
            self.filling, self.room, self.says = None, 0, None
            self.in_region -= 1
            if self.sites is not None and not item.tail and not c_fast.takes_region(item.item):
                self.reject(f"q != {self.end}", "MRG_E_LENGTH", "q", 0, self.site(item.item, item.loc, "does not fill its region"))
            if not c_fast.takes_region(item.item) or item.tail:
                w.line(f"q = {self.end};")
        else:
            w.line(f"q = {self.end};")
        self.extents[id(item.item)] = (start, self.shape.ends[id(item)] or "q")
        self.extents[id(item)] = self.extents[id(item.item)]
        self.end = outer

    def skippable(self, item: ir.Item) -> bool:
        """In the trusted twin a region is stepped over unless a value in it is used."""
        return id(item) not in self.needed

    def optional(self, item: ir.Optional_) -> None:
        w = self.w
        for inner in layout.walk(item.items):
            if id(inner) in self.hoisted:
                continue  # by a group around this one
            if id(inner) in self.needed and isinstance(inner, (ir.Scalar, ir.Let, ir.Varint)):
                ctype = "int64_t" if isinstance(inner, ir.Scalar) and inner.signed else "uint64_t" if _bits(inner) > 32 else "uint32_t"
                w.line(f"{ctype} {names.value(inner.name)} = 0;")
                w.line(f"(void){names.value(inner.name)};")
                self.hoisted.add(id(inner))
        self.hoist_sizes(item)
        ends = [self.shape.ends.get(id(i)) for i in layout.walk(item.items)]
        inner_anchors = [end for end in ends if end and end not in self.anchors_hoisted]
        for a in inner_anchors:
            w.line(f"const uint8_t *{a} = q;")
        self.anchors_hoisted = self.anchors_hoisted | frozenset(inner_anchors)
        start = self.start_local(item)
        cond = c_expr.emit(item.cond, self.env)
        with w.block(f"if ({cond})"):
            pending, self.later = self.later, []
            self.items(item.items)
            c_sum.computed(self)
            self.later = pending
        for a in inner_anchors:
            w.line(f"(void){a};")
        self.extents[id(item)] = (start, self.shape.ends[id(item)] or "q")

    def hoist_sizes(self, group: ir.Optional_) -> None:
        """The size and the count of what is absent are 0."""
        for inner in layout.walk(group.items):
            if id(inner) in self.sized and id(inner) not in self.sizes:
                self.w.line(f"size_t {inner.name}_size_ = 0;")
                self.w.line(f"(void){inner.name}_size_;")
                self.sizes.add(id(inner))
            if id(inner) in self.counted and id(inner) not in self.hoisted:
                self.w.line(f"uint64_t {inner.name}_count = 0;")
                self.w.line(f"(void){inner.name}_count;")
                self.hoisted.add(id(inner))

    def switch(self, item: ir.Switch) -> None:
        w = self.w
        for e in layout.refs(item.on):
            if isinstance(e, ir.Peek) and self.sites is not None:
                n = e.bits // 8
                self.reject(f"(size_t)({self.end} - q) < {n}u", "MRG_MORE", "q", 0, self.site(item, item.loc, f"needs {n} bytes"))
        self.peek_sure = True
        on = c_expr.emit(item.on, self.env)
        self.peek_sure = False
        looked_at = max((e.bits // 8 for e in layout.refs(item.on) if isinstance(e, ir.Peek)), default=0)

        filling, self.filling, room, says = self.filling, None, self.room, self.says

        def arm(a: ir.Arm) -> None:
            self.filling, self.room, self.says = filling, *((room, says) if isinstance(a.item, ir.Sub) else (0, None))
            c_fast.fills(self, a.item)
            self.filling = None
            if a.item is not None:
                self.peeked = looked_at if isinstance(a.item, ir.Bytes) else 0
                self.one(a.item)
                self.peeked = 0
            w.line("break;")

        fail = None
        if self.sites is not None and item.default is None:
            fail = f"return {self.failure('MRG_E_TAG', 'q', 0, self.site(item, item.loc, 'no arm for this tag'))};"
        dispatch(w, item, on, arm, fail, sure=self.sites is None)

    def sum_local(self, e: ir.Sum) -> str:
        return f"sum{self.sums}"


def _bits(item: ir.Item) -> int:
    if isinstance(item, ir.Scalar):
        return item.bits
    if isinstance(item, ir.Let):
        return c_expr.let_bits(item)
    return 64


def _label(item: ir.Item) -> str:
    return item.name or "constant"


class _Named(ir.Item):
    """Just a name, for the site of a check."""

    def __init__(self, name: str) -> None:
        self.name = name


# --- functions -----------------------------------------------------------------------------


def emit_scan(w: Writer, shape: Shape, sites: Sites) -> None:
    """The checking walk: in the .c file, or in the header when inline(packet)."""
    p, name = shape.packet, shape.cname
    head = (
        f"{'static inline ' if inline(p) else ''}const uint8_t *{name}_scan_(const uint8_t *p, const uint8_t *end{c_view.params_decl(p)}, "
        f"struct {name} *v, struct mrg_reject *rj)"
    )
    with w.function(head):
        scan = Scan(w, shape, sites)
        mark = len(w.lines)
        scan.items(p.items)
        c_sum.computed(scan)
        if p.max_bytes is not None and any(layout.fixed_bits(i) is None for i in p.items):
            scan.reject(f"(size_t)(q - p) > {p.max_bytes}u", "MRG_E_LIMIT", "p", 0, scan.site(None, p.loc, f"at most {p.max_bytes} bytes"))
        head_lines = ["\tconst uint8_t *q = p;"]
        body = "\n".join(w.lines[mark:])
        if not re.search(r"\brj\b", body):
            head_lines.append("\t(void)rj;")
        if not re.search(r"\bend\b", body):
            head_lines.append("\t(void)end;")
        w.lines[mark:mark] = head_lines + [""]
        with w.block("if (v != NULL)"):
            _fill(w, shape)
        w.line("return q;")


def emit_check(w: Writer, shape: Shape) -> None:
    """The public wrapper of the checking walk, inline in the header."""
    p, name = shape.packet, shape.cname
    head = (
        f"static inline MRG_MUST_USE enum mrg_status {check_name(p)}(struct mrg_span in{c_view.params_decl(p)}, "
        f"struct {name} *out, struct mrg_reject *rj)"
    )
    with w.function(head):
        w.line("const uint8_t *const start = mrg_start(in);")
        if c_fast.takes_anything(p):
            w.line("(void)rj;")
            w.line(f"{name}_view_(start, start + in.len{c_view.params_pass(p)}, out);")
            w.line("return MRG_OK;")
            return
        w.line("struct mrg_reject unread, *const why = rj != NULL ? rj : &unread;")
        w.line(f"if (MRG_LIKELY({name}_scan_(start, start + in.len{c_view.params_pass(p)}, out, why) != NULL))")
        w.line("\treturn MRG_OK;")
        w.line(f"*out = (struct {name}){{ 0 }};")
        w.line("return mrg_reject_done(why, start);")


def _fill(w: Writer, shape: Shape) -> None:
    w.line("v->p = p;")
    w.line("v->len = (size_t)(q - p);")
    for anchor in shape.anchors:
        w.line(f"v->{anchor} = {anchor};")
    for q in shape.packet.params:
        w.line(f"v->{names.param(q.name)} = {names.param(q.name)};")


def emit_view(w: Writer, shape: Shape) -> None:
    """The trusted twin, inline in the header."""
    p, name = shape.packet, shape.cname
    w.comment("Internal: view bytes that a check accepted before.")
    with w.function(
        f"static inline void {name}_view_(const uint8_t *p, const uint8_t *end{c_view.params_decl(p)}, struct {name} *v)"
    ):
        scan = Scan(w, shape, None)
        w.line("const uint8_t *q = p;")
        w.line("(void)end;")
        w.line()
        scan.items(p.items)
        _fill(w, shape)
