"""The automaton that writes a rule's text from its captures: what to write before each.

It steps from capture to capture.  Between two of them stands the text of least
alternatives other than the first ones, then the shortest: for each capture that
may come next, and for the end.  Which way to go must be clear from what comes next,
its name and, if that is not enough, what it consists of: a way is not taken if
another one before it can do all that it can.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Hashable, NamedTuple, Optional

from . import ir
from .message_dfa import RULES, STATES_MAX, Action, Conflict, captures, dfa
from .reach import covered, meet

PAIRS_MAX = 4096  # ways that take more to compare are taken to differ


class Text(NamedTuple):
    """What is written, and counted on the way."""

    data: bytes
    counts: tuple[Action, ...]


class Step(NamedTuple):
    """The capture `what`, if its octets are like contents[content], comes behind this text."""

    what: int
    content: int
    text: Text
    to: int


class PutState(NamedTuple):
    steps: tuple[Step, ...]  # of the same capture the first whose content is so
    end: Optional[Text]  # behind the last capture, if this may be that


@dataclass
class PutDfa:
    captures: list[str]
    contents: list[ir.Node]
    states: list[PutState] = field(default_factory=list)  # the first is before all captures


@lru_cache(maxsize=RULES)
def put_dfa(rule: ir.Rule) -> PutDfa:
    """Fails: Conflict.  Made once for a rule; not to be changed."""
    maker = _Maker(rule)
    if rule.kind == "match":  # nothing else holds that there is just one way to read it
        dfa(ir.Rule(rule.name, "value", rule.loc, "", rule.node))
    return maker.run()


def canonical(node: ir.Node) -> bytes:
    """The text of a node without captures: first alternatives, as few times as may be."""
    if isinstance(node, ir.Lit):
        return node.data
    if isinstance(node, ir.Class):
        return bytes([node.first if node.first is not None else node.ranges[0][0]])
    if isinstance(node, ir.Seq):
        return b"".join(canonical(n) for n in node.nodes)
    if isinstance(node, ir.Alt):
        return canonical(node.nodes[0])
    if isinstance(node, ir.Rep):
        return canonical(node.node) * node.min
    raise TypeError(type(node).__name__)


def longest(node: ir.Node) -> Optional[int]:
    """Octets of the longest text of a node; None: there is none."""
    if isinstance(node, ir.Lit):
        return len(node.data)
    if isinstance(node, ir.Class):
        return 1
    if isinstance(node, ir.Rep):
        one = longest(node.node)
        return 0 if node.max == 0 or one == 0 else None if node.max is None or one is None else node.max * one
    if isinstance(node, (ir.Seq, ir.Alt)):
        sizes = [longest(n) for n in node.nodes]
        known = [size for size in sizes if size is not None]
        if len(known) < len(sizes):
            return None
        return sum(known) if isinstance(node, ir.Seq) else max(known)
    raise TypeError(type(node).__name__)


def longest_written(d: PutDfa) -> Optional[int]:
    """Octets of the longest text that is written; None: there is none, or its captures come around."""
    contents = [longest(node) for node in d.contents]
    most = 0
    here = {0: 0}  # of each state that so many captures lead to, the longest text before it
    for _ in range(len(d.states) + 1):
        there: dict[int, int] = {}
        for at, size in here.items():
            end = d.states[at].end
            most = max(most, size + len(end.data)) if end is not None else most
            for step in d.states[at].steps:
                content = contents[step.content]
                if content is None:
                    return None
                there[step.to] = max(there.get(step.to, 0), size + len(step.text.data) + content)
        here = there
    return most if not here else None


def shape(node: ir.Node) -> Hashable:
    """What a node is, wherever it stands."""
    if isinstance(node, ir.Lit):
        return node.data, node.nocase
    if isinstance(node, ir.Class):
        return tuple(node.ranges)
    if isinstance(node, (ir.Seq, ir.Alt)):
        return type(node), tuple(shape(n) for n in node.nodes)
    if isinstance(node, ir.Rep):
        return node.min, node.max, node.code, shape(node.node)
    raise TypeError(type(node).__name__)


# --- all ways to write -----------------------------------------------------------------------


@dataclass
class _Place:
    kind: str  # "text": data; "split": any of outs; "do": action; "capture": what, content; "done"
    outs: list[int]
    data: bytes = b""
    action: Optional[Action] = None
    what: int = 0
    content: int = 0
    choice: bool = False  # outs but the first are worse


class _Way(NamedTuple):
    """To a place, a capture or the end."""

    at: int
    text: Text


class _Places:
    """What a node consists of, from its captures on; place 0 is the end."""

    def __init__(self, node: ir.Node, names: list[str]) -> None:
        self.names = names
        self.contents: list[ir.Node] = []
        self.shapes: dict[Hashable, int] = {}
        self.places = [_Place("done", [])]
        self.start = self.build(node, 0, 0)

    def add(self, place: _Place) -> int:
        self.places.append(place)
        return len(self.places) - 1

    def build(self, node: ir.Node, then: int, depth: int) -> int:
        if next(captures(node), None) is None:
            data = canonical(node)
            return self.add(_Place("text", [then], data=data)) if data else then
        if isinstance(node, ir.Seq):
            for n in reversed(node.nodes):
                then = self.build(n, then, depth)
            return then
        if isinstance(node, ir.Alt):
            return self.add(_Place("split", [self.build(n, then, depth) for n in node.nodes], choice=True))
        if isinstance(node, ir.Rep):
            return self.repeat(node, then, depth)
        if isinstance(node, ir.Capture):
            if next(captures(node.node), None) is not None:
                raise Conflict(f"capture '{node.name}' has others in it")
            content = self.shapes.setdefault(shape(node.node), len(self.contents))
            if content == len(self.contents):
                self.contents.append(node.node)
            return self.add(_Place("capture", [then], what=self.names.index(node.name), content=content))
        raise TypeError(type(node).__name__)

    def repeat(self, node: ir.Rep, then: int, depth: int) -> int:
        entry = then
        if node.max is None or node.code is not None:
            entry = self.loop(node, then, depth)
        else:
            for _ in range(node.max - node.min):
                entry = self.add(_Place("split", [then, self.build(node.node, entry, depth)]))
        for _ in range(node.min):
            entry = self.build(node.node, entry, depth)
        return entry

    def loop(self, node: ir.Rep, then: int, depth: int) -> int:
        loop = self.add(_Place("split", [then]))
        if node.max is None or node.code is None:
            self.places[loop].outs.append(self.build(node.node, loop, depth))
            return loop
        body = self.build(node.node, loop, depth + 1)
        count = Action("count", depth, node.max - node.min, node.code)
        self.places[loop].outs.append(self.add(_Place("do", [body], action=count)))
        return self.add(_Place("do", [loop], action=Action("reset", depth)))

    def ways(self, froms: tuple[int, ...]) -> list[_Way]:
        """To the captures that may come next and to the end, the best first."""
        heap = [((0, 0, n), at, Text(b"", ())) for n, at in enumerate(froms)]
        pushed = len(heap)
        seen: set[int] = set()
        out: list[_Way] = []
        while heap:
            (worse, length, _), at, text = heapq.heappop(heap)
            if at in seen:
                continue
            seen.add(at)
            place = self.places[at]
            if place.kind in ("capture", "done"):
                out.append(_Way(at, text))
                continue
            if place.action is not None and place.action.kind == "count" and place.action.most == 0:
                continue
            text = Text(text.data + place.data, text.counts + ((place.action,) if place.action is not None else ()))
            for n, to in enumerate(place.outs):
                cost = (worse + (place.choice and n > 0), length + len(place.data), pushed)
                heapq.heappush(heap, (cost, to, text))
                pushed += 1
        return out

    def uncounted(self, froms: tuple[int, ...], counter: int) -> set[int]:
        """Where ways lead that don't count on in a counter, but may begin to."""
        todo = [(at, False) for at in froms]
        seen: set[tuple[int, bool]] = set()
        while todo:
            at, fresh = todo.pop()
            if (at, fresh) in seen:
                continue
            seen.add((at, fresh))
            place = self.places[at]
            does = place.action[:2] if place.action is not None else ()
            if place.kind == "capture" or (does == ("count", counter) and not fresh):
                continue
            fresh = fresh or does == ("reset", counter)
            todo += [(to, fresh) for to in place.outs]
        return {at for at, _ in seen if self.places[at].kind in ("capture", "done")}


# --- made deterministic ---------------------------------------------------------------------


class _Choice(NamedTuple):
    """A capture in a state: all its places with the same text before it, and where they lead."""

    what: int
    content: int
    text: Text
    at: tuple[int, ...]
    to: tuple[int, ...]


class _Maker:
    def __init__(self, rule: ir.Rule) -> None:
        names = list(dict.fromkeys(captures(rule.node)))
        self.all = _Places(rule.put if rule.put is not None else rule.node, names)
        self.out = PutDfa(names, self.all.contents)
        self.index: dict[tuple[int, ...], int] = {}
        self.todo: list[tuple[int, ...]] = []
        self.examples: list[str] = []
        self.froms: tuple[int, ...] = ()  # the state that is being made
        self.where = ""
        self.relations: dict[tuple[int, int], tuple[bool, bool]] = {}
        self.followed: dict[tuple[tuple[int, ...], tuple[int, ...]], bool] = {}

    def run(self) -> PutDfa:
        self.state((self.all.start,), "at the beginning")
        for at, froms in enumerate(self.todo):  # which grows
            self.froms, self.where = froms, self.examples[at]
            ways = self.all.ways(froms)
            end = next((w.text for w in ways if w.at == 0), None)
            if end is not None:
                self.counted(end, (0,))
            steps = [
                Step(c.what, c.content, c.text, self.state(c.to, f"after '{self.out.captures[c.what]}'"))
                for c in self.chosen(ways)
            ]
            self.out.states.append(PutState(tuple(steps), end))
        return _smallest(self.out)

    def state(self, places: tuple[int, ...], example: str) -> int:
        if places not in self.index:
            if len(self.index) == STATES_MAX:
                raise Conflict(f"to write it needs more than {STATES_MAX} states")
            self.index[places] = len(self.index)
            self.todo.append(places)
            self.examples.append(example)
        return self.index[places]

    def chosen(self, ways: list[_Way]) -> list[_Choice]:
        found: dict[tuple[int, int, Text], list[int]] = {}
        for w in ways:
            place = self.all.places[w.at]
            if place.kind == "capture":
                found.setdefault((place.what, place.content, w.text), []).append(w.at)
        kept: list[_Choice] = []
        for (what, content, text), at in found.items():
            choice = _Choice(what, content, text, tuple(at), tuple(dict.fromkeys(self.all.places[a].outs[0] for a in at)))
            self.counted(text, choice.at)
            if self.needed(choice, [k for k in kept if k.what == what]):
                kept.append(choice)
        return kept

    def counted(self, text: Text, at: tuple[int, ...]) -> None:
        """What is counted before a text must be so on all ways to these places: no other way might be left when a limit is reached."""
        fresh: set[int] = set()
        for a in text.counts:
            if a.kind == "reset":
                fresh.add(a.arg)
            elif a.arg not in fresh and not self.all.uncounted(self.froms, a.arg).isdisjoint(at):
                raise Conflict(f"{self.where}, what to write next depends on how many there were")

    def needed(self, choice: _Choice, before: list[_Choice]) -> bool:
        """Whether some content is for this choice, and none of those before."""
        for b in before:
            meets, within = self.relation(choice.content, b.content)
            if meets and not self.follows(choice.to, b.to):
                raise Conflict(f"{self.where}, what to write before '{self.out.captures[choice.what]}' depends on what comes later; tell it by 'put'")
            if meets:
                self.counted(b.text, choice.at)
            if within:
                return False
        return True

    def relation(self, a: int, b: int) -> tuple[bool, bool]:
        """Whether contents have a text in common; whether all of a's are b's."""
        if (a, b) not in self.relations:
            one, other = self.out.contents[a], self.out.contents[b]
            self.relations[a, b] = (True, True) if a == b else (meet(one, other), covered(one, [other]))
        return self.relations[a, b]

    def follows(self, a: tuple[int, ...], b: tuple[int, ...]) -> bool:
        """Whether all captures that can come from the places a on can come from b on."""
        if (a, b) not in self.followed:
            self.followed[a, b] = self.included(frozenset(a), frozenset(b))
        return self.followed[a, b]

    def included(self, a: frozenset[int], b: frozenset[int]) -> bool:
        seen, todo = {(a, b)}, [(a, b)]
        while todo:
            here, there = (self.all.ways(tuple(sorted(x))) for x in todo.pop())
            if any(w.at == 0 for w in here) and not any(w.at == 0 for w in there):
                return False
            for what, content in {(p.what, p.content) for w in here if (p := self.all.places[w.at]).kind == "capture"}:
                pair = (
                    frozenset(p.outs[0] for w in here if (p := self.all.places[w.at]).kind == "capture" and (p.what, p.content) == (what, content)),
                    frozenset(
                        p.outs[0]
                        for w in there
                        if (p := self.all.places[w.at]).kind == "capture" and p.what == what and self.relation(content, p.content)[1]
                    ),
                )
                if not pair[1] or len(seen) == PAIRS_MAX:
                    return False
                if pair not in seen:
                    seen.add(pair)
                    todo.append(pair)
        return True


def _smallest(d: PutDfa) -> PutDfa:
    """States that write the same from there on become one (Moore)."""
    group, count = [0] * len(d.states), 1
    while True:
        keys: dict[tuple[int, PutState], int] = {}
        new = [keys.setdefault((group[at], _regrouped(s, group)), len(keys)) for at, s in enumerate(d.states)]
        if len(keys) == count:
            break
        group, count = new, len(keys)
    states = {group[at]: _regrouped(s, group) for at, s in enumerate(d.states)}
    return PutDfa(d.captures, d.contents, [states[g] for g in range(count)])


def _regrouped(s: PutState, group: list[int]) -> PutState:
    return PutState(tuple(step._replace(to=group[step.to]) for step in s.steps), s.end)
