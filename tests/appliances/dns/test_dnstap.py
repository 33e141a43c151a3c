#!/usr/bin/env python3
"""What collectors are told: by a reader of our own, by fstrm_capture and by dnstap-read; over a socket and in a file; while they come and go."""

from __future__ import annotations

import ipaddress
import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import frames  # noqa: E402
import wire  # noqa: E402
from frames import Collector, Told  # noqa: E402
from harness import PATIENCE_S, ZONE, Files, Server, check, equal, main, receive  # noqa: E402
from peers import dig  # noqa: E402
from test_query_log import figure, served, telling  # noqa: E402
from test_update import NOTIFY, nsupdate  # noqa: E402


def ask_all(server: Server) -> list[tuple[bytes, bytes, int, str]]:
    """Query, reply, Message.SocketProtocol, and the client's address and port."""
    out = []
    for message in (wire.query("www.example.org"), wire.query("none.example.org"), wire.with_opt(wire.query("www.example.org", wire.AAAA), version=1)):
        with server.udp_socket() as s:
            s.send(message)
            out.append((message, s.recv(65536), 1, "%s %d" % s.getsockname()[:2]))
    with server.tcp_socket() as s:
        message = wire.query("www.example.org", ident=7)
        s.sendall(wire.frame(message))
        out.append((message, receive(s), 2, "%s %d" % s.getsockname()[:2]))
    return out


def compare(server: Server, got: list[Told], asked: list[tuple[bytes, bytes, int, str]], identity: bytes) -> None:
    equal(len(got), 2 * len(asked))
    for i, (query, reply, protocol, client) in enumerate(asked):
        first, second = got[2 * i: 2 * i + 2]
        equal((first.type, first.message, second.type, second.message), (frames.QUERY, query, frames.RESPONSE, reply))
        for one in (first, second):
            equal((one.outer[1], one.outer[2]), (identity, b"mrg-dns 0.1.0"))
            equal((one.inner[2], one.inner[3]), (1, protocol), "INET, and the transport")
            equal("%s %d" % (ipaddress.ip_address(one.inner[4]), one.inner[6]), client)
            equal((str(ipaddress.ip_address(one.inner[5])), one.inner[7]), server.addresses[0])
            check(abs(one.inner[8] - time.time()) < 3600 and one.inner[9] < 10 ** 9, "when it came")
        check((second.inner[12], second.inner[13]) >= (second.inner[8], second.inner[9]), "replied after it came")
        check(12 not in first.inner and 14 not in first.inner and 10 not in second.inner, "each has its own")


def test_into_a_file() -> None:
    with Files() as files:
        tap = files.path / "tap"
        with Server(*served(files, "--dnstap", str(tap), "--identity", "ns1")) as server:
            asked = ask_all(server)
            equal(server.end(), 0)
        compare(server, frames.of_file(tap.read_bytes()), asked, b"ns1")
        done = subprocess.run(["dnstap-read", tap], capture_output=True, text=True, check=True)
        found = [re.sub(r"^\S+ \S+ ", "", line) for line in done.stdout.splitlines()]
        place = "%s:%d" % server.addresses[0]
        equal(found[0:2], [f"AQ {asked[0][3].replace(' ', ':')} -> {place} UDP {len(asked[0][0])}b www.example.org/IN/A",
                           f"AR {asked[0][3].replace(' ', ':')} <- {place} UDP {len(asked[0][1])}b www.example.org/IN/A"])
        equal((len(found), found[7].split()[4]), (8, "TCP"))


def test_transfers_and_changes() -> None:
    """Each with its reply, of a transfer the first message; updates have types of their own."""
    with Files() as files:
        tap = files.path / "tap"
        with Server(*telling(files, 1000)) as server:
            for name in ("axfr", "ixfr=6"):
                check("SOA" in dig(server.port, "+tcp", name, "example.org"), name)
            notify = wire.query("other.example", wire.SOA, flags=NOTIFY)
            heard = server.udp(notify)
            for tcp in (False, True):
                equal(nsupdate(server, f"update add new{tcp:d}.example.org 60 A 192.0.2.99", tcp=tcp), "")
            equal(server.end(), 0)
        got = frames.of_file(tap.read_bytes())
        equal([one.type for one in got], 3 * [frames.QUERY, frames.RESPONSE] + 2 * [frames.UPDATE_QUERY, frames.UPDATE_RESPONSE])
        equal([one.inner[3] for one in got], 4 * [2] + 2 * [1] + 2 * [1] + 2 * [2], "transports")
        equal((got[4].message, got[5].message), (notify, heard))
        for one in got:
            equal((str(ipaddress.ip_address(one.inner[5])), one.inner[7]), server.addresses[0])
            check(one.message[:2] != b"\0\0", "the message")
        done = subprocess.run(["dnstap-read", tap], capture_output=True, text=True, check=True)
        found = [(line.split()[2], line.split()[-1]) for line in done.stdout.splitlines()]
        names = ["example.org/IN/AXFR", "example.org/IN/IXFR", "other.example/IN/SOA"]
        equal(found, [(kind, name) for name in names for kind in ("AQ", "AR")] + 2 * [("UQ", "example.org/IN/SOA")],
              "replies to updates have no question (RFC 2136 3.8), and are not shown")
        done = subprocess.run(["kdig", "-G", tap], capture_output=True, text=True, check=True)
        equal(done.stdout.count("opcode: UPDATE; status: NOERROR"), 2, "another reader has them")


def test_to_who_listens() -> None:
    """Without an identity of its own it has the machine's."""
    with Files() as files:
        collector = Collector(f"{files.path}/tap")
        with Server(*served(files, "--dnstap", f"unix:{files.path}/tap")) as server, collector:
            collector.begin(b"protobuf:other.Other", frames.CONTENT_TYPE)
            asked = ask_all(server)
            got = [collector.next() for _ in range(2 * len(asked))]
            compare(server, got, asked, os.uname().nodename.encode()[:64])
            server.ask("last.example.org")
            server.process.send_signal(signal.SIGTERM)
            equal(len(collector.finish()), 2, "what is left comes before the end")
            equal(server.wait_end(), 0)
        collector.close()


def test_fstrm_capture_takes_it() -> None:
    with Files() as files:
        files.path.chmod(0o777)
        out, at = files.path / "out", f"{files.path}/tap"
        capture = subprocess.Popen(["fstrm_capture", "-t", frames.CONTENT_TYPE.decode(), "-u", at, "-w", out, "-dddd"], stderr=subprocess.PIPE, text=True)
        assert capture.stderr is not None
        limit = threading.Timer(PATIENCE_S, capture.kill)
        limit.start()
        try:
            with Server(*served(files, "--dnstap", f"unix:{at}", "--identity", "ns1")) as server:
                for line in capture.stderr:
                    if "START" in line:
                        break
                asked = ask_all(server)
                equal(server.end(), 0)
            for line in capture.stderr:
                if "FINISH" in line:
                    break
        finally:
            limit.cancel()
            capture.terminate()
            capture.communicate(timeout=PATIENCE_S)
        compare(server, frames.of_file(out.read_bytes()), asked, b"ns1")


def test_who_goes_away_is_found_again() -> None:
    """From nobody there to somebody, who dies, and another one: what is asked meanwhile is told then, frames whole."""
    with Files() as files:
        at = f"{files.path}/tap"
        with Server(*served(files, "--dnstap", f"unix:{at}", "--metrics", "127.0.0.1:0")) as server:
            failing = "event=log_failing option=--dnstap"
            if not any(failing in line for line in server.lines):  # before it was ready, or after
                server.wait_for(failing)
            server.ask("one.example.org")
            collector = Collector(at)
            with collector:
                collector.begin()
                server.wait_for("event=log_well option=--dnstap")
                check(b"\3one" in collector.next().message and b"\3one" in collector.next().message, "it was kept")
            collector.close()
            os.unlink(at)
            server.wait_for(failing)
            server.ask("two.example.org")
            collector = Collector(at)
            with collector:
                collector.begin()
                check(b"\3two" in collector.next().message and b"\3two" in collector.next().message, "likewise")
            equal(figure(server, 'mrg_dns_log_dropped_total{where="dnstap"}'), 0)
            collector.close()


def test_what_is_no_collector_is_left_alone() -> None:
    """Who takes another content type, says nonsense, or accepts twice: it is asked again later, and questions are answered."""
    data = b"\0\0\0\1x"
    with Files() as files:
        collector = Collector(f"{files.path}/tap")
        with Server(*served(files, "--dnstap", f"unix:{files.path}/tap")) as server:
            for words in (frames.control(frames.ACCEPT, b"protobuf:other.Other"), data, frames.control(frames.FINISH), frames.control(99),
                          b"\0\0\0\0\xff\xff\xff\xff"):
                with collector:
                    collector.expect(frames.READY)
                    collector.connection.sendall(words)
                    equal(collector.connection.recv(1), b"", f"it hangs up on {words!r}")
            with collector:
                collector.begin(frames.CONTENT_TYPE)
                collector.connection.sendall(frames.control(frames.ACCEPT))
                equal(collector.connection.recv(1), b"", "on the second as well")
            with collector:
                for octet in frames.control(frames.ACCEPT, frames.CONTENT_TYPE):  # in as many pieces as can be
                    collector.send_alone(bytes((octet,)))
                collector.expect(frames.READY)
                collector.expect(frames.START)
                server.ask("www.example.org")
                equal(collector.next().type, frames.QUERY)
        collector.close()


def flood(server: Server) -> int:
    """Ask, and get replies, until it finds no room for what is to be told: how many there were."""
    asked = 0
    with server.tcp_socket() as s:
        while asked < 1000000 and figure(server, 'mrg_dns_log_dropped_total{where="dnstap"}') == 0:
            for i in range(asked, asked + 500):
                s.sendall(wire.frame(wire.query(f"n{i}." + ("x" * 60 + ".") * 3 + "example.org")))
                receive(s)
            asked += 500
    return asked


def numbers(got: list[Told]) -> list[int]:
    return [int(wire.read(one.message).questions[0][0].split(".")[0][1:]) for one in got]


def test_who_reads_nothing_loses_what_finds_no_room() -> None:
    """All is told or counted, in order, whole; each query had its reply."""
    with Files() as files:
        collector = Collector(f"{files.path}/tap")
        with Server(*served(files, "--dnstap", f"unix:{files.path}/tap", "--metrics", "127.0.0.1:0")) as server, collector:
            collector.begin(frames.CONTENT_TYPE)
            asked = flood(server)
            server.process.send_signal(signal.SIGTERM)
            got = collector.finish()
            equal(server.wait_end(), 0)
        collector.close()
        found = numbers([one for one in got if one.type == frames.RESPONSE])
        check(0 < len(found) < asked and found == sorted(set(found)) and len(got) == 2 * len(found), f"{len(found)} of {asked}")
        equal(found[:100], list(range(100)))


def test_a_frame_that_was_sent_in_part_is_sent_again() -> None:
    with Files() as files:
        collector = Collector(f"{files.path}/tap")
        with Server(*served(files, "--dnstap", f"unix:{files.path}/tap", "--metrics", "127.0.0.1:0")) as server:
            with collector:
                collector.begin(frames.CONTENT_TYPE)
                asked = flood(server)
                begun = collector.next()  # the rest of what it was sent dies with it
            with collector:
                collector.begin(frames.CONTENT_TYPE)
                server.process.send_signal(signal.SIGTERM)
                found = numbers(collector.finish())
                equal(server.wait_end(), 0)
        collector.close()
        equal(numbers([begun]), [0])
        check(0 < found[0] and found[-1] < asked and found == sorted(found), "it goes on with a whole one, where the other was")


def test_one_of_so_many() -> None:
    with Files() as files:
        tap = files.path / "tap"
        with Server(*served(files, "--dnstap", str(tap), "--query-log-sample", "5")) as server:
            for i in range(20):
                server.udp(wire.query(f"n{i}.example.org"))
            equal(server.end(), 0)
        equal(len(frames.of_file(tap.read_bytes())), 2 * 4)


if __name__ == "__main__":
    sys.exit(main(dict(globals())))
