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
*--make-rate*) echo "one.Subject: 9 made, 100.0 % accepted; 900 octets more in 0.01 s, 4000/s"; exit 0 ;;
*--make*) exit 0 ;;
*--dry*) rate=2000 ;;
*--exhaust*) rate=3000 ;;
*silent*) exit 0 ;;
*tcpip.stack*) echo "tcpip.stack: 10 execs, 90.0 % accepted, spec 1/2, 0 finds, 0 crashes, 0 hangs; 7 octets, 2.5 packets a case; 9 MB; 1.5 s, 800/s"; exit 0 ;;
*) rate=1000 ;;
esac
echo "one.Subject: 10 execs, 90.0 % accepted, spec 1/2, missing: that; $rate/s, 0 finds, 0 crashes, 0 hangs; 7 octets a case; 1.5 s, $rate/s"
"""
AFL = """#!/usr/bin/env python3
import os, socket
execs = 7000 if "AFL_CUSTOM_MUTATOR_ONLY" in os.environ else 700
if os.environ["MRG_FUZZ_SUBJECT"] != "one.Subject":
    raise SystemExit("no such subject")
said = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for i in range(3):
    said.sendto(f"fuzzing.cycle_done:0|g\\nfuzzing.execs_done:{i * execs}|g\\n".encode(), ("127.0.0.1", int(os.environ["AFL_STATSD_PORT"])))
"""


def script(path: Path, text: str) -> Path:
    path.write_text(text)
    path.chmod(0o755)
    return path


def rows(table: Table) -> list[tuple[str, float, float | None]]:
    return [(row.item, row.ours.median, row.theirs.median if row.theirs else None) for row in table.rows]


def check_real(report: Report) -> None:
    canary = bench.Program(ROOT / OUT / "fuzz/canary", None, None, None)
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
    for name in ("afl", "mutator.so", "empty"):
        (room / name).write_bytes(b"")
    alone = bench.built(room, "none", "none.so", "fuzz", room / "empty")
    both = bench.built(room, "afl", "mutator.so", "fuzz", room / "empty")
    report.check("what is not built is not run", alone == bench.Program(runner, None, None, None) and both.afl == room / "afl", str((alone, both)))
    report.check("nor is AFL++ without what does nothing", bench.built(room, "afl", "mutator.so", "fuzz", None).afl is None)
    table = Table()
    bench.measure(alone, ["one.Subject"], bench.Effort(1, 1, 9, 9), table)
    want = [("cases", 1000.0), ("made or changed", 2000.0), ("made of nothing", 4000.0), ("all of 3 octets", 3000.0)]
    report.check("all rates", rows(table) == [(f"{item}: one.Subject", rate, None) for item, rate in want], f"{rows(table)}\n{render(table)}")
    stack = bench.stack(runner, bench.Effort(1, 1, 9, 9))
    report.check("sequences of ten packets, by how many a case has", (stack.ours.median, stack.met) == (200.0, False), str(stack))
    z3 = bench.z3([ROOT / "specs/net/udp.mrg"], bench.Effort(1, 1, 9, 9))
    report.check("what z3 takes", 0 < z3.ours.median and z3.met is not None, str(z3))
    told = [(0.0, 10), (1.0, 500), (2.0, 700), (4.0, 1100), (5.0, 1300)]
    report.check("AFL++'s rate is that behind the start", bench.slope(told, 1.5) == 200, str(bench.slope(told, 1.5)))
    report.check("of which something must be there", bench.slope(told, 5.0) is None and bench.slope([], 0.0) is None)
    rates = [bench.by_afl(both, "one.Subject", 1, 0, room / "afl", mutator) for mutator in (None, both.mutator)]
    report.check("AFL++ says how far it has come", all(rate is not None and rate > 0 for rate in rates), str(rates))
    report.check("AFL++ that does not run has no rate", bench.by_afl(both, "another", 1, 0, room / "afl", both.mutator) is None)
    table = Table()
    bench.with_afl(both, "one.Subject", bench.Effort(1, 0, 9, 9), table)
    report.check("beside it is what does nothing", [(row.item, row.peer) for row in table.rows] ==
                 [("AFL++ with mutator: one.Subject", "AFL++, nothing")], render(table))  # fmt: skip
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
