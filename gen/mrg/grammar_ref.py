"""A reference matcher for grammars: what the generated C is compared with.

Rules become a nondeterministic automaton that is simulated in step with the
input, threads kept in order of preference (an alternative before those after
it, one more repetition before none), so that captures are those of the first
way to match.  Time is linear in the input; nothing recurses over it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple, Optional

from . import ir


@dataclass
class _State:
    kind: str  # "byte": ranges, then outs[0]; "split": try outs in order; "mark": slot, then outs[0]; "done"
    ranges: tuple[tuple[int, int], ...] = ()
    outs: list[int] = field(default_factory=list)
    slot: str = ""

    @cached_property
    def octets(self) -> frozenset[int]:
        return frozenset(b for lo, hi in self.ranges for b in range(lo, hi + 1))


class Automaton:
    """One rule."""

    def __init__(self, node: ir.Node) -> None:
        self.states: list[_State] = [_State("done")]
        self.start = self._build(node, 0)

    def _add(self, state: _State) -> int:
        self.states.append(state)
        return len(self.states) - 1

    def _build(self, node: ir.Node, then: int) -> int:
        """The entry of an automaton for node that goes on at `then`."""
        if isinstance(node, ir.Lit):
            for b in reversed(node.data):
                then = self._add(_State("byte", _both_cases(b) if node.nocase else ((b, b),), [then]))
            return then
        if isinstance(node, ir.Class):
            return self._add(_State("byte", tuple(node.ranges), [then]))
        if isinstance(node, ir.Seq):
            for n in reversed(node.nodes):
                then = self._build(n, then)
            return then
        if isinstance(node, ir.Alt):
            return self._add(_State("split", outs=[self._build(n, then) for n in node.nodes]))
        if isinstance(node, ir.Rep):
            return self._repeat(node, then)
        if isinstance(node, ir.Capture):
            after = self._add(_State("mark", outs=[then], slot=f"{node.name} end"))
            return self._add(_State("mark", outs=[self._build(node.node, after)], slot=f"{node.name} start"))
        raise TypeError(type(node).__name__)

    def _repeat(self, node: ir.Rep, then: int) -> int:
        if node.max is None:
            loop = self._add(_State("split"))
            self.states[loop].outs = [self._build(node.node, loop), then]
            entry = loop
        else:
            entry = then
            for _ in range(node.max - node.min):
                entry = self._add(_State("split", outs=[self._build(node.node, entry), then]))
        for _ in range(node.min):
            entry = self._build(node.node, entry)
        return entry


def _both_cases(b: int) -> tuple[tuple[int, int], ...]:
    c = bytes([b])
    return tuple((x[0], x[0]) for x in {c.lower(): 0, c.upper(): 0})


Marks = dict[str, int]


def _close(a: Automaton, threads: list[tuple[int, Marks]], pos: int) -> list[tuple[int, Marks]]:
    """Follow everything that takes no input, best first."""
    out: list[tuple[int, Marks]] = []
    seen: set[int] = set()
    stack = list(reversed(threads))
    while stack:
        at, marks = stack.pop()
        if at in seen:
            continue
        seen.add(at)
        state = a.states[at]
        if state.kind in ("byte", "done"):
            out.append((at, marks))
        elif state.kind == "mark":
            stack.append((state.outs[0], {**marks, state.slot: pos}))
        else:
            stack.extend((o, marks) for o in reversed(state.outs))
    return out


def longest(a: Automaton, data: bytes, start: int = 0) -> Optional[tuple[int, Marks]]:
    """End of the longest match at `start`, with its marks; None when there is none."""
    threads = _close(a, [(a.start, {})], start)
    best: Optional[tuple[int, Marks]] = None
    for pos in range(start, len(data) + 1):
        done = [marks for at, marks in threads if a.states[at].kind == "done"]
        if done:
            best = (pos, done[0])
        if pos == len(data) or not threads:
            break
        byte = data[pos]
        moved = []
        for at, marks in threads:
            state = a.states[at]
            if byte in state.octets:
                moved.append((state.outs[0], marks))
        threads = _close(a, moved, pos + 1)
    return best


class Reference:
    """A grammar's lexer and matchers."""

    def __init__(self, g: ir.Grammar) -> None:
        self.tokens = [(r.name, Automaton(r.node)) for r in g.rules if r.kind == "token"]
        self.matches = {r.name: Automaton(r.node) for r in g.rules if r.kind == "match"}

    def next(self, data: bytes, at: int) -> tuple[str, int]:
        """Name of the longest token at `at` (the first of equals) and its end; "END", "NONE"."""
        if at == len(data):
            return "END", at
        best, name = at, "NONE"
        for rule, automaton in self.tokens:
            found = longest(automaton, data, at)
            if found is not None and found[0] > best:
                best, name = found[0], rule
        return name, best if name != "NONE" else at + 1

    def match(self, rule: str, data: bytes) -> Optional[dict[str, tuple[int, int]]]:
        """Captures as (start, end) if all of data is like the rule."""
        found = longest(self.matches[rule], data)
        if found is None or found[0] != len(data):
            return None
        marks = found[1]
        starts = [k[: -len(" start")] for k in marks if k.endswith(" start")]
        return {n: (marks[f"{n} start"], marks[f"{n} end"]) for n in starts if f"{n} end" in marks}


# --- messages and values --------------------------------------------------------------------

Part = tuple[str, int, int]  # a capture: its name, where it begins, where it ends


class _Thread(NamedTuple):
    """One way to read a message so far."""

    at: int
    parts: tuple[Part, ...] = ()
    start: int = 0  # of the capture that is open
    counts: tuple[int, ...] = ()  # of the counted repetitions that are open, the outermost first


@dataclass
class Outcome:
    """status: "ok" (the message ends before data[end]), "more", "bad" (data[end], or the end, can't be there), "limit" (nor it, with a code)."""

    status: str
    end: int
    code: int
    parts: list[Part]


class Message:
    """A message or value rule, read octet by octet, all ways at once."""

    def __init__(self, rule: ir.Rule) -> None:
        self.rule = rule
        self.automaton = _Counting(rule.node)
        self.begun: tuple[int, list[_Thread], list[Part]] = (0, [], [])  # where the last reading came to the end of its text

    def read(self, data: bytes, begun: Optional[tuple[int, list[_Thread], list[Part]]] = None) -> Outcome:
        """begun: as it was left by the reading of what data begins with, of which nothing is read again."""
        first, threads, parts = begun or (0, [_Thread(self.automaton.start)], [])
        for pos in range(first, len(data) + 1):
            if pos == len(data):
                self.begun = pos, threads, parts
            ready, refused = self.automaton.close(threads, pos)
            for t in ready:
                if self.automaton.states[t.at].kind == "done" and (self.rule.kind == "message" or pos == len(data)):
                    return Outcome("ok", pos, 0, list(t.parts))
            if pos == len(data):
                break
            if self.rule.max is not None and pos == self.rule.max:
                return Outcome("limit", pos, self.rule.code or 0, parts)
            threads = [
                _Thread(self.automaton.states[t.at].outs[0], t.parts, t.start, t.counts)
                for t in ready
                if self.automaton.takes(t.at, data[pos])
            ]
            if not threads:
                codes = [code for at, code in refused if self.automaton.takes(at, data[pos])]
                return Outcome("limit", pos, codes[0], parts) if codes else Outcome("bad", pos, 0, parts)
            parts = _common([t.parts for t in threads])
        return Outcome("more" if self.rule.kind == "message" else "bad", len(data), 0, parts)


def _common(many: list[tuple[Part, ...]]) -> list[Part]:
    """What all begin with: what is known whatever comes."""
    first, others = many[0], many[1:]
    n = len(first)
    for other in others:
        n = next((i for i, (a, b) in enumerate(zip(first[:n], other)) if a != b), min(n, len(other)))
    return list(first[:n])


class _Counting(Automaton):
    """Counted repetitions are not unrolled: "enter", "count" (again, up to a limit with a code) and "leave" them."""

    def __init__(self, node: ir.Node) -> None:
        self.limits: dict[int, tuple[int, int]] = {}
        super().__init__(node)

    def _repeat(self, node: ir.Rep, then: int) -> int:
        if node.code is None or node.max is None:
            return super()._repeat(node, then)
        leave = self._add(_State("leave", outs=[then]))
        loop = self._add(_State("split"))
        count = self._add(_State("count"))
        self.limits[count] = node.max - node.min, node.code
        self.states[count].outs = [self._build(node.node, loop)]
        self.states[loop].outs = [count, leave]
        entry = self._add(_State("enter", outs=[loop]))
        for _ in range(node.min):
            entry = self._build(node.node, entry)
        return entry

    def takes(self, at: int, byte: int) -> bool:
        return byte in self.states[at].octets

    def close(self, threads: list[_Thread], pos: int) -> tuple[list[_Thread], list[tuple[int, int]]]:
        """Threads before an octet or at the end; and the octets' states, with the code, that a limit keeps from being reached."""
        ready: list[_Thread] = []
        refused: list[tuple[int, int]] = []
        stack = [(t, 0) for t in reversed(threads)]
        seen: set[tuple[_Thread, int]] = set()
        while stack:
            t, code = stack.pop()
            if (t, code) in seen:
                continue
            seen.add((t, code))
            state = self.states[t.at]
            if state.kind in ("byte", "done"):
                if code:
                    refused.append((t.at, code))
                elif all(r.at != t.at for r in ready):
                    ready.append(t)
                continue
            for out in reversed(state.outs):
                stack.append(self.step(t, state, out, pos, code))
        return ready, refused

    def step(self, t: _Thread, state: _State, out: int, pos: int, code: int) -> tuple[_Thread, int]:
        parts, start, counts = t.parts, t.start, t.counts
        if state.kind == "mark":
            name, what = state.slot.rsplit(" ", 1)
            if what == "start":
                start = pos
            else:
                parts = (*parts, (name, start, pos))
        elif state.kind == "enter":
            counts = (*counts, 0)
        elif state.kind == "leave":
            counts = counts[:-1]
        elif state.kind == "count":
            most, limit_code = self.limits[t.at]
            counts = (*counts[:-1], counts[-1] + 1)
            code = code or (limit_code if counts[-1] > most else 0)
        return _Thread(out, parts, start, counts), code
