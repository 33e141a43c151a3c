"""Which first bytes a packet may begin with.

The arms of a chain are told apart by their first byte, so each arm's set is
worked out from the constants and ranges of its leading fields.  A set may be
too large (then an overlap is reported that needs a tighter constraint) but
never too small.
"""

from __future__ import annotations

from typing import Optional, Sequence

from . import ir

_ALL = frozenset(range(256))
Ranges = list[tuple[int, int]]


def first_bytes(packet: ir.Packet) -> frozenset[int]:
    """Values of the packet's first byte; all of them when nothing is known."""
    prefixes = {0}
    width = 0
    allowed = _allowed(packet.items)
    for item in packet.items:
        if isinstance(item, (ir.Check, ir.Let, ir.EndianSel)):
            continue
        if not isinstance(item, ir.Scalar):
            break
        take = min(8 - width, item.bits)
        tops = _tops(item, allowed.get(id(item)), take)
        prefixes = {p << take | t for p in prefixes for t in tops}
        width += take
        if width == 8:
            return frozenset(prefixes)
    if width == 0 and packet.items and isinstance(packet.items[0], ir.Sub):
        return first_bytes(packet.items[0].packet)
    rest = 8 - width
    return frozenset(p << rest | t for p in prefixes for t in range(1 << rest))


def _allowed(items: Sequence[ir.Item]) -> dict[int, Ranges]:
    """Ranges that binding `in` checks give to fields."""
    out: dict[int, Ranges] = {}
    for item in items:
        if not isinstance(item, ir.Check) or item.severity != "must" or not isinstance(item.expr, ir.In):
            continue
        subject = item.expr.e
        if isinstance(subject, ir.FieldRef) and len(subject.path) == 1:
            out[id(subject.path[0])] = [(lo.lo, hi.hi) for lo, hi in item.expr.ranges]
    return out


def _tops(item: ir.Scalar, ranges: Optional[Ranges], take: int) -> set[int]:
    """Values that the field's first bits on the wire may have."""
    if item.const is not None:
        ranges = [(item.const, item.const)]
    elif item.enum is not None and item.enum.closed:
        ranges = [(m.lo, m.hi) for m in item.enum.members]
    ranges = [(max(lo, item.lo), min(hi, item.hi)) for lo, hi in ranges or [(item.lo, item.hi)]]
    if item.signed or (item.endian != "big" and item.bits > 8):
        return set(range(1 << take))
    drop = item.bits - take
    return {t for lo, hi in ranges if lo <= hi for t in range(lo >> drop, (hi >> drop) + 1)}


def as_ranges(values: frozenset[int]) -> Ranges:
    """Sorted, disjoint, inclusive."""
    out: Ranges = []
    for v in sorted(values):
        if out and out[-1][1] == v - 1:
            out[-1] = (out[-1][0], v)
        else:
            out.append((v, v))
    return out


def words(values: frozenset[int]) -> str:
    """The set for people: 0x00, 0xc0..0xff."""
    parts = [f"0x{lo:02x}" if lo == hi else f"0x{lo:02x}..0x{hi:02x}" for lo, hi in as_ranges(values)]
    return ", ".join(parts[:4]) + (", ..." if len(parts) > 4 else "")
