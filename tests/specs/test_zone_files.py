#!/usr/bin/env python3
"""The zones that tests use are what they say: an independent reader takes the good ones, verifies the signed ones
and refuses the bad ones."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ZONES = ROOT / "tests" / "data" / "zones"
sys.path.insert(0, str(ROOT / "tests"))

from report import Report  # noqa: E402

#: What named-compilezone takes although the RFCs don't; tests/data/zones/README.md says why each is an error.
LENIENT = {"outside", "eui64-digit", "uri-empty", "dhcid-short", "nul-in-file"}
EXPECT = re.compile(r"(\d+:(\d+|\*)( \S.*)?|\* \S.*)$")


def compiled(file: Path, origin: str) -> tuple[bool, str]:
    """Whether named-compilezone takes a zone, and what it says."""
    with tempfile.NamedTemporaryFile() as out:
        command = ["named-compilezone", "-i", "local", "-o", out.name, origin, file.name]
        done = subprocess.run(command, cwd=file.parent, capture_output=True, text=True)
    return done.returncode == 0, done.stdout + done.stderr


def good(report: Report) -> None:
    lines = (ZONES / "zones.txt").read_text().splitlines()
    for name, origin in (line.split() for line in lines if not line.startswith("#")):
        fine, said = compiled(ZONES / name, origin)
        report.check(f"{name} loads", fine, said)
        if name.endswith(".signed"):
            command = ["dnssec-verify", "-q", "-z", "-o", origin, str(ZONES / name)]
            done = subprocess.run(command, capture_output=True, text=True)
            report.check(f"{name} verifies", done.returncode == 0, done.stdout + done.stderr)


def bad(report: Report) -> None:
    for file in sorted((ZONES / "bad").glob("*.zone")):
        expect = file.with_suffix(".expect")
        lines = expect.read_text().splitlines() if expect.exists() else []
        report.check(f"{expect.name} can be read", bool(lines) and all(map(EXPECT.match, lines)), "\n".join(lines))
        taken, said = compiled(file, "bad.example")
        report.check(f"{file.name} is refused" if file.stem not in LENIENT else f"{file.name} is taken", taken == (file.stem in LENIENT), said)


def main() -> int:
    report = Report()
    if shutil.which("named-compilezone") is None or shutil.which("dnssec-verify") is None:
        report.check("bind9-utils is installed", False, "make deps installs it")
        return report.finish()
    good(report)
    bad(report)
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
