"""Where a reader stays in a state for many octets: classes to pass over at once (mrg_scan.h)."""

from __future__ import annotations

from typing import NamedTuple, Optional

from ..message_dfa import END, Action, Dfa, Way
from .writer import Writer

LEAST = 8  # octets of a class that is worth it
RANGES = 10  # MRG_RANGES

Octets = frozenset[int]


class Scan(NamedTuple):
    """In a state, octets of `over` are passed; then back over those of `back`, which another state is for."""

    over: Octets
    back: Octets
    each: Optional[Action]  # a count, for each of them
    other: int  # the state for those of `back`
    marks: bool  # a capture may have ended before the first of those


def scan_of(d: Dfa, state: int) -> Optional[Scan]:
    loops = [w for w in d.states[state] if w.to == state]
    todo = {w.actions for w in loops}
    stays = octets(loops)
    if len(todo) != 1 or len(stays) < LEAST:
        return None
    actions = next(iter(todo))
    if actions:
        return Scan(stays, frozenset(), actions[0], END, False) if len(actions) == 1 and actions[0].kind == "count" else None
    return _with_blanks(d, state, stays)


def _with_blanks(d: Dfa, state: int, stays: Octets) -> Scan:
    """Blanks: what leads to a state where a capture may have ended, and from there, with more of the same, back here."""
    for other in {w.to for w in d.states[state] if w.to not in (state, END)}:
        there = [w for w in d.states[state] if w.to == other]
        stay = [w for w in d.states[other] if w.to == other]
        again = [w for w in d.states[other] if w.to == state]
        kinds = {tuple(a.kind for a in w.actions) for w in there}
        same = octets(there) == octets(stay) and octets(again) == stays and not any(w.actions for w in stay + again)
        if same and kinds in ({()}, {("mark",)}):
            return Scan(stays | octets(there), octets(there), None, other, kinds == {("mark",)})
    return Scan(stays, frozenset(), None, END, False)


def trimmed(d: Dfa, state: int) -> Optional[Scan]:
    """The scan of a state; with `back` only if what follows does not depend on whether blanks came before.

    Then they need no state: all is passed, and the capture has ended behind the last octet that is no blank.  There is
    one, since whatever leads to the state is none."""
    scan = scan_of(d, state)
    if scan is None or not scan.back:
        return scan
    enters = [w for at, ways in enumerate(d.states) for w in ways if w.to == state and at != state]
    here, there = (_leaves(d, at, scan) for at in (state, scan.other))
    if here == there and (not scan.marks or state != 0 and not octets(enters) & scan.back):
        return scan
    return Scan(scan.over - scan.back, frozenset(), None, END, False)


def _leaves(d: Dfa, state: int, scan: Scan) -> dict[int, tuple[object, ...]]:
    """What each octet does that is not passed over; where the end of a capture is marked does not count."""
    kinds = {"emit_marked": "emit"} if scan.marks else {}
    return {
        b: (tuple(a._replace(kind=kinds.get(a.kind, a.kind)) for a in w.actions), *w[3:])
        for w in d.states[state]
        for b in octets([w]) - scan.over
    }


def ahead(d: Dfa) -> dict[int, int]:
    """Scanning states, and for each another one whose scan can be made there already.

    So it is with a field's name and its value: all that may stand between the beginning of the name and that of the value
    are octets of the value's class.  Where the line ends is then known without waiting for where its name ends."""
    scan = {s: found for s in range(len(d.states)) if (found := trimmed(d, s)) is not None}
    out: dict[int, int] = {}
    for second, what in scan.items():
        for first in scan:
            if first != second and first not in out and what.each is None and scan[first].over <= what.over:
                if _between(d, first, second, what.over) and not _again(d, first, what.over):
                    out[first] = second
                    break
    return out


def _between(d: Dfa, first: int, second: int, over: Octets) -> bool:
    """Whether each way into `second` comes through `first`, and from there over octets of the class alone."""
    region, todo, met = {second}, [second], False
    while todo:
        to = todo.pop()
        for at, ways in enumerate(d.states):
            into = [w for w in ways if w.to == to]
            if not into:
                continue
            if not octets(into) <= over:
                return False
            met = met or at == first
            if at != first and at not in region:
                region.add(at)
                todo.append(at)
    return met and 0 not in region


def _again(d: Dfa, first: int, over: Octets) -> bool:
    """Whether octets of the class may lead from a state to it again, or to the end of the message.

    Then they would be passed more than once, or what is no part of the message would be."""
    seen: set[int] = set()
    todo = [w.to for w in d.states[first] if w.to != first and octets([w]) & over]
    while todo:
        at = todo.pop()
        if at in (first, END):
            return True
        if at not in seen:
            seen.add(at)
            todo += [w.to for w in d.states[at] if octets([w]) & over]
    return False


def once(d: Dfa, state: int) -> bool:
    """Whether a state, once left, is never reached again."""
    seen: set[int] = set()
    todo = [w.to for w in d.states[state] if w.to != state]
    while todo:
        at = todo.pop()
        if at not in seen and at != END:
            seen.add(at)
            todo += [w.to for w in d.states[at]]
    return state not in seen


def octets(ways: list[Way]) -> Octets:
    return frozenset(b for w in ways for b in range(w.lo, w.hi + 1))


def kinds(d: Dfa) -> list[int]:
    """For each octet a number: those with the same one do the same in each state.

    Numbered so that octets that do the same in one state are mostly in a row."""
    found: set[Octets] = set()
    for ways in d.states:
        for what in {w[2:] for w in ways}:
            found.add(octets([w for w in ways if w[2:] == what]))
    sets = sorted(found, key=lambda s: (-len(s), sorted(s)))
    rows = [tuple(b not in s for s in sets) for b in range(256)]
    order = {row: n for n, row in enumerate(sorted(set(rows)))}
    return [order[row] for row in rows]


class Classes:
    """The classes that a reader needs, by what they are called."""

    def __init__(self, prefix: str) -> None:
        self.prefix = prefix
        self.names: dict[Octets, str] = {}

    def name(self, over: Octets) -> str:
        return self.names.setdefault(over, f"{self.prefix}_{len(self.names)}")

    def emit(self, w: Writer) -> None:
        for over, name in self.names.items():
            _class(w, name, over)


def _class(w: Writer, name: str, over: Octets) -> None:
    """`struct mrg_class` of a set of octets."""
    with w.block(f"static const struct mrg_class {name} =", "};"):
        w.line(".in = { " + ", ".join(f"[{b}] = 1" for b in sorted(over)) + " },")
        _rows(w, over)
        _ranges(w, over)
    w.line()


def _rows(w: Writer, over: Octets) -> None:
    """Which lower halves there are with each upper one, of the octets below 0x80 that are in the class, or that are not."""
    beyond = frozenset(range(128, 256))
    inside = not over & beyond
    rowed = over if inside else frozenset(range(128)) - over
    rows = [frozenset(low for low in range(16) if 16 * high + low in rowed) for high in range(8)]
    kinds = sorted({r for r in rows if r}, key=sorted)
    if len(kinds) > (8 if inside else 7) or not (inside or beyond <= over):
        return
    low = [sum(1 << i for i, r in enumerate(kinds) if n in r) for n in range(16)]
    high = [1 << kinds.index(r) if r else 0 for r in rows] + [0] * 8
    w.line(f".rows_say = {'MRG_SAYS_IN' if inside else 'MRG_SAYS_OUT'},")
    w.line(f".low = {{ {', '.join(map(str, low * 2))} }},")
    w.line(f".high = {{ {', '.join(map(str, high * 2))} }},")


def _ranges(w: Writer, over: Octets) -> None:
    """The octets of the class, or those that are not in it, whichever are in fewer pieces."""
    ways = [(runs(over), "MRG_SAYS_IN"), (runs(frozenset(range(256)) - over), "MRG_SAYS_OUT")]
    found, say = min(ways, key=lambda way: len(way[0]))
    if not 0 < len(found) <= RANGES:
        return
    w.line(f".ranges_say = {say},")
    w.line(f".ranges = {len(found)},")
    w.line(f".first = {{ {', '.join(str(lo) for lo, _ in found)} }},")
    w.line(f".more = {{ {', '.join(str(hi - lo) for lo, hi in found)} }},")


def runs(over: Octets) -> list[tuple[int, int]]:
    """A set of octets as runs of them, first and last."""
    out: list[tuple[int, int]] = []
    for b in sorted(over):
        if out and out[-1][1] + 1 == b:
            out[-1] = (out[-1][0], b)
        else:
            out.append((b, b))
    return out
