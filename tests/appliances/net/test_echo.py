#!/usr/bin/env python3
"""mrg-echo on its own TCP/IP: octets both ways at once, datagrams of every size, peers that behave badly, bad links."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from bad import EVILS, Bad  # noqa: E402
from stack import OURS, OURS6, PATIENCE_S, Echo, Host, Packets, Taps, check, equal, main  # noqa: E402

# Sends so many octets and reads the same back; says whether they are. A third argument: octets of each write.
BACK = """
import os, random, socket, sys, threading
to, size, piece = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
data = random.Random(size).randbytes(size)
c = socket.create_connection((to, 7), timeout=60)
if piece < 2000:
    c.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
def send():
    for at in range(0, size, piece):
        c.sendall(data[at:at + piece])
    c.shutdown(socket.SHUT_WR)
t = threading.Thread(target=send)
t.start()
got = bytearray()
while True:
    b = c.recv(1 << 20)
    if not b:
        break
    got += b
t.join()
print("same" if bytes(got) == data else f"{len(got)} octets, not the same")
"""
DATAGRAMS = """
import socket, sys
to, sizes = sys.argv[1], eval(sys.argv[2])
s = socket.socket(socket.AF_INET6 if ":" in to else socket.AF_INET, socket.SOCK_DGRAM)
s.settimeout(2)
s.connect((to, 7))
bad = []
for n, size in enumerate(sizes):
    data = bytes((i * 5 + n) & 255 for i in range(256)) * (size // 256 + 1)
    for _ in range(3):
        s.send(data[:size])
        try:
            if s.recv(70000) == data[:size]:
                break
        except TimeoutError:
            pass
    else:
        bad.append(size)
print(bad)
"""


def back(host: Host, to: str, size: int, piece: int = 1 << 20) -> str:
    return host.space.run(sys.executable, "-c", BACK, to, size, piece, timeout=PATIENCE_S * 3).strip()


def test_octets_come_back() -> None:
    for kind in (Taps, Packets):
        with kind() as host, Echo(host):
            for to in (OURS, OURS6):
                for size in (0, 1, 1447, 1448, 1449, 65536, 5_000_000, 30_000_000):
                    equal(back(host, to, size), "same", f"{size} octets from {to}")
                equal(back(host, to, 20_000, 1), "same", "one by one")
                equal(back(host, to, 2_000_000, 777), "same", "in small pieces")


def test_many_connections() -> None:
    many = """
import socket, sys
all = [socket.create_connection((sys.argv[1], 7), timeout=30) for _ in range(1000)]
for i, c in enumerate(all):
    c.sendall(b"%06d" % i)
print(sum(c.recv(6) == b"%06d" % i for i, c in enumerate(all)))
"""
    with Taps() as host, Echo(host):
        equal(host.space.run(sys.executable, "-c", many, OURS).strip(), "1000", "connections that echo")


def test_datagrams_come_back() -> None:
    with Taps() as host, Echo(host):
        for to in (OURS, OURS6):
            out = host.space.run(sys.executable, "-c", DATAGRAMS, to, "[*range(1, 1500, 7), 1472, 1473, 1452, 1453]", timeout=120)
            equal(out.strip(), "[]", f"sizes that did not come back from {to}")


def test_bad_links_and_the_right_bytes() -> None:
    for seed, evils in enumerate(EVILS):
        with Bad("--seed", str(seed + 1), *evils) as bad, Echo(bad):
            for to in (OURS, OURS6):
                equal(back(bad, to, 500_000), "same", f"{' '.join(evils)}: {to}")


def test_a_peer_that_resets() -> None:
    reset = """
import socket, struct, sys
for i in range(200):
    c = socket.create_connection((sys.argv[1], 7), timeout=30)
    c.sendall(b"x" * 100000)
    c.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    c.close()
print("done")
"""
    with Taps() as host, Echo(host):
        equal(host.space.run(sys.executable, "-c", reset, OURS).strip(), "done")
        equal(back(host, OURS, 100_000), "same", "afterwards")
        host.wait_for_count("tcp.estab_resets", 150)
        check(host.counts()["tcp.connections"] <= 2, host.counts())


if __name__ == "__main__":
    sys.exit(main(dict(globals())))
