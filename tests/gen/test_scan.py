#!/usr/bin/env python3
"""What generated readers do many octets at a time, against the reference: runs of a class, lines, blanks that end them.

Where vectors and windows begin and end must not show.  So texts of every length end, and begin, at memory that can't be
read; octets at their edges become others; and grammars made at random from a fixed seed are read as C.
"""

from __future__ import annotations

import dataclasses
import random
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "gen"))

from message_reader import Reader, compiled  # noqa: E402
from mrg import ir, message_dfa  # noqa: E402
from mrg.emit import direct, scans  # noqa: E402
from mrg.grammar_ref import Message  # noqa: E402
from mrg.load import load  # noqa: E402

SPEC = """\
/// Made up for the test.
module made.lines;

/// Runs in all places.
grammar Lines {
  vchar = VCHAR / %x80-FF;
  field = name:1*ALPHA ":" *WSP [value:(vchar *(*WSP vchar))] *WSP CRLF;
  most  = %x00-09 / %x0B-FF;
  /// names and values
  message Fields max 4096 else 9 = word:1*40ALPHA else 7 SP *60field else 8 CRLF;
  /// a value that may be empty, where blanks end nothing
  message Plain = *(key:1*DIGIT "=" text:*most LF) ".";
  /// a value that may be reached without its name, and one that may begin with a blank
  message Either = [LF number:1*DIGIT ":"] text:(ALPHA *VCHAR) CRLF *(%s"=" text:((WSP / vchar) *(*WSP vchar)) *WSP LF) ".";
  /// classes that vectors don't know: a part of the upper half; eight different rows
  message Odd = upper:1*(%x21-7E / %x90-9F) %x0A rows:1*(%x01-10 / %x12-21 / %x23-32 / %x34-43 / %x45-54 / %x56-65 / %x67-76 / %x78-FF) %x00;
}
"""
NOWHERE = ir.Loc("", 0, 0)
VECTORS = ("general-regs-only", "", "ssse3", "avx2")  # what the C is built for: none, those that each x86-64 has, more
EDGES = sorted({16 * n + d for n in range(9) for d in (-1, 0, 1)} - {-1})
LONGEST = 130
GRAMMARS, TEXTS = 40, 50
TELLING = {0, 9, 10, 13, 31, 32, 33, 47, 58, 61, 97, 126, 127, 128, 143, 144, 159, 160, 255}  # ends of the classes


# --- texts that end and change at each place ---------------------------------------------------


def long_texts() -> dict[str, list[bytes]]:
    """For each message of the spec, texts that are longer than two windows."""
    line = b"word Name: " + b"v" * 47 + b" \t b\r\n" + b"Second:" + b"x y " * 20 + b" \r\n" + b"T:\r\n\r\n"
    plain = b"1=" + b"a b" * 20 + b"\n" + b"23=\n" + b"4" * 40 + b"=" + b"\xff" * 40 + b"\n."
    odd = b"a\x90" * 35 + b"\n" + b"\x80b" * 40 + b"\x00"
    either = b"\n" + b"1" * 30 + b":a" + b"b" * 50 + b"\r\n=  \t\n= \n=a" + b" b" * 20 + b"  \n."
    return {"Fields": [line, b"w " + line[5:]], "Plain": [plain], "Either": [either, either[32:]], "Odd": [odd]}


def check_text(readers: list[Reader], reference: Message, text: bytes) -> list[str]:
    want = reference.read(text)
    wrong = []
    for reader in readers:
        for first in (False, True):
            got = reader.read_whole(text, 400, first)
            if got != want:
                wrong.append(f"{text!r}: C says {got}, the reference {want}")
        got, content = reader.read(text, [], 400)
        same = (got.status, got.end, got.code) == (want.status, want.end, want.code)
        if not same or content != [(name, text[start:end]) for name, start, end in want.parts]:
            wrong.append(f"{text!r}: in one piece C says {got} {content}, the reference {want}")
    return wrong


def edges(libraries: list[object], module: ir.Module) -> tuple[int, list[str]]:
    passed, wrong = 0, []
    for rule in module.grammars[0].rules:
        readers = [Reader(library, module.grammars[0], rule) for library in libraries]
        reference = Message(rule)
        for text in long_texts()[rule.name]:
            texts = [text[:n] for n in range(len(text) + 1)] + [text + b"x" * n for n in range(LONGEST)]
            for at in EDGES:
                texts += [text[:at] + bytes([octet]) + text[at + 1 :] for octet in range(256) if octet % 16 == at % 16 or octet in TELLING]
            for t in texts:
                bad = check_text(readers, reference, t)
                passed, wrong = passed + (not bad), wrong + bad
    return passed, wrong


# --- grammars at random ------------------------------------------------------------------------

CLASSES = [
    [(0x61, 0x7A)],
    [(0x30, 0x39), (0x41, 0x5A), (0x61, 0x7A)],
    [(0x21, 0x7E), (0x80, 0xFF)],
    [(0x09, 0x09), (0x20, 0x7E), (0x80, 0xFF)],
    [(0x21, 0x39), (0x3B, 0x7E)],
    [(0x20, 0x7E), (0x90, 0x9F)],
    [(0x61, 0x62)],
]
FIXED = [b":", b"\n", b"=", b"; ", b"\r\n", b"a", b"end", b" "]
BLANK = ir.Class(NOWHERE, [(0x09, 0x09), (0x20, 0x20)])


def some(rng: random.Random) -> ir.Node:
    return ir.Class(NOWHERE, list(rng.choice(CLASSES)))


def run(rng: random.Random) -> ir.Node:
    """A run of one class, with a limit or without, or words between which there may be blanks."""
    kind, least = rng.randrange(5), rng.randrange(2)
    if kind == 0:
        return ir.Rep(NOWHERE, some(rng), least, least + rng.choice((3, 40)), 7)
    if kind == 1:
        return words(ir.Class(NOWHERE, [(0x21, 0x7E), (0x80, 0xFF)]))
    return ir.Rep(NOWHERE, some(rng), least, None)


def words(letter: ir.Node) -> ir.Node:
    return ir.Seq(NOWHERE, [letter, ir.Rep(NOWHERE, ir.Seq(NOWHERE, [ir.Rep(NOWHERE, BLANK, 0, None), letter]), 0, None)])


def line(rng: random.Random) -> ir.Node:
    """A name and its value, which ends before blanks; sometimes what may follow depends on those."""
    blanks = ir.Rep(NOWHERE, BLANK, 0, None)
    name = ir.Capture(NOWHERE, "x", ir.Rep(NOWHERE, some(rng), 1, None))
    value = ir.Capture(NOWHERE, "y", words(ir.Class(NOWHERE, list(rng.choice(CLASSES[:3] + 3 * CLASSES[2:3])))))
    end: list[ir.Node] = [blanks, ir.Lit(NOWHERE, rng.choice([b"\n", b"\r\n", b"\x00"]), False)]
    if rng.randrange(3) == 0:
        end = [ir.Alt(NOWHERE, [ir.Lit(NOWHERE, b"\n", False), ir.Seq(NOWHERE, [BLANK, blanks, ir.Lit(NOWHERE, b"\x01", False)])])]
    return ir.Seq(NOWHERE, [name, ir.Lit(NOWHERE, rng.choice(FIXED), False), blanks, value, *end])


def part(rng: random.Random, depth: int) -> ir.Node:
    kind = rng.randrange(10)
    if kind > 6:
        return ir.Rep(NOWHERE, line(rng), 0, *rng.choice([(None, None), (3, 5)])) if depth > 0 else line(rng)
    if kind < 3:
        return ir.Capture(NOWHERE, rng.choice("xyz"), run(rng))
    if kind == 3:
        return ir.Rep(NOWHERE, BLANK, 0, None)
    if kind == 4 and depth > 0:
        return ir.Rep(NOWHERE, ir.Seq(NOWHERE, [part(rng, 0) for _ in range(rng.randint(2, 5))]), 0, *rng.choice([(None, None), (3, 5)]))
    if kind == 5:
        return run(rng)
    return ir.Lit(NOWHERE, rng.choice(FIXED), False)


def grammars(module: ir.Module) -> ir.Module:
    """A module of messages that the compiler takes."""
    rng = random.Random(9112)
    grammar = dataclasses.replace(module.grammars[0], rules=[])
    while len(grammar.rules) < GRAMMARS:
        body = [part(rng, 1) for _ in range(rng.randint(2, 5))] + [ir.Lit(NOWHERE, b"\n", False)]
        rule = ir.Rule(f"R{len(grammar.rules)}", "message", NOWHERE, "", ir.Seq(NOWHERE, body))
        try:
            d = message_dfa.dfa(rule)
        except message_dfa.Conflict:
            continue
        if d.captures and any(scans.scan_of(d, state) is not None for state in range(len(d.states))):
            grammar.rules.append(rule)
    return dataclasses.replace(module, grammars=[grammar])


def sample(node: ir.Node, rng: random.Random) -> bytes:
    if isinstance(node, ir.Lit):
        return node.data
    if isinstance(node, ir.Class):
        return bytes([rng.randint(*rng.choice(node.ranges))])
    if isinstance(node, ir.Seq):
        return b"".join(sample(n, rng) for n in node.nodes)
    if isinstance(node, ir.Capture):
        return sample(node.node, rng)
    if isinstance(node, ir.Alt):
        return sample(rng.choice(node.nodes), rng)
    assert isinstance(node, ir.Rep)
    usual = 70 if isinstance(node.node, ir.Class) else 4
    most = (node.max if node.max is not None else usual) + (node.code is not None)
    times = rng.choice([node.min, rng.randint(node.min, min(most, node.min + 3)), rng.randint(node.min, most)])
    return b"".join(sample(node.node, rng) for _ in range(times))


def changed(text: bytes, rng: random.Random) -> bytes:
    """A text with an octet changed, or cut, or with more behind it."""
    at = rng.randrange(len(text) + 1)
    return rng.choice([text[:at] + bytes([rng.choice((0, 9, 10, 13, 32, 58, 97, 127, 144, 255))]) + text[at + 1 :], text[:at], text + text])


def at_random(libraries: list[object], module: ir.Module) -> tuple[int, list[str]]:
    passed, wrong = 0, []
    for rule in module.grammars[0].rules:
        readers = [Reader(library, module.grammars[0], rule) for library in libraries]
        reference, rng = Message(rule), random.Random(rule.name)
        for _ in range(TEXTS):
            text = sample(rule.node, rng)[:600]
            for t in (text, changed(text, rng)):
                bad = [f"{rule.node}: {line}" for line in check_text(readers, reference, t)]
                passed, wrong = passed + (not bad), wrong + bad
    return passed, wrong


def used(module: ir.Module) -> list[str]:
    """Whether the grammars made at random have what is to be tested here."""
    readers = [direct.Reader("x", rule) for rule in module.grammars[0].rules]
    trims = sum(scans.trimmed(r.d, s) != scans.scan_of(r.d, s) for r in readers for s in range(len(r.d.states)))
    blanks = sum(bool(scan.back) for r in readers for s in range(len(r.d.states)) if (scan := scans.trimmed(r.d, s)) is not None)
    counts = {
        "looks ahead": sum(bool(r.ahead) for r in readers),
        "has rows": sum(bool(r.rows) for r in readers),
        "trims blanks": blanks,
        "must not trim them": trims,
    }
    return [f"only {n} {what}" for what, n in counts.items() if n < 3]


def main() -> int:
    cpu = Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace")
    with tempfile.TemporaryDirectory() as room_name:
        room = Path(room_name)
        made = room / "specs" / "made" / "lines.mrg"
        made.parent.mkdir(parents=True)
        made.write_text(SPEC, encoding="utf-8")
        module = load([str(made)], [str(room / "specs")])[0]
        passed, wrong = 0, []
        for of, check, wanted in ((module, edges, VECTORS), (grammars(module), at_random, (VECTORS[0], VECTORS[-1]))):
            usable = [vectors for vectors in wanted if vectors in cpu + VECTORS[0]]
            libraries = [compiled(of, room / check.__name__, vectors, ("_stream.c", "_read.c")) for vectors in usable]
            more, bad = check(libraries, of)
            passed, wrong = passed + more, wrong + bad
        wrong += used(grammars(module))
    for line in wrong[:10]:
        print(line[:1500])
    print(f"{passed} passed, {len(wrong)} failed")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
