#!/usr/bin/env python3
"""What fuzzing costs: cases a second of the in-process runner, of makers alone, of inputs that are refused, and of AFL++ on the same subjects;
sequences of packets through the TCP/IP stack; and what z3 takes for all specifications.

    make bench-fuzz BENCH_ARGS=--quick

Cases by chance have sizes by chance, so rates are to be compared within one
row only.  AFL++ (if it is installed) runs the same subject persistently, with
pages that are not there and with the subject's mutator, in turns with a target
that does nothing: that is what AFL++ itself takes.  Its rate is of the time
behind the first third, which goes by with finding what is new and storing it.
AFL++ and its target are on one processor, where neither has to be woken.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple, Optional, Sequence

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from bench.table import Row, Sample, Table, progress, render  # noqa: E402

RATE = re.compile(r"[\d.]+ s, (\d+)/s$", re.M)
PACKETS = re.compile(r", ([\d.]+) packets a case; .*[\d.]+ s, (\d+)/s$", re.M)
EXECS = re.compile(r"execs_done:(\d+)\|")
TARGETS = {"cases: dns.message.Message": 400_000, "cases: http.message.Request": 500_000, "made of nothing: dns.message.Message": 500_000}
AFL_TARGET = 25_000
STACK, SEQUENCE, SEQUENCES_TARGET = "tcpip.stack", 10, 20_000  # packets of a sequence, and sequences a second
Z3_SECONDS = 15  # of all specifications
REFUSED_CASES = 16_843_009  # all inputs of three octets
AFL_ENVIRONMENT = {"AFL_NO_UI": "1", "AFL_SKIP_CPUFREQ": "1", "AFL_NO_AFFINITY": "1", "AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES": "1"}


class Program(NamedTuple):
    """A runner, and the same for AFL++ beside a target that does nothing; those that are not there are None."""

    runner: Path
    afl: Optional[Path]
    mutator: Optional[Path]
    empty: Optional[Path]


class Effort(NamedTuple):
    rounds: int
    seconds: int  # of each round
    refused: int  # cases
    made: int  # packets


def built(folder: Path, afl: str, mutator: str, runner: str, empty: Optional[Path]) -> Program:
    with_afl = shutil.which("afl-fuzz") is not None and (folder / afl).is_file() and (folder / mutator).is_file() and empty is not None
    return Program(folder / runner, folder / afl, folder / mutator, empty) if with_afl else Program(folder / runner, None, None, None)


def said_by(runner: Path, subject: str, seed: int, options: Sequence[object], what: re.Pattern[str]) -> re.Match[str]:
    with tempfile.TemporaryDirectory() as finds:
        command = [runner, "-q", "-s", subject, "-S", seed, "-o", finds, *options]
        done = subprocess.run([str(c) for c in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    said = what.search(done.stdout)
    if said is None or done.returncode != 0:
        sys.exit(f"{runner}: {done.stdout[-600:]}")
    return said


def by_runner(program: Program, subject: str, seed: int, options: Sequence[object]) -> float:
    return float(said_by(program.runner, subject, seed, options, RATE)[1])


def sequences(servers: Path, seed: int, options: Sequence[object]) -> float:
    """Cases of the stack have nine packets or so, which are made of nothing: as many of them as there are in sequences of ten."""
    said = said_by(servers, STACK, seed, options, PACKETS)
    return float(said[1]) * float(said[2]) / SEQUENCE


def proved(specs: Sequence[Path]) -> float:
    """Seconds that z3 takes, and what asks it."""
    start = time.monotonic()
    subprocess.run([sys.executable, "bin/mrg", "prove", *map(str, specs)], check=True, stdout=subprocess.DEVNULL)
    return time.monotonic() - start


def slope(told: Sequence[tuple[float, int]], start: float) -> Optional[float]:
    """Executions a second, of (second, executions till then), from a second on; None: they say too little."""
    counted = [one for one in told if one[0] >= start]
    if len(counted) < 2 or counted[-1][0] <= counted[0][0]:
        return None
    return (counted[-1][1] - counted[0][1]) / (counted[-1][0] - counted[0][0])


def told_by(afl: subprocess.Popen[str], said: socket.socket) -> list[tuple[float, int]]:
    """What AFL++ says every second of its executions, till it ends."""
    told: list[tuple[float, int]] = []
    start = time.monotonic()
    said.settimeout(0.2)
    while True:
        ended = afl.poll() is not None  # before the last look at what it has said
        try:
            execs = EXECS.search(said.recv(65536).decode(errors="replace"))
            if execs is not None:
                told.append((time.monotonic() - start, int(execs[1])))
        except TimeoutError:
            if ended:
                return told


def by_afl(program: Program, subject: str, seed: int, seconds: int, target: Path, mutator: Optional[Path]) -> Optional[float]:
    """None: AFL++ did not get to work; its words are on the standard error."""
    with tempfile.TemporaryDirectory() as room, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as said, tempfile.TemporaryFile("w+") as words:
        said.bind(("127.0.0.1", 0))
        seeds, out = Path(room) / "seeds", Path(room) / "out"
        subprocess.run([str(program.runner), "-s", subject, "--make", "20", str(seeds)], check=True, stdout=subprocess.DEVNULL)
        environment = {k: v for k, v in os.environ.items() if k not in ("ASAN_OPTIONS", "UBSAN_OPTIONS")} | AFL_ENVIRONMENT
        environment |= {"MRG_FUZZ_SUBJECT": subject, "AFL_STATSD": "1", "AFL_STATSD_PORT": str(said.getsockname()[1])}
        if mutator is not None:
            environment |= {"AFL_CUSTOM_MUTATOR_LIBRARY": str(mutator), "AFL_CUSTOM_MUTATOR_ONLY": "1"}
        # On one processor: AFL++ and its target wait for each other, and waking another one takes longer than all else.
        command = ["taskset", "-c", str(max(os.sched_getaffinity(0))), "afl-fuzz", "-i", str(seeds), "-o", str(out), "-s", str(seed),
                   "-V", str(seconds), "--", str(target)]  # fmt: skip
        with subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=words, stderr=subprocess.STDOUT, text=True) as afl:
            rate = slope(told_by(afl, said), seconds / 3)
        if rate is None:
            words.seek(0)
            progress(words.read()[-600:])
        return rate


def aimed(row: Row) -> Row:
    return row.at_least(TARGETS[row.item]) if row.item in TARGETS else row


def rate(program: Program, item: str, subject: str, effort: Effort, options: Sequence[object]) -> Row:
    return aimed(Row(f"{item}: {subject}", "/s", Sample(tuple(by_runner(program, subject, 1 + i, options) for i in range(effort.rounds)))))


def with_afl(program: Program, subject: str, effort: Effort, table: Table, with_mutator: bool = True) -> None:
    if program.afl is None or program.empty is None:
        return
    ours: list[float] = []
    theirs: list[float] = []
    for i in range(effort.rounds):
        ours.append(by_afl(program, subject, 1 + i, 3 * effort.seconds, program.afl, program.mutator if with_mutator else None) or 0.0)
        theirs.append(by_afl(program, subject, 1 + i, 3 * effort.seconds, program.empty, None) or 0.0)
    name = "AFL++ with mutator" if with_mutator else "AFL++"
    table.add(Row(f"{name}: {subject}", "/s", Sample(tuple(ours)), "AFL++, nothing", Sample(tuple(theirs))).at_least(AFL_TARGET))


def measure(program: Program, subjects: Sequence[str], effort: Effort, table: Table) -> None:
    for subject in subjects:
        table.add(rate(program, "cases", subject, effort, ["-T", effort.seconds]),
                  rate(program, "made or changed", subject, effort, ["-T", effort.seconds, "--dry"]),
                  rate(program, "made of nothing", subject, effort, ["--make-rate", effort.made]),
                  rate(program, "all of 3 octets", subject, effort, ["--exhaust", 3, "-E", effort.refused]))  # fmt: skip
        with_afl(program, subject, effort, table)


def stack(servers: Path, effort: Effort) -> Row:
    rates = tuple(sequences(servers, 1 + i, ["-T", effort.seconds, "--fresh"]) for i in range(effort.rounds))
    return Row(f"sequences of {SEQUENCE} packets: {STACK}", "/s", Sample(rates)).at_least(SEQUENCES_TARGET)


def z3(specs: Sequence[Path], effort: Effort) -> Row:
    return Row(f"z3: {len(specs)} specifications", "s", Sample(tuple(proved(specs) for _ in range(effort.rounds)))).at_most(Z3_SECONDS)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--folder", type=Path, required=True, help="that `mrg fuzz` wrote and make has built: fuzz, perhaps afl and mutator.so")
    parser.add_argument("--canaries", type=Path, help="a folder with canary, perhaps canary-afl and canary-mutator.so")
    parser.add_argument("--empty", type=Path, help="a target of AFL++'s that does nothing")
    parser.add_argument("--servers", type=Path, help="the fuzzer of servers and of the stack")
    parser.add_argument("--prove", type=Path, nargs="*", default=[], help="specifications that z3 is to prove")
    parser.add_argument("--quick", action="store_true", help="only shows that everything works")
    parser.add_argument("--subjects", nargs="+", required=True)
    args = parser.parse_args()
    effort = Effort(1, 1, 200_000, 20_000) if args.quick else Effort(5, 5, REFUSED_CASES, 500_000)
    table = Table()
    empty = args.empty.resolve() if args.empty is not None and args.empty.is_file() else None
    if args.canaries is not None:
        canary = built(args.canaries.resolve(), "canary-afl", "canary-mutator.so", "canary", empty)
        table.add(rate(canary, "cases", "canary.clean", effort, ["-T", effort.seconds]))
        with_afl(canary, "canary.clean", effort, table, with_mutator=False)
    program = built(args.folder.resolve(), "afl", "mutator.so", "fuzz", empty)
    measure(program, args.subjects, effort, table)
    if args.servers is not None:
        table.add(stack(args.servers.resolve(), effort))
    if args.prove:
        table.add(z3(args.prove, effort))
    if program.afl is None:
        table.skip("AFL++", "it is not installed, or its targets are not built (mk/deps.sh fuzz)")
    print(render(table))
    if args.quick:
        print("a quick run: for the record, run without --quick on an idle machine")
    return 0


if __name__ == "__main__":
    sys.exit(main())
