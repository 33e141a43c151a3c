#!/usr/bin/env python3
"""Generated C against the interpreter, for specifications that use every construct (tests/gen/interp/)."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from vector_suite import HERE, suite  # noqa: E402

if __name__ == "__main__":
    sys.exit(suite(sys.argv[1:] or sorted(p.stem for p in (HERE / "interp").glob("*.mrg"))))
