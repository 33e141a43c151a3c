"""Keys of lists: what a check of `unique` has to remember.

Small keys have a bit each; others are compared with all that came before,
which only lists with few elements can afford.
"""

from __future__ import annotations

from typing import Optional

from . import ir, sizes

Key = ir.Scalar | ir.Varint | ir.Bytes

BITMAP_BITS = 16  # widest key that has a bit for each value
COMPARED_MAX = 256  # most elements of a list whose keys are compared with each other


def bitmap_bits(key: ir.Item) -> Optional[int]:
    """Bits of the numbers that a bitmap of the keys has places for; None: it would be too large."""
    if isinstance(key, ir.Scalar) and key.bits <= BITMAP_BITS:
        return key.bits
    signed = isinstance(key, ir.Scalar) and key.signed
    if isinstance(key, (ir.Scalar, ir.Varint)) and not signed and key.hi < 1 << BITMAP_BITS:
        return key.hi.bit_length()
    return None


def elements_max(item: ir.List) -> Optional[int]:
    """Most elements that a list has by its own measure; None: no number is known."""
    bounds = [] if item.max is None else [item.max]
    if item.mode == "count" and item.expr is not None:
        bounds.append(item.expr.hi)
    if item.mode == "bytes" and item.expr is not None:
        bounds.append(item.expr.hi // max(sizes.of(item.elem)[0], 1))
    return min(bounds, default=None)


def may_repeat(item: ir.List, key: int) -> bool:
    """Whether `except` names the key."""
    return any(lo <= key <= hi for lo, hi in item.exempt)
