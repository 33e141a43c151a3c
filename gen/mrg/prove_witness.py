"""Counterexamples: the values of fields for which a goal does not hold, and a packet that has them.

The packet is laid out from the solver's model: what was read up to the goal
stands where the model says, sub-packets are messages of their own with the
size and fields that the model gives them, the rest is zeros.  That is a best
effort (a list has one element at most), so the reference interpreter reads it
and what comes of that is told.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Optional, Sequence, Union

from . import ir, layout
from .interp import parse
from .prove_goals import Goals, Term, Unmet, load
from .prove_items import Read, Walk
from .values import Broken, Buf, Rejection, Status
from .varints import write_varint

WANTED = re.compile(r"must be (\d+),")  # of the interpreter's rejections
LONGEST_SHOWN = 64  # octets
LONGEST_MADE = 70000
DEEPEST = 8  # packets in packets that are made; deeper ones are zeros


@dataclass
class Witness:
    """why: when there is no counterexample to show."""

    why: str = ""
    values: dict[str, int] = field(default_factory=dict)
    data: Optional[bytes] = None
    args: list[int | bytes] = field(default_factory=list)
    read: str = ""  # what the interpreter makes of data

    def text(self) -> str:
        return self.why or "counterexample " + ", ".join(f"{name} = {value}" for name, value in self.values.items())

    def packet(self) -> str:
        """The packet in hexadecimal, and what is made of it; nothing when there is none."""
        if self.data is None:
            return ""
        return f"the packet {shown(self.data)}, {self.read}"


def shown(data: bytes) -> str:
    """Octets in hexadecimal, and how many they are."""
    text = data[:LONGEST_SHOWN].hex() + ("..." if len(data) > LONGEST_SHOWN else "")
    return f"{text or '(empty)'} ({len(data)} octet{'s' * (len(data) != 1)})"


def witness(walk: Walk, unmet: Unmet) -> Witness:
    """What shows that a goal does not hold."""
    if unmet.model is None:
        return Witness("the solver can't tell")
    at = Layout(walk, unmet.model, unmet.goal.stage)
    out = Witness(values=at.values())
    for p in walk.packet.params:
        out.args.append(at.number(walk.params[p.name]) if p.kind == "int" else b"")
    size = at.number(walk.end)
    if size > LONGEST_MADE:
        return out
    out.data = settled(walk.packet, at.octets(size, 0), out.args)
    out.args = [out.data if isinstance(a, bytes) else a for a in out.args]
    out.read = _tried(walk.packet, out.data, out.args)
    return out


def settled(packet: ir.Packet, data: bytes, args: Sequence[Union[int, bytes]]) -> bytes:
    """The message with its checksums put right, as far as the interpreter gets to them."""
    numbers = [i for p in layout.contained(packet) for i in layout.walk(p.items) if isinstance(i, ir.Scalar) and i.computed is not None]
    for _ in numbers:
        given: list[Union[int, bytes, Buf]] = [data if isinstance(a, bytes) else a for a in args]
        try:
            parse(packet, data, given)
            break
        except Rejection as rejection:
            item = next((i for i in numbers if i.loc == rejection.loc), None)
            want = WANTED.match(rejection.what)
            if rejection.status != Status.E_SUM or item is None or want is None:
                break
            out = bytearray(data)
            _put(out, rejection.bit_off, item.bits, int(want[1]), item.endian != "little")
            data = bytes(out)
        except (Broken, ArithmeticError):
            break
    return data


def _tried(packet: ir.Packet, data: bytes, args: list[Union[int, bytes]]) -> str:
    given: list[Union[int, bytes, Buf]] = list(args)
    try:
        node = parse(packet, data, given)
    except Rejection as rejection:
        return f"which the interpreter refuses: {rejection}"
    except (Broken, ArithmeticError, AssertionError) as broken:
        return f"on which the interpreter finds: {broken}"
    return f"which the interpreter reads, {node.bit_len // 8} of it"


class Layout:
    """A model's view of what was read before a goal."""

    def __init__(self, walk: Walk, model: Any, stage: Optional[int] = None) -> None:
        self.walk = walk
        self.z3 = walk.z3
        self.model = model
        self.read = [r for r in walk.read[:stage] if all(self.holds(g) for g in r.guards)]

    def number(self, term: Term) -> int:
        return int(self.model.eval(term, model_completion=True).as_long())

    def holds(self, term: Union[bool, Term]) -> bool:
        return term if isinstance(term, bool) else bool(self.z3.is_true(self.model.eval(term, model_completion=True)))

    def values(self) -> dict[str, int]:
        """Parameters and fields by name, and the octets that there are."""
        walk = self.walk
        out = {p.name if p.kind == "int" else f"len({p.name})": self.number(walk.params[p.name]) for p in walk.packet.params}
        for r in self.read:
            if r.value is not None and r.item.name:
                out[r.item.name] = self.number(r.value)
            elif r.item.name:
                out[f"size {r.item.name}"] = self.number(r.size)
        for path, term in walk.outside:
            out[".".join(i.name for i in path)] = self.number(term)
        out["octets"] = self.number(walk.end)
        return out

    def octets(self, size: int, depth: int) -> bytes:
        """The packet, `size` octets of it."""
        out = bytearray(size)
        for guards, here, e, value in self.walk.peeks:
            if all(self.holds(g) for g in guards):
                _put(out, self.number(here) * 8, e.bits, self.number(value), e.endian != "little")
        for r in self.read:
            self.one(out, r, depth)
        return bytes(out)

    def one(self, out: bytearray, r: Read, depth: int) -> None:
        at, item = self.number(r.here), r.item
        if isinstance(item, ir.Scalar) and r.value is not None:
            big = item.endian == "big" or item.endian == "dyn" and self.holds(r.big)
            _put(out, at * 8 + r.bit, item.bits, self.number(r.value) & (1 << item.bits) - 1, big)
            return
        size = self.number(r.size)
        if isinstance(item, ir.Varint) and r.value is not None:
            value, bits = write_varint(item.spec, self.number(r.value))
            _put(out, at * 8 + r.bit, bits, value, True)
        elif isinstance(item, ir.Bytes) and item.mode == "until":
            _fill(out, at, bytes([item.until ^ 1] * (size - 1) + [item.until]))
        elif isinstance(item, ir.Sub):
            inner = self.inner(item, size, depth)
            _fill(out, at, inner)
        elif isinstance(item, ir.Chain):
            stop = next((a.packet for a in item.arms if a.kind == "stop"), None)
            _fill(out, at, message(stop, size, {}, depth + 1) if stop is not None else b"")

    def inner(self, item: ir.Sub, size: int, depth: int) -> bytes:
        """A message of the sub-packet, with the values that the packet around it has of it."""
        known = {tuple(id(i) for i in path[1:]): self.number(term) for path, term in self.walk.outside if path[0] is item}
        return message(item.packet, size, known, depth + 1)


def message(packet: ir.Packet, size: int, values: dict[tuple[int, ...], int], depth: int) -> bytes:
    """A message of so many octets with these values; zeros where none is found."""
    if depth > DEEPEST:
        return bytes(size)
    goals = Goals(load())
    walk = Walk(goals, packet)
    walk.whole()
    terms = [walk.here == size, walk.end == size, *(walk.values[path] == v for path, v in values.items() if path in walk.values)]
    model = goals.example(terms)
    return Layout(walk, model).octets(size, depth) if model is not None else bytes(size)


def _fill(out: bytearray, at: int, data: bytes) -> None:
    """Octets that lie within the packet."""
    if 0 <= at < len(out):
        data = data[: len(out) - at]
        out[at : at + len(data)] = data


def _put(out: bytearray, bit: int, bits: int, value: int, big: bool) -> None:
    """A number that begins at a bit offset, MSB first; its bits that lie within the packet."""
    if not big:
        value = int.from_bytes(value.to_bytes(bits // 8, "little"), "big")
    for i in range(bits):
        at = bit + i
        if at // 8 < len(out):
            mask = 0x80 >> at % 8
            out[at // 8] = out[at // 8] & ~mask | (mask if value >> (bits - 1 - i) & 1 else 0)
