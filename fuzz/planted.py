#!/usr/bin/env python3
"""Faults planted one by one in what `mrg fuzz` writes: which are found, by what, after how many cases.

    planted.py [--only WORD ...] [--execs N] [--seed N] [--jobs N] [--afl] [--at-least PERCENT] FOLDER

planted.list has the faults.  FOLDER is where the fuzzers are written and built.
"""

from __future__ import annotations

import argparse
import re
import shutil
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import rooms  # noqa: E402
from afl import Afl, first_crash  # noqa: E402

sys.path.insert(0, str(rooms.ROOT / "tests"))
from report import make  # noqa: E402

LIST = Path(__file__).with_name("planted.list")
BOUND_S = 240  # of the processor's time, for one run


@dataclass(frozen=True)
class Fault:
    name: str
    kind: str  # its class, as bad inputs are classed
    says: str
    spec: str
    subject: str
    path: str
    inside: str  # the function or table
    there: str
    instead: str
    missed: str  # why it is not found, when that is known

    def change(self, text: str) -> str:
        """The text of the file with the fault in it.  What is to be replaced must be there once, in that function."""
        start, end = rooms.body(text, self.inside)
        pattern = r"\s*\n\s*".join(re.escape(line.strip()) for line in self.there.splitlines())
        found = list(re.finditer(pattern, text[start:end]))
        if len(found) != 1:
            raise ValueError(f"{self.name}: {len(found)} times in {self.path}, {self.inside}: {self.there}")
        return text[: start + found[0].start()] + self.instead + text[start + found[0].end() :]


def read_list(path: Path = LIST) -> list[Fault]:
    faults = []
    for block in re.split(r"\n\s*\n", path.read_text()):
        lines = [line for line in block.splitlines() if line and not line.startswith("#")]
        if not lines:
            continue
        head = re.fullmatch(r"(\S+): ([^:]+): (.*)", lines[0])
        where = re.fullmatch(r"  (\S+) (\S+) (\S+) (\S+)", lines[1]) if len(lines) > 1 else None
        if not head or not where:
            raise ValueError(f"{path.name}: not a fault:\n{block}")
        there, instead, missed = ([line[4:] for line in lines[2:] if line.startswith(f"  {mark} ")] for mark in "-+!")
        faults.append(Fault(head[1], head[2], head[3], where[1], where[2], where[3], where[4], "\n".join(there), "\n".join(instead), " ".join(missed)))
    return faults


def not_matching(faults: list[Fault], folder: Path) -> list[str]:
    """Faults that can't be planted in the generated C of a folder, with the reason."""
    errors = []
    for f in faults:
        try:
            if not (folder / f.path).exists():
                raise ValueError(f"{f.name}: no file {f.path}")
            f.change((folder / f.path).read_text())
        except ValueError as e:
            errors.append(str(e))
    return errors


def by_spec(faults: list[Fault]) -> dict[str, list[Fault]]:
    """A folder a specification: what depends on a file is little there."""
    return {spec: [f for f in faults if f.spec == spec] for spec in dict.fromkeys(f.spec for f in faults)}


@dataclass(frozen=True)
class Result:
    fault: Fault
    find: rooms.Find | None
    error: str = ""
    afl: tuple[Afl, ...] = ()


@dataclass(frozen=True)
class Bounds:
    """Of AFL++: cases with our changes, and as it is; 0: not at all.  seconds: of each."""

    ours: int = 0
    plain: int = 0
    seconds: int = 60


def try_one(fault: Fault, folder: Path, execs: int, seed: int, bounds: Bounds = Bounds()) -> Result:
    room = folder.parent / f"{folder.name}-{fault.name}"
    rooms.link_tree(folder, room)
    rooms.plant(room, fault.path, fault.change((room / fault.path).read_text()))
    done = make("-s", "-C", room, rooms.QUICK)
    if done.returncode != 0:
        return Result(fault, None, done.stdout[-2000:])
    find = rooms.first_find(room, fault.subject, execs, seed, BOUND_S)
    afl: tuple[Afl, ...] = ()
    if bounds.ours:
        mutator = folder / "mutator.so"  # which needs no fault
        afl = (first_crash(room, fault.subject, bounds.ours, seed, bounds.seconds, mutator),
               first_crash(room, fault.subject, bounds.plain, seed, bounds.seconds, None))  # fmt: skip
    shutil.rmtree(room)
    result = Result(fault, find, afl=afl)
    print(table([result], heads=False), file=sys.stderr, flush=True)  # all takes long
    return result


def table(results: list[Result], heads: bool = True) -> str:
    rows = [["fault", "class", "found by", "cases"] + (["AFL++, ours", "AFL++ plain"] if any(r.afl for r in results) else [])] if heads else []
    for r in results:
        found = [r.find.how, str(r.find.case)] if r.find else ["does not build" if r.error else "not found", ""]
        rows.append([r.fault.name, r.fault.kind, *found, *map(str, r.afl)])
    widths = [max(len(row[i]) for row in rows if i < len(row)) for i in range(len(rows[0]))]
    return "\n".join("  ".join(cell.ljust(w) for cell, w in zip(row, widths)).rstrip() for row in rows)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only", default="", help="faults whose name or class has one of these words")
    parser.add_argument("--execs", type=int, default=500_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--afl", type=int, default=0, metavar="N", help="AFL++ as well, with our changes, at most so many cases")
    parser.add_argument("--plain", type=int, default=0, metavar="N", help="and without (default: as many)")
    parser.add_argument("--seconds", type=int, default=60, help="of AFL++, at most, for each")
    parser.add_argument("--at-least", type=int, default=95, metavar="PERCENT")
    options = parser.parse_args()
    words = options.only.split()
    faults = [f for f in read_list() if not words or any(w in f.name or w in f.kind for w in words)]
    if not faults:
        print("no such fault")
        return 1
    bounds = Bounds(options.afl, options.plain or options.afl, options.seconds)
    results: list[Result] = []
    last: Path | None = None
    for spec, there in by_spec(faults).items():
        folder = options.folder.resolve() / spec.replace("/", "-")
        error = rooms.emit([f"specs/{spec}.mrg"], folder, ["fuzz", "afl"] if bounds.ours else ["fuzz"], last)
        last = folder
        wrong = [error] if error else not_matching(there, folder)
        if wrong:
            print("\n".join(wrong))
            return 1
        with ThreadPoolExecutor(options.jobs) as pool:
            results += pool.map(lambda f: try_one(f, folder, options.execs, options.seed, bounds), there)
    print(table(results))
    for r in results:
        if r.error or not r.find:
            print(f"\n{r.fault.name}: {r.fault.says}\n{r.error or r.fault.missed or 'nobody knows yet why it is not found'}")
    found = sum(r.find is not None for r in results)
    print(f"\n{found} of {len(results)} found")
    for i, (name, cases) in enumerate((("AFL++ with our changes", bounds.ours), ("AFL++ as it is", bounds.plain))):
        if bounds.ours:
            print(f"{sum(len(r.afl) > i and r.afl[i].crashed for r in results)} by {name}, within {cases} cases or {bounds.seconds} seconds")
    return 0 if 100 * found >= options.at_least * len(results) and not any(r.error for r in results) else 1


if __name__ == "__main__":
    sys.exit(main())
