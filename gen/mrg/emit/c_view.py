"""Views: struct, accessors and iterators (the header's half of a packet)."""

from __future__ import annotations

import re
from typing import Optional

from .. import ir, layout, names, settable
from . import c_chain, c_common, c_expr, c_index, c_scan, c_shape, c_sum
from .c_shape import Place, Shape, Slot
from .writer import Writer


class ViewEnv(c_expr.Env):
    """Leaves of an expression are accessors of a checked view."""

    def __init__(self, shape: Shape, view: str = "v", place: Optional[Place] = None) -> None:
        self.shape = shape
        self.view = view
        self.place = place  # where the expression stands
        self.sums: dict[int, str] = {}  # locals that hold checksums

    def sum(self, e: ir.Sum) -> str:
        return self.sums[id(e)]

    def field(self, ref: ir.FieldRef) -> str:
        return c_common.path_value(self.shape.packet, ref.path, f"{self.view}", True)

    def here(self) -> str:
        if self.place is None:
            return super().here()
        if self.place.anchor is None:
            return f"{self.place.bits // 8}u"
        return f"(size_t)({self.place.pointer(self.view)} - {self.view}->p)"

    def param(self, p: ir.Param) -> str:
        return f"{self.view}->{names.param(p.name)}"

    def buflen(self, p: ir.Param) -> str:
        return f"{self.view}->{names.param(p.name)}.len"

    def size_of(self, item: Optional[ir.Item]) -> str:
        if item is None:
            return f"{self.view}->len"
        bits = layout.fixed_bits(item)
        if bits is not None:
            return f"{bits // 8}u"
        slot = self.shape.slot(item)
        assert slot.end is not None
        return f"(size_t)(({slot.end.pointer(self.view)}) - ({slot.start.pointer(self.view)}))"


def emit_packet(w: Writer, shape: Shape, sites: c_common.Sites) -> None:
    """Everything about reading one packet that belongs in the header."""
    _struct(w, shape)
    if not c_common.inline(shape.packet):
        w.comment("Internal: the check between two pointers.")
        w.contract(f"{shape.cname}_scan_(")
        w.line(
            f"MRG_MUST_USE const uint8_t *{shape.cname}_scan_(const uint8_t *p, const uint8_t *end"
            f"{params_decl(shape.packet)}, struct {shape.cname} *v, struct mrg_reject *rj);"
        )
        w.line()
    c_scan.emit_view(w, shape)
    with w.function(f"static inline struct mrg_span {shape.cname}_span(const struct {shape.cname} *v)"):
        w.line("return (struct mrg_span){ v->p, v->len };")
    for slot in shape.slots:
        _accessor(w, shape, slot)
    _warnings(w, shape)
    if c_common.inline(shape.packet):
        w.comment("Internal: the check between two pointers.")
        c_scan.emit_scan(w, shape, sites)
    _contract(w, shape)
    c_scan.emit_check(w, shape)


def params_decl(packet: ir.Packet, lead: str = ", ") -> str:
    out = ""
    for p in packet.params:
        ctype = "struct mrg_span" if p.kind == "buffer" else names.uint_type(p.bits)
        out += f"{lead}{ctype} {names.param(p.name)}"
    return out


def params_pass(packet: ir.Packet, prefix: str = "") -> str:
    return "".join(f", {prefix}{names.param(p.name)}" for p in packet.params)


def _struct(w: Writer, shape: Shape) -> None:
    p = shape.packet
    w.comment(names.c_comment(p.doc))
    with w.block(f"struct {shape.cname}", "};"):
        w.line("const uint8_t *p; /* first byte */")
        w.line("size_t len;       /* bytes it takes */")
        for anchor in shape.anchors:
            w.line(f"const uint8_t *{anchor};")
        for q in p.params:
            ctype = "struct mrg_span" if q.kind == "buffer" else names.uint_type(q.bits)
            w.line(f"{ctype} {names.param(q.name)};")
    w.line()
    w.contract(f"struct {shape.cname}")


def _contract(w: Writer, shape: Shape) -> None:
    """The comment above the public check."""
    p, name = shape.packet, c_common.check_name(shape.packet)
    if p.shared:
        w.comment("Internal: view bytes that nobody else changes; shared memory is fetched first.")
        return
    bound = "" if p.size_max is None else f", at most {p.size_max}"
    sizes = [f"{shape.cname}_size_min".upper() + f" = {p.size_min}"]
    if p.size_max is not None:
        sizes.append(f"{shape.cname}_size_max".upper() + f" = {p.size_max}")
    if max(p.size_min, p.size_max or 0) < 1 << 31:
        w.line(f"enum {{ {', '.join(sizes)} }}; /* bytes */")
        w.line()
    w.comment(
        f"{name} - view the {p.name} at the start of `in`, which may be longer.\n"
        f"  out  the view; out->len says how much of `in` it takes. All zero on rejection\n"
        f"  rj   may be NULL; filled on rejection\n"
        f"Size:     at least {p.size_min} bytes{bound}.\n"
        f"Lifetime: *out borrows in.p.\n"
        f"Fails:    MRG_MORE when `in` ends too early, else the status of the field that rj names."
    )


# --- accessors -------------------------------------------------------------------


def scalar_load(item: ir.Scalar, place: Place, view: str, dyn: str = "") -> str:
    """C expression that loads an integer at a place."""
    return load(item, place.pointer(view), place.bits % 8, dyn)


def load(item: ir.Scalar, ptr: str, bit: int, dyn: str = "") -> str:
    """Load item whose first bit is `bit` bits into the byte at ptr.  dyn: C

    condition that a "dyn" integer is big-endian."""
    nbytes = (bit + item.bits + 7) // 8
    if bit == 0 and item.bits % 8 == 0:
        if item.endian == "dyn" and nbytes > 1:
            big, little = _whole(ptr, nbytes, "be"), _whole(ptr, nbytes, "le")
            text = f"({dyn}) ? {big} : {little}"
            text = f"({names.uint_type(item.bits)})({text})"
        else:
            text = _whole(ptr, nbytes, "le" if item.endian == "little" else "be")
            if nbytes not in (1, 2, 4, 8):
                text = f"({names.uint_type(item.bits)}){text}"
    else:
        shift = nbytes * 8 - bit - item.bits
        text = _whole(ptr, nbytes, "be") if nbytes <= 8 else ""
        if not text:
            raise NotImplementedError(f"{item.loc.file}:{item.loc.line}: {item.name} spans more than 8 bytes")
        if shift:
            text = f"{text} >> {shift}"
        if bit:
            mask = c_expr.number((1 << item.bits) - 1, hex((1 << item.bits) - 1))
            text = f"({text}) & {mask}" if shift else f"{text} & {mask}"
        text = f"({names.uint_type(item.bits)})({text})"
    return _sign(item, text)


def _whole(ptr: str, nbytes: int, order: str) -> str:
    if nbytes == 1:
        return f"({ptr})[0]" if " " in ptr else f"{ptr}[0]"
    if nbytes in (2, 4, 8):
        return f"mrg_{order}{8 * nbytes}({ptr})"
    return f"mrg_{order}({ptr}, {nbytes})"


def _sign(item: ir.Scalar, text: str) -> str:
    if not item.signed:
        return text
    ctype = names.int_type(item.bits, True)
    if item.bits in (8, 16, 32, 64):
        return f"({ctype})({text})"
    half = c_expr.number(1 << (item.bits - 1), hex(1 << (item.bits - 1)))
    return f"({ctype})(((int64_t)({text}) ^ (int64_t){half}) - (int64_t){half})"


def scalar_type(item: ir.Scalar) -> str:
    return names.int_type(item.bits, item.signed)


def dyn_cond(shape: Shape, view: str = "v") -> str:
    """The condition of the packet's endian selection, over its view."""
    for item in layout.walk(shape.packet.items):
        if isinstance(item, ir.EndianSel):
            return c_expr.emit(item.cond, ViewEnv(shape, view))
    return "true"


def present(shape: Shape, slot: Slot, view: str = "v") -> str:
    """C condition that an optional item is there."""
    group = slot.group
    assert group is not None and group.end is not None and isinstance(group.item, ir.Optional_)
    cond = group.item.cond
    sizes = [layout.fixed_bits(i) for i in group.item.items]
    context = any(isinstance(e, (ir.Avail, ir.Here, ir.Peek)) for e in layout.refs(cond))
    if context or any(s for s in sizes if s):
        own = f"{group.end.pointer(view)} != {group.start.pointer(view)}"
    else:
        own = c_expr.emit(cond, ViewEnv(shape, view))
    if group.group is None:
        return own
    return f"({present(shape, group, view)}) && ({own})"


def _accessor(w: Writer, shape: Shape, slot: Slot) -> None:
    item = slot.item
    if item.doc:
        w.comment(names.c_comment(item.doc))
    if slot.group is not None:
        with w.function(f"static inline bool {shape.cname}_has_{item.name}(const struct {shape.cname} *v)"):
            w.line(f"return {present(shape, slot)};")
    if isinstance(item, ir.Scalar):
        _scalar(w, shape, slot, item)
    elif isinstance(item, ir.Let):
        with w.function(f"static inline uint{c_expr.let_bits(item)}_t {shape.cname}_{item.name}(const struct {shape.cname} *v)"):
            value = c_expr.let_value(item, ViewEnv(shape, "v", slot.start))
            if not re.search(r"\bv\b", value):
                w.line("(void)v;")
            w.line(f"return {value};")
    elif isinstance(item, ir.Varint):
        _varint(w, shape, slot, item)
    elif isinstance(item, ir.Bytes):
        _bytes(w, shape, slot, item)
    elif isinstance(item, ir.Sub):
        with w.function(f"static inline struct {names.packet(item.packet)} {shape.cname}_{item.name}(const struct {shape.cname} *v)"):
            _sub_view(w, shape, slot, item, "r")
            w.line("return r;")
    elif isinstance(item, ir.List):
        _list(w, shape, slot, item)
    elif isinstance(item, ir.Switch):
        _switch(w, shape, slot, item)
    elif isinstance(item, ir.Chain):
        c_chain.emit_iterator(w, shape, slot, item)


def _scalar(w: Writer, shape: Shape, slot: Slot, item: ir.Scalar) -> None:
    dyn = dyn_cond(shape) if item.endian == "dyn" else ""
    value = scalar_load(item, slot.start, "v", dyn)
    if slot.group is not None:
        value = f"{shape.cname}_has_{item.name}(v) ? {value} : ({scalar_type(item)})0"
    with w.function(f"static inline {scalar_type(item)} {shape.cname}_{item.name}(const struct {shape.cname} *v)"):
        w.line(f"return {value};")


def _varint(w: Writer, shape: Shape, slot: Slot, item: ir.Varint) -> None:
    assert slot.end is not None
    ctype = names.uint_type(64 if item.spec.hi > 0xFFFFFFFF else 32)
    with w.function(f"static inline {ctype} {shape.cname}_{item.name}(const struct {shape.cname} *v)"):
        w.line("size_t size;")
        if slot.group is not None:
            w.line(f"if (!{shape.cname}_has_{item.name}(v))")
            w.line("\treturn 0;")
        w.line(f"return ({ctype}){c_common.varint_name(item.spec)}_load({slot.start.pointer('v')}, {slot.end.pointer('v')}, &size);")


def extent(slot: Slot, view: str = "v") -> str:
    """The item's bytes as a span initialiser."""
    start = slot.start.pointer(view)
    if slot.end is None:
        bits = layout.fixed_bits(slot.item)
        assert bits is not None
        return f"{{ {start}, {bits // 8}u }}"
    return f"{{ {start}, (size_t)({slot.end.pointer(view)} - ({start})) }}" if " " in start else (
        f"{{ {start}, (size_t)({slot.end.pointer(view)} - {start}) }}"
    )


def unplaced(slot: Slot) -> bool:
    """Where the item's group is absent its end lies before its start: something of the group stands before it."""
    outer = slot.group
    while outer is not None and outer.group is not None:
        outer = outer.group
    return outer is not None and outer.start != slot.start


def _bytes(w: Writer, shape: Shape, slot: Slot, item: ir.Bytes) -> None:
    with w.function(f"static inline struct mrg_span {shape.cname}_{item.name}(const struct {shape.cname} *v)"):
        if slot.group is not None:
            w.line(f"if (!{shape.cname}_has_{item.name}(v))")
            w.line("\treturn (struct mrg_span){ 0 };")
        if item.mode == "until":
            w.line(f"struct mrg_span s = {extent(slot)};")
            w.line("s.len--; /* the terminator */")
            w.line("return s;")
        else:
            w.line(f"return (struct mrg_span){extent(slot)};")


def call_args(shape: Shape, args: list[ir.Expr | ir.BufArg], params: list[ir.Param], env: c_expr.Env, this: str) -> str:
    """Arguments for a sub-packet's parameters, each preceded by a comma."""
    out = ""
    for param, arg in zip(params, args):
        if isinstance(arg, ir.BufArg):
            out += ", " + (this if arg.param is None else env.param(arg.param))
        else:
            out += f", ({names.uint_type(param.bits)})({c_expr.emit(arg, env)})"
    return out


THIS_VIEW = "(struct mrg_span){ v->p, v->len }"


def _made(shape: Shape, slot: Slot, item: ir.Sub) -> str:
    """The view of a plain sub-packet that fills start..end, without a walk."""
    args = call_args(shape, item.args, item.packet.params, ViewEnv(shape, "v", slot.start), THIS_VIEW)
    start = slot.start.pointer("v")
    size = f"{item.packet.size_max}u"
    if slot.end is not None:
        size = f"(size_t)({slot.end.pointer('v')} - {'(' + start + ')' if ' ' in start else start})"
    return f"{{ {start}, {size}{args} }}"


def _sub_view(w: Writer, shape: Shape, slot: Slot, item: ir.Sub, out: str) -> None:
    """Declare `out`, the view of a sub-packet whose extent is known."""
    name = names.packet(item.packet)
    args = call_args(shape, item.args, item.packet.params, ViewEnv(shape, "v", slot.start), THIS_VIEW)
    start = slot.start.pointer("v")
    if slot.end is not None:
        end = slot.end.pointer("v")
    else:
        end = f"{start} + {item.packet.size_max}"
    if c_shape.build(item.packet).plain and not slot.tail and slot.group is None:
        w.line(f"const struct {name} {out} = {_made(shape, slot, item)};")
    elif slot.group is not None:
        w.line(f"struct {name} {out} = {{ 0 }};")
        w.line(f"if ({shape.cname}_has_{item.name}(v))")
        w.line(f"\t{name}_view_({start}, {end}{args}, &{out});")
    else:
        w.line(f"struct {name} {out};")
        w.line(f"{name}_view_({start}, {end}{args}, &{out});")


# --- lists -------------------------------------------------------------------------


def elem_type(elem: ir.Item) -> str:
    if isinstance(elem, ir.Scalar):
        return scalar_type(elem)
    if isinstance(elem, ir.Bytes):
        return "struct mrg_span"
    if isinstance(elem, ir.Sub):
        return f"struct {names.packet(elem.packet)}"
    if isinstance(elem, ir.Varint):
        return "uint64_t"
    raise NotImplementedError(f"{elem.loc.file}:{elem.loc.line}: {type(elem).__name__} as an element or an arm")


def _list(w: Writer, shape: Shape, slot: Slot, item: ir.List) -> None:
    it = f"{shape.cname}_{item.name}_it"
    elem = item.elem
    params = elem.packet.params if isinstance(elem, ir.Sub) else []
    counted = item.mode == "count"
    with w.block(f"struct {it}", "};"):
        w.line("const uint8_t *at, *end;")
        if counted:
            w.line("uint64_t left;")
        if isinstance(elem, ir.Bytes):
            w.line("size_t item_len;")
        if isinstance(elem, ir.Scalar) and elem.endian == "dyn":
            w.line("bool big;")
        for p in params:
            w.line(f"{'struct mrg_span' if p.kind == 'buffer' else names.uint_type(p.bits)} {names.param(p.name)};")
    w.line()
    w.contract(f"struct {it}")
    env = ViewEnv(shape, "v", slot.start)
    with w.function(f"static inline struct {it} {shape.cname}_{item.name}(const struct {shape.cname} *v)"):
        assert slot.end is not None
        w.line(f"struct {it} it = {{ .at = {slot.start.pointer('v')}, .end = {slot.end.pointer('v')} }};")
        if unplaced(slot):
            w.line(f"if (!{shape.cname}_has_{item.name}(v))")
            w.line("\tit.at = it.end;")
        if counted and item.expr is not None:
            count = c_expr.emit(item.expr, env)
            if slot.group is not None:
                count = f"{shape.cname}_has_{item.name}(v) ? {count} : 0u"
            w.line(f"it.left = {count};")
        if isinstance(elem, ir.Bytes) and elem.length is not None:
            w.line(f"it.item_len = {c_expr.emit(elem.length, env)};")
        if isinstance(elem, ir.Scalar) and elem.endian == "dyn":
            w.line(f"it.big = {dyn_cond(shape)};")
        if isinstance(elem, ir.Sub):
            for p, arg in zip(params, elem.args):
                text = call_args(shape, [arg], [p], env, THIS_VIEW)[2:]
                w.line(f"it.{names.param(p.name)} = {text};")
        w.line("return it;")
    w.comment("The next element; false after the last.")
    with w.function(f"static inline bool {shape.cname}_{item.name}_next(struct {it} *it, {elem_type(elem)} *out)"):
        w.line("if (it->left == 0)" if counted else "if (it->at == it->end)")
        w.line("\treturn false;")
        if counted:
            w.line("it->left--;")
        _list_step(w, elem, params)
        w.line("return true;")
    c_index.emit(w, shape, slot, item)


def _list_step(w: Writer, elem: ir.Item, params: list[ir.Param]) -> None:
    if isinstance(elem, ir.Scalar):
        w.line(f"*out = {load(elem, 'it->at', 0, 'it->big')};")
        w.line(f"it->at += {elem.bits // 8};")
    elif isinstance(elem, ir.Bytes):
        w.line("*out = (struct mrg_span){ it->at, it->item_len };")
        w.line("it->at += it->item_len;")
    elif isinstance(elem, ir.Sub):
        args = "".join(f", it->{names.param(p.name)}" for p in params)
        w.line(f"{names.packet(elem.packet)}_view_(it->at, it->end{args}, out);")
        w.line("it->at += out->len;")
    elif isinstance(elem, ir.Varint):
        w.line("size_t size;")
        w.line(f"*out = {c_common.varint_name(elem.spec)}_load(it->at, it->end, &size);")
        w.line("it->at += size;")


# --- switches ------------------------------------------------------------------------


def arm_enum(shape: Shape, item: ir.Switch) -> str:
    return f"{shape.cname}_{item.name}_arm"


def arm_const(shape: Shape, item: ir.Switch, arm: Optional[ir.Arm]) -> str:
    return f"{shape.cname}_{item.name}_{arm.name if arm else 'no_arm'}".upper()


def _switch(w: Writer, shape: Shape, slot: Slot, item: ir.Switch) -> None:
    assert slot.end is not None
    with w.block(f"enum {arm_enum(shape, item)}", "};"):
        w.line(f"{arm_const(shape, item, None)},")
        for arm in item.arms:
            w.line(f"{arm_const(shape, item, arm)},")
    w.line()
    name = f"{shape.cname}_{item.name}"
    with w.function(f"static inline struct mrg_span {name}_raw(const struct {shape.cname} *v)"):
        if unplaced(slot):
            w.line(f"if (!{shape.cname}_has_{item.name}(v))")
            w.line("\treturn (struct mrg_span){ 0 };")
        w.line(f"return (struct mrg_span){extent(slot)};")
    with w.function(f"static inline enum {arm_enum(shape, item)} {name}_which(const struct {shape.cname} *v)"):
        if slot.group is not None:
            w.line(f"if (!{shape.cname}_has_{item.name}(v))")
            w.line(f"\treturn {arm_const(shape, item, None)};")
        env = SwitchEnv(shape, slot)
        on = c_expr.emit(item.on, env)
        c_common.dispatch(w, item, on, lambda arm: w.line(f"return {arm_const(shape, item, arm)};"), brief=True, sure=True)
    for arm in item.arms:
        _arm(w, shape, slot, item, arm)


class SwitchEnv(ViewEnv):
    """`peek` looks at the item's own first bytes, which were checked."""

    def __init__(self, shape: Shape, slot: Slot) -> None:
        super().__init__(shape, "v", slot.start)
        self.slot = slot

    def peek(self, e: ir.Peek) -> str:
        start = self.slot.start.pointer(self.view)
        return _whole(start, e.bits // 8, "le" if e.endian == "little" else "be")


def disjoint(item: ir.Switch) -> bool:
    """No value could be of two arms: the order of the arms does not matter."""
    full = item.on.hi
    ranges = sorted((p.lo, p.hi) for arm in item.arms for p in arm.pats)
    whole = all((p.mask & full) == full for arm in item.arms for p in arm.pats)
    return whole and all(a[1] < b[0] for a, b in zip(ranges, ranges[1:]))


def _arm_test(shape: Shape, slot: Slot, item: ir.Switch, arm: ir.Arm) -> str:
    """C condition for an arm by its own values, or "" when others must be asked."""
    if slot.group is not None or not arm.pats or len(arm.pats) > 2:
        return ""
    full = item.on.hi
    if any((p.mask & full) != full or p.lo != p.hi for p in arm.pats):
        return ""
    mine = {p.lo for p in arm.pats}
    for other in item.arms:
        if other is arm:
            break
        if any((p.mask & full) != full or any(p.lo <= v <= p.hi for v in mine) for p in other.pats):
            return ""
    on = c_expr.emit(item.on, SwitchEnv(shape, slot))
    on = f"({on})" if " " in on else on
    return " || ".join(f"{on} == {c_expr.number(p.lo)}" for p in arm.pats)


def _arm(w: Writer, shape: Shape, slot: Slot, item: ir.Switch, arm: ir.Arm) -> None:
    name = f"{shape.cname}_{item.name}_as_{arm.name}"
    out = "" if arm.item is None else f", {elem_type(arm.item)} *out"
    with w.function(f"static inline bool {name}(const struct {shape.cname} *v{out})"):
        direct = _arm_test(shape, slot, item, arm)
        w.line(f"if (!({direct}))" if direct else f"if ({shape.cname}_{item.name}_which(v) != {arm_const(shape, item, arm)})")
        w.line("\treturn false;")
        if arm.item is not None:
            arm_value(w, shape, slot, arm.item, "*out", "out")
        w.line("return true;")


def arm_value(w: Writer, shape: Shape, slot: Slot, item: ir.Item, out: str, address: str) -> None:
    """Set `out` to the value of the arm that a checked view has."""
    start = slot.start.pointer("v")
    assert slot.end is not None
    end = slot.end.pointer("v")
    if isinstance(item, ir.Scalar):
        dyn = dyn_cond(shape) if item.endian == "dyn" else ""
        w.line(f"{out} = {scalar_load(item, slot.start, 'v', dyn)};")
    elif isinstance(item, ir.Bytes):
        w.line(f"{out} = (struct mrg_span){extent(slot)};")
        if item.mode == "until":
            w.line(f"({out}).len--; /* the terminator */")
    elif isinstance(item, ir.Sub) and c_shape.build(item.packet).plain and not slot.tail:
        w.line(f"{out} = (struct {names.packet(item.packet)}){_made(shape, slot, item)};")
    elif isinstance(item, ir.Sub):
        args = call_args(shape, item.args, item.packet.params, ViewEnv(shape, "v", slot.start), THIS_VIEW)
        w.line(f"{names.packet(item.packet)}_view_({start}, {end}{args}, {address});")
    elif isinstance(item, ir.Varint):
        w.line("size_t size;")
        w.line(f"{out} = {c_common.varint_name(item.spec)}_load({start}, {end}, &size);")


# --- warnings --------------------------------------------------------------------------


def _warnings(w: Writer, shape: Shape) -> None:
    """X_warnings: bits of the `warn` constraints that a checked packet breaks."""
    checks = [i for i in layout.walk(shape.packet.items) if isinstance(i, ir.Check) and i.severity == "warn"]
    if not checks:
        return
    env = ViewEnv(shape)
    used: set[str] = set()
    rows = []
    for i, check in enumerate(checks):
        label = f"{shape.cname}_warn_{check.name or 'rule'}".upper()
        while label in used:
            label += "_"
        used.add(label)
        rows.append((label, i, check))
    with w.block("enum", "};"):
        for label, i, check in rows:
            w.line(f"{label} = 1 << {i}, /* {names.c_comment(check.what)} */")
    w.line()
    w.comment("Which `warn` constraints the packet breaks: a set of the bits above.")
    with w.function(f"static inline unsigned {shape.cname}_warnings(const struct {shape.cname} *v)"):
        w.line("unsigned bits = 0;")
        for label, _, check in rows:
            _warning_sums(w, shape, env, check)
            slot = shape.by_item.get(id(check))
            env.place = slot.start if slot is not None else None
            there = f"{present(shape, slot)} && " if slot is not None and slot.group is not None else ""
            w.line(f"if ({there}!({c_expr.emit(check.expr, env)}))")
            w.line(f"\tbits |= {label};")
        w.line("return bits;")


def _warning_sums(w: Writer, shape: Shape, env: ViewEnv, check: ir.Check) -> None:
    """Locals for the checksums that a warning compares with."""
    for e in layout.refs(check.expr):
        if not isinstance(e, ir.Sum):
            continue
        holder = next(s for s in shape.slots if s.item.name == check.name)
        first, last = shape.slot(e.first), shape.slot(e.last)
        end = last.end.pointer("v") if last.end is not None else (
            f"{last.start.pointer('v')} + {(layout.fixed_bits(e.last) or 0) // 8}"
        )
        env.sums[id(e)] = f"sum{len(env.sums)}"
        words = [(c_expr.emit(x, env), n) for x, n in e.pseudo]
        width = (layout.fixed_bits(holder.item) or 0) // 8
        start, at = first.start.pointer("v"), holder.start.pointer("v")
        c_sum.emit(w, e.kind, start, end, at, width, words, env.sums[id(e)], settable.covers(shape.packet, e, holder.item))
