"""Specification files and places in them.

A `Source` is one file's text; a `Span` is a stretch of it.  Line and column
are worked out only when somebody asks, since most spans are never shown.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import NamedTuple

from . import ir


class Source:
    """One file.

    path: as shown to people in diagnostics, e.g. "specs/dns/rr.mrg".
    name: relative to the spec root, e.g. "dns/rr.mrg"; the same on every
    machine, so it is what goes into the IR and generated files.
    """

    def __init__(self, path: str, text: str, name: str = "") -> None:
        self.path = path
        self.text = text
        self.name = name or path
        self._starts: list[int] = []

    def _lines(self) -> list[int]:
        if not self._starts:
            self._starts = [0]
            at = self.text.find("\n")
            while at >= 0:
                self._starts.append(at + 1)
                at = self.text.find("\n", at + 1)
        return self._starts

    def line_col(self, pos: int) -> tuple[int, int]:
        """Line and column of an offset, both from 1."""
        starts = self._lines()
        line = bisect_right(starts, pos)
        return line, pos - starts[line - 1] + 1

    def offset(self, line: int, col: int) -> int:
        """The offset of a line and column."""
        return self._lines()[line - 1] + col - 1

    def line(self, number: int) -> str:
        """Text of a line, without its end."""
        starts = self._lines()
        end = starts[number] - 1 if number < len(starts) else len(self.text)
        return self.text[starts[number - 1] : end].rstrip("\r")


class Span(NamedTuple):
    """Characters start..end (exclusive) of a source."""

    source: Source
    start: int
    end: int

    @property
    def line(self) -> int:
        return self.source.line_col(self.start)[0]

    def loc(self) -> ir.Loc:
        line, col = self.source.line_col(self.start)
        return ir.Loc(self.source.name, line, col)

    def text(self) -> str:
        return self.source.text[self.start : self.end]

    def to(self, other: Span) -> Span:
        """From this span's first character to the other's last."""
        return Span(self.source, self.start, max(self.end, other.end))
