"""Reads capture files: pcap (draft-ietf-opsawg-pcap) and pcapng, both byte orders.

`frames(data)` yields the frames in order; a malformed file ends with a
CaptureError that says where and what, after the frames before it were given.

Reading order: frames, _pcap, _pcapng, _Section.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Iterator, Optional

MAX_FRAME = 1 << 28  # bytes; a larger record is damage, not a frame

# magic numbers as the first four bytes of the file spell them in big-endian order
PCAP_MAGIC = {
    0xA1B2C3D4: ("big", 1000),
    0xD4C3B2A1: ("little", 1000),
    0xA1B23C4D: ("big", 1),
    0x4D3CB2A1: ("little", 1),
}
PCAPNG_SECTION = 0x0A0D0D0A
PCAPNG_ORDER = 0x1A2B3C4D


class CaptureError(Exception):
    """A file that is not a capture, or a damaged one."""


@dataclass(frozen=True)
class CapturedFrame:
    """One frame.  number counts from 1; wire_len is what was on the wire, len(data) what was kept."""

    number: int
    time_ns: int
    link: int  # LINKTYPE_ number
    data: bytes
    wire_len: int


def frames(data: bytes) -> Iterator[CapturedFrame]:
    """The frames of a capture file's bytes."""
    if len(data) < 4:
        raise CaptureError(f"not a capture: {len(data)} bytes, no magic number")
    magic = int.from_bytes(data[:4], "big")
    if magic == PCAPNG_SECTION:
        return _pcapng(data)
    if magic in PCAP_MAGIC:
        return _pcap(data, *PCAP_MAGIC[magic])
    raise CaptureError(f"not a capture: unknown magic number 0x{magic:08x}")


def _u32(data: bytes, at: int, order: str) -> int:
    return int.from_bytes(data[at : at + 4], "little" if order == "little" else "big")


def _u16(data: bytes, at: int, order: str) -> int:
    return int.from_bytes(data[at : at + 2], "little" if order == "little" else "big")


def _pcap(data: bytes, order: str, ns_per_unit: int) -> Iterator[CapturedFrame]:
    if len(data) < 24:
        raise CaptureError(f"file header needs 24 bytes, {len(data)} are there")
    major = _u16(data, 4, order)
    if major != 2:
        raise CaptureError(f"version {major} of the file format is not known")
    link = _u16(data, 20 if order == "little" else 22, order)  # above it: bits about a frame check sequence
    at, number = 24, 0
    while at < len(data):
        number += 1
        if len(data) - at < 16:
            raise CaptureError(f"record {number} at byte {at}: header needs 16 bytes, {len(data) - at} are left")
        seconds, fraction = _u32(data, at, order), _u32(data, at + 4, order)
        kept, wire = _u32(data, at + 8, order), _u32(data, at + 12, order)
        if kept > MAX_FRAME:
            raise CaptureError(f"record {number} at byte {at}: {kept} bytes are more than any frame has")
        if kept > len(data) - at - 16:
            raise CaptureError(f"record {number} at byte {at}: needs {kept} bytes, {len(data) - at - 16} are left")
        frame = data[at + 16 : at + 16 + kept]
        yield CapturedFrame(number, seconds * 10**9 + fraction * ns_per_unit, link, frame, wire)
        at += 16 + kept


# --- pcapng ---------------------------------------------------------------------


@dataclass
class _Interface:
    link: int
    snap_len: int
    units_per_s: int


class _Section:
    """What blocks of a section share."""

    def __init__(self, order: str) -> None:
        self.order = order
        self.interfaces: list[_Interface] = []

    def interface(self, index: int, where: str) -> _Interface:
        if index >= len(self.interfaces):
            raise CaptureError(f"{where}: interface {index} is not described")
        return self.interfaces[index]


def _pcapng(data: bytes) -> Iterator[CapturedFrame]:
    at, number = 0, 0
    section: Optional[_Section] = None
    while at < len(data):
        where = f"block at byte {at}"
        if len(data) - at < 12:
            raise CaptureError(f"{where}: needs 12 bytes, {len(data) - at} are left")
        if int.from_bytes(data[at : at + 4], "big") == PCAPNG_SECTION:
            section = _section(data, at, where)
        if section is None:
            raise CaptureError(f"{where}: no section header before it")
        kind = _u32(data, at, section.order)
        body = _body(data, at, section, where)
        if kind == 1:
            section.interfaces.append(_interface(body, section.order, where))
        elif kind in (2, 3, 6):
            number += 1
            yield _packet(body, kind, section, number, where)
        at += 12 + -(-len(body) // 4) * 4


def _section(data: bytes, at: int, where: str) -> _Section:
    for order in ("big", "little"):
        if _u32(data, at + 8, order) == PCAPNG_ORDER:
            return _Section(order)
    raise CaptureError(f"{where}: section header without a byte-order magic")


def _body(data: bytes, at: int, section: _Section, where: str) -> bytes:
    """The block between its two length fields, which must agree."""
    total = _u32(data, at + 4, section.order)
    if total < 12 or total % 4:
        raise CaptureError(f"{where}: length {total} is not a multiple of 4 from 12 on")
    if total > len(data) - at:
        raise CaptureError(f"{where}: needs {total} bytes, {len(data) - at} are left")
    again = _u32(data, at + total - 4, section.order)
    if again != total:
        raise CaptureError(f"{where}: length is {total} in front and {again} behind")
    return data[at + 8 : at + total - 4]


def _interface(body: bytes, order: str, where: str) -> _Interface:
    if len(body) < 8:
        raise CaptureError(f"{where}: interface description of {len(body)} bytes")
    interface = _Interface(_u16(body, 0, order), _u32(body, 4, order), 10**6)
    at = 8
    while len(body) - at >= 4:
        code, size = _u16(body, at, order), _u16(body, at + 2, order)
        if code == 0:
            break
        if size > len(body) - at - 4:
            raise CaptureError(f"{where}: option {code} needs {size} bytes, {len(body) - at - 4} are left")
        if code == 9 and size == 1:  # if_tsresol: a power of 10, or of 2
            power = body[at + 4]
            interface.units_per_s = 2 ** (power & 0x7F) if power & 0x80 else 10 ** (power & 0x7F)
        at += 4 + -(-size // 4) * 4
    return interface


def _packet(body: bytes, kind: int, section: _Section, number: int, where: str) -> CapturedFrame:
    order = section.order
    head = 4 if kind == 3 else 20
    if len(body) < head:
        raise CaptureError(f"{where}: packet block of {len(body)} bytes")
    if kind == 3:  # simple: interface 0, no time, kept as far as the snapshot length
        interface = section.interface(0, where)
        wire = kept = _u32(body, 0, order)
        if interface.snap_len:
            kept = min(kept, interface.snap_len)
        ticks = 0
    else:
        index = _u32(body, 0, order) if kind == 6 else _u16(body, 0, order)
        interface = section.interface(index, where)
        ticks = _u32(body, 4, order) << 32 | _u32(body, 8, order)
        kept, wire = _u32(body, 12, order), _u32(body, 16, order)
    if kept > len(body) - head:
        raise CaptureError(f"{where}: frame of {kept} bytes, the block has {len(body) - head}")
    time_ns = ticks * 10**9 // interface.units_per_s
    return CapturedFrame(number, time_ns, interface.link, body[head : head + kept], wire)
