#!/usr/bin/env python3
"""Texts as subjects of fuzzing: the tables' reader against the reference, the generated C against both, and faults that are planted.

Each module's subjects are linked with a driver that makes, changes and runs inputs from a fixed seed: nothing may differ, and all points of
the specifications must be reached.  Then the tables, or one of the generated files, come from a specification with one place changed, which
must be found.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from random import Random
from typing import NamedTuple, Optional, Sequence

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from report import BUILD, OUT, ROOT, Report  # noqa: E402

sys.path[:0] = [str(ROOT / "gen"), str(ROOT / "tests" / "gen")]
from test_message_random import made as random_rule  # noqa: E402
from mrg import ir, load, message_dfa  # noqa: E402
from mrg.emit import grammars, put, ragel, text_subject  # noqa: E402
from mrg.grammar_ref import Message, Reference  # noqa: E402

FLAGS = "-std=c11 -O1 -Wall -Wextra -Wconversion -Wshadow -Wcast-qual -Wvla -Werror -D_GNU_SOURCE".split()
MODULES = ["http.message", "http.target", "http.field", "config", "dns.master", "dns.kept", "archive"]
RUNS = 8000  # of each subject at least; up to ten times as many till all points are reached
RANDOM_RULES, RANDOM_RUNS = 30, 500
SHOWN = 30  # inputs of each subject that the reference looks at
SHOWN_MAX = 400  # octets of them
VERDICTS = ["ok", "more", "bad", "limit", "gave up"]
NOT_REACHED: dict[str, str] = {}  # points, with the reason; all are reached today

DRIVER = r"""
#include "mrg_textplan_run.h"
#include <stdlib.h>
#include <string.h>

extern const struct mrg_fuzz_subject *const SUBJECTS[];
enum { KEPT = 32, ROOM = 1 << 17 };
static uint8_t kept[KEPT][ROOM], out[ROOM];
static size_t lens[KEPT];

static void show(const struct mrg_fuzz_subject *s, const uint8_t *in, size_t len)
{
	const struct mrg_text_ctx *const x = s->ctx;
	struct mrg_text_found f;
	mrg_text_read(&x->text, in, len, &f);
	printf("INPUT %s %d %zu %u ", s->name, (int)f.verdict, f.at, f.code);
	for (size_t i = 0; i < len; i++)
		printf("%02x", in[i]);
	printf(".");
	for (size_t i = 0; i < f.count; i++)
		printf(" %s:%u:%u", x->text.plan->captures[f.parts[i].what], f.parts[i].start, f.parts[i].end);
	printf("\n");
}

static bool reached_all(const struct mrg_fuzz_subject *s)
{
	size_t n = 0;
	while (n < s->point_count && s->reached[n])
		n++;
	return n == s->point_count;
}

static void fuzz(const struct mrg_fuzz_subject *s, unsigned long runs, unsigned shown, size_t shown_max)
{
	struct mrg_rng r = mrg_rng_of(9112);
	unsigned long verdicts[3] = { 0 }, gave_up = 0, k = 0;
	memset(lens, 0, sizeof lens);
	for (; k < 10 * runs && (k < runs || !reached_all(s)); k++) {
		const size_t a = mrg_rng_below(&r, KEPT), b = mrg_rng_below(&r, KEPT);
		const bool fresh = k < KEPT || mrg_rng_below(&r, 3) == 0;
		const size_t len = fresh ? s->make(s->ctx, &r, out, s->len_max) :
			s->mutate(s->ctx, &r, kept[a], lens[a], kept[b], lens[b], out, s->len_max);
		uint8_t *const in = malloc(len + 1); /* what is behind it a sanitizer sees */
		struct mrg_fuzz_result result = { MRG_FUZZ_REFUSED, "", "" };
		struct mrg_text_found f;
		memcpy(in, out, len);
		s->run(s->ctx, in, len, &result);
		mrg_text_read(&((const struct mrg_text_ctx *)s->ctx)->text, in, len, &f);
		free(in);
		verdicts[result.verdict]++;
		gave_up += f.verdict == MRG_TEXT_GAVE_UP;
		if (result.verdict == MRG_FUZZ_WRONG && verdicts[MRG_FUZZ_WRONG] < 4)
			printf("WRONG %s %s\n", s->name, result.why);
		if (len < 2000 || mrg_rng_below(&r, 100) == 0) {
			memcpy(kept[a], out, len);
			lens[a] = len;
		}
		if (shown > 0 && len <= shown_max && k % 7 == 0) {
			show(s, out, len);
			shown--;
		}
	}
	printf("SUBJECT %s %lu %lu %lu %lu %lu\n", s->name, k, verdicts[0], verdicts[1], verdicts[2], gave_up);
	for (size_t p = 0; p < s->point_count; p++)
		if (!s->reached[p])
			printf("POINT %s: %s\n", s->name, s->point_name(s->ctx, p));
}

int main(int argc, char **argv)
{
	for (size_t i = 0; SUBJECTS[i] != NULL; i++)
		if (argc < 5 || strcmp(argv[4], SUBJECTS[i]->name) == 0)
			fuzz(SUBJECTS[i], strtoul(argv[1], NULL, 10), (unsigned)atoi(argv[2]), (size_t)atoi(argv[3]));
	return 0;
}
"""


def module(name: str, root: str = "specs") -> ir.Module:
    path = str(Path(root) / (name.replace(".", "/") + ".mrg"))
    return next(m for m in load.load([path]) if m.name == name)


class Builder:
    """Programs of subjects: what is common to them is compiled once."""

    def __init__(self, room: Path) -> None:
        self.room = room
        support = ROOT / "gen" / "support"
        self.includes = [f"-I{support}", f"-I{support / 'fuzz'}", f"-I{OUT / 'gen'}"]
        self.objects = []
        for source in sorted((support / "fuzz").glob("mrg_textplan*.c")):
            made = room / (source.stem + ".o")
            self.compile("-c", "-o", made, source)
            self.objects.append(made)
        self.libraries = [*sorted((BUILD / "lib").glob("libmrg-*.a")), BUILD / "lib" / "libmrg.a"]

    def compile(self, *arguments: object) -> None:
        subprocess.run([os.environ.get("CC", "gcc"), *FLAGS, *self.includes, *map(str, arguments)], check=True)

    def program(self, label: str, m: ir.Module, tables_of: Optional[ir.Module] = None, instead: str = "", own: bool = False,
                flags: Sequence[str] = ()) -> Path:  # fmt: skip
        """instead: C that takes the place of what the libraries have; own: all C of the module, which they don't have."""
        folder = self.room / label
        folder.mkdir()
        generated = grammars.emit(m) if own else {}
        for path, text in generated.items():
            (folder / path).write_text(text)
        (folder / "subjects.c").write_text(text_subject.source(m, tables_of))
        (folder / "driver.c").write_text(DRIVER)
        (folder / "instead.c").write_text(instead or "extern int nothing;\n")
        sources = [folder / f"{name}.c" for name in ("subjects", "driver", "instead")] + [folder / p for p in generated if p.endswith(".c")]
        binary = folder / "program"
        self.compile("-O0", *flags, f"-DSUBJECTS={text_subject.list_name(m)}", f"-I{folder}", "-o", binary, *sources, *self.objects,
                     "-Wl,--start-group", *self.libraries, "-Wl,--end-group")
        return binary


# --- nothing differs ------------------------------------------------------------------------------


def reference(text: text_subject.Text, data: bytes) -> tuple[str, int, int, list[tuple[str, int, int]]]:
    """What the reference says: status, place, code, captures."""
    if text.rule.kind != "match":
        got = Message(text.rule).read(data)
        return got.status, got.end, got.code, got.parts
    found = Reference(text.grammar).match(text.rule.name, data)
    if found is None:
        return "bad", 0, 0, []
    return "ok", len(data), 0, sorted((n, a, b) for n, (a, b) in found.items())


def as_tables(line: list[str], kind: str) -> tuple[str, int, int, list[tuple[str, int, int]]]:
    status = VERDICTS[int(line[2])]
    parts = [(n, int(a), int(b)) for n, a, b in (p.split(":") for p in line[6:])]
    if kind == "match":
        return (status, int(line[3]), 0, sorted(parts)) if status == "ok" else ("bad", 0, 0, [])
    return status, int(line[3]), int(line[4]), parts


def random_module() -> ir.Module:
    """Rules of two letters and a blank by chance, as far as they are rules."""
    rng = Random(1906)
    m = ir.Module("random", "random.mrg", "Made by chance.", "", [])
    g = ir.Grammar("Random", m, ir.Loc("random.mrg", 1, 1), "", [])
    m.grammars.append(g)
    i = 0
    while len(g.rules) < RANDOM_RULES:
        rule = random_rule(rng, i)
        i += 1
        rule.name = f"R{i}"
        if rng.randrange(3) == 0:
            rule.max, rule.code = rng.randint(2, 9), 9
        try:
            if len(message_dfa.dfa(rule).states) > 1:
                g.rules.append(rule)
        except message_dfa.Conflict:
            pass
    return m


def check_module(report: Report, builder: Builder, m: ir.Module, own: bool = False) -> None:
    """own: it was made by chance, and has ways that can't be reached."""
    name = m.name
    texts = {t.title: t for t in text_subject.texts(m)}
    runs = RUNS if not own else RANDOM_RUNS
    done, coded = [
        subprocess.run([builder.program(name + label, m, own=own, flags=flags), str(runs), str(SHOWN), str(SHOWN_MAX)],
                       capture_output=True, text=True, check=False)
        for label, flags in (("", ()), (".code", ("-DMRG_PLAN_CODE",)))
    ]  # fmt: skip
    lines = [line.split(" ") for line in done.stdout.splitlines()]
    report.check(f"{name}: as code, the tables make and read the same", coded.stdout == done.stdout, coded.stdout[:2000])
    report.check(f"{name}: the program ends well", done.returncode == 0, done.stderr)
    report.none(f"{name}: nothing differs", [" ".join(x) for x in lines if x[0] == "WRONG"])
    points = [" ".join(x[1:]) for x in lines if x[0] == "POINT"]
    report.none(f"{name}: all points are reached", [p for p in points if p not in NOT_REACHED and not own])
    for x in lines:
        if x[0] == "SUBJECT":
            runs, accepted, refused, _, gave_up = map(int, x[2:])
            report.check(f"{x[1]}: texts of all kinds", own or accepted > runs // 4 and refused > 0, " ".join(x))
            report.check(f"{x[1]}: no text is too much work", gave_up == 0, " ".join(x))
    report.check(f"{name}: each rule is a subject", [x[1] for x in lines if x[0] == "SUBJECT"] == list(texts))
    unlike = []
    for x in lines:
        if x[0] == "INPUT" and not texts[x[1]].tokens:
            data = bytes.fromhex(x[5].rstrip("."))
            want, got = reference(texts[x[1]], data), as_tables(x, texts[x[1]].rule.kind)
            if got != want:
                unlike.append(f"{x[1]}: {data!r}: the tables say {got}, the reference {want}")
    report.none(f"{name}: the tables read as the reference does", unlike)


def check_size(report: Report) -> None:
    """A rule that is too large is left out, with a word about it."""
    m = random_module()
    many: ir.Node = ir.Lit(m.grammars[0].loc, b"abc", False)
    for _ in range(4):
        many = ir.Rep(many.loc, ir.Seq(many.loc, [many, ir.Lit(many.loc, b"x", False)]), 0, 15)
    m.grammars[0].rules = [ir.Rule("Large", "value", many.loc, "", many), m.grammars[0].rules[0]]
    text = text_subject.source(m)
    report.check("a rule that is too large is left out", "random.Large is left out" in text and text.count("mrg_text_subject_run") == 1)


# --- what differs is found ------------------------------------------------------------------------


class Fault(NamedTuple):
    """A place of a specification that is changed, where, and which comparison of which subject finds it."""

    module: str
    text: str
    other: str
    part: str  # "tables", or the generated file: "stream", "put"
    subject: str
    key: str


FAULTS = [
    Fault("http.message", 'minor:DIGIT;', 'minor:%x30-38;', "tables", "http.message.Request", "tables/read"),
    Fault("http.message", "target:1*8000uri_char else 414 SP", "target:1*8000uri_char else 413 SP", "tables", "http.message.Request", "tables/read"),
    Fault("http.message", "status_line *100field else 431", "status_line *99field else 431", "tables", "http.message.Response", "tables/read"),
    Fault("http.message", "*WSP CRLF;", "CRLF;", "tables", "http.message.FieldLine", "tables/read"),
    Fault("http.message", "version SP status:3DIGIT", "version SP status:2*3DIGIT", "stream", "http.message.StatusLine", "read/feed"),
    Fault("http.message", "status_line *100field else 431", "status_line *99field else 431", "stream", "http.message.Response", "read/feed"),
    Fault("http.message", "*WSP put SP", "*WSP put HTAB", "put", "http.message.FieldLine", ""),
    Fault("http.field", '["." *3"0"]', '["." *2"0"]', "tables", "http.field.AcceptEncoding", "tables/read"),
    Fault("http.field", "suffix:1*DIGIT", "last:1*DIGIT", "put", "http.field.Ranges", "put/read"),
    Fault("dns.master", 'hex:%s"x"', 'hex:%s"y"', "tables", "dns.master.Format", "tables/match"),
    Fault("dns.master", 'escape   = "\\\\" (', 'escape   = "\\\\" *1(', "tables", "dns.master.Master", "tables/token"),
]


def changed(fault: Fault, room: Path) -> ir.Module:
    path = fault.module.replace(".", "/") + ".mrg"
    text = (ROOT / "specs" / path).read_text()
    assert text.count(fault.text) == 1, fault.text
    made = room / path
    made.parent.mkdir(parents=True)
    made.write_text(text.replace(fault.text, fault.other))
    return module(fault.module, str(room))


def check_fault(report: Report, builder: Builder, i: int, fault: Fault, originals: dict[str, ir.Module]) -> None:
    m = originals.setdefault(fault.module, module(fault.module))
    other = changed(fault, builder.room / f"spec{i}")
    instead = {"tables": "", "stream": "", "put": ""}
    if fault.part == "stream":
        instead["stream"] = ragel.source(other)
    elif fault.part == "put":
        instead["put"] = put.source(other, put.written(other))
    binary = builder.program(f"fault{i}", m, other if fault.part == "tables" else None, instead[fault.part])
    done = subprocess.run([binary, str(RUNS), "0", "0", fault.subject], capture_output=True, text=True, check=False)
    found = [line for line in done.stdout.splitlines() if line.startswith(f"WRONG {fault.subject} ")]
    label = f"{fault.module}: {fault.other} for {fault.text} in {fault.part}"
    if fault.key:
        report.check(f"{label} is found", any(f"{fault.subject} {fault.key}" in line for line in found), done.stdout)
    else:
        report.check(f"{label} is none", not found and done.returncode == 0, done.stdout)


def main() -> int:
    os.chdir(ROOT)
    report = Report()
    originals: dict[str, ir.Module] = {}
    with tempfile.TemporaryDirectory() as scratch:
        builder = Builder(Path(os.environ.get("KEEP") or scratch))
        for name in MODULES:
            check_module(report, builder, module(name))
        check_module(report, builder, random_module(), own=True)
        check_size(report)
        for i, fault in enumerate(FAULTS):
            check_fault(report, builder, i, fault, originals)
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
