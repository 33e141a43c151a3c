#!/usr/bin/env python3
"""Servers on their own TCP/IP that have locked themselves in: six system calls, and three more where the kernel's TCP has the figures."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from stack import METRICS, OURS, OURS6, Dns, Echo, Files, Host, Packets, Taps, check, equal, run_program  # noqa: E402
from netns import main as with_namespaces  # noqa: E402
from running import Running  # noqa: E402
from sandboxed import check_locked_in, main  # noqa: E402

CALLS = 6       # to wait, read, write, close the device, tell the time, end
FIGURES = 3     # to accept connections of the kernel's, watch and end them
RECORDING = 2   # to empty a file and write it

ECHO = """
import socket, sys
c = socket.create_connection((sys.argv[1], 7), timeout=60)
sent = bytes(range(256)) * 4096
got = b""
c.settimeout(60)
for at in range(0, len(sent), 65536):
    c.sendall(sent[at:at + 65536])
    while len(got) < at + 65536:
        more = c.recv(1 << 20)
        assert more
        got += more
assert got == sent
u = socket.socket(socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET, socket.SOCK_DGRAM)
u.settimeout(60)
u.connect((sys.argv[1], 7))
u.send(b"a datagram")
assert u.recv(100) == b"a datagram"
"""


class Logged(Running):
    program = "mrg-http"

    def __enter__(self) -> Logged:
        return self


def calls_of(host: Host) -> int:
    """A server shows figures where the client's namespace is its own as well."""
    return CALLS + FIGURES if host.other is host.space else CALLS


def ends(server: Running, how: signal.Signals = signal.SIGTERM) -> None:
    equal(server.end(how), 0, "exit status")


def test_dns() -> None:
    for kind in (Taps, Packets):
        with kind() as host, Files() as files, Dns(host, files, "--sandbox") as server:
            check_locked_in(server, calls_of(host))
            equal(server.user_ids(), {"65534"}, "user")
            for at in (OURS, OURS6):
                equal(server.dig("www.example.org", at=at), "192.0.2.80", "by UDP")
                equal(server.dig("+tcp", "www.example.org", "AAAA", at=at), "2001:db8::80", "by TCP")
                equal(len(server.dig("long.example.org", "TXT", at=at).splitlines()), 200, "many records, by TCP after all")
            server.reload("event=reload_refused why=sandbox")
            server.process.send_signal(signal.SIGUSR2)
            server.wait_for("event=record_nothing")
            equal(server.dig("www.example.org"), "192.0.2.80", "after signals")
            if host.other is host.space:
                check(host.counts()["tcp.in_segs"] > 0, "figures")
                check("tcp" in host.curl(f"http://{METRICS}/metrics"), "figures")
            ends(server)
            check("event=stopped" in server.lines[-1], server.lines[-1])


def test_http() -> None:
    with Packets() as host, Files() as files:
        big = bytes(range(256)) * 20_000
        files.write("www/index.html", "<p>hello\n")
        files.write("www/big", big)
        equal(run_program("mrg-pack", files.path / "www", files.path / "site").returncode, 0, "mrg-pack")
        log = files.path / "log"
        with log.open("wb") as out:
            server = Logged("--net", host.net(), "--archive", str(files.path / "site"), "--access-log", "common", "--sandbox",
                            listen=(), prefix=host.other.prefix, stdout=out)
        host.up()
        with server:
            check_locked_in(server, CALLS)
            for at in (OURS, f"[{OURS6}]"):
                equal(host.curl(f"http://{at}/"), "<p>hello\n", "the index")
                host.curl(f"http://{at}/big", "-o", files.path / "got")
                check((files.path / "got").read_bytes() == big, "a big file")
            server.reload("event=reload_refused why=sandbox")
            ends(server, signal.SIGINT)
        equal(log.read_bytes().count(b" 200 "), 4, "lines of the access log")


def test_echo() -> None:
    with Taps() as host, Echo(host, "--sandbox") as server:
        check_locked_in(server, calls_of(host))
        for at in (OURS, OURS6):
            host.space.run(sys.executable, "-c", ECHO, at)
        ends(server)


def test_echo_on_a_hangup() -> None:
    """It has nothing to read again, with a sandbox or without."""
    for args in ((), ("--sandbox",)):
        with Taps() as host, Echo(host, *args) as server:
            ends(server, signal.SIGHUP)


def test_the_last_frames() -> None:
    """The file is open before the sandbox closes, so it can be written again and again."""
    with Taps() as host, Files() as files:
        pcap = files.path / "last.pcap"
        with Dns(host, files, "--sandbox", net=host.net(f"pcap={pcap}")) as server:
            check_locked_in(server, calls_of(host) + RECORDING)
            sizes = []
            for _ in range(2):
                equal(server.dig("www.example.org"), "192.0.2.80", "an answer")
                server.process.send_signal(signal.SIGUSR2)
                server.wait_for("event=recorded")
                sizes.append(pcap.stat().st_size)
            check(24 < sizes[0] < sizes[1], f"sizes {sizes}")
            equal(pcap.read_bytes()[:4].hex(), "4d3cb2a1", "the magic number, nanoseconds")
            ends(server)


def test_the_device_goes() -> None:
    """Its descriptor is closed then, so that the loop doesn't turn for nothing."""
    with Packets() as host, Files() as files, Dns(host, files, "--sandbox") as server:
        equal(server.dig("www.example.org"), "192.0.2.80", "an answer")
        host.other.ip("link", "del", "there")
        server.wait_for("event=link_gone")
        names = {fd.readlink().name for fd in Path(f"/proc/{server.process.pid}/fd").iterdir()}
        check(not any(name.startswith("socket:") for name in names), names)
        ends(server)




if __name__ == "__main__":
    sys.exit(main("mrg-dns", dict(globals()), with_namespaces))
