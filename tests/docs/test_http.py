#!/usr/bin/env python3
"""docs/http.md, followed as a reader would with an installed copy: its program built and asked."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
sys.path.insert(0, str(Path(__file__).resolve().parent))
from fenced import follow  # noqa: E402
from report import OUT, ROOT, Report, clean_environment, make  # noqa: E402


def main() -> int:
    report = Report()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        done = make("install", f"PREFIX={folder}/prefix", f"O={OUT}")
        report.check("make install", done.returncode == 0, done.stdout)
        environment = clean_environment() | {"PKG_CONFIG_PATH": f"{folder}/prefix/lib/pkgconfig"}
        follow(ROOT / "docs" / "http.md", folder, environment, report)
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
