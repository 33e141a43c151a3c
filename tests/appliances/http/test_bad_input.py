#!/usr/bin/env python3
"""Bad requests to the running server: each with the status that its RFC names, and another request behind it.

Behind what is refused nothing is answered (RFC 9112 11.2); behind what is valid, or only unusual, the next request is. Each case
is sent at once, and octet by octet.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from harness import GET, HOST, INDEX, LETTERS, Answer, Files, Server, check, equal, main, small_site  # noqa: E402
from wire import TCHAR  # noqa: E402

LINE = b"GET / HTTP/1.1\r\n"
POST = b"POST / HTTP/1.1\r\n" + HOST
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"
LAST = b"OPTIONS / HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n"  # 204 tells it from all others
DRIP_MAX = 3000  # octets; longer cases are sent at once only


def get(*fields: bytes, line: bytes = LINE) -> bytes:
    return line + HOST + b"".join(f + b"\r\n" for f in fields) + b"\r\n"


def post(*fields: bytes, body: bytes = b"") -> bytes:
    return POST + b"".join(f + b"\r\n" for f in fields) + b"\r\n" + body


def lines(target: bytes) -> bytes:
    return get(line=b"GET " + target + b" HTTP/1.1\r\n")


# ---- what is refused: name, octets, status ----

LINE_ENDS: dict[str, tuple[bytes, int]] = {
    "LF after the request line": (b"GET / HTTP/1.1\n" + HOST + b"\r\n", 400),
    "LF after a field": (LINE + HOST + b"A: b\n\r\n", 400),
    "LF as the last line end": (LINE + HOST + b"\n", 400),
    "only LF": (b"GET / HTTP/1.1\nHost: a\n\n", 400),
    "CR after the request line": (b"GET / HTTP/1.1\r" + HOST + b"\r\n", 400),
    "CR in a value": (get(b"A: b\rc"), 400),
    "CR as the end of a field": (LINE + HOST + b"A: b\rB: c\r\n\r\n", 400),
    "CR CR LF": (LINE + HOST + b"A: b\r\r\n\r\n", 400),
    "CR as the last line end": (LINE + HOST + b"\rX", 400),
    "CR before a field's name": (LINE + HOST + b"\rA: b\r\n\r\n", 400),
    "CR and LF in a value": (get(b"A: b\n\rc"), 400),
    "a folded line, blank": (get(b"A: b", b" c"), 400),
    "a folded line, tab": (get(b"A: b", b"\tc"), 400),
    "a folded line of blanks": (get(b"A: b", b"  "), 400),
    "a folded Content-Length": (post(b"Content-Length: 5", b" 0", body=b"12345"), 400),
    "a folded Transfer-Encoding": (post(b"Transfer-Encoding:", b" chunked", body=b"0\r\n\r\n"), 400),
    "two empty lines first": (b"\r\n\r\n" + GET, 400),
    "an empty line of LF first": (b"\n" + GET, 400),
    "a blank first": (b" " + GET, 400),
}

FIELDS: dict[str, tuple[bytes, int]] = {
    "a blank before the first field": (LINE + b" " + HOST + b"\r\n", 400),
    "a tab before the first field": (LINE + b"\tA: b\r\n" + HOST + b"\r\n", 400),
    "a blank before the colon": (get(b"A : b"), 400),
    "a tab before the colon": (get(b"A\t: b"), 400),
    "a blank in a name": (get(b"A B: c"), 400),
    "no colon": (get(b"A"), 400),
    "no name": (get(b": b"), 400),
    "NUL in a name": (get(b"A\0: b"), 400),
    "NUL in a value": (get(b"A: b\0c"), 400),
    "DEL in a value": (get(b"A: b\x7fc"), 400),
    "an 8-bit octet in a name": (get(b"\xc3\xa9: b"), 400),
    "a quote in a name": (get(b'"A": b'), 400),
    "101 fields": (get(*[b"A: b"] * 100), 431),
    "10,000 fields": (get(*[b"A: b"] * 10000), 431),
    "a value of 1 MiB": (get(b"A: " + b"b" * (1 << 20)), 431),
    "a name of 1 MiB": (get(b"A" * (1 << 20) + b": b"), 431),
    "a head of 65,537 octets": (get(b"A: " + b"b" * (65537 - len(get(b"A: ")))), 431),
    "no end to a name": (LINE + HOST + b"A" * 100000, 431),
    "Connection that is no list": (get(b"Connection: a b"), 400),
    "an unknown expectation": (get(b"Expect: 200-ok"), 417),
    "an expectation besides 100-continue": (post(b"Content-Length: 1", b"Expect: 100-continue, x", body=b"1"), 417),
}

HOSTS: dict[str, tuple[bytes, int]] = {
    "no Host": (LINE + b"\r\n", 400),
    "two Hosts": (get(b"Host: other.example"), 400),
    "two Hosts, the same": (get(HOST.strip()), 400),
    "two Hosts in other case": (get(b"hOST: www.example.org"), 400),
    "no Host beside a whole URI": (b"GET http://www.example.org/ HTTP/1.1\r\n\r\n", 400),
    **{f"Host: {host.decode('latin-1')!r}": (LINE + b"Host: " + host + b"\r\n\r\n", 400) for host in (
        b"a b", b"a, b", b"a/b", b"a/", b"http://a", b"user@a", b"a:b", b"a:80:80", b"a:-1", b"a: 80", b"[::1", b"::1", b"[::g]", b"[1::2::3]",
        b"[::1]x", b"a\\b", b"a?b", b"a#b", b"<a>", b"a\xc3\xa9", b"%", b"%zz", b"a\"", b"a^")},
}

BODY_LENGTHS: dict[str, tuple[bytes, int]] = {
    "Content-Length beside Transfer-Encoding": (post(b"Content-Length: 5", b"Transfer-Encoding: chunked", body=b"0\r\n\r\n"), 400),
    "Transfer-Encoding beside Content-Length": (post(b"Transfer-Encoding: chunked", b"Content-Length: 5", body=b"0\r\n\r\n"), 400),
    "two Content-Lengths": (post(b"Content-Length: 5", b"Content-Length: 6", body=b"123456"), 400),
    "two Content-Lengths, the same": (post(b"Content-Length: 5", b"Content-Length: 5", body=b"12345"), 400),
    "two Content-Lengths, one empty": (post(b"Content-Length: 5", b"Content-Length:", body=b"12345"), 400),
    **{f"Content-Length: {length!r}": (post(b"Content-Length: " + length.encode("latin-1"), body=b"12345"), 400) for length in (
        "", "5, 5", "5, 6", "5,", ",5", "+5", "-1", "-0", "0x5", "5.0", "5e0", "5_0", "5 5", "5;a", "\"5\"", "five", "\xb2", "5\x0b", "0 5", "#5", "5\xa0")},
    **{f"Content-Length: {length}": (post(b"Content-Length: " + str(length).encode(), body=b"12345"), 413) for length in (
        (1 << 20) + 1, 1 << 31, (1 << 31) - 1, 1 << 32, (1 << 32) + 5, 1 << 63, (1 << 64) - 1, 1 << 64, (1 << 64) + 5, 10 ** 100)},
    **{f"Transfer-Encoding: {coding!r}": (post(b"Transfer-Encoding: " + coding.encode("latin-1"), body=b"0\r\n\r\n"), 400) for coding in (
        "", ",", "xchunked", "chunkedx", "chunked, identity", "identity", "chunked, chunked", "gzip", "chunked, gzip", "gzip, gzip", "chunked\x0b",
        "\x0bchunked", "\xa0chunked", "\xffchunked", "\"chunked\"", "chunked x", "x chunked", "chunked;", "chunked;q=1", "chunked;a=\"b\"", "chun ked",
        "'chunked'", "none", "c\u212aunked".encode("utf-8").decode("latin-1"))},
    "Transfer-Encoding: gzip, chunked": (post(b"Transfer-Encoding: gzip, chunked", body=b"0\r\n\r\n"), 501),
    "Transfer-Encoding: x, y, chunked": (post(b"Transfer-Encoding: x, y, chunked", body=b"0\r\n\r\n"), 501),
    "two Transfer-Encodings": (post(b"Transfer-Encoding: chunked", b"Transfer-Encoding: chunked", body=b"0\r\n\r\n"), 400),
    "two Transfer-Encodings, identity last": (post(b"Transfer-Encoding: chunked", b"Transfer-Encoding: identity", body=b"0\r\n\r\n"), 400),
    "Transfer-Encoding in HTTP/1.0": (b"POST / HTTP/1.0\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    "Transfer-Encoding in HTTP/1.0 with Content-Length":
        (b"POST / HTTP/1.0\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    "a blank before the colon of Transfer-Encoding": (post(b"Transfer-Encoding : chunked", body=b"0\r\n\r\n"), 400),
    "a NUL behind Transfer-Encoding": (post(b"Transfer-Encoding\0: chunked", body=b"0\r\n\r\n"), 400),
}

REQUEST_LINES: dict[str, tuple[bytes, int]] = {
    "HTTP/0.9, plain": (b"GET /\r\n", 400),
    "HTTP/0.9, named": (get(line=b"GET / HTTP/0.9\r\n"), 505),
    "HTTP/2.0": (get(line=b"GET / HTTP/2.0\r\n"), 505),
    "HTTP/9.9": (get(line=b"GET / HTTP/9.9\r\n"), 505),
    "the preface of HTTP/2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0", 505),
    **{f"version {version!r}": (get(line=b"GET / " + version + b"\r\n"), 400) for version in (
        b"HTTP/1.10", b"HTTP/01.1", b"HTTP/1", b"HTTP/1.", b"HTTP/.1", b"HTTP/1,1", b"HTTP/1.1.1", b"HTTP/-1.1", b"HTTP/1.a", b"HTTP/ 1.1", b"HTTP 1.1",
        b"http/1.1", b"Http/1.1", b"HTTPS/1.1", b"HTP/1.1", b"ICY/1.1", b"HTTP/1.1 ", b" HTTP/1.1", b"HTTP/1.1\t", b"HTTP/1.1x", b"HTTP/1.1\0", b"")},
    "a tab behind the method": (get(line=b"GET\t/ HTTP/1.1\r\n"), 400),
    "two blanks behind the method": (get(line=b"GET  / HTTP/1.1\r\n"), 400),
    "no target": (get(line=b"GET HTTP/1.1\r\n"), 400),
    "a request line of nothing": (b" / HTTP/1.1\r\n" + HOST + b"\r\n", 400),
    "a method of 33 octets": (get(line=b"X" * 33 + b" / HTTP/1.1\r\n"), 501),
    "a method of 1 KiB": (get(line=b"X" * 1024 + b" / HTTP/1.1\r\n"), 501),
    "TLS": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(range(64)), 400),
    "a target of 8,001 octets": (lines(b"/" + b"a" * 8000), 414),
    "a target of 64 KiB": (lines(b"/" + b"a" * 65535), 414),
    "no end to a target": (b"GET /" + b"a" * 100000, 414),
    **{f"target {target!r}": (lines(target), 400) for target in (
        b"*", b"index.html", b"www.example.org:80", b"www.example.org", b"?a", b"/ /", b"/a b", b"/#a", b"/\\", b'/"', b"/<a>", b"/{a}", b"/^", b"/`", b"/|",
        b"/\0", b"/\x7f", b"/\xc3\xa9", b"/[", b"/%", b"/%4", b"/%zz", b"/%u0041", b"/?%", b"/?#", b"http:", b"http:/", b"http://", b"http:///", b"http://:80/",
        b"http://a b/", b"http://user@a/", b"http://user:pw@a/", b"http://a:b/", b"http://[::1/", b"//", b"://a/", b"1http://a/")
        if target != b"//"},
    "CONNECT without a port": (b"CONNECT www.example.org HTTP/1.1\r\n" + HOST + b"\r\n", 400),
    "CONNECT with a path": (b"CONNECT / HTTP/1.1\r\n" + HOST + b"\r\n", 400),
    "CONNECT with octets behind it": (b"CONNECT a.example:443 HTTP/1.1\r\n" + HOST + b"\r\n\x16\x03\x01", 405),
}

# A body that is refused behind an answer that has been given: 405 is all there is.
CHUNKS: dict[str, tuple[bytes, int]] = {
    name: (CHUNKED + chunks, 405) for name, chunks in {
        "no size": b"\r\n\r\n",
        "0x5": b"0x5\r\n12345\r\n0\r\n\r\n",
        "+5": b"+5\r\n12345\r\n0\r\n\r\n",
        "-5": b"-5\r\n12345\r\n0\r\n\r\n",
        "5_": b"5_\r\n12345\r\n0\r\n\r\n",
        "a blank before the size": b" 5\r\n12345\r\n0\r\n\r\n",
        "g": b"g\r\n12345\r\n0\r\n\r\n",
        "17 digits": b"0000000000000005" + b"0\r\n12345\r\n0\r\n\r\n",
        "17 zeros": b"0" * 17 + b"\r\n\r\n",
        "2^64 - 1": b"ffffffffffffffff\r\n12345",
        "2^63": b"8000000000000000\r\n12345",
        "2^32 + 5": b"100000005\r\n12345\r\n0\r\n\r\n",
        "more than is taken": b"100001\r\n12345",
        "more than is taken, together": b"80000\r\n" + b"a" * 0x80000 + b"\r\n80001\r\n",
        "sizes that add up beyond 2^64": b"5\r\n12345\r\nfffffffffffffffb\r\n12345\r\n",
        "LF behind the size": b"5\n12345\r\n0\r\n\r\n",
        "CR behind the size": b"5\r12345\r\n0\r\n\r\n",
        "LF behind the data": b"5\r\n12345\n0\r\n\r\n",
        "CR behind the data": b"5\r\n12345\r0\r\n\r\n",
        "nothing behind the data": b"5\r\n123450\r\n\r\n",
        "data that is longer": b"5\r\n123456\r\n0\r\n\r\n",
        "data that is shorter": b"5\r\n1234\r\n0\r\n\r\n",
        "two line ends behind the data": b"5\r\n12345\r\n\r\n0\r\n\r\n",
        "CR in an extension": b"5;a\rb\r\n12345\r\n0\r\n\r\n",
        "LF in an extension": b"5;a\nb\r\n12345\r\n0\r\n\r\n",
        "LF as the end of an extension": b"5;a=b\n12345\r\n0\r\n\r\n",
        "LF in a quoted extension": b'5;a="\n"\r\n12345\r\n0\r\n\r\n',
        "CRLF in a quoted extension": b'5;a="\r\n0\r\n\r\n',
        "an escaped LF in an extension": b'5;a="\\\n"\r\n12345\r\n0\r\n\r\n',
        "NUL in an extension": b"5;a=\0\r\n12345\r\n0\r\n\r\n",
        "an extension without a name": b"5;\r\n12345\r\n0\r\n\r\n",
        "an extension of 64 KiB": b"5;" + b"a" * 65536 + b"\r\n12345\r\n0\r\n\r\n",
        "an extension without an end": b"5;" + b"a" * 200000,
        "a bad trailer": b"0\r\nA\r\n\r\n",
        "a folded trailer": b"0\r\nA: b\r\n c\r\n\r\n",
        "LF in a trailer": b"0\r\nA: b\n\r\n",
        "LF behind the last chunk": b"0\n\n",
        "LF as the last line end": b"0\r\n\n",
        "CR as the last line end": b"0\r\n\rX",
        "101 trailers": b"0\r\n" + b"A: b\r\n" * 101 + b"\r\n",
        "a trailer of 64 KiB": b"0\r\nA: " + b"b" * 65536 + b"\r\n\r\n",
        "identity behind chunked": b"12345",
    }.items()
}

# ---- what is valid, or to be understood: name, octets, statuses; then the next request is answered ----

GOOD: dict[str, tuple[bytes, list[int]]] = {
    "an empty line first": (b"\r\n" + GET, [200]),
    "an empty line between": (GET + b"\r\n" + GET, [200, 200]),
    "HTTP/1.2": (get(line=b"GET / HTTP/1.2\r\n"), [200]),
    "HTTP/1.9": (get(line=b"GET / HTTP/1.9\r\n"), [200]),
    "HTTP/1.0 that stays": (b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", [200]),
    "HTTP/1.0 with Expect": (b"POST / HTTP/1.0\r\nConnection: keep-alive\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n12345", [405]),
    "names in any case": (LINE + b"hOsT: www.example.org\r\nCONNECTION: Keep-Alive\r\n\r\n", [200]),
    "empty value": (get(b"A:", b"B: ", b"C:\t \t"), [200]),
    "8-bit octets in a value": (get(b"A: \x80\xff\xc3\xa9"), [200]),
    "tabs in a value": (get(b"A:\tb\tc\t"), [200]),
    "colons in a value": (get(b"A:: b:"), [200]),
    "every tchar in a name": (get(bytes(TCHAR) + b": b"), [200]),
    "100 fields": (get(*[b"A: b"] * 99), [200]),
    "a head of 65,536 octets": (get(b"A: " + b"b" * (65536 - len(get(b"A: ")))), [200]),
    "a target of 8,000 octets": (lines(b"/" + b"a" * 7999), [404]),
    "a target of 7,999 octets and a query": (lines(b"/?" + b"a" * 7998), [200]),
    "empty Host": (LINE + b"Host:\r\n\r\n", [200]),
    "Host without a port": (LINE + b"Host: a:\r\n\r\n", [200]),
    "Host with IPv6": (LINE + b"Host: [2001:db8::1]:8080\r\n\r\n", [200]),
    "Host with IPvFuture": (LINE + b"Host: [v1.a:b]\r\n\r\n", [200]),
    "Host with an escape": (LINE + b"Host: a%2fb\r\n\r\n", [200]),
    "a whole URI, another Host": (b"GET http://a.example/ HTTP/1.1\r\nHost: b.example\r\n\r\n", [200]),
    "a whole URI of another scheme": (lines(b"ftp://a.example/"), [421]),
    "OPTIONS *": (b"OPTIONS * HTTP/1.1\r\n" + HOST + b"\r\n", [204]),
    "two slashes": (lines(b"//"), [200]),
    "a slash in an escape": (lines(b"/a%2fb"), [404]),
    "a NUL in an escape": (lines(b"/%00"), [404]),
    "a NUL behind a file's name": (lines(b"/index.html%00.txt"), [404]),
    "overlong UTF-8": (lines(b"/%c0%af"), [404]),
    "dot segments": (lines(b"/../../a/./../index.html"), [200]),
    "65 names": (lines(b"/a" * 65), [404]),
    "an unknown method": (get(line=b"BREW / HTTP/1.1\r\n"), [501]),
    "a method of one octet": (get(line=b"G / HTTP/1.1\r\n"), [501]),
    "a method of 32 octets": (get(line=b"G" * 32 + b" / HTTP/1.1\r\n"), [501]),
    "a method in lower case": (get(line=b"get / HTTP/1.1\r\n"), [501]),
    "GET with a body": (get(b"Content-Length: 5") + b"12345", [200]),
    "GET with a body like a request": (get(b"Content-Length: %d" % len(GET)) + GET, [200]),
    "HEAD with a body": (get(b"Content-Length: 5", line=b"HEAD / HTTP/1.1\r\n") + b"12345", [200]),
    "GET with a body in chunks": (get(b"Transfer-Encoding: chunked") + b"5\r\n12345\r\n0\r\n\r\n", [200]),
    "Content-Length: 0": (post(b"Content-Length: 0"), [405]),
    "Content-Length with zeros before it": (post(b"Content-Length: 0000000000000000000000000000005", body=b"12345"), [405]),
    "Content-Length with blanks around it": (post(b"Content-Length: \t 5 \t", body=b"12345"), [405]),
    "Content-Length: 1048576": (post(b"Content-Length: 1048576", body=b"a" * 1048576), [405]),
    "Transfer-Encoding: Chunked": (post(b"Transfer-Encoding: Chunked", body=b"0\r\n\r\n"), [405]),
    "Transfer-Encoding: , chunked ,": (post(b"Transfer-Encoding: , chunked ,", body=b"0\r\n\r\n"), [405]),
    "Transfer_Encoding is another field": (post(b"Content-Length: 5", b"Transfer_Encoding: chunked", body=b"0\r\n\r\n"), [405]),
    "chunks": (CHUNKED + b"5\r\n12345\r\n00a\r\n1234567890\r\n0\r\n\r\n", [405]),
    "chunk sizes in both cases": (CHUNKED + b"A\r\n1234567890\r\na\r\n1234567890\r\n000\r\n\r\n", [405]),
    "16 digits": (CHUNKED + b"0000000000000005\r\n12345\r\n0000000000000000\r\n\r\n", [405]),
    "extensions": (CHUNKED + b'5;a;b=c;d="e\\"\t;\xff"\r\n12345\r\n0 ; a = b\r\n\r\n', [405]),
    "a chunk like a request": (CHUNKED + b"%x\r\n" % len(GET) + GET + b"\r\n0\r\n\r\n", [405]),
    "trailers that must not count": (CHUNKED + b"0\r\nContent-Length: 500\r\nTransfer-Encoding: gzip\r\nHost: x\r\nConnection: close\r\nA:\r\n\r\n", [405]),
    "Connection with empty elements": (get(b"Connection: , keep-alive ,, x"), [200]),
    "an upgrade that is not followed": (get(b"Connection: Upgrade", b"Upgrade: websocket, h2c"), [200]),
    "100-continue without a body": (get(b"Expect: 100-Continue"), [200]),
    "fields that make no sense": (get(b"Range: bytes=", b"If-Match: ,", b"Accept-Encoding: ;q=", b"If-Modified-Since: \xff", b"Date: x", b"Age: -1"), [412]),
}


def exchange(server: Server, octets: bytes, drip: bool = False, half: bool = False) -> list[Answer]:
    """All answers to these octets; the connection has ended then. half: the client's half ends behind them."""
    answers: list[Answer] = []
    with server.connection() as c:
        if drip:
            c.drip(octets)
        else:
            c.send_all_it_takes(octets)
        if half:
            c.half_close()
        method = octets.lstrip().split(b" ", 1)[0]
        while c.held or c.more():
            a = c.answer("HEAD" if method == b"HEAD" and not answers else "GET")
            answers.append(a)
        c.end()
    return answers


def try_all(server: Server, cases: dict[str, tuple[bytes, int]]) -> None:
    for name, (octets, status) in cases.items():
        for drip in (False, True):
            if drip and len(octets) > DRIP_MAX:
                continue
            answers = exchange(server, octets + LAST, drip)
            what = f"{name}{', octet by octet' if drip else ''}"
            equal([a.status for a in answers], [status], what)
            check(answers[0].closes or status == 405, f"{what}: Connection: close")


def site(files: Files) -> Server:
    return Server("--root", small_site(files))


def test_line_ends() -> None:
    with Files() as files, site(files) as server:
        try_all(server, LINE_ENDS)


def test_fields() -> None:
    with Files() as files, site(files) as server:
        try_all(server, FIELDS)


def test_hosts() -> None:
    with Files() as files, site(files) as server:
        try_all(server, HOSTS)


def test_body_lengths() -> None:
    with Files() as files, site(files) as server:
        try_all(server, BODY_LENGTHS)


def test_request_lines() -> None:
    with Files() as files, site(files) as server:
        try_all(server, REQUEST_LINES)


def test_chunks() -> None:
    with Files() as files, site(files) as server:
        try_all(server, CHUNKS)


def test_what_is_valid() -> None:
    with Files() as files, site(files) as server:
        for name, (octets, statuses) in GOOD.items():
            for drip in (False, True):
                if not drip or len(octets) <= DRIP_MAX:
                    got = [a.status for a in exchange(server, octets + LAST, drip)]
                    equal(got, statuses + [204], f"{name}{', octet by octet' if drip else ''}")


def test_lengths_beside_the_true_one() -> None:
    """Of five octets: what is too much for the length begins the next request, and what is missing is taken from it."""
    with Files() as files, site(files) as server:
        for length, statuses in ((0, [405, 501, 204]), (1, [405, 501, 204]), (4, [405, 501, 204]), (5, [405, 200, 204]), (6, [405, 501, 204]),
                                 (5 + len(GET), [405, 204]), (5 + len(GET + LAST), [405]), (6 + len(GET + LAST), [405]), (1 << 20, [405])):
            octets = post(b"Content-Length: %d" % length, body=b"12345") + GET + LAST
            for drip in (False, True):
                equal([a.status for a in exchange(server, octets, drip, half=True)], statuses, f"Content-Length: {length}")
        for size in (0, 1, 4, 5, 6, 0xfffff, 1 << 63, (1 << 64) - 1):
            octets = CHUNKED + b"%x\r\n12345\r\n0\r\n\r\n" % size + GET + LAST
            for drip in (False, True):
                statuses = [a.status for a in exchange(server, octets, drip, half=True)]
                equal(statuses, [405, 200, 204] if size == 5 else [405], f"a chunk of {size}")


def test_every_octet_everywhere() -> None:
    """All 256 in a method, a target, a name and a value, held against the sets of RFC 9110 5.6.2, RFC 3986 and RFC 9110 5.5."""
    pchar = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~!$&'()*+,;=:@/")
    with Files() as files, site(files) as server:
        for octet in range(256):
            x = bytes([octet])
            in_value = octet >= 0x80 or octet in b"\t" or 0x20 <= octet < 0x7f
            for what, octets, status in (
                    ("method", get(line=b"GE" + x + b"T / HTTP/1.1\r\n"), 501 if octet in TCHAR else 400),
                    ("path", lines(b"/no" + x + b"ne"), 404 if octet in pchar or octet == 0x3f else 400),
                    ("query", lines(b"/?a" + x + b"b"), 200 if octet in pchar or octet == 0x3f else 400),
                    ("version", get(line=b"GET / HTTP/1" + x + b"1\r\n"), 200 if x == b"." else 400),
                    ("name", get(b"A" + x + b"B: c"), 200 if octet in TCHAR or x == b":" else 400),
                    ("value", get(b"A: b" + x + b"c"), 200 if in_value else 400)):
                got = [a.status for a in exchange(server, octets + LAST)]
                equal(got, [status] if status == 400 else [status, 204], f"{octet:#04x} in a {what}")


def test_every_bit_flip() -> None:
    """Whatever comes of it is an answer by the rules and no crash; what is behind a refused one is not answered."""
    octets = get(b"Range: bytes=1-2", b'If-None-Match: "a", W/"b"', b"Accept-Encoding: gzip;q=0.5")
    with Files() as files, site(files) as server:
        for bit in range(len(octets) * 8):
            flipped = bytearray(octets)
            flipped[bit // 8] ^= 0x80 >> bit % 8
            with server.connection() as c:
                c.send(bytes(flipped) + LAST)
                c.half_close()  # some wait for more
                answers = []
                while c.held or c.more():
                    answers.append(c.answer())
            equal([a.closes for a in answers], [False] * (len(answers) - 1) + [True] * bool(answers), f"bit {bit}: which is the last")


def test_every_bit_flip_of_a_chunked_body() -> None:
    """The head is answered; the next request only where its body still is one, and then its end is where it was."""
    body = b'2;a="b"\r\nxy\r\n0a\r\n0123456789\r\n0\r\nA: b\r\n\r\n'
    harmless = {*range(1, 7), 9, 10, *range(17, 27), *range(32, 36)}  # octets of extension, data and trailer
    with Files() as files, site(files) as server:
        for bit in range(len(body) * 8):
            flipped = bytearray(body)
            flipped[bit // 8] ^= 0x80 >> bit % 8
            statuses = [a.status for a in exchange(server, CHUNKED + bytes(flipped) + LAST, half=True)]
            check(statuses == [405] or (statuses == [405, 204] and (bit // 8 in harmless or flipped.upper() == body.upper())), f"bit {bit}: {statuses}")


def test_octets_behind_what_might_have_been_a_tunnel() -> None:
    """CONNECT is not done, and no Upgrade: what follows is requests, or is refused; it is never passed on or taken for another protocol."""
    upgrade = get(b"Connection: Upgrade, HTTP2-Settings", b"Upgrade: h2c", b"HTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA")
    preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0"
    frame = b"\x81\x85\1\2\3\4abcde"
    with Files() as files, site(files) as server:
        for name, octets, statuses in (
                ("h2c, and a request", upgrade + LAST, [200, 204]), ("h2c, and its preface", upgrade + preface, [200, 505]),
                ("websocket, and a frame", get(b"Connection: Upgrade", b"Upgrade: websocket") + frame, [200, 400]),
                ("a tunnel, and TLS", b"CONNECT a.example:443 HTTP/1.1\r\n" + HOST + b"\r\n\x16\x03\x01", [405]),
                ("a tunnel, and a request", b"CONNECT a.example:80 HTTP/1.1\r\n" + HOST + b"\r\n" + LAST, [405])):
            for drip in (False, True):
                equal([a.status for a in exchange(server, octets, drip)], statuses, name)


def truncations(server: Server, octets: bytes, body: int) -> None:
    head = len(octets) - body
    for n in range(len(octets)):
        with server.connection() as c:
            c.send(octets[:n])
            c.half_close()
            if n >= head:
                equal(c.answer().status, 405, "what is decided at the head")
            c.end()


def test_every_truncation() -> None:
    """A request that ends early is not answered as if it were whole (RFC 9112 8)."""
    chunks = b'5;a="b"\r\n12345\r\n0\r\nA: b\r\n\r\n'
    with Files() as files, site(files) as server:
        truncations(server, post(b"Content-Length: 10", b"A: b", body=b"1234567890"), 10)
        truncations(server, CHUNKED + chunks, len(chunks))


def test_splits_in_three() -> None:
    octets = post(b"Transfer-Encoding: chunked", body=b'5;a="b"\r\n12345\r\n0\r\nA: b\r\n\r\n') + GET
    with Files() as files, site(files) as server, server.connection() as c:
        for a in range(1, len(octets), 7):
            for b in range(a + 1, len(octets), 5):
                for piece in (octets[:a], octets[a:b], octets[b:]):
                    c.send(piece)
                equal([c.answer().status for _ in range(2)], [405, 200], f"split at {a} and {b}")


def test_every_split() -> None:
    octets = get(b"Range: bytes=1-2") + post(b"Transfer-Encoding: chunked", body=b'5;a="b"\r\n12345\r\n0\r\nA: b\r\n\r\n') + GET
    with Files() as files, site(files) as server, server.connection() as c:
        for n in range(1, len(octets)):
            c.send(octets[:n])
            c.send(octets[n:])
            equal([c.answer().status for _ in range(3)], [206, 405, 200], f"split at {n}")


def test_pipelined_with_a_bad_one_at_the_end() -> None:
    with Files() as files, site(files) as server:
        for bad, status in ((b"GET / HTTP/1.1\r\n\r\n", 400), (GET.replace(b"GET", b"G\0T"), 400), (get(b"A: " + b"b" * 70000), 431)):
            with server.connection() as c:
                c.send_all_it_takes(b"".join(lines(b"/letters.txt" if i % 3 else b"/") for i in range(1000)) + bad + GET)
                for i in range(1000):
                    equal(c.answer().body, LETTERS if i % 3 else INDEX, f"answer {i}")
                equal(c.answer().status, status)
                c.end()


def test_pipelined_of_all_kinds() -> None:
    kinds = [(octets, statuses) for octets, statuses in GOOD.values() if len(octets) < DRIP_MAX and b"HEAD" not in octets]
    with Files() as files, site(files) as server, server.connection() as c:
        for _ in range(3):
            c.send_all_it_takes(b"".join(octets for octets, _ in kinds))
            for _, statuses in kinds:
                equal([c.answer().status for _ in statuses], statuses)


if __name__ == "__main__":
    sys.exit(main(dict(globals())))
