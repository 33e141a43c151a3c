"""Generated readers of messages and values, compiled and called through ctypes."""

from __future__ import annotations

import ctypes
import mmap
import subprocess
import sys
from pathlib import Path
from typing import Optional

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "gen"))

from mrg import ir, message_dfa  # noqa: E402
from mrg.emit import grammars, ragel  # noqa: E402
from mrg.grammar_ref import Outcome  # noqa: E402

FLAGS = "-std=c11 -O1 -Wall -Wextra -Wconversion -Wshadow -Wcast-qual -Werror -shared -fPIC -ffreestanding".split()
STATUS = {0: "ok", 1: "more", -9: "full", -10: "bad", -5: "limit"}


def compiled(module: ir.Module, room: Path, vectors: str, kinds: tuple[str, ...]) -> ctypes.CDLL:
    """The module's C files whose names end so."""
    files = grammars.emit(module)
    headers = {path: text for m in module.imports for path, text in grammars.emit(m).items() if path.endswith(".h")}
    for path, text in (headers | files).items():
        (room / path).parent.mkdir(parents=True, exist_ok=True)
        (room / path).write_text(text, encoding="utf-8")
    library = room / f"{module.name}-{vectors}.so"
    more = [f"-m{vectors}"] if vectors else []
    sources = [str(room / path) for path in files if path.endswith(kinds)]
    includes = ["-I", str(room), "-I", str(ROOT / "gen" / "support")]
    for cc in ("clang", "gcc"):
        subprocess.run([cc, *FLAGS, *more, *includes, "-o", str(library), *sources], check=True)
    return ctypes.CDLL(str(library))


class Span(ctypes.Structure):
    _fields_ = [("p", ctypes.c_void_p), ("len", ctypes.c_size_t)]


BEYOND = 0x5A5A  # a capture that nobody writes


class CPart(ctypes.Structure):
    _fields_ = [
        ("p", ctypes.c_void_p),
        ("len", ctypes.c_size_t),
        ("cut", ctypes.c_size_t),
        ("what", ctypes.c_uint),
        ("first", ctypes.c_bool),
        ("last", ctypes.c_bool),
    ]


class CCapture(ctypes.Structure):
    _fields_ = [("p", ctypes.c_void_p), ("len", ctypes.c_uint32), ("what", ctypes.c_uint32)]


class Guarded:
    """Memory before and behind which nothing can be read."""

    SIZE = 1 << 20

    def __init__(self) -> None:
        libc = ctypes.CDLL(None, use_errno=True)
        libc.mmap.restype = ctypes.c_void_p
        page = mmap.PAGESIZE
        start = libc.mmap(None, ctypes.c_size_t(self.SIZE + 2 * page), 3, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, -1, 0)
        assert start not in (None, ctypes.c_void_p(-1).value)
        self.start: int = start + page
        self.end: int = self.start + self.SIZE
        for guard in (start, self.end):
            assert libc.mprotect(ctypes.c_void_p(guard), ctypes.c_size_t(page), 0) == 0

    def put(self, data: bytes, first: bool = False) -> int:
        """Where a copy of data is that ends, or begins, just there."""
        base = self.start if first else self.end - len(data)
        ctypes.memmove(base, data, len(data))
        return base


class CState(ctypes.Structure):
    _fields_ = [("tail", ctypes.c_size_t), ("open", ctypes.c_uint), ("given", ctypes.c_bool), ("marked", ctypes.c_bool)]


def stream_of(d: message_dfa.Dfa) -> type[ctypes.Structure]:
    counts = [("counts", ctypes.c_uint32 * d.counters)] if d.counters else []
    members = [("offset", ctypes.c_uint64), ("part", CState), *counts, ("state", ctypes.c_int), ("code", ctypes.c_uint), ("refused", ctypes.c_int)]
    return type("Stream", (ctypes.Structure,), {"_fields_": members})


class Reader:
    """A message's C, called through ctypes."""

    def __init__(self, library: ctypes.CDLL, g: ir.Grammar, rule: ir.Rule) -> None:
        name = ragel.cname(g, rule)
        self.dfa = message_dfa.dfa(rule)
        self.memory = Guarded()
        self.whole = getattr(library, name + "_read")
        self.begin, self.feed = getattr(library, name + "_begin"), getattr(library, name + "_feed")
        self.stream = stream_of(self.dfa)
        self.least = self.dfa.most_events() + 1

    def read_whole(self, data: bytes, cap: int, first: bool = False) -> Outcome:
        """What the reader of whole buffers says of a text that ends, or begins, where memory does."""
        base = self.memory.put(data, first)
        out = (CCapture * (cap + 1))()
        out[cap].what = BEYOND
        count, length, code = ctypes.c_size_t(), ctypes.c_size_t(), ctypes.c_uint()
        refs = [ctypes.byref(x) for x in (count, length, code)]
        status = STATUS[self.whole(Span(base, len(data)), out, ctypes.c_size_t(cap), *refs)]
        assert count.value <= cap and out[cap].what == BEYOND, "more captures than there is room for"
        parts = [(self.dfa.captures[c.what], c.p - base, c.p - base + c.len) for c in out[: count.value]]
        return Outcome(status, length.value, code.value, parts)

    def read(self, data: bytes, cuts: list[int], cap: int) -> tuple[Outcome, list[tuple[str, bytes]]]:
        """The outcome, its parts by place where no piece is cut, and all by content."""
        stream = self.stream()
        out = (CPart * (cap + 1))()
        out[cap].what = BEYOND
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
                assert count.value <= cap and out[cap].what == BEYOND, "more parts than there is room for"
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
        if status in ("bad", "limit"):  # it stays so
            again = Span(self.memory.put(b"x"), 1)
            code = stream.code
            same = STATUS[self.feed(ctypes.byref(stream), ctypes.byref(again), out, ctypes.c_size_t(cap), ctypes.byref(count))]
            assert (same, again.len, count.value, stream.code) == (status, 1, 0, code)
        return Outcome(status, at, stream.code if status == "limit" else 0, placed), content


class ValueReader:
    """A value's C, called through ctypes."""

    def __init__(self, library: ctypes.CDLL, g: ir.Grammar, rule: ir.Rule) -> None:
        name = ragel.cname(g, rule)
        self.rule = rule
        self.dfa = message_dfa.dfa(rule)
        self.memory = Guarded()
        self.least = self.dfa.most_events()  # captures
        self.check_c = getattr(library, name + "_check")
        if self.dfa.captures:
            self.begin, self.next, self.read = (getattr(library, f"{name}_{verb}") for verb in ("begin", "next", "read"))
        counts = [("counts", ctypes.c_uint32 * self.dfa.counters)] if self.dfa.counters else []
        places = [(name, ctypes.c_size_t) for name in ("at", "from", "mark")]
        members = [("in", Span), *places, *counts, ("state", ctypes.c_int), ("code", ctypes.c_uint), ("st", ctypes.c_int)]
        self.cursor = type("Cursor", (ctypes.Structure,), {"_fields_": members})

    def check(self, data: bytes) -> Outcome:
        at, code = ctypes.c_size_t(), ctypes.c_uint()
        status = STATUS[self.check_c(Span(self.memory.put(data), len(data)), ctypes.byref(at), ctypes.byref(code))]
        return Outcome(status, at.value, code.value, [])

    def read_whole(self, data: bytes, cap: int) -> Outcome:
        base = self.memory.put(data)
        out = (CCapture * max(cap, 1))()
        count, length, code = ctypes.c_size_t(), ctypes.c_size_t(), ctypes.c_uint()
        refs = [ctypes.byref(x) for x in (count, length, code)]
        status = STATUS[self.read(Span(base, len(data)), out, ctypes.c_size_t(cap), *refs)]
        return Outcome(status, length.value, code.value, self.parts(out, count.value, base))

    def read_on(self, data: bytes, cap: int, first: Optional[int] = None) -> Outcome:
        """Captures as many at a time as there is room for; `first`: other room the first time."""
        base = self.memory.put(data)
        out = (CCapture * cap)()
        count, cursor = ctypes.c_size_t(), self.cursor()
        self.begin(ctypes.byref(cursor), Span(base, len(data)))
        parts = []
        status = "full"
        while status == "full":
            room, first = cap if first is None else first, None
            status = STATUS[self.next(ctypes.byref(cursor), out, ctypes.c_size_t(room), ctypes.byref(count))]
            parts += self.parts(out, count.value, base)
            assert count.value <= room and (status != "full" or count.value > room - self.least), "full, but there is room"
        again = STATUS[self.next(ctypes.byref(cursor), out, ctypes.c_size_t(cap), ctypes.byref(count))]
        assert (again, count.value) == (status, 0), "it doesn't stay so"
        return Outcome(status, cursor.at, cursor.code, parts)

    def parts(self, out: "ctypes.Array[CCapture]", count: int, base: int) -> list[tuple[str, int, int]]:
        return [(self.dfa.captures[c.what], c.p - base, c.p - base + c.len) for c in out[:count]]


class CWriter(ctypes.Structure):
    _fields_ = [("p", ctypes.c_void_p), ("cap", ctypes.c_size_t), ("len", ctypes.c_size_t), ("st", ctypes.c_int), ("refs", ctypes.c_void_p)]


class Putter:
    """The C that writes a rule's text, called through ctypes."""

    BEFORE = b"kept"  # what was written before

    def __init__(self, library: ctypes.CDLL, g: ir.Grammar, rule: ir.Rule) -> None:
        self.put_c = getattr(library, ragel.cname(g, rule) + "_put")
        self.rule = rule
        self.captures = list(dict.fromkeys(message_dfa.captures(rule.node)))
        self.memory, self.spans = Guarded(), Guarded()

    def put(self, parts: list[tuple[str, bytes]], room: int) -> tuple[str, bytes]:
        """The status and what is written into as many octets."""
        base = self.memory.put(self.BEFORE + bytes(room))
        w = CWriter(base, len(self.BEFORE) + room, len(self.BEFORE), 0, None)
        self.call(ctypes.byref(w), parts)
        written = ctypes.string_at(base, w.len)
        assert written.startswith(self.BEFORE)
        assert w.st == 0 or w.len == len(self.BEFORE), "something is written"
        return PUT_STATUS[w.st], written[len(self.BEFORE) :]

    def call(self, w: object, parts: list[tuple[str, bytes]]) -> None:
        if not self.captures:
            self.put_c(w)
            return
        self.spans.put(b"".join(data for _, data in parts))
        at = self.spans.end - sum(len(data) for _, data in parts)
        places = []
        for name, data in parts:
            places.append((self.captures.index(name) if name else len(self.captures), at, len(data)))
            at += len(data)
        if self.rule.kind == "match":
            spans = (Span * len(self.captures))()
            for what, p, length in places:
                spans[what] = Span(p, length)
            self.put_c(w, spans)
        else:
            array = (CCapture * max(len(parts), 1))(*(CCapture(p, length, what) for what, p, length in places))
            self.put_c(w, array, ctypes.c_size_t(len(parts)))


PUT_STATUS = STATUS | {-2: "order"}
