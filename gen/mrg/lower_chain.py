"""Chains: arms told apart by their first byte, jumps with a measure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Optional

from . import ast, ir
from .errors import Skip
from .firstbyte import as_ranges, first_bytes, words
from .lower_types import At
from .names import snake

if TYPE_CHECKING:
    from .lower_packet import PacketLowerer

JUMPS_MAX = 0xFFFF


def lower_chain(low: PacketLowerer, c: ast.ChainItem) -> ir.Chain:
    item = ir.Chain(c.span.loc(), c.doc, c.name.name)
    item.max_bytes = low.const(c.max, "'max'")
    taken: list[tuple[frozenset[int], ast.ChainArmItem]] = []
    broken = False
    for arm in c.arms:
        try:
            one = _arm(low, arm)
        except Skip:
            broken = True
            continue
        item.arms.append(one)
        broken = broken or id(one.packet) in low.module.broken
        if id(one.packet) not in low.module.broken:
            _tell_apart(low, arm, one, taken)
    if broken:
        raise Skip()
    if not any(a.kind == "stop" for a in item.arms):
        low.errors.error(c.name.span, f"nothing ends chain '{c.name.name}': one arm at least must be 'stop'")
    if c.text is not None:
        item.text = low.text_form(c.text, item)
    return item


def _tell_apart(
    low: PacketLowerer, arm: ast.ChainArmItem, one: ir.ChainArm, taken: list[tuple[frozenset[int], ast.ChainArmItem]]
) -> None:
    """The arm's first bytes; no other arm may begin with one of them."""
    mine = first_bytes(one.packet)
    for theirs, other in taken:
        if mine & theirs:
            text = f"arms '{arm.name.name}' and '{other.name.name}' can both begin with byte {words(mine & theirs)}"
            low.errors.error(arm.name.span, text, [(other.name.span, f"'{other.name.name}' is here")])
    taken.append((mine, arm))
    one.first = as_ranges(mine)


def _arm(low: PacketLowerer, arm: ast.ChainArmItem) -> ir.ChainArm:
    inner = low.inline_packet(arm.items, At(snake(arm.name.name), arm.doc, arm.name.span), arm.name.name)
    inner.lent = {**low.lent, **low.params}
    inner.parent = None
    inner.order = low.order
    packet = inner.build(arm.items, arm.name.span)
    low.module.add(packet)
    one = ir.ChainArm(arm.span.loc(), snake(arm.name.name), packet, [], "stop" if arm.stop else "item")
    if packet.size_min == 0:
        raise low.errors.error(arm.name.span, f"arm '{arm.name.name}' may take no bytes, so the chain might never end")
    if arm.goto is not None:
        if arm.stop:
            raise low.errors.error(arm.goto.span, f"arm '{arm.name.name}' can't both stop and jump")
        if packet.size_max is None:
            raise low.errors.error(arm.name.span, f"arm '{arm.name.name}' jumps, so its size must be bounded")
        _goto(low, inner, arm.goto, one)
    return one


def _goto(low: PacketLowerer, inner: PacketLowerer, goto: ast.Goto, one: ir.ChainArm) -> None:
    buffer: Optional[ir.Param] = low.buffer(goto.buffer)
    if buffer is None:
        raise low.errors.error(goto.buffer.span, f"'{goto.buffer.name}' is no buffer parameter of '{low.packet.name}'")
    one.kind = "goto"
    one.buffer = buffer
    one.at = inner.length(goto.at, "the offset")
    one.max_jumps = low.const(goto.max, "'max'")
    if not 1 <= one.max_jumps <= JUMPS_MAX:
        low.errors.error(goto.max.span, f"a chain jumps at most 1..{JUMPS_MAX} times, not {one.max_jumps}")
