#!/usr/bin/env python3
"""The same request again: field lines that are kept with a file are those of the first answer, and no other's."""

from __future__ import annotations

import gzip
import os
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from harness import Answer, Files, Server, check, equal, main, small_site, until  # noqa: E402

CODED = "Accept-Encoding: gzip"
TEXT, HTML = "text/plain; charset=utf-8", "text/html; charset=utf-8"


def fields(a: Answer) -> list[tuple[str, str]]:
    return sorted((n, v) for n, v in a.fields if n != "Date")


def same(server: Server, target: str, *asked: str) -> Answer:
    first = server.get(target, *asked)
    for _ in range(2):
        again = server.get(target, *asked)
        equal((again.status, fields(again), again.body), (first.status, fields(first), first.body), target)
    return first


def test_the_same_again() -> None:
    with Files() as files, Server("--root", small_site(files), "--cache", "*.txt=max-age=60") as server:
        first = same(server, "/letters.txt")
        equal(first.get("cache-control"), "max-age=60", "by the rule")
        equal(first.get("content-type"), TEXT, "by the name")
        equal(same(server, "/empty.txt").get("content-length"), "0", "an empty file")
        equal(same(server, "/").get("content-type"), HTML, "of the index page")


def test_other_answers_between() -> None:
    """A range, an unchanged one, an error: each has its own fields, before and behind a whole answer."""
    with Files() as files, Server("--root", small_site(files)) as server:
        part = server.get("/letters.txt", "Range: bytes=1-2")
        whole = server.get("/letters.txt")
        tag = whole.get("etag")
        unchanged = same(server, "/letters.txt", f"If-None-Match: {tag}")
        equal((unchanged.status, unchanged.get("etag")), (304, tag), "unchanged")
        equal(fields(same(server, "/letters.txt", "Range: bytes=1-2")), fields(part), "a part")
        equal((part.status, part.get("etag"), part.get("content-type")), (206, tag, TEXT), "a part")
        equal(fields(same(server, "/letters.txt")), fields(whole), "the whole")


def test_codings() -> None:
    """A coded file is served for another name and by its own; what is kept for one is not given for the other."""
    with Files() as files, Server("--root", small_site(files)) as server:
        for _ in range(2):
            plain, coded, own = (server.get("/page.html"), server.get("/page.html", CODED), server.get("/page.html.gz"))
            equal((plain.get("content-encoding"), plain.get("content-type"), plain.get("vary")), ("", HTML, "Accept-Encoding"), "")
            equal((coded.get("content-encoding"), coded.get("content-type"), coded.get("vary")), ("gzip", HTML, "Accept-Encoding"), "")
            equal((own.get("content-encoding"), own.get("content-type"), own.get("vary")), ("", "application/gzip", ""), "")
            check(plain.get("etag") != coded.get("etag") == own.get("etag"), "tags")


def test_a_coded_file_first_by_its_own_name() -> None:
    with Files() as files, Server("--root", small_site(files)) as server:
        equal(same(server, "/page.html.gz").get("content-encoding"), "", "by its own name")
        coded = same(server, "/page.html", CODED)
        equal((coded.get("content-encoding"), coded.get("content-type")), ("gzip", HTML), "for the other")


def test_vary_comes_and_goes_with_the_sibling() -> None:
    with Files() as files, Server("--root", small_site(files)) as server:
        equal(server.get("/letters.txt").get("vary"), "", "alone")
        files.write("letters.txt.gz", gzip.compress(b"letters"))
        until(lambda: server.get("/letters.txt").get("vary") != "", "the sibling is seen")
        equal(same(server, "/letters.txt").get("vary"), "Accept-Encoding", "with a sibling")


def test_of_the_future() -> None:
    """RFC 9110 8.8.2.1: Last-Modified is not later than Date; it is not kept, since it would become older than that."""
    with Files() as files, Server("--root", small_site(files)) as server:
        at = time.time() + 3600
        os.utime(files.path / "letters.txt", (at, at))
        dates: set[str] = set()

        def some_seconds() -> bool:
            answer = server.get("/letters.txt")
            equal(answer.get("last-modified"), answer.get("date"), "not later than the answer")
            dates.add(answer.get("date"))
            return len(dates) == 5  # the first of them while the file is read again each time
        until(some_seconds, "some seconds")


if __name__ == "__main__":
    sys.exit(main(dict(globals())))
