#!/usr/bin/env python3
"""Lists by key in C: what an index gives is what the iterator and the interpreter find, for every key there may be.

Each list of SPEC is read from messages drawn at random (a fixed seed), the
same ones damaged, and some by hand.  The program looks up all keys of a range
in an index that was filled over rubbish, and compares with a walk; what it
finds where is compared with the interpreter.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Optional

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
from report import ROOT, Report, run  # noqa: E402

sys.path.insert(0, str(ROOT / "gen"))
from mrg import ir, layout, load, names, vectors  # noqa: E402
from mrg.emit import c_common  # noqa: E402
from mrg.emit.tests_c import given  # noqa: E402
from mrg.interp import key_of, parse  # noqa: E402
from mrg.values import Rejection  # noqa: E402

SPEC = """/// Lists that are looked up in.
module own;

/// Kinds far from each other.
enum Kind : u16 unknown "KIND" { A = 1; B = 700; C = 4660; FEW = 8192..8195; MANY = 61440..65535; }
/// Kinds in a row, but for one.
enum Near : u16 { P = 500; Q = 501; R = 510; }
/// Nothing else comes.
enum Shut : u16 closed { ONE = 1; TEN = 10; LAST = 60000; }

/// TCP's options: the size of the block is known.
packet Options max 40 { options: list Option rest unique kind; }
/// The same, of any size.
packet Long { options: list Option rest unique kind; }
/// Kinds 0 and 1 have no length.
packet Option {
  kind: u8;
  if kind > 1 {
    length: u8 in 2..;
    data: switch kind { 2 => mss: u16; 3 => scale: u8; _ => other: rest; } within length - 2;
  }
}

/// A 16-bit enum; other kinds pass.
packet Open { n: u8; items: list { kind: u16 Kind; length: u8; data: bytes(length); } count n unique kind; after: u8; }
/// One whose members lie close together.
packet Close { items: list { value: u8; kind: u16 Near; } rest max 9 unique kind; }
/// Members only.
packet Only { length: u16; items: list { kind: u16 Shut; value: u8; } bytes length ascending kind; tail: rest max 3; }

/// Rising keys, too many for a table, and few enough.
packet Rising {
  length: u8;
  items: list { key: u16; value: u16; } rest within length ascending key;
  more: list { key: u16 in 5..90; } rest ascending key;
}
/// Rising keys of signs, and of all bits.
packet Signs {
  n: 2;
  m: 6;
  low: list i8 count n ascending item;
  high: list { v: u8; k: i16 in -100..100; } count m unique k;
  wide: list u64 rest ascending item;
}
/// A varint as the key.
packet Vars { n: u8 in 0..200; items: list { key: Small; } bytes n max 60 ascending key; bare: list Wide rest ascending item; }
/// One or two bytes.
varint Small = groups little max 2 in 0..200;
/// Up to ten.
varint Wide = groups big max 10;

/// Elements that need what is around them, in an order that a field chooses, perhaps none.
packet Around(wide: u8) {
  order: u8 in 0..1;
  endian big if order == 1 else little;
  n: u8;
  parts: list Part(this, wide) rest within n unique head.kind if order == 1;
  pairs: list u16 rest unique item;
}
/// A head and an offset into what is around it.
packet Part(msg: buffer, wide: u8) { head: Head; more: u8 if wide > 0; where head.at < len(msg); }
/// A key that is some bits.
packet Head { flag: 2; kind: 6; at: u8; }

/// Of kinds 0 and 1, of some without a place, and of negative keys there may be several: the first is found.
packet Padded { options: list Option rest max 9 unique kind except 0..1; }
/// Some of them have a place.
packet Filled { items: list { kind: u16 Kind; value: u8; } rest unique kind except {A, MANY, 8193..8194, 9}; }
/// Signs.
packet Below { n: u8; items: list { key: i16 in -50..50; value: u8; } count n unique key except -50..-1; wide: list u32 rest max 20 unique item except 7..; }
/// Some elements have no key, so there is no index.
packet Perhaps { n: u8; items: list { flag: u8; key: u8 if flag > 0; } count n unique key; names: list bytes(2) rest ascending item; }

/// Elements of gigabytes.
packet Huge { items: list { kind: u8; length: u32; data: bytes(length); } rest unique kind; }
"""


@dataclass(frozen=True)
class Case:
    packet: str
    field: str
    first: int  # keys that are looked up
    last: int

    @property
    def name(self) -> str:
        return f"{self.packet}_{self.field}"


CASES = [
    Case("Options", "options", 0, 255),
    Case("Long", "options", 0, 255),
    Case("Open", "items", 0, 65535),
    Case("Close", "items", 0, 65535),
    Case("Only", "items", 0, 65535),
    Case("Rising", "items", 0, 65535),
    Case("Rising", "more", 0, 65535),
    Case("Signs", "low", -128, 127),
    Case("Signs", "high", -32768, 32767),
    Case("Signs", "wide", -2, 260),  # also the greatest ones
    Case("Vars", "items", 0, 300),
    Case("Vars", "bare", 0, 20000),
    Case("Around", "parts", 0, 255),
    Case("Around", "pairs", 0, 65535),
    Case("Padded", "options", 0, 255),
    Case("Filled", "items", 0, 65535),
    Case("Below", "items", -32768, 32767),
    Case("Below", "wide", 0, 300),
]

BY_HAND = {
    "Options": [b"", b"\0", b"\1", b"\1\0", b"\2\4\5\xb4", b"\2\4\5\xb4\1\3\3\7\4\2\0", b"\xff\2", b"\xfe\3!\0\xff\2\1", b"\1\1", b"\2\4\5\xb4\2\4\5\xb4"],
    "Long": [b"", b"\0", b"".join(bytes((k, 2)) for k in range(255, 1, -1)) + b"\0\1", b"\2\4\5\xb4\1\3\3\7\4\2\0", b"\1\1", b"\5\xff" + bytes(253) + b"\7\2"],
    "Open": [b"\0!", b"\1\x02\xbc\2hi!", b"\3\0\1\0\x20\3\1x\xf0\0\0!", b"\2\x12\x34\0\0\2\0!", b"\2\0\2\0\0\1\0!", b"\2\0\2\0\0\2\0!"],
    "Close": [b"", b"x\1\xf4", b"x\1\xf5y\1\xfez\1\xf4", b"x\1\xf6y\1\xf3", b"x\1\xfey\2\xf4z\0\0"],
    "Only": [b"\0\0", b"\0\3\0\1x", b"\0\6\0\1x\xea\x60y", b"\0\x09\0\1x\0\x0ay\xea\x60z!", b"\0\6\0\x0ax\0\1y", b"\0\3\0\2x"],
    "Rising": [b"\0", b"\4\0\0\0\1", b"\x08\0\0\0\1\xff\xff\0\2\0\5\0\x5a", b"\x08\0\7\0\1\0\7\0\2", b"\0\0\6\0\x07\0\x08"],
    "Signs": [b"\0", b"\xc0\x80\0\x7f", b"\x80\1\xff", b"\x02x\xff\xf0y\0\x10", b"\0" + bytes(8) + b"\xff" * 8, b"\0" + b"\xff" * 8 + bytes(8)],
    "Vars": [b"\0", b"\7\0\1\x7f\x80\1\xc8\1", b"\x3c" + bytes(range(60)) + b"\7\x81\x81\7", b"\0\1\x7f\x81\0", b"\0\1\1"],
    "Padded": [b"", b"\1", b"\1\1", b"\2\4\5\xb4\1\1\3\3\7\1\0\0", b"\0\1\1\0\4\2", b"\2\4\5\xb4\1\2\4\5\xb4", b"\1" * 10],
    "Filled": [b"", b"\0\1x\0\1y", b"\0\x09x\0\x08y\0\x09z", b"\xf0\0x\xf0\0y\xff\xffz\xff\xffz", b"\x20\2x\x20\2y", b"\x20\3x\x20\3y", b"\2\xbcx\2\xbcy"],
    "Below": [b"\0", b"\2\xff\xffx\xff\xffy", b"\3\xff\xcex\0\0y\xff\xcez", b"\2\0\0x\0\0y", b"\1\0\x32x\0\0\0\7\0\0\0\6\0\0\0\7", b"\0" + b"\0\0\0\6" * 2],
    "Around": [b"\1\0", b"\1\2\3\0\0\7\7\0", b"\0\0\0\7\7\0", b"\1\4\3\0\xc4\1\1\2\2\1", b"\1\4\3\0\x43\1"],
}

HEAD = """
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include "own.h"

static int failed;
static uint8_t wide;

#define CASE(NAME, PACKET, FIELD, ELEM, KEY, CHECK, KEY_OF, SAME, FIRST, LAST)                                         \\
	static void NAME(struct mrg_span in)                                                                           \\
	{                                                                                                              \\
		struct PACKET v;                                                                                       \\
		if (CHECK != MRG_OK) {                                                                                 \\
			puts("refused");                                                                               \\
			return;                                                                                        \\
		}                                                                                                      \\
		struct FIELD##_index ix;                                                                               \\
		memset(&ix, 0xa5, sizeof ix);                                                                          \\
		FIELD##_index(&v, &ix);                                                                                \\
		for (int64_t i = FIRST; i <= LAST; i++) {                                                              \\
			const KEY key = (KEY)i;                                                                        \\
			ELEM got, e;                                                                                   \\
			memset(&e, 0, sizeof e);                                                                       \\
			struct FIELD##_it it = FIELD(&v);                                                              \\
			const uint8_t *const start = it.at;                                                            \\
			bool there = false;                                                                            \\
			long at = 0;                                                                                   \\
			for (const uint8_t *q = it.at; !there && FIELD##_next(&it, &e); q = it.at) {                   \\
				there = KEY_OF == key;                                                                 \\
				at = (long)(q - start);                                                                \\
			}                                                                                              \\
			if (FIELD##_get(&ix, key, &got) ? !there || !(SAME) : there)                                   \\
				failed = printf("WRONG at %lld, ", (long long)i);                                      \\
			if (there)                                                                                     \\
				printf("%lld@%ld+%ld ", (long long)i, at, (long)(it.at - start) - at);                 \\
		}                                                                                                      \\
		puts("");                                                                                              \\
	}
"""

MAIN = """
/* Three elements in 4 GiB and some; of the bytes between their heads no page is there. */
static int huge(void)
{
	const size_t size = ((size_t)2 << 31) + 4096;
	if (sizeof(size_t) <= 4)
		return 0;
	uint8_t *const p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (p == MAP_FAILED)
		return 77;
	const size_t at[4] = { 0, 100, ((size_t)2 << 31) + 50, size };
	for (unsigned i = 0; i < 3; i++) {
		p[at[i]] = (uint8_t)(i + 1);
		mrg_put_be32(p + at[i] + 1, (uint32_t)(at[i + 1] - at[i] - 5));
	}
	struct mrg_own_huge v;
	struct mrg_own_huge_items_index ix;
	struct mrg_own_huge_items_item e;
	if (mrg_own_huge_check((struct mrg_span){ p, size }, &v, NULL) != MRG_OK)
		return 2;
	mrg_own_huge_items_index(&v, &ix);
	for (unsigned i = 0; i < 3; i++)
		if (!mrg_own_huge_items_get(&ix, (uint8_t)(i + 1), &e) || e.p != p + at[i] || e.len != at[i + 1] - at[i])
			return 3;
	return mrg_own_huge_items_get(&ix, 4, &e) ? 4 : 0;
}

int main(int argc, char **argv)
{
	static char line[4096];
	if (argc > 1)
		return argv[1][0] == 's' ? !(SIZES) : huge();
	unsigned which, arg;
	int used;
	while (fgets(line, sizeof line, stdin) != NULL && sscanf(line, "%u %u %n", &which, &arg, &used) == 2) {
		size_t n = 0;
		for (const char *c = line + used; c[0] > ' ' && c[1] > ' '; c += 2, n++)
			;
		uint8_t *const bytes = malloc(n + (n == 0)); /* just as long as it is: a read past the end is seen */
		for (size_t i = 0; i < n; i++)
			sscanf(line + used + 2 * i, "%2hhx", bytes + i);
		wide = (uint8_t)arg;
		const struct mrg_span in = { bytes, n };
		switch (which) {
RUNS		}
		free(bytes);
	}
	return failed != 0;
}
"""

# How large a table is and what its entries are: by the proved range and the proved size.
SIZES = {
    "Options.options": (256, 1), "Long.options": (256, 4), "Open.items": (7, 4), "Close.items": (11, 1),
    "Only.items": (3, 2), "Rising.more": (86, 4), "Signs.high": (201, 1), "Vars.items": (201, 1), "Around.parts": (64, 1),
    "Padded.options": (256, 2), "Filled.items": (7, 4), "Below.items": (101, 2),
}  # fmt: skip


def the_list(module: ir.Module, case: Case) -> tuple[ir.Packet, ir.List]:
    packet = next(p for p in module.packets if p.name == case.packet)
    item = next(i for i in layout.named(packet.items) if i.name == case.field)
    assert isinstance(item, ir.List)
    return packet, item


def case_c(module: ir.Module, case: Case) -> str:
    """The C of one case; keys and elements are read by accessors."""
    packet, item = the_list(module, case)
    path, base = c_common.key_path(item), f"mrg_own_{case.packet.lower()}"
    key = path[-1]
    assert isinstance(key, (ir.Scalar, ir.Varint))
    ktype = names.int_type(key.bits, key.signed) if isinstance(key, ir.Scalar) else names.uint_type(64 if key.spec.hi >> 32 else 32)
    elem, value, same = ktype, "e", "got == e"
    if isinstance(item.elem, ir.Sub):
        elem = f"struct {names.packet(item.elem.packet)}"
        value = c_common.path_read(item.elem.packet, path, "e", False)
        same = "got.p == e.p && got.len == e.len"
    check = f"{base}_check(in{', wide' if packet.params else ''}, &v, NULL)"
    return f"CASE({case.name}, {base}, {base}_{case.field}, {elem}, {ktype}, {check}, {value}, {same}, {case.first}, {case.last})\n"


def expected(module: ir.Module, case: Case, data: bytes, arg: int) -> str:
    """What the program prints, by the interpreter."""
    packet, item = the_list(module, case)
    try:
        root = parse(packet, data, given(packet, data, [arg][: len(packet.params)]))
    except Rejection:
        return "refused"
    node = root.fields.get(id(item)) or next((n for n in root.fields.values() if n.inner.item is item), None)
    found: list[tuple[int, int, int]] = []
    if node is not None:
        node = node.inner
        for e in node.children:
            key = key_of(e, item.ascending or item.unique or ())
            assert key is not None and isinstance(key.inner.value, int)
            found.append((key.inner.value, (e.bit_off - node.bit_off) // 8, e.bit_len // 8))
    if case.name == "Signs_wide":
        found = [(k - (1 << 64) if k >> 63 else k, at, size) for k, at, size in found]
    firsts = {k: (k, at, size) for k, at, size in reversed(found)}
    return " ".join(f"{k}@{at}+{size}" for k, at, size in sorted(firsts.values()) if case.first <= k <= case.last)


def drawn(module: ir.Module, packet: ir.Packet, rng: random.Random) -> list[tuple[int, bytes]]:
    """(argument, message): by hand, valid ones, the same with a byte changed or cut, lists with many elements."""
    args = (0, 1) if any(p.kind == "int" for p in packet.params) else (0,)
    out = [(a, m) for a in args for m in BY_HAND[packet.name]]
    valid = [(m.args[0] if m.args else 0, m.data) for m in vectors.messages(packet, 30, 7)]
    out += valid
    for arg, data in valid:
        changed = bytearray(data)
        if changed:
            changed[rng.randrange(len(changed))] = rng.choice((0, 1, 2, 3, rng.randrange(256)))
            out += [(arg, bytes(changed)), (arg, data[: rng.randrange(len(data))])]
    out += [(rng.randrange(2), bytes(rng.choice((0, 1, 2, 3, 4, 9, 255)) for _ in range(rng.randrange(1, 14)))) for _ in range(40)]
    return out


def build(folder: Path, module: ir.Module, report: Report) -> bool:
    runs = "".join(f"\t\tcase {i}: {case.name}(in); break;\n" for i, case in enumerate(CASES))
    sizes = []
    for name, (places, width) in SIZES.items():
        ix = f"((struct mrg_own_{name.lower().replace('.', '_')}_index *)0)->at"
        sizes.append(f"sizeof {ix} == {places * width} && sizeof {ix}[0] == {width}")
    text = HEAD + "".join(case_c(module, case) for case in CASES) + MAIN.replace("RUNS", runs).replace("SIZES", " && ".join(sizes))
    (folder / "program.c").write_text(text)
    made = run(sys.executable, ROOT / "bin" / "mrg", "c", "own.mrg", "-o", "out", cwd=folder)
    flags = ["-std=gnu11", "-O1", "-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-Wcast-qual", "-Wvla", "-Werror", "-I", "out"]
    good = made.returncode == 0
    for name, more in (("program", ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"]), ("plain", [])):
        built = run(os.environ.get("CC", "cc"), *flags, *more, "-o", name, "program.c", "out/own.c", cwd=folder)
        good = report.check(f"it builds: {name}", good and built.returncode == 0, made.stdout + built.stdout)
    return good


def compare(folder: Path, module: ir.Module, report: Report) -> None:
    rng = random.Random(1)
    packets = {c.packet: the_list(module, c)[0] for c in CASES}
    messages = {name: drawn(module, packet, rng) for name, packet in packets.items()}
    jobs = [(i, case, arg, data) for i, case in enumerate(CASES) for arg, data in messages[case.packet]]
    lines = "".join(f"{i} {arg} {data.hex()}\n" for i, _, arg, data in jobs)
    done = subprocess.run([str(folder / "program")], input=lines, capture_output=True, text=True)
    report.check("the index gives what the iterator gives", done.returncode == 0, done.stderr + "\n".join(x for x in done.stdout.split("\n") if "WRONG" in x))
    got = done.stdout.split("\n")
    elements: dict[str, list[int]] = {c.name: [] for c in CASES}
    wrong: dict[str, list[str]] = {c.name: [] for c in CASES}
    for (_, case, arg, data), line in zip(jobs, got):
        want = expected(module, case, data, arg)
        elements[case.name].append(-1 if want == "refused" else len(want.split()))
        if line.strip() != want:
            wrong[case.name].append(f"{data.hex()} ({arg}): {line.strip()!r}, not {want!r}")
    for name, lines_ in wrong.items():
        report.none(f"{name}: what is found is what the interpreter has", lines_)
        seen = elements[name]
        report.check(f"{name}: some were refused, empty, of one element, of several", {-1, 0, 1, 2} <= set(seen), str(sorted(set(seen))))


def main() -> int:
    report = Report()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "own.mrg").write_text(SPEC)
        module: Optional[ir.Module] = next(m for m in load.load([str(folder / "own.mrg")]) if m.name == "own")
        assert module is not None
        if build(folder, module, report):
            compare(folder, module, report)
            sizes = run(folder / "plain", "sizes")
            report.check("tables are as large as keys and offsets need", sizes.returncode == 0, sizes.stdout)
            huge = run(folder / "plain", "huge")
            report.check("offsets above 4 GiB are found, too", huge.returncode in (0, 77), f"exit {huge.returncode}")
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
