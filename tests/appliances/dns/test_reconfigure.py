#!/usr/bin/env python3
"""The configuration read again while the server runs: zones come and go, keys, allow lists and primaries change, a fault changes nothing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import wire  # noqa: E402
from configured import NEW, OLD, Config, key, last_octet, rcode, secondary  # noqa: E402
from harness import ZONE, Files, Server, check, equal, main  # noqa: E402
from peers import free_port  # noqa: E402
from running import PATIENCE_S  # noqa: E402

def test_zones_come_and_go() -> None:
    with Files() as files:
        config = Config(files)
        a, b, c = (config.zone(f"{name}.example") for name in "abc")
        with Server(*config.write(*a, *b), "--workers", "2") as server:
            equal([rcode(server, f"www.{name}.example") for name in "abc"], [0, 0, 5])
            config.write(*b, *c)
            server.reload()
            equal([rcode(server, f"www.{name}.example") for name in "abc"], [5, 0, 0])
            check(any("event=zone_removed origin=a.example." in line for line in server.lines), "the log tells which is gone")
            config.write(*a, *config.zone("c.example", 8))
            equal(config.ctl("reload").stdout, "")
            equal([rcode(server, f"www.{name}.example") for name in "ab"], [0, 5])
            equal(last_octet(server, "c.example"), 8, "what stays is read again")
            equal(sorted(line.split()[0] for line in config.ctl("status").stdout.splitlines()), ["a.example.", "c.example."])
            check("no such zone" in config.ctl("dump", "b.example").stderr, "what is gone can't be asked for")
            equal(server.end(), 0)


def test_a_fault_changes_nothing() -> None:
    with Files() as files:
        config = Config(files)
        a, b = config.zone("a.example"), config.zone("b.example")
        with Server(*config.write(*a)) as server:
            bad = files.write("bad.zone", ZONE + "bad MX ten mail\n")
            for lines, told in (
                    ((*a, *b, "zonk c {", "}"), f"{config.path}:8:1: nothing that has lines of its own"),
                    ((*b, *secondary("c.example", 53, "notify nowhere")), f"{config.path}:7:1: notify nowhere: not an address"),
                    ((*b, "zone c.example {", "file x"), f"{config.path}:5:1: the block that begins here has no end"),
                    ((*b, *b), "two zones have the same origin"),
                    ((*b, "zone c.example {", f"file {bad}", "}"), f"{bad}:10:8: "),
                    ((*b, "zone c.example {", f"file {files.path}/nowhere", "}"), f"{files.path}/nowhere: No such file"),
                    ((), "no --zone")):
                config.write(*lines)
                done = config.ctl("reload")
                equal((done.returncode, done.stdout), (1, ""))
                check(told in done.stderr and "the old zones are served on" in done.stderr, f"{told}: {done.stderr}")
                server.wait_for("event=reload_failed")
                equal([rcode(server, f"www.{name}.example") for name in "abc"], [0, 5, 5])
                equal(config.ctl("status").stdout.count("\n"), 1)
            config.path.unlink()
            check(f"{config.path}: No such file" in config.ctl("reload").stderr, "the file is gone")
            config.write("nonsense here", *b)
            check("unknown option '--nonsense'" in server.reload(f"event=config_fault place={config.path}:2:1 what="), "the place and why")
            config.write(*b)
            server.reload()
            equal([rcode(server, f"www.{name}.example") for name in "ab"], [5, 0])


def transferred(server: Server, *words: str) -> bool:
    done = subprocess.run(["dig", "@127.0.0.1", "-p", str(server.port), "axfr", "a.example", "+tries=1", *words], capture_output=True,
                          text=True, timeout=PATIENCE_S)
    return "SOA" in done.stdout


def test_keys_and_allow_lists_take_effect() -> None:
    with Files() as files:
        config = Config(files)
        signed = [("-y", f"hmac-sha256:k.example:{secret}") for secret in (OLD, NEW)]
        states = (
            ((*key(OLD), *config.zone("a.example", 7, "allow-transfer any k.example")), (False, True, False)),
            ((*key(NEW), *config.zone("a.example", 7, "allow-transfer any k.example")), (False, False, True)),
            ((*key(NEW), *config.zone("a.example", 7, "allow-transfer 192.0.2.0/24")), (False, False, False)),
            (config.zone("a.example", 7, "allow-transfer 127.0.0.0/8"), (True, False, False)),
            (config.zone("a.example"), (False, False, False)),
        )
        with Server(*config.write(*states[0][0])) as server:
            for lines, expected in states:
                config.write(*lines)
                server.reload()
                equal((transferred(server), *(transferred(server, *words) for words in signed)), expected, str(lines))


def test_primaries_change() -> None:
    """The zone comes from whoever is its primary then, and what it held is served until that one has answered."""
    with Files() as files:
        one, two, own = (Config(files, name) for name in ("one", "two", "own"))
        port = free_port()
        with Server(*one.write(*one.zone("a.example", 11, "allow-transfer any"))) as first, Server(
                *two.write(*key(OLD), *two.zone("a.example", 12, "allow-transfer any k.example"))) as second, Server(
                *own.write(f"listen 127.0.0.1:{port}", *secondary("a.example", first.port)), listen=()) as server:
            server.wait_for("event=zone origin=a.example. serial=11 ")
            equal(last_octet(server, "a.example"), 11)
            own.write(f"listen 127.0.0.1:{port}", *key(NEW), "zone a.example {", f"primary 127.0.0.1:{second.port} k.example", "}")
            server.reload()
            server.wait_for("event=primary_refuses")
            equal(last_octet(server, "a.example"), 11, "what is held, while the key is wrong")
            own.write(f"listen 127.0.0.1:{port}", *key(OLD), "zone a.example {", f"primary 127.0.0.1:{second.port} k.example", "}")
            server.reload()
            server.wait_for("event=zone origin=a.example. serial=12 ")
            equal(last_octet(server, "a.example"), 12)
            own.write(f"listen 127.0.0.1:{port}", *own.zone("a.example", 13))
            server.reload()
            equal(last_octet(server, "a.example"), 13, "of a file now")
            equal(own.ctl("transfer", "a.example").stderr, "mrg-dnsctl: it has no primary\n")
            own.write(f"listen 127.0.0.1:{port}", *secondary("a.example", first.port))
            server.reload()
            equal(last_octet(server, "a.example"), 13, "of a primary again, which has nothing newer")
            own.write(f"listen 127.0.0.1:{port}", *own.zone("b.example"))
            server.reload()
            equal([rcode(server, f"www.{name}.example") for name in "ab"], [5, 0])
            equal(server.end(), 0)


def test_new_secondaries_are_fetched_and_told() -> None:
    """Whom to tell is as the configuration says now: who has a zone no more is told of nothing."""
    with Files() as files:
        primary, own = Config(files, "primary"), Config(files, "own")
        port = free_port()
        told = (f"notify 127.0.0.1:{port}", "allow-transfer any")
        with Server(*primary.write(*primary.zone("a.example", 11, *told))) as first, Server(
                *own.write(f"listen 127.0.0.1:{port}", *own.zone("x.example")), listen=()) as server:
            first.wait_for("event=notify_refused")
            own.write(f"listen 127.0.0.1:{port}", *own.zone("x.example"), *secondary("a.example", first.port))
            server.reload()
            server.wait_for("event=zone origin=a.example. serial=11 ")
            primary.write(*primary.zone("a.example", 12, *told))
            first.reload()
            server.wait_for("event=notified")
            server.wait_for("event=zone origin=a.example. serial=12 ")
            own.write(f"listen 127.0.0.1:{port}", *own.zone("x.example"))
            server.reload()
            primary.write(*primary.zone("a.example", 13, *told))
            first.reload()
            first.wait_for("event=notify_refused")
            check(not any("serial=13" in line for line in server.lines), "nothing is fetched")
            equal(rcode(server, "www.a.example"), 5)


def test_what_needs_a_restart_is_told() -> None:
    with Files() as files:
        config = Config(files)
        a = config.zone("a.example")
        with Server(*config.write(*a)) as server:
            files.write("mrg.conf", "".join(f"{line}\n" for line in (f"control {files.path}/other", "workers 2", "udp-max 4000", "rate 5", "tcp-per-client 3",
                                                                     "listen 127.0.0.1:1", "metrics 127.0.0.1:1", "user root",
                                                                     f"query-log {files.path}/log", "query-log-sample 9", "dnstap unix:/none", *a)))
            server.reload()
            told = [line.rpartition("=")[2] for line in server.lines if "event=needs_restart" in line]
            equal(sorted(told), ["control", "dnstap", "listen", "metrics", "query-log", "query-log-sample", "rate", "tcp-per-client", "udp-max", "user",
                                 "workers"])
            equal(rcode(server, "www.a.example"), 0)
            files.write("mrg.conf", "".join(f"{line}\n" for line in (f"control {config.socket}", 'version-text "the second"', *a)))
            before = len(server.lines)
            server.reload()
            equal([line for line in server.lines[before:] if "needs_restart" in line], [], "as at the start")
            equal(wire.read(server.udp(wire.query("version.bind", wire.TXT, 3))).rdata(wire.TXT), [b"\x0athe second"])


def size_kib(server: Server, what: str) -> int:
    rows = Path(f"/proc/{server.process.pid}/status").read_text().splitlines()
    return int(next(row.split()[1] for row in rows if row.startswith(what)))


def test_nothing_is_lost_or_left_while_zones_come_and_go() -> None:
    """A client asks without pause; each question has an answer, and what is replaced is freed."""
    with Files() as files:
        config = Config(files)
        always = config.zone("always.example")
        zones = [config.zone(f"z{i}.example") for i in range(20)]
        with Server(*config.write(*always), "--workers", "2") as server:
            sizes = []
            with server.asked_meanwhile(wire.query("www.always.example"), lambda reply: equal(reply.rcode, 0)):
                for i in range(60):
                    some = [line for z in zones[i % 20:] for line in z]
                    config.write(*key(NEW if i % 2 else OLD), *always, *some)
                    server.reload()
                    if i % 20 == 19:
                        sizes.append((size_kib(server, "VmSize"), size_kib(server, "VmRSS")))
            check(sizes[2][0] < sizes[0][0] + (1 << 20), f"address space: {sizes}")
            check(sizes[2][1] < sizes[0][1] + 4096, f"memory: {sizes}")
            equal(server.end(), 0)


if __name__ == "__main__":
    sys.exit(main(dict(globals())))
