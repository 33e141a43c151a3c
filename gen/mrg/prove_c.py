"""`mrg prove --c`: the emitted C itself held against its contracts (emit/acsl.py), by Frama-C's WP and two solvers.

Each function that has a contract is shown to read and write only what it may, not to overflow, to end, and to give what it says.
A goal counts as proved when WP's own simplifier or one of the solvers shows it; what only one of the two shows is said.
Reading order: run, Prover.module, _goals.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from typing import Optional, Sequence, TextIO

from . import ir, names
from .emit import acsl_terms, c_module, c_shape
from .emit.writer import write_if_changed
from .load import load_named

SUPPORT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support")
SOLVERS = ("cvc4", "z3")
GOAL = re.compile(r"^\[wp\] \[([^\]]+)\] Goal (\S+)(?: : (\w+))?")
TOTAL = re.compile(r"^\[wp\] Proved goals:\s+(\d+) / (\d+)", re.M)
# The part of mrg.h that is written for any C compiler is proved: other compilers' ways to load a number are none of ACSL's.
CPP = "-U__GNUC__ -U__SIZEOF_INT128__ -DMRG_PROVE"
# Names of functions of mrg.h that checks and accessors call.
OWN = re.compile(r"^static (?:inline )?[^;]*?(\w+)\([^;]*\);", re.M)


class Missing(Exception):
    """A program is not there, or did not run to its end."""


@dataclass
class Outcome:
    """What became of the goals of one file."""

    title: str
    by: dict[str, set[str]] = field(default_factory=dict)  # goal -> who proved it
    seconds: float = 0.0
    doubts: list[str] = field(default_factory=list)  # what WP warns of: then goals may not mean what they say

    @property
    def open(self) -> list[str]:
        return sorted(g for g, by in self.by.items() if not by)

    def line(self, functions: int) -> str:
        asked = [by for by in self.by.values() if "Qed" not in by]
        counts = ", ".join(f"{sum(name in by for by in asked)} by {name}" for name in SOLVERS)
        both = sum(by >= set(SOLVERS) for by in asked)
        proved = len(self.by) - len(self.open)
        return (
            f"{self.title}: {proved}/{len(self.by)} goals of {functions} functions, {len(self.by) - len(asked)} simplified, {counts}, "
            f"{both} by both, {self.seconds:.0f} s"
        )


class Prover:
    def __init__(self, folder: str, jobs: int, timeout: int) -> None:
        self.folder, self.jobs, self.timeout = folder, jobs, timeout
        for tool in ("frama-c", "why3", *SOLVERS):
            if shutil.which(tool) is None:
                raise Missing(f"{tool} is not installed (Debian: frama-c-base why3 z3 cvc4)")
        # Why3's list of solvers is in a file of ours, not the user's.
        self.env = dict(os.environ, WHY3CONFIG=os.path.join(os.path.abspath(folder), "why3.conf"), HOME=os.path.abspath(folder))
        os.makedirs(folder, exist_ok=True)
        done = subprocess.run(["why3", "config", "detect"], env=self.env, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise Missing(f"why3 config detect: {done.stderr.strip()}")

    def file(self, title: str, path: str, functions: Sequence[str]) -> Outcome:
        """All goals of some functions of a file, by each solver in turn."""
        out = Outcome(title)
        start = time.monotonic()
        for solver in SOLVERS:
            self._goals(out, path, functions, solver)
        out.seconds = time.monotonic() - start
        return out

    def _goals(self, out: Outcome, path: str, functions: Sequence[str], solver: str) -> None:
        cache = os.path.join(os.path.abspath(self.folder), "cache")
        os.makedirs(cache, exist_ok=True)
        includes = " ".join(f"-I{os.path.abspath(d)}" for d in (SUPPORT, os.path.join(SUPPORT, "prove"), self.folder))
        command = [
            "frama-c", "-machdep", "x86_64", f"-cpp-extra-args={CPP} {includes}", "-wp", "-wp-rte", "-wp-prover", solver,
            "-wp-timeout", str(self.timeout), "-wp-par", str(self.jobs), "-wp-cache", "update", "-wp-cache-dir", cache,
            "-wp-warn-key", "pedantic-assigns=inactive", "-wp-fct", ",".join(functions), os.path.abspath(path),
        ]  # fmt: skip
        done = subprocess.run(command, cwd=self.folder, env=self.env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        total = TOTAL.search(done.stdout)
        if done.returncode != 0 or total is None:
            raise Missing(f"frama-c ends with {done.returncode}:\n{done.stdout[-2000:]}")
        seen: set[str] = set()
        for line in done.stdout.splitlines():
            found = GOAL.match(line)
            if found:
                who, goal, verdict = found.groups()
                seen.add(goal)
                by = out.by.setdefault(goal, set())
                if verdict == "Valid":
                    by.add("Qed" if who in ("Qed", "CFG") else solver)
            elif "Warning:" in line and line not in out.doubts:
                out.doubts.append(line)
        if len(seen) != int(total.group(2)):
            raise Missing(f"{path}: {len(seen)} goals seen, {total.group(2)} counted")


def own_functions() -> list[str]:
    """What mrg_prove.h has contracts of."""
    with open(os.path.join(SUPPORT, "prove", "mrg_prove.h"), encoding="utf-8") as f:
        return OWN.findall(f.read())


def functions(text: str) -> list[str]:
    """The functions of a header that a contract stands before."""
    return re.findall(r"\*/\n(?:(?:static|inline|MRG_MUST_USE) )*[\w *]*?\b(\w+)\([^;{]*\)(?:\n\{|;)", _contracts_only(text))


def _contracts_only(text: str) -> str:
    """Without the ends of other comments, so that a contract is the only comment there is."""
    return re.sub(r"/\*[^@].*?\*/\n?", "", text, flags=re.S)


def places(m: ir.Module) -> dict[str, ir.Loc]:
    """By the beginning of a function's name: the packet or the field that it is of."""
    out: dict[str, ir.Loc] = {}
    for p in m.packets:
        out[names.packet(p)] = p.loc
        for slot in c_shape.build(p).slots:
            out[f"{names.packet(p)}_{slot.item.name}"] = slot.item.loc
    return out


def place(goal: str, known: dict[str, ir.Loc]) -> Optional[ir.Loc]:
    stem = re.sub(r"^typed_(?:lemma_)?", "", goal)
    best = max((name for name in known if stem.startswith(name)), key=len, default="")
    return known.get(best)


def run(files: Sequence[str], roots: Sequence[str], out: TextIO, folder: str, jobs: int, timeout: int, as_is: bool) -> int:
    """0: every goal of what is named is proved; 1: not so."""
    modules, named, _ = load_named(files, roots)
    with tempfile.TemporaryDirectory() as room:
        where = folder or room
        prover = Prover(where, jobs, timeout)
        if not as_is:
            for m in modules:
                for path, text in c_module.annotated(m).items():
                    write_if_changed(os.path.join(where, path), text)
        own = os.path.join(where, "own.c")
        write_if_changed(own, '#include "mrg.h"\n')
        good = tell(out, prover.file("mrg.h", own, own_functions()), len(own_functions()), {})
        for m in modules:
            if m.name not in named or not m.packets:
                continue
            with open(os.path.join(where, names.header(m)), encoding="utf-8") as f:
                wanted = functions(f.read())
            outcome = prover.file(m.path, os.path.join(where, names.source(m)), wanted)
            good = tell(out, outcome, len(wanted), places(m)) and good
            for p in m.packets:
                why = acsl_terms.why_not(p)
                if why:
                    out.write(f"  {p.loc.file}:{p.loc.line}: {p.name} has no contracts: {why}\n")
    return 0 if good else 1


def tell(out: TextIO, outcome: Outcome, count: int, known: dict[str, ir.Loc]) -> bool:
    out.write(outcome.line(count) + "\n")
    for doubt in outcome.doubts:
        out.write(f"  {doubt}\n")
    for goal in outcome.open:
        loc = place(goal, known)
        out.write(f"  {f'{loc.file}:{loc.line}: ' if loc else ''}not proved: {goal}\n")
    out.flush()
    return not outcome.open and not outcome.doubts
