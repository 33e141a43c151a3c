#!/usr/bin/env python3
"""How much of each specification the in-process runner comes to, from one octet on: points reached, of those that can be, and cases needed.

    points.py [--cases N] [--seeds N ...] [--at-least PERCENT] FOLDER SPEC ...

FOLDER is where the fuzzer of all the specifications is written and built.  The
same specifications and seeds give the same table on any machine.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Iterable, Sequence

sys.path.insert(0, str(Path(__file__).resolve().parent))
import rooms  # noqa: E402

CASES = 10_000
SEEDS = (1, 2, 7)
POINT = re.compile(r"^(\S+): (reached|missing): (.*)$", re.M)
LAST = re.compile(r"^(\S+): the last new point after (\d+) cases$", re.M)
CONTRADICTION = re.compile(r"^\S+: reached, although: .*$", re.M)


@dataclass
class Reached:
    """A subject, or the subjects of a module, after runs of one seed each."""

    subjects: int = 0
    points: int = 0
    never: int = 0
    reached: dict[int, int] = field(default_factory=dict)  # by seed
    needed: int = 0  # cases, of the subject that takes the most
    missing: dict[str, list[int]] = field(default_factory=dict)  # points, and the seeds that don't come to them

    def is_full(self) -> bool:
        return all(n == self.points for n in self.reached.values())

    def add(self, name: str, other: Reached) -> None:
        self.subjects += other.subjects
        self.points += other.points
        self.never += other.never
        self.needed = max(self.needed, other.needed)
        for seed, n in other.reached.items():
            self.reached[seed] = self.reached.get(seed, 0) + n
        self.missing |= {f"{name}: {point}": seeds for point, seeds in other.missing.items()}


def read(texts: dict[int, str]) -> dict[str, Reached]:
    """Of each subject, from what runners of each seed have said (--points)."""
    subjects: dict[str, Reached] = {}
    for seed, text in texts.items():
        for name, cases in LAST.findall(text):
            one = subjects.setdefault(name, Reached(1))
            one.reached[seed] = one.points = 0
            one.needed = max(one.needed, int(cases))
        for name, what, point in POINT.findall(text):
            one = subjects[name]
            one.points += 1
            one.reached[seed] += what == "reached"
            if what == "missing":
                one.missing.setdefault(point, []).append(seed)
    return subjects


def modules(subjects: dict[str, Reached], never: dict[str, int]) -> dict[str, Reached]:
    """The subjects of each module together.  never: of subjects, points that no input comes to."""
    out: dict[str, Reached] = {}
    for name, one in subjects.items():
        one.never = never.get(name, 0)
        out.setdefault(name.rpartition(".")[0], Reached()).add(name, one)
    return out


def table(rows: dict[str, Reached], seeds: Sequence[int]) -> str:
    """Markdown."""
    heads = ["specification", "subjects", "points", "cannot be reached", *(f"seed {s}" for s in seeds), "cases needed"]
    lines = [heads, ["---"] * len(heads)]
    for name, r in rows.items():
        by_seed = ["all" if r.reached[s] == r.points else str(r.reached[s]) for s in seeds]
        lines.append([name, str(r.subjects), str(r.points), str(r.never or "-"), *by_seed, str(r.needed)])
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def missing(rows: Iterable[Reached]) -> str:
    return "\n".join(f"missing: {point} (seed{'s' * (len(seeds) > 1)} {', '.join(map(str, seeds))})" for r in rows for point, seeds in r.missing.items())


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("specs", nargs="+")
    parser.add_argument("--cases", type=int, default=CASES)
    parser.add_argument("--seeds", type=int, nargs="+", default=list(SEEDS))
    parser.add_argument("--at-least", type=int, default=99, metavar="PERCENT", help="of the points, for each seed (99)")
    options = parser.parse_args()
    folder = options.folder.resolve()
    error = rooms.emit(options.specs, folder)
    if error:
        print(error)
        return 1
    told = {seed: rooms.run(folder / "fuzz", "-q", "-E", options.cases, "-S", seed, "--points", "-o", folder / "finds") for seed in options.seeds}
    texts = {seed: done.stdout for seed, done in told.items()}
    never = {name: len(points) for name, points in json.loads((folder / "points.json").read_text())["never"].items()}
    rows = modules(read(texts), never)
    print(table(rows, options.seeds))
    print(missing(rows.values()))
    wrong = [line for text in texts.values() for line in CONTRADICTION.findall(text)]
    few = [s for s in options.seeds if 100 * sum(r.reached[s] for r in rows.values()) < options.at_least * sum(r.points for r in rows.values())]
    print(*wrong, *(f"seed {s}: less than {options.at_least} % of the points" for s in few), sep="\n")
    return 1 if wrong or few or any(done.returncode != 0 for done in told.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
