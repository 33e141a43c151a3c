"""Readers: X_get_text, from tokens to the wire bytes of one packet."""

from __future__ import annotations

from dataclasses import replace
from typing import Optional

from .. import ir, layout, names
from . import c_common, c_expr, text_plan
from .text_env import ReadEnv, Sites
from .text_plan import Unreadable, core, form_name, form_of, inside, unwrap
from .writer import Writer


class Reader:
    """Writes the body of one packet's reader."""

    def __init__(self, w: Writer, packet: ir.Packet, sites: Sites) -> None:
        self.w = w
        self.packet = packet
        self.sites = sites
        self.known = text_plan.derived(packet)
        self.shown = text_plan.visible(packet)
        self.env = ReadEnv(self)
        self.ready: set[int] = set()  # scalars whose local has its value
        self.holes: list[tuple[list[ir.Scalar], str]] = []  # runs to write again, where
        self.used = self._referenced()
        self.groups = 0  # optional groups around the item being read
        self.moved: dict[int, str] = {}  # items whose token was taken before: where it is
        self.ranged: set[int] = set()  # derived scalars whose range was looked at

    def _referenced(self) -> set[int]:
        """Items whose size or count a derived scalar needs."""
        out: set[int] = set()
        for expr in self.known.values():
            for e in layout.refs(expr):
                if isinstance(e, (ir.SizeOf, ir.CountOf)) and e.item is not None:
                    out.add(id(unwrap(e.item)))
        return out

    def local(self, item: ir.Item) -> str:
        return f"f_{item.name}"

    def fail(self, item: ir.Item) -> str:
        return f"return mrg_text_in(t, {self.sites.ref(self.packet, item)});"

    def demand(self, call: str, item: ir.Item) -> None:
        """Go on only if the call succeeds."""
        self.w.line(f"if (!{call})")
        named = item.name and not text_plan.transparent(self.packet)
        self.w.line(f"\t{self.fail(item)}" if named else "\treturn false;")

    def refuse_if(self, wrong: str, bad: str, item: ir.Item) -> None:
        """`bad` says what is wrong with the item."""
        if text_plan.transparent(self.packet) or not item.name:
            self.w.line(f"if ({wrong})")
            self.w.line(f"\treturn {bad};")
            return
        with self.w.block(f"if ({wrong})"):
            self.w.line(f"{bad};")
            self.w.line(self.fail(item))

    # --- the packet ---

    def body(self) -> None:
        w = self.w
        form = self.packet.text
        if form is not None:
            if text_plan.needs_check(self.packet):
                w.line("const size_t start = w->len;")
                w.line("mrg_text_mark(t);")
            self.special(form)
        else:
            self._declare()
            self._reorder()
            self.items(self.packet.items)
            self._fill()
        if text_plan.needs_check(self.packet):
            self._check()
        else:
            w.line("return true;")

    def special(self, form: ir.TextForm) -> None:
        args = ""
        if form.name == "windows":
            args = f", &{text_plan.enum_name(text_plan.form_enum(form))}"
        name = f"mrg_text_{form.name}" if form.name != "extern" else f"{form.args[0]}_get"
        self.w.line(f"if (!{name}(t, w{args}))")
        self.w.line("\treturn false;")

    def _declare(self) -> None:
        """Locals: numbers of scalars, then sizes and counts."""
        w = self.w
        for item in layout.walk(self.packet.items):
            if isinstance(item, (ir.Scalar, ir.Varint)) and item.name:
                w.line(f"uint64_t {self.local(item)} = 0;")
        for item in layout.walk(self.packet.items):
            inner = unwrap(item)
            if id(inner) in self.used and inner is item and layout.fixed_bits(item) is None:
                w.line(f"size_t size_{item.name} = 0;")
                if isinstance(item, ir.List):
                    w.line(f"uint64_t count_{item.name} = 0;")
        if self._wants_start():
            w.line("const size_t start = w->len;")

    def _wants_start(self) -> bool:
        if text_plan.needs_check(self.packet):
            return True
        wanted = [e for x in self.known.values() for e in layout.refs(x)]
        return any(isinstance(e, ir.Here) or (isinstance(e, ir.SizeOf) and e.item is None) for e in wanted)

    def _reorder(self) -> None:
        """Presentation order is not wire order: take the tokens first."""
        order = [unwrap(i) for i in self.shown]
        wire = [unwrap(i) for i in self.packet.items if any(unwrap(i) is o for o in order)]
        last = len(order)
        while last > 0 and order[last - 1] is wire[last - 1]:
            last -= 1
        for i, item in enumerate(order[:last]):
            if isinstance(item, ir.Optional_) or text_plan.greedy_item(item) or not _one_token(item):
                raise Unreadable(f"'{item.name}' is out of order and not a single token")
            self.moved[id(item)] = f"token[{i}]"
        if last == 0:
            return
        self.w.line(f"struct mrg_text_token token[{last}];")
        for i, item in enumerate(order[:last]):
            self.demand("mrg_text_any(t)", item)
            self.w.line(f"token[{i}] = t->tok;")

    def items(self, items: list[ir.Item]) -> None:
        run: list[ir.Scalar] = []
        for item in items:
            self._before(item)
            if isinstance(item, (ir.Check, ir.Let)):
                continue
            if isinstance(item, ir.Scalar):
                self.scalar(item)
                run.append(item)
                if sum(s.bits for s in run) % 8 == 0:
                    self._put_run(run)
                    run = []
                continue
            self._other(item)

    def _before(self, item: ir.Item) -> None:
        """Where the last field starts: there the packet's own check tells what it refuses."""
        if self.last(unwrap(item)) and text_plan.needs_check(self.packet) and not isinstance(item, ir.Scalar):
            self.w.line("mrg_text_mark(t);")

    def _other(self, item: ir.Item) -> None:
        if isinstance(item, ir.Optional_):
            self._optional(item)
        elif isinstance(item, (ir.Align, ir.EndianSel)):
            raise Unreadable("it has padding or a byte order of its own")
        elif isinstance(item, ir.Varint):
            raise Unreadable("it has an integer of varying length")
        else:
            self.sized(item)

    def _optional(self, item: ir.Optional_) -> None:
        if text_plan.asks_for_more(item.cond) and item is not self.packet.items[-1]:
            raise Unreadable("whether a field is there depends on what is left")
        self.groups += 1
        with self.w.block(f"if ({c_expr.emit(item.cond, self.env)})"):
            self.items(item.items)
        self.groups -= 1

    def sized(self, item: ir.Item) -> None:
        """An item of varying size, measured where a length or a constraint needs it."""
        w = self.w
        inner = unwrap(item)
        least = next((n for c, n in self._least() if c is inner), None)
        measured = id(inner) in self.used and layout.fixed_bits(inner) is None
        if measured:
            w.line(f"size_{inner.name} = w->len;")
        elif least is not None:
            w.line(f"const size_t begin_{inner.name} = w->len;")
        if least is not None:
            self._again(inner)
            w.line("mrg_text_mark(t);")
        self.item(inner)
        if measured:
            w.line(f"size_{inner.name} = w->len - size_{inner.name};")
            self._measured(inner)
        if least is not None:
            size = f"size_{inner.name}" if measured else f"w->len - begin_{inner.name}"
            what = names.c_string(self._least_words(inner))
            self.refuse_if(f"{size} < {least}u", f"mrg_text_bad_whole(t, {what})", inner)

    def _measured(self, item: ir.Item) -> None:
        """A size that is a scalar as it stands has that scalar's range: seen at once, where the field is."""
        for s in layout.walk(self.packet.items):
            expr = self.known.get(id(s))
            if isinstance(s, ir.Scalar) and isinstance(expr, ir.SizeOf) and expr.item is not None and unwrap(expr.item) is item:
                self._in_range(s, f"size_{item.name}", item, 1 if self._has_words(item) else 0)
                if self.groups == 0:  # else it may be absent
                    self.ranged.add(id(s))

    def _has_words(self, item: ir.Item) -> bool:
        """Octets that are read of words as long as there are any, of which there is one: no word is empty, and none is half an octet."""
        return isinstance(item, ir.Bytes) and form_name(item) == "hex" and self.last(item)

    def _in_range(self, s: ir.Scalar, value: str, about: ir.Item, known: int = 0) -> None:
        """known: the least that it is."""
        lo, hi = max(s.lo, 0), s.hi if s.hi else (1 << s.bits) - 1
        least, most = c_expr.bounds(self.known[id(s)], _size)
        tests = [f"{value} < {c_expr.number(lo)}"] if lo > max(least, known) else []
        if hi < (1 << 64) - 1 and (most is None or most > hi):
            tests.append(f"{value} > {c_expr.number(hi)}")
        if not tests:
            return
        whole = isinstance(about, ir.Bytes) and form_name(about) in ("hex", "base64")
        counted = isinstance(self.known.get(id(s)), ir.CountOf)
        bad = "mrg_text_bad_count" if counted else "mrg_text_bad_whole_size" if whole else "mrg_text_bad_size"
        self.refuse_if(" || ".join(tests), f"{bad}(t, {c_expr.number(lo)}, {c_expr.number(hi)})", about)

    def _least(self) -> list[tuple[ir.Item, int]]:
        checks = [i for i in layout.walk(self.packet.items) if isinstance(i, ir.Check)]
        return [found for found in map(text_plan.least_size, checks) if found is not None]

    def _least_words(self, item: ir.Item) -> str:
        checks = [i for i in layout.walk(self.packet.items) if isinstance(i, ir.Check)]
        return next(c.what for c in checks if (text_plan.least_size(c) or (None, 0))[0] is item)

    # --- integers ---

    def scalar(self, item: ir.Scalar) -> None:
        if id(item) in self.known:
            return
        if not any(unwrap(s) is item or inside(s, item) for s in self.shown):
            if item.name:
                self.w.line(f"{self.local(item)} = {c_expr.number(text_plan.constant(item))};")
                self.ready.add(id(item))
            return
        self._again(item)
        self.demand(self.int_call(item, f"&{self.local(item)}"), item)
        self.ready.add(id(item))

    def _again(self, item: ir.Item) -> None:
        token = self.moved.get(id(item))
        if token is not None:
            self.w.line(f"mrg_text_unget(t, {token});")

    def int_call(self, item: ir.Scalar, out: str) -> str:
        name = form_name(item)
        lo, hi = c_expr.number(max(item.lo, 0)), c_expr.number(max(item.hi, 0))
        if item.signed:
            return f"mrg_text_int(t, {_signed(item.lo)}, {_signed(item.hi)}, {out})"
        if name in ("mnemonic", "dec") and item.enum is not None:
            reader = "mnemonic" if name == "mnemonic" else "dec_enum"
            return f"mrg_text_{reader}(t, &{text_plan.enum_name(item.enum)}, {lo}, {hi}, {out})"
        if name in ("ip4", "locator"):
            return f"mrg_text_{name}(t, {out})"
        if name in ("eui48", "eui64"):
            return f"mrg_text_eui(t, {item.bits // 8}, {out})"
        if name == "extern":
            form = form_of(item)
            assert form is not None
            return f"{form.args[0]}_get(t, {out})"
        return f"mrg_text_{'hex_int' if name == 'hex' else name}(t, {lo}, {hi}, {out})"

    def _put_run(self, run: list[ir.Scalar]) -> None:
        """Write whole bytes: one integer, or some bit fields."""
        if any(id(s) in self.known for s in run):
            if self.groups:
                raise Unreadable("a length stands among fields that may be missing")
            mark = f"at_{next(s.name for s in run if id(s) in self.known)}"
            self.w.line(f"const size_t {mark} = w->len;")
            self.w.line(f"mrg_w_zero(w, {sum(s.bits for s in run) // 8});")
            self.holes.append((run, mark))
            return
        size, value = sum(s.bits for s in run) // 8, self._run_value(run)
        order = "le" if run[0].endian == "little" else "be"
        if size in (2, 4) and order == "be":
            self.w.line(f"mrg_w_be{8 * size}(w, (uint{8 * size}_t){value});")
        elif size == 1:
            self.w.line(f"mrg_w_u8(w, (uint8_t){value});")
        else:
            self.w.line(f"mrg_w_{order}(w, {size}, {value});")

    def _run_value(self, run: list[ir.Scalar]) -> str:
        if any(s.endian == "dyn" for s in run):
            raise Unreadable("it has a byte order of its own")
        shift = sum(s.bits for s in run)
        parts = []
        for s in run:
            shift -= s.bits
            value = self.local(s) if s.name else c_expr.number(text_plan.constant(s))
            if shift and not s.name:
                value = f"(uint64_t){value}"  # a literal has 32 bits
            if s.signed and len(run) > 1:
                value = f"({value} & {(1 << s.bits) - 1:#x}u)"
            parts.append(f"{value} << {shift}" if shift else value)
        return parts[0] if len(parts) == 1 else f"({' | '.join(parts)})"

    def _fill(self) -> None:
        """Lengths and counts, now that what they measure is written."""
        w = self.w
        for run, mark in self.holes:
            for s in run:
                if id(s) in self.known:
                    self._derive(s)
            size = sum(s.bits for s in run) // 8
            order = "le" if run[0].endian == "little" else "be"
            w.line(f"mrg_w_set_{order}(w, {mark}, {size}, {self._run_value(run)});")

    def _derive(self, s: ir.Scalar) -> None:
        expr = self.known[id(s)]
        self.w.line(f"{self.local(s)} = {c_expr.emit(expr, self.env)};")
        self.ready.add(id(s))
        if id(s) not in self.ranged:
            about = expr.item if isinstance(expr, (ir.SizeOf, ir.CountOf)) and expr.item is not None else s
            self._in_range(s, self.local(s), unwrap(about))

    def _check(self) -> None:
        """What is left to verify is the packet's own business."""
        w = self.w
        name = names.packet(self.packet)
        buffers = "".join(", (struct mrg_span){ 0 }" for p in self.packet.params if p.kind == "buffer")
        if any(p.kind != "buffer" for p in self.packet.params):
            raise Unreadable("it takes parameters")
        w.line("struct mrg_reject why = { 0 };")
        w.line(f"struct {name} v = {{ 0 }};")
        w.line(f"why.status = {c_common.check_name(self.packet)}(mrg_w_span(w, start){buffers}, &v, &why);")
        w.line("return mrg_text_checked(t, w, w->len - start - v.len, &why);")

    # --- everything else ---

    def last(self, item: ir.Item) -> bool:
        return bool(self.shown) and (unwrap(self.shown[-1]) is item or inside(self.shown[-1], item))

    def item(self, item: ir.Item, tail: Optional[bool] = None) -> None:
        """One field that is not an integer.  tail: it may take all that is left."""
        hidden = not any(unwrap(s) is item or inside(s, item) for s in self.shown)
        if hidden and tail is None:
            raise Unreadable(f"'{item.name}' is not in the text")
        if tail is None:
            tail = self.last(item)
        self._again(item)
        if text_plan.greedy_item(item) and not tail:
            raise Unreadable(f"'{item.name}' takes all that is left, and is not the last")
        if isinstance(item, ir.Bytes):
            self.bytes(item, tail)
        elif isinstance(item, ir.Sub):
            self.sub(item, tail)
        elif isinstance(item, ir.Chain):
            self.chain(item)
        elif isinstance(item, ir.List):
            self.list(item)
        elif isinstance(item, ir.Switch):
            self.switch(item, tail)
        else:
            raise Unreadable(f"'{item.name}' has no text")

    def bytes(self, item: ir.Bytes, tail: bool) -> None:
        name = form_name(item)
        w = self.w
        fixed = item.length.value if isinstance(item.length, ir.Const) else None
        if name in ("ip4", "eui48", "eui64", "locator"):
            with w.block(""):
                w.line("uint64_t v;")
                call = {"ip4": "mrg_text_ip4(t, &v)", "locator": "mrg_text_locator(t, &v)"}
                self.demand(call.get(name, f"mrg_text_eui(t, {fixed}, &v)"), item)
                w.line(f"mrg_w_be(w, {fixed}, v);")
            return
        size = c_expr.number(fixed) if fixed is not None and name != "ip6" else self._size_of_another(item)
        if size is not None or item.mode == "until":
            w.line(f"const size_t from_{item.name} = w->len;")
        self.demand(self._bytes_call(item, name, tail), item)
        if size is not None:
            bad = "mrg_text_bad_whole_size" if name in ("hex", "base64") else "mrg_text_bad_size"
            self.refuse_if(f"w->len - from_{item.name} != {size}", f"{bad}(t, {size}, {size})", item)
        if item.mode == "until":
            lacks = f"mrg_text_lacks(w, from_{item.name}, {item.until:#04x})"
            self.refuse_if(f"!{lacks}", 'mrg_text_bad(t, "has in it the octet that ends it")', item)
            w.line(f"mrg_w_u8(w, {item.until:#04x});")

    def _size_of_another(self, item: ir.Bytes) -> Optional[str]:
        """`a: bytes(n); b: bytes(n);` where n is what a takes: b takes as much."""
        length = item.length
        expr = self.known.get(id(length.path[0])) if isinstance(length, ir.FieldRef) and len(length.path) == 1 else None
        other = unwrap(expr.item) if isinstance(expr, ir.SizeOf) and expr.item is not None else None
        return f"size_{other.name}" if isinstance(other, ir.Bytes) and other.loc != item.loc else None

    def _bytes_call(self, item: ir.Bytes, name: str, tail: bool) -> str:
        if name in ("hex", "base64"):
            return f"mrg_text_{name}(t, w, {'true' if tail else 'false'})"
        if name == "hex1":
            return "mrg_text_hex(t, w, false)"
        if name in ("string", "word"):
            return "mrg_text_string(t, w)"
        if name == "windows":
            form = form_of(item)
            assert form is not None
            return f"mrg_text_windows(t, w, &{text_plan.enum_name(text_plan.form_enum(form))})"
        if name == "extern":
            form = form_of(item)
            assert form is not None
            return f"{form.args[0]}_get(t, w)"
        return f"mrg_text_{name}(t, w)"

    def sub(self, item: ir.Sub, tail: bool) -> None:
        if item.text is not None:
            args = f", &{text_plan.enum_name(text_plan.form_enum(item.text))}" if item.text.name == "windows" else ""
            self.demand(f"mrg_text_{item.text.name}(t, w{args})", item)
            return
        if text_plan.greedy(item.packet) and not tail:
            raise Unreadable(f"'{item.name}' takes all that is left, and is not the last")
        why = unreadable(item.packet)
        if why is not None:
            raise Unreadable(f"'{item.name}' can't be read back: {why}")
        self.demand(f"{text_plan.get_name(item.packet)}(t, w)", item)

    def chain(self, item: ir.Chain) -> None:
        label = text_plan.label_max(item)
        if not label:
            raise Unreadable("only chains of labels of up to 63 octets, 255 in all, are dotted")
        self.demand(f"mrg_text_name(t, w, {label}, {item.max_bytes})", item)

    def list(self, item: ir.List) -> None:
        w = self.w
        if item.text is not None and item.text.name == "params":
            self.demand(f"{names.packet(self.packet)}_{item.name}_params(t, w)", item)
            return
        if item.text is not None and item.text.name == "windows":
            enum = text_plan.enum_name(text_plan.form_enum(item.text))
            self.demand(f"mrg_text_windows(t, w, &{enum})", item)
            return
        count = f"count_{item.name}"
        if not (id(item) in self.used):
            w.line(f"uint64_t {count} = 0;")
        more = "mrg_text_more(t)"
        if not text_plan.greedy_item(item):
            assert item.expr is not None
            more = f"{count} < {c_expr.emit(item.expr, self.env)}"
        with w.block(f"for (; {more}; {count}++)"):
            if item.max is not None:
                most = c_expr.number(item.max)
                self.refuse_if(f"{count} == {most}", f"mrg_text_bad_count(t, 0, {most})", item)
            self.element(item.elem, item)
            if not _tells_of_room(item.elem):
                self.refuse_if("w->st != MRG_OK", 'mrg_text_bad_status(t, w->st, "too long")', item)

    def element(self, elem: ir.Item, holder: ir.Item) -> None:
        """One element of a list, or what an arm holds; errors name the holder."""
        elem = core(elem) or elem
        if isinstance(elem, ir.Scalar):
            with self.w.block(""):
                self.w.line("uint64_t v;")
                self.demand(self.int_call(elem, "&v"), holder)
                order = "le" if elem.endian == "little" else "be"
                self.w.line(f"mrg_w_{order}(w, {elem.bits // 8}, v);")
            return
        if text_plan.greedy_item(elem):
            raise Unreadable(f"the elements of '{holder.name}' run into each other")
        if isinstance(elem, ir.Bytes):
            named = replace(elem, name=holder.name)
            self.bytes(named, False)
        elif isinstance(elem, ir.Sub):
            named_sub = replace(elem, name=holder.name)
            self.sub(named_sub, False)
        else:
            raise Unreadable(f"'{holder.name}' has elements without text")

    # --- switches ---

    def switch(self, item: ir.Switch, tail: bool) -> None:
        gateway = item.text is not None and item.text.name == "gateway"

        def arm(a: ir.Arm) -> None:
            self._arm(a, item, gateway, tail)
            self.w.line("break;")

        otherwise = f'mrg_text_bad(t, "no alternative for this value");\n{self.fail(item)}'
        c_common.dispatch(self.w, item, c_expr.emit(item.on, self.env), arm, otherwise)

    def _arm(self, arm: ir.Arm, item: ir.Switch, gateway: bool, tail: bool) -> None:
        inner = core(arm.item)
        if inner is None:
            if gateway:
                self.refuse_if('!mrg_text_is(t, ".")', 'mrg_text_bad(t, "must be .")', item)
            return
        if isinstance(inner, ir.List):
            self.list(inner)
        elif isinstance(inner, (ir.Scalar, ir.Bytes, ir.Sub)):
            if isinstance(inner, ir.Bytes):
                self.bytes(replace(inner, name=item.name), tail)
            else:
                self.element(inner, item)
        else:
            raise Unreadable(f"'{item.name}' has an alternative without text")


def _size(e: ir.SizeOf) -> c_expr.Bounds:
    """Elements of one size, of which no more than so many are read, take no more than so many bytes."""
    item = unwrap(e.item) if e.item is not None else None
    bits = layout.fixed_bits(item.elem) if isinstance(item, ir.List) else None
    return (0, item.max * bits // 8) if isinstance(item, ir.List) and item.max is not None and bits is not None else c_expr.ANY


def _tells_of_room(elem: ir.Item) -> bool:
    """Does the reader of an element refuse what has no room?"""
    elem = core(elem) or elem
    if isinstance(elem, ir.Sub) and elem.text is None:
        return text_plan.needs_check(elem.packet)
    return isinstance(elem, ir.Bytes) and isinstance(elem.length, ir.Const) and form_name(elem) in ("hex", "hex1", "base64")


def _signed(v: int) -> str:
    return "INT64_MIN" if v == -(1 << 63) else f"{v}ll"


def _one_token(item: ir.Item) -> bool:
    if isinstance(item, (ir.Scalar, ir.Bytes)):
        return True
    return isinstance(item, ir.Sub) and text_plan.transparent(item.packet)


def unreadable(packet: ir.Packet) -> Optional[str]:
    """Why a packet has no reader, or None.  Packets do not nest in themselves, so this ends."""
    try:
        Reader(Writer(), packet, Sites()).body()
    except (Unreadable, NotImplementedError) as e:
        return str(e)
    return None
