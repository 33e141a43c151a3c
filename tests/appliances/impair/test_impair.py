#!/usr/bin/env python3
"""mrg-impair between two hosts of the kernel's: nothing is lost that should not be, and every evil comes about as told."""

from __future__ import annotations

import hashlib
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from netns import Space, cable, main, need  # noqa: E402
from running import PATIENCE_S, Files, Running, check, equal, run_program  # noqa: E402

LEFT, RIGHT = "10.9.0.1", "10.9.0.2"
LEFT6, RIGHT6 = "fd09::1", "fd09::2"
BIG = 4_000_000  # octets; hundreds of joined segments

SINK = """
import hashlib, socket, sys
s = socket.create_server(("::", 5555), family=socket.AF_INET6, dualstack_ipv6=True)
print("ready", flush=True)
c, _ = s.accept()
h = hashlib.md5()
while True:
    b = c.recv(65536)
    if not b:
        break
    h.update(b)
c.sendall(h.hexdigest().encode())
c.close()
"""
SOURCE = """
import socket, sys
c = socket.create_connection((sys.argv[1], 5555))
c.sendall(open(sys.argv[2], "rb").read())
c.shutdown(socket.SHUT_WR)
print(c.makefile().read())
"""
HEAR = """
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.SOL_SOCKET, 33, 64 << 20)
s.bind(("0.0.0.0", 6666))
print("ready", flush=True)
got = []
while True:
    b = s.recv(2000)
    if b[:3] == b"end":
        break
    got.append(int(b.split()[0]))
print(" ".join(map(str, got)))
"""
TELL = """
import socket, sys, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.connect((sys.argv[1], 6666))
for i in range(int(sys.argv[2])):
    s.send(b"%d " % i + b"x" * 500)
    if i % 50 == 49:
        time.sleep(0.001)
time.sleep(0.2)
for i in range(200):
    try:
        s.send(b"end" + b"x" * 500)
    except ConnectionRefusedError:
        break  # it has heard one, and is gone
"""


class Impair(Running):
    program = "mrg-impair"

    def __init__(self, space: Space, *args: str) -> None:
        super().__init__(*args, "left", "right", listen=(), prefix=space.prefix, stdout=subprocess.PIPE)

    def __enter__(self) -> Impair:
        return self

    def finish(self, how: signal.Signals = signal.SIGINT) -> list[dict[str, int]]:
        """End it; what it counted, for each direction."""
        equal(self.end(how), 0, "exit status")
        return self.counts()

    def counts(self) -> list[dict[str, int]]:
        assert self.process.stdout is not None
        text = self.process.stdout.read().decode()
        rows = [dict(re.findall(r"(\w+)=(\S+)", line)) for line in text.splitlines()]
        equal([(r["from"], r["to"]) for r in rows], [("left", "right"), ("right", "left")], "directions")
        return [{k: int(v) for k, v in r.items() if v.isdigit()} for r in rows]


class Net:
    """left host - bridge - right host."""

    def __init__(self, *, six: bool = True) -> None:
        self.left, self.middle, self.right = (Space(six=six) for _ in range(3))
        cable(self.left, "eth", self.middle, "left")
        cable(self.right, "eth", self.middle, "right")
        self.left.address("eth", f"{LEFT}/24", *([f"{LEFT6}/64"] if six else []))
        self.right.address("eth", f"{RIGHT}/24", *([f"{RIGHT6}/64"] if six else []))

    def __enter__(self) -> Net:
        return self

    def __exit__(self, *_: object) -> None:
        for space in (self.left, self.middle, self.right):
            space.__exit__()

    def know_each_other(self) -> None:
        """No ARP: the n-th frame is the n-th datagram."""
        self.left.ip("neigh", "replace", RIGHT, "lladdr", self.right.mac("eth"), "dev", "eth", "nud", "permanent")
        self.right.ip("neigh", "replace", LEFT, "lladdr", self.left.mac("eth"), "dev", "eth", "nud", "permanent")

    def ping(self, to: str, *args: object) -> str:
        return self.left.run("ping", "-c", "3", "-i", "0.02", "-W", "10", *args, to)

    def send_file(self, to: str, path: Path) -> str:
        """The digest of what arrived."""
        sink = self.right.start(sys.executable, "-c", SINK)
        try:
            assert sink.stdout is not None
            equal(sink.stdout.readline(), "ready\n")
            digest = self.left.run(sys.executable, "-c", SOURCE, to, path, timeout=PATIENCE_S * 2).strip()
            sink.communicate(timeout=PATIENCE_S)
            return digest
        finally:
            sink.kill()
            sink.communicate()

    def datagrams(self, count: int) -> list[int]:
        """The numbers of those that arrived, in order."""
        ear = self.right.start(sys.executable, "-c", HEAR)
        try:
            assert ear.stdout is not None
            equal(ear.stdout.readline(), "ready\n")
            self.left.run(sys.executable, "-c", TELL, RIGHT, count)
            return [int(n) for n in ear.communicate(timeout=PATIENCE_S)[0].split()]
        finally:
            ear.kill()
            ear.communicate()


def big_file(files: Files) -> tuple[Path, str]:
    data = os.urandom(BIG)
    return files.write("big", data), hashlib.md5(data).hexdigest()


def test_a_good_link_carries_everything() -> None:
    need("ping")
    with Net() as net, Files() as files, Impair(net.middle) as impair:
        path, digest = big_file(files)
        for to in (RIGHT6, RIGHT):
            net.ping(to)
            net.ping(to, "-s", "4000")
            equal(net.send_file(to, path), digest, f"what arrived at {to}")
        there, back = impair.finish()
        # joined segments were cut: no frame has more data than the MTU allows
        check(there["frames"] >= 2 * BIG // 1448, there)
        for row in (there, back):
            equal(row["sent"], row["frames"], "all that came went")
            equal(sum(row[k] for k in ("lost", "refused", "no_room", "uncut", "corrupted", "truncated")), 0, "nothing else")


def test_everything_at_once_and_still_the_right_bytes() -> None:
    with Net() as net, Files() as files, Impair(
            net.middle, "--seed", "3", "--loss", "2", "--burst", "0.1,30", "--duplicate", "2", "--reorder", "3,2", "--corrupt", "1",
            "--truncate", "0.5", "--delay", "1", "--jitter", "0.5") as impair:
        path, digest = big_file(files)
        for to in (RIGHT6, RIGHT):
            equal(net.send_file(to, path), digest, f"what arrived at {to}")
        there, _ = impair.finish(signal.SIGTERM)
        for evil in ("lost", "lost_in_bursts", "duplicated", "reordered", "corrupted", "truncated"):
            check(there[evil] > 0, f"{evil}: {there}")
        equal(there["sent"], there["frames"] - there["lost"] - there["lost_in_bursts"] + there["duplicated"] - there["waiting"], "what went")


def one_run(*args: str, count: int = 2000) -> tuple[list[int], dict[str, int]]:
    with Net(six=False) as net:
        net.know_each_other()
        with Impair(net.middle, *args) as impair:
            got = net.datagrams(count)
            return got, impair.finish()[0]


def test_the_same_seed_is_the_same_fate() -> None:
    first, there = one_run("--loss", "10", "--seed", "7")
    again, _ = one_run("--loss", "10", "--seed", "7")
    other, _ = one_run("--loss", "10", "--seed", "8")
    equal(again, first, "datagrams that arrived")
    check(first != other, "another seed loses the same")
    check(first == sorted(first) and 1700 < len(first) < 1900, f"{len(first)} arrived")
    check(there["lost"] >= 2000 - len(first), there)
    # and more loss loses the same, and more
    more, _ = one_run("--loss", "20", "--seed", "7")
    check(set(more) < set(first), "what arrives with more loss")


def test_duplicates_arrive_twice() -> None:
    got, _ = one_run("--duplicate", "10")
    equal(sorted(set(got)), list(range(2000)), "all")
    check(100 < len(got) - 2000 < 300, f"{len(got)} arrived")


def test_some_are_overtaken() -> None:
    got, there = one_run("--reorder", "5,20")
    equal(sorted(got), list(range(2000)), "all")
    check(got != sorted(got), "in order")
    check(there["reordered"] > 50, there)


def test_altered_frames_do_not_arrive_as_if_they_were_not() -> None:
    got, there = one_run("--corrupt", "20", "--truncate", "20")
    check(there["corrupted"] > 300 and there["truncated"] > 300, there)
    check(len(got) >= 2000 - there["corrupted"] - there["truncated"], f"{len(got)} arrived of {there}")
    check(len(got) < 2000 - there["truncated"] // 2, f"{len(got)} arrived of {there}")


def test_a_slow_line_loses_what_does_not_wait() -> None:
    got, there = one_run("--rate", "8000", "--queue", "20000", count=500)
    check(there["overflows"] > 0, there)
    check(len(got) >= 500 - there["overflows"] and len(got) < 500, f"{len(got)} of {there}")


def test_a_delay_delays() -> None:
    with Net() as net, Impair(net.middle, "--delay", "30") as impair:
        found = re.search(r"rtt min/avg/max/mdev = ([\d.]+)/", net.ping(RIGHT))
        check(found is not None and float(found.group(1)) >= 60.0, found)
        impair.finish()


def test_an_interface_that_goes_ends_it() -> None:
    with Net() as net, Impair(net.middle) as impair:
        net.middle.ip("link", "del", "right")
        net.left.attempt("ping", "-c", "1", "-W", "0.1", RIGHT)
        equal(impair.wait_end(), 4, "exit status")
        check(any("event=link_gone device=right" in line for line in impair.lines), impair.lines)
        impair.counts()


def test_wrong_usage_is_said() -> None:
    for args, want in ((["--loss", "101", "a", "b"], "--loss 101: not a value"), (["--loss", "x", "a", "b"], "--loss x"),
                       (["--burst", "5", "a", "b"], "--burst 5"), (["--reorder", "1,2,3", "a", "b"], "--reorder 1,2,3"),
                       (["--seed", "-1", "a", "b"], "--seed -1"), (["a"], "expected two interfaces"),
                       (["a", "a"], "expected two interfaces"), (["a", "b", "c"], "expected two interfaces"), (["--nonsense"], "nonsense")):
        done = run_program("mrg-impair", *args)
        equal(done.returncode, 2, str(args))
        check(want in done.stderr, done.stderr)
    done = run_program("mrg-impair", "mrg-none-1", "mrg-none-2")
    equal(done.returncode, 3, "no such interface")
    equal(done.stderr, "mrg-impair: mrg-none-1: SIOCGIFHWADDR: No such device\n", "what is said")
    equal(run_program("mrg-impair", "--help").returncode, 0, "--help")


if __name__ == "__main__":
    sys.exit(main(dict(globals())))
