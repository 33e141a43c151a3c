"""Printers: X_to_text, from a checked view to presentation format."""

from __future__ import annotations

from typing import Optional

from .. import ir, layout, names
from . import c_chain, c_view, text_plan
from .text_plan import core, form_name, form_of, unwrap
from .writer import Writer


class Printer:
    """Writes the body of one packet's printer."""

    def __init__(self, w: Writer, packet: ir.Packet) -> None:
        self.w = w
        self.packet = packet
        self.name = names.packet(packet)
        self.many = False  # fields are set apart by blanks

    def body(self) -> None:
        form = self.packet.text
        if form is not None:
            self._special(form)
            return
        fields: list[ir.Item] = []
        for item in text_plan.visible(self.packet):
            fields.extend(_flatten(item, self.packet))
        if not fields:
            self.w.line("(void)v;")
            self.w.line("(void)w;")
            return
        self.many = len(fields) > 1
        if self.many:
            self.w.line("const size_t from = w->len;")
        for i, item in enumerate(fields):
            self._field(unwrap(item), i, i + 1 == len(fields))

    def _special(self, form: ir.TextForm) -> None:
        args = f", &{text_plan.enum_name(text_plan.form_enum(form))}" if form.name == "windows" else ""
        name = f"mrg_text_put_{form.name}" if form.name != "extern" else f"{form.args[0]}_put"
        self.w.line(f"{name}(w, {self.name}_span(v){args});")

    def _field(self, item: ir.Item, index: int, last: bool) -> None:
        w = self.w
        optional = self._is_optional(item)
        may_be_empty = optional or _may_print_nothing(item)
        if not self.many:
            self._guarded(item, optional, last)
        elif index == 0 and not may_be_empty:
            self._guarded(item, optional, last)
        elif not may_be_empty:
            w.line("mrg_text_sep(w, from);")
            self._guarded(item, optional, last)
        else:
            mark = f"mark_{item.name}"
            w.line(f"const size_t {mark} = mrg_text_sep(w, from);")
            self._guarded(item, optional, last)
            w.line(f"mrg_text_unsep(w, from, {mark});")

    def _is_optional(self, item: ir.Item) -> bool:
        groups = [g for g in layout.walk(self.packet.items) if isinstance(g, ir.Optional_)]
        return any(unwrap(i) is item for g in groups for i in layout.walk(g.items))

    def _guarded(self, item: ir.Item, optional: bool, last: bool) -> None:
        if not optional:
            self._item(item, last)
            return
        with self.w.block(f"if ({self.name}_has_{item.name}(v))"):
            self._item(item, last)

    def _item(self, item: ir.Item, last: bool) -> None:
        call = f"{self.name}_{item.name}(v)"
        if isinstance(item, (ir.Scalar, ir.Varint)):
            self.w.line(self.integer(item, call))
        elif isinstance(item, ir.Bytes):
            self.bytes(item, call, last)
        elif isinstance(item, ir.Sub):
            self.sub(item, call)
        elif isinstance(item, ir.List):
            self.list(item, call)
        elif isinstance(item, ir.Switch):
            self.switch(item, last)
        elif isinstance(item, ir.Chain):
            if c_chain.only_chain(self.packet) is None or not text_plan.label_max(item):
                raise NotImplementedError("text of a chain that is not a name")
            self.w.line(f"struct {self.name}_flat flat;")
            self.w.line(f"{self.name}_flatten(v, &flat);")
            self.w.line("mrg_text_put_name(w, (struct mrg_span){ flat.b, flat.len });")
        else:
            raise NotImplementedError(f"text of {type(item).__name__}")

    def integer(self, item: ir.Scalar | ir.Varint, value: str) -> str:
        name = form_name(item)
        if name == "extern":
            return f"{_arg(item)}_put(w, {value});"
        if isinstance(item, ir.Varint):
            return f"mrg_text_put_dec(w, {value});"
        if item.signed:
            return f"mrg_text_put_int(w, {value});"
        if name == "mnemonic" and item.enum is not None:
            return f"mrg_text_put_mnemonic(w, &{text_plan.enum_name(item.enum)}, {value});"
        if name in ("eui48", "eui64"):
            return f"mrg_text_put_eui(w, {value}, {item.bits // 8});"
        if name == "hex":
            return f"mrg_text_put_hex_int(w, {value}, {(item.bits + 3) // 4});"
        put = name if name in ("time", "ip4", "locator") else "dec"
        return f"mrg_text_put_{put}(w, {value});"

    def bytes(self, item: ir.Bytes, value: str, last: bool) -> None:
        w = self.w
        name = form_name(item)
        if name in ("ip4", "eui48", "eui64", "locator"):
            size = {"ip4": 4, "eui48": 6}.get(name, 8)
            number = f"mrg_be{8 * size}({value}.p)" if size != 6 else f"mrg_be({value}.p, 6)"
            tail = f", {size}" if name.startswith("eui") else ""
            w.line(f"mrg_text_put_{name[:3] if tail else name}(w, {number}{tail});")
            return
        if name == "extern":
            w.line(f"{_arg(item)}_put(w, {value});")
            return
        form = form_of(item)
        args = f", &{text_plan.enum_name(text_plan.form_enum(form))}" if form is not None and name == "windows" else ""
        token = "_token" if name == "hex1" or (name in ("hex", "base64") and not last) else ""
        w.line(f"mrg_text_put_{'hex' if name == 'hex1' else name}{token}(w, {value}{args});")

    def sub(self, item: ir.Sub, value: str) -> None:
        with self.w.block(""):
            self.w.line(f"const struct {names.packet(item.packet)} part = {value};")
            self.part(item, "part")

    def part(self, item: ir.Sub, view: str) -> None:
        """Print the view of a sub-packet."""
        if item.text is None:
            self.w.line(f"{names.packet(item.packet)}_to_text(&{view}, w);")
            return
        args = f", &{text_plan.enum_name(text_plan.form_enum(item.text))}" if item.text.name == "windows" else ""
        self.w.line(f"mrg_text_put_{item.text.name}(w, {names.packet(item.packet)}_span(&{view}){args});")

    def list(self, item: ir.List, value: str) -> None:
        w = self.w
        if item.text is not None and item.text.name == "params":
            w.line(f"{self.name}_{item.name}_put_params(w, v);")
            return
        with w.block(""):
            w.line(f"struct {self.name}_{item.name}_it it = {value};")
            w.line(f"{c_view.elem_type(item.elem)} e;")
            w.line("const size_t first = w->len;")
            with w.block(f"while ({self.name}_{item.name}_next(&it, &e))"):
                w.line("mrg_text_sep(w, first);")
                self.value(item.elem, "e", False)

    def value(self, item: ir.Item, value: str, last: bool) -> None:
        """What an iterator or an arm gave."""
        if isinstance(item, (ir.Scalar, ir.Varint)):
            self.w.line(self.integer(item, value))
        elif isinstance(item, ir.Bytes):
            self.bytes(item, value, last)
        elif isinstance(item, ir.Sub):
            self.part(item, value)
        else:
            raise NotImplementedError(f"text of {type(item).__name__}")

    def switch(self, item: ir.Switch, last: bool) -> None:
        w = self.w
        gateway = item.text is not None and item.text.name == "gateway"
        shape = _ShapeName(self.name)
        with w.block(f"switch ({self.name}_{item.name}_which(v))"):
            w.depth -= 1
            for arm in item.arms:  # a checked view has one of them
                with w.block("default:" if arm is item.arms[-1] else f"case {_arm_const(shape.cname, item, arm)}:"):
                    self._arm(item, arm, gateway, last)
                    w.line("break;")
            w.depth += 1

    def _arm(self, item: ir.Switch, arm: ir.Arm, gateway: bool, last: bool) -> None:
        inner = unwrap(arm.item) if arm.item is not None else None
        if inner is None:
            if gateway:
                self.w.line('mrg_text_put(w, ".");')
            return
        kind = c_view.elem_type(inner)
        self.w.line(f"{kind} arm = {'{ 0 }' if kind.startswith('struct') else '0'};")
        self.w.line(f"{self.name}_{item.name}_as_{arm.name}(v, &arm);")
        self.value(inner, "arm", last)


class _ShapeName:
    def __init__(self, cname: str) -> None:
        self.cname = cname


def _arm_const(cname: str, item: ir.Switch, arm: ir.Arm) -> str:
    return f"{cname}_{item.name}_{arm.name}".upper()


def _arg(item: ir.Item) -> str:
    form = form_of(item)
    assert form is not None
    return str(form.args[0])


def _flatten(item: ir.Item, packet: ir.Packet) -> list[ir.Item]:
    """The fields of an optional group, one by one."""
    if not isinstance(item, ir.Optional_):
        return [item]
    known = text_plan.derived(packet)
    return [f for i in item.items for f in _flatten(i, packet) if text_plan.shows(packet, f, known)]


def _may_print_nothing(item: ir.Item) -> bool:
    if isinstance(item, ir.Bytes):
        return form_name(item) in ("hex", "base64", "base32hex", "windows", "extern")
    if isinstance(item, ir.Sub):
        return item.packet.size_min == 0 or item.text is not None
    return isinstance(item, (ir.List, ir.Switch))


def unprintable(packet: ir.Packet) -> Optional[str]:
    try:
        Printer(Writer(), packet).body()
    except NotImplementedError as e:
        return str(e)
    return None


__all__ = ["Printer", "core", "unprintable"]
