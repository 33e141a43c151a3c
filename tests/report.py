"""Counting for the Python suites: check by check, then the one last line that tests/run.py reads."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUILD = Path(os.environ.get("MRG_BUILD", "build"))  # bin/, lib/ and obj/ of the variant under test
OUT = Path(os.environ.get("O", "build"))  # gen/ is common to all variants


class Report:
    def __init__(self) -> None:
        self.passed = 0
        self.failed = 0

    def check(self, name: str, good: bool, detail: str = "") -> bool:
        """One check: `detail` is printed only when it fails."""
        if good:
            self.passed += 1
            return True
        self.failed += 1
        print(f"FAILED {name}" + (f"\n{detail.rstrip()}" if detail else ""))
        return False

    def none(self, name: str, offenders: list[str]) -> bool:
        """One check: the list of offenders is empty."""
        return self.check(name, not offenders, "\n".join("  " + o for o in offenders[:40]))

    def finish(self) -> int:
        print(f"{self.passed} passed, {self.failed} failed")
        return 1 if self.failed else 0


def run(*command: object, cwd: Path = ROOT, **env: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end; its output comes back as text, stdout and stderr together."""
    return subprocess.run([str(c) for c in command], cwd=cwd, env=clean_environment() | env, text=True,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def make(*arguments: object, cwd: Path = ROOT, **env: str) -> subprocess.CompletedProcess[str]:
    return run(os.environ.get("MAKE", "make"), *arguments, cwd=cwd, **env)


def clean_environment() -> dict[str, str]:
    """The environment for a make of our own: the variables given to the outer one hold, its job server does not."""
    kept = {k: v for k, v in os.environ.items() if k not in ("MFLAGS", "MAKELEVEL", "O")}
    kept["MAKEFLAGS"] = re.sub(r"(?:^| )(?:-j\d*|--jobserver-\S+)(?= |$)", "", os.environ.get("MAKEFLAGS", ""))
    return kept
