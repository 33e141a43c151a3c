#!/usr/bin/env python3
"""DNS in captures as `mrg dissect` reads it, beside what tshark reads.

For every message: header fields, counts, question, owner names, types and TTLs of the records, and the verdict. Where
the two differ on purpose the frame is listed in EXCEPTIONS with its clause. A capture is made of the messages beside
this file: a response of each record type, answers of all kinds, those that must be refused; others are looked for in
CAPTURES. Without tshark only the comparison itself is tried, on lines written down here.
"""

from __future__ import annotations

import io
import os
import shutil
import struct
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Optional, Sequence

HERE = Path(__file__).resolve()
ROOT = HERE.parents[3]
sys.path[:0] = [str(HERE.parents[1]), str(ROOT / "tests"), str(ROOT / "gen")]
from report import Report  # noqa: E402
from vectors import Vector, load as vectors  # noqa: E402

from mrg import ir  # noqa: E402
from mrg.dissect import Dissector  # noqa: E402
from mrg.frames import Transport  # noqa: E402
from mrg.interp import parse  # noqa: E402
from mrg.load import load  # noqa: E402
from mrg.pcap import CaptureError, frames  # noqa: E402
from mrg.show import dotted  # noqa: E402
from mrg.values import Node, Rejection  # noqa: E402

CAPTURES = Path(os.environ.get("CAPTURES", ROOT / "../shared/captures"))
FIELDS = (
    "frame.number dns.id dns.flags dns.count.queries dns.count.answers dns.count.auth_rr dns.count.add_rr "
    "dns.qry.name dns.qry.type dns.resp.name dns.resp.type dns.resp.ttl _ws.malformed"
).split()
PORTS = {"dns_tcp_8053.pcap": 8053, "dns_udp_8053.pcap": 8053}

DATAGRAM_MAX = 65507

# Why the two differ: capture -> frames, or headings
DIFFER: dict[str, dict[str, str]] = {
    "168 octets were not captured: the message is cut, and tshark shows what is there": {"dns_udp_2.pcap": "2"},
    "tshark has the types of a bitmap (RFC 4034 4.1.2) among those of records": {
        "answers.pcap": "response-dnssec-nxdomain response-dnssec-wildcard response-nsec3-nxdomain response-nsec3-nodata"
                        " response-optout-referral",
        "types.pcap": "nsec csync",
    },
    "tshark has the owners of SRV records in a field of their own": {"messages.pcap": "srv-target-compressed", "types.pcap": "srv"},
    "tshark has the counts of an update (RFC 2136 2.2) in fields of their own": {"messages.pcap": "opcode-update"},
    "refused by the clause under its heading; tshark shows what it makes of it": {
        "messages.pcap": "qname-points-at-itself qname-points-into-header qname-points-forward qname-256 owner-points-at-itself"
                         " owner-points-into-later-record ns-name-points-at-itself ns-name-crosses-rdlength"
                         " ns-name-shorter-than-rdlength ns-pointer-cut-by-rdlength a-rdlength-5 a-rdlength-0"
                         " rrsig-signer-compressed dname-compressed nsec-compressed ns-name-points-into-header"
                         " mx-exchange-crosses-rdlength names-share-a-tail-256",
    },
}
EXCEPTIONS = {(path, label): why for why, paths in DIFFER.items() for path, labels in paths.items() for label in labels.split()}

Row = dict[str, str]


class Collector(Dissector):
    """Keeps the messages, by frame, in place of printing them."""

    def __init__(self, packet: ir.Packet, port: int) -> None:
        super().__init__(packet, port, io.StringIO())
        self.found: dict[int, list[Optional[Node]]] = {}

    def message(self, number: int, segment: Transport, message: bytes) -> None:
        try:
            node: Optional[Node] = parse(self.packet, message)
        except Rejection:
            node = None
        if message:  # an empty datagram is nothing that tshark would call DNS
            self.found.setdefault(number, []).append(node)


def ours(packet: ir.Packet, path: Path, port: int) -> dict[int, list[Optional[Node]]]:
    collector = Collector(packet, port)
    try:
        for frame in frames(path.read_bytes()):
            collector.frame(frame)
    except CaptureError:
        pass
    return collector.found


def theirs(path: Path, port: int) -> list[Row]:
    wanted = f"dns && (udp.port == {port} || tcp.port == {port})"
    command = ["tshark", "-n", "-r", str(path), "-Y", wanted, "-T", "fields", "-E", "separator=|", "-E", "aggregator= "]
    command += ["-d", f"udp.port=={port},dns", "-d", f"tcp.port=={port},dns"]
    for field in FIELDS:
        command += ["-e", field]
    done = subprocess.run(command, capture_output=True, text=True)
    return [row_of(line) for line in done.stdout.splitlines()]


def row_of(line: str) -> Row:
    return dict(zip(FIELDS, line.split("|")))


def name_of(node: Node) -> str:
    """A name as tshark writes it."""
    text = (dotted(node) or "").split(" ")[0]
    return "<Root>" if text == "." else text.rstrip(".")


def summary(nodes: list[Node]) -> Row:
    """The same columns from our values; messages of one frame joined as tshark joins them."""
    columns: dict[str, list[str]] = {field: [] for field in FIELDS[1:-1]}
    for node in nodes:
        header = node.get("header")
        columns["dns.id"].append(f"0x{header.get('id').value:04x}")
        columns["dns.flags"].append(f"0x{flags(header):04x}")
        for field, name in zip(FIELDS[3:7], ("qdcount", "ancount", "nscount", "arcount")):
            columns[field].append(str(header.get(name).value))
        for question in node.get("question").children:
            columns["dns.qry.name"].append(name_of(question.get("name")))
            columns["dns.qry.type"].append(str(question.get("type").value))
        for section in ("answer", "authority", "additional"):
            for record in node.get(section).children:
                columns["dns.resp.name"].append(name_of(record.get("name")))
                columns["dns.resp.type"].append(str(record.get("type").value))
                if record.get("type").value != 41:  # OPT has no TTL
                    columns["dns.resp.ttl"].append(str(record.get("ttl").value))
    return {field: " ".join(values) for field, values in columns.items()}


WIDTHS = (("qr", 1), ("opcode", 4), ("aa", 1), ("tc", 1), ("rd", 1), ("ra", 1), ("z", 1), ("ad", 1), ("cd", 1), ("rcode", 4))


def flags(header: Node) -> int:
    value = 0
    for name, bits in WIDTHS:
        part = header.get(name).value
        assert isinstance(part, int)
        value = value << bits | part
    return value


def differences(row: Row, nodes: list[Optional[Node]]) -> list[str]:
    """What two readings of a frame disagree on."""
    refused = any(node is None for node in nodes)
    if refused or row["_ws.malformed"]:
        return [] if refused and row["_ws.malformed"] else [f"tshark {row['_ws.malformed'] or 'content'}, we {'refuse' if refused else 'accept'}"]
    have = summary([node for node in nodes if node is not None])
    return [f"{field}: tshark {row[field]!r}, we {have[field]!r}" for field in FIELDS[1:-1] if row[field] != have[field]]


def capture(report: Report, packet: ir.Packet, path: Path, headings: Sequence[str] = ()) -> int:
    """Compare the frames of a capture, which may have names; the number of those that were compared."""
    port = PORTS.get(path.name, 53)
    mine = ours(packet, path, port)
    rows = theirs(path, port)
    for row in rows:
        number = int(row["frame.number"])
        label = headings[number - 1] if headings else str(number)
        found = differences(row, mine[number]) if number in mine else ["only tshark sees a message"]
        exception = EXCEPTIONS.get((path.name, label))
        if exception is not None:
            report.check(f"{path.name} {label} still differs", bool(found), exception)
        else:
            report.check(f"{path.name} frame {label}", not found, "\n".join(found))
    return len(rows)


def datagram(message: bytes) -> bytes:
    """An IPv4 packet with the message, from or to port 53."""
    ends, ports = (bytes((192, 0, 2, 1)), bytes((192, 0, 2, 2))), (40000, 53)
    if message[2:3] >= b"\x80":  # a response
        ends, ports = ends[::-1], ports[::-1]
    head = struct.pack(">BBHHHBBH", 0x45, 0, 28 + len(message), 0, 0, 64, 17, 0)
    return head + b"".join(ends) + struct.pack(">4H", *ports, 8 + len(message), 0) + message


def write(path: Path, packets: list[bytes]) -> None:
    """A capture of IP packets without anything below them."""
    out = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 101)
    for packet in packets:
        out += struct.pack("<4I", 0, 0, len(packet), len(packet)) + packet
    path.write_bytes(out)


def made(report: Report, packet: ir.Packet) -> None:
    """The messages of the files beside this one, a capture for each file."""
    with tempfile.TemporaryDirectory() as folder:
        for file in sorted(HERE.parent.glob("*.md")):
            taken: list[Vector] = [v for v in vectors(str(file)) if (v.module, v.packet) == ("dns.message", "Message") and 12 <= len(v.data) <= DATAGRAM_MAX]
            path = Path(folder) / file.with_suffix(".pcap").name
            write(path, [datagram(v.data) for v in taken])
            seen = capture(report, packet, path, [v.name for v in taken])
            report.check(f"{path.name}: all messages are compared", seen == len(taken), f"{seen} of {len(taken)}")


def itself(report: Report, packet: ir.Packet) -> None:
    """The comparison, on a query for www.example.org and lines that agree and disagree with it."""
    query = bytes.fromhex("2b67010000010000000000010377777707") + b"example\3org" + bytes.fromhex("0000010001000029100000000000 0000")
    line = "7|0x2b67|0x0100|1|0|0|1|www.example.org|1|<Root>|41||"
    node = parse(packet, query)
    report.check("agreement is seen", not differences(row_of(line), [node]), str(differences(row_of(line), [node])))
    for wrong in ("0x0100|2|", "0x0120|1|"):
        changed = row_of(line.replace("0x0100|1|", wrong))
        report.check("disagreement is seen", len(differences(changed, [node])) == 1)
    report.check("a verdict is compared", bool(differences(row_of(line + "Malformed"), [node])))


def main() -> int:
    report = Report()
    modules = load([str(ROOT / "specs/dns/message.mrg")], [str(ROOT / "specs")])
    packet = next(p for m in modules if m.name == "dns.message" for p in m.packets if p.name == "Message")
    itself(report, packet)
    if shutil.which("tshark") is not None:
        made(report, packet)
        for path in sorted([*CAPTURES.rglob("*.pcap"), *CAPTURES.rglob("*.pcapng")]):
            if ours(packet, path, PORTS.get(path.name, 53)):
                capture(report, packet, path)
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
