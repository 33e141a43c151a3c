"""Writing a packet: arguments, put, begin/end around holes, copy.

A hole is a part that the caller writes between begin and end: a list, a switch,
a chain amid other items, or a sub-packet that has holes itself."""

from __future__ import annotations

from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Iterator, Optional

from .. import ir, layout, names
from . import c_chain, c_expr, c_shape, c_sum, c_view
from .c_shape import Shape
from .writer import Writer


class Unbuildable(Exception):
    """The expression depends on what a builder can't know yet."""


@dataclass
class Plan:
    """How a packet is written: its parts between holes, and what is patched."""

    packet: ir.Packet
    parts: list[list[ir.Item]] = field(default_factory=list)  # len(holes) + 1
    holes: list[ir.Item] = field(default_factory=list)  # List, Switch, Chain or Sub
    regions: dict[int, ir.Region] = field(default_factory=dict)  # id(hole) -> its region
    derived: list[layout.Length] = field(default_factory=list)
    why_not: str = ""

    def derived_of(self, item: ir.Item) -> Optional[layout.Length]:
        return next((d for d in self.derived if d.path[0] is item and len(d.path) == 1), None)

    @property
    def computed(self) -> list[ir.Scalar | ir.Varint]:
        return [
            i
            for i in layout.walk(self.packet.items)
            if isinstance(i, (ir.Scalar, ir.Varint)) and i.computed is not None
        ]


_PLANS: dict[int, Plan] = {}


def plan(packet: ir.Packet) -> Plan:
    known = _PLANS.get(id(packet))
    if known is not None and known.packet is packet:
        return known
    out = Plan(packet, [[]], derived=layout.lengths(packet))
    for item in packet.items:
        inner = item.item if isinstance(item, ir.Region) else item
        if is_hole(inner):
            out.holes.append(inner)
            out.parts.append([])
            if isinstance(item, ir.Region):
                out.regions[id(inner)] = item
        else:
            out.parts[-1].append(item)
            if isinstance(item, ir.Optional_) and any(is_hole(_inner(i)) for i in layout.walk(item.items)):
                out.why_not = "an optional part holds a list, a switch or a chain"
            for i in layout.walk([item]):
                if isinstance(i, ir.Varint) and (i.computed is not None or out.derived_of(i)):
                    out.why_not = "a computed number of varying size"
    _PLANS[id(packet)] = out
    return out


def _inner(item: ir.Item) -> ir.Item:
    return item.item if isinstance(item, ir.Region) else item


def is_hole(item: ir.Item) -> bool:
    if isinstance(item, (ir.List, ir.Switch, ir.Chain)):
        return True
    if isinstance(item, ir.Sub):
        if c_chain.only_chain(item.packet) is not None:
            return False
        inner = plan(item.packet)
        return bool(inner.holes) or bool(inner.why_not)
    return False


# --- arguments ------------------------------------------------------------------------


def members(p: Plan) -> list[ir.Item]:
    """Items that the caller gives, in order."""
    out: list[ir.Item] = []
    for part in p.parts:
        for item in layout.walk(part):
            if isinstance(item, (ir.Scalar, ir.Varint)):
                given = item.name and item.computed is None and p.derived_of(item) is None
                if given and not (isinstance(item, ir.Scalar) and item.const is not None):
                    out.append(item)
            elif isinstance(item, (ir.Bytes, ir.Sub)) and item.name:
                out.append(item)
    return out


def flags(p: Plan) -> list[ir.Optional_]:
    """Optional groups whose presence the caller must say."""
    out = []
    for part in p.parts:
        for item in layout.walk(part):
            if isinstance(item, ir.Optional_):
                try:
                    c_expr.emit(item.cond, ArgsEnv(p))
                except (Unbuildable, NotImplementedError):
                    out.append(item)
    return out


def flag_name(item: ir.Optional_) -> str:
    first = next((i.name for i in layout.named(item.items)), "part")
    return f"has_{item.name or first}"


def member_type(item: ir.Item) -> str:
    if isinstance(item, ir.Scalar):
        return names.int_type(item.bits, item.signed)
    if isinstance(item, ir.Varint):
        return names.uint_type(64 if item.spec.hi > 0xFFFFFFFF else 32)
    if isinstance(item, ir.Sub) and c_chain.only_chain(item.packet) is None:
        return f"struct {names.packet(item.packet)}_args"
    return "struct mrg_span"


class ArgsEnv(c_expr.Env):
    """Leaves of an expression are arguments of the builder."""

    def __init__(self, p: Plan, args: str = "a") -> None:
        self.p = p
        self.args = args
        self.ends = False  # sizes of parts are known: we are at the end

    def field(self, ref: ir.FieldRef) -> str:
        text = self.args
        sep = "->"
        here = self.p
        for i, item in enumerate(ref.path):
            if isinstance(item, ir.Let):
                return f"({c_expr.emit(item.expr, self)})"
            if isinstance(item, ir.Scalar) and item.const is not None:
                return c_expr.number(item.const)
            text += f"{sep}{names.local(item.name)}"
            sep = "."
            if i + 1 < len(ref.path):
                if not isinstance(item, ir.Sub) or c_chain.only_chain(item.packet) is not None:
                    raise Unbuildable
                here = plan(item.packet)
                continue
            return self.leaf(here, item, text, i)
        raise Unbuildable

    def leaf(self, here: Plan, item: ir.Item, text: str, depth: int) -> str:
        if isinstance(item, ir.Scalar):
            d = here.derived_of(item)
            if d is not None and depth == 0 and isinstance(d.item, ir.Bytes):
                return f"(uint32_t){self.args}->{names.local(d.item.name)}.len"
            if (d is not None or item.computed is not None) and self.ends and depth == 0:
                bit = _bit_in_byte(here.packet, item)
                dyn = dyn_cond(here) if item.endian == "dyn" else ""
                load = c_view.load(item, f"(w->p + b->{item.name}_at)", bit, dyn)
                return load if item.bits > 32 else f"(uint32_t){load}"
            if d is not None or item.computed is not None:
                raise Unbuildable
            if any(x.path[-1] is item for x in self.p.derived):
                raise Unbuildable
            if item.signed:
                return f"(int64_t){text}"
            return text if item.bits > 32 else f"(uint32_t){text}"
        if isinstance(item, ir.Varint) and item.computed is None:
            return text
        raise Unbuildable

    def param(self, p: ir.Param) -> str:
        if p.kind == "int":
            return f"{self.args}->{names.param(p.name)}"
        raise Unbuildable

    def buflen(self, p: ir.Param) -> str:
        raise Unbuildable

    def size_of(self, item: Optional[ir.Item]) -> str:
        if item is None:
            if self.ends:
                return "(w->len - b->at)"
            raise Unbuildable
        bits = layout.fixed_bits(item)
        if bits is not None:
            return f"{bits // 8}u"
        if not self.ends:
            raise Unbuildable
        return f"(b->{item.name}_end - b->{item.name}_at)"

    def count_of(self, item: ir.Item) -> str:
        if not self.ends:
            raise Unbuildable
        return f"b->{item.name}_count"


def int_params(p: ir.Packet) -> list[ir.Param]:
    return [q for q in p.params if q.kind == "int"]


def tracked(p: Plan) -> tuple[list[ir.Item], list[ir.Item]]:
    """(items whose extent, items whose position) is asked for when patching."""
    extents: list[ir.Item] = []
    places: list[ir.Item] = []

    def add(to: list[ir.Item], item: ir.Item) -> None:
        if not any(i is item for i in to):
            to.append(item)

    for d in p.derived:
        add(places, d.path[0])
        if d.kind == "size":
            add(extents, d.item)
    for item in p.computed:
        add(places, item)
        for node in layout.refs(item.computed):
            if isinstance(node, ir.SizeOf) and node.item is not None and layout.fixed_bits(node.item) is None:
                add(extents, node.item)
            if isinstance(node, ir.Sum):
                add(extents, node.first)
                add(extents, node.last)
    return extents, places


def counts(p: Plan) -> list[ir.List]:
    return [h for h in p.holes if isinstance(h, ir.List)]


# --- header ---------------------------------------------------------------------------------


def emit_header(w: Writer, shape: Shape) -> None:
    p = plan(shape.packet)
    name = shape.cname
    chain = c_chain.only_chain(shape.packet)
    if chain is not None:
        w.comment("Write it again: pointers followed, and set anew when w->refs is set.")
        w.line(f"void {name}_copy(struct mrg_w *w, const struct {name} *v);")
        w.line()
        return
    if p.why_not:
        w.comment(f"No builder: {p.why_not}.")
        w.line()
        return
    _args_struct(w, p, name)
    if not p.holes:
        w.comment(f"Write a {shape.packet.name}. Lengths, counts, constants and checksums are filled in.\n"
                  "Fails (sticky): MRG_E_SPACE, MRG_E_RANGE for a number too large for its field, MRG_E_VALUE for\n"
                  "one that the specification forbids, MRG_E_LENGTH for bytes of the wrong length.")
        w.line(f"void {name}_put(struct mrg_w *w, const struct {name}_args *a);")
    else:
        _hole_prototypes(w, p, name)
    w.line(f"void {name}_copy(struct mrg_w *w, const struct {name} *v);")
    for hole in p.holes:
        if isinstance(hole, ir.Switch):
            w.comment(f"Write just the {hole.name} of a checked {shape.packet.name}.")
            w.line(f"void {name}_{hole.name}_copy(struct mrg_w *w, const struct {name} *v);")
            _movable(w, shape, hole)
    w.line()


def _args_struct(w: Writer, p: Plan, name: str) -> None:
    rows = [(member_type(i), names.local(i.name), i) for i in members(p)]
    with w.block(f"struct {name}_args", "};"):
        for q in int_params(p.packet):
            w.line(f"{names.uint_type(q.bits)} {names.param(q.name)};")
        for g in flags(p):
            w.line(f"bool {flag_name(g)};")
        for ctype, cname, item in rows:
            note = ""
            if isinstance(item, ir.Sub) and ctype == "struct mrg_span":
                note = " /* flat */"
            w.line(f"{ctype} {cname};{note}")
        if not rows and not int_params(p.packet) and not flags(p):
            w.line("uint8_t none;")
    w.line()


def _hole_prototypes(w: Writer, p: Plan, name: str) -> None:
    with w.block(f"struct {name}_build", "};"):
        for line in _build_members(p, name):
            w.line(line)
    w.line()
    holes = ", ".join(h.name for h in p.holes)
    w.comment(
        f"Write a {p.packet.name} around what the caller writes himself: {holes}, in this order.\n"
        f"begin; for each: its content, then {name}_<part>_end (not after the last); end fills in\n"
        f"lengths, counts and checksums.  Fails as a put does, sticky."
    )
    w.line(f"void {name}_begin(struct mrg_w *w, struct {name}_build *b, const struct {name}_args *a);")
    for i, hole in enumerate(p.holes):
        if isinstance(hole, ir.List):
            w.line(f"/* before each element of {hole.name} */")
            w.line(f"static inline void {name}_{hole.name}_add(struct mrg_w *w, struct {name}_build *b)")
            w.raw(f"{{\n\t(void)w;\n\tb->{hole.name}_count++;\n}}")
        if i + 1 < len(p.holes):
            w.line(f"void {name}_{hole.name}_end(struct mrg_w *w, struct {name}_build *b);")
    w.line(f"void {name}_end(struct mrg_w *w, struct {name}_build *b);")


def _build_members(p: Plan, name: str) -> list[str]:
    extents, places = tracked(p)
    rows = ["size_t at;"]
    for e in extents:
        rows.append(f"size_t {e.name}_at, {e.name}_end;")
    known = [*extents, *(i for i in places if not any(e is i for e in extents))]
    rows += [f"size_t {i.name}_at;" for i in known[len(extents) :]]
    rows += [f"size_t {h.name}_at;" for h in p.holes if _tail(p, h) and not any(k is h for k in known)]
    rows += [f"uint64_t {h.name}_count;" for h in counts(p)]
    rows.append(f"struct {name}_args args;")
    return rows


def _movable(w: Writer, shape: Shape, hole: ir.Switch) -> None:
    """X_F_movable(tag): the bytes of this arm mean the same anywhere."""
    fixed_arms = [a for a in hole.arms if a.item is not None and _bound(a.item)]
    name = f"{shape.cname}_{hole.name}_movable"
    ctype = "uint64_t" if hole.on.hi > 0xFFFFFFFF else "uint32_t"
    w.comment("Whether the bytes of the arm for this tag hold nothing that a builder would compress.")
    with w.function(f"static inline bool {name}({ctype} tag)"):
        if not fixed_arms:
            w.line("(void)tag;")
            w.line("return true;")
            return
        with w.block("switch (tag)"):
            for a in fixed_arms:
                for pat in a.pats:
                    for v in range(pat.lo, min(pat.hi, pat.lo + 15) + 1):
                        w.line(f"case {c_expr.number(v)}:{' /* ' + pat.text + ' */' if pat.text else ''}")
            w.line("\treturn false;")
            w.line("default:")
            w.line("\treturn true;")


def points(item: ir.Item) -> bool:
    """Bytes of this item may hold pointers: they mean something only where they stand."""
    if isinstance(item, ir.Sub):
        chain = c_chain.only_chain(item.packet)
        if chain is not None:
            return any(a.kind == "goto" for a in chain.arms)
        return any(points(i) for i in layout.walk(item.packet.items))
    if isinstance(item, ir.List):
        return points(item.elem)
    if isinstance(item, ir.Switch):
        return any(a.item is not None and points(a.item) for a in item.arms)
    return False


def _bound(item: ir.Item) -> bool:
    """A builder would compress something in this item."""
    if isinstance(item, ir.Sub):
        chain = c_chain.only_chain(item.packet)
        if chain is not None:
            return not item.flat and any(a.kind == "goto" for a in chain.arms)
        return any(_bound(i) for i in layout.walk(item.packet.items))
    if isinstance(item, ir.List):
        return _bound(item.elem)
    if isinstance(item, ir.Switch):
        return any(a.item is not None and _bound(a.item) for a in item.arms)
    return False


# --- source ------------------------------------------------------------------------------------


def emit_source(w: Writer, shape: Shape) -> None:
    from . import c_copy

    p = plan(shape.packet)
    if c_chain.only_chain(shape.packet) is not None or p.why_not:
        if c_chain.only_chain(shape.packet) is not None:
            c_copy.emit_chain(w, shape)
        return
    name = shape.cname
    if not p.holes:
        with w.function(f"void {name}_put(struct mrg_w *w, const struct {name}_args *a)"):
            extents, places = tracked(p)
            aligned = any(isinstance(i, ir.Align) for i in layout.walk(p.packet.items))
            if extents or places or p.computed or aligned:
                w.line("struct {")
                for row in _build_members(p, name)[:-1]:
                    w.line("\t" + row)
                w.line("} build = { .at = w->len }, *const b = &build;")
                w.line("(void)b;")
            mark = len(w.lines)
            _write_items(w, p, p.parts[0], "a")
            _patches(w, p, "a")
            if not any("a->" in line for line in w.lines[mark:]):
                w.line("(void)a;")
    else:
        _hole_functions(w, p, name)
    c_copy.emit(w, shape, p)


def _hole_functions(w: Writer, p: Plan, name: str) -> None:
    with w.function(f"void {name}_begin(struct mrg_w *w, struct {name}_build *b, const struct {name}_args *a)"):
        w.line(f"*b = (struct {name}_build){{ .at = w->len, .args = *a }};")
        if _is_buffer(p.packet):
            w.line("if (w->refs != NULL)")
            w.line("\tmrg_w_use_refs(w, w->refs); /* pointers count from here */")
        _write_items(w, p, p.parts[0], "a")
        _hole_starts(w, p, p.holes[0])
    for i, hole in enumerate(p.holes[:-1]):
        with w.function(f"void {name}_{hole.name}_end(struct mrg_w *w, struct {name}_build *b)"):
            w.line(f"const struct {name}_args *const a = &b->args;")
            w.line("(void)a;")
            _hole_ends(w, p, hole)
            _write_items(w, p, p.parts[i + 1], "a")
            _hole_starts(w, p, p.holes[i + 1])
            w.line("(void)w;")
    with w.function(f"void {name}_end(struct mrg_w *w, struct {name}_build *b)"):
        w.line(f"const struct {name}_args *const a = &b->args;")
        w.line("(void)a;")
        _hole_ends(w, p, p.holes[-1])
        _write_items(w, p, p.parts[-1], "a")
        _patches(w, p, "a")
        w.line("(void)w;")


def _is_buffer(packet: ir.Packet) -> bool:
    """Parts of the packet point into it (`this`)."""
    subs = [i for i in layout.walk(packet.items) if isinstance(i, ir.Sub)]
    subs += [i.elem for i in layout.walk(packet.items) if isinstance(i, ir.List) and isinstance(i.elem, ir.Sub)]
    return any(isinstance(a, ir.BufArg) and a.param is None for s in subs for a in s.args)


def _tracks(p: Plan, item: ir.Item) -> bool:
    return any(e is item for e in tracked(p)[0])


def _tail(p: Plan, hole: ir.Item) -> Optional[ir.Region]:
    region = p.regions.get(id(hole))
    return region if region is not None and region.tail else None


def _hole_starts(w: Writer, p: Plan, hole: ir.Item) -> None:
    if _tracks(p, hole) or _tail(p, hole):
        w.line(f"b->{hole.name}_at = w->len;")


def _hole_ends(w: Writer, p: Plan, hole: ir.Item) -> None:
    if _tracks(p, hole):
        w.line(f"b->{hole.name}_end = w->len;")
    region = _tail(p, hole)
    if region is not None:
        _pad_region(w, p, region, f"b->{hole.name}_at", "a")


def _write_items(w: Writer, p: Plan, items: list[ir.Item], a: str) -> None:
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
        for item in fields:
            _fits(w, p, item, a)
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
        for item in run:
            if isinstance(item, ir.Bytes):
                w.line(f"if ({a}->{names.local(item.name)}.len != {(layout.fixed_bits(item) or 0) // 8}u)")
                w.line("\tmrg_w_fail(w, MRG_E_LENGTH);")
            _fits(w, p, item, a)
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


def _fits(w: Writer, p: Plan, item: ir.Item, a: str) -> None:
    """A number wider than its field is refused, not cut."""
    if not isinstance(item, ir.Scalar) or item.bits in (8, 16, 32, 64) or item.signed:
        return
    if any(item is m for m in members(p)):
        limit = (1 << item.bits) - 1
        w.line(f"if ({a}->{names.local(item.name)} > {c_expr.number(limit, hex(limit))})")
        w.line("\tmrg_w_fail(w, MRG_E_RANGE);")
    d = p.derived_of(item)
    if d is not None and isinstance(d.item, ir.Bytes):
        pass


def value_of(p: Plan, item: ir.Scalar, a: str) -> str:
    """What a builder writes at first for a scalar."""
    if item.const is not None:
        return c_expr.number(item.const & ((1 << item.bits) - 1))
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


def dyn_cond(p: Plan) -> str:
    for item in layout.walk(p.packet.items):
        if isinstance(item, ir.EndianSel):
            return c_expr.emit(item.cond, ArgsEnv(p))
    return "true"


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
    inner = _inner(item)
    track = _tracks(p, inner)
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
        from .c_scan import varint_name

        w.line(f"{varint_name(inner.spec)}_put(w, {a}->{names.local(inner.name)});")
    elif isinstance(inner, ir.Align):
        w.line(f"mrg_w_zero(w, ({inner.to}u - (w->len - b->at) % {inner.to}u) % {inner.to}u);")
    elif isinstance(inner, ir.Optional_):
        with w.block(f"if ({group_cond(p, inner, a)})"):
            _write_items(w, p, inner.items, a)
    else:
        raise NotImplementedError(f"{inner.loc.file}:{inner.loc.line}: building {type(inner).__name__}")
    if track:
        w.line(f"b->{inner.name}_end = w->len;")
    if isinstance(item, ir.Region) and item.tail:
        _pad_region(w, p, item, "first", a)


def _pad_region(w: Writer, p: Plan, region: ir.Region, start: str, a: str) -> None:
    """Zeros up to the length of a region that its item may leave some of."""
    try:
        length = c_expr.emit(region.length, ArgsEnv(p, a))
    except (Unbuildable, NotImplementedError):
        return
    w.line(f"if (w->len - {start} > {length})")
    w.line("\tmrg_w_fail(w, MRG_E_LENGTH);")
    w.line("else")
    w.line(f"\tmrg_w_zero(w, {length} - (w->len - {start}));")


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


# --- patches -----------------------------------------------------------------------------------


def _patches(w: Writer, p: Plan, a: str) -> None:
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
            bit = _bit_in_byte(p.packet, target)
        value = f"b->{d.item.name}_count" if d.kind == "count" else f"(b->{d.item.name}_end - b->{d.item.name}_at)"
        with _if_present(w, p, d.path[0], a):
            _patch(w, p, target, where, bit % 8, value)
    late: list[ir.Scalar] = []
    for item in p.computed:
        assert isinstance(item, ir.Scalar)
        if any(isinstance(n, ir.Sum) for n in layout.refs(item.computed)):
            late.append(item)
            continue
        assert item.computed is not None
        value = c_expr.emit(item.computed, env)
        with _if_present(w, p, item, a):
            _patch(w, p, item, f"b->{item.name}_at", _bit_in_byte(p.packet, item), value)
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


def group_cond(p: Plan, group: ir.Optional_, a: str) -> str:
    """C condition that the caller wants an optional group."""
    if any(f is group for f in flags(p)):
        return f"{a}->{flag_name(group)}"
    return c_expr.emit(group.cond, ArgsEnv(p, a))


def _inner_bits(path: tuple[ir.Item, ...]) -> int:
    """Bits from the first byte of path[0] (fixed sub-packets) to path[-1]."""
    bits = 0
    for outer, inner in zip(path, path[1:]):
        assert isinstance(outer, ir.Sub)
        slot = c_shape.build(outer.packet).slot(inner)
        assert slot.start.anchor is None
        bits += slot.start.bits
    return bits


def _bit_in_byte(packet: ir.Packet, item: ir.Item) -> int:
    return c_shape.build(packet).slot(item).start.bits % 8


def _patch(w: Writer, p: Plan, item: ir.Scalar, where: str, bit: int, value: str) -> None:
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
            w.line(f"mrg_put_be(q, {n}, mrg_be(q, {n}) | value{f' << {shift}' if shift else ''});")


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
