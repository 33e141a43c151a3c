#!/usr/bin/env python3
"""`mrg dissect`: captures made here and public ones; messages printed, broken ones refused by place, no traceback ever."""

from __future__ import annotations

import io
import os
import re
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve()
sys.path[:0] = [str(HERE.parent), str(HERE.parent.parent), str(HERE.parents[2] / "gen")]
from interp_specs import packet  # noqa: E402
from report import ROOT, Report  # noqa: E402

from mrg.dissect import run  # noqa: E402

CAPTURES = Path(os.environ.get("CAPTURES", ROOT / "../shared/captures"))
QUERY = bytes.fromhex("1234010000010000000000000377777707") + b"example\3org" + bytes.fromhex("0000010001")
ANSWER = (
    bytes.fromhex("1234850000010001000000000377777707") + b"example\3org" + bytes.fromhex("0000010001")
    + bytes.fromhex("c00c00010001000151800004c0000201")
)  # fmt: skip
LOOP = bytes.fromhex("beef0100000100000000 0000c00c00010001")
GOLDEN = """\
frame 2: UDP 192.0.2.2:53 > 192.0.2.1:40000, 49 bytes
      0  Message: 49 bytes
      0    header: 12 bytes
      0      id: 4660
      2      qr: 1
    2.1      opcode: QUERY (0)
    2.5      aa: 1
"""


def pcap(payloads: list[bytes]) -> bytes:
    """Raw IPv4 packets in a capture."""
    out = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 101)
    for payload in payloads:
        out += struct.pack("<IIII", 0, 0, len(payload), len(payload)) + payload
    return out


def ip(proto: int, to_server: bool, body: bytes) -> bytes:
    ends = [bytes([192, 0, 2, 1]), bytes([192, 0, 2, 2])]
    src, dst = ends if to_server else ends[::-1]
    return struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(body), 0, 0, 64, proto, 0) + src + dst + body


def udp(message: bytes, to_server: bool) -> bytes:
    ports = (40000, 53) if to_server else (53, 40000)
    return ip(17, to_server, struct.pack(">HHHH", *ports, 8 + len(message), 0) + message)


def tcp(seq: int, data: bytes, flags: int = 0x18) -> bytes:
    return ip(6, True, struct.pack(">HHIIBBHHH", 40000, 53, seq, 0, 0x50, flags, 0, 0, 0) + data)


def dissected(data: bytes, port: int = 53) -> tuple[int, str, str]:
    out, err = io.StringIO(), io.StringIO()
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "x.pcap")
        with open(path, "wb") as file:
            file.write(data)
        return run(path, "dns.message:Message", port, packet, out, err), out.getvalue(), err.getvalue()


def made(report: Report) -> None:
    code, text, err = dissected(pcap([udp(QUERY, True), udp(ANSWER, False), udp(LOOP, True)]))
    report.check("exit code 0", code == 0 and not err, err)
    report.check("printed as written down", GOLDEN in text, text)
    report.check("name and address", "name: www.example.org." in text and ": 192.0.2.1\n" in text, text)
    want = r"frame 3: UDP 192\.0\.2\.1:40000 > 192\.0\.2\.2:53, 18 bytes: MRG_E_LOOP at 12: question\[0\]\.name\.labels: .*dns/name\.mrg:\d+\)"
    report.check("refused by place", re.search(want, text) is not None, text)
    report.check("counted", text.endswith("3 frames, 2 messages, 1 rejected, 0 frames without one\n"), text)
    _, text, _ = dissected(pcap([udp(QUERY + b"xyz", True)]))
    report.check("octets behind", "     33  3 bytes after the message\n" in text, text)
    _, text, _ = dissected(pcap([udp(QUERY, True)]), 5300)
    report.check("another port", text.endswith("1 frames, 0 messages, 0 rejected, 1 frames without one\n"), text)


def streams(report: Report) -> None:
    both = len(QUERY).to_bytes(2, "big") + QUERY + len(LOOP).to_bytes(2, "big") + LOOP
    for size in (1, 2, 3, 7, 40, 200):
        cuts = [both[i : i + size] for i in range(0, len(both), size)]
        parts = [tcp(7, b"", 2)] + [tcp(8 + i * size, cut) for i, cut in enumerate(cuts)]
        parts[1:3] = parts[2:0:-1]  # out of order
        code, text, _ = dissected(pcap(parts))
        good = code == 0 and "www.example.org." in text and "MRG_E_LOOP" in text and "no whole message" not in text
        report.check(f"TCP in segments of {size}", good, text)
    _, text, _ = dissected(pcap([tcp(7, both[:20])]))
    report.check("an unfinished message", "20 bytes make no whole message" in text, text)
    _, text, _ = dissected(pcap([tcp(7, b"\0\0\0\1x")]))
    report.check("lengths 0 and 1", text.count("MRG_MORE") == 2, text)


def damaged(report: Report) -> None:
    whole = pcap([udp(QUERY, True), udp(ANSWER, False)])
    code, text, err = dissected(whole[:-1])
    report.check("damage is told after the frames before it", code == 1 and "frame 1:" in text and "record 2 at byte" in err, err)
    code, _, err = dissected(b"GIF89a")
    report.check("not a capture", code == 1 and "not a capture" in err, err)
    for size in range(24 + 16 + 28, 24 + 16 + 28 + len(QUERY)):
        cut = bytearray(whole[:size])
        cut[32:36] = (size - 40).to_bytes(4, "little")  # a snapshot length cut it
        code, text, _ = dissected(bytes(cut))
        report.check("a frame that was cut", code == 0 and "not captured" in text and "MRG_MORE" in text, text)


def command(report: Report) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "x.pcap")
        with open(path, "wb") as file:
            file.write(pcap([udp(QUERY, True)]))
        for arguments, code, want in [
            ([path], 0, "www.example.org."),
            ([path, "--port", "53", "--spec", "dns.message:Message"], 0, "www.example.org."),
            ([path, "--spec", "dns.message:Header"], 0, "Header: 12 bytes"),
            ([path, "--spec", "dns.message:Nothing"], 2, "dns.message:Nothing"),
            ([os.path.join(folder, "none.pcap")], 1, "No such file"),
        ]:
            done = subprocess.run(
                [sys.executable, str(ROOT / "bin/mrg"), "dissect", *arguments], capture_output=True, text=True, cwd=ROOT
            )
            text = done.stdout + done.stderr
            good = done.returncode == code and want in text and "Traceback" not in text
            report.check(f"mrg dissect {' '.join(arguments[1:])}: {code}", good, text[-2000:])


EXPECTED = {
    "dns-badlabel.pcap": "MRG_E_LIMIT",
    "dns_fwdptr.pcap": "MRG_E_LOOP",
    "dnssec.pcap": "6 frames, 6 messages, 0 rejected",
    "edns-opts.pcap": "42 frames, 42 messages, 0 rejected",
    "dns_tcp.pcap": "11 frames, 2 messages, 0 rejected",
    "dns_udp_2.pcap": "(168 more were not captured): MRG_MORE",
}


def captures(report: Report) -> None:
    for path in sorted([*CAPTURES.rglob("*.pcap"), *CAPTURES.rglob("*.pcapng")]):
        code, text, err = dissected(path.read_bytes(), 8053 if "8053" in path.name else 53)
        report.check(f"{path.name} is read", code == 0 or (code == 1 and bool(err)), err)
        if path.name in EXPECTED:
            report.check(f"{path.name}: {EXPECTED[path.name]}", EXPECTED[path.name] in text, text[-400:])


def main() -> int:
    report = Report()
    for part in (made, streams, damaged, command, captures):
        part(report)
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
