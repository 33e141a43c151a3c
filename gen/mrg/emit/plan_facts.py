"""What a packet has that makers are to know, and no item says by itself: see plan.py."""

from __future__ import annotations

from .. import ir
from ..layout import lengths, refs, walk
from ..sizes import of


def never_more(item: ir.List, most: int) -> bool:
    """Whether what says how long a list is can't say more."""
    if item.expr is None or item.mode not in ("count", "bytes"):
        return False
    return item.expr.hi // (1 if item.mode == "count" else max(of(item.elem)[0], 1)) <= most


def said(packet: ir.Packet, item: ir.Region | ir.Bytes | ir.List) -> list[str]:
    """The flag of items whose size or count is a number that follows from just that, once it is made."""
    counts = isinstance(item, ir.List) and item.mode == "count"
    size = item.length if isinstance(item, (ir.Region, ir.Bytes)) else item.expr if item.mode in ("count", "bytes") else None
    own = [item, item.item] if isinstance(item, ir.Region) else [item]
    found = [p.path for p in refs(size) if isinstance(p, ir.FieldRef)]
    if found and all(id(path[0]) in solved(packet) for path in found):
        return ["IS_SAID"]
    if not isinstance(size, ir.FieldRef):
        return []
    number = size.path[-1]
    computed = number.computed if isinstance(number, (ir.Scalar, ir.Varint)) and len(size.path) == 1 else None
    if isinstance(computed, (ir.CountOf, ir.SizeOf)):
        same = isinstance(computed, ir.CountOf) == counts and any(computed.item is one for one in own)
        return ["IS_SAID"] if same else []
    derived = [d for d in lengths(packet) if d.path == size.path and (d.kind == "count") == counts and any(d.item is one for one in own)]
    return ["IS_SAID"] if derived else []


def kept(packet: ir.Packet, check: ir.Check) -> bool:
    """Whether a check is of a number's own range, and the number is how many octets there are: a maker makes no others."""
    match check.expr:
        case ir.In(e=ir.FieldRef(path=(ir.Scalar() as number,)), ranges=[(ir.Const(value=lo), ir.Const(value=hi))]):
            users = [d.item for d in lengths(packet) if d.path[0] is number]
            return (lo, hi) == (number.lo, number.hi) and any(isinstance(i, ir.Bytes) and i.max is None and i in packet.items for i in users)
    return False


def decided(packet: ir.Packet) -> set[int]:
    """Items of a chain's item that its first octet, by which it was chosen, has decided."""
    out: set[int] = set()
    names_: set[str] = set()
    bits = 0
    for item in packet.items:
        if isinstance(item, ir.Scalar) and bits + item.bits <= 8:
            bits += item.bits
            out.add(id(item))
            names_.add(item.name)
        elif isinstance(item, ir.Check) and item.name in names_ - {""}:
            out.add(id(item))
        elif not isinstance(item, (ir.Check, ir.Let)):
            break
    return out


def solved(packet: ir.Packet) -> set[int]:
    """Numbers that say a length by way of more than themselves, of one item only: they follow from what is made."""
    users: dict[int, int] = {}
    fit: set[int] = set()
    for item in walk(packet.items):
        e = item.length if isinstance(item, (ir.Region, ir.Bytes)) else item.expr if isinstance(item, ir.List) and item.mode == "bytes" else None
        found = {id(p.path[0]): p.path[0] for p in refs(e) if isinstance(p, ir.FieldRef)}
        for key, of_ in found.items():
            users[key] = users.get(key, 0) + 1
            if len(found) == 1 and isinstance(of_, ir.Scalar) and of_.computed is None and of_.const is None and not isinstance(e, ir.FieldRef):
                fit.add(key)
    return {key for key in fit if users[key] == 1}
