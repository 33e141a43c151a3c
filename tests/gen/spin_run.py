"""Machines over a bad channel, tried by SPIN, for the tests."""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "gen"), str(ROOT / "tests")]

from mrg import ir_machine  # noqa: E402
from mrg.emit import promela  # noqa: E402
from mrg.load import load  # noqa: E402
from report import Report, run  # noqa: E402


def machines(text: str, room: Path, name: str) -> list[ir_machine.Machine]:
    """Those of a specification that is written into `room` as `name`."""
    path = room / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return load([str(path)], [str(room)])[-1].machines


def tried(of: list[ir_machine.Machine], ends: list[str], bounds: promela.Bounds, room: Path, *flags: str) -> str:
    """What SPIN says when it has tried everything; `flags` for the C compiler."""
    (room / "m.pml").write_text(promela.model(promela.ends("it", of, ends, bounds), bounds), encoding="utf-8")
    made = run("spin", "-a", "m.pml", cwd=room)
    if made.returncode != 0 or "Error" in made.stdout:
        return made.stdout
    run("gcc", *(flags or ["-O0"]), "-w", "-o", "pan", "pan.c", cwd=room)
    return run("sh", "-c", "./pan -a -f -m100000 -w20 | awk '!seen[$0]++'", cwd=room).stdout


def lines_taken(said: str) -> set[int]:
    """The lines of the specification whose transitions were taken, when compiled with PRINTF."""
    return {int(n) for n in re.findall(r"^ *[ab]: line (\d+): \w+$", said, re.M)}


def sound(report: Report, what: str, said: str) -> None:
    report.check(what, "errors: 0" in said and "State-vector" in said and "max search depth" not in said, said[:1500])


def in_state(report: Report, what: str, text: str, state: str, old: str, new: str) -> str:
    """The specification with a change in one state: of the second machine that has it, if its name ends in '."""
    found = list(re.finditer(rf"^  {state.rstrip(chr(39))} (?:\w+ )*\{{\n.*?^  \}}\n", text, re.M | re.S))
    m = found[state.count("'")] if len(found) > state.count("'") else None
    report.check(f"{what}: there is such a place", m is not None and m[0].count(old) == 1)
    return text if m is None else text[: m.start()] + m[0].replace(old, new) + text[m.end() :]


def changed(report: Report, what: str, text: str, old: str, new: str) -> str:
    report.check(f"{what}: there is such a place", text.count(old) == 1, f"{text.count(old)}")
    return text.replace(old, new)
