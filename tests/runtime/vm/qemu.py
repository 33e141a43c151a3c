"""Images in a virtual machine: QEMU without acceleration, which is there everywhere and does as it is told."""

from __future__ import annotations

import re
import shlex
import socket
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))
from report import BUILD, ROOT  # noqa: E402

TIMEOUT_S = 120  # much longer than anything takes on a busy machine
TSC_WORD = "tsc=2000000000"  # any rate: nothing here depends on its being right
MICROVM = ["-M", "microvm,accel=tcg,x-option-roms=off,pit=off,pic=off,rtc=off,acpi=off", "-global", "virtio-mmio.force-legacy=off"]
MICROVM_PIT = ["-M", "microvm,accel=tcg", "-global", "virtio-mmio.force-legacy=off"]
Q35 = ["-M", "q35,accel=tcg"]
PROMPT = b"(qemu) "
EXIT_DEVICE = ["-device", "isa-debug-exit,iobase=0x501"]
COMMON = ["-m", "32", "-nodefaults", "-no-user-config", "-nographic", "-no-reboot", "-serial", "stdio"]


def image(name: str) -> Path:
    return ROOT / BUILD / "vm" / "x86_64" / f"{name}.elf"


def command(name: str, line: str = TSC_WORD, machine: list[str] = MICROVM, cpu: str = "max", exit_device: bool = True,
            more: tuple[str, ...] = ()) -> list[str]:
    return ["qemu-system-x86_64", *machine, "-cpu", cpu, *COMMON, *(EXIT_DEVICE if exit_device else []), "-kernel",
            str(image(name)), "-append", line, *more]


@dataclass
class Outcome:
    lines: list[dict[str, str]]  # those of key=value fields
    text: str
    code: int | None  # what the machine exited with; None: it did not by the exit device
    hung: bool

    def of(self, event: str) -> dict[str, str]:
        """The first line of an event; empty when there is none."""
        return next((line for line in self.lines if line["event"] == event), {})


def fields(line: str) -> dict[str, str]:
    return dict(word.split("=", 1) for word in shlex.split(line) if "=" in word)


def outcome(text: str, status: int | None) -> Outcome:
    lines = [fields(m.group()) for m in re.finditer(r"level=\w+ event=.*", text)]
    code = (status - 1) // 2 if status is not None and status % 2 == 1 else None
    return Outcome(lines, text, code, status is None)


def start(name: str, **how: object) -> Outcome:
    """Run an image to its end."""
    try:
        done = subprocess.run(command(name, **how), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,  # type: ignore[arg-type]
                              stderr=subprocess.STDOUT, timeout=TIMEOUT_S)
    except subprocess.TimeoutExpired as late:
        return outcome((late.stdout or b"").decode(errors="replace"), None)
    return outcome(done.stdout.decode(errors="replace"), done.returncode)


def told(path: Path, questions: list[str]) -> bytes:
    """What QEMU's monitor answers."""
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(TIMEOUT_S)
        s.connect(str(path))
        s.sendall("".join(q + "\n" for q in questions).encode())
        answer = b""
        deadline = time.monotonic() + TIMEOUT_S
        while time.monotonic() < deadline and answer.count(PROMPT) <= len(questions) and (got := s.recv(1 << 16)):
            answer += got
        return answer


def ask(name: str, until: str, questions: list[str], goes_on: bool = False, **how: object) -> tuple[str, Outcome]:
    """Run an image until it says `until` and put questions to QEMU's monitor; what that answered, and what the image said then."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "monitor"
        more = ("-monitor", f"unix:{path},server,nowait")
        with subprocess.Popen(command(name, more=more, **how), stdin=subprocess.DEVNULL,  # type: ignore[arg-type]
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
            late = threading.Timer(TIMEOUT_S, process.kill)
            late.start()
            try:
                assert process.stdout is not None
                if not any(until in line for line in process.stdout):
                    return "", outcome("", process.wait())
                answer = told(path, questions).decode(errors="replace")
                if not goes_on:
                    process.kill()
                return answer, outcome(process.stdout.read(), process.wait())
            finally:
                late.cancel()
                process.kill()
