#!/usr/bin/env python3
"""Which functions of `mrg-dns` a start and answers run: what is together in its file, so that few pages of it are ever in memory.

    python3 mk/order.py build/bin/mrg-dns > appliances/dns/order.list

It serves a small zone under valgrind and asks over UDP and TCP.  The list is
of functions of ours, and of members of others' archives as ARCHIVE:MEMBER.
"""

from __future__ import annotations

import re
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path

ZONE = "appliances/dns/example.org.zone"
HEAD = "# What a start and answers run, which lies together in the program: made by mk/order.py.\n"
ARCHIVES = ("libc.a", "libgcc_eh.a", "libnettle.a")  # of which functions have no sections of their own
CALLED = re.compile(r"^c?fn=\(\d+\) ([\w@]+)", re.M)
# a name that is there, one that is not, the apex; A, SOA, TXT; with EDNS and a cookie, and without
ASKED = [(name, type, edns) for name in ("www.example.org", "nobody.example.org", "example.org") for type in (1, 6, 16) for edns in (False, True)]


def query(name: str, type: int, edns: bool) -> bytes:
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split(".")) + b"\0"
    cookie = struct.pack(">2HQ", 10, 8, 0x0123456789ABCDEF)  # a client's alone: RFC 7873 4
    opt = struct.pack(">BHHIH", 0, 41, 1232, 0, len(cookie)) + cookie if edns else b""
    return struct.pack(">6H", 1, 0x0100, 1, 0, 0, edns) + labels + struct.pack(">2H", type, 1) + opt


def ask(port: int) -> None:
    """Everything over UDP, and then over one connection."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.connect(("127.0.0.1", port))
        s.settimeout(30)
        for one in ASKED:
            s.send(query(*one))
            s.recv(65535)
    with socket.create_connection(("127.0.0.1", port), 30) as t:
        for one in ASKED:
            message = query(*one)
            t.sendall(struct.pack(">H", len(message)) + message)
            t.recv(65535)


def called(program: str) -> set[str]:
    """The names of the functions that ran."""
    with tempfile.TemporaryDirectory() as room, socket.socket(socket.AF_INET, socket.SOCK_STREAM) as s:
        s.bind(("127.0.0.1", 0))
        port, out, log = s.getsockname()[1], Path(room) / "out", Path(room) / "log"
        s.close()
        command = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={out}", program, "--user", "root", "--listen", f"127.0.0.1:{port}",
                   "--zone", f"example.org={ZONE}", "--workers", "1"]  # fmt: skip
        with log.open("w") as to, subprocess.Popen(command, stdout=to, stderr=to) as server:
            while server.poll() is None and "event=ready" not in log.read_text():
                time.sleep(0.1)
            if server.poll() is not None:
                sys.exit(log.read_text())
            ask(port)
            server.send_signal(signal.SIGTERM)
        return set(CALLED.findall(out.read_text()))


def members() -> dict[str, set[str]]:
    """Which members of archives, ARCHIVE:MEMBER, have a function of this name."""
    found: dict[str, set[str]] = defaultdict(set)
    for archive in ARCHIVES:
        path = subprocess.run(["gcc", f"-print-file-name={archive}"], capture_output=True, text=True, check=True).stdout.strip()
        for line in subprocess.run(["nm", "-A", "--defined-only", path], capture_output=True, text=True, check=True).stdout.splitlines():
            member, _, symbol = line.removeprefix(path + ":").partition(":")
            words = symbol.split()
            if len(words) == 3 and words[1] in "tTiW":
                found[words[2]].add(f"{archive}:{member}")
    return found


def main() -> int:
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    names, known = called(sys.argv[1]), members()
    there = set()
    for line in subprocess.run(["nm", sys.argv[1]], capture_output=True, text=True, check=True).stdout.splitlines():
        *_, kind, name = line.split()
        if kind == "i":
            name += "_choice"  # what chooses it when the program starts (mrg_cpu.h)
            names.add(name)
        there.add(name.partition(".")[0])  # behind a point is what a compiler has made of it
    ours = sorted(name for name in names & there if name not in known and name.removesuffix("_choice") not in known)
    theirs = sorted({member for name in names for member in known.get(name, ()) if len(known[name]) == 1})
    sys.stdout.write(HEAD + "".join(f"{line}\n" for line in [*ours, *theirs]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
