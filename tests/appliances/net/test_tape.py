#!/usr/bin/env python3
"""The last frames and the connections of our own TCP/IP: what tshark reads of them, who may have them, how much there is at most."""

from __future__ import annotations

import os
import re
import signal
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from stack import METRICS, OURS, OURS6, Dns, Echo, Files, Host, Http, Packets, Taps, check, command, equal, main, need, run_program  # noqa: E402

# Connects, sends so many octets, reads them back, says so, and stays.
STAY = """
import socket, sys
all = []
for _ in range(int(sys.argv[2])):
    c = socket.create_connection((sys.argv[1], 7), timeout=30)
    c.sendall(b"x" * 5000)
    n = 0
    while n < 5000:
        n += len(c.recv(65536))
    all.append(c)
print("there", flush=True)
sys.stdin.read()
"""


class Peers:
    """So many connections to the echo."""

    def __init__(self, host: Host, count: int, to: str = OURS) -> None:
        import subprocess
        self.process = subprocess.Popen([*host.space.prefix, sys.executable, "-c", STAY, to, str(count)], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        equal(self.process.stdout.readline(), "there\n", "the peers")

    def __enter__(self) -> Peers:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()


def fields(path: Path, *names: str, only: str = "") -> list[list[str]]:
    """Fields of all frames of a capture that is read without a complaint."""
    need("tshark")
    shown = [x for name in names for x in ("-e", name)]
    text = command("tshark", "-n", "-r", path, "-T", "fields", *shown, *(["-Y", only] if only else []))
    return [line.split("\t") for line in text.splitlines()]


def ping(host: Host, count: int, size: int = 56, to: str = OURS) -> None:
    host.space.run("ping", "-c", count, "-i", "0.002", "-s", size, "-W", "5", to)


def test_a_file_on_demand() -> None:
    need("capinfos")
    for kind in (Taps, Packets):
        with kind() as host, Files() as files:
            path = files.path / "last.pcap"
            with Echo(host, net=host.net("ring=64K", f"pcap={path}")) as server:
                before = time.time()
                ping(host, 20)
                server.process.send_signal(signal.SIGUSR2)
                line = server.wait_for("event=recorded")
                rows = fields(path, "frame.time_epoch", "icmp.seq", "icmp.type", only="icmp")
                equal([(r[1], r[2]) for r in rows], [(str(i // 2 + 1), "80"[i % 2]) for i in range(40)], "what tshark sees")
                times = [float(r[0]) for r in fields(path, "frame.time_epoch")]
                equal(times, sorted(times), "order")
                check(before - 60 < times[0] and times[-1] < time.time() + 1, times)
                count = re.search(r"frames=(\d+)", line)
                said = command("capinfos", "-c", "-M", path)
                check(count is not None and re.search(rf"Number of packets:\s+{count[1]}$", said, re.M) is not None, f"{line}: {said}")
                equal(os.stat(path).st_mode & 0o777, 0o600, "who may read it")
                # again, and it has the newer ones
                ping(host, 3, to=OURS6)
                server.process.send_signal(signal.SIGUSR2)
                server.wait_for("event=recorded")
                equal(len(fields(path, "icmpv6.echo.sequence_number", only="icmpv6.type in {128, 129}")), 6, "later ones")


def test_the_ring_is_bounded_and_frames_are_cut() -> None:
    with Taps() as host, Files() as files:
        path = files.path / "last.pcap"
        with Echo(host, net=host.net("ring=16K", "snap=64", f"pcap={path}")) as server:
            ping(host, 300, 1000)
            server.process.send_signal(signal.SIGUSR2)
            server.wait_for("event=recorded")
            check(path.stat().st_size <= 16384 + 24, path.stat().st_size)
            rows = fields(path, "frame.cap_len", "frame.len", "icmp.seq", only="icmp")
            check(len(rows) > 150, len(rows))
            equal({(r[0], r[1]) for r in rows}, {("64", "1042")}, "kept, and there were")
            equal(rows[-1][2], "300", "the last one")


def test_long_frames_have_their_length() -> None:
    with Taps() as host, Files() as files:
        path = files.path / "last.pcap"
        with Echo(host, net=host.net("ring=4M", "snap=65552", f"pcap={path}")) as server:
            with Peers(host, 1):
                pass
            server.process.send_signal(signal.SIGUSR2)
            server.wait_for("event=recorded")
            sent = fields(path, "tcp.len", only=f"tcp.srcport == 7 and ip.src == {OURS}")
            equal(sum(int(r[0]) for r in sent), 5000, "octets that tshark sees")
            check(all(a == b for a, b in fields(path, "frame.cap_len", "frame.len")), "nothing is cut")


def test_over_http() -> None:
    with Taps() as host, Files() as files:
        path = files.path / "got.pcap"
        with Echo(host, net=host.net("ring=64K")) as server:
            ping(host, 10)
            for _ in range(3):  # whoever asks for the head only does not keep it
                head = host.curl(f"http://{METRICS}/pcap", "-I")
                check("Content-Type: application/vnd.tcpdump.pcap" in head and "Access-Control" not in head, head)
            for _ in range(3):
                host.curl(f"http://{METRICS}/pcap", "-f", "-o", path)
                equal(len(fields(path, "icmp.seq", only="icmp")), 20, "frames")
            server.process.send_signal(signal.SIGUSR2)
            server.wait_for("level=warn event=record_nothing")


def test_who_is_given_it_slowly_keeps_it_as_it_was() -> None:
    with Taps() as host, Files() as files:
        one, two = files.path / "one.pcap", files.path / "two.pcap"
        with Echo(host, net=host.net("ring=16M", "snap=65552")):
            for _ in range(4):
                with Peers(host, 100):
                    pass
            ping(host, 5, to=OURS6)
            slow = host.space.start("curl", "-sS", "--limit-rate", "2M", "-o", one, f"http://{METRICS}/pcap")
            until = time.monotonic() + 30
            while not one.exists():  # it has begun
                check(time.monotonic() < until and slow.poll() is None, "the slow one")
                time.sleep(0.01)
            ping(host, 50)
            code = host.curl(f"http://{METRICS}/pcap", "-o", two, "-w", "%{http_code}")
            equal(slow.wait(60), 0, "the slow one")
            check(code in ("200", "503"), code)
            equal(len(fields(one, "icmp.seq", only="icmp.type == 8")), 0, "what came later")
            equal(host.curl(f"http://{METRICS}/pcap", "-o", two, "-w", "%{http_code}"), "200", "afterwards")
            equal(len(fields(two, "icmp.seq", only="icmp.type == 8")), 50, "what came later, now")


def test_nothing_is_kept_unless_asked_for() -> None:
    with Taps() as host, Files() as files, Dns(host, files) as server:
        equal(host.curl(f"http://{METRICS}/pcap", "-o", "/dev/null", "-w", "%{http_code}"), "404", "no ring=")
        server.process.send_signal(signal.SIGUSR2)
        server.wait_for("level=warn event=record_nothing")
        equal(server.dig("www.example.org"), "192.0.2.80", "it goes on")


def test_servers_write_it_when_they_are_somebody_else() -> None:
    with Taps() as host, Files() as files:
        path = files.path / "dns.pcap"  # in a folder that is root's alone
        files.path.chmod(0o755)
        with Dns(host, files, net=host.net(f"pcap={path}")) as dns:
            check("0" not in dns.user_ids(), dns.user_ids())
            equal(dns.dig("www.example.org"), "192.0.2.80")
            dns.process.send_signal(signal.SIGUSR2)
            dns.wait_for("event=recorded")
            equal(fields(path, "dns.a", only="dns.flags.response == 1"), [["192.0.2.80"]], "the answer")
            dns.reload()
            equal(dns.end(), 0)
    with Taps() as host, Files() as files:
        path = files.path / "http.pcap"
        files.write("www/index.html", "hello\n")
        with Http(host, "--root", str(files.path / "www"), net=host.net("ring=1M", "snap=2000", f"pcap={path}")) as http:
            equal(host.curl(f"http://{OURS}/"), "hello\n")
            http.process.send_signal(signal.SIGUSR2)
            http.wait_for("event=recorded")
            equal(fields(path, "http.response.code", only="http.response"), [["200"]], "the answer")


def test_a_file_that_cannot_be_had_is_told() -> None:
    with Taps() as host:
        for path, why in (("/nonexistent/x", "No such file or directory"), ("/dev/null", "not an ordinary file")):
            done = host.space.attempt(*program("mrg-echo"), "--net", host.net(f"pcap={path}"))
            equal((done.returncode, done.stderr), (4, f"mrg-echo: --net: pcap={path}: {why}\n"), path)


def program(name: str) -> list[str]:
    from running import BUILD
    return [str(BUILD / "bin" / name)]


def test_ping_writes_it_at_its_end() -> None:
    with Packets() as host, Files() as files:
        host.up()
        path = files.path / "ping.pcap"
        done = host.other.attempt(*program("mrg-ping"), "--net", host.net(f"pcap={path}"), "-c", "3", "-i", "0.1", "10.77.0.1")
        equal(done.returncode, 0, done.stderr)
        equal(len(fields(path, "icmp.seq", only="icmp")), 6, "frames")


# ---- connections ----

LINE = re.compile(r"(\S+) (\S+) (\w+) in:(\d+) out:(\d+)( \w+:\d+(,\d+)?)*( [a-z,]+)?")


def connections(host: Host) -> tuple[list[str], str]:
    lines = host.curl(f"http://{METRICS}/connections").splitlines()
    bad = [line for line in lines[:-1] if LINE.fullmatch(line) is None]
    equal(bad, [], "lines")
    return lines[:-1], lines[-1]


def test_connections_are_listed() -> None:
    with Taps() as host, Echo(host):
        equal(connections(host), ([], "# connections: 0"), "nobody")
        with Peers(host, 2), Peers(host, 1, OURS6):
            lines, last = connections(host)
            equal(last, "# connections: 3")
            equal(sorted(line.split()[0] for line in lines), sorted([f"{OURS}:7"] * 2 + [f"[{OURS6}]:7"]), "where")
            equal({line.split()[2] for line in lines}, {"Established"}, "states")
            for line in lines:
                check(re.search(r" in:0 out:0 .*mss:14[24]8 srtt_us:\d+ .*rto_ms:\d+ .*ts,sack", line) is not None, line)
        head = host.curl(f"http://{METRICS}/connections", "-i")
        check("Content-Type: text/plain" in head and "Access-Control" not in head, head)


def test_many_connections_are_counted() -> None:
    with Taps() as host, Echo(host), Peers(host, 400):
        lines, last = connections(host)
        equal((len(lines), last), (100, "# connections: 400, not shown: 300"), "shown")
        check(len("\n".join(lines)) < 44 << 10, "it fits")


def test_the_help_says_so() -> None:
    for name in ("mrg-dns", "mrg-http", "mrg-echo", "mrg-ping"):
        check("ring=BYTES" in run_program(name, "--help").stdout, name)


# ---- figures ----

def test_a_page_of_figures_that_is_full_says_so() -> None:
    label = "x" * 60
    with Taps() as host, Files() as files:
        zone = files.write("small", "@ 300 SOA ns1 hostmaster 7 7200 900 1209600 300\n@ 300 NS ns1\nns1 300 A 192.0.2.53\n")
        more = [x for i in range(300) for x in ("--zone", f"{i}.{label}.{label}.example.org={zone}")]
        with Dns(host, files, *more):
            text = host.curl(f"http://{METRICS}/metrics", "-f")
            check(len(text) < 44 << 10 and text.endswith("\nmrg_page_cut 1\n"), text[-300:])
            for line in text.splitlines():
                check(line.startswith("#") or re.fullmatch(r'\w+(\{[^{}]*"\})? \d+(\.\d+)?', line) is not None, line)


if __name__ == "__main__":
    sys.exit(main(dict(globals())))
