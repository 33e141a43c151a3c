"""Numbers of a packet as words of 64 bits, for what z3's integers don't tell in time: parts of numbers put together in another order.

Only what stands directly in the packet is known: its fields, sizes that a
number says, and the constraints over those.  What isn't is left out, so that
there are more packets than there are: that two numbers are never told apart is
a proof.  Nothing wraps, by `mrg prove`.

Reading order: always_computed, Words.number.
"""

from __future__ import annotations

from typing import Any, Callable, Optional

from . import ir
from .prove_goals import Term

PATIENCE_MS = 2_000
WIDTH = 64


class Unknown(Exception):
    """An expression that isn't about these words."""


def always_computed(z3: Any, packet: ir.Packet, item: ir.Scalar) -> bool:
    """Whether a field that says what is computed can't say anything else: all that was read before makes it so."""
    words = Words(z3, packet)
    solver = z3.SolverFor("QF_BV")
    solver.set("timeout", PATIENCE_MS)
    for check in packet.items:
        if isinstance(check, ir.Check) and check.severity == "must":
            try:
                solver.add(words.truth(check.expr))
            except Unknown:
                pass
    try:
        assert item.computed is not None
        solver.add(words.field(item) != words.number(item.computed))
    except Unknown:
        return False
    return bool(solver.check() == z3.unsat)


class Words:
    def __init__(self, z3: Any, packet: ir.Packet) -> None:
        self.z3 = z3
        self.direct = {id(i) for i in packet.items}

    def field(self, item: ir.Item) -> Term:
        if isinstance(item, ir.Let) and id(item) in self.direct:
            return self.number(item.expr)
        if not isinstance(item, ir.Scalar) or item.signed or id(item) not in self.direct:
            raise Unknown
        word = self.z3.BitVec(f"{item.name}!{id(item)}", item.bits)
        return self.z3.ZeroExt(WIDTH - item.bits, word) if item.bits < WIDTH else word

    def size(self, item: Optional[ir.Item]) -> Term:
        """As a number before it says."""
        if item is None or id(item) not in self.direct:
            raise Unknown
        said = item.expr if isinstance(item, ir.List) and item.mode == "bytes" else item.length if isinstance(item, ir.Bytes) else None
        if said is None:
            raise Unknown
        return self.number(said)

    def number(self, e: ir.Expr) -> Term:
        if e.lo < 0:
            raise Unknown
        match e:
            case ir.Const():
                return self.z3.BitVecVal(e.value, WIDTH)
            case ir.FieldRef() if len(e.path) == 1:
                return self.field(e.path[0])
            case ir.SizeOf():
                return self.size(e.item)
            case ir.Cond():
                return self.z3.If(self.truth(e.c), self.number(e.a), self.number(e.b))
            case ir.Bin() if e.op in _NUMBERS:
                return _NUMBERS[e.op](self.z3, self.number(e.a), self.number(e.b))
        raise Unknown

    def truth(self, e: ir.Expr) -> Term:
        z3 = self.z3
        match e:
            case ir.In():
                value = self.number(e.e)
                return z3.Or([z3.And(z3.ULE(self.number(lo), value), z3.ULE(value, self.number(hi))) for lo, hi in e.ranges])
            case ir.Un() if e.op == "!":
                return z3.Not(self.truth(e.a))
            case ir.Bin() if e.op in ("&&", "||"):
                return (z3.And if e.op == "&&" else z3.Or)(self.truth(e.a), self.truth(e.b))
            case ir.Bin() if e.op in _TRUTHS:
                return _TRUTHS[e.op](z3, self.number(e.a), self.number(e.b))
        return self.number(e) != 0


_Made = Callable[[Any, Term, Term], Term]
_NUMBERS: dict[str, _Made] = {
    "+": lambda z3, a, b: a + b, "-": lambda z3, a, b: a - b, "*": lambda z3, a, b: a * b, "&": lambda z3, a, b: a & b,
    "|": lambda z3, a, b: a | b, "^": lambda z3, a, b: a ^ b, "<<": lambda z3, a, b: a << b,
    ">>": lambda z3, a, b: z3.LShR(a, b), "/": lambda z3, a, b: z3.UDiv(a, b), "%": lambda z3, a, b: z3.URem(a, b),
}  # fmt: skip
_TRUTHS: dict[str, _Made] = {
    "==": lambda z3, a, b: a == b, "!=": lambda z3, a, b: a != b, "<": lambda z3, a, b: z3.ULT(a, b), "<=": lambda z3, a, b: z3.ULE(a, b),
    ">": lambda z3, a, b: z3.UGT(a, b), ">=": lambda z3, a, b: z3.UGE(a, b),
}  # fmt: skip
