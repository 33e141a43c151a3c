"""X_copy: a checked view written again, as the builder would write what it says."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace
from typing import Optional

from .. import ir, layout, names
from . import c_again, c_chain, c_expr, c_flat, c_patch, c_plan, c_same, c_view
from .c_common import dispatch, varint_name
from .c_plan import Plan
from .c_shape import Shape, Slot
from .writer import Writer


def emit_chain(w: Writer, shape: Shape) -> None:
    name = shape.cname
    if c_flat.compresses(shape.packet):
        c_again.emit(w, shape)
    with w.function(f"void {name}_copy(struct mrg_w *w, const struct {name} *v)"):
        if c_same.same_packet(shape.packet):
            w.line(f"mrg_w_put_few(w, {name}_span(v));")
            return
        if c_flat.compresses(shape.packet):
            with w.block("if (w->refs != NULL)"):
                w.line(f"{names.snake(shape.packet.name)}_copy_compressed(w, v);")
                w.line("return;")
        w.line(f"struct {name}_flat f;")
        w.line(f"{name}_flatten(v, &f);")
        w.line("mrg_w_put(w, (struct mrg_span){ f.b, f.len });")


def emit(w: Writer, shape: Shape, p: Plan) -> None:
    name = shape.cname
    for hole in p.holes:
        if isinstance(hole, ir.Switch):
            _switch_copy(w, shape, hole)
    with w.function(f"void {name}_copy(struct mrg_w *w, const struct {name} *v)"):
        if is_by_arguments(shape.packet):
            by_arguments(w, shape, p)
        elif c_same.same_packet(shape.packet):
            w.line(f"mrg_w_put_few(w, {name}_span(v));")
        else:
            _straight(w, shape, p)


def is_by_arguments(packet: ir.Packet) -> bool:
    """X_copy is a call of the builder; else it is shorter, and comes to the same."""
    return c_chain.only_chain(packet) is None and not c_same.same_packet(packet) and not c_same.straight(packet)


# --- item by item ------------------------------------------------------------------------


def _straight(w: Writer, shape: Shape, p: Plan) -> None:
    """What is the same is copied, the rest written again, lengths put right at the end."""
    packet, name = shape.packet, shape.cname
    lengths = c_same.lengths(packet)
    for target, item in lengths:
        w.line(f"size_t {target.name}_at = 0, {item.name}_at = 0, {item.name}_end = 0;")
    buffer = c_plan.is_buffer(packet)
    if buffer:
        with w.block("if (w->refs != NULL)"):
            w.line("mrg_w_use_refs(w, w->refs); /* pointers count from here */")
            w.line("mrg_refs_from(w->refs, v->p);")
    run: list[ir.Item] = []
    for item in packet.items:
        inner = c_plan.inner_item(item)
        if c_same.same(inner) or c_same.settled(inner):
            run.append(item)
            continue
        _copy_run(w, shape, run, shape.slot(item), lengths)
        run = []
        measured = any(inner is i for _, i in lengths)
        if measured:
            w.line(f"{inner.name}_at = w->len;")
        _part(w, shape, inner, counted=False)
        if measured:
            w.line(f"{inner.name}_end = w->len;")
    _copy_run(w, shape, run, None, lengths)
    if buffer:
        w.line("if (w->refs != NULL)")
        w.line("\tmrg_refs_from(w->refs, NULL);")
    if lengths:
        w.line("if (w->st != MRG_OK)")
        w.line("\treturn;")
    for target, item in lengths:
        size = f"({item.name}_end - {item.name}_at)"
        c_patch.patch(w, p, target, f"{target.name}_at", c_plan.bit_in_byte(packet, target), size, over=True, a="v")
    if not any(i.name for i in packet.items):
        w.line("(void)v;")


def _copy_run(w: Writer, shape: Shape, run: list[ir.Item], after: Optional[Slot], lengths: list[tuple[ir.Scalar, ir.Item]]) -> None:
    """Bytes as they were read, up to the slot after them or the end; settled scalars in them are set."""
    sizes = [layout.fixed_bits(i) for i in run]
    if not run or all(size == 0 for size in sizes):
        return
    first = shape.slot(run[0]).start
    start = first.pointer("v")
    if None not in sizes:
        size = f"{sum(size or 0 for size in sizes) // 8}u"
    else:
        end = after.start.pointer("v") if after is not None else "v->p + v->len"
        size = f"(size_t)({end} - ({start}))"
    placed = [target for target, _ in lengths if any(target is i for i in run)]
    fixed = [i for i in run if isinstance(i, ir.Scalar) and not c_same.same(i)]

    def at(item: ir.Item) -> str:
        place = shape.slot(item).start
        if place.anchor == first.anchor:
            offset = place.bits // 8 - first.bits // 8
            return f" + {offset}u" if offset else ""
        return f" + (size_t)({place.pointer('v')} - ({start}))"

    for target in placed:
        w.line(f"{target.name}_at = w->len{at(target)};")
    if not fixed:
        w.line(f"mrg_w_put(w, (struct mrg_span){{ {start}, {size} }});")
        return
    with w.block(""):
        w.line(f"uint8_t *const q = mrg_w_take(w, {size});")
        w.line("if (q == NULL)")
        w.line("\treturn;")
        w.line(f"mrg_copy(q, {start}, {size});")
        for item in fixed:
            _settle(w, item, f"q{at(item)}", shape.slot(item).start.bits % 8)


def _settle(w: Writer, item: ir.Scalar, where: str, bit: int) -> None:
    """Set a scalar to its only value, whatever was read."""
    value = (c_same.settled_value(item) or 0) & ((1 << item.bits) - 1)
    n = (bit + item.bits + 7) // 8
    if bit == 0 and item.bits % 8 == 0:
        w.line(f"mrg_put_{'le' if item.endian == 'little' else 'be'}({where}, {n}, {c_expr.number(value)});")
        return
    shift = 8 * n - bit - item.bits
    keep = ~(((1 << item.bits) - 1) << shift) & ((1 << 8 * n) - 1)
    bits = f" | {c_expr.number(value << shift, hex(value << shift))}" if value else ""
    kept = f"mrg_be({where}, {n}) & {c_expr.number(keep, hex(keep))}"
    w.line(f"mrg_put_be({where}, {n}, {f'({kept}){bits}' if bits else kept});")


def _part(w: Writer, shape: Shape, item: ir.Item, counted: bool) -> None:
    """Write a part again; `counted`: a builder `b` is to know of each element of a list."""
    name = shape.cname
    if isinstance(item, ir.Switch):
        w.line(f"{name}_{item.name}_copy(w, v);")
    elif isinstance(item, ir.List):
        with w.block(""):
            w.line(f"struct {name}_{item.name}_it it = {name}_{item.name}(v);")
            w.line(f"{c_view.elem_type(item.elem)} item;")
            with w.block(f"while ({name}_{item.name}_next(&it, &item))"):
                if counted:
                    w.line(f"{name}_{item.name}_add(w, &b);")
                copy_item(w, item.elem, "item")
    elif isinstance(item, ir.Sub):
        with w.block(""):
            w.line(f"const struct {names.packet(item.packet)} part = {name}_{item.name}(v);")
            copy_item(w, item, "part")
    else:
        w.line(f"mrg_w_put(w, (struct mrg_span){c_view.extent(shape.slot(item))});")


# --- through the builder -------------------------------------------------------------------


def by_arguments(w: Writer, shape: Shape, p: Plan) -> None:
    """The body of a function that writes the view `v` to `w`."""
    name = shape.cname
    w.line(f"struct {name}_args a = {{ 0 }};")
    mark = len(w.lines)
    fill(w, p, name, "v", "a", [0])
    if not p.holes:
        w.line(f"{name}_put(w, &a);")
    else:
        w.line(f"struct {name}_build b;")
        w.line(f"{name}_begin(w, &b, &a);")
        for i, hole in enumerate(p.holes):
            with w.block(f"if ({name}_has_{hole.name}(v))") if c_plan.groups_of(p, hole) else nullcontext():
                _part(w, shape, hole, counted=True)
            if i + 1 < len(p.holes):
                w.line(f"{name}_{hole.name}_end(w, &b);")
        w.line(f"{name}_end(w, &b);")
    if not any("(v)" in row or "v->" in row or "(w, v)" in row for row in w.lines[mark:]):
        w.line("(void)v;")


def fill(w: Writer, p: Plan, name: str, view: str, args: str, serial: list[int]) -> None:
    """Arguments out of a view: args.<member> = accessor(view)."""
    for q in c_plan.int_params(p.packet):
        w.line(f"{args}.{names.param(q.name)} = {view}->{names.param(q.name)};")
    for g in c_plan.flags(p):
        first = next(i.name for i in layout.named(g.items))
        w.line(f"{args}.{c_plan.flag_name(g)} = {name}_has_{first}({view});")
    for item in c_plan.members(p):
        target = f"{args}.{names.local(item.name)}"
        value = f"{name}_{item.name}({view})"
        if not isinstance(item, ir.Sub):
            w.line(f"{target} = {value};")
            continue
        serial[0] += 1
        sub = names.packet(item.packet)
        local = f"{names.local(item.name)}{serial[0] if serial[0] > 1 else ''}"
        w.line(f"const struct {sub} {local}_view = {value};")
        if c_chain.only_chain(item.packet) is not None:
            w.line(f"struct {sub}_flat {local}_flat;")
            guard = ""
            if _optional(p, item):
                guard = f"if ({name}_has_{item.name}({view}))\n\t"
            w.raw("\t" * w.depth + f"{guard}".replace("\n", "\n" + "\t" * w.depth) + f"{sub}_flatten(&{local}_view, &{local}_flat);")
            value = f"(struct mrg_span){{ {local}_flat.b, {local}_flat.len }}"
            if guard:
                w.line(f"if ({name}_has_{item.name}({view}))")
                w.line(f"\t{target} = {value};")
            else:
                w.line(f"{target} = {value};")
        elif _optional(p, item):
            with w.block(f"if ({name}_has_{item.name}({view}))"):
                fill(w, c_plan.plan(item.packet), sub, f"(&{local}_view)", target, serial)
        else:
            fill(w, c_plan.plan(item.packet), sub, f"(&{local}_view)", target, serial)


def _optional(p: Plan, item: ir.Item) -> bool:
    return any(
        isinstance(group, ir.Optional_) and any(i is item for i in layout.walk(group.items))
        for group in layout.walk(p.packet.items)
    )


def copy_item(w: Writer, item: ir.Item, value: str) -> None:
    """Write one element or arm whose value is in the local `value`."""
    if isinstance(item, ir.Sub):
        name = names.packet(item.packet)
        plan = c_plan.plan(item.packet)
        if plan.why_not:
            w.line(f"mrg_w_put(w, (struct mrg_span){{ {value}.p, {value}.len }});")
        elif item.flat and c_chain.only_chain(item.packet) is not None:
            w.line(f"struct {name}_flat f;")
            w.line(f"{name}_flatten(&{value}, &f);")
            w.line("mrg_w_put(w, (struct mrg_span){ f.b, f.len });")
        else:
            w.line(f"{name}_copy(w, &{value});")
    elif isinstance(item, ir.Bytes):
        w.line(f"mrg_w_put(w, {value});")
        if item.mode == "until":
            w.line(f"mrg_w_u8(w, {item.until:#x});")
    elif isinstance(item, ir.Scalar):
        order = "le" if item.endian == "little" else "be"
        cast = f"(uint64_t){value}" if item.signed else value
        if item.endian == "dyn":
            w.line("/* in the order that the view was read in */")
            w.line(f"if (it.big) mrg_w_be(w, {item.bits // 8}, {cast}); else mrg_w_le(w, {item.bits // 8}, {cast});")
        else:
            w.line(f"mrg_w_{order}(w, {item.bits // 8}, {cast});")
    elif isinstance(item, ir.Varint):
        w.line(f"{varint_name(item.spec)}_put(w, {value});")


def _switch_copy(w: Writer, shape: Shape, hole: ir.Switch) -> None:
    name, slot = shape.cname, shape.slot(hole)
    raw = f"mrg_w_put_few(w, {name}_{hole.name}_raw(v));"
    with w.function(f"void {name}_{hole.name}_copy(struct mrg_w *w, const struct {name} *v)"):
        changing = [arm for arm in hole.arms if not _raw(arm)]
        if not changing:
            w.line(raw)
            return
        if slot.group is not None:
            w.line(f"if (!{name}_has_{hole.name}(v))")
            w.line("\treturn;")
        if c_view.disjoint(hole):  # the others need not be told apart
            others = ir.Arm(hole.loc, "", [], None)
            hole = replace(hole, arms=[a for a in changing if a.pats] + [next((a for a in changing if not a.pats), others)])

        def body(arm: ir.Arm) -> None:
            if _raw(arm):
                w.line(raw)
            else:
                assert arm.item is not None
                w.line(f"{c_view.elem_type(arm.item)} item;")
                c_view.arm_value(w, shape, slot, arm.item, "item", "&item")
                copy_item(w, arm.item, "item")
            w.line("break;")

        dispatch(w, hole, c_expr.emit(hole.on, c_view.SwitchEnv(shape, slot)), body)


def _raw(arm: ir.Arm) -> bool:
    return c_same.same(arm.item) or isinstance(arm.item, ir.Sub) and bool(c_plan.plan(arm.item.packet).why_not)
