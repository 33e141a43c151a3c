#!/usr/bin/env python3
"""ping and arping against our own TCP/IP: every size, fragments, both families, both kinds of device."""

from __future__ import annotations

import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from stack import OURS, OURS6, Dns, Files, Host, Packets, Taps, check, equal, main, need  # noqa: E402

# Echo requests of many sizes, one after the other; prints the sizes that did not come back as they were.
SWEEP = """
import socket, struct, sys
to, sizes = sys.argv[1], eval(sys.argv[2])
six = ":" in to
s = socket.socket(socket.AF_INET6 if six else socket.AF_INET, socket.SOCK_DGRAM, 58 if six else 1)
s.settimeout(3)
s.connect((to, 0))
bad = []
for n, size in enumerate(sizes):
    data = bytes((i * 7 + n) & 255 for i in range(256)) * (size // 256 + 1)
    request = struct.pack(">BBHHH", 128 if six else 8, 0, 0, 0, n & 0xffff) + data[:size]
    for _ in range(3):
        s.send(request)
        try:
            while True:
                reply = s.recv(70000)
                if reply[6:8] == request[6:8]:
                    break
            if reply[8:] == request[8:] and reply[0] == (129 if six else 0):
                break
        except TimeoutError:
            pass
    else:
        bad.append(size)
print(len(sizes), bad)
"""
SIZES = "[*range(0, 1600), *range(1600, 65507, 311), 65506, 65507]"


def sweep(host: Host, to: str, sizes: str) -> None:
    out = host.space.run(sys.executable, "-c", SWEEP, to, sizes, timeout=300)
    equal(out.split(" ", 1)[1].strip(), "[]", f"sizes that did not come back from {to}")


def each_kind() -> list[type[Host]]:
    return [Taps, Packets]


def test_every_size_comes_back() -> None:
    for kind in each_kind():
        with kind() as host, Files() as files, Dns(host, files):
            sweep(host, OURS, SIZES)
            sweep(host, OURS6, SIZES)


def test_small_fragments_come_back() -> None:
    """The kernel's side has the smallest MTU that each family allows, so it cuts much, and ours joins it."""
    with Taps() as host, Files() as files, Dns(host, files):
        host.space.ip("link", "set", "tap0", "mtu", "1280")
        sweep(host, OURS6, "[1232, 1233, 5000, 20000, 65507]")
        host.space.ip("link", "set", "tap0", "mtu", "576")
        sweep(host, OURS, "[548, 549, 5000, 20000, 65507]")


def test_many_at_once() -> None:
    need("ping")
    with Taps() as host, Files() as files, Dns(host, files):
        for to in (OURS, OURS6):
            out = host.space.run("ping", "-q", "-c", "2000", "-i", "0", "-s", "1400", to)
            check("2000 packets transmitted, 2000 received" in out, out)


def test_arping() -> None:
    need("arping")
    with Taps() as host, Files() as files, Dns(host, files) as server:
        host.wait_for_count("arp.arp_out", 5)  # the address is claimed: three probes, two announcements (RFC 5227 section 1.1)
        out = host.space.run("arping", "-c", "2", "-I", "tap0", OURS)
        mac = next(line for line in server.lines if "event=net" in line).split("mac=")[1].split()[0]
        check(f"[{mac.upper()}]" in out, out)
        # nobody else's
        check(host.space.attempt("arping", "-c", "1", "-w", "1", "-I", "tap0", "10.77.0.3").returncode != 0, "an answer for another")
        # duplicate address detection finds us
        check(host.space.attempt("arping", "-D", "-c", "1", "-w", "2", "-I", "tap0", OURS).returncode == 1, "a duplicate that is not seen")


def test_others_frames_are_not_answered() -> None:
    with Packets() as host, Files() as files, Dns(host, files):
        host.space.ip("neigh", "replace", OURS, "lladdr", "02:00:00:00:00:99", "dev", "here", "nud", "permanent")
        check(host.space.attempt("ping", "-c", "1", "-W", "0.5", OURS).returncode == 1, "an answer to a frame for another station")


def test_the_hop_limit_is_that_of_the_internet() -> None:
    with Taps() as host, Files() as files, Dns(host, files):
        for to in (OURS, OURS6):
            found = re.search(r"ttl=(\d+)", host.space.run("ping", "-c", "1", to))
            equal(found and found.group(1), "64", f"hop limit of {to}")


def test_ports_that_nobody_has() -> None:
    with Taps() as host, Files() as files, Dns(host, files):
        for family, to in (("AF_INET", OURS), ("AF_INET6", OURS6)):
            out = host.space.run(sys.executable, "-c", f"""
import socket
s = socket.socket(socket.{family}, socket.SOCK_DGRAM)
s.settimeout(5)
s.connect(("{to}", 9999))
s.send(b"x")
try:
    s.recv(10)
except ConnectionRefusedError:
    print("udp refused")
try:
    socket.create_connection(("{to}", 9999), timeout=5)
except ConnectionRefusedError:
    print("tcp refused")
""")
            equal(out, "udp refused\ntcp refused\n", to)


if __name__ == "__main__":
    sys.exit(main(dict(globals())))
