#!/usr/bin/env python3
"""Mutation testing: of small changes in C, how many do the tests that are there for a file notice?

    mutants.py [--count N] [--seed N] [--execs N] [--jobs N] [--at-least PERCENT] [--room DIR] FILE ...

FILE is a file that `mrg fuzz` writes, named with its specification (net/udp:net/udp.h): its tests are the fuzzer's runner, EXECS cases of
each subject of that specification.  Or it is one of UNITS, C written by hand, whose tests are Check programs (make test-programs).
Mutants on lines that no test comes to are counted apart.  survivors.list has those that are known to live, with the reason.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import shutil
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from queue import SimpleQueue

sys.path.insert(0, str(Path(__file__).resolve().parent))
import rooms  # noqa: E402
from mutate import Mutant, mutants, one_line  # noqa: E402

ROOT, BUILD, OUT = rooms.ROOT, rooms.ROOT / rooms.BUILD, rooms.ROOT / rooms.OUT
LIST = Path(__file__).with_name("survivors.list")
BOUND_S = 20  # of the processor's time, for the tests of one mutant

# Files written by hand, and the programs under tests/ that test them.
UNITS = {
    "protocols/http/range.c": ["protocols/http/test_range"],
    "protocols/http/date.c": ["protocols/http/test_date"],
    "protocols/http/path.c": ["protocols/http/test_path"],
    "protocols/http/url.c": ["protocols/http/test_url"],
    "protocols/http/coding.c": ["protocols/http/test_coding"],
    "protocols/http/condition.c": ["protocols/http/test_condition"],
    "protocols/tcpip/tcp_ranges.c": ["protocols/tcpip/test_tcp_units"],
    "protocols/tcpip/tcp_wheel.c": ["protocols/tcpip/test_tcp_units"],
    "protocols/tcpip/tcp_ring.c": ["protocols/tcpip/test_tcp_units"],
}


@dataclass(frozen=True)
class Outcome:
    mutant: Mutant
    what: str  # killed, survived, does not compile, same code
    by: str = ""


@dataclass
class Known:
    """survivors.list: what lives, by file, function, the line as it is and as it is changed."""

    reasons: dict[tuple[str, str, str, str], str] = field(default_factory=dict)

    @staticmethod
    def read(path: Path = LIST) -> "Known":
        known = Known()
        for block in re.split(r"\n\s*\n", path.read_text() if path.exists() else ""):
            lines = [line for line in block.splitlines() if line and not line.startswith("#")]
            if not lines:
                continue
            file, function, reason = lines[0].split(" ", 2)
            if len(lines) < 3:
                raise ValueError(f"{path.name}: not a survivor:\n{block}")
            for before, after in zip(lines[1::2], lines[2::2]):
                if not before.startswith("  - ") or not after.startswith("  + "):
                    raise ValueError(f"{path.name}: not a survivor:\n{block}")
                known.reasons[file, function.rstrip(":"), before[4:], after[4:]] = reason
        return known

    def reason(self, file: str, m: Mutant) -> str:
        return next((self.reasons[k] for f in (m.function, "*") if (k := (file, f, m.before, m.after)) in self.reasons), "")


class Generated:
    """A file of a fuzzer's folder."""

    def __init__(self, spec: str, path: str, room: Path, execs: int) -> None:
        self.name, self.path, self.execs = path, path, execs
        self.folder = room / spec.replace("/", "-")
        error = rooms.emit([f"specs/{spec}.mrg"], self.folder)
        if error:
            raise SystemExit(error)
        self.module = spec.replace("/", ".") + "."
        told = rooms.run(self.folder / "fuzz", "--list").stdout.split()
        self.subjects = [s for s in told if s.startswith(self.module)]
        self.text = (self.folder / path).read_text()

    def reached(self) -> set[int]:
        """Lines of the file that some case comes to."""
        room = self.folder.with_name(self.folder.name + "-reached")
        if not (room / "reached").exists():
            rooms.link_tree(self.folder, room)
            shutil.rmtree(room / "obj")
            for p in rooms.PROGRAMS:
                (room / p).unlink(missing_ok=True)
            done = rooms.make("-s", "-C", room, "CFLAGS=-O0 --coverage")
            if done.returncode != 0:
                raise SystemExit(done.stdout[-2000:])
            for s in self.subjects:
                rooms.run(room / "fuzz", "-q", "-s", s, "-E", self.execs, "-o", room / "finds", cwd=room)
            (room / "reached").touch()
        return lines_of(room, self.path)

    def subject_of(self, function: str) -> list[str]:
        """All subjects, those first that the function is named after."""
        def like(subject: str) -> int:
            word = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", subject.rsplit(".", 1)[1]).lower()
            return -len(word) if f"_{word}" in function else 0
        return sorted(self.subjects, key=like)

    def try_one(self, m: Mutant, worker: int) -> Outcome:
        room = self.folder.with_name(f"{self.folder.name}-{worker}")
        if not room.exists():
            rooms.link_tree(self.folder, room)
        rooms.plant(room, self.path, m.apply(self.text))
        try:
            if rooms.make("-s", "-C", room, rooms.QUICK + " -w").returncode != 0:
                return Outcome(m, "does not compile")
            for s in self.subject_of(m.function):
                find = rooms.first_find(room, s, self.execs, 1, BOUND_S)
                if find:
                    return Outcome(m, "killed", find.how)
            return Outcome(m, "same code" if self.same(room) else "survived")
        finally:
            rooms.restore(self.folder, room, self.path)

    def same(self, room: Path) -> bool:
        """The compiler makes the same of both: nothing that runs can tell them apart."""
        objects = [o for o in rooms.dependents(room, self.path) if o.suffix == ".o"]
        return all(code(self.folder, o.relative_to(room)) == code(room, o.relative_to(room)) for o in objects)


def code(folder: Path, obj: Path) -> bytes:
    to = folder / "same.o"
    source = obj.relative_to("obj").with_suffix(".c")
    done = rooms.run("gcc", "-std=c11", "-D_GNU_SOURCE", "-I.", "-Isupport", "-O2", "-w", "-c", "-o", to, source, cwd=folder)
    return to.read_bytes() if done.returncode == 0 else done.stdout.encode()


def lines_of(room: Path, path: str) -> set[int]:
    """From what gcov tells of all objects: lines of a file that were run."""
    out: set[int] = set()
    for data in room.glob("obj/**/*.gcda"):
        told = rooms.run("gcov", "--json-format", "--stdout", data.relative_to(room), cwd=room).stdout
        for line in told.splitlines():
            if not line.startswith("{"):
                continue
            for f in json.loads(line)["files"]:
                if f["file"].removeprefix("./") == path:
                    out |= {x["line_number"] for x in f["lines"] if x["count"] > 0}
    return out


class Unit:
    """A file written by hand, linked in front of the libraries that have it as it should be."""

    FLAGS = ["-std=c11", "-D_GNU_SOURCE", "-O0", "-w"]
    SANITIZERS = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"]

    def __init__(self, path: str, room: Path) -> None:
        self.name, self.path, self.room = path, path, room
        self.text = (ROOT / path).read_text()
        self.tests = [BUILD / "obj/tests" / f"{t}.o" for t in UNITS[path]]
        self.libs = [BUILD / "lib/libtests.a", *sorted(p for p in (BUILD / "lib").glob("libmrg*.a"))]
        missing = [str(p) for p in [*self.tests, *self.libs] if not p.exists()]
        if missing:
            raise SystemExit(f"make test-programs, first: {' '.join(missing)}")
        self.check = rooms.run("pkg-config", "--libs", "check").stdout.split()

    def build(self, folder: Path, text: str, *flags: str) -> bool:
        """Programs 0, 1, ... of a text in a folder."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "unit.c").write_text(text)
        include = [f"-I{ROOT / 'gen/support'}", f"-I{OUT / 'gen'}", f"-I{OUT / 'inc'}", "-iquote", ROOT / Path(self.path).parent]
        if rooms.run("gcc", *self.FLAGS, *flags, *include, "-c", "-o", folder / "unit.o", folder / "unit.c").returncode != 0:
            return False
        return all(
            rooms.run("gcc", *flags, "-o", folder / f"test{i}", test, folder / "unit.o", "-Wl,--start-group", *self.libs, "-Wl,--end-group",
                      *self.check).returncode == 0
            for i, test in enumerate(self.tests))

    def reached(self) -> set[int]:
        folder = self.room / "reached" / "obj"
        shutil.rmtree(folder.parent, ignore_errors=True)
        if not self.build(folder, self.text, "--coverage"):
            raise SystemExit(f"{self.path} does not build")
        if any(self.run(folder / f"test{i}") for i in range(len(self.tests))):
            raise SystemExit(f"{self.path}: its tests fail as it is")
        return lines_of(folder.parent, str(folder / "unit.c"))

    @staticmethod
    def run(program: Path) -> bool:
        """Whether a test fails."""
        command = ["sh", "-c", f"ulimit -t {BOUND_S}; exec \"$0\"", str(program)]
        return subprocess.run(command, cwd=ROOT, env=rooms.clean_environment() | {"CK_FORK": "no"}, stdin=subprocess.DEVNULL,
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode != 0

    def try_one(self, m: Mutant, worker: int) -> Outcome:
        folder = self.room / str(worker)
        for how in ("", ", sanitizers"):  # as make test does
            if not self.build(folder, m.apply(self.text), *(self.SANITIZERS if how else [])):
                return Outcome(m, "does not compile")
            for i, name in enumerate(UNITS[self.path]):
                if self.run(folder / f"test{i}"):
                    return Outcome(m, "killed", name + how)
        return Outcome(m, "same code" if self.same(folder) else "survived")

    def same(self, folder: Path) -> bool:
        plain = self.room / "plain"
        return all(self.build(f, t, "-O2") for f, t in [(folder, (folder / "unit.c").read_text()), (plain, self.text)]) and (
            stripped(folder / "unit.o") == stripped(plain / "unit.o"))


def stripped(obj: Path) -> bytes:
    rooms.run("objcopy", "--remove-section=.comment", "--strip-debug", "--strip-unneeded", "-N", "unit.c", obj)
    return obj.read_bytes()


def tried(target: Generated | Unit, chosen: list[Mutant], jobs: int) -> list[Outcome]:
    free: SimpleQueue[int] = SimpleQueue()
    for i in range(jobs):
        free.put(i)

    def one(m: Mutant) -> Outcome:
        worker = free.get()
        try:
            return target.try_one(m, worker)
        finally:
            free.put(worker)

    with ThreadPoolExecutor(jobs) as pool:
        return list(pool.map(one, chosen))


def report(target: Generated | Unit, outcomes: list[Outcome], apart: int, known: Known) -> tuple[int, int]:
    """Print what lives; how many were killed, of those that are not the same as what they were made of."""
    count = Counter(o.what for o in outcomes)
    lives = [o.mutant for o in outcomes if o.what == "survived"]
    equivalent = [m for m in lives if known.reason(target.name, m).startswith("equivalent")]
    for m in lives:
        reason = known.reason(target.name, m)
        if not reason:
            print(f"\n{target.name} {m.function}: new, line {m.line}, {m.operator}\n  - {m.before}\n  + {m.after}")
    killed, of = count["killed"], count["killed"] + len(lives) - len(equivalent)
    print(f"{target.name}: {killed} of {of} killed ({100 * killed / max(of, 1):.1f} %); {len(equivalent)} equivalent as listed, "
          f"{count['same code']} the same code, {count['does not compile']} do not compile; {apart} on lines that no test comes to; "
          + ", ".join(f"{n} {by}" for by, n in Counter(o.by for o in outcomes if o.by).most_common()), flush=True)
    return killed, of


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("files", nargs="+")
    parser.add_argument("--count", type=int, default=100, help="mutants of a file")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--execs", type=int, default=20_000)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--at-least", type=int, default=98, metavar="PERCENT")
    parser.add_argument("--room", type=Path, default=OUT / "fuzz/mutants")
    options = parser.parse_args()
    known, killed, of = Known.read(), 0, 0
    for file in options.files:
        room = options.room.resolve()
        spec, _, path = file.partition(":")
        target: Generated | Unit = Generated(spec, path, room, options.execs) if path else Unit(spec, room / one_line(spec).replace("/", "-"))
        reached, every = target.reached(), mutants(target.text)
        there = [m for m in every if m.line in reached]
        chosen = random.Random(options.seed).sample(there, min(options.count, len(there)))
        a, b = report(target, tried(target, chosen, options.jobs), len(every) - len(there), known)
        killed, of = killed + a, of + b
    print(f"\n{killed} of {of} killed: {100 * killed / max(of, 1):.1f} %")
    return 0 if 100 * killed >= options.at_least * of else 1


if __name__ == "__main__":
    sys.exit(main())
