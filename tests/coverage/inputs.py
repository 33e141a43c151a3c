"""Messages for packets, enumerated from the specification: the same each time, with no choice by chance.

Of each packet some messages that are valid by construction (mrg/vectors.py), and of each of those: every prefix, octets behind it, every
bit turned, every octet set to what is at a limit, and numbers where they stand set to what constraints and tags name, one less and one more.
"""

from __future__ import annotations

import random
from typing import Iterator, Union

from build import ROOT  # noqa: F401  (finds the compiler)

from mrg import ir, layout
from mrg.interp import parse
from mrg.values import Node, Rejection
from mrg.vectors import Maker, Message, messages

LIMITS = (0x00, 0x01, 0x02, 0x3F, 0x40, 0x7F, 0x80, 0xBF, 0xC0, 0xFE, 0xFF)
WHOLE = 96  # octets of a message that is changed everywhere; of longer ones only the first so many are
TURNED = 64  # octets whose bits are turned one by one
DRAWN = 10  # messages of a packet that are chosen from, and some for each alternative
PREFIXES = 300  # of a message


def drawn(packet: ir.Packet) -> list[Message]:
    """Messages that between them have each alternative, the shortest first: of many those that have something that none before them has."""
    arms = sum(len(i.arms) for i in layout.walk(packet.items) if isinstance(i, (ir.Switch, ir.Chain)))
    known: set[object] = set()
    out = []
    for m in sorted(messages(packet, DRAWN + 3 * arms, 1), key=lambda m: (len(m.data), m.data)):
        try:
            has = set(_features(parse(packet, m.data, m.arguments(packet))))
        except Rejection:  # a checksum of user's functions
            continue
        if has - known:
            known |= has
            out.append(m)
    return out


def _features(node: Node) -> Iterator[object]:
    """What a message has: arms taken, fields that are there, elements, numbers at their limits."""
    for part in [node, *_parts(node)]:
        if part.packet is not None:
            yield from ((id(part.packet), i.name, id(i) in part.fields) for i in layout.walk(part.packet.items) if i.name)
        if part.arm:
            yield (id(part.item), part.arm)
        if isinstance(part.item, (ir.List, ir.Chain)):
            yield (id(part.item), min(len(part.children), 3))
        if isinstance(part.item, ir.Bytes) and isinstance(part.value, bytes):
            yield (id(part.item), min(len(part.value), 2))


def variants(packet: ir.Packet, data: bytes, node: Union[Node, None]) -> Iterator[bytes]:
    """Changes of a message, those that are the same as another one once only."""
    seen = {data}
    for made in _changes(packet, data, node):
        if made not in seen:
            seen.add(made)
            yield made


def _changes(packet: ir.Packet, data: bytes, node: Union[Node, None]) -> Iterator[bytes]:
    for size in range(min(len(data), PREFIXES)):
        yield data[:size]
    yield data + b"\xa5"
    yield data + bytes(64)
    for at in range(min(len(data), TURNED)):
        for bit in range(8):
            yield data[:at] + bytes([data[at] ^ 0x80 >> bit]) + data[at + 1 :]
    for at in range(min(len(data), WHOLE)):
        for value in {*LIMITS, data[at] - 1 & 255, data[at] + 1 & 255}:
            yield data[:at] + bytes([value]) + data[at + 1 :]
    if node is not None:
        yield from _numbers(packet, data, node)


def _numbers(packet: ir.Packet, data: bytes, node: Node) -> Iterator[bytes]:
    """Each number of the message set to each value that matters to it."""
    wanted: dict[int, set[int]] = {}
    for inner in layout.contained(packet):
        for of, values in Maker(random.Random(0)).interesting(inner).items():
            wanted.setdefault(of, set()).update(v + by for v in values for by in (-1, 0, 1))
    for part in _parts(node):
        item = part.item
        if not isinstance(item, ir.Scalar):
            continue
        numbers = {0, 1, (1 << item.bits) - 1, item.lo - 1, item.lo, item.hi, item.hi + 1} | wanted.get(id(item), set())
        if item.enum is not None and len(item.enum.members) < 300:
            numbers |= {m.lo for m in item.enum.members} | {m.lo + 1 for m in item.enum.members}
        for value in sorted(numbers):
            if 0 <= value < 1 << item.bits:
                yield put(data, part.bit_off, item.bits, value, item.endian == "little")


def _parts(node: Node) -> Iterator[Node]:
    for child in node.children:
        yield child
        yield from _parts(child)


def put(data: bytes, bit: int, bits: int, value: int, little: bool) -> bytes:
    """A number set where it stands, counted in bits from the start."""
    if bit + bits > 8 * len(data):
        return data
    if little and bits % 8 == 0:
        value = int.from_bytes(value.to_bytes(bits // 8, "little"), "big")
    shift = 8 * len(data) - bit - bits
    whole = int.from_bytes(data, "big")
    whole = whole & ~((1 << bits) - 1 << shift) | value << shift
    return whole.to_bytes(len(data), "big")
