"""What a builder would write just as it was read: such bytes are copied, not taken apart."""

from __future__ import annotations

from typing import Optional

from .. import ir, layout
from . import c_chain, c_plan


def same(item: Optional[ir.Item]) -> bool:
    """The bytes that a check accepts for this item are those that a builder writes for it."""
    if item is None or isinstance(item, (ir.Let, ir.EndianSel)):
        return True
    if isinstance(item, ir.Scalar):
        return _same_scalar(item)
    if isinstance(item, ir.Varint):
        return item.spec.minimal and item.severity == "must" and not _calls(item.computed)
    if isinstance(item, ir.Bytes):
        return True
    if isinstance(item, ir.Check):
        return item.severity != "send" and not _calls(item.expr)
    if isinstance(item, ir.Align):
        return item.zero
    if isinstance(item, ir.Region):
        return not item.tail and same(item.item)
    if isinstance(item, ir.Optional_):
        return all(same(i) for i in item.items)
    if isinstance(item, ir.Sub):
        return same_packet(item.packet)
    if isinstance(item, ir.List):
        return same(item.elem)
    if isinstance(item, ir.Switch):
        return all(same(arm.item) for arm in item.arms)
    if isinstance(item, ir.Chain):
        return all(arm.kind != "goto" and same_packet(arm.packet) for arm in item.arms)
    return False


def same_packet(packet: ir.Packet) -> bool:
    return all(same(item) for item in packet.items)


def _same_scalar(item: ir.Scalar) -> bool:
    if item.const is None and not item.name:
        return False  # reserved: anything is read, zero is written
    return item.severity == "must" and not _calls(item.computed)


def _calls(expr: Optional[ir.Expr]) -> bool:
    return any(isinstance(e, ir.Call) for e in layout.refs(expr))


def settled(item: ir.Item) -> bool:
    """A scalar whose value in what is written does not depend on what was read: constant, or reserved."""
    return isinstance(item, ir.Scalar) and item.endian != "dyn" and settled_value(item) is not None


def settled_value(item: ir.Scalar) -> Optional[int]:
    if isinstance(item.computed, ir.Const):
        return item.computed.value
    if item.computed is not None:
        return None
    return item.const if item.const is not None else None if item.name else 0


def straight(packet: ir.Packet) -> bool:
    """The packet can be copied item by item: nothing but lengths of what changes has to be worked out again."""
    changing = [inner for inner in map(c_plan.inner_item, packet.items) if not same(inner)]
    if not all(settled(i) or _copyable(i) for i in changing):
        return False
    if any(isinstance(i, ir.Region) and i.tail for i in packet.items):
        return False
    moving = [i for i in changing if not settled(i)]
    if moving and any(isinstance(i, ir.Align) for i in layout.walk(packet.items)):
        return False  # how much is skipped depends on where it stands
    pairs = lengths(packet)
    patched = {id(target) for target, _ in pairs}
    if not all(_length_follows(item, moving, pairs) for item in packet.items):
        return False
    for d in layout.lengths(packet):
        if d.kind == "size" and any(d.item is i for i in moving) and id(d.path[0]) not in patched:
            return False
    return not any(_depends(e, moving) for e in _asked(packet, patched))


def _length_follows(item: ir.Item, moving: list[ir.Item], pairs: list[tuple[ir.Scalar, ir.Item]]) -> bool:
    """If the item is as long as an expression says: it stays so, or the expression is a length that is patched."""
    inner = c_plan.inner_item(item)
    moves = any(inner is i for i in moving)
    for e in _sizes(item):
        own = isinstance(e, ir.FieldRef) and len(e.path) == 1 and any(t is e.path[0] and i is inner for t, i in pairs)
        if moves and not own or not moves and _reads(e, {id(t) for t, _ in pairs}):
            return False
    return True


def _sizes(item: ir.Item) -> list[ir.Expr]:
    """What says how many bytes an item takes."""
    out: list[Optional[ir.Expr]] = []
    for i in layout.walk([item]):
        if isinstance(i, ir.Region):
            out.append(i.length)
        elif isinstance(i, ir.Bytes):
            out.append(i.length)
        elif isinstance(i, ir.List) and i.mode == "bytes":
            out.append(i.expr)
    return [e for e in out if e is not None]


def _reads(expr: ir.Expr, scalars: set[int]) -> bool:
    """One of these scalars has a part in the value, also through a `let`."""
    for e in layout.refs(expr):
        if isinstance(e, ir.FieldRef):
            first = e.path[0]
            if id(first) in scalars or isinstance(first, ir.Let) and _reads(first.expr, scalars):
                return True
    return False


def _copyable(item: ir.Item) -> bool:
    if isinstance(item, ir.List):
        return not isinstance(item.elem, ir.Scalar) or item.elem.endian != "dyn"
    return isinstance(item, (ir.Sub, ir.Switch))


def lengths(packet: ir.Packet) -> list[tuple[ir.Scalar, ir.Item]]:
    """Scalars of the packet that are the size of an item that changes, with that item."""
    out: list[tuple[ir.Scalar, ir.Item]] = []

    def add(target: ir.Item, item: Optional[ir.Item]) -> None:
        own = any(target is i for i in packet.items)
        if own and isinstance(target, ir.Scalar) and item is not None and not same(item):
            out.append((target, item))

    for d in layout.lengths(packet):
        if d.kind == "size" and len(d.path) == 1:
            add(d.path[0], d.item)
    for item in packet.items:
        if isinstance(item, ir.Scalar) and isinstance(item.computed, ir.SizeOf):
            add(item, item.computed.item)
    return out


def _asked(packet: ir.Packet, patched: set[int]) -> list[ir.Expr]:
    """The expressions of a packet but those of the lengths that are worked out again."""
    out = [e for item in packet.items if id(item) not in patched for e in layout.exprs([item])]
    for item in layout.walk(packet.items):
        if isinstance(item, (ir.Scalar, ir.Varint)) and item.computed is not None and id(item) not in patched:
            out.append(item.computed)
    return out


def _depends(expr: ir.Expr, changing: list[ir.Item]) -> bool:
    """The value is another when the sizes of these items are."""
    for e in layout.refs(expr):
        if isinstance(e, (ir.Here, ir.Sum, ir.Call)):
            return True
        if isinstance(e, ir.SizeOf) and (e.item is None or any(e.item is i for i in changing)):
            return True
    return False
