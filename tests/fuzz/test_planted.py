#!/usr/bin/env python3
"""Faults that are planted in what `mrg fuzz` writes (fuzz/planted.list) can still be planted, and a few of each kind are found.

All of them: make fuzz-planted.
"""

from __future__ import annotations

import shutil
import sys
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from report import OUT, ROOT, Report  # noqa: E402

sys.path.insert(0, str(ROOT / "fuzz"))
import planted  # noqa: E402
import rooms  # noqa: E402

FOLDER = (ROOT / OUT / "fuzz" / "planted-few").resolve()
SPEC = "net/udp"
# Of each way to be found one, with the way; what reads behind an input may meet the page that is not there first.
FEW = {"udp-past-end": ["verdict"], "udp-data-longer": ["accessor", "crash"], "udp-length-built": ["round trip"], "udp-before-start": ["crash"]}
CASES = 20_000


def check_list(report: Report, faults: list[planted.Fault]) -> None:
    names = [f.name for f in faults]
    report.none("each fault has a name of its own", [n for n in names if names.count(n) > 1])
    report.check("there are at least 40", len(faults) >= 40)
    report.none("all can be planted in the C as it is generated now", planted.not_matching(faults, ROOT / OUT / "gen"))
    gone, twice = replace(faults[0], there="not there"), replace(faults[0], there="return")
    report.check("what is not there, or more than once, is an error", len(planted.not_matching([gone, twice], ROOT / OUT / "gen")) == 2)


def check_few(report: Report, faults: list[planted.Fault]) -> None:
    shutil.rmtree(FOLDER, ignore_errors=True)
    error = rooms.emit([f"specs/{SPEC}.mrg"], FOLDER)
    if not report.check("a folder builds", not error, error):
        return
    for subject in ("net.udp.Udp", "net.udp.UdpHeader"):
        find = rooms.first_find(FOLDER, subject, CASES, 1, planted.BOUND_S)
        report.check(f"{subject}: nothing is found where nothing is planted", find is None, str(find))
    for f in faults:
        if f.name in FEW:
            r = planted.try_one(f, FOLDER, CASES, 1)
            report.check(f"{f.name}: found by {' or '.join(FEW[f.name])}", r.find is not None and r.find.how in FEW[f.name], str(r))
    shutil.rmtree(FOLDER)


def main() -> int:
    report = Report()
    faults = planted.read_list()
    check_list(report, faults)
    check_few(report, faults)
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
