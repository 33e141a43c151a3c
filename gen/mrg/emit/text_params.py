"""key=value pairs (text form `params`): readers and printers for a list of

    { key: u16 Keys; size: u16; value: switch key { KEY => ...; _ => rest } within size }

in any order in the text, by rising key on the wire (RFC 9460 section 2.1)."""

from __future__ import annotations

from dataclasses import replace
from typing import Optional

from .. import ir, names
from . import c_common, c_expr, text_plan
from .text_plan import Unreadable, core, form_name, unwrap
from .text_print import Printer
from .text_env import Sites
from .text_read import Reader
from .writer import Writer


class Params:
    """The parts of the list's element."""

    def __init__(self, item: ir.List) -> None:
        elem = item.elem
        if not isinstance(elem, ir.Sub):
            raise Unreadable(f"'{item.name}' is not a list of pairs")
        self.packet = elem.packet
        fields = [i for i in elem.packet.items if not isinstance(i, (ir.Check, ir.Let))]
        if len(fields) != 3:
            raise Unreadable(f"'{item.name}' is not a list of key, size and value")
        key, size, value = fields[0], fields[1], unwrap(fields[2])
        if not isinstance(key, ir.Scalar) or not isinstance(size, ir.Scalar) or key.enum is None:
            raise Unreadable(f"the pairs of '{item.name}' have no key with names and no size")
        if key.bits != 16 or size.bits != 16 or not isinstance(value, ir.Switch):
            raise Unreadable(f"the pairs of '{item.name}' are not a 16-bit key, a 16-bit size and a switch")
        if "big" not in (key.endian, size.endian):
            raise Unreadable(f"the pairs of '{item.name}' are not big-endian")
        self.key, self.size, self.value = key, size, value
        self.enum = key.enum
        self.table = text_plan.enum_name(self.enum)

    def all_named(self) -> bool:
        """Each key that has a name has an alternative of its own."""
        return all(any(pat.lo <= m.lo and m.hi <= pat.hi for a in self.value.arms for pat in a.pats) for m in self.enum.members)

    def listing(self) -> Optional[int]:
        """Key whose value lists other keys that must be there."""
        for arm in self.value.arms:
            if self.is_listing(core(arm.item)):
                return arm.pats[0].lo
        return None

    def is_listing(self, inner: Optional[ir.Item]) -> bool:
        elem = inner.elem if isinstance(inner, ir.List) else None
        return isinstance(elem, ir.Scalar) and elem.enum is self.enum and elem.bits == 16


def lists(packet: ir.Packet) -> list[ir.List]:
    found = [unwrap(i) for i in packet.items]
    return [i for i in found if isinstance(i, ir.List) and i.text is not None and i.text.name == "params"]


# --- reading -----------------------------------------------------------------------


class _ValueReader(Reader):
    """Reads what an arm of the pairs' switch holds."""

    def demand(self, call: str, item: ir.Item) -> None:
        self.w.line(f"if (!{call})")
        self.w.line(f"\t{self.fail(item)}")


def read_value(w: Writer, p: Params, sites: Sites) -> None:
    """X_get_value: the value of one pair; shared by every list of such pairs."""
    reader = _ValueReader(w, p.packet, sites)

    def arm(a: ir.Arm) -> None:
        inner = core(a.item)
        if inner is None:
            reader.demand("mrg_text_param_none(t, p)", _named(a))
            w.line("return true;")
            return
        w.line(f"mrg_text_param_open(t, p, {'true' if isinstance(inner, ir.List) else 'false'});")
        if isinstance(inner, ir.List):
            if p.is_listing(inner):
                w.line("const size_t at = w->len;")
            reader.list(inner)
            if p.is_listing(inner):
                reader.demand("mrg_text_sort16(t, w, at)", inner)
        else:
            reader.element(inner, _named(a))
        w.line("mrg_text_param_close(t, p);")
        w.line("return true;")

    with w.function(f"static bool {names.packet(p.packet)}_get_value(struct mrg_text *t, struct mrg_w *w, struct mrg_text_param *p)"):
        with w.block("if (p->generic)"):
            w.line("mrg_text_param_open(t, p, false);")
            w.line("if (!mrg_text_string(t, w))")
            w.line("\treturn false;")
            w.line("mrg_text_param_close(t, p);")
            w.line("return true;")
        if p.all_named():
            named = replace(p.value, arms=[a for a in p.value.arms if a.pats])
            c_common.dispatch(w, named, "(uint32_t)p->key", arm, sure=True)
            return
        c_common.dispatch(w, p.value, "(uint32_t)p->key", arm, 'return mrg_text_bad(t, "no alternative for this key");')
        if p.value.default is None:
            w.line("return false;")


def _named(arm: ir.Arm) -> ir.Item:
    if arm.item is not None:
        return unwrap(arm.item)
    return ir.Item(arm.loc, "", arm.name)


def read_list(w: Writer, packet: ir.Packet, item: ir.List, p: Params) -> None:
    name = f"{names.packet(packet)}_{item.name}_params"
    listing = p.listing()
    with w.function(f"static bool {name}(struct mrg_text *t, struct mrg_w *w)"):
        w.line("const size_t from = w->len;")
        w.line("struct mrg_text_param p;")
        w.line("mrg_text_mark(t);")
        w.line("const struct mrg_text_mark first = t->mark;")
        if listing is not None:
            w.line("struct mrg_text_mark listing = first;")
        with w.block("while (mrg_text_more(t))"):
            w.line(f"if (!mrg_text_param_key(t, &p, &{p.table}))")
            w.line("\treturn false;")
            w.line("p.at = w->len;")
            w.line("mrg_w_be16(w, (uint16_t)p.key);")
            w.line("mrg_w_be16(w, 0);")
            w.line("const struct mrg_text_mark mark = t->mark;")
            if listing is not None:
                w.line(f"if (p.key == {c_expr.number(listing)})")
                w.line("\tlisting = mark;")
            w.line(f"if (!{names.packet(p.packet)}_get_value(t, w, &p))")
            w.line("\treturn mrg_text_part(t, &mark);")
            w.line("if (w->st != MRG_OK || w->len - p.at - 4u > 0xffffu)")
            w.line('\treturn mrg_text_bad_status(t, MRG_E_SPACE, "too long");')
            w.line("mrg_put_be16(w->p + p.at + 2, (uint16_t)(w->len - p.at - 4u));")
            w.line("if (!mrg_text_param_sort(t, w, from, &p))")
            w.line("\treturn false;")
        if listing is not None:
            w.line("t->mark = listing;")
            w.line(f"if (!mrg_text_param_all(t, w, from, {c_expr.number(listing)}))")
            w.line("\treturn false;")
        w.line("t->mark = first;")
        w.line("return true;")


# --- printing ------------------------------------------------------------------------


def put_value(w: Writer, p: Params) -> None:
    """X_put_value: "=value", from the value's bytes."""
    printer = Printer(w, p.packet)

    def arm(a: ir.Arm) -> None:
        inner = core(a.item)
        if inner is not None:
            _put_arm(w, printer, inner)
        w.line("break;")

    with w.function(f"static void {names.packet(p.packet)}_put_value(struct mrg_w *w, uint64_t key, struct mrg_span s)"):
        c_common.dispatch(w, p.value, "(uint32_t)key", arm)


def _put_arm(w: Writer, printer: Printer, inner: ir.Item) -> None:
    if isinstance(inner, ir.List):
        _put_list(w, printer, inner)
        return
    if isinstance(inner, ir.Bytes):
        if inner.mode == "rest" and form_name(inner) in ("string", "word"):
            w.line("if (s.len == 0)")
            w.line("\tbreak;")
        w.line("mrg_text_put(w, \"=\");")
        printer.bytes(inner, "s", True)
        return
    w.line("mrg_text_put(w, \"=\");")
    if isinstance(inner, ir.Scalar):
        w.line(printer.integer(inner, _load(inner, "s.p")))
        return
    raise NotImplementedError("text of this kind of value")


def _load(item: ir.Scalar, at: str) -> str:
    return f"mrg_be{item.bits}({at})" if item.bits in (16, 32, 64) else f"mrg_be({at}, {item.bits // 8})"


def _put_list(w: Writer, printer: Printer, item: ir.List) -> None:
    """Elements joined by commas; strings as escaped pieces of one quoted string."""
    elem = core(item.elem)
    w.line('mrg_text_put(w, "=");')
    w.line("unsigned n = 0;")
    if isinstance(elem, ir.Sub):
        _put_pieces(w, elem)
        return
    size = _fixed_size(elem)
    with w.block(f"for (size_t i = 0; i + {size} <= s.len; i += {size})"):
        w.line("mrg_text_comma(w, &n);")
        if isinstance(elem, ir.Scalar):
            w.line(printer.integer(elem, _load(elem, "s.p + i")))
        elif isinstance(elem, ir.Bytes):
            w.line(f"const struct mrg_span e = {{ s.p + i, {size} }};")
            printer.bytes(elem, "e", False)


def _fixed_size(elem: Optional[ir.Item]) -> int:
    if isinstance(elem, ir.Scalar):
        return elem.bits // 8
    if isinstance(elem, ir.Bytes) and isinstance(elem.length, ir.Const):
        return elem.length.value
    raise NotImplementedError("text of elements of varying size")


def _put_pieces(w: Writer, elem: ir.Sub) -> None:
    """Sub-packets that are a length and a string."""
    name = names.packet(elem.packet)
    strings = [unwrap(i) for i in text_plan.visible(elem.packet)]
    if len(strings) != 1 or form_name(strings[0]) not in ("string", "word") or elem.packet.params:
        raise NotImplementedError("text of elements other than strings")
    w.line(f"struct {name} e;")
    w.line("mrg_text_put(w, \"\\\"\");")
    with w.block("while (s.len > 0)"):
        w.line(f"{name}_view_(s.p, s.p + s.len, &e);")
        w.line("mrg_text_comma(w, &n);")
        w.line(f"mrg_text_put_piece(w, {name}_{strings[0].name}(&e));")
        w.line("s = (struct mrg_span){ s.p + e.len, s.len - e.len };")
    w.line("mrg_text_put(w, \"\\\"\");")


def put_list(w: Writer, packet: ir.Packet, item: ir.List, p: Params) -> None:
    name = names.packet(packet)
    with w.function(f"static void {name}_{item.name}_put_params(struct mrg_w *w, const struct {name} *v)"):
        w.line(f"struct {name}_{item.name}_it it = {name}_{item.name}(v);")
        w.line(f"struct {names.packet(p.packet)} e;")
        w.line("const size_t first = w->len;")
        with w.block(f"while ({name}_{item.name}_next(&it, &e))"):
            w.line("const struct mrg_span s = { e.p + 4, e.len - 4 };")
            w.line("mrg_text_sep(w, first);")
            w.line(f"mrg_text_put_mnemonic(w, &{p.table}, mrg_be16(e.p));")
            w.line(f"{names.packet(p.packet)}_put_value(w, mrg_be16(e.p), s);")
