"""Patterns of a switch: their values, overlaps, arms that can't be reached."""

from __future__ import annotations

from typing import Optional

from . import ast, ir
from .lower_expr import ExprLowerer
from .lower_util import enum_of, top_of
from .prove import span
from .source import Span

_ALL = (1 << 64) - 1


class Patterns:
    """The patterns of one switch, arm after arm."""

    def __init__(self, lowerer: ExprLowerer, on: ir.Expr) -> None:
        self.lowerer = lowerer
        self.errors = lowerer.errors
        self.on = on
        self.enum = enum_of(on)
        self.seen: list[tuple[ir.Pat, Span]] = []
        self.default: Optional[Span] = None

    def of(self, arm: ast.SwitchArm) -> list[ir.Pat]:
        if self.default is not None:
            text = "two default arms" if not arm.patterns else "the default arm '_' comes last"
            raise self.errors.error(arm.span, text, [(self.default, "the default arm is here")])
        if not arm.patterns:
            self.default = arm.span
        return [self._one(p) for p in arm.patterns]

    def _one(self, p: ast.Pattern) -> ir.Pat:
        pat = self._bits(p) if p.bits else self._range(p)
        if pat.mask == _ALL and (pat.lo > self.on.hi or pat.hi < self.on.lo):
            self.errors.error(p.span, f"'{p.span.text()}' can never match: the value is {span(self.on)}")
        self.seen.append((pat, p.span))
        return pat

    def _range(self, p: ast.Pattern) -> ir.Pat:
        assert p.lo is not None and p.hi is not None
        outer, self.lowerer.hint = self.lowerer.hint, self.enum
        try:
            member = self.lowerer.member_of(p.lo)
        finally:
            self.lowerer.hint = outer
        if member is not None and p.hi is p.lo:
            return ir.Pat(member.lo, member.hi, _ALL, member.name)
        lo = self.lowerer.const(p.lo, "a pattern", self.enum)
        hi = lo if p.hi is p.lo else self.lowerer.const(p.hi, "a pattern", self.enum)
        if hi < lo:
            raise self.errors.error(p.span, f"range '{p.span.text()}' is empty")
        return ir.Pat(lo, hi, _ALL, p.span.text())

    def _bits(self, p: ast.Pattern) -> ir.Pat:
        digits = p.bits[2:].replace("_", "")
        width = top_of(self.on).bit_length()
        if len(digits) != width:
            self.errors.error(p.span, f"pattern '{p.bits}' has {len(digits)} bits, the value {width}")
        mask = int("".join("0" if d == "x" else "1" for d in digits), 2)
        value = int(digits.replace("x", "0"), 2)
        return ir.Pat(value, value, mask, p.bits)

    def finish(self) -> None:
        """Report overlaps, and a default arm that nothing is left for."""
        ranges = sorted(((p.lo, p.hi, where) for p, where in self.seen if p.mask == _ALL), key=lambda r: r[:2])
        top, last, reached = -1, None, self.on.lo
        for lo, hi, where in ranges:
            if lo <= top and last is not None:
                self._overlap(where, last)
            if hi > top:
                top, last = hi, where
            if lo <= reached:
                reached = max(reached, hi + 1)
        if self.default is not None and reached > self.on.hi:
            self.errors.error(self.default, f"the default arm can never match: the others take all of {span(self.on)}")
        masked = [(p, where) for p, where in self.seen if p.mask != _ALL]
        for i, (p, where) in enumerate(masked):
            for q, other in masked[i + 1 :]:
                if not (p.lo ^ q.lo) & p.mask & q.mask:
                    self._overlap(other, where)
            for lo, hi, other in ranges:
                if _first_match(lo, p.mask, p.lo) <= hi:
                    self._overlap(other, where)

    def _overlap(self, where: Span, other: Span) -> None:
        first, second = sorted((where, other), key=lambda s: s.start)
        notes = [(first, f"'{first.text()}' is here")]
        self.errors.error(second, f"pattern '{second.text()}' overlaps '{first.text()}'", notes)


def _first_match(lo: int, mask: int, value: int) -> int:
    """The least x >= lo with x & mask == value; more than 64 bits when there is none."""
    if lo & mask == value:
        return lo
    best = 1 << 65
    for i in range(64):
        # x agrees with lo above bit i, has bit i where lo has not, and is as small as can be below
        if lo >> i & 1:
            continue
        x = (lo >> i | 1) << i | value & ((1 << i) - 1)
        if x & mask == value:
            best = min(best, x)
    return best
