"""Folders of `mrg fuzz`, copied and changed: what is planted in one of their files is built anew alone, and run until something is found."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Sequence

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))
from report import BUILD, OUT, ROOT, clean_environment, make, run  # noqa: E402

FLAGS = "CFLAGS=-O1"
QUICK = "CFLAGS=-O0"  # of what is compiled anew for each fault, and run for a moment only


def emit(specs: list[str], folder: Path, targets: Sequence[str] = ("fuzz",), like: Path | None = None) -> str:
    """Write the fuzzer of some specifications, and build it; what went wrong, or nothing.  like: a folder whose objects are as good here."""
    told = run(ROOT / "bin/mrg", "fuzz", *(ROOT / s for s in specs), "-o", folder)
    if told.returncode == 0 and targets:
        if like is not None and like != folder:
            share(like, folder)
        told = make("-s", "-C", folder, FLAGS, *targets)
    return "" if told.returncode == 0 else told.stdout[-3000:]


def share(folder: Path, other: Path) -> None:
    """Give another folder the objects of what is the same in all."""
    for made in folder.glob("obj*/support/*"):
        to = other / made.relative_to(folder)
        if not to.exists():
            to.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(made, to)


def body(text: str, name: str) -> tuple[int, int]:
    """Where the definition of a function or table begins and ends in C as it is generated; (0, 0) when there is none."""
    for m in re.finditer(rf"^[^\s#/*}}].*\b{re.escape(name)}\b.*[^;,\n]\n", text, re.M):
        end = re.compile(r"^}.*\n", re.M).search(text, m.end())
        if end:
            return m.start(), end.end()
    return 0, 0


def dependents(folder: Path, path: str) -> list[Path]:
    """Objects, and the files of what they depend on, which a change of `path` makes stale."""
    word = re.compile(rf"(?:^|\s|\./){re.escape(path)}(?=\s|$)", re.M)
    stale = [d for d in folder.glob("obj*/**/*.d") if word.search(d.read_text())]
    return [d.with_suffix(s) for d in stale for s in (".o", ".d")]


PROGRAMS = ("fuzz", "afl", "mutator.so", "libfuzzer")


def link_tree(folder: Path, room: Path) -> None:
    """A copy that shares its files: who changes one puts another in its place."""
    shutil.rmtree(room, ignore_errors=True)
    shutil.copytree(folder, room, copy_function=os.link, ignore=shutil.ignore_patterns("finds"))


def plant(room: Path, path: str, text: str) -> None:
    """Give a file of the room another text, and take away what was made of the old one."""
    for stale in [*dependents(room, path), *(room / p for p in PROGRAMS), room / path]:
        stale.unlink(missing_ok=True)
    (room / path).write_text(text)


def restore(folder: Path, room: Path, path: str) -> None:
    """The room as the folder is."""
    for back in [*dependents(room, path), *(room / p for p in PROGRAMS), room / path]:
        back.unlink(missing_ok=True)
    for back in [*dependents(folder, path), *(folder / p for p in PROGRAMS), folder / path]:
        if back.exists():
            os.link(back, room / back.relative_to(folder))


@dataclass(frozen=True)
class Find:
    how: str  # crash, hang, verdict, accessor, round trip
    case: int
    why: str


FIND = re.compile(r"^find (\S+): (.*) \(case (\d+), \d+ octets\)$")
KINDS = [("hang", "hang"), ("SIG", "crash"), ("value ", "accessor"), ("number of events", "accessor"), ("written again", "round trip"),
         ("built", "round trip"), ("put/read", "round trip"), ("shared: ", "loads")]


def find_of(line: str) -> Find | None:
    m = FIND.match(line.rstrip())
    if not m:
        return None
    return Find(next((how for key, how in KINDS if m[2].startswith(key)), "verdict"), int(m[3]), m[2])


def first_find(room: Path, subject: str, execs: int, seed: int, bound_s: int) -> Find | None:
    """Run cases of a subject until something is found.  A run that takes more of the processor's time than its bound is one that hangs."""
    shutil.rmtree(room / "finds", ignore_errors=True)
    command = ["sh", "-c", f"ulimit -t {bound_s}; exec \"$@\"", "sh", str(room / "fuzz"), "-q", "-s", subject, "-E", str(execs), "-S", str(seed),
               "-o", str(room / "finds")]
    with subprocess.Popen(command, cwd=room, env=clean_environment(), text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, errors="replace") as p:
        assert p.stdout is not None
        for line in p.stdout:
            found = find_of(line)
            if found:
                p.kill()
                return found
        code = p.wait()
    if code == 0:
        return None
    if code > 0:
        raise ValueError(f"{room / 'fuzz'} -s {subject} ended with {code}, and found nothing")
    return Find("hang" if code in (-signal.SIGXCPU, -signal.SIGKILL) else "crash", 0, f"the runner ended with {code}")
