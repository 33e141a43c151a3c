#!/usr/bin/env python3
"""Negative specifications: each err/NAME.mrg must fail with just err/NAME.err.
NAME.files lists files that are loaded with it; NAME.trace is a trace of its machine, and what is wrong.

Also counts the places in the front end that report an error, and fails when
one of them is reached by no case.  `--update` writes the .err files.
"""

from __future__ import annotations

import ast
import os
import sys
from pathlib import Path
from typing import Any, Optional

HERE = Path(__file__).resolve().parent
GEN = HERE.parent.parent / "gen"
sys.path.insert(0, str(GEN))

from mrg import errors, load, prove, trace  # noqa: E402

Site = tuple[str, int]
reached: set[Site] = set()


def watch() -> None:
    """Note who reports an error."""
    report, unproved = errors.Errors.error, prove.Unproved.__init__

    def noted(self: errors.Errors, *args: Any, **more: Any) -> errors.Skip:
        frame = sys._getframe(1)
        reached.add((os.path.basename(frame.f_code.co_filename), frame.f_lineno))
        return report(self, *args, **more)

    def noted_unproved(self: prove.Unproved, why: str) -> None:
        frame = sys._getframe(1)
        reached.add((os.path.basename(frame.f_code.co_filename), frame.f_lineno))
        unproved(self, why)

    setattr(errors.Errors, "error", noted)
    setattr(prove.Unproved, "__init__", noted_unproved)


def sites() -> dict[Site, str]:
    """Every call of Errors.error and Unproved in the front end."""
    out: dict[Site, str] = {}
    for path in sorted((GEN / "mrg").glob("*.py")):
        text = path.read_text()
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Call) and _reports(node.func):
                out[path.name, node.lineno] = text.splitlines()[node.lineno - 1].strip()
    return out


def _reports(f: ast.expr) -> bool:
    if isinstance(f, ast.Name):
        return f.id == "Unproved"
    if not isinstance(f, ast.Attribute) or f.attr != "error":
        return False
    return isinstance(f.value, ast.Attribute) and f.value.attr == "errors" or isinstance(f.value, ast.Name) and f.value.id == "errors"


def outcome(name: str) -> str:
    """What the compiler says about a case."""
    more, seen = Path(name + ".files"), Path(name + ".trace")
    try:
        modules = load.load([name + ".mrg", *(more.read_text().split() if more.exists() else [])], [])
        if seen.exists():
            trace.read(modules[-1].machines[0], seen.name, seen.read_text())
    except errors.Failed as failed:
        return failed.render()
    return "no error\n"


def run(name: str, update: bool) -> Optional[str]:
    """None when the case is as expected, else what is wrong."""
    got = outcome(name)
    expected = Path(name + ".err")
    if update:
        expected.write_text(got)
    if not expected.exists():
        return f"no {name}.err"
    want = expected.read_text()
    if got == "no error\n":
        return "compiled, but must not"
    return None if got == want else f"--- expected\n{want}--- got\n{got}"


def main() -> int:
    update = "--update" in sys.argv
    os.chdir(HERE / "err")
    watch()
    names = sorted({p.stem for p in Path(".").glob("*.mrg")} | {p.stem for p in Path(".").glob("*.err")})
    failed = 0
    for name in names:
        problem = run(name, update)
        failed += problem is not None
        print(f"{'ok' if problem is None else 'FAIL'} {name}")
        if problem is not None:
            print(problem)
    missed = {site: line for site, line in sites().items() if site not in reached}
    print(f"{'ok' if not missed else 'FAIL'} every place that reports an error is reached ({len(sites())})")
    for (file, number), line in missed.items():
        print(f"  {file}:{number}: {line}")
    failed += bool(missed)
    print(f"{len(names) + 1 - failed} passed, {failed} failed")
    return 1 if failed else 0


sys.exit(main())
