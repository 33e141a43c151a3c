"""What became of goals, counted: lines and a table."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Sequence


@dataclass
class Outcome:
    """What became of the goals of one file."""

    title: str
    by: dict[str, set[str]] = field(default_factory=dict)  # goal -> who proved it
    spent: dict[str, float] = field(default_factory=dict)  # seconds of processors, by who took them
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
        for who, seconds in other.spent.items():
            self.spend(who, seconds)

    def spend(self, who: str, seconds: float) -> None:
        self.spent[who] = self.spent.get(who, 0.0) + seconds

    def line(self) -> str:
        before = f", {self.kept} kept from before" if self.kept else ""
        goals = f"{len(self.by) - len(self.open)}/{len(self.by)} goals of {self.functions} functions proved"
        return f"{self.title}: {goals}{before}, {sum(self.spent.values()):.0f} s"

    def row(self, solvers: Sequence[str]) -> list[str]:
        """A line of the table: what is counted of whom."""
        asked = [by for by in self.by.values() if "Qed" not in by]
        by_all = sum(by >= set(solvers) for by in asked)
        counts = [self.functions, len(self.by), len(self.by) - len(asked), *(sum(name in by for by in asked) for name in solvers), by_all]
        return [self.title, *map(str, counts), str(len(self.open)), str(self.kept), *(f"{self.spent.get(name, 0.0):.0f}" for name in ("WP", *solvers))]


def together(outcomes: Sequence[Outcome]) -> Outcome:
    out = Outcome("all")
    for outcome in outcomes:
        out.add(outcome, f"{outcome.title}: ")
    return out


def heads(solvers: Sequence[str]) -> list[str]:
    return ["of", "functions", "goals", "simplified", *(f"by {name}" for name in solvers), "by all", "open", "kept", "CPU s: WP", *solvers]


def table(rows: Sequence[Sequence[str]]) -> str:
    wide = [max(map(len, column)) for column in zip(*rows)]
    return "".join("  ".join([row[0].ljust(wide[0]), *(c.rjust(w) for c, w in zip(row[1:], wide[1:]))]) + "\n" for row in rows)
