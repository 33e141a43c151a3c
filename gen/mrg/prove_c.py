"""`mrg prove --c`: the emitted C itself held against its contracts (emit/acsl.py), by Frama-C's WP and two solvers.

Each function that has a contract is shown to read and write only what it may, not to overflow, to end, and to give what it says.
A goal counts as proved when WP's own simplifier or one of the solvers shows it; what only one of the two shows is said.
Some functions are asked about at a time (a part), as many parts at once as there are jobs. WP makes the goals and simplifies them once,
for whoever is asked: it is given a solver that keeps what it is asked (support/prove/keep.sh), and `prove_slice.py` asks the real ones.
What became of a part is kept, and holds as long as its C, asked for again, is the same.
Reading order: run, _all, Prover.ask, _part, _goals, _ask.
"""

from __future__ import annotations

import fnmatch
import hashlib
import json
import os
import re
import shutil
import subprocess
import tempfile
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Iterator, Optional, Sequence, TextIO

from . import ir, names, prove_calls, prove_slice, prove_table
from .emit import acsl_arms, acsl_terms, acsl_text, c_module, c_shape, grammars
from .emit.writer import write_if_changed
from .load import load_named
from .prove_table import Outcome

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
# Functions that Frama-C is asked about at a time: it reads the file once for them.
PART = 48
# A solver's seconds for what bears on a goal: at first, and where no solver shows it. What none shows so is asked again, with all that
# WP says and the seconds of --timeout.
SHORT = (1, 4)
# Frama-C asks for a heap that is tidied up thirty times as often, which takes a quarter of its time.
ROOM = """let () = Gc.set { (Gc.get ()) with Gc.minor_heap_size = 8_388_608; space_overhead = 200 }
"""


class Missing(Exception):
    """A program is not there, or did not run to its end."""


@dataclass
class Asked:
    """Functions of a file whose goals are asked for, and what is to be said of others."""

    title: str
    path: str
    functions: list[str]
    known: dict[str, ir.Loc] = field(default_factory=dict)
    trusted: tuple[str, ...] = ()
    skipped: dict[str, str] = field(default_factory=dict)  # left open, and why
    notes: list[str] = field(default_factory=list)
    good: bool = True  # nothing in the notes makes it fail
    parts: list["Future[Outcome]"] = field(default_factory=list)


class Prover:
    def __init__(self, folder: str, jobs: int, timeout: int, solvers: Sequence[str]) -> None:
        self.folder, self.timeout, self.solvers = folder, timeout, solvers
        self.pool = ThreadPoolExecutor(jobs)
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
        self.room = self._roomy()

    def _roomy(self) -> list[str]:
        """A module of Frama-C's language that gives it room, where there is a compiler for that."""
        source = os.path.join(self.folder, "mrg_room.ml")
        write_if_changed(source, ROOM)
        if shutil.which("ocamlopt") is None:
            return []
        made = subprocess.run(["ocamlopt", "-shared", "-o", "mrg_room.cmxs", "mrg_room.ml"], cwd=self.folder, capture_output=True, check=False)
        return ["-load-module", os.path.abspath(source[:-3] + ".cmxs")] if made.returncode == 0 else []

    def ask(self, asked: "Asked") -> None:
        """Begin with the goals of some functions of a file, part by part."""
        text = self._text(asked.path)
        for i in range(0, len(asked.functions), PART):
            asked.parts.append(self.pool.submit(self._part, asked, asked.functions[i : i + PART], text))

    def _text(self, path: str) -> bytes:
        """A file as Frama-C sees it, contracts and all that it includes among it."""
        command = ["cc", "-E", "-P", "-CC", "-x", "c", *self._flags(), os.path.abspath(path)]
        done = subprocess.run(command, capture_output=True, check=False)
        if done.returncode != 0:
            raise Missing(f"{' '.join(command)}:\n{done.stderr.decode()[-2000:]}")
        return done.stdout

    def _flags(self) -> list[str]:
        return [*CPP.split(), *(f"-I{os.path.abspath(d)}" for d in (SUPPORT, self.folder))]

    def _part(self, asked: "Asked", functions: Sequence[str], text: bytes) -> Outcome:
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
            self._goals(out, asked, functions, os.path.abspath(goals))
        if not out.open and not out.doubts:
            os.makedirs(os.path.dirname(kept), exist_ok=True)
            write_if_changed(kept, json.dumps({goal: sorted(by) for goal, by in out.by.items()}))
        return out

    def _goals(self, out: Outcome, asked: "Asked", functions: Sequence[str], goals: str) -> None:
        """What WP asks of some functions: what it simplifies away itself, and what of the rest the solvers show."""
        with open(os.path.join(goals, "count"), "w", encoding="utf-8") as f:
            f.write("0\n")
        command = [
            "frama-c", *self.room, "-machdep", "x86_64", f"-cpp-extra-args={' '.join(self._flags())}", "-wp", "-wp-rte", "-wp-prover", "keep",
            *SIMPLER, "-wp-par", "1", "-wp-cache", "none", "-wp-warn-key", "pedantic-assigns=inactive", *asked.trusted,
            "-wp-fct", ",".join(functions), os.path.abspath(asked.path),
        ]  # fmt: skip
        env = dict(self.env, MRG_GOALS=goals)
        done = prove_calls.call(command, cwd=self.folder, env=env)
        out.spend("WP", done.seconds)
        total = TOTAL.search(done.stdout)
        if done.status != 0 or total is None:
            raise Missing(f"frama-c ends with {done.status}:\n{done.stdout[-2000:]}")
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
            raise Missing(f"{asked.path}: {len(out.by)} goals seen, {total.group(2)} counted, {len(kept)} kept")
        self._ask(out, [(goal, os.path.join(goals, f"{number}.smt2")) for number, goal in enumerate(kept, 1)])

    def _ask(self, out: Outcome, kept: Sequence[tuple[str, str]]) -> None:
        known: dict[str, set[str]] = {}  # what is asked for at an exit and at the end is the same
        for goal, path in kept:
            with open(path, encoding="utf-8") as f:
                forms = prove_slice.read(f.read())
            text = prove_slice.needed(forms)
            if text not in known:
                tries = [*((text, seconds) for seconds in SHORT), (prove_slice.whole(forms), self.timeout)]
                known[text] = next(filter(None, (self._who(out, *each) for each in tries)), set())
            out.by[goal] |= known[text]

    def _who(self, out: Outcome, text: str, seconds: float) -> set[str]:
        """The solvers that show a goal."""
        who = set()
        for solver in self.solvers:
            shown, used = prove_slice.shows(solver, text, seconds)
            out.spend(solver, used)
            who |= {solver} if shown else set()
        return who


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
    """0: every goal of what is named, and of what that calls, is proved; 1: not so."""
    modules, named, _ = load_named(files, roots)
    with tempfile.TemporaryDirectory() as room:
        where = options.folder or room
        prover = Prover(where, options.jobs, options.timeout, options.solvers)
        if not options.as_is:
            for path, text in filter(all, _files(modules, named)):
                write_if_changed(os.path.join(where, path), text)
        asked = _support(where) if options.support else []
        good = not options.support or bits(options.solvers)
        out.write("" if good else "mrg_prove.h: not proved: the axiom of bits\n")
        asked += _all(where, modules, named, options.only)
        outcomes = []
        try:
            for each in asked:
                prover.ask(each)
            for each in asked:
                outcomes.append(Outcome(each.title))
                good = _tell(out, each, outcomes[-1]) and good
        finally:
            prover.pool.shutdown(cancel_futures=True)
        if len(outcomes) > 1:
            outcomes.append(prove_table.together(outcomes))
        out.write(prove_table.table([prove_table.heads(prover.solvers), *(outcome.row(prover.solvers) for outcome in outcomes)]))
    return 0 if good else 1


def _files(modules: Sequence[ir.Module], named: Sequence[str]) -> Iterator[tuple[str, str]]:
    """What is proved: C with its contracts, and checks and readers in parts."""
    for m in modules:
        yield from c_module.annotated(m).items()
        yield acsl_arms.name(m), acsl_arms.source(m)
        if m.name in named:
            yield acsl_text.name(m), acsl_text.source(m)


def _support(where: str) -> list[Asked]:
    out = []
    for header, contracts in (("mrg.h", ("mrg_prove.h", "mrg_prove_w.h")), ("mrg_scan.h", ("mrg_prove_scan.h",))):
        own = os.path.join(where, f"own_{header[:-2]}.c")
        write_if_changed(own, f'#include "{header}"\n')
        out.append(_asked(header, own, [function for path in contracts for function in own_functions(path)], {}))
    return out


def _asked(title: str, path: str, wanted: Sequence[str], known: dict[str, ir.Loc], trusted: tuple[str, ...] = ()) -> Asked:
    listed = left_open()
    return Asked(title, path, [f for f in wanted if f not in listed], known, trusted, {f: listed[f] for f in wanted if f in listed})


def _all(where: str, modules: Sequence[ir.Module], named: Sequence[str], only: str) -> list[Asked]:
    """Of specifications that are named all that has a contract, of others what is called by that."""
    texts = {m.name: _read(os.path.join(where, names.header(m))) + _read(os.path.join(where, names.source(m))) for m in modules}
    contracts = {m.name: functions(texts[m.name]) for m in modules}
    first = [function for m in modules if m.name in named for function in contracts[m.name] if only in function]
    relied = set(first) if only else called("".join(texts.values()), first)
    out = []
    for m in modules:
        split = acsl_arms.split(m)
        wanted = [function for function in contracts[m.name] if function in relied]
        if m.packets and (wanted or m.name in named):
            title = m.path if m.name in named else f"{m.path}: what is called"
            out.append(_asked(title, os.path.join(where, names.source(m)), [f for f in wanted if f not in split], places(m)))
            if m.name in named and not only:
                _uncovered(out[-1], m, sorted(set(DEFINED.findall(texts[m.name])) - set(contracts[m.name])))
        if set(split) & relied or only and m.name in named:
            out += _parts(f"{m.path}: arms", os.path.join(where, acsl_arms.name(m)), only, places(m))
        if m.name in named:
            # WP says that tables, which are constant, are apart from the input and the output.
            readers = _parts(f"{m.path}: text", os.path.join(where, acsl_text.name(m)), only, acsl_text.rules(m), ("-wp-no-warn-memory-model",))
            for each in readers if not only else ():
                found = {name for text in grammars.emit(m).values() for name in [*DEFINED.findall(text), *OF_VECTORS.findall(text)]}
                _uncovered(each, m, sorted(found - set(each.functions)))
            out += readers
    return out


def _parts(title: str, path: str, only: str, known: dict[str, ir.Loc], trusted: tuple[str, ...] = ()) -> list[Asked]:
    """A file of functions that are parts of others, if there is one."""
    wanted = [name for name in DEFINED.findall(_read(path)) if only in name]
    return [_asked(title, path, wanted, known, trusted)] if wanted else []


def _read(path: str) -> str:
    if not os.path.exists(path):
        return ""
    with open(path, encoding="utf-8") as f:
        return f.read()


def called(text: str, first: Sequence[str]) -> set[str]:
    """Some functions, and all that they call, and that those call."""
    calls: dict[str, set[str]] = {}
    for body in text.split("\n}\n"):
        found = DEFINED.search(body)
        if found:
            calls.setdefault(found[1], set()).update(re.findall(r"\b(\w+)\(", body[found.end() :]))
    out: set[str] = set()
    todo = list(first)
    while todo:
        function = todo.pop()
        if function not in out:
            out.add(function)
            todo += calls.get(function, ())
    return out


def _tell(out: TextIO, asked: Asked, outcome: Outcome) -> bool:
    """Wait for what becomes of some functions, and say it: whether all is proved."""
    for part in asked.parts:
        outcome.add(part.result())
    out.write(outcome.line() + "\n")
    for doubt in outcome.doubts:
        out.write(f"  {doubt}\n")
    for goal in outcome.open:
        out.write(f"  {_where(goal, asked.known)}not proved: {goal}\n")
    for function, why in asked.skipped.items():
        out.write(f"  {_where(function, asked.known)}left open: {function}: {why}\n")
    out.write("".join(f"  {note}\n" for note in asked.notes))
    out.flush()
    return asked.good and not outcome.open and not outcome.doubts


def _uncovered(asked: Asked, m: ir.Module, without: Sequence[str]) -> None:
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
        asked.notes.append(f"no contract: {times} functions: {why}")
    for stem, times in of_packets.items():
        p = packets[stem]
        nothing = acsl_terms.unchecked(p)
        what = f"nothing, for {nothing}" if nothing else f"the check alone, for {acsl_terms.why_not(p)}"
        asked.notes.append(f"{p.loc.file}:{p.loc.line}: {p.name}: {what}: no contract of {times} functions")
    for function in unlisted:
        asked.notes.append(f"no contract, and not in open.list: {function}")
    asked.good = asked.good and not unlisted


def _where(name: str, known: dict[str, ir.Loc]) -> str:
    loc = place(name, known)
    return f"{loc.file}:{loc.line}: " if loc else ""
