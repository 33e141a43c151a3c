"""Fields that can be set where they stand, in bytes that a view was made of.

A set must leave every view of those bytes true: no length, count, presence, tag, byte order, pointer or other constraint
may depend on the field.  What depends on it is looked for in the field's packet and in all packets of its module; a
packet of another module can't be seen from here.

Packets that hold a checksum have setters, and those that ask for them (`mutable`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Iterator, Optional, Union

from . import ir, layout


@dataclass
class Plan:
    """What of a packet can be set; `why_not`: why nothing can."""

    fields: list[Union[ir.Scalar, ir.Bytes]] = field(default_factory=list)
    refused: list[tuple[str, str]] = field(default_factory=list)  # field, why
    why_not: str = ""


def plan(packet: ir.Packet) -> Optional[Plan]:
    """None for a packet that has no setters by rule."""
    if not packet.mutable and not sums(packet):
        return None
    out = Plan()
    module = _module(packet.module)
    out.why_not = "others may change its bytes" if packet.shared else module.exposed.get(id(packet), "")
    if out.why_not:
        return out
    for item in layout.named(packet.items):
        size = layout.fixed_bits(item)
        if isinstance(item, ir.Scalar) and item.const is None and item.computed is None or isinstance(item, ir.Bytes) and size:
            assert isinstance(item, (ir.Scalar, ir.Bytes))
            why = "something else depends on it" if id(item) in module.used else _sums_refuse(packet, item)
            if why:
                out.refused.append((item.name, why))
            else:
                out.fields.append(item)
    return out


# --- checksums ----------------------------------------------------------------------------------


def sums(packet: ir.Packet) -> list[tuple[ir.Scalar, ir.Sum]]:
    """The checksums of a packet with the fields that hold them."""
    found = [i for i in layout.walk(packet.items) if isinstance(i, ir.Scalar)]
    return [(i, i.computed) for i in found if isinstance(i.computed, ir.Sum)]


def covers(packet: ir.Packet, s: ir.Sum, item: ir.Item) -> bool:
    """Whether an item lies in what a checksum goes over."""
    order = [id(i) for i in layout.walk(packet.items)]
    return order.index(id(s.first)) <= order.index(id(item)) <= order.index(id(s.last))


def never_zero(packet: ir.Packet, holder: ir.Scalar, s: ir.Sum) -> bool:
    """Some word under the checksum is known not to be zero."""
    if any(e.lo > 0 for e, _ in s.pseudo):
        return True
    always = [i for i in packet.items if isinstance(i, ir.Scalar) and i is not holder]
    return any(i.lo > 0 and covers(packet, s, i) for i in always)


@dataclass
class Update:
    """A checksum to be brought up to date; `changed`: the items under it that change."""

    holder: ir.Scalar
    sum: ir.Sum
    changed: list[ir.Item]


def updates(packet: ir.Packet, item: ir.Item) -> Optional[list[Update]]:
    """The checksums that change with an item, each after those that it covers itself; None when there is no such order."""
    touched: list[ir.Item] = [item]
    rows: list[tuple[ir.Scalar, ir.Sum]] = []
    for _ in sums(packet):
        for holder, s in sums(packet):
            if not any(h is holder for h, _ in rows) and any(t is not holder and covers(packet, s, t) for t in touched):
                rows.append((holder, s))
                touched.append(holder)
    out: list[Update] = []
    left = [Update(h, s, [t for t in touched if t is not h and covers(packet, s, t)]) for h, s in rows]
    while left:
        ready = next((u for u in left if not any(v is not u and any(c is v.holder for c in u.changed) for v in left)), None)
        if ready is None:
            return None
        left.remove(ready)
        out.append(ready)
    return out


def _sums_refuse(packet: ir.Packet, item: ir.Item) -> str:
    """Why the checksums of its packet can't follow a change of the field, or ""."""
    todo = updates(packet, item)
    if todo is None:
        return "its checksums cover each other"
    for u in todo:
        if u.holder.signed:
            return "its checksum is a signed number"
        if not _at_edge(packet, u.holder):
            return "its checksum begins inside a byte"
        if u.sum.kind == "inet16" and any(c is not item and _optional(packet, c) for c in u.changed):
            return "its checksum covers another that may be absent"
    return ""


def _at_edge(packet: ir.Packet, item: ir.Item) -> bool:
    """Whether an item begins with a byte: what comes before it in its run is whole bytes."""
    lists = [packet.items, *(g.items for g in layout.walk(packet.items) if isinstance(g, ir.Optional_))]
    for items in lists:
        for part in layout.segments(items):
            if isinstance(part, layout.Run) and id(item) in part.offsets:
                return part.offset(item) % 8 == 0
    return True


def _optional(packet: ir.Packet, item: ir.Item) -> bool:
    groups = [g for g in layout.walk(packet.items) if isinstance(g, ir.Optional_)]
    return any(i is item for g in groups for i in layout.walk(g.items))


# --- what depends on what -------------------------------------------------------------------------


@dataclass
class _Facts:
    """Of one module: items that something depends on; packets whose bytes are looked at from outside, and how."""

    module: ir.Module
    used: set[int]
    exposed: dict[int, str]


_FACTS: dict[int, _Facts] = {}


def _module(m: ir.Module) -> _Facts:
    known = _FACTS.get(id(m))
    if known is None or known.module is not m:
        known = _FACTS[id(m)] = _Facts(m, _used(m), _exposed(m))
    return known


def own(check: ir.Check) -> Optional[ir.Scalar]:
    """The field that a constraint is about when it is about nothing else but constants and parameters."""
    about: list[ir.Item] = []
    for node in layout.refs(check.expr):
        if isinstance(node, ir.FieldRef):
            about += [i for i in node.path if not any(i is a for a in about)]
        elif isinstance(node, (ir.SizeOf, ir.CountOf, ir.Avail, ir.Here, ir.Peek, ir.BufLen, ir.Sum)):
            return None
    only = about[0] if len(about) == 1 else None
    return only if isinstance(only, ir.Scalar) else None


def _used(m: ir.Module) -> set[int]:
    out: set[int] = set()
    for p in m.packets:
        for item in layout.walk(p.items):
            for e in _exprs(item):
                _add(out, e)
            if isinstance(item, ir.List):
                out.update(id(i) for i in (*(item.unique or ()), *(item.ascending or ())))
    return out


def _add(out: set[int], e: ir.Expr) -> None:
    """Every item that an expression looks at, through derived values."""
    for node in layout.refs(e):
        for item in node.path if isinstance(node, ir.FieldRef) else ():
            if id(item) not in out:
                out.add(id(item))
                if isinstance(item, ir.Let):
                    _add(out, item.expr)


def _exprs(item: ir.Item) -> Iterator[ir.Expr]:
    """What the reading or the acceptance of one item depends on; not a derived value that nobody uses, nor a warning."""
    if isinstance(item, ir.Check):
        if item.severity != "warn" and own(item) is None:
            yield item.expr
    elif isinstance(item, (ir.Scalar, ir.Varint)):
        if isinstance(item.computed, ir.Sum):
            yield from (e for e, _ in item.computed.pseudo)
        elif item.computed is not None:
            yield item.computed
    elif isinstance(item, ir.Region):
        yield item.length
    elif isinstance(item, ir.Optional_):
        yield item.cond
    elif isinstance(item, ir.Sub):
        yield from _arguments(item)
    elif isinstance(item, ir.List):
        yield from (item.expr,) if item.expr is not None else ()
        yield from _exprs(item.elem)
    elif isinstance(item, ir.Switch):
        yield item.on
        for arm in item.arms:
            yield from _exprs(arm.item) if arm.item is not None else ()
    elif not isinstance(item, ir.Let):
        yield from layout.exprs([item])


def _arguments(sub: ir.Sub) -> Iterator[ir.Expr]:
    """What a packet is given, but for what only its checksums go over: such a checksum is the caller's to update."""
    for param, arg in zip(sub.packet.params, sub.args):
        if isinstance(arg, ir.Expr) and not _only_summed(sub.packet, param):
            yield arg


def _only_summed(p: ir.Packet, param: ir.Param) -> bool:
    for item in layout.walk(p.items):
        if isinstance(item, ir.Chain):
            return False
        summed = isinstance(item, ir.Scalar) and isinstance(item.computed, ir.Sum)
        for e in () if summed else (item.expr,) if isinstance(item, (ir.Check, ir.Let)) and not _warns(item) else _exprs(item):
            if any(isinstance(n, ir.ParamRef) and n.param is param for n in layout.refs(e)):
                return False
    return True


def _warns(item: ir.Item) -> bool:
    return isinstance(item, ir.Check) and item.severity == "warn"


def _exposed(m: ir.Module) -> dict[int, str]:
    """Packets whose bytes decide something for whoever is around them, whatever their fields are."""
    out: dict[int, str] = {}
    for p in m.packets:
        inside = _inside(p)
        if any(isinstance(e, ir.Peek) for q in inside for i in layout.walk(q.items) for e in _nodes(i)):
            out.update((id(q), "'peek' may look at its bytes") for q in inside)
    for p in m.packets:
        subs = list(_subs(p))
        if any(q.kind == "buffer" for q in p.params) or any(isinstance(a, ir.BufArg) for s in subs for a in s.args):
            out.update((id(q), "pointers may lead into its bytes") for q in _inside(p))
        for item in layout.walk(p.items):
            for arm in item.arms if isinstance(item, ir.Chain) else ():
                out.update((id(q), "a chain is read by its bytes") for q in _inside(arm.packet))
    return out


def _nodes(item: ir.Item) -> Iterator[ir.Expr]:
    for e in (item.expr,) if isinstance(item, ir.Check) else _exprs(item):
        yield from layout.refs(e)


def _subs(p: ir.Packet) -> Iterator[ir.Sub]:
    """The packets right in a packet: as fields, elements and arms."""
    for item in layout.walk(p.items):
        parts: list[Optional[ir.Item]] = [item]
        if isinstance(item, ir.List):
            parts = [item.elem]
        elif isinstance(item, ir.Switch):
            parts = [arm.item for arm in item.arms]
        yield from (i for i in parts if isinstance(i, ir.Sub))


def _inside(p: ir.Packet) -> list[ir.Packet]:
    """A packet and all that are in it."""
    out = [p]
    for q in out:  # grows on the way
        inner = [s.packet for s in _subs(q)]
        inner += [arm.packet for i in layout.walk(q.items) if isinstance(i, ir.Chain) for arm in i.arms]
        out += [r for n, r in enumerate(inner) if not any(r is o for o in out) and not any(r is o for o in inner[:n])]
    return out
