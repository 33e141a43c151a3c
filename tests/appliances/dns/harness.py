"""Starting, asking and ending the server under test. Nothing here sleeps: each wait is for a line of its log or for octets."""

from __future__ import annotations

import os
import queue
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent.parent
sys.path.insert(0, str(HERE))
import wire  # noqa: E402

BINARY = ROOT / os.environ.get("MRG_BUILD", "build") / "bin" / "mrg-dns"
PATIENCE_S = 30.0  # how long anything may take before the test fails; nothing waits for it in a good run

ZONE = """$TTL 3600
@ SOA ns1 hostmaster 7 7200 900 1209600 300
@ NS ns1
ns1 A 192.0.2.53
www A 192.0.2.80
www AAAA 2001:db8::80
version A 192.0.2.1
alias CNAME www
*.wild TXT "made"
"""


class Failure(AssertionError):
    """What a test expected did not come about."""


def check(good: bool, what: object) -> None:
    if not good:
        raise Failure(str(what))


def equal(got: object, want: object, what: str = "") -> None:
    check(got == want, f"{what or 'value'}: got {got!r}, want {want!r}")


class Files:
    """A folder for zone files that every user can read, removed at the end."""

    def __init__(self) -> None:
        self.path = Path(tempfile.mkdtemp(prefix="mrg-dns-test-"))
        self.path.chmod(0o755)

    def __enter__(self) -> Files:
        return self

    def __exit__(self, *_: object) -> None:
        shutil.rmtree(self.path)

    def write(self, name: str, text: str | bytes) -> Path:
        """Replace the file at once, as an editor or a deployment does."""
        new = self.path / (name + ".new")
        new.write_bytes(text if isinstance(text, bytes) else text.encode())
        new.chmod(0o644)
        return new.rename(self.path / name)


class Server:
    """mrg-dns on ports of its own choice."""

    def __init__(self, *args: str, listen: tuple[str, ...] = ("127.0.0.1:0",), prefix: tuple[str, ...] = (),
                 before: Callable[[], object] | None = None) -> None:
        """`before` is called in the new process, before the program starts."""
        command = [*prefix, str(BINARY)]
        for address in listen:
            command += ["--listen", address]
        self.process = subprocess.Popen(command + list(args), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.PIPE, start_new_session=True, preexec_fn=before)
        self.lines: list[str] = []
        self.queue: queue.Queue[str | None] = queue.Queue()
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()
        self.addresses: list[tuple[str, int]] = []
        self.wait_for("event=ready")
        for line in self.lines:
            found = re.search(r"event=listen address=\[?([^ \]]+)\]?:(\d+)", line)
            if found:
                self.addresses.append((found.group(1), int(found.group(2))))

    def _read(self) -> None:
        assert self.process.stderr is not None
        for raw in self.process.stderr:
            self.queue.put(raw.decode("utf-8", "replace").rstrip("\n"))
        self.queue.put(None)

    def __enter__(self) -> Server:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        self.kill()
        if kind is not None:
            print("\n".join("    log: " + line for line in self.lines[-15:]))

    @property
    def port(self) -> int:
        return self.addresses[0][1]

    def wait_for(self, part: str) -> str:
        """The next log line that has this in it."""
        while True:
            try:
                line = self.queue.get(timeout=PATIENCE_S)
            except queue.Empty:
                raise Failure(f"no line with '{part}' in the log") from None
            if line is None:
                self.process.wait()
                raise Failure(f"the server ended ({self.process.returncode}) before a line with '{part}'")
            self.lines.append(line)
            if part in line:
                return line

    def reload(self, expect: str = "event=reloaded") -> str:
        self.process.send_signal(signal.SIGHUP)
        return self.wait_for(expect)

    def end(self, how: signal.Signals = signal.SIGTERM) -> int:
        self.process.send_signal(how)
        return self.wait_end()

    def wait_end(self) -> int:
        code = self.process.wait(PATIENCE_S)
        self.reader.join(PATIENCE_S)
        while not self.queue.empty():
            line = self.queue.get()
            if line is not None:
                self.lines.append(line)
        return code

    def kill(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.wait_end()

    # ---- asking ----

    def udp(self, message: bytes, index: int = 0) -> bytes:
        with self.udp_socket(index) as s:
            s.send(message)
            return s.recv(65536)

    def udp_socket(self, index: int = 0) -> socket.socket:
        host, port = self.addresses[index]
        s = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)
        s.settimeout(PATIENCE_S)
        s.connect((host, port))
        return s

    def tcp_socket(self, index: int = 0) -> socket.socket:
        host, port = self.addresses[index]
        return socket.create_connection((host, port), timeout=PATIENCE_S)

    def tcp(self, message: bytes, index: int = 0) -> bytes:
        with self.tcp_socket(index) as s:
            s.sendall(wire.frame(message))
            return receive(s)

    def ask(self, name: str, rtype: int = wire.A) -> wire.Message:
        return wire.read(self.udp(wire.query(name, rtype)))


def receive_exactly(s: socket.socket, count: int) -> bytes:
    out = b""
    while len(out) < count:
        piece = s.recv(count - len(out))
        if not piece:
            raise EOFError(f"connection ended after {len(out)} of {count} octets")
        out += piece
    return out


def receive(s: socket.socket) -> bytes:
    """One framed message."""
    return receive_exactly(s, int.from_bytes(receive_exactly(s, 2), "big"))


def receive_end(s: socket.socket) -> None:
    """The peer's end of the connection, and nothing before it."""
    try:
        rest = s.recv(1)
    except ConnectionResetError:
        return
    check(rest == b"", f"octets where the connection was to end: {rest!r}")


def run(*args: object) -> subprocess.CompletedProcess[str]:
    """mrg-dns to its end."""
    return subprocess.run([str(BINARY), *map(str, args)], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=PATIENCE_S * 4)


def main(tests: dict[str, Callable[[], None]]) -> int:
    """Run every test_ function of a module; a word on the command line selects."""
    chosen = sys.argv[1] if len(sys.argv) > 1 else ""
    passed = failed = 0
    for name, test in tests.items():
        if not name.startswith("test_") or chosen not in name:
            continue
        try:
            test()
        except Exception as e:  # noqa: BLE001  a broken test is a failed one, and the others still count
            failed += 1
            print(f"FAIL {name}: {type(e).__name__}: {e}", flush=True)
        else:
            passed += 1
            print(f"ok   {name}", flush=True)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0
