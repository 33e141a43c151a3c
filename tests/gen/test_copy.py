#!/usr/bin/env python3
"""Copies in C: a checked packet is written again, and what is written is the same packet, to the last byte of it.

Each case is a packet in hexadecimal and what its copy must be, without pointers and with them."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
from report import ROOT, Report, run  # noqa: E402

SPEC = """/// What is copied.
module own;

/// Steps, perhaps found elsewhere in the table.
packet Path(table: buffer) {
  chain steps max 60 {
    Step { 0b00: 2; n: 6 in 1..9; data: bytes(n); }
    Jump { 0b01: 2; at: 6; } goto table[at] back max 9
    Stop { 0xff: u8; } stop
  }
}

/// How much is skipped depends on the size of what is written before.
packet Aligned { lead: Path(this); path: Path(this); align 4 zero; after: u16; }

/// A length of what changes.
packet Framed { lead: Path(this); kind: 3; length: 13 := size path; path: Path(this) within length; after: u8; }

/// A list of them, counted and measured.
packet Listed { count: u8; size: u8; lead: Path(this); paths: list Path(this) bytes size; more: list Path(this) count count; }

/// What is read as anything is written as it should be.
packet Settled { kind: u8; 0: 4 send; 5: 4 send; mark: u16 = 0x1234 send; lead: Path(this); last: u16le = 7 warn; }

/// Seven bits a byte, perhaps more of them than needed.
varint Number = groups little max 4;

/// A number is what one of its arms has.
packet Tagged { tag: u8; lead: Path(this); value: switch tag { 1 => number: Number; _ => path: Path(this); }; }
"""

# packet, as it is read, written without pointers, written with pointers
CASES = [
    ("aligned", "026162ff 016340 00 1234", "026162ff 0163 026162ff 0000 1234", "026162ff 016340 00 1234"),
    ("aligned", "026162ff 40 000000 1234", "026162ff 026162ff 1234", "026162ff 40 000000 1234"),
    ("framed", "026162ff a003 016340 99", "026162ff a006 0163026162ff 99", "026162ff a003 016340 99"),
    ("listed", "0103 026162ff 016342 42", "0106 026162ff 0163026162ff 026162ff", "0103 026162ff 016342 42"),
    ("settled", "01 ff 9999 026162ff 0900", "01 05 1234 026162ff 0700", "01 05 1234 026162ff 0700"),
    ("tagged", "01 026162ff ac8200", "01 026162ff ac02", "01 026162ff ac02"),
    ("tagged", "02 026162ff 41", "02 026162ff 026162ff", "02 026162ff 41"),
]

HEAD = """
#include "own.h"
#include <stdio.h>

static size_t unhex(const char *text, uint8_t *out)
{
	size_t n = 0;
	unsigned byte;
	for (int took; sscanf(text, " %2x%n", &byte, &took) == 1; text += took)
		out[n++] = (uint8_t)byte;
	return n;
}

/* The same bytes, and nothing is written when one is missing. */
static int differs(const struct mrg_w *w, const char *want)
{
	uint8_t bytes[256];
	const size_t n = unhex(want, bytes);
	return w->st != MRG_OK || w->len != n || memcmp(w->p, bytes, n) != 0;
}
"""

COPY = """
static int {name}(const char *read, const char *plain, const char *pointing)
{{
	uint8_t in[256], out[256];
	struct mrg_own_{name} v, again;
	struct mrg_w w;
	struct mrg_refs refs;
	const struct mrg_span s = {{ in, unhex(read, in) }};
	if (mrg_own_{name}_check(s, &v, NULL) != MRG_OK || v.len != s.len)
		return 1;
	mrg_w_init(&w, out, sizeof out);
	mrg_own_{name}_copy(&w, &v);
	if (differs(&w, plain))
		return 2;
	if (mrg_own_{name}_check(mrg_w_span(&w, 0), &again, NULL) != MRG_OK || again.len != w.len)
		return 3;
	for (size_t cap = 0; cap < w.len; cap++) {{
		struct mrg_w less;
		mrg_w_init(&less, out, cap);
		mrg_own_{name}_copy(&less, &v);
		if (less.st != MRG_E_SPACE)
			return 4;
	}}
	mrg_w_init(&w, out, sizeof out);
	mrg_w_use_refs(&w, &refs);
	mrg_own_{name}_copy(&w, &v);
	return differs(&w, pointing) ? 5 : 0;
}}
"""

FLAGS = ["-std=c11", "-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-Werror", "-O1", "-fsanitize=address,undefined"]


def main() -> int:
    report = Report()
    packets = sorted({case[0] for case in CASES})
    calls = "".join(f'\t\tcase {i}: return {name}("{a}", "{b}", "{c}");\n' for i, (name, a, b, c) in enumerate(CASES))
    body = HEAD + "".join(COPY.format(name=name) for name in packets)
    body += "\nint main(int argc, char **argv)\n{\n\t(void)argv;\n\tswitch (argc - 1) {\n" + calls + "\t\tdefault: return 99;\n\t}\n}\n"
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        (place / "own.mrg").write_text(SPEC)
        (place / "main.c").write_text(body)
        done = run(sys.executable, ROOT / "bin/mrg", "c", place / "own.mrg", "-o", place, PYTHONDONTWRITEBYTECODE="1")
        report.check("the specification compiles", done.returncode == 0, done.stdout)
        program = place / "program"
        done = run(os.environ.get("CC", "gcc"), *FLAGS, "-I", place, "-o", program, place / "main.c", place / "own.c")
        if report.check("the C compiles", done.returncode == 0, done.stdout):
            for i, case in enumerate(CASES):
                got = subprocess.run([program, *["x"] * i], capture_output=True, text=True)
                report.check(f"{case[0]}: {case[1]}", got.returncode == 0, f"step {got.returncode} failed\n{got.stderr}")
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
