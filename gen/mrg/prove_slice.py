"""Goals in SMT-LIB, as WP has Why3 write them: what of each bears on it, and what a solver says to many of them at once.

Why3 puts before each goal all that WP's library says of memory, numbers and bits: a thousand lines, which take a solver longer than the
goal, and lead it astray. A goal that follows from some of what is taken for granted follows from all of it: so solvers are given the
definitions of what the goal speaks of, and what is said of those alone. What they can't show of that they are asked again in full.
Their effort is counted in their own units, not in seconds: what is proved doesn't depend on what else a machine does.
"""

from __future__ import annotations

import functools
import math
import re
import tempfile
from dataclasses import dataclass
from typing import Sequence

from . import prove_calls

WORD = re.compile(r"[A-Za-z_][\w!'.]*")
HEAD = re.compile(r"\(([\w-]+)\s*\(?\s*([^\s()]*)")
TOKEN = re.compile(r"[()]|^;.*", re.M)
DECLARES = ("declare-sort", "declare-const", "declare-fun", "define-fun", "define-fun-rec", "define-sort")
SAYS = ("set-logic", "set-info", "set-option", "check-sat", "get-info")
# About how much a solver does in a second.
UNITS = {"cvc4": 250_000, "z3": 3_000_000}
CALLS = {"cvc4": ["cvc4", "--lang=smt2", "--rlimit={}"], "z3": ["z3", "rlimit={}"]}
# Where that is far from the truth, a solver is stopped after so many times the processor's seconds that it should take.
LATE = 4
LOGIC = {"cvc4": "(set-logic AUFDTNIRA)\n", "z3": ""}


@dataclass
class Form:
    """One form of a file: `of`, what is declared there or what an axiom is the definition of; `uses`, the declared words in it."""

    text: str
    kind: str  # "declaration", "definition", "axiom", "goal", "other"
    of: str
    uses: frozenset[str]


def read(text: str) -> list[Form]:
    """The forms of a file but for those that say what is to be done with it."""
    rows = [row for block in text.split("\n\n") for row in _rows(block) if row.head not in SAYS]
    declared = {row.word for row in rows if row.head in DECLARES}
    out = []
    for row in rows:
        uses = row.words & declared
        defined = re.sub(r"(?:'def|_def)$", "", row.name)
        if row.head in DECLARES:
            out.append(Form(row.text, "declaration", row.word, uses - {row.word}))
        elif row.head != "assert":
            out.append(Form(row.text, "other", "", uses))
        elif row.name.startswith("Goal "):
            out.append(Form(row.text, "goal", "", uses))
        elif defined != row.name and defined in uses:
            out.append(Form(row.text, "definition", defined, uses))
        else:
            out.append(Form(row.text, "axiom", "", uses))
    return out


@dataclass(frozen=True)
class _Row:
    """A form, the name in the comment before it, its first word, and the word after that."""

    text: str
    name: str
    head: str
    word: str
    words: frozenset[str]


@functools.lru_cache(maxsize=4096)
def _rows(block: str) -> list[_Row]:
    """The forms between two empty lines: most are the same in all goals."""
    out = []
    name = ""
    start = depth = 0
    for token in TOKEN.finditer(block):
        what = token[0]
        if what == "(":
            start = token.start() if depth == 0 else start
            depth += 1
        elif what == ")":
            depth -= 1
            if depth == 0:
                form = block[start : token.end()]
                head = HEAD.match(form)
                out.append(_Row(form, name, head[1] if head else "", head[2] if head else "", frozenset(WORD.findall(form))))
        elif depth == 0:
            name = what.strip("; ")
    return out


def whole(forms: Sequence[Form]) -> str:
    return "\n".join(form.text for form in forms)


def needed(forms: Sequence[Form]) -> str:
    """The goal, what defines the words in it, and the axioms about nothing but those."""
    # What stands for types in a language that has none of their variables: known everywhere.
    types = {f.of for f in forms if f.kind == "declaration" and f.text.endswith("() ty)")} | {"sort"}
    known: set[str] = {word for f in forms if f.kind in ("goal", "other") for word in f.uses}
    kept = {i for i, f in enumerate(forms) if f.kind in ("goal", "other")}
    before = -1
    while before != len(kept):
        before = len(kept)
        for i, f in enumerate(forms):
            if i not in kept and (f.of in known | types if f.of else bool(f.uses - types) and f.uses <= known | types):
                kept.add(i)
                known |= f.uses
    return whole([f for i, f in enumerate(forms) if i in kept])


def shows(solver: str, goal: str, seconds: float) -> tuple[bool, float]:
    """Whether a solver shows a goal with about so many seconds of its time, and the seconds that it took."""
    with tempfile.NamedTemporaryFile("w", suffix=".smt2", encoding="utf-8") as f:
        f.write(f"{LOGIC[solver]}{goal}\n(check-sat)\n")
        f.flush()
        call = ["prlimit", f"--cpu={math.ceil(seconds * LATE)}"] + [part.format(int(seconds * UNITS[solver])) for part in CALLS[solver]] + [f.name]
        done = prove_calls.call(call)
    return done.stdout == "unsat\n", done.seconds
