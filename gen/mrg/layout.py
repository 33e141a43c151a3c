"""Layout: which bytes are where, and which bounds checks merge.

`segments(items)` cuts an item list into runs (straight-line, fixed size: one
bounds check) and dynamic items.  `lengths(packet)` says which scalars a builder
derives because a later item's extent is exactly that scalar.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Iterator, Optional, Union

from . import ir, ir_machine


@dataclass
class Run:
    """Consecutive items of fixed size, with the checks and lets between them."""

    items: list[ir.Item] = field(default_factory=list)
    bits: int = 0
    offsets: dict[int, int] = field(default_factory=dict)  # id(item) -> bits from the run's start

    @property
    def size(self) -> int:
        return self.bits // 8

    @property
    def first(self) -> ir.Item:
        """The first item that takes octets."""
        return next(i for i in self.items if not isinstance(i, (ir.Check, ir.Let, ir.EndianSel)))

    def offset(self, item: ir.Item) -> int:
        return self.offsets[id(item)]


Segment = Union[Run, ir.Item]


def fixed_bits(item: ir.Item) -> Optional[int]:
    """Size of an item that always takes the same number of bits, else None."""
    if isinstance(item, ir.Scalar):
        return item.bits
    if isinstance(item, (ir.Check, ir.Let, ir.EndianSel)):
        return 0
    if isinstance(item, ir.Bytes) and item.mode == "len" and isinstance(item.length, ir.Const):
        return 8 * item.length.value
    if isinstance(item, ir.Sub) and item.packet.fixed and item.packet.size_max is not None:
        return 8 * item.packet.size_max
    return None


def segments(items: list[ir.Item]) -> list[Segment]:
    out: list[Segment] = []
    run: Optional[Run] = None
    for item in items:
        bits = fixed_bits(item)
        if bits is None:
            run = None
            out.append(item)
            continue
        if run is None:
            run = Run()
            out.append(run)
        run.offsets[id(item)] = run.bits
        run.items.append(item)
        run.bits += bits
    return out


def named(items: list[ir.Item]) -> Iterator[ir.Item]:
    """The fields of a packet, through regions and optional groups."""
    for item in items:
        if isinstance(item, ir.Region):
            yield item.item
        elif isinstance(item, ir.Optional_):
            yield from named(item.items)
        elif item.name:
            yield item


def walk(items: list[ir.Item]) -> Iterator[ir.Item]:
    """Every item of a packet, wrappers included."""
    for item in items:
        yield item
        if isinstance(item, ir.Region):
            yield from walk([item.item])
        elif isinstance(item, ir.Optional_):
            yield from walk(item.items)


def contained(packet: ir.Packet) -> list[ir.Packet]:
    """The packet and all that it is made of, each once."""
    out: dict[int, ir.Packet] = {}
    todo = [packet]
    while todo:
        p = todo.pop()
        if id(p) not in out:
            out[id(p)] = p
            todo += _direct(p.items)
    return list(out.values())


def _direct(items: list[ir.Item]) -> Iterator[ir.Packet]:
    for item in walk(items):
        if isinstance(item, ir.Sub):
            yield item.packet
        elif isinstance(item, ir.List):
            yield from _direct([item.elem])
        elif isinstance(item, ir.Switch):
            yield from _direct([arm.item for arm in item.arms if arm.item is not None])
        elif isinstance(item, ir.Chain):
            yield from (arm.packet for arm in item.arms)


@dataclass
class Length:
    """A scalar that a builder derives: kind "size" or "count" of `item`."""

    path: tuple[ir.Item, ...]  # as in FieldRef
    kind: str
    item: ir.Item


def lengths(packet: ir.Packet) -> list[Length]:
    """Scalars that are, as they stand, the extent of a later item."""
    out: list[Length] = []
    for item in walk(packet.items):
        expr: Optional[ir.Expr] = None
        kind = "size"
        if isinstance(item, ir.Bytes) and item.mode == "len":
            expr = item.length
        elif isinstance(item, ir.List) and item.mode in ("count", "bytes"):
            expr, kind = item.expr, "count" if item.mode == "count" else "size"
        elif isinstance(item, ir.Region):
            expr = item.length
            if item.tail:
                expr = None
        if not isinstance(expr, ir.FieldRef):
            continue
        target = expr.path[-1]
        if isinstance(target, (ir.Scalar, ir.Varint)) and target.computed is None:
            inner = item.item if isinstance(item, ir.Region) else item
            if not any(known.path == expr.path for known in out):
                out.append(Length(expr.path, kind, inner))
    return out


def refs(expr: Optional[ir.Expr]) -> Iterator[ir.Expr]:
    """Every node of an expression."""
    if expr is None:
        return
    yield expr
    kids: list[Optional[ir.Expr]] = []
    if isinstance(expr, ir.Un):
        kids = [expr.a]
    elif isinstance(expr, ir.Bin):
        kids = [expr.a, expr.b]
    elif isinstance(expr, ir.Cond):
        kids = [expr.c, expr.a, expr.b]
    elif isinstance(expr, ir.In):
        kids = [expr.e, *(bound for pair in expr.ranges for bound in pair)]
    elif isinstance(expr, ir.Sum):
        kids = [e for e, _ in expr.pseudo]
    elif isinstance(expr, (ir.Call, ir_machine.TestOf)):
        kids = list(expr.args)
    for kid in kids:
        yield from refs(kid)


def exprs(items: list[ir.Item]) -> Iterator[ir.Expr]:
    """Every expression evaluated while a packet with these items is read."""
    for item in walk(items):
        if isinstance(item, ir.Bytes) and item.length is not None:
            yield item.length
        elif isinstance(item, ir.Sub):
            yield from (a for a in item.args if isinstance(a, ir.Expr))
        elif isinstance(item, ir.List):
            if item.expr is not None and item.mode != "until":
                yield item.expr
            if isinstance(item.elem, ir.Sub):
                yield from (a for a in item.elem.args if isinstance(a, ir.Expr))
            if isinstance(item.elem, ir.Bytes) and item.elem.length is not None:
                yield item.elem.length
        elif isinstance(item, ir.Switch):
            yield item.on
            for arm in item.arms:
                if arm.item is not None:
                    yield from exprs([arm.item])
        elif isinstance(item, ir.Region):
            yield item.length
        elif isinstance(item, ir.Optional_):
            yield item.cond
        elif isinstance(item, (ir.Let, ir.Check)):
            yield item.expr
        elif isinstance(item, ir.EndianSel):
            yield item.cond
        if isinstance(item, (ir.Scalar, ir.Varint)) and item.computed is not None and not item.implied:
            yield item.computed
