#!/usr/bin/env python3
"""mrg-get and nginx: what one serves is what the other writes, in each form that a body can have."""

from __future__ import annotations

import gzip
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from harness import Files, Got, Nginx, check, equal, get, main, read_heads  # noqa: E402

LETTERS = bytes(range(97, 123)) * 40  # 1,040 octets of which any range can be told
PAGE = b"<p>" + b"some text " * 2000 + b"</p>\n"
BIG = b"".join(i.to_bytes(4, "big") * 64 for i in range(1 << 15))  # 8 MiB
SERVER = """
    keepalive_requests 3;
    location /ssi/ { ssi on; alias %(root)s/; }
    location /until-close/ { ssi on; chunked_transfer_encoding off; alias %(root)s/; }
    location /gzip/ { gzip on; gzip_min_length 1; gzip_types text/plain; alias %(root)s/; }
    location /list/ { autoindex on; alias %(root)s/sub/; }
    location /empty { return 204; }
    location /away { return 301 /letters.txt; }
    location /put/ { dav_methods PUT DELETE; }
    location /small/ { client_max_body_size 1k; dav_methods PUT; }
    location /text { return 200 "host=$http_host agent=$http_user_agent accept=$http_accept x=$http_x method=$request_method"; }
"""


@contextmanager
def nginx() -> Iterator[Nginx]:
    with Files() as files:
        for name, content in (("letters.txt", LETTERS), ("page.html", PAGE), ("big", BIG), ("nothing", b""), ("sub/one", b"1"), ("put/x", b"")):
            files.write("root/" + name, content)
        with Nginx(files, SERVER % {"root": files.path / "root"}) as server:
            yield server


def fetched(*args: object) -> bytes:
    got = get(*args)
    equal(got.code, 0, f"{args}: {got.err}")
    return got.out


def refused(got: Got, status: int) -> None:
    equal(got.code, 1, got.err)
    check(f": status {status} " in got.err, got.err)


def test_files() -> None:
    with nginx() as server:
        for name, content in (("letters.txt", LETTERS), ("page.html", PAGE), ("nothing", b""), ("big", BIG)):
            check(fetched(server.url("/" + name)) == content, name)
        refused(get(server.url("/none")), 404)
        check(b"404 Not Found" in get(server.url("/none")).out, "the page of an error is written as any other")


def test_a_big_file_to_a_file() -> None:
    with nginx() as server, Files() as files:
        to = files.write("to", b"old")
        equal(fetched("-o", to, server.url("/big")), b"")
        check(to.read_bytes() == BIG, "the same octets")
        fetched("-o", to, server.url("/nothing"))
        equal(to.read_bytes(), b"")


def test_heads() -> None:
    with nginx() as server:
        (status, fields), = read_heads(fetched("-I", server.url("/letters.txt")))
        equal((status, fields["content-length"], fields["content-type"]), (200, "1040", "text/plain"))
        head, body = fetched("-i", server.url("/letters.txt")).split(b"\r\n\r\n", 1)
        check(b"\r\nContent-Length: 1040\r\n" in head and body == LETTERS, head.decode())
        (status, fields), = read_heads(get("-I", server.url("/ssi/page.html")).out)
        equal((status, "content-length" in fields), (200, False))
        (status, fields), = read_heads(fetched("-I", server.url("/away")))
        equal((status, fields["location"]), (301, server.url("/letters.txt")))
        (status, fields), = read_heads(fetched("-i", server.url("/empty")))
        equal(status, 204)


def test_what_is_sent() -> None:
    with nginx() as server:
        host = f"127.0.0.1:{server.port}"
        equal(fetched(server.url("/text")).decode(), f"host={host} agent=mrg-get/0.1.0 accept=*/* x= method=GET")
        equal(fetched("-H", "X:  a b ", "-H", "user-agent: me", "-H", "Host: www.example.org", "-X", "BREW", server.url("/text#part")).decode(),
              "host=www.example.org agent=me accept=*/* x=a b method=BREW")
        equal(fetched("--at", host, "http://www.example.org:81/text?q").decode(), "host=www.example.org:81 agent=mrg-get/0.1.0 accept=*/* x= method=GET")


def test_chunks() -> None:
    """nginx does not know the length of what it includes, codes or lists."""
    with nginx() as server:
        for path, content in (("/ssi/page.html", PAGE), ("/gzip/letters.txt", LETTERS)):
            got = fetched("-i", "-H", "Accept-Encoding: gzip", server.url(path))
            head, body = got.split(b"\r\n\r\n", 1)
            check(b"\r\nTransfer-Encoding: chunked" in head, head.decode())
            equal(gzip.decompress(body) if b"Content-Encoding: gzip" in head else body, content, path)
        check(b'<a href="one">' in fetched(server.url("/list/")), "a list")


def test_bodies_until_the_end_of_the_connection() -> None:
    with nginx() as server:
        head, body = fetched("-i", server.url("/until-close/page.html")).split(b"\r\n\r\n", 1)
        check(b"Content-Length" not in head and b"Transfer-Encoding" not in head and body == PAGE, head.decode())
        head, body = fetched("--http1.0", "-i", server.url("/ssi/page.html")).split(b"\r\n\r\n", 1)
        check(b"Content-Length" not in head and b"Transfer-Encoding" not in head and body == PAGE, head.decode())
        equal(fetched("--http1.0", server.url("/letters.txt")), LETTERS)


def test_ranges() -> None:
    with nginx() as server:
        url = server.url("/letters.txt")
        for text, want in (("0-4", LETTERS[:5]), ("-4", LETTERS[-4:]), ("1000-", LETTERS[1000:])):
            head, body = fetched("-i", "-H", f"Range: bytes={text}", url).split(b"\r\n\r\n", 1)
            check(head.startswith(b"HTTP/1.1 206 "), head.decode())
            equal(body, want, text)
        several = fetched("-H", "Range: bytes=0-3,10-12", url)
        check(b"\r\n\r\nabcd\r\n" in several and b"\r\n\r\nklm\r\n" in several, several.decode())
        check(fetched("-H", "Range: bytes=4000000-", server.url("/big")) == BIG[4000000:], "half of the big one")
        refused(get("-H", "Range: bytes=5000-", url), 416)


def test_not_modified() -> None:
    with nginx() as server:
        url = server.url("/letters.txt")
        (_, fields), = read_heads(fetched("-I", url))
        for condition in (f"If-None-Match: {fields['etag']}", f"If-Modified-Since: {fields['last-modified']}"):
            (status, after), = read_heads(fetched("-i", "-H", condition, url))
            equal((status, after["etag"]), (304, fields["etag"]))
        refused(get("-H", 'If-Match: "x"', url), 412)


def test_bodies_of_requests() -> None:
    with nginx() as server, Files() as files:
        refused(get("-d", "a=b", server.url("/letters.txt")), 405)
        for content in (b"", b"small", BIG):
            (status, _), = read_heads(fetched("-i", "-X", "PUT", "-d", f"@{files.write('body', content)}", server.url("/put/new")))
            check(status in (201, 204), status)
            check((server.root / "put" / "new").read_bytes() == content, f"{len(content)} octets arrived")
        refused(get("-X", "PUT", "-d", f"@{files.path / 'body'}", server.url("/small/new")), 413)  # said, and gone, before it has come
        fetched("-X", "DELETE", server.url("/put/new"))
        check(not (server.root / "put" / "new").exists(), "it is deleted")


def test_several_on_one_connection() -> None:
    """nginx ends each connection behind its third answer: the client goes on with another."""
    with nginx() as server:
        urls = [server.url(path) for path in ("/letters.txt", "/ssi/page.html", "/nothing", "/letters.txt", "/until-close/page.html", "/big", "/none")]
        got = get(*urls)
        check(got.out.startswith(LETTERS + PAGE + LETTERS + PAGE + BIG), "all, in order")
        refused(got, 404)
        heads = read_heads(get("-I", *urls).out)
        equal([status for status, _ in heads], [200] * 6 + [404])
        equal(["close" in fields.get("connection", "") for _, fields in heads], [False, False, True, False, False, True, True])


if __name__ == "__main__":
    sys.exit(main(dict(globals())))
