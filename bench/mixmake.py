#!/usr/bin/env python3
"""The captured mix: 500 queries and the 500 answers that a server gives them.

A zone with what a company's zone holds is signed (ECDSA P-256, NSEC) with the
unpacked BIND tools and served by the unpacked NSD with full responses; the
queries, all with EDNS and some with DO, are sent once and the answers kept:
mix.bin, a message file (util.h), queries first, answers after them in the same
order.  Keys and signatures are new each time; sizes are not.

usage: mixmake.py BUILD_DIR OUT_DIR, as run.py has them
"""

from __future__ import annotations

import random
import shutil
import struct
import subprocess
import sys
from pathlib import Path

from bench import peers
from bench.zonegen import hexes, host, ip4, ip6, query, write_queries

ORIGIN = "ex.test."
HOSTS = 400
COUNT = 500
DO_PERCENT = 20

APEX = f"""\
$ORIGIN {ORIGIN}
$TTL 3600
@ IN SOA ns1 hostmaster 2024010101 7200 900 1209600 300
@ IN NS ns1
@ IN NS ns2
@ IN NS ns3
@ IN A 192.0.2.10
@ IN AAAA 2001:db8::10
@ IN MX 10 mail
@ IN MX 20 mail2
@ IN TXT "v=spf1 mx include:mail.example.net -all"
@ IN CAA 0 issue "ca.example.net"
ns1 IN A 192.0.2.1
ns1 IN AAAA 2001:db8::1
ns2 IN A 192.0.2.2
ns2 IN AAAA 2001:db8::2
ns3 IN A 192.0.2.3
ns3 IN AAAA 2001:db8::3
mail IN A 192.0.2.20
mail2 IN A 192.0.2.21
*.wild IN A 192.0.2.99
"""

# How many of 100 queries are of each kind.  Chosen, like DO_PERCENT, so that sizes, records in an
# answer and what libknot and ldns take are near those of the capture that the targets come from.
SHARES = {
    "A": 32, "AAAA": 16, "HTTPS": 6, "MX": 6, "TXT": 4, "NS": 2, "SRV": 4, "CNAME": 6, "DS": 2,
    "NXDOMAIN": 10, "NODATA": 8, "TLSA": 2, "CAA": 1, "DNSKEY": 1,
}  # fmt: skip


def zone_text() -> str:
    lines = [APEX]
    for i in range(HOSTS):
        name = host(i)
        lines.append(f"{name} IN A {ip4(i)}")
        lines.append(f"{name} IN AAAA {ip6(i)}")
        lines.append(f"{name} IN MX 10 mail")
        lines.append(f'{name} IN TXT "site {i} of the bench"')
        lines.append(f'{name} IN HTTPS 1 . alpn="h2,h3" ipv4hint={ip4(i)}')
        lines.append(f"w{i} IN CNAME {name}")
        lines.append(f"_sip._tcp.{name} IN SRV 0 5 5060 {name}")
        lines.append(f"_443._tcp.{name} IN TLSA 3 1 1 {hexes(i, 32)}")
        lines.append(f"d{i} IN NS ns.d{i}")
        lines.append(f"ns.d{i} IN A {ip4(i)}")
        lines.append(f"d{i} IN DS {i} 13 2 {hexes(i, 32)}")
    return "\n".join(lines) + "\n"


def asked(kind: str, i: int) -> tuple[str, str]:
    """Query name (relative) and type for kind; i picks the host."""
    name = host(i)
    if kind in ("A", "AAAA", "HTTPS", "MX", "TXT"):
        return name, kind
    if kind == "CNAME":
        return f"w{i}", "A"
    if kind == "DS":
        return f"d{i}", "DS"
    if kind == "NXDOMAIN":
        return f"nx{i}", "A"
    if kind == "NODATA":
        return name, "CAA"
    if kind == "SRV":
        return f"_sip._tcp.{name}", "SRV"
    if kind == "TLSA":
        return f"_443._tcp.{name}", "TLSA"
    return "", kind  # at the apex


def queries() -> list[bytes]:
    rng = random.Random(500)
    kinds = [kind for kind, share in SHARES.items() for _ in range(share * COUNT // 100)]
    rng.shuffle(kinds)
    out = []
    for kind in kinds:
        name, rtype = asked(kind, rng.randrange(HOSTS))
        full = f"{name}.{ORIGIN}" if name else ORIGIN
        out.append(query(full, rtype, edns=True, do=rng.randrange(100) < DO_PERCENT))
    return out


def run(places: peers.Places, work: Path, tool: str, *args: str) -> str:
    command = [str(places.tool(tool)), *args]
    done = subprocess.run(command, cwd=work, env=places.environment(), capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise peers.Absent(f"{tool}: {done.stderr.strip()}")
    return done.stdout.strip()


def sign(places: peers.Places, work: Path) -> Path:
    zone = work / "mix.zone"
    zone.write_text(zone_text())
    names = [run(places, work, "dnssec-keygen", "-a", "ECDSAP256SHA256", *ksk, ORIGIN) for ksk in ((), ("-f", "KSK"))]
    with zone.open("a") as f:
        for name in names:
            f.write((work / f"{name}.key").read_text())
    run(places, work, "dnssec-signzone", "-o", ORIGIN, "-f", "mix.signed", "-S", "mix.zone")
    return work / "mix.signed"


def read_messages(path: Path) -> list[bytes]:
    data, out, at = path.read_bytes(), [], 0
    while at < len(data):
        end = at + 2 + struct.unpack_from(">H", data, at)[0]
        out.append(data[at + 2 : end])
        at = end
    return out


def record(places: peers.Places, work: Path, zone: Path) -> list[bytes]:
    probe = query(ORIGIN, "SOA")
    running = peers.start(places, peers.NSD_FULL, work / "nsd", zone, probe, None, ORIGIN)
    command = [str(places.program("udpload")), "-p", str(running.port), "-w", "16", "-c", "none"]
    try:
        subprocess.run([*command, "-q", "queries.bin", "-o", "answers.bin"], cwd=work, check=True, capture_output=True)
    finally:
        running.stop()
    return read_messages(work / "answers.bin")


def make(places: peers.Places) -> Path:
    """Make mix.bin, unless it is there; its path."""
    out = places.work("mix.bin")
    if out.exists():
        return out
    work = places.work("mix")
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    asked_all = queries()
    write_queries(work / "queries.bin", asked_all)
    answers = record(places, work, sign(places, work))
    if any(len(a) < 12 for a in answers):
        raise peers.Absent("mix: some query had no answer")
    write_queries(out, asked_all + answers)
    return out


def main(argv: list[str]) -> int:
    places = peers.Places(Path(argv[0]).resolve().parent.parent, Path(argv[1]).resolve(), Path(argv[2]).resolve())
    messages = read_messages(make(places))
    for what, part in (("queries", messages[:COUNT]), ("answers", messages[COUNT:])):
        print(f"{len(part)} {what}, {sum(map(len, part)) / len(part):.1f} octets on average")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
