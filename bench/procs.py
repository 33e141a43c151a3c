"""What the kernel knows about a server: its processes, CPU time, memory."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

TICK = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Cpu:
    """Seconds of CPU time since the processes started."""

    user: float
    system: float

    def __sub__(self, before: Cpu) -> Cpu:
        return Cpu(self.user - before.user, self.system - before.system)


@dataclass(frozen=True)
class Memory:
    """Bytes, summed over the processes of a server.

    Pages that processes share are counted once in `pss`; `peak` is the sum
    of the processes' largest resident sets (VmHWM)."""

    rss: int
    pss: int
    peak: int


def stat_fields(pid: int) -> list[str]:
    """The fields of /proc/PID/stat after the command's name: [0] is the state."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def tree(root: int) -> list[int]:
    """`root` and all its descendants that live now."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            parent = int(stat_fields(int(entry.name))[1])
        except (FileNotFoundError, ProcessLookupError):
            continue
        children.setdefault(parent, []).append(int(entry.name))
    found = [root]
    for pid in found:
        found.extend(children.get(pid, []))
    return found


def cpu(pids: list[int]) -> Cpu:
    user = system = 0
    for pid in pids:
        fields = stat_fields(pid)
        user += int(fields[11])
        system += int(fields[12])
    return Cpu(user / TICK, system / TICK)


def kib(text: str, key: str) -> int:
    for line in text.splitlines():
        if line.startswith(key + ":"):
            return int(line.split()[1]) * 1024
    return 0


def memory(pids: list[int]) -> Memory:
    rss = pss = peak = 0
    for pid in pids:
        status = Path(f"/proc/{pid}/status").read_text()
        rss += kib(status, "VmRSS")
        peak += kib(status, "VmHWM")
        pss += kib(Path(f"/proc/{pid}/smaps_rollup").read_text(), "Pss")
    return Memory(rss, pss, peak)


def reset_peak(pids: list[int]) -> None:
    """Let VmHWM start again from the present resident set."""
    for pid in pids:
        Path(f"/proc/{pid}/clear_refs").write_text("5")
