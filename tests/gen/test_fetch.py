#!/usr/bin/env python3
"""Fetching `shared` packets: each byte is loaded once, and what was checked is what is read.

Three programs over the same specification: the generated tests, which hold the checks against the interpreter; one that
holds X_fetch against the check of a private copy, with unmapped pages around the shared bytes and somebody who writes to
them; one whose loads are counted, by the calls that -fsanitize=thread puts before them.
"""

from __future__ import annotations

import re
import shutil
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent), str(HERE.parents[1] / "gen")]
import vector_run  # noqa: E402
from report import ROOT, Report, run  # noqa: E402

from mrg import ir, load, names  # noqa: E402
from mrg.vectors import messages  # noqa: E402

SPEC = """/// What is fetched.
module ring;

/// Of one size, and nothing in it asks what follows.
packet Descriptor shared endian little { address: u64; length: u32; flags: u16 in 0..7; next: u16; }

/// Its own content bounds it.
packet Counted shared { n: u8; body: bytes(n); tail: u16 != 0; }

/// Bounded by `max` only; takes all that there is.
packet Capped max 24 shared { kind: u8 in 1..3; size: u8; body: bytes(size); others: rest; }

/// As long as its `max` at least.
packet Filled max 8 shared { head: bytes(8); others: rest; }

/// Asks whether something follows.
packet Alone max 6 shared { n: u8 in 0..3; octets: bytes(n); where avail == 0 "nothing may follow"; }

/// A region that may be longer than anything that can fill it.
packet Odd shared { n: u8; body: { x: u8; } within n; }

/// One part of a frame.
packet Entry(limit: u8) shared { rank: u8; where rank <= limit; n: u8 in 0..10; octets: bytes(n) nocase; }

/// Packets, lists, regions, a choice and a checksum.
packet Frame(limit: u8) max 60 shared {
  magic: u16 = 0x55aa;
  sum: u16 := inet16(magic..body);
  kind: u8;
  count: u8 in 0..5;
  length: u8 in 0..20;
  entries: list Entry(limit) count count;
  options: list { key: u8; size: u8; value: bytes(size); } bytes length unique key;
  body: switch kind {
    0..99 => number: u32;
    100..199 => pair: { x: u8; y: u16 in 1..; };
    _ => others: rest;
  };
}
"""

TOUCH = """/// Changed while it is checked.
module touch;

/// Changes the shared memory and says 1.
extern touch(n: u8) : u8;

/// What follows `n` is looked at after the change.
packet Touched shared { n: u8 in 0..8; where touch(n) == 1; body: bytes(n); tail: u8 = 7; }
"""

LIMIT = 20  # the argument of packets that take one

MAPPED = r"""
#define PAGE 4096u
enum { ROOM = 512 };
static uint8_t *page; /* with nothing before it and nothing behind it */

static void map_page(void)
{
	uint8_t *all = mmap(NULL, 3 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	page = all + PAGE;
	if (all == MAP_FAILED || mprotect(page, PAGE, PROT_READ | PROT_WRITE) != 0)
		exit(2);
}
"""

PROGRAM = r"""
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include "ring.h"
#include "touch.h"
#include "messages.h"
MAPPED
static unsigned passed, failed;
static unsigned met[2]; /* messages that were refused, accepted */

static void verdict(bool good, const char *what, const char *packet)
{
	passed += good;
	failed += !good;
	if (!good)
		printf("FAILED %s: %s\n", packet, what);
}

static uint64_t state = 20240607;

static unsigned draw(unsigned below)
{
	state = state * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(state >> 33) % below;
}

/* What a check said, and what its view showed afterwards. */
struct outcome {
	enum mrg_status st;
	struct mrg_reject rj;
	size_t len, copied;
	uint8_t bytes[ROOM], copy[ROOM];
};

struct subject {
	const char *name;
	size_t most, count;
	const struct message *messages;
	void (*check)(struct mrg_span in, struct outcome *o);
	void (*fetch)(uint8_t *from, size_t readable, size_t len, struct outcome *o);
};

static void note(struct outcome *o, struct mrg_span seen, struct mrg_w *w)
{
	o->len = seen.len;
	if (seen.len > 0)
		memcpy(o->bytes, seen.p, seen.len);
	o->copied = w->st == MRG_OK ? w->len : 0;
}

SUBJECTS

static bool same_place(const struct mrg_reject *a, const struct mrg_reject *b)
{
	return a->status == b->status && a->bit_off == b->bit_off && a->site == b->site && a->depth == b->depth &&
	       memcmp(a->path, b->path, a->depth * sizeof a->path[0]) == 0;
}

static bool same_view(const struct outcome *a, const struct outcome *b)
{
	return a->len == b->len && memcmp(a->bytes, b->bytes, a->len) == 0 && a->copied == b->copied &&
	       memcmp(a->copy, b->copy, a->copied) == 0;
}

/* A message, changed a little, with bytes behind it, cut: fetched, and checked where nobody writes. NULL when both agree. */
static const char *fetch_round(const struct subject *s)
{
	static uint8_t text[ROOM];
	const struct message *m = &s->messages[draw((unsigned)s->count)];
	for (size_t i = 0; i < ROOM; i++)
		text[i] = (uint8_t)(draw(2) ? draw(256) : draw(4));
	memcpy(text, m->data, m->len);
	for (unsigned k = draw(4); k > 1 && m->len > 0; k--)
		text[draw((unsigned)m->len)] = (uint8_t)(draw(2) ? draw(256) : draw(16));
	const size_t len = draw(3) == 0 ? m->len : draw((unsigned)m->len + 1 + draw(2) * 40);
	const size_t loaded = len < s->most ? len : s->most;
	static struct outcome want, at_end, at_start, most;
	uint8_t *own = malloc(len + !len);
	memcpy(own, text, len);
	s->check((struct mrg_span){ own, len }, &want);
	free(own);
	memcpy(page + PAGE - len, text, len);
	s->fetch(page + PAGE - len, len, len, &at_end);
	memcpy(page, text, len);
	s->fetch(page, len, len, &at_start);
	memcpy(page + PAGE - loaded, text, loaded);
	s->fetch(page + PAGE - loaded, loaded, len, &most);
	const struct outcome *all[] = { &at_end, &at_start, &most };
	for (unsigned i = 0; i < 3; i++) {
		const struct outcome *o = all[i];
		if (want.st == MRG_OK && !(o->st == MRG_OK && same_view(o, &want)))
			return "another view than of a private copy";
		if (want.st != MRG_OK && len <= s->most && !(o->st == want.st && same_place(&o->rj, &want.rj)))
			return "another rejection";
		if (want.st != MRG_OK && len > s->most && !(o->st < 0 && o->rj.status == o->st))
			return "not rejected, or as if more bytes could help";
	}
	met[want.st == MRG_OK]++;
	return NULL;
}

/* --- somebody writes meanwhile ----------------------------------------------------------------- */

struct writer {
	volatile uint8_t *at;
	uint8_t one, other;
	atomic_bool running, stop;
};

static void *flip(void *arg)
{
	struct writer *me = arg;
	while (!atomic_load_explicit(&me->stop, memory_order_relaxed)) {
		*me->at = me->one;
		atomic_store(&me->running, true);
		*me->at = me->other;
	}
	return NULL;
}

static void start(pthread_t *thread, struct writer *who)
{
	if (pthread_create(thread, NULL, flip, who) != 0)
		exit(2);
	while (!atomic_load(&who->running))
		sched_yield();
}

static void finish(pthread_t thread, struct writer *who)
{
	atomic_store(&who->stop, true);
	pthread_join(thread, NULL);
}

/* A length that changes all the time: each view is that of the one packet or that of the other. */
static void flipped_length(void)
{
	struct writer who = { page, 2, 200, false, false };
	pthread_t thread;
	bool good = true;
	memset(page, 5, ROOM);
	start(&thread, &who);
	for (unsigned i = 0; i < FLIPS; i++) {
		struct mrg_ring_counted_fetched out;
		const enum mrg_status st = mrg_ring_counted_fetch(page, ROOM, &out, NULL);
		const size_t n = st == MRG_OK ? mrg_ring_counted_n(&out.view) : 0;
		good &= (n == 2 || n == 200) && out.view.len == n + 3 && mrg_ring_counted_body(&out.view).len == n;
	}
	finish(thread, &who);
	verdict(good, "a mixture of two packets", "Counted");
}

/* A value that is allowed half of the time: it is never seen in a packet that was accepted. */
static void flipped_value(void)
{
	struct writer who = { page + 12, 3, 9, false, false };
	pthread_t thread;
	bool good = true;
	memset(page, 0, ROOM);
	start(&thread, &who);
	for (unsigned i = 0; i < FLIPS; i++) {
		struct mrg_ring_descriptor_fetched out;
		struct mrg_reject rj;
		const enum mrg_status st = mrg_ring_descriptor_fetch(page, ROOM, &out, &rj);
		good &= st == MRG_OK ? mrg_ring_descriptor_flags(&out.view) == 3 && out.bytes[12] == 3
				     : st == MRG_E_VALUE && rj.bit_off == 96 && rj.at == out.bytes + 12 && out.bytes[12] == 9;
	}
	finish(thread, &who);
	verdict(good, "accepted with a value that is not allowed", "Descriptor");
}

static uint8_t *touched;

uint8_t mrg_touch_touch(uint8_t n)
{
	(void)n;
	memset(touched, 0xff, 16);
	return 1;
}

/* The memory changes in the middle of the check, by the extern that the check calls. */
static void changed_during_check(void)
{
	static const uint8_t text[] = { 4, 'a', 'b', 'c', 'd', 7 };
	static struct mrg_touch_touched_fetched out;
	static struct mrg_touch_touched v;
	touched = page + 64;
	memcpy(touched, text, sizeof text);
	verdict(mrg_touch_touched_check_((struct mrg_span){ touched, 16 }, &v, NULL) != MRG_OK, "in place the change is seen", "Touched");
	memcpy(touched, text, sizeof text);
	const enum mrg_status st = mrg_touch_touched_fetch(touched, 16, &out, NULL);
	const struct mrg_span body = st == MRG_OK ? mrg_touch_touched_body(&out.view) : (struct mrg_span){ NULL, 0 };
	verdict(st == MRG_OK && touched[0] == 0xff, "the change is not seen", "Touched");
	verdict(mrg_span_eq(body, (struct mrg_span){ text + 1, 4 }), "what was there is read", "Touched");
}

/* Any place, any length, up to the edges of what may be read. */
static void load_once(void)
{
	static uint8_t to[48];
	bool good = true;
	for (unsigned i = 0; i < PAGE; i++)
		page[i] = (uint8_t)draw(256);
	for (size_t len = 0; len <= 40; len++)
		for (size_t at = 0; at <= 32; at++) {
			const uint8_t *const low = page + at, *const high = page + PAGE - len - at;
			memset(to, 0x5a, sizeof to);
			mrg_load_once(to, low, len);
			good &= memcmp(to, low, len) == 0 && to[len] == 0x5a;
			mrg_load_once(to, high, len);
			good &= memcmp(to, high, len) == 0 && to[len] == 0x5a;
		}
	mrg_load_once(to, NULL, 0);
	verdict(good, "copies", "mrg_load_once");
}

int main(void)
{
	map_page();
	load_once();
	for (unsigned i = 0; i < sizeof subjects / sizeof subjects[0]; i++) {
		const char *wrong = NULL;
		met[0] = met[1] = 0;
		for (unsigned round = 0; round < ROUNDS && wrong == NULL; round++)
			wrong = fetch_round(&subjects[i]);
		verdict(wrong == NULL, wrong, subjects[i].name);
		verdict(met[0] >= ROUNDS / 20 && met[1] >= ROUNDS / 20, "too few are accepted, or refused", subjects[i].name);
	}
	changed_during_check();
	flipped_length();
	flipped_value();
	printf("%u passed, %u failed\n", passed, failed);
	return failed != 0;
}
""".replace("MAPPED", MAPPED)

SUBJECT = r"""
static void SHORT_check(struct mrg_span in, struct outcome *o)
{
	struct NAME v;
	struct mrg_w w;
	o->st = NAME_check_(inARGS, &v, &o->rj);
	mrg_w_init(&w, o->copy, ROOM);
	if (o->st == MRG_OK)
		NAME_copy(&w, &v);
	note(o, (struct mrg_span){ v.p, v.len }, &w);
}

static void SHORT_fetch(uint8_t *from, size_t readable, size_t len, struct outcome *o)
{
	static struct NAME_fetched out;
	struct mrg_w w;
	o->st = NAME_fetch(from, lenARGS, &out, &o->rj);
	memset(from, 0xee, readable);
	mrg_w_init(&w, o->copy, ROOM);
	if (o->st == MRG_OK)
		NAME_copy(&w, &out.view);
	note(o, (struct mrg_span){ out.view.p, out.view.len }, &w);
}
"""

# The counted unit: its loads call these. Only those of the shared bytes matter.
COUNTING = r"""
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include "unit.h"
MAPPED
static unsigned loads[ROOM];

static void count(const void *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const size_t at = (size_t)((const uint8_t *)p + i - page);
		if (at < ROOM)
			loads[at]++;
	}
}

void __tsan_init(void) {}
void __tsan_func_entry(void *caller) { (void)caller; }
void __tsan_func_exit(void) {}
void __tsan_read_range(void *p, size_t n) { count(p, n); }
void __tsan_write_range(void *p, size_t n) { (void)p, (void)n; }
void *__tsan_memcpy(void *to, const void *from, size_t n) { count(from, n); return memcpy(to, from, n); }
void *__tsan_memmove(void *to, const void *from, size_t n) { count(from, n); return memmove(to, from, n); }
void *__tsan_memset(void *to, int byte, size_t n) { return memset(to, byte, n); }
#define LOADS(kind, n) \
	void __tsan_##kind##read##n(void *p) { count(p, n); } \
	void __tsan_##kind##write##n(void *p) { (void)p; }
#define ANY(n) LOADS(, n) LOADS(volatile_, n) LOADS(unaligned_, n) LOADS(unaligned_volatile_, n) \
	void __tsan_read_write##n(void *p) { count(p, n); } \
	void __tsan_unaligned_read_write##n(void *p) { count(p, n); }
ANY(1) ANY(2) ANY(4) ANY(8) ANY(16)

int main(void)
{
	unsigned passed = 0, failed = 0;
	map_page();
	for (unsigned which = 0; which < UNITS; which++) {
		bool good = true;
		for (size_t at = 0; at < 9; at++)
			for (size_t len = 0; len <= 280; len += 1 + len / 12) {
				const size_t most = unit_most(which), first = len < most ? len : most;
				memset(page, (int)(len & 3u), ROOM);
				memset(loads, 0, sizeof loads);
				unit_fetch(which, page + at, len);
				for (size_t i = 0; i < ROOM; i++)
					good &= loads[i] == (i >= at && i < at + first);
			}
		passed += good;
		failed += !good;
		if (!good)
			printf("FAILED packet %u: bytes are not loaded once\n", which);
	}
	printf("%u passed, %u failed\n", passed, failed);
	return failed != 0;
}
""".replace("MAPPED", MAPPED)

UNIT_H = """
#include "mrg.h"
size_t unit_most(unsigned which);
uint64_t unit_fetch(unsigned which, const void *from, size_t len);
"""

WARNINGS = "-std=c11 -D_DEFAULT_SOURCE -g -Wall -Wextra -Wconversion -Wshadow -Wcast-qual -Wvla -Werror".split()
SANITIZE = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
VARIANTS = [("-O3", ["-O3"], 4000, 400000), ("-O0", ["-O0"], 1000, 40000), ("sanitizers", ["-O1", *SANITIZE], 1000, 40000)]
COUNTED = re.compile(r"^(\d+) passed, (\d+) failed$", re.M)


def arguments(packet: ir.Packet) -> str:
    return f", {LIMIT}" * len(packet.params)


def subjects(packets: list[ir.Packet]) -> tuple[str, str]:
    """Functions and table for the program; and the messages that the interpreter draws, as a header."""
    functions, rows = "", ""
    drawn = ["struct message {", "\tsize_t len;", "\tuint8_t data[512];", "};"]
    for p in packets:
        short = names.snake(p.name)
        functions += SUBJECT.replace("SHORT", short).replace("NAME", names.packet(p)).replace("ARGS", arguments(p))
        some = [m for m in messages(p, 40) if not m.args or m.args[0] <= LIMIT]
        drawn.append(f"static const struct message {short}_messages[] = {{")
        drawn += [f"\t{{ {len(m.data)}, {{ {', '.join(map(str, m.data)) or 0} }} }}," for m in some]
        drawn.append("};")
        rows += f'\t{{ "{p.name}", {p.size_max}, {len(some)}, {short}_messages, {short}_check, {short}_fetch }},\n'
    table = f"static const struct subject subjects[] = {{\n{rows}}};\n"
    return functions + table, "\n".join(drawn) + "\n"


def unit(packets: list[ir.Packet]) -> str:
    """The unit whose loads are counted: it fetches, and reads the view."""
    most, fetch = "", ""
    for i, p in enumerate(packets):
        name = names.packet(p)
        most += f"\tcase {i}: return {p.size_max};\n"
        fetch += f"\tcase {i}: {{\n\t\tstatic struct {name}_fetched out;\n"
        fetch += f"\t\tif ({name}_fetch(from, len{arguments(p)}, &out, NULL) == MRG_OK)\n\t\t\tfor (size_t i = 0; i < out.view.len; i++)\n"
        fetch += "\t\t\t\tsum += out.view.p[i];\n\t\tbreak;\n\t}\n"
    return (
        '#include "unit.h"\n#include "ring.h"\n'
        f"size_t unit_most(unsigned which)\n{{\n\tswitch (which) {{\n{most}\t}}\n\treturn 0;\n}}\n"
        f"uint64_t unit_fetch(unsigned which, const void *from, size_t len)\n{{\n\tuint64_t sum = 0;\n\tswitch (which) {{\n{fetch}\t}}\n\treturn sum;\n}}\n"
    )


def add(report: Report, what: str, output: str) -> None:
    """The counts of a program that ran."""
    counts = COUNTED.findall(output)
    if report.check(f"{what} runs to its end", bool(counts), output[-4000:]):
        report.passed += int(counts[-1][0])
        report.failed += int(counts[-1][1])
        if int(counts[-1][1]):
            print(f"{what}:\n{output[:4000]}")


def against_private(report: Report, folder: Path, cc: str) -> None:
    for label, flags, rounds, flips in VARIANTS:
        sizes = [f"-DROUNDS={rounds}", f"-DFLIPS={flips}u"]
        built = run(cc, *WARNINGS, *flags, *sizes, "-pthread", "-I", "out", "-o", "program", "program.c", "out/ring.c", "out/touch.c", cwd=folder)
        if report.check(f"{cc} {label} builds the program", built.returncode == 0, built.stdout):
            add(report, f"{cc} {label}", run(folder / "program", cwd=folder).stdout)


def counted(report: Report, folder: Path, cc: str, units: int) -> None:
    for level in ("-O1", "-O3"):
        parts = [run(cc, *WARNINGS, level, "-fsanitize=thread", "-I", "out", "-c", "-o", f"{n}.o", path, cwd=folder)
                 for n, path in (("unit", "unit.c"), ("ring", "out/ring.c"))]
        link = ["-std=c11", "-D_DEFAULT_SOURCE", f"-DUNITS={units}", "-I", "out", "-I", ".", "-o", "counting"]
        parts.append(run(cc, *link, "counting.c", "unit.o", "ring.o", cwd=folder))
        if report.check(f"{cc} {level} builds the unit", all(p.returncode == 0 for p in parts), "".join(p.stdout for p in parts)):
            add(report, f"{cc} {level}, loads counted", run(folder / "counting", cwd=folder).stdout)


def main() -> int:
    report = Report()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "ring.mrg").write_text(SPEC)
        (folder / "touch.mrg").write_text(TOUCH)
        made = run(sys.executable, ROOT / "bin" / "mrg", "c", "ring.mrg", "touch.mrg", "-o", "out", cwd=folder)
        if not report.check("it compiles", made.returncode == 0, made.stdout):
            return report.finish()
        module = load.load([str(folder / "ring.mrg")], [])[0]
        packets = [p for p in module.packets if not p.inline]
        functions, drawn = subjects(packets)
        (folder / "program.c").write_text(PROGRAM.replace("SUBJECTS\n", functions))
        (folder / "messages.h").write_text(drawn)
        (folder / "unit.c").write_text(unit(packets))
        (folder / "unit.h").write_text(UNIT_H)
        (folder / "counting.c").write_text(COUNTING)
        header = (folder / "out" / "ring.h").read_text()
        report.none("no public check of a span", re.findall(r"\bmrg_ring_\w+_check\(", header))
        report.check("nothing is fetched but packets", sorted(re.findall(r"\bmrg_ring_(\w+)_fetch\(", header)) == sorted(names.snake(p.name) for p in packets))
        add(report, "the generated tests", vector_run.run(module))
        for cc in filter(shutil.which, ("gcc", "clang")):
            against_private(report, folder, cc)
            counted(report, folder, cc, len(packets))
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
