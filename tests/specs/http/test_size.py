#!/usr/bin/env python3
"""What a reader of requests takes: octets of code, with what it calls, and of state while one comes in pieces."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve()
sys.path.insert(0, str(HERE.parents[2]))
from report import OUT, ROOT, Report  # noqa: E402

CODE_MOST, STATE_MOST = 8192, 64
INCLUDES = ["-I", str(ROOT / "gen/support"), "-I", str(ROOT / OUT / "gen")]
HELPERS = ("mrg_scan_on", "mrg_out_last")
STATE = '#include "http/message.h"\n_Static_assert(sizeof(struct mrg_http_http1_request_stream) <= %d, "state");\n'


def code_of(report: Report, source: str, function: str, flags: list[str], room: Path) -> None:
    """Of a function, its rare parts, and the helpers that it shares with others."""
    made = room / "x.o"
    subprocess.run(["gcc", "-std=c11", "-O3", *flags, *INCLUDES, "-c", "-o", made, ROOT / OUT / "gen/http" / source], check=True)
    rows = [line.split() for line in subprocess.run(["nm", "-S", made], capture_output=True, text=True, check=True).stdout.splitlines()]
    sizes = {row[3]: int(row[1], 16) for row in rows if len(row) == 4 and row[2] in "tT"}
    parts = {name: size for name, size in sizes.items() if name.split(".")[0] in (function, *HELPERS)}
    what = f"{function} {' '.join(flags)}"
    report.check(f"{what} is there", function in parts, f"{sorted(sizes)}")
    report.check(f"{what} is small", sum(parts.values()) <= CODE_MOST, f"{sum(parts.values())}: {parts}")


def main() -> int:
    report = Report()
    with tempfile.TemporaryDirectory() as name:
        for flags in ([], ["-mssse3"], ["-mavx2"]):
            code_of(report, "message_read.c", "mrg_http_http1_request_read", flags, Path(name))
            code_of(report, "message_read.c", "mrg_http_http1_request_whole", flags, Path(name))
            code_of(report, "message_stream.c", "mrg_http_http1_request_feed", flags, Path(name))
    done = subprocess.run(["gcc", "-std=c11", *INCLUDES, "-fsyntax-only", "-x", "c", "-"], input=STATE % STATE_MOST, text=True, check=False)
    report.check("the state is small", done.returncode == 0)
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
