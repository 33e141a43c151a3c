#!/usr/bin/env python3
"""Pages of docs/, followed as a reader would: their files written, their commands run, their output compared."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
sys.path.insert(0, str(Path(__file__).resolve().parent))
from fenced import follow  # noqa: E402
from report import ROOT, Report, clean_environment  # noqa: E402

PAGES = ("tutorial.md", "fuzz.md")


def main() -> int:
    report = Report()
    environment = clean_environment() | {"PATH": f"{ROOT / 'bin'}:{os.environ['PATH']}", "PYTHONDONTWRITEBYTECODE": "1"}
    for page in PAGES:
        with tempfile.TemporaryDirectory() as name:
            follow(ROOT / "docs" / page, Path(name), environment, report)
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
