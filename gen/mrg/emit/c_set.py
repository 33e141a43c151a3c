"""Setters: fields of a checked packet changed where they stand, its checksums brought up to date."""

from __future__ import annotations

from typing import Sequence, Union

from .. import ir, layout, names, settable
from . import c_expr, c_sum, c_view
from .c_shape import Place, Shape, Slot
from .writer import Writer

Field = Union[ir.Scalar, ir.Bytes]


def emit(w: Writer, shape: Shape) -> None:
    """The setters of a packet that has some, inline in the header."""
    plan = settable.plan(shape.packet)
    if plan is None:
        return
    if plan.why_not:
        w.comment(f"No setters: {plan.why_not}.")
        w.line()
        return
    for holder, s in settable.sums(shape.packet):
        touched = any(u.holder is holder for f in plan.fields for u in settable.updates(shape.packet, f) or ())
        if touched and (s.kind != "inet16" or not settable.never_zero(shape.packet, holder, s)):
            _anew(w, shape, holder, s)
    if plan.fields:
        _contract(w, shape)
    _places(w, shape, plan.fields)
    for item in plan.fields:
        _setter(w, shape, item)
    for name, why in plan.refused:
        w.comment(f"No setter of {name}: {why}.")
    if plan.refused:
        w.line()


def _contract(w: Writer, shape: Shape) -> None:
    kinds = {s.kind for _, s in settable.sums(shape.packet)}
    cost = "that of a store"
    if "inet16" in kinds:
        cost += "; each inet16 over the field is updated by the words that change (RFC 1624)"
    if kinds - {"inet16"}:
        cost += ";\n          a CRC over the field is computed again over all its bytes"
    w.comment(
        f"{shape.cname}_set_F - set the field F of a checked {shape.packet.name}, and the packet's checksums with it.\n"
        f"  v      the view; it and views of its parts stay valid\n"
        f"  bytes  the address of v->p, through which the caller may write: just the same memory\n"
        f"Cost:     {cost}.\n"
        f"Fails:    MRG_E_RANGE for a number that F can't hold or bytes of another length, MRG_E_VALUE for what the\n"
        f"          specification forbids and for a field that is absent. Nothing is changed then.\n"
        f"An inet16 that was wrong stays wrong by as much. What another packet computes over this one is left to the\n"
        f"caller: mrg_inet16_update does it."
    )


def _places(w: Writer, shape: Shape, fields: Sequence[Field]) -> None:
    """Where whole bytes of a `mutable` packet stand that always stand there: for who lets others set them."""
    starts = [(f.name, shape.slot(f).start) for f in fields if shape.packet.mutable and shape.slot(f).group is None]
    fixed = [f"{shape.cname}_{name}_at".upper() + f" = {place.bits // 8}" for name, place in starts if place.anchor is None and place.bits % 8 == 0]
    if fixed:
        w.comment("Bytes before a field: for whoever sets it on behalf of others, as a network card does.")
        w.line("enum {")
        for text in fixed:
            w.line(f"\t{text},")
        w.line("};")
        w.line()


def _setter(w: Writer, shape: Shape, item: Field) -> None:
    name, slot = shape.cname, shape.slot(item)
    ctype = c_view.scalar_type(item) if isinstance(item, ir.Scalar) else "struct mrg_span"
    head = f"static inline MRG_MUST_USE enum mrg_status {name}_set_{item.name}(const struct {name} *v, uint8_t *bytes, {ctype} value)"
    with w.function(head):
        mark = len(w.lines)
        if slot.group is not None:
            _refuse(w, f"!{name}_has_{item.name}(v)", "MRG_E_VALUE")
        if isinstance(item, ir.Scalar):
            _limits(w, item)
            _constraints(w, shape, slot, item)
        else:
            _refuse(w, f"value.len != {(layout.fixed_bits(item) or 0) // 8}u", "MRG_E_RANGE")
        sums = _Sums(w, shape, item)
        w.line(f"uint8_t *const q = {_writable(slot.start)};")
        sums.before()
        if isinstance(item, ir.Scalar):
            _store(w, item, "q", slot.start.bits % 8, c_view.dyn_cond(shape) if item.endian == "dyn" else "")
        else:
            w.line(f"memmove(q, value.p, {(layout.fixed_bits(item) or 0) // 8}u);")
        sums.after()
        if not any("v->" in line or "(v)" in line for line in w.lines[mark:]):
            w.line("(void)v;")
        w.line("return MRG_OK;")


def _refuse(w: Writer, cond: str, status: str, what: str = "") -> None:
    w.line(f"if ({cond})")
    w.line(f"\treturn {status};" + (f" /* {names.c_comment(what)} */" if what else ""))


def _writable(place: Place) -> str:
    """The caller's address of a place."""
    if place.anchor is None:
        return "bytes" + (f" + {place.bits // 8}" if place.bits >= 8 else "")
    return f"bytes + ({place.pointer('v')} - v->p)"


# --- what a value may be ---------------------------------------------------------------------------


def _limits(w: Writer, item: ir.Scalar) -> None:
    """The value fits in the field."""
    if item.bits in (8, 16, 32, 64):
        return
    if not item.signed:
        most = (1 << item.bits) - 1
        _refuse(w, f"value > {c_expr.number(most, hex(most))}", "MRG_E_RANGE")
        return
    half = 1 << (item.bits - 1)
    suffix = "" if item.bits <= 32 else "ll"
    _refuse(w, f"value < -{half}{suffix} || value > {half - 1}{suffix}", "MRG_E_RANGE")


class _ValueEnv(c_view.ViewEnv):
    """The field is what it is to become."""

    def field(self, ref: ir.FieldRef) -> str:
        item = ref.path[-1]
        assert isinstance(item, ir.Scalar)
        if item.signed:
            return "(int64_t)value"
        return "value" if item.bits > 32 else "(uint32_t)value"


def _constraints(w: Writer, shape: Shape, slot: Slot, item: ir.Scalar) -> None:
    """The field's own constraints; a group that they stand in is there or not."""
    if item.enum is not None and item.enum.closed:
        _refuse(w, f"!{names.enum(item.enum)}_known({'(uint64_t)' if item.signed else ''}value)", "MRG_E_VALUE")
    for check in layout.walk(shape.packet.items):
        if not isinstance(check, ir.Check) or check.severity == "warn" or c_expr.always_true(check.expr):
            continue
        if settable.own(check) is not item:
            continue
        cond = f"!({c_expr.emit(check.expr, _ValueEnv(shape))})"
        at = shape.by_item.get(id(check))
        if at is not None and at.group is not None and at.group is not slot.group:
            cond = f"({c_view.present(shape, at)}) && {cond}"
        _refuse(w, cond, "MRG_E_VALUE", check.what)


# --- storing ---------------------------------------------------------------------------------------


def _store(w: Writer, item: ir.Scalar, at: str, bit: int, dyn: str, value: str = "value", ctype: str = "") -> None:
    """Put an integer at a place; what shares its bytes stays."""
    ctype = ctype or c_view.scalar_type(item)
    n = (bit + item.bits + 7) // 8
    wide = value if ctype == "uint64_t" else f"(uint64_t){value}"
    if bit or item.bits % 8:
        shift = n * 8 - bit - item.bits
        low = (1 << item.bits) - 1
        keep = ((1 << 8 * n) - 1) & ~(low << shift)
        raw = f"({wide} & {c_expr.number(low, hex(low))})" if item.signed else wide
        shifted = f"{raw} << {shift}" if shift else raw
        keeps = c_expr.number(keep, hex(keep))
        if n == 1:
            w.line(f"{at}[0] = (uint8_t)(({at}[0] & {keeps}) | {shifted});")
        elif n == 2:
            w.line(f"mrg_put_be16({at}, (uint16_t)((mrg_be16({at}) & {keeps}) | {shifted}));")
        else:
            w.line(f"mrg_put_be({at}, {n}, (mrg_be({at}, {n}) & {keeps}) | {shifted});")
    elif n == 1:
        w.line(f"{at}[0] = {value if ctype == 'uint8_t' else f'(uint8_t){value}'};")
    elif dyn:
        w.line(f"if ({dyn})")
        w.line(f"\tmrg_put_be({at}, {n}, {wide});")
        w.line("else")
        w.line(f"\tmrg_put_le({at}, {n}, {wide});")
    elif item.endian == "little":
        w.line(f"mrg_put_le({at}, {n}, {wide});")
    elif n in (2, 4):
        exact = f"uint{8 * n}_t"
        w.line(f"mrg_put_be{8 * n}({at}, {value if ctype == exact else f'({exact}){value}'});")
    else:
        w.line(f"mrg_put_be({at}, {n}, {wide});")


# --- checksums ---------------------------------------------------------------------------------------


class _Sums:
    """The checksums over a field: their old words are noted before it is stored, the new ones added after."""

    def __init__(self, w: Writer, shape: Shape, item: Field) -> None:
        self.w = w
        self.shape = shape
        self.item = item
        self.updates = settable.updates(shape.packet, item) or []

    def before(self) -> None:
        for i, u in enumerate(self.updates):
            for j, item in enumerate(u.changed if u.sum.kind == "inet16" else ()):
                self.w.line(f"const uint16_t was{i}_{j} = {self.word(u, item)};")

    def after(self) -> None:
        for i, u in enumerate(self.updates):
            holder = self.shape.slot(u.holder)
            with self.w.block(f"if ({self.shape.cname}_has_{u.holder.name}(v))" if holder.group is not None else ""):
                self.w.line(f"uint8_t *const at{i} = {_writable(holder.start)};")
                if u.sum.kind == "inet16":
                    self.inet16(u, i)
                else:
                    self.w.line(f"const uint32_t sum{i} = {self.shape.cname}_{u.holder.name}_anew_(v);")
                    self.put(u, i, "uint32_t")

    def put(self, u: settable.Update, i: int, ctype: str) -> None:
        dyn = c_view.dyn_cond(self.shape) if u.holder.endian == "dyn" else ""
        _store(self.w, u.holder, f"at{i}", 0, dyn, f"sum{i}", ctype)

    def inet16(self, u: settable.Update, i: int) -> None:
        dyn = c_view.dyn_cond(self.shape) if u.holder.endian == "dyn" else ""
        self.w.line(f"uint16_t sum{i} = {c_view.load(u.holder, f'at{i}', 0, dyn)};")
        for j, item in enumerate(u.changed):
            self.w.line(f"sum{i} = mrg_inet16_update(sum{i}, was{i}_{j}, {self.word(u, item)});")
        if not settable.never_zero(self.shape.packet, u.holder, u.sum):
            self.w.line(f"if (MRG_UNLIKELY(sum{i} == 0) && {self.shape.cname}_{u.holder.name}_anew_(v) == 0xffffu)")
            self.w.line(f"\tsum{i} = 0xffffu; /* one's complement has two zeros: this one is that of nothing but zeros */")
        self.put(u, i, "uint16_t")

    def word(self, u: settable.Update, item: ir.Item) -> str:
        """The words that an item's bytes are part of, the rest of them zero, added up."""
        at, first = self.shape.slot(item).start, self.shape.slot(u.sum.first).start
        n = (at.bits % 8 + (layout.fixed_bits(item) or 0) + 7) // 8
        where = "q" if item is self.item else _writable(at)
        odd = f"(size_t)({_address(at)} - {_address(first)})"
        if at.anchor == first.anchor:
            parity = (at.bits // 8 - first.bits // 8) % 2
            odd = f"{parity}u"
            base = f"({where})" if " " in where else where
            if n == 1:
                return f"{base}[0]" if parity else f"(uint16_t)({base}[0] << 8)"
            if n == 2:
                return f"mrg_{'le' if parity else 'be'}16({where})"
        return f"(uint16_t)~mrg_inet16_end(mrg_inet16_add(0, {where}, {n}, {odd}))"


def _anew(w: Writer, shape: Shape, holder: ir.Scalar, s: ir.Sum) -> None:
    """X_F_anew_: the checksum computed over all that it covers."""
    env = c_view.ViewEnv(shape)
    first, last = shape.slot(s.first), shape.slot(s.last)
    end = last.end.pointer("v") if last.end is not None else (
        Place(last.start.anchor, last.start.bits + (layout.fixed_bits(s.last) or 0)).pointer("v"))
    words = [(c_expr.emit(e, env), n) for e, n in s.pseudo]
    w.comment("Internal: the checksum of the bytes as they are.")
    with w.function(f"static inline uint32_t {shape.cname}_{holder.name}_anew_(const struct {shape.cname} *v)"):
        at, inside = shape.slot(holder).start.pointer("v"), settable.covers(shape.packet, s, holder)
        c_sum.emit(w, s.kind, first.start.pointer("v"), end, at, holder.bits // 8, words, "all", inside)
        w.line("return all;")


def _address(place: Place) -> str:
    text = place.pointer("v")
    return f"({text})" if " " in text else text
