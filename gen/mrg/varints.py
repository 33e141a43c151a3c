"""Variable-length integers: how each shape of ir.VarintSpec is read and written."""

from __future__ import annotations

from typing import Callable, Sequence

from . import ir
from .values import Frame, Rejection, Status, load


def read_varint(f: Frame, item: ir.Varint) -> tuple[int, int]:
    """A varint's value and the bit offset after it."""
    return VARINTS[item.spec.shape](f, item)


def _byte(f: Frame, item: ir.Varint, at: int) -> int:
    if at >= f.limit:
        raise Rejection(Status.MORE, f.pos, "needs another byte", item.loc)
    return f.data[at]


def _minimal(f: Frame, item: ir.Varint, longer: bool) -> None:
    if item.spec.minimal and longer:
        raise Rejection(Status.E_VALUE, f.pos, "a shorter encoding exists", item.loc)


def _tagged(f: Frame, item: ir.Varint) -> tuple[int, int]:
    spec, at = item.spec, f.pos // 8
    tag = _byte(f, item, at) >> (8 - spec.tag_bits)
    bits = spec.tag_bits + spec.widths[tag]
    _byte(f, item, at + bits // 8 - 1)
    value = load(f.data, f.pos + spec.tag_bits, spec.widths[tag], True)
    _minimal(f, item, any(w < spec.widths[tag] and value < 1 << w for w in spec.widths))
    return value, f.pos + bits


def _groups(f: Frame, item: ir.Varint) -> tuple[int, int]:
    spec, at = item.spec, f.pos // 8
    groups: list[int] = []
    while True:
        if len(groups) == spec.max_bytes:
            raise Rejection(Status.E_RANGE, f.pos, f"longer than {spec.max_bytes} bytes", item.loc)
        byte = _byte(f, item, at)
        at += 1
        groups.append(byte & 0x7F)
        if byte < 0x80:
            break
    _minimal(f, item, len(groups) > 1 and groups[-1 if spec.order == "little" else 0] == 0)
    return _sum_groups(groups, spec.order), at * 8


def _sum_groups(groups: Sequence[int], order: str) -> int:
    value = 0
    for group in reversed(groups) if order == "little" else groups:
        value = value << 7 | group
    return value


def _prefix(f: Frame, item: ir.Varint) -> tuple[int, int]:
    spec, at = item.spec, f.pos // 8
    full = (1 << spec.prefix_bits) - 1
    first = _byte(f, item, at) & full
    at += 1
    if first < full:
        return first, at * 8
    groups: list[int] = []
    while not groups or f.data[at - 1] >= 0x80:
        if len(groups) == spec.max_bytes:
            raise Rejection(Status.E_RANGE, f.pos, f"more than {spec.max_bytes} bytes follow", item.loc)
        groups.append(_byte(f, item, at) & 0x7F)
        at += 1
    _minimal(f, item, len(groups) > 1 and groups[-1] == 0)
    return full + _sum_groups(groups, "little"), at * 8


def _short(f: Frame, item: ir.Varint) -> tuple[int, int]:
    spec, at = item.spec, f.pos // 8
    first = _byte(f, item, at)
    if first < 0x80:
        return first, (at + 1) * 8
    size = first & 0x7F
    if not 1 <= size <= spec.max_bytes:
        raise Rejection(Status.E_RANGE, f.pos, f"{size} bytes of length, not 1..{spec.max_bytes}", item.loc)
    _byte(f, item, at + size)
    value = int.from_bytes(f.data[at + 1 : at + 1 + size], "big")
    _minimal(f, item, value < 0x80 or f.data[at + 1] == 0)
    return value, (at + 1 + size) * 8


VARINTS: dict[str, Callable[[Frame, ir.Varint], tuple[int, int]]] = {
    "tagged": _tagged,
    "groups": _groups,
    "prefix": _prefix,
    "short": _short,
}


def write_varint(spec: ir.VarintSpec, value: int) -> tuple[int, int]:
    """The shortest encoding: its bits as a number, and how many they are."""
    if spec.shape == "tagged":
        tag, width = min(
            ((t, w) for t, w in enumerate(spec.widths) if value < 1 << w), key=lambda choice: choice[1]
        )
        return tag << width | value, spec.tag_bits + width
    if spec.shape == "prefix":
        full = (1 << spec.prefix_bits) - 1
        if value < full:
            return value, spec.prefix_bits
        tail = _groups_of(value - full, "little")
        return full << len(tail) * 8 | int.from_bytes(tail, "big"), spec.prefix_bits + len(tail) * 8
    if spec.shape == "groups":
        data = _groups_of(value, spec.order)
    elif value < 0x80:
        data = bytes([value])
    else:
        size = (value.bit_length() + 7) // 8
        data = bytes([0x80 | size]) + value.to_bytes(size, "big")
    return int.from_bytes(data, "big"), len(data) * 8


def _groups_of(value: int, order: str) -> bytes:
    """7 bits a byte, the MSB of each but the last set."""
    groups = [value & 0x7F]
    while value > 0x7F:
        value >>= 7
        groups.append(value & 0x7F)
    if order == "big":
        groups.reverse()
    return bytes([g | 0x80 for g in groups[:-1]] + [groups[-1]])
