"""Fenced blocks of a Markdown file, run as they stand.

    ```c program.c      a file: its name, and what is in it
    ```sh               a session: "$ command" lines, each followed by just what it prints ("..." stands for any lines)
"""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from report import Report

FENCE = re.compile(r"^```(\w+)(?: +(\S+))?\n(.*?)^```$", re.M | re.S)


@dataclass(frozen=True)
class Block:
    kind: str
    name: str
    text: str
    line: int


@dataclass(frozen=True)
class Step:
    command: str
    wanted: str
    line: int


def blocks(path: Path) -> list[Block]:
    text = path.read_text()
    return [Block(m[1], m[2] or "", m[3], text.count("\n", 0, m.start()) + 1) for m in FENCE.finditer(text)]


def steps(block: Block) -> list[Step]:
    """The commands of a session and the output that each is to have."""
    found: list[Step] = []
    lines = block.text.splitlines()
    number = 0
    while number < len(lines):
        command = lines[number].removeprefix("$ ")
        line = block.line + number + 1
        if not lines[number].startswith("$ "):
            raise ValueError(f"line {line}: output without a command")
        while command.endswith("\\"):
            number += 1
            command += "\n" + lines[number]
        number += 1
        start = number
        while number < len(lines) and not lines[number].startswith("$ "):
            number += 1
        found.append(Step(command, "".join(text + "\n" for text in lines[start:number]), line))
    return found


def run_step(step: Step, folder: Path, environment: dict[str, str]) -> tuple[bool, str]:
    """Whether it printed what the text says, and what it printed."""
    done = subprocess.run(["sh", "-c", step.command], cwd=folder, env=environment, text=True, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=300)
    pattern = "".join(r"(?:.*\n)*?" if row == "...\n" else re.escape(row) for row in step.wanted.splitlines(keepends=True))
    return re.fullmatch(pattern, done.stdout) is not None, done.stdout


def follow(page: Path, folder: Path, environment: dict[str, str], report: Report) -> None:
    """Write the page's files and run its commands; a check each."""
    commands = 0
    for block in blocks(page):
        if block.name:
            (folder / block.name).write_text(block.text)
        elif block.kind == "sh":
            for step in steps(block):
                commands += 1
                good, output = run_step(step, folder, environment)
                report.check(f"docs/{page.name}:{step.line}: {step.command}", good, f"printed:\n{output}wanted:\n{step.wanted}")
    report.check(f"docs/{page.name} has commands", commands > 0)
