"""Asking the web server under test; starting and ending it is in ../running.py."""

from __future__ import annotations

import gzip
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]
from running import PATIENCE_S, ROOT, Failure, Files, Running, check, equal, main, run_program  # noqa: E402
from wire import Answer, Connection  # noqa: E402

__all__ = ["PATIENCE_S", "ROOT", "Answer", "Connection", "Failure", "Files", "check", "equal", "main", "run_program"]

HOST = b"Host: www.example.org\r\n"
GET = b"GET / HTTP/1.1\r\n" + HOST + b"\r\n"
INDEX = b"<!DOCTYPE html>\n<title>home</title>\n"
LETTERS = bytes(range(97, 123)) * 40  # 1,040 octets of which any range can be told


class Server(Running):
    """mrg-http, and ways to ask it."""

    program = "mrg-http"

    def __enter__(self) -> Server:
        return self

    def connection(self, index: int = 0) -> Connection:
        return Connection(self.addresses[index], PATIENCE_S)

    def url(self, path: str = "/", index: int = 0) -> str:
        host, port = self.addresses[index]
        return f"http://[{host}]:{port}{path}" if ":" in host else f"http://{host}:{port}{path}"

    def ask(self, method: str, target: str, *fields: str) -> Answer:
        """One request on a connection of its own."""
        with self.connection() as c:
            return c.ask(request(method, target, *fields))

    def get(self, target: str, *fields: str) -> Answer:
        return self.ask("GET", target, *fields)

    def figures(self) -> dict[str, int]:
        """The page of metrics."""
        with Connection(self.addresses_of("metrics")[0], PATIENCE_S) as c:
            page = c.ask(request("GET", "/metrics", "Connection: close")).body.decode()
        rows = (line.rsplit(" ", 1) for line in page.splitlines() if not line.startswith("#"))
        return {name: int(value) for name, value in rows}

    def shows(self, want: dict[str, int]) -> None:
        """These are its figures, soon: a worker counts behind its answer, and an end behind the client's."""
        end = time.monotonic() + PATIENCE_S
        while (shown := {name: value for name, value in self.figures().items() if name in want}) != want:
            check(time.monotonic() < end, f"figures: got {shown}, want {want}")


def request(method: str, target: str, *fields: str) -> bytes:
    return (f"{method} {target} HTTP/1.1\r\nHost: www.example.org\r\n" + "".join(f + "\r\n" for f in fields) + "\r\n").encode("latin-1")


def run(*args: object) -> subprocess.CompletedProcess[str]:
    """mrg-http to its end."""
    return run_program("mrg-http", *args)


def client(*command: object, code: int = 0, text: str = "") -> subprocess.CompletedProcess[bytes]:
    """A client to its end."""
    tool = str(command[0])
    check(shutil.which(tool) is not None, f"{tool} is installed (make deps)")
    done = subprocess.run([str(c) for c in command], input=text.encode(), capture_output=True, timeout=PATIENCE_S * 2)
    equal(done.returncode, code, f"{' '.join(map(str, command))}: {done.stdout[-500:]!r} {done.stderr[-500:]!r}")
    return done


def small_site(files: Files) -> str:
    """A folder with an index page, a file with known letters, coded siblings, a folder; its name."""
    files.write("index.html", INDEX)
    files.write("letters.txt", LETTERS)
    files.write("empty.txt", b"")
    files.write("page.html", b"<p>plain</p>\n" * 50)
    files.write("page.html.gz", gzip.compress(b"<p>plain</p>\n" * 50, mtime=0))
    files.write("sub/index.html", b"<title>sub</title>\n")
    files.write("bare/file", b"no index here\n")
    return str(files.path)


def threads(pid: int) -> int:
    return len(list(Path(f"/proc/{pid}/task").iterdir()))


def status_of(pid: int, key: str) -> str:
    found = re.search(rf"^{key}:[ \t]*(.*)$", Path(f"/proc/{pid}/status").read_text(), re.M)
    assert found is not None
    return found.group(1)


def memory_kib(pid: int) -> int:
    """What the process holds of its own, to the page: what the kernel keeps in VmRSS is less exact."""
    rows = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return int(next(row.split()[1] for row in rows if row.startswith("Pss_Anon:")))


def descriptors(pid: int) -> int:
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


def until(true: Callable[[], bool], what: str) -> None:
    """Ask until it is so."""
    end = time.monotonic() + PATIENCE_S
    while not true():
        check(time.monotonic() < end, what)
