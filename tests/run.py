#!/usr/bin/env python3
"""Run test suites side by side; print the failures, one line a suite, and the total as the last line.

A suite is a program or a Python script. It says what happened in its last lines: Check's summary
("95%: Checks: 20, Failures: 1, Errors: 0") or "N passed, N failed". A suite that says nothing, dies, or exits with a
status that contradicts its own count is one failure more; a suite that ran no test at all is a failure too. A line "N not applicable"
before the summary tells of tests that the scale has nothing for (tests/appliances/images.py).
"""

from __future__ import annotations

import argparse
import os
import queue
import re
import signal
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

CHECK = re.compile(r"^\d+%: Checks: (\d+), Failures: (\d+), Errors: (\d+)", re.M)
COUNT = re.compile(r"^(\d+) passed, (\d+) failed$", re.M)
WITHOUT = re.compile(r"^(\d+) not applicable$", re.M)
WAITING = ("tests/appliances/", "tests/runtime/vm/")  # the suites that leave the processor idle most of their time
TIMEOUT_S = 600
LAST_LINES = 12  # of a failed suite's output, said again at the end


@dataclass(frozen=True)
class Suite:
    path: str
    build: str  # the folder with bin/ and lib/ that the suite is to use
    scale: str = ""  # what servers are started as, when not as processes: MRG_SCALE

    @property
    def label(self) -> str:
        if self.path.endswith(".py"):
            return f"{self.path} ({self.build}{self.scale and ', ' + self.scale})"
        return self.path


@dataclass(frozen=True)
class Result:
    suite: Suite
    passed: int
    failed: int
    seconds: float
    output: str
    without: int = 0  # tests that were not applicable

    @property
    def line(self) -> str:
        without = f", {self.without} not applicable" if self.without else ""
        return f"{self.suite.label}: {self.passed} passed, {self.failed} failed{without}, {self.seconds:.1f} s"


def not_applicable(output: str) -> int:
    return sum(int(n) for n in WITHOUT.findall(output))


def count(output: str, status: int) -> tuple[int, int, str]:
    """Passed and failed as the suite counts them, and a complaint when that count can't be believed."""
    checks = CHECK.findall(output)
    if checks:
        total = sum(int(c[0]) for c in checks)
        failed = sum(int(c[1]) + int(c[2]) for c in checks)
        passed = total - failed
    else:
        counts = COUNT.findall(output)
        if not counts:
            return 0, 1, f"no summary line; exit status {status}"
        passed, failed = int(counts[-1][0]), int(counts[-1][1])
    if status != 0 and failed == 0:
        return passed, 1, f"counted no failure, yet exit status {status}"
    if passed + failed + not_applicable(output) == 0:
        return 0, 1, "ran no test"
    return passed, failed, ""


def run(suite: Suite) -> Result:
    if not Path(suite.path).exists():
        return Result(suite, 0, 1, 0.0, f"{suite.label}: not built")
    command = [sys.executable, suite.path] if suite.path.endswith(".py") else [suite.path]
    env = dict(os.environ, MRG_BUILD=suite.build, MRG_SCALE=suite.scale, PYTHONDONTWRITEBYTECODE="1", PYTHONUNBUFFERED="1")
    env.setdefault("ASAN_OPTIONS", "detect_stack_use_after_return=1:allocator_may_return_null=1")
    env.setdefault("UBSAN_OPTIONS", "print_stacktrace=1")
    env.setdefault("CK_DEFAULT_TIMEOUT", "60")  # Check's own 4 s are little where other suites run beside it
    start = time.monotonic()
    # A session of its own, so that whatever a suite leaves running ends with it.
    process = subprocess.Popen(command, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, start_new_session=True)
    complaint = ""
    try:
        raw, _ = process.communicate(timeout=TIMEOUT_S)
    except subprocess.TimeoutExpired:
        complaint = f"still running after {TIMEOUT_S} s"
        os.killpg(process.pid, signal.SIGKILL)
        raw, _ = process.communicate()
    finally:
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
    output = raw.decode("utf-8", "replace")
    passed, failed, doubt = count(output, process.returncode)
    if complaint:
        failed = max(failed, 1)
    doubt = complaint or doubt
    if doubt:
        output += f"\n{suite.label}: {doubt}\n"
    return Result(suite, passed, failed, time.monotonic() - start, output, not_applicable(output))


def read_times(path: Path) -> dict[str, float]:
    """How long each suite took last time: the longest start first, so that the end is not one suite waited for."""
    if not path.exists():
        return {}
    rows = (line.rsplit(" ", 1) for line in path.read_text().splitlines())
    return {label: float(seconds) for label, seconds in rows}


def collect(groups: list[list[str]], only: str) -> list[Suite]:
    suites = [Suite(path, *group[0].split(":")) for group in groups for path in group[1:]]
    return [s for s in suites if only in s.label]


class Queues:
    """Suites in two queues: those that mostly wait, for servers and networks, and those that work. Side by side both cost the time of one."""

    def __init__(self, suites: list[Suite]) -> None:
        self.lock = threading.Lock()
        self.waiting = [s for s in suites if s.path.startswith(WAITING)]
        self.working = [s for s in suites if not s.path.startswith(WAITING)]

    def next(self, works: bool) -> Suite | None:
        """The next for a worker; those who work help with what is left of the waiting, since that leaves the processor idle."""
        with self.lock:
            kind = self.working if works and self.working else self.waiting
            return kind.pop(0) if kind else None


def results(suites: list[Suite], jobs: int) -> Iterator[Result]:
    """Run all, `jobs` of each kind at once; each result as it comes."""
    queues = Queues(suites)
    done: queue.Queue[Result | None] = queue.Queue()

    def work(works: bool) -> None:
        while (suite := queues.next(works)) is not None:
            try:
                done.put(run(suite))
            except Exception:  # such as a program that can't be started
                done.put(Result(suite, 0, 1, 0.0, traceback.format_exc()))
        done.put(None)

    workers = [threading.Thread(target=work, args=(i % 2 == 0,)) for i in range(2 * jobs)]
    for worker in workers:
        worker.start()
    left = len(workers)
    while left:
        result = done.get()
        if result is None:
            left -= 1
        else:
            yield result


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=2, help="suites at once of those that work, and as many of those that wait")
    parser.add_argument("--times", type=Path, required=True)
    parser.add_argument("--broken", type=Path, required=True, help="what did not build, a line each; absent when all did")
    parser.add_argument("--only", default="")
    parser.add_argument("--with", dest="suites", nargs="+", action="append", required=True, metavar="BUILD[:SCALE] SUITE",
                        help="a build folder, what servers are started as, and the suites to run with these")
    args = parser.parse_args()

    times = read_times(args.times)
    suites = sorted(collect(args.suites, args.only), key=lambda s: (-times.get(s.label, 1e6), s.label))
    broken = args.broken.read_text().splitlines() if args.broken.exists() else []
    passed, failed, without = 0, len(broken), 0
    failures: list[Result] = []
    for result in results(suites, args.jobs):
        passed += result.passed
        failed += result.failed
        without += result.without
        times[result.suite.label] = result.seconds
        if result.failed:
            failures.append(result)
            print(f"--- {result.suite.label}\n{result.output.rstrip()}\n---")
        print(f"  {result.line}", flush=True)
    args.times.parent.mkdir(parents=True, exist_ok=True)
    args.times.write_text("".join(f"{label} {seconds:.2f}\n" for label, seconds in sorted(times.items())))
    if not suites:
        print("no suite to run")
        failed += 1
    # Once more at the end, where whoever sees only the last lines looks.
    for result in failures:
        print(f"--- {result.suite.label}, the last of it:")
        print("\n".join(result.output.rstrip().splitlines()[-LAST_LINES:]))
    for line in broken:
        print(f"--- {line}; see above")
    if without:
        print(f"{without} not applicable: to images, for the reasons that tests/appliances/images.py gives, or without tools that are not installed")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
