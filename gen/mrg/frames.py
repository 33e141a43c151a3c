"""From a captured frame to the UDP datagram or TCP segment in it.

Enough of Ethernet (with VLAN tags), raw IP, loopback and Linux cooked frames,
IPv4 and IPv6 with extension headers to reach the transport.  What cannot be
reached is None with the reason: fragments, other protocols, damaged headers.
Checksums are not looked at: captures are taken before the card fills them in.

Reading order: transport, _link, _ipv4, _ipv6, _udp, _tcp, Streams.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from typing import Iterator, Optional

ETHERNET, NULL, RAW, RAW_BSD, LOOP, SLL, IPV4, IPV6, SLL2 = 1, 0, 101, 12, 108, 113, 228, 229, 276
ETHER_IPV4, ETHER_IPV6 = 0x0800, 0x86DD
ETHER_VLAN = (0x8100, 0x88A8, 0x9100)
IPPROTO_TCP, IPPROTO_UDP = 6, 17
EXTENSIONS = (0, 43, 60, 135, 139, 140)  # same layout: next header, length in units of 8 bytes after the first 8
FRAGMENT, AUTHENTICATION = 44, 51
MAX_EXTENSIONS = 32


class NotReached(Exception):
    """Why a frame holds no transport payload for us."""


@dataclass(frozen=True)
class Transport:
    """A UDP datagram or TCP segment.  cut: bytes that the capture did not keep."""

    proto: str  # "UDP" or "TCP"
    src: str
    sport: int
    dst: str
    dport: int
    payload: bytes
    cut: int = 0
    seq: int = 0
    syn: bool = False
    fin: bool = False

    def __str__(self) -> str:
        return f"{self.proto} {_end(self.src, self.sport)} > {_end(self.dst, self.dport)}"


def _end(address: str, port: int) -> str:
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def transport(link: int, data: bytes, wire_len: int) -> Transport:
    """The transport payload of a frame; raises NotReached."""
    kind, at = _link(link, data)
    missing = max(wire_len - len(data), 0)
    if kind == ETHER_IPV4:
        return _ipv4(data[at:], missing)
    if kind == ETHER_IPV6:
        return _ipv6(data[at:], missing)
    raise NotReached(f"ethertype 0x{kind:04x}")


def _be16(data: bytes, at: int) -> int:
    _need(data, at + 2, "header")
    return data[at] << 8 | data[at + 1]


def _need(data: bytes, size: int, what: str) -> None:
    if len(data) < size:
        raise NotReached(f"{what} cut short: {len(data)} of {size} bytes")


def _link(link: int, data: bytes) -> tuple[int, int]:
    """Ethertype and where the network header begins."""
    if link == ETHERNET:
        at = 12
        while _be16(data, at) in ETHER_VLAN:
            at += 4
        return _be16(data, at), at + 2
    if link == SLL:
        return _be16(data, 14), 16
    if link == SLL2:
        return _be16(data, 0), 20
    if link in (NULL, LOOP):
        return _by_version(data, 4)
    if link in (RAW, RAW_BSD, 14):
        return _by_version(data, 0)
    if link == IPV4:
        return ETHER_IPV4, 0
    if link == IPV6:
        return ETHER_IPV6, 0
    raise NotReached(f"link type {link}")


def _by_version(data: bytes, at: int) -> tuple[int, int]:
    """Loopback's address family numbers differ between systems; IP's version does not."""
    _need(data, at + 1, "frame")
    version = data[at] >> 4
    if version == 4:
        return ETHER_IPV4, at
    if version == 6:
        return ETHER_IPV6, at
    raise NotReached(f"IP version {version}")


def _ipv4(data: bytes, missing: int) -> Transport:
    _need(data, 20, "IPv4 header")
    header, total = (data[0] & 15) * 4, _be16(data, 2)
    if data[0] >> 4 != 4 or header < 20:
        raise NotReached(f"IPv4 version {data[0] >> 4}, header of {header} bytes")
    if total == 0:  # segmentation left to the card: the length was not filled in yet
        total = len(data) + missing
    if total < header:
        raise NotReached(f"IPv4 total length {total} is less than the header's {header}")
    _need(data, header, "IPv4 header")
    if _be16(data, 6) & 0x3FFF:
        raise NotReached("IPv4 fragment")
    src, dst = str(ipaddress.IPv4Address(data[12:16])), str(ipaddress.IPv4Address(data[16:20]))
    body = data[header:total]
    return _payload(data[9], src, dst, body, max(total - header - len(body), 0))


def _ipv6(data: bytes, missing: int) -> Transport:
    _need(data, 40, "IPv6 header")
    if data[0] >> 4 != 6:
        raise NotReached(f"IPv6 version {data[0] >> 4}")
    length = _be16(data, 4)
    if length == 0:  # a jumbogram, or segmentation left to the card
        length = len(data) + missing - 40
    src, dst = str(ipaddress.IPv6Address(data[8:24])), str(ipaddress.IPv6Address(data[24:40]))
    body = data[40 : 40 + length]
    kind, at = _extensions(data[6], body)
    return _payload(kind, src, dst, body[at:], max(length - len(body), 0))


def _extensions(kind: int, body: bytes) -> tuple[int, int]:
    """The protocol after the extension headers, and where it begins."""
    at = 0
    for _ in range(MAX_EXTENSIONS):
        if kind not in EXTENSIONS and kind not in (FRAGMENT, AUTHENTICATION):
            return kind, at
        _need(body, at + 8, "IPv6 extension header")
        if kind == FRAGMENT and _be16(body, at + 2) & 0xFFF9:
            raise NotReached("IPv6 fragment")
        if kind == AUTHENTICATION:
            size = (body[at + 1] + 2) * 4
        else:
            size = 8 if kind == FRAGMENT else (body[at + 1] + 1) * 8
        kind = body[at]
        at += size
        _need(body, at, "IPv6 extension header")
    raise NotReached(f"more than {MAX_EXTENSIONS} IPv6 extension headers")


def _payload(kind: int, src: str, dst: str, body: bytes, cut: int) -> Transport:
    if kind == IPPROTO_UDP:
        return _udp(src, dst, body, cut)
    if kind == IPPROTO_TCP:
        return _tcp(src, dst, body, cut)
    raise NotReached(f"IP protocol {kind}")


def _udp(src: str, dst: str, body: bytes, cut: int) -> Transport:
    _need(body, 8, "UDP header")
    length = _be16(body, 4)
    if length == 0:
        length = len(body) + cut
    if not 8 <= length <= len(body) + cut:
        raise NotReached(f"UDP length {length} of {len(body) + cut} bytes")
    payload = body[8:length]
    return Transport("UDP", src, _be16(body, 0), dst, _be16(body, 2), payload, length - 8 - len(payload))


def _tcp(src: str, dst: str, body: bytes, cut: int) -> Transport:
    _need(body, 20, "TCP header")
    header = (body[12] >> 4) * 4
    if header < 20:
        raise NotReached(f"TCP header of {header} bytes")
    _need(body, header, "TCP header")
    seq, flags = _be16(body, 4) << 16 | _be16(body, 6), body[13]
    return Transport("TCP", src, _be16(body, 0), dst, _be16(body, 2), body[header:], cut, seq, bool(flags & 2), bool(flags & 1))


# --- TCP streams of messages with a two-octet length (RFC 1035 section 4.2.2) ---------


MAX_HELD = 256  # segments that wait for an earlier one


@dataclass
class Stream:
    """One direction of a connection, in order as far as it is known."""

    next_seq: Optional[int] = None
    ready: bytes = b""
    held: dict[int, bytes] = field(default_factory=dict)

    def feed(self, segment: Transport) -> None:
        """Take a segment; what now stands in order goes to `ready`."""
        seq = segment.seq
        if segment.syn:
            self.next_seq, self.ready = (seq + 1) & 0xFFFF_FFFF, b""
            self.held.clear()
            seq = self.next_seq
        if not segment.payload:
            return
        if self.next_seq is None:
            self.next_seq = seq
        if len(self.held) < MAX_HELD and len(self.held.get(seq, b"")) < len(segment.payload):
            self.held[seq] = segment.payload
        self._join()

    def _join(self) -> None:
        """Append every held segment that begins at or before the next byte."""
        assert self.next_seq is not None
        for seq in sorted(self.held, key=lambda s: _behind(s, self.next_seq or 0)):
            gap = _behind(seq, self.next_seq)
            if gap > 0:
                return
            new = self.held.pop(seq)[-gap:] if gap else self.held.pop(seq)
            self.ready += new
            self.next_seq = (self.next_seq + len(new)) & 0xFFFF_FFFF

    def messages(self) -> Iterator[bytes]:
        """Take the whole messages from the front."""
        while len(self.ready) >= 2:
            size = self.ready[0] << 8 | self.ready[1]
            if len(self.ready) - 2 < size:
                return
            message, self.ready = self.ready[2 : 2 + size], self.ready[2 + size :]
            yield message

    @property
    def left(self) -> int:
        """Bytes that make no whole message, those behind a gap included."""
        return len(self.ready) + sum(len(part) for part in self.held.values())


def _behind(seq: int, now: int) -> int:
    """Distance of seq after now, negative when before (RFC 9293 section 3.4)."""
    return ((seq - now + 0x8000_0000) & 0xFFFF_FFFF) - 0x8000_0000
