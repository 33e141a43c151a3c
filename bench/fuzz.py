#!/usr/bin/env python3
"""What fuzzing costs: cases a second of the in-process runner, of makers alone, of inputs that are refused, and of AFL++ on the same subjects.

    make bench-fuzz BENCH_ARGS=--quick

Cases by chance have sizes by chance, so rates are to be compared within one
row only.  AFL++ (if it is installed) runs the same subject persistently, with
pages that are not there and with the subject's mutator; canary.clean is a
subject that does nearly nothing, so its row is what driving costs.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple, Optional, Sequence

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from bench.table import Row, Sample, Table, progress, render  # noqa: E402

RATE = re.compile(r"; [\d.]+ s, (\d+)/s$", re.M)
REFUSED_CASES = 16_843_009  # all inputs of three octets
AFL_ENVIRONMENT = {"AFL_NO_UI": "1", "AFL_SKIP_CPUFREQ": "1", "AFL_NO_AFFINITY": "1", "AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES": "1"}


class Program(NamedTuple):
    """A runner, and the same for AFL++; targets that are not there are None."""

    runner: Path
    afl: Optional[Path]
    mutator: Optional[Path]


class Effort(NamedTuple):
    rounds: int
    seconds: int  # of each round
    refused: int  # cases


def built(folder: Path, afl: str, mutator: str, runner: str) -> Program:
    with_afl = shutil.which("afl-fuzz") is not None and (folder / afl).is_file() and (folder / mutator).is_file()
    return Program(folder / runner, folder / afl if with_afl else None, folder / mutator if with_afl else None)


def by_runner(program: Program, subject: str, seed: int, options: Sequence[object]) -> float:
    with tempfile.TemporaryDirectory() as finds:
        command = [program.runner, "-q", "-s", subject, "-S", seed, "-o", finds, *options]
        done = subprocess.run([str(c) for c in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    rate = RATE.search(done.stdout)
    if rate is None or done.returncode != 0:
        sys.exit(f"{program.runner}: {done.stdout[-600:]}")
    return float(rate[1])


def by_afl(program: Program, subject: str, seed: int, seconds: int, with_mutator: bool) -> Optional[float]:
    """None: AFL++ did not get to work; its words are on the standard error."""
    with tempfile.TemporaryDirectory() as room:
        seeds, out = Path(room) / "seeds", Path(room) / "out"
        subprocess.run([str(program.runner), "-s", subject, "--make", "20", str(seeds)], check=True, stdout=subprocess.DEVNULL)
        environment = {k: v for k, v in os.environ.items() if k not in ("ASAN_OPTIONS", "UBSAN_OPTIONS")} | AFL_ENVIRONMENT
        environment["MRG_FUZZ_SUBJECT"] = subject
        if with_mutator:
            environment |= {"AFL_CUSTOM_MUTATOR_LIBRARY": str(program.mutator), "AFL_CUSTOM_MUTATOR_ONLY": "1"}
        command = ["afl-fuzz", "-i", str(seeds), "-o", str(out), "-s", str(seed), "-V", str(seconds), "--", str(program.afl)]
        done = subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              errors="replace", check=False)  # fmt: skip
        stats = out / "default/fuzzer_stats"
        rate = re.search(r"^execs_per_sec\s*: ([\d.]+)", stats.read_text(), re.M) if stats.exists() else None
        if rate is None:
            progress(done.stdout[-600:])
        return float(rate[1]) if rate is not None else None


def rate(program: Program, item: str, subject: str, effort: Effort, options: Sequence[object]) -> Row:
    return Row(f"{item}: {subject}", "/s", Sample(tuple(by_runner(program, subject, 1 + i, options) for i in range(effort.rounds))))


def beside_afl(program: Program, subject: str, effort: Effort, table: Table, with_mutator: bool = True) -> None:
    row = rate(program, "cases", subject, effort, ["-T", effort.seconds])
    if program.afl is not None:
        theirs = [by_afl(program, subject, 1 + i, effort.seconds + 1, with_mutator) for i in range(effort.rounds)]
        row.peer, row.theirs = "AFL++ with mutator" if with_mutator else "AFL++", Sample(tuple(t or 0.0 for t in theirs))
    table.add(row)


def measure(program: Program, subjects: Sequence[str], effort: Effort, table: Table) -> None:
    for subject in subjects:
        beside_afl(program, subject, effort, table)
        table.add(rate(program, "made or changed", subject, effort, ["-T", effort.seconds, "--dry"]),
                  rate(program, "all of 3 octets", subject, effort, ["--exhaust", 3, "-E", effort.refused]))  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--folder", type=Path, required=True, help="that `mrg fuzz` wrote and make has built: fuzz, perhaps afl and mutator.so")
    parser.add_argument("--canaries", type=Path, help="a folder with canary, perhaps canary-afl and canary-mutator.so")
    parser.add_argument("--quick", action="store_true", help="only shows that everything works")
    parser.add_argument("subjects", nargs="+")
    args = parser.parse_args()
    effort = Effort(1, 1, 200_000) if args.quick else Effort(5, 5, REFUSED_CASES)
    table = Table()
    if args.canaries is not None:
        canary = built(args.canaries.resolve(), "canary-afl", "canary-mutator.so", "canary")
        beside_afl(canary, "canary.clean", effort, table, with_mutator=False)
    program = built(args.folder.resolve(), "afl", "mutator.so", "fuzz")
    measure(program, args.subjects, effort, table)
    if program.afl is None:
        table.skip("AFL++", "it is not installed, or its targets are not built (mk/deps.sh fuzz)")
    print(render(table))
    if args.quick:
        print("a quick run: for the record, run without --quick on an idle machine")
    return 0


if __name__ == "__main__":
    sys.exit(main())
