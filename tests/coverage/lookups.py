"""Views of octets that were accepted before, and elements of lists by their keys: what containers and users call of a packet.

Such a view is the one that its check made; an element that is found is the first in the interpreter's tree that has the key.
"""

from __future__ import annotations

import ctypes
from typing import Any, Iterator, Optional

from capi import Api
from mrg import ir, layout, names
from mrg.emit import c_common, c_index
from mrg.values import Node


FAR = 1 << 33


def viewed(api: Api, packet: ir.Packet, view: Any, given: dict[str, Any]) -> Iterator[str]:
    """The view without a check, from the same octets: a message's first, or what a buffer's are of."""
    name = names.packet(packet)
    call = api.find(f"{name}_view_")
    if call is None:
        return
    other = api.new(name)
    start = given["in"].p
    by_name = {**given, "p": start, "end": start + given["in"].len, "v": ctypes.addressof(other)}
    call(*(by_name[n] for _, n in api.functions[f"{name}_view_"].args))
    differ = [f for f, _ in view._fields_ if bytes(_octets(view, f)) != bytes(_octets(other, f))]
    if differ:
        yield f"a view of accepted octets differs in {', '.join(differ)}"


def _octets(record: Any, name: str) -> Any:
    field = getattr(type(record), name)
    return (ctypes.c_ubyte * field.size).from_buffer(record, field.offset)


def found(api: Api, packet: ir.Packet, view: int, base: int, node: Node) -> Iterator[str]:
    """Lookups by key in each list that has an index."""
    for item in layout.walk(packet.items):
        if isinstance(item, ir.Region):
            item = item.item
        if isinstance(item, ir.List) and c_common.key_path(item) and api.has(f"{names.packet(packet)}_{item.name}_index"):
            yield from _in_list(api, f"{names.packet(packet)}_{item.name}", item, view, base, node.fields.get(id(item)))


def _in_list(api: Api, name: str, item: ir.List, view: int, base: int, node: Optional[Node]) -> Iterator[str]:
    key = c_common.key_path(item)[-1]
    assert isinstance(key, (ir.Scalar, ir.Varint))
    index, get = api.find(f"{name}_index"), api.find(f"{name}_get")
    assert index is not None and get is not None
    room = (ctypes.c_uint64 * 4096)()
    index(view, ctypes.addressof(room))
    far = (ctypes.c_uint64 * 4096)(*room)
    far[1] = far[0] + FAR  # it is in a list of more octets than a table has places for: found one after the other
    first: dict[int, Node] = {}
    for child in node.children if node is not None else []:
        first.setdefault(_key_of(item, child), child)
    for wanted in sorted(_keys(key, list(first))):
        out = (ctypes.c_uint64 * 4096)()
        have, want = get(ctypes.addressof(room), wanted, ctypes.addressof(out)), first.get(wanted)
        if have != (want is not None):
            yield f"{item.name} by {wanted}: {have}"
        if want is not None and not get(ctypes.addressof(far), wanted, ctypes.addressof(out)):
            yield f"{item.name} by {wanted}: not found in a long list"
        elif want is not None and isinstance(item.elem, ir.Sub) and out[0] != base + want.bit_off // 8:
            yield f"{item.name} by {wanted}: an element at {out[0] - base}, not {want.bit_off // 8}"


def _key_of(item: ir.List, element: Node) -> int:
    for step in c_common.key_path(item):
        if step is not item.elem:
            element = element.fields[id(step)]
    assert isinstance(element.value, int)
    return element.value


def _keys(key: c_index.Key, there: list[int]) -> set[int]:
    """Those of the elements, each that has a place of its own, and what is beside them."""
    top = key.spec.hi if isinstance(key, ir.Varint) else (1 << key.bits) - 1
    table = c_index.table(key)
    places = table.values if table is not None and table.values is not None else [table.first, table.first + table.places] if table is not None else []
    return {v for at in (*there, *places, 0, top) for v in (at - 1, at, at + 1) if 0 <= v <= top}
