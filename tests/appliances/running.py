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
from typing import IO, Any, Optional, Union

sys.path.insert(0, str(Path(__file__).resolve().parent))
import images  # noqa: E402

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
        self.machine: Optional[images.Machine] = None
        if images.WANTED:
            self.machine = images.Machine(self.program, args, listen, "prlimit" in prefix)
            self.other = self._other_lines(stdout)
            self.piped_stdout = stdout == subprocess.PIPE
            return
        command = [*prefix, str(BUILD / "bin" / self.program)]
        for address in listen:
            command += ["--listen", address]
        self._start(subprocess.Popen(command + list(args), stdin=subprocess.DEVNULL, stdout=stdout, stderr=subprocess.PIPE,
                                     start_new_session=True, preexec_fn=before))
        self.addresses = self.addresses_of("listen")

    def _start(self, process: subprocess.Popen[bytes]) -> None:
        self.process = process
        self.lines: list[str] = []
        self.queue: queue.Queue[str | None] = queue.Queue()
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()
        self.wait_for("event=ready")

    def __getattr__(self, name: str) -> Any:
        """A machine boots when it is first asked for anything, so that it has the files which a test writes until then."""
        if name not in ("process", "lines", "queue", "reader", "addresses") or "process" in self.__dict__:
            raise AttributeError(name)
        assert self.machine is not None
        self.addresses = self.machine.addresses
        process = subprocess.Popen(["sh", "-c", 'exec "$0" "$@" >&2', *self.machine.command()], stdin=subprocess.DEVNULL,
                                   stderr=subprocess.PIPE, start_new_session=True)  # one console
        if self.piped_stdout:
            process.stdout = self.piped
        self._start(process)
        return getattr(self, name)

    @property
    def place(self) -> str:
        """HOST:PORT of the first address; a machine need not have booted."""
        host, port = (self.machine or self).addresses[0]
        return f"{host}:{port}"

    def begun(self) -> Running:
        """For who asks by other ways than ours: it is there now."""
        check(self.process.poll() is None, "it runs")
        return self

    def client_host(self, index: int = 0) -> str:
        """What address a client has to whom it listens at this one."""
        if self.machine:
            return self.machine.client6 if ":" in self.addresses[index][0] else self.machine.client
        return self.addresses[index][0]

    def addresses_of(self, event: str) -> list[tuple[str, int]]:
        found = (re.search(rf"event={event} address=\[?([^ \]]+)\]?:(\d+)", line) for line in self.lines)
        return [(f.group(1), int(f.group(2))) for f in found if f]

    def _read(self) -> None:
        assert self.process.stderr is not None
        for raw in self.process.stderr:
            if self.machine and not raw.startswith(b"level="):
                self.other.write(b"" if raw.startswith(b"qemu-system-") else raw)
            else:
                self.queue.put(raw.decode("utf-8", "replace").rstrip("\n"))
        if self.machine:
            self.other.close()
        self.queue.put(None)

    def _other_lines(self, stdout: Union[int, IO[bytes]]) -> IO[bytes]:
        """Where lines of the console go that are no log: to what would be a process's standard output."""
        if stdout == subprocess.PIPE:
            out, into = os.pipe()
            self.piped = os.fdopen(out, "rb")
            return os.fdopen(into, "wb", buffering=0)
        if isinstance(stdout, int):
            return open(os.devnull, "wb", buffering=0)
        return os.fdopen(os.dup(stdout.fileno()), "wb", buffering=0)

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        self.kill()
        if kind is not None and "process" in self.__dict__:
            print("\n".join("    log: " + line for line in self.lines[-15:]))

    @property
    def host(self) -> str:
        return self.addresses[0][0]

    @property
    def port(self) -> int:
        return self.addresses[0][1]

    def memory_kib(self) -> int:
        """What the process holds; of a machine, what it has."""
        if self.machine:
            return self.machine.memory_kib
        rows = Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        return int(next(row.split()[1] for row in rows if row.startswith("VmRSS")))

    def room(self) -> int:
        """How many connections can be held, and some more."""
        ready = re.search(r" connections=(\d+)", self.lines[-1]) if self.machine else None
        return int(ready.group(1)) * 3 // 4 if ready else 1 << 20

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
        if "process" in self.__dict__:
            if self.process.poll() is None:
                self.process.kill()
            self.wait_end()
        if self.machine:
            self.machine.close()


def run_program(program: str, *args: object) -> subprocess.CompletedProcess[str]:
    """A server to its end."""
    return subprocess.run([str(BUILD / "bin" / program), *map(str, args)], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=PATIENCE_S * 4)


def applicable(tests: dict[str, Callable[[], None]]) -> tuple[dict[str, Callable[[], None]], int]:
    """Those that are to be run with the scale that is wanted, and how many are not."""
    if not images.WANTED:
        return tests, 0
    reasons = images.reasons(sys.argv[0])
    run = {name: test for name, test in tests.items() if name not in reasons and "" not in reasons}
    for name in tests:
        if name not in run:
            print(f"n/a  {name}: {reasons.get(name, reasons.get(''))}")
    return run, len(tests) - len(run)


def main(tests: dict[str, Callable[[], None]]) -> int:
    """Run every test_ function of a module; a word on the command line selects."""
    chosen = sys.argv[1] if len(sys.argv) > 1 else ""
    if images.WANTED and (why := images.impossible()):
        print(f"nothing was tried: {why}; machines need root and /dev/net/tun")
        print("1 passed, 0 failed")
        return 0
    if images.WANTED:
        images.enter()
    passed = failed = 0
    unknown = [name for name in images.reasons(sys.argv[0]) if name and name not in tests]
    check(not unknown, f"images.py names tests that are not there: {unknown}")
    tests, without = applicable({name: test for name, test in tests.items() if name.startswith("test_") and chosen in name})
    for name, test in tests.items():
        try:
            test()
        except Exception as e:  # noqa: BLE001  a broken test is a failed one, and the others still count
            failed += 1
            print(f"FAIL {name}: {type(e).__name__}: {e}", flush=True)
        else:
            passed += 1
            print(f"ok   {name}", flush=True)
    if without:
        print(f"{without} not applicable")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0
