"""Items of a packet in order: what is known after each, what each has to show.

The walk follows interp.py.  Where the reader would stop (too few octets, a
constraint that fails), what comes after may assume that it did not; where a
back end makes no check of its own (`sure`, sizes, measures), that none is
needed is a goal.  A sub-packet is known by its interface only: the range of
its size and fields, which its own proof shows, and the ranges of its
parameters, which are goals here.

Reading order: Walk.whole, Walk.items, Walk.item, then one method an item.
"""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any, Callable, ContextManager, Iterator, Optional, Sequence, Union

from . import ir, layout
from .prove_goals import Goals, Term
from .prove_terms import LONGEST, Terms, said

COUNT_MAX = 0xFFFF  # elements that may take no octets: nothing else bounds such a list
JUMPS_MAX = 0xFFFF
Sizes = tuple[int, Optional[int]]


@dataclass
class Read:
    """An item that was read: where, and what it is; for counterexamples."""

    item: ir.Item
    guards: tuple[Term, ...]
    here: Term
    bit: int
    size: Term  # octets; of a Scalar nothing
    value: Optional[Term] = None
    big: Union[bool, Term] = True


class Walk(Terms):
    def __init__(self, goals: Goals, packet: ir.Packet) -> None:
        super().__init__(goals, packet)
        self.read: list[Read] = []
        self.big: Union[bool, Term] = True
        self.in_run = False
        goals.wishes += [self.end <= most for most in (70000, 1500, 64)]

    def whole(self) -> None:
        """All goals of the packet."""
        p = self.packet
        self.items(p.items)
        self.at_edge(p.loc, "the packet's end")
        for item in layout.walk(p.items):
            if isinstance(item, (ir.Scalar, ir.Varint)) and item.computed is not None:
                self.computed(item, item.computed)
        if p.max_bytes is not None:
            self.may(p, "longer", self.here > p.max_bytes)
            self.goals.assume(self.here <= p.max_bytes)
        self.interface()

    def interface(self) -> None:
        """What other packets and back ends are told: ranges of fields and of the size."""
        p = self.packet
        for read in self.read:
            if isinstance(read.item, (ir.Scalar, ir.Varint)) and read.value is not None:
                with self.goals.under(*read.guards):
                    self.within(read.item.loc, read.item.name or "the constant", read.value, read.item.lo, read.item.hi)
        self.goals.goal(p.loc, f"it takes at least {p.size_min} octets", self.here >= p.size_min)
        if p.size_max is not None:
            self.goals.goal(p.loc, f"it takes at most {p.size_max} octets", self.here <= p.size_max)
        self.goals.settle()

    def computed(self, item: Union[ir.Scalar, ir.Varint], e: ir.Expr) -> None:
        there = self.presence[id(item)]
        with self.goals.under(*there):
            value, mine = self.number(e), self.values[(id(item),)]
            self.may(item, "computed", mine != value)
            if item.severity != "must":
                return
            if item.implied:
                self.goals.goal(item.loc, f"'{item.name}' is {said(e)} without a check", mine == value)
            else:
                self.goals.assume(mine == value)

    # --- lists of items -----------------------------------------------------------

    def items(self, items: Sequence[ir.Item]) -> None:
        for segment in layout.segments(list(items)):
            if not isinstance(segment, layout.Run):
                self.item(segment)
                continue
            if segment.bits:
                self.may(segment.first, "run", self.end - self.here < (self.bit + segment.bits + 7) // 8)
                self.need((self.bit + segment.bits + 7) // 8)
            outer, self.in_run = self.in_run, True
            for item in segment.items:
                self.item(item)
            self.in_run = outer

    def item(self, item: ir.Item) -> Term:
        """Read one item; the octets that it takes."""
        self.presence[id(item)] = self.goals.guards
        edge = isinstance(item, (ir.Scalar, ir.Check, ir.Let)) or isinstance(item, ir.Varint) and item.spec.shape == "prefix"
        if not edge:
            self.at_edge(item.loc, f"'{item.name or type(item).__name__.lower()}'")
        method: Callable[[Any], Term] = getattr(self, "_item_" + type(item).__name__.lower().rstrip("_"))
        before = self.here
        self.starts[id(item)] = (before, self.bit)
        size = method(item)
        self.sizes[id(item)] = size
        if not isinstance(item, ir.Scalar):
            self.here = before + size
        return size

    def may(self, item: ir.Item | ir.Packet, what: str, when: Term) -> None:
        """A point of the item, which inputs come to for which this holds here: of no interest to what is proved; see prove_reach.py."""

    def need(self, size: Union[int, Term]) -> None:
        """The reader has made sure of so many octets."""
        if not (isinstance(size, int) and size == 0):
            self.goals.assume(self.end - self.here >= size)

    def ends_inside(self, item: ir.Item, size: Term, sure: bool) -> None:
        """By a check, or (sure) by proof."""
        if sure:
            self.goals.goal(item.loc, f"'{item.name}' ends in its region", self.end - self.here >= size)
        self.need(size)

    def note(self, item: ir.Item, size: Union[int, Term], value: Optional[Term] = None) -> None:
        self.read.append(Read(item, self.goals.guards, self.here, self.bit, size, value, self.big))
        self.goals.stage = len(self.read)

    # --- numbers --------------------------------------------------------------------

    def _item_scalar(self, item: ir.Scalar) -> Term:
        if not self.in_run:
            self.need((self.bit + item.bits + 7) // 8)
        lo, hi = (-(1 << item.bits - 1), (1 << item.bits - 1) - 1) if item.signed else (0, (1 << item.bits) - 1)
        value = self.goals.fresh(item.name or "constant", lo, hi)
        self.values[(id(item),)] = value
        self.note(item, 0, value)
        bits = self.bit + item.bits
        self.here, self.bit = self.here + bits // 8, bits % 8
        if item.const is not None:
            self.may(item, "const", value != item.const)
            if item.severity == "must":
                self.goals.assume(value == item.const)
        if item.enum is not None and item.enum.closed:
            member = self.z3.Or([self.z3.And(value >= lo, value <= hi) for lo, hi in _joined(item.enum)])
            self.may(item, "closed", self.z3.Not(member))
            self.goals.assume(member)
        return self.z3.IntVal(item.bits // 8)

    def _item_varint(self, item: ir.Varint) -> Term:
        least, most = varint_sizes(item.spec)
        size = self.goals.fresh("size", least, most)
        value = self.goals.fresh(item.name, 0, None)
        if item.spec.shape == "prefix":
            want = (8 - item.spec.prefix_bits) % 8
            self.goals.goal(item.loc, f"'{item.name}' begins {want} bits into a byte", self.bit == want)
        self.need(size)
        self.note(item, size, value)
        self.bit = 0
        self.values[(id(item),)] = value
        self.goals.assume(value <= item.spec.hi)
        return size

    def _item_let(self, item: ir.Let) -> Term:
        self.values[(id(item),)] = self.number(item.expr)
        return self.z3.IntVal(0)

    def _item_check(self, item: ir.Check) -> Term:
        holds = self.truth(item.expr)
        self.may(item, "holds", holds)
        self.may(item, "broken", self.z3.Not(holds))
        if item.severity == "must":
            self.goals.assume(holds)
        return self.z3.IntVal(0)

    def _item_endiansel(self, item: ir.EndianSel) -> Term:
        self.big = self.truth(item.cond)
        return self.z3.IntVal(0)

    def _item_align(self, item: ir.Align) -> Term:
        size = self.goals.fresh("padding", 0, item.to - 1)
        self.goals.given((self.here + size) % item.to == 0)
        self.may(item, "cut", self.end - self.here < size)
        self.need(size)
        self.may(item, "zero", size > 0)
        return size

    # --- octets and packets -----------------------------------------------------------

    def _item_bytes(self, item: ir.Bytes) -> Term:
        if item.mode == "until":
            size = self.goals.fresh("size", 1, None if item.max is None else item.max + 1)
            self.need(size)
            self.note(item, size)
            return size
        if item.mode == "len":
            assert item.length is not None
            size = self.number(item.length)
            self.goals.goal(item.loc, f"the length of '{item.name}' is not negative", size >= 0)
        else:
            size = self.end - self.here
        if item.max is not None:
            self.may(item, "long", size > item.max)
            self.goals.assume(size <= item.max)
        if not self.in_run:
            self.may(item, "cut", self.end - self.here < size)
            self.ends_inside(item, size, item.sure)
        self.note(item, size)
        return size

    def _item_sub(self, item: ir.Sub) -> Term:
        p = item.packet
        self.goals.goal(item.loc, f"'{p.name}' gets an argument for each parameter", len(item.args) == len(p.params))
        for arg, param in zip(item.args, p.params):
            self.goals.goal(item.loc, f"'{param.name}' of '{p.name}' is a {param.kind}", isinstance(arg, ir.BufArg) == (param.kind == "buffer"))
            if isinstance(arg, ir.Expr):
                self.within(arg.loc, f"{param.name} of {p.name}", self.number(arg), param.lo, param.hi)
        size = self.z3.IntVal(p.size_min) if p.fixed else self.goals.fresh("size", p.size_min, LONGEST if p.size_max is None else p.size_max)
        self.need(size)
        self.note(item, size)
        return size

    def _item_region(self, item: ir.Region) -> Term:
        length = self.number(item.length)
        self.goals.goal(item.loc, f"the length of '{item.name}' is not negative", length >= 0)
        self.may(item, "cut", self.end - self.here < length)
        self.ends_inside(item, length, item.sure)
        outer, run, before = self.end, self.in_run, self.here
        self.end, self.in_run = before + length, False
        inner = self.item(item.item)
        self.end, self.in_run = outer, run
        self.at_edge(item.loc, f"the end of '{item.name}'")
        if not item.tail:
            self.may(item, "left", inner != length)
            self.goals.assume(inner == length)
        self.here = before
        return length

    # --- choice -----------------------------------------------------------------------

    def _item_optional(self, item: ir.Optional_) -> Term:
        cond, before = self.truth(item.cond), self.here
        self.may(item, "present", cond)
        self.may(item, "absent", self.z3.Not(cond))
        with self.goals.under(cond):
            self.items(item.items)
            self.at_edge(item.loc, "the end of what is optional")
        size = self.z3.simplify(self.here - before)
        self.here, self.bit = before, 0
        return self.z3.If(cond, size, self.z3.IntVal(0))

    def _item_switch(self, item: ir.Switch) -> Term:
        for e in layout.refs(item.on):
            if isinstance(e, ir.Peek):
                self.need((e.bits + 7) // 8)
        on = self.number(item.on)
        self.goals.goal(item.on.loc, f"'{said(item.on)}' is not negative", on >= 0)
        size = self.goals.fresh("size", 0, LONGEST)
        before, apart = self.here, _apart(item)
        taken: list[Term] = []
        for i, arm in enumerate(item.arms):
            mine = self.z3.Or([self._matches(on, p) for p in arm.pats]) if arm.pats else self.z3.BoolVal(True)
            if taken and not (arm.pats and apart):
                mine = self.z3.And(mine, self.z3.Not(self.z3.Or(taken)))
            taken.append(mine)
            self.may(item, f"arm {i}", mine)
            if arm.item is None:
                self.goals.given(self.z3.Implies(self.z3.And(*self.goals.guards, mine), size == 0))
                continue
            with self.goals.under(mine), self.apart(item):
                took = self.item(arm.item)
                self.at_edge(arm.loc, "the end of the arm")
            self.goals.given(self.z3.Implies(self.z3.And(*self.goals.guards, mine), size == took))
            self.here = before
        if item.default is None:
            self.may(item, "tag", self.z3.Not(self.z3.Or(taken)))
            self.goals.assume(self.z3.Or(taken))
        self.need(size)
        return size

    def apart(self, _item: ir.Switch) -> ContextManager[None]:
        """Around each arm: here what is learnt of it stays known, under its condition."""
        return nullcontext()

    def _matches(self, on: Term, p: ir.Pat) -> Term:
        value = on if p.mask == (1 << 64) - 1 else self.masked(on, p.mask)
        return value == p.lo if p.lo == p.hi else self.z3.And(value >= p.lo, value <= p.hi)

    # --- repetition -------------------------------------------------------------------

    def _item_list(self, item: ir.List) -> Term:
        size, count = self._extent(item)
        self.counts[id(item)] = count
        least, most = self._element(item, size)
        if item.max is not None:  # one too many is refused before it is read: behind the others there is an octet, or a number says so
            self.may(item, "many", size > item.max * least if item.mode in ("bytes", "rest") else count > item.max)
        self.goals.assume(size >= count * least)
        if most is not None:
            self.goals.assume(size <= count * most)
        for what, there in (("none", count == 0), ("one", count == 1), ("more", count > 1)):
            self.may(item, what, there)
        if item.max is not None:
            self.goals.assume(count <= item.max)
        if item.mode == "count" and least == 0:
            self.goals.goal(item.loc, f"'{item.name}' has at most {COUNT_MAX} elements, which may take no octets", count <= COUNT_MAX)
        if item.mode != "bytes":
            self.need(size)
        return size

    def _extent(self, item: ir.List) -> tuple[Term, Term]:
        """The octets of a list, and how many elements it has, as far as its mode says."""
        number = self.number(item.expr) if item.expr is not None and item.mode in ("count", "bytes") else None
        if number is not None:
            self.goals.goal(item.loc, f"the {'count' if item.mode == 'count' else 'length'} of '{item.name}' is not negative", number >= 0)
        if item.mode == "count":
            return self.goals.fresh("size", 0, None), number
        count = self.goals.fresh("count", 1 if item.mode == "until" else 0, None)
        if item.mode == "bytes":
            self.may(item, "cut", self.end - self.here < number)
            self.ends_inside(item, number, item.sure)
            return number, count
        return self.end - self.here if item.mode == "rest" else self.goals.fresh("size", 0, LONGEST), count

    def _element(self, item: ir.List, whole: Term) -> Sizes:
        """One element, which may be anywhere in the list of `whole` octets; the range of its size."""
        outer, end = (self.here, self.end, self.in_run), self.here + whole if item.mode == "bytes" else self.end
        place, some = self.goals.fresh("place", 0, LONGEST), self.goals.maybe("element")
        self.goals.wishes.append(self.z3.And(self.z3.Or(some, whole == 0), self.z3.Implies(some, place == self.here)))
        with self.goals.under(some):
            left = 1 if item.mode in ("bytes", "rest") else 0  # they go on while there are octets
            self.goals.assume(self.z3.And(place >= self.here, place + left <= end))
            self.placed(item.elem, place)
            self.here, self.end, self.in_run = place, end, False
            more = self.truth(item.expr) if item.mode == "while" and item.expr is not None else self.z3.BoolVal(True)
            with self.goals.under(more):
                size = self.item(item.elem)
                self.goals.wishes.append(self.z3.Implies(self.goals.here(), whole == size))  # and no other
                if item.mode != "count":
                    self.goals.goal(item.elem.loc, f"an element of '{item.name}' takes at least one octet", size >= 1)
                if item.mode == "until" and item.expr is not None:
                    self.lent = {id(item.elem)} | ({id(i) for i in layout.walk(item.elem.packet.items)} if isinstance(item.elem, ir.Sub) else set())
                    self.truth(item.expr)
                    self.lent = set()
        self.here, self.end, self.in_run = outer
        return sizes_of(item.elem)

    def placed(self, elem: ir.Item, place: Term) -> None:
        """An element of a list that begins here is at this place: of no interest to what is proved; see prove_reach.py."""

    def _item_chain(self, item: ir.Chain) -> Term:
        """In place: items up to max_bytes with the stop, or a goto in the place of the stop."""
        self.goals.goal(item.loc, f"something ends chain '{item.name}'", any(a.kind == "stop" for a in item.arms))
        firsts = sorted(r for a in item.arms for r in a.first)
        apart = all(b[0] > a[1] for a, b in zip(firsts, firsts[1:]))
        self.goals.goal(item.loc, f"the first octet tells the arms of '{item.name}' apart", apart)
        for arm in item.arms:
            self.goals.goal(arm.loc, f"arm '{arm.name}' takes at least one octet", arm.packet.size_min >= 1)
            if arm.kind == "goto":
                self._goto(arm)
        stop = min((a.packet.size_min for a in item.arms if a.kind == "stop"), default=0)
        size = self.goals.fresh("size", min((a.packet.size_min for a in item.arms if a.kind != "item"), default=0), None)
        tops = [a.packet.size_max for a in item.arms if a.kind == "goto"]
        if None not in tops:
            over = max((t for t in tops if t is not None), default=0)
            self.goals.assume(size <= max(item.max_bytes, item.max_bytes - stop + over))
        self.need(size)
        self.note(item, size)
        self.goals.wishes.append(size == stop)
        return size

    def _goto(self, arm: ir.ChainArm) -> None:
        """That it leads below where the run began is checked when it is read; here, that it ends and has a target."""
        self.goals.goal(arm.loc, f"arm '{arm.name}' jumps at most 1..{JUMPS_MAX} times", 1 <= arm.max_jumps <= JUMPS_MAX)
        self.goals.goal(arm.loc, f"the size of arm '{arm.name}' is bounded", arm.packet.size_max is not None)
        known = any(p is arm.buffer or arm.buffer is not None and p.name == arm.buffer.name for p in self.packet.params)
        self.goals.goal(arm.loc, f"arm '{arm.name}' leads into a buffer of the packet", known)
        if arm.at is None:
            self.goals.goal(arm.loc, f"arm '{arm.name}' leads somewhere", False)
            return
        with self.goals.under(self.goals.maybe("jump")):
            self.lent = {id(i) for i in layout.walk(arm.packet.items)}
            at = self.number(arm.at)
            self.goals.goal(arm.at.loc, f"'{said(arm.at)}' is not negative", at >= 0)
            self.lent = set()


# --- sizes that items have by themselves ----------------------------------------------


def sizes_of(elem: ir.Item) -> Sizes:
    """Of a list's element, by what it claims, which is shown where it is read."""
    if isinstance(elem, ir.Scalar):
        return elem.bits // 8, elem.bits // 8
    if isinstance(elem, ir.Sub):
        return elem.packet.size_min, elem.packet.size_max
    if isinstance(elem, ir.Varint):
        return varint_sizes(elem.spec)
    if isinstance(elem, ir.Bytes) and elem.length is not None:
        return elem.length.lo, elem.length.hi if elem.max is None else min(elem.length.hi, elem.max)
    return 0, None


def varint_sizes(spec: ir.VarintSpec) -> tuple[int, int]:
    if spec.shape == "tagged":
        octets = [(spec.tag_bits + w) // 8 for w in spec.widths]
        return min(octets), max(octets)
    return 1, spec.max_bytes if spec.shape == "groups" else 1 + spec.max_bytes


def _apart(item: ir.Switch) -> bool:
    """Whether no two patterns match one value, as far as their ranges show it; else the first arm has it."""
    pats = sorted((p for arm in item.arms for p in arm.pats), key=lambda p: p.lo)
    return all(p.mask == (1 << 64) - 1 for p in pats) and all(p.hi < q.lo for p, q in zip(pats, pats[1:]))


def _joined(enum: ir.Enum) -> Iterator[tuple[int, int]]:
    """The members' ranges, those that touch as one."""
    lo = hi = None
    for m in sorted(enum.members, key=lambda m: m.lo):
        if lo is not None and hi is not None and m.lo <= hi + 1:
            hi = max(hi, m.hi)
            continue
        if lo is not None and hi is not None:
            yield lo, hi
        lo, hi = m.lo, m.hi
    if lo is not None and hi is not None:
        yield lo, hi
