"""The table that `make bench` prints: one row an item."""

from __future__ import annotations

import statistics
import sys
from dataclasses import dataclass, field
from typing import Optional, Sequence


@dataclass(frozen=True)
class Sample:
    """Values of one quantity in the rounds of a run."""

    values: tuple[float, ...]

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    @property
    def spread(self) -> float:
        """Largest minus smallest, as a share of the median."""
        return (max(self.values) - min(self.values)) / self.median if self.median else 0.0


@dataclass
class Row:
    item: str
    unit: str
    ours: Sample
    peer: str = ""
    theirs: Optional[Sample] = None
    target: str = ""  # in words: "<= 1.3x", "<= 40"
    met: Optional[bool] = None
    note: str = ""

    @property
    def ratio(self) -> Optional[float]:
        if self.theirs is None or not self.theirs.median:
            return None
        return self.ours.median / self.theirs.median

    def at_most(self, limit: float) -> Row:
        """The target is a value in the row's unit."""
        self.target, self.met = f"<= {limit:g} {self.unit}", self.ours.median <= limit
        return self

    def at_least(self, limit: float) -> Row:
        self.target, self.met = f">= {limit:g} {self.unit}", self.ours.median >= limit
        return self

    def ratio_at_most(self, limit: float) -> Row:
        self.target, self.met = f"<= {limit:g}x", self.ratio is not None and self.ratio <= limit
        return self

    def at_most_or_ratio(self, limit: float, ratio: float) -> Row:
        """The larger of a value in the row's unit and a share of the peer's."""
        self.target = f"<= {limit:g} {self.unit} or {ratio:g}x"
        self.met = self.ours.median <= limit or (self.ratio is not None and self.ratio <= ratio)
        return self

    def ratio_at_least(self, limit: float) -> Row:
        self.target, self.met = f">= {limit:g}x", self.ratio is not None and self.ratio >= limit
        return self


@dataclass
class Table:
    rows: list[Row] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)

    def add(self, *rows: Row) -> None:
        self.rows.extend(rows)
        for row in rows:
            progress("  " + "  ".join(cells(row)).rstrip())

    def skip(self, item: str, why: object) -> None:
        self.skipped.append(f"{item}: not measured: {why}")
        progress("  " + self.skipped[-1])


HEAD = ("item", "ours", "peer", "theirs", "ratio", "target", "met", "spread", "note")


def number(v: float) -> str:
    if abs(v) >= 10000:
        return f"{v:,.0f}"
    return f"{v:.4g}"


def cells(row: Row) -> tuple[str, ...]:
    met = {True: "yes", False: "NO", None: ""}[row.met]
    spread = f"{row.ours.spread * 100:.0f}%"
    if row.theirs is not None:
        spread += f" / {row.theirs.spread * 100:.0f}%"
    return (
        row.item,
        f"{number(row.ours.median)} {row.unit}",
        row.peer,
        "" if row.theirs is None else number(row.theirs.median),
        "" if row.ratio is None else f"{row.ratio:.2f}",
        row.target,
        met,
        spread,
        row.note,
    )


def layout(lines: Sequence[tuple[str, ...]]) -> str:
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    return "\n".join("  ".join(c.ljust(w) for c, w in zip(line, widths)).rstrip() for line in lines)


def render(table: Table) -> str:
    rule = tuple("-" * len(h) for h in HEAD)
    text = layout([HEAD, rule, *(cells(row) for row in table.rows)])
    wanted = [row for row in table.rows if row.met is not None]
    text += f"\n\n{sum(bool(r.met) for r in wanted)} of {len(wanted)} targets met"
    if table.skipped:
        text += "\n" + "\n".join(table.skipped)
    return text


def progress(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
