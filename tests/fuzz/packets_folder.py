"""The folder that `mrg fuzz` writes of all specifications, built: more than one suite needs it, and any may be the first."""

from __future__ import annotations

import fcntl
import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from report import OUT, ROOT, Report, make, run  # noqa: E402

FOLDER = ROOT / OUT / "fuzz" / "packets"
# What a runner says last of a subject: its name, cases, accepted of each hundred, points reached, of how many, what is missing, finds, crashes, hangs.
SUMMARY = re.compile(r"^(\S+): (\d+) execs, ([\d.]+) % accepted, spec (\d+)/(\d+)(.*), (\d+) finds, (\d+) crashes, (\d+) hangs", re.M)
MADE = FOLDER.parent / "packets.made"


def is_new(specs: list[Path]) -> bool:
    """Nothing that it is made of has changed since."""
    folders = [ROOT / "gen", ROOT / "bin", *{p.parent for p in specs}]
    makers = [p for p in (ROOT / "gen").rglob("*") if p.suffix in (".py", ".c", ".h")]
    return MADE.exists() and max(p.stat().st_mtime_ns for p in [*specs, *makers, *folders]) < MADE.stat().st_mtime_ns


def built(report: Report) -> bool:
    specs = sorted((ROOT / "specs").rglob("*.mrg"))
    FOLDER.parent.mkdir(parents=True, exist_ok=True)
    with open(FOLDER.parent / "packets.lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not is_new(specs):
            told = run(ROOT / "bin/mrg", "fuzz", *specs, "-o", FOLDER)
            if not report.check("mrg fuzz", told.returncode == 0, told.stdout):
                return False
            MADE.touch()
        done = make("-C", FOLDER, "-j2", "-s", "CFLAGS=-O1 -g")
        return report.check("what it wrote builds", done.returncode == 0, done.stdout[-3000:])
