#!/usr/bin/env python3
"""tests/run.py itself: a suite that dies, lies, says nothing, tests nothing or was not built is a failure."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from report import ROOT, Report, run  # noqa: E402

# what the suite prints and how it ends -> the total that run.py must give
CASES = {
    "passes": ("print('3 passed, 0 failed')", "3 passed, 0 failed", 0),
    "fails": ("print('2 passed, 1 failed'); exit(1)", "2 passed, 1 failed", 1),
    "check": ("print('75%: Checks: 4, Failures: 1, Errors: 0'); exit(1)", "3 passed, 1 failed", 1),
    "dies": ("import os; print('3 passed, 0 failed', flush=True); os.abort()", "3 passed, 1 failed", 1),
    "silent": ("pass", "0 passed, 1 failed", 1),
    "lies": ("print('3 passed, 0 failed'); exit(2)", "3 passed, 1 failed", 1),
    "empty": ("print('0 passed, 0 failed')", "0 passed, 1 failed", 1),
}


def total(folder: Path, *suites: str, broken: str = "") -> tuple[str, int]:
    """The last line of run.py over some suites, and its exit status."""
    note = folder / "broken"
    if broken:
        note.write_text(broken)
    done = run(sys.executable, ROOT / "tests" / "run.py", "--times", folder / "times", "--broken", note, "--with", folder, *suites)
    note.unlink(missing_ok=True)
    return done.stdout.splitlines()[-1], done.returncode


def main() -> int:
    report = Report()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for case, (code, line, status) in CASES.items():
            suite = folder / f"test_{case}.py"
            suite.write_text(code + "\n")
            got = total(folder, str(suite))
            report.check(case, got == (line, status), str(got))
        good = str(folder / "test_passes.py")
        report.check("sums", total(folder, good, str(folder / "test_fails.py")) == ("5 passed, 1 failed", 1))
        report.check("not built", total(folder, good, str(folder / "absent")) == ("3 passed, 1 failed", 1))
        (folder / "no_program").write_text("3 passed, 0 failed\n")
        report.check("can't be started", total(folder, good, str(folder / "no_program")) == ("3 passed, 1 failed", 1))
        report.check("the build failed", total(folder, good, broken="a build failed\n") == ("3 passed, 1 failed", 1))
        report.check("nothing to run", total(folder) == ("0 passed, 1 failed", 1))
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
