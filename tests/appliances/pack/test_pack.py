#!/usr/bin/env python3
"""mrg-pack: archives read back by a reader of this test's own, made twice, from folders with everything in them, and refused."""

from __future__ import annotations

import hashlib
import os
import re
import resource
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent.parent))
from report import BUILD, ROOT, Report  # noqa: E402

BINARY = ROOT / BUILD / "bin" / "mrg-pack"
NO_TIME = -(1 << 63)
SUPER = os.geteuid() == 0


def crc32c(octets: bytes) -> int:
    table = []
    for n in range(256):
        for _ in range(8):
            n = n >> 1 ^ (0x82F63B78 if n & 1 else 0)
        table.append(n)
    crc = 0xFFFFFFFF
    for octet in octets:
        crc = crc >> 8 ^ table[(crc ^ octet) & 255]
    return crc ^ 0xFFFFFFFF


def read(archive: bytes) -> dict[bytes, tuple[bytes, int]]:
    """Paths with contents and times; an assertion fails where the archive is not as specs/archive.mrg says."""
    magic, version, zero, crc, total, count, zero2 = struct.unpack_from(">8sHHIQII", archive)
    assert (magic, version, zero, zero2) == (b"\x89MRG\r\n\x1a\n", 1, 0, 0)
    assert total == len(archive)
    files: dict[bytes, tuple[bytes, int]] = {}
    at = 32
    places = []
    for _ in range(count):
        offset, size, digest, modified, length = struct.unpack_from(">QQQqH", archive, at)
        path = archive[at + 34:at + 34 + length]
        assert archive[at + 34 + length] == 0
        at += 35 + length
        content = archive[offset:offset + size]
        assert hashlib.sha1(content).digest()[:8] == struct.pack(">Q", digest)
        places.append((offset, size))
        files[path] = (content, modified)
    assert crc == crc32c(archive[16:at])
    assert list(files) == sorted(files) and len(files) == count
    end = -(-at // 64) * 64
    assert archive[at:end] == bytes(end - at)
    for offset, size in places:
        assert offset == -(-end // 64) * 64 and not any(archive[end:offset])
        end = offset + size
    assert end == total
    return files


class Run:
    """What a run of mrg-pack did."""

    def __init__(self, *arguments: str | Path, environment: dict[str, str] | None = None, before: Callable[[], None] | None = None,
                 stdout: int = subprocess.PIPE) -> None:
        kept = {k: v for k, v in os.environ.items() if k != "SOURCE_DATE_EPOCH"}
        done = subprocess.run([BINARY, *arguments], env=kept | (environment or {}), stdin=subprocess.DEVNULL, stdout=stdout,
                              stderr=subprocess.PIPE, preexec_fn=before, timeout=100)
        self.code: int = done.returncode
        self.out: str = (done.stdout or b"").decode()
        self.err: str = done.stderr.decode(errors="replace")
        self.said = f"exit {self.code}\n{self.out}{self.err}"


class Folder:
    """A folder to work in, with one to be packed in it."""

    def __init__(self) -> None:
        self.path = Path(tempfile.mkdtemp(prefix="mrg-pack-test-"))
        self.path.chmod(0o755)
        self.site = self.path / "site"
        self.site.mkdir()
        self.archive = self.path / "archive"

    def __enter__(self) -> Folder:
        return self

    def __exit__(self, *_: object) -> None:
        shutil.rmtree(self.path)

    def put(self, path: str, content: bytes = b"text", time: int = 1_700_000_000) -> Path:
        file = self.site / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
        os.utime(file, (time, time))
        return file

    def pack(self, *options: str, **environment: str) -> Run:
        return Run(*options, self.site, self.archive, environment=environment)

    def beside(self) -> list[str]:
        """What there is beside the folder: no temporary file must be left."""
        return sorted(p.name for p in self.path.iterdir() if p.name != "site")


SITE = {"index.html": b"<h1>home</h1>\n", "index.html.gz": b"\x1f\x8b", "a-b": b"", "a/b/c": b"deep", "a/b.html": bytes(range(256)) * 300,
        "a b": b"blank", ".well-known/x": b"known", "caf\u00e9/\u00fc": b"letters", "z": b""}


def fill(f: Folder, names: list[str]) -> None:
    for name in names:
        f.put(name, SITE[name])


def test_contents(r: Report) -> None:
    with Folder() as f:
        fill(f, list(SITE))
        done = f.pack()
        r.check("a folder is packed", done.code == 0 and done.said == "exit 0\n", done.said)
        got = read(f.archive.read_bytes())
        r.check("all files are in it", got == {n.encode(): (c, 1_700_000_000) for n, c in SITE.items()}, str(got.keys()))
        r.check("nothing else is left", f.beside() == ["archive"], str(f.beside()))
        listed = Run("--list", f.archive)
        lines = listed.out.splitlines()
        r.check("--list has a line for each", listed.code == 0 and len(lines) == len(SITE), listed.said)
        want = f"        14  2023-11-14T22:13:20Z  {hashlib.sha1(SITE['index.html']).hexdigest()[:16]}  index.html"
        r.check("with size, time, version, path", want in lines, listed.said)
        r.check("which shows no odd octets", r"a\x20b" in listed.out and r"caf\xC3\xA9/\xC3\xBC" in listed.out, listed.said)


def test_the_same_again(r: Report) -> None:
    with Folder() as f, Folder() as g:
        fill(f, list(SITE))
        fill(g, list(reversed(SITE)))
        (g.site / "empty").mkdir()
        f.pack()
        g.pack()
        first = f.archive.read_bytes()
        r.check("the same files give the same octets", first == g.archive.read_bytes())
        f.pack()
        r.check("and again over what is there", first == f.archive.read_bytes())
        g.put("z", b"", 1_800_000_000)
        g.pack()
        r.check("another time gives others", first != g.archive.read_bytes())
        g.pack(SOURCE_DATE_EPOCH="1700000000")
        r.check("SOURCE_DATE_EPOCH bounds the times", first == g.archive.read_bytes())
        g.put("z", b"", 1_000_000_000)
        g.pack(SOURCE_DATE_EPOCH="1700000000")
        r.check("from above only", read(g.archive.read_bytes())[b"z"][1] == 1_000_000_000)
        g.pack("--no-times")
        r.check("--no-times writes none", {t for _, t in read(g.archive.read_bytes()).values()} == {NO_TIME})
        r.check("--list shows none", all(line.split()[1] == "-" for line in Run("--list", g.archive).out.splitlines()))
        for odd in ("", "x", "1x", "-1", "99999999999999999999"):
            done = f.pack(SOURCE_DATE_EPOCH=odd)
            r.check(f"SOURCE_DATE_EPOCH={odd}", done.code == 2 and "seconds since 1970" in done.err, done.said)


def test_sizes(r: Report) -> None:
    with Folder() as f:
        f.pack()
        r.check("an empty folder", read(f.archive.read_bytes()) == {})
        want = {}
        for size in (0, 1, 63, 64, 65, 127, 128, 5_000_000):
            content = os.urandom(size)
            f.put(f"f{size}", content)
            want[f"f{size}".encode()] = content
        f.pack()
        got = {path: content for path, (content, _) in read(f.archive.read_bytes()).items()}
        r.check("sizes around the alignment, and a large one", got == want)
        for i in range(10_000):
            f.put(f"many/{i % 100}/{i}", str(i).encode())
        done = f.pack()
        r.check("ten thousand files", done.code == 0 and len(read(f.archive.read_bytes())) == 10_000 + len(want), done.said)
        r.check("--list agrees", len(Run("--list", f.archive).out.splitlines()) == 10_000 + len(want))


def test_hidden(r: Report) -> None:
    with Folder() as f:
        for name in (".git/config", ".htaccess", "a/.b", "a/c", ".well-known/d", "a/.well-known/e", ".well-known/.f", ".well-known2/g"):
            f.put(name)
        f.pack()
        r.check("hidden names stay out", set(read(f.archive.read_bytes())) == {b"a/c", b".well-known/d", b"a/.well-known/e"})
        f.pack("--hidden")
        r.check("--hidden takes them", len(read(f.archive.read_bytes())) == 8)


def refused(r: Report, name: str, done: Run, *texts: str, code: int = 1) -> None:
    r.check(name, done.code == code and all(t in done.err for t in texts), done.said)


def test_what_is_refused(r: Report) -> None:
    with Folder() as f:
        f.put("a/good")
        f.archive.write_bytes(b"old")
        os.mkfifo(f.site / "a" / "fifo")
        (f.site / "link").symlink_to("a/good")
        (f.site / "out").symlink_to("/")
        with socket.socket(socket.AF_UNIX) as s:
            s.bind(os.fspath(f.site / "socket"))
            done = f.pack()
        refused(r, "all that is no file is told at once", done, "site/a/fifo: neither", "site/link: a symbolic link", "site/out: a symbolic",
                "site/socket: neither")
        r.check("an old archive stays", f.archive.read_bytes() == b"old" and f.beside() == ["archive"])
    with Folder() as f:
        f.put("good")
        refused(r, "no folder", Run(f.path / "no", f.archive), "/no: No such file")
        refused(r, "a file", Run(f.site / "good", f.archive), "Not a directory")
        refused(r, "nowhere to write", Run(f.site, f.path / "no" / "archive"), "/no/archive: No such file")
        (f.path / "folder").mkdir()
        refused(r, "a folder to write", Run(f.site, f.path / "folder"), "folder: Is a directory")
        r.check("nothing is left", f.beside() == ["folder"], str(f.beside()))
        (f.site / "sub").mkdir()
        refused(r, "an archive in the folder", Run(f.site, f.site / "archive"), "would lie in here")
        refused(r, "and deeper", Run(f.site, f.site / "sub" / "archive"), "site/sub: the archive would lie in here")
        refused(r, "from inside", Run(".", "archive", before=lambda: os.chdir(f.site)), "would lie in here")
    refused(r, "a file that changes while it is read", Run("/proc/sys/kernel/random", Path(tempfile.gettempdir()) / "mrg-pack-none"),
            "boot_id: changed while it was read")
    r.check("leaves nothing", not list(Path(tempfile.gettempdir()).glob("mrg-pack-none*")))


def test_long_paths(r: Report) -> None:
    with Folder() as f:
        at = os.open(f.site, os.O_RDONLY)
        for name in ["n" * 255] * 15 + ["m" * 253]:  # with what joins them 4093 octets
            os.mkdir(name, dir_fd=at)
            deeper = os.open(name, os.O_RDONLY, dir_fd=at)
            os.close(at)
            at = deeper
        os.close(os.open("f", os.O_CREAT | os.O_WRONLY, dir_fd=at))
        done = f.pack()
        r.check("the longest path", done.code == 0 and [len(p) for p in read(f.archive.read_bytes())] == [4095], done.said)
        os.close(os.open("ff", os.O_CREAT | os.O_WRONLY, dir_fd=at))
        refused(r, "one octet more", f.pack(), "the path is too long")
        os.close(at)


def test_permissions(r: Report) -> None:
    def nobody() -> None:
        if SUPER:
            os.setgid(65534)
            os.setuid(65534)

    with Folder() as f:
        f.path.chmod(0o777)
        f.put("open")
        closed, locked = f.put("closed"), f.site / "locked"
        closed.chmod(0)
        refused(r, "a file that may not be read", Run(f.site, f.archive, before=nobody), "closed: Permission denied")
        r.check("leaves nothing", f.beside() == [], str(f.beside()))
        closed.unlink()
        locked.mkdir()
        locked.chmod(0)
        refused(r, "a folder that may not be read", Run(f.site, f.archive, before=nobody), "locked: Permission denied")
        locked.chmod(0o755)
        f.path.chmod(0o755)
        if SUPER:
            refused(r, "a folder that may not be written", Run(f.site, f.archive, before=nobody), "archive: Permission denied")
        Run(f.site, f.archive, before=lambda: (os.umask(0o027), None)[1])
        r.check("the mode is as usual", f.archive.stat().st_mode & 0o777 == 0o640, oct(f.archive.stat().st_mode))


def test_no_room(r: Report) -> None:
    def little() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (5000, 5000))

    with Folder() as f:
        f.put("a", bytes(10_000))
        refused(r, "no room for contents", Run(f.site, f.archive, before=little), "archive: File too large")
        r.check("leaves nothing", f.beside() == [], str(f.beside()))
        f.put("a", b"")
        for i in range(200):
            f.put(f"b{i}", b"")
        refused(r, "no room for the index", Run(f.site, f.archive, before=little), "archive: File too large")
        f.pack()
        with open("/dev/full", "wb") as full:
            refused(r, "no room for a list", Run("--list", f.archive, stdout=full.fileno()), "standard output")


def test_listing_what_is_none(r: Report) -> None:
    with Folder() as f:
        f.put("a", b"first content")
        f.put("b", b"second content")
        f.pack()
        good = f.archive.read_bytes()

        def listed(octets: bytes) -> Run:
            f.archive.write_bytes(octets)
            return Run("--list", f.archive)

        refused(r, "a changed content", listed(good.replace(b"second", b"secund")), f"octet {good.index(b'second')}: the content")
        refused(r, "a changed index", listed(good.replace(b"a\0", b"A\0", 1)), "octet 12: Index.sum", "checksum")
        refused(r, "one cut short", listed(good[:-1]), "Whole", "must end where")
        refused(r, "one with more behind", listed(good + b"\0"), "Whole", "must end where")
        refused(r, "one cut in its index", listed(good[:60]), "input ends too early")
        refused(r, "an empty file", listed(b""), "input ends too early")
        refused(r, "another file", listed(b"\x89PNG\r\n\x1a\n" + bytes(100)), "octet 0: Index.magic")
        refused(r, "an absent file", Run("--list", f.path / "no"), "No such file")
        refused(r, "a folder", Run("--list", f.site), "Is a directory")
        r.check("the good one again", listed(good).code == 0)


def test_usage(r: Report) -> None:
    for arguments in ([], ["a"], ["a", "b", "c"], ["--list"], ["--list", "a", "b"], ["--list", "--hidden", "a"], ["--what", "a", "b"],
                      ["-h"], ["--", "-a"], ["--list", "--no-times", "a"]):
        done = Run(*arguments)
        r.check(f"usage {arguments}", done.code == 2 and done.err.startswith("mrg-pack: ") and done.out == "", done.said)
    with Folder() as f:
        (f.path / "-x").mkdir()
        done = Run("--", "-x", "archive", before=lambda: os.chdir(f.path))
        r.check("names that look like options", done.code == 0 and f.archive.exists(), done.said)
    done = Run("--help")
    options = set(re.findall(r"--[a-z-]+", done.out))
    r.check("--help", done.code == 0 and {"--hidden", "--no-times", "--list"} <= options, done.said)
    manual = (ROOT / "docs" / "man" / "mrg-pack.1").read_text()
    r.check("the manual has all options", all(f" -{o[2:]}" in manual for o in options), str(options))
    r.check("--version", re.fullmatch(r"mrg-pack \d+\.\d+\.\d+\n", Run("--version").out) is not None)


def main() -> int:
    report = Report()
    for name, test in sorted(globals().items()):
        if name.startswith("test_"):
            test(report)
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
