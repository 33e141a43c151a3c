"""Messages for packets, enumerated from the specification: the same each time, with no choice by chance.

Of each packet some messages that are valid by construction (mrg/vectors.py), and of each of those: every prefix, octets behind it, every
bit turned, every octet set to what is at a limit, and numbers where they stand set to what constraints and tags name, one less and one more;
regions and lists with more in them and less, sizes and numbers as constraints name them together, and checksums that are zero.
"""

from __future__ import annotations

import itertools
import random
from typing import Iterator, Mapping, Optional, Union

from build import ROOT  # noqa: F401  (finds the compiler)

from mrg import ir, layout
from mrg.interp import parse
from mrg.interp_build import BuildError, build, values_of
from mrg.values import Node, Rejection
from mrg.vectors import Maker, Message, messages, of_each_arm

LIMITS = (0x00, 0x01, 0x02, 0x3F, 0x40, 0x7F, 0x80, 0xBF, 0xC0, 0xFE, 0xFF)
WHOLE = 96  # octets of a message that is changed everywhere; of longer ones only the first so many are
TURNED = 64  # octets whose bits are turned one by one
DRAWN = 10  # messages of a packet that are chosen from, and some for each alternative
NAMED = 8  # values of a number that are a reason to have another message
PREFIXES = 300  # of a message
FAR = 70000  # octets of the longest message
OVER = 1 << 16  # octets that no length of 16 bits can say
MANY = 300  # elements of the longest list
PAIR = 2  # numbers that are changed together
PRODUCT = 600  # most ways to do so


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


def put_together(packet: ir.Packet) -> Iterator[bytes]:
    """Messages of a packet that none is drawn of: what it begins with, and octets up to a size that a number in it says."""
    first = packet.items[0] if packet.items else None
    if not isinstance(first, ir.Sub):
        return
    for m in drawn(first.packet):
        values = values_of(parse(first.packet, m.data, m.arguments(first.packet)))
        for name in (i.name for i in first.packet.items if isinstance(i, ir.Scalar) and i.name in values):
            try:
                yield build(first.packet, {**values, name: len(m.data) + 4}, m.arguments(first.packet)) + bytes(4)
            except BuildError:
                continue
        yield m.data


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
        yield from _enums(data, node)


def telling(packet: ir.Packet, m: Message, node: Node, known: set[object]) -> Iterator[tuple[object, bytes]]:
    """Changes that are made for a reason, each with what it is about: one message of a packet is enough for it, so those `known` may be left out."""
    data = m.data
    for size in (1, 64):
        yield ("behind", size), data + bytes(size)
    for total in sorted(n + 1 for n in _named(packet) if len(data) <= n < FAR):
        yield ("filled", total), data.ljust(total, b"\0")
    yield from _cut(data, node)
    yield from _regions(data, node)
    yield from _terminated(data, node)
    yield from _lists(data, node)
    yield from _too_long(data, node, known)
    yield from _elsewhere(packet, m, node, known)
    yield from _sizes(packet, data, node)
    yield from _sums(data, node)
    yield from _numbers(packet, data, node)


def _named(packet: ir.Packet) -> set[int]:
    """Numbers that sizes are compared with."""
    out = set()
    for inner in layout.contained(packet):
        for root in layout.exprs(inner.items):
            nodes = list(layout.refs(root))
            if any(isinstance(e, (ir.SizeOf, ir.Avail)) for e in nodes):
                out |= {e.value for e in nodes if isinstance(e, ir.Const)}
        out |= {i.max for i in layout.walk(inner.items) if isinstance(i, ir.Bytes) and i.max is not None}
    return out


def _resized(data: bytes, node: Node, inner: Node, by: int, octets: bytes, more: int = 0) -> Iterator[bytes]:
    """A part with octets more at its end, or without its last; `more`: elements that they are."""
    at, end = inner.bit_off // 8, (inner.bit_off + inner.bit_len) // 8
    yield from _replaced(data, node, inner, data[at : end + min(by, 0)] + octets, more)


def _replaced(data: bytes, node: Node, inner: Node, octets: bytes, more: int = 0) -> Iterator[bytes]:
    """A part with other octets; what says how long it is, or how many elements it has, and what is around it, is put right.

    The number may be of octets, or of units of four or eight."""
    at, end = inner.bit_off // 8, (inner.bit_off + inner.bit_len) // 8
    by = len(octets) - (end - at)
    changed = data[:at] + octets + data[end:]
    around = [r for r in _parts(node) if r.bit_off <= inner.bit_off and inner.bit_off + inner.bit_len <= r.bit_off + r.bit_len]
    lengths = [length for r in around for length in [_length(r.item)] if length is not None]
    counts = [inner.item.expr] if isinstance(inner.item, ir.List) and inner.item.mode == "count" and inner.item.expr is not None else []
    sizes, counted = ({id(i) for e in said for ref in layout.refs(e) if isinstance(ref, ir.FieldRef) for i in ref.path} for said in (lengths, counts))
    numbers = [part for part in _parts(node) if id(part.item) in sizes | counted and isinstance(part.item, ir.Scalar) and part.bit_off < inner.bit_off]
    for unit in (1, 4, 8) if numbers and by % 4 == 0 else (1,):
        made = changed
        for part in numbers:
            assert isinstance(part.item, ir.Scalar) and isinstance(part.value, int)
            value = part.value + (more if id(part.item) in counted else by // unit)
            if by % unit == 0 and 0 <= value < 1 << part.item.bits:
                made = put(made, part.bit_off, part.item.bits, value, part.item.endian == "little")
        yield made


def _length(item: Union[ir.Item, None]) -> Union[ir.Expr, None]:
    if isinstance(item, (ir.Region, ir.Bytes)):
        return item.length
    return item.expr if isinstance(item, ir.List) and item.mode == "bytes" else None


def _cut(data: bytes, node: Node) -> Iterator[tuple[object, bytes]]:
    """A message that ends before the last octet of each part, in each alternative that it is in."""
    for arms, part in _chosen(node):
        if part.bit_len:
            yield ("cut", id(part.item), arms), data[: (part.bit_off + part.bit_len - 1) // 8]


def _terminated(data: bytes, node: Node) -> Iterator[tuple[object, bytes]]:
    """Octets up to one that ends them: as many as there may be, and one more."""
    for part in _parts(node):
        item = part.item
        if isinstance(item, ir.Bytes) and item.mode == "until" and item.max is not None:
            at = part.bit_off // 8
            for by in (0, 1, 2):
                fill = bytes([item.until ^ 1]) * max(item.max + by - len(part.value or b""), 0)
                yield ("until", id(item), by), data[:at] + fill + data[at:]


def _regions(data: bytes, node: Node) -> Iterator[tuple[object, bytes]]:
    """Each part whose length is said with an octet more and one less in it, and those around it."""
    for inner in _parts(node):
        if _length(inner.item) is None:
            continue
        of = inner.children[0].arm if inner.children else ""
        for by, octets in ((1, b"\0"), (4, bytes(4)), (8, bytes(8)), (-1, b"")):
            yield from (((id(inner.item), of, by, i), made) for i, made in enumerate(_resized(data, node, inner, by, octets)))


def _lists(data: bytes, node: Node) -> Iterator[tuple[object, bytes]]:
    """Lists with as many elements as there may be, and one more; with elements in another order, and twice."""
    for inner in _parts(node):
        item, elements = inner.item, [data[c.bit_off // 8 : (c.bit_off + c.bit_len) // 8] for c in inner.children]
        if not isinstance(item, ir.List) or not elements:
            continue
        many = {1, 2} if item.max is None or item.max > MANY else {1, item.max - len(elements), item.max + 1 - len(elements)}
        for n in sorted(n for n in many if n > 0):
            octets = elements[-1] * n
            yield from (((id(item), "more", n, i), made) for i, made in enumerate(_resized(data, node, inner, len(octets), octets)))
        at, end = inner.bit_off // 8, (inner.bit_off + inner.bit_len) // 8
        yield (id(item), "turned"), data[:at] + b"".join(elements[::-1]) + data[end:]
        keyed = item.max is not None and item.max <= MANY and _key(inner.children[-1], item) is not None
        for n in (item.max, item.max + 1) if item.max is not None and keyed else ():
            octets = b"".join(_with_key(data, inner.children[-1], item, key) for key in range(n))
            yield from (((id(item), "keys", n, i), made) for i, made in enumerate(_replaced(data, node, inner, octets, n - len(elements))))


def _key(element: Node, item: ir.List) -> Optional[Node]:
    """What of an element is not to be there twice, where it is a number."""
    path = item.ascending or item.unique
    return next((p for p in (element, *_parts(element)) if path and p.item is path[-1] and isinstance(p.item, ir.Scalar)), None)


def _with_key(data: bytes, element: Node, item: ir.List, value: int) -> bytes:
    """An element with another key: the next of all that there are."""
    key, at, end = _key(element, item), element.bit_off // 8, (element.bit_off + element.bit_len) // 8
    assert key is not None and isinstance(key.item, ir.Scalar)
    return put(data[at:end], key.bit_off - element.bit_off, key.item.bits, value % (1 << key.item.bits), key.item.endian == "little")


def _too_long(data: bytes, node: Node, known: set[object]) -> Iterator[tuple[object, bytes]]:
    """Packets that are longer than they may be, by elements of a list in them."""
    for around in (node, *_parts(node)):
        most = around.packet.max_bytes if around.packet is not None else None
        for inner in _parts(around) if most is not None and most < FAR else ():
            about = (id(around.packet), id(inner.item), "too long")
            if isinstance(inner.item, ir.List) and inner.children and inner.children[-1].bit_len and about not in known:
                octets = _octets(data, inner.children[-1])
                n = (most - around.bit_len // 8) // len(octets) + 1
                yield from ((about, made) for made in _resized(data, node, inner, n, octets * n, n))


def _elsewhere(packet: ir.Packet, m: Message, node: Node, known: set[object]) -> Iterator[tuple[object, bytes]]:
    """Chains whose end is what stands before them; and as much with such chains as makes what is written out too long, though what is read is not."""
    wanted = {("elsewhere", id(part.item), arms) for arms, part in _leading(node)[1:]}
    if wanted <= known:
        return
    data = _prolonged(m.data, node)
    tree = _parsed(packet, m, data)
    for arms, part in _leading(tree) if tree is not None else ():
        about = ("elsewhere", id(part.item), arms)
        for octets in _pointers(tree, part) if tree is not None and about not in known else ():
            made = next(_replaced(data, tree, part, octets))
            found = _parsed(packet, m, made)
            if found is not None and _more_when_written(found):
                yield about, made
                yield from _written_out(made, found, part.bit_off, arms)
                break


def _leading(node: Node) -> list[tuple[tuple[str, ...], Node]]:
    """Chains that may lead elsewhere, each with the alternatives that it is in."""
    return [(arms, part) for arms, part in _chosen(node) if isinstance(part.item, ir.Chain) and _jumper(part.item) is not None]


def _prolonged(data: bytes, node: Node) -> bytes:
    """The first chain made as long as it may be, by what is an item of any."""
    chains = [part for _, part in _leading(node)]
    items = [_octets(data, c) for part in chains for c in part.children[:-1]]
    if not items or not isinstance(chains[0].item, ir.Chain):
        return data
    times = (chains[0].item.max_bytes - chains[0].bit_len // 8) // len(items[0])
    return next(_replaced(data, node, chains[0], items[0] * times + _octets(data, chains[0])))


def _pointers(node: Node, part: Node) -> Iterator[bytes]:
    """What leads from a chain to the first item before it that it can lead to, counted from each packet around."""
    around = [p for p in (node, *_parts(node)) if p.packet is not None and p.bit_off <= part.bit_off < p.bit_off + p.bit_len]
    items = [c.bit_off // 8 for _, before in _leading(node) if before.bit_off < part.bit_off for c in before.children]
    for base in sorted({p.bit_off // 8 for p in around}):
        yield from itertools.islice((octets for to in items for octets in [_pointer(part.item, to - base)] if octets), 1)


def _written_out(data: bytes, node: Node, at: int, arms: tuple[str, ...]) -> Iterator[tuple[object, bytes]]:
    """More of what is around the chain at a bit, as far as numbers go that say how much there is."""
    around = [p for p in _parts(node) if p.bit_off <= at < p.bit_off + p.bit_len]
    for inner in around:
        size = _said_by(inner)
        last = max(_parts(inner), key=lambda p: p.bit_off, default=None)
        if size is not None and last is not None and isinstance(last.item, ir.Bytes) and last.item.mode == "rest":
            octets = _octets(data, last) + bytes((1 << size.bits) - 1 - inner.bit_len // 8)
            yield ("written out", id(inner.item), arms), next(_replaced(data, node, last, octets))
        element = next((c for c in inner.children if c.bit_off <= at < c.bit_off + c.bit_len), None)
        if isinstance(inner.item, ir.List) and element is not None:
            octets = _octets(data, element)
            n = (OVER - len(data)) // (len(octets) + _more_when_written(element)) + 1
            yield ("written out", id(inner.item), "elements"), next(_resized(data, node, inner, n, octets * n, n))


def _said_by(part: Node) -> Optional[ir.Scalar]:
    """The number that is how long a part is."""
    length = _length(part.item)
    return length.path[-1] if isinstance(length, ir.FieldRef) and isinstance(length.path[-1], ir.Scalar) else None


def _jumper(item: ir.Chain) -> Optional[ir.ChainArm]:
    return next((arm for arm in item.arms if arm.kind == "goto"), None)


def _pointer(item: ir.Item, to: int) -> bytes:
    """The item of a chain that goes on elsewhere; none: it can't say where."""
    arm = _jumper(item) if isinstance(item, ir.Chain) else None
    if arm is None or not isinstance(arm.at, ir.FieldRef):
        return b""
    try:
        return build(arm.packet, {arm.at.path[-1].name: to}) if to >= 0 else b""
    except BuildError:
        return b""


def _more_when_written(node: Node) -> int:
    """Octets that a part takes more when it does not lead elsewhere."""
    more = 0
    for part in (node, *_parts(node)):
        jumper = _jumper(part.item) if isinstance(part.item, ir.Chain) else None
        if jumper is not None:
            more += sum(c.bit_len for c in part.children if c.arm != jumper.name) // 8 - part.bit_len // 8
    return more


def _parsed(packet: ir.Packet, m: Message, data: bytes) -> Optional[Node]:
    try:
        return parse(packet, data, Message(m.values, m.args, data).arguments(packet))
    except Rejection:
        return None


def _octets(data: bytes, part: Node) -> bytes:
    return data[part.bit_off // 8 : (part.bit_off + part.bit_len) // 8]


def _chosen(node: Node, arms: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Node]]:
    """Parts, each with the alternatives that it is in."""
    for part in node.children:
        inside = (*arms, part.arm) if part.arm else arms
        yield inside, part
        yield from _chosen(part, inside)


def _sizes(packet: ir.Packet, data: bytes, node: Node) -> Iterator[tuple[object, bytes]]:
    """What a constraint says of sizes and numbers together: each number that it names with each size that it names, and those beside."""
    for check in (i for i in layout.walk(packet.items) if isinstance(i, (ir.Check, ir.Bytes, ir.Region))):
        root = check.expr if isinstance(check, ir.Check) else check.length
        nodes = list(layout.refs(root)) if root is not None else []
        numbers = {id(e.path[-1]): node.fields.get(id(e.path[-1])) for e in nodes if isinstance(e, ir.FieldRef)}
        parts = [p for p in numbers.values() if p is not None and isinstance(p.item, ir.Scalar)][:PAIR]
        consts = sorted({e.value + by for e in nodes if isinstance(e, ir.Const) for by in (-1, 0, 1)} | {0, 1})
        last = max(_parts(node), key=lambda p: p.bit_off, default=None)
        for size in (None, *(c for c in consts if c >= 0)):
            made = data
            if size is not None and last is not None and isinstance(last.item, ir.Bytes) and last.item.mode == "rest" and size < FAR:
                made = data[: last.bit_off // 8] + bytes(size)
            elif size is not None:
                continue
            for values in itertools.product(consts, repeat=len(parts)) if len(consts) ** len(parts) < PRODUCT else ():
                changed = made
                for part, value in zip(parts, values):
                    assert isinstance(part.item, ir.Scalar)
                    if 0 <= value < 1 << part.item.bits:
                        changed = put(changed, part.bit_off, part.item.bits, value, part.item.endian == "little")
                yield (id(check), size, values), changed


def _sums(data: bytes, node: Node) -> Iterator[tuple[object, bytes]]:
    """Messages whose checksum is zero, of which one's complement has two: both, by each word that the sum is over."""
    for part in [node, *_parts(node)]:
        item = part.item
        if not isinstance(item, ir.Scalar) or not isinstance(item.computed, ir.Sum) or item.bits != 16 or not isinstance(part.value, int):
            continue
        for at in range(0, min(len(data) - 1, WHOLE), 2):
            word = int.from_bytes(data[at : at + 2], "big") + part.value
            changed = put(data, 8 * at, 16, (word & 0xFFFF) + (word >> 16), False)
            for value in (0, 0xFFFF):
                yield (id(item), at, value), put(changed, part.bit_off, 16, value, False)
        yield (id(item), "zeros", len(data)), put(bytes(len(data)), part.bit_off, 16, 0xFFFF, False)


def _enums(data: bytes, node: Node) -> Iterator[bytes]:
    for part in _parts(node):
        item = part.item
        if isinstance(item, ir.Scalar) and item.enum is not None and len(item.enum.members) < 300:
            for value in sorted({m.lo for m in item.enum.members} | {m.lo + 1 for m in item.enum.members}):
                if 0 <= value < 1 << item.bits:
                    yield put(data, part.bit_off, item.bits, value, item.endian == "little")


def _numbers(packet: ir.Packet, data: bytes, node: Node) -> Iterator[tuple[object, bytes]]:
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
        for value in sorted(numbers):
            if 0 <= value < 1 << item.bits:
                yield (id(item), value), put(data, part.bit_off, item.bits, value, item.endian == "little")


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
