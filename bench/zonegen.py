#!/usr/bin/env python3
"""Zones and query files for the measurements: the same bytes on every machine.

usage: zonegen.py names COUNT DIR   COUNT names with one A record each
       zonegen.py mixed COUNT DIR   COUNT records of many types, about 37 octets each

`names` writes names-COUNT.zone, and names-COUNT.q: one A query a name, all
found, shuffled.  `mixed` writes mixed-COUNT.zone, mixed-COUNT.q (queries over
its names and types, all found) and mixed-COUNT.1.q (its last name, for who
waits for the first answer).  Query files are message files: see util.h.
"""

from __future__ import annotations

import random
import struct
import sys
from pathlib import Path
from typing import BinaryIO, Iterator

ORIGIN = "bench.example."
TYPES = {
    "A": 1, "NS": 2, "CNAME": 5, "SOA": 6, "PTR": 12, "MX": 15, "TXT": 16, "AAAA": 28, "SRV": 33,
    "NAPTR": 35, "DS": 43, "DNSKEY": 48, "TLSA": 52, "HTTPS": 65, "ANY": 255, "CAA": 257,
}  # fmt: skip
HEADS = "api app auth blog cache cdn db dev edge files git imap info lab mail mx news node ops portal pop shop".split()
TAILS = "alpha bay cliff delta elm fern grove hill isle jade kite lake moor north oak pine quay ridge sand tarn".split()

APEX = f"""\
$ORIGIN {ORIGIN}
$TTL 3600
@ IN SOA ns1 hostmaster 2024010101 7200 900 1209600 300
@ IN NS ns1
@ IN NS ns2
ns1 IN A 192.0.2.1
ns2 IN A 192.0.2.2
"""


def wire_name(name: str) -> bytes:
    labels = [label.encode() for label in name.rstrip(".").split(".") if label]
    return b"".join(bytes([len(label)]) + label for label in labels) + b"\0"


def query(name: str, rtype: str, edns: bool = False, do: bool = False) -> bytes:
    """A query for name and type, ID 0, RD 0."""
    head = struct.pack(">6H", 0, 0, 1, 0, 0, 1 if edns else 0)
    opt = struct.pack(">BHHIH", 0, 41, 1232, 0x8000 if do else 0, 0) if edns else b""
    return head + wire_name(name) + struct.pack(">2H", TYPES[rtype], 1) + opt


def write_queries(path: Path, queries: list[bytes]) -> None:
    with path.open("wb") as f:
        for q in queries:
            f.write(struct.pack(">H", len(q)) + q)


def host(i: int) -> str:
    """Name number i: unlike its neighbours, 8 to 16 octets."""
    mixed = (i * 2654435761) & 0xFFFFFFFF
    return f"{HEADS[mixed % len(HEADS)]}-{TAILS[(mixed >> 8) % len(TAILS)]}{i:x}"


def ip4(i: int) -> str:
    return f"10.{i >> 16 & 255}.{i >> 8 & 255}.{i & 255}"


def ip6(i: int) -> str:
    return f"2001:db8:{i >> 16:x}:{i & 0xFFFF:x}::{i % 251 + 1:x}"


def hexes(i: int, octets: int) -> str:
    rng = random.Random(i)
    return f"{rng.getrandbits(8 * octets):0{2 * octets}x}"


def write_names(count: int, out: Path) -> None:
    names = [host(i) for i in range(count)]
    with (out / f"names-{count}.zone").open("w") as f:
        f.write(APEX)
        for i, name in enumerate(names):
            f.write(f"{name} A {ip4(i)}\n")
    queries = [query(f"{name}.{ORIGIN}", "A") for name in names]
    random.Random(count).shuffle(queries)
    write_queries(out / f"names-{count}.q", queries)
    write_queries(out / f"names-{count}.1.q", [query(f"{names[-1]}.{ORIGIN}", "A")])


Record = tuple[str, str, str, bool]  # owner, type, text of the RDATA, may be asked for


def site(i: int) -> Iterator[Record]:
    """The records of one customer; which of them it has depends on its number."""
    name = host(i)
    yield name, "A", ip4(i), True
    if i % 2 == 0:
        yield name, "AAAA", ip6(i), True
    if i % 4 == 1:
        yield name, "MX", f"10 {host(i - 1)}", True
    if i % 8 == 2:
        yield name, "TXT", f'"v=spf1 ip4:{ip4(i)} -all"', True
    if i % 16 == 3:
        yield name, "HTTPS", "1 . alpn=h2", True
    if i % 16 == 4:
        yield name, "CAA", '0 issue "ca.example.net"', True
    if i % 4 == 3:
        yield f"w{i:x}", "CNAME", name, True
    if i % 16 == 6:
        yield f"_sip._tcp.{name}", "SRV", f"0 5 5060 {name}", True
    if i % 32 == 7:
        yield f"_443._tcp.{name}", "TLSA", f"3 1 1 {hexes(i, 32)}", True
    if i % 16 == 8:
        child = f"d{i:x}"
        yield child, "NS", f"ns.{child}", False
        yield f"ns.{child}", "A", ip4(i), False
        if i % 32 == 8:
            yield child, "DS", f"{i % 65536} 13 2 {hexes(i, 32)}", True


def mixed_records(count: int) -> Iterator[Record]:
    """`count` records with the five of the apex counted in."""
    left = count - 5
    i = 0
    while left > 0:
        for record in site(i):
            if left == 0:
                return
            yield record
            left -= 1
        i += 1


def write_mixed(count: int, out: Path) -> None:
    asked: list[tuple[str, str]] = []
    with (out / f"mixed-{count}.zone").open("w") as f:
        f.write(APEX)
        for owner, rtype, text, ask in mixed_records(count):
            f.write(f"{owner} IN {rtype} {text}\n")
            if ask:
                asked.append((owner, rtype))
    final = next(pair for pair in reversed(asked) if pair[1] == "A")
    rng = random.Random(count)
    chosen = rng.sample(asked, min(100000, len(asked)))
    write_queries(out / f"mixed-{count}.q", [query(f"{n}.{ORIGIN}", t) for n, t in chosen])
    write_queries(out / f"mixed-{count}.1.q", [query(f"{final[0]}.{ORIGIN}", final[1])])


def main(argv: list[str]) -> int:
    if len(argv) != 4 or argv[1] not in ("names", "mixed") or not argv[2].isdigit():
        print(__doc__, file=sys.stderr)
        return 2
    out = Path(argv[3])
    out.mkdir(parents=True, exist_ok=True)
    write = write_names if argv[1] == "names" else write_mixed
    write(int(argv[2]), out)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
