"""The reference builder: values to bytes, the inverse of interp.py.

Values of a packet are a dict by field name: integers; bytes; a dict for a
packet; a list for a List; `(arm, value)` for a Switch; `[(arm, dict), ...]`
for a Chain, without jumps and with its stop item.  Computed fields, constants
and lengths that are the extent of a later field (layout.lengths) are the
builder's business: values given for them are ignored.

How: the message is written again and again with the derived values of the
round before, until they don't change.  Then it is read by the interpreter,
which must accept all of it.

Reading order: build, Builder.packet, Builder.item.
"""

from __future__ import annotations

from typing import Any, Iterator, Optional, Sequence, Union

from . import ir
from .interp import Arg, arguments, parse
from .layout import lengths, refs, walk
from .values import Broken, Buf, Frame, Node, Rejection, Unknown, evaluate
from .varints import write_varint

Values = dict[str, Any]
Key = tuple[Union[str, int], ...]  # which scalar of the message: names and indexes from the root

ROUNDS = 12  # sizes settle in two or three, checksums take one more


class BuildError(Exception):
    """The values are not those of a message."""


def build(packet: ir.Packet, values: Values, args: Optional[Sequence[Arg]] = None, compress: bool = False) -> bytes:
    """The bytes of `packet` with these values; raises BuildError."""
    derived: dict[Key, int] = {}
    for _ in range(ROUNDS):
        builder = Builder(derived, compress)
        try:
            written = builder.packet(packet, values, arguments(packet, builder.out, args), (), True, {})
        except (KeyError, OverflowError, ValueError, TypeError, IndexError) as problem:
            raise BuildError(f"packet {packet.name}: {problem!r}") from problem
        if builder.found == derived and not builder.open:
            return _read_back(packet, written, bytes(builder.out), args)
        derived = builder.found
    raise BuildError(f"packet {packet.name}: {builder.open or 'computed fields do not settle'}")


def _read_back(packet: ir.Packet, written: Node, out: bytes, args: Optional[Sequence[Arg]]) -> bytes:
    """The interpreter must read all of `out`, and see in it what was written."""
    try:
        node = parse(packet, out, args)
    except Rejection as rejection:
        raise BuildError(f"packet {packet.name}: the values give {out.hex()}, which is refused: {rejection}") from None
    if node.bit_len != len(out) * 8:
        raise BuildError(f"packet {packet.name}: the values give {out.hex()}, of which {node.bit_len // 8} are read")
    if list(_shape(node)) != list(_shape(written)):
        raise BuildError(f"packet {packet.name}: the values give {out.hex()}, which is read in another way")
    return out


def _shape(node: Node) -> Iterator[tuple[str, str, int, int]]:
    """What is where in a message."""
    yield node.name, node.arm, node.bit_off, node.bit_len
    if not isinstance(node.item, ir.Chain):  # compressed ones are not written as they are read
        for child in node.children:
            yield from _shape(child)


def values_of(node: Node) -> Any:
    """The values to build a decoded item from again; chains flattened."""
    item = node.item
    if isinstance(item, ir.Region):
        return values_of(node.children[0]) if node.children else None
    if isinstance(item, ir.Switch):
        return (node.arm, values_of(node.children[0]) if node.children else None)
    if isinstance(item, ir.List):
        return [values_of(child) for child in node.children]
    if isinstance(item, ir.Chain):
        gotos = {arm.name for arm in item.arms if arm.kind == "goto"}
        return [(child.arm, values_of(child)) for child in node.children if child.arm not in gotos]
    if node.packet is not None:
        return {child.name: values_of(child) for child in node.children if child.name}
    return node.value


class Builder:
    """One round of writing."""

    def __init__(self, derived: dict[Key, int], compress: bool) -> None:
        self.derived = derived  # by the round before
        self.found: dict[Key, int] = {}  # by this one
        self.open = ""  # a derived value that its field cannot hold
        self.out = bytearray()
        self.bits = 0
        self.compress = compress
        self.refs: dict[tuple[int, bytes], int] = {}  # (message start, flat tail of a chain) -> offset

    # --- output -------------------------------------------------------------------

    def put(self, value: int, bits: int) -> None:
        """Append `bits` bits, MSB first."""
        self.bits += bits
        while len(self.out) * 8 < self.bits:
            self.out.append(0)
        size = (bits + 14) // 8
        last = (self.bits + 7) // 8
        shifted = (value << (last * 8 - self.bits)).to_bytes(size, "big")
        for i in range(1, min(size, last) + 1):
            self.out[last - i] |= shifted[size - i]

    def put_bytes(self, data: bytes) -> None:
        if self.bits % 8:
            raise Broken("bytes begin inside a byte")
        self.out += data
        self.bits += len(data) * 8

    # --- packets ------------------------------------------------------------------

    def packet(
        self,
        packet: ir.Packet,
        values: Values,
        args: list[Union[int, Buf]],
        key: Key,
        big: bool,
        owed: dict[tuple[int, ...], Key],
    ) -> Node:
        """Write a packet.  owed: scalars in it that an outer packet derives, by path."""
        node = Node(item=None, name="", bit_off=self.bits, packet=packet)
        start = self.bits // 8
        f = Frame(packet, args, self.out, start, start, node, pos=self.bits, big=big, building=True)
        writer = _Packet(self, f, values, key, dict(owed))
        for length in lengths(packet):
            writer.owed[tuple(id(i) for i in length.path)] = key + tuple(i.name for i in length.path)
        writer.items(packet.items)
        node.bit_len = self.bits - node.bit_off
        for length in lengths(packet):
            writer.settle_length(length.kind, length.item, key + tuple(i.name for i in length.path))
        for item, holder in f.computed:
            assert isinstance(item, (ir.Scalar, ir.Varint)) and item.computed is not None
            f.holder = holder
            try:
                self.settle(item, key + (item.name,), evaluate(f, item.computed))
            except Broken as problem:  # sizes of this round, or values that no message has
                self.open = str(problem)
        return node

    def settle(self, item: ir.Item, key: Key, value: int) -> None:
        """Note what a derived scalar has to be in the next round."""
        self.found[key] = value
        width = item.bits if isinstance(item, ir.Scalar) else 64
        if not 0 <= value < 1 << width:
            self.open = f"{item.name} cannot hold {value}"


class _Packet:
    """Writes the items of one packet."""

    def __init__(self, b: Builder, f: Frame, values: Values, key: Key, owed: dict[tuple[int, ...], Key]) -> None:
        self.b = b
        self.f = f
        self.values = values
        self.key = key
        self.owed = owed

    def settle_length(self, kind: str, item: ir.Item, key: Key) -> None:
        node = self.f.node.fields.get(id(item))
        value = 0
        if node is not None:
            value = len(node.inner.children) if kind == "count" else node.bit_len // 8
        self.b.found[key] = value

    def ask(self, e: Optional[ir.Expr]) -> Optional[int]:
        """An expression's value, None as long as it cannot be told."""
        assert e is not None
        try:
            return evaluate(self.f, e)
        except (Unknown, Broken):
            return None

    def begin(self, item: ir.Item) -> Node:
        node = Node(item=item, name=item.name, bit_off=self.b.bits)
        self.f.node.fields[id(item)] = node
        if item.name:
            self.f.named[item.name] = node
        return node

    def end(self, node: Node) -> Node:
        node.bit_len = self.b.bits - node.bit_off
        return node

    def items(self, items: Sequence[ir.Item]) -> None:
        for item in items:
            self.f.pos = self.b.bits
            if isinstance(item, ir.Optional_):
                self.optional(item)
            elif isinstance(item, ir.EndianSel):
                self.f.big = bool(self.ask(item.cond))
            elif isinstance(item, ir.Check):
                self.check(item)
            else:
                self.f.node.children.append(self.item(item, self.values.get(item.name), (item.name,)))

    def optional(self, item: ir.Optional_) -> None:
        """Present when its values are given; where none are to be given, when its condition holds."""
        given = [i for i in walk(item.items) if self.given(i)]
        present = any(i.name in self.values for i in given) if given else bool(self.ask(item.cond))
        if present:
            self.items(item.items)

    def given(self, item: ir.Item) -> bool:
        """Whether the caller says what the item is."""
        if not item.name or isinstance(item, (ir.Let, ir.Check, ir.Optional_)) or (id(item),) in self.owed:
            return False
        if isinstance(item, (ir.Scalar, ir.Varint)) and item.computed is not None:
            return _external(item.computed)
        return not (isinstance(item, ir.Scalar) and item.const is not None)

    def check(self, item: ir.Check) -> None:
        """`send` binds builders only; what else must hold is seen when the result is read."""
        if item.severity == "send" and self.ask(item.expr) == 0:
            self.b.open = f"{item.name}: {item.what}"

    def item(self, item: ir.Item, value: Any, step: Key) -> Node:
        """Write one item.  step: what tells it from its siblings."""
        match item:
            case ir.Scalar() | ir.Varint():
                return self.number(item, value, step)
            case ir.Bytes():
                return self.octets(item, value)
            case ir.Sub():
                return self.sub(item, value, step)
            case ir.List():
                return self.sequence(item, value, step)
            case ir.Switch():
                return self.switch(item, value, step)
            case ir.Region():
                return self.region(item, value, step)
            case ir.Chain():
                return self.chain(item, value, step)
            case ir.Align():
                node = self.begin(item)
                self.b.put_bytes(bytes(-(self.b.bits // 8 - self.f.start) % item.to))
                return self.end(node)
            case ir.Let():
                node = self.begin(item)
                node.value = self.ask(item.expr)
                return node
        raise Broken(f"no such item: {type(item).__name__}")

    def region(self, item: ir.Region, value: Any, step: Key) -> Node:
        node = self.begin(item)
        node.children.append(self.item(item.item, value, step))
        size = self.ask(item.length) if item.tail else None
        if size is not None:
            self.b.put_bytes(bytes(max(0, size - (self.b.bits - node.bit_off) // 8)))
        return self.end(node)

    def number(self, item: Union[ir.Scalar, ir.Varint], value: Any, step: Key) -> Node:
        node = self.begin(item)
        owed = self.owed.get((id(item),))
        if item.computed is not None and owed is None and not _external(item.computed):
            self.f.computed.append((item, node))
            owed = self.key + (item.name,)
        if owed is not None:
            value = self.b.derived.get(owed, max(item.lo, 0))
        elif isinstance(item, ir.Scalar) and item.const is not None:
            value = item.const
        elif value is None and not item.name:
            value = max(item.lo, 0)
        node.value = value
        if isinstance(item, ir.Varint):
            self.b.put(*write_varint(item.spec, value))
            return self.end(node)
        value &= (1 << item.bits) - 1 if owed is not None or (item.signed and value < 0) else -1
        if value >> item.bits:
            raise ValueError(f"{item.name}: {value} has more than {item.bits} bits")
        if item.endian == "little" or (item.endian == "dyn" and not self.f.big):
            value = int.from_bytes(value.to_bytes(item.bits // 8, "little"), "big")
        self.b.put(value, item.bits)
        return self.end(node)

    def octets(self, item: ir.Bytes, value: Any) -> Node:
        node = self.begin(item)
        node.value = bytes(value)
        self.b.put_bytes(node.value)
        if item.mode == "until":
            self.b.put_bytes(bytes([item.until]))
        return self.end(node)

    def sub(self, item: ir.Sub, value: Any, step: Key) -> Node:
        owed = {path[1:]: key for path, key in self.owed.items() if path[0] == id(item) and len(path) > 1}
        f = self.f
        compress, self.b.compress = self.b.compress, self.b.compress and not item.flat
        args = [self.arg(a) for a in item.args]
        node = self.b.packet(item.packet, value if value is not None else {}, args, self.key + step, f.big, owed)
        self.b.compress = compress
        node.item, node.name = item, item.name
        f.node.fields[id(item)] = node
        f.named[item.name] = node
        return node

    def arg(self, arg: Union[ir.Expr, ir.BufArg]) -> Union[int, Buf]:
        if isinstance(arg, ir.Expr):
            return self.ask(arg) or 0
        if arg.param is None:
            return Buf(self.b.out, self.f.start, self.f.start)
        return self.f.arg(arg.param)

    def sequence(self, item: ir.List, value: Any, step: Key) -> Node:
        node = self.begin(item)
        for i, element in enumerate(value):
            self.f.pos = self.b.bits
            node.children.append(self.item(item.elem, element, step + (i,)))
        return self.end(node)

    def switch(self, item: ir.Switch, value: Any, step: Key) -> Node:
        node = self.begin(item)
        name, inner = value
        arm = next((a for a in item.arms if a.name == name), None)
        if arm is None:
            raise ValueError(f"{item.name} has no arm {name}")
        node.arm = arm.name
        if arm.item is not None:
            node.children.append(self.item(arm.item, inner, step + (arm.name,)))
        return self.end(node)

    # --- chains -------------------------------------------------------------------

    def chain(self, item: ir.Chain, value: Any, step: Key) -> Node:
        node = self.begin(item)
        arms = {arm.name: arm for arm in item.arms}
        flat = [self.alone(arms[name].packet, inner) for name, inner in value]
        goto = next((arm for arm in item.arms if arm.kind == "goto"), None)
        base = self.message_start(goto)
        for i in range(len(flat)):
            tail = b"".join(flat[i:])  # as spelled: a pointer to another spelling would change it
            if self.b.compress and goto is not None and i + 1 < len(flat):
                target = self.b.refs.get((base, tail))
                if target is not None:
                    self.b.put_bytes(self.alone(goto.packet, {_pointer(goto).name: target}))
                    break
                if _reaches(goto, self.b.bits // 8 - base):
                    self.b.refs[base, tail] = self.b.bits // 8 - base
            self.b.put_bytes(flat[i])
        return self.end(node)

    def alone(self, packet: ir.Packet, values: Values) -> bytes:
        """The bytes of a chain item."""
        return build(packet, values)

    def message_start(self, goto: Optional[ir.ChainArm]) -> int:
        if goto is None or goto.buffer is None:
            return 0
        buf = self.f.arg(goto.buffer)
        return buf.start if isinstance(buf, Buf) else 0


def _external(e: ir.Expr) -> bool:
    """Whether a value depends on an extern function: the caller gives it then."""
    return any(isinstance(part, ir.Call) for part in refs(e))


def _pointer(goto: ir.ChainArm) -> ir.Item:
    """The scalar that holds where a goto leads."""
    if not isinstance(goto.at, ir.FieldRef):
        raise ValueError(f"{goto.name}: where it leads is not one field")
    return goto.at.path[-1]


def _reaches(goto: ir.ChainArm, offset: int) -> bool:
    """Whether a goto can lead to `offset`."""
    if not isinstance(goto.at, ir.FieldRef):
        return False
    field = goto.at.path[-1]
    assert isinstance(field, ir.Scalar)
    return field.lo <= offset <= min(field.hi, (1 << field.bits) - 1)
