"""Computed fields (`:=`), worked out at the packet's end, when all is known.

One that follows from how the packet is read (`rdlength := size rdata` where
rdata is `within rdlength`) is `implied`: its normal form is the field's own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Union

from . import ast, ir, layout
from .errors import Skip
from .lower_util import enum_of
from .prove import Facts, Lin, span

if TYPE_CHECKING:
    from .lower_packet import PacketLowerer


@dataclass
class Pending:
    """A computed field, and the conditions that it is there under."""

    item: Union[ir.Scalar, ir.Varint]
    clause: ast.Computed
    conds: list[tuple[ir.Expr, bool]]


def compute(low: PacketLowerer, p: Pending) -> None:
    outer, low.facts = low.facts, low.facts.child()
    for cond, truth in p.conds:
        low.facts.assume(cond, truth)
    try:
        _compute(low, p)
    except Skip:
        low.module.broken.add(id(low.packet))
    finally:
        low.facts = outer


def _compute(low: PacketLowerer, p: Pending) -> None:
    item, e = p.item, p.clause.expr
    if item.computed is not None or (isinstance(item, ir.Scalar) and item.const is not None):
        raise low.errors.error(p.clause.span, f"'{item.name}' is constant and computed")
    mine = low.value_of(p.clause.span, [item])
    value = _checksum(low, e, item) if isinstance(e, ast.Checksum) else low.expr(e, enum_of(mine))
    if value.lo > item.hi or value.hi < item.lo:
        text = f"'{item.name}' is {item.lo}..{item.hi}, but is computed as {span(value)}"
        raise low.errors.error(p.clause.span, text)
    item.computed = value
    item.implied = low.facts.lin(mine).key() == _linear(low.facts, value).key()
    severity = p.clause.severity or "must"
    if severity == "must" or item.implied:
        return
    item.severity = severity
    item.implied = True  # so that the parser makes no check of its own
    if severity == "warn":
        loc = p.clause.span.loc()
        node = ir.Bin(loc, 0, 1, "==", mine, value)
        what = "must be " + " ".join(e.span.text().split())
        _at_end(low, ir.Check(loc, "", item.name, node, "warn", what), p)


def _linear(facts: Facts, e: ir.Expr) -> Lin:
    """The form of a value of which all is known now: the greater of two of which one always is, a quotient without a remainder."""
    if isinstance(e, ir.Cond) and isinstance(e.c, ir.Bin) and (e.c.op, e.c.a, e.c.b) == (">", e.a, e.b):
        a, b = _linear(facts, e.a), _linear(facts, e.b)
        if facts.least(a.plus(b, -1), 0) >= 0:
            return a
    if isinstance(e, ir.Bin) and e.op in ("+", "-"):
        return _linear(facts, e.a).plus(_linear(facts, e.b), 1 if e.op == "+" else -1)
    if isinstance(e, ir.Bin) and e.op == "/" and isinstance(e.b, ir.Const):
        whole = _linear(facts, e.a).over(e.b.value)
        if whole is not None:
            return whole
    return facts.lin(e)


def _at_end(low: PacketLowerer, check: ir.Check, p: Pending) -> None:
    """A check of a computed value is made when the packet is complete."""
    node: ir.Item = check
    for cond, truth in reversed(p.conds):
        shown = cond if truth else ir.Un(cond.loc, 0, 1, "!", cond)
        node = ir.Optional_(check.loc, "", "", shown, [node])
    low.packet.items.append(node)


def _checksum(low: PacketLowerer, e: ast.Checksum, item: ir.Item) -> ir.Expr:
    first, last = (_summed(low, name) for name in (e.first, e.last))
    order = [id(i) for i in layout.walk(low.packet.items)]
    if order.index(id(first)) > order.index(id(last)):
        raise low.errors.error(e.span, f"'{e.first.name}' comes after '{e.last.name}'")
    if low.edges.get(id(first), (0, 0))[0] or low.edges.get(id(last), (0, 0))[1]:
        raise low.errors.error(e.span, "a checksum is over whole bytes, from a byte's edge to a byte's edge")
    bits = 16 if e.kind == "inet16" else 32
    if not isinstance(item, ir.Scalar) or item.bits != bits:
        raise low.errors.error(e.span, f"'{e.kind}' gives {bits} bits")
    if e.pseudo and e.kind != "inet16":
        raise low.errors.error(e.pseudo[0].e.span, f"'{e.kind}' has no pseudo-header")
    return ir.Sum(e.span.loc(), 0, (1 << bits) - 1, e.kind, first, last, _pseudo(low, e))


def _pseudo(low: PacketLowerer, e: ast.Checksum) -> list[tuple[ir.Expr, int]]:
    out: list[tuple[ir.Expr, int]] = []
    for word in e.pseudo:
        if word.type.bits not in (16, 32, 48, 64):
            low.errors.error(word.type.span, "words of a pseudo-header are u16, u32, u48 or u64")
        value = low.expr(word.e)
        low.fits(value, 0, (1 << word.type.bits) - 1, word.e.span, f"a word of {word.type.bits} bits")
        out.append((value, word.type.bits // 8))
    return out


def _summed(low: PacketLowerer, name: ast.Ident) -> ir.Item:
    """A field that a checksum goes from or to."""
    entry = low.names.get(name.name)
    if entry is None:
        raise low.unknown(name)
    if entry.item is None:
        raise Skip()
    if entry.guards:
        text = f"'{name.name}' may be absent; a checksum goes from and to fields that are always there"
        raise low.errors.error(name.span, text, [(entry.span, f"'{name.name}' is declared here")])
    if isinstance(entry.item, ir.Let):
        raise low.errors.error(name.span, f"'{name.name}' takes no bytes")
    return entry.item
