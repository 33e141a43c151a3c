#!/usr/bin/env python3
"""Capture files, whole and damaged, and the way from a frame to its transport payload."""

from __future__ import annotations

import os
import random
import struct
import sys
from pathlib import Path

HERE = Path(__file__).resolve()
sys.path[:0] = [str(HERE.parent.parent), str(HERE.parents[2] / "gen")]
from report import ROOT, Report  # noqa: E402

from mrg.frames import ETHERNET, IPV4, IPV6, NULL, RAW, SLL, SLL2, NotReached, Stream, Transport, transport  # noqa: E402
from mrg.pcap import CapturedFrame, CaptureError, frames  # noqa: E402

CAPTURES = Path(os.environ.get("CAPTURES", ROOT / "../shared/captures"))


def pcap(records: list[bytes], order: str = "<", nano: bool = False, link: int = 1) -> bytes:
    magic = 0xA1B23C4D if nano else 0xA1B2C3D4
    out = struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, 65535, link)
    for i, record in enumerate(records):
        out += struct.pack(order + "IIII", 10 + i, 5, len(record), len(record) + 3) + record
    return out


def block(kind: int, body: bytes, order: str) -> bytes:
    body += bytes(-len(body) % 4)
    total = struct.pack(order + "I", len(body) + 12)
    return struct.pack(order + "I", kind) + total + body + total


def pcapng(records: list[bytes], order: str = "<", simple: bool = False, resolution: int = 6) -> bytes:
    out = block(0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1), order)
    option = struct.pack(order + "HHB3xHH", 9, 1, resolution, 0, 0)
    out += block(1, struct.pack(order + "HHI", 1, 0, 0) + option, order)
    out += block(5, bytes(12), order)  # statistics: to be stepped over
    for record in records:
        if simple:
            out += block(3, struct.pack(order + "I", len(record)) + record, order)
        else:
            out += block(6, struct.pack(order + "IIIII", 0, 0, 2_000_000, len(record), len(record)) + record, order)
    return out


def taken(data: bytes) -> tuple[list[CapturedFrame], str]:
    """The frames up to the damage, and what it is."""
    out: list[CapturedFrame] = []
    try:
        out.extend(frames(data))
    except CaptureError as problem:
        return out, str(problem)
    return out, ""


def files(report: Report) -> None:
    records = [b"abc", b"", b"x" * 61]
    for order in "<>":
        for nano in (False, True):
            got, why = taken(pcap(records, order, nano))
            report.check(f"pcap {order} {nano}", [f.data for f in got] == records and not why, why)
            unit = 1 if nano else 1000
            report.check("time and wire length", got[0].time_ns == 10 * 10**9 + 5 * unit and got[0].wire_len == 6)
        for simple in (False, True):
            got, why = taken(pcapng(records, order, simple))
            report.check(f"pcapng {order} {simple}", [f.data for f in got] == records and not why, why)
        got, _ = taken(pcapng(records, order))
        report.check("pcapng microseconds", got[0].time_ns == 2 * 10**9)
        got, _ = taken(pcapng(records, order, resolution=9))
        report.check("pcapng nanoseconds", got[0].time_ns == 2 * 10**6)
        both = pcapng([b"1"], order) + pcapng([b"2"], "<" if order == ">" else ">")
        report.check("sections of both orders", [f.data for f in taken(both)[0]] == [b"1", b"2"])


def damage(report: Report) -> None:
    """Every truncation and many corruptions: frames before the damage, then an error, never another exception."""
    cases = [
        (b"", "no magic"),
        (b"\x7fELF" + bytes(40), "unknown magic number 0x7f454c46"),
        (pcap([])[:20], "file header needs 24 bytes"),
        (pcap([b"abc"])[:-1], "record 1 at byte 24: needs 3 bytes, 2 are left"),
        (pcap([b"abc"]) + b"x", "record 2 at byte 43: header needs 16 bytes, 1 are left"),
        (pcap([])[:4] + struct.pack("<HH", 9, 0) + bytes(16), "version 9"),
        (pcap([]) + struct.pack("<IIII", 0, 0, 1 << 30, 0), "more than any frame has"),
        (pcapng([b"abc"])[:-2], "needs 36 bytes, 34 are left"),
        (pcapng([])[:28] + block(6, bytes(20), "<"), "interface 0 is not described"),
        (pcapng([])[:8] + bytes(20), "without a byte-order magic"),
        (pcapng([]) + struct.pack("<II", 1, 13) + bytes(20), "not a multiple of 4"),
        (pcapng([]) + struct.pack("<II", 1, 20) + bytes(8) + struct.pack("<I", 24), "length is 20 in front and 24 behind"),
        (pcapng([]) + block(6, struct.pack("<IIIII", 0, 0, 0, 99, 99), "<"), "frame of 99 bytes, the block has 0"),
    ]
    for data, want in cases:
        why = taken(data)[1]
        report.check(f"error: {want}", want in why, why)
    rng = random.Random(7)
    for whole in (pcap([b"abc", b"defg"]), pcapng([b"abc", b"defg"]), pcapng([b"abc"], ">", True)):
        for size in range(len(whole)):
            taken(whole[:size])
        for _ in range(2000):
            bad = bytearray(whole)
            bad[rng.randrange(len(bad))] = rng.randrange(256)
            taken(bytes(bad))
        report.check("truncated and corrupted files end in a CaptureError", True)


UDP = bytes([0x30, 0x39, 0, 53, 0, 12, 0, 0]) + b"test"


def ipv4(body: bytes, proto: int = 17, total: int | None = None, frag: int = 0, options: bytes = b"") -> bytes:
    size = 20 + len(options)
    total = size + len(body) if total is None else total
    head = struct.pack(">BBHHHBBH", 0x40 | size // 4, 0, total, 0, frag, 64, proto, 0)
    return head + bytes([192, 0, 2, 1, 192, 0, 2, 2]) + options + body


def ipv6(body: bytes, proto: int = 17, length: int | None = None) -> bytes:
    length = len(body) if length is None else length
    return struct.pack(">IHBB", 6 << 28, length, proto, 64) + bytes(15) + b"\1" + bytes(15) + b"\2" + body


def reached(link: int, data: bytes, wire: int = 0) -> Transport | str:
    try:
        return transport(link, data, wire or len(data))
    except NotReached as why:
        return str(why)


def links(report: Report) -> None:
    ether = bytes(12)
    for name, link, data in [
        ("Ethernet", ETHERNET, ether + b"\x08\0" + ipv4(UDP)),
        ("VLAN", ETHERNET, ether + b"\x81\0\0\1\x08\0" + ipv4(UDP)),
        ("two VLAN tags", ETHERNET, ether + b"\x88\xa8\0\1\x81\0\0\1\x86\xdd" + ipv6(UDP)),
        ("padded Ethernet", ETHERNET, ether + b"\x08\0" + ipv4(UDP) + bytes(20)),
        ("null", NULL, b"\2\0\0\0" + ipv4(UDP)),
        ("null, IPv6", NULL, b"\x1e\0\0\0" + ipv6(UDP)),
        ("raw", RAW, ipv6(UDP)),
        ("IPv4", IPV4, ipv4(UDP, options=bytes(8))),
        ("IPv6", IPV6, ipv6(UDP)),
        ("cooked", SLL, bytes(14) + b"\x08\0" + ipv4(UDP)),
        ("cooked 2", SLL2, b"\x86\xdd" + bytes(18) + ipv6(UDP)),
        ("hop-by-hop", IPV6, ipv6(b"\x11\1" + bytes(14) + UDP, 0)),
        ("atomic fragment", IPV6, ipv6(b"\x11\0\0\0\0\0\0\1" + UDP, 44)),
        ("authentication", IPV6, ipv6(b"\x11\4" + bytes(22) + UDP, 51)),
        ("length left to the card", IPV4, ipv4(UDP, total=0)),
    ]:
        got = reached(link, data)
        report.check(name, isinstance(got, Transport) and got.payload == b"test" and got.dport == 53, str(got))
    for name, link, data, why in [
        ("fragment", IPV4, ipv4(UDP, frag=0x2000), "IPv4 fragment"),
        ("later fragment", IPV4, ipv4(UDP, frag=3), "IPv4 fragment"),
        ("IPv6 fragment", IPV6, ipv6(b"\x11\0\0\1\0\0\0\1" + UDP, 44), "IPv6 fragment"),
        ("ARP", ETHERNET, ether + b"\x08\x06" + bytes(28), "ethertype 0x0806"),
        ("short header", IPV4, ipv4(UDP)[:19], "IPv4 header cut short"),
        ("header length 4", IPV4, b"\x44" + ipv4(UDP)[1:], "header of 16 bytes"),
        ("total below header", IPV4, ipv4(UDP, total=8), "less than the header's 20"),
        ("UDP length 7", IPV4, ipv4(UDP[:4] + b"\0\7" + UDP[6:]), "UDP length 7"),
        ("UDP length over IP", IPV4, ipv4(UDP[:4] + b"\0\xff" + UDP[6:]), "UDP length 255"),
        ("TCP header of 16", IPV4, ipv4(bytes(12) + b"\x40" + bytes(7), 6), "TCP header of 16 bytes"),
        ("ICMP", IPV4, ipv4(UDP, 1), "IP protocol 1"),
        ("version 5", RAW, b"\x50" + bytes(40), "IP version 5"),
        ("endless extensions", IPV6, ipv6(bytes(8) * 100, 0), "extension headers"),
        ("link type", 147, UDP, "link type 147"),
        ("empty", ETHERNET, b"", "cut short"),
    ]:
        got = reached(link, data)
        report.check(name, isinstance(got, str) and why in got, str(got))
    got = reached(IPV4, ipv4(UDP)[:30], 32)
    report.check("cut by the capture", isinstance(got, Transport) and got.cut == 2 and got.payload == b"te", str(got))


def streams(report: Report) -> None:
    def segment(seq: int, data: bytes, syn: bool = False) -> Transport:
        return Transport("TCP", "a", 1, "b", 53, data, 0, seq & 0xFFFF_FFFF, syn)

    whole = b"\0\3abc\0\0\0\4wxyz"
    want = [b"abc", b"", b"wxyz"]
    rng = random.Random(3)
    for start in (0, 0xFFFF_FFF8, 1234):
        for trial in range(60):
            cuts = sorted(rng.sample(range(1, len(whole)), rng.randrange(0, 6)))
            parts = [segment(start + 1 + a, whole[a:b]) for a, b in zip([0] + cuts, cuts + [len(whole)])]
            parts += [segment(start + 1, whole[:4])]  # a retransmission
            rng.shuffle(parts)
            stream, got = Stream(), []
            for part in [segment(start, b"", True)] + parts:
                stream.feed(part)
                got += list(stream.messages())
            if not report.check(f"stream {start} {trial}", got == want and stream.left == 0, f"{got} {stream}"):
                return
    stream = Stream()
    for seq in range(5, 5000, 2):
        stream.feed(segment(seq, b"x"))
    report.check("segments held are bounded", stream.left < 600)


def captures(report: Report) -> None:
    """Every file of the public set is read to its end or to a named damage."""
    found = sorted(CAPTURES.rglob("*.pcap")) + sorted(CAPTURES.rglob("*.pcapng"))
    for path in found:
        got, why = taken(path.read_bytes())
        for frame in got:
            reached(frame.link, frame.data, frame.wire_len)
        report.check(f"{path.name}", bool(got) or bool(why), why)


def main() -> int:
    report = Report()
    for part in (files, damage, links, streams, captures):
        part(report)
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
