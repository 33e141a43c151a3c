#!/usr/bin/env python3
"""Generated lexers and matchers against the reference of gen/mrg/grammar_ref.py.

The grammars of specs/ and some made up here are compiled to C; both read the
same texts: short ones exhaustively, longer ones at random from a fixed seed.
"""

from __future__ import annotations

import ctypes
import itertools
import random
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Iterator, Optional

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "gen"))

from mrg import ir, names  # noqa: E402
from mrg.emit import re2c  # noqa: E402
from mrg.emit.writer import Writer  # noqa: E402
from mrg.grammar_ref import Reference  # noqa: E402
from mrg.load import load  # noqa: E402

MADE_UP = """\
/// Made up for the test.
module made.up;

/// Repetition, choice, case and NUL.
grammar Words {
  /// the longest wins
  token Ab    = 1*("ab");
  /// before a shorter one
  token Abc   = %s"abc";
  /// the first of equals wins
  token Other = 1*3ALPHA;
  /// counted
  token Four  = 2*4DIGIT;
  /// NUL is a byte
  token Nuls  = "<" *(%x00-3B / %x3D / %x3F-FF) ">";

  /// optional parts
  match Pair  = key:1*ALPHA [sep:("=" / ":") value:*OCTET];
  /// the first way to match gives the captures
  match Split = a:*"x" b:*"x" c:[%x78];
  /// nothing at all is a match
  match Empty = *SP;
  /// so is everything
  match All   = first:*OCTET;
  /// alternatives with a common beginning
  match Alts  = one:("ab") / two:("ab" "c") / three:1*("a" / "b" / "c");
}
"""
FLAGS = "-std=c11 -O1 -Wall -Wextra -Wconversion -Wshadow -Wcast-qual -Werror -shared -fPIC".split()


class Compiled:
    """A grammar's C, called through ctypes."""

    def __init__(self, module: ir.Module, room: Path) -> None:
        header = room / names.header(module)
        header.parent.mkdir(parents=True, exist_ok=True)
        w = Writer()
        w.line('#include "mrg.h"')
        re2c.declarations(w, module)
        header.write_text(w.text(), encoding="utf-8")
        source = room / (module.name + ".c")
        source.write_text(re2c.source(module), encoding="utf-8")
        library = source.with_suffix(".so")
        subprocess.run(
            ["cc", *FLAGS, "-I", str(room), "-I", str(ROOT / "gen" / "support"), "-o", str(library), str(source)], check=True
        )
        self.library = ctypes.CDLL(str(library))

    def next(self, g: ir.Grammar, data: bytes, at: int) -> tuple[str, int]:
        buffer = ctypes.create_string_buffer(data, len(data) + 1)
        start = ctypes.addressof(buffer)
        cursor = ctypes.c_void_p(start + at)
        function = getattr(self.library, f"{names.grammar(g)}_next")
        function.argtypes = [ctypes.c_void_p, ctypes.c_void_p]
        token = function(ctypes.addressof(cursor), start + len(data))
        tokens = ["END", *(r.name for r in re2c.rules(g, "token")), "NONE"]
        return tokens[token], (cursor.value or 0) - start

    def match(self, g: ir.Grammar, rule: ir.Rule, data: bytes) -> Optional[dict[str, tuple[int, int]]]:
        class Span(ctypes.Structure):
            _fields_ = [("p", ctypes.c_void_p), ("len", ctypes.c_size_t)]

        found = list(re2c.captures(rule.node))
        buffer = ctypes.create_string_buffer(data, len(data) + 1)
        start = ctypes.addressof(buffer)
        function = getattr(self.library, f"{names.grammar(g)}_{names.snake(rule.name)}_match")
        function.restype = ctypes.c_bool
        out = (Span * max(1, len(found)))()
        function.argtypes = [Span, ctypes.c_void_p] if found else [Span]
        args = [Span(start, len(data)), ctypes.addressof(out)] if found else [Span(start, len(data))]
        if not function(*args):
            return None
        spans = {name: (int(s.p) - start, int(s.p) - start + s.len) for name, s in zip(found, out) if s.p}
        return spans


def alphabet(g: ir.Grammar) -> bytes:
    """Bytes on both sides of each border between classes."""
    seen: set[int] = {0}

    def visit(node: ir.Node) -> None:
        if isinstance(node, ir.Lit):
            seen.update(node.data)
        elif isinstance(node, ir.Class):
            for lo, hi in node.ranges:
                seen.update((lo, hi, max(0, lo - 1), min(255, hi + 1)))
        elif isinstance(node, (ir.Seq, ir.Alt)):
            for n in node.nodes:
                visit(n)
        elif isinstance(node, (ir.Rep, ir.Capture)):
            visit(node.node)

    for rule in g.rules:
        visit(rule.node)
    return bytes(sorted(seen))


def texts(g: ir.Grammar, seed: int) -> Iterator[bytes]:
    letters = alphabet(g)
    for n in (0, 1, 2):
        for t in itertools.product(letters, repeat=n):
            yield bytes(t)
    rng = random.Random(seed)
    literals = [bytes(n.data) for r in g.rules for n in flat(r.node) if isinstance(n, ir.Lit)]
    for _ in range(1500):
        parts = []
        for _ in range(rng.randrange(1, 8)):
            if literals and rng.random() < 0.4:
                part = bytearray(rng.choice(literals))
                if part and rng.random() < 0.3:
                    part[rng.randrange(len(part))] ^= 0x20
                parts.append(bytes(part))
            else:
                parts.append(bytes([rng.choice(letters)]) * rng.randrange(1, 5))
        yield b"".join(parts)


def flat(node: ir.Node) -> Iterator[ir.Node]:
    yield node
    if isinstance(node, (ir.Seq, ir.Alt)):
        for n in node.nodes:
            yield from flat(n)
    elif isinstance(node, (ir.Rep, ir.Capture)):
        yield from flat(node.node)


def check_grammar(g: ir.Grammar, compiled: Compiled) -> tuple[int, list[str]]:
    reference = Reference(g)
    passed = 0
    wrong: list[str] = []
    for text in texts(g, 2024):
        if reference.tokens:
            at = 0
            while True:
                want, got = reference.next(text, at), compiled.next(g, text, at)
                passed += want == got
                if want != got:
                    wrong.append(f"{g.name}: {text!r} at {at}: C says {got}, the reference {want}")
                if want[0] == "END" or want != got:
                    break
                at = want[1]
        for rule in re2c.rules(g, "match"):
            want_m, got_m = reference.match(rule.name, text), compiled.match(g, rule, text)
            passed += want_m == got_m
            if want_m != got_m:
                wrong.append(f"{g.name}.{rule.name}: {text!r}: C says {got_m}, the reference {want_m}")
    return passed, wrong


def deterministic(module: ir.Module) -> list[str]:
    if re2c.source(module) != re2c.source(module):
        return [f"{module.name}: two runs of re2c differ"]
    text = re2c.source(module)
    leaks = [word for word in (str(ROOT), tempfile.gettempdir() + "/", "Generated on") if word in text]
    return [f"{module.name}: the C names '{word}'" for word in leaks]


def main() -> int:
    passed = 0
    wrong: list[str] = []
    with tempfile.TemporaryDirectory() as room_name:
        room = Path(room_name)
        made = room / "specs" / "made" / "up.mrg"
        made.parent.mkdir(parents=True)
        made.write_text(MADE_UP, encoding="utf-8")
        specs = sorted(str(p) for p in (ROOT / "specs").rglob("*.mrg") if "grammar " in p.read_text(encoding="utf-8"))
        modules = load(specs, [str(ROOT / "specs")]) + load([str(made)], [str(room / "specs")])
        for module in modules:
            if not module.grammars:
                continue
            compiled = Compiled(module, room)
            for g in module.grammars:
                more, bad = check_grammar(g, compiled)
                passed, wrong = passed + more, wrong + bad
            bad = deterministic(module)
            passed, wrong = passed + (not bad), wrong + bad
    for line in wrong[:20]:
        print(line)
    print(f"{passed} passed, {len(wrong)} failed")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
