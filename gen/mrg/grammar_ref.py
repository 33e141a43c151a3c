"""A reference matcher for grammars: what the generated C is compared with.

Rules become a nondeterministic automaton that is simulated in step with the
input, threads kept in order of preference (an alternative before those after
it, one more repetition before none), so that captures are those of the first
way to match.  Time is linear in the input; nothing recurses over it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Optional

from . import ir


@dataclass
class _State:
    kind: str  # "byte": ranges, then `out`; "split": try outs in order; "mark": slot, then out; "done"
    ranges: tuple[tuple[int, int], ...] = ()
    outs: list[int] = field(default_factory=list)
    slot: str = ""


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
            if any(lo <= byte <= hi for lo, hi in state.ranges):
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
