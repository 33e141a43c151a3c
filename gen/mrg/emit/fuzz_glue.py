"""Glue for fuzzers: one C file a module that gives every packet's generated C the same face.

A row a packet: check it, walk what was accepted through accessors and
iterators, write it again, by copying and by its builder.  gen/support/fuzz/mrg_glue.h says what a walk tells;
`field_ids.events` tells the same of the interpreter's tree.

Reading order: glue, _walk, _Walk.
"""

from __future__ import annotations

from typing import Iterator, Sequence

from .. import ir, names
from ..field_ids import Ids, field_ids, gate, own_items, packets_of, told
from . import c_chain, c_common, c_copy, c_plan, c_shape, c_view
from .tests_c import actual_args, has_builder, is_choosy, unused_args, uses_extern
from .writer import Writer


def table(module: ir.Module) -> str:
    """The name of the module's table in C."""
    return f"mrg_glue_{module.name.replace('.', '_')}"


def glue(module: ir.Module) -> str:
    """The C file of a module; it is compiled with gen/support, gen/support/fuzz and the generated headers at hand."""
    w = Writer()
    c_common.register_varints(module)
    packets = [p for p in module.packets if not uses_extern(p)]
    ids = field_ids(module)
    w.comment(f"What a fuzzer calls of {names.header(module)}: generated from {module.path}.")
    w.line('#include "mrg_glue.h"')
    w.line()
    walked = _walked(packets)
    for header in sorted({names.header(p.module) for p in walked}):
        w.line(f'#include "{header}"')
    w.line()
    for packet in walked:
        _Walk(w, ids, packet).emit()
    rows = [_packet(w, packet) for packet in packets]
    w.line(f"extern const struct mrg_glue {table(module)}[];")
    with w.block(f"const struct mrg_glue {table(module)}[] =", "};"):
        for row in rows:
            w.line(row)
        w.line("{ NULL, NULL, NULL, NULL, NULL, NULL, false, 0 },")
    return w.text()


def _walked(packets: Sequence[ir.Packet]) -> list[ir.Packet]:
    """The packets and those that their walks come through, users after used."""
    out: dict[int, ir.Packet] = {}

    def add(packet: ir.Packet) -> None:
        if id(packet) not in out:
            for item in _met(packet.items):
                for inner in _entered(item):
                    add(inner)
            out[id(packet)] = packet

    for packet in packets:
        add(packet)
    return list(out.values())


def _met(items: Sequence[ir.Item]) -> Iterator[ir.Item]:
    """The items that a walk asks for."""
    for item in items:
        if isinstance(item, ir.Region):
            yield from _met([item.item])
        elif isinstance(item, ir.Optional_):
            yield from _met(item.items)
        elif told(item):
            yield from own_items([item])


def _entered(item: ir.Item) -> list[ir.Packet]:
    """The packets that the walk of an item itself goes into."""
    if isinstance(item, ir.Chain):
        return [arm.packet for arm in item.arms if arm.kind == "item"]
    return packets_of(item)


# --- a packet's row -------------------------------------------------------------


def _packet(w: Writer, packet: ir.Packet) -> str:
    """Functions of a packet; returns its row of the table."""
    name, short = names.packet(packet), names.snake(packet.name)
    with w.function(f"static enum mrg_status {short}_check(struct mrg_span in, const uint64_t *args, size_t *used, struct mrg_reject *rj)"):
        _view(w, packet, "rj", "{ .p = in.p, .len = 1 }")
        w.line(f"*used = st == MRG_OK ? {name}_span(&v).len : v.p != NULL ? 1 : v.len;")
        w.line("return st;")
    with w.function(f"static void {short}_walk(struct mrg_span in, const uint64_t *args, struct mrg_events *ev)"):
        _view(w, packet, "&rj")
        w.line("if (st == MRG_OK)")
        w.line(f"\t{walk(packet)}(&v, ev);")
    if has_builder(packet):
        with w.function(f"static enum mrg_status {short}_again(struct mrg_span in, const uint64_t *args, struct mrg_w *w)"):
            _view(w, packet, "&rj")
            w.line("if (st == MRG_OK)")
            w.line(f"\t{name}_copy(w, &v);")
            w.line("return st;")
    again = f"{short}_again" if has_builder(packet) else "NULL"
    built = f"{short}_built" if _built(w, packet) else "NULL"
    misfits = f"{short}_misfits" if _misfits(w, packet) else "NULL"
    numbers = sum(p.kind != "buffer" for p in packet.params)
    return f'{{ "{packet.name}", {short}_check, {short}_walk, {again}, {built}, {misfits}, {str(is_choosy(packet)).lower()}, {numbers} }},'


def _built(w: Writer, packet: ir.Packet) -> bool:
    """What gives the builder all that a view says, where copying a view is something else."""
    if not has_builder(packet) or c_chain.only_chain(packet) is not None or c_copy.is_by_arguments(packet):
        return False
    name, short = names.packet(packet), names.snake(packet.name)
    with w.function(f"static void {short}_by_arguments(struct mrg_w *w, const struct {name} *v)"):
        c_copy.by_arguments(w, c_shape.build(packet), c_plan.plan(packet))
    with w.function(f"static enum mrg_status {short}_built(struct mrg_span in, const uint64_t *args, struct mrg_w *w)"):
        _view(w, packet, "&rj")
        w.line("if (st == MRG_OK)")
        w.line(f"\t{short}_by_arguments(w, &v);")
        w.line("return st;")
    return True


def _misfits(w: Writer, packet: ir.Packet) -> bool:
    """What gives the builder arguments that do not fit, one at a time."""
    if not has_builder(packet) or is_choosy(packet) or c_chain.only_chain(packet) is not None:
        return False
    plan, name, short = c_plan.plan(packet), names.packet(packet), names.snake(packet.name)
    changes = [change for item in packet.items for change in _misfit(item, plan)]
    if plan.holes or not changes:
        return False
    with w.function(f"static unsigned {short}_misfits(struct mrg_span in, const uint64_t *args, struct mrg_w *w)"):
        _view(w, packet, "&rj")
        w.line("if (st != MRG_OK)")
        w.line("\treturn 0;")
        w.line(f"struct {name}_args a = {{ 0 }};")
        c_copy.fill(w, plan, name, "(&v)", "a", [0])
        for i, change in enumerate(changes):
            with w.block(""):
                w.line(f"struct {name}_args misfit = a;")
                w.line(f"misfit.{change};")
                w.line("mrg_w_init(w, w->p, w->cap);")
                w.line(f"{name}_put(w, &misfit);")
                w.line("if (w->st == MRG_OK)")
                w.line(f"\treturn {i + 1}u;")
        w.line("return 0;")
    return True


def _misfit(item: ir.Item, plan: c_plan.Plan) -> list[str]:
    """Changes of an argument by which it does not fit any more."""
    if not any(item is m for m in c_plan.members(plan)):
        return []
    member = names.local(item.name)
    if isinstance(item, ir.Scalar) and not item.signed and item.bits < 32 and item.bits not in (8, 16):
        return [f"{member} = {1 << item.bits}u"]
    if isinstance(item, ir.Bytes) and item.mode == "len" and isinstance(item.length, ir.Const) and item.length.value > 0:
        return [f"{member}.len--", f"{member}.len += 1"]
    return []


def _view(w: Writer, packet: ir.Packet, rj: str, before: str = "{ 0 }") -> None:
    """Declare `v`, a checked view of the input, and `st`.  What isn't read is set, too: compilers don't see that it is not."""
    unused_args(w, packet)
    w.line(f"struct {names.packet(packet)} v = {before};")
    if rj == "&rj":
        w.line("struct mrg_reject rj = { .status = MRG_OK };")
    w.line(f"const enum mrg_status st = {c_common.check_name(packet)}(in{actual_args(packet)}, &v, {rj});")


def walk(packet: ir.Packet) -> str:
    """The function that tells the events of a view; of packets of other modules, too."""
    return "walk_" + names.packet(packet).removeprefix("mrg_")


# --- a packet's walk ------------------------------------------------------------


class _Walk:
    """Writes the function that tells the events of one packet's view."""

    def __init__(self, w: Writer, ids: Ids, packet: ir.Packet) -> None:
        self.w = w
        self.ids = ids
        self.packet = packet
        self.name = names.packet(packet)

    def emit(self) -> None:
        with self.w.function(f"static void {walk(self.packet)}(const struct {self.name} *v, struct mrg_events *ev)"):
            self.items(self.packet.items)
            self.event(self.packet, "v->len")

    def event(self, of: ir.Item | ir.Packet, value: str) -> None:
        self.w.line(f"mrg_event(ev, {self.ids[id(of)]}, {value});")

    def call(self, item: ir.Item) -> str:
        return f"{self.name}_{item.name}"

    def items(self, items: Sequence[ir.Item]) -> None:
        for item in items:
            if isinstance(item, ir.Region):
                self.items([item.item])
            elif isinstance(item, ir.Optional_):
                self.group(item)
            elif told(item):
                self.item(item)

    def group(self, group: ir.Optional_) -> None:
        first = gate(group)
        if first is None:
            self.items(group.items)
            return
        has = f"{self.name}_has_{first.name}(v)"
        self.event(group, has)
        with self.w.block(f"if ({has})"):
            self.items(group.items)

    def item(self, item: ir.Item) -> None:
        if isinstance(item, ir.List):
            self.sequence(item)
        elif isinstance(item, ir.Switch):
            self.switch(item)
        elif isinstance(item, ir.Chain):
            self.chain(item)
        elif isinstance(item, ir.Sub):
            with self.w.block(""):
                self.w.line(f"const struct {names.packet(item.packet)} part = {self.call(item)}(v);")
                self.w.line(f"{walk(item.packet)}(&part, ev);")
        else:
            self.value(item, f"{self.call(item)}(v)")

    def value(self, item: ir.Item, value: str) -> None:
        """Tell what an accessor, an iterator or the accessor of an arm gave."""
        if isinstance(item, ir.Sub):
            self.w.line(f"{walk(item.packet)}(&{value}, ev);")
        elif isinstance(item, ir.Bytes):
            self.w.line(f"mrg_event_octets(ev, {self.ids[id(item)]}, {value});")
        else:
            signed = isinstance(item, ir.Scalar) and item.signed
            self.event(item, f"{'(uint64_t)(int64_t)' if signed else ''}{value}")

    def sequence(self, item: ir.List) -> None:
        w = self.w
        with w.block(""):
            w.line(f"struct {self.call(item)}_it it = {self.call(item)}(v);")
            w.line(f"{c_view.elem_type(item.elem)} e;")
            w.line("uint64_t count = 0;")
            with w.block(f"while ({self.call(item)}_next(&it, &e))"):
                w.line("count++;")
                self.value(item.elem, "e")
            self.event(item, "count")

    def switch(self, item: ir.Switch) -> None:
        w = self.w
        shape = c_shape.build(self.packet)
        with w.block(f"switch ({self.call(item)}_which(v))"):
            for i, arm in enumerate(item.arms):
                with w.block(f"case {c_view.arm_const(shape, item, arm)}:"):
                    self.event(item, str(i))
                    self.arm(item, arm)
                    w.line("break;")
            w.line(f"case {c_view.arm_const(shape, item, None)}:")
            w.line("default:")
            w.line("\tbreak;")

    def arm(self, item: ir.Switch, arm: ir.Arm) -> None:
        """What is in the arm, by the accessor of its own, which says once more that it is this one."""
        w, get = self.w, f"{self.call(item)}_as_{arm.name}"
        if arm.item is None:
            w.line(f"if (!{get}(v))")
            w.line(f"\tmrg_event(ev, {self.ids[id(item)]}, UINT64_MAX);")
            return
        w.line(f"{c_view.elem_type(arm.item)} part;")
        w.line(f"if ({get}(v, &part))")
        w.depth += 1
        self.value(arm.item, "part")
        w.depth -= 1

    def chain(self, item: ir.Chain) -> None:
        w = self.w
        arms = [(i, arm) for i, arm in enumerate(item.arms) if arm.kind == "item"]
        base = self.call(item)
        with w.block(""):
            w.line(f"struct {base}_it it = {base}(v);")
            w.line(f"struct {base}_item e;" if len(arms) > 1 else f"struct {names.packet(arms[0][1].packet)} e;")
            w.line("uint64_t count = 0;")
            with w.block(f"while ({base}_next(&it, &e))"):
                w.line("count++;")
                if len(arms) == 1:
                    self.event(item, str(arms[0][0]))
                    w.line(f"{walk(arms[0][1].packet)}(&e, ev);")
                else:
                    self.kinds(item, arms)
            self.event(item, "count")

    def kinds(self, item: ir.Chain, arms: list[tuple[int, ir.ChainArm]]) -> None:
        w = self.w
        with w.block("switch (e.kind)"):
            for i, arm in arms:
                w.line(f"case {self.call(item)}_{arm.name}:".upper().replace("CASE", "case", 1))
                w.depth += 1
                self.event(item, str(i))
                w.line(f"{walk(arm.packet)}(&e.{names.local(arm.name)}, ev);")
                w.line("break;")
                w.depth -= 1
            w.line("default:")
            w.line("\tbreak;")
