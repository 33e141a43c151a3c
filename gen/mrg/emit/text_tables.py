"""A text rule as C tables, for the interpreter of gen/support/fuzz/mrg_textplan.h.

Two things of each rule: its nodes as a tree, by which texts are made, and a program by which they are read: instructions that name the
one behind them, with the octets that each way on may begin with.  The program is made of the rule's nodes alone, as grammar_ref.py has
them; it knows nothing of message_dfa.py, whose automata it is to check.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Iterator, Mapping, Optional

from .. import ir, names
from ..message_dfa import captures
from .writer import Writer

NONE = 0xFFFF
UNBOUNDED = 0xFFFFFFFF
ALL = frozenset(range(256))
LEN_MAX = 4096  # octets of a text whose rule has no limit
BEYOND = 64  # octets of an input, beyond the limit of its rule
NAME_MAX = 72
KINDS_MAX = 64  # sets: a bit each
TEXT_MAX = 1 << 17  # as MRG_TEXT_LEN_MAX
DEPTH_MAX = 4  # as MRG_TEXT_DEPTH

SIGNS = ("choice", "chosen", "open", "again", "close")  # instructions that say where a text is

Octets = frozenset[int]


@dataclass
class Op:
    """An instruction; `to` is the one behind it.  ways: of a split, best first."""

    kind: str
    to: int = 0
    node: int = NONE
    a: int = 0
    b: int = 0
    depth: int = 0
    octets: Octets = frozenset()
    data: bytes = b""
    ways: list[int] = field(default_factory=list)
    memo: int = NONE


class TooLarge(Exception):
    """The interpreter has no room for the tables of a rule."""


class Points:
    """Names of what there is to reach."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.places: list[ir.Loc] = []  # of each, where the specification has it

    def add(self, name: str, loc: ir.Loc) -> int:
        shown, n = name, 1
        while shown in self.names:
            n += 1
            shown = f"{name} #{n}"
        self.names.append(shown)
        self.places.append(loc)
        return len(self.names) - 1


@dataclass
class Row:
    """A node as it stands in the table."""

    kind: str
    node: ir.Node
    kids: list[int]
    point: int = NONE  # the first of its points
    points: list[int] = field(default_factory=list)  # of a repetition: none, one, more, most, too many


class Tables:
    """Everything of one rule.  Fails: TooLarge.

    known: names of plain rules, by the repr of their nodes.  part_of: of a rule that holds this one as its way `way`; its points are shared.
    """

    def __init__(self, rule: ir.Rule, known: Mapping[str, str], part_of: Optional[Tables] = None, way: int = 0) -> None:
        self.rule = rule
        self.known = known
        self.part_of = part_of
        self.captures = list(dict.fromkeys(captures(rule.node)))
        self.points: Points = Points() if part_of is None else part_of.points
        self.rows: list[Row] = []
        self.index: dict[str, int] = {}
        self.accepted = self.refused = self.incomplete = self.too_long = NONE
        if part_of is None:
            self.ends()
        else:
            self.accepted = next(r.point for r in part_of.rows if isinstance(r.node, ir.Alt)) + way
        self.top = self.row(rule.node, rule.name)
        self.ops: list[Op] = [Op("done")]
        self.start = self.build(rule.node, 0, 0)
        self.finish()

    def ends(self) -> None:
        """Points of the text as a whole."""
        self.accepted = self.points.add("accepted", self.rule.loc)
        self.refused = self.points.add("refused", self.rule.loc)
        if self.rule.kind == "message":
            self.incomplete = self.points.add("incomplete", self.rule.loc)
        if self.rule.max is not None:
            self.too_long = self.points.add(f"more than {self.rule.max} octets -> {self.rule.code or 0}", self.rule.loc)

    @property
    def len_max(self) -> int:
        return min((self.rule.max if self.rule.max is not None else LEN_MAX) + BEYOND, TEXT_MAX)

    # --- the tree ---

    def row(self, node: ir.Node, where: str) -> int:
        """The place of a node; one that is there already keeps it."""
        key = repr(node)
        if key in self.index:
            return self.index[key]
        at = self.index[key] = len(self.rows)
        row = Row(type(node).__name__.lower(), node, [])
        self.rows.append(row)
        if self.part_of is not None:
            whole = self.part_of.rows[self.part_of.index[key]]
            row.point, row.points = whole.point, whole.points
        elif isinstance(node, ir.Alt):
            row.point = len(self.points.names)
            for n in node.nodes:
                self.points.add(_short(f"{where}: {shown(n, self.known)}"), n.loc)
        elif isinstance(node, ir.Rep):
            self.counts(row, node, where)
        inner = node.name if isinstance(node, ir.Capture) else self.known.get(key, where)
        row.kids = [self.row(n, inner) for n in below(node)]
        return at

    def counts(self, row: Row, node: ir.Rep, where: str) -> None:
        row.points = [NONE] * 5
        text = _short(f"{where}: {shown(node, self.known)}")
        most = node.max if node.max is not None else UNBOUNDED
        if node.min != most:
            wanted = [("none", node.min == 0), ("one", node.min <= 1), ("several", most > 2), (f"all {most}", 2 <= most < UNBOUNDED)]
            for i, (what, has) in enumerate(wanted):
                if has:
                    row.points[i] = self.points.add(f"{text}: {what}", node.loc)
        if node.code is not None:
            row.points[4] = self.points.add(f"{text}: more than {node.max} -> {node.code}", node.loc)

    # --- the program ---

    def add(self, op: Op) -> int:
        if len(self.ops) == NONE or op.depth == DEPTH_MAX:
            raise TooLarge()
        self.ops.append(op)
        return len(self.ops) - 1

    def build(self, node: ir.Node, then: int, depth: int) -> int:
        """Where a program for node begins that goes on at `then`; depth: counts in use around it."""
        at = self.index[repr(node)]
        if isinstance(node, ir.Lit):
            return self.add(Op("text", then, at, a=int(node.nocase), data=node.data.lower() if node.nocase else node.data))
        if isinstance(node, ir.Class):
            return self.add(Op("octet", then, at, octets=octets_of(node)))
        if isinstance(node, ir.Seq):
            for n in reversed(node.nodes):
                then = self.build(n, then, depth)
            return then
        if isinstance(node, ir.Alt):
            end = self.add(Op("chosen", then, at))
            ways = [self.add(Op("choice", self.build(n, end, depth), at, a=i)) for i, n in enumerate(node.nodes)]
            return self.add(Op("split", node=at, ways=ways))
        if isinstance(node, ir.Rep):
            return self.repeat(node, at, then, depth)
        if isinstance(node, ir.Capture):
            what = self.captures.index(node.name)
            after = self.add(Op("end", then, at, a=what))
            return self.add(Op("start", self.build(node.node, after, depth), at, a=what))
        raise TypeError(type(node).__name__)

    def repeat(self, node: ir.Rep, at: int, then: int, depth: int) -> int:
        close = self.add(Op("close", then, at))
        if node.max is None or node.code is not None:
            entry = self.loop(node, at, close, depth)
        else:
            entry = close
            for _ in range(node.max - node.min):
                entry = self.add(Op("split", node=at, ways=[self.element(node, at, entry, depth), close]))
        for _ in range(node.min):
            entry = self.element(node, at, entry, depth)
        return self.add(Op("open", entry, at))

    def element(self, node: ir.Rep, at: int, then: int, depth: int) -> int:
        """One more; octets need no sign, for they are counted by the place."""
        body = self.build(node.node, then, depth)
        return body if isinstance(node.node, ir.Class) else self.add(Op("again", body, at))

    def loop(self, node: ir.Rep, at: int, close: int, depth: int) -> int:
        loop = self.add(Op("split", node=at))
        if node.code is None or node.max is None:
            self.ops[loop].ways = [self.element(node, at, loop, depth), close]
            return loop
        body = self.element(node, at, loop, depth + 1)
        count = self.add(Op("count", body, at, a=node.max - node.min, b=node.code, depth=depth))
        self.ops[loop].ways = [count, close]
        return self.add(Op("reset", loop, at, depth=depth))

    # --- what each instruction may begin with ---

    def finish(self) -> None:
        self.firsts = [self.first(i) for i in range(len(self.ops))]
        self.memos = self.runs = 0
        for i, op in enumerate(self.ops):
            if op.kind != "split":
                continue
            ways = [self.firsts[w] for w in op.ways]
            clash = any(a[0] & b[0] or (a[1] and b[1]) for n, a in enumerate(ways) for b in ways[:n])
            if clash:
                op.memo = self.memos
                self.memos += 1
            elif self.ops[op.ways[0]].kind in ("octet", "count") and len(op.ways) == 2:
                self.run_of(i, op)

    def run_of(self, at: int, op: Op) -> None:
        """A split that does nothing but take octets, of which none can come behind, takes them all at once."""
        first, behind = self.ops[op.ways[0]], op.ways[1]
        octet = self.ops[first.to] if first.kind == "count" else first
        if octet.kind != "octet" or octet.to != at:
            return
        if first.kind == "octet":
            self.ops[at] = Op("octets", behind, op.node, self.runs, octets=octet.octets)
            self.runs += 1
        else:
            self.ops[at] = Op("counted", behind, op.node, first.a, first.b, first.depth, octet.octets)

    def calm(self, at: int) -> int:
        """The instruction there, or the first behind it that does something."""
        while self.ops[at].kind in SIGNS:
            at = self.ops[at].to
        return at

    def around(self, split: Op) -> Octets:
        """The octets that a split takes one by one, each the only way on, with nothing but signs on the way back to it."""
        out: set[int] = set()
        for octet in self.firsts[split.ways[0]][0]:
            at, taken = split.ways[0], False
            while not (taken and self.ops[at] is split):
                op = self.ops[at]
                if op.kind == "split" and op is not split and not taken:
                    ways = [way for way in op.ways if octet in self.firsts[way][0]]
                    if len(ways) != 1:
                        break
                    at = ways[0]
                    continue
                if op.kind == "octet" and not taken and octet in op.octets:
                    taken = True
                elif op.kind not in SIGNS and not (op.kind == "octets" and not taken and octet not in op.octets):
                    break
                at = op.to
            else:
                if all(octet not in self.firsts[way][0] for way in split.ways[1:]):
                    out.add(octet)
        return frozenset(out)

    def first(self, start: int) -> tuple[Octets, bool]:
        """The octets that can come at an instruction, and whether the text may end there."""
        found: set[int] = set()
        ends = False
        todo, seen = [start], set()
        while todo:
            at = todo.pop()
            if at in seen:
                continue
            seen.add(at)
            op = self.ops[at]
            if op.kind == "octet":
                found |= op.octets
            elif op.kind == "text":
                found |= {op.data[0]} | ({op.data[:1].upper()[0]} if op.a else set())
            elif op.kind == "done":
                ends = True
                found |= ALL if self.rule.kind in ("message", "token") else frozenset()
            else:
                todo += op.ways or [op.to]
        return frozenset(found), ends


def below(node: ir.Node) -> list[ir.Node]:
    if isinstance(node, (ir.Seq, ir.Alt)):
        return node.nodes
    return [node.node] if isinstance(node, (ir.Rep, ir.Capture)) else []


def octets_of(node: ir.Class) -> Octets:
    return frozenset(b for lo, hi in node.ranges for b in range(lo, hi + 1))


# --- names for people -------------------------------------------------------------------------


def shown(node: ir.Node, known: Mapping[str, str]) -> str:
    """A node in one line, captures and rules by their names."""
    if repr(node) in known:
        return known[repr(node)]
    if isinstance(node, ir.Lit):
        return '"' + "".join(_char(b) for b in node.data) + '"'
    if isinstance(node, ir.Class):
        return _class(node)
    if isinstance(node, ir.Seq):
        return " ".join(shown(n, known) for n in node.nodes)
    if isinstance(node, ir.Alt):
        return "(" + " / ".join(shown(n, known) for n in node.nodes) + ")"
    if isinstance(node, ir.Capture):
        return node.name
    assert isinstance(node, ir.Rep)
    inner = shown(node.node, known)
    if (node.min, node.max) == (0, 1):
        return f"[{inner}]"
    times = f"{node.min or ''}*{node.max if node.max is not None else ''}" if node.min != node.max else str(node.min)
    return times + (f"({inner})" if " " in inner and isinstance(node.node, ir.Seq) else inner)


def _class(node: ir.Class) -> str:
    for name, ranges in _KNOWN.items():
        if node.ranges == ranges:
            return name
    parts = [_char(lo) if lo == hi else f"{_char(lo)}-{_char(hi)}" for lo, hi in node.ranges]
    return "<" + "".join(parts[:6]) + (".." if len(parts) > 6 else "") + ">"


_KNOWN = {
    "ALPHA": [(0x41, 0x5A), (0x61, 0x7A)],
    "DIGIT": [(0x30, 0x39)],
    "HEXDIG": [(0x30, 0x39), (0x41, 0x46), (0x61, 0x66)],
    "WSP": [(0x09, 0x09), (0x20, 0x20)],
}


def _char(b: int) -> str:
    return {0x0D: "\\r", 0x0A: "\\n", 0x09: "\\t"}.get(b) or (chr(b) if 0x20 <= b < 0x7F else f"\\x{b:02x}")


def _short(text: str) -> str:
    return text if len(text) <= NAME_MAX else text[: NAME_MAX - 3] + "..."


# --- as C -----------------------------------------------------------------------------------------


class _Pool:
    """Sets of octets and pieces of text, each once."""

    def __init__(self) -> None:
        self.sets: list[Octets] = []
        self.members: dict[Octets, int] = {}
        self.all_members: list[int] = []
        self.data = bytearray()

    def set(self, octets: Octets) -> int:
        if octets not in self.sets:
            self.sets.append(octets)
        return self.sets.index(octets)

    def class_of(self, octets: Octets) -> int:
        """A set of which one is taken now and then."""
        if octets not in self.members:
            self.members[octets] = len(self.all_members)
            self.all_members += sorted(octets)
        return self.set(octets)

    def bits(self, octets: Octets) -> str:
        words = [sum(1 << (b - at) for b in octets if at <= b < at + 32) for at in range(0, 256, 32)]
        count = len(octets) if octets in self.members else 0
        return "{ { " + ", ".join(f"0x{x:08x}u" for x in words) + f" }}, {self.members.get(octets, 0)}, {count} }}"

    def kinds(self) -> list[str]:
        """Of each octet, the sets that it is in, a bit each."""
        return [f"0x{sum(1 << i for i, s in enumerate(self.sets) if octet in s):x}u" for octet in range(256)]

    def text(self, data: bytes) -> int:
        at = self.data.find(data)
        if at < 0:
            at = len(self.data)
            self.data += data
        return at


def emit(w: Writer, name: str, t: Tables, has_code: bool) -> None:
    """The tables of a rule, and `static const struct mrg_text_plan <name>_plan` that holds them, and the rule as code if it has that."""
    pool = _Pool()
    nodes = list(_nodes(t, pool))
    ops, ways = _ops(t, pool)
    kids = [k for row in t.rows for k in row.kids]
    _array(w, f"struct mrg_text_node {name}_nodes", nodes)
    _array(w, f"uint16_t {name}_kids", [str(k) for k in kids] or ["0"])
    _array(w, f"struct mrg_text_op {name}_ops", ops)
    _array(w, f"uint16_t {name}_calm", [str(t.calm(i)) for i in range(len(t.ops))])
    _array(w, f"struct mrg_text_way {name}_ways", ways or ["{ 0, 0, false }"])
    _array(w, f"struct mrg_text_set {name}_sets", [pool.bits(s) for s in pool.sets] or ["{ { 0 }, 0, 0 }"])
    if len(pool.sets) <= KINDS_MAX:
        _array(w, f"uint64_t {name}_kinds", pool.kinds())
    _array(w, f"uint8_t {name}_members", [str(b) for b in pool.all_members] or ["0"])
    _array(w, f"uint8_t {name}_data", [str(b) for b in pool.data] or ["0"])
    _array(w, f"char *const {name}_points", [names.c_string(p) for p in t.points.names])
    _array(w, f"char *const {name}_captures", [names.c_string(c) for c in t.captures] or ["NULL"])
    rule = t.rule
    if has_code:
        w.line("#ifdef MRG_PLAN_CODE")
        w.line(f"static bool {name}_walk(struct mrg_text_walk *w);")
        w.line(f"static bool {name}_walk_all(struct mrg_text_walk *w);")
        w.line(f"static void {name}_make(struct mrg_text_maker *m, unsigned node);")
        w.line("#endif")
    with w.block(f"static const struct mrg_text_plan {name}_plan =", "};"):
        w.line(f".name = {names.c_string(rule.name)}, .kind = MRG_TEXT_{rule.kind.upper()},")
        w.line(f".nodes = {name}_nodes, .kids = {name}_kids, .ops = {name}_ops, .ways = {name}_ways, .sets = {name}_sets, .data = {name}_data,")
        w.line(f".kinds = {f'{name}_kinds' if len(pool.sets) <= KINDS_MAX else 'NULL'}, .members = {name}_members, .calm = {name}_calm,")
        w.line(f".points = {name}_points, .captures = {name}_captures, .node_count = {len(nodes)}u, .point_count = {len(t.points.names)}u,")
        w.line(f".capture_count = {len(t.captures)}u, .top = {t.top}u, .start = {t.start}u, .memos = {t.memos}u, .runs = {t.runs}u,")
        limit = f"{rule.max}u" if rule.max is not None else "MRG_TEXT_UNBOUNDED"
        w.line(f".max = {limit}, .code = {rule.code or 0}u, .accepted = {t.accepted}u, .refused = {t.refused}u,")
        w.line(f".incomplete = {t.incomplete}u, .too_long = {t.too_long}u,")
        if has_code:
            w.line(f".walk = MRG_TEXT_CODE({name}_walk), .walk_all = MRG_TEXT_CODE({name}_walk_all), .make = MRG_TEXT_CODE({name}_make),")
    w.line()


def _nodes(t: Tables, pool: _Pool) -> Iterator[str]:
    kids = 0
    for row in t.rows:
        n = row.node
        a, b, code = 0, 0, 0
        if isinstance(n, ir.Lit):
            a, b, code = pool.text(n.data), len(n.data), int(n.nocase)
        elif isinstance(n, ir.Class):
            a = pool.class_of(octets_of(n))
        elif isinstance(n, ir.Rep):
            a, b, code = n.min, n.max if n.max is not None else UNBOUNDED, n.code or 0
        elif isinstance(n, ir.Capture):
            a = t.captures.index(n.name)
        points = ", ".join(str(p) for p in row.points or [row.point])
        yield f"{{ MRG_TEXT_{row.kind.upper()}, {kids}, {len(row.kids)}, {a}u, {b}u, {code}u, {{ {points} }} }}"
        kids += len(row.kids)


def _ops(t: Tables, pool: _Pool) -> tuple[list[str], list[str]]:
    ops: list[str] = []
    ways: list[str] = []
    for op in t.ops:
        a, b, to = op.a, op.b, op.to
        octets: Optional[Octets] = op.octets or None
        if op.kind == "text":
            a, b, octets = pool.text(op.data), len(op.data) | op.a << 31, None
        elif op.kind == "split":
            a, b, to = len(ways), len(op.ways), op.memo
            ways += [f"{{ {pool.set(t.firsts[w][0])}, {w}, {'true' if t.firsts[w][1] else 'false'} }}" for w in op.ways]
            octets = t.around(op) or None
        elif op.kind == "count":
            octets = t.firsts[op.to][0]
        kept = pool.set(octets) if octets is not None else NONE if op.kind == "split" else 0
        ops.append(f"{{ MRG_TEXT_OP_{op.kind.upper()}, {op.depth}, {op.node}, {to}, {kept}, {a}u, {b}u }}")
    return ops, ways


def _array(w: Writer, head: str, items: list[str]) -> None:
    with w.block(f"static const {head}[{len(items)}] =", "};"):
        line = ""
        for item in items:
            if len(line) + len(item) > 120:
                w.line(line.rstrip())
                line = ""
            line += item + ", "
        w.line(line.rstrip())
    w.line()
