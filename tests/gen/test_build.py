#!/usr/bin/env python3
"""Builders in C: what a number may be, and what pointers may replace.  Each case is a line of C that must hold."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
from report import ROOT, Report, run  # noqa: E402

SPEC = """/// What builders are asked.
module own;

/// Numbers narrower than their C types.
packet Narrow { s: i24; n: 4; i: i4; }

/// Ends alike: pointers may be written.
packet Path(table: buffer) {
  chain steps max 40 {
    Step { 0b00: 2; n: 6 in 1..9; data: bytes(n) nocase; }
    Jump { 0b01: 2; at: 6; } goto table[at] back max 3
    Stop { 0xff: u8; } stop
  }
}

/// Ends in two ways: an end must not stand for the other.
packet Marked(table: buffer) {
  chain steps max 40 {
    Step { 0b00: 2; n: 6 in 1..9; data: bytes(n); }
    Jump { 0b01: 2; at: 6; } goto table[at] back max 3
    Stop { 0xff: u8; } stop
    Mark { 0b110: 3; mark: 5; } stop
  }
}
"""

PROGRAM = """
#include "own.h"

static enum mrg_status narrow(int32_t s, uint8_t n, int8_t i)
{
	uint8_t out[4];
	struct mrg_w w;
	mrg_w_init(&w, out, sizeof out);
	mrg_own_narrow_put(&w, &(struct mrg_own_narrow_args){ .s = s, .n = n, .i = i });
	return w.st;
}

/* bytes that the second takes when written after the first */
static size_t path(const char *a, const char *b, size_t len)
{
	uint8_t out[64];
	struct mrg_w w;
	struct mrg_refs refs;
	mrg_w_init(&w, out, sizeof out);
	mrg_w_use_refs(&w, &refs);
	mrg_own_path_put_flat(&w, (struct mrg_span){ (const uint8_t *)a, len });
	mrg_own_path_put_flat(&w, (struct mrg_span){ (const uint8_t *)b, len });
	return w.st == MRG_OK ? w.len - len : 0;
}

static size_t marked(const char *a, const char *b, size_t len)
{
	uint8_t out[64];
	struct mrg_w w;
	struct mrg_refs refs;
	mrg_w_init(&w, out, sizeof out);
	mrg_w_use_refs(&w, &refs);
	mrg_own_marked_put_flat(&w, (struct mrg_span){ (const uint8_t *)a, len });
	mrg_own_marked_put_flat(&w, (struct mrg_span){ (const uint8_t *)b, len });
	return w.st == MRG_OK && memcmp(out + w.len - 1, b + len - 1, 1) == 0 ? w.len - len : 0;
}

int main(int argc, char **argv)
{
	(void)argv;
	switch (argc - 1) {
CASES
	}
	return 2;
}
"""

CASES = [
    ("the least signed number of 24 bits", "narrow(-0x800000, 0, 0) == MRG_OK"),
    ("one less than that", "narrow(-0x800001, 0, 0) == MRG_E_RANGE"),
    ("one more than 24 bits take", "narrow(0x800000, 0, 0) == MRG_E_RANGE"),
    ("an unsigned number of 4 bits", "narrow(0, 15, 0) == MRG_OK && narrow(0, 16, 0) == MRG_E_RANGE"),
    ("a signed number of 4 bits", "narrow(0, 0, -8) == MRG_OK && narrow(0, 0, -9) == MRG_E_RANGE && narrow(0, 0, 8) == MRG_E_RANGE"),
    ("the same again is a pointer", 'path("\\2ab\\377", "\\2ab\\377", 4) == 1'),
    ("another spelling is written out", 'path("\\2ab\\377", "\\2aB\\377", 4) == 4'),
    ("another end is written out", 'marked("\\2ab\\377", "\\2ab\\303", 4) == 4'),
]


def main() -> int:
    report = Report()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "own.mrg").write_text(SPEC)
        cases = "".join(f"\tcase {i}: return !({text});\n" for i, (_, text) in enumerate(CASES))
        (folder / "program.c").write_text(PROGRAM.replace("CASES\n", cases))
        made = run(sys.executable, ROOT / "bin" / "mrg", "c", "own.mrg", "-o", "out", cwd=folder)
        flags = ["-std=c11", "-Wall", "-Wextra", "-Wconversion", "-Werror", "-fsanitize=address,undefined", "-I", "out"]
        built = run(os.environ.get("CC", "cc"), *flags, "-o", "program", "program.c", "out/own.c", cwd=folder)
        if report.check("it builds", made.returncode == 0 and built.returncode == 0, made.stdout + built.stdout):
            for i, (what, _) in enumerate(CASES):
                got = subprocess.run([str(folder / "program"), *["x"] * i], capture_output=True, text=True)
                report.check(what, got.returncode == 0, got.stderr)
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
