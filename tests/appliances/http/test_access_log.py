#!/usr/bin/env python3
"""The access log as the usual analysers read it: one whole line an answer, whatever the client sent and however many workers write."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from harness import HOST, INDEX, LETTERS, Files, Server, check, client, equal, main, request, small_site, until  # noqa: E402

# host ident user [time] "request" status bytes, and "referer" "agent" behind it: the Common and the Combined Log Format
COMMON = re.compile(r'(?P<host>\S+) (?P<ident>\S+) (?P<user>\S+) \[(?P<time>\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4})\] '
                    r'"(?P<request>(?:[^"\\]|\\.)*)" (?P<status>\d{3}) (?P<bytes>\d+|-)')
COMBINED = re.compile(COMMON.pattern + r' "(?P<referer>(?:[^"\\]|\\.)*)" "(?P<agent>(?:[^"\\]|\\.)*)"')


class Logged:
    """A server whose access log goes to a file."""

    def __init__(self, files: Files, form: str, *args: str) -> None:
        self.path = files.path.with_suffix(".log")
        with self.path.open("wb") as log:
            self.server = Server("--root", small_site(files), "--access-log", form, *args, stdout=log)

    def __enter__(self) -> Logged:
        return self

    def __exit__(self, *_: object) -> None:
        self.server.kill()
        self.path.unlink()

    def lines(self, count: int) -> list[str]:
        """All lines, as soon as there are so many."""
        until(lambda: self.path.read_bytes().count(b"\n") >= count, f"{count} lines in the log")
        text = self.path.read_text("ascii")
        check(text.endswith("\n"), "the last line is whole")
        return text.splitlines()


def fields(pattern: re.Pattern[str], line: str) -> dict[str, str]:
    found = pattern.fullmatch(line)
    check(found is not None, f"not a line of a log: {line!r}")
    assert found is not None
    return found.groupdict()


def test_common() -> None:
    with Files() as files, Logged(files, "common") as log:
        asked = [("GET", "/"), ("HEAD", "/letters.txt"), ("GET", "/letters.txt?a=%20b"), ("GET", "/none"), ("GET", "/sub"), ("OPTIONS", "*"),
                 ("BREW", "/"), ("GET", "http://www.example.org/")]
        answers = [log.server.ask(method, target) for method, target in asked]
        with log.server.connection() as c:
            equal(c.ask(b"GET / HTTP/1.0\r\n\r\n").body, INDEX)
        lines = [fields(COMMON, line) for line in log.lines(len(asked) + 1)]
        equal([line["request"] for line in lines], [f"{m} {t} HTTP/1.1" for m, t in asked] + ["GET / HTTP/1.0"])
        equal([line["status"] for line in lines[:-1]], [str(a.status) for a in answers])
        equal([line["bytes"] for line in lines[:-1]], [a.get("content-length") or "0" for a in answers])
        for line in lines:
            equal((line["host"], line["ident"], line["user"]), (log.server.client_host(), "-", "-"))
            check(abs(time.mktime(time.strptime(line["time"], "%d/%b/%Y:%H:%M:%S +0000")) - time.timezone - time.time()) < 60, line["time"])


def test_combined() -> None:
    with Files() as files, Logged(files, "combined", "--listen", "[::1]:0") as log:
        client("curl", "-sS", "-o", "/dev/null", "-A", "Test/1.0 (a; b)", "-e", "http://example.org/?q", log.server.url("/", 1))
        log.server.ask("GET", "/letters.txt", "Range: bytes=0-9")
        one, two = [fields(COMBINED, line) for line in log.lines(2)]
        equal((one["host"], one["referer"], one["agent"], one["bytes"]),
              (log.server.client_host(1), "http://example.org/?q", "Test/1.0 (a; b)", str(len(INDEX))))
        equal((two["referer"], two["agent"], two["status"], two["bytes"]), ("-", "-", "206", "10"))


def test_none() -> None:
    with Files() as files, Logged(files, "none") as log:
        log.server.get("/")
        equal(log.server.end(), 0)
        equal(log.path.read_bytes(), b"")


def test_what_clients_send_forges_nothing() -> None:
    hostile = {
        'a" 200 1 "': r"a\x22 200 1 \x22",
        "\\": r"\x5c",
        "\\\" x": r"\x5c\x22 x",
        "\u00e9\u00ff\u0080": r"\xe9\xff\x80",
        "\tx\ty": r"x\x09y",
        "\x1b[31m": None,  # no such octet may be in a field
        "${jndi:ldap://a/}": "${jndi:ldap://a/}",
        "<script>": "<script>",
        "%s%n": "%s%n",
        "": "-",
    }
    with Files() as files, Logged(files, "combined") as log:
        for text in hostile:
            log.server.ask("GET", "/", "User-Agent: " + text, "Referer: " + text)
        lines = log.lines(len(hostile))
        equal(len(lines), len(hostile), "lines")
        for line, (text, want) in zip(lines, hostile.items()):
            row = fields(COMBINED, line)
            if want is None:
                equal((row["status"], row["request"], row["agent"]), ("400", "-", "-"), text)
            else:
                equal((row["status"], row["request"], row["agent"], row["referer"]), ("200", "GET / HTTP/1.1", want, want), text)


def test_bad_requests() -> None:
    with Files() as files, Logged(files, "combined") as log:
        for octets in (b"\0", b"GET / HTTP/1.1\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\n\r\n", b"GET /\n\x1b[31m"):
            with log.server.connection() as c:
                c.send_all_it_takes(octets)
                c.answer()
                c.end()
        lines = [fields(COMBINED, line) for line in log.lines(5)]
        equal([line["status"] for line in lines], ["400", "400", "505", "414", "400"])
        equal([line["request"] for line in lines], ["-", "GET / HTTP/1.1", "-", "-", "-"])


def test_long_fields_leave_lines_whole() -> None:
    """Escapes make four characters of an octet; the longest line is still one line."""
    agent = "\u00ff" * 57000
    with Files() as files, Logged(files, "combined") as log:
        for _ in range(3):
            equal(log.server.ask("GET", "/?" + "a" * 7000, "User-Agent: " + agent).status, 200)
            equal(log.server.ask("GET", "/", "User-Agent: " + agent[:30000], "Referer: " + agent[:30000]).status, 200)
        for line in log.lines(6):
            equal(fields(COMBINED, line)["agent"], r"\xff" * 4096, "what there is room for")


def test_several_workers_write_whole_lines() -> None:
    """To a pipe, as a container has it: no line is torn by another."""
    count = 8000
    with Files() as files:
        server = Server("--root", small_site(files), "--access-log", "combined", "--workers", "4", stdout=subprocess.PIPE)
        with server:
            load = subprocess.Popen(["h2load", "--h1", "-n", str(count), "-c", "40", "-m", "50", "-H", "User-Agent: " + "x" * 300, server.url("/letters.txt")],
                                    stdout=subprocess.DEVNULL)
            pipe = server.process.stdout
            assert pipe is not None
            for _ in range(count):
                row = fields(COMBINED, pipe.readline().decode("ascii").rstrip("\n"))
                check(row["request"] == "GET /letters.txt HTTP/1.1" and row["bytes"] == str(len(LETTERS)), row)
                check(row["agent"].startswith("x" * 300), row["agent"])
            equal(load.wait(), 0)
            equal(server.end(), 0)
            equal(pipe.read(), b"", "nothing more")


def test_nothing_is_lost_at_the_end() -> None:
    with Files() as files, Logged(files, "common", "--workers", "2") as log:
        with log.server.connection() as c:
            c.send(request("GET", "/letters.txt") * 500 + b"GET / HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n")
            for _ in range(501):
                c.answer()
            c.end()
        equal(log.server.end(), 0)
        equal(len(log.lines(501)), 501)


if __name__ == "__main__":
    sys.exit(main(dict(globals())))
