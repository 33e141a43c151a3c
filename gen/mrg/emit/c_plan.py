"""How a packet is written: parts between holes, what the caller gives, what is filled in."""

from __future__ import annotations

from dataclasses import dataclass, field
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
    out = Plan(packet, [[]], derived=layout.lengths(packet))
    for item in packet.items:
        inner = item.item if isinstance(item, ir.Region) else item
        if is_hole(inner):
            out.holes.append(inner)
            out.parts.append([])
            if isinstance(item, ir.Region):
                out.regions[id(inner)] = item
        else:
            out.parts[-1].append(item)
            if isinstance(item, ir.Optional_) and any(is_hole(inner_item(i)) for i in layout.walk(item.items)):
                out.why_not = "an optional part holds a list, a switch or a chain"
            for i in layout.walk([item]):
                if isinstance(i, ir.Varint) and (i.computed is not None or out.derived_of(i)):
                    out.why_not = "a computed number of varying size"
    _PLANS[id(packet)] = out
    return out


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
    for part in p.parts:
        for item in layout.walk(part):
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
            if (d is not None or item.computed is not None) and self.ends and depth == 0:
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
        if isinstance(item, ir.Varint) and item.computed is None:
            return text
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
        add(places, d.path[0])
        if d.kind == "size":
            add(extents, d.item)
    for item in p.computed:
        add(places, item)
        for node in layout.refs(item.computed):
            if isinstance(node, ir.SizeOf) and node.item is not None and layout.fixed_bits(node.item) is None:
                add(extents, node.item)
            if isinstance(node, ir.Sum):
                add(extents, node.first)
                add(extents, node.last)
    return extents, places


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
