#!/usr/bin/env python3
"""Several jobs on one subject after the other, with a line of status for all: campaign.py [OPTION...] FOLDER SUBJECT...

FOLDER is one that `mrg fuzz` wrote and make has built.  With --afl the jobs are
AFL++'s: a main fuzzer and secondaries, with the subject's mutator; what they
have found is run again by the in-process runner, which keeps finds and counts
points.  Else they are runners of the seeds SEED, SEED + 1, ...

Reading order: main, Campaign.run.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import IO

STATUS_S = 2.0
LINE = re.compile(r": (\d+)(?: of \d+)? execs, (\d+)/s, ([\d.]+) % accepted, spec (\d+)/(\d+).*, (\d+) finds")
END = re.compile(r": (\d+) execs, ([\d.]+) % accepted, spec (\d+)/(\d+).*, (\d+) finds, .*; [\d.]+ s, (\d+)/s")
SEEDS = 50
AFL_ENVIRONMENT = {
    "AFL_NO_UI": "1", "AFL_SKIP_CPUFREQ": "1", "AFL_NO_AFFINITY": "1", "AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES": "1", "AFL_AUTORESUME": "1",
}  # fmt: skip


class Runner:
    """One in-process runner; what it said last."""

    def __init__(self, command: list[str], folder: Path) -> None:
        self.execs = self.rate = self.reached = self.points = self.finds = 0
        self.process = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
        assert self.process.stdout is not None
        self.reader = threading.Thread(target=self.read, args=[self.process.stdout])
        self.reader.start()

    def read(self, said: IO[str]) -> None:
        for line in said:
            if found := END.search(line):
                self.execs, self.reached, self.points, self.finds, self.rate = (int(found[i]) for i in (1, 3, 4, 5, 6))
            elif found := LINE.search(line):
                self.execs, self.rate, self.reached, self.points, self.finds = (int(found[i]) for i in (1, 2, 4, 5, 6))
            else:
                print(line, end="", flush=True)


class Campaign:
    def __init__(self, options: argparse.Namespace) -> None:
        self.folder = Path(options.folder)
        self.jobs: int = options.jobs
        self.seconds: int = options.seconds
        self.cases: int = options.cases
        self.seed: int = options.seed
        self.afl: bool = options.afl
        self.stopped = False

    def stop(self, number: int, frame: object) -> None:
        self.stopped = True

    def run(self, subject: str) -> bool:
        """False: something was found."""
        return self.by_afl(subject) if self.afl else self.by_runners(subject)

    # --- in-process runners -------------------------------------------------------

    def by_runners(self, subject: str) -> bool:
        runners = []
        for i in range(self.jobs):
            # Shares of the cases, which together are all of them.
            bound = ["-E", str(self.cases * (i + 1) // self.jobs - self.cases * i // self.jobs)] if self.cases else ["-T", str(self.seconds)]
            command = ["./fuzz", "-s", subject, *bound, "-S", str(self.seed + i), "-o", "finds", "--points-out", f"reached-{i}.jsonl"]
            runners.append(Runner(command, self.folder))
        said = time.monotonic()
        while any(r.process.poll() is None for r in runners):
            time.sleep(0.05)
            if time.monotonic() - said >= STATUS_S:
                said += STATUS_S
                self.say(subject, runners)
        for r in runners:
            r.reader.join()
        self.say(subject, runners)
        return all(r.process.returncode == 0 for r in runners)

    def say(self, subject: str, runners: list[Runner]) -> None:
        execs, rate, finds = (sum(getattr(r, what) for r in runners) for what in ("execs", "rate", "finds"))
        best = max(runners, key=lambda r: r.reached)
        print(f"{subject}: {len(runners)} jobs, {execs} execs, {rate}/s, spec {best.reached}/{best.points} by the best, {finds} finds", flush=True)

    # --- AFL++ ----------------------------------------------------------------------

    def by_afl(self, subject: str) -> bool:
        out, seeds = self.folder / "afl-out" / subject, self.folder / "seeds" / subject
        shutil.rmtree(out, ignore_errors=True)
        shutil.rmtree(seeds, ignore_errors=True)
        out.mkdir(parents=True)
        made = subprocess.run(["./fuzz", "-s", subject, "--make", str(SEEDS), seeds.resolve(), "-S", str(self.seed)], cwd=self.folder)
        if made.returncode != 0:
            return False
        environment = {k: v for k, v in os.environ.items() if k not in ("ASAN_OPTIONS", "UBSAN_OPTIONS")}
        environment |= AFL_ENVIRONMENT | {"MRG_FUZZ_SUBJECT": subject, "AFL_CUSTOM_MUTATOR_LIBRARY": str((self.folder / "mutator.so").resolve())}
        jobs = []
        processors = sorted(os.sched_getaffinity(0))
        for i in range(self.jobs):
            share = self.cases * (i + 1) // self.jobs - self.cases * i // self.jobs
            # Each with its target on one processor: they wait for each other, and waking another one takes longer than a case.
            command = ["taskset", "-c", str(processors[i % len(processors)]), "afl-fuzz", "-i", str(seeds), "-o", str(out),
                       "-M" if i == 0 else "-S", f"job{i}", "-s", str(self.seed + i), "-t", "1000+",
                       *(["-E", str(share)] if self.cases else ["-V", str(self.seconds)]), "--", str(self.folder / "afl")]  # fmt: skip
            with open(out / f"job{i}.log", "w", encoding="utf-8") as log:
                jobs.append(subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log))
        began = said = time.monotonic()
        while any(job.poll() is None for job in jobs):
            time.sleep(0.05)
            if time.monotonic() - said >= STATUS_S:
                said += STATUS_S
                self.say_afl(subject, out, time.monotonic() - began)
        self.say_afl(subject, out, time.monotonic() - began)
        for i, job in enumerate(jobs):
            if job.returncode != 0:
                print(f"{subject}: afl-fuzz ended with {job.returncode}:\n" + (out / f"job{i}.log").read_text(errors="replace")[-1500:])
        return self.replay(subject, out) and all(job.returncode == 0 for job in jobs)

    def say_afl(self, subject: str, out: Path, seconds: float) -> None:
        """Inputs as they are kept; executions as AFL++ writes them down, which it does every five seconds and at the end."""
        found = {kind: sum(1 for _ in out.glob(f"job*/{kind}/id*")) for kind in ("queue", "crashes", "hangs")}
        execs = sum(map(_execs, out.glob("job*")))
        said = f"{execs} execs, {execs / max(seconds, 0.001):.0f}/s" if execs else f"{seconds:.0f} s"
        print(f"{subject}: {self.jobs} jobs of AFL++, {said}, {found['queue']} inputs kept, {found['crashes']} crashes, {found['hangs']} hangs", flush=True)

    def replay(self, subject: str, out: Path) -> bool:
        """What was kept, by the runner: finds made smaller and kept, points counted."""
        good = True
        for kind in ("queue", "crashes", "hangs"):
            for path in sorted(out.glob(f"job*/{kind}")):
                command = ["./fuzz", "-q", "-s", subject, "-o", "finds", "--points-out", "reached-afl.jsonl", "--replay", str(path.resolve())]
                done = subprocess.run(command, cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
                print("".join(line for line in done.stdout.splitlines(True) if line.startswith("find ")), end="")
                good = good and done.returncode == 0
        return good


def _execs(folder: Path) -> int:
    plot, stats = (path.read_text() if path.exists() else "" for path in (folder / "plot_data", folder / "fuzzer_stats"))
    return max([0, *(int(n) for n in re.findall(r", (\d+), \d+$", plot, re.M)), *(int(n) for n in re.findall(r"^execs_done\s*: (\d+)", stats, re.M))])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--jobs", type=int, required=True)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--cases", type=int, default=0, help="of all jobs together, instead of seconds")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--afl", action="store_true")
    parser.add_argument("folder")
    parser.add_argument("subjects", nargs="+")
    options = parser.parse_args()
    campaign = Campaign(options)
    # The jobs of a terminal are told to stop as well: they say what they have, and that is kept as ever.
    signal.signal(signal.SIGINT, campaign.stop)
    good = True
    for subject in options.subjects:
        good = (campaign.stopped or campaign.run(subject)) and good
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
