#!/usr/bin/env python3
"""Automata of messages and values against the reference, over grammars made at random from a fixed seed.

What the compiler takes must be read as the reference reads it, which follows all
ways at once: a grammar whose captures or counts are ambiguous must not pass.
"""

from __future__ import annotations

import itertools
import random
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "gen"))

from mrg import ir, message_dfa  # noqa: E402
from mrg.emit.re2c import may_be_empty  # noqa: E402
from mrg.grammar_ref import Message, Outcome  # noqa: E402

NOWHERE = ir.Loc("", 0, 0)
GRAMMARS = 12000
LETTERS = b"ab "


def node(rng: random.Random, depth: int, captures: bool) -> ir.Node:
    """A node; captures: it may capture."""
    kind = rng.randrange(7 if depth > 0 else 2)
    if kind == 0:
        return ir.Lit(NOWHERE, bytes(rng.choices(LETTERS, k=rng.randint(1, 2))), False)
    if kind == 1:
        return ir.Class(NOWHERE, sorted((b, b) for b in rng.sample(LETTERS, rng.randint(1, 2))))
    if kind == 2 and captures:
        return ir.Capture(NOWHERE, rng.choice("xyz"), node(rng, depth - 1, False))
    if kind in (2, 3):
        return ir.Seq(NOWHERE, [node(rng, depth - 1, captures) for _ in range(rng.randint(2, 4))])
    if kind == 4:
        return ir.Alt(NOWHERE, [node(rng, depth - 1, captures) for _ in range(2)])
    inner = node(rng, depth - 1, captures)
    least = rng.randrange(2)
    if kind == 5 or may_be_empty(inner):
        return ir.Rep(NOWHERE, inner, 0, 1)
    return ir.Rep(NOWHERE, inner, least, *rng.choice([(None, None), (least + rng.randrange(2) + 1, 7)]))


def row(rng: random.Random) -> ir.Node:
    """Repetitions and optional parts one after the other, captured or not: where most depends on what ends where."""

    def letters() -> ir.Node:
        return ir.Class(NOWHERE, sorted((b, b) for b in rng.sample(LETTERS, rng.randint(1, 2))))

    def part() -> ir.Node:
        kind = rng.randrange(4)
        if kind == 0:
            return ir.Rep(NOWHERE, ir.Lit(NOWHERE, bytes(rng.choices(LETTERS, k=rng.randint(1, 2))), False), 0, 1)
        many = ir.Rep(NOWHERE, letters(), rng.randrange(2), None)
        return many if kind == 1 else ir.Capture(NOWHERE, rng.choice("xyz"), many)

    return ir.Seq(NOWHERE, [part() for _ in range(rng.randint(2, 5))])


def made(rng: random.Random, i: int) -> ir.Rule:
    """The i-th rule: messages and values in turn."""
    body = node(rng, 3, True) if i % 2 else row(rng)
    if i % 4 < 2:
        return ir.Rule("R", "value", NOWHERE, "", body)
    return ir.Rule("R", "message", NOWHERE, "", ir.Seq(NOWHERE, [body, ir.Lit(NOWHERE, b"!", False)]))


def run(rule: ir.Rule, d: message_dfa.Dfa, data: bytes) -> Outcome:
    """What the automaton makes of a text."""
    status = "more" if rule.kind == "message" else "bad"  # where it ends too early
    state, parts = 0, []
    start = mark = 0
    counts = [0] * max(d.counters, 1)

    def act(a: message_dfa.Action, pos: int) -> None:
        nonlocal start, mark
        if a.kind == "start":
            start = pos
        elif a.kind == "mark":
            mark = pos
        elif a.kind == "reset":
            counts[a.arg] = 0
        elif a.kind == "count":
            counts[a.arg] += 1
        else:
            parts.append((d.captures[a.arg], start, pos if a.kind == "emit" else mark))

    for pos, octet in enumerate(data):
        way = next((w for w in d.states[state] if w.lo <= octet <= w.hi), None)
        if way is None:
            return Outcome("bad", pos, 0, parts)
        reset: set[int] = set()
        for a in way.actions:
            if a.kind == "reset":
                reset.add(a.arg)
            if a.kind == "count" and (0 if a.arg in reset else counts[a.arg]) >= a.most:
                return Outcome("limit", pos, a.code, parts)
        for a in way.actions:
            act(a, pos)
        if way.to == message_dfa.END:
            for a in way.last:
                act(a, pos + 1)
            return Outcome("ok", pos + 1, 0, parts)
        state = way.to
    end = next((w for w in d.states[state] if w.lo == message_dfa.END_OF_INPUT), None)
    for a in end.actions if end is not None else ():
        act(a, len(data))
    return Outcome("ok" if end is not None else status, len(data), 0, parts)


def main() -> int:
    rng = random.Random(9112)
    texts = [bytes(t) for n in range(7) for t in itertools.product(LETTERS + b"!", repeat=n)]
    passed, taken, wrong = 0, 0, []
    for i in range(GRAMMARS):
        rule = made(rng, i)
        try:
            d = message_dfa.dfa(rule)
        except message_dfa.Conflict:
            continue
        taken += 1
        reference = Message(rule)
        for text in rng.sample(texts, 60):
            got, want = run(rule, d, text), reference.read(text)
            passed += got == want
            if got != want:
                wrong.append(f"{rule.node}: {text!r}: the automaton says {got}, the reference {want}")
    if taken < GRAMMARS // 10:
        wrong.append(f"only {taken} of {GRAMMARS} grammars are taken")
    for line in wrong[:10]:
        print(line[:1500])
    print(f"{passed} passed, {len(wrong)} failed")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
