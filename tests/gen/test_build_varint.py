#!/usr/bin/env python3
"""Builders of packets whose lengths and counts vary in size, and of optional groups that hold lists.

A line of C that must hold for each case, against encoders written here by hand; messages with numbers that are longer
than needed, against the interpreter; what no builder is made for, and why.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent), str(HERE.parents[1] / "gen")]
from report import ROOT, Report, run  # noqa: E402
from vector_suite import compiled, module  # noqa: E402

from mrg.emit.tests_c import Sample  # noqa: E402
from mrg.interp import parse  # noqa: E402

SPEC = """/// What builders are asked.
module own;

/// MQTT's.
varint Groups = groups little max 4 minimal;
/// ASN.1's.
varint Short = short max 3 minimal;
/// QUIC's, which may be longer than needed.
varint Tagged = tagged 2 (6, 14, 30, 62);
/// The least takes two bytes, the greatest is below what they hold.
varint Pair = tagged 1 (15, 31) in 0..20_000;

/// A fixed header and what it counts.
packet Control { type: 4; flags: 4; remaining: Groups; body: switch type { 1 => none: empty; _ => other: rest; } within remaining; id: u16; }

/// A value.
packet Leaf { tag: u8; length: Short; octets: bytes(length); }
/// Values in a value.
packet Node { tag: u8; length: Short; leaves: list Leaf bytes length; }
/// Those in another.
packet Tree { tag: u8; length: Short; nodes: list Node bytes length; }

/// Sizes in front, each also of those behind it, and what must be right after all moved.
packet Chunks {
  all: Groups := size first_size + size count_of + size first + size second;
  first_size: Tagged := size first;
  count_of: Pair := count second;
  first: list u8 bytes first_size;
  second: list u8 count count_of;
  total: u32 := size this;
  digest: u32 := crc32(all..second);
}

/// A group with two lists, one behind the other.
packet Grouped {
  flag: 1;
  other: 7;
  if flag {
    n: Groups;
    marks: list u8 count n;
    mid: u8;
    length: Short;
    leaves: list Leaf bytes length;
    after: u8;
  }
  last: u16;
}

/// A group that its own length tells.
packet Told { length: Short; if length > 0 { leaves: list Leaf bytes length; } last: u8; }

/// A chain in a group.
packet Chained { flag: u8 in 0..1; if flag { lead: u8; chain steps max 60 { Step { 0b00: 2; n: 6 in 1..9; } Stop { 0xff: u8; } stop } } last: u8; }

/// A head that the caller writes, with a length that the packet around it fills in.
packet Head { kind: u8; size_of: u16; n: u8; marks: list u8 count n; }
/// That packet.
packet Framed { lead: u8; head: Head; octets: bytes(head.size_of); }
"""

PROGRAM = r"""
#include <stdlib.h>
#include "own.h"

static uint8_t zeros[1 << 22];

static size_t groups(uint8_t *q, size_t v)
{
	size_t n = 0;
	for (; v > 127; v >>= 7)
		q[n++] = (uint8_t)(128 + v % 128);
	q[n++] = (uint8_t)v;
	return n;
}

static size_t der(uint8_t *q, size_t v)
{
	const size_t n = v < 128 ? 0 : v < 256 ? 1 : v < 65536 ? 2 : 3;
	q[0] = (uint8_t)(n ? 128 + n : v);
	for (size_t i = 0; i < n; i++)
		q[1 + i] = (uint8_t)(v >> 8 * (n - 1 - i));
	return 1 + n;
}

/* a writer over a buffer of just so many bytes, so that the sanitizer sees a step too far */
static struct mrg_w open_w(size_t cap)
{
	struct mrg_w w;
	uint8_t *const p = malloc(cap != 0 ? cap : 1);
	if (p == NULL)
		exit(3);
	mrg_w_init(&w, p, cap);
	return w;
}

static int close_w(struct mrg_w *w, int result)
{
	free(w->p);
	return result;
}

typedef void build(struct mrg_w *w, size_t a, size_t b);

/* the bytes expected in a buffer of their length, and MRG_E_SPACE in every shorter one that is tried */
static int gives(build *f, size_t a, size_t b, const uint8_t *want, size_t len, size_t tries)
{
	struct mrg_w w = open_w(len);
	f(&w, a, b);
	if (!close_w(&w, w.st == MRG_OK && w.len == len && memcmp(w.p, want, len) == 0))
		return 0;
	for (size_t less = 1; less <= len && less <= tries; less++) {
		w = open_w(len - less);
		f(&w, a, b);
		if (!close_w(&w, w.st == MRG_E_SPACE))
			return 0;
	}
	return 1;
}

static enum mrg_status status(build *f, size_t a, size_t b)
{
	struct mrg_w w = open_w(1 << 22);
	f(&w, a, b);
	const enum mrg_status st = w.st;
	close_w(&w, 0);
	return st;
}

/* --- one length --- */

static void write_control(struct mrg_w *w, size_t size, size_t unused)
{
	(void)unused;
	struct mrg_own_control_build b;
	mrg_own_control_begin(w, &b, &(struct mrg_own_control_args){ .type = 2, .flags = 5, .id = 0x1234 });
	mrg_w_put(w, (struct mrg_span){ zeros, size });
	mrg_own_control_end(w, &b);
}

static int control(size_t size, size_t tries)
{
	static uint8_t want[(1 << 22) + 16];
	size_t n = 0;
	want[n++] = 0x25;
	n += groups(want + n, size);
	memset(want + n, 0, size);
	n += size;
	want[n++] = 0x12;
	want[n++] = 0x34;
	return gives(write_control, size, 0, want, n, tries);
}

/* --- lengths in lengths: two nodes with two leaves of a and b octets each --- */

static void write_node(struct mrg_w *w, size_t a, size_t b)
{
	struct mrg_own_node_build n;
	mrg_own_node_begin(w, &n, &(struct mrg_own_node_args){ .tag = 2 });
	mrg_own_node_leaves_add(w, &n);
	mrg_own_leaf_put(w, &(struct mrg_own_leaf_args){ .tag = 1, .octets = { zeros, a } });
	mrg_own_node_leaves_add(w, &n);
	mrg_own_leaf_put(w, &(struct mrg_own_leaf_args){ .tag = 1, .octets = { zeros, b } });
	mrg_own_node_end(w, &n);
}

static void write_tree(struct mrg_w *w, size_t a, size_t b)
{
	struct mrg_own_tree_build t;
	mrg_own_tree_begin(w, &t, &(struct mrg_own_tree_args){ .tag = 3 });
	mrg_own_tree_nodes_add(w, &t);
	write_node(w, a, b);
	mrg_own_tree_nodes_add(w, &t);
	write_node(w, b, 0);
	mrg_own_tree_end(w, &t);
}

static size_t leaf(uint8_t *q, size_t size)
{
	q[0] = 1;
	const size_t n = 1 + der(q + 1, size);
	memset(q + n, 0, size);
	return n + size;
}

static size_t wrap(uint8_t *q, uint8_t tag, const uint8_t *p, size_t len)
{
	q[0] = tag;
	const size_t n = 1 + der(q + 1, len);
	memcpy(q + n, p, len);
	return n + len;
}

static int tree(size_t a, size_t b, size_t tries)
{
	static uint8_t one[1 << 18], two[1 << 18], want[1 << 18];
	size_t n = leaf(one, a);
	n += leaf(one + n, b);
	size_t m = wrap(two, 2, one, n);
	n = leaf(one, b);
	n += leaf(one + n, 0);
	m += wrap(two + m, 2, one, n);
	return gives(write_tree, a, b, want, wrap(want, 3, two, m), tries);
}

static int trees(size_t from, size_t to, size_t tries)
{
	for (size_t a = from; a <= to; a++)
		if (!tree(a, 0, tries) || !tree(from, a - from, tries))
			return 0;
	return 1;
}

/* --- several in one packet --- */

static void write_chunks(struct mrg_w *w, size_t first, size_t second)
{
	struct mrg_own_chunks_build b;
	mrg_own_chunks_begin(w, &b, &(struct mrg_own_chunks_args){ 0 });
	for (size_t i = 0; i < first; i++)
		mrg_w_u8(w, (uint8_t)i);
	mrg_own_chunks_first_end(w, &b);
	for (size_t i = 0; i < second; i++) {
		mrg_own_chunks_second_add(w, &b);
		mrg_w_u8(w, (uint8_t)(3 * i));
	}
	mrg_own_chunks_end(w, &b);
}

static int chunks(size_t first, size_t second)
{
	static uint8_t want[1 << 18];
	const size_t first_size = first < 64 ? 1 : first < 16384 ? 2 : 4, count_of = 2; /* 2 below 32768, the range ends at 20000 */
	size_t n = groups(want, first_size + count_of + first + second);
	mrg_put_be(want + n, (unsigned)first_size, first | (first_size == 1 ? 0 : first_size == 2 ? 1u << 14 : 2u << 30));
	n += first_size;
	mrg_put_be(want + n, 2, second);
	n += count_of;
	for (size_t i = 0; i < first; i++)
		want[n++] = (uint8_t)i;
	for (size_t i = 0; i < second; i++)
		want[n++] = (uint8_t)(3 * i);
	const uint32_t crc = ~mrg_crc32_add(~0u, want, n, MRG_CRC32_POLY);
	mrg_put_be32(want + n, (uint32_t)(n + 8));
	mrg_put_be32(want + n + 4, crc);
	return gives(write_chunks, first, second, want, n + 8, 3);
}

/* --- groups --- */

enum { MARK = 1, LEAF = 2, ADD = 4, SKIP = 8, TWICE = 16 };

static void write_grouped(struct mrg_w *w, size_t flag, size_t what)
{
	struct mrg_own_grouped_build b;
	mrg_own_grouped_begin(w, &b, &(struct mrg_own_grouped_args){ .flag = flag != 0, .other = 9, .mid = 7, .after = 8, .last = 0x0102 });
	for (size_t i = 0; i < (what & MARK ? flag ? flag - 1 : 1 : 0); i++) {
		mrg_own_grouped_marks_add(w, &b);
		mrg_w_u8(w, 5);
	}
	if (!(what & SKIP))
		mrg_own_grouped_marks_end(w, &b);
	if (what & TWICE)
		mrg_own_grouped_marks_end(w, &b);
	if (what & ADD)
		mrg_own_grouped_leaves_add(w, &b);
	if (what & LEAF)
		mrg_own_leaf_put(w, &(struct mrg_own_leaf_args){ .tag = 1, .octets = { zeros, 126 } });
	mrg_own_grouped_end(w, &b);
}

static int grouped(size_t marks, int leaves)
{
	uint8_t want[512] = { 0x89 };
	size_t n = 1 + groups(want + 1, marks);
	memset(want + n, 5, marks);
	n += marks;
	want[n++] = 7;
	uint8_t one[256];
	const size_t len = leaves ? leaf(one, 126) : 0;
	n += der(want + n, len);
	memcpy(want + n, one, len);
	n += len;
	memcpy(want + n, "\10\1\2", 3);
	return gives(write_grouped, marks + 1, MARK | (leaves ? LEAF : 0), want, n + 3, 1000);
}

static int absent(size_t what, enum mrg_status st)
{
	return st == MRG_OK ? gives(write_grouped, 0, what, (const uint8_t *)"\11\1\2", 3, 3) : status(write_grouped, 0, what) == st;
}

static void write_told(struct mrg_w *w, size_t has, size_t leaves)
{
	struct mrg_own_told_build b;
	mrg_own_told_begin(w, &b, &(struct mrg_own_told_args){ .has_leaves = has != 0, .last = 4 });
	for (size_t i = 0; i < leaves; i++) {
		mrg_own_told_leaves_add(w, &b);
		mrg_own_leaf_put(w, &(struct mrg_own_leaf_args){ .tag = 1 });
	}
	mrg_own_told_end(w, &b);
}

static int framed(void)
{
	uint8_t out[64];
	struct mrg_w w;
	struct mrg_own_framed_build b;
	struct mrg_own_head_build h;
	mrg_w_init(&w, out, sizeof out);
	mrg_w_u8(&w, 0xee);
	mrg_own_framed_begin(&w, &b, &(struct mrg_own_framed_args){ .lead = 1, .octets = { zeros, 3 } });
	mrg_own_head_begin(&w, &h, &(struct mrg_own_head_args){ .kind = 2 });
	mrg_own_head_marks_add(&w, &h);
	mrg_w_u8(&w, 7);
	mrg_own_head_end(&w, &h);
	mrg_own_framed_end(&w, &b);
	return w.st == MRG_OK && w.len == 10 && memcmp(out, "\356\1\2\0\3\1\7\0\0\0", 10) == 0;
}

static int steps(const char *bytes, size_t len)
{
	struct mrg_own_chained v;
	if (mrg_own_chained_check((struct mrg_span){ (const uint8_t *)bytes, len }, &v, NULL) != MRG_OK)
		return -1;
	struct mrg_own_chained_steps_it it = mrg_own_chained_steps(&v);
	struct mrg_own_chained_step step;
	int n = 0;
	while (mrg_own_chained_steps_next(&it, &step))
		n++;
	return n;
}

static void write_leaf(struct mrg_w *w, size_t size, size_t unused)
{
	(void)unused;
	mrg_own_leaf_put(w, &(struct mrg_own_leaf_args){ .tag = 1, .octets = { zeros, size } });
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
    ("an empty body", "control(0, 9)"),
    ("a length of one byte, the greatest", "control(1, 9) && control(127, 999)"),
    ("of two bytes", "control(128, 999) && control(129, 999) && control(16383, 5)"),
    ("of three", "control(16384, 5) && control(2097151, 5)"),
    ("of four", "control(2097152, 5)"),
    ("nothing else is moved after an error", "status(write_control, 1 << 22, 0) == MRG_E_SPACE"),
    ("lengths in lengths, small ones", "trees(0, 300, 999)"),
    ("where a byte is passed", "trees(65270, 65300, 3) && trees(65515, 65545, 3)"),
    ("several numbers of one packet, small", "chunks(0, 0) && chunks(1, 1) && chunks(63, 0) && chunks(64, 0) && chunks(0, 124) && chunks(0, 125)"),
    ("several, larger", "chunks(60, 62) && chunks(60, 64) && chunks(64, 59) && chunks(64, 60) && chunks(16383, 1) && chunks(16384, 20000)"),
    ("a count above its range", "status(write_chunks, 5, 20001) == MRG_E_RANGE && status(write_chunks, 70, 40000) == MRG_E_RANGE"),
    ("a size that its number can't hold", "status(write_leaf, 1 << 21, 0) == MRG_OK && status(write_leaf, 1 << 24, 0) == MRG_E_RANGE"),
    ("a length in a head that the caller writes", "framed()"),
    ("a chain in a group is walked, or not there", r'steps("\1\0\1\2\377\1", 6) == 2 && steps("\0\1", 2) == 0'),
    ("a group with two lists", "grouped(0, 0) && grouped(3, 0) && grouped(127, 1) && grouped(128, 1)"),
    ("the group absent", "absent(0, MRG_OK)"),
    ("the first list though absent", "absent(MARK, MRG_E_VALUE)"),
    ("the second list though absent", "absent(LEAF, MRG_E_VALUE) && absent(LEAF | ADD, MRG_E_VALUE)"),
    ("an element added though absent", "absent(ADD, MRG_E_VALUE)"),
    ("an end left out", "absent(SKIP, MRG_E_VALUE) && status(write_grouped, 2, MARK | SKIP) == MRG_E_VALUE"),
    ("an end too many", "absent(TWICE, MRG_E_VALUE) && status(write_grouped, 2, MARK | TWICE) == MRG_E_VALUE"),
    ("a length that tells of a group", "status(write_told, 0, 0) == MRG_OK && status(write_told, 1, 1) == MRG_OK && status(write_told, 1, 90) == MRG_OK"),
    ("a group said to be there that its length denies", "status(write_told, 1, 0) == MRG_E_VALUE"),
    ("a group said not to be there that has content", "status(write_told, 0, 1) == MRG_E_VALUE"),
]

LONGER = [  # of lengths.mrg: numbers that are longer than needed, and lengths where another byte begins
    ("Control", "80 09 0007 838000 616263 01"),
    ("Control", "80 8001 0007 f880808000" + "61" * 120 + "00"),
    ("Several", "9100 c000000000000001 0003 0000 4002 0501aa 8500 01 0018"),
    *[("Control", f"f0 {length}" + "00" * size) for size, length in ((127, "7f"), (128, "8001"), (129, "8101"))],
    *[("Value", f"01 {length}" + "00" * size) for size, length in ((127, "7f"), (128, "8180"), (255, "81ff"), (256, "820100"))],
    *[("Sequence", f"30 {length} 01" + f"{size:02x}" + "00" * size) for size, length in ((125, "7f"), (126, "8180"), (127, "8181"))],
    ("Outer", "31 7f 30 7d 01 7b" + "00" * 123),
    ("Outer", "31 8180 30 7e 01 7c" + "00" * 124),
    ("Outer", "31 8183 30 7f 01 7d" + "00" * 125 + "30 00"),
]

REFUSED = [
    ("padding behind", "{ n: Leb; items: list u16 count n; align 4; }", "padding behind 'n', whose size is known only at the end"),
    ("pointers behind", "(msg: buffer) { n: Leb; items: list u16 count n; name: Name(msg); }", "pointers behind 'n', whose size is known only at the end"),
    ("pointers in the list", "(msg: buffer) { n: Leb; items: list Name(msg) bytes n; }", "pointers behind 'n', whose size is known only at the end"),
    ("pointers before", "(msg: buffer) { name: Name(msg); n: Leb; items: list u16 count n; other: Name(msg) flat; }", ""),
    ("its own size", "{ n: Leb := size this; items: list u16 rest; }", "the value of a number of varying size depends on its own size"),
    ("each the other's size", "{ a: Leb := size c; c: Leb := size a; items: list u16 rest; }", "the value of a number of varying size depends on its own size"),
    ("one the other's size", "{ a: Leb := size c; c: Leb := size items; items: list u16 rest; }", ""),
    ("inside a byte", "{ flag: 1; n: Hpack; items: list u16 count n; }", "'n' begins inside a byte and is known only at the end"),
    ("inside a byte, known", "{ flag: 1; n: Hpack; body: bytes(n); }", ""),
    ("in a packet within", "{ head: Head; body: bytes(head.n); }", "a length of varying size stands in a packet within"),
    ("behind one in a packet within", "{ head: Late; body: bytes(head.n); }", "a length stands behind what varies in size in a packet within"),
    ("from what is computed", "{ a: u8 := count items; b: Leb := a * 2; items: list u16 rest; }", "'b' is computed from what is not known when it is written"),
    ("from what is derived", "{ a: u8; b: Leb := a * 2; items: list u16 count a; }", ""),
]

AROUND = """/// Refusals.
module own;

/// 7-bit groups.
varint Leb = groups little max 4;
/// HPACK's.
varint Hpack = prefix 7 max 4;

/// What is asked.
packet Asked%s

/// A head.
packet Head { kind: u8; n: Leb; }
/// One that ends with its length.
packet Late { v: Leb; n: u8; }

/// A name.
packet Name(msg: buffer) {
  chain labels max 255 {
    Label { 0b00: 2; len: 6 in 1..63; octets: bytes(len); }
    Root { 0: u8; } stop
    Pointer { 0b11: 2; at: 14 in 12..; } goto msg[at] back max 126
  }
}
"""


def built(report: Report, folder: Path) -> None:
    (folder / "own.mrg").write_text(SPEC)
    cases = "".join(f"\tcase {i}: return !({text});\n" for i, (_, text) in enumerate(CASES))
    (folder / "program.c").write_text(PROGRAM.replace("CASES\n", cases))
    made = run(sys.executable, ROOT / "bin" / "mrg", "c", "own.mrg", "-o", "out", cwd=folder)
    flags = ["-std=c11", "-O1", "-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-Werror", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
    linked = run(os.environ.get("CC", "cc"), *flags, "-I", "out", "-o", "program", "program.c", "out/own.c", cwd=folder)
    if report.check("it builds", made.returncode == 0 and linked.returncode == 0, made.stdout + linked.stdout):
        for i, (what, _) in enumerate(CASES):
            got = subprocess.run([str(folder / "program"), *["x"] * i], capture_output=True, text=True)
            report.check(what, got.returncode == 0, got.stderr)


def refused(report: Report, folder: Path) -> None:
    for what, body, why in REFUSED:
        (folder / "own.mrg").write_text(AROUND % (body if body[0] == "(" else " " + body))
        made = run(sys.executable, ROOT / "bin" / "mrg", "c", "own.mrg", "-o", "out", cwd=folder)
        header = folder / "out" / "own.h"
        text = header.read_text() if made.returncode == 0 else ""
        notes = [line.strip("/* .") for line in text.splitlines() if "No builder" in line]
        report.check(f"refused: {what}", bool(text) and notes == ([f"No builder: {why}"] if why else []), made.stdout + "\n".join(notes))


def main() -> int:
    report = Report()
    with tempfile.TemporaryDirectory() as name:
        built(report, Path(name))
        refused(report, Path(name))
    samples = [Sample(packet, bytes.fromhex(data)) for packet, data in LONGER]
    lengths = module("lengths")
    for sample in samples:
        read = parse(next(p for p in lengths.packets if p.name == sample.packet), sample.data)
        report.check(f"{sample.packet} {sample.data.hex()[:20]} is a message", read.bit_len == 8 * len(sample.data))
    compiled(report, lengths, samples)
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
