#!/usr/bin/env python3
"""The compiler's Python: types hold under mypy's strict rules, and only the standard library is imported."""

from __future__ import annotations

import ast
import shutil
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from report import OUT, ROOT, Report  # noqa: E402


def imported(path: Path) -> set[str]:
    """First components of the absolute imports of a file."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(), str(path))):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            names.add(node.module.split(".")[0])
    return names


def main() -> int:
    report = Report()
    files = sorted((ROOT / "gen" / "mrg").rglob("*.py"))
    outside = {f"{p.relative_to(ROOT)}: {name}" for p in files for name in imported(p)
               if name not in sys.stdlib_module_names and name != "mrg"}
    report.none("gen/mrg imports only the standard library", sorted(outside))
    if report.check("mypy is installed (make deps)", shutil.which("mypy") is not None):
        done = subprocess.run(["mypy", "--strict", "--no-error-summary", "--cache-dir", str(ROOT / OUT / "mypy"), "-p", "mrg"],
                              cwd=ROOT / "gen", capture_output=True, text=True)
        report.check("mypy --strict", done.returncode == 0, done.stdout + done.stderr)
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
