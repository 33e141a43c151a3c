"""Branches that no input can take, with their reasons: the lines of untaken.list.

    FILE FUNCTION: TEXT OF THE LINE: N: REASON

is N branches of lines with this text in this function of a generated file. * in FUNCTION and TEXT stands for anything. A line stays
right as long as just N branches of what it is about are untaken: one more, or one less, is a failure.
"""

from __future__ import annotations

import fnmatch
import re
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Optional

import gcov

LINE = re.compile(r"^(\S+) (\S+): (.*?): (\d+): (\S.*)$")


@dataclass(frozen=True)
class Exception_:
    file: str
    function: str
    text: str
    count: int
    reason: str
    line: int

    def is_about(self, counted: gcov.Branches, key: gcov.Key) -> bool:
        return (
            fnmatch.fnmatchcase(key[0], self.file)
            and _like(self.function, key[1])
            and _like(self.text, counted.line(key))
        )


def _like(pattern: str, text: str) -> bool:
    """As it stands, but for *."""
    return re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), text) is not None


class Exceptions:
    def __init__(self, path: Optional[Path]) -> None:
        self.all: list[Exception_] = []
        for number, line in enumerate(path.read_text().splitlines() if path is not None else [], 1):
            if line.strip() and not line.startswith("#"):
                found = LINE.match(line)
                assert found is not None, f"untaken.list:{number}: not FILE FUNCTION: TEXT: N: REASON"
                self.all.append(Exception_(found[1], found[2], found[3], int(found[4]), found[5], number))

    def covers(self, counted: gcov.Branches, key: gcov.Key) -> bool:
        return any(e.is_about(counted, key) for e in self.all if fnmatch.fnmatchcase(key[0], e.file))

    def by_file(self, counted: gcov.Branches) -> dict[str, int]:
        """Of each file, how many branches are excused."""
        out: dict[str, int] = defaultdict(int)
        for key, missing in counted.untaken():
            if self.covers(counted, key):
                out[key[0]] += len(missing)
        return out

    def wrong(self, counted: gcov.Branches) -> list[str]:
        """Exceptions that do not hold: more is untaken, or less, or there is no such line."""
        untaken = list(counted.untaken())
        measured = {key[0] for key in counted.counts}
        out = []
        for e in self.all:
            if not any(fnmatch.fnmatchcase(name, e.file) for name in measured):
                continue
            have = sum(len(missing) for key, missing in untaken if e.is_about(counted, key))
            if have != e.count:
                out.append(f"untaken.list:{e.line}: {have} branches are untaken, not {e.count}: {e.text}")
        return out
