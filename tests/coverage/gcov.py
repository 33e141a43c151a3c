"""Branches of generated C, as gcov counts them, of all objects of a folder together.

A branch is known by its file, function, line and place among those of the line; a function of a header that is in several
objects is counted in all of them.
"""

from __future__ import annotations

import json
import subprocess
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Iterator

Key = tuple[str, str, int]  # file below the generated folder, function, line


@dataclass
class Branches:
    """How often each was taken."""

    generated: Path
    counts: dict[Key, list[int]] = field(default_factory=dict)

    def files(self) -> dict[str, tuple[int, int]]:
        """Of each file: branches taken, and how many there are."""
        out: dict[str, list[int]] = defaultdict(lambda: [0, 0])
        for (name, _, _), counts in self.counts.items():
            out[name][0] += sum(c > 0 for c in counts)
            out[name][1] += len(counts)
        return {name: (taken, of) for name, (taken, of) in sorted(out.items())}

    def untaken(self) -> Iterator[tuple[Key, list[int]]]:
        """Lines with branches that were never taken, and which these are."""
        for key, counts in sorted(self.counts.items(), key=lambda pair: (pair[0][0], pair[0][2], pair[0][1])):
            missing = [i for i, c in enumerate(counts) if c == 0]
            if missing:
                yield key, missing

    def line(self, key: Key) -> str:
        """The text of a line, blanks put together."""
        if key[0] not in _texts:
            _texts[key[0]] = (self.generated / key[0]).read_text().splitlines()
        return " ".join(_texts[key[0]][key[2] - 1].split())

    def add(self, key: Key, counts: list[int]) -> None:
        have = self.counts.setdefault(key, [0] * len(counts))
        assert len(have) == len(counts), f"{key} has {len(have)} branches in one object and {len(counts)} in another"
        self.counts[key] = [a + b for a, b in zip(have, counts)]


_texts: dict[str, list[str]] = {}


def read(folder: Path, generated: Path) -> Branches:
    """What the objects below a folder counted of the files below `generated`."""
    out = Branches(generated)
    notes = sorted(map(str, [*folder.glob("*.gcno"), *(folder / "gen").rglob("*.gcno")]))  # beside them are folders of other builds
    done = subprocess.run(["gcov", "--branch-counts", "--branch-probabilities", "--json-format", "--stdout", *notes],
                          cwd=folder, capture_output=True, text=True)  # fmt: skip
    for text in done.stdout.splitlines():
        if not text.startswith("{"):
            continue
        for file in json.loads(text)["files"]:
            path = Path(file["file"])
            if not path.is_relative_to(generated):
                continue
            name = str(path.relative_to(generated))
            for line in file["lines"]:
                if line["branches"]:
                    out.add((name, line.get("function_name", ""), line["line_number"]), [b["count"] for b in line["branches"]])
    return out
