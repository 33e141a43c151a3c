"""Is an alternative ever needed, or does one before it take all that it takes?  Texts of nodes compared."""

from __future__ import annotations

from typing import Sequence

from . import ir
from .message_dfa import Nfa

PAIRS_MAX = 4096  # alternatives that take more to compare are taken to be needed

_States = frozenset[int]


def covered(node: ir.Node, before: Sequence[ir.Node]) -> bool:
    """Whether each text of `node` is one of those of `before`."""
    if not before:
        return False
    one, all_of = Nfa(node), Nfa(ir.Alt(node.loc, list(before)))
    if all_of.counters:
        return False  # what is counted is not in the automaton
    first = (_reached(one, {one.start}), _reached(all_of, {all_of.start}))
    seen, todo = {first}, [first]
    while todo:
        here, there = todo.pop()
        if 0 in here and 0 not in there:
            return False
        for octet in _octets(one, here):
            pair = (_step(one, here, octet), _step(all_of, there, octet))
            if pair in seen:
                continue
            if len(seen) == PAIRS_MAX:
                return False
            seen.add(pair)
            todo.append(pair)
    return True


def meet(a: ir.Node, b: ir.Node) -> bool:
    """Whether two nodes have a text in common, counts aside."""
    one, other = Nfa(a), Nfa(b)
    first = (_reached(one, {one.start}), _reached(other, {other.start}))
    seen, todo = {first}, [first]
    while todo:
        here, there = todo.pop()
        if 0 in here and 0 in there:
            return True
        for octet in _octets(one, here) & _octets(other, there):
            pair = (_step(one, here, octet), _step(other, there, octet))
            if len(seen) == PAIRS_MAX:
                return True
            if pair not in seen:
                seen.add(pair)
                todo.append(pair)
    return False


def _reached(nfa: Nfa, froms: set[int]) -> _States:
    """Where octets can be taken, or the end is."""
    return frozenset(s for f in froms for s in nfa.places(f))


def _step(nfa: Nfa, states: _States, octet: int) -> _States:
    return _reached(nfa, {nfa.states[s].outs[0] for s in states if any(lo <= octet <= hi for lo, hi in nfa.states[s].ranges)})


def _octets(nfa: Nfa, states: _States) -> set[int]:
    """All that one of the states takes."""
    return {b for s in states for lo, hi in nfa.states[s].ranges for b in range(lo, hi + 1)}
