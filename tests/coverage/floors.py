"""What may not be fallen below: the lines of floors.list, FILE: BRANCHES.

BRANCHES is how many of a generated file may be untaken when all of specs/ is measured, those left out that untaken.list excuses. Of a file without
a line all are taken.
"""

from __future__ import annotations

from pathlib import Path
from typing import Mapping

import gcov


def read(path: Path) -> dict[str, int]:
    lines = [line.rsplit(": ", 1) for line in path.read_text().splitlines() if line.strip() and not line.startswith("#")]
    return {name: int(most) for name, most in lines}


def untaken(counted: gcov.Branches, excused: Mapping[str, int]) -> dict[str, int]:
    """Of each file with such branches, how many are untaken and not excused."""
    every = {name: of - taken - excused.get(name, 0) for name, (taken, of) in counted.files().items()}
    return {name: count for name, count in every.items() if count > 0}


def write(path: Path, counted: gcov.Branches, excused: Mapping[str, int]) -> None:
    """What is untaken now is what may be."""
    head = [line for line in path.read_text().splitlines() if line.startswith("#")]
    path.write_text("\n".join([*head, *(f"{name}: {n}" for name, n in untaken(counted, excused).items())]) + "\n")


def wrong(path: Path, counted: gcov.Branches, excused: Mapping[str, int]) -> list[str]:
    """Files in which more branches are untaken than may be."""
    may = read(path)
    return [f"{name}: {n} branches are untaken, {may.get(name, 0)} may be" for name, n in untaken(counted, excused).items() if n > may.get(name, 0)]
