#!/usr/bin/env python3
"""Generated C against the interpreter, for whole DNS messages: drawn ones, those of tests/specs/ and of captures."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from vector_suite import suite  # noqa: E402
from vector_samples import captured, samples  # noqa: E402

if __name__ == "__main__":
    sys.exit(suite(["dns.message"], [*samples(), *captured()], count=4))
