"""Expressions of the IR as terms of z3, with what has to be shown of each.

Of every node: its value lies in the interval that the IR claims, and the
operation is one (no difference below 0, nothing above 64 bits, no division by
0, no shift by 64 or more).  All numbers are unbounded integers.  What is not
linear gets bounds that hold for any operands; what it is exactly is added only
when those don't do (`Goals.exact`).

Reading order: Terms.number, Terms.truth, then one method a node.
"""

from __future__ import annotations

from typing import Any, Callable, Optional, Union

from . import ir
from .prove_goals import Goals, Term

U64 = (1 << 64) - 1
LONGEST = (1 << 48) - 1  # octets of a buffer: no machine has more
_COMPARE = {"==", "!=", "<", "<=", ">", ">="}
_LOGIC = {"&&", "||"}
Path = tuple[int, ...]


class Terms:
    """The numbers of one packet, as they are known at a point of it."""

    def __init__(self, goals: Goals, packet: ir.Packet) -> None:
        self.goals = goals
        self.z3: Any = goals.z3
        self.packet = packet
        self.here: Term = self.z3.IntVal(0)  # octets from the packet's start
        self.bit = 0  # past here
        self.end: Term = goals.fresh("end", 0, LONGEST)  # of the region, from the packet's start
        self.values: dict[Path, Term] = {}  # of fields, by the path of items to them
        self.sizes: dict[int, Term] = {}
        self.counts: dict[int, Term] = {}
        self.starts: dict[int, tuple[Term, int]] = {}  # octets, and bits past them
        self.presence: dict[int, tuple[Term, ...]] = {}  # conditions that an item is there under
        self.lent: set[int] = set()  # items of another packet that may be named now
        self.peeks: list[tuple[tuple[Term, ...], Term, ir.Peek, Term]] = []
        self.outside: list[tuple[tuple[ir.Item, ...], Term]] = []  # fields of other packets that were named
        self.params: dict[str, Term] = {}
        for p in packet.params:
            hi = LONGEST if p.kind == "buffer" else p.hi
            self.params[p.name] = goals.fresh(p.name, 0 if p.kind == "buffer" else p.lo, hi)

    # --- any expression ---------------------------------------------------------

    def number(self, e: ir.Expr) -> Term:
        """The value of `e`; sets the goals that make it one."""
        if isinstance(e, ir.Const):
            self.goals.goal(e.loc, f"{said(e)} is {interval(e)}", e.lo <= e.value <= e.hi)
            return self.z3.IntVal(e.value)
        if _is_truth(e):
            return self.z3.If(self.truth(e), self.z3.IntVal(1), self.z3.IntVal(0))
        method: Callable[[ir.Expr], Term] = getattr(self, "_" + type(e).__name__.lower())
        value = method(e)
        self.within(e.loc, said(e), value, e.lo, e.hi)
        return value

    def truth(self, e: ir.Expr) -> Term:
        """`e` as a condition."""
        if not _is_truth(e):
            return self.number(e) != 0
        value = self._truth(e)
        if e.lo > 0:
            self.goals.goal(e.loc, f"'{said(e)}' always holds", value)
        if e.hi < 1:
            self.goals.goal(e.loc, f"'{said(e)}' never holds", self.z3.Not(value))
        return value

    def within(self, loc: ir.Loc, name: str, value: Term, lo: int, hi: int) -> None:
        self.goals.goal(loc, f"'{name}' is in {lo}..{hi}", self.z3.And(value >= lo, value <= hi))

    def _truth(self, e: ir.Expr) -> Term:
        if isinstance(e, ir.Un):
            return self.z3.Not(self.truth(e.a))
        if isinstance(e, ir.In):
            value = self.number(e.e)
            return self.z3.Or([self.z3.And(self.number(lo) <= value, value <= self.number(hi)) for lo, hi in e.ranges])
        assert isinstance(e, ir.Bin)
        if e.op in _LOGIC:
            a = self.truth(e.a)
            with self.goals.under(a if e.op == "&&" else self.z3.Not(a)):
                b = self.truth(e.b)
            return self.z3.And(a, b) if e.op == "&&" else self.z3.Or(a, b)
        a, b = self.number(e.a), self.number(e.b)
        return {"==": a == b, "!=": a != b, "<": a < b, "<=": a <= b, ">": a > b, ">=": a >= b}[e.op]

    # --- leaves -----------------------------------------------------------------

    def _fieldref(self, e: ir.FieldRef) -> Term:
        path = tuple(id(i) for i in e.path)
        first = id(e.path[0])
        if first not in self.lent:
            there = self.presence.get(first)
            if there is None:
                self.goals.goal(e.loc, f"'{said(e)}' was read before it is used", False)
            elif there:
                self.goals.goal(e.loc, f"'{said(e)}' is there", self.goals.all(there))
        if path not in self.values:
            self.values[path] = self.exported(e.path[-1])
            self.outside.append((e.path, self.values[path]))
        return self.values[path]

    def exported(self, item: ir.Item) -> Term:
        """A value of another packet, of which its own proof shows the range."""
        if isinstance(item, ir.Let):
            return self.goals.fresh(item.name, item.expr.lo, item.expr.hi)
        lo, hi = (item.lo, item.hi) if isinstance(item, (ir.Scalar, ir.Varint)) else (0, U64)
        return self.goals.fresh(item.name, lo, hi)

    def _paramref(self, e: ir.ParamRef) -> Term:
        return self.params[e.param.name]

    def _buflen(self, e: ir.BufLen) -> Term:
        return self.params[e.param.name]

    def _sizeof(self, e: ir.SizeOf) -> Term:
        if e.item is None:
            return self.here
        return self._if_there(e.item, self.sizes.get(id(e.item)))

    def _countof(self, e: ir.CountOf) -> Term:
        return self._if_there(e.item, self.counts.get(id(e.item)))

    def _if_there(self, item: ir.Item, value: Optional[Term]) -> Term:
        """0 for what is absent."""
        if value is None:
            return self.z3.IntVal(0)
        there = self.presence.get(id(item), ())
        return self.z3.If(self.goals.all(there), value, self.z3.IntVal(0)) if there else value

    def _avail(self, e: ir.Avail) -> Term:
        self.at_edge(e.loc, "'avail'")
        return self.end - self.here

    def _here(self, e: ir.Here) -> Term:
        self.at_edge(e.loc, "'here'")
        return self.here

    def _peek(self, e: ir.Peek) -> Term:
        self.at_edge(e.loc, "'peek'")
        value = self.goals.fresh("peek", 0, (1 << e.bits) - 1)
        self.peeks.append((self.goals.guards, self.here, e, value))
        return value

    def at_edge(self, loc: ir.Loc, what: str) -> None:
        self.goals.goal(loc, f"{what} is at a byte's edge", self.bit == 0)

    def _sum(self, e: ir.Sum) -> Term:
        self._summed(e)
        for word, size in e.pseudo:
            value = self.number(word)
            self.within(word.loc, said(word), value, 0, (1 << 8 * size) - 1)
        return self.goals.fresh(e.kind, 0, (1 << (16 if e.kind == "inet16" else 32)) - 1)

    def _summed(self, e: ir.Sum) -> None:
        """What a checksum is over is there, in this order, and whole octets."""
        for item in (e.first, e.last):
            there = self.presence.get(id(item))
            self.goals.goal(e.loc, f"'{item.name}' of {e.kind} is there", False if there is None else self.goals.all(there))
        first, last = self.starts.get(id(e.first)), self.starts.get(id(e.last))
        if first is None or last is None:
            return
        over = last[1] + (e.last.bits if isinstance(e.last, ir.Scalar) else 0)
        self.goals.goal(e.loc, f"{said(e)} is over whole octets", first[1] == 0 and over % 8 == 0)
        self.goals.goal(e.loc, f"'{e.first.name}' does not come after '{e.last.name}'", first[0] <= last[0])

    def _call(self, e: ir.Call) -> Term:
        for arg, p in zip(e.args, e.extern.params):
            self.within(arg.loc, f"{p.name} of {e.extern.name}", self.number(arg), p.lo, p.hi)
        return self.goals.fresh(e.extern.name, 0, (1 << e.extern.bits) - 1)

    # --- operations ---------------------------------------------------------------

    def _un(self, e: ir.Un) -> Term:
        return U64 - self.number(e.a)

    def _cond(self, e: ir.Cond) -> Term:
        c = self.truth(e.c)
        with self.goals.under(c):
            a = self.number(e.a)
        with self.goals.under(self.z3.Not(c)):
            b = self.number(e.b)
        return self.z3.If(c, a, b)

    def _bin(self, e: ir.Bin) -> Term:
        a, b = self.number(e.a), self.number(e.b)
        for side, value in ((e.a, a), (e.b, b)):
            if side.lo < 0:
                self.goals.goal(side.loc, f"'{said(side)}' is not negative", value >= 0)
        text = said(e)
        if e.op == "-":
            self.goals.goal(e.loc, f"'{text}' is not negative", a >= b)
            return a - b
        if e.op in ("/", "%"):
            self.goals.goal(e.loc, f"the divisor in '{text}' is not 0", b != 0)
            return self._divided(e, a, b)
        if e.op in ("&", "|", "^"):
            both = self._and(e, a, b)
            return both if e.op == "&" else a + b - both if e.op == "|" else a + b - 2 * both
        if e.op in ("<<", ">>"):
            self.goals.goal(e.loc, f"the shift in '{text}' is by less than 64", b < 64)
        value = self._shifted(e, a, b) if e.op in ("<<", ">>") else a + b if e.op == "+" else self._times(e, a, b)
        if e.op != ">>":
            self.goals.goal(e.loc, f"'{text}' fits in 64 bits", value <= U64)
        return value

    def _times(self, e: ir.Bin, a: Term, b: Term) -> Term:
        if isinstance(e.a, ir.Const) or isinstance(e.b, ir.Const):
            return a * b
        value, z3 = self.goals.fresh("product", 0, None), self.z3
        known = z3.And(self._claimed(e.a, a), self._claimed(e.b, b))
        self.goals.given(z3.Implies(known, z3.And(value >= e.a.lo * e.b.lo, value <= e.a.hi * e.b.hi)))
        self.goals.given(z3.Implies(z3.And(a > 0, b > 0), z3.And(value >= a, value >= b)))
        self.goals.exact.append(value == a * b)
        return value

    def _claimed(self, e: ir.Expr, value: Term) -> Term:
        """The interval of an operand, which is a goal of its own."""
        return self.z3.And(value >= e.lo, value <= e.hi)

    def _divided(self, e: ir.Bin, a: Term, b: Term) -> Term:
        if isinstance(e.b, ir.Const):
            if e.b.value <= 0:
                return self.z3.IntVal(0)  # refused already
            return a / b if e.op == "/" else a % b
        z3, quotient, rest = self.z3, self.goals.fresh("quotient", 0, None), self.goals.fresh("rest", 0, None)
        self.goals.given(z3.Implies(z3.And(a >= 0, b > 0), z3.And(quotient <= a, rest < b, rest <= a)))
        self.goals.given(z3.Implies(z3.And(a >= 0, b > 0, a < b), z3.And(quotient == 0, rest == a)))
        self.goals.given(z3.Implies(z3.And(a >= 0, b > 0, a >= b), quotient >= 1))
        self.goals.exact.append(z3.Implies(z3.And(a >= 0, b > 0), a == b * quotient + rest))
        return quotient if e.op == "/" else rest

    def _shifted(self, e: ir.Bin, a: Term, b: Term) -> Term:
        """By one of 0..63, which are told apart."""
        lo, hi = max(e.b.lo, 0), min(e.b.hi, 63)
        value = self.z3.IntVal(0)
        for by in range(hi, lo - 1, -1):
            one = a * (1 << by) if e.op == "<<" else a / (1 << by)
            value = one if by == hi else self.z3.If(b == by, one, value)
        return value

    def _and(self, e: ir.Bin, a: Term, b: Term) -> Term:
        if isinstance(e.b, ir.Const):
            return self.masked(a, e.b.value)
        if isinstance(e.a, ir.Const):
            return self.masked(b, e.a.value)
        z3, value = self.z3, self.goals.fresh("and", 0, None)
        self.goals.given(z3.Implies(z3.And(a >= 0, b >= 0), z3.And(value <= a, value <= b)))
        bits = max(e.a.hi, e.b.hi).bit_length()
        small = z3.And(a >= 0, b >= 0, a < 1 << bits, b < 1 << bits)
        self.goals.given(z3.Implies(small, a + b - value < 1 << bits))  # what | makes of them
        parts = [z3.If(z3.And(a / (1 << i) % 2 == 1, b / (1 << i) % 2 == 1), z3.IntVal(1 << i), z3.IntVal(0)) for i in range(bits)]
        self.goals.exact.append(z3.Implies(small, value == z3.Sum([z3.IntVal(0), *parts])))
        return value

    def masked(self, a: Term, mask: int) -> Term:
        """a & mask, a run of ones at a time."""
        value: Term = self.z3.IntVal(0)
        at = 0
        while mask >> at:
            if not mask >> at & 1:
                at += 1
                continue
            width = ((~(mask >> at)) & ((mask >> at) + 1)).bit_length() - 1
            part = a / (1 << at) if at else a
            value = value + (part % (1 << width)) * (1 << at)
            at += width
        return value


# --- words ------------------------------------------------------------------------


def _is_truth(e: ir.Expr) -> bool:
    return isinstance(e, ir.In) or isinstance(e, ir.Un) and e.op == "!" or isinstance(e, ir.Bin) and e.op in _COMPARE | _LOGIC


def interval(e: ir.Expr) -> str:
    return str(e.lo) if e.lo == e.hi else f"in {e.lo}..{e.hi}"


def said(e: ir.Expr) -> str:
    """An expression as it could have been written."""
    match e:
        case ir.Const():
            return e.text or str(e.value)
        case ir.FieldRef():
            return ".".join(i.name or "item" for i in e.path)
        case ir.ParamRef():
            return e.param.name
        case ir.BufLen():
            return f"len({e.param.name})"
        case ir.SizeOf():
            return f"size {e.item.name if e.item is not None else 'this'}"
        case ir.CountOf():
            return f"count {e.item.name}"
        case ir.Peek():
            return f"peek u{e.bits}"
        case ir.Un():
            return e.op + _part(e.a)
        case ir.Bin():
            return f"{_part(e.a)} {e.op} {_part(e.b)}"
        case ir.Cond():
            return f"{_part(e.c)} ? {_part(e.a)} : {_part(e.b)}"
        case ir.In():
            return f"{_part(e.e)} in " + ", ".join(said(lo) if _same(lo, hi) else f"{said(lo)}..{said(hi)}" for lo, hi in e.ranges)
        case ir.Sum():
            return f"{e.kind}({e.first.name}..{e.last.name})"
        case ir.Call():
            return f"{e.extern.name}({', '.join(said(a) for a in e.args)})"
    return type(e).__name__.lower()


def _same(lo: ir.Expr, hi: ir.Expr) -> bool:
    return lo is hi or isinstance(lo, ir.Const) and isinstance(hi, ir.Const) and lo.value == hi.value


def _part(e: Union[ir.Expr]) -> str:
    return f"({said(e)})" if isinstance(e, (ir.Bin, ir.Cond, ir.In)) else said(e)
