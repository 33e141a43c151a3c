#!/usr/bin/env python3
"""Branch coverage of the generated C of some modules, of each kind something; `make coverage` is all of it (coverage.py).

All branches must be taken that can be. Then faults are planted in what is measured, which what is enumerated must notice.
"""

from __future__ import annotations

import contextlib
import io
import shutil
import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parent)]
import build  # noqa: E402  (finds the compiler)
from coverage import HERE, measure  # noqa: E402
from exceptions import Exceptions  # noqa: E402
from report import Report  # noqa: E402

MODULES = ["net.udp", "net.link", "net.neighbor", "iana.net", "archive", "config"]

# In a builder, a check, an accessor and a reader of tokens: to have taken all branches is of no use if nobody looks at what comes of it.
FAULTS = [
    ("config", "config_lex.c", "if (yych <= '\"') goto yy7;", "if (yych <= '!') goto yy7;"),
    ("net.udp", "net/udp.h", "length >= 8u && (uint64_t)length <=", "length >= 9u && (uint64_t)length <="),
    ("net.udp", "net/udp.h", "return mrg_be16(v->p + 2);", "return mrg_be16(v->p);"),
    ("net.udp", "net/udp.c", "if (value > 0xffffu) {", "if (value > 0x7fu) {"),
]


def check_branches(report: Report) -> None:
    counted = measure(build.ours(MODULES), report, MODULES)
    exceptions = Exceptions(HERE / "untaken.list")
    missing = [f"{key[0]}:{key[2]}: {counted.line(key)}" for key, _ in counted.untaken() if not exceptions.covers(counted, key)]
    report.none("all branches are taken", missing)
    report.none("exceptions hold", exceptions.wrong(counted))


def check_faults(report: Report) -> None:
    for module, path, there, instead in FAULTS:
        of = build.ours([module])
        room = of.folder.parent / "faulty"
        shutil.rmtree(room, ignore_errors=True)
        for p in (p for m in of.modules for p in of.of(m)):
            copy = room / "gen" / p.relative_to(of.generated)
            copy.parent.mkdir(parents=True, exist_ok=True)
            text = p.read_text()
            if str(p.relative_to(of.generated)) == path:
                report.check(f"{path}: '{there}' is there to be spoilt", there in text)
                text = text.replace(there, instead)
            copy.write_text(text)
        found = Report()
        with contextlib.redirect_stdout(io.StringIO()):
            measure(build.Build(of.modules, room / "gen", room), found, [])
        report.check(f"{path}: '{instead}' is noticed", found.failed > 0)


def main() -> int:
    report = Report()
    check_branches(report)
    check_faults(report)
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
