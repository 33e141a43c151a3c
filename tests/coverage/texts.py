"""Rules of grammars: every state of a rule's automaton, and in each every octet that matters, against the reference.

The automaton only says what to try: a shortest text to each state, the ends of each class of octets there, and a shortest text from there
to the end; repetitions as often as their limits say, once less and once more; texts of just the length that a rule allows, and longer ones.
What is to come of a text is said by grammar_ref.py, which follows all ways to read it at once and knows no automaton.

Reading order: Texts.run, of_rule.
"""

from __future__ import annotations

import ctypes
import itertools
import sys
from typing import Any, Iterator, Optional

from build import ROOT, Build
from capi import Api
from mrg import ir, message_dfa, put_dfa
from mrg.emit import put, ragel
from mrg.emit.value import plain
from mrg.grammar_ref import Message, Outcome
from mrg.message_dfa import END_OF_INPUT, Way
from mrg.values import Status
from report import Report

sys.path.insert(0, str(ROOT / "tests/gen"))
from message_reader import CWriter, Putter, Reader, Span, ValueReader  # noqa: E402
from test_message import message_ways  # noqa: E402
from test_put import Parts, possible, put_is_good, read  # noqa: E402
from test_value import check_too_long, too_little, value_ways  # noqa: E402

RUNS = (1, 2, 15, 16, 17, 33, 70)  # octets of one class in a row: vectors have 16 or 32
LONG = 60  # of texts that are longer only some ways of reading are tried
VERY_LONG = 300
FILLED = 90  # octets of a text that another capture is put into
NO_CAPTURE = ("", b"")
PARTS = 30  # captures of a message that is read into each room
MANY = 12  # captures of a text that is made longer than it may be
KINDS = 6  # of lists of captures, that are changed one by one


class Walk:
    """Ways through an automaton."""

    def __init__(self, rule: ir.Rule) -> None:
        self.rule = rule
        self.d = message_dfa.dfa(rule)
        self.states = self.d.states
        self.prefix = self._prefixes()
        self.suffix = self._suffixes()

    def _prefixes(self) -> dict[int, bytes]:
        """The shortest text to each state."""
        found, todo = {0: b""}, [0]
        for s in todo:
            for w in self.states[s]:
                if w.lo != END_OF_INPUT and w.to >= 0 and w.to not in found:
                    found[w.to] = found[s] + bytes([w.lo])
                    todo.append(w.to)
        return found

    def _suffixes(self) -> dict[int, bytes]:
        """The shortest text from each state to an end."""
        found = {s: b"" for s, ways in enumerate(self.states) if any(w.lo == END_OF_INPUT for w in ways)}
        changed = True
        while changed:
            changed = False
            for s, ways in enumerate(self.states):
                for w in ways:
                    if w.lo == END_OF_INPUT or (w.to >= 0 and w.to not in found):
                        continue
                    made = bytes([w.lo]) + (found[w.to] if w.to >= 0 else b"")
                    if s not in found or len(made) < len(found[s]):
                        found[s], changed = made, True
        return found

    def path(self, start: int, stop: int, captures: bool = False) -> Optional[bytes]:
        """The shortest text from one state to another, at least an octet, that begins no count anew; captures: one ends in it."""
        found: set[tuple[int, bool]] = set()
        todo = [(start, not captures, b"")]
        for s, ended, text in todo:
            for w in self.states[s]:
                to = (w.to, ended or any(a.kind.startswith("emit") for a in w.actions))
                if w.lo == END_OF_INPUT or w.to < 0 or to in found or any(a.kind == "reset" for a in w.actions):
                    continue
                if to == (stop, True):
                    return text + bytes([w.lo])
                found.add(to)
                todo.append((*to, text + bytes([w.lo])))
        return None

    def octets(self, s: int) -> list[int]:
        """The ends of classes in a state, and what is just outside."""
        ends = {b for w in self.states[s] if w.lo != END_OF_INPUT for b in (w.lo, w.hi)}
        return sorted(b for b in {b + by for b in ends for by in (-1, 0, 1)} | {0, 255} if 0 <= b < 256)

    def to(self, s: int, octet: int) -> Optional[Way]:
        return next((w for w in self.states[s] if w.lo <= octet <= w.hi and w.lo != END_OF_INPUT), None)


def of_rule(rule: ir.Rule) -> Iterator[bytes]:
    """Texts to try, each once."""
    seen: set[bytes] = set()
    for text in _texts(Walk(rule)):
        if text not in seen:
            seen.add(text)
            yield text


def _texts(walk: Walk) -> Iterator[bytes]:
    for s, prefix in walk.prefix.items():
        yield prefix
        strange = next((b for b in walk.octets(s) if walk.to(s, b) is None), None)
        for octet in walk.octets(s):
            way = walk.to(s, octet)
            text = prefix + bytes([octet])
            yield text
            if way is not None:
                yield text + (walk.suffix.get(way.to, b"") if way.to >= 0 else b"x")
            elif octet == strange:
                yield text + walk.suffix.get(s, b"") + b"x" * (not walk.suffix.get(s))
        yield from _behind(prefix, walk.suffix.get(s, b""))
        yield from _round(walk, s, prefix)
        loop = walk.path(s, s)
        if loop is not None:
            for times in RUNS:
                text = prefix + loop * times
                yield text
                yield text + walk.suffix.get(s, b"")
                for octet in walk.octets(s) if times in (2, 17) else ():
                    yield text + bytes([octet])
        yield from _counted(walk, s, prefix)
        if walk.rule.max is not None:
            yield from _longest(walk, s, prefix, loop)
    yield from _behind(b"", max(walk.prefix.values(), key=len))


def _round(walk: Walk, s: int, prefix: bytes) -> Iterator[bytes]:
    """A state that is come to once more behind a capture, and again."""
    turn = walk.path(s, s, True)
    for times in (1, 2) if turn is not None else ():
        yield prefix + (turn or b"") * times + walk.suffix.get(s, b"")


def _behind(prefix: bytes, rest: bytes) -> Iterator[bytes]:
    """What may come, cut everywhere, and with an octet in it that is wrong."""
    for at in range(len(rest)):
        yield prefix + rest[:at]
        for octet in {0x00, rest[at] ^ 0x20, rest[at] - 1 & 255, rest[at] + 1 & 255}:
            yield prefix + rest[:at] + bytes([octet]) + rest[at + 1 :]
    yield prefix + rest + b"\x00"


def _counted(walk: Walk, s: int, prefix: bytes) -> Iterator[bytes]:
    """What is counted, as often as it may be, and once more and less."""
    known: set[tuple[int, int]] = set()
    for w in walk.states[s]:
        for a in w.actions:
            if a.kind != "count" or w.to < 0 or w.lo == END_OF_INPUT or (a.arg, w.to) in known:
                continue
            known.add((a.arg, w.to))
            octet = bytes([w.lo])
            back = b"" if w.to == s else walk.path(w.to, s)
            if back is None:
                continue
            for times in (a.most - 1, a.most, a.most + 1):
                text = prefix + (octet + back) * max(times, 0)
                yield text
                yield text + octet + walk.suffix.get(w.to, b"")
                if times == a.most:
                    yield from (text + bytes([other.lo]) for other in walk.states[s] if other.lo != END_OF_INPUT)


def _longest(walk: Walk, s: int, prefix: bytes, loop: Optional[bytes]) -> Iterator[bytes]:
    """Texts of which a state is come to at the last octet that is allowed, and behind it."""
    most = walk.rule.max
    assert most is not None
    for t, before in walk.prefix.items():
        turn = walk.path(t, t)
        rest = b"" if t == s else walk.path(t, s)
        if turn is None or len(turn) != 1 or rest is None or any(a.kind == "count" for w in walk.states[t] for a in w.actions if w.lo <= turn[0] <= w.hi):
            continue
        fill = most - len(before) - len(rest)
        yield before + turn * fill + rest
        yield before + turn * fill + rest + walk.suffix.get(s, b"")[:1] + b"x"
        return


class Texts:
    def __init__(self, of: Build, api: Api, report: Report) -> None:
        self.of = of
        self.api = api
        self.report = report

    def run(self) -> None:
        for module in self.of.modules:
            for g in module.grammars:
                for rule in g.rules:
                    faults: list[str] = []
                    if rule.kind == "value":
                        faults = self.value(g, rule)
                    elif rule.kind == "message":
                        faults = self.message(g, rule)
                    if rule.kind in put.KINDS and not isinstance(put.automaton(rule), str):
                        faults += self.written(g, rule)
                    self.report.none(f"{module.name}.{g.name}.{rule.name}", faults)

    def value(self, g: ir.Grammar, rule: ir.Rule) -> list[str]:
        reader, reference, wrong, kinds = ValueReader(self.api.c, g, rule), Message(rule), list[str](), set[object]()
        bare = ir.Rule(rule.name, rule.kind, rule.loc, rule.doc, plain(rule.node), rule.max, rule.code)
        for text in {**dict.fromkeys(of_rule(rule)), **dict.fromkeys(of_rule(bare))}:
            want = reference.read(text)
            wrong += [f"{text!r}, {way}: C does not say {want}" for way, good in value_ways(reader, want, text) if not good]
            if reader.dfa.captures and want.parts and len(text) <= LONG and not _left(reader, text, want):
                wrong.append(f"{text!r}, left before the last capture: not {want}")
            if reader.dfa.captures and _is_new(kinds, want):
                caps = range(reader.least, len(want.parts) + 2)
                wrong += [f"{text!r}, {cap} at a time: not {want}" for cap in caps if reader.read_on(text, cap) != want]
                wrong += [f"{text!r}, room for {cap}: not {want}" for cap in range(len(want.parts)) if not too_little(reader, text, want, cap)]
        return wrong + check_too_long(reader)

    def message(self, g: ir.Grammar, rule: ir.Rule) -> list[str]:
        reader, reference, wrong, kinds = Reader(self.api.c, g, rule), Message(rule), list[str](), set[object]()
        begun: tuple[bytes, Any] = b"", None
        for text in of_rule(rule):
            if len(text) > 2 * VERY_LONG:
                common = text[: rule.max - VERY_LONG] if rule.max is not None else b""
                if common != begun[0]:  # most of all texts that are as long as a rule allows is the same
                    reference.read(common)
                    begun = common, reference.begun if reference.begun[0] == len(common) else None
                want = reference.read(text, begun[1])
            else:
                want = reference.read(text)
            ways = message_ways(reader, want, text) if len(text) <= LONG else _few(reader, want, text)
            if _is_new(kinds, want) and len(want.parts) < PARTS:
                ways += _rooms(reader, want, text)
            wrong += [f"{text[:200]!r}, {way}: C says {got}, not {want}" for way, good, got in ways if not good]
        return wrong

    def written(self, g: ir.Grammar, rule: ir.Rule) -> list[str]:
        """Captures of texts, and those with one left out, twice, in another's place, and with another text."""
        putter, wrong, longest = Putter(self.api.c, g, rule), [], list[tuple[str, bytes]]()
        for parts in _parts_of(rule):
            if len(longest) < len(parts) < MANY and possible(rule, parts):
                longest = parts
            if not put_is_good(putter, rule, parts):
                wrong.append(f"{parts}: C writes {putter.put(parts, 1 << 12)}")
        return wrong + list(_beyond(putter, rule, longest))


def _left(reader: ValueReader, text: bytes, want: Outcome) -> bool:
    """A text read up to before its last capture, and from there on."""
    least = len(want.parts) - 1
    return reader.read_on(text, max(reader.least, len(want.parts)), least) == want


def _is_new(kinds: set[object], want: Outcome) -> bool:
    """Whether captures in this order have not been seen before."""
    kind = (want.status, *(name for name, _, _ in want.parts))
    new = bool(want.parts) and kind not in kinds
    kinds.add(kind)
    return new


def _rooms(reader: Reader, want: Outcome, text: bytes) -> Iterator[tuple[str, bool, object]]:
    """Room for no capture, for one, and so on; a stream's captures so many at a time."""
    content = [(name, text[start:end]) for name, start, end in want.parts]
    for cap in range(len(want.parts)):
        whole = reader.read_whole(text, cap)
        yield f"with room for {cap}", whole.status == "full" and whole.parts == want.parts[: len(whole.parts)], whole
    for cap in range(reader.least, max(reader.least + 4, len(want.parts) + 2)):
        for cuts in ([], list(range(1, len(text)))):
            got, got_content = reader.read(text, cuts, cap)
            yield f"{cap} at a time", (got.status, got.end, got.code) == (want.status, want.end, want.code) and got_content == content, got


def _beyond(putter: Putter, rule: ir.Rule, parts: Parts) -> Iterator[str]:
    """Writers that failed before stay as they are; captures of 2^32 octets, and texts that are longer than a rule allows, are refused."""
    for before in _leading(rule) if putter.captures else ():
        status = putter.put([*before, NO_CAPTURE], VERY_LONG)[0] if rule.kind != "match" else "order"
        if status != "order":
            yield f"what is no capture behind {before}: {status}"
    w = CWriter(0, 0, 0, Status.E_VALUE, None)
    putter.call(ctypes.byref(w), parts)
    if (w.st, w.len) != (Status.E_VALUE, 0):
        yield f"behind a failure: {w.st}, {w.len} octets"
    for what in range(len(putter.captures)) if rule.kind == "match" else ():
        spans = (Span * len(putter.captures))()
        spans[what] = Span(ctypes.addressof(spans), 1 << 32)
        w = CWriter(0, 0, 0, 0, None)
        putter.put_c(ctypes.byref(w), spans)
        if w.st != Status.E_LIMIT:
            yield f"{putter.captures[what]} of 2^32 octets: {w.st}"
    contents = {c.name: c.node for c in _captures(rule.node)}
    for at, (name, data) in enumerate(parts if rule.max is not None else ()):
        long = data + data[-1:] * (rule.max or 0)
        fits = Message(ir.Rule("", "value", rule.loc, "", contents[name])).read(long).status == "ok"
        status = putter.put([*parts[:at], (name, long), *parts[at + 1 :]], len(long) + VERY_LONG)[0]
        if status not in (("limit",) if fits else ("limit", "bad")):
            yield f"{name} of {len(long)} octets: {status}"


def _leading(rule: ir.Rule) -> Iterator[Parts]:
    """Captures that lead to each state of what writes them."""
    d = put_dfa.put_dfa(rule)
    found: dict[int, Parts] = {0: []}
    todo = [0]
    for s in todo:
        for step in d.states[s].steps:
            if step.to not in found:
                found[step.to] = [*found[s], (d.captures[step.what], _shortest(rule, d.contents[step.content]))]
                todo.append(step.to)
    return iter(found.values())


def _shortest(rule: ir.Rule, node: ir.Node) -> bytes:
    """A shortest text of a capture."""
    return Walk(ir.Rule("", "value", rule.loc, "", plain(node))).suffix[0]


def _few(reader: Reader, want: Outcome, text: bytes) -> list[tuple[str, bool, object]]:
    """A long text: whole, and in three."""
    whole = reader.read_whole(text, 1 << 12)
    ways: list[tuple[str, bool, object]] = [("whole", whole == want, (whole.status, whole.end, whole.code))]
    for cuts in ([], [len(text) // 2, len(text) - 1]):
        got, _ = reader.read(text, cuts, 1 << 12)
        ways.append((f"cut at {cuts}", (got.status, got.end, got.code) == (want.status, want.end, want.code), (got.status, got.end, got.code)))
    return ways


def _parts_of(rule: ir.Rule) -> Iterator[Parts]:
    seen: set[str] = set()
    for parts in _parts(rule):
        if repr(parts) not in seen:
            seen.add(repr(parts))
            yield parts


def _parts(rule: ir.Rule) -> Iterator[Parts]:
    names = list(dict.fromkeys(message_dfa.captures(rule.node)))
    contents = {c.name: ir.Rule("", "value", rule.loc, "", c.node) for c in _captures(rule.node)}
    yield []
    kinds: dict[tuple[str, ...], Parts] = {}
    for text in of_rule(rule) if rule.kind != "match" else _matches(rule):
        if len(text) <= FILLED:
            parts = read(rule, text)
            if parts is not None:
                yield parts
                kinds.setdefault(tuple(name for name, _ in parts)[:8], parts)
    tried: set[str] = set()
    for parts in sorted(kinds.values(), key=len):
        for at, (name, data) in enumerate(parts):
            if name not in tried:
                tried.add(name)
                yield from ([*parts[:at], (name, text), *parts[at + 1 :]] for text in of_rule(contents[name]))
    for before in _leading(rule) if rule.kind != "match" else ():
        for name in names:
            yield from ([*before, (name, data)] for data in (b"", b"\xff", b"0", b"a"))
    for parts in _spread(sorted(kinds.values(), key=len), 2 * KINDS):
        yield from _spoilt(parts)
        yield from _repeated(rule, parts)
        yield from (parts[:k] for k in range(len(parts)))
        if rule.kind == "match":
            have = {**{name: b"0" for name in names}, **{name: data for other in kinds.values() for name, data in other}, **dict(parts)}
            yield from ([(n, have[n]) for n in names if n in {more, *dict(parts)}] for more in names)
            yield from ([(n, have[n]) for n in names if n in pair] for pair in itertools.combinations(names, 2))
    for parts in _spread(sorted(kinds.values(), key=len)):
        for at, (name, data) in enumerate(parts):
            if rule.kind == "match":  # has each once, in its place
                yield [*parts[:at], *parts[at + 1 :]]
                continue
            yield [*parts[:at], *parts[at + 1 :]]
            yield [*parts[:at], (name, data), *parts[at:]]
            yield [*parts[:at], *parts[at + 1 : at + 2], (name, data), *parts[at + 2 :]]
            for other in names:
                yield [*parts[:at], (other, data), *parts[at + 1 :]]
                yield [*parts[:at], (other, data), *parts[at:]]
                yield [*parts, (other, data)]


def _spoilt(parts: Parts) -> Iterator[Parts]:
    """Each capture with what hardly fits."""
    for at, (name, data) in enumerate(parts[:12]):
        for other in (b"", data + b"\x00", data + b"\xff"):
            yield [*parts[:at], (name, other), *parts[at + 1 :]]


def _repeated(rule: ir.Rule, parts: Parts) -> Iterator[Parts]:
    """Of what is counted as many as there may be, and more."""
    if rule.kind == "match":
        return
    written = [t for s in put_dfa.put_dfa(rule).states for t in (s.end, *(step.text for step in s.steps)) if t is not None]
    most = {a.most for text in written for a in text.counts if a.kind == "count"}
    for at in range(len(parts)):
        for size in (1, 2, 3):
            some = parts[at : at + size]
            for times in sorted({m + by for m in most for by in (-1, 0, 1)}):
                yield [*parts[:at], *some * times, *parts[at + size :]]


def _spread(kinds: list[Parts], most: int = KINDS) -> list[Parts]:
    """Some of them: short ones, and the longest."""
    return kinds if len(kinds) <= most else [*kinds[: most - 1], kinds[-1]]


def _captures(node: ir.Node) -> Iterator[ir.Capture]:
    if isinstance(node, ir.Capture):
        yield node
    for inner in getattr(node, "nodes", []) or ([node.node] if hasattr(node, "node") else []):
        yield from _captures(inner)


def _matches(rule: ir.Rule) -> Iterator[bytes]:
    """Texts of a rule that need be no automaton's: those of its node as a value."""
    yield from of_rule(ir.Rule(rule.name, "value", rule.loc, rule.doc, plain(rule.node)))
