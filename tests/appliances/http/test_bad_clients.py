#!/usr/bin/env python3
"""Clients that break off, wait, drip or never read, in any number: others are served meanwhile, and nothing of them stays."""

from __future__ import annotations

import resource
import selectors
import socket
import struct
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from harness import (GET, HOST, INDEX, LETTERS, PATIENCE_S, Connection, Files, Server, check, descriptors, equal, main, memory_kib, request,  # noqa: E402
                     small_site, status_of, until)

LONG = bytes(range(256)) * 40000  # 10 MiB, more than sockets hold
ROUNDS = 12  # within which memory is to stop growing
HARD = struct.pack("ii", 1, 0)  # for SO_LINGER: close by a reset


@contextmanager
def served(*args: str) -> Iterator[Server]:
    """A server that must still answer when the test is through with it, and end in good order."""
    with Files() as files:
        files.write("long", LONG)
        with Server("--root", small_site(files), "--metrics", "127.0.0.1:0", *args) as server:
            yield server
            equal(server.get("/").body, INDEX, "an answer afterwards")
            equal(server.end(), 0, "exit status")


def reset(c: Connection) -> None:
    c.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, HARD)
    c.socket.close()


def left(server: Server) -> int:
    return server.figures()["mrg_http_connections"]


def reset_all(server: Server, held: list[Connection]) -> None:
    """Some at a time: nobody repeats a reset, and the kernel's queue before a machine has room for a thousand frames."""
    for first in range(0, len(held), 400):
        for c in held[first:first + 400]:
            reset(c)
        until(lambda first=first: left(server) <= max(0, len(held) - first - 400), "connections are gone")


# ---- breaking off ----


def test_half_close_still_gets_its_answers() -> None:
    with served() as server:
        for behind in (b"", b"GET / HT", b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 5\r\n"):
            with server.connection() as c:
                c.send(GET + request("GET", "/long") + GET + behind)
                c.half_close()
                for body in (INDEX, LONG, INDEX):
                    check(c.answer().body == body, "an answer")
                c.end()


def test_resets() -> None:
    """At every stage: before a request, in it, in a body, with answers under way."""
    body = b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 100000\r\n\r\n"
    chunked = b"POST / HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n5\r\n123"
    with served() as server:
        for sent in (b"", b"G", GET[:-1], GET, body, body + b"a" * 5000, chunked, request("GET", "/long"), GET * 100 + b"\0", request("GET", "/long") * 20):
            for read in (False, True):
                for _ in range(10):
                    c = server.connection()
                    c.send(sent)
                    if read and b"\r\n\r\n" in sent:
                        c.more()
                    reset(c)
        until(lambda: left(server) == 0, "all connections are gone")
        check(server.figures()["mrg_http_connections_broken_total"] > 0, "broken connections are counted")


def test_ends_in_the_middle_of_an_answer() -> None:
    with served() as server:
        for _ in range(30):
            with server.connection() as c:
                c.send(request("GET", "/long"))
                c.octets(1000)
        until(lambda: left(server) == 0, "all connections are gone")


def test_a_long_body_that_nobody_wants_is_not_read_for_ever() -> None:
    """The answer comes; then the connection is ended, whatever is still sent."""
    head = b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 100000000\r\n\r\n"
    with served() as server, server.connection() as c:
        c.send_all_it_takes(head + b"a" * 3000000)
        equal(c.answer().status, 413)
        c.end()


def test_an_answer_is_not_lost_to_octets_behind_it() -> None:
    """RFC 9112 9.6: closing with octets unread would reset the connection, and the answer with it."""
    with served() as server:
        for _ in range(50):
            with server.connection() as c:
                c.send(b"GET / HTTP/1.1\r\n\r\n" + b"a" * 200000)
                equal(c.answer().status, 400)
                c.end()


# ---- waiting ----


def test_a_reader_who_never_reads() -> None:
    with served() as server:
        slow = [server.connection() for _ in range(20)]
        for c in slow:
            c.send(request("GET", "/long") * 5)
        equal(server.get("/letters.txt").body, LETTERS, "others are served")
        check(server.get("/long").body == LONG, "and get long answers")
        for _ in range(5):
            check(slow[0].answer().body == LONG, "who reads in the end gets all of it")
        for c in slow:
            c.socket.close()
        until(lambda: left(server) == 0, "all connections are gone")


def test_pipelining_without_reading() -> None:
    """Answers that are not taken are not made: memory is bounded, and no request is lost."""
    with served() as server, server.connection() as c:
        c.socket.setblocking(False)
        sent, part = 0, request("GET", "/letters.txt", "X: " + "y" * 2000)
        most = 100000 * len(part)
        try:
            while sent < most:
                sent += c.socket.send((part * 10)[sent % len(part):])
        except BlockingIOError:
            pass
        c.socket.settimeout(PATIENCE_S)
        check(sent < most, "the server stops reading")
        check(int(status_of(server.process.pid, "VmRSS").split()[0]) < 200000, status_of(server.process.pid, "VmRSS"))
        for _ in range(sent // len(part)):
            equal(c.answer().body, LETTERS)


def test_ten_thousand_half_heads() -> None:
    """Held open while somebody else is served. Where the system allows fewer files, fewer are held."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    count = max(100, min(10000, hard - 2000))
    with served() as server:
        count = min(count, server.room())
        before = int(status_of(server.process.pid, "VmRSS").split()[0])
        held = [server.connection() for _ in range(count)]
        try:
            for i, c in enumerate(held):
                c.send(b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"y" * (i % 700))
            for _ in range(20):
                equal(server.get("/letters.txt").body, LETTERS, "somebody else")
            equal(left(server), count, "connections")
            grown = int(status_of(server.process.pid, "VmRSS").split()[0]) - before
            check(grown < count * 4, f"{grown} KiB for {count} connections")
            for c in held[::50]:
                c.send(b"\r\n\r\n")
            for c in held[::50]:
                equal(c.answer().body, INDEX, "one of those who waited")
        finally:
            reset_all(server, held)


def test_long_half_heads() -> None:
    """Those that take much memory have a limit: the one that waits longest is closed for a new one, and others are served."""
    with served() as server:
        held = [server.connection() for _ in range(400)]
        for c in held:
            c.send(b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"y" * 50000)
        equal(server.get("/letters.txt").body, LETTERS, "somebody else")
        held[-1].send(b"\r\n\r\n")
        equal(held[-1].answer().body, INDEX, "the last of them")
        check(int(status_of(server.process.pid, "VmRSS").split()[0]) < 250000, status_of(server.process.pid, "VmRSS"))
        for c in held:
            reset(c)


def test_dripping_heads() -> None:
    """Octet by octet, many at once, with others served between."""
    with served() as server:
        slow = [server.connection() for _ in range(100)]
        for octet in range(len(GET) - 1):
            for c in slow:
                c.send(GET[octet:octet + 1])
            if octet % 10 == 0:
                equal(server.get("/letters.txt").body, LETTERS, "somebody else")
        for c in slow:
            equal(c.ask(GET[-1:]).body, INDEX)
            c.socket.close()


# ---- numbers ----


def burst(server: Server, count: int, octets: bytes) -> None:
    """So many connections that send this, read to their end."""
    waiting = selectors.DefaultSelector()
    started = 0
    while started < count or waiting.get_map():
        while started < count and len(waiting.get_map()) < 100:
            s = socket.create_connection(server.addresses[0], PATIENCE_S)
            s.sendall(octets)
            s.shutdown(socket.SHUT_WR)
            waiting.register(s, selectors.EVENT_READ)
            started += 1
        for key, _ in waiting.select(PATIENCE_S):
            ready = key.fileobj
            assert isinstance(ready, socket.socket)
            if not ready.recv(65536):
                waiting.unregister(ready)
                ready.close()


def test_nothing_stays_of_thousands_of_bad_connections() -> None:
    bad = (b"\0", b"GET / HTTP/1.1\r\n\r\n" + GET, GET[:-2], b"GET /" + b"a" * 9000, b"A: b\r\n" * 1000, request("GET", "/none") * 3 + b"\n",
           b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"y" * 30000, b"POST / HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n5\r\n1234567")
    with served() as server:
        pid = server.process.pid
        open_before = 0
        at_rest = [0]
        # What connections take at their most is kept for the next ones, so memory grows with the first rounds; what stays of each connection
        # would make every round grow.
        while len(at_rest) < 3 or at_rest[-1] > at_rest[-2]:
            check(len(at_rest) <= ROUNDS, f"memory grows with every round: {at_rest[1:]} KiB")
            for octets in bad:
                burst(server, 300, octets)
            until(lambda: left(server) == 0, "all connections are gone")
            at_rest.append(memory_kib(pid))
            open_before = open_before or descriptors(pid)
        until(lambda: descriptors(pid) <= open_before, f"descriptors: {open_before}, then {descriptors(pid)}")
        equal(server.figures()['mrg_http_responses_total{class="5xx"}'], 0, "errors of the server")


def test_more_connections_than_files() -> None:
    """With few files allowed, new connections push out idle ones, and files can still be opened."""
    with Files() as files:
        files.write("long", LONG)
        with Server("--root", small_site(files), prefix=("prlimit", "--nofile=100:100")) as server:
            idle = [server.connection()]
            equal(idle[0].ask(GET).body, INDEX)  # so that it is the oldest for the server, too
            idle += [server.connection() for _ in range(299)]
            for path, body in (("/", INDEX), ("/letters.txt", LETTERS), ("/long", LONG)):
                check(server.get(path).body == body, f"{path} with all files in use")
            equal(idle[-1].ask(GET).body, INDEX, "the newest")
            idle[0].end()
            for c in idle:
                c.socket.close()
            equal(server.end(), 0)


if __name__ == "__main__":
    sys.exit(main(dict(globals())))
