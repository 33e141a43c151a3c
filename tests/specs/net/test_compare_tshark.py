#!/usr/bin/env python3
"""Frames of captures as the specifications read them, beside what tshark reads.

Every frame that was kept whole, of Ethernet, Linux cooked and raw IP: all fields of COLUMNS (layers.py), and the verdict.
Where the two differ on purpose the frame is listed in EXCEPTIONS with its clause. The frames of all captures go to one
tshark, in a capture made for it, without reassembly. The frames of MADE are tried with or without captures.
"""

from __future__ import annotations

import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve()
ROOT = HERE.parents[3]
sys.path[:0] = [str(HERE.parent), str(ROOT / "tests"), str(ROOT / "gen")]
from report import Report  # noqa: E402

from exceptions import EXCEPTIONS  # noqa: E402
from layers import COLUMNS, EACH, ETHERNET, LINKS, RAW, Specs, Walk, number  # noqa: E402
from mrg.pcap import CaptureError, frames  # noqa: E402

CAPTURES = Path(os.environ.get("CAPTURES", ROOT / "../shared/captures"))
VERDICT = ("_ws.malformed", "_ws.expert.message", "_ws.expert.severity", "ip.checksum.status", "icmp.checksum.status", "igmp.checksum.status")
FIELDS = ("frame.number", "frame.protocols", *COLUMNS, *VERDICT)
OPTIONS = "ip.check_checksum:TRUE ip.defragment:FALSE ipv6.defragment:FALSE tcp.desegment_tcp_streams:FALSE ip.tso_support:FALSE".split()
OURS = "Ethernet|802.1Q VLAN|ARP|IPv4|IPv6|ICMP|ICMPv6|IGMP|UDP|TCP|DHCP|BOOTP"
MALFORMED = re.compile(rf"\[Malformed Packet: ({OURS})\b")
ERROR, BAD = "8388608", "0"

Row = dict[str, str]


@dataclass(frozen=True)
class Frame:
    capture: str
    number: int
    link: int
    data: bytes


def sum16(data: bytes) -> int:
    """RFC 1071."""
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total ^ 0xFFFF


def ip4(protocol: int, payload: bytes, options: bytes = b"") -> bytes:
    """From 192.0.2.1 to 192.0.2.2."""
    length = 20 + len(options)
    head = struct.pack(">BBHHHBB", 0x40 | length // 4, 0x28, length + len(payload), 7, 0x4000, 64, protocol)
    ends = bytes((192, 0, 2, 1, 192, 0, 2, 2))
    return head + struct.pack(">H", sum16(head + ends + options)) + ends + options + payload


def made() -> list[tuple[Frame, dict[str, str]]]:
    """Frames that are written here, and what must be read in each; of one that is refused nothing."""
    ether = bytes.fromhex("020000000002 020000000001")
    tcp = struct.pack(">HHIIBBHHH", 40000, 80, 0xFFFFFFFF, 0, 0xB0, 2, 65000, 0, 0)
    options = bytes.fromhex("020405b4 0402 080a00000009 00000000 01 030307 fd04abcd")
    icmp = bytes.fromhex("0800 0000 1234 0001") + b"ping"
    icmp = icmp[:2] + struct.pack(">H", sum16(icmp)) + icmp[4:]
    udp = struct.pack(">HHHH", 5000, 6000, 12, 0) + b"text"
    six = bytes.fromhex("60000000 0014 2c 40 20010db8000000000000000000000001 20010db8000000000000000000000002")
    fragment = bytes.fromhex("1100000000000007")
    arp = bytes.fromhex("0001 0800 06 04 0001 020000000001 c0000201 000000000000 c0000202") + bytes(18)
    syn = {"ieee8021ad.id": "100", "vlan.id": "5", "eth.type": str(0x88A8), "ip.src": "192.0.2.1", "ip.dsfield.dscp": "10",
           "tcp.flags": "2", "tcp.seq_raw": str(0xFFFFFFFF), "tcp.option_kind": "2 4 8 1 3 253", "tcp.options.mss_val": "1460",
           "tcp.options.wscale.shift": "7", "tcp.options.timestamp.tsval": "9"}
    tagged = bytes.fromhex("88a8 0064 8100 0005 0800")
    frames_of = [
        (ETHERNET, ether + tagged + ip4(6, tcp + options), syn),
        (ETHERNET, ether + b"\x08\x06" + arp, {"arp.opcode": "1", "arp.src.proto_ipv4": "192.0.2.1", "arp.dst.proto_ipv4": "192.0.2.2"}),
        (ETHERNET, ether + b"\x08\x00" + ip4(1, icmp) + bytes(6), {"icmp.type": "8", "icmp.code": "0", "ip.len": "32"}),
        (RAW, ip4(17, udp, bytes.fromhex("94040000")), {"ip.hdr_len": "24", "udp.length": "12"}),
        (RAW, six + fragment + udp[:7] + b"\1" + udp[8:], {"ipv6.fraghdr.ident": "7", "udp.srcport": "5000"}),
        (RAW, six + fragment + udp, {}),
        (RAW, ip4(17, udp[:4] + b"\0\7" + udp[6:]), {}),
        (RAW, ip4(17, udp)[:-1], {}),
        (RAW, ip4(6, tcp[:12] + b"\x40" + tcp[13:]), {}),
        (RAW, ip4(6, tcp[:12] + b"\x60" + tcp[13:] + bytes.fromhex("02 00 00 00")), {}),
        (ETHERNET, ether + b"\x08\x00" + ip4(1, icmp[:-1] + b"!"), {}),
    ]
    return [(Frame("made", number, link, data), want) for number, (link, data, want) in enumerate(frames_of, 1)]


def itself(report: Report, specs: Specs) -> None:
    """The frames made here, against what was to be read; a row that agrees, and such as don't."""
    for frame, want in made():
        walk = Walk(specs, frame.link, frame.data)
        have = walk.columns()
        report.check(f"made frame {frame.number}", all(have.get(field) == value for field, value in want.items()), str(have))
        report.check(f"made frame {frame.number}: the verdict", (walk.refused is None) == bool(want), str(walk.refused))
    first = made()[0][0]
    walk = Walk(specs, first.link, first.data)
    row = dict.fromkeys(FIELDS, "") | walk.columns()
    report.check("agreement is seen", not differences(row, walk))
    for field in walk.columns():
        report.check(f"another {field} is seen", len(differences(row | {field: "77"}, walk)) == 1)
    report.check("a verdict is compared", bool(differences(row | {"_ws.malformed": "[Malformed Packet: TCP]"}, walk)))
    report.check("other protocols' faults are not ours", not differences(row | {"_ws.malformed": "[Malformed Packet: DNS]"}, walk))
    report.check("a wrong sum is a fault", bool(differences(row | {"ip.checksum.status": "0"}, walk)))


def whole(folder: Path, skipped: Counter[str]) -> list[Frame]:
    """The frames that can be compared."""
    out: list[Frame] = []
    for path in sorted([*folder.rglob("*.pcap"), *folder.rglob("*.pcapng")]):
        try:
            for frame in frames(path.read_bytes()):
                if frame.link not in LINKS:
                    skipped["of another link type"] += 1
                elif len(frame.data) != frame.wire_len:
                    skipped["cut by the capture"] += 1
                else:
                    out.append(Frame(path.name, frame.number, frame.link, frame.data))
        except CaptureError:
            skipped["ends of captures that can't be read"] += 1
    return out


def block(kind: int, body: bytes) -> bytes:
    body += bytes(-len(body) % 4)
    return struct.pack("<II", kind, len(body) + 12) + body + struct.pack("<I", len(body) + 12)


def pcapng(taken: list[Frame]) -> bytes:
    """One capture of frames of several link types.  draft-ietf-opsawg-pcapng section 4"""
    out = [block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1))]
    out += [block(1, struct.pack("<HHI", link, 0, 0)) for link in LINKS]
    for frame in taken:
        out.append(block(6, struct.pack("<IIIII", LINKS.index(frame.link), 0, 0, len(frame.data), len(frame.data)) + frame.data))
    return b"".join(out)


def theirs(taken: list[Frame]) -> list[Row]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "all.pcapng"
        path.write_bytes(pcapng(taken))
        command = ["tshark", "-n", "-r", str(path), "-T", "fields", "-E", "separator=/t", "-E", "aggregator=~"]
        for text in OPTIONS:
            command += ["-o", text]
        for field in FIELDS:
            command += ["-e", field]
        done = subprocess.run(command, capture_output=True, text=True)
    return [row_of(line) for line in done.stdout.splitlines()]


def row_of(line: str) -> Row:
    return dict(zip(FIELDS, line.split("\t")))


def shown(field: str, text: str) -> str:
    """tshark's text as ours is: decimal numbers, the outermost occurrence."""
    parts = [{"True": "1", "False": "0"}.get(part, part) for part in text.split("~")]
    parts = [str(int(part, 16)) if part.startswith("0x") else part for part in parts]
    if field == "tcp.option_kind" and "0" in parts:
        parts = parts[: parts.index("0")]  # tshark goes on behind the end of the list
    return " ".join(parts) if field in EACH else parts[0]


def faulty(row: Row) -> str:
    """What tshark has against the layers that are compared; nothing: none of it."""
    found = MALFORMED.search(row["_ws.malformed"])
    if found is not None:
        return found.group(0)
    for field in VERDICT[3:]:
        if row[field].split("~")[0] == BAD:
            return field
    messages, levels = row["_ws.expert.message"].split("~"), row["_ws.expert.severity"].split("~")
    errors = [message for message, level in zip(messages, levels) if level == ERROR and "Malformed" not in message]
    return "; ".join(errors)


def differences(row: Row, walk: Walk) -> list[str]:
    """What two readings of a frame disagree on."""
    found = []
    fault = faulty(row)
    if bool(fault) != (walk.refused is not None):
        found.append(f"tshark: {fault or 'content'} ({row['frame.protocols']}), we: {walk.refused or 'content'}")
    columns = walk.columns()
    for field, have in columns.items():
        if shown(field, row[field]) != have:
            found.append(f"{field}: tshark {shown(field, row[field])!r}, we {have!r}")
    return found


def compare(report: Report, specs: Specs, taken: list[Frame], rows: list[Row]) -> int:
    """The SYNs that were accepted."""
    syns = 0
    report.check("tshark has a line for each frame", len(rows) == len(taken), f"{len(rows)} of {len(taken)}")
    for frame, row in zip(taken, rows):
        walk = Walk(specs, frame.link, frame.data)
        found = differences(row, walk)
        exception = EXCEPTIONS.get((frame.capture, frame.number))
        if exception is not None:
            report.check(f"{frame.capture} {frame.number} still differs", bool(found), exception)
        else:
            report.check(f"{frame.capture} frame {frame.number}", not found, "\n".join(found))
        tcp = walk.find("Tcp")
        syns += tcp is not None and number(tcp, "syn") == 1 and walk.refused is None
    return syns


def main() -> int:
    report = Report()
    specs = Specs(ROOT)
    itself(report, specs)
    skipped: Counter[str] = Counter()
    if shutil.which("tshark") is not None:
        taken = [frame for frame, _ in made()] + whole(CAPTURES, skipped)
        syns = compare(report, specs, taken, theirs(taken))
        passed_over = ", ".join(f"{count} {why}" for why, count in sorted(skipped.items())) or "none"
        print(f"{len(taken)} frames, {syns} of them SYNs that were accepted; passed over: {passed_over}")
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
