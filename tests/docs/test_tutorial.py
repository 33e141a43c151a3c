#!/usr/bin/env python3
"""docs/tutorial.md, followed as a reader would: its files written, its commands run, its output compared."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
sys.path.insert(0, str(Path(__file__).resolve().parent))
from fenced import blocks, run_step, steps  # noqa: E402
from report import ROOT, Report, clean_environment  # noqa: E402


def main() -> int:
    report = Report()
    environment = clean_environment() | {"PATH": f"{ROOT / 'bin'}:{os.environ['PATH']}", "PYTHONDONTWRITEBYTECODE": "1"}
    commands = 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for block in blocks(ROOT / "docs" / "tutorial.md"):
            if block.name:
                (folder / block.name).write_text(block.text)
            elif block.kind == "sh":
                for step in steps(block):
                    commands += 1
                    good, output = run_step(step, folder, environment)
                    report.check(f"docs/tutorial.md:{step.line}: {step.command}", good, f"printed:\n{output}wanted:\n{step.wanted}")
    report.check("the tutorial has commands", commands > 0)
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
