"""Random messages that are valid by construction, out of the IR.

`messages(packet, count, seed)` gives values and bytes; the same seed gives the
same bytes on any machine.  Field by field a value is drawn from what the
specification makes interesting: members of the field's enum, constants that it
is compared with, the tags of a switch over it, the ends of its proved range.
A packet whose constraints do not hold is drawn again.

Reading order: messages, Maker.packet, Maker.item.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any, Iterator, Mapping, Optional, Sequence, Union

from . import ir
from .interp import choose
from .interp_build import BuildError, Values, build
from .keys import may_repeat
from .layout import exprs, lengths, refs, walk
from .values import Broken, Buf, Frame, Node, Unknown, evaluate

DRAWS = 12  # of a message with an alternative that is hard to have
TRIES = 40  # draws of one packet before the packet around it is drawn again
ROOM = 24  # bytes of a byte string, mostly
COUNTS = (0, 1, 1, 1, 2, 2, 3, 4)  # of list elements

Args = list[Union[int, Buf]]


class NoMessage(Exception):
    """Nothing valid was drawn in TRIES draws."""


@dataclass(frozen=True)
class Message:
    values: Values
    args: tuple[int, ...]  # of the number parameters, in order; buffers are the message itself
    data: bytes

    def arguments(self, packet: ir.Packet) -> list[Union[int, bytes]]:
        """What parse takes for `args`."""
        numbers = iter(self.args)
        return [self.data if p.kind == "buffer" else next(numbers) for p in packet.params]


def of_each_arm(packet: ir.Packet, seed: int = 1) -> Iterator[Message]:
    """A message with each alternative of the packet's own unions that a number chooses, where one can be drawn."""
    for item in walk(packet.items):
        if not isinstance(item, ir.Switch):
            continue
        for p in (p for arm in item.arms for p in arm.pats):
            fixed = {of: p.lo for of in _chosen_by(item.on)}
            drawn = (messages(packet, 2, seed + n, fixed) for n in range(DRAWS))
            yield from next((found for found in drawn if found), [])


def _chosen_by(on: ir.Expr) -> Iterator[int]:
    """The fields and parameters that a union's tag is made of."""
    for part in refs(on):
        if isinstance(part, ir.FieldRef) and isinstance(part.path[-1], ir.Let):
            yield from _chosen_by(part.path[-1].expr)
    yield from _fields(on)


def messages(packet: ir.Packet, count: int, seed: int = 1, fixed: Mapping[int, int] = {}) -> list[Message]:
    """Up to `count` different messages; fewer when the packet has no more, or they are hard to draw.

    `fixed` has what some numbers are to be, by the id of their item or parameter."""
    maker = Maker(random.Random(f"{packet.module.name}.{packet.name}.{seed}"), fixed)
    out: dict[tuple[tuple[int, ...], bytes], Message] = {}
    for _ in range(count * 4):
        if len(out) == count:
            break
        numbers = tuple(maker.parameter(packet, p) for p in packet.params if p.kind != "buffer")
        given = iter(numbers)
        args: Args = [Buf(b"", 0, 0) if p.kind == "buffer" else next(given) for p in packet.params]
        try:
            values = maker.packet(packet, args)
            data = build(packet, values, args)
        except (NoMessage, BuildError):
            continue
        out.setdefault((numbers, data), Message(values, numbers, data))
    return list(out.values())


class Maker:
    """Draws values; remembers what is interesting about each item."""

    def __init__(self, rng: random.Random, fixed: Mapping[int, int] = {}) -> None:
        self.rng = rng
        self.fixed = fixed
        self.known: dict[int, dict[int, list[int]]] = {}  # id(packet) -> id(item or param) -> values

    def parameter(self, packet: ir.Packet, param: ir.Param) -> int:
        hi = param.hi if param.hi else (1 << param.bits) - 1
        if id(param) in self.fixed:
            return self.fixed[id(param)]
        return self.number(param.lo, hi, self.interesting(packet).get(id(param), []) + _members(param.enum))

    def packet(self, packet: ir.Packet, args: Args) -> Values:
        """Values of a packet that can be built alone."""
        for _ in range(TRIES):
            try:
                values = _Draw(self, packet, args).values()
                build(packet, values, args)
                return values
            except (NoMessage, BuildError):
                continue
        raise NoMessage(packet.name)

    def number(self, lo: int, hi: int, hints: Sequence[int]) -> int:
        fit = [h for h in hints if lo <= h <= hi]
        dice = self.rng.random()
        if fit and dice < 0.75:
            return self.rng.choice(fit)
        if dice < 0.85:
            return self.rng.choice((lo, hi))
        return self.rng.randint(lo, hi)

    def octets(self, size: int) -> bytes:
        """Half of the time letters, so that text is seen too."""
        if self.rng.random() < 0.5:
            return bytes(self.rng.choice(b"abcdefgXYZ0189-") for _ in range(size))
        return self.rng.randbytes(size)

    def size(self, hi: Optional[int]) -> int:
        """Of something with no size of its own."""
        top = ROOM if hi is None else min(hi, ROOM)
        if hi is not None and hi <= 300 and self.rng.random() < 0.03:
            return hi
        return self.rng.randint(0, top)

    def interesting(self, packet: ir.Packet) -> dict[int, list[int]]:
        """Constants that the packet holds against its fields and parameters."""
        found = self.known.get(id(packet))
        if found is None:
            found = {}
            for of, value in _comparisons(packet):
                found.setdefault(of, []).append(value)
            self.known[id(packet)] = found
        return found


def _comparisons(packet: ir.Packet) -> Iterator[tuple[int, int]]:
    for item in walk(packet.items):
        if isinstance(item, ir.Switch):
            for of in _fields(item.on):
                yield from ((of, p.lo & p.mask) for arm in item.arms for p in arm.pats)
        if isinstance(item, ir.List) and item.expr is not None and item.mode == "until":
            yield from _constants(item.expr)
    for e in exprs(packet.items):
        yield from _constants(e)


def _constants(e: ir.Expr) -> Iterator[tuple[int, int]]:
    """Each field with each constant of the same comparison."""
    for part in refs(e):
        if isinstance(part, ir.Bin) and part.op in ("==", "!=", "<", "<=", ">", ">=", "&"):
            values = [c.value for c in refs(part) if isinstance(c, ir.Const)]
        elif isinstance(part, ir.In):
            values = [c.value for pair in part.ranges for c in pair if isinstance(c, ir.Const)]
        else:
            continue
        yield from ((of, v) for of in _fields(part) for v in values)


def _fields(e: ir.Expr) -> Iterator[int]:
    for part in refs(e):
        if isinstance(part, ir.FieldRef):
            yield id(part.path[-1])
        elif isinstance(part, ir.ParamRef):
            yield id(part.param)


def _members(enum: Optional[ir.Enum]) -> list[int]:
    return [] if enum is None else [m.lo for m in enum.members]


class _Draw:
    """One draw of one packet's values, in field order."""

    def __init__(self, maker: Maker, packet: ir.Packet, args: Args, owed: frozenset[tuple[int, ...]] = frozenset()) -> None:
        self.m = maker
        self.packet = packet
        node = Node(item=None, name="", bit_off=0, packet=packet)
        self.f = Frame(packet, args, b"", 0, 0, node, building=True)
        self.out: Values = {}
        self.hints = maker.interesting(packet)
        self.derived = owed | {tuple(id(i) for i in le.path) for le in lengths(packet)}

    def values(self) -> Values:
        self.items(self.packet.items)
        return self.out

    def ask(self, e: Optional[ir.Expr]) -> Optional[int]:
        """The value of an expression, None while a builder could not tell it either."""
        if e is None or any(self.unknown(part) for part in refs(e)):
            return None
        try:
            return evaluate(self.f, e)
        except (Unknown, Broken):
            return None

    def unknown(self, part: ir.Expr) -> bool:
        if isinstance(part, ir.FieldRef):
            node = self.f.find(part.path)
            return node is not None and node.inner.value is None
        return isinstance(part, ir.SizeOf) and not isinstance(part.item, (ir.Bytes, ir.Scalar))

    def guess(self, e: ir.Expr) -> Optional[int]:
        """As ask; where lengths that the builder derives matter, with some value for them."""
        value = self.ask(e)
        open_ = [n for n in self.f.node.children if n.inner.value is None and isinstance(n.item, (ir.Scalar, ir.Varint, ir.Let))]
        if value is not None or not open_:
            return value
        for node in open_:
            item = node.item
            if isinstance(item, ir.Let):
                node.value = self.ask(item.expr)
            elif isinstance(item, (ir.Scalar, ir.Varint)):
                node.value = self.m.rng.choice((max(item.lo, 0), 1, 20))
        value = self.ask(e)
        for node in open_:
            node.value = None
        return value

    def items(self, items: Sequence[ir.Item]) -> None:
        for item in items:
            if isinstance(item, ir.Optional_):
                present = self.ask(item.cond)
                if present is None:
                    present = self.m.rng.randint(0, 1)
                if present:
                    self.items(item.items)
            elif isinstance(item, ir.Check):
                if item.severity != "warn" and self.ask(item.expr) == 0:
                    raise NoMessage(item.what)
            elif not isinstance(item, (ir.Align, ir.EndianSel)):
                node, value = self.item(item)
                self.note(item, node)
                if item.name:
                    self.out[item.name] = value

    def note(self, item: ir.Item, node: Node) -> None:
        self.f.node.fields[id(item)] = node
        self.f.node.children.append(node)

    def item(self, item: ir.Item, room: Optional[int] = None) -> tuple[Node, Any]:
        """A node that expressions can look at, and the value for the builder."""
        node = Node(item=item, name=item.name, bit_off=0)
        match item:
            case ir.Scalar() | ir.Varint():
                node.value = self.number(item)
                return node, node.value
            case ir.Bytes():
                data = self.octets(item, room)
                node.value, node.bit_len = data, len(data) * 8
                return node, data
            case ir.Let():
                node.value = self.ask(item.expr)
                return node, node.value
            case ir.Sub():
                return self.sub(item, node)
            case ir.Region():
                inner, value = self.item(item.item, None if item.tail else self.ask(item.length))
                node.children.append(inner)
                self.f.node.fields[id(item.item)] = inner
                return node, value
            case ir.Switch():
                return self.switch(item, node, room)
            case ir.List():
                return self.sequence(item, node)
            case ir.Chain():
                return node, self.chain(item)
        raise NoMessage(type(item).__name__)

    def number(self, item: Union[ir.Scalar, ir.Varint]) -> Optional[int]:
        if (id(item),) in self.derived:
            return None
        if item.computed is not None and not any(isinstance(e, ir.Call) for e in refs(item.computed)):
            return None
        if id(item) in self.m.fixed:
            return self.m.fixed[id(item)]
        hints = self.hints.get(id(item), [])
        if isinstance(item, ir.Varint):
            return self.m.number(item.lo, item.hi if item.hi else item.spec.hi, hints)
        if item.const is not None:
            return item.const
        return self.m.number(item.lo, item.hi, hints + _members(item.enum))

    def octets(self, item: ir.Bytes, room: Optional[int]) -> bytes:
        if item.mode == "until":
            data = self.m.octets(self.m.size(item.max))
            return bytes(c for c in data if c != item.until)
        if item.mode == "rest":
            return self.m.octets(room if room is not None else self.m.size(item.max))
        size = self.ask(item.length)
        if size is None:
            size = self.m.size(item.max)
            ref = item.length
            if isinstance(ref, ir.FieldRef) and isinstance(ref.path[-1], (ir.Scalar, ir.Varint)):
                lo, hi = ref.path[-1].lo, ref.path[-1].hi
                size = max(lo, self.m.size(hi if item.max is None else min(hi, item.max)))
                if len(ref.path) == 1 and id(ref.path[0]) in self.f.node.fields:
                    self.f.node.fields[id(ref.path[0])].value = size  # others may be as long
        return self.m.octets(size)

    def sub(self, item: ir.Sub, node: Node) -> tuple[Node, Any]:
        args: Args = []
        for arg, param in zip(item.args, item.packet.params):
            number = self.ask(arg) if isinstance(arg, ir.Expr) else None
            args.append(Buf(b"", 0, 0) if isinstance(arg, ir.BufArg) else param.lo if number is None else number)
        owed = frozenset(p[1:] for p in self.derived if p[0] == id(item) and len(p) > 1)
        if owed:  # what this packet derives in it can't be built alone
            draw = _Draw(self.m, item.packet, args, owed)
            value = draw.values()
            node.fields, node.children = draw.f.node.fields, draw.f.node.children
        else:
            value = self.m.packet(item.packet, args)
            draw = _Draw(self.m, item.packet, args)
            _known(draw.f.node, item.packet.items, value)
            node.fields = draw.f.node.fields
        node.packet = item.packet
        return node, value

    def switch(self, item: ir.Switch, node: Node, room: Optional[int]) -> tuple[Node, Any]:
        value = self.guess(item.on)
        arm = choose(item, value) if value is not None else self.m.rng.choice(item.arms)
        if arm is None:
            raise NoMessage(f"{item.name} has no arm for {value}")
        node.arm = arm.name
        if arm.item is None:
            return node, (arm.name, None)
        inner, content = self.item(arm.item, room)
        node.children.append(inner)
        self.f.node.fields[id(arm.item)] = inner
        return node, (arm.name, content)

    def sequence(self, item: ir.List, node: Node) -> tuple[Node, Any]:
        want = self.ask(item.expr) if item.mode in ("count", "bytes") else None
        count = min(self.m.rng.choice(COUNTS), 4 if item.max is None else item.max)
        if want is not None and item.mode == "count":
            count = want
        if want is not None and item.mode == "bytes":
            count = want // _elem_size(item.elem)
        if count > 2000:
            raise NoMessage(f"{item.name} of {count} elements")
        out: list[Any] = []
        while len(out) < (count if item.mode != "until" else 40):
            inner, value = self.item(item.elem)
            node.children.append(inner)
            self.f.node.fields[id(item.elem)] = inner
            out.append(value)
            if item.mode == "until" and self.ask(item.expr):
                break
        return node, _keyed(item, out)

    def chain(self, item: ir.Chain) -> list[tuple[str, Values]]:
        going = [arm for arm in item.arms if arm.kind == "item"]
        stops = [arm for arm in item.arms if arm.kind == "stop"]
        out: list[tuple[str, Values]] = []
        total = 0
        long = self.m.rng.random() < 0.05
        while going and (long or self.m.rng.random() < 0.7):
            arm = self.m.rng.choice(going)
            values = self.m.packet(arm.packet, [])
            total += len(build(arm.packet, values))
            if total > item.max_bytes - 1:
                break
            out.append((arm.name, values))
        stop = self.m.rng.choice(stops)
        return out + [(stop.name, self.m.packet(stop.packet, []))]


def _known(node: Node, items: Sequence[ir.Item], values: Values) -> None:
    """Give a packet's node the numbers among its values, for expressions around it."""
    for item in walk(list(items)):
        if isinstance(item, (ir.Scalar, ir.Varint, ir.Let)) and item.name:
            node.fields[id(item)] = Node(item=item, name=item.name, bit_off=0, value=values.get(item.name))
        elif isinstance(item, ir.Sub) and isinstance(values.get(item.name), dict):
            inner = Node(item=item, name=item.name, bit_off=0, packet=item.packet)
            _known(inner, item.packet.items, values[item.name])
            node.fields[id(item)] = inner


def _elem_size(elem: ir.Item) -> int:
    if isinstance(elem, ir.Scalar):
        return elem.bits // 8
    if isinstance(elem, ir.Sub):
        return max(elem.packet.size_min, 1)
    return 1


def _keyed(item: ir.List, out: list[Any]) -> list[Any]:
    """The elements as `unique` or `ascending` wants them."""
    path = item.ascending or item.unique
    if path is None:
        return out
    kept: list[tuple[Any, Any]] = []  # a key (None: may stand anywhere) and its element
    seen: set[Any] = set()
    for value in out:
        key = value
        for step in path:
            if isinstance(key, dict) and step is not item.elem:
                key = key.get(step.name)
        if isinstance(key, bytes) and isinstance(path[-1], ir.Bytes) and path[-1].nocase:
            key = key.lower()
        if isinstance(key, int) and may_repeat(item, key):
            key = None
        if key is None or key not in seen:
            kept.append((key, value))
            seen.add(key)
    if item.ascending is not None:
        by_key = {key: value for key, value in kept if key is not None}
        rising = iter([(key, by_key[key]) for key in sorted(by_key)])
        kept = [k if k[0] is None else next(rising) for k in kept]
    return [value for _, value in kept]
