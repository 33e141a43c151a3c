#!/usr/bin/env python3
"""nginx as a proxy in front of the running server: what comes through is the same, with its buffers on and off."""

from __future__ import annotations

import gzip
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from harness import HOST, INDEX, LETTERS, Files, Server, check, client, equal, main, small_site  # noqa: E402
from nginx import Nginx  # noqa: E402
from test_bad_input import BODY_LENGTHS, CHUNKS, FIELDS, GOOD, HOSTS, LINE_ENDS, REQUEST_LINES  # noqa: E402

PROXY = """
  client_max_body_size 0;
  upstream server {{ server {place}; keepalive 4; }}
  server {{
    listen unix:front;
    proxy_http_version 1.1;
    proxy_set_header Connection "";
    proxy_set_header Host $host;
    proxy_buffering {buffering};
    proxy_request_buffering {buffering};
    location / {{ proxy_pass http://server; }}
    proxy_ignore_client_abort on;
    lingering_timeout 50ms;
  }}
"""
SAME = ("date", "server", "connection")  # what may be nginx's own


class Proxy(Nginx):
    """In front of the server."""

    def __init__(self, files: Files, server: Server, buffering: bool) -> None:
        self.server = server
        super().__init__(files, "buffered" if buffering else "unbuffered", PROXY.format(place=server.place, buffering="on" if buffering else "off"))

    def ask(self, octets: bytes) -> bytes:
        self.server.begun()
        return super().ask(octets)

    def curl(self, path: str, *options: object) -> tuple[int, dict[str, str], bytes]:
        self.server.begun()
        out = client("curl", "-sS", "-i", "--unix-socket", self.front, *options, "http://www.example.org" + path).stdout
        return read(out)


def read(out: bytes) -> tuple[int, dict[str, str], bytes]:
    """Status, fields and body of the last response."""
    while True:
        head, out = out.split(b"\r\n\r\n", 1)
        if not out.startswith(b"HTTP/1."):
            break
    lines = head.decode("latin-1").split("\r\n")
    fields = dict(line.split(": ", 1) for line in lines[1:])
    return int(lines[0].split(" ")[1]), {n.lower(): v for n, v in fields.items() if n.lower() not in SAME}, out


@contextmanager
def proxied() -> Iterator[tuple[Files, Server, list[Proxy]]]:
    with Files() as files:
        site = Files()
        with site, Server("--root", small_site(site), "--metrics", "127.0.0.1:0") as server:
            with Proxy(files, server, True) as on, Proxy(files, server, False) as off:
                yield site, server, [on, off]


def test_the_same_comes_through() -> None:
    """Status, fields and body are those of a direct request."""
    with proxied() as (files, server, fronts):
        files.write("coded.txt", b"plain " * 99)
        files.write("coded.txt.gz", gzip.compress(b"plain " * 99))
        tag = server.get("/letters.txt").get("etag")
        for path, *options in (
                ("/",), ("/letters.txt",), ("/empty.txt",), ("/none",), ("/sub?a=b",), ("/sub/",), ("/bare/",), ("/a%2fb",),
                ("/letters.txt", "-I"), ("/none", "-I"), ("/letters.txt", "--http1.0"),
                ("/letters.txt", "-r", "0-4"), ("/letters.txt", "-r", "-4"), ("/letters.txt", "-r", "0-3,10-19"), ("/letters.txt", "-r", "5000-"),
                ("/letters.txt", "-H", f"If-None-Match: {tag}"), ("/letters.txt", "-H", 'If-Match: "x"'),
                ("/letters.txt", "-r", "0-4", "-H", f"If-Range: {tag}"), ("/coded.txt", "-H", "Accept-Encoding: gzip"), ("/coded.txt",),
                ("/", "-X", "OPTIONS"), ("/", "-X", "DELETE"), ("/", "-X", "BREW")):
            direct = read(client("curl", "-sS", "-i", "-H", "Host: www.example.org", *options, server.url(path)).stdout)
            for front in fronts:
                equal(front.curl(path, *options), direct, f"{path} {options}")


def test_bodies_are_refused() -> None:
    with proxied() as (files, server, fronts):
        small = files.write("small", b"s" * 5000)
        large = files.write("large", b"l" * (3 << 20))
        for front in fronts:
            for options, status in ((("-d", "a=b"), 405), (("-d", f"@{small}"), 405), (("-T", small), 405),
                                    (("-T", small, "-H", "Transfer-Encoding: chunked"), 405), (("-T", large), 413)):
                got, fields, _ = front.curl("/letters.txt", *options)
                equal((got, fields.get("allow")), (status, "GET, HEAD, OPTIONS" if status == 405 else None), str(options))
            equal(front.curl("/letters.txt")[2], LETTERS, "and the next is answered")


def test_a_big_file_and_many_at_once() -> None:
    content = b"".join(i.to_bytes(4, "big") * 64 for i in range(1 << 15))  # 8 MiB
    with proxied() as (files, server, fronts):
        files.write("big", content)
        for front in fronts:
            check(front.curl("/big")[2] == content, "the big file")
            check(front.curl("/big", "-r", "4000000-")[2] == content[4000000:], "half of it")
            config = files.path / "config"
            config.write_text("".join(f'url = "http://www.example.org/{n}"\noutput = "/dev/null"\n' for n in ("", "letters.txt", "none", "sub/") * 50))
            out = client("curl", "-sS", "-Z", "--parallel-max", 20, "--unix-socket", front.front, "-w", "%{http_code}\\n", "-K", config).stdout
            equal(sorted(out.split()), [b"200"] * 150 + [b"404"] * 50, "many at once")


def test_connections_to_the_server_are_kept() -> None:
    with proxied() as (_, server, fronts):
        for front in fronts:
            before = server.figures()
            urls = ["http://www.example.org/"] * 50
            out = client("curl", "-sS", "--unix-socket", front.front, *urls).stdout
            equal(out, INDEX * 50)
            server.shows({name: before[name] + grown for name, grown in (("mrg_http_requests_total", 50), ("mrg_http_connections_total", 1))})


def test_nothing_is_smuggled() -> None:
    """Whatever nginx makes of a bad request and hands on: the one behind it, on the same connection to the server, gets its own answer."""
    plain = b"GET /letters.txt HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n"
    plains = 0
    with proxied() as (_, server, fronts):
        for table in (LINE_ENDS, FIELDS, HOSTS, BODY_LENGTHS, REQUEST_LINES, CHUNKS, GOOD):
            for name, (octets, _) in table.items():
                for front in fronts:
                    front.ask(octets)
                    got = front.ask(plain)
                    plains += 1
                    check(got.startswith(b"HTTP/1.1 200 ") and got.endswith(b"\r\n\r\n" + LETTERS), f"behind {name}: {got[:200]!r}")
        figures = server.figures()
        requests, connections = figures["mrg_http_requests_total"], figures["mrg_http_connections_total"]
        check(requests > plains + 100, f"{requests} requests: some of the bad ones were handed on")
        check(connections < requests / 2, f"{connections} connections: they stay, whatever was sent over them")


if __name__ == "__main__":
    sys.exit(main(dict(globals())))
