#!/usr/bin/env python3
"""mrg-http as an image of a virtual machine, under QEMU with its own network before it: answers are those of the process, octet by octet."""

from __future__ import annotations

import random
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests" / "runtime" / "vm"), str(ROOT / "tests" / "appliances" / "http")]
from harness import LETTERS, Files, Server, small_site  # noqa: E402
from qemu import TIMEOUT_S, TSC_WORD, Outcome, start  # noqa: E402
from report import BUILD, Report  # noqa: E402
from test_card import Machine, free_port  # noqa: E402

NET = "ip=10.0.2.15/24 gw=10.0.2.2"
CARD = ("-netdev", "user,id=n", "-device", "virtio-net-device,netdev=n")
RULES = ("--error-page", "404=oops/404.html", "--cache", "*.txt=max-age=60", "--index", "index.html")
BIG = random.Random(5).randbytes(3_000_001)
HOST = "Host: www.example.org\r\n"
DATED = "Sat, 31 Jan 2026 00:00:00 GMT"

REQUESTS = {
    "a page": f"GET / HTTP/1.1\r\n{HOST}\r\n",
    "without a body": f"HEAD /letters.txt HTTP/1.1\r\n{HOST}\r\n",
    "a folder": f"GET /sub/ HTTP/1.1\r\n{HOST}\r\n",
    "a folder by another name": f"GET /sub HTTP/1.1\r\n{HOST}\r\n",
    "a folder without an index": f"GET /bare/ HTTP/1.1\r\n{HOST}\r\n",
    "nothing there": f"GET /nothing HTTP/1.1\r\n{HOST}\r\n",
    "nothing there, head": f"HEAD /nothing HTTP/1.1\r\n{HOST}\r\n",
    "an empty file": f"GET /empty.txt HTTP/1.1\r\n{HOST}\r\n",
    "compressed": f"GET /page.html HTTP/1.1\r\n{HOST}Accept-Encoding: gzip\r\n\r\n",
    "a range": f"GET /letters.txt HTTP/1.1\r\n{HOST}Range: bytes=26-51\r\n\r\n",
    "the end": f"GET /letters.txt HTTP/1.1\r\n{HOST}Range: bytes=-5\r\n\r\n",
    "no such range": f"GET /letters.txt HTTP/1.1\r\n{HOST}Range: bytes=5000-\r\n\r\n",
    "not changed since": f"GET /letters.txt HTTP/1.1\r\n{HOST}If-Modified-Since: {DATED}\r\n\r\n",
    "changed since": f"GET /letters.txt HTTP/1.1\r\n{HOST}If-Modified-Since: Fri, 30 Jan 2026 23:59:59 GMT\r\n\r\n",
    "a year of two digits": f"GET /letters.txt HTTP/1.1\r\n{HOST}If-Modified-Since: Sunday, 06-Nov-94 08:49:37 GMT\r\n\r\n",
    "a range if dated": f"GET /letters.txt HTTP/1.1\r\n{HOST}Range: bytes=0-1\r\nIf-Range: {DATED}\r\n\r\n",
    "a condition that fails": f"GET /letters.txt HTTP/1.1\r\n{HOST}If-Match: \"none\"\r\n\r\n",
    "no such method here": f"POST / HTTP/1.1\r\n{HOST}Content-Length: 2\r\n\r\nab",
    "no such method": f"BREW / HTTP/1.1\r\n{HOST}\r\n",
    "no host": "GET / HTTP/1.1\r\n\r\n",
    "no request": "GET  /\r\n\r\n",
    "a long target": f"GET /{'a' * 9000} HTTP/1.1\r\n{HOST}\r\n",
    "a long field": f"GET / HTTP/1.1\r\n{HOST}X: {'a' * 70000}\r\n\r\n",
    "a coding of transfer": f"POST / HTTP/1.1\r\n{HOST}Transfer-Encoding: gzip\r\n\r\n",
    "another version": f"GET / HTTP/2.0\r\n{HOST}\r\n",
    "an old one": "GET / HTTP/1.0\r\n\r\n",
    "an old one, again": "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\nGET /letters.txt HTTP/1.0\r\n\r\n",
    "outside": f"GET /../etc/passwd HTTP/1.1\r\n{HOST}\r\n",
    "one behind the other": f"GET /letters.txt HTTP/1.1\r\n{HOST}\r\nHEAD / HTTP/1.1\r\n{HOST}\r\nGET /nothing HTTP/1.1\r\n{HOST}\r\n" * 20,
    "much": f"GET /big.bin HTTP/1.1\r\n{HOST}\r\n" * 2,
    "parts of much": f"GET /big.bin HTTP/1.1\r\n{HOST}Range: bytes=5-10,1000000-1999999,-3\r\n\r\n",
}


class Site(Machine):
    """An image with a port for figures, too."""

    def __init__(self, words: str, clock: bool = False, **how: object) -> None:
        super().__init__(words, name="mrg-http", port=80, **how)  # type: ignore[arg-type]
        self.figures = free_port(socket.SOCK_STREAM)
        at = self.command.index("-netdev") + 1
        self.command[at] += f",hostfwd=tcp:127.0.0.1:{self.figures}-:9100"
        if clock:
            self.command = [word.replace("rtc=off", "rtc=on") for word in self.command]

    def curl(self, path: str, port: int = 0) -> bytes:
        url = f"http://127.0.0.1:{port or self.tcp}{path}"
        return subprocess.run(["curl", "-s", "-m", str(TIMEOUT_S), url], stdin=subprocess.DEVNULL, capture_output=True, check=False).stdout


def ask(address: tuple[str, int], request: str) -> bytes:
    """All that comes back; nothing more is sent, so the server ends when it has answered."""
    got = bytearray()
    with socket.create_connection(address, timeout=TIMEOUT_S) as s:
        s.sendall(request.encode())
        try:
            s.shutdown(socket.SHUT_WR)
            while piece := s.recv(1 << 16):
                got += piece
        except ConnectionError:
            pass
    return undated(bytes(got))


def undated(answers: bytes) -> bytes:
    """Without what differs: the time of day, and the boundary of several ranges."""
    found = re.search(rb"boundary=([^\r\n]+)", answers)
    if found:
        answers = answers.replace(found.group(1).strip(b'"'), b"")
    return re.sub(rb"\r\nDate: [^\r\n]*", b"", answers)


@contextmanager
def archive() -> Iterator[Path]:
    """What mrg-pack makes of a small site."""
    with Files() as files, Files() as place:
        small_site(files)
        files.write("oops/404.html", "<p>not here\n")
        files.write("big.bin", BIG)
        dated = ["touch", "-d", DATED, *map(str, files.path.rglob("*"))]
        subprocess.run(dated, check=True)
        at = place.path / "site.arc"
        subprocess.run([ROOT / BUILD / "bin" / "mrg-pack", files.path, at], check=True)
        yield at


def check_same(report: Report, packed: Path) -> None:
    words = " ".join(f'"{w}"' for w in RULES)
    with Server("--archive", str(packed), *RULES) as process, Site(f"{NET} -- {words}", more=("-initrd", str(packed))) as m:
        ready = m.until("ready")
        report.check("the archive is read", ready.of("site").get("file") == "initrd" and ready.of("site").get("bytes") ==
                     str(packed.stat().st_size), m.text)
        for name, request in REQUESTS.items():
            want, got = ask(process.addresses[0], request), ask(("127.0.0.1", m.tcp), request)
            report.check(name, got == want and want != b"", f"{got[:600]!r}\n{want[:600]!r}\n{len(got)} {len(want)}")
        report.check("to curl", m.curl("/big.bin") == BIG)
        report.check("who has no clock says no date", b"\r\nDate:" not in ask_raw(m.tcp), m.text)


def ask_raw(port: int) -> bytes:
    with socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT_S) as s:
        s.sendall(REQUESTS["a page"].encode())
        return s.recv(1 << 16)


def check_seen(report: Report, packed: Path) -> None:
    """The access log, figures, connections, the last frames; of a machine that knows the time."""
    words = f"{NET} ring=64K snap=128 -- --access-log combined --metrics 10.0.2.15:9100 --vhost other.example=sub"
    with Site(words, clock=True, more=("-initrd", str(packed))) as m:
        m.until("ready")
        date = re.search(rb"\r\nDate: \w+, \d\d (\w+) (\d{4}) ", ask_raw(m.tcp))
        report.check("a date", date is not None and int(date.group(2)) > 2020, m.text)
        m.curl("/letters.txt?%22")
        line = next(t for t in lines(m) if "letters" in t)
        report.check("a line of the access log", re.fullmatch(
            r'10\.0\.2\.2 - - \[\d\d/\w+/2\d{3}:[0-9:]+ \+0000\] "GET /letters\.txt\?%22 HTTP/1\.1" 200 1040 "-" "curl/[^"]*"', line) is not None, line)
        for target, status in (("/", b"200"), ("/letters.txt", b"404"), ("/../letters.txt", b"404"), ("/index.html", b"200")):
            got = ask(("127.0.0.1", m.tcp), f"GET {target} HTTP/1.1\r\nHost: other.example\r\n\r\n")
            report.check(f"another host, {target}", got.startswith(b"HTTP/1.1 " + status) and (status != b"200" or b"<title>sub<" in got), str(got))
        page = m.curl("/metrics", m.figures).decode()
        report.check("figures", "mrg_http_requests_total 6\n" in page and 'mrg_net_total{protocol="link",name="frames_in"} ' in page, page[-500:])
        report.check("connections", re.search(r"^10\.0\.2\.15:9100 10\.0\.2\.2:\d+ Established .*\n# connections: \d+\n\Z",
                                              m.curl("/connections", m.figures).decode(), re.M) is not None)
        frames = m.curl("/pcap", m.figures)
        report.check("the last frames", frames[:4] == b"\x4d\x3c\xb2\xa1" and b"GET /letters.txt" in frames, str(frames[:100]))


def lines(m: Machine) -> Iterator[str]:
    assert m.process.stdout is not None
    for line in m.process.stdout:
        yield line.rstrip("\n")


def ends(packed: bytes, words: str = "", card: tuple[str, ...] = CARD) -> Outcome:
    """How an image with these octets as its initrd ends."""
    with Files() as files:
        more = (*card, "-initrd", str(files.write("initrd", packed))) if packed else card
        return start("mrg-http", line=f"{TSC_WORD} {NET}{words}", more=more)


def check_refusals(report: Report, packed: bytes) -> None:
    broken = packed[:20] + bytes([packed[20] ^ 255]) + packed[21:]
    for name, octets in {"cut": packed[:-1], "cut to little": packed[:9], "with more": packed + b"x", "changed in its index": broken,
                         "something else": b"x" * 5000, "absent": b""}.items():
        o = ends(octets)
        report.check(f"an archive that is {name}", o.of("no_site").get("level") == "error" and o.code == 1, o.text)
    changed = packed.replace(LETTERS, LETTERS.upper())
    for octets, code in ((packed, 0), (changed, 1)):
        o = ends(octets, " -- --check")
        report.check(f"--check ends with {code}", o.code == code and (o.of("no_site").get("path", "letters.txt") == "letters.txt"), o.text)
    o = ends(packed, " -- --vhost a=index.html")
    report.check("a host without a folder", o.of("no_site").get("path") == "index.html" and o.code == 1, o.text)
    for word in ("--root /", "--vhost a", "--listen x", "--metrics", "--listen 10.0.2.15:80 --listen 10.0.2.15:80"):
        o = ends(packed, f" -- {word}")
        report.check(f"{word} is refused", o.of("said").get("level") == "error" and o.code in (2, 3), o.text)


def check_little(report: Report, packed: Path) -> None:
    with Site(NET, memory=8, more=("-initrd", str(packed))) as m:
        o = m.until("ready")
        report.check("8 MiB do with 3 MB of files", bool(o.of("ready")) and m.curl("/big.bin") == BIG, m.text)


def main() -> int:
    report = Report()
    with archive() as packed:
        check_same(report, packed)
        check_seen(report, packed)
        check_little(report, packed)
        check_refusals(report, packed.read_bytes())
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
