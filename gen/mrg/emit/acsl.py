"""Contracts of the generated C, in ACSL: what each function needs, and what it gives.

A check's contract is where all others begin: whatever the bytes, it reads none behind them and gives a view only of what `acsl_terms.py`
says is such a packet. Accessors and iterators need a view, and nothing else. `mrg c --acsl` writes them, `make prove` proves them.
"""

from __future__ import annotations

from typing import Optional

from .. import ir, layout, names
from . import acsl_terms, c_common, c_expr, c_plan, c_shape, c_view
from .acsl_terms import Unsaid, loads, params_decl, params_of, params_pass, size_name
from .c_shape import Place, Shape, Slot

PURE = "terminates \\true; exits \\false; assigns \\nothing;"


class ViewTerms(c_view.ViewEnv):
    """Leaves of an expression over a checked view, without calls."""

    def field(self, ref: ir.FieldRef) -> str:
        return self.value(self.shape, ref.path, "")

    def value(self, shape: Shape, path: tuple[ir.Item, ...], base: str) -> str:
        slot = shape.slot(path[0])
        item, place = slot.item, slot.start
        if base and (place.anchor is not None or slot.group is not None):
            raise Unsaid(f"the value of {item.name}")
        pointer = f"{base} + {place.bits // 8}" if base else place.pointer(self.view)
        if len(path) > 1:
            return self.value(c_shape.build(_packet(item)), path[1:], pointer)
        if isinstance(item, ir.Let) and not base:
            text = loads(c_expr.emit(item.expr, ViewTerms(shape, self.view, place)))
        elif isinstance(item, ir.Scalar) and item.endian != "dyn":
            text = loads(c_view.load(item, pointer, place.bits % 8))
        else:
            raise Unsaid(f"the value of {item.name}")
        if slot.group is not None:
            return f"(({present(shape, slot, self.view)}) ? {text} : 0)"
        return f"({text})"

    def peek(self, e: ir.Peek) -> str:
        assert self.place is not None
        return c_view._whole(self.place.pointer(self.view), e.bits // 8, "le" if e.endian == "little" else "be")


def _packet(item: ir.Item) -> ir.Packet:
    assert isinstance(item, ir.Sub)
    return item.packet


def present(shape: Shape, slot: c_shape.Slot, view: str = "v") -> str:
    """Condition that an optional item of a view is there, as `c_view.present` has it."""
    group = slot.group
    assert group is not None and group.end is not None and isinstance(group.item, ir.Optional_)
    cond = group.item.cond
    context = any(isinstance(e, (ir.Avail, ir.Here, ir.Peek)) for e in layout.refs(cond))
    if context or any(layout.fixed_bits(i) for i in group.item.items):
        own = f"{group.end.pointer(view)} != {group.start.pointer(view)}"
    else:
        own = loads(c_expr.emit(cond, ViewTerms(shape, view)))
    return own if group.group is None else f"({present(shape, group, view)}) && ({own})"


def view_expr(shape: Shape, e: ir.Expr, place: Optional[Place], view: str = "v") -> str:
    return loads(c_expr.emit(e, ViewTerms(shape, view, place)))


def of_enums(m: ir.Module) -> dict[str, str]:
    return {f"{names.enum(e)}_known": PURE for e in m.enums if e.closed}


# --- a packet ---------------------------------------------------------------------


def contracts(shape: Shape) -> dict[str, str]:
    """By the name of a function, and of the struct that what is logic goes behind; nothing of a packet that they don't cover."""
    p, cname = shape.packet, shape.cname
    why = acsl_terms.why_not(p)
    if acsl_terms.unchecked(p):
        return {}
    if why:
        return _check_only(shape)
    out = {f"struct {cname}": logic(shape)}
    size = f"{size_name(p)}(p, end - p{params_of(p)})"
    same = "".join(_same(q) for q in p.params)
    buffers = "".join(f" && mrg_span({names.param(q.name)})" for q in p.params if q.kind == "buffer")
    gives = f"v->p == p && v->len == {size} && l_{cname}(*v){same}"
    out[f"{cname}_view_"] = (
        f"requires mrg_bytes(p, end) && {_readable(shape, 'valid')} && 0 <= {size}{buffers};\n"
        f"terminates \\true; exits \\false; assigns *v;\n"
        f"ensures {gives} && {size} <= end - p;"
    )
    out[f"{cname}_scan_"] = (
        f"requires mrg_bytes(p, end) && \\valid(rj) && (v == \\null || \\valid(v) && \\separated(v, rj)){buffers};\n"
        f"terminates \\true; exits \\false; assigns *v, *rj;\n"
        f"ensures \\result == \\null || {p.size_min} <= {size} <= end - p && \\result == p + {size};\n"
        f"ensures \\result != \\null && v != \\null ==> {gives};"
    )
    out[c_common.check_name(p)] = (
        f"requires mrg_span(in) && \\valid(out) && (rj == \\null || \\valid(rj) && \\separated(out, rj)){buffers};\n"
        f"terminates \\true; exits \\false; assigns *out, *rj;\n"
        f"ensures \\result == MRG_OK ==> l_{cname}(*out) && out->len <= in.len && (in.len > 0 ==> out->p == in.p);"
    )
    needs = f"requires {_readable(shape)} && l_{cname}(*v);\n"
    out[f"{cname}_span"] = needs + PURE + " ensures mrg_span(\\result) && \\result.p == v->p && \\result.len == v->len;"
    out[f"{cname}_warnings"] = needs + PURE
    for slot in shape.slots:
        try:
            _accessor(out, shape, slot, needs)
        except Unsaid:
            continue
    return out


def _readable(shape: Shape, how: str = "valid_read") -> str:
    """A view is there, member by member as well: so WP sees by itself that each may be read, and asks no solver."""
    return " && ".join([f"\\{how}(v)", *(f"\\{how}(&v->{member})" for member in ("p", "len", *shape.anchors))])


def builder(shape: Shape) -> dict[str, str]:
    """Of a packet of numbers, and octets whose length is said by one: its builder writes where there is room, and nowhere else."""
    p = shape.packet
    plain = all(
        isinstance(i, (ir.Check, ir.Let))
        or (isinstance(i, ir.Scalar) and i.endian != "dyn" and not any(isinstance(e, ir.Sum) for e in layout.refs(i.computed)))
        or (isinstance(i, ir.Bytes) and i.mode != "until" and layout.fixed_bits(i) is None)
        for i in p.items
    )
    if p.shared or p.params or not plain:
        return {}
    octets = [i.name for i in p.items if isinstance(i, ir.Bytes)]
    apart = "".join(f" && mrg_apart(*w, a->{name})" for name in octets)
    return {
        f"{shape.cname}_put": (
            f"requires \\valid(w) && mrg_room(*w) && \\valid_read(a) && \\separated(w, a){apart};\n"
            f"requires {arguments(p, [])};\n"
            "terminates \\true; exits \\false; assigns w->st, w->len, w->p[0 .. w->cap - 1];\n"
            "ensures mrg_room(*w) && w->len >= \\old(w->len);"
        )
    }


def arguments(p: ir.Packet, tracked: list[str]) -> str:
    """A builder may write the writer and what it tracks, and read its arguments, member by member: see _readable."""
    written = ["\\valid(w)", *(f"\\valid(&w->{member})" for member in ("p", "cap", "len", "st")), *(f"\\valid(&b->{member})" for member in tracked)]
    given = (names.local(item.name) for item in c_plan.members(c_plan.plan(p)))
    return " && ".join([*written, *(f"\\valid_read(&a->{name})" for name in given)])


def _check_only(shape: Shape) -> dict[str, str]:
    """Of a packet whose extent no term tells: the check is safe, ends, and takes no more than there is; numbers and octets are in that."""
    p, cname = shape.packet, shape.cname
    buffers = "".join(f" && mrg_span({names.param(q.name)})" for q in p.params if q.kind == "buffer")
    out = {
        f"struct {cname}": f"predicate l_{cname}{{L}}(struct {cname} v) =\n\t{_in_order(shape)};",
        f"{cname}_scan_": (
            f"requires mrg_bytes(p, end) && \\valid(rj) && (v == \\null || \\valid(v) && \\separated(v, rj)){buffers};\n"
            f"terminates \\true; exits \\false; assigns *v, *rj;\n"
            f"ensures \\result == \\null || mrg_within(p, end, \\result) && \\result - p >= {p.size_min};\n"
            f"ensures \\result != \\null && v != \\null ==> v->p == p && v->len == \\result - p && l_{cname}(*v);"
        ),
        c_common.check_name(p): (
            f"requires mrg_span(in) && \\valid(out) && (rj == \\null || \\valid(rj) && \\separated(out, rj)){buffers};\n"
            f"terminates \\true; exits \\false; assigns *out, *rj;\n"
            f"ensures \\result == MRG_OK ==> l_{cname}(*out) && out->len <= in.len && (in.len > 0 ==> out->p == in.p);"
        ),
    }
    needs = f"requires {_readable(shape)} && l_{cname}(*v);\n"
    out[f"{cname}_span"] = needs + PURE + " ensures mrg_span_at(\\result.p, \\result.len);"
    for slot in shape.slots:
        if slot.group is None and isinstance(slot.item, ir.Scalar) and slot.item.endian != "dyn":
            out[f"{cname}_{slot.item.name}"] = needs + PURE
        elif slot.group is None and isinstance(slot.item, ir.Bytes) and slot.item.mode != "until":
            out[f"{cname}_{slot.item.name}"] = needs + PURE + " ensures mrg_span_at(\\result.p, \\result.len);"
    return out


def _in_order(shape: Shape) -> str:
    """What a view is if nothing more is known: anchors in their order, with room for what stands between them."""
    facts, base, size = ["mrg_span_at(v.p, v.len)"], "v.p", 0
    for part in layout.segments(shape.packet.items):
        if isinstance(part, layout.Run):
            size += part.size
            continue
        anchor = shape.ends.get(id(part))
        if anchor:
            facts.append(f"mrg_within(v.p, v.p + v.len, v.{anchor}) && {size} <= v.{anchor} - {base}")
            base, size = f"v.{anchor}", 0
    facts.append(f"{size} <= v.p + v.len - {base}")
    return " && ".join(facts)


def _same(q: ir.Param) -> str:
    name = names.param(q.name)
    return f" && v->{name}.p == {name}.p && v->{name}.len == {name}.len" if q.kind == "buffer" else f" && v->{name} == {name}"


def logic(shape: Shape) -> str:
    """What the packet takes of its bytes, where its anchors are, and what a view is."""
    p, cname = shape.packet, shape.cname
    decl = params_decl(p)
    parts = [_list_logic(shape, item) for item in layout.walk(p.items) if isinstance(item, ir.List)]
    parts.append(f"logic integer {size_name(p)}{{L}}(uint8_t *p, integer n{decl}) =\n\t{acsl_terms.Terms(shape).size()};")
    view = f"mrg_span_at(v.p, v.len) && {size_name(p)}(v.p, v.len{params_of(p, 'v.')}) == v.len"
    for anchor in shape.anchors:
        name = acsl_terms.anchor_name(p, anchor)
        parts.append(f"logic integer {name}{{L}}(uint8_t *p, integer n{decl}) =\n\t{acsl_terms.Terms(shape).to(anchor)};")
        view += f" &&\n\t0 <= {name}(v.p, v.len{params_of(p, 'v.')}) <= v.len && v.{anchor} == v.p + {name}(v.p, v.len{params_of(p, 'v.')})"
    for item in layout.walk(p.items):
        if isinstance(item, ir.List) and acsl_terms.followed(shape, item):
            view += f" &&\n\t{_fills(shape, item)}"
    view += "".join(f" && mrg_span(v.{names.param(q.name)})" for q in p.params if q.kind == "buffer")
    parts.append(f"predicate l_{cname}{{L}}(struct {cname} v) =\n\t{view};")
    return "\n".join(part for part in parts if part)


def _fills(shape: Shape, item: ir.List) -> str:
    """Of a view: such a list takes all that is before what follows it."""
    start = shape.slot(item).start.pointer("v")
    room = f"v->{shape.ends[id(item)]} - ({start})"
    assert item.expr is not None
    text = f"{acsl_terms.list_name(shape.packet, item)}({start}, {room}, {view_expr(shape, item.expr, None)}) == {room}"
    return text.replace("v->", "v.")


def _list_logic(shape: Shape, item: ir.List) -> str:
    """Elements of varying size that follow each other: that they fill n bytes, or how many bytes so many of them take."""
    if layout.fixed_bits(item.elem) is not None:
        return ""
    assert isinstance(item.elem, ir.Sub)
    name, elem = acsl_terms.list_name(shape.packet, item), item.elem.packet
    decl, args = params_decl(elem), params_pass(elem)
    size = f"{size_name(elem)}(p, n{args})"
    if item.mode == "count":
        return (
            f"logic integer {name}{{L}}(uint8_t *p, integer n, integer count{decl}) = count <= 0 ? 0 :\n"
            f"\t(\\let k = {size}; k < 0 || k > n ? -1 :\n"
            f"\t(\\let r = {name}(p + k, n - k, count - 1{args}); r < 0 || r > n - k ? -1 : k + r));"
        )
    return (
        f"logic integer {name}{{L}}(uint8_t *p, integer n{decl}) = n == 0 ? 1 : n < 0 ? 0 :\n"
        f"\t(\\let k = {size}; k <= 0 || k > n ? 0 : {name}(p + k, n - k{args}));"
    )


# --- accessors ---------------------------------------------------------------------


def _accessor(out: dict[str, str], shape: Shape, slot: Slot, needs: str) -> None:
    item, name = slot.item, f"{shape.cname}_{slot.item.name}"
    there = ""
    if slot.group is not None:
        there = present(shape, slot)
        out[f"{shape.cname}_has_{item.name}"] = needs + PURE + f" ensures (\\result != 0) <==> ({there});"
    if isinstance(item, (ir.Scalar, ir.Let)):
        out[name] = needs + PURE
        out[name] += f" ensures \\result == {ViewTerms(shape, 'v', slot.start).value(shape, (item,), '')};"
    elif isinstance(item, ir.Bytes) and item.mode != "until":
        out[name] = needs + PURE + " ensures mrg_span(\\result);"
    elif isinstance(item, ir.Sub):
        acsl_terms.need(item.packet)
        view = f"l_{names.packet(item.packet)}(\\result)"
        out[name] = needs + PURE + (f" ensures ({there}) ==> {view};" if there else f" ensures {view};")
    elif isinstance(item, ir.List):
        _list(out, shape, item, name, needs)
    elif isinstance(item, ir.Switch):
        _switch(out, shape, slot, item, name, needs)


def _list(out: dict[str, str], shape: Shape, item: ir.List, name: str, needs: str) -> None:
    """An iterator's struct, what is true of one, its making and its step."""
    elem, bits = item.elem, layout.fixed_bits(item.elem)
    args = ""
    if isinstance(elem, ir.Sub):
        acsl_terms.need(elem.packet)
        args = params_of(elem.packet, "it.")
    if isinstance(elem, ir.Scalar) and elem.endian == "dyn":
        raise Unsaid("byte order by a field")
    lists, room = acsl_terms.list_name(shape.packet, item), "it.end - it.at"
    if item.mode == "count":
        rest = f"0 <= it.left * {bits // 8} <= {room}" if bits is not None else f"0 <= {lists}(it.at, {room}, it.left{args}) <= {room}"
    else:
        rest = f"({room}) % {bits // 8} == 0" if bits is not None else f"{lists}(it.at, {room}{args}) == 1"
    if isinstance(elem, ir.Bytes):
        rest += f" && it.item_len == {(bits or 0) // 8}"
    if isinstance(elem, ir.Sub):
        rest += "".join(f" && mrg_span(it.{names.param(q.name)})" for q in elem.packet.params if q.kind == "buffer")
    out[f"struct {name}_it"] = f"predicate l_{name}_it{{L}}(struct {name}_it it) = mrg_bytes(it.at, it.end) && {rest};"
    out[name] = needs + PURE + f" ensures l_{name}_it(\\result);"
    view = ""
    if isinstance(elem, (ir.Sub, ir.Bytes)):
        view = f"\nensures \\result != 0 ==> {f'l_{names.packet(elem.packet)}' if isinstance(elem, ir.Sub) else 'mrg_span'}(*out);"
    measure = "it->left" if item.mode == "count" else "it->end - it->at"
    out[f"{name}_next"] = (
        f"requires \\valid(it) && \\valid(out) && \\separated(it, out) && l_{name}_it(*it);\n"
        f"terminates \\true; exits \\false; assigns *it, *out;\n"
        f"ensures l_{name}_it(*it);\n"
        f"ensures \\result != 0 ==> {measure} < \\old({measure});{view}"
    )


def _switch(out: dict[str, str], shape: Shape, slot: Slot, item: ir.Switch, name: str, needs: str) -> None:
    out[f"{name}_raw"] = needs + PURE + " ensures mrg_span(\\result);"
    on = loads(c_expr.emit(item.on, _Peeking(shape, "v", slot.start)))
    there = f"({present(shape, slot)})" if slot.group is not None else ""
    before: list[str] = [there] if there else []
    which = needs + PURE
    for arm in item.arms:
        mine = " && ".join([*before, f"({acsl_terms.matches(item, arm, f'({on})')})"])
        const = c_view.arm_const(shape, item, arm)
        which += f"\nensures \\result == {const} <==> {mine};"
        before.append(f"!({acsl_terms.matches(item, arm, f'({on})')})")
        if arm.item is None:
            out[f"{name}_as_{arm.name}"] = needs + PURE
            continue
        if isinstance(arm.item, ir.Sub):
            acsl_terms.need(arm.item.packet)
        view = ""
        if isinstance(arm.item, ir.Sub):
            view = f" ensures \\result != 0 ==> l_{names.packet(arm.item.packet)}(*out);"
        elif isinstance(arm.item, ir.Bytes):
            view = " ensures \\result != 0 ==> mrg_span(*out);"
        out[f"{name}_as_{arm.name}"] = (
            needs.rstrip("\n").rstrip(";") + f" && \\valid(out) && \\separated(v, out);\nterminates \\true; exits \\false; assigns *out;" + view
        )
    out[f"{name}_which"] = which


class _Peeking(ViewTerms):
    """`peek` looks at the item's own first bytes, which were checked."""
