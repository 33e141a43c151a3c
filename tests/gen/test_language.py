#!/usr/bin/env python3
"""specs/LANGUAGE.md is true: its examples compile, to C too, and it is complete.

Each ```mrg block is a module of its own.  It must pass `mrg check`, be in
canonical form, and become C that gcc and clang take with our warnings.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Callable, Optional

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(ROOT / "gen"))

from mrg import errors, fmt, load, main as command, textforms  # noqa: E402

PAGE = ROOT / "specs" / "LANGUAGE.md"
FLAGS = "-std=c11 -O2 -Wall -Wextra -Wconversion -Wshadow -Wcast-qual -Wvla -Werror -ffreestanding -c -o /dev/null".split()


def blocks() -> list[tuple[int, str]]:
    """The examples, with the lines where they begin."""
    text = PAGE.read_text()
    return [(text.count("\n", 0, m.start()) + 2, m[1]) for m in re.finditer(r"^```mrg\n(.*?)^```$", text, re.M | re.S)]


def module_name(text: str) -> str:
    m = re.search(r"^module ([\w.]+)", text, re.M)
    return m[1] if m else "example"


def put(text: str, folder: str) -> str:
    """The block as a file where its module's name says."""
    path = os.path.join(folder, module_name(text).replace(".", "/") + ".mrg")
    os.makedirs(os.path.dirname(path), exist_ok=True)
    Path(path).write_text(text)
    return path


def checks(text: str) -> Optional[str]:
    with tempfile.TemporaryDirectory() as folder:
        try:
            load.load([put(text, folder)], [str(ROOT / "specs")])
        except errors.Failed as failed:
            return failed.render()
    return None


def canonical(text: str) -> Optional[str]:
    after = fmt.format_text(text)
    if after != text:
        return f"mrg fmt would write:\n{after}"
    return None


def to_c(text: str) -> Optional[str]:
    with tempfile.TemporaryDirectory() as folder:
        path, out = put(text, folder), os.path.join(folder, "out")
        try:
            if command.main(["c", path, "-I", str(ROOT / "specs"), "-o", out]) != 0:
                return "mrg c failed"
        except Exception as e:  # a back end that crashes fails this example, not the run
            return f"mrg c: {type(e).__name__}: {e}"
        for source in sorted(Path(out).rglob("*.c")):
            if source.name.startswith("mrg_"):
                continue  # gen/support has tests of its own
            for cc in filter(shutil.which, ("gcc", "clang")):
                done = subprocess.run([cc, *FLAGS, "-I", out, str(source)], capture_output=True, text=True)
                if done.returncode != 0:
                    return f"{cc} {source.name}:\n{done.stderr[:3000]}"
    return None


def complete() -> list[str]:
    """What the compiler has and the page does not mention."""
    text = PAGE.read_text()
    words = [f"`{name}" for name in textforms.FORMS]
    words += ["`must`", "`warn`", "`send`", "MRG_E_", "`len(msg)`", "`here`", "`avail`", "`shared`"]
    cases = {p.stem for p in (HERE / "err").glob("*.mrg")}
    table = text[text.index("## Requirements") :]
    named = {w for w in re.findall(r"`([a-z]+_[a-z0-9_]+)`", table)}
    return [w for w in words if w not in text] + [f"case {n} (named in the table)" for n in sorted(named - cases)]


def main() -> int:
    passed = failed = 0
    steps: list[tuple[str, Callable[[str], Optional[str]]]] = [("check", checks), ("fmt", canonical), ("c", to_c)]
    for line, text in blocks():
        for name, step in steps:
            problem = step(text)
            passed += problem is None
            failed += problem is not None
            print(f"{'ok' if problem is None else 'FAIL'} LANGUAGE.md:{line} {name}")
            if problem is not None:
                print(problem)
                break
    missing = complete()
    print(f"{'FAIL' if missing else 'ok'} the page is complete")
    for one in missing:
        print(f"  not on the page: {one}")
    passed += not missing
    failed += bool(missing)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


sys.exit(main())
