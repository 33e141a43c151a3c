"""How a packet is written: parts between holes, what the caller gives, what is filled in."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Optional

from .. import ir, layout, names
from . import c_chain, c_expr, c_shape, c_view


class Unbuildable(Exception):
    """The expression depends on what a builder can't know yet."""


@dataclass
class Plan:
    """How a packet is written: its parts between holes, and what is patched."""

    packet: ir.Packet
    parts: list[list[ir.Item]] = field(default_factory=list)  # len(holes) + 1
    holes: list[ir.Item] = field(default_factory=list)  # List, Switch, Chain or Sub
    regions: dict[int, ir.Region] = field(default_factory=dict)  # id(hole) -> its region
    pieces: dict[int, ir.Optional_] = field(default_factory=dict)  # id(part of a group that has holes) -> the group
    derived: list[layout.Length] = field(default_factory=list)
    why_not: str = ""

    def derived_of(self, item: ir.Item) -> Optional[layout.Length]:
        return next((d for d in self.derived if d.path[0] is item and len(d.path) == 1), None)

    @property
    def computed(self) -> list[ir.Scalar | ir.Varint]:
        return [
            i
            for i in layout.walk(self.packet.items)
            if isinstance(i, (ir.Scalar, ir.Varint)) and i.computed is not None and not settled(i)
        ]


def settled(item: ir.Scalar | ir.Varint) -> bool:
    """A scalar that is always written with the same value: there is nothing to fill in later."""
    return isinstance(item, ir.Scalar) and isinstance(item.computed, ir.Const)


_PLANS: dict[int, Plan] = {}


def plan(packet: ir.Packet) -> Plan:
    known = _PLANS.get(id(packet))
    if known is not None and known.packet is packet:
        return known
    out = _PLANS[id(packet)] = Plan(packet, [[]], derived=layout.lengths(packet))
    _cut(out, packet.items, [])
    out.why_not = _unknown(out)
    return out


def _cut(p: Plan, items: list[ir.Item], around: list[ir.Optional_]) -> None:
    """Sort items into parts and holes; a group that has holes is cut at them."""
    for item in items:
        inner = inner_item(item)
        if is_hole(inner):
            p.holes.append(inner)
            p.parts.append([])
            if isinstance(item, ir.Region):
                p.regions[id(inner)] = item
        elif isinstance(item, ir.Optional_) and any(is_hole(inner_item(i)) for i in layout.walk(item.items)):
            _cut(p, item.items, [*around, item])
        else:
            _place(p, item, around)


def _place(p: Plan, item: ir.Item, around: list[ir.Optional_]) -> None:
    """Add an item to the last part, in pieces of the groups around it."""
    to = p.parts[-1]
    for group in around:
        last = to[-1] if to else None
        if not isinstance(last, ir.Optional_) or p.pieces.get(id(last)) is not group:
            last = replace(group, items=[])
            p.pieces[id(last)] = group
            to.append(last)
        to = last.items
    to.append(item)


def inner_item(item: ir.Item) -> ir.Item:
    return item.item if isinstance(item, ir.Region) else item


def is_hole(item: ir.Item) -> bool:
    if isinstance(item, (ir.List, ir.Switch, ir.Chain)):
        return True
    if isinstance(item, ir.Sub):
        if c_chain.only_chain(item.packet) is not None:
            return False
        inner = plan(item.packet)
        return bool(inner.holes) or bool(inner.why_not)
    return False


def _unknown(p: Plan) -> str:
    """Why a number that a builder fills in cannot be known or placed, or ""."""
    if any(len(d.path) > 1 and isinstance(d.path[-1], ir.Varint) for d in p.derived):
        return "a length of varying size stands in a packet within"
    if not all(_placed(d.path) for d in p.derived):
        return "a length stands behind what varies in size in a packet within"
    numbers = late(p)
    items = list(layout.walk(p.packet.items))
    for number in numbers:
        behind = items[next(k for k, i in enumerate(items) if i is number) + 1 :]
        if number.spec.shape == "prefix":
            return f"'{number.name}' begins inside a byte and is known only at the end"
        if any(isinstance(i, ir.Align) for i in behind):
            return f"padding behind '{number.name}', whose size is known only at the end"
        if any(bound(i) for i in behind):
            return f"pointers behind '{number.name}', whose size is known only at the end"
    if len(settle_order(p)) < len(numbers):
        return "the value of a number of varying size depends on its own size"
    for item in p.computed:
        if any(isinstance(n, ir.Sum) for n in layout.refs(item.computed)) or early(p, item) is not None:
            continue
        try:
            assert item.computed is not None
            c_expr.emit(item.computed, EndEnv(p, settling=isinstance(item, ir.Varint)))
        except (Unbuildable, NotImplementedError):
            return f"'{item.name}' is computed from what is not known when it is written"
    return ""


def _placed(path: tuple[ir.Item, ...]) -> bool:
    """The last item of a path stands at a fixed distance from the first."""
    return all(
        isinstance(outer, ir.Sub) and c_shape.build(outer.packet).slot(inner).start.anchor is None
        for outer, inner in zip(path, path[1:])
    )


# --- numbers of varying size ----------------------------------------------------------


def groups_of(p: Plan, item: ir.Item) -> list[ir.Optional_]:
    """The optional groups that an item stands in, the outermost first."""
    return [
        g
        for g in layout.walk(p.packet.items)
        if isinstance(g, ir.Optional_) and any(i is item for i in layout.walk(g.items))
    ]


def early(p: Plan, item: ir.Item, a: str = "a") -> Optional[str]:
    """The value of a varint that the builder fills in, where the arguments tell it: it is written at once."""
    if not isinstance(item, ir.Varint):
        return None
    env = _EarlyEnv(p, item, a)
    d = p.derived_of(item)
    try:
        if item.computed is not None:
            return c_expr.emit(item.computed, env)
        return env.size_of(d.item) if d is not None and d.kind == "size" else None
    except (Unbuildable, NotImplementedError):
        return None


def late(p: Plan) -> list[ir.Varint]:
    """Varints whose value is known only at the end: they get the room of the smallest, and grow then."""
    return [
        i
        for i in layout.walk(p.packet.items)
        if isinstance(i, ir.Varint) and (i.computed is not None or p.derived_of(i) is not None) and early(p, i) is None
    ]


def settle_order(p: Plan) -> list[ir.Varint]:
    """The late varints in an order in which each sees the sizes that it asks for; those for which there is none are left out."""
    left, out = late(p)[::-1], []
    while left:
        ready = next((i for i in left if not _asks_size(i, left)), None)
        if ready is None:
            break
        left = [i for i in left if i is not ready]
        out.append(ready)
    return out


def _asks_size(number: ir.Varint, of: list[ir.Varint]) -> bool:
    sizes = [n for n in layout.refs(number.computed) if isinstance(n, ir.SizeOf)]
    return any(n.item is None or any(n.item is i for i in of) for n in sizes)


# --- arguments ------------------------------------------------------------------------


def members(p: Plan) -> list[ir.Item]:
    """Items that the caller gives, in order."""
    out: list[ir.Item] = []
    for part in p.parts:
        for item in layout.walk(part):
            if isinstance(item, (ir.Scalar, ir.Varint)):
                given = item.name and item.computed is None and p.derived_of(item) is None
                if given and not (isinstance(item, ir.Scalar) and item.const is not None):
                    out.append(item)
            elif isinstance(item, (ir.Bytes, ir.Sub)) and item.name:
                out.append(item)
    return out


def flags(p: Plan) -> list[ir.Optional_]:
    """Optional groups whose presence the caller must say."""
    out = []
    for item in layout.walk(p.packet.items):
        if isinstance(item, ir.Optional_):
            try:
                c_expr.emit(item.cond, ArgsEnv(p))
            except (Unbuildable, NotImplementedError):
                out.append(item)
    return out


def flag_name(item: ir.Optional_) -> str:
    first = next((i.name for i in layout.named(item.items)), "part")
    return f"has_{item.name or first}"


def member_type(item: ir.Item) -> str:
    if isinstance(item, ir.Scalar):
        return names.int_type(item.bits, item.signed)
    if isinstance(item, ir.Varint):
        return names.uint_type(64 if item.spec.hi > 0xFFFFFFFF else 32)
    if isinstance(item, ir.Sub) and c_chain.only_chain(item.packet) is None:
        return f"struct {names.packet(item.packet)}_args"
    return "struct mrg_span"


class ArgsEnv(c_expr.Env):
    """Leaves of an expression are arguments of the builder."""

    def __init__(self, p: Plan, args: str = "a") -> None:
        self.p = p
        self.args = args
        self.ends = False  # sizes of parts are known: we are at the end
        self.settling = False  # but computed scalars are not written yet

    def field(self, ref: ir.FieldRef) -> str:
        text = self.args
        sep = "->"
        here = self.p
        for i, item in enumerate(ref.path):
            if isinstance(item, ir.Let):
                return f"({c_expr.emit(item.expr, self)})"
            if isinstance(item, ir.Scalar) and item.const is not None:
                return c_expr.number(item.const)
            if isinstance(item, ir.Scalar) and isinstance(item.computed, ir.Const):
                return c_expr.number(item.computed.value)
            text += f"{sep}{names.local(item.name)}"
            sep = "."
            if i + 1 < len(ref.path):
                if not isinstance(item, ir.Sub) or c_chain.only_chain(item.packet) is not None:
                    raise Unbuildable
                here = plan(item.packet)
                continue
            return self.leaf(here, item, text, i)
        raise Unbuildable

    def leaf(self, here: Plan, item: ir.Item, text: str, depth: int) -> str:
        if isinstance(item, ir.Scalar):
            d = here.derived_of(item)
            if d is not None and depth == 0 and isinstance(d.item, ir.Bytes):
                return f"(uint32_t){self.args}->{names.local(d.item.name)}.len"
            written = d is not None or item.computed is not None and not self.settling
            if written and self.ends and depth == 0:
                bit = bit_in_byte(here.packet, item)
                dyn = dyn_cond(here) if item.endian == "dyn" else ""
                load = c_view.load(item, f"(w->p + b->{item.name}_at)", bit, dyn)
                return load if item.bits > 32 else f"(uint32_t){load}"
            if d is not None or item.computed is not None:
                raise Unbuildable
            if any(x.path[-1] is item for x in self.p.derived):
                raise Unbuildable
            if item.signed:
                return f"(int64_t){text}"
            return text if item.bits > 32 else f"(uint32_t){text}"
        if isinstance(item, ir.Varint):
            if item.computed is None and not any(x.path[-1] is item for x in [*here.derived, *self.p.derived]):
                return text
            known = early(here, item, self.args) if depth == 0 else None
            if known is not None:
                return f"({'uint64_t' if item.spec.hi > 0xFFFFFFFF else 'uint32_t'})({known})"
        raise Unbuildable

    def param(self, p: ir.Param) -> str:
        if p.kind == "int":
            return f"{self.args}->{names.param(p.name)}"
        raise Unbuildable

    def buflen(self, p: ir.Param) -> str:
        raise Unbuildable

    def size_of(self, item: Optional[ir.Item]) -> str:
        if item is None:
            if self.ends:
                return "(w->len - b->at)"
            raise Unbuildable
        bits = layout.fixed_bits(item)
        if bits is not None:
            return f"{bits // 8}u"
        if not self.ends:
            raise Unbuildable
        return f"(b->{item.name}_end - b->{item.name}_at)"

    def count_of(self, item: ir.Item) -> str:
        if not self.ends:
            raise Unbuildable
        return f"b->{item.name}_count"


class EndEnv(ArgsEnv):
    """At the end of a packet; `settling`: before computed scalars are filled in."""

    def __init__(self, p: Plan, args: str = "a", settling: bool = False) -> None:
        super().__init__(p, args)
        self.ends = True
        self.settling = settling

    def leaf(self, here: Plan, item: ir.Item, text: str, depth: int) -> str:
        d = here.derived_of(item)
        if isinstance(item, ir.Varint) and d is not None and depth == 0 and early(here, item) is None:
            return f"({'uint64_t' if item.spec.hi > 0xFFFFFFFF else 'uint32_t'}){extent(d)}"
        return super().leaf(here, item, text, depth)

    def size_of(self, item: Optional[ir.Item]) -> str:
        there = present(self.p, item, self.args) if item is not None and layout.fixed_bits(item) is not None else ""
        size = super().size_of(item)
        return f"(({there}) ? {size} : 0u)" if there else size


class _EarlyEnv(ArgsEnv):
    """Where a varint is written: the sizes of bytes that the caller gives are known, if they are there with it."""

    def __init__(self, p: Plan, number: ir.Varint, args: str) -> None:
        super().__init__(p, args)
        self.number = number

    def leaf(self, here: Plan, item: ir.Item, text: str, depth: int) -> str:
        if isinstance(item, ir.Varint) and item.computed is not None:
            raise Unbuildable  # as a rule itself
        return super().leaf(here, item, text, depth)

    def size_of(self, item: Optional[ir.Item]) -> str:
        if item is None:
            raise Unbuildable
        around = groups_of(self.p, self.number)
        if not all(any(g is o for o in around) for g in groups_of(self.p, item)):
            raise Unbuildable
        if not isinstance(item, ir.Bytes) or layout.fixed_bits(item) is not None:
            return super().size_of(item)
        return f"{self.args}->{names.local(item.name)}.len" if item.mode != "until" else f"({self.args}->{names.local(item.name)}.len + 1u)"


def int_params(p: ir.Packet) -> list[ir.Param]:
    return [q for q in p.params if q.kind == "int"]


def tracked(p: Plan) -> tuple[list[ir.Item], list[ir.Item]]:
    """(items whose extent, items whose position) is asked for when patching."""
    extents: list[ir.Item] = []
    places: list[ir.Item] = []

    def add(to: list[ir.Item], item: ir.Item) -> None:
        if not any(i is item for i in to):
            to.append(item)

    for d in p.derived:
        if early(p, d.path[-1]) is not None:
            continue
        add(places, d.path[0])
        if d.kind == "size":
            add(extents, d.item)
    for item in p.computed:
        if early(p, item) is not None:
            continue
        add(places, item)
        for node in layout.refs(item.computed):
            if isinstance(node, ir.SizeOf) and node.item is not None and layout.fixed_bits(node.item) is None:
                add(extents, node.item)
            if isinstance(node, ir.Sum):
                add(extents, node.first)
                add(extents, node.last)
    return extents, places


def may_lack(p: Plan) -> list[ir.Item]:
    """Holes in optional groups."""
    return [h for h in p.holes if groups_of(p, h)]


def present(p: Plan, item: ir.Item, a: str) -> str:
    """C condition that all groups around an item are wanted; "" when there is none."""
    conds = [group_cond(p, group, a) for group in groups_of(p, item)]
    return " && ".join(f"({c})" for c in conds) if len(conds) > 1 else "".join(conds)


def extent(d: layout.Length) -> str:
    """The value of a derived length, at the end."""
    return f"b->{d.item.name}_count" if d.kind == "count" else f"(b->{d.item.name}_end - b->{d.item.name}_at)"


def counts(p: Plan) -> list[ir.List]:
    return [h for h in p.holes if isinstance(h, ir.List)]


def tracks(p: Plan, item: ir.Item) -> bool:
    return any(e is item for e in tracked(p)[0])


def dyn_cond(p: Plan) -> str:
    for item in layout.walk(p.packet.items):
        if isinstance(item, ir.EndianSel):
            return c_expr.emit(item.cond, ArgsEnv(p))
    return "true"


def group_cond(p: Plan, group: ir.Optional_, a: str) -> str:
    """C condition that the caller wants an optional group."""
    group = p.pieces.get(id(group), group)
    if any(f is group for f in flags(p)):
        return f"{a}->{flag_name(group)}"
    return c_expr.emit(group.cond, ArgsEnv(p, a))


def bit_in_byte(packet: ir.Packet, item: ir.Item) -> int:
    return c_shape.build(packet).slot(item).start.bits % 8


def points(item: ir.Item) -> bool:
    """Bytes of this item may hold pointers: they mean something only where they stand."""
    if isinstance(item, ir.Sub):
        chain = c_chain.only_chain(item.packet)
        if chain is not None:
            return any(a.kind == "goto" for a in chain.arms)
        return any(points(i) for i in layout.walk(item.packet.items))
    if isinstance(item, ir.List):
        return points(item.elem)
    if isinstance(item, ir.Switch):
        return any(a.item is not None and points(a.item) for a in item.arms)
    return False


def bound(item: ir.Item) -> bool:
    """A builder would compress something in this item."""
    if isinstance(item, ir.Chain):
        return any(a.kind == "goto" for a in item.arms)
    if isinstance(item, ir.Sub):
        chain = c_chain.only_chain(item.packet)
        if chain is not None:
            return not item.flat and any(a.kind == "goto" for a in chain.arms)
        return any(bound(i) for i in layout.walk(item.packet.items))
    if isinstance(item, ir.List):
        return bound(item.elem)
    if isinstance(item, ir.Switch):
        return any(a.item is not None and bound(a.item) for a in item.arms)
    return False


def is_buffer(packet: ir.Packet) -> bool:
    """Parts of the packet point into it (`this`)."""
    subs = [i for i in layout.walk(packet.items) if isinstance(i, ir.Sub)]
    subs += [i.elem for i in layout.walk(packet.items) if isinstance(i, ir.List) and isinstance(i.elem, ir.Sub)]
    return any(isinstance(a, ir.BufArg) and a.param is None for s in subs for a in s.args)
