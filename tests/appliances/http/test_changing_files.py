#!/usr/bin/env python3
"""Files that go, come, shrink, grow or may not be read, while they are sent: what was promised is kept, or the connection ends short."""

from __future__ import annotations

import os
import random
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from harness import INDEX, LETTERS, PATIENCE_S, Answer, Connection, Files, Server, check, equal, main, request, until  # noqa: E402

SIZE = 6 << 20  # more than sockets hold
SHORT = SIZE - (64 << 10)  # what is left of it is whole pages, since the kernel sends those that it has without copying them


def content(letter: bytes, size: int = SIZE) -> bytes:
    return letter * size


class Download:
    """A GET of which the head has come, and of whose body the server has sent no more than sockets hold."""

    def __init__(self, server: Server, target: str) -> None:
        self.c = Connection(server.addresses[0], PATIENCE_S)
        self.c.hold_back()
        self.c.send(request("GET", target))
        self.head = self.c.head()
        self.length = int(self.head.get("content-length"))

    def rest(self) -> bytes:
        """All of the body that comes before the connection ends, or there is enough."""
        self.c.let_come()
        try:
            while len(self.c.held) < self.length and self.c.more():
                pass
        except ConnectionResetError:
            pass
        return self.c.take(self.length)


def served(files: Files) -> Server:
    files.write("index.html", INDEX)
    return Server("--root", str(files.path), "--metrics", "127.0.0.1:0")


def get_until(server: Server, target: str, true: Callable[[Answer], bool]) -> Answer:
    """Changes are seen within a second; for so long what was promised may be more than there is."""
    found: list[Answer] = []

    def look() -> bool:
        try:
            found[:] = [server.get(target)]
        except EOFError:
            return False
        return true(found[0])
    until(look, target)
    return found[0]


def test_changes_are_seen() -> None:
    """All at once, since each takes up to a second: of files kept in memory, and of those sent by descriptor."""
    with Files() as files, served(files) as server:
        sizes = {"small": 10, "large": 100000}
        for size, n in sizes.items():
            for name in ("new", "gone", "folder", "file/index.html"):
                if name != "new":
                    files.write(f"{size}/{name}", b"a" * n)
            files.write(f"{size}/other", b"a" * n)
            files.write(f"{size}/same", b"a" * n)
        paths = [f"/{size}/{name}" for size in sizes for name in ("new", "gone", "folder", "file", "other", "same")]
        before = {path: server.get(path) for path in paths}
        equal([before[p].status for p in paths], [404, 200, 200, 301, 200, 200] * 2, "before")
        for size, n in sizes.items():
            at = files.path / size
            files.write(f"{size}/new", b"b" * n)
            (at / "gone").unlink()
            (at / "folder").unlink()
            files.write(f"{size}/folder/index.html", b"b" * n)
            (at / "file/index.html").unlink()
            (at / "file").rmdir()
            files.write(f"{size}/file", b"b" * n)
            files.write(f"{size}/other", b"b" * n)
        for path, status in zip(paths, [200, 404, 301, 200, 200, 200] * 2):
            a = get_until(server, path, lambda a: a.status == status and (not path.endswith("other") or a.body[:1] == b"b"))
            if path.endswith("same"):
                equal((a.body, a.get("etag")), (before[path].body, before[path].get("etag")), path)
            elif path.endswith("other"):
                check(a.get("etag") != before[path].get("etag"), "another content has another tag")
            elif status == 200:
                equal(a.body, b"b" * sizes[path.split("/")[1]], path)


def test_gone_while_it_is_sent() -> None:
    with Files() as files, served(files) as server:
        files.write("big", content(b"a"))
        down = Download(server, "/big")
        (files.path / "big").unlink()
        check(down.rest() == content(b"a"), "the whole of what was begun")
        equal(down.c.ask(request("GET", "/")).body, INDEX, "and the connection goes on")


def test_replaced_while_it_is_sent() -> None:
    with Files() as files, served(files) as server:
        files.write("big", content(b"a"))
        old = Download(server, "/big")
        files.write("big", content(b"b", SIZE // 2))
        check(old.rest() == content(b"a"), "the old one to its end")
        new = get_until(server, "/big", lambda a: a.body[:1] == b"b")
        check(new.body == content(b"b", SIZE // 2), "new requests get the new one")
        check(old.head.get("etag") != new.get("etag"), "tags")


def test_shorter_while_it_is_sent() -> None:
    """What was promised can't be kept: the connection ends short of it, and nothing is made up (RFC 9112 6.3, 8)."""
    with Files() as files, served(files) as server:
        path = files.write("big", content(b"a"))
        down = Download(server, "/big")
        ranges = Connection(server.addresses[0], PATIENCE_S)
        ranges.hold_back()
        ranges.send(request("GET", "/big", "Range: bytes=0-9,20-,11-12"))
        ranges.head()
        os.truncate(path, SHORT)
        got = down.rest()
        check(len(got) <= SHORT and got == content(b"a", len(got)), f"{len(got)} octets")
        down.c.end()
        while ranges.more():
            ranges.held.clear()
        equal(get_until(server, "/big", lambda a: True).get("content-length"), str(SHORT), "a new request has the new length")


def test_longer_while_it_is_sent() -> None:
    with Files() as files, served(files) as server:
        path = files.write("big", content(b"a"))
        down = Download(server, "/big")
        with path.open("ab") as f:
            f.write(b"b" * 100000)
        check(down.rest() == content(b"a"), "what was promised")
        equal(down.c.ask(request("GET", "/")).body, INDEX, "and the connection goes on")


def test_a_tag_stands_for_one_content() -> None:
    """A writer at work all the time: each answer is whole, and two with one tag have the same octets."""
    with Files() as files, served(files) as server:
        at, done = files.path / "x", threading.Event()
        versions = [LETTERS[i:] + LETTERS[:i] for i in range(26)]
        files.write("x", versions[0])

        def write() -> None:
            i = 0
            while not done.is_set():
                i += 1
                if i % 2:
                    files.write("x", versions[i % 26])
                else:
                    at.write_bytes(versions[i % 26])  # in place: empty for a moment

        writer = threading.Thread(target=write)
        writer.start()
        try:
            bodies: dict[str, bytes] = {}
            with server.connection() as c:
                for _ in range(1000):
                    a = c.ask(request("GET", "/x"))
                    equal(a.status, 200)
                    check(a.body in versions or a.body == b"", f"a mixture: {a.body[:30]!r}")
                    equal(a.body, bodies.setdefault(a.get("etag"), a.body), "one tag, one content")
        finally:
            done.set()
            writer.join()


# ---- what may not be read ----


def test_permissions() -> None:
    """Started as root the server becomes nobody, so this holds for both."""
    with Files() as files, served(files) as server:
        files.write("mine", b"secret")
        files.write("closed/file", b"secret")
        files.write("blind/file", b"open")
        (files.path / "mine").chmod(0o000)
        (files.path / "closed").chmod(0o600)
        (files.path / "blind").chmod(0o711)
        for path, status in (("/mine", 403), ("/closed/file", 403), ("/closed", 301), ("/closed/", 403),
                             ("/blind/file", 200), ("/blind", 301), ("/blind/", 404)):
            equal(server.get(path).status, status, path)
        files.write("part", b"a" * 200000)
        equal(server.get("/part").status, 200)
        (files.path / "mine").chmod(0o644)
        (files.path / "part").chmod(0o000)
        (files.path / "closed").chmod(0o755)
        equal(get_until(server, "/mine", lambda a: a.status == 200).body, b"secret", "allowed again")
        get_until(server, "/part", lambda a: a.status == 403)
        get_until(server, "/closed/file", lambda a: a.status == 200)


def test_what_is_no_file() -> None:
    """403, and nobody waits: neither for a FIFO's writer nor for a device."""
    with Files() as files, served(files) as server:
        os.mkfifo(files.path / "fifo")
        with socket.socket(socket.AF_UNIX) as s:
            s.bind(str(files.path / "socket"))
            (files.path / "device").symlink_to("/dev/zero")
            (files.path / "index.html.gz").symlink_to("fifo")
            for path in ("/fifo", "/socket", "/device"):
                for method in ("GET", "HEAD"):
                    equal(server.ask(method, path).status, 403, path)
            equal(server.get("/", "Accept-Encoding: gzip").body, INDEX, "a FIFO beside a file is no coding of it")


def test_a_link_that_turns_around() -> None:
    """While it leads now inside, now outside: never anything from outside."""
    with Files() as outer:
        outer.write("secret", b"secret")
        outer.write("out/file", b"secret")
        outer.write("site/inside", b"inside")
        outer.write("site/in/file", b"inside")
        site, done = outer.path / "site", threading.Event()

        def turn() -> None:
            chance = random.Random(1)  # in turns it could keep step with the requests
            while not done.is_set():
                for name, targets in (("link", ("inside", "../secret")), ("folder", ("in", "../out"))):
                    (outer.path / "new").symlink_to(chance.choice(targets))
                    (outer.path / "new").rename(site / name)

        turner = threading.Thread(target=turn)
        with Server("--root", str(site)) as server:
            turner.start()
            try:
                seen = set()
                for i in range(600):
                    a = server.get(f"{('/link', '/folder/file')[i % 2]}?{i}")
                    seen.add(a.status)
                    check(b"secret" not in a.body, f"{a}")
                    check(a.status in (200, 403, 404), f"{a.status}")
            finally:
                done.set()
                turner.join()
            check(seen >= {200} or seen >= {403}, f"{seen}")


def test_names_as_long_as_may_be() -> None:
    with Files() as files, served(files) as server:
        name = "n" * 255
        deep = "/".join(["d" * 60] * 30)
        files.write(deep + "/f", b"deep")
        (files.path / name).write_bytes(b"long")
        equal(server.get("/" + name).body, b"long", "255 octets")
        equal(server.get("/" + name + "n").status, 404, "256 octets")
        equal(server.get("/" + deep + "/f").body, b"deep", "30 folders")
        equal(server.get("/" + "/".join(["e" * 100] * 60)).status, 404, "longer than paths may be")


def test_curl_tells_of_a_short_answer() -> None:
    with Files() as files, served(files) as server:
        path = files.write("big", content(b"a", 3 * SIZE))
        curl = subprocess.Popen(["curl", "-sS", "-o", files.path / "got", "--limit-rate", "4M", server.url("/big")], stderr=subprocess.PIPE, text=True)
        until(lambda: (files.path / "got").exists() and (files.path / "got").stat().st_size > 0, "curl has begun")
        os.truncate(path, 1000)
        _, said = curl.communicate(timeout=PATIENCE_S)
        check(curl.returncode in (18, 56) and re.search("remaining|reset", said) is not None, f"{curl.returncode} {said}")
        equal(server.get("/").body, INDEX, "others are served")


if __name__ == "__main__":
    sys.exit(main(dict(globals())))
