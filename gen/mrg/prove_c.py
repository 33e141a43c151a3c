"""`mrg prove --c`: the emitted C itself held against its contracts (emit/acsl.py), by Frama-C's WP and two solvers.

Each function that has a contract is shown to read and write only what it may, not to overflow, to end, and to give what it says.
A goal counts as proved when WP's own simplifier or one of the solvers shows it; what only one of the two shows is said.
Some functions are asked about at a time (a part), as many parts at once as there are jobs. WP makes the goals and simplifies them once,
for whoever is asked: it is given a solver that keeps what it is asked (support/prove/keep.sh), and `prove_slice.py` asks the real ones.
What became of a part is kept, and holds as long as its C, asked for again, is the same.
Reading order: run, Prover.file, _part, _goals, _ask.
"""

from __future__ import annotations

import fnmatch
import hashlib
import json
import os
import re
import resource
import shutil
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Optional, Sequence, TextIO

from . import ir, names, prove_slice
from .emit import acsl_terms, acsl_text, c_module, c_shape, grammars
from .emit.writer import write_if_changed
from .load import load_named

SUPPORT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support")
SOLVERS = ("z3", "cvc4")
# The name that our solver has for WP.
KEEPER = "Keep"
GOAL = re.compile(r"^\[wp\] \[([^\]]+)\] Goal (\S+)(?: : (\w+))?")
TOTAL = re.compile(r"^\[wp\] Proved goals:\s+(\d+) / (\d+)", re.M)
# Goals are written as for cvc4, which is SMT-LIB of no dialect; 14 is the format of Why3 1.5.
WHY3 = """[main]
magic = 14

[prover]
name = "{name}"
version = "1"
command = "sh {script} %f"
command_steps = "sh {script} %f"
driver = "cvc4_16"
editor = ""
in_place = false
interactive = false
shortcut = "keep"
"""
# The part of mrg.h that is written for any C compiler is proved: other compilers' ways to load a number are none of ACSL's.
# So are readers without vectors.
CPP = "-U__GNUC__ -U__SIZEOF_INT128__ -U__SSE2__ -DMRG_PROVE"
# What WP simplifies by following branches costs more than it spares solvers.
SIMPLER = ("-wp-no-core", "-wp-no-pruning", "-wp-no-ground")
OPEN = os.path.join(SUPPORT, "prove", "open.list")
# Names of functions of mrg.h that checks and accessors call.
OWN = re.compile(r"^static (?:inline )?[^;]*?(\w+)\([^;]*\);", re.M)
DEFINED = re.compile(r"^(?:(?:static|inline|MRG_\w+) )*[A-Za-z_][\w ]*?[ *]+(?!MRG_FOR)(\w+)\([^;{}]*\)\n\{", re.M)
OF_VECTORS = re.compile(r"^[\w ]+ MRG_FOR\((\w+)\)\([^;{}]*\)\n\{", re.M)
# Functions that Frama-C is asked about at a time.
PART = 16
# A solver's seconds for what bears on a goal; what no solver shows so is asked again, with all that WP says and the seconds of --timeout.
SHORT = 3


class Missing(Exception):
    """A program is not there, or did not run to its end."""


@dataclass
class Outcome:
    """What became of the goals of one file."""

    title: str
    by: dict[str, set[str]] = field(default_factory=dict)  # goal -> who proved it
    seconds: float = 0.0  # of processors
    doubts: list[str] = field(default_factory=list)  # what WP warns of: then goals may not mean what they say
    functions: int = 0
    kept: int = 0  # goals of parts that were proved before

    @property
    def open(self) -> list[str]:
        return sorted(g for g, by in self.by.items() if not by)

    def add(self, other: "Outcome", stem: str = "") -> None:
        self.by.update({stem + goal: by for goal, by in other.by.items()})
        self.doubts += [doubt for doubt in other.doubts if doubt not in self.doubts]
        self.kept += other.kept
        self.functions += other.functions

    def line(self) -> str:
        before = f", {self.kept} kept from before" if self.kept else ""
        return f"{self.title}: {len(self.by) - len(self.open)}/{len(self.by)} goals of {self.functions} functions proved{before}, {self.seconds:.0f} s"

    def row(self, solvers: Sequence[str]) -> list[str]:
        """A line of the table: what is counted of whom."""
        asked = [by for by in self.by.values() if "Qed" not in by]
        by_all = sum(by >= set(solvers) for by in asked)
        counts = [self.functions, len(self.by), len(self.by) - len(asked), *(sum(name in by for by in asked) for name in solvers), by_all]
        return [self.title, *map(str, counts), str(len(self.open)), str(self.kept), f"{self.seconds:.0f}"]


def together(outcomes: Sequence[Outcome]) -> Outcome:
    out = Outcome("all")
    for outcome in outcomes:
        out.add(outcome, f"{outcome.title}: ")
        out.seconds += outcome.seconds
    return out


def heads(solvers: Sequence[str]) -> list[str]:
    return ["of", "functions", "goals", "simplified", *(f"by {name}" for name in solvers), "by all", "open", "kept", "CPU s"]


def table(rows: Sequence[Sequence[str]]) -> str:
    wide = [max(map(len, column)) for column in zip(*rows)]
    return "".join("  ".join([row[0].ljust(wide[0]), *(c.rjust(w) for c, w in zip(row[1:], wide[1:]))]) + "\n" for row in rows)


def busy() -> float:
    """Seconds that this process and those that it has waited for have had of processors."""
    own, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


class Prover:
    def __init__(self, folder: str, jobs: int, timeout: int, solvers: Sequence[str]) -> None:
        self.folder, self.jobs, self.timeout, self.solvers = folder, jobs, timeout, solvers
        self.trusted: list[str] = []
        if not solvers or not set(solvers) <= set(SOLVERS):
            raise Missing(f"solvers are {' and '.join(SOLVERS)}")
        self.needs = ("frama-c", "why3", *solvers)
        for tool in self.needs:
            if shutil.which(tool) is None:
                raise Missing(f"{tool} is not installed (Debian: frama-c-base why3 z3 cvc4)")
        # Why3's list of solvers is in a file of ours, not the user's.
        self.env = dict(os.environ, WHY3CONFIG=os.path.join(os.path.abspath(folder), "why3.conf"), HOME=os.path.abspath(folder))
        os.makedirs(folder, exist_ok=True)
        write_if_changed(self.env["WHY3CONFIG"], WHY3.format(name=KEEPER, script=os.path.abspath(os.path.join(SUPPORT, "prove", "keep.sh"))))
        asked = (["frama-c", "-version"], ["cvc4", "--version"], ["z3", "--version"])
        self.version = [subprocess.run(call, env=self.env, capture_output=True, text=True, check=False).stdout for call in asked if call[0] in self.needs]

    def file(self, title: str, path: str, functions: Sequence[str]) -> Outcome:
        """All goals of some functions of a file, part by part."""
        out = Outcome(title)
        start = busy()
        parts = [functions[i : i + PART] for i in range(0, len(functions), PART)]
        text = self._text(path)
        with ThreadPoolExecutor(self.jobs) as pool:
            for part in pool.map(lambda names: self._part(path, names, text), parts):
                out.add(part)
        out.seconds = busy() - start
        return out

    def _text(self, path: str) -> bytes:
        """A file as Frama-C sees it, contracts and all that it includes among it."""
        command = ["cc", "-E", "-P", "-CC", "-x", "c", *self._flags(), os.path.abspath(path)]
        done = subprocess.run(command, capture_output=True, check=False)
        if done.returncode != 0:
            raise Missing(f"{' '.join(command)}:\n{done.stderr.decode()[-2000:]}")
        return done.stdout

    def _flags(self) -> list[str]:
        return [*CPP.split(), *(f"-I{os.path.abspath(d)}" for d in (SUPPORT, self.folder))]

    def _part(self, path: str, functions: Sequence[str], text: bytes) -> Outcome:
        key = hashlib.sha256(text)
        key.update(repr((list(functions), list(self.solvers), self.timeout, self.version)).encode())
        kept = os.path.join(self.folder, "kept", key.hexdigest() + ".json")
        out = Outcome("", functions=len(functions))
        if os.path.exists(kept):
            with open(kept, encoding="utf-8") as f:
                out.by = {goal: set(by) for goal, by in json.load(f).items()}
            out.kept = len(out.by)
            return out
        with tempfile.TemporaryDirectory(dir=self.folder) as goals:
            self._goals(out, path, functions, os.path.abspath(goals))
        if not out.open and not out.doubts:
            os.makedirs(os.path.dirname(kept), exist_ok=True)
            write_if_changed(kept, json.dumps({goal: sorted(by) for goal, by in out.by.items()}))
        return out

    def _goals(self, out: Outcome, path: str, functions: Sequence[str], goals: str) -> None:
        """What WP asks of some functions: what it simplifies away itself, and what of the rest the solvers show."""
        with open(os.path.join(goals, "count"), "w", encoding="utf-8") as f:
            f.write("0\n")
        command = [
            "frama-c", "-machdep", "x86_64", f"-cpp-extra-args={' '.join(self._flags())}", "-wp", "-wp-rte", "-wp-prover", "keep",
            *SIMPLER, "-wp-par", "1", "-wp-cache", "none", "-wp-warn-key", "pedantic-assigns=inactive", *self.trusted,
            "-wp-fct", ",".join(functions), os.path.abspath(path),
        ]  # fmt: skip
        env = dict(self.env, MRG_GOALS=goals)
        done = subprocess.run(command, cwd=self.folder, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        total = TOTAL.search(done.stdout)
        if done.returncode != 0 or total is None:
            raise Missing(f"frama-c ends with {done.returncode}:\n{done.stdout[-2000:]}")
        kept: list[str] = []
        for line in done.stdout.splitlines():
            found = GOAL.match(line)
            if found:
                who, goal, verdict = found.groups()
                out.by[goal] = {"Qed"} if verdict == "Valid" and who in ("Qed", "CFG") else set()
                kept += [goal] if who.startswith(KEEPER) else []
            elif line.startswith("[wp") and "Warning:" in line and line not in out.doubts:
                out.doubts.append(line)
        if len(out.by) != int(total.group(2)) or len(os.listdir(goals)) - 1 != len(kept):
            raise Missing(f"{path}: {len(out.by)} goals seen, {total.group(2)} counted, {len(kept)} kept")
        self._ask(out, [(goal, os.path.join(goals, f"{number}.smt2")) for number, goal in enumerate(kept, 1)])

    def _ask(self, out: Outcome, kept: Sequence[tuple[str, str]]) -> None:
        known: dict[str, set[str]] = {}  # what is asked for at an exit and at the end is the same
        for goal, path in kept:
            with open(path, encoding="utf-8") as f:
                forms = prove_slice.read(f.read())
            text = prove_slice.needed(forms)
            if text not in known:
                known[text] = {solver for solver in self.solvers if prove_slice.shows(solver, text, SHORT)}
                if not known[text]:
                    whole = prove_slice.whole(forms)
                    known[text] = {solver for solver in self.solvers if prove_slice.shows(solver, whole, self.timeout)}
            out.by[goal] |= known[text]


def bits(solvers: Sequence[str]) -> bool:
    """Whether each solver shows, word by word of bits, what mrg_prove.h takes for granted of them."""
    path = os.path.join(SUPPORT, "prove", "bits.smt2")
    calls = {"cvc4": ["cvc4", "--incremental", path], "z3": ["z3", path]}
    with open(path, encoding="utf-8") as f:
        right = ["unsat"] * f.read().count("(check-sat)")
    return all(subprocess.run(calls[s], capture_output=True, text=True, check=False).stdout.split() == right for s in solvers)


def own_functions(contracts: str) -> list[str]:
    """What a header with contracts alone is of."""
    with open(os.path.join(SUPPORT, "prove", contracts), encoding="utf-8") as f:
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


def why_open(function: str, listed: dict[str, str]) -> Optional[str]:
    """Why a function is left out, by the first pattern of open.list that is its name's."""
    return next((why for pattern, why in listed.items() if fnmatch.fnmatchcase(function, pattern)), None)


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
        outcomes: list[Outcome] = []
        if options.support:
            good = bits(options.solvers)
            out.write("" if good else "mrg_prove.h: not proved: the axiom of bits\n")
            for header, contracts in (("mrg.h", ("mrg_prove.h", "mrg_prove_w.h")), ("mrg_scan.h", ("mrg_prove_scan.h",))):
                own = os.path.join(where, f"own_{header[:-2]}.c")
                write_if_changed(own, f'#include "{header}"\n')
                wanted = [function for path in contracts for function in own_functions(path)]
                good = _file(out, prover, outcomes, header, own, wanted, {}) and good
        for m in modules:
            if m.name in named and m.packets:
                source = os.path.join(where, names.source(m))
                text = ""
                for path in (os.path.join(where, names.header(m)), source):
                    with open(path, encoding="utf-8") as f:
                        text += f.read()
                wanted = [name for name in functions(text) if options.only in name]
                good = _file(out, prover, outcomes, m.path, source, wanted, places(m)) and good
                without = sorted(set(DEFINED.findall(text)) - set(functions(text)))
                good = (bool(options.only) or _uncovered(out, m, without)) and good
            readers = acsl_text.source(m) if m.name in named else ""
            if readers:
                source = os.path.join(where, acsl_text.name(m))
                if not options.as_is:
                    write_if_changed(source, readers)
                good = _texts(out, prover, outcomes, m, source, options.only) and good
        if len(outcomes) > 1:
            outcomes.append(together(outcomes))
        out.write(table([heads(prover.solvers), *(outcome.row(prover.solvers) for outcome in outcomes)]))
    return 0 if good else 1


def _file(
    out: TextIO, prover: Prover, outcomes: list[Outcome], title: str, path: str, wanted: Sequence[str], known: dict[str, ir.Loc]
) -> bool:
    listed = left_open()
    skipped = {f: listed[f] for f in wanted if f in listed}
    asked = [f for f in wanted if f not in skipped]
    outcome = prover.file(title, path, asked) if asked else Outcome(title)
    outcomes.append(outcome)
    out.write(outcome.line() + "\n")
    for doubt in outcome.doubts:
        out.write(f"  {doubt}\n")
    for goal in outcome.open:
        out.write(f"  {_where(goal, known)}not proved: {goal}\n")
    for function, why in skipped.items():
        out.write(f"  {_where(function, known)}left open: {function}: {why}\n")
    out.flush()
    return not outcome.open and not outcome.doubts


def _texts(out: TextIO, prover: Prover, outcomes: list[Outcome], m: ir.Module, path: str, only: str) -> bool:
    """Readers of messages in one piece; of other functions of grammars open.list says why they are left out."""
    with open(path, encoding="utf-8") as f:
        wanted = [name for name in DEFINED.findall(f.read()) if only in name]
    prover.trusted = ["-wp-no-warn-memory-model"]  # it says that tables, which are constant, are apart from the input and the output
    good = _file(out, prover, outcomes, f"{m.path}: text", path, wanted, acsl_text.rules(m))
    prover.trusted = []
    others = {name for text in grammars.emit(m).values() for name in [*DEFINED.findall(text), *OF_VECTORS.findall(text)]} - set(wanted)
    return (bool(only) or _uncovered(out, m, sorted(others))) and good


def _uncovered(out: TextIO, m: ir.Module, without: Sequence[str]) -> bool:
    """Functions that no contract stands before: of what open.list leaves out, or of a packet that contracts don't cover."""
    listed = left_open()
    packets = {names.packet(p): p for p in m.packets if acsl_terms.unchecked(p) or acsl_terms.why_not(p)}
    of_packets = dict.fromkeys(packets, 0)
    count: dict[str, int] = {}
    unlisted = []
    for function in without:
        why = why_open(function, listed)
        stem = max((name for name in packets if function.startswith(name + "_")), key=len, default="")
        if why is not None:
            count[why] = count.get(why, 0) + 1
        elif stem:
            of_packets[stem] += 1
        else:
            unlisted.append(function)
    for why, times in count.items():
        out.write(f"  no contract: {times} functions: {why}\n")
    for stem, times in of_packets.items():
        p = packets[stem]
        nothing = acsl_terms.unchecked(p)
        what = f"nothing, for {nothing}" if nothing else f"the check alone, for {acsl_terms.why_not(p)}"
        out.write(f"  {p.loc.file}:{p.loc.line}: {p.name}: {what}: no contract of {times} functions\n")
    for function in unlisted:
        out.write(f"  no contract, and not in open.list: {function}\n")
    return not unlisted


def _where(name: str, known: dict[str, ir.Loc]) -> str:
    loc = place(name, known)
    return f"{loc.file}:{loc.line}: " if loc else ""
