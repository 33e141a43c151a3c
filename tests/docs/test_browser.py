#!/usr/bin/env python3
"""The pages of `make run` in a real browser: both servers run, headless Chromium opens them, and what it shows is looked at."""

from __future__ import annotations

import os
import re
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import zlib
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from report import BUILD, OUT, ROOT, Report, make, run  # noqa: E402
from test_readme import free_port  # noqa: E402

PATIENCE_S = 30
SIZES = {"wide": (1280, 1600), "narrow": (400, 900)}
PAGES = ["index.html", "dns.message.html", "http.message.html", "status.html"]


class Browser:
    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def open(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """One run of the browser: it ends when the page has been quiet for five seconds of its own, virtual time."""
        return run("chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars", "--no-first-run",
                   f"--user-data-dir={self.folder / 'profile'}", "--virtual-time-budget=5000", *arguments, HOME=str(self.folder))

    def document(self, url: str) -> str:
        return self.open("--dump-dom", url).stdout

    def picture(self, url: str, size: tuple[int, int]) -> tuple[Path, str]:
        path = self.folder / "page.png"
        path.unlink(missing_ok=True)
        done = self.open(f"--screenshot={path}", f"--window-size={size[0]},{size[1]}", url)
        return path, done.stdout


def pixels(png: bytes) -> tuple[int, int, list[bytes]]:
    """Width, height, and the rows of a picture of eight bits a channel, unfiltered (PNG, W3C, section 9)."""
    at, width, height, channels, data = 8, 0, 0, 0, b""
    while at < len(png):
        length, kind = struct.unpack_from(">I4s", png, at)
        body = png[at + 8 : at + 8 + length]
        at += 12 + length
        if kind == b"IHDR":
            width, height, _, colour = struct.unpack_from(">IIBB", body)
            channels = {2: 3, 6: 4}[colour]
        elif kind == b"IDAT":
            data += body
    raw, rows, stride = zlib.decompress(data), [], width * channels
    before = bytearray(stride)
    for y in range(height):
        kind, line = raw[y * (stride + 1)], bytearray(raw[y * (stride + 1) + 1 : (y + 1) * (stride + 1)])
        for i in range(stride):
            left, up = (line[i - channels] if i >= channels else 0), before[i]
            corner = before[i - channels] if i >= channels else 0
            line[i] = (line[i] + (0, left, up, (left + up) // 2, paeth(left, up, corner))[kind]) & 255
        rows.append(bytes(line))
        before = line
    return width, height, rows


def paeth(left: int, up: int, corner: int) -> int:
    guess = left + up - corner
    return min((left, up, corner), key=lambda v: abs(guess - v))


def looks_drawn(path: Path, size: tuple[int, int]) -> str:
    """"" when the picture shows a page with text on it; else what is wrong with it."""
    if not path.exists():
        return "no picture"
    width, height, rows = pixels(path.read_bytes())
    if (width, height) != size:
        return f"{width} x {height}"
    drawn = sum(len(set(zip(*[iter(row)] * 3))) > 1 for row in rows[: height // 2])
    return "" if drawn > height // 8 else f"only {drawn} of the first {height // 2} rows have anything on them"


def check_pages(report: Report, browser: Browser, site: str) -> None:
    for page in PAGES:
        for name, size in SIZES.items():
            path, told = browser.picture(site + page, size)
            wrong = looks_drawn(path, size)
            report.check(f"{page}, {name}", not wrong, f"{wrong}\n{told}")


def check_status(report: Report, browser: Browser, site: str, dns: int) -> None:
    for _ in range(5):
        run("dig", "+short", "+time=1", "+tries=1", "@127.0.0.1", "-p", dns, "www.example.org")
    text = re.sub(r"<[^>]*>", " ", browser.document(site + "status.html"))
    for what in (r"HTTP: mrg-http\s+up for", r"DNS: mrg-dns\s+up for", r"Queries over UDP\s+[1-9]", r"Answers 2xx\s+[1-9]",
                 r"Zone example.org. serial\s+\d{10}"):
        report.check(f"the status page says: {what}", re.search(what, text) is not None, text)


def start(dns: int, http: int, metrics: list[int], site: Path) -> tuple[subprocess.Popen[str], str]:
    """Both servers as `make run` starts them, and what they said until they were ready."""
    command = [str(ROOT / "mk" / "run.sh"), str(ROOT / BUILD / "bin"), f"127.0.0.1:{dns}", "example.org=appliances/dns/example.org.zone",
               f"127.0.0.1:{metrics[0]}", f"127.0.0.1:{http}", str(site), f"127.0.0.1:{metrics[1]}"]
    servers = subprocess.Popen(command, cwd=ROOT, text=True, start_new_session=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert servers.stdout is not None
    said = ""
    for line in servers.stdout:
        said += line
        if said.count("event=ready") == 2:
            break
    return servers, said


def main() -> int:
    report = Report()
    made = make(f"O={OUT}", "site")
    if not report.check("the pages are made", made.returncode == 0, made.stdout):
        return report.finish()
    dns, http, *metrics = (free_port() for _ in range(4))
    with tempfile.TemporaryDirectory(prefix="mrg-browser-") as name:
        folder = Path(name)
        folder.chmod(0o755)  # the servers become somebody else
        shutil.copytree(ROOT / OUT / "site", folder / "site")
        servers, said = start(dns, http, metrics, folder / "site")
        try:
            if report.check("both servers are ready", said.count("event=ready") == 2, said):
                browser, address = Browser(folder), f"http://127.0.0.1:{http}/"
                check_pages(report, browser, address)
                check_status(report, browser, address, dns)
        finally:
            if servers.poll() is None:
                os.killpg(servers.pid, signal.SIGINT)
            servers.communicate(timeout=PATIENCE_S)
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
