#!/usr/bin/env python3
"""bench/fuzz.py: the rates it takes from a runner and from AFL++, and that it notices when there are none."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from report import OUT, ROOT, Report, make  # noqa: E402

sys.path.insert(0, str(ROOT))
from bench import fuzz as bench  # noqa: E402
from bench.table import Table, render  # noqa: E402

CASES = 300
# A runner, and AFL++, that only say what the real ones say.
RUNNER = """#!/bin/sh
case "$*" in
*--make*) exit 0 ;;
*--dry*) rate=2000 ;;
*--exhaust*) rate=3000 ;;
*silent*) exit 0 ;;
*) rate=1000 ;;
esac
echo "one.Subject: 10 execs, 90.0 % accepted, spec 1/2, missing: that; $rate/s, 0 finds, 0 crashes, 0 hangs; 1.5 s, $rate/s"
"""
AFL = """#!/bin/sh
test "$MRG_FUZZ_SUBJECT" = one.Subject || exit 1
while test "$1" != -o; do shift; done
mkdir -p "$2/default"
echo "execs_done        : 70000
execs_per_sec     : ${AFL_CUSTOM_MUTATOR_ONLY:+4}567.25
execs_ps_last_min : 1.00" >"$2/default/fuzzer_stats"
"""


def script(path: Path, text: str) -> Path:
    path.write_text(text)
    path.chmod(0o755)
    return path


def rows(table: Table) -> list[tuple[str, float, float | None]]:
    return [(row.item, row.ours.median, row.theirs.median if row.theirs else None) for row in table.rows]


def check_real(report: Report) -> None:
    canary = bench.Program(ROOT / OUT / "fuzz/canary", None, None)
    report.check("the rate of a real run", bench.by_runner(canary, "canary.clean", 1, ["-E", CASES]) > 0)
    for subject in ("canary.wrong", "canary.nobody"):
        try:
            bench.by_runner(canary, subject, 1, ["-E", CASES])
            ended = "no"
        except SystemExit as why:
            ended = str(why)
        report.check(f"{subject}: no rate, which ends it", str(canary.runner) in ended, ended)


def check_told(report: Report, room: Path) -> None:
    runner = script(room / "fuzz", RUNNER)
    script(room / "afl-fuzz", AFL)
    os.environ["PATH"] = f"{room}{os.pathsep}{os.environ['PATH']}"
    for name in ("afl", "mutator.so"):
        (room / name).write_bytes(b"")
    alone, both = bench.built(room, "none", "none.so", "fuzz"), bench.built(room, "afl", "mutator.so", "fuzz")
    report.check("what is not built is not run", alone == bench.Program(runner, None, None) and both.afl == room / "afl", str((alone, both)))
    for program, theirs in ((alone, None), (both, 4567.25)):
        table = Table()
        bench.measure(program, ["one.Subject"], bench.Effort(1, 1, 9), table)
        want = [("cases: one.Subject", 1000.0, theirs), ("made or changed: one.Subject", 2000.0, None), ("all of 3 octets: one.Subject", 3000.0, None)]
        report.check(f"all rates, AFL++ {'too' if theirs else 'is not there'}", rows(table) == want, f"{rows(table)}\n{render(table)}")
    plain = bench.by_afl(both, "one.Subject", 1, 1, with_mutator=False)
    report.check("AFL++ as it is", plain == 567.25, str(plain))
    report.check("AFL++ that does not run has no rate", bench.by_afl(both, "another", 1, 1, with_mutator=True) is None)
    try:
        bench.by_runner(alone, "silent", 1, [])
        report.check("a runner that says nothing ends it", False)
    except SystemExit as why:
        report.check("a runner that says nothing ends it", str(runner) in str(why), str(why))


def main() -> int:
    report = Report()
    built = make(f"O={OUT}", f"{OUT}/fuzz/canary")
    if report.check("the canaries build", built.returncode == 0, built.stdout):
        check_real(report)
    with tempfile.TemporaryDirectory() as room:
        check_told(report, Path(room))
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
