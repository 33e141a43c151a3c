"""`mrg diff`: a message that a packet of one specification accepts and its namesake of another refuses.

Both packets are walked over one message of unknown octets, sub-packets in
place.  At each thing that the second one insists on, z3 looks for a message of
the first for which it does not hold; the reference interpreter then has to
accept that with one packet and refuse it with the other.  Where all that the
packets look at is modelled exactly, no answer is a proof that there is none.

Reading order: differ, one_way, Linked, Insists.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Optional, Sequence, TextIO, Union

from . import ir, layout
from .interp import parse
from .json_out import value
from .load import load_named
from .prove_goals import Goals, Term, load
from .prove_items import Read, Walk
from .prove_terms import LONGEST
from .prove_witness import LONGEST_MADE, Layout, settled, shown
from .values import Broken, Buf, Rejection

QUESTIONS = 400  # about a packet
TRIED = 20  # messages that are made as short as can be, one wish after the other
Args = list[Union[int, bytes]]


@dataclass
class Difference:
    """How two packets of a name stand to each other.  exact: without a difference, whether that is proved."""

    name: str
    text: str = ""
    exact: bool = True


@dataclass
class Unopened:
    """A sub-packet of the first packet that the second one may have, too.  place: offsets, byte order, arguments."""

    guards: tuple[Term, ...]
    kind: str
    place: list[Term]
    size: Term


class Insists(Goals):
    """Facts of a second packet: each is doubted before it is believed.  What has to be proved is not asked here."""

    def __init__(self, z3: Any) -> None:
        super().__init__(z3)
        self.octets = z3.Array("octets", z3.IntSort(), z3.IntSort())
        self.doubt = False
        self.found: list[Any] = []  # models of messages that may tell the packets apart
        self.exact_so_far = True
        self.asked = 0
        self.common: set[str] = set()  # fingerprints of packets that both specifications have
        self.unopened: list[Unopened] = []

    def goal(self, loc: ir.Loc, what: str, holds: Term) -> None:
        """Shown by `mrg prove`."""

    def assume(self, fact: Term) -> None:
        if self.doubt and self.asked < QUESTIONS:
            self._doubted([*self.guards, self.z3.Not(fact)])
        elif self.doubt:
            self.exact_so_far = False
        super().assume(fact)

    def _doubted(self, wrong: list[Term]) -> None:
        """Look for a message for which a fact does not hold, a short one rather than a long one."""
        answer, model = self._ask(*wrong, *self.exact)
        self.asked += 1
        if answer == self.z3.unknown:
            self.exact_so_far = False
        if answer != self.z3.sat:
            return
        self.asked += 1
        short = self._ask(*wrong, *self.exact, *self.wishes)[1]
        if short is None and len(self.found) < TRIED:
            self.asked += len(self.wishes)
            short = self._short(wrong)
        self.found.append(short or model)

    def octet(self, at: Term) -> Term:
        """The octet at an offset from the message's start."""
        one = self.octets[at]
        self.given(self.z3.And(one >= 0, one <= 255))
        return one

    def whole(self, at: Term, count: int, big: bool) -> Term:
        """`count` octets as a number."""
        parts = [self.octet(at + i) * (1 << 8 * (count - 1 - i if big else i)) for i in range(count)]
        return self.z3.Sum(parts)


class Linked(Walk):
    """A walk over the octets of one message: numbers are what stands there, sub-packets are walked in place."""

    def __init__(self, goals: Insists, packet: ir.Packet, base: Term, frames: list["Linked"]) -> None:
        super().__init__(goals, packet)
        self.message = goals
        self.base = base
        self.frames = frames
        if frames:
            del goals.wishes[-3:]  # the message's length alone counts
        frames.append(self)
        self.mine = self.end  # of the packet's region, whatever region is read in it

        paths = [e.path for x in layout.exprs(packet.items) for e in layout.refs(x) if isinstance(e, ir.FieldRef)]
        self.looked_into = {id(path[0]) for path in paths if len(path) > 1}

    def vague(self) -> None:
        """Something is not modelled exactly, so that no difference proves nothing."""
        self.message.exact_so_far = False

    def note(self, item: ir.Item, size: Union[int, Term], value: Optional[Term] = None) -> None:
        super().note(item, size, value)
        if isinstance(item, ir.Scalar) and value is not None:
            self.goals.given(self.z3.Implies(self.goals.here(), value == self.stands(item)))
        elif not isinstance(item, ir.Bytes) or item.mode == "until":
            self.vague()

    def stands(self, item: ir.Scalar) -> Term:
        """The number that the item's octets make."""
        count = (self.bit + item.bits + 7) // 8
        at, below = self.base + self.here, 8 * count - self.bit - item.bits
        value = self.message.whole(at, count, True)
        if item.endian == "little":
            value = self.message.whole(at, count, False)
        elif item.endian == "dyn" and not isinstance(self.big, bool):
            value = self.z3.If(self.big, value, self.message.whole(at, count, False))
        if count * 8 != item.bits:
            value = value / (1 << below) % (1 << item.bits)
        return self.z3.If(value >= 1 << item.bits - 1, value - (1 << item.bits), value) if item.signed else value

    def _peek(self, e: ir.Peek) -> Term:
        value = super()._peek(e)
        stands = self.message.whole(self.base + self.here, e.bits // 8, e.endian != "little")
        self.goals.given(value == self.z3.If(self.end - self.here >= e.bits // 8, stands, self.z3.IntVal(0)))
        if e.endian == "dyn":
            self.vague()
        return value

    def _sum(self, e: ir.Sum) -> Term:
        self.vague()
        return super()._sum(e)

    def _call(self, e: ir.Call) -> Term:
        self.vague()
        return super()._call(e)

    def _item_align(self, item: ir.Align) -> Term:
        if item.zero:
            self.vague()
        return super()._item_align(item)

    def _item_list(self, item: ir.List) -> Term:
        self.vague()
        return super()._item_list(item)

    def _item_sub(self, item: ir.Sub) -> Term:
        if fingerprint(item.packet) in self.message.common and id(item) not in self.looked_into:
            return self._unopened(item)
        inner = Linked(self.message, item.packet, self.base + self.here, self.frames)
        inner.big = self.big
        self.goals.given(self.z3.Implies(self.goals.here(), inner.end == self.end - self.here))
        for arg, p in zip(item.args, item.packet.params):
            if isinstance(arg, ir.Expr):
                self.goals.given(self.z3.Implies(self.goals.here(), inner.params[p.name] == self.number(arg)))
            else:
                mine = self.params[arg.param.name] if arg.param is not None else self.mine
                self.goals.given(self.z3.Implies(self.goals.here(), inner.params[p.name] == mine))
        inner.whole()  # its own conditions are all that there is to accept
        for path, value in inner.values.items():
            self.values[(id(item), *path)] = value
        return inner.here


    def _unopened(self, item: ir.Sub) -> Term:
        """A sub-packet that both specifications have: where one accepts it, the other does."""
        p, z3 = item.packet, self.z3
        size = z3.IntVal(p.size_min) if p.fixed else self.goals.fresh("size", p.size_min, LONGEST if p.size_max is None else p.size_max)
        given = [self.number(a) if isinstance(a, ir.Expr) else self.params[a.param.name] if a.param is not None else self.mine for a in item.args]
        if any(isinstance(a, ir.BufArg) for a in item.args):
            self.vague()  # of buffers, only the lengths are compared
        big = z3.IntVal(int(self.big)) if isinstance(self.big, bool) else z3.If(self.big, z3.IntVal(1), z3.IntVal(0))
        place = [self.base + self.here, self.base + self.end, big, *given]
        one = Unopened(self.goals.guards, fingerprint(p), place, size)
        if self.message.doubt:
            same = [(z3.And(*o.guards, *(a == b for a, b in zip(o.place, one.place))), o) for o in self.message.unopened if o.kind == one.kind]
            self.goals.assume(z3.Or([match for match, _ in same]))
            for match, o in same:
                self.goals.given(z3.Implies(match, size == o.size))
        else:
            self.message.unopened.append(one)
        self.need(size)
        self.read.append(Read(item, self.goals.guards, self.here, self.bit, size))
        return size


def fingerprint(packet: ir.Packet) -> str:
    """Equal for packets that accept the same messages since they say the same."""
    known = _FINGERPRINTS.get(id(packet))
    if known is None:
        parts = [[tree(p), [_numbers(i) for i in layout.walk(p.items)]] for p in sorted(layout.contained(packet), key=lambda p: p.name)]
        known = _FINGERPRINTS[id(packet)] = (packet, json.dumps([packet.name, parts]))
    return known[1]


_FINGERPRINTS: dict[int, tuple[ir.Packet, str]] = {}
_OF_PEOPLE = {"loc", "doc", "text", "what", "module", "text_order", "ref", "mutable"}


def _plain(x: Any) -> Any:
    """Without what is for people."""
    if isinstance(x, dict):
        return {k: _plain(v) for k, v in x.items() if k not in _OF_PEOPLE}
    return [_plain(v) for v in x] if isinstance(x, list) else x


def tree(packet: ir.Packet) -> Any:
    return _plain(value(packet))


def _numbers(item: ir.Item) -> Any:
    """What a tree has by name only: the members of closed enums, the encodings of varints."""
    held = item.item if isinstance(item, ir.Region) else item.elem if isinstance(item, ir.List) else item
    if isinstance(held, ir.Switch):
        return [_numbers(arm.item) for arm in held.arms if arm.item is not None]
    if isinstance(held, ir.Varint):
        return _plain(value(held.spec))
    if isinstance(held, ir.Scalar) and held.enum is not None and held.enum.closed:
        return sorted((m.lo, m.hi) for m in held.enum.members)
    return None


def one_way(first: ir.Packet, second: ir.Packet, z3: Any) -> Difference:
    """A message that `first` accepts and `second` refuses."""
    goals = Insists(z3)
    goals.common = {fingerprint(p) for p in layout.contained(first)} & {fingerprint(p) for p in layout.contained(second)}
    mine: list[Linked] = []
    theirs: list[Linked] = []
    old = Linked(goals, first, z3.IntVal(0), mine)
    old.whole()
    new = Linked(goals, second, z3.IntVal(0), theirs)
    goals.given(new.end == old.end)
    for p in second.params:
        goals.given(new.params[p.name] == old.params[p.name])
    goals.doubt = True
    new.whole()
    for model in goals.found:
        text = _told(first, second, old, mine, model)
        if text:
            return Difference(first.name, text)
    return Difference(first.name, "", goals.exact_so_far and not goals.found)


def _told(first: ir.Packet, second: ir.Packet, old: Linked, frames: Sequence[Linked], model: Any) -> str:
    """The message of a model, if the interpreter takes it as `first` and not as `second`."""
    at = Layout(old, model)
    size = at.number(old.end)
    if size > LONGEST_MADE:
        return ""
    data = _laid_out(frames, model, size)
    ints = {p.name: at.number(old.params[p.name]) for p in first.params if p.kind == "int"}
    args = [ints.get(p.name, b"") for p in first.params]
    for one in (data, settled(first, data, args)):
        if not _refused(first, one, args):
            why = _refused(second, one, args)
            if why:
                given = "".join(f", {name} = {value}" for name, value in ints.items())
                return f"{shown(one)}{given}: {why}"
    return ""


def _laid_out(frames: Sequence[Linked], model: Any, size: int) -> bytes:
    """The octets that the model gives, and over them what is only known by its size."""
    top = Layout(frames[0], model)
    out = bytearray(top.number(frames[0].message.octets[i]) & 0xFF for i in range(size))
    for frame in frames:
        lay = Layout(frame, model)
        start = lay.number(frame.base)
        part = out[start:]
        for r in lay.read:
            if not isinstance(r.item, ir.Scalar):
                lay.one(part, r, 0)
        out[start:] = part
    return bytes(out)


def _refused(packet: ir.Packet, data: bytes, args: Args) -> str:
    """Why the interpreter does not take a message; nothing when it does."""
    given: list[Union[int, bytes, Buf]] = [data if isinstance(a, bytes) else a for a in args]
    try:
        parse(packet, data, given)
    except (Rejection, Broken) as why:
        return str(why)
    return ""


def differ(old: ir.Packet, new: ir.Packet, z3: Any) -> Difference:
    """A difference in either direction."""
    if [(p.name, p.kind) for p in old.params] != [(p.name, p.kind) for p in new.params]:
        return Difference(old.name, "the parameters differ")
    if fingerprint(old) == fingerprint(new):
        return Difference(old.name)
    there = one_way(old, new, z3)
    if there.text:
        return Difference(old.name, f"the new one refuses {there.text}")
    back = one_way(new, old, z3)
    if back.text:
        return Difference(old.name, f"the old one refuses {back.text}")
    return Difference(old.name, "", there.exact and back.exact)


def run(old: str, new: str, roots: Sequence[str], out: TextIO) -> int:
    """A line for each packet; 1 when there is a difference."""
    z3 = load()
    sides: list[dict[str, ir.Packet]] = []
    for path in (old, new):
        modules, named, _ = load_named([path], roots)
        sides.append({p.name: p for m in modules if m.name in named for p in m.packets})
    before, after = sides
    found = 0
    for name in [*before, *(n for n in after if n not in before)]:
        if name not in before or name not in after:
            found += 1
            out.write(f"{name}: only in {old if name in before else new}\n")
            continue
        d = differ(before[name], after[name], z3)
        found += bool(d.text)
        out.write(f"{name}: {d.text or ('the same messages (proved)' if d.exact else 'no difference found')}\n")
    return 1 if found else 0
