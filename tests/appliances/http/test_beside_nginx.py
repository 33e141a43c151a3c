#!/usr/bin/env python3
"""The requests of test_bad_input.py to nginx: who would smuggle needs two servers that don't agree on where the next request begins.

Behind each case comes one more request. What matters is whether that is answered, and how many answers there were before it: where both
servers go on, they must have seen the same. Where only nginx goes on, it takes what an RFC lets nobody take, or lets take leave: each
of these stands in LENIENT with its clause. Where only we go on, nginx is the one who refuses: STRICT.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from harness import Files, Server, check, equal, main, small_site  # noqa: E402
from nginx import Nginx  # noqa: E402
from test_bad_input import BODY_LENGTHS, CHUNKS, FIELDS, GOOD, HOSTS, LAST, LINE_ENDS, REQUEST_LINES, exchange  # noqa: E402

STATUS = re.compile(rb"HTTP/1\.1 (\d{3}) ")  # no body here has it

LENIENT = {
    "RFC 9112 2.2: a recipient may take LF for a line end, and CR before it for nothing": (
        "LF after the request line", "LF after a field", "LF as the last line end", "only LF", "CR CR LF", "an empty line of LF first"),
    "RFC 9112 2.2: a server ought to pass over one empty line at least": ("two empty lines first",),
    "RFC 9112 2.3: one digit, a dot, one digit": ("version b'HTTP/1.10'",),
    "RFC 9112 3: a server may part the request line at any blanks": ("version b'HTTP/1.1 '", "version b' HTTP/1.1'", "two blanks behind the method"),
    "RFC 1945 3.1: HTTP/0.9 has no version": ("HTTP/0.9, plain", "version b''"),
    "RFC 9112 3: what is too long is for each server to say": ("a method of 33 octets", "a method of 1 KiB", "a target of 8,001 octets", "101 fields"),
    "RFC 3986 3: what a path and a query may hold": tuple(f"target {target!r}" for target in (
        b"/#a", b"/\\", b'/"', b"/<a>", b"/{a}", b"/^", b"/`", b"/|", b"/\xc3\xa9", b"/[", b"/?%", b"/?#")),
    "RFC 9112 3.2: a Host that is no uri-host must be refused": tuple(f"Host: {host!r}" for host in (
        "user@a", "a:b", "a:80:80", "a:-1", "[::1", "[::g]", "[1::2::3]", "[::1]x", "a\\b", "a?b", "a#b", "<a>", "a\xc3\xa9", "%", "%zz", 'a"', "a^")),
    "RFC 9110 5.1: a name is a token; nginx passes over the line": ("no colon", "an 8-bit octet in a name", "a quote in a name"),
    "RFC 9110 5.5: no control in a value": ("DEL in a value",),
    "RFC 9110 7.6.1: a list of tokens": ("Connection that is no list",),
    "RFC 9110 10.1.1: 417 may be answered": ("an unknown expectation", "an expectation besides 100-continue"),
    "RFC 9112 7.1: sizes of more digits than can count": ("17 zeros",),
    "RFC 9112 7.1: a line of chunks ends with CR LF": (
        "LF behind the size", "LF behind the data", "LF as the end of an extension", "LF in a trailer", "LF behind the last chunk", "LF as the last line end"),
    "RFC 9112 7.1.1: what an extension is": ("NUL in an extension", "an extension without a name", "an extension of 64 KiB"),
    "RFC 9112 7.1.2: trailers are fields": ("a bad trailer", "a folded trailer", "101 trailers", "a trailer of 64 KiB"),
    "RFC 9112 7.1: data of `1234CR` would be five octets; then LF alone": ("data that is shorter",),
}

STRICT = {
    "a head of 65,536 octets", "empty Host", "OPTIONS *", "a NUL in an escape", "a NUL behind a file's name", "dot segments", "a method in lower case",
    "Content-Length with blanks around it", "Transfer-Encoding: , chunked ,", "fields that make no sense",
}


def statuses_of(got: bytes) -> list[int]:
    """Of nginx's answers; 100 is none. An answer without one is of HTTP/0.9: then there is nothing behind it."""
    return [int(status) for status in STATUS.findall(got) if status != b"100"] or [9] * bool(got)


def refused(statuses: list[int]) -> bool:
    """The last request was not reached."""
    return len(statuses) == 1 and statuses[0] >= 400


def site(files: Files) -> str:
    return f"server {{ listen unix:front; root {small_site(files)}; client_max_body_size 2m; lingering_timeout 50ms; }}\n"


def test_what_we_refuse() -> None:
    lenient = {name for names in LENIENT.values() for name in names}
    with Files() as files, Files() as place, Nginx(place, "peer", site(files)) as peer:
        seen = set()
        for table in (LINE_ENDS, FIELDS, HOSTS, BODY_LENGTHS, REQUEST_LINES, CHUNKS):
            for name, (octets, _) in table.items():
                if not refused(statuses := statuses_of(peer.ask(octets + LAST))):
                    seen.add(name)
                    check(name in lenient, f"{name}: nginx answers {statuses}")
                    check(name not in BODY_LENGTHS, f"{name}: nothing that says how long a body is, is taken by only one")
                    check(statuses == [9] or len(statuses) == 2, f"{name}: nginx sees another number of requests: {statuses}")
        check(len(seen) > 10, f"nginx is more lenient than we are: {sorted(seen)}")  # else nothing was compared


def test_what_we_answer() -> None:
    with Files() as files, Files() as place, Nginx(place, "peer", site(files)) as peer, Server("--root", str(files.path)) as server:
        for name, (octets, statuses) in GOOD.items():
            ours = [a.status for a in exchange(server, octets + LAST)]
            equal(ours, statuses + [204], name)
            theirs = statuses_of(peer.ask(octets + LAST))
            if name not in STRICT or not refused(theirs):
                equal(len(theirs), len(ours), f"{name}: answers of nginx, {theirs}, beside ours, {ours}")


if __name__ == "__main__":
    sys.exit(main(dict(globals())))
