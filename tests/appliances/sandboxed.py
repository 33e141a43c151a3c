"""Servers that lock themselves in: what the kernel says of them, and builds that can't."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import running
from running import BUILD, check, equal, run_program

__all__ = ["check_locked_in", "main"]


def status_of(process: Path) -> dict[str, str]:
    lines = (line.partition(":") for line in (process / "status").read_text().splitlines())
    return {key: value.strip() for key, _, value in lines}


def check_locked_in(server: running.Running, calls: int) -> None:
    """All threads are, by one filter, without a capability; and the log says how many system calls are left."""
    said = [line for line in server.lines if "event=sandbox" in line]
    equal([re.search(r"calls=(\d+) landlock=\d+$", line)[1] for line in said], [str(calls)], "system calls")  # type: ignore[index]
    filters = int(status_of(Path("/proc/self"))["Seccomp_filters"]) + 1  # a container has put one before it
    for task in Path(f"/proc/{server.process.pid}/task").iterdir():
        status = status_of(task)
        equal({k: status[k] for k in ("NoNewPrivs", "Seccomp", "Seccomp_filters")},
              {"NoNewPrivs": "1", "Seccomp": "2", "Seccomp_filters": str(filters)}, "filters")
        equal({int(status[k], 16) for k in ("CapInh", "CapPrm", "CapEff", "CapAmb")}, {0}, "capabilities")


def main(program: str, tests: dict[str, Callable[[], None]], run: Callable[[dict[str, Callable[[], None]]], int] = running.main) -> int:
    """Run the tests, or in a build with sanitizers the only one that there is."""
    refused = run_program(program, "--sandbox", "--version")
    if refused.returncode == 0:
        return run(tests)

    def test_builds_with_sanitizers_say_that_they_cannot() -> None:
        check("address" in BUILD.name or "thread" in BUILD.name, f"{BUILD.name}: {refused.stderr}")
        equal(refused.returncode, 2, "exit status")
        equal(refused.stderr, f"{program}: --sandbox: this build has sanitizers, which need more of the system\n", "what it says")

    return running.main({"test_builds_with_sanitizers_say_that_they_cannot": test_builds_with_sanitizers_say_that_they_cannot})
