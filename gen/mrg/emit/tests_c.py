"""Generated tests: a C program that holds generated code against the interpreter.

For every packet of a module: messages drawn from the IR (vectors.py) and
messages given as samples, each with what the interpreter says about it whole,
cut at every length, with octets behind it and with each bit flipped.  The
loops that use the tables are in gen/support/mrg_vectors.h.

Reading order: program, _packet, _case.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Iterable, Optional, Sequence, Union

from .. import ir, layout, names
from ..field_ids import told
from ..interp import parse
from ..interp_build import BuildError, build, values_of
from ..values import Node, Rejection, Status
from ..vectors import messages
from . import c_chain, c_common, c_plan, c_shape, c_view
from .writer import Writer

LETTERS = {
    Status.OK: "O",
    Status.MORE: "M",
    Status.END: "E",
    Status.E_VALUE: "V",
    Status.E_TAG: "T",
    Status.E_LENGTH: "L",
    Status.E_SHORT: "S",
    Status.E_LIMIT: "X",
    Status.E_LOOP: "P",
    Status.E_RANGE: "R",
    Status.E_SUM: "C",
}
MORE = (1, 64)  # as in mrg_vectors.h
FILLER = 0xA5
PER_PACKET = 4
FLIPS = 6000  # bits flipped, each alone, in all cases of a packet; when they have more: every second, third ... bit
MASK64 = (1 << 64) - 1


@dataclass(frozen=True)
class Sample:
    """A message from outside for one packet; `args`: its numbers, in order.  Those not given are the least that they may be."""

    packet: str
    data: bytes
    args: tuple[int, ...] = ()


@dataclass
class _Table:
    """Outcomes in a row: a letter and a number each."""

    letters: str = ""
    numbers: list[int] = field(default_factory=list)

    def add(self, packet: ir.Packet, data: bytes, args: Sequence[int]) -> Optional[Node]:
        try:
            node = parse(packet, data, given(packet, data, args))
        except Rejection as rejection:
            self.letters += LETTERS[rejection.status]
            self.numbers.append(rejection.bit_off)
            return None
        self.letters += "O"
        self.numbers.append(node.bit_len // 8)
        return node


def given(packet: ir.Packet, data: bytes, args: Sequence[int]) -> list[Union[int, bytes]]:
    """Arguments for the interpreter: the buffers are the message itself."""
    numbers = iter(args)
    return [data if p.kind == "buffer" else next(numbers) for p in packet.params]


def program(module: ir.Module, samples: Iterable[Sample] = (), per_packet: int = PER_PACKET, seed: int = 1) -> str:
    """The text of a test program for one module; link it with the module's generated C."""
    w = Writer()
    w.comment(
        f"Tests of {names.header(module)}: generated from {module.path} and what the interpreter says.\n"
        f"Draws are of seed {seed}."
    )
    w.line('#include "mrg_vectors.h"')
    w.line(f'#include "{names.header(module)}"')
    w.line()
    by_packet: dict[str, list[Sample]] = {}
    for sample in samples:
        by_packet.setdefault(sample.packet, []).append(sample)
    subjects = []
    for packet in module.packets:
        if uses_extern(packet):
            continue
        drawn = sorted(messages(packet, 3 * per_packet, seed), key=lambda m: len(m.data))
        some = drawn[:: max(1, len(drawn) // per_packet)][:per_packet]  # short ones and a long one
        cases = [Sample(packet.name, m.data, m.args) for m in some]
        cases += [Sample(s.packet, s.data, _whole(packet, s.args)) for s in by_packet.get(packet.name, [])]
        if cases:
            subjects.append(_packet(w, packet, cases))
    with w.function("int main(void)"):
        if not subjects:
            w.line('puts("0 passed, 0 failed");')
            w.line("return 0;")
        else:
            with w.block("static const struct mrg_subject subjects[] =", "};"):
                for subject in subjects:
                    w.line(subject)
            w.line("return mrg_vectors_run(subjects, sizeof subjects / sizeof subjects[0]);")
    return w.text()


def _whole(packet: ir.Packet, args: tuple[int, ...]) -> tuple[int, ...]:
    """The arguments of a sample, with those that it leaves out."""
    least = [p.lo for p in packet.params if p.kind != "buffer"]
    return (*args, *least[len(args) :])


def uses_extern(packet: ir.Packet) -> bool:
    """Whether a function of the user's decides about the packet, or about one in it."""
    if any(isinstance(e, ir.Call) for e in _all_exprs(packet)):
        return True
    return any(uses_extern(sub) for sub in _subs(packet.items))


def _all_exprs(packet: ir.Packet) -> Iterable[ir.Expr]:
    for e in layout.exprs(packet.items):
        yield from layout.refs(e)


def _subs(items: Sequence[ir.Item]) -> Iterable[ir.Packet]:
    for item in layout.walk(list(items)):
        if isinstance(item, ir.Sub):
            yield item.packet
        elif isinstance(item, ir.List):
            yield from _subs([item.elem])
        elif isinstance(item, ir.Switch):
            yield from _subs([arm.item for arm in item.arms if arm.item is not None])
        elif isinstance(item, ir.Chain):
            yield from (arm.packet for arm in item.arms)


# --- one packet ------------------------------------------------------------------


def _packet(w: Writer, packet: ir.Packet, cases: Sequence[Sample]) -> str:
    """Functions and tables of a packet; returns its row of `subjects`."""
    name = names.packet(packet)
    short = names.snake(packet.name)
    buildable = has_builder(packet)
    shape = c_shape.build(packet)
    _check(w, packet, name, short)
    if buildable:
        _copy(w, packet, name, short)
    count = _fields(w, packet, shape, name, short)
    step = max(1, -(-8 * sum(len(case.data) for case in cases) // FLIPS))
    rows = [_case(w, packet, shape, case, f"{short}_{i}", buildable, step) for i, case in enumerate(cases)]
    with w.block(f"static const struct mrg_case {short}_cases[] =", "};"):
        for row in rows:
            w.line(row)
    w.line()
    copy = f"{short}_copy" if buildable else "NULL"
    choosy = "true" if is_choosy(packet) else "false"
    return f'{{ "{packet.name}", {short}_check, {copy}, {choosy}, {short}_fields, {count}, {short}_cases, {len(rows)} }},'


def has_builder(packet: ir.Packet) -> bool:
    return c_chain.only_chain(packet) is not None or not c_plan.plan(packet).why_not


def is_choosy(packet: ir.Packet) -> bool:
    """Whether builders refuse values that are read: `send` constraints, here or inside."""
    if any(isinstance(i, ir.Check) and i.severity == "send" for i in layout.walk(packet.items)):
        return True
    return any(is_choosy(sub) for sub in _subs(packet.items))


def actual_args(packet: ir.Packet) -> str:
    """Arguments of a check, each preceded by a comma."""
    out, numbers = "", 0
    for p in packet.params:
        if p.kind == "buffer":
            out += ", in"
        else:
            out += f", ({names.uint_type(p.bits)})args[{numbers}]"
            numbers += 1
    return out


def unused_args(w: Writer, packet: ir.Packet) -> None:
    if all(p.kind == "buffer" for p in packet.params):
        w.line("(void)args;")


def _check(w: Writer, packet: ir.Packet, name: str, short: str) -> None:
    head = f"static enum mrg_status {short}_check(struct mrg_span in, const uint64_t *args, size_t *used, struct mrg_reject *rj)"
    with w.function(head):
        unused_args(w, packet)
        w.line(f"struct {name} v;")
        w.line(f"const enum mrg_status st = {c_common.check_name(packet)}(in{actual_args(packet)}, &v, rj);")
        w.line("if (st == MRG_OK)")
        w.line(f"\t*used = {name}_span(&v).len;")
        w.line("return st;")


def _copy(w: Writer, packet: ir.Packet, name: str, short: str) -> None:
    with w.function(f"static enum mrg_status {short}_copy(struct mrg_span in, const uint64_t *args, struct mrg_w *w)"):
        unused_args(w, packet)
        w.line(f"struct {name} v;")
        w.line(f"const enum mrg_status st = {c_common.check_name(packet)}(in{actual_args(packet)}, &v, NULL);")
        w.line("if (st == MRG_OK)")
        w.line(f"\t{name}_copy(w, &v);")
        w.line("return st;")


def _fields(w: Writer, packet: ir.Packet, shape: c_shape.Shape, name: str, short: str) -> int:
    """A function that puts every accessor's value into an array; returns how many at most."""
    count = 0
    with w.function(f"static size_t {short}_fields(struct mrg_span in, const uint64_t *args, uint64_t *out)"):
        unused_args(w, packet)
        w.line(f"struct {name} v;")
        w.line("size_t n = 0;")
        w.line(f"if ({c_common.check_name(packet)}(in{actual_args(packet)}, &v, NULL) != MRG_OK)")
        w.line("\treturn 0;")
        for slot in shape.slots:
            count += _field(w, slot, name)
        w.line("(void)out;")
        w.line("return n;")
    return count


def _field(w: Writer, slot: c_shape.Slot, name: str) -> int:
    item, count = slot.item, 0
    call = f"{name}_{item.name}(&v)"
    if slot.group is not None:
        w.line(f"out[n++] = {name}_has_{item.name}(&v);")
        count += 1
    if isinstance(item, (ir.Scalar, ir.Varint)) or (isinstance(item, ir.Let) and told(item)):
        signed = isinstance(item, ir.Scalar) and item.signed
        w.line(f"out[n++] = {'(uint64_t)(int64_t)' if signed else ''}{call};")
    elif isinstance(item, ir.Bytes):
        w.line(f"out[n++] = mrg_hash_span({call});")
    elif isinstance(item, ir.Sub):
        with w.block(""):
            w.line(f"const struct {names.packet(item.packet)} part = {call};")
            w.line("out[n++] = mrg_hash_span((struct mrg_span){ part.p, part.len });")
    elif isinstance(item, ir.List):
        _list_field(w, item, name)
        count += 1
    elif isinstance(item, ir.Switch):
        w.line(f"out[n++] = (uint64_t){name}_{item.name}_which(&v);")
        w.line(f"out[n++] = mrg_hash_span({name}_{item.name}_raw(&v));")
        count += 1
    else:
        return count
    return count + 1


def _list_field(w: Writer, item: ir.List, name: str) -> None:
    elem = item.elem
    with w.block(""):
        w.line(f"struct {name}_{item.name}_it it = {name}_{item.name}(&v);")
        w.line(f"{c_view.elem_type(elem)} e;")
        w.line("uint64_t count = 0, hash = 0;")
        with w.block(f"while ({name}_{item.name}_next(&it, &e))"):
            w.line("count++;")
            if isinstance(elem, ir.Bytes):
                w.line("hash = mrg_hash_number(hash, mrg_hash_span(e));")
            elif isinstance(elem, ir.Sub):
                w.line("hash = mrg_hash_number(hash, mrg_hash_span((struct mrg_span){ e.p, e.len }));")
            else:
                signed = isinstance(elem, ir.Scalar) and elem.signed
                w.line(f"hash = mrg_hash_number(hash, {'(uint64_t)(int64_t)' if signed else ''}e);")
        w.line("out[n++] = count;")
        w.line("out[n++] = hash;")


# --- the interpreter's values of the same fields ---------------------------------------


def _hash(h: int, data: bytes) -> int:
    for byte in data:
        h = (h ^ byte) * 0x100000001B3 & MASK64
    return h


def hash_span(data: bytes) -> int:
    return _hash(0xCBF29CE484222325, data)


def hash_number(h: int, value: int) -> int:
    return _hash(h, (value & MASK64).to_bytes(8, "big"))


def field_values(shape: c_shape.Shape, root: Node, data: bytes) -> list[int]:
    out: list[int] = []
    for slot in shape.slots:
        node = root.fields.get(id(slot.item))
        if slot.group is not None:
            out.append(int(node is not None))
        out += _field_value(slot.item, node, data)
    return out


def _raw(node: Optional[Node], data: bytes) -> bytes:
    return b"" if node is None else data[node.bit_off // 8 : (node.bit_off + node.bit_len) // 8]


def _field_value(item: ir.Item, node: Optional[Node], data: bytes) -> list[int]:
    value = node.value if node is not None else None
    if isinstance(item, (ir.Scalar, ir.Varint)) or (isinstance(item, ir.Let) and told(item)):
        return [(value if isinstance(value, int) else 0) & MASK64]
    if isinstance(item, ir.Bytes):
        return [hash_span(value if isinstance(value, bytes) else b"")]
    if isinstance(item, ir.Sub):
        return [hash_span(_raw(node, data))]
    if isinstance(item, ir.List):
        h = 0
        children = node.children if node is not None else []
        for child in children:
            h = hash_number(h, child.value if isinstance(child.value, int) else hash_span(_raw(child, data)))
        return [len(children), h]
    if isinstance(item, ir.Switch):
        arms = [arm.name for arm in item.arms]
        return [arms.index(node.arm) + 1 if node is not None else 0, hash_span(_raw(node, data))]
    return []


# --- one message -----------------------------------------------------------------------


def _case(
    w: Writer, packet: ir.Packet, shape: c_shape.Shape, case: Sample, label: str, buildable: bool, step: int
) -> str:
    """Tables of a message, every step-th bit flipped; returns its row of the packet's cases."""
    data, args = case.data, case.args
    exact, cut, flip, more = _Table(), _Table(), _Table(), _Table()
    node = exact.add(packet, data, args)
    for size in range(len(data)):
        cut.add(packet, data[:size], args)
    for bit in range(0, 8 * len(data), step):
        flipped = bytearray(data)
        flipped[bit // 8] ^= 0x80 >> bit % 8
        flip.add(packet, bytes(flipped), args)
    for extra in MORE:
        more.add(packet, data + bytes([FILLER]) * extra, args)
    _bytes_of(w, f"{label}_data", data)
    for name, table in (("exact", exact), ("cut", cut), ("flip", flip), ("more", more)):
        _numbers(w, "uint32_t", f"{label}_{name}", table.numbers)
    again = _again(packet, node, args) if node is not None and buildable else None
    if again is not None:
        _bytes_of(w, f"{label}_again", again)
    fields = field_values(shape, node, data) if node is not None else []
    _numbers(w, "uint64_t", f"{label}_fields", fields)
    _numbers(w, "uint64_t", f"{label}_args", list(args))
    tables = f"{step}, " + ", ".join(f'"{t.letters}", {label}_{n}' for n, t in (("exact", exact), ("cut", cut), ("flip", flip), ("more", more)))
    rebuilt = f"{label}_again, {len(again)}" if again is not None else "NULL, 0"
    return f'{{ "{label}", {label}_data, {len(data)}, {label}_args, {tables}, {rebuilt}, {label}_fields, {len(fields)} }},'


def _again(packet: ir.Packet, node: Node, args: Sequence[int]) -> Optional[bytes]:
    """What a builder makes of a message."""
    try:
        return build(packet, values_of(node), given(packet, b"", args))
    except BuildError:
        return None


def _bytes_of(w: Writer, name: str, data: bytes) -> None:
    w.line(f"static const uint8_t {name}[] = {{")
    for i in range(0, len(data), 16):
        w.line("\t" + " ".join(f"0x{c:02x}," for c in data[i : i + 16]))
    if not data:
        w.line("\t0")
    w.line("};")


def _numbers(w: Writer, ctype: str, name: str, numbers: Sequence[int]) -> None:
    w.line(f"static const {ctype} {name}[] = {{")
    suffix = "ull" if ctype == "uint64_t" else ""
    for i in range(0, len(numbers), 16):
        w.line("\t" + " ".join(f"{n}{suffix}," for n in numbers[i : i + 16]))
    if not numbers:
        w.line("\t0")
    w.line("};")
