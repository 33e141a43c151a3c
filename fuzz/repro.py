#!/usr/bin/env python3
"""Kept finds once more, by programs built anew: repro.py FOLDER...

FOLDER is a find, or has finds below it.  Of each it is said whether it is
still there; the end is 1 when one is.  A program that `mrg fuzz` wrote the
sources of is generated again first, others are built by the Makefile.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
PROGRAM = re.compile(r"^repro: '([^']+)'", re.M)
KEY = re.compile(r"^key: (.*)$", re.M)


class Find(NamedTuple):
    folder: Path
    program: Path
    key: str


def finds(folder: Path) -> list[Find]:
    out = []
    for script in sorted({*folder.rglob("repro.sh"), *folder.glob("repro.sh")}):
        why = (script.parent / "why.txt").read_text(errors="replace")
        program, key = PROGRAM.search(why), KEY.search(why)
        if program is not None and key is not None:
            out.append(Find(script.parent, Path(program[1]), key[1]))
    return out


def build(program: Path) -> str:
    """Anew from what it is made of.  What went wrong; empty: nothing."""
    make = [os.environ.get("MAKE", "make"), "-s"]
    points = program.parent / "points.json"
    if points.exists():
        specs = json.loads(points.read_text())["specs"]
        commands: list[list[str]] = [[*make, "-C", str(program.parent)]]
        if all((ROOT / spec).exists() for spec in specs):
            commands.insert(0, [str(ROOT / "bin" / "mrg"), "fuzz", *specs, "-o", str(program.parent)])
    elif ROOT in program.parents:
        commands = [[*make, str(program.relative_to(ROOT))]]
    else:
        commands = []
    for command in commands:
        done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode != 0:
            return done.stdout
    return "" if program.exists() else f"{program} is not there"


def again(find: Find) -> str:
    command = ["sh", str(find.folder / "repro.sh"), str(find.program)]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
    if done.returncode == 0:
        return "gone"
    if done.returncode == 2:
        return "can't be run"
    now = KEY.search(done.stdout)
    return "still there" if now is None or now[1] == find.key else f"still wrong, another way: {now[1]}:"


def main() -> int:
    folders = [Path(name).resolve() for name in sys.argv[1:]]
    missing = [folder for folder in folders if not folder.is_dir()]
    if missing:
        print(f"no such folder: {missing[0]}")
        return 2
    found = [find for folder in folders for find in finds(folder)]
    if not found:
        print("no finds")
    status = 0
    for program in sorted({find.program for find in found}):
        why = build(program)
        if why:
            print(f"{program} can't be built:\n{why}")
            return 2
    for find in found:
        said = again(find)
        print(f"{find.folder}: {said}: {find.key}")
        status = max(status, {"gone": 0, "can't be run": 2}.get(said, 1))
    return status


if __name__ == "__main__":
    sys.exit(main())
