"""Tables that turn an enum's names into values and back (struct mrg_text_enum)."""

from __future__ import annotations

from .. import ir, names
from ..words import multipliers, rotate
from .text_plan import enum_name
from .writer import Writer

_MASK = (1 << 64) - 1
_FOLD = 0xDFDFDFDFDFDFDFDF


def key(name: bytes) -> int:
    """The same sum as name_key in gen/support/mrg_text.c."""
    n = len(name)
    if n >= 8:
        k = int.from_bytes(name[:8], "little") ^ rotate(int.from_bytes(name[-8:], "little"), 29)
        k &= _FOLD & rotate(_FOLD, 29)
    elif n >= 4:
        k = (int.from_bytes(name[:4], "little") | int.from_bytes(name[-4:], "little") << 32) & _FOLD
    elif n > 0:
        k = (name[0] | name[n // 2] << 8 | name[-1] << 16) & _FOLD
    else:
        return 0
    return k ^ n << 5


def word(m: ir.Member) -> str:
    """A member's name as one word."""
    return m.text.replace(" ", "-")


def _slots(keys: list[tuple[int, int]], mul: int, bits: int) -> tuple[list[int], int]:
    """The table for a multiplier, and how many names are not in their first slot."""
    table = [0] * (1 << bits)
    moved = 0
    for i, k in keys:
        slot = (k * mul & _MASK) >> (64 - bits)
        while table[slot]:
            slot = (slot + 1) % len(table)
            moved += 1
        table[slot] = i + 1
    return table, moved


def layout(members: list[ir.Member]) -> tuple[list[int], int, int]:
    """(slots, bits, multiplier): the best of a fixed series of multipliers.

    A range has no name in text: its members are unknown values."""
    keys = [(i, key(word(m).encode())) for i, m in enumerate(members) if m.lo == m.hi]
    bits = max(2, (2 * len(keys)).bit_length())
    best: tuple[int, int, list[int]] | None = None
    for _, mul in zip(range(200), multipliers()):
        table, moved = _slots(keys, mul, bits)
        if best is None or moved < best[0]:
            best = (moved, mul, table)
        if moved == 0:
            break
    assert best is not None
    return best[2], bits, best[1]


def declare(w: Writer, e: ir.Enum) -> None:
    w.line(f"extern const struct mrg_text_enum {enum_name(e)};")


def define(w: Writer, e: ir.Enum, linkage: str = "") -> None:
    members = sorted(e.members, key=lambda m: (m.lo, m.hi))
    name = names.enum(e)
    table, bits, mul = layout(members)
    with w.block(f"static const struct mrg_text_member {name}_members[] =", "};"):
        for m in members:
            w.line(f"{{ {names.c_string(word(m))}, {len(word(m).encode())}, {m.lo:#x}u, {m.hi:#x}u }},")
        if not members:
            w.line('{ "", 0, 0, 0 },')
    w.line()
    with w.block(f"static const uint16_t {name}_slots[{len(table)}] =", "};"):
        for i in range(0, len(table), 16):
            w.line(", ".join(str(v) for v in table[i : i + 16]) + ",")
    w.line()
    with w.block(f"{linkage}const struct mrg_text_enum {enum_name(e)} =", "};"):
        w.line(f".members = {name}_members,")
        w.line(f".count = {len(members)},")
        w.line(f".slots = {name}_slots,")
        w.line(f".shift = {64 - bits},")
        w.line(f".mul = {mul:#x}u,")
        w.line(f".unknown = {names.c_string(e.unknown)},")
        w.line(f".max = {(1 << e.bits) - 1:#x}u,")
    w.line()
