"""What matters to a packet or a text: octets, of which all inputs of a small scope are made, and words, for the dictionaries of fuzzers.

Of packets the ends of constraints, values of enums, tags, what begins items of
chains; of texts what is spelled out, and the ends of classes of octets.  An
octet matters the more, the more places have it; the first are those that
matter most.
"""

from __future__ import annotations

from collections import Counter
from itertools import product
from typing import Iterable, Iterator, Literal, Sequence

from .. import ir
from ..layout import Run, contained, segments, walk
from .text_tables import below
from .writer import Writer

ALWAYS = (0, 1, 0xFF)
ALPHABET_MAX = 128
WORDS_MAX = 2000
HEADS_MAX = 16
DECIDES = 8  # times as much as a number matters what says which way to go on
NUMBER = 8  # octets of a parameter before a message, as in mrg_plan_input.h


def of_packet(packet: ir.Packet, hints: dict[int, list[int]]) -> list[int]:
    """hints: values that matter, by id of an item."""
    found: Counter[int] = Counter()
    for one in contained(packet):
        shifts = _shifts(one.items)
        for item in walk(one.items):
            found.update(_of_item(item, hints, shifts.get(id(item), 0)))
            if isinstance(item, ir.List):
                found.update(_of_item(item.elem, hints, 0))
    return _ordered(found)


def _of_item(item: ir.Item, hints: dict[int, list[int]], shift: int) -> Iterator[int]:
    match item:
        case ir.Scalar():
            for value in _values(item, hints):
                yield from (value << shift).to_bytes((item.bits + shift + 7) // 8, "big")
        case ir.Varint():
            first = 8 - item.spec.prefix_bits if item.spec.prefix_bits else 7
            yield from (v & 0xFF for n in (first, 7) for v in ((1 << n) - 1, 1 << n))
        case ir.Bytes() if item.mode == "until":
            yield item.until
        case ir.Chain():
            yield from DECIDES * [v for arm in item.arms for ends in arm.first for v in ends]
        case ir.Switch():
            yield from DECIDES * [p.lo & 0xFF for arm in item.arms for p in arm.pats]


def _values(item: ir.Scalar, hints: dict[int, list[int]]) -> Iterator[int]:
    values = {*hints.get(id(item), []), item.lo, item.hi, *([item.const] if item.const is not None else [])}
    if item.enum is not None:
        values |= {v for m in item.enum.members for v in (m.lo, m.hi)}
    return (value for value in sorted(values) if 0 <= value < 1 << item.bits)


def _shifts(items: list[ir.Item]) -> dict[int, int]:
    """Of numbers that are parts of octets, how far they are from the lowest bit."""
    out: dict[int, int] = {}
    for segment in segments(items):
        if isinstance(segment, Run):
            for item in segment.items:
                if isinstance(item, ir.Scalar):
                    out[id(item)] = -(segment.offset(item) + item.bits) % 8
        elif isinstance(segment, ir.Optional_):
            out.update(_shifts(segment.items))
    return out


def of_nodes(nodes: Iterable[ir.Node]) -> list[int]:
    found: Counter[int] = Counter()
    for node in nodes:
        _of_node(node, found)
    return _ordered(found)


def _of_node(node: ir.Node, found: Counter[int]) -> None:
    if isinstance(node, ir.Lit):
        found.update(node.data.lower() if node.nocase else node.data)
    elif isinstance(node, ir.Class):
        found.update({v for ends in node.ranges for v in ends})
        found.update({v for lo, hi in node.ranges for v in (lo - 1, hi + 1) if 0 <= v < 256})
    for one in below(node):
        _of_node(one, found)


def words_of_packet(packet: ir.Packet, hints: dict[int, list[int]]) -> list[bytes]:
    """Numbers of several octets, as they stand in a message."""
    out: set[bytes] = set()
    for one in contained(packet):
        for item in walk(one.items):
            if isinstance(item, ir.Scalar) and item.bits > 8 and item.bits % 8 == 0:
                order: Literal["big", "little"] = "little" if item.endian == "little" else "big"
                out |= {value.to_bytes(item.bits // 8, order) for value in _values(item, hints)}
    return sorted(out)[:WORDS_MAX]


def words_of_nodes(nodes: Iterable[ir.Node]) -> list[bytes]:
    """What is spelled out."""
    out: set[bytes] = set()
    todo = list(nodes)
    while todo:
        node = todo.pop()
        todo += below(node)
        if isinstance(node, ir.Lit):
            out.add(node.data)
    return sorted(out)[:WORDS_MAX]


def dictionary(words: Iterable[bytes]) -> str:
    """As libFuzzer and AFL++ read it."""
    plain = set(range(0x20, 0x7F)) - set(b'"\\')
    return "".join('"' + "".join(chr(b) if b in plain else f"\\x{b:02x}" for b in word) + '"\n' for word in words)


def _ordered(found: Counter[int]) -> list[int]:
    rest = sorted((octet for octet in found if octet not in ALWAYS), key=lambda octet: (-found[octet], octet))
    return [*ALWAYS, *rest][:ALPHABET_MAX]


def heads(packet: ir.Packet) -> list[bytes]:
    """What stands before a message: its parameters, each at one of its ends."""
    ends = []
    for param in packet.params:
        if param.kind != "buffer":
            hi = param.hi or (1 << max(param.bits, 1)) - 1
            ends.append(list(dict.fromkeys(v.to_bytes(NUMBER, "little") for v in (param.lo, hi))))
    return [b"".join(one) for one in product(*ends)][:HEADS_MAX] if ends else []


def emit(w: Writer, name: str, alphabet: Sequence[int], before: Sequence[bytes] = ()) -> str:
    """C of it; what a subject says of it."""
    _octets(w, f"{name}_alphabet", alphabet)
    head = ""
    if before:
        _octets(w, f"{name}_heads", b"".join(before))
        head = f", .heads = {name}_heads, .head_len = {len(before[0])}, .head_n = {len(before)}"
    w.line(f"static const struct mrg_fuzz_scope {name}_scope = {{ .alphabet = {name}_alphabet, .alphabet_n = {len(alphabet)}{head} }};")
    return f".scope = &{name}_scope,"


def _octets(w: Writer, name: str, octets: Sequence[int]) -> None:
    with w.block(f"static const uint8_t {name}[] =", "};"):
        for i in range(0, len(octets), 24):
            w.line(", ".join(map(str, octets[i : i + 24])) + ",")
