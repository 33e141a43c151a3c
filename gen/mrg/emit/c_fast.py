"""Shorter ways to accept, in front of the checks that say what is wrong.

What is refused goes through the same tests in the same order either way: these only answer, for many of them at once, that all
would pass.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Optional

from .. import ir, layout, names
from . import c_expr, c_view

if TYPE_CHECKING:
    from .c_scan import Scan


# --- constants in a row ----------------------------------------------------------------


@dataclass
class Row:
    """Constants side by side: nothing else is checked between them."""

    items: list[ir.Scalar]
    number: Optional[ir.Scalar] = None  # the one after them, whose range makes theirs and its bits one range
    check: Optional[ir.Check] = None  # of that
    least: int = 0
    most: int = 0

    @property
    def all(self) -> list[ir.Item]:
        return [i for i in (*self.items, self.number, self.check) if i is not None]


def rows(scan: "Scan", run: layout.Run) -> dict[int, Row]:
    """By the id of the first constant: those that one comparison is enough for, or a few."""
    out: dict[int, Row] = {}
    row = Row([])
    for i, item in enumerate([*run.items, None]):
        if isinstance(item, ir.Scalar) and _constant(scan, item):
            row.items.append(item)
            continue
        if row.items:
            _ranged(run, row, run.items[i : i + 2])
            if len(row.items) > 1 or row.number is not None:
                out[id(row.items[0])] = row
        row = Row([])
    return out


def _ranged(run: layout.Run, row: Row, after: list[ir.Item]) -> None:
    """A number behind the constants whose range is checked at once, all together in a load of their own."""
    if len(after) < 2 or not isinstance(after[0], ir.Scalar) or not isinstance(after[1], ir.Check):
        return
    number, check = after[0], after[1]
    e = check.expr
    start, end = run.offset(row.items[0]), run.offset(number) + number.bits
    if start % 8 or end - start not in (8, 16, 32, 64) or number.signed or not (number.endian == "big" or number.bits == 8):
        return
    if number.const is not None or number.enum is not None and number.enum.closed or check.severity != "must":
        return
    if not isinstance(e, ir.In) or len(e.ranges) != 1 or not isinstance(e.e, ir.FieldRef) or e.e.path != (number,):
        return
    lo, hi = e.ranges[0]
    if isinstance(lo, ir.Const) and isinstance(hi, ir.Const):
        row.number, row.check = number, check
        row.least, row.most = lo.value, min(hi.value, (1 << number.bits) - 1)


def _constant(scan: "Scan", item: ir.Scalar) -> bool:
    if item.const is None or item.severity != "must" or item.signed or item.computed is not None:
        return False
    known = item.enum is not None and item.enum.closed
    return not known and (item.endian == "big" or item.bits == 8) and id(item) not in scan.needed


def differ(run: layout.Run, row: Row) -> str:
    """C condition that not all constants of a row are there, q being where the run begins."""
    start = run.offset(row.items[0])
    end = run.offset(row.items[-1]) + row.items[-1].bits
    first, last = start // 8, (end + 7) // 8
    value = mask = 0
    for item in row.items:
        value = value << item.bits | (item.const or 0)
        mask = mask << item.bits | ((1 << item.bits) - 1)
    if row.number is not None:
        size = (end - start + row.number.bits) // 8
        low = value << row.number.bits | row.least
        return f"{_load(first, size)} - {_hex(low, size)} > {c_expr.number(row.most - row.least)}"
    value, mask = value << (last * 8 - end), mask << (last * 8 - end)
    tests: list[str] = []
    while first < last:
        size = next(n for n in (8, 4, 2, 1) if n <= last - first)
        shift, all_ones = 8 * (last - first - size), (1 << 8 * size) - 1
        want, bits = value >> shift & all_ones, mask >> shift & all_ones
        load = _load(first, size)
        if bits != all_ones:
            load = f"({load} & {_hex(bits, size)})"
        tests.append(f"{load} != {_hex(want, size)}")
        first += size
    return " || ".join(tests)


def constants(scan: "Scan", run: layout.Run, row: Row) -> None:
    """All at once; when they are not there one by one, to tell which."""

    def at(item: ir.Item) -> int:
        scan.offset = run.offset(item) // 8
        return run.offset(item) % 8

    *others, last = row.items
    if row.number is not None:
        others = row.items
        scan.scalar(row.number, at(row.number))
        if id(row.number) in scan.needed:
            scan.w.line(f"(void){names.value(row.number.name)};")
    with scan.w.block(f"if (MRG_UNLIKELY({differ(run, row)}))"):
        for item in others:
            scan.scalar(item, at(item))
        bit = at(row.check or last)
        if row.check is not None:
            where, bit, site = scan.check_site(row.check)
        else:
            where, site = scan.here(), scan.constant_site(last)
        scan.w.line(f"return {scan.failure('MRG_E_VALUE', where, bit, site)};")


def _load(at: int, size: int) -> str:
    return c_view._whole(f"q + {at}" if at else "q", size, "be")


def _hex(value: int, size: int) -> str:
    return c_expr.number(value, f"{value:#0{2 * size + 2}x}" if value else "")


# --- content that can't be wrong -----------------------------------------------------------


def plain_size(item: Optional[ir.Item]) -> Optional[int]:
    """Bytes that an item takes, if it's always the same and nothing about them is checked."""
    if isinstance(item, ir.Scalar):
        return None if _checked(item) or item.bits % 8 else item.bits // 8
    if isinstance(item, ir.Bytes):
        bits = layout.fixed_bits(item)
        return None if bits is None or item.max is not None else bits // 8
    if isinstance(item, ir.Sub) and item.packet.fixed:
        return item.packet.size_max if all(_plain(i) for i in item.packet.items) else None
    return None


def _checked(item: ir.Scalar) -> bool:
    """Some values of it are refused."""
    compared = item.const is not None or item.computed is not None and not item.implied
    return compared and item.severity == "must" or item.enum is not None and item.enum.closed


def _plain(item: ir.Item) -> bool:
    if isinstance(item, ir.Check):
        return item.severity != "must" or c_expr.always_true(item.expr)
    if isinstance(item, ir.Scalar) and item.bits % 8:
        return not _checked(item)
    return isinstance(item, (ir.Let, ir.EndianSel)) or plain_size(item) is not None


def never_refused(packet: ir.Packet, told: Optional[ir.Param] = None) -> bool:
    """Whether a packet can't be wrong but for ending too early: what is in it is plain, but for octets up to its end.

    told: the parameter that says how many octets there are."""
    if packet.shared or packet.max_bytes is not None and not packet.fixed:
        return False
    first = packet.items[0] if packet.items else None
    return all(
        _plain(i) or i is packet.items[-1] and _rest(i) or i is first and told is not None and _there(i, told, packet.size_min) for i in packet.items
    )


def takes_anything(packet: ir.Packet, room: int = 0, told: Optional[ir.Param] = None) -> bool:
    """Whether any octets up to their end, of which there are at least `room`, are such a packet."""
    return packet.size_min <= room and bool(packet.items) and _rest(packet.items[-1]) and never_refused(packet, told)


def _there(item: ir.Item, told: ir.Param, others: int) -> bool:
    """A group that is there only if there are as many octets as it takes, and as many more as what follows takes."""
    cond = item.cond if isinstance(item, ir.Optional_) else None
    if not isinstance(item, ir.Optional_) or not isinstance(cond, ir.Bin) or cond.op not in ("==", ">="):
        return False
    if not isinstance(cond.a, ir.ParamRef) or cond.a.param is not told or not isinstance(cond.b, ir.Const):
        return False
    sizes = [plain_size(i) for i in item.items]
    return None not in sizes and sum(n or 0 for n in sizes) + others <= cond.b.value


def _rest(item: ir.Item) -> bool:
    """All octets up to the end, whatever they are."""
    if isinstance(item, ir.List):
        return item.mode == "rest" and any_octets(item)
    return isinstance(item, ir.Bytes) and item.mode == "rest" and item.max is None


def any_octets(item: ir.List) -> bool:
    """Any octets in the room of a list are such a list."""
    return item.mode in ("rest", "bytes") and plain_size(item.elem) == 1 and item.max is None and not item.unique and not item.ascending


def fills(scan: "Scan", item: Optional[ir.Item]) -> None:
    """An arm of a switch that is to fill its region: one comparison tells for content that can't be wrong."""
    size = plain_size(item)
    if scan.sites is None or scan.filling is None or not size or id(item) in scan.needed:
        return
    with scan.w.block(f"if (MRG_LIKELY((size_t)({scan.filling} - q) == {size}u))"):
        scan.w.line(f"q = {scan.filling};")
        scan.w.line("break;")


def skip_list(scan: "Scan", item: ir.List, counted: bool) -> None:
    """Step over elements of one size in which nothing is checked; where they don't fit, the loop that follows finds which."""
    size = plain_size(item.elem)
    if scan.sites is None or counted or not size or item.unique or item.ascending or item.mode not in ("rest", "bytes"):
        return
    room = f"(size_t)({scan.end} - q)"
    tests = [f"{room} % {size}u == 0"] if size > 1 else []
    if item.max is not None:
        tests.append(f"{room} <= {size * item.max}u")
    scan.w.line(f"if (MRG_LIKELY({' && '.join(tests)}))")
    scan.w.line(f"\tq = {scan.end};")


def takes_region(item: ir.Item) -> bool:
    """The item always takes its whole region."""
    if isinstance(item, ir.Bytes):
        return item.mode == "rest"
    if isinstance(item, ir.List):
        return item.mode == "rest"
    if isinstance(item, ir.Switch):
        return all(arm.item is not None and takes_region(arm.item) for arm in item.arms)
    own = [i for i in item.packet.items if not isinstance(i, (ir.Check, ir.Let))] if isinstance(item, ir.Sub) else []
    return bool(own) and takes_region(own[-1])


def most_left(e: ir.Expr, before: Optional[int]) -> Optional[int]:
    """The most octets that a constraint leaves, and those before it."""
    if not isinstance(e, ir.In) or not isinstance(e.e, ir.Avail):
        return before
    tops = [hi.value for _, hi in e.ranges if isinstance(hi, ir.Const)]
    if len(tops) != len(e.ranges):
        return before
    return max(tops) if before is None else min(max(tops), before)


def told(item: ir.Sub, says: Optional[ir.Expr]) -> Optional[ir.Param]:
    """The parameter of a packet in a region that says how many octets that has, as an expression does."""
    for param, arg in zip(item.packet.params, item.args):
        if isinstance(says, ir.FieldRef) and isinstance(arg, ir.FieldRef) and [*map(id, arg.path)] == [*map(id, says.path)]:
            return param
    return None
