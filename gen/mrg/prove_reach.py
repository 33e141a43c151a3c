"""Points of a specification that no input of a packet comes to, shown by z3.

A point (`Walk.may`) is an alternative that is taken, a constraint that holds or
not, a rejection.  A packet is walked over unknown octets; at each point the
solver is asked whether the point's condition can hold together with all that
was checked before.  Small packets are walked in the place where they are used;
others once for what is known there (`Context`): how many octets there are, the
ranges of parameters, how far from where pointers count.  What isn't modelled
exactly leaves more messages than there are, never fewer: "no" is a proof.  No
answer in time counts as "yes".

Reading order: Prover.never, Prover.judged, Reach.may, Reach._item_sub.
"""

from __future__ import annotations

import sys
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Iterator, NamedTuple, Optional, Union

from . import ir, layout
from .prove_bits import always_computed
from .prove_diff import Insists, Linked
from .prove_goals import Missing, Term, load
from .prove_items import Walk
from .prove_terms import LONGEST

SMALL = 16  # items of a packet that is walked in place, with all that is in it
FEW = 16  # arms of a choice
FAR = 65535  # no bound above this is asked for
NEAR = 64  # least numbers of octets that are told apart
Key = tuple[int, str]  # id() of an item or packet, and which of its points
Range = tuple[int, int]


class Context(NamedTuple):
    """What is known where a packet begins."""

    octets: Range = (0, LONGEST)  # that there are, up to the end of the region
    numbers: tuple[Range, ...] = ()  # of each parameter that is a number
    offsets: tuple[Range, ...] = ()  # of each that is a buffer: octets from its start to here


@dataclass
class Judged:
    """A packet in a context.  refuted: of each packet that was walked, once a place, the points that can't be; inner: others that are used."""

    refuted: list[tuple[int, set[Key]]] = field(default_factory=list)
    inner: dict[tuple[int, Context], ir.Packet] = field(default_factory=dict)


class Asks(Insists):
    """Facts along one path, and what can hold in addition."""

    def can(self, *terms: Term) -> bool:
        return bool(self._ask(*self.guards, *terms)[0] != self.z3.unsat)

    def least(self, term: Term, top: int) -> int:
        """The least that a number from 0 on can be; top: above this nobody asks."""
        if self.can(term <= 0):
            return 0
        low, high = 1, top
        while low < high:
            middle = (low + high) // 2
            low, high = (low, middle) if self.can(term <= middle) else (middle + 1, high)
        return low

    def most(self, term: Term) -> int:
        """Not less than the greatest that it can be, all ones."""
        if self.can(term > FAR):
            return LONGEST
        low, high = 0, FAR.bit_length()
        while low < high:
            middle = high - 1 if high == FAR.bit_length() else (low + high) // 2  # most are of as many bits as their fields
            low, high = (middle + 1, high) if self.can(term >= 1 << middle) else (low, middle)
        return (1 << low) - 1


class Reach(Linked):
    """A walk that asks at each point whether any message comes there."""

    message: Asks

    def __init__(self, goals: Asks, packet: ir.Packet, base: Term, frames: list[Linked], judged: Judged) -> None:
        super().__init__(goals, packet, base, frames)
        self.judged = judged
        self.mine_refuted: set[Key] = set()
        self.offsets: dict[str, Term] = {}  # of buffers, from their start to the packet's
        # only who peeks cares which octets make a number
        self.peeks_later: bool = _peeks(packet) or any(isinstance(f, Reach) and f.peeks_later for f in frames[:-1])
        judged.refuted.append((id(packet), self.mine_refuted))

    def may(self, item: ir.Item | ir.Packet, what: str, when: Term) -> None:
        # words first: where they tell it, integers may take long
        told = what == "computed" and isinstance(item, ir.Scalar) and always_computed(self.z3, self.packet, item)
        if told or not self.message.can(when):
            self.mine_refuted.add((id(item), what))

    def interface(self) -> None:
        """Shown by `mrg prove`."""

    def note(self, item: ir.Item, size: Union[int, Term], value: Optional[Term] = None) -> None:
        if self.peeks_later:
            super().note(item, size, value)

    def placed(self, elem: ir.Item, place: Term) -> None:
        by = _multiple(elem)
        if by > 1:
            self.goals.given(self.z3.Implies(self.goals.here(), (place - self.here) % by == 0))

    def _item_list(self, item: ir.List) -> Term:
        size = super()._item_list(item)
        by = _multiple(item.elem)
        if by > 1:
            self.goals.assume(size % by == 0)
        return size

    def _item_sub(self, item: ir.Sub) -> Term:
        if not _is_small(item.packet):
            self._elsewhere(item)
            size = Walk._item_sub(self, item)
            if _takes_all(item.packet):
                self.goals.assume(size == self.end - self.here)
            return size
        inner = Reach(self.message, item.packet, self.base + self.here, self.frames, self.judged)
        inner.big = self.big
        given = [inner.end == self.end - self.here]
        for arg, p in zip(item.args, item.packet.params):
            if isinstance(arg, ir.Expr):
                given.append(inner.params[p.name] == self.number(arg))
            else:
                inner.offsets[p.name] = self._offset(arg)
        self.goals.given(self.z3.Implies(self.goals.here(), self.z3.And(*given)))
        inner.whole()  # its own conditions are all that there is to accept
        for path, value in inner.values.items():
            self.values[(id(item), *path)] = value
        return inner.here

    def _offset(self, arg: ir.BufArg) -> Term:
        return self.here if arg.param is None else self.offsets[arg.param.name] + self.here

    def _elsewhere(self, item: ir.Sub) -> None:
        """The packet is judged for itself, by what is known of this place."""
        ask, p, there = self.message, item.packet, self.end - self.here
        if not ask.can():
            return
        least, most = ask.least(there, NEAR), ask.most(there)
        numbers, offsets = [], []
        for arg, param in zip(item.args, p.params):
            if isinstance(arg, ir.Expr):
                value = self.number(arg)
                numbers.append((ask.least(value, NEAR), min(ask.most(value), param.hi)))
            else:
                offsets.append((0, ask.most(self._offset(arg)) if _jumps(p) else LONGEST))
        context = Context((least, most), tuple(numbers), tuple(offsets))
        self.judged.inner[(id(p), context)] = p

    @contextmanager
    def apart(self, item: ir.Switch) -> Iterator[None]:
        """What is learnt of one of many arms is forgotten behind it: that leaves more messages, and less to ask about."""
        if len(item.arms) <= FEW:
            yield
            return
        self.goals.solver.push()
        self.goals.solver.add(self.goals.here())
        yield
        self.goals.solver.pop()

    def _item_chain(self, item: ir.Chain) -> Term:
        for arm in item.arms:
            numbers = tuple((p.lo, p.hi) for p in arm.packet.params if p.kind == "int")
            offsets = tuple((0, LONGEST) for p in arm.packet.params if p.kind == "buffer")
            self.judged.inner[(id(arm.packet), Context((1, LONGEST), numbers, offsets))] = arm.packet
        hops = [arm for arm in item.arms if arm.kind == "goto" and arm.buffer is not None and arm.at is not None]
        if hops:
            # each jump leads below where the last one led, and the last one not below the least that a pointer can say
            far = [self.offsets[h.buffer.name] + self.here >= h.at.lo + h.max_jumps + 1 for h in hops if h.buffer is not None and h.at is not None]
            self.may(item, "jumps", self.z3.Or(far))
        return super()._item_chain(item)


def _multiple(item: ir.Item) -> int:
    """What the octets of an item are a multiple of, by its kind alone."""
    if isinstance(item, ir.Sub):
        last = item.packet.items[-1] if item.packet.items else item
        return item.packet.size_min if item.packet.fixed else last.to if isinstance(last, ir.Align) else 1
    if isinstance(item, ir.Bytes) and isinstance(item.length, ir.Const):
        return item.length.value
    return item.bits // 8 if isinstance(item, ir.Scalar) else 1


def _takes_all(packet: ir.Packet) -> bool:
    """Whether it ends where the region around it does."""
    last = next((i for i in reversed(packet.items) if not isinstance(i, (ir.Check, ir.Let))), None)
    return isinstance(last, (ir.Bytes, ir.List)) and last.mode == "rest" or isinstance(last, ir.Sub) and _takes_all(last.packet)


def _is_small(packet: ir.Packet) -> bool:
    items = [i for p in layout.contained(packet) for i in layout.walk(p.items)]
    return len(items) <= SMALL and not any(isinstance(i, ir.Chain) for i in items)


def _peeks(packet: ir.Packet) -> bool:
    inside = [p for p in layout.contained(packet) if p is packet or _is_small(p)]
    return any(isinstance(part, ir.Peek) for p in inside for e in layout.exprs(p.items) for part in layout.refs(e))


def _jumps(packet: ir.Packet) -> bool:
    return any(isinstance(i, ir.Chain) and any(a.kind == "goto" for a in i.arms) for p in layout.contained(packet) for i in layout.walk(p.items))


def prover() -> Optional[Prover]:
    """None, and a word about it, where there is no z3."""
    try:
        return Prover()
    except Missing as why:
        sys.stderr.write(f"mrg fuzz: points that can't be reached may count as missing: {why}\n")
        return None


class Prover:
    """What was judged is kept: packets use each other."""

    def __init__(self, z3: Optional[Any] = None) -> None:
        self.z3 = load() if z3 is None else z3
        self.known: dict[tuple[int, Context], tuple[ir.Packet, Judged]] = {}

    def never(self, root: ir.Packet) -> set[Key]:
        """Points that no input of `root` comes to, those of packets in it included."""
        numbers = tuple((p.lo, p.hi) for p in root.params if p.kind == "int")
        todo = [(root, Context((0, LONGEST), numbers, tuple((0, 0) for p in root.params if p.kind == "buffer")))]
        seen = {(id(root), todo[0][1])}
        places: dict[int, list[set[Key]]] = {}
        while todo:
            judged = self.judged(*todo.pop())
            for where, refuted in judged.refuted:
                places.setdefault(where, []).append(refuted)
            for key, inner in judged.inner.items():
                if key not in seen:
                    seen.add(key)
                    todo.append((inner, key[1]))
        return {key for refuted in places.values() for key in set.intersection(*refuted)}

    def judged(self, packet: ir.Packet, context: Context) -> Judged:
        key = (id(packet), context)
        if key not in self.known:
            judged = Judged()
            goals = Asks(self.z3)
            walk = Reach(goals, packet, self.z3.IntVal(0), [], judged)
            goals.given(self.z3.And(walk.end >= context.octets[0], walk.end <= context.octets[1]))
            numbers, offsets = iter(context.numbers), iter(context.offsets)
            for p in packet.params:
                if p.kind == "int":
                    lo, hi = next(numbers)
                    goals.given(self.z3.And(walk.params[p.name] >= lo, walk.params[p.name] <= hi))
                else:
                    lo, hi = next(offsets)
                    walk.offsets[p.name] = goals.fresh(f"offset in {p.name}", lo, hi)
            walk.whole()
            self.known[key] = (packet, judged)
        return self.known[key][1]
