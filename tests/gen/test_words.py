#!/usr/bin/env python3
"""Sets of words: the generated lookup finds what the reference finds, and reads nothing but the word.

Each word as it is, in other cases, with each octet changed to each other one, shorter, longer, and joined with others; and
random ones: with unmapped memory before it and behind it.  The sets are those of the registries, and some that are hard.
"""

from __future__ import annotations

import random
import re
import shutil
import struct
import sys
import tempfile
from pathlib import Path
from typing import Iterator

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parents[1] / "gen")]
from report import ROOT, Report, run  # noqa: E402

from mrg import ir, load, names, words  # noqa: E402

LETTERS = "abcdefghijklmnopqrstuvwxyz"
NO_LETTERS = ["[a]", "{a}", "@", "`", "[]{}", "{}[]", "^~^~^~^~^~", "~^~^~^~^~^", "_", "\\x7f", "0123", "\\x10\\x11\\x12\\x13", "é", "É"]
HARD: dict[str, tuple[str, list[str]]] = {
    "Exact": ("words", ["GET", "get", "Get", "a", "A", "ab", "abc", "abcd", "x" * 255, *NO_LETTERS]),
    "Folded": ("words nocase", ["GET", "a", "aB", "aBc", "ABCD", "X" * 255, *NO_LETTERS]),
    "Lonely": ("words nocase", ["only"]),
    "Same": ("words", ["a" * n for n in range(1, 41)]),
    "Twos": ("words nocase", [a + b for a in LETTERS for b in LETTERS]),
    "Counted": ("words", [f"field{n:03}" for n in range(300)]),
    "Middle": ("words", [f"the first {n:02} and the last" for n in range(40)]),
    "MiddleFolded": ("words nocase", [f"the first {c} and the last" for c in LETTERS + "[{@`0"] + ["The First (1)(2)(3)(4)(5)(6) The Last"]),
}
ALL_HASHED = {"Folded", "Middle", "MiddleFolded"}  # words differ between their ends, or in what folding for the hash makes the same
SEVERAL = """
/// More than one word for a value; values that are far apart.
enum Several : u16 words nocase {
  ONE = 1 words "one", "eins", "un" as "first; the one" "a reference";
  TWO = 600 words "two", "TWOS";
  THREE = 65535 as "the third" "another";
  FOUR = 9;
}
"""

PROGRAM = r"""
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
HEADERS

#define PAGE 4096u
static const struct {
	unsigned (*of)(struct mrg_span);
	struct mrg_span (*word)(uint64_t);
} sets[] = { TABLE };

static unsigned number(FILE *f)
{
	const int high = getc(f), low = getc(f);
	if (low == EOF)
		exit(3);
	return (unsigned)high << 8 | (unsigned)low;
}

/* A set, then its words with their values, then its values with their words: as `cases` and `spellings` write them. */
int main(int argc, char **argv)
{
	unsigned passed = 0, failed = 0;
	uint8_t *all = mmap(NULL, 3 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), *page = all + PAGE;
	FILE *f = fopen(argv[argc - 1], "rb");
	if (f == NULL || all == MAP_FAILED || mprotect(page, PAGE, PROT_READ | PROT_WRITE) != 0)
		return 2;
	for (int c = getc(f); c != EOF; c = getc(f)) {
		const bool back = (c & 0x80) != 0;
		const unsigned value = number(f), len = number(f);
		uint8_t *low = page, *high = page + PAGE - len;
		bool good;
		if (fread(high, 1, len, f) != len)
			return 3;
		if (back) {
			const struct mrg_span s = sets[c & 0x7f].word(value);
			good = s.len == len && (len == 0 || memcmp(s.p, high, len) == 0);
		} else {
			good = sets[c].of((struct mrg_span){ high, len }) == value;
			memmove(low, high, len);
			good &= sets[c].of((struct mrg_span){ low, len }) == value;
			good &= len != 0 || sets[c].of((struct mrg_span){ NULL, 0 }) == 0;
		}
		passed += good;
		failed += !good;
		if (!good && failed < 10)
			printf("FAILED set %d, value %u, \"%.*s\"\n", c & 0x7f, value, (int)len, (const char *)high);
	}
	printf("%u passed, %u failed\n", passed, failed);
	return failed != 0;
}
"""
FLAGS = "-std=c11 -D_DEFAULT_SOURCE -Wall -Wextra -Wconversion -Wshadow -Wcast-qual -Wvla -Werror".split()
VARIANTS = [("gcc", ["-O2"]), ("clang", ["-O2"]), ("gcc", ["-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"])]
RANDOM = 20000


def spec() -> str:
    text = "/// Sets that are hard.\nmodule own;\n" + SEVERAL
    for name, (kind, listed) in HARD.items():
        members = "".join(f'  W{i + 1} = {i + 1} as "{word}";\n' for i, word in enumerate(listed))
        text += f"\n/// One of them.\nenum {name} : u16 {kind} {{\n{members}}}\n"
    return text


def tried(e: ir.Enum, rng: random.Random) -> Iterator[bytes]:
    """Words to look up."""
    known = [text.encode() for m in e.members for text in m.words]
    for word in known:
        yield from (word, word.lower(), word.upper(), word.swapcase(), word.title())
        yield bytes(c ^ 0x20 for c in word)
        yield bytes(rng.choice((c, c ^ 0x20)) for c in word)
        yield bytes(c | 0x20 for c in word)
        yield from (word[:n] for n in range(len(word)))
        yield from (word[1:], b"x" + word, word + b"x", word + word[-1:], word + b"\0", word[:1] + word, word + word)
        other = rng.choice(known)
        yield from (word[: len(word) // 2] + other[len(other) // 2 :], word[:8] + other[8:], word[:-8] + other[-8:])
        for i in range(len(word)):
            yield from (word[:i] + bytes([c]) + word[i + 1 :] for c in range(256) if c != word[i])
    for _ in range(RANDOM):
        alphabet = rng.choice((range(256), rng.choice(known), b"aA-"))
        yield bytes(rng.choices(alphabet, k=rng.choice((rng.randrange(9), rng.randrange(40), rng.randrange(300)))))


def cases(at: int, e: ir.Enum) -> bytes:
    meanings, out = words.meanings(e), bytearray()
    for word in tried(e, random.Random(at)):
        member = meanings.get(words.folded(e, word))
        out += struct.pack(">BHH", at, member.lo if member is not None else 0, len(word)) + word
    return bytes(out)


def spellings(at: int, e: ir.Enum) -> bytes:
    """The way back: how each value is written, and that others are not."""
    texts = {m.lo: m.text.encode() for m in e.members}
    values = sorted({0, 1, 65535, *(v + d for v in texts for d in (-1, 0, 1) if v + d <= 65535)})
    return b"".join(struct.pack(">BHH", at | 0x80, v, len(texts.get(v, b""))) + texts.get(v, b"") for v in values)


def main() -> int:
    report = Report()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "own.mrg").write_text(spec())
        registries = sorted((ROOT / "specs" / "iana").rglob("*.mrg"))
        made = run(sys.executable, ROOT / "bin" / "mrg", "c", "own.mrg", *registries, "-o", "out", cwd=folder)
        if not report.check("it compiles", made.returncode == 0, made.stdout):
            return report.finish()
        modules = [m for m in load.load([str(folder / "own.mrg"), *map(str, registries)], []) if any(e.words for e in m.enums)]
        sets = [e for m in modules for e in m.enums if e.words]
        for e in sets:
            t = words.table(e)
            report.check(f"the table of {e.name} is small", len(t.slots) <= 8 * len(t.words), f"{len(t.slots)} slots")
            report.check(f"{e.name} is hashed by its ends, if they are enough", t.whole == (e.name in ALL_HASHED))
        wrapped = "".join(f"static unsigned of_{i}(struct mrg_span s) {{ return (unsigned){names.enum(e)}_of(s); }}\n" for i, e in enumerate(sets))
        table = ", ".join(f"{{ of_{i}, {names.enum(e)}_word }}" for i, e in enumerate(sets))
        headers = "".join(f'#include "{names.header(m)}"\n' for m in modules)
        sources = [f"out/{names.source(m)}" for m in modules]
        program = PROGRAM.replace("HEADERS", headers).replace("static const struct", wrapped + "static const struct").replace("TABLE", table)
        (folder / "program.c").write_text(program)
        (folder / "cases").write_bytes(b"".join(cases(i, e) + spellings(i, e) for i, e in enumerate(sets)))
        for cc, flags in VARIANTS:
            if not shutil.which(cc):
                continue
            built = run(cc, *FLAGS, *flags, "-I", "out", "-o", "program", "program.c", *sources, cwd=folder)
            if not report.check(f"{cc} builds the program", built.returncode == 0, built.stdout):
                continue
            done = run(folder / "program", "cases", cwd=folder)
            counts = re.findall(r"^(\d+) passed, (\d+) failed$", done.stdout, re.M)
            if report.check(f"{cc} {flags[0]} runs to its end", bool(counts), done.stdout[-4000:]):
                report.check(f"{cc} {flags[0]} looks up many", int(counts[0][0]) > 1000000, done.stdout)
                report.check(f"{cc} {flags[0]} finds each word", int(counts[0][1]) == 0, done.stdout)
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
