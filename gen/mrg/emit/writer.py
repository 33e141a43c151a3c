"""Text of a C file under construction: lines, indentation, write-if-changed."""

from __future__ import annotations

import os
import re
from contextlib import contextmanager
from typing import Iterator, Optional


class Writer:
    def __init__(self) -> None:
        self.lines: list[str] = []
        self.depth = 0
        self.contracts: Optional[dict[str, str]] = None  # ACSL before functions and behind structs, by their names; None: none is wanted

    def line(self, text: str = "") -> None:
        self.lines.append("\t" * self.depth + text if text else "")

    def raw(self, text: str) -> None:
        self.lines.extend(text.rstrip("\n").split("\n"))

    def comment(self, text: str) -> None:
        """A block comment; empty text writes nothing."""
        rows = text.replace("*/", "* /").strip().split("\n")
        if rows == [""]:
            return
        if len(rows) == 1:
            self.line(f"/* {rows[0].strip()} */")
            return
        self.line("/*")
        for row in rows:
            self.line(f" * {row.rstrip()}".rstrip())
        self.line(" */")

    def proof(self, text: str) -> None:
        """An annotation in ACSL, where they are wanted."""
        if self.contracts is None or not text:
            return
        if text.startswith("//"):
            self.line(text)
            return
        first, *more = text.split("\n")
        self.line(f"/*@ {first}{'' if more else ' */'}")
        for i, row in enumerate(more):
            self.line(f"    {row}{' */' if i + 1 == len(more) else ''}")

    def contract(self, head: str) -> None:
        """The annotation of the function, or struct, that is declared by `head`."""
        if self.contracts is None:
            return
        found = re.search(r"(\w+)\(", head)
        self.proof(self.contracts.get(found.group(1) if found else head, ""))

    @contextmanager
    def block(self, head: str, tail: str = "}") -> Iterator[None]:
        """`head {` ... `}`; an empty head opens a bare block."""
        self.line(f"{head} {{" if head else "{")
        self.depth += 1
        yield
        self.depth -= 1
        self.line(tail)

    @contextmanager
    def function(self, head: str) -> Iterator[None]:
        """A function: the brace on its own line."""
        self.contract(head)
        self.line(head)
        self.line("{")
        self.depth += 1
        yield
        self.depth -= 1
        self.line("}")
        self.line()

    def text(self) -> str:
        while self.lines and not self.lines[-1]:
            self.lines.pop()
        return "\n".join(self.lines) + "\n"


def write_if_changed(path: str, text: str) -> bool:
    """Write unless the file already says just that; True when written."""
    try:
        with open(path, encoding="utf-8") as f:
            if f.read() == text:
                return False
    except FileNotFoundError:
        pass
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)
    return True
