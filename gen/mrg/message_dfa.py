"""The deterministic automaton of a `message` or `value` rule: what to do at each octet.

A message is read octet by octet and nothing is looked at twice, so at each octet
it must be clear what it does: which captures begin or end before it, and what is
counted.  Only where a capture ends may stay open for a while (`value OWS`, where
blanks may belong to either): then the first place where it may have ended is
marked, and taken if it turns out to be the end.

A value is read in the same way, with the end of the buffer as one more symbol
behind its octets (END_OF_INPUT).  Since all of it is there, its captures get
their names when they end: which one it is may stay open till then.

Positions: the actions of a transition happen before its octet, those of its
`last` behind it, where the message ends.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Iterable, Iterator, NamedTuple, Optional

from . import ir

STATES_MAX = 4096
RULES = 256  # that are remembered
END_OF_INPUT = 256  # behind the last octet of a value


class Conflict(Exception):
    """Why a rule is no message."""


class Action(NamedTuple):
    """kind: "start", "mark" (it may end here), "emit" (it ends here), "emit_marked" (it ended where marked),

    of capture `arg`; "reset" and "count" (at most `most`, else the rejection has `code`) of counter `arg`."""

    kind: str
    arg: int
    most: int = 0
    code: int = 0


def limits(actions: tuple[Action, ...]) -> list[Action]:
    """Counts that may be over their limits: those that begin with these actions are not, unless none is allowed."""
    begun = {a.arg for a in actions if a.kind == "reset"}
    return [a for a in actions if a.kind == "count" and (a.arg not in begun or a.most == 0)]


class Way(NamedTuple):
    """What the octets lo..hi, or both END_OF_INPUT, do in a state; state -1 is the end of the message."""

    lo: int
    hi: int
    actions: tuple[Action, ...]
    to: int
    last: tuple[Action, ...]


@dataclass
class Dfa:
    captures: list[str]
    counters: int
    states: list[list[Way]] = field(default_factory=list)  # the first is where a message begins

    def most_events(self) -> int:
        """Captures that may end at one octet."""
        emits = [sum(a.kind.startswith("emit") for a in w.actions + w.last) for ways in self.states for w in ways]
        return max(emits, default=0)

    def emitted(self, starts: Iterable[int]) -> dict[int, int]:
        """The most captures that end on a way from one of these states to each; without those that there is no end to."""
        ways = [(s, w.to, sum(a.kind.startswith("emit") for a in w.actions + w.last)) for s, out in enumerate(self.states) for w in out if w.to >= 0]
        most = {s: 0 for s in starts}
        for _ in self.states:  # as many steps as the longest way without a turn has
            for s, to, emits in ways:
                if s in most:
                    most[to] = max(most.get(to, 0), most[s] + emits)
        endless: set[int] = set()
        for _ in self.states:
            endless |= {to for s, to, emits in ways if s in endless or s in most and most[s] + emits > most[to]}
        return {s: n for s, n in most.items() if s not in endless}


END = -1


# --- the nondeterministic automaton ---------------------------------------------------------


@dataclass
class _State:
    kind: str  # "byte": ranges, then outs[0]; "split": any of outs; "do": action, then outs[0]; "done"
    ranges: tuple[tuple[int, int], ...] = ()
    outs: list[int] = field(default_factory=list)
    action: Optional[Action] = None


class Nfa:
    """The automaton of a node; state 0 is the end.  named: which capture it is, is known where it starts."""

    def __init__(self, node: ir.Node, named: bool = True) -> None:
        self.named = named
        self.captures = list(dict.fromkeys(captures(node)))
        self.counters = 0
        self.states = [_State("done")]
        self.start = self.build(node, 0, 0)

    def add(self, state: _State) -> int:
        self.states.append(state)
        return len(self.states) - 1

    def build(self, node: ir.Node, then: int, depth: int) -> int:
        """The entry of an automaton for node that goes on at `then`; depth: counters in use around it."""
        if isinstance(node, ir.Lit):
            for b in reversed(node.data):
                then = self.add(_State("byte", _cases(b) if node.nocase else ((b, b),), [then]))
            return then
        if isinstance(node, ir.Class):
            return self.add(_State("byte", tuple(node.ranges), [then]))
        if isinstance(node, ir.Seq):
            for n in reversed(node.nodes):
                then = self.build(n, then, depth)
            return then
        if isinstance(node, ir.Alt):
            return self.add(_State("split", outs=[self.build(n, then, depth) for n in node.nodes]))
        if isinstance(node, ir.Rep):
            return self.repeat(node, then, depth)
        if isinstance(node, ir.Capture):
            index = self.captures.index(node.name)
            after = self.add(_State("do", outs=[then], action=Action("end", index)))
            start = Action("start", index if self.named else 0)
            return self.add(_State("do", outs=[self.build(node.node, after, depth)], action=start))
        raise TypeError(type(node).__name__)

    def repeat(self, node: ir.Rep, then: int, depth: int) -> int:
        if node.max is None or node.code is not None:
            entry = self.loop(node, then, depth)
        else:
            entry = then
            for _ in range(node.max - node.min):
                entry = self.add(_State("split", outs=[self.build(node.node, entry, depth), then]))
        for _ in range(node.min):
            entry = self.build(node.node, entry, depth)
        return entry

    def loop(self, node: ir.Rep, then: int, depth: int) -> int:
        """What is repeated beyond the least times; counted if there are most."""
        loop = self.add(_State("split"))
        if node.max is None or node.code is None:
            self.states[loop].outs = [self.build(node.node, loop, depth), then]
            return loop
        self.counters = max(self.counters, depth + 1)
        body = self.build(node.node, loop, depth + 1)
        count = Action("count", depth, node.max - node.min, node.code)
        self.states[loop].outs = [self.add(_State("do", outs=[body], action=count)), then]
        return self.add(_State("do", outs=[loop], action=Action("reset", depth)))

    def places(self, state: int) -> set[int]:
        """Where octets can be taken from `state` on, whatever is to be done before; and 0 if the end is there."""
        out: set[int] = set()
        todo = [state]
        while todo:
            at = todo.pop()
            if at not in out:
                out.add(at)
                todo += self.states[at].outs if self.states[at].kind in ("split", "do") else []
        return {at for at in out if self.states[at].kind in ("byte", "done")}

    def closure(self, state: int) -> dict[int, tuple[Action, ...]]:
        """Where octets can be taken from `state` on (0: the end), and what is to be done before."""
        out: dict[int, tuple[Action, ...]] = {}
        seen: set[tuple[int, tuple[Action, ...]]] = set()
        stack: list[tuple[int, tuple[Action, ...]]] = [(state, ())]
        while stack:
            at, todo = stack.pop()
            if (at, todo) in seen:
                continue
            seen.add((at, todo))
            s = self.states[at]
            if s.kind in ("byte", "done"):
                if out.setdefault(at, todo) != todo:
                    raise Conflict("")
            elif s.action is not None:
                stack.append((s.outs[0], (*todo, s.action)))
            else:
                stack.extend((o, todo) for o in reversed(s.outs))
        return out


def captures(node: ir.Node) -> Iterator[str]:
    """Names captured in a rule, in order."""
    if isinstance(node, ir.Capture):
        yield node.name
        yield from captures(node.node)
    elif isinstance(node, (ir.Seq, ir.Alt)):
        for n in node.nodes:
            yield from captures(n)
    elif isinstance(node, ir.Rep):
        yield from captures(node.node)


def _cases(b: int) -> tuple[tuple[int, int], ...]:
    c = bytes([b])
    return tuple(sorted((x[0], x[0]) for x in {c.lower(), c.upper()}))


# --- made deterministic ---------------------------------------------------------------------


class _Item(NamedTuple):
    """One way to read what came so far."""

    state: int  # of the nondeterministic automaton, where the next octet is taken; 0: the end
    todo: tuple[Action, ...]  # to be done before that octet
    past: int  # the capture that has ended where it is marked, if this is the way; -1: none


_Set = tuple[_Item, ...]


@lru_cache(maxsize=RULES)
def dfa(rule: ir.Rule) -> Dfa:
    """Fails: Conflict.  Made once for a rule; not to be changed."""
    if rule.kind == "value":
        end = ir.Class(rule.loc, [(END_OF_INPUT, END_OF_INPUT)])
        return _Maker(Nfa(ir.Seq(rule.loc, [rule.node, end]), named=False)).run()
    return _Maker(Nfa(rule.node)).run()


class _Maker:
    def __init__(self, nfa: Nfa) -> None:
        self.nfa = nfa
        self.out = Dfa(nfa.captures, nfa.counters)
        self.index: dict[_Set, int] = {}
        self.examples: list[bytes] = []
        self.todo: list[_Set] = []

    def run(self) -> Dfa:
        first = self.items(b"", [(self.nfa.start, -1)])
        if any(i.state == 0 for i in first):
            raise Conflict("it may be empty")
        self.state(first, b"")
        for at, items in enumerate(self.todo):  # which grows
            self.out.states.append(_merged([w for lo, hi in self.pieces(items) if (w := self.way(at, items, lo, hi)) is not None]))
        return _smallest(self.out)

    def state(self, items: _Set, example: bytes) -> int:
        if items not in self.index:
            if len(self.index) == STATES_MAX:
                raise Conflict(f"it needs more than {STATES_MAX} states; count long repetitions ('else')")
            self.index[items] = len(self.index)
            self.todo.append(items)
            self.examples.append(example)
        return self.index[items]

    def items(self, example: bytes, froms: list[tuple[int, int]]) -> _Set:
        found: dict[int, _Item] = {}
        for state, past in froms:
            try:
                closure = self.nfa.closure(state)
            except Conflict:
                raise Conflict(f"after {shown(example)} it can be read on in two ways that differ in captures or counts") from None
            for to, todo in closure.items():
                item = _Item(to, todo, past)
                if found.setdefault(to, item) != item:
                    raise Conflict(f"after {shown(example)} two ways to read it meet that differ in captures or counts")
        return tuple(sorted(found.values()))

    def pieces(self, items: _Set) -> Iterator[tuple[int, int]]:
        """The octets in runs that no item tells apart."""
        cuts = {0, 256}
        for i in items:
            for lo, hi in self.nfa.states[i.state].ranges:
                cuts |= {lo, hi + 1}
        ordered = sorted(cuts)
        for lo, end in zip(ordered, ordered[1:]):
            yield lo, end - 1

    def way(self, at: int, items: _Set, lo: int, hi: int) -> Optional[Way]:
        taken = [i for i in items if any(a <= lo <= b for a, b in self.nfa.states[i.state].ranges)]
        if not taken:
            return None
        actions, past = self.resolve(taken, self.examples[at], lo if lo != END_OF_INPUT else None)
        if lo == END_OF_INPUT:
            return Way(lo, hi, actions, END, ())
        example = self.examples[at] + bytes([_nicest(lo, hi)])
        following = self.items(example, [(self.nfa.states[i.state].outs[0], p) for i, p in zip(taken, past)])
        done = [i for i in following if i.state == 0]
        if not done:
            return Way(lo, hi, actions, self.state(following, example), ())
        if len(following) > 1:
            raise Conflict(f"after {shown(example)} it may end or go on; an end must be told without the octet behind it")
        last, _ = self.resolve(done, example, None)
        return Way(lo, hi, actions, END, last)

    def resolve(self, taken: list[_Item], example: bytes, octet: Optional[int]) -> tuple[tuple[Action, ...], list[int]]:
        """What all ways that take the octet agree on doing before it; and past which capture each is then."""
        where = f"at {shown(bytes([octet]))}" if octet is not None else "at the end"
        rests = {tuple(a for a in i.todo if a.kind != "end") for i in taken}
        if len(rests) > 1:
            raise Conflict(f"after {shown(example)}, {where}, two ways to read it differ in what is captured or counted")
        actions: list[Action] = []
        pasts, todos = [i.past for i in taken], [i.todo for i in taken]
        if pasts[0] >= 0 and len(set(pasts)) == 1:  # it ended where it is marked, whatever comes
            actions.append(Action("emit_marked", pasts[0]))
            pasts = [-1] * len(taken)
        if max(pasts) < 0:
            same = _common(todos)
            actions += [Action("emit", a.arg) if a.kind == "end" else a for a in todos[0][:same]]
            todos = [todo[same:] for todo in todos]
        open_ends = [[past] * (past >= 0) + [a.arg for a in todo if a.kind == "end"] for past, todo in zip(pasts, todos)]
        places = {past >= 0 for past, ended in zip(pasts, open_ends) if ended}
        if len(places) > 1 or max(map(len, open_ends)) > 1 or any(map(_starts_late, pasts, todos)):
            raise Conflict(f"after {shown(example)}, {where}, there are two places where a capture may have ended")
        actions += [a for a in todos[0] if a.kind != "end"]
        if False in places:
            actions.append(Action("mark", max(max(ended, default=-1) for ended in open_ends)))
        return tuple(actions), [ended[0] if ended else -1 for ended in open_ends]


def _common(todos: list[tuple[Action, ...]]) -> int:
    """How many actions all begin with."""
    return next((n for n, same in enumerate(zip(*todos)) if len(set(same)) > 1), min(map(len, todos)))


def _starts_late(past: int, todo: tuple[Action, ...]) -> bool:
    """Whether a capture starts where the end of the one before is still open."""
    kinds = [a.kind for a in todo]
    return "start" in (kinds if past >= 0 else kinds[kinds.index("end") :] if "end" in kinds else [])


def _nicest(lo: int, hi: int) -> int:
    """An octet of a range that reads well in a message to people."""
    for first, last in ((0x61, 0x7A), (0x30, 0x39), (0x21, 0x7E)):
        if lo <= last and hi >= first:
            return max(lo, first)
    return lo


def shown(data: bytes) -> str:
    if not data:
        return "the beginning"
    return '"' + "".join(chr(b) if 0x20 <= b < 0x7F and b != 0x22 else f"\\x{b:02x}" for b in data[-40:]) + '"'


def _merged(ways: list[Way]) -> list[Way]:
    """Neighbours that do the same become one."""
    out: list[Way] = []
    for w in ways:
        if out and out[-1].hi + 1 == w.lo and out[-1][2:] == w[2:]:
            out[-1] = out[-1]._replace(hi=w.hi)
        else:
            out.append(w)
    return out


def _smallest(d: Dfa) -> Dfa:
    """States that do the same from there on become one (Moore)."""
    group = [0] * len(d.states)
    count = 1
    while True:
        keys: dict[tuple[object, ...], int] = {}
        new = []
        for at, ways in enumerate(d.states):
            key = (group[at], *_regrouped(ways, group))
            new.append(keys.setdefault(key, len(keys)))
        if len(keys) == count:
            break
        group, count = new, len(keys)
    states: list[list[Way]] = [[] for _ in range(count)]
    for at, ways in enumerate(d.states):
        states[group[at]] = _regrouped(ways, group)
    return Dfa(d.captures, d.counters, states)


def _regrouped(ways: list[Way], group: list[int]) -> list[Way]:
    return _merged([w._replace(to=w.to if w.to == END else group[w.to]) for w in ways])
