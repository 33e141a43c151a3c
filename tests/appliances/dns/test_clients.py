#!/usr/bin/env python3
"""Other people's clients against the running server: dig, drill, kdig, delv on signed zones, dnsperf."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from harness import ROOT, Files, Server, check, equal, main  # noqa: E402

ZONES = ROOT / "tests" / "data" / "zones"
SAMPLE = ROOT / "appliances" / "dns" / "example.org.zone"


def client(*command: object) -> str:
    tool = str(command[0])
    check(shutil.which(tool) is not None, f"{tool} is installed (make deps)")
    done = subprocess.run([str(c) for c in command], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
    equal(done.returncode, 0, f"{tool}: {done.stdout}{done.stderr}")
    return done.stdout


def sample(*args: str) -> Server:
    return Server("--zone", f"example.org={SAMPLE}", *args, listen=("127.0.0.1:0", "[::1]:0"))


def signed() -> Server:
    origins = ("nsec.example", "nsec3.example", "optout.example")
    zones = [word for o in origins for word in ("--zone", f"{o}={ZONES}/signed/{o}.signed")]
    return Server(*zones)


def test_dig() -> None:
    with sample() as server:
        for index, (host, port) in enumerate(server.addresses):
            for transport in ("+notcp", "+tcp"):
                out = client("dig", f"@{host}", "-p", port, transport, "+norec", "www.example.org", "A")
                check("status: NOERROR" in out and "flags: qr aa" in out, out)
                check(re.search(r"^www\.example\.org\.\s+3600\s+IN\s+A\s+192\.0\.2\.80$", out, re.M) is not None, out)
                check("Warning" not in out and "malformed" not in out, out)


def test_dig_short_forms_of_all_the_sample() -> None:
    wanted = {
        ("example.org", "MX"): "10 mail.example.org.\n20 mail.example.net.",
        ("blog.example.org", "A"): "www.example.org.\n192.0.2.80",
        ("anything.dev.example.org", "A"): "192.0.2.90",
        ("hello.example.org", "TXT"): '"hello, world" "this zone is appliances/dns/example.org.zone"',
        ("www.example.org", "HTTPS"): '1 . alpn="h2,h3"',
        ("_submission._tcp.example.org", "SRV"): "0 1 587 mail.example.org.",
        ("example.org", "CAA"): '0 issue "ca.example.net"',
    }
    with sample() as server:
        for (name, rtype), text in wanted.items():
            out = client("dig", f"@{server.host}", "-p", server.port, "+short", "+norec", name, rtype)
            equal("\n".join(sorted(out.split("\n"))).strip(), "\n".join(sorted(text.split("\n"))), f"{name} {rtype}")


def test_dig_many_queries_on_one_connection() -> None:
    with sample() as server:
        names = [word for i in range(50) for word in (f"n{i}.dev.example.org", "A")]
        out = client("dig", f"@{server.host}", "-p", server.port, "+tcp", "+keepopen", "+short", "+norec", *names)
        equal(out.split(), ["192.0.2.90"] * 50)


def test_drill() -> None:
    with sample() as server:
        for extra in ((), ("-t",)):
            out = client("drill", *extra, "-o", "rd", "-p", server.port, "www.example.org", f"@{server.host}", "AAAA")
            check("rcode: NOERROR" in out and "2001:db8::80" in out, out)


def test_kdig() -> None:
    with sample() as server:
        for extra in ("+notcp", "+tcp"):
            out = client("kdig", f"@{server.host}", "-p", server.port, extra, "+edns", "+nsid", "+norec", "lab.example.org", "NS")
            check("status: NOERROR" in out and "ns1.lab.example.org." in out, out)
            check("WARNING" not in out, out)


def test_delv_validates_the_signed_zones() -> None:
    """Positive, wildcard, no data, no such name, and below an unsigned delegation where the zone has them."""
    with signed() as server:
        for origin in ("nsec.example", "nsec3.example", "optout.example"):
            for name, rtype, want in ((origin, "SOA", "fully validated"), (origin, "NS", "fully validated"),
                                      (origin, "TYPE4242", "negative response, fully validated"),
                                      (f"no.such.name.at.all.{origin}", "A", "negative response, fully validated")):
                out = client("delv", f"@{server.host}", "-p", server.port, "-a", ZONES / "signed" / f"{origin}.anchor", f"+root={origin}",
                             "+multiline", name, rtype)
                check(want in out, f"{name} {rtype}: {out}")


def test_dnsperf() -> None:
    with Files() as files, sample("--workers", "2") as server:
        names = files.write("names", "".join(f"n{i}.dev.example.org A\nwww.example.org AAAA\nnothing{i}.example.org MX\n" for i in range(200)))
        for mode in ("udp", "tcp"):
            out = client("dnsperf", "-s", server.host, "-p", server.port, "-d", names, "-m", mode, "-n", 20, "-c", 10, "-q", 50)
            check("Queries lost:         0 " in out, out)
            check("Queries completed:    12000 (100.00%)" in out, out)
            check("NOERROR 8000 (66.67%), NXDOMAIN 4000 (33.33%)" in out, out)


if __name__ == "__main__":
    sys.exit(main(dict(globals())))
