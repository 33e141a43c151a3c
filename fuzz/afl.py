"""AFL++ on a folder of `mrg fuzz`: with the custom mutator that the folder has, or as it is, bounded, until it has a crash."""

from __future__ import annotations

import os
import queue
import re
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import rooms  # noqa: E402

HAS_AFL = shutil.which("afl-fuzz") is not None and shutil.which("afl-clang-fast") is not None
SEEDS = 8
# One for AFL++ and its target: they wait for each other, and waking another one takes longer than a case.
PROCESSORS: queue.SimpleQueue[int] = queue.SimpleQueue()
for _processor in sorted(os.sched_getaffinity(0)):
    PROCESSORS.put(_processor)


@dataclass(frozen=True)
class Afl:
    execs: int
    crashed: bool
    error: str = ""

    def __str__(self) -> str:
        return self.error or (str(self.execs) if self.crashed else f"not in {self.execs}")


def first_crash(room: Path, subject: str, execs: int, seed: int, bound_s: int, mutator: Path | None) -> Afl:
    """The same seeds, made by the subject, for both ways.  mutator: None, as AFL++ is."""
    built = rooms.make("-s", "-C", room, rooms.QUICK, "afl", "-o", "mutator.so")
    if built.returncode != 0:
        return Afl(0, False, "does not build")
    seeds, out = room / "seeds", room / ("out-ours" if mutator else "out-plain")
    if not seeds.exists():
        rooms.run(room / "fuzz", "-s", subject, "-S", seed, "--make", SEEDS, seeds)
    env = {"AFL_NO_UI": "1", "AFL_SKIP_CPUFREQ": "1", "AFL_NO_AFFINITY": "1", "AFL_BENCH_UNTIL_CRASH": "1", "AFL_CRASH_EXITCODE": "-1",
           "AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES": "1", "MRG_FUZZ_SUBJECT": subject}
    if mutator:
        env |= {"AFL_CUSTOM_MUTATOR_LIBRARY": str(mutator), "AFL_CUSTOM_MUTATOR_ONLY": "1"}
    setting = [f"{k}={v}" for k, v in env.items()]
    processor = PROCESSORS.get()
    told = rooms.run("env", *setting, "taskset", "-c", processor, "afl-fuzz", "-i", seeds, "-o", out, "-s", seed, "-E", execs, "-V", bound_s,
                     "-t", 2000, "--", room / "afl")  # fmt: skip
    PROCESSORS.put(processor)
    if "crashes with" in told.stdout or "results in a crash" in told.stdout:
        return Afl(0, True)  # a seed does it
    stats = out / "default/fuzzer_stats"
    if not stats.exists():
        return Afl(0, False, "did not run: " + told.stdout[-200:])
    said = dict(re.findall(r"^(\w+)\s*: (\S+)", stats.read_text(), re.M))
    return Afl(int(said.get("execs_done", 0)), int(said.get("saved_crashes", 0)) + int(said.get("saved_hangs", 0)) > 0)
