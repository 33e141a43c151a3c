"""X_copy: a checked view written again through the builder."""

from __future__ import annotations

from .. import ir, layout, names
from . import c_chain, c_flat, c_plan, c_view
from .c_common import varint_name
from .c_plan import Plan
from .c_shape import Shape
from .writer import Writer


def emit_chain(w: Writer, shape: Shape) -> None:
    name = shape.cname
    with w.function(f"void {name}_copy(struct mrg_w *w, const struct {name} *v)"):
        w.line(f"struct {name}_flat f;")
        w.line(f"{name}_flatten(v, &f);")
        if c_flat.compresses(shape.packet):
            w.line("if (w->refs != NULL)")
            w.line(f"\t{names.snake(shape.packet.name)}_put_compressed(w, f.b, &f);")
            w.line("else")
            w.line("\tmrg_w_put(w, (struct mrg_span){ f.b, f.len });")
        else:
            w.line("mrg_w_put(w, (struct mrg_span){ f.b, f.len });")


def emit(w: Writer, shape: Shape, p: Plan) -> None:
    name = shape.cname
    for hole in p.holes:
        if isinstance(hole, ir.Switch):
            _switch_copy(w, shape, hole)
    with w.function(f"void {name}_copy(struct mrg_w *w, const struct {name} *v)"):
        w.line(f"struct {name}_args a = {{ 0 }};")
        mark = len(w.lines)
        _fill(w, p, name, "v", "a", [0])
        if not p.holes:
            w.line(f"{name}_put(w, &a);")
        else:
            w.line(f"struct {name}_build b;")
            w.line(f"{name}_begin(w, &b, &a);")
            for i, hole in enumerate(p.holes):
                _hole(w, shape, p, hole)
                if i + 1 < len(p.holes):
                    w.line(f"{name}_{hole.name}_end(w, &b);")
            w.line(f"{name}_end(w, &b);")
        if not any("(v)" in row or "v->" in row or "(w, v)" in row for row in w.lines[mark:]):
            w.line("(void)v;")


def _fill(w: Writer, p: Plan, name: str, view: str, args: str, serial: list[int]) -> None:
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
                _fill(w, c_plan.plan(item.packet), sub, f"(&{local}_view)", target, serial)
        else:
            _fill(w, c_plan.plan(item.packet), sub, f"(&{local}_view)", target, serial)


def _optional(p: Plan, item: ir.Item) -> bool:
    return any(
        isinstance(group, ir.Optional_) and any(i is item for i in layout.walk(group.items))
        for group in layout.walk(p.packet.items)
    )


def _hole(w: Writer, shape: Shape, p: Plan, hole: ir.Item) -> None:
    name = shape.cname
    if isinstance(hole, ir.Switch):
        w.line(f"{name}_{hole.name}_copy(w, v);")
    elif isinstance(hole, ir.List):
        with w.block(""):
            w.line(f"struct {name}_{hole.name}_it it = {name}_{hole.name}(v);")
            w.line(f"{c_view.elem_type(hole.elem)} item;")
            with w.block(f"while ({name}_{hole.name}_next(&it, &item))"):
                w.line(f"{name}_{hole.name}_add(w, &b);")
                copy_item(w, hole.elem, "item")
    elif isinstance(hole, ir.Sub):
        with w.block(""):
            sub = names.packet(hole.packet)
            w.line(f"const struct {sub} part = {name}_{hole.name}(v);")
            w.line(f"{sub}_copy(w, &part);" if not c_plan.plan(hole.packet).why_not else "mrg_w_put(w, (struct mrg_span){ part.p, part.len });")
    else:
        slot = shape.slot(hole)
        w.line(f"mrg_w_put(w, (struct mrg_span){c_view.extent(slot)});")


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
    name = shape.cname
    with w.function(f"void {name}_{hole.name}_copy(struct mrg_w *w, const struct {name} *v)"):
        with w.block(f"switch ({name}_{hole.name}_which(v))"):
            for arm in hole.arms:
                w.line(f"case {c_view.arm_const(shape, hole, arm)}: {{")
                w.depth += 1
                if isinstance(arm.item, ir.Sub) and not c_plan.points(arm.item) or isinstance(arm.item, (ir.Bytes, ir.Scalar, ir.Varint)):
                    w.line(f"mrg_w_put(w, {name}_{hole.name}_raw(v));")
                elif arm.item is not None:
                    w.line(f"{c_view.elem_type(arm.item)} item;")
                    w.line(f"if ({name}_{hole.name}_as_{arm.name}(v, &item)) {{")
                    w.depth += 1
                    copy_item(w, arm.item, "item")
                    w.depth -= 1
                    w.line("}")
                w.line("break;")
                w.depth -= 1
                w.line("}")
            w.line(f"case {c_view.arm_const(shape, hole, None)}:")
            w.line("\tbreak;")
