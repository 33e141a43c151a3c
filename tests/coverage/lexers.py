"""Readers of tokens and matches: every state of the automaton that the rules have together, and in each every octet that matters.

The automaton is made here of the reference's (grammar_ref.Automaton), whose states are sets of those of all rules at once; it only says what to
try. What is to come of a text is the reference's: the longest token, one after the other to the end, and what a match captures.
"""

from __future__ import annotations

import ctypes
from typing import Any, Iterator, Optional, Sequence

from build import Build
from capi import Api, span
from mrg import ir, names
from mrg.emit import re2c
from mrg.grammar_ref import Automaton, Reference
from report import Report

States = frozenset[tuple[int, int]]  # of which automaton, which of its states


class Union:
    """Some automata at once."""

    def __init__(self, automata: Sequence[Automaton]) -> None:
        self.automata = automata

    def closed(self, states: set[tuple[int, int]]) -> States:
        """With those that no octet leads to."""
        todo = list(states)
        for which, at in todo:
            state = self.automata[which].states[at]
            for out in state.outs if state.kind in ("split", "mark") else ():
                if (which, out) not in states:
                    states.add((which, out))
                    todo.append((which, out))
        return frozenset(states)

    def ranges(self, states: States) -> Iterator[tuple[int, int, tuple[int, int]]]:
        for which, at in states:
            state = self.automata[which].states[at]
            if state.kind == "byte":
                yield from ((lo, hi, (which, state.outs[0])) for lo, hi in state.ranges)

    def octets(self, states: States) -> list[int]:
        """The ends of classes, and what is just outside."""
        ends = {b + by for lo, hi, _ in self.ranges(states) for b in (lo, hi) for by in (-1, 0, 1)}
        return sorted(b for b in ends | {0, 255} if 0 <= b < 256)

    def texts(self) -> Iterator[bytes]:
        """A shortest text to each set of states, and there each octet that matters, alone and with more behind it."""
        start = self.closed({(i, a.start) for i, a in enumerate(self.automata)})
        found, todo, ways = {start: b""}, [start], []
        for states in todo:
            for octet in self.octets(states):
                then = self.closed({to for lo, hi, to in self.ranges(states) if lo <= octet <= hi})
                ways.append((states, bytes([octet]), then))
                if then and then not in found:
                    found[then] = found[states] + bytes([octet])
                    todo.append(then)
        rest = self._rest(ways)
        for states, octet, then in ways:
            text = found[states] + octet
            yield from dict.fromkeys((found[states], text, text + octet, text + rest.get(then, b"")))

    def _rest(self, ways: Sequence[tuple[States, bytes, States]]) -> dict[States, bytes]:
        """From each set of states a shortest text to the end of a rule."""
        found = {to: b"" for _, _, to in ways if any(self.automata[which].states[at].kind == "done" for which, at in to)}
        more = True
        while more:
            more = False
            for states, octet, then in ways:
                if then in found and states not in found:
                    found[states], more = octet + found[then], True
        return found


class Lexers:
    def __init__(self, of: Build, api: Api, report: Report) -> None:
        self.of = of
        self.api = api
        self.report = report

    def run(self) -> None:
        for module in self.of.modules:
            for g in module.grammars:
                reference = Reference(g)
                tokens = [Automaton(r.node) for r in re2c.rules(g, "token")]
                if tokens:
                    self.report.none(f"{module.name}.{g.name}", [f for text in Union(tokens).texts() for f in self.tokens(g, reference, text)])
                for rule in re2c.rules(g, "match"):
                    every = Union([Automaton(rule.node)]).texts()
                    self.report.none(f"{module.name}.{g.name}.{rule.name}", [f for text in every for f in self.match(g, rule, reference, text)])

    def tokens(self, g: ir.Grammar, reference: Reference, text: bytes) -> Iterator[str]:
        kinds = ["END", *(r.name for r in re2c.rules(g, "token")), "NONE"]
        room = ctypes.create_string_buffer(text, len(text) + 1)
        start = ctypes.addressof(room)
        read = self.api.c[f"{names.grammar(g)}_next"]
        read.argtypes = [ctypes.c_void_p, ctypes.c_void_p]
        at = 0
        while True:
            cursor = ctypes.c_void_p(start + at)
            kind = kinds[read(ctypes.addressof(cursor), start + len(text))]
            got, want = (kind, (cursor.value or 0) - start), reference.next(text, at)
            if got != want:
                yield f"{text!r} at {at}: {got}, not {want}"
            if got != want or kind == "END":
                return
            at = want[1]

    def match(self, g: ir.Grammar, rule: ir.Rule, reference: Reference, text: bytes) -> Iterator[str]:
        keep: list[Any] = []
        captures = list(re2c.captures(rule.node))
        given = span(self.api, text, keep)
        call = self.api.c[f"{names.grammar(g)}_{names.snake(rule.name)}_match"]
        call.argtypes, call.restype = [type(given), ctypes.c_void_p][: 1 + bool(captures)], ctypes.c_bool
        out = (type(given) * max(1, len(captures)))()
        good = call(*[given, ctypes.addressof(out)][: 1 + bool(captures)])
        got: Optional[dict[str, tuple[int, int]]] = None
        if good:
            got = {name: (s.p - given.p, s.p - given.p + s.len) for name, s in zip(captures, out) if s.p}
        want = reference.match(rule.name, text)
        if got != want:
            yield f"{text!r}: {got}, not {want}"
