"""Filling in what is known only at the end: lengths, counts, checksums."""

from __future__ import annotations

from contextlib import contextmanager
from typing import Iterator

from .. import ir, layout, names
from . import c_expr, c_shape, c_sum
from .c_plan import ArgsEnv, Plan, Unbuildable, bit_in_byte, dyn_cond, group_cond
from .writer import Writer


def patches(w: Writer, p: Plan, a: str) -> None:
    env = ArgsEnv(p, a)
    env.ends = True
    if not p.derived and not p.computed:
        return
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
        value = f"b->{d.item.name}_count" if d.kind == "count" else f"(b->{d.item.name}_end - b->{d.item.name}_at)"
        with _if_present(w, p, d.path[0], a):
            patch(w, p, target, where, bit % 8, value)
    late: list[ir.Scalar] = []
    for item in p.computed:
        assert isinstance(item, ir.Scalar)
        if any(isinstance(n, ir.Sum) for n in layout.refs(item.computed)):
            late.append(item)
            continue
        assert item.computed is not None
        value = c_expr.emit(item.computed, env)
        with _if_present(w, p, item, a):
            patch(w, p, item, f"b->{item.name}_at", bit_in_byte(p.packet, item), value)
    for item in late:
        with _if_present(w, p, item, a):
            _patch_sum(w, p, item, env)


@contextmanager
def _if_present(w: Writer, p: Plan, item: ir.Item, a: str) -> Iterator[None]:
    """Around what concerns an item that may stand in an optional group."""
    for group in layout.walk(p.packet.items):
        if isinstance(group, ir.Optional_) and any(i is item for i in layout.walk(group.items)):
            with w.block(f"if ({group_cond(p, group, a)})"):
                yield
            return
    yield


def _inner_bits(path: tuple[ir.Item, ...]) -> int:
    """Bits from the first byte of path[0] (fixed sub-packets) to path[-1]."""
    bits = 0
    for outer, inner in zip(path, path[1:]):
        assert isinstance(outer, ir.Sub)
        slot = c_shape.build(outer.packet).slot(inner)
        assert slot.start.anchor is None
        bits += slot.start.bits
    return bits


def patch(w: Writer, p: Plan, item: ir.Scalar, where: str, bit: int, value: str, over: bool = False) -> None:
    """Store the value of a field; `over` another one, else where its bits are zero."""
    limit = (1 << item.bits) - 1
    with w.block(""):
        w.line(f"const uint64_t value = {value};")
        if item.bits < 64:
            w.line(f"if (value > {c_expr.number(limit, hex(limit))}) {{")
            w.line("\tmrg_w_fail(w, MRG_E_RANGE);")
            w.line("\treturn;")
            w.line("}")
        for check in layout.walk(p.packet.items):
            _patched_check(w, check, item)
        if bit == 0 and item.bits % 8 == 0:
            order = "le" if item.endian == "little" else "be"
            if item.endian == "dyn":
                w.line(f"if (!({dyn_cond(p)}))")
                w.line(f"\tmrg_put_le(w->p + {where}, {item.bits // 8}, value);")
                w.line("else")
                w.line(f"\tmrg_put_be(w->p + {where}, {item.bits // 8}, value);")
            else:
                w.line(f"mrg_put_{order}(w->p + {where}, {item.bits // 8}, value);")
        else:
            n = (bit + item.bits + 7) // 8
            shift = n * 8 - bit - item.bits
            w.line(f"uint8_t *const q = w->p + {where};")
            before = f"mrg_be(q, {n})"
            if over:
                keep = ~(limit << shift) & ((1 << 8 * n) - 1)
                before = f"({before} & {c_expr.number(keep, hex(keep))})"
            w.line(f"mrg_put_be(q, {n}, {before} | value{f' << {shift}' if shift else ''});")


class _PatchedEnv(c_expr.Env):
    def __init__(self, item: ir.Scalar) -> None:
        self.item = item

    def field(self, ref: ir.FieldRef) -> str:
        if len(ref.path) == 1 and ref.path[0] is self.item:
            return "value"
        raise Unbuildable


def _patched_check(w: Writer, check: ir.Item, item: ir.Scalar) -> None:
    """Constraints on the value that was just derived."""
    if not isinstance(check, ir.Check) or check.severity == "warn" or c_expr.always_true(check.expr):
        return
    uses = any(isinstance(n, ir.FieldRef) and n.path[0] is item for n in layout.refs(check.expr))
    if not uses:
        return
    try:
        cond = c_expr.emit(check.expr, _PatchedEnv(item))
    except (Unbuildable, NotImplementedError):
        return
    w.line(f"if (!({cond})) {{ /* {names.c_comment(check.what)} */")
    w.line("\tmrg_w_fail(w, MRG_E_VALUE);")
    w.line("\treturn;")
    w.line("}")


def _patch_sum(w: Writer, p: Plan, item: ir.Scalar, env: ArgsEnv) -> None:
    assert item.computed is not None
    s = next(n for n in layout.refs(item.computed) if isinstance(n, ir.Sum))
    with w.block(""):
        words = [(c_expr.emit(e, env), n) for e, n in s.pseudo]
        c_sum.emit(
            w, s.kind, f"w->p + b->{s.first.name}_at", f"w->p + b->{s.last.name}_end",
            f"w->p + b->{item.name}_at", item.bits // 8, words, "sum1",
        )
        order = "le" if item.endian == "little" else "be"
        w.line(f"mrg_put_{order}(w->p + b->{item.name}_at, {item.bits // 8}, sum1);")
