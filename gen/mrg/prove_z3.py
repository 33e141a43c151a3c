"""`mrg prove`: that the IR of packets keeps what back ends rely on, shown by z3.

Apart from prove.py, which finds ranges while a specification is lowered: the
intervals, sizes and `sure` marks of the IR are claims here, and each is to be
shown from the fields' widths and from what a reader has checked.

Reading order: prove, run; then prove_items.py, prove_terms.py, prove_goals.py,
and prove_witness.py for counterexamples.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Optional, Sequence, TextIO

from . import ir
from .errors import Diagnostic, Failed, Note
from .load import load_written
from .prove_goals import Goals, Unmet, load
from .prove_items import Walk
from .prove_witness import Witness, witness
from .source import Source, Span

WORD = re.compile(r"\w+")


@dataclass
class Failure:
    """A goal that was not shown."""

    packet: ir.Packet
    loc: ir.Loc
    what: str
    witness: Witness

    def text(self) -> str:
        return f"{self.what} is not proved: {self.witness.text()}"


@dataclass
class Result:
    """How a packet's proof went."""

    packet: ir.Packet
    goals: int
    failures: list[Failure] = field(default_factory=list)


def prove(packet: ir.Packet, z3: Optional[Any] = None) -> Result:
    """Show all that is claimed of `packet`; raises prove_goals.Missing without z3."""
    z3 = load() if z3 is None else z3
    goals = Goals(z3)
    walk = Walk(goals, packet)
    walk.whole()
    result = Result(packet, goals.count + 1)
    for unmet in goals.unmet:
        result.failures.append(_failure(walk, unmet))
    answer = goals.possible()
    if answer != z3.sat and not goals.unmet:
        why = "the facts contradict each other" if answer == z3.unsat else "the solver can't tell"
        result.failures.append(Failure(packet, packet.loc, "that there is a message", Witness(why)))
    return result


def _failure(walk: Walk, unmet: Unmet) -> Failure:
    return Failure(walk.packet, unmet.goal.loc, f"that {unmet.goal.what}", witness(walk, unmet))


# --- the command ------------------------------------------------------------------


def run(files: Sequence[str], roots: Sequence[str], out: TextIO, err: TextIO) -> int:
    """A line for each specification; errors for what is not proved."""
    z3 = load()
    resolver, modules, named = load_written(files, roots)
    sources = {s.name: s for s in resolver.sources}
    errors: list[Diagnostic] = []
    for m in modules:
        results = [prove(p, z3) for p in m.packets]
        failures = [f for r in results for f in r.failures]
        errors += [diagnostic(f, sources) for f in failures]
        shown = sources[m.path].path if m.path in sources else m.path
        count = sum(r.goals for r in results)
        if results or m.name in named:
            out.write(f"{shown}: {count} obligation{'s' * (count != 1)}, {count - len(failures)} proved\n")
    if errors:
        err.write(Failed(errors).render())
    return 1 if errors else 0


def diagnostic(f: Failure, sources: dict[str, Source]) -> Diagnostic:
    """An error at the place of what was to be proved; the packet that shows it, where there is one, is a note."""
    packet = f.witness.packet()
    note = span_of(f.packet.loc, sources)
    notes = [Note(note, packet)] if packet and note is not None else []
    return Diagnostic(span_of(f.loc, sources), f.text(), f"packet '{f.packet.name}'", notes)


def span_of(loc: ir.Loc, sources: dict[str, Source]) -> Optional[Span]:
    """The word that a place of the IR begins."""
    source = sources.get(loc.file)
    if source is None:
        return None
    start = source.offset(loc.line, loc.col)
    word = WORD.match(source.text, start)
    return Span(source, start, word.end() if word is not None else start + 1)
