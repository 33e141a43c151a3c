"""What a packet takes of its bytes, as terms of ACSL.

`Terms.size()` says in one term how many of the `n` bytes at `p` a packet takes, or that they are none (-1): the walk of the generated
code without the constraints that no length depends on. Contracts (`acsl.py`) hold the C against it: the check accepts nothing
else, and the trusted twin and the accessors rely on nothing else. What can't be said so (yet) raises `Unsaid`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Callable, Optional

from .. import ir, layout, names
from . import c_expr, c_shape, c_view
from .c_shape import Shape


class Unsaid(Exception):
    """A packet, or a part of one, that contracts don't cover."""


@dataclass(frozen=True)
class At:
    """A place in a packet: so many bytes after a variable, or after its first byte."""

    base: str = ""
    more: int = 0

    def __str__(self) -> str:
        if not self.base:
            return str(self.more)
        return f"{self.base} + {self.more}" if self.more else self.base

    def plus(self, size: int) -> "At":
        return At(self.base, self.more + size)

    @property
    def pointer(self) -> str:
        return f"p + {self}" if self.base or self.more else "p"


After = Callable[[At], str]


def loads(text: str) -> str:
    """The loads of mrg.h as logic functions."""
    if re.search(r"\bmrg_[bl]e\(", text):
        raise Unsaid("a number of such a width")
    return re.sub(r"\bmrg_([bl]e(?:16|32|64))\(", r"l_\1(", text)


def size_name(p: ir.Packet) -> str:
    return f"l_{names.packet(p)}_size"


def anchor_name(p: ir.Packet, anchor: str) -> str:
    return f"l_{names.packet(p)}_to_{anchor}"


def list_name(p: ir.Packet, item: ir.List) -> str:
    return f"l_{names.packet(p)}_{item.name}_list"


def followed(shape: Shape, item: ir.List) -> bool:
    """A list of so many elements, each as long as its own numbers say, that something follows: the elements take the same of less room."""
    if item.mode != "count" or not isinstance(item.elem, ir.Sub):
        return False
    elem, slot = item.elem.packet, shape.by_item.get(id(item))
    plain = all(not isinstance(i, ir.List) or layout.fixed_bits(i.elem) is not None for i in layout.walk(elem.items))
    return plain and layout.fixed_bits(item.elem) is None and not elem.params and id(item) in shape.ends and slot is not None and slot.group is None


def params_decl(p: ir.Packet) -> str:
    """Parameters of a packet's logic functions, each preceded by a comma."""
    parts = []
    for q in p.params:
        name = names.param(q.name)
        parts.append(f", uint8_t *{name}_p, integer {name}_n" if q.kind == "buffer" else f", integer {name}")
    return "".join(parts)


def params_of(p: ir.Packet, prefix: str = "") -> str:
    """The same as C has them: of a view, or of a function."""
    parts = []
    for q in p.params:
        name = prefix + names.param(q.name)
        parts.append(f", {name}.p, {name}.len" if q.kind == "buffer" else f", {name}")
    return "".join(parts)


def params_pass(p: ir.Packet) -> str:
    return "".join(f", {names.param(q.name)}_p, {names.param(q.name)}_n" if q.kind == "buffer" else f", {names.param(q.name)}" for q in p.params)


def matches(item: ir.Switch, arm: ir.Arm, tag: str) -> str:
    """Condition that a tag is of an arm, others aside."""
    tests = []
    for pat in arm.pats:
        whole = (pat.mask & item.on.hi) == item.on.hi or pat.mask >= item.on.hi
        value = tag if whole else f"({tag} & {pat.mask})"
        tests.append(f"{value} == {pat.lo}" if pat.lo == pat.hi else f"({pat.lo} <= {value} && {value} <= {pat.hi})")
    return " || ".join(tests) or "1 == 1"


def _needed(packet: ir.Packet) -> set[int]:
    """Ids of the items whose values some extent depends on, through lets."""
    out: set[int] = set()
    values = (ir.Check, ir.Let, ir.Scalar, ir.Varint)
    todo = [e for i in layout.walk(packet.items) if not isinstance(i, values) for e in _extents(i)]
    while todo:
        for node in layout.refs(todo.pop()):
            if isinstance(node, ir.FieldRef) and id(node.path[0]) not in out:
                out.add(id(node.path[0]))
                todo += [node.path[0].expr] if isinstance(node.path[0], ir.Let) else []
    return out


def _extents(item: ir.Item) -> list[ir.Expr]:
    if isinstance(item, ir.Region):
        return [item.length]
    return [item.cond] if isinstance(item, ir.Optional_) else list(layout.exprs([item]))


class Terms(c_expr.Env):
    def __init__(self, shape: Shape) -> None:
        self.shape = shape
        self.packet = shape.packet
        self.needed = _needed(shape.packet)
        self.at, self.end = At(), "n"
        self.bound: dict[int, str] = {}
        self.subs: dict[int, At] = {}
        self.extents: dict[int, tuple[str, str]] = {}
        self.stop: Optional[str] = None
        self.serial = 0

    def size(self) -> str:
        """How many of n bytes at p are taken; -1: they are no such packet."""
        return self.items(self.packet.items, At(), str)

    def to(self, anchor: str) -> str:
        """Where an anchor is, counted from p."""
        self.stop = anchor
        return self.items(self.packet.items, At(), lambda at: "-1")

    # --- walking ------------------------------------------------------------------

    def items(self, items: list[ir.Item], at: At, after: After) -> str:
        return self.parts(layout.segments(items), at, after)

    def parts(self, parts: list[layout.Segment], at: At, after: After) -> str:
        if not parts:
            return after(at)

        def on(then: At) -> str:
            return self.parts(parts[1:], then, after)

        part = parts[0]
        if isinstance(part, layout.Run):
            return self.run(part, at, on)
        return self.dynamic(part, at, on)

    def run(self, run: layout.Run, at: At, after: After) -> str:
        lets = ""
        for item in run.items:
            lets += self.run_item(item, at.plus(run.offset(item) // 8), run.offset(item) % 8)
        text = lets + after(at.plus(run.size))
        return f"{self.room(at)} < {(run.bits + 7) // 8} ? -1 : ({text})" if run.bits else f"({text})" if lets else text

    def run_item(self, item: ir.Item, at: At, bit: int) -> str:
        if isinstance(item, ir.EndianSel):
            raise Unsaid("byte order by a field")
        if isinstance(item, ir.Sub):
            self.subs[id(item)] = at
        if id(item) not in self.needed or id(item) in self.bound:
            return ""
        if isinstance(item, ir.Scalar):
            return self.bind(item, loads(c_view.load(item, at.pointer, bit)))
        if isinstance(item, ir.Let):
            return self.bind(item, self.expr(item.expr, at))
        return ""

    def bind(self, item: ir.Item, value: str) -> str:
        self.bound[id(item)] = f"x_{item.name}"
        return f"\\let x_{item.name} = {value}; "

    def dynamic(self, item: ir.Item, at: At, after: After) -> str:
        anchor = self.shape.ends.get(id(item))
        if anchor and anchor == self.stop:
            after = str
        if isinstance(item, ir.Optional_):
            return self.optional(item, at, after)
        if isinstance(item, ir.Region):
            return self.region(item, at, after)
        return self.one(item, at, after)

    def one(self, item: ir.Item, at: At, after: After) -> str:
        def then(end: At) -> str:
            self.extents[id(item)] = (str(at), str(end))
            return after(end)

        bits = layout.fixed_bits(item)
        if isinstance(item, ir.Sub):
            self.subs[id(item)] = at
        if bits is not None:
            return f"{self.room(at)} < {bits // 8} ? -1 : ({then(at.plus(bits // 8))})"
        if isinstance(item, ir.Bytes):
            return self.octets(item, at, then)
        if isinstance(item, ir.Sub):
            size = f"{size_name(item.packet)}({at.pointer}, {self.room(at)}{self.args(item.args, item.packet.params, at)})"
            need(item.packet)
            return self.taken(size, at, then)
        if isinstance(item, ir.List):
            return self.elements(item, at, then)
        if isinstance(item, ir.Switch):
            return self.switch(item, at, then)
        if isinstance(item, ir.Align):
            pad = self.fresh("pad")
            return f"(\\let {pad} = ({item.to} - ({at}) % {item.to}) % {item.to}; {pad} > {self.room(at)} ? -1 : {self.named(f'{at} + {pad}', then)})"
        raise Unsaid(type(item).__name__.lower())

    def taken(self, size: str, at: At, after: After) -> str:
        """Go on behind what takes `size` bytes, if that is none below 0."""
        k = self.fresh("k")
        return f"(\\let {k} = {size}; {k} < 0 || {k} > {self.room(at)} ? -1 : {self.named(f'{at} + {k}', after)})"

    def named(self, place: str, after: After) -> str:
        o = self.fresh("o")
        rest = after(At(o))
        return f"({place})" if rest == o else f"(\\let {o} = {place}; {rest})"

    def octets(self, item: ir.Bytes, at: At, after: After) -> str:
        if item.mode == "rest":
            return after(self.limit())
        if item.mode == "until" or item.length is None:
            raise Unsaid("bytes up to one that ends them")
        return self.taken(self.expr(item.length, at), at, after)

    def limit(self) -> At:
        return At(self.end)

    def region(self, item: ir.Region, at: At, after: After) -> str:
        k, lim, outer = self.fresh("k"), self.fresh("lim"), self.end
        length = self.expr(item.length, at)
        self.end = lim
        inside = self.one(item.item, at, str)
        self.end = outer
        self.extents[id(item.item)] = self.extents[id(item)] = (str(at), lim)
        wrong = f"({inside}) < 0" if item.tail else f"({inside}) != {lim}"
        room = self.room(at)
        text = f"{wrong} ? -1 : ({after(At(lim))})" if inside != lim else after(At(lim))
        return f"(\\let {k} = {length}; {k} < 0 || {k} > {room} ? -1 : (\\let {lim} = {at} + {k}; {text}))"

    def optional(self, item: ir.Optional_, at: At, after: After) -> str:
        cond = self.expr(item.cond, at)
        stops = any(self.shape.ends.get(id(i)) == self.stop for i in layout.walk(item.items)) if self.stop else False
        if stops:
            return f"({cond}) ? ({self.items(item.items, at, lambda _: '-1')}) : ({at})"
        before = set(self.bound)
        lets, offset = "", 0
        for inner in item.items:  # what stands behind the group sees its numbers, 0 where it is absent
            bits = layout.fixed_bits(inner)
            if bits is None:
                break
            if isinstance(inner, ir.Scalar) and id(inner) in self.needed:
                where = at.plus(offset // 8)
                value = loads(c_view.load(inner, where.pointer, offset % 8))
                lets += self.bind(inner, f"({cond}) ? {value} : 0")
                before.add(id(inner))
            offset += bits
        inside = self.items(item.items, at, str)
        self.bound = {i: name for i, name in self.bound.items() if i in before}
        o = self.fresh("o")
        rest = after(At(o))
        text = f"({cond}) ? ({inside}) : ({at})"
        return f"({lets}\\let {o} = ({text}); {o} < 0 ? -1 : ({rest}))" if rest != o else f"({lets}({text}))"

    def switch(self, item: ir.Switch, at: At, after: After) -> str:
        tag = self.fresh("tag")
        text = ""
        before = dict(self.bound)
        for arm in item.arms:
            inside = str(at) if arm.item is None else self.one(arm.item, at, str)
            self.bound = dict(before)
            if not arm.pats:
                text += f"({inside})"
                break
            text += f"({matches(item, arm, tag)}) ? ({inside}) : "
        if item.default is None:
            text += "-1"
        for e in layout.refs(item.on):
            if isinstance(e, ir.Peek):
                text = f"{self.room(at)} < {e.bits // 8} ? -1 : ({text})"
        o = self.fresh("o")
        rest = after(At(o))
        on = self.expr(item.on, at)
        tail = f"\\let {o} = ({text}); {o} < 0 ? -1 : ({rest})" if rest != o else f"({text})"
        return f"(\\let {tag} = {on}; {tail})"

    def elements(self, item: ir.List, at: At, after: After) -> str:
        if item.mode in ("while", "until"):
            raise Unsaid("a list that is as long as its elements say")
        bits = layout.fixed_bits(item.elem)
        if bits is None and not isinstance(item.elem, ir.Sub):
            raise Unsaid("a list of such elements")
        if item.mode == "count":
            assert item.expr is not None
            count = self.expr(item.expr, at)
            if bits is not None:
                return self.taken(f"({count}) * {bits // 8}", at, after)
            return self.taken(f"{list_name(self.packet, item)}({at.pointer}, {self.room(at)}, {count}{self.elem_args(item, at)})", at, after)
        if item.mode == "rest":
            return self.filled(item, at, self.limit(), after)
        assert item.expr is not None
        k, lim, length = self.fresh("k"), self.fresh("lim"), self.expr(item.expr, at)
        return f"(\\let {k} = {length}; {k} < 0 || {k} > {self.room(at)} ? -1 : (\\let {lim} = {at} + {k}; {self.filled(item, at, At(lim), after)}))"

    def filled(self, item: ir.List, at: At, end: At, after: After) -> str:
        bits = layout.fixed_bits(item.elem)
        room = f"({end} - ({at}))"
        if bits == 8:
            return after(end)
        good = f"{room} % {bits // 8} == 0" if bits is not None else (
            f"{list_name(self.packet, item)}({at.pointer}, {room}{self.elem_args(item, at)}) == 1"
        )
        return f"({good} ? ({after(end)}) : -1)"

    def elem_args(self, item: ir.List, at: At) -> str:
        assert isinstance(item.elem, ir.Sub)
        need(item.elem.packet)
        return self.args(item.elem.args, item.elem.packet.params, at)

    def args(self, args: list[ir.Expr | ir.BufArg], params: list[ir.Param], at: At) -> str:
        out = ""
        for param, arg in zip(params, args):
            if isinstance(arg, ir.BufArg):
                name = "" if arg.param is None else names.param(arg.param.name)
                out += f", {name}_p, {name}_n" if name else ", p, n"
            else:
                out += f", ({names.uint_type(param.bits)})({self.expr(arg, at)})"
        return out

    # --- leaves ---------------------------------------------------------------------

    def expr(self, e: ir.Expr, at: At) -> str:
        kept, self.at = self.at, at
        text = loads(c_expr.emit(e, self))
        self.at = kept
        return text

    def room(self, at: At) -> str:
        return f"({self.end} - ({at}))" if str(at) != "0" else self.end

    def fresh(self, stem: str) -> str:
        self.serial += 1
        return f"{stem}{self.serial}"

    def field(self, ref: ir.FieldRef) -> str:
        head = ref.path[0]
        if len(ref.path) == 1 and id(head) in self.bound:
            return self.bound[id(head)]
        if len(ref.path) > 1 and id(head) in self.subs:
            return self.inner(ref.path, self.subs[id(head)])
        raise Unsaid(f"the value of {head.name}")

    def inner(self, path: tuple[ir.Item, ...], at: At) -> str:
        """A number in a part that was passed, where it stands at a fixed place in that."""
        head, item = path[0], path[1]
        assert isinstance(head, ir.Sub)
        slot = c_shape.build(head.packet).slot(item)
        if slot.start.anchor is not None or slot.group is not None:
            raise Unsaid(f"the value of {item.name}")
        if len(path) > 2:
            return self.inner(path[1:], at.plus(slot.start.bits // 8))
        if not isinstance(item, ir.Scalar) or item.endian == "dyn":
            raise Unsaid(f"the value of {item.name}")
        return f"({loads(c_view.load(item, at.plus(slot.start.bits // 8).pointer, slot.start.bits % 8))})"

    def buflen(self, p: ir.Param) -> str:
        return f"{names.param(p.name)}_n"

    def here(self) -> str:
        return f"({self.at})"

    def avail(self) -> str:
        return f"({self.end} - ({self.at}))"

    def peek(self, e: ir.Peek) -> str:
        load = c_view._whole(self.at.pointer, e.bits // 8, "le" if e.endian == "little" else "be")
        return f"({self.avail()} >= {e.bits // 8} ? {load} : 0)"

    def size_of(self, item: Optional[ir.Item]) -> str:
        if item is None:
            return f"({self.at})"
        bits = layout.fixed_bits(item)
        if bits is not None:
            return str(bits // 8)
        if id(item) not in self.extents:
            raise Unsaid(f"the size of {item.name}")
        start, end = self.extents[id(item)]
        return f"({end} - ({start}))"

    def count_of(self, item: ir.Item) -> str:
        raise Unsaid("a count")

    def sum(self, e: ir.Sum) -> str:
        raise Unsaid("a checksum")


_COVERED: dict[int, tuple[ir.Packet, str]] = {}


def why_not(packet: ir.Packet) -> str:
    """Why a packet has no contracts; "": it has."""
    known = _COVERED.get(id(packet))
    if known is None or known[0] is not packet:
        why = ""
        try:
            if packet.shared:
                raise Unsaid("memory that others change")
            terms = Terms(c_shape.build(packet))
            terms.size()
            for anchor in terms.shape.anchors:
                Terms(terms.shape).to(anchor)
        except Unsaid as unsaid:
            why = str(unsaid)
        known = (packet, why)
        _COVERED[id(packet)] = known
    return known[1]


def unchecked(packet: ir.Packet) -> str:
    """Why not even the check of a packet has a contract; "": it has."""
    if packet.shared:
        return "memory that others change"
    for inner in layout.contained(packet):
        for item in layout.walk(inner.items):
            if isinstance(item, ir.Varint):
                return "varints"
            if isinstance(item, ir.Scalar) and any(isinstance(e, ir.Sum) and (e.kind != "inet16" or e.pseudo) for e in layout.refs(item.computed)):
                return "a checksum"
    return ""


def need(packet: ir.Packet) -> None:
    why = why_not(packet)
    if why:
        raise Unsaid(f"{packet.name}: {why}")
