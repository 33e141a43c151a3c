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
OPEN = os.path.join(SUPPORT, "prove", "open.list")
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

    def line(self, functions: int, solvers: Sequence[str]) -> str:
        asked = [by for by in self.by.values() if "Qed" not in by]
        counts = [f"{len(self.by) - len(asked)} simplified", *(f"{sum(name in by for by in asked)} by {name}" for name in solvers)]
        if len(solvers) > 1:
            counts.append(f"{sum(by >= set(solvers) for by in asked)} by both")
        proved = len(self.by) - len(self.open)
        return f"{self.title}: {proved}/{len(self.by)} goals of {functions} functions ({', '.join(counts)}), {self.seconds:.0f} s"


class Prover:
    def __init__(self, folder: str, jobs: int, timeout: int, solvers: Sequence[str]) -> None:
        self.folder, self.jobs, self.timeout, self.solvers = folder, jobs, timeout, solvers
        if not solvers or not set(solvers) <= set(SOLVERS):
            raise Missing(f"solvers are {' and '.join(SOLVERS)}")
        for tool in ("frama-c", "why3", *solvers):
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
        for solver in self.solvers:
            self._goals(out, path, functions, solver)
        out.seconds = time.monotonic() - start
        return out

    def _goals(self, out: Outcome, path: str, functions: Sequence[str], solver: str) -> None:
        cache = os.path.join(os.path.abspath(self.folder), "cache")
        os.makedirs(cache, exist_ok=True)
        includes = " ".join(f"-I{os.path.abspath(d)}" for d in (SUPPORT, self.folder))
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
            elif line.startswith("[wp") and "Warning:" in line and line not in out.doubts:
                out.doubts.append(line)
        if len(seen) != int(total.group(2)):
            raise Missing(f"{path}: {len(seen)} goals seen, {total.group(2)} counted")


def bits(solvers: Sequence[str]) -> bool:
    """Whether each solver shows, word by word of bits, what mrg_prove.h takes for granted of them."""
    path = os.path.join(SUPPORT, "prove", "bits.smt2")
    calls = {"cvc4": ["cvc4", "--incremental", path], "z3": ["z3", path]}
    with open(path, encoding="utf-8") as f:
        right = ["unsat"] * f.read().count("(check-sat)")
    return all(subprocess.run(calls[s], capture_output=True, text=True, check=False).stdout.split() == right for s in solvers)


def own_functions() -> list[str]:
    """What mrg_prove.h has contracts of."""
    with open(os.path.join(SUPPORT, "prove", "mrg_prove.h"), encoding="utf-8") as f:
        return OWN.findall(f.read())


def functions(text: str) -> list[str]:
    """The functions of a header that a contract stands before."""
    plain = re.sub(r"/\*[^@].*?\*/\n?", "", text, flags=re.S)
    found = re.findall(r"/\*@((?:(?!\*/).)*)\*/\n(?:(?:static|inline|MRG_MUST_USE) )*[\w *]*?\b(\w+)\([^;{]*\)(?:\n\{|;)", plain, flags=re.S)
    return [name for contract, name in found if "terminates" in contract]


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


def left_open() -> dict[str, str]:
    """Functions that are not to be proved (yet), and why."""
    with open(OPEN, encoding="utf-8") as f:
        rows = (line.split(None, 1) for line in f if line.strip() and not line.startswith("#"))
        return {row[0]: row[1].strip() for row in rows}


@dataclass
class Options:
    """folder: where the C goes, and what is known from before; "": one that is thrown away."""

    folder: str = ""
    jobs: int = 1
    timeout: int = 20
    solvers: Sequence[str] = SOLVERS
    as_is: bool = False  # the C is there already
    support: bool = False  # mrg.h, too
    only: str = ""  # functions whose names have this


def run(files: Sequence[str], roots: Sequence[str], out: TextIO, options: Options) -> int:
    """0: every goal of what is named is proved; 1: not so."""
    modules, named, _ = load_named(files, roots)
    with tempfile.TemporaryDirectory() as room:
        where = options.folder or room
        prover = Prover(where, options.jobs, options.timeout, options.solvers)
        if not options.as_is:
            for m in modules:
                for path, text in c_module.annotated(m).items():
                    write_if_changed(os.path.join(where, path), text)
        good = True
        if options.support:
            own = os.path.join(where, "own.c")
            write_if_changed(own, '#include "mrg.h"\n')
            good = bits(options.solvers)
            out.write("" if good else "mrg_prove.h: not proved: the axiom of bits\n")
            good = _file(out, prover, "mrg.h", own, own_functions(), {}) and good
        for m in modules:
            if m.name in named and m.packets:
                with open(os.path.join(where, names.header(m)), encoding="utf-8") as f:
                    wanted = [name for name in functions(f.read()) if options.only in name]
                good = _file(out, prover, m.path, os.path.join(where, names.source(m)), wanted, places(m)) and good
                _coverage(out, m)
    return 0 if good else 1


def _file(out: TextIO, prover: Prover, title: str, path: str, wanted: Sequence[str], known: dict[str, ir.Loc]) -> bool:
    skipped = left_open()
    asked = [f for f in wanted if f not in skipped]
    outcome = prover.file(title, path, asked) if asked else Outcome(title)
    out.write(outcome.line(len(asked), prover.solvers) + "\n")
    for doubt in outcome.doubts:
        out.write(f"  {doubt}\n")
    for goal in outcome.open:
        out.write(f"  {_where(goal, known)}not proved: {goal}\n")
    for function in wanted:
        if function in skipped:
            out.write(f"  {_where(function, known)}left open: {function}: {skipped[function]}\n")
    out.flush()
    return not outcome.open and not outcome.doubts


def _where(name: str, known: dict[str, ir.Loc]) -> str:
    loc = place(name, known)
    return f"{loc.file}:{loc.line}: " if loc else ""


def _coverage(out: TextIO, m: ir.Module) -> None:
    """Packets of which less than all is proved, and why."""
    for p in m.packets:
        why = acsl_terms.unchecked(p)
        if why:
            out.write(f"  {p.loc.file}:{p.loc.line}: {p.name}: nothing, for {why}\n")
        elif acsl_terms.why_not(p):
            out.write(f"  {p.loc.file}:{p.loc.line}: {p.name}: the check alone, for {acsl_terms.why_not(p)}\n")
