"""DNS messages by hand, independent of the code under test: enough to ask and to judge an answer."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

A, NS, CNAME, SOA, PTR, MX, TXT, AAAA, OPT, ANY = 1, 2, 5, 6, 12, 15, 16, 28, 41, 255
IN, CH = 1, 3
NOERROR, FORMERR, SERVFAIL, NXDOMAIN, NOTIMP, REFUSED, BADVERS = 0, 1, 2, 3, 4, 5, 16
QR, AA, TC, RD = 0x8000, 0x0400, 0x0200, 0x0100


def name(text: str) -> bytes:
    """Wire form of a name without escapes."""
    labels = [label.encode() for label in text.rstrip(".").split(".") if label]
    return b"".join(bytes([len(label)]) + label for label in labels) + b"\0"


def query(qname: str, qtype: int = A, qclass: int = IN, ident: int = 0x1234, flags: int = 0) -> bytes:
    return struct.pack("!6H", ident, flags, 1, 0, 0, 0) + name(qname) + struct.pack("!2H", qtype, qclass)


def with_opt(message: bytes, size: int = 1232, version: int = 0, flags: int = 0, options: bytes = b"") -> bytes:
    """The message with an OPT record at its end (RFC 6891 6.1.2)."""
    count = struct.unpack("!H", message[10:12])[0] + 1
    opt = b"\0" + struct.pack("!HHBBHH", OPT, size, 0, version, flags, len(options)) + options
    return message[:10] + struct.pack("!H", count) + message[12:] + opt


def frame(message: bytes) -> bytes:
    return struct.pack("!H", len(message)) + message


@dataclass
class Record:
    owner: str
    type: int
    rclass: int
    ttl: int
    rdata: bytes


@dataclass
class Message:
    ident: int
    flags: int
    questions: list[tuple[str, int, int]] = field(default_factory=list)
    answer: list[Record] = field(default_factory=list)
    authority: list[Record] = field(default_factory=list)
    additional: list[Record] = field(default_factory=list)

    @property
    def rcode(self) -> int:
        high = next((r.ttl >> 24 for r in self.additional if r.type == OPT), 0)
        return high << 4 | self.flags & 15

    def rdata(self, rtype: int) -> list[bytes]:
        return sorted(r.rdata for r in self.answer if r.type == rtype)


def read_name(message: bytes, at: int) -> tuple[str, int]:
    labels: list[str] = []
    end = -1
    while True:
        n = message[at]
        if n >= 0xC0:
            end = at + 2 if end < 0 else end
            at = (n & 0x3F) << 8 | message[at + 1]
        elif n == 0:
            return ".".join(labels) + ".", at + 1 if end < 0 else end
        else:
            labels.append(message[at + 1:at + 1 + n].decode("latin-1"))
            at += 1 + n


def read(message: bytes) -> Message:
    ident, flags, *counts = struct.unpack("!6H", message[:12])
    out = Message(ident, flags)
    at = 12
    for _ in range(counts[0]):
        owner, at = read_name(message, at)
        qtype, qclass = struct.unpack("!2H", message[at:at + 4])
        out.questions.append((owner, qtype, qclass))
        at += 4
    for section, count in zip((out.answer, out.authority, out.additional), counts[1:]):
        for _ in range(count):
            owner, at = read_name(message, at)
            rtype, rclass, ttl, length = struct.unpack("!HHIH", message[at:at + 10])
            section.append(Record(owner, rtype, rclass, ttl, message[at + 10:at + 10 + length]))
            at += 10 + length
    if at != len(message):
        raise ValueError(f"{len(message) - at} octets after the message")
    return out
