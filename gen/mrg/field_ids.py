"""Numbers for fields, and what is told of a message field by field: the events of a walk.

Two readers of one specification agree on a message when they tell the same
events.  Generated C tells them through its accessors (emit/fuzz_glue.py), the
interpreter's tree through `events` here.  What an event is, and in which order
they come, is written in gen/support/fuzz/mrg_glue.h.

Reading order: field_ids, told, gate, events.
"""

from __future__ import annotations

from typing import Iterator, Sequence, Union

from . import ir
from .layout import refs
from .values import Node

Ids = dict[int, int]  # id(item or packet) -> number; holds as long as the module does
Event = tuple[int, int]

MASK64 = (1 << 64) - 1
HASH = 0x9E3779B97F4A7C15  # as in mrg_glue.h


def field_ids(module: ir.Module) -> Ids:
    """Numbers from 1, each once, for all packets that the module's packets are made of, and for their items.

    Packets come in the order in which they are done with: for each packet of
    the module in turn, first those that it is made of, in the order of its
    items (a packet that has its numbers already is passed over), then itself.
    Each takes the next numbers in a row: one for the packet, then one for each
    of its own items, depth first and each before what is in it: through
    Region, Optional_, the element of a List, the items of a Switch's arms.
    Every item is counted, also one of which nothing is told.
    """
    ids: Ids = {}
    for packet in module.packets:
        _number(ids, packet)
    return ids


def _number(ids: Ids, packet: ir.Packet) -> None:
    if id(packet) in ids:
        return
    own = list(own_items(packet.items))
    for item in own:
        for inner in packets_of(item):
            _number(ids, inner)
    for one in (packet, *own):
        ids[id(one)] = len(ids) + 1


def own_items(items: Sequence[ir.Item]) -> Iterator[ir.Item]:
    """The items of a packet itself, each before those in it."""
    for item in items:
        yield item
        yield from own_items(_inside(item))


def _inside(item: ir.Item) -> Sequence[ir.Item]:
    if isinstance(item, ir.Region):
        return [item.item]
    if isinstance(item, ir.Optional_):
        return item.items
    if isinstance(item, ir.List):
        return [item.elem]
    if isinstance(item, ir.Switch):
        return [arm.item for arm in item.arms if arm.item is not None]
    return []


def packets_of(item: ir.Item) -> list[ir.Packet]:
    """The packets that stand in an item itself."""
    if isinstance(item, ir.Sub):
        return [item.packet]
    if isinstance(item, ir.Chain):
        return [arm.packet for arm in item.arms]
    return []


# --- what is told -------------------------------------------------------------------


def told(item: ir.Item) -> bool:
    """Whether generated C has an accessor whose value is that of the message: else the item has no event, nor has what is in it.

    Regions and groups have none of their own, but are looked into.  Positions
    and peeks are of the moment of reading, so a let of one has no value later.
    """
    if isinstance(item, (ir.Region, ir.Optional_)):
        return True
    if not item.name or isinstance(item, (ir.Check, ir.Align, ir.EndianSel)):
        return False
    return not isinstance(item, ir.Let) or _lasting(item.expr)


def _lasting(expr: ir.Expr) -> bool:
    for e in refs(expr):
        if isinstance(e, (ir.Avail, ir.Here, ir.Peek, ir.Call)):
            return False
        if isinstance(e, ir.FieldRef) and isinstance(e.path[-1], ir.Let) and not _lasting(e.path[-1].expr):
            return False
    return True


def gate(group: ir.Optional_) -> ir.Item | None:
    """The first named item that stands in the group itself: it is there when the group is.  Without one nobody is told of the group."""
    for item in group.items:
        inner = item.item if isinstance(item, ir.Region) else item
        if inner.name and not isinstance(inner, (ir.Check, ir.Optional_)):
            return inner
    return None


# --- the events of a tree -------------------------------------------------------------


def hash_octets(data: bytes) -> int:
    """mrg_glue_hash of mrg_glue.h."""
    h = len(data) * HASH & MASK64
    for i in range(0, len(data), 8):
        h = (h ^ int.from_bytes(data[i : i + 8], "little")) * HASH & MASK64
        h ^= h >> 32
    return h


def events(ids: Ids, node: Node) -> Iterator[Event]:
    """What is told of a packet that the interpreter read; `ids` are of a module that it is a part of."""
    assert node.packet is not None
    yield from _items(ids, node, node.packet.items)
    yield ids[id(node.packet)], node.bit_len // 8


def _items(ids: Ids, node: Node, items: Sequence[ir.Item]) -> Iterator[Event]:
    for item in items:
        if isinstance(item, ir.Region):
            yield from _items(ids, node, [item.item])
        elif isinstance(item, ir.Optional_):
            yield from _group(ids, node, item)
        elif told(item):
            yield from _item(ids, item, node.fields[id(item)])


def _group(ids: Ids, node: Node, group: ir.Optional_) -> Iterator[Event]:
    first = gate(group)
    there = first is None or id(first) in node.fields
    if first is not None:
        yield ids[id(group)], int(there)
    if there:
        yield from _items(ids, node, group.items)


def _item(ids: Ids, item: ir.Item, node: Node) -> Iterator[Event]:
    number = ids[id(item)]
    if isinstance(item, ir.Sub):
        yield from events(ids, node)
    elif isinstance(item, ir.List):
        for child in node.children:
            yield from _item(ids, item.elem, child)
        yield number, len(node.children)
    elif isinstance(item, ir.Switch):
        at = next(i for i, arm in enumerate(item.arms) if arm.name == node.arm)
        yield number, at
        inner = item.arms[at].item
        if inner is not None:
            yield from _item(ids, inner, node.children[0])
    elif isinstance(item, ir.Chain):
        yield from _chain(ids, item, node)
    else:
        yield from _value(number, node.value)


def _chain(ids: Ids, item: ir.Chain, node: Node) -> Iterator[Event]:
    count = 0
    for child in node.children:
        at = next(i for i, arm in enumerate(item.arms) if arm.name == child.arm)
        if item.arms[at].kind == "item":
            yield ids[id(item)], at
            yield from events(ids, child)
            count += 1
    yield ids[id(item)], count


def _value(number: int, value: Union[int, bytes, None]) -> Iterator[Event]:
    if isinstance(value, int):
        yield number, value & MASK64
    elif isinstance(value, bytes):
        yield number, len(value)
        yield number, hash_octets(value)
