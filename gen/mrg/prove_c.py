"""`mrg prove --c`: the emitted C itself held against its contracts (emit/acsl.py), by Frama-C's WP and two solvers.

Each function that has a contract is shown to read and write only what it may, not to overflow, to end, and to give what it says.
A goal counts as proved when WP's own simplifier or one of the solvers shows it; what only one of the two shows is said.
WP is asked about some functions at a time (a part); it makes their goals and simplifies them once, for whoever is asked: inside it a module
of ours keeps what is left of each (support/prove/mrg_goals.ml), and the solvers are asked from here, goal by goal. Parts and goals wait in
one queue, so that there is something to do for all processors to the end.
What became of a part is kept, and holds as long as its C, asked for again, is the same.
Reading order: run, _all, Prover.ask, Part.
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
import threading
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, Callable, Iterator, Optional, Sequence, TextIO

from . import ir, names, prove_calls, prove_library, prove_solvers, prove_table
from .emit import acsl_arms, acsl_terms, acsl_text, c_module, c_shape, grammars
from .emit.writer import write_if_changed
from .load import load_named
from .prove_solvers import Answer
from .prove_table import Outcome
from .prove_work import Workers

SUPPORT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support")
SOLVERS = ("z3", "cvc4")
# The name that our solver has for WP.
KEEPER = "Keep"
GOAL = re.compile(r"^\[wp\] \[([^\]]+)\] Goal (\S+)(?: : (\w+))?")
TOTAL = re.compile(r"^\[wp\] Proved goals:\s+(\d+) / (\d+)", re.M)
# A goal is in a file, of this number.
KEPT = re.compile(r"^  \[Why3 Error\] anomaly: Mrg_goals\.Kept\((\d+)\)$")
# Our solver is none: it stands for what is done with a goal before one is asked. 14 is the format of Why3 1.5.
WHY3 = """[main]
magic = 14

[prover]
name = "{name}"
version = "1"
command = "false"
driver = "{driver}"
editor = ""
in_place = false
interactive = false
shortcut = "keep"
"""
MODULES = ("mrg_goals.ml", "mrg_wp.ml")
# The part of mrg.h that is written for any C compiler is proved: other compilers' ways to load a number are none of ACSL's.
# So are readers without vectors.
CPP = "-U__GNUC__ -U__SIZEOF_INT128__ -U__SSE2__ -DMRG_PROVE"
# What WP simplifies by following branches costs more than it spares solvers; and what constant tables hold, which it says of all of them
# to each function, no goal is of.
SIMPLER = ("-wp-no-core", "-wp-no-pruning", "-wp-no-ground", "-wp-no-parasite", "-wp-no-init-const")
OPEN = os.path.join(SUPPORT, "prove", "open.list")
# Names of functions of mrg.h that checks and accessors call.
OWN = re.compile(r"^static (?:inline )?[^;]*?(\w+)\([^;]*\);", re.M)
DEFINED = re.compile(r"^(?:(?:static|inline|MRG_\w+) )*[A-Za-z_][\w ]*?[ *]+(?!MRG_FOR)(\w+)\([^;{}]*\)\n\{", re.M)
OF_VECTORS = re.compile(r"^[\w ]+ MRG_FOR\((\w+)\)\([^;{}]*\)\n\{", re.M)
# Functions that Frama-C is asked about at a time: it reads the file, and Why3's library, once for them.
PART = 96
# A solver's seconds for what bears on a goal: at first, and where no solver shows it. What none shows so is asked again, with all that
# WP says and the seconds of --timeout.
SHORT = (1, 4)
# And those of a solver for a goal that another has shown: whether it does, too, is worth no more.
SECOND = 0.5
# Goals that a solver is asked together at first, and its seconds for each.
FEW, GLANCE = 32, 0.25


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
    """Frama-C, with our modules in it, and the solvers."""

    def __init__(self, folder: str, jobs: int, timeout: int, solvers: Sequence[str]) -> None:
        self.folder, self.timeout, self.solvers = folder, timeout, solvers
        if not solvers or not set(solvers) <= set(SOLVERS):
            raise Missing(f"solvers are {' and '.join(SOLVERS)}")
        for tool in ("frama-c", "why3", "ocamlopt", *solvers):
            if shutil.which(tool) is None:
                raise Missing(f"{tool} is not installed (Debian: frama-c-base why3 ocaml z3 cvc4)")
        os.makedirs(folder, exist_ok=True)
        # Why3's list of solvers is in a file of ours, not the user's.
        self.env = dict(os.environ, WHY3CONFIG=os.path.join(os.path.abspath(folder), "why3.conf"), HOME=os.path.abspath(folder))
        self.version = [self._said(tool, option) for tool, option in (("frama-c", "-version"), *((solver, "--version") for solver in solvers))]
        self.version += [_read(os.path.join(SUPPORT, "prove", name)) for name in (*MODULES, "mrg_goals.drv")]
        self._why3()
        self.module = self._module()
        self.workers = Workers(jobs)
        self.known: dict[str, set[str]] = {}  # who shows a goal: many are the same to the letter

    def _said(self, *command: str) -> str:
        return subprocess.run(command, env=self.env, capture_output=True, text=True, check=False).stdout.strip()

    def _why3(self) -> None:
        """The driver of our solver, and what is read of Why3's library."""
        why3, share = self._said("why3", "--print-datadir"), self._said("frama-c", "-print-share-path")
        driver, library = (os.path.join(os.path.abspath(self.folder), name) for name in ("mrg_goals.drv", "library"))
        drivers = os.path.join(why3, "drivers")
        text = _read(os.path.join(SUPPORT, "prove", "mrg_goals.drv")).replace("DRIVERS", drivers)
        write_if_changed(driver, text)
        write_if_changed(self.env["WHY3CONFIG"], WHY3.format(name=KEEPER, driver=driver))
        texts = [text, *(_read(path) for path in re.findall(r'^import "([^"]+)"', text, re.M))]
        os.makedirs(library, exist_ok=True)
        prove_library.write(library, os.path.join(why3, "stdlib"), os.path.join(share, "wp", "why3", "frama_c_wp"), texts)
        self.env["WHY3LOADPATH"] = library

    def _module(self) -> str:
        for name in MODULES:
            write_if_changed(os.path.join(self.folder, name), _read(os.path.join(SUPPORT, "prove", name)))
        command = ["ocamlopt", "-shared", "-I", self._said("frama-c", "-print-lib-path"), "-I", "+why3", "-o", "mrg_wp.cmxs", *MODULES]
        made = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, check=False)
        if made.returncode != 0:
            raise Missing(f"{' '.join(command)}:\n{made.stderr}")
        return os.path.join(os.path.abspath(self.folder), "mrg_wp.cmxs")

    def ask(self, asked: Sequence["Asked"]) -> None:
        """Begin with the goals of some functions of files, part by part: first with the greatest parts."""
        parts = []
        for each in asked:
            text = self._text(each.path)
            for few in _even(each.functions):
                parts.append(Part(self, each, few, text))
                each.parts.append(parts[-1].done)
        parts.sort(key=lambda part: -len(part.functions))
        for rank, part in enumerate(parts, 1):
            part.begin(rank)

    def _text(self, path: str) -> bytes:
        """A file as Frama-C sees it, contracts and all that it includes among it."""
        command = ["cc", "-E", "-P", "-CC", "-x", "c", *self._flags(), os.path.abspath(path)]
        done = subprocess.run(command, capture_output=True, check=False)
        if done.returncode != 0:
            raise Missing(f"{' '.join(command)}:\n{done.stderr.decode()[-2000:]}")
        return done.stdout

    def _flags(self) -> list[str]:
        return [*CPP.split(), *(f"-I{os.path.abspath(d)}" for d in (SUPPORT, self.folder))]

    def goals(self, out: Outcome, asked: "Asked", functions: Sequence[str], whole: bool) -> dict[str, str]:
        """What WP asks of some functions: what it simplifies away itself is in `out`, what is left of others is given."""
        with tempfile.TemporaryDirectory(dir=self.folder) as goals:
            command = [
                "frama-c", "-load-module", self.module, "-machdep", "x86_64", f"-cpp-extra-args={' '.join(self._flags())}",
                "-wp", "-wp-rte", "-wp-prover", "keep", *SIMPLER, "-wp-par", "1", "-wp-cache", "none",
                "-wp-warn-key", "pedantic-assigns=inactive", *asked.trusted, "-wp-fct", ",".join(functions), os.path.abspath(asked.path),
            ]  # fmt: skip
            env = dict(self.env, MRG_GOALS=os.path.abspath(goals), **({"MRG_WHOLE": "1"} if whole else {}))
            done = prove_calls.call(command, cwd=self.folder, env=env)
            out.spend("WP", done.seconds)
            total = TOTAL.search(done.stdout)
            if done.status != 0 or total is None:
                raise Missing(f"frama-c ends with {done.status}:\n{done.stdout[-2000:]}")
            left = {}
            lines = done.stdout.splitlines()
            for line, after in zip(lines, [*lines[1:], ""]):
                found = GOAL.match(line)
                if found:
                    who, goal, verdict = found.groups()
                    kept = KEPT.match(after)
                    if kept:
                        left[goal] = _read(os.path.join(goals, f"{kept[1]}.smt2"))
                    elif verdict != "Valid" or who not in ("Qed", "CFG"):
                        raise Missing(f"{asked.path}: {line}\n{after}")
                    out.by[goal] = set() if kept else {"Qed"}
                elif line.startswith("[wp") and "Warning:" in line and line not in out.doubts:
                    out.doubts.append(line)
        if len(out.by) != int(total.group(2)):
            raise Missing(f"{asked.path}: {len(out.by)} goals seen, {total.group(2)} counted")
        return left

    def quick(self, out: Outcome, texts: Sequence[str]) -> dict[str, set[str]]:
        """Some goals, and the solvers that show each of them with little effort, of those that answer many at once sooner."""
        who: dict[str, set[str]] = {text: set() for text in texts if text not in self.known}
        for solver in self.solvers:
            if solver in prove_solvers.QUICK and who:
                shown, used = prove_solvers.together(solver, list(map(prove_solvers.thinner, who)), GLANCE)
                out.spend(solver, used)
                for text, good in zip(who, shown):
                    who[text] |= {solver} if good else set()
        return who

    def who(self, out: Outcome, text: str, who: set[str], seconds: Sequence[float]) -> set[str]:
        """The solvers that show a goal, beside some that do, in the first of some times that suffices for one of them."""
        if text not in self.known:
            asks = Asks(self.solvers, text, who)
            self.known[text] = next(filter(None, (asks.who(out, each) for each in seconds)), set())
        return self.known[text]


class Asks:
    """Solvers that are asked for a goal, again and again with more effort."""

    def __init__(self, solvers: Sequence[str], text: str, who: set[str]) -> None:
        self.shown = who
        self.open = [(solver, goal) for goal in dict.fromkeys((prove_solvers.thinner(text), text)) for solver in solvers]

    def who(self, out: Outcome, seconds: float) -> set[str]:
        """The solvers that show it. One that is asked when another has shown it already is not waited for as long."""
        who = set(self.shown)
        for ask in list(self.open):
            solver, goal = ask
            if solver not in who:
                answer, used = prove_solvers.asks(solver, goal, min(seconds, SECOND) if who else seconds, 1 if who else prove_solvers.LATE)
                out.spend(solver, used)
                who |= {solver} if answer is Answer.SHOWN else set()
                if answer is Answer.AT_A_LOSS:
                    self.open.remove(ask)
        return who


def _even(functions: Sequence[str]) -> list[Sequence[str]]:
    """Parts that are about as great as each other."""
    count = -(-len(functions) // PART)
    return [functions[i * len(functions) // count : (i + 1) * len(functions) // count] for i in range(count)]


class Part:
    """Some functions of a file: WP is asked about them, then the solvers about each goal that it leaves, and at last what is open in full."""

    def __init__(self, prover: Prover, asked: Asked, functions: Sequence[str], text: bytes) -> None:
        self.prover, self.asked, self.functions = prover, asked, functions
        key = hashlib.sha256(text)
        key.update(repr((list(functions), list(prover.solvers), prover.timeout, prover.version, SIMPLER)).encode())
        self.kept = os.path.join(prover.folder, "kept", key.hexdigest() + ".json")
        self.out = Outcome("", functions=len(functions))
        self.done: "Future[Outcome]" = Future()
        self.lock = threading.Lock()
        self.rank = self.waiting = 0

    def begin(self, rank: int) -> None:
        self.rank = rank
        if os.path.exists(self.kept):
            self.out.by = {goal: set(by) for goal, by in json.loads(_read(self.kept)).items()}
            self.out.kept = len(self.out.by)
            self.done.set_result(self.out)
        else:
            self.prover.workers.submit(rank, self._guarded, self._goals)

    def _guarded(self, call: Callable[..., None], *args: Any) -> None:
        try:
            call(*args)
        except Exception as e:  # pylint: disable=broad-except
            with self.lock:
                if not self.done.done():
                    self.done.set_exception(e)

    def _goals(self) -> None:
        self._solve(self.prover.goals(self.out, self.asked, self.functions, False), SHORT, self._open)

    def _open(self) -> None:
        """What no solver shows is asked once more, with all that WP says."""
        if not self.out.open:
            self._end()
            return
        again = Outcome("")
        left = self.prover.goals(again, self.asked, sorted({_function(goal, self.functions) for goal in self.out.open}), True)
        self.out.spend("WP", again.spent["WP"])
        self._solve({goal: left[goal] for goal in self.out.open}, (SHORT[-1], self.prover.timeout), self._end)

    def _solve(self, goals: dict[str, str], seconds: Sequence[float], then: Callable[[], None]) -> None:
        self.waiting = len(goals)
        order = list(goals)
        for i in range(0, len(order), FEW):
            few = {goal: goals[goal] for goal in order[i : i + FEW]}
            self.prover.workers.submit(self.rank, self._guarded, self._quick, few, seconds, then)
        if not goals:
            then()

    def _quick(self, goals: dict[str, str], seconds: Sequence[float], then: Callable[[], None]) -> None:
        mine = Outcome("")
        who = self.prover.quick(mine, list(goals.values()))
        with self.lock:
            self.out.add(mine)
        for goal, text in goals.items():
            self.prover.workers.submit(self.rank, self._guarded, self._ask, goal, text, who.get(text, set()), seconds, then)

    def _ask(self, goal: str, text: str, who: set[str], seconds: Sequence[float], then: Callable[[], None]) -> None:
        mine = Outcome("")
        who = self.prover.who(mine, text, who, seconds)
        with self.lock:
            self.out.add(mine)
            self.out.by[goal] |= who
            self.waiting -= 1
            last = self.waiting == 0
        if last:
            then()

    def _end(self) -> None:
        if not self.out.open and not self.out.doubts:
            os.makedirs(os.path.dirname(self.kept), exist_ok=True)
            write_if_changed(self.kept, json.dumps({goal: sorted(by) for goal, by in self.out.by.items()}))
        self.done.set_result(self.out)


def _function(goal: str, functions: Sequence[str]) -> str:
    """The function that a goal is of."""
    return max((f for f in functions if goal.startswith(f"typed_{f.rstrip('_')}_")), key=len)


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
            prover.ask(asked)
            for each in asked:
                outcomes.append(Outcome(each.title))
                good = _tell(out, each, outcomes[-1]) and good
        finally:
            prover.workers.stop()
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
