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

/// Nothing at all.
packet Nothing { }

/// A parameter in a constraint on a length.
packet Limited(limit: u8) { n: u8; where n <= limit; octets: bytes(n); }

/// Twice as many bytes as a field says.
packet Halves { units: u8; parts: list u8 rest within units * 2; after: u8; }

/// A checksum in the byte order that a field chooses.
packet Chosen { magic: u16; endian big if magic == 0xfeff else little; sum: u16 := inet16(magic..data); data: rest; }

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

static enum mrg_status limited(uint8_t limit, const char *octets)
{
	uint8_t out[16];
	struct mrg_w w;
	mrg_w_init(&w, out, sizeof out);
	mrg_own_limited_put(&w, &(struct mrg_own_limited_args){ .limit = limit, .octets = { (const uint8_t *)octets, strlen(octets) } });
	return w.st;
}

static enum mrg_status halves(uint8_t units, unsigned bytes)
{
	uint8_t out[32];
	struct mrg_w w;
	struct mrg_own_halves_build b;
	mrg_w_init(&w, out, sizeof out);
	mrg_own_halves_begin(&w, &b, &(struct mrg_own_halves_args){ .units = units });
	for (unsigned i = 0; i < bytes; i++) {
		mrg_own_halves_parts_add(&w, &b);
		mrg_w_u8(&w, 1);
	}
	mrg_own_halves_end(&w, &b);
	return w.st;
}

/* What is written is read again: the sum is where and how the check looks for it. */
static enum mrg_status chosen(uint16_t magic)
{
	uint8_t out[16];
	struct mrg_w w;
	struct mrg_own_chosen v;
	mrg_w_init(&w, out, sizeof out);
	mrg_own_chosen_put(&w, &(struct mrg_own_chosen_args){ .magic = magic, .data = { (const uint8_t *)"abcd", 4 } });
	return mrg_own_chosen_check(mrg_w_span(&w, 0), &v, NULL);
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
    ("a length within its limit", 'limited(3, "abc") == MRG_OK && limited(2, "abc") == MRG_E_VALUE'),
    ("a part that fills what a field says", "halves(3, 6) == MRG_OK && halves(0, 0) == MRG_OK"),
    ("one that does not", "halves(3, 5) == MRG_E_LENGTH && halves(3, 7) == MRG_E_LENGTH"),
    ("a checksum in either order", "chosen(0xfeff) == MRG_OK && chosen(0x1234) == MRG_OK"),
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
