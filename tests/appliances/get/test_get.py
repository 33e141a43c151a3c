#!/usr/bin/env python3
"""mrg-get: against mrg-http, against servers that do what none should, and its command line."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from harness import BUILD, PATIENCE_S, ROOT, Files, Got, Scripted, Server, check, equal, get, main, read_heads  # noqa: E402

BIG = b"".join(i.to_bytes(4, "big") * 64 for i in range(1 << 15))  # 8 MiB
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
NONE_YET = "http://127.0.0.1:1/"  # never asked


def ended(got: Got, code: int, *parts: str) -> None:
    equal(got.code, code, got.err)
    for part in parts:
        check(part in got.err, f"no '{part}' in: {got.err}")


# ---- mrg-http ----


def test_against_mrg_http() -> None:
    with Files() as files:
        files.write("root/index.html", b"<p>home</p>\n")
        files.write("root/big", BIG)
        files.write("root/empty", b"")
        with Server("--root", str(files.path / "root")) as server:
            equal(get(server.url()).out, b"<p>home</p>\n")
            equal(get(f"http://localhost:{server.port}/#top").out, b"<p>home</p>\n")
            check(get(server.url("/big")).out == BIG, "a big file")
            check(get("-H", "Range: bytes=-1000", server.url("/big")).out == BIG[-1000:], "a piece of it")
            equal(get("--http1.0", server.url()).out, b"<p>home</p>\n")
            equal(get("-X", "OPTIONS", server.url()).code, 0)
            ended(get(server.url("/none")), 1, "/none: status 404 Not Found")
            ended(get("-d", "a=b", server.url()), 1, "status 405 Method Not Allowed")
            (status, fields), = read_heads(get("-I", server.url("/empty")).out)
            equal((status, fields["content-length"]), (200, "0"))
            (status, _), = read_heads(get("-i", "-H", f"If-None-Match: {fields['etag']}", server.url("/empty")).out)
            equal(status, 304)
            check(get(*[server.url("/big"), server.url(), server.url("/empty"), server.url()]).out == BIG + b"<p>home</p>\n" * 2, "several")


def test_ipv6() -> None:
    with Files() as files:
        files.write("root/index.html", b"six")
        with Server("--root", str(files.path / "root"), listen=("[::1]:0",)) as server:
            equal(get(f"http://[::1]:{server.port}/").out, b"six")
            equal(get(f"http://localhost:{server.port}/").out, b"six", "the second address of localhost")
            equal(get("--at", "[::1]", f"http://www.example.org:{server.port}/").out, b"six")


def test_one_connection_for_one_server() -> None:
    """Also when the server ends it meanwhile: what is safe is asked again."""
    close = OK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
    with Scripted([OK, OK], [OK]) as server:
        got = get(server.url("/1"), server.url("/2"), server.url("/3"))
        equal((got.code, got.out), (0, b"hello" * 3), got.err)
        equal([r.split(b" ")[1] for r in server.requests], [b"/1", b"/2", b"/3"])
        equal([b"Connection: close" in r for r in server.requests], [False, False, True])
    with Scripted([close], [OK]) as server:
        equal(get(server.url("/1"), server.url("/2")).out, b"hello" * 2)
    with Scripted([OK, b""], [OK]) as server:
        equal(get(server.url("/1"), server.url("/2")).out, b"hello" * 2, "a reset in place of an answer")
        equal([r.split(b" ")[1] for r in server.requests], [b"/1", b"/2", b"/2"])
    with Scripted([OK, b""]) as server:
        ended(get("-d", "x", server.url("/1"), server.url("/2")), 5, "/2: the connection broke without an answer (RFC 9112 9.5)")
    with Scripted([OK]) as one, Scripted([OK.replace(b"hello", b"other")]) as other:
        equal(get(one.url(), other.url()).out, b"helloother", "another server")


# ---- servers that do what none should ----


def test_bad_answers() -> None:
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    for answer, out, why in (
            (OK[:-1], b"hell", "the connection ended within the body (RFC 9112 8)"),
            (chunked + b"5\r\nhello\r\n0\r\n", b"hello", "the connection ended within the body (RFC 9112 8)"),
            (OK[:20], b"", "the connection ended within the head (RFC 9112 8)"),
            (b"SSH-2.0-OpenSSH_9.2\r\n", b"", "not a response's head (RFC 9112 4 and 5)"),
            (b"HTTP/2.0 200 OK\r\n\r\n", b"", "not a version of HTTP/1 (RFC 9112 2.3)"),
            (OK.replace(b"\r\n\r\n", b"\r\nContent-Length: 6\r\n\r\n"), b"", "two Content-Length fields (RFC 9112 6.3)"),
            (chunked.replace(b"\r\n\r\n", b"\r\nContent-Length: 6\r\n\r\n"), b"", "Content-Length beside Transfer-Encoding (RFC 9112 6.3)"),
            (chunked + b"5\r\nhello0\r\n\r\n", b"hello", "not the chunked coding (RFC 9112 7.1)"),
            (b"HTTP/1.1 101 Switching Protocols\r\n\r\n", b"", "(RFC 9110 7.8)"),
            (b"HTTP/1.1 100 Continue\r\n\r\n" * 40, b"", "more interim responses"),
            (b"HTTP/1.1 200 OK\r\nA: " + b"x" * 70000, b"", "the head is longer"),
            (b"", b"", "the connection broke without an answer (RFC 9112 9.5)")):
        with Scripted([answer]) as server:
            got = get(server.url())
            ended(got, 5, server.url(), why)
            equal(got.out, out, why)


def test_octets_behind_an_answer() -> None:
    """They are no answer to the next request. Behind the last answer nobody asks for them."""
    with Scripted([OK + OK], [OK]) as server:
        got = get(server.url("/1"), server.url("/2"))
        ended(got, 5, "octets that answer no request (RFC 9112 9.2)")
        equal((got.out, len(server.requests)), (b"hello", 1))
    with Scripted([OK + b"more"]) as server:
        equal(get(server.url()).out, b"hello")


def test_odd_but_good_answers() -> None:
    for answer, out in (
            (b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + OK, b"hello"),
            (b"HTTP/1.0 200 OK\r\n\r\nuntil the end", b"until the end"),
            (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;x=y\r\nhe\r\n03\r\nllo\r\n0\r\nTrailer: t\r\n\r\n", b"hello"),
            (b"HTTP/1.1 204 No Content\r\n\r\n", b"")):
        with Scripted([answer]) as server:
            got = get(server.url())
            equal((got.code, got.out), (0, out), got.err)
    with Scripted([OK.replace(b"200 OK", b"599 \xe9\tA" + b"b" * 100)]) as server:
        ended(get(server.url()), 1, "status 599 ??A" + "b" * 37 + "\n")


def test_time() -> None:
    with Scripted([None]) as server:
        ended(get("--max-time", "0.05", server.url()), 4, "not done within --max-time")
    with Scripted([OK, None]) as server:
        got = get("--max-time=0.2", server.url("/1"), server.url("/2"))
        ended(got, 4, "/2: not done within --max-time")
        equal(got.out, b"hello")


def test_no_connection() -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))  # and nobody listens
        port = held.getsockname()[1]
        ended(get(f"http://127.0.0.1:{port}/"), 3, "no connection: Connection refused")
        ended(get(f"http://localhost:{port}/"), 3, "no connection: Connection refused")
        with Files() as files:
            old = files.write("old", b"old")
            get("-o", old, f"http://127.0.0.1:{port}/")
            equal(old.read_bytes(), b"old", "a file stays when there is no answer")


# ---- writing ----


def test_output_that_fails() -> None:
    with Scripted([OK]) as server, open("/dev/full", "wb") as full:
        ended(get(server.url(), stdout=full.fileno()), 6, "standard output: No space left on device")
    with Scripted([OK]) as server:
        ended(get("-o", "/nowhere/at/all", server.url()), 6, "/nowhere/at/all: No such file or directory")


def test_a_reader_that_goes_away() -> None:
    """As `mrg-get URL | head` has it."""
    with Scripted([b"HTTP/1.1 200 OK\r\nContent-Length: 8388608\r\n\r\n" + BIG]) as server:
        reading, writing = os.pipe()
        with subprocess.Popen([str(BUILD / "bin" / "mrg-get"), server.url()], stdout=writing, stderr=subprocess.PIPE) as process:
            os.close(writing)
            os.read(reading, 1)
            os.close(reading)
            equal(process.wait(PATIENCE_S), -signal.SIGPIPE)


# ---- the command line ----


def test_usage() -> None:
    for options, part in (
            ([], "no URL"), (["--what", NONE_YET], "unrecognized option"), (["-H", "nothing", NONE_YET], "expected 'Name: value'"),
            (["-I", "-d", "x", NONE_YET], "don't go together"), (["-I", "-X", "GET", NONE_YET], "don't go together"),
            (["--max-time", "0", NONE_YET], "expected seconds"), (["--max-time", "1s", NONE_YET], "expected seconds"),
            (["--max-time", "nan", NONE_YET], "expected seconds"), (["--at", "here", NONE_YET], "expected an address"),
            (["-d", "@/nowhere", NONE_YET], "No such file"), (["-o"], "requires an argument"),
            (["https://127.0.0.1/"], "only http"), (["127.0.0.1"], "not scheme://host"), (["http://127.0.0.1:0/"], "the port is not"),
            (["http://www.example.org/"], "--at"), (["http://u@127.0.0.1/"], "not scheme://host"),
            (["-X", "GE T", NONE_YET], "an octet that can't be"), (["-X", "CONNECT", NONE_YET], "target is in none"),
            (["-H", "A: b\rc", NONE_YET], "an octet that can't be"), (["-H", "Content-Length: 5", NONE_YET], "something else of the body"),
            (["-H", "Host: a/b", NONE_YET], "Host is no host"), (["-H", "A: " + "x" * 20000, NONE_YET], "longer than"),
            (["http://127.0.0.1:1/" + "x" * 9000], "(RFC 9112"),
            ([x for i in range(65) for x in ("-H", f"A: {i}")] + [NONE_YET], "too many fields")):
        got = get(*options)
        ended(got, 2, part)
        equal(got.out, b"")


def test_help() -> None:
    done = get("--help")
    options = set(re.findall(r"(?<=\s)--?[a-zA-Z](?:[a-z0-9.-]*[a-z0-9])?", done.out.decode()))
    check(done.code == 0 and {"-o", "-i", "-I", "-H", "-d", "-X", "--http1.0", "--at", "--max-time"} <= options, str(options))
    manual = (ROOT / "docs" / "man" / "mrg-get.1").read_text()
    for option in options:
        check(re.search(rf"^\.It Fl (-help , )?{re.escape(option[1:])}( |$)", manual, re.M) is not None, f"the manual has no {option}")
    check(re.fullmatch(rb"mrg-get \d+\.\d+\.\d+\n", get("--version").out) is not None, "--version")


if __name__ == "__main__":
    sys.exit(main(dict(globals())))
