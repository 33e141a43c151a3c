#!/usr/bin/env python3
"""Other people's clients against the running server: curl, wget, Python's http.client. What they get is what is in the folder."""

from __future__ import annotations

import gzip
import hashlib
import http.client
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

sys.path.insert(0, str(Path(__file__).resolve().parent))
from harness import INDEX, LETTERS, Files, Server, check, client, equal, main, small_site  # noqa: E402
from wire import Answer, parts_of, read_head  # noqa: E402

BOTH = ("127.0.0.1:0", "[::1]:0")
BIG = 64 << 20


def big_content() -> bytes:
    """64 MiB in which no two blocks are alike."""
    return b"".join(i.to_bytes(4, "big") * 256 for i in range(BIG >> 10))


@contextmanager
def served(*args: str) -> Iterator[tuple[Files, Server]]:
    with Files() as files, Server("--root", small_site(files), *args, listen=BOTH) as server:
        yield files, server


def curls(server: Server, *cases: tuple[object, ...], index: int = 0) -> list[Answer]:
    """For each path with its options the last response that curl got, with what it took for its body. One curl asks for all."""
    words: list[object] = []
    for path, *options in cases:
        words += ["--next", "-sS", "-i", *options, server.url(str(path), index)]
    rest = client("curl", *words[1:]).stdout
    answers = []
    for _, *options in cases:
        passing: set[int] = {100, 301} if "-L" in options else {100}  # curl shows their heads only
        status = 100
        while status in passing:
            head, _, rest = rest.partition(b"\r\n\r\n")
            answer = read_head(head + b"\r\n\r\n")
            status = answer.status
        length = 0 if "-I" in options or status == 304 else int(answer.get("content-length") or 0)
        check(len(rest) >= length, f"{len(rest)} of {length} octets")
        answer.body, rest = rest[:length], rest[length:]
        answers.append(answer)
    equal(rest, b"", "octets behind the last answer")
    return answers


def curl(server: Server, path: str, *options: object, index: int = 0) -> Answer:
    return curls(server, (path, *options), index=index)[0]


def told(server: Server, path: str, wanted: str, *options: object) -> str:
    """What curl says of its transfer, by --write-out."""
    return client("curl", "-sS", "-o", "/dev/null", "-w", wanted, *options, server.url(path)).stdout.decode()


# ---- curl: plain ----


def test_get_and_head_over_both_families() -> None:
    with served() as (_, server):
        for index in range(2):
            a = curl(server, "/", index=index)
            equal((a.status, a.reason, a.body), (200, "OK", INDEX))
            equal(a.get("content-type"), "text/html; charset=utf-8")
            h = curl(server, "/", "-I", index=index)
            equal((h.status, h.body), (200, b""))
            equal([f for f in h.fields if f[0] != "Date"], [f for f in a.fields if f[0] != "Date"], "fields of HEAD")


def test_http_1_0() -> None:
    with served() as (_, server):
        a = curl(server, "/letters.txt", "--http1.0")
        equal((a.status, a.body, a.closes), (200, LETTERS, True))
        a = curl(server, "/letters.txt", "--http1.0", "-H", "Connection: keep-alive")
        equal((a.status, a.body, a.get("connection")), (200, LETTERS, "keep-alive"))
        a = curl(server, "/letters.txt", "--http1.0", "-H", "Host:")
        equal((a.status, a.body), (200, LETTERS), "without Host")
        equal(curl(server, "/", "-H", "Host:").status, 400, "RFC 9112 3.2: HTTP/1.1 without Host")


def test_http_0_9_is_refused() -> None:
    """The answer to a request line without a version is one of HTTP/1.1, not bare octets."""
    with served() as (_, server):
        with server.connection() as c:
            c.send(b"GET /\r\n")
            equal(c.answer().status, 400)
            c.end()
        equal(curl(server, "/", "--http0.9").status, 200, "a client that would take 0.9")


def test_keep_alive() -> None:
    with served() as (_, server):
        urls = [server.url(p) for p in ("/", "/letters.txt", "/none", "/sub", "/empty.txt", "/page.html")]
        done = client("curl", "-sS", *[w for u in urls for w in ("-o", "/dev/null", u)], "-w", "%{num_connects} %{http_code}\\n")
        equal(done.stdout.decode().split("\n")[:-1], ["1 200", "0 200", "0 404", "0 301", "0 200", "0 200"], "one connection for all")
        equal(told(server, "/", "%{num_connects}", "-H", "Connection: close", "--next", "-sS", "-o", "/dev/null", "-w", "%{num_connects}",
                   server.url("/")), "11", "a connection each after Connection: close")


def test_upgrade_is_not_followed() -> None:
    with served() as (_, server):
        a = curl(server, "/", "--http2")
        equal((a.status, a.body), (200, INDEX), "h2c")
        a = curl(server, "/", "-H", "Connection: Upgrade", "-H", "Upgrade: websocket", "-H", "Sec-WebSocket-Version: 13")
        equal((a.status, a.body), (200, INDEX), "websocket")


def test_raw() -> None:
    with served() as (_, server):
        equal(curl(server, "/letters.txt", "--raw").body, LETTERS)


# ---- curl: ranges ----


def test_ranges() -> None:
    n = len(LETTERS)
    with served() as (files, server):
        some = {"0-0": (0, 0), "0-4": (0, 4), "26-": (26, n - 1), "-5": (n - 5, n - 1), "1039-1039": (n - 1, n - 1), "1000-5000": (1000, n - 1),
                "-99999": (0, n - 1), "0-18446744073709551615": (0, n - 1)}
        for (spec, (first, last)), a in zip(some.items(), curls(server, *[("/letters.txt", "-r", spec) for spec in some])):
            equal((a.status, a.body), (206, LETTERS[first:last + 1]), spec)
            equal(a.get("content-range"), f"bytes {first}-{last}/{n}", spec)
        a = curl(server, "/letters.txt", "-r", "0-3,100-101,-2")
        equal(a.status, 206)
        equal(parts_of(a), [(f"bytes {first}-{last}/{n}", "text/plain; charset=utf-8", LETTERS[first:last + 1])
                            for first, last in ((0, 3), (100, 101), (n - 2, n - 1))])
        none = ("1040-", "1040-2000", "99999999999999999999-", "-0")
        for spec, a in zip(none, curls(server, *[("/letters.txt", "-r", spec) for spec in none])):
            equal((a.status, a.get("content-range")), (416, f"bytes */{n}"), spec)
        passed_over = ("bytes=5-3", "bytes=a-b", "lines=1-2", "bytes", "bytes=1-2,x", "bytes=0-0, 5-3")
        for field, a in zip(passed_over, curls(server, *[("/letters.txt", "-H", f"Range: {field}") for field in passed_over])):
            equal((a.status, a.body), (200, LETTERS), f"RFC 9110 14.2: {field} is passed over")
        head, gone, empty = curls(server, ("/letters.txt", "-r", "0-4", "-I"), ("/none", "-r", "0-4"), ("/empty.txt", "-r", "0-4"))
        equal((head.status, gone.status, empty.status, empty.body), (200, 404, 200, b""), "RFC 9110 14.2: no range but of GET")


def test_many_ranges_do_not_amplify() -> None:
    """RFC 9110 14.2: a set of many or overlapping ranges may be answered with the whole, and that is never more than asked for."""
    with served() as (_, server):
        for field in ("bytes=" + ",".join("0-" for _ in range(500)), "bytes=" + ",".join(f"{i}-{i}" for i in range(0, 1000, 2)),
                      "bytes=0-1000,0-1000"):
            a = curl(server, "/letters.txt", "-H", f"Range: {field}")
            check(len(a.body) <= 2 * len(LETTERS), f"{len(a.body)} octets for {field[:40]}")


def test_resume() -> None:
    with served() as (files, server):
        at = files.path / "part"
        for have in (0, 1, 500, len(LETTERS) - 1):
            at.write_bytes(LETTERS[:have])
            client("curl", "-sS", "-C", "-", "-o", at, server.url("/letters.txt"))
            equal(at.read_bytes(), LETTERS, f"resumed behind {have}")
        at.write_bytes(LETTERS)
        done = client("curl", "-sS", "-C", "-", "-o", at, "-w", "%{http_code}", server.url("/letters.txt"))
        equal((done.stdout, at.read_bytes()), (b"416", LETTERS), "nothing is left to get")


# ---- curl: conditions ----


def test_conditions_by_date() -> None:
    with served() as (files, server):
        os.utime(files.path / "letters.txt", (1700000000, 1700000000))  # Tue, 14 Nov 2023 22:13:20 GMT
        at = files.path / "mine"
        equal(curl(server, "/letters.txt").get("last-modified"), "Tue, 14 Nov 2023 22:13:20 GMT")
        since = {"Tue, 14 Nov 2023 22:13:20 GMT": 304, "Tue, 14 Nov 2023 22:13:19 GMT": 200, "Wed, 15 Nov 2023 00:00:00 GMT": 304,
                 "Tuesday, 14-Nov-23 22:13:20 GMT": 304, "Tue Nov 14 22:13:20 2023": 304, "Tue Nov 14 22:13:19 2023": 200,
                 "yesterday": 200, "1700000000": 200, "Tue, 14 Nov 2023 22:13:20 +0000": 200}
        for (when, status), a in zip(since.items(), curls(server, *[("/letters.txt", "-H", f"If-Modified-Since: {when}") for when in since])):
            equal((a.status, a.body), (status, LETTERS if status == 200 else b""), when)
        for when, status in {"Tue, 14 Nov 2023 22:13:20 GMT": 304, "-Tue, 14 Nov 2023 22:13:19 GMT": 412, "-Tue, 14 Nov 2023 22:13:20 GMT": 200}.items():
            done = client("curl", "-sS", "-i", "-z", when, server.url("/letters.txt"))  # curl's own look at Last-Modified may drop the body
            check(done.stdout.startswith(b"HTTP/1.1 %d " % status), f"curl -z '{when}'")
        client("curl", "-sS", "-R", "-o", at, server.url("/letters.txt"))
        equal(int(at.stat().st_mtime), 1700000000, "curl -R")
        equal(told(server, "/letters.txt", "%{http_code}", "-z", at), "304")


def test_conditions_by_etag() -> None:
    with served() as (files, server):
        saved = files.path / "etag"
        client("curl", "-sS", "-o", "/dev/null", "--etag-save", saved, server.url("/letters.txt"))
        tag = saved.read_text().strip()
        equal(tag, curl(server, "/letters.txt").get("etag"))
        check(tag.startswith('"') and tag.endswith('"'), f"strong: {tag}")
        a = curl(server, "/letters.txt", "--etag-compare", saved)
        equal((a.status, a.body, a.get("etag")), (304, b"", tag))
        cases = [
            ("If-None-Match", f'"x", W/{tag}, "y"', 304), ("If-None-Match", "*", 304), ("If-None-Match", '"x"', 200),
            ("If-None-Match", tag.strip('"'), 200), ("If-Match", tag, 200), ("If-Match", f'"x", {tag}', 200), ("If-Match", "*", 200),
            ("If-Match", f"W/{tag}", 412), ("If-Match", '"x"', 412)]
        for (name, value, status), a in zip(cases, curls(server, *[("/letters.txt", "-H", f"{name}: {value}") for name, value, _ in cases])):
            equal(a.status, status, f"{name}: {value}")
        equal(curl(server, "/none", "-H", "If-None-Match: *").status, 404)
        a = curl(server, "/letters.txt", "-H", 'If-None-Match: "x"', "-H", "If-Modified-Since: Tue, 14 Nov 2034 22:13:20 GMT")
        equal(a.status, 200, "RFC 9110 13.1.3: If-None-Match counts, not the date")
        ranges = {tag: 206, '"x"': 200, f"W/{tag}": 200}
        for (value, status), a in zip(ranges.items(), curls(server, *[("/letters.txt", "-r", "0-3", "-H", f"If-Range: {v}") for v in ranges])):
            equal((a.status, a.body), (status, LETTERS[:4] if status == 206 else LETTERS), f"If-Range: {value}")


def test_another_content_is_another_etag() -> None:
    """RFC 9110 8.8.1: also when size and time are the same. Each server starts without memory of the file."""
    tags = set()
    for content in (LETTERS, LETTERS[::-1]):
        with Files() as files:
            files.write("a", content)
            os.utime(files.path / "a", (1700000000, 1700000000))
            with Server("--root", str(files.path)) as server:
                tags.add(curl(server, "/a").get("etag"))
    equal(len(tags), 2, "tags")


# ---- curl: codings ----


def test_codings() -> None:
    plain = b"body { color: green }\n" * 40
    with served() as (files, server):
        files.write("style.css", plain)
        files.write("style.css.gz", gzip.compress(plain))
        coded = curl(server, "/style.css", "-H", "Accept-Encoding: gzip")
        equal((coded.get("content-encoding"), gzip.decompress(coded.body), coded.get("vary")), ("gzip", plain, "Accept-Encoding"))
        equal(coded.get("content-type"), "text/css; charset=utf-8")
        a = curl(server, "/style.css")
        equal((a.body, a.get("content-encoding"), a.get("vary")), (plain, "", "Accept-Encoding"))
        check(a.get("etag") != coded.get("etag"), "RFC 9110 8.8.3: a tag for each representation")
        equal(client("curl", "-sS", "--compressed", server.url("/style.css")).stdout, plain, "curl undoes it")
        values = {"identity": "", "gzip;q=0": "", "*;q=0": "", "br": "", "gzip;q=0.1, identity": "", "deflate, x-unknown": "", "": "",
                  "gzip": "gzip", "GZIP": "gzip", "x-gzip": "gzip", "*": "gzip", "gzip;q=0.001, identity;q=0": "gzip", "br, gzip": "gzip"}
        for (value, coding), a in zip(values.items(), curls(server, *[("/style.css", "-H", f"Accept-Encoding: {v}") for v in values])):
            equal((a.status, a.get("content-encoding"), a.body), (200, coding, coded.body if coding else plain), value)
        a = curl(server, "/style.css", "-H", "Accept-Encoding: gzip", "-r", "0-9")
        equal((a.status, a.body, a.get("content-encoding")), (206, coded.body[:10], "gzip"), "a range of what is sent")
        a = curl(server, "/style.css", "-H", "Accept-Encoding: gzip", "-H", f"If-None-Match: {coded.get('etag')}")
        equal((a.status, a.get("vary")), (304, "Accept-Encoding"), "RFC 9110 15.4.5")


def test_codings_that_are_stale_or_wrong() -> None:
    plain = b"let a = 1\n" * 40
    with served() as (files, server):
        for name in ("old.js", "old.js.gz", "old.js.br", "new.js", "new.js.br", "new.js.gz", "only.js.gz"):
            files.write(name, plain if name.endswith("js") else b"coded " + name.encode())
        for name in ("old.js.gz", "old.js.br"):
            os.utime(files.path / name, (1700000000, 1700000000))
        (files.path / "dir.js.gz").mkdir()
        files.write("dir.js", plain)
        for path in ("/old.js", "/dir.js"):
            a = curl(server, path, "-H", "Accept-Encoding: gzip, br")
            equal((a.body, a.get("content-encoding"), a.get("vary")), (plain, "", ""), path)
        a = curl(server, "/new.js", "-H", "Accept-Encoding: gzip, br")
        equal((a.body, a.get("content-encoding")), (b"coded new.js.br", "br"))
        a = curl(server, "/new.js", "-H", "Accept-Encoding: gzip, br;q=0.5")
        equal((a.body, a.get("content-encoding")), (b"coded new.js.gz", "gzip"))
        equal(curl(server, "/only.js", "-H", "Accept-Encoding: gzip").status, 404, "only what is there plainly is negotiated")
        a = curl(server, "/only.js.gz", "-H", "Accept-Encoding: gzip")
        equal((a.body, a.get("content-encoding")), (b"coded only.js.gz", ""), "asked for by its own name")


# ---- curl: methods and bodies ----


def test_bodies_are_refused_without_waiting() -> None:
    """At once with 405, or 413 where it is long; 100 (Continue) is not said where nobody wants the body (RFC 9110 10.1.1)."""
    with served() as (files, server):
        files.write("upload", b"u" * (2 << 20))
        at = files.path / "upload"
        small, waits = files.path / "letters.txt", ("-H", "Expect: 100-continue", "--expect100-timeout", "1000")
        cases = [(("-d", "a=b"), 405), (("-d", f"@{at}"), 413), (("-T", at), 413), (("-X", "PUT", "-d", "x"), 405), (("-X", "PATCH", "-d", "x"), 405),
                 ((*waits, "-d", f"@{at}"), 413), ((*waits, "-T", at), 413), ((*waits, "-d", f"@{small}"), 405), ((*waits, "-T", small), 405),
                 (("-H", "Transfer-Encoding: chunked", "-d", f"@{small}"), 405), (("-X", "DELETE"), 405), (("-F", f"f=@{small}"), 405)]
        for (options, status), a in zip(cases, curls(server, *[("/letters.txt", *options) for options, _ in cases])):
            equal(a.status, status, str(options))
        done = client("curl", "-sS", "-o", "/dev/null", "-o", "/dev/null", "-d", "a=b", "-w", "%{num_connects}", server.url("/"), server.url("/"))
        equal(done.stdout, b"10", "a small body is read to its end, and the connection goes on")


def test_uploads_of_unknown_length() -> None:
    """curl sends what it reads from a pipe in chunks, in HTTP/1.0 it can't; with and without waiting for 100 (Continue)."""
    with served() as (_, server):
        for size in (0, 1, 1040, 100000, 3 << 20):  # the last is more than is taken, which is seen behind the answer
            for options in ((), ("-H", "Expect:"), ("-H", "Expect: 100-continue", "--expect100-timeout", "1000"), ("-X", "POST")):
                done = client("curl", "-sS", "-o", "/dev/null", "-w", "%{http_code}", "-T", "-", *options, server.url("/letters.txt"), text="u" * size)
                equal(done.stdout, b"405", f"{size} octets {options}")
        done = client("curl", "-sS", "-o", "/dev/null", "-w", "%{http_code} %{num_connects} ", "-T", "-", server.url("/letters.txt"),
                      "--next", "-sS", server.url("/letters.txt"), text="u" * 1040)
        equal(done.stdout, b"405 1 " + LETTERS, "and the connection goes on")
        a = curl(server, "/letters.txt", "--http1.0", "-d", "a=b")
        equal((a.status, a.closes), (405, True), "a body in HTTP/1.0")


def test_methods() -> None:
    with served() as (_, server):
        for a in curls(server, *[(target, "-X", "OPTIONS") for target in ("/", "/none", "/sub")], ("/", "-X", "OPTIONS", "--request-target", "*")):
            equal((a.status, a.get("allow"), a.body), (204, "GET, HEAD, OPTIONS", b""), "OPTIONS")
        known = ("TRACE", "POST", "PUT", "DELETE", "PATCH", "PROPFIND", "LOCK")
        for method, a in zip(known, curls(server, *[("/", "-X", method) for method in known])):
            equal((a.status, a.get("allow")), (405, "GET, HEAD, OPTIONS"), method)
        unknown = ("BREW", "get", "G", "GETS", "X" * 32)
        for method, a in zip(unknown, curls(server, *[("/", "-X", method) for method in unknown])):
            equal(a.status, 501, f"RFC 9110 9.1: {method}")
        equal(curl(server, "/", "-X", "CONNECT", "--request-target", "a.example:443").status, 405)
        equal(curl(server, "/", "--request-target", "*").status, 400, "RFC 9112 3.2.4: only with OPTIONS")
        check(b"secret" not in curl(server, "/", "-X", "TRACE", "-H", "Cookie: secret").body, "TRACE gives nothing back")


def test_absolute_form() -> None:
    """RFC 9112 3.2.2: to be accepted by servers, and its host counts."""
    with served() as (_, server):
        proxy = ("-x", f"http://{server.host}:{server.port}")
        for url, status in (("http://www.example.org/letters.txt", 200), ("http://www.example.org", 200), ("http://www.example.org:8080/?q", 200),
                            ("http://[2001:db8::1]/letters.txt", 200), ("http://www.example.org/none", 404)):
            done = client("curl", "-sS", "-o", "/dev/null", "-w", "%{http_code}", *proxy, url)
            equal(int(done.stdout), status, url)
        equal(curl(server, "/", "--request-target", "https://www.example.org/").status, 421, "RFC 9110 7.4")
        equal(curl(server, "/", "--request-target", "http:///").status, 400, "RFC 9110 4.2.1")
        equal(curl(server, "/", "--request-target", "http://user@www.example.org/").status, 400, "RFC 9110 4.2.4")
        client("curl", "-sS", *proxy, "https://www.example.org/", code=56)  # no tunnel


# ---- curl: what is where ----


def test_names() -> None:
    names = ["a b.txt", "caf\u00e9.txt", "\u65e5\u672c.txt", "100%.txt", "a+b.txt", "a?b#c.txt", "a;b&c=d.txt", "[x].txt", "~tilde", "UPPER.TXT",
             "a\\b.txt", "'q'\".txt"]
    with served() as (files, server):
        for name in names:
            files.write("names/" + name, name)
        paths = {"/names/" + path: name for name in names for path in ("".join(f"%{octet:02x}" for octet in name.encode()), quote(name))}
        for (path, name), a in zip(paths.items(), curls(server, *[(path,) for path in paths])):
            equal(a.body, name.encode(), path)
        equal(curl(server, "/names/a+b.txt").body, b"a+b.txt", "a plus is a plus")
        equal(curl(server, "/names/upper.txt").status, 404, "names differ by case")
        equal(curl(server, "/names/caf%c3%a9.txt?q=1&r#frag").status, 200, "a query is no part of the name")
        gone = ("/names%2fa+b.txt", "/names/a%00b.txt", "/%00", "/names/%c0%ae%c0%ae/letters.txt", "/names/a%5cb.txt%00.html")
        for path, a in zip(gone, curls(server, *[(path,) for path in gone])):
            equal(a.status, 404, path)
        bad = ("/names/100%.txt", "/%", "/%4", "/%zz", "/%c", "/a%u0041")
        for path, a in zip(bad, curls(server, *[(path,) for path in bad])):
            equal(a.status, 400, f"RFC 3986 2.1: {path}")


def test_nothing_above_the_root() -> None:
    with Files() as files:
        files.write("secret", b"secret")
        site = files.path / "site"
        files.write("site/index.html", INDEX)
        files.write("site/.hidden", b"secret")
        files.write("site/.git/config", b"secret")
        files.write("site/.well-known/security.txt", b"Contact: mailto:a@example.org\n")
        with Server("--root", str(site)) as server:
            paths = ("/../secret", "/..", "/../../../../etc/passwd", "/%2e%2e/secret", "/%2E%2e/secret", "/.%2e/secret", "/sub/../../secret", "/..%2fsecret",
                     "/..%5csecret", "/..;/secret", "/%252e%252e/secret", "//../secret", "/./../secret", "/.../secret", "/..%00/secret",
                     "/%c0%ae%c0%ae/secret", "/.hidden", "/.git/config", "/%2egit/config", "/sub/../.hidden", "/secret")
            for path, a in zip(paths, curls(server, *[(path, "--path-as-is") for path in paths])):
                equal((a.status, b"secret" in a.body), (200 if path == "/.." else 404, False), path)
            equal(curl(server, "/.well-known/security.txt").status, 200)
            equal(curl(server, "/a/b/../../index.html", "--path-as-is").body, INDEX, "RFC 3986 5.2.4")


def test_links_out_of_the_root() -> None:
    with Files() as files:
        files.write("secret", b"secret")
        site = files.path / "site"
        files.write("site/index.html", INDEX)
        for name, target in (("out", "../secret"), ("absolute", "/etc/passwd"), ("folder", ".."), ("within", "index.html"), ("loop", "loop")):
            (site / name).symlink_to(target)
        with Server("--root", str(site)) as server:
            links = ("/out", "/absolute", "/folder/secret", "/folder/", "/loop")
            for path, a in zip(links, curls(server, *[(path,) for path in links])):
                equal((a.status, b"secret" in a.body), (403, False), f"a link out: {path}")
            equal(curl(server, "/within").body, INDEX, "a link that stays inside")


def test_folders() -> None:
    with served() as (files, server):
        files.write("f\u00fcr/index.html", b"x")
        a = curl(server, "/sub")
        equal((a.status, a.get("location")), (301, "/sub/"))
        equal(curl(server, "/sub?a=b").get("location"), "/sub/?a=b", "with its query")
        equal(curl(server, "//sub", "--path-as-is").get("location"), "/sub/", "never another host")
        equal(curl(server, "/sub", "-L").body, b"<title>sub</title>\n")
        equal(curl(server, "/sub/").body, b"<title>sub</title>\n")
        equal(curl(server, "/sub/index.html/").status, 404, "a file is no folder")
        equal(curl(server, "/bare/").status, 404, "a folder is not listed")
        equal(curl(server, "/f%C3%BCr").get("location"), "/f%C3%BCr/")


def test_error_pages_index_and_cache() -> None:
    with Files() as files:
        files.write("home.htm", INDEX)
        files.write("errors/404.html", b"<p>lost</p>\n")
        files.write("a/x.css", b"a")
        with Server("--root", str(files.path), "--index", "home.htm", "--error-page", "404=errors/404.html", "--error-page", "405=none.html",
                    "--cache", "*.css=max-age=60", "--cache", "a/*=no-cache", "--cache", "*=no-store") as server:
            equal(curl(server, "/").body, INDEX)
            a = curl(server, "/none")
            equal((a.status, a.body, a.get("content-type")), (404, b"<p>lost</p>\n", "text/html; charset=utf-8"))
            h = curl(server, "/none", "-I")
            equal((h.status, h.body, h.get("content-length")), (404, b"", "12"))
            equal(curl(server, "/none", "-r", "0-2").body, b"<p>lost</p>\n", "no range of an error")
            equal(curl(server, "/", "-d", "x").status, 405, "a page that isn't there is no harm")
            for path, value in (("/a/x.css", "max-age=60"), ("/", "no-store"), ("/errors/404.html", "no-store")):
                equal(curl(server, path).get("cache-control"), value, path)


def test_hosts() -> None:
    with Files() as files:
        for name in ("one", "two", "rest"):
            files.write(f"{name}/index.html", name)
        with Server("--root", str(files.path / "rest"), "--vhost", f"one.example={files.path}/one", "--vhost", f"two.example={files.path}/two") as server:
            hosts = {"one.example": "one", "two.example": "two", "ONE.Example": "one", "one.example:8080": "one", "three.example": "rest",
                     "127.0.0.1": "rest", "one.example.two.example": "rest"}
            for (host, name), a in zip(hosts.items(), curls(server, *[("/", "-H", f"Host: {host}") for host in hosts])):
                equal(a.body.decode(), name, host)
            done = client("curl", "-sS", "--resolve", f"two.example:{server.port}:{server.host}", f"http://two.example:{server.port}/")
            equal(done.stdout, b"two", "by --resolve")
            a = curl(server, "/", "--request-target", "http://one.example/", "-H", "Host: two.example")
            equal(a.body, b"one", "RFC 9112 3.2.2: the target's host counts")


# ---- size and number ----


def test_a_big_file() -> None:
    content = big_content()
    digest = hashlib.sha256(content).hexdigest()
    with Files() as files, Server("--root", str(files.path)) as server:
        files.write("big", content)
        got = files.path / "got"
        client("curl", "-sS", "-o", got, server.url("/big"))
        equal(hashlib.sha256(got.read_bytes()).hexdigest(), digest, "the whole")
        for spec, part in (("67108863-", content[-1:]), ("33554000-33555000", content[33554000:33555001]), ("-70000", content[-70000:])):
            equal(curl(server, "/big", "-r", spec).body, part, spec)
        a = curl(server, "/big", "-r", "0-99999,30000000-30100000,-3")
        equal([octets for _, _, octets in parts_of(a)], [content[:100000], content[30000000:30100001], content[-3:]], "three parts")
        got.write_bytes(content[:BIG // 2])
        client("curl", "-sS", "-C", "-", "-o", got, server.url("/big"))
        equal(hashlib.sha256(got.read_bytes()).hexdigest(), digest, "resumed in the middle")


def test_many_at_once() -> None:
    with served() as (files, server):
        for i in range(200):
            files.write(f"many/{i}", f"{i} " * (i * 40))
        config = files.path / "config"
        config.write_text("".join(f'url = "{server.url(f"/many/{i}", i % 2)}"\noutput = "{files.path}/got.{i}"\n' for i in range(200)))
        client("curl", "-sS", "-Z", "--parallel-max", 100, "-K", config)
        for i in range(200):
            equal((files.path / f"got.{i}").read_bytes(), f"{i} ".encode() * (i * 40), f"file {i}")


# ---- others ----


def test_python() -> None:
    with served() as (files, server):
        c = http.client.HTTPConnection(server.host, server.port, timeout=30)
        for _ in range(3):
            c.request("GET", "/letters.txt")
            r = c.getresponse()
            equal((r.status, r.version, r.read(), r.will_close), (200, 11, LETTERS, False))
        c.request("HEAD", "/letters.txt")
        r = c.getresponse()
        equal((r.status, r.read(), r.getheader("Content-Length")), (200, b"", str(len(LETTERS))))
        c.request("POST", "/letters.txt", body=iter([b"a" * 100, b"b" * 1000]), headers={"Content-Type": "text/plain"}, encode_chunked=True)
        r = c.getresponse()
        equal((r.status, r.getheader("Allow"), len(r.read()) > 0), (405, "GET, HEAD, OPTIONS", True), "a chunked body")
        c.request("GET", "/letters.txt", headers={"Range": "bytes=1-2"})
        equal(c.getresponse().read(), b"bc", "the next request on the same connection")
        c.close()


def test_wget() -> None:
    with served() as (files, server):
        files.write("web/index.html", '<a href="a.html">a</a> <a href="more/">more</a> <img src="i.png">')
        files.write("web/a.html", "a")
        files.write("web/i.png", b"\x89PNG")
        files.write("web/more/index.html", '<a href="../a.html">up</a> <a href="b%20c.html">b</a>')
        files.write("web/more/b c.html", "b")
        got = files.path / "got"
        client("wget", "-q", "-O", got, server.url("/letters.txt"))
        equal(got.read_bytes(), LETTERS)
        got.write_bytes(LETTERS[:100])
        client("wget", "-q", "-c", "-O", got, server.url("/letters.txt"))
        equal(got.read_bytes(), LETTERS, "continued")
        client("wget", "-q", "-O", got, server.url("/none"), code=8)
        for p in (files.path / "web").rglob("*.*"):
            os.utime(p, (1700000000, 1700000000))  # else Last-Modified may be the second of Date, which is before that of the change
        copy = files.path / "copy"
        client("wget", "-q", "-m", "-np", "-nH", "-P", copy, server.url("/web/"))
        same = {p.relative_to(copy / "web"): p.read_bytes() for p in (copy / "web").rglob("*") if p.is_file()}
        equal(same, {p.relative_to(files.path / "web"): p.read_bytes() for p in (files.path / "web").rglob("*") if p.is_file()}, "a mirror")
        done = client("wget", "-N", "-P", copy / "web", server.url("/web/a.html"), server.url("/web/i.png"))
        equal(done.stderr.count(b"304 Not Modified"), 2, "nothing is got a second time")


def test_media_types() -> None:
    wanted = {
        "a.html": "text/html; charset=utf-8", "a.css": "text/css; charset=utf-8", "a.js": "text/javascript; charset=utf-8", "a.json": "application/json",
        "a.svg": "image/svg+xml", "a.png": "image/png", "a.PNG": "image/png", "a.woff2": "font/woff2", "a.pdf": "application/pdf",
        "a.wasm": "application/wasm", "a.xyzzy": "application/octet-stream", "none": "application/octet-stream",
    }
    with served() as (files, server):
        for name in wanted:
            files.write(name, b"x")
        for name, a in zip(wanted, curls(server, *[("/" + name,) for name in wanted])):
            equal(a.get("content-type"), wanted[name], name)


if __name__ == "__main__":
    sys.exit(main(dict(globals())))
