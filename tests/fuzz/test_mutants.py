#!/usr/bin/env python3
"""What fuzz/mutate.py makes of C: all the changes of each kind, and none of comments or texts.  What tests make of mutants: make mutants."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from report import ROOT, Report  # noqa: E402

sys.path.insert(0, str(ROOT / "fuzz"))
from mutate import mutants  # noqa: E402

C = """/* if (a < 1) */
static bool f(int a)
{
	if (a < 1) /* < */
		g("a < 1");
	return a == 2 && *h(a);
}
static const int table[] = { 1, 2 };
"""
MUTANTS = {
    "if (!(a < 1)) /* < */", "if (a <= 1) /* < */", "if (a < 2) /* < */", "if (a < 0) /* < */", ";", "return !(a == 2 && *h(a));",
    "return a != 2 && *h(a);", "return a == 3 && *h(a);", "return a == 1 && *h(a);", "return a == 2 || *h(a);",
}  # fmt: skip


def check_mutants(report: Report) -> None:
    made = mutants(C)
    report.check("mutants are of tokens in functions", {m.after for m in made} == MUTANTS and len(made) == len(MUTANTS), "\n".join(map(str, made)))
    report.none("each is another text", [m.after for m in made if m.apply(C) == C or m.before == m.after])


def main() -> int:
    report = Report()
    check_mutants(report)
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
