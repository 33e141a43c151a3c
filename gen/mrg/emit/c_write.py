"""Writing the items of a packet one after the other, out of its arguments."""

from __future__ import annotations

from contextlib import nullcontext

from .. import ir, layout, names
from . import c_chain, c_expr
from .c_common import varint_name
from .c_plan import ArgsEnv, Plan, Unbuildable, dyn_cond, early, group_cond, inner_item, late, members, tracked, tracks
from .c_varint import least
from .writer import Writer


def items(w: Writer, p: Plan, items: list[ir.Item], a: str) -> bool:
    """Write items; whether the last of them returned where there was no room, or after a failure."""
    run: list[ir.Item] = []
    for item in items:
        if isinstance(item, ir.Scalar) or (isinstance(item, ir.Bytes) and layout.fixed_bits(item) is not None):
            run.append(item)
            continue
        if isinstance(item, (ir.Check, ir.Let, ir.EndianSel)):
            _write_check(w, p, item)
            continue
        shared = _shared_byte(run)
        _write_run(w, p, run[: len(run) - len(shared)], a)
        run = []
        if shared:
            _write_shared(w, p, shared, item, a)
        else:
            with w.block("") if isinstance(item, ir.Region) and item.tail else nullcontext():
                _write_item(w, p, item, a)
    _write_run(w, p, run, a)
    return bool(run)


def _shared_byte(run: list[ir.Item]) -> list[ir.Item]:
    """Trailing bit fields that stop inside a byte: a varint has its low bits."""
    bits = sum(layout.fixed_bits(i) or 0 for i in run) % 8
    out: list[ir.Item] = []
    while bits > 0:
        out.insert(0, run[len(run) - len(out) - 1])
        bits -= layout.fixed_bits(out[0]) or 0
    return out


def _write_shared(w: Writer, p: Plan, fields: list[ir.Item], number: ir.Item, a: str) -> None:
    """A varint whose first byte has bit fields above it."""
    with w.block(""):
        w.line("const size_t first = w->len;")
        _fit(w, p, fields, a)
        _write_item(w, p, number, a)
        w.line("if (w->st == MRG_OK)")
        left, parts = 8, []
        for item in fields:
            assert isinstance(item, ir.Scalar)
            left -= item.bits
            parts.append(f"(uint32_t){value_of(p, item, a)} << {left}")
        w.line(f"\tw->p[first] = (uint8_t)(w->p[first] | {' | '.join(parts)});")


def _write_check(w: Writer, p: Plan, item: ir.Item) -> None:
    if not isinstance(item, ir.Check) or item.severity == "warn" or c_expr.always_true(item.expr):
        return
    try:
        cond = c_expr.emit(item.expr, ArgsEnv(p))
    except (Unbuildable, NotImplementedError):
        return
    w.line(f"if (!({cond})) /* {names.c_comment(item.what)} */")
    w.line("\tmrg_w_fail(w, MRG_E_VALUE);")


def _write_run(w: Writer, p: Plan, run: list[ir.Item], a: str) -> None:
    if not run:
        return
    size = sum(layout.fixed_bits(i) or 0 for i in run) // 8
    extents, places = tracked(p)
    bits = 0
    with w.block(""):
        numbers: list[ir.Item] = []
        for item in run:
            if isinstance(item, ir.Bytes):
                _fit(w, p, numbers, a)
                numbers = []
                w.line(f"if ({a}->{names.local(item.name)}.len != {(layout.fixed_bits(item) or 0) // 8}u)")
                w.line("\tmrg_w_fail(w, MRG_E_LENGTH);")
            numbers.append(item)
        _fit(w, p, numbers, a)
        for item in run:
            offset = f" + {bits // 8}u" if bits >= 8 else ""
            if any(e is item for e in extents):
                w.line(f"b->{item.name}_at = w->len{offset};")
                w.line(f"b->{item.name}_end = w->len + {(bits + (layout.fixed_bits(item) or 0)) // 8}u;")
            elif any(i is item for i in places):
                w.line(f"b->{item.name}_at = w->len{offset};")
            bits += layout.fixed_bits(item) or 0
        w.line(f"uint8_t *const q = mrg_w_take(w, {size}u);")
        w.line("if (q == NULL)")
        w.line("\treturn;")
        _store_run(w, p, run, a)


def _fit(w: Writer, p: Plan, items: list[ir.Item], a: str) -> None:
    """Numbers wider than their fields are refused, not cut, by one test of them all."""
    wide = [test for test in (_too_wide(p, item, a) for item in items) if test]
    if wide:
        w.line(f"if ({' || '.join(wide)})")
        w.line("\tmrg_w_fail(w, MRG_E_RANGE);")


def _too_wide(p: Plan, item: ir.Item, a: str) -> str:
    """Condition that a number is wider than its field; "": none of its type is."""
    if not isinstance(item, ir.Scalar) or item.bits in (8, 16, 32, 64):
        return ""
    if not any(item is m for m in members(p)):
        return ""
    value = f"{a}->{names.local(item.name)}"
    if item.signed:
        half = 1 << (item.bits - 1)
        return f"{value} < -{half} || {value} > {half - 1}"
    limit = (1 << item.bits) - 1
    return f"{value} > {c_expr.number(limit, hex(limit))}"


def value_of(p: Plan, item: ir.Scalar, a: str) -> str:
    """What a builder writes at first for a scalar."""
    if item.const is not None:
        return c_expr.number(item.const & ((1 << item.bits) - 1))
    if isinstance(item.computed, ir.Const):
        return c_expr.number(item.computed.value)
    if item.computed is not None:
        return "0u"
    if p.derived_of(item) is not None or not item.name:
        return "0u"
    return f"{a}->{names.local(item.name)}"


def _store_run(w: Writer, p: Plan, run: list[ir.Item], a: str) -> None:
    at = 0  # bytes
    group: list[ir.Scalar] = []
    for item in run:
        if isinstance(item, ir.Bytes):
            n = (layout.fixed_bits(item) or 0) // 8
            if n:
                w.line(f"memcpy(q + {at}, {a}->{names.local(item.name)}.p, {n});")
            at += n
            continue
        assert isinstance(item, ir.Scalar)
        if not group and item.bits % 8 == 0:
            _store_whole(w, p, item, at, a)
            at += item.bits // 8
            continue
        group.append(item)
        bits = sum(i.bits for i in group)
        if bits % 8 == 0:
            _store_group(w, p, group, at, a)
            at += bits // 8
            group = []


def _store_whole(w: Writer, p: Plan, item: ir.Scalar, at: int, a: str) -> None:
    n = item.bits // 8
    value = value_of(p, item, a)
    where = f"q + {at}" if at else "q"
    if n == 1:
        w.line(f"q[{at}] = (uint8_t){value};")
    elif item.endian == "dyn":
        w.line(f"if ({dyn_cond(p)})")
        w.line(f"\tmrg_put_be({where}, {n}, {value});")
        w.line("else")
        w.line(f"\tmrg_put_le({where}, {n}, {value});")
    elif item.endian == "big" and n in (2, 4):
        w.line(f"mrg_put_be{8 * n}({where}, ({names.uint_type(item.bits)}){value});")
    else:
        cast = f"(uint64_t){value}" if item.signed else value
        w.line(f"mrg_put_{'le' if item.endian == 'little' else 'be'}({where}, {n}, {cast});")


def _store_group(w: Writer, p: Plan, group: list[ir.Scalar], at: int, a: str) -> None:
    """Bit fields that make up whole bytes."""
    bits = sum(i.bits for i in group)
    n = bits // 8
    ctype = names.uint_type(bits)
    wide = "uint64_t" if bits > 32 else "uint32_t"
    parts, left = [], bits
    for item in group:
        left -= item.bits
        value = value_of(p, item, a)
        if value == "0u":
            continue
        text = f"({wide}){value}"
        if item.signed:
            text = f"({text} & {c_expr.number((1 << item.bits) - 1, hex((1 << item.bits) - 1))})"
        parts.append(f"{text} << {left}" if left else text)
    value = " | ".join(parts) or "0u"
    where = f"q + {at}" if at else "q"
    if n == 1:
        w.line(f"q[{at}] = (uint8_t)({value});")
    elif n in (2, 4):
        w.line(f"mrg_put_be{bits}({where}, ({ctype})({value}));")
    else:
        w.line(f"mrg_put_be({where}, {n}, {value});")


def _write_item(w: Writer, p: Plan, item: ir.Item, a: str) -> None:
    inner = inner_item(item)
    track = tracks(p, inner)
    if isinstance(item, ir.Region) and item.tail:
        w.line("const size_t first = w->len;")
    if track or any(i is inner for i in tracked(p)[1]):
        w.line(f"b->{inner.name}_at = w->len;")
    if isinstance(inner, ir.Sub):
        _write_sub(w, inner, f"{a}->{names.local(inner.name)}")
    elif isinstance(inner, ir.Bytes):
        if inner.max is not None:
            w.line(f"if ({a}->{names.local(inner.name)}.len > {inner.max}u)")
            w.line("\tmrg_w_fail(w, MRG_E_LIMIT);")
        if inner.mode == "len" and inner.length is not None:
            _check_length(w, p, inner, inner.length, a)
        w.line(f"mrg_w_put(w, {a}->{names.local(inner.name)});")
        if inner.mode == "until":
            w.line(f"mrg_w_u8(w, {inner.until:#x});")
    elif isinstance(inner, ir.Varint):
        _write_varint(w, p, inner, a)
    elif isinstance(inner, ir.Align):
        w.line(f"mrg_w_zero(w, ({inner.to}u - (w->len - b->at) % {inner.to}u) % {inner.to}u);")
    elif isinstance(inner, ir.Optional_):
        with w.block(f"if ({group_cond(p, inner, a)})"):
            items(w, p, inner.items, a)
    else:
        raise NotImplementedError(f"{inner.loc.file}:{inner.loc.line}: building {type(inner).__name__}")
    if track:
        w.line(f"b->{inner.name}_end = w->len;")
    if isinstance(item, ir.Region) and item.tail:
        pad_region(w, p, item, "first", a)


def _write_varint(w: Writer, p: Plan, item: ir.Varint, a: str) -> None:
    if any(i is item for i in late(p)):
        w.line(f"mrg_w_zero(w, {least(item.spec)}u); /* {item.name}: known at the end */")
        return
    w.line(f"{varint_name(item.spec)}_put(w, {early(p, item, a) or f'{a}->{names.local(item.name)}'});")


def pad_region(w: Writer, p: Plan, region: ir.Region, start: str, a: str) -> None:
    """Zeros up to the length of a region that its item may leave some of."""
    try:
        length = c_expr.emit(region.length, ArgsEnv(p, a))
    except (Unbuildable, NotImplementedError):
        return
    w.line(f"if (w->len - {start} > {length})")
    w.line("\tmrg_w_fail(w, MRG_E_LENGTH);")
    w.line("else")
    w.line(f"\tmrg_w_zero(w, {length} - (w->len - {start}));")


def must_fill(w: Writer, p: Plan, length: ir.Expr, start: str, there: str) -> None:
    """What stands from `start` on must be as long as an expression over given fields says."""
    try:
        text = c_expr.emit(length, ArgsEnv(p, "a"))
    except (Unbuildable, NotImplementedError):
        return
    w.line(f"if ({f'({there}) && ' if there else ''}w->len - {start} != {text})")
    w.line("\tmrg_w_fail(w, MRG_E_LENGTH);")


def _check_length(w: Writer, p: Plan, item: ir.Bytes, length: ir.Expr, a: str) -> None:
    """Bytes whose length is an expression over given fields must have it."""
    if any(d.item is item for d in p.derived):
        return
    try:
        text = c_expr.emit(length, ArgsEnv(p, a))
    except (Unbuildable, NotImplementedError):
        return
    w.line(f"if ({a}->{names.local(item.name)}.len != {text})")
    w.line("\tmrg_w_fail(w, MRG_E_LENGTH);")


def _write_sub(w: Writer, item: ir.Sub, value: str) -> None:
    name = names.packet(item.packet)
    if c_chain.only_chain(item.packet) is None:
        w.line(f"{name}_put(w, &{value});")
    elif item.flat:
        with w.block(""):
            w.line("struct mrg_refs *const refs = w->refs;")
            w.line("w->refs = NULL; /* not to be compressed */")
            w.line(f"{name}_put_flat(w, {value});")
            w.line("w->refs = refs;")
    else:
        w.line(f"{name}_put_flat(w, {value});")
