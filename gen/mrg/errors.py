"""Diagnostics: collected, sorted by place, printed with the line they are about.

    dns/rr.mrg:41:12: error: in packet 'Rr': unknown field 'rdlen' (did you mean 'rdlength'?)
        rdata: rest within rdlen;
                           ^~~~~
    dns/rr.mrg:38:3: note: 'rdlength' is declared here
        rdlength: u16;
        ^~~~~~~~
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Iterable, Optional, Sequence

from .source import Span

MOST = 50  # diagnostics shown in one run
SHOWN = 160  # characters of a source line shown


@dataclass
class Note:
    span: Span
    text: str


@dataclass
class Diagnostic:
    """One error.  `context` says what it is in, e.g. "packet 'Rr'"."""

    span: Optional[Span]
    text: str
    context: str = ""
    notes: list[Note] = field(default_factory=list)

    def render(self) -> str:
        inside = f"in {self.context}: " if self.context else ""
        if self.span is None:
            return f"mrg: error: {inside}{self.text}\n"
        out = _at(self.span, "error", inside + self.text)
        for note in self.notes:
            out += _at(note.span, "note", note.text)
        return out


class Failed(Exception):
    """A run that had errors; `errors` are in the order to show them."""

    def __init__(self, errors: Sequence[Diagnostic]) -> None:
        super().__init__("\n".join(e.render() for e in errors))
        self.errors = list(errors)

    def render(self) -> str:
        out = "".join(e.render() for e in self.errors[:MOST])
        if len(self.errors) > MOST:
            out += f"mrg: {len(self.errors) - MOST} more errors not shown\n"
        return out


class Skip(Exception):
    """What is being worked on can't go on; the reason was reported already."""


class Errors:
    """The collector that every pass reports to."""

    def __init__(self) -> None:
        self.found: list[Diagnostic] = []
        self.context = ""

    def error(self, span: Optional[Span], text: str, notes: Iterable[tuple[Span, str]] = ()) -> Skip:
        """Report; the caller goes on, or raises what this returns."""
        items = [Note(s, t) for s, t in notes]
        self.found.append(Diagnostic(span, text, self.context, items))
        return Skip()

    def stop_if_any(self) -> None:
        if self.found:
            raise Failed(sorted(self.found, key=_order))


def _order(d: Diagnostic) -> tuple[str, int]:
    return ("", 0) if d.span is None else (d.span.source.path, d.span.start)


def _at(span: Span, kind: str, text: str) -> str:
    line, col = span.source.line_col(span.start)
    source = span.source.line(line)
    out = f"{span.source.path}:{line}:{col}: {kind}: {text}\n"
    if not source.strip():
        return out
    indent = len(source) - len(source.lstrip())
    shown = source.strip().replace("\t", " ")
    caret = max(col - 1 - indent, 0)
    first = max(0, caret - SHOWN // 2) if len(shown) > SHOWN else 0
    shown, caret = shown[first : first + SHOWN], caret - first
    width = max(1, min(span.end - span.start, len(shown) - caret))
    return out + f"    {shown.rstrip()}\n    {' ' * caret}^{'~' * (width - 1)}\n"


def closest(name: str, names: Iterable[str]) -> Optional[str]:
    """The name that `name` is probably a misspelling of."""
    best: Optional[str] = None
    limit = max(1, len(name) // 3) + 1
    for other in names:
        if abs(len(other) - len(name)) >= limit:
            continue
        far = _distance(name, other, limit)
        if name.lower() == other.lower():
            far = 0
        elif len(name) > 2 and other.startswith(name):
            far = min(far, 1)
        if far < limit:
            best, limit = other, far
    return best


def meant(name: str, names: Iterable[str]) -> str:
    """" (did you mean 'x'?)", or nothing."""
    other = closest(name, names)
    return f" (did you mean '{other}'?)" if other else ""


def _distance(a: str, b: str, limit: int) -> int:
    """Edit distance with transpositions; `limit` or more means far."""
    before: list[int] = []
    row = list(range(len(b) + 1))
    for i, ca in enumerate(a, 1):
        last, row, before_last = row, [i], before
        for j, cb in enumerate(b, 1):
            cost = min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (ca != cb))
            if i > 1 and j > 1 and ca == b[j - 2] and a[i - 2] == cb:
                cost = min(cost, before_last[j - 2] + 1)
            row.append(cost)
        before = last
        if min(row) >= limit + 1:
            return limit + 1
    return row[-1]
