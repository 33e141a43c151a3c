#!/usr/bin/env python3
"""Generated C against the interpreter, for the DNS specifications, with the messages of tests/specs/ as samples too."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from vector_suite import HERE, suite  # noqa: E402
from vector_samples import samples  # noqa: E402

MESSAGE = "dns.message"  # takes as long as all others: a suite of its own

if __name__ == "__main__":
    found = sorted((HERE.parents[1] / "specs/dns").glob("*.mrg"))
    names = [f"dns.{path.stem}" for path in found if f"dns.{path.stem}" != MESSAGE]
    sys.exit(suite(sys.argv[1:] or names, samples()))
