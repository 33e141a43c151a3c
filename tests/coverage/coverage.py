#!/usr/bin/env python3
"""Branch coverage of generated C by tests without fuzzing: what is enumerated from a specification, each outcome foretold by the reference.

usage: coverage.py [--spec FILE.mrg] [--only WORD,...] [--floor PERCENT] [--missing]

Of each generated file it says how many branches were taken, then those that were not, with their line. untaken.list has those that no input
can take, each with its reason; one of them that is taken, or that is no more, is a failure.
"""

from __future__ import annotations

import argparse
import sys
import time
import traceback
from pathlib import Path
from typing import Sequence

sys.path[:0] = [str(Path(__file__).resolve().parent)]
import build  # noqa: E402  (finds the compiler)
import capi  # noqa: E402
import gcov  # noqa: E402
from chains import Chains  # noqa: E402
from exceptions import Exceptions  # noqa: E402
from forms import Forms  # noqa: E402
from lexers import Lexers  # noqa: E402
from machines import Machines  # noqa: E402
from packets import Packets  # noqa: E402
from report import Report  # noqa: E402
from texts import Texts  # noqa: E402
from words import Words  # noqa: E402

HERE = Path(__file__).resolve().parent


def measure(of: build.Build, report: Report, only: Sequence[str]) -> gcov.Branches:
    """Build, run all that is enumerated, and count."""
    of.make()
    headers = [p for m in of.modules for p in of.of(m) if p.suffix == ".h"] + sorted(of.generated.rglob("*_text.h"))
    api = capi.Api(of.library, [build.SUPPORT / "mrg.h", build.SUPPORT / "mrg_text.h", *headers])
    of.modules = [m for m in of.modules if not only or build.is_one_of(m, only)]
    machines, rest = Machines(of, report), [kind(of, api, report) for kind in (Words, Lexers, Texts, Chains, Forms, Packets)]
    for kind in (machines, *rest):
        try:
            kind.run()
            print(f"{type(kind).__name__}: {time.process_time():.0f} s", flush=True)
        except Exception:  # what was counted up to there is shown all the same
            report.check(type(kind).__name__, False, traceback.format_exc())
    api.c.coverage_dump()
    counted = gcov.read(of.folder, of.generated)
    files = {str(p.relative_to(of.generated)) for m in of.modules for p in of.of(m)}  # beside them may be copies of what supports them
    counted.counts = {key: counts for key, counts in counted.counts.items() if key[0] in files}
    return counted


def show(counted: gcov.Branches, exceptions: Exceptions, missing: bool) -> float:
    """The table, and what is missing; percent of all branches that are taken, or can't be."""
    taken = of = excused = 0
    excused_of = exceptions.by_file(counted)
    for name, (have, all_) in counted.files().items():
        excepted = excused_of.get(name, 0)
        taken, of, excused = taken + have, of + all_, excused + excepted
        print(f"{name}: {have}/{all_}" + (f", {excepted} can't be taken" if excepted else ""))
    if missing:
        for key, places in counted.untaken():
            if not exceptions.covers(counted, key):
                print(f"{key[0]}:{key[2]}: branch {', '.join(map(str, places))} of {len(counted.counts[key])}: {counted.line(key)}")
    percent = 100 * (taken + excused) / max(of, 1)
    print(f"all: {taken}/{of} taken, {excused} can't be: {percent:.1f} % (without those that can't: {100 * taken / max(of, 1):.1f} %)")
    return percent


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--spec", type=Path, help="a specification of one's own, instead of specs/")
    parser.add_argument("--only", default="", help="modules, with what is in their folders: net,dns.name")
    parser.add_argument("--floor", type=float, default=0, help="percent of branches below which it fails")
    parser.add_argument("--missing", action="store_true", help="show branches that were not taken")
    options = parser.parse_args()
    report = Report()
    only = options.only.split(",") if options.only else []
    of = build.own(options.spec) if options.spec else build.ours(only)
    counted = measure(of, report, only)
    exceptions = Exceptions(HERE / "untaken.list") if not options.spec else Exceptions(None)
    percent = show(counted, exceptions, options.missing)
    report.none("exceptions hold", exceptions.wrong(counted))
    report.check(f"{options.floor} % of branches are taken", percent >= options.floor, f"{percent:.3f} %")
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
