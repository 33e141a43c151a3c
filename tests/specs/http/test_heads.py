#!/usr/bin/env python3
"""What HTTP/1.1 text is taken and what is refused, octet and code: specs/http/message.mrg, as C.

Each text is read whole and octet by octet.  RFC 9112, and the classes behind published advisories.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "tests" / "gen"))

from message_reader import Reader, compiled  # noqa: E402
from mrg.emit import ragel  # noqa: E402
from mrg.load import load  # noqa: E402

H = b"GET / HTTP/1.1\r\n"
R = b"HTTP/1.1 200 OK\r\n"

# rule, text, its parts joined by |
GOOD: list[tuple[str, bytes, bytes]] = [
    ("Request", b"GET / HTTP/1.1\r\n\r\n", b"GET|/|1|1"),
    ("Request", b"\r\nGET / HTTP/1.0\r\n\r\n", b"GET|/|1|0"),
    ("Request", b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", b"OPTIONS|*|1|1|Host|a"),
    ("Request", b"CONNECT a.example:443 HTTP/1.1\r\nHost:a.example\r\n\r\n", b"CONNECT|a.example:443|1|1|Host|a.example"),
    ("Request", b"GET http://[::1]:80/a?b=%20 HTTP/1.1\r\nHost: [::1]\r\n\r\n", b"GET|http://[::1]:80/a?b=%20|1|1|Host|[::1]"),
    ("Request", b"M-SEARCH! / HTTP/2.9\r\n\r\n", b"M-SEARCH!|/|2|9"),
    ("Request", H + b"A:\r\n\r\n", b"GET|/|1|1|A"),
    ("Request", H + b"A: \t \r\n\r\n", b"GET|/|1|1|A"),
    ("Request", H + b"A: b c\t d \t\r\n\r\n", b"GET|/|1|1|A|b c\t d"),
    ("Request", H + b"A: \xff\x80\r\n\r\n", b"GET|/|1|1|A|\xff\x80"),
    ("Request", H + b"A: b\r\n" * 100 + b"\r\n", b"GET|/|1|1" + b"|A|b" * 100),
    ("Request", b"G" * 32 + b" / HTTP/1.1\r\n\r\n", b"G" * 32 + b"|/|1|1"),
    ("Request", b"GET /" + b"x" * 7999 + b" HTTP/1.1\r\n\r\n", b"GET|/" + b"x" * 7999 + b"|1|1"),
    ("Response", b"HTTP/1.1 200 OK\r\n\r\n", b"1|1|200|OK"),
    ("Response", b"HTTP/1.0 404 \r\nA: b\r\n\r\n", b"1|0|404|A|b"),
    ("Response", b"HTTP/1.1 299 \xe4 b\t\r\n\r\n", b"1|1|299|\xe4 b\t"),
    ("Chunk", b"0\r\n", b"0"),
    ("Chunk", b"fFfFfFfFfFfFfFfF\r\n", b"fFfFfFfFfFfFfFfF"),
    ("Chunk", b'1a;n="a\\"b" ; m = v;k\r\n', b"1a"),
    ("ChunkEnd", b"\r\n", b""),
    ("Trailer", b"\r\n", b""),
    ("Trailer", b"A: b\r\n\r\n", b"A|b"),
]

# rule, text up to the octet that is refused, that octet, code of a limit or 0
BAD: list[tuple[str, bytes, bytes, int]] = [
    ("Request", b"", b" ", 0),
    ("Request", b"\r\n", b"\r", 0),  # a second empty line
    ("Request", b"", b"\n", 0),
    ("Request", b"GET", b"\t", 0),
    ("Request", b"GET ", b" ", 0),
    ("Request", b"G", b"\x00", 0),
    ("Request", b"GE", b"(", 0),
    ("Request", b"GET /", b'"', 0),
    ("Request", b"GET /", b"\x80", 0),
    ("Request", b"GET /", b"\r", 0),  # HTTP/0.9
    ("Request", b"GET / ", b" ", 0),
    ("Request", b"GET / ", b"h", 0),
    ("Request", b"GET / HTTP/1", b"1", 0),
    ("Request", b"GET / HTTP/1.1", b"1", 0),
    ("Request", b"GET / HTTP/1.1", b" ", 0),
    ("Request", b"GET / HTTP/1.1", b"\n", 0),  # a bare line feed
    ("Request", b"GET / HTTP/1.1\r", b"\r", 0),  # a bare carriage return
    ("Request", H, b" ", 0),  # blanks before the first field
    ("Request", H, b":", 0),  # no name
    ("Request", H + b"A", b" ", 0),  # a blank before the colon
    ("Request", H + b"A", b"\r", 0),  # no colon
    ("Request", H + b"A: b", b"\n", 0),
    ("Request", H + b"A: b\r", b"A", 0),
    ("Request", H + b"A: b\r\n", b" ", 0),  # a folded line
    ("Request", H + b"A: b\r\n", b"\t", 0),
    ("Request", H + b"A: b\r\n", b"\n", 0),
    ("Request", H + b"A: b", b"\x00", 0),
    ("Request", H + b"A: ", b"\x7f", 0),
    ("Request", H + b"A", b"\xe4", 0),
    ("Request", b"G" * 32, b"G", 501),
    ("Request", b"GET /" + b"x" * 7999, b"x", 414),
    ("Request", H + b"A: b\r\n" * 100, b"A", 431),
    ("Request", (H + b"A: " + b"b" * 65536)[:65536], b"b", 431),
    ("Response", b"HTTP/1.1 20", b" ", 0),
    ("Response", b"HTTP/1.1 200", b"\r", 0),
    ("Response", b"HTTP/1.1 200", b"0", 0),
    ("Response", R, b" ", 0),
    ("Chunk", b"", b"\r", 0),  # no size
    ("Chunk", b"0", b"x", 0),
    ("Chunk", b"", b"+", 0),
    ("Chunk", b"", b"-", 0),
    ("Chunk", b"1", b"_", 0),
    ("Chunk", b"1", b"\n", 0),
    ("Chunk", b"1 ", b"\r", 0),
    ("Chunk", b"1;", b";", 0),
    ("Chunk", b"1;a=", b"\r", 0),
    ("Chunk", b'1;a="\\', b"\n", 0),
    ("Chunk", b'1;a="', b"\n", 0),
    ("Chunk", b"0" * 16, b"0", 413),
    ("Chunk", b"1;" + b"a" * 4094, b"a", 400),
    ("ChunkEnd", b"", b"\n", 0),
    ("ChunkEnd", b"\r", b"0", 0),
    ("Trailer", b"A: b\r\n" * 100, b"A", 431),
]


def main() -> int:
    passed, wrong = 0, []
    module = load([str(ROOT / "specs/http/message.mrg")], [str(ROOT / "specs")])[-1]  # behind what it imports
    with tempfile.TemporaryDirectory() as room:
        library = compiled(module, Path(room), "", ("_stream.c", "_read.c"))
    grammar = module.grammars[0]
    readers = {r.name: Reader(library, grammar, r) for r in ragel.messages(grammar)}
    cases = [(rule, text, ("ok", len(text), 0), parts) for rule, text, parts in GOOD]
    cases += [(rule, text + at, ("limit" if code else "bad", len(text), code), None) for rule, text, at, code in BAD]
    cases += [(rule, text[:n], ("more", n, 0), None) for rule, text, _ in GOOD for n in range(min(len(text), 200))]
    for rule, text, want, parts in cases:
        for cuts in ([], list(range(1, len(text)))):
            got, content = readers[rule].read(text, cuts, 300)
            same = (got.status, got.end, got.code) == want
            same = same and (parts is None or b"|".join(value for _, value in content) == parts)
            passed += same
            if not same:
                wrong.append(f"{rule} {text[:100]!r}, {len(cuts)} cuts: {(got.status, got.end, got.code)}, expected {want}; {content[:20]}")
    for line in wrong[:20]:
        print(line)
    print(f"{passed} passed, {len(wrong)} failed")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
