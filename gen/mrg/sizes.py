"""How many bytes items take: least and most (None: no bound but the region)."""

from __future__ import annotations

from typing import Optional, Sequence

from . import ir
from .prove import SIZE_MAX

Sizes = tuple[int, Optional[int]]


def of_items(items: Sequence[ir.Item]) -> Sizes:
    bits, low, high = 0, 0, 0
    open_end = False
    for item in items:
        if isinstance(item, ir.Scalar):
            bits += item.bits
            continue
        if isinstance(item, ir.Varint) and item.spec.shape == "prefix":
            bits -= bits % 8  # the bit fields before it are in its first byte
        least, most = of(item)
        low += least
        high += most or 0
        open_end = open_end or most is None
    return low + bits // 8, None if open_end else cap(high + bits // 8)


def cap(size: int) -> Optional[int]:
    return size if size < SIZE_MAX else None


def of(item: Optional[ir.Item]) -> Sizes:
    """Of one item; scalars inside a run of bit fields count by of_items."""
    if isinstance(item, ir.Scalar):
        return item.bits // 8, item.bits // 8
    if isinstance(item, ir.Bytes):
        return _bytes(item)
    if isinstance(item, ir.Sub):
        return item.packet.size_min, item.packet.size_max
    if isinstance(item, ir.List):
        return _list(item)
    if isinstance(item, ir.Switch):
        return _hull([of(arm.item) for arm in item.arms])
    if isinstance(item, ir.Chain):
        return _chain(item)
    if isinstance(item, ir.Varint):
        return varint(item.spec)
    if isinstance(item, ir.Region):
        least, most = of(item.item)
        low = item.length.lo if item.tail else max(item.length.lo, least)
        high = item.length.hi if item.tail or most is None else min(item.length.hi, most)
        return low, cap(high)
    if isinstance(item, ir.Optional_):
        return 0, of_items(item.items)[1]
    if isinstance(item, ir.Align):
        return 0, item.to - 1
    return 0, 0


def _hull(sizes: list[Sizes]) -> Sizes:
    tops = [top for _, top in sizes]
    return min(low for low, _ in sizes), None if None in tops else max(t for t in tops if t is not None)


def _bytes(item: ir.Bytes) -> Sizes:
    if item.mode == "len" and item.length is not None:
        return item.length.lo, cap(item.length.hi)
    extra = 1 if item.mode == "until" else 0
    return extra, None if item.max is None else item.max + extra


def _list(item: ir.List) -> Sizes:
    least, most = of(item.elem)
    if item.mode == "bytes" and item.expr is not None:
        return item.expr.lo, cap(item.expr.hi)
    low = 1 if item.mode == "until" else 0
    high = item.max
    if item.mode == "count" and item.expr is not None:
        low = item.expr.lo
        high = item.expr.hi if high is None else min(high, item.expr.hi)
    return low * least, None if high is None or most is None else cap(high * most)


def _chain(item: ir.Chain) -> Sizes:
    """In place: items up to max_bytes, then a stop, or a goto instead of it."""
    ends = [a.packet for a in item.arms if a.kind != "item"]
    stop = min((a.packet.size_min for a in item.arms if a.kind == "stop"), default=0)
    goto = max((a.packet.size_max or 0 for a in item.arms if a.kind == "goto"), default=0)
    return min((p.size_min for p in ends), default=0), max(item.max_bytes, item.max_bytes - stop + goto)


def varint(spec: ir.VarintSpec) -> Sizes:
    if spec.shape == "tagged":
        sizes = [(spec.tag_bits + w) // 8 for w in spec.widths]
        return min(sizes), max(sizes)
    if spec.shape == "groups":
        return 1, spec.max_bytes
    return 1, 1 + spec.max_bytes
