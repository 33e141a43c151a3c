"""Filling in what is known only at the end: lengths, counts, checksums."""

from __future__ import annotations

from contextlib import contextmanager, nullcontext
from typing import Iterator, Optional, Union

from .. import ir, layout, names, settable
from . import c_expr, c_plan, c_shape, c_sum
from .c_common import varint_name
from .c_plan import ArgsEnv, EndEnv, Plan, Unbuildable, bit_in_byte, dyn_cond, early, extent, present, settle_order, tracked
from .c_varint import least, most
from .writer import Writer


def patches(w: Writer, p: Plan, a: str, sure: bool) -> None:
    """sure: nothing has failed up to here."""
    env = EndEnv(p, a)
    filled = [*(d.path[-1] for d in p.derived), *p.computed]
    if not any(early(p, item) is None for item in filled):
        return
    if not sure:
        w.line("if (w->st != MRG_OK)")
        w.line("\treturn;")
    for d in p.derived:
        target = d.path[-1]
        if not isinstance(target, ir.Scalar):
            continue
        where, bit = f"b->{d.path[0].name}_at", 0
        if len(d.path) > 1:
            bit = _inner_bits(d.path)
            where += f" + {bit // 8}u" if bit >= 8 else ""
        else:
            bit = bit_in_byte(p.packet, target)
        with _if_present(w, p, d.path[0], a):
            patch(w, p, target, where, bit % 8, extent(d))
    for number in settle_order(p):
        with _if_present(w, p, number, a), w.block(""):
            _settle(w, p, number, a)
    late: list[ir.Scalar] = []
    fit: dict[str, int] = {}  # values that were seen to be no more than that
    for item in p.computed:
        if not isinstance(item, ir.Scalar):
            continue
        if any(isinstance(n, ir.Sum) for n in layout.refs(item.computed)):
            late.append(item)
            continue
        assert item.computed is not None
        value = c_expr.emit(item.computed, env)
        most = fit.get(value, c_expr.bounds(item.computed)[1])
        with _if_present(w, p, item, a):
            patch(w, p, item, f"b->{item.name}_at", bit_in_byte(p.packet, item), value, most=most)
        if not present(p, item, a):
            fit[value] = (1 << item.bits) - 1 if most is None else min(most, (1 << item.bits) - 1)
    for item in late:
        with _if_present(w, p, item, a):
            _patch_sum(w, p, item, env)
    _said(w, p, a)


@contextmanager
def _if_present(w: Writer, p: Plan, item: ir.Item, a: str) -> Iterator[None]:
    """Around what concerns an item that may stand in an optional group."""
    cond = present(p, item, a)
    with w.block(f"if ({cond})") if cond else nullcontext():
        yield


def _said(w: Writer, p: Plan, a: str) -> None:
    """A group that holds holes must be there when its condition, now known, holds, and only then."""
    for group in c_plan.flags(p):
        if not any(h is i for h in p.holes for i in layout.walk(group.items)):
            continue
        try:
            cond = c_expr.emit(group.cond, EndEnv(p, a))
        except (Unbuildable, NotImplementedError):
            continue
        with _if_present(w, p, group, a):
            w.line(f"if ({a}->{c_plan.flag_name(group)} != !!({cond}))")
            w.line("\tmrg_w_fail(w, MRG_E_VALUE);")


def _settle(w: Writer, p: Plan, item: ir.Varint, a: str) -> None:
    """Write a varint into the room that was left for it; what does not fit moves all that is behind it."""
    derived = p.derived_of(item)
    if item.computed is not None:
        value = c_expr.emit(item.computed, EndEnv(p, a, settling=True))
    else:
        assert derived is not None
        value = extent(derived)
    w.line(f"const uint64_t value = {value};")
    for check in layout.walk(p.packet.items):
        _patched_check(w, p, check, item, a)
    w.line(f"uint8_t room[{most(item.spec)}];")
    w.line("struct mrg_w number;")
    w.line("mrg_w_init(&number, room, sizeof room);")
    w.line(f"{varint_name(item.spec)}_put(&number, value);")
    w.line(f"const size_t more = mrg_w_settle(w, b->{item.name}_at, {least(item.spec)}u, &number);")
    w.line("if (w->st != MRG_OK)")
    w.line("\treturn;")
    for member in _behind(p, item):
        w.line(f"b->{member} += more;")
    w.line("(void)more;")


def _behind(p: Plan, item: ir.Varint) -> list[str]:
    """Positions of the build structure that change when a number grows."""
    extents, places = tracked(p)
    out: list[str] = []
    behind = False
    for other in layout.walk(p.packet.items):
        extent = any(e is other for e in extents)
        if behind and (extent or any(i is other for i in places)):
            out.append(f"{other.name}_at")
        behind = behind or other is item
        if behind and extent:
            out.append(f"{other.name}_end")
    return out


def _inner_bits(path: tuple[ir.Item, ...]) -> int:
    """Bits from the first byte of path[0] (fixed sub-packets) to path[-1]."""
    bits = 0
    for outer, inner in zip(path, path[1:]):
        assert isinstance(outer, ir.Sub)
        slot = c_shape.build(outer.packet).slot(inner)
        assert slot.start.anchor is None
        bits += slot.start.bits
    return bits


def patch(
    w: Writer, p: Plan, item: ir.Scalar, where: str, bit: int, value: str, over: bool = False, a: str = "a", most: Optional[int] = None
) -> None:
    """Store the value of a field, at most `most`; `over` another one, else where its bits are zero.  `a` has the packet's parameters."""
    limit = (1 << item.bits) - 1
    with w.block(""):
        w.line(f"const uint64_t value = {value};")
        if item.bits < 64 and (most is None or most > limit):
            w.line(f"if (value > {c_expr.number(limit, hex(limit))}) {{")
            w.line("\tmrg_w_fail(w, MRG_E_RANGE);")
            w.line("\treturn;")
            w.line("}")
        for check in layout.walk(p.packet.items):
            _patched_check(w, p, check, item, a)
        if bit == 0 and item.bits % 8 == 0:
            _store(w, p, item, where, "value")
        else:
            n = (bit + item.bits + 7) // 8
            shift = n * 8 - bit - item.bits
            w.line(f"uint8_t *const q = w->p + {where};")
            before = f"mrg_be(q, {n})"
            if over:
                keep = ~(limit << shift) & ((1 << 8 * n) - 1)
                before = f"({before} & {c_expr.number(keep, hex(keep))})"
            w.line(f"mrg_put_be(q, {n}, {before} | value{f' << {shift}' if shift else ''});")


def _store(w: Writer, p: Plan, item: ir.Scalar, where: str, value: str) -> None:
    """Store whole bytes in the order of the field."""
    size = item.bits // 8
    if item.endian == "dyn":
        w.line(f"if (!({dyn_cond(p)}))")
        w.line(f"\tmrg_put_le(w->p + {where}, {size}, {value});")
        w.line("else")
        w.line(f"\tmrg_put_be(w->p + {where}, {size}, {value});")
    else:
        w.line(f"mrg_put_{'le' if item.endian == 'little' else 'be'}(w->p + {where}, {size}, {value});")


class _PatchedEnv(c_expr.Env):
    def __init__(self, item: Union[ir.Scalar, ir.Varint], a: str) -> None:
        self.item = item
        self.a = a

    def param(self, p: ir.Param) -> str:
        return f"{self.a}->{names.param(p.name)}"

    def field(self, ref: ir.FieldRef) -> str:
        if len(ref.path) == 1 and ref.path[0] is self.item:
            return "value"
        raise Unbuildable


def _patched_check(w: Writer, p: Plan, check: ir.Item, item: Union[ir.Scalar, ir.Varint], a: str) -> None:
    """Constraints on the value that was just derived."""
    if not isinstance(check, ir.Check) or check.severity == "warn" or c_expr.always_true(check.expr):
        return
    uses = any(isinstance(n, ir.FieldRef) and n.path[0] is item for n in layout.refs(check.expr))
    if not uses or _is_so(check.expr, item) or _told_before(p, check.expr):
        return
    expr = c_expr.beyond(check.expr, item.computed) if item.computed is not None else check.expr
    try:
        cond = c_expr.emit(expr, _PatchedEnv(item, a))
    except (Unbuildable, NotImplementedError):
        return
    if cond == "true":
        return
    w.line(f"if (!({cond})) {{ /* {names.c_comment(check.what)} */")
    w.line("\tmrg_w_fail(w, MRG_E_VALUE);")
    w.line("\treturn;")
    w.line("}")


def _told_before(p: Plan, e: ir.Expr) -> bool:
    """The arguments said it: c_write.py has looked at it."""
    try:
        c_expr.emit(e, ArgsEnv(p))
    except (Unbuildable, NotImplementedError):
        return False
    return True


def _is_so(e: ir.Expr, item: Union[ir.Scalar, ir.Varint]) -> bool:
    """A least value that what the field is computed of can't be below."""
    least = isinstance(e, ir.Bin) and e.op == ">=" and isinstance(e.a, ir.FieldRef) and len(e.a.path) == 1
    return least and isinstance(e, ir.Bin) and isinstance(e.b, ir.Const) and item.computed is not None and c_expr.bounds(item.computed)[0] >= e.b.value


def _patch_sum(w: Writer, p: Plan, item: ir.Scalar, env: ArgsEnv) -> None:
    assert item.computed is not None
    s = next(n for n in layout.refs(item.computed) if isinstance(n, ir.Sum))
    with w.block(""):
        words = [(c_expr.emit(e, env), n) for e, n in s.pseudo]
        c_sum.emit(
            w, s.kind, f"w->p + b->{s.first.name}_at", f"w->p + b->{s.last.name}_end",
            f"w->p + b->{item.name}_at", item.bits // 8, words, "sum1", settable.covers(p.packet, s, item),
        )
        _store(w, p, item, f"b->{item.name}_at", "sum1")
