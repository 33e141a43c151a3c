#!/usr/bin/env python3
"""`mrg fmt`: canonical, idempotent, and it loses nothing.

fmt/NAME.in becomes fmt/NAME.out.  For those, for every specification and for
every example of LANGUAGE.md: formatting twice is formatting once, comments
are the same, and so is what the text means.  `--update` writes the .out files.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from pathlib import Path
from typing import Optional

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(ROOT / "gen"))

from mrg import errors, fmt, lexer, source  # noqa: E402


def words(text: str) -> Counter[str]:
    """Tokens and comments, in any order: clauses may move, `;` after `}` may go."""
    tokens = lexer.lex(source.Source("t", text), errors.Errors())
    kept = Counter(t.text.rstrip() for t in [*tokens.list, *tokens.comments])
    return Counter({word: n for word, n in kept.items() if word not in (";", "", ",")})


def problem(text: str) -> Optional[str]:
    """What is wrong with how a text is formatted."""
    once = fmt.format_text(text)
    if fmt.format_text(once) != once:
        return "formatting twice differs:\n" + fmt.format_text(once)
    before, after = words(text), words(once)
    before = Counter({w if not w.startswith("///") else "/// " + w[3:].strip(): n for w, n in before.items()})
    after = Counter({w if not w.startswith("///") else "/// " + w[3:].strip(): n for w, n in after.items()})
    if before != after:
        return f"lost {dict(before - after)}, gained {dict(after - before)}"
    if any(line != line.rstrip() for line in once.splitlines()):
        return "blanks at the end of a line"
    return None


def texts() -> list[tuple[str, str]]:
    files = sorted([*(HERE / "fmt").glob("*.in"), *(ROOT / "specs").rglob("*.mrg")])
    out = [(str(f.relative_to(ROOT)), f.read_text()) for f in files]
    page = (ROOT / "specs" / "LANGUAGE.md").read_text()
    for m in re.finditer(r"^```mrg\n(.*?)^```$", page, re.M | re.S):
        out.append((f"LANGUAGE.md:{page.count(chr(10), 0, m.start()) + 2}", m[1]))
    return out


def squeezed(text: str) -> str:
    """The same with every blank that can go gone: formatting must put them back."""
    tokens = lexer.lex(source.Source("t", text), errors.Errors())
    every = sorted([*tokens.list[:-1], *tokens.comments], key=lambda t: t.start)
    out = ""
    for t in every:
        line = t.kind in ("comment", "doc")
        glue = out and not out.endswith("%s") and (out[-1].isalnum() or out[-1] in '_"%*-/<>=&|.!:') and (t.text[0].isalnum() or t.text[0] in '_"%*-/<>=&|.!:')
        out += ("\n" if line and out else " " if glue else "") + t.text + ("\n" if line else "")
    return out


def main() -> int:
    passed = failed = 0
    results: list[tuple[str, Optional[str]]] = []
    for path in sorted((HERE / "fmt").glob("*.in")):
        got, out = fmt.format_text(path.read_text()), path.with_suffix(".out")
        if "--update" in sys.argv:
            out.write_text(got)
        results.append((f"{path.name} is as expected", None if got == out.read_text() else got))
    for name, text in texts():
        results.append((name, problem(text)))
        results.append((f"{name} without blanks", problem(squeezed(text))))
    for name, wrong in results:
        passed += wrong is None
        failed += wrong is not None
        print(f"{'ok' if wrong is None else 'FAIL'} {name}")
        if wrong is not None:
            print(wrong)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


sys.exit(main())
