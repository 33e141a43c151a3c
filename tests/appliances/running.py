"""Starting and ending a server under test, and counting its tests. Nothing here sleeps: each wait is for a line of its log."""

from __future__ import annotations

import os
import queue
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import IO, Optional, Union

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / os.environ.get("MRG_BUILD", "build")
PATIENCE_S = 30.0  # how long anything may take before the test fails; nothing waits for it in a good run


class Failure(AssertionError):
    """What a test expected did not come about."""


def check(good: bool, what: object) -> None:
    if not good:
        raise Failure(str(what))


def equal(got: object, want: object, what: str = "") -> None:
    check(got == want, f"{what or 'value'}: got {got!r}, want {want!r}")


class Files:
    """A folder that every user can read, removed at the end."""

    def __init__(self) -> None:
        self.path = Path(tempfile.mkdtemp(prefix="mrg-test-"))
        self.path.chmod(0o755)

    def __enter__(self) -> Files:
        return self

    def __exit__(self, *_: object) -> None:
        shutil.rmtree(self.path)

    def write(self, name: str, text: str | bytes) -> Path:
        """Replace the file at once, as an editor or a deployment does."""
        at = self.path / name
        at.parent.mkdir(parents=True, exist_ok=True)
        new = at.with_name("new." + at.name)
        new.write_bytes(text if isinstance(text, bytes) else text.encode())
        new.chmod(0o644)
        return new.rename(at)


class Running:
    """A server on ports of its own choice. Its log is read line by line."""

    program = ""  # of build/bin/

    def __init__(self, *args: str, listen: tuple[str, ...] = ("127.0.0.1:0",), prefix: tuple[str, ...] = (),
                 before: Optional[Callable[[], object]] = None, stdout: Union[int, IO[bytes]] = subprocess.DEVNULL) -> None:
        """`before` is called in the new process, before the program starts."""
        command = [*prefix, str(BUILD / "bin" / self.program)]
        for address in listen:
            command += ["--listen", address]
        self.process = subprocess.Popen(command + list(args), stdin=subprocess.DEVNULL, stdout=stdout,
                                        stderr=subprocess.PIPE, start_new_session=True, preexec_fn=before)
        self.lines: list[str] = []
        self.queue: queue.Queue[str | None] = queue.Queue()
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()
        self.wait_for("event=ready")
        self.addresses = self.addresses_of("listen")

    def addresses_of(self, event: str) -> list[tuple[str, int]]:
        found = (re.search(rf"event={event} address=\[?([^ \]]+)\]?:(\d+)", line) for line in self.lines)
        return [(f.group(1), int(f.group(2))) for f in found if f]

    def _read(self) -> None:
        assert self.process.stderr is not None
        for raw in self.process.stderr:
            self.queue.put(raw.decode("utf-8", "replace").rstrip("\n"))
        self.queue.put(None)

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


def run_program(program: str, *args: object) -> subprocess.CompletedProcess[str]:
    """A server to its end."""
    return subprocess.run([str(BUILD / "bin" / program), *map(str, args)], stdin=subprocess.DEVNULL, capture_output=True, text=True,
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
