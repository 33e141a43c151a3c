"""Messages for packets, enumerated from the specification: the same each time, with no choice by chance.

Of each packet some messages that are valid by construction (mrg/vectors.py), and of each of those: every prefix, octets behind it, every
bit turned, every octet set to what is at a limit, and numbers where they stand set to what constraints and tags name, one less and one more.
"""

from __future__ import annotations

import random
from typing import Iterator, Mapping, Union

from build import ROOT  # noqa: F401  (finds the compiler)

from mrg import ir, layout
from mrg.interp import parse
from mrg.values import Node, Rejection
from mrg.vectors import Maker, Message, messages, of_each_arm

LIMITS = (0x00, 0x01, 0x02, 0x3F, 0x40, 0x7F, 0x80, 0xBF, 0xC0, 0xFE, 0xFF)
WHOLE = 96  # octets of a message that is changed everywhere; of longer ones only the first so many are
TURNED = 64  # octets whose bits are turned one by one
DRAWN = 10  # messages of a packet that are chosen from, and some for each alternative
NAMED = 8  # values of a number that are a reason to have another message
PREFIXES = 300  # of a message


def drawn(packet: ir.Packet) -> list[Message]:
    """Messages that between them have each alternative, the shortest first: of many those that have something that none before them has."""
    arms = sum(len(i.arms) for i in layout.walk(packet.items) if isinstance(i, (ir.Switch, ir.Chain)))
    known: set[object] = set()
    out = []
    told: dict[int, list[int]] = {}
    for inner in layout.contained(packet):
        told.update(Maker(random.Random(0)).interesting(inner))
    every = [*messages(packet, DRAWN + 3 * arms, 1), *of_each_arm(packet)]
    every += [other for m in every[:1] for other in _peeked(packet, m)]
    for m in sorted(every, key=lambda m: (len(m.data), m.data)):
        try:
            has = set(_features(parse(packet, m.data, m.arguments(packet)), told))
            has |= {(q.name, value) for q, value in zip((q for q in packet.params if q.kind != "buffer"), m.args)}
        except Rejection:  # a checksum of user's functions
            continue
        if has - known or not out:
            known |= has
            out.append(m)
    return out


def _peeked(packet: ir.Packet, m: Message) -> Iterator[Message]:
    """A message whose first octets are, one after the other, what unions that look ahead choose by."""
    for item in layout.walk(packet.items):
        if not isinstance(item, ir.Switch) or not isinstance(item.on, ir.Peek):
            continue
        try:
            node = parse(packet, m.data, m.arguments(packet)).fields.get(id(item))
        except Rejection:
            return
        for p in (p for arm in item.arms for p in arm.pats if node is not None):
            yield Message(m.values, m.args, put(m.data, node.bit_off, item.on.bits, p.lo, False))


def _features(node: Node, told: Mapping[int, list[int]]) -> Iterator[object]:
    """What a message has: arms taken, fields that are there, elements, numbers that the specification names."""
    for part in [node, *_parts(node)]:
        if part.packet is not None:
            yield from ((id(part.packet), i.name, id(i) in part.fields) for i in layout.walk(part.packet.items) if i.name)
        if part.value in told.get(id(part.item), [])[:NAMED]:
            yield (id(part.item), part.value)
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
        yield from _regions(data, node)
        yield from _numbers(packet, data, node)


def _regions(data: bytes, node: Node) -> Iterator[bytes]:
    """Each region with an octet more and one less in it, and those around it; what says how long they are is put right."""
    regions = [part for part in _parts(node) if isinstance(part.item, ir.Region)]
    for inner in regions:
        end = (inner.bit_off + inner.bit_len) // 8
        around = [r for r in regions if r.bit_off <= inner.bit_off and inner.bit_off + inner.bit_len <= r.bit_off + r.bit_len]
        sizes = {id(i) for r in around if isinstance(r.item, ir.Region) for e in layout.refs(r.item.length) if isinstance(e, ir.FieldRef) for i in e.path}
        numbers = [part for part in _parts(node) if id(part.item) in sizes and isinstance(part.item, ir.Scalar) and part.bit_off < inner.bit_off]
        for by, octets in ((1, b"\0"), (4, bytes(4)), (-1, b"")):
            changed = data[: end + min(by, 0)] + octets + data[end:]
            for part in numbers:
                assert isinstance(part.item, ir.Scalar) and isinstance(part.value, int)
                if 0 <= part.value + by < 1 << part.item.bits:
                    changed = put(changed, part.bit_off, part.item.bits, part.value + by, part.item.endian == "little")
            yield changed


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
