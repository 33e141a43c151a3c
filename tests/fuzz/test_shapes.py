#!/usr/bin/env python3
"""Of every construct of the language, in all its shapes (tests/gen/interp/): what walks packets by tables says what the generated C says.

Inputs on which they once differed are run by themselves, and must get the verdict that specs/LANGUAGE.md asks for.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parent), str(Path(__file__).resolve().parent.parent)]
from packets_folder import SUMMARY  # noqa: E402
from report import OUT, ROOT, Report, make, run  # noqa: E402

SPECS = sorted((ROOT / "tests/gen/interp").glob("*.mrg"))
FOLDER = ROOT / OUT / "fuzz" / "shapes"
CASES = 20_000

# What differed, subject, input, verdict.
ONCE = [
    ("keys that may repeat, from below 0 to above it", "keys.Excepted", "00 08 0000000000000000 00 00", "accepted"),
    ("keys that may not repeat, beside those", "keys.Excepted", "00 02 0202 00 00", "refused"),
    ("the place of a field that is there or not, and out of its range", "keys.Maybe", "01 01 000a", "refused"),
    ("the same in a list", "keys.Perhaps", "01 01 01 01 00", "refused"),
    ("ten groups that are more than 64 bits, in a list", "keys.Wide", "0000000000 baca c39d b8e0 bb8d ef00", "refused"),
    ("ten groups that are just 64 bits", "keys.Wide", "0000000000 81ffffffffffffffff7f", "accepted"),
    ("ten groups of more than 64 bits, the lowest first", "numbers.Many", "01 ffffffffffffffffff02", "refused"),
    ("ten groups of just 64 bits, the lowest first", "numbers.Many", "01 ffffffffffffffffff01", "accepted"),
    ("a group that has room, before a number that has none", "inside.Some", "02 0004 00000000", "refused"),
    ("both with room", "inside.Some", "02 0006 00000000 0000", "accepted"),
]  # fmt: skip


def check_same(report: Report) -> None:
    shutil.rmtree(FOLDER / "finds", ignore_errors=True)
    done = run(FOLDER / "fuzz", "-q", "-S", 1, "-E", CASES, "-o", FOLDER / "finds")
    told = list(SUMMARY.finditer(done.stdout))
    report.check("all subjects are run", len(told) == len(run(FOLDER / "fuzz", "--list").stdout.split()) > 50, done.stdout[-2000:])
    report.none("no two differ", [m[0] for m in told if not m[7] == m[8] == m[9] == "0"])
    report.check("and it says so", done.returncode == 0, done.stdout[-2000:])


def check_once(report: Report) -> None:
    for i, (what, subject, octets, verdict) in enumerate(ONCE):
        file = FOLDER / f"once-{i}"
        file.write_bytes(bytes.fromhex(octets))
        done = run(FOLDER / "fuzz", "-s", subject, "--repro", file)
        report.check(f"{subject}: {what}", done.returncode == 0 and done.stdout.rstrip().endswith(verdict), done.stdout)


def main() -> int:
    report = Report()
    shutil.rmtree(FOLDER, ignore_errors=True)
    made = run(ROOT / "bin/mrg", "fuzz", *SPECS, "-o", FOLDER)
    built = make("-C", FOLDER, "-j2", "-s", "CFLAGS=-O1 -g -w")
    if report.check("mrg fuzz, and what it wrote builds", made.returncode == built.returncode == 0, made.stdout + built.stdout[-2000:]):
        check_same(report)
        check_once(report)
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
