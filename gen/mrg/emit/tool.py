"""Running re2c and Ragel, in an empty folder on files of fixed names: what comes out depends on the input alone."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path
from typing import Sequence


class ToolError(Exception):
    """A program that we need is missing, or refused what we gave it."""


def run(path: str, command: Sequence[str], name: str, text: str, made: str) -> str:
    """The file `made` that the command makes of the file `name`; path: the specification, for messages."""
    with tempfile.TemporaryDirectory() as room:
        Path(room, name).write_text(text, encoding="utf-8")
        try:
            done = subprocess.run(command, cwd=room, capture_output=True, text=True, check=False)
        except FileNotFoundError as e:
            raise ToolError(f"{path}: its grammars need the program '{command[0]}' (Debian: {command[0]})") from e
        if done.returncode != 0:
            raise ToolError(f"{path}: {command[0]} says: {done.stderr.strip()}")
        return Path(room, made).read_text(encoding="utf-8")
