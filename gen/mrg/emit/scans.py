"""Where a reader stays in a state for many octets: classes to pass over at once (mrg_scan.h)."""

from __future__ import annotations

from typing import Callable, NamedTuple, Optional

from ..message_dfa import Action, Dfa, Way
from .writer import Writer

LEAST = 8  # octets of a class that is worth it

Octets = frozenset[int]


class Scan(NamedTuple):
    """In a state, octets of `over` are passed; then back over those of `back`, which another state is for."""

    over: Octets
    back: Octets
    each: Optional[Action]  # a count, for each of them


def scan_of(d: Dfa, state: int) -> Optional[Scan]:
    loops = [w for w in d.states[state] if w.to == state]
    todo = {w.actions for w in loops}
    stays = octets(loops)
    if len(todo) != 1 or len(stays) < LEAST:
        return None
    actions = next(iter(todo))
    if actions:
        return Scan(stays, frozenset(), actions[0]) if len(actions) == 1 and actions[0].kind == "count" else None
    return Scan(stays | _blanks(d, state, stays), _blanks(d, state, stays), None)


def _blanks(d: Dfa, state: int, stays: Octets) -> Octets:
    """What leads to a state where a capture may have ended, and from there, with more of the same, back here."""
    for other in {w.to for w in d.states[state] if w.to not in (state, -1)}:
        there = [w for w in d.states[state] if w.to == other]
        stay = [w for w in d.states[other] if w.to == other]
        again = [w for w in d.states[other] if w.to == state]
        marks = all([a.kind for a in w.actions] in ([], ["mark"]) for w in there)
        if marks and octets(there) == octets(stay) and octets(again) == stays and not any(w.actions for w in stay + again):
            return octets(there)
    return frozenset()


def pairs(d: Dfa) -> dict[int, int]:
    """Scanning states, and the one that each leads to soon: those two can look in one window.

    Not where the way back is as short: the second would mostly end beyond the window of the first."""
    scan = {s: found for s in range(len(d.states)) if (found := scan_of(d, s)) is not None and found.each is None}
    near = {s: _nearest(d, s, scan) for s in scan}
    out: dict[int, int] = {}
    for s, there in near.items():
        if there is None or scan[there[0]].over == scan[s].over:
            continue
        back = near[there[0]]
        if back is None or back[0] != s or back[1] > there[1]:
            out[s] = there[0]
    return out


def _nearest(d: Dfa, state: int, scan: dict[int, Scan]) -> Optional[tuple[int, int]]:
    """The scanning state that comes next, and after how many octets, if that is one alone."""
    seen, here = {state}, {state}
    for steps in range(1, len(d.states) + 1):
        here = {w.to for s in here for w in d.states[s] if w.to >= 0} - seen
        seen |= here
        found = [s for s in here if s in scan]
        if found or not here:
            return (found[0], steps) if len(found) == 1 else None
    return None


def call(d: Dfa, pairs: dict[int, int], state: int, table: Callable[[Octets], str], p: str, end: str) -> str:
    """The scan of a state from p on, with the window that it shares."""
    scan = scan_of(d, state)
    assert scan is not None
    over = f"{p}, {end}, &{table(scan.over)}"
    if state in pairs:
        second = scan_of(d, pairs[state])
        assert second is not None
        return f"mrg_scan_first({over}, &{table(second.over)}, &ahead{pairs[state]})"
    return f"mrg_scan_next({over}, &ahead{state})" if state in pairs.values() else f"mrg_scan({over})"


def windows(w: Writer, pairs: dict[int, int]) -> None:
    for second in sorted(set(pairs.values())):
        w.line(f"struct mrg_ahead ahead{second} = {{ NULL, 0 }};")


def octets(ways: list[Way]) -> Octets:
    return frozenset(b for w in ways for b in range(w.lo, w.hi + 1))


def table(w: Writer, name: str, over: Octets) -> None:
    """`struct mrg_class` of a set of octets."""
    rows = [frozenset(low for low in range(16) if 16 * high + low in over) for high in range(16)]
    kinds = sorted({r for r in rows if r}, key=sorted)
    fits = len(kinds) <= 8
    low = [sum(1 << i for i, r in enumerate(kinds) if n in r) if fits else 0 for n in range(16)]
    high = [1 << kinds.index(r) if r and fits else 0 for r in rows]
    with w.block(f"static const struct mrg_class {name} =", "};"):
        w.line(f".low = {{ {', '.join(map(str, low * 2))} }},")
        w.line(f".high = {{ {', '.join(map(str, high * 2))} }},")
        w.line(f".rows = {'true' if fits else 'false'},")
        w.line(".in = { " + ", ".join(f"[{b}] = 1" for b in sorted(over)) + " },")
    w.line()
