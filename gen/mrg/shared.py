"""The policy `shared`: memory that others may change is loaded once, into a copy, and checked there.

What a packet must keep for that: the copy is of a bounded size, and all that reads its bytes reads the copy.
"""

from __future__ import annotations

from typing import Iterator, Optional

from . import ir, layout

COPY_MAX = 1 << 20  # bytes: the copy is an array in a struct


def size_problem(packet: ir.Packet) -> Optional[str]:
    """Why a packet that is fetched can't be; those written in place are fetched with the one around them."""
    if not packet.shared or packet.inline:
        return None
    what = f"'shared' packet '{packet.name}' is read into a copy"
    if packet.size_max is None:
        return f"{what}, so its size must be bounded; 'max' would do it"
    if packet.size_max > COPY_MAX:
        return f"{what}, which would take {packet.size_max} bytes; at most {COPY_MAX} are allowed, and 'max' bounds them"
    return None


def use_problem(outer: ir.Packet, inner: ir.Packet) -> Optional[str]:
    """Why `inner` can't be a part of `outer`."""
    if inner.shared and not outer.shared:
        return f"packet '{inner.name}' is 'shared' and only read from a copy; so a packet that contains it must be 'shared', too"
    if not outer.shared:
        return None
    for packet in layout.contained(inner):
        again = _looks_again(packet)
        if again is not None:
            within = "" if packet is inner else f"; it is in '{inner.name}'"
            return f"in a 'shared' packet each byte is read once; packet '{packet.name}' has {again}{within}"
    return None


def _looks_again(packet: ir.Packet) -> Optional[str]:
    if any(isinstance(i, ir.Chain) for i in layout.walk(packet.items)):
        return "a chain"
    if any(isinstance(e, ir.Peek) for root in _exprs(packet) for e in layout.refs(root)):
        return "a 'peek'"
    return None


def _exprs(packet: ir.Packet) -> Iterator[ir.Expr]:
    yield from layout.exprs(packet.items)
    for item in layout.walk(packet.items):
        if isinstance(item, ir.List) and item.expr is not None:
            yield item.expr
