#!/usr/bin/env python3
"""Broken specifications get errors, never a crash, and the formatter copes.

Tokens of valid specifications are deleted, doubled, swapped and replaced, by
a fixed sequence of choices; whatever comes out must load or fail with located
errors.  `test_mutations.py N` makes N of them (default 400).
"""

from __future__ import annotations

import random
import re
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(ROOT / "gen"))

from mrg import check, errors, fmt, lexer, lower, parser, resolve, source  # noqa: E402

LIMIT_S = 5.0  # for one file; a usual one takes a few hundredths


def seeds() -> list[str]:
    """Texts without imports, so that each stands alone."""
    texts = [f.read_text() for f in sorted((ROOT / "specs").rglob("*.mrg"))]
    page = (ROOT / "specs" / "LANGUAGE.md").read_text()
    texts += re.findall(r"^```mrg\n(.*?)^```$", page, re.M | re.S)
    return [t for t in texts if "\nimport" not in t and len(t) < 20000]


def mutate(text: str, pick: random.Random, words: list[str]) -> str:
    tokens = lexer.lex(source.Source("seed", text), errors.Errors()).list[:-1]
    spans = [(t.start, t.end) for t in tokens]
    if not spans:
        return text
    for _ in range(pick.randint(1, 3)):
        at = pick.randrange(len(spans))
        start, end = spans[at]
        if end > len(text):
            continue
        what = pick.randrange(4)
        if what == 0:
            text = text[:start] + " " * (end - start) + text[end:]
        elif what == 1:
            word = pick.choice(words)
            text = text[:start] + word + " " + text[end:]
            break
        elif what == 2:
            other = spans[pick.randrange(len(spans))]
            text = text[:start] + text[other[0] : other[1]] + text[end:]
            break
        else:
            text = text[:start] + text[start:end] + " " + text[start:]
            break
    return text


def try_text(text: str) -> str:
    """How a text fares: "ok" or "failed"; anything else is raised."""
    found = errors.Errors()
    try:
        src = source.Source("m.mrg", text)
        tree = parser.parse(src, found)
        found.stop_if_any()
        assert tree is not None
        unit = resolve.Unit(tree, src, "")
        resolver = resolve.Resolver([], found)
        resolver._declare(unit)
        check.check(unit, found)
        lower.lower([unit], found)
        found.stop_if_any()
    except errors.Failed as failed:
        failed.render()
        return "failed"
    once = fmt.format_text(text)
    if fmt.format_text(once) != once:
        raise AssertionError("formatting twice differs from formatting once")
    return "ok"


def main() -> int:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 400
    texts = seeds()
    words = sorted({t.text for s in texts for t in lexer.lex(source.Source("s", s), errors.Errors()).list if t.text})
    counts = {"ok": 0, "failed": 0}
    bad = 0
    for seed in range(count):
        pick = random.Random(seed)
        text = mutate(pick.choice(texts), pick, words)
        began = time.process_time()
        try:
            counts[try_text(text)] += 1
        except Exception as e:  # a crash is what this test looks for
            bad += 1
            print(f"FAIL seed {seed}: {type(e).__name__}: {e}\n{text}")
        if time.process_time() - began > LIMIT_S:
            bad += 1
            print(f"FAIL seed {seed}: took more than {LIMIT_S} s\n{text}")
    print(f"ok mutations: {counts['ok']} compile, {counts['failed']} are refused")
    print(f"{int(bad == 0)} passed, {bad} failed")
    return 1 if bad else 0


sys.exit(main())
