"""Small questions about IR that several parts of the lowering ask."""

from __future__ import annotations

from typing import Optional, Sequence

from . import ir, layout
from .source import Span


def fields_of(items: Sequence[ir.Item]) -> dict[str, ir.Item]:
    """Items that a name stands for, in regions and optional groups too."""
    return {i.name: i for i in layout.named(list(items)) if not isinstance(i, ir.Check)}


def enum_of(e: Optional[ir.Expr]) -> Optional[ir.Enum]:
    """The enum that an expression's values belong to."""
    if isinstance(e, ir.FieldRef):
        last = e.path[-1]
        if isinstance(last, ir.Scalar):
            return last.enum
        return enum_of(last.expr) if isinstance(last, ir.Let) else None
    if isinstance(e, ir.Cond):  # `x ? 0 : type` is of type's enum
        sides = [enum_of(side) for side in (e.a, e.b) if not isinstance(side, ir.Const)]
        return sides[0] if sides and all(s is sides[0] for s in sides) else None
    return e.param.enum if isinstance(e, ir.ParamRef) else None


def top_of(value: ir.Expr) -> int:
    """The largest value of an expression's type: the end of an open range."""
    if isinstance(value, ir.FieldRef):
        last = value.path[-1]
        if isinstance(last, ir.Scalar):
            return (1 << (last.bits - int(last.signed))) - 1
    return max(value.hi, 0)


def member_named(enum: ir.Enum, name: str) -> Optional[ir.Member]:
    return next((m for m in enum.members if m.name == name), None)


def number_at(where: Span, value: int, text: str = "") -> ir.Const:
    return ir.Const(where.loc(), value, value, value, text)


def kind_of(item: ir.Item) -> str:
    """What an item is, for people."""
    words: list[tuple[type, str]] = [
        (ir.Scalar, "an integer"),
        (ir.Varint, "an integer"),
        (ir.Let, "a value"),
        (ir.Bytes, "bytes"),
        (ir.Sub, "a packet"),
        (ir.List, "a list"),
        (ir.Switch, "a switch"),
        (ir.Chain, "a chain"),
    ]
    return next((w for c, w in words if isinstance(item, c)), "this")
