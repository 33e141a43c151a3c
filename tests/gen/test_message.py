#!/usr/bin/env python3
"""Generated readers of messages against the reference of gen/mrg/grammar_ref.py.

Messages of specs/ and some made up here are compiled to C. Texts that fit, nearly
fit and don't are read whole, cut in two at every octet, octet by octet, and with
as little room for parts as may be: the outcome must always be the reference's.
"""

from __future__ import annotations

import ctypes
import itertools
import random
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Iterator

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "gen"))

from mrg import ir, message_dfa, names  # noqa: E402
from mrg.emit import grammars, ragel  # noqa: E402
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
  /// what ends one capture begins another
  message Next = first:1*"a" second:(SP *"a") *SP third:"b";
}
"""
FLAGS = "-std=c11 -O1 -Wall -Wextra -Wconversion -Wshadow -Wcast-qual -Werror -shared -fPIC -ffreestanding".split()
STATUS = {0: "ok", 1: "more", -9: "full", -10: "bad", -5: "limit"}


class Span(ctypes.Structure):
    _fields_ = [("p", ctypes.c_void_p), ("len", ctypes.c_size_t)]


class CPart(ctypes.Structure):
    _fields_ = [
        ("p", ctypes.c_void_p),
        ("len", ctypes.c_size_t),
        ("cut", ctypes.c_size_t),
        ("what", ctypes.c_uint),
        ("first", ctypes.c_bool),
        ("last", ctypes.c_bool),
    ]


class CState(ctypes.Structure):
    _fields_ = [("tail", ctypes.c_size_t), ("open", ctypes.c_uint), ("given", ctypes.c_bool), ("marked", ctypes.c_bool)]


def stream_of(d: message_dfa.Dfa) -> type[ctypes.Structure]:
    counts = [("counts", ctypes.c_uint32 * d.counters)] if d.counters else []
    members = [("offset", ctypes.c_uint64), ("part", CState), *counts, ("state", ctypes.c_int), ("code", ctypes.c_uint)]
    return type("Stream", (ctypes.Structure,), {"_fields_": members})


class Reader:
    """A message's C, called through ctypes."""

    def __init__(self, library: ctypes.CDLL, g: ir.Grammar, rule: ir.Rule) -> None:
        name = ragel.cname(g, rule)
        self.dfa = message_dfa.dfa(rule)
        self.begin, self.feed = getattr(library, name + "_begin"), getattr(library, name + "_feed")
        self.stream = stream_of(self.dfa)
        self.least = self.dfa.most_events() + 1

    def read(self, data: bytes, cuts: list[int], cap: int) -> tuple[Outcome, list[tuple[str, bytes]]]:
        """The outcome, its parts by place where no piece is cut, and all by content."""
        stream = self.stream()
        out = (CPart * cap)()
        count = ctypes.c_size_t()
        self.begin(ctypes.byref(stream))
        content: list[tuple[str, bytes]] = []
        status, at, placed = "more", 0, []
        open_part = b""
        for start, end in zip([0, *cuts], [*cuts, len(data)]):
            # memory of its own, so that reading before it, or of what came before, is an error that sanitizers see
            buffer = ctypes.create_string_buffer(data[start:end], end - start) if end > start else None
            base = ctypes.addressof(buffer) if buffer is not None else 0
            span = Span(base, end - start)
            while True:
                status = STATUS[self.feed(ctypes.byref(stream), ctypes.byref(span), out, ctypes.c_size_t(cap), ctypes.byref(count))]
                for part in out[: count.value]:
                    piece = ctypes.string_at(part.p, part.len) if part.len else b""
                    assert part.first == (open_part == b"" and part.first), "a piece that is not the first follows one"
                    open_part = b"" if part.first else open_part
                    assert part.cut <= len(open_part)
                    open_part = open_part[: len(open_part) - part.cut] + piece
                    if part.last:
                        name = self.dfa.captures[part.what]
                        content.append((name, open_part))
                        if part.first:
                            placed.append((name, start + (part.p or base) - base, start + (part.p or base) - base + part.len))
                        open_part = b""
                if status != "full":
                    break
            at = end - span.len
            if status != "more":
                break
            assert span.len == 0
        return Outcome(status, at, stream.code if status == "limit" else 0, placed), content


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
        most = node.max + (node.code is not None) * (rng.random() < 0.2) if node.max is not None else node.min + 3
        return b"".join(sample(node.node, rng) for _ in range(rng.randint(node.min, max(node.min, most))))
    if isinstance(node, ir.Capture):
        return sample(node.node, rng)
    raise TypeError(type(node).__name__)


def texts(rule: ir.Rule) -> Iterator[bytes]:
    rng = random.Random(rule.name)
    borders = sorted({b for ways in message_dfa.dfa(rule).states for w in ways for b in (w.lo, w.hi)})
    for n in (0, 1, 2):
        for t in itertools.product(borders[:: max(1, len(borders) // 16)], repeat=n):
            yield bytes(t)
    for _ in range(150):
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


def check_message(reader: Reader, rule: ir.Rule) -> tuple[int, list[str]]:
    reference = Message(rule)
    passed, wrong = 0, []
    for text in texts(rule):
        want = reference.read(text)
        content = [(name, text[start:end]) for name, start, end in want.parts]
        ways = [([], 100), ([], reader.least), (list(range(1, len(text))), reader.least)]
        ways += [([cut], 100) for cut in range(0, len(text) + 1)]
        for cuts, cap in ways:
            got, got_content = reader.read(text, cuts, cap)
            same = (got.status, got.end, got.code) == (want.status, want.end, want.code) and got_content == content
            same = same and (bool(cuts) or cap == reader.least or got.parts == want.parts)
            passed += same
            if not same:
                wrong.append(f"{rule.name}: {text!r} cut at {cuts[:5]}: C says {got} {got_content}, the reference {want}")
    return passed, wrong


def compiled(module: ir.Module, room: Path) -> ctypes.CDLL:
    files = grammars.emit(module)
    for path, text in files.items():
        (room / path).parent.mkdir(parents=True, exist_ok=True)
        (room / path).write_text(text, encoding="utf-8")
    library = room / (module.name + ".so")
    sources = [str(room / ragel.source_name(module))]
    includes = ["-I", str(room), "-I", str(ROOT / "gen" / "support")]
    for cc in ("clang", "gcc"):
        subprocess.run([cc, *FLAGS, *includes, "-o", str(library), *sources], check=True)
    return ctypes.CDLL(str(library))


def deterministic(module: ir.Module) -> list[str]:
    text = ragel.source(module)
    if text != ragel.source(module):
        return [f"{module.name}: two runs of Ragel differ"]
    return [f"{module.name}: the C names '{word}'" for word in (str(ROOT), tempfile.gettempdir() + "/") if word in text]


def main() -> int:
    passed = 0
    wrong: list[str] = []
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
            library = compiled(module, room)
            for g in module.grammars:
                for rule in ragel.messages(g):
                    more, bad = check_message(Reader(library, g, rule), rule)
                    passed, wrong = passed + more, wrong + bad
            bad = deterministic(module)
            passed, wrong = passed + (not bad), wrong + bad
    for line in wrong[:20]:
        print(line)
    print(f"{passed} passed, {len(wrong)} failed")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
