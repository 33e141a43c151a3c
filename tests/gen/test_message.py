#!/usr/bin/env python3
"""Generated readers of messages against the reference of gen/mrg/grammar_ref.py.

Messages of specs/ and some made up here are compiled to C. Texts that fit, nearly
fit and don't are read whole, cut in two at every octet, octet by octet, and with
as little room for parts as may be: the outcome must always be the reference's.
"""

from __future__ import annotations

import itertools
import random
import sys
import tempfile
from pathlib import Path
from typing import Iterator

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "gen"))

from message_reader import Reader, compiled  # noqa: E402
from mrg import ir, message_dfa  # noqa: E402
from mrg.emit import ragel  # noqa: E402
from mrg.grammar_ref import Message, Outcome  # noqa: E402
from mrg.load import load  # noqa: E402

MADE_UP = """\
/// Made up for the test.
module made.up;

/// Messages of every kind.
grammar Text {
  vchar = VCHAR / %x80-FF;
  field = name:1*ALPHA ":" *WSP [value:(vchar *(*WSP vchar))] *WSP CRLF;
  pair  = key:1*3ALPHA "=" worth:*4DIGIT else 7 ";";
  /// a head with fields
  message Head max 60 else 431 = method:1*8ALPHA else 501 SP target:1*10VCHAR else 414 CRLF *3(field) else 430 CRLF;
  /// blanks at the end belong to nothing, and neither do those before
  message Line = *WSP value:(vchar *(*WSP vchar)) *WSP LF;
  /// captures that touch, that are empty, that come again
  message Pieces = 1*(a:*"a" b:*2"b" c:("c" / %s"C" "D")) "!";
  /// counted within counted
  message Pairs = 1*3(*2pair else 8 ".") else 9 "#";
  /// ends behind a capture, at once
  message Last = "<" last:(1*DIGIT / "x") ">" end:">";
  /// nothing is captured, and NUL is an octet
  message Plain = 2*4%x00-02 %xFF;
  /// not more than what must be
  message Once = 2*2"b" else 3 "c";
  /// a limit without a code
  message Short max 5 = 1*"a" "b";
  /// what ends one capture begins another
  message Next = first:1*"a" second:(SP *"a") *SP third:"b";
  /// captures of an octet each, two of which end at the last
  message Four = w:ALPHA x:ALPHA y:ALPHA z:LF;
  /// what has one shape, in which more than one capture ends
  message Shape = a:2DIGIT "." b:2DIGIT ":" c:DIGIT ";" *SP LF;
}
"""
ROOM = 1000  # parts: enough for any text here
LESS = 4  # captures for which there is no room
VECTORS = {"": 100, "ssse3": 30, "avx2": 30}  # what the C is built for, where this CPU has it, and how many samples are tried



# --- texts ------------------------------------------------------------------------------------


def sample(node: ir.Node, rng: random.Random) -> bytes:
    """A text for a node; repetitions sometimes one too many."""
    if isinstance(node, ir.Lit):
        return bytes(b ^ 0x20 if node.nocase and chr(b).isalpha() and rng.random() < 0.5 else b for b in node.data)
    if isinstance(node, ir.Class):
        lo, hi = rng.choice(node.ranges)
        return bytes([rng.randint(lo, hi)])
    if isinstance(node, ir.Seq):
        return b"".join(sample(n, rng) for n in node.nodes)
    if isinstance(node, ir.Alt):
        return sample(rng.choice(node.nodes), rng)
    if isinstance(node, ir.Rep):
        most = min(node.max, node.min + 4) if node.max is not None else node.min + 3
        times = rng.randint(node.min, most)
        if node.max is not None and rng.random() < 0.1:
            times = node.max + (node.code is not None) * rng.randint(0, 1)
        return b"".join(sample(node.node, rng) for _ in range(times))
    if isinstance(node, ir.Capture):
        return sample(node.node, rng)
    raise TypeError(type(node).__name__)


def texts(rule: ir.Rule, samples: int) -> Iterator[bytes]:
    rng = random.Random(rule.name)
    borders = sorted({b for ways in message_dfa.dfa(rule).states for w in ways for b in (w.lo, w.hi) if b < 256})
    for n in (0, 1, 2):
        for t in itertools.product(borders[:: max(1, len(borders) // 16)], repeat=n):
            yield bytes(t)
    for _ in range(samples):
        text = bytearray(sample(rule.node, rng))
        yield bytes(text)
        yield bytes(text) + b"more"
        for _ in range(rng.randrange(1, 3)):
            at = rng.randrange(len(text) + 1)
            change = rng.randrange(3)
            if change == 0 or at == len(text):
                text[at:at] = bytes([rng.choice(borders)])
            elif change == 1:
                text[at] = rng.choice(borders)
            else:
                del text[at]
        yield bytes(text)


def message_ways(reader: Reader, want: Outcome, text: bytes) -> list[tuple[str, bool, object]]:
    """The ways to read a text, whether each comes to what the reference says, and what it came to."""
    content = [(name, text[start:end]) for name, start, end in want.parts]
    cuts_and_caps = [([], ROOM), ([], reader.least), (list(range(1, len(text))), reader.least)]
    cuts_and_caps += [([cut], ROOM) for cut in range(0, len(text) + 1, 1 + len(text) // 200)]
    whole = reader.read_whole(text, ROOM)
    ways: list[tuple[str, bool, object]] = [("whole", whole == want, whole)]
    for cap in range(max(len(want.parts) - LESS, 0), len(want.parts)):
        full = reader.read_whole(text, cap)
        ways.append((f"with room for {cap}", full.status == "full" and full.parts == want.parts[:cap], full))
    for cuts, cap in cuts_and_caps:
        got, got_content = reader.read(text, cuts, cap)
        same = (got.status, got.end, got.code) == (want.status, want.end, want.code) and got_content == content
        same = same and (bool(cuts) or cap == reader.least or got.parts == want.parts)
        ways.append((f"cut at {cuts[:5]}", same, (got, got_content)))
    return ways


def check_message(reader: Reader, rule: ir.Rule, samples: int) -> tuple[int, list[str]]:
    reference = Message(rule)
    passed, wrong = 0, []
    for text in texts(rule, samples):
        want = reference.read(text)
        ways = message_ways(reader, want, text)
        passed += sum(same for _, same, _ in ways)
        wrong += [f"{rule.name}: {text!r} {way}: C says {got}, the reference {want}" for way, same, got in ways if not same]
    return passed, wrong


def deterministic(module: ir.Module) -> list[str]:
    text = ragel.source(module)
    if text != ragel.source(module):
        return [f"{module.name}: two runs of Ragel differ"]
    return [f"{module.name}: the C names '{word}'" for word in (str(ROOT), tempfile.gettempdir() + "/") if word in text]


def main() -> int:
    passed = 0
    wrong: list[str] = []
    cpu = Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace")
    with tempfile.TemporaryDirectory() as room_name:
        room = Path(room_name)
        made = room / "specs" / "made" / "up.mrg"
        made.parent.mkdir(parents=True)
        made.write_text(MADE_UP, encoding="utf-8")
        specs = sorted(str(p) for p in (ROOT / "specs").rglob("*.mrg") if "  message " in p.read_text(encoding="utf-8"))
        modules = (load(specs, [str(ROOT / "specs")]) if specs else []) + load([str(made)], [str(room / "specs")])
        for module in modules:
            if not any(ragel.messages(g) for g in module.grammars):
                continue
            for vectors, samples in VECTORS.items():
                if vectors not in cpu:
                    continue
                library = compiled(module, room, vectors, ("_stream.c", "_read.c"))
                for g in module.grammars:
                    for rule in ragel.messages(g):
                        more, bad = check_message(Reader(library, g, rule), rule, samples)
                        passed, wrong = passed + more, wrong + bad
            bad = deterministic(module)
            passed, wrong = passed + (not bad), wrong + bad
    for line in wrong[:20]:
        print(line[:1000])
    print(f"{passed} passed, {len(wrong)} failed")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
