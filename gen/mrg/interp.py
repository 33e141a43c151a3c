"""The reference interpreter: reads a message as the IR's semantics say.

It is the oracle that every back end is compared with, so it does one thing at
a time in the order of ir.py's rules and keeps nothing clever.  Positions are
bit offsets from the first byte of the input; a chain that jumps into another
buffer counts from the first byte of that buffer.

Reading order: parse, Parser.packet, Parser.item, then one method an item.
"""

from __future__ import annotations

from typing import Any, Callable, Optional, Sequence, Union

from . import ir
from .keys import may_repeat
from .layout import Run, Segment, refs, segments
from .values import Broken, Buf, Frame, Node, Rejection, Status, Step, Warn, evaluate, holds, load
from .varints import read_varint

Arg = Union[int, bytes, Buf]
Data = Union[bytes, bytearray]


def parse(packet: ir.Packet, data: Data, args: Optional[Sequence[Arg]] = None, base: int = 0) -> Node:
    """Read `packet` at byte `base` of `data`; raises Rejection.

    args: one a parameter; bytes stand for a buffer of their own.  Without
    args, buffer parameters are the whole of `data` and numbers are 0.
    """
    parser = Parser()
    node = parser.packet(packet, data, base, len(data), arguments(packet, data, args), True)
    node.warnings = parser.warnings
    return node


def arguments(packet: ir.Packet, data: Data, args: Optional[Sequence[Arg]]) -> list[Union[int, Buf]]:
    """What parse's callers may write, in the form that frames hold."""
    if args is None:
        args = [Buf(data, 0, len(data)) if p.kind == "buffer" else 0 for p in packet.params]
    if len(args) != len(packet.params):
        raise ValueError(f"packet {packet.name} takes {len(packet.params)} arguments, not {len(args)}")
    return [Buf(a, 0, len(a)) if isinstance(a, (bytes, bytearray)) else a for a in args]


class Parser:
    """One parse; holds what spans packets: the warnings."""

    def __init__(self) -> None:
        self.warnings: list[Warn] = []

    def packet(
        self, packet: ir.Packet, data: Data, start: int, end: int, args: list[Union[int, Buf]], big: bool
    ) -> Node:
        node = Node(item=None, name="", bit_off=start * 8, packet=packet)
        f = Frame(packet, args, data, start, end, node, pos=start * 8, big=big)
        f.limit = end
        self.items(f, packet.items)
        if f.pos % 8:
            raise Broken(f"packet {packet.name} ends inside a byte")
        node.bit_len = f.pos - start * 8
        for item, holder in f.computed:
            self.computed(f, item, holder)
        if packet.max_bytes is not None and node.bit_len > packet.max_bytes * 8:
            raise Rejection(Status.E_LIMIT, node.bit_off, f"longer than {packet.max_bytes} bytes", packet.loc)
        return node

    def items(self, f: Frame, items: Sequence[ir.Item]) -> None:
        """A list of items: each run's bytes must be there before it is looked at."""
        for segment in parts_of(items):
            if not isinstance(segment, Run):
                self.child(f, segment)
                continue
            if segment.bits:
                self.whole_run(f, segment)
            for item in segment.items:
                self.child(f, item)

    def whole_run(self, f: Frame, run: Run) -> None:
        first = next(i for i in run.items if not isinstance(i, (ir.Check, ir.Let, ir.EndianSel)))
        try:
            self.need(f, (f.pos % 8 + run.bits + 7) // 8, first)
        except Rejection as rejection:
            raise rejection.within(Step(f.packet.name, first.name, None, first.loc))

    def child(self, f: Frame, item: ir.Item) -> Optional[Node]:
        """Read one item of the packet and enter it in the packet's node."""
        if isinstance(item, ir.Optional_):
            return self.item(f, item)  # what is in it has names of its own
        try:
            node = self.item(f, item)
        except Rejection as rejection:
            raise rejection.within(Step(f.packet.name, item.name, None, item.loc))
        if node is not None:
            f.node.children.append(node)
        return node

    @staticmethod
    def need(f: Frame, count: int, item: ir.Item) -> None:
        if f.limit - f.pos // 8 < count:
            raise Rejection(Status.MORE, f.pos, f"needs {count} bytes", item.loc)

    def item(self, f: Frame, item: ir.Item) -> Optional[Node]:
        """Read one item; None when it leaves no node (an absent optional, a check)."""
        read = _READERS.get(type(item))
        if read is None:
            raise Broken(f"no such item: {type(item).__name__}")
        return read(self, f, item)

    def optional(self, f: Frame, item: ir.Optional_) -> None:
        if holds(f, item.cond):
            self.items(f, item.items)

    def let(self, f: Frame, item: ir.Let) -> Node:
        return self.done(f, item, f.pos, evaluate(f, item.expr))

    def endian(self, f: Frame, item: ir.EndianSel) -> None:
        f.big = holds(f, item.cond)

    @staticmethod
    def begin(f: Frame, item: ir.Item) -> Node:
        """A node for `item` at the current position, known to the packet."""
        node = Node(item=item, name=item.name, bit_off=f.pos)
        f.node.fields[id(item)] = node
        if item.name:
            f.named[item.name] = node
        return node

    def done(self, f: Frame, item: ir.Item, end: int, value: Union[int, bytes]) -> Node:
        """The node of a value that ends at bit `end`, which becomes the position."""
        node = self.begin(f, item)
        node.bit_len = end - f.pos
        node.value = value
        f.pos = end
        return node

    # --- integers ---------------------------------------------------------------

    def scalar(self, f: Frame, item: ir.Scalar) -> Node:
        self.need(f, (f.pos % 8 + item.bits + 7) // 8, item)
        big = item.endian == "big" or (item.endian == "dyn" and f.big)
        value = load(f.data, f.pos, item.bits, big)
        if item.signed and value >> (item.bits - 1):
            value -= 1 << item.bits
        node = self.done(f, item, f.pos + item.bits, value)
        if item.const is not None and value != item.const:
            self.broken(f, item, node, Status.E_VALUE, f"must be {item.const}, not {value}")
        if item.enum is not None and item.enum.closed and not any(m.lo <= value <= m.hi for m in item.enum.members):
            raise Rejection(Status.E_VALUE, node.bit_off, f"{value} is not a member of {item.enum.name}", item.loc)
        if item.computed is not None and not item.implied:
            f.computed.append((item, node))
        return node

    def varint(self, f: Frame, item: ir.Varint) -> Node:
        value, end = read_varint(f, item)
        node = self.done(f, item, end, value)
        if value > item.spec.hi:
            raise Rejection(Status.E_RANGE, node.bit_off, f"{value} is above {item.spec.hi}", item.loc)
        if item.computed is not None and not item.implied:
            f.computed.append((item, node))
        return node

    def computed(self, f: Frame, item: ir.Item, holder: Node) -> None:
        """Compare a `:=` field with its value, now that the packet is read."""
        assert isinstance(item, (ir.Scalar, ir.Varint)) and item.computed is not None
        if asks(item.computed, ir.Call):
            return  # as in check
        f.holder = holder
        want = evaluate(f, item.computed)
        status = Status.E_SUM if asks(item.computed, ir.Sum) else Status.E_VALUE
        if want == holder.value:
            return
        try:
            self.broken(f, item, holder, status, f"must be {want}, not {holder.value!r}")
        except Rejection as rejection:
            raise rejection.within(Step(f.packet.name, item.name, None, item.loc))

    def broken(self, f: Frame, item: Union[ir.Scalar, ir.Varint], node: Node, status: Status, what: str) -> None:
        """A constant or computed value that differs, by its severity."""
        if item.severity == "must":
            raise Rejection(status, node.bit_off, what, item.loc)
        if item.severity == "warn":
            self.warnings.append(Warn(node.bit_off, f"{f.packet.name}.{item.name}", what, item.loc))

    def check(self, f: Frame, item: ir.Check) -> None:
        about = f.holder = f.named.get(item.name)  # a warning may be about a checksum, which leaves out its own field
        if item.severity == "send" or asks(item.expr, ir.Call) or holds(f, item.expr):
            return  # extern functions are the user's: what depends on them is not compared here
        at = about.bit_off if about is not None else f.pos
        if item.severity == "must":
            raise Rejection(Status.E_VALUE, at, item.what, item.loc)
        self.warnings.append(Warn(at, f"{f.packet.name}.{item.name}", item.what, item.loc))

    def align(self, f: Frame, item: ir.Align) -> Node:
        size = -(f.pos // 8 - f.start) % item.to
        self.need(f, size, item)
        at = f.pos // 8
        for i in range(at, at + size):
            if item.zero and f.data[i] != 0:
                raise Rejection(Status.E_VALUE, i * 8, "padding must be zero", item.loc)
        return self.done(f, item, f.pos + size * 8, bytes(f.data[at : at + size]))

    # --- bytes and packets --------------------------------------------------------

    def octets(self, f: Frame, item: ir.Bytes) -> Node:
        at = f.pos // 8
        if item.mode == "until":
            return self.until(f, item)
        size = f.limit - at
        if item.mode == "len":
            assert item.length is not None
            size = evaluate(f, item.length)
        if item.max is not None and size > item.max:
            raise Rejection(Status.E_LIMIT, f.pos, f"longer than {item.max} bytes", item.loc)
        self.need(f, size, item)
        return self.done(f, item, f.pos + size * 8, bytes(f.data[at : at + size]))

    def until(self, f: Frame, item: ir.Bytes) -> Node:
        at = f.pos // 8
        stop = at
        while stop < f.limit and f.data[stop] != item.until:
            stop += 1
            if item.max is not None and stop - at > item.max:
                raise Rejection(Status.E_LIMIT, f.pos, f"longer than {item.max} bytes", item.loc)
        if stop == f.limit:
            raise Rejection(Status.MORE, f.pos, f"no 0x{item.until:02x} ends it", item.loc)
        return self.done(f, item, (stop + 1) * 8, bytes(f.data[at:stop]))

    def sub(self, f: Frame, item: ir.Sub) -> Node:
        args = sub_args(f, item)
        node = self.packet(item.packet, f.data, f.pos // 8, f.limit, args, f.big)
        node.item, node.name = item, item.name
        f.node.fields[id(item)] = node
        f.named[item.name] = node
        f.pos += node.bit_len
        return node

    def region(self, f: Frame, item: ir.Region) -> Node:
        size = evaluate(f, item.length)
        self.need(f, size, item)
        node = self.begin(f, item)
        node.bit_len = size * 8
        outer, end = f.limit, f.pos + size * 8
        f.limit = end // 8
        inner = self.closed_in(f, item)
        f.limit = outer
        if inner is not None:
            node.children.append(inner)
        if f.pos != end and not item.tail:
            raise Rejection(Status.E_LENGTH, f.pos, f"{(end - f.pos) // 8} bytes are left over", item.loc)
        f.pos = end
        f.named[item.name] = node
        return node

    def closed_in(self, f: Frame, item: ir.Region) -> Optional[Node]:
        """The region's item: more bytes than the region has would not help."""
        try:
            return self.item(f, item.item)
        except Rejection as rejection:
            if rejection.status == Status.MORE:
                rejection.status = Status.E_SHORT
            raise

    # --- choice and repetition ------------------------------------------------------

    def switch(self, f: Frame, item: ir.Switch) -> Node:
        node = self.begin(f, item)
        for e in refs(item.on):
            if isinstance(e, ir.Peek):
                self.need(f, e.bits // 8, item)
        value = evaluate(f, item.on)
        arm = choose(item, value)
        if arm is None:
            raise Rejection(Status.E_TAG, f.pos, f"no arm for {value}", item.loc)
        node.arm = arm.name
        if arm.item is not None:
            inner = self.item(f, arm.item)
            if inner is not None:
                node.children.append(inner)
        node.bit_len = f.pos - node.bit_off
        f.named[item.name] = node
        return node

    def sequence(self, f: Frame, item: ir.List) -> Node:
        node = self.begin(f, item)
        outer = f.limit
        want = 0
        if item.mode in ("count", "bytes"):
            assert item.expr is not None
            want = evaluate(f, item.expr)
        if item.mode == "bytes":
            self.need(f, want, item)
            f.limit = f.pos // 8 + want
        try:
            while self.another(f, item, node, want):
                self.element(f, item, node)
        except Rejection as rejection:
            if item.mode == "bytes" and rejection.status == Status.MORE:
                rejection.status = Status.E_SHORT
            raise
        f.limit = outer
        node.bit_len = f.pos - node.bit_off
        f.named[item.name] = node
        return node

    @staticmethod
    def another(f: Frame, item: ir.List, node: Node, want: int) -> bool:
        """Whether one more element follows."""
        have = len(node.children)
        if item.mode == "count":
            more = have < want
        elif item.mode in ("bytes", "rest"):
            more = f.pos // 8 < f.limit
        elif item.mode == "while":
            assert item.expr is not None
            more = holds(f, item.expr)
        else:
            assert item.expr is not None
            more = have == 0 or not holds(f, item.expr)
        if more and item.max is not None and have >= item.max:
            raise Rejection(Status.E_LIMIT, f.pos, f"more than {item.max} elements", item.loc)
        return more

    def element(self, f: Frame, item: ir.List, node: Node) -> None:
        at = f.pos

        try:
            element = self.item(f, item.elem)
            assert element is not None
            keys_differ(item, node, element)
        except Rejection as rejection:
            raise rejection.within(Step(f.packet.name, "", len(node.children), item.elem.loc))
        node.children.append(element)
        if item.mode != "count" and f.pos == at:
            raise Broken(f"an element of {item.name} takes no bytes")

    # --- chains ----------------------------------------------------------------------

    def chain(self, f: Frame, item: ir.Chain) -> Node:
        node = self.begin(f, item)
        node.bit_len = -1  # until the first jump or the stop tells
        data, at, end = f.data, f.pos // 8, f.limit
        run_start, jumps, total = at, 0, 0
        while True:
            inner, arm = self.chain_item(f, item, node, data, at, end)
            at += inner.bit_len // 8
            if arm.kind != "goto":
                total += inner.bit_len // 8
                if total > item.max_bytes:
                    raise Rejection(Status.E_LIMIT, inner.bit_off, f"longer than {item.max_bytes} bytes", item.loc)
            node.children.append(inner)
            if arm.kind != "item" and node.bit_len < 0:
                node.bit_len = at * 8 - node.bit_off
            if arm.kind == "stop":
                break
            if arm.kind == "goto":
                jumps += 1
                data, at, end = self.jump(f, arm, inner, data, run_start, jumps)
                run_start = at
        f.pos = node.bit_off + node.bit_len
        f.named[item.name] = node
        return node

    def chain_item(
        self, f: Frame, item: ir.Chain, node: Node, data: Data, at: int, end: int
    ) -> tuple[Node, ir.ChainArm]:
        """Read the item at byte `at`, chosen by its first byte."""
        if at >= end:
            raise Rejection(Status.MORE, at * 8, "needs another item", item.loc)
        arm = next((a for a in item.arms if any(lo <= data[at] <= hi for lo, hi in a.first)), None)
        if arm is None:
            raise Rejection(Status.E_TAG, at * 8, f"no item begins with 0x{data[at]:02x}", item.loc)
        try:
            inner = self.packet(arm.packet, data, at, end, [f.arg(p) for p in arm.packet.params], f.big)
        except Rejection as rejection:
            raise rejection.within(Step(f.packet.name, arm.name, len(node.children), arm.loc))
        inner.name = inner.arm = arm.name
        return inner, arm

    @staticmethod
    def jump(
        f: Frame, arm: ir.ChainArm, inner: Node, data: Data, run_start: int, jumps: int
    ) -> tuple[Data, int, int]:
        """Where a goto leads.  RFC 9267 2.1: only backwards, so that it ends."""
        assert arm.buffer is not None and arm.at is not None and inner.packet is not None
        buf = f.arg(arm.buffer)
        assert isinstance(buf, Buf)
        args = [f.arg(p) for p in inner.packet.params]
        offset = evaluate(Frame(inner.packet, args, data, 0, 0, inner), arm.at)
        if offset >= buf.end - buf.start:
            raise Rejection(Status.E_RANGE, inner.bit_off, f"points at {offset}, past the end", arm.loc)
        here = run_start - buf.start
        if data is not buf.data or not 0 <= here < buf.end - buf.start:
            here = buf.end - buf.start  # the chain does not stand in the buffer that it points into
        if offset >= here:
            raise Rejection(Status.E_LOOP, inner.bit_off, f"points at {offset}, not before {here}", arm.loc)
        if jumps > arm.max_jumps:
            raise Rejection(Status.E_LIMIT, inner.bit_off, f"more than {arm.max_jumps} jumps", arm.loc)
        return buf.data, buf.start + offset, buf.end


_READERS: dict[type[ir.Item], Callable[[Parser, Frame, Any], Optional[Node]]] = {
    ir.Scalar: Parser.scalar, ir.Bytes: Parser.octets, ir.Sub: Parser.sub, ir.List: Parser.sequence, ir.Switch: Parser.switch,
    ir.Chain: Parser.chain, ir.Varint: Parser.varint, ir.Region: Parser.region, ir.Optional_: Parser.optional, ir.Align: Parser.align,
    ir.Let: Parser.let, ir.Check: Parser.check, ir.EndianSel: Parser.endian,
}  # fmt: skip


# --- what is worked out once ----------------------------------------------------------

_PARTS: dict[int, tuple[Sequence[ir.Item], list[Segment]]] = {}


def parts_of(items: Sequence[ir.Item]) -> list[Segment]:
    """segments(items), worked out once a list."""
    known = _PARTS.get(id(items))
    if known is None or known[0] is not items:
        known = _PARTS[id(items)] = (items, segments(list(items)))
    return known[1]


_ASKS: dict[tuple[int, type[ir.Expr]], tuple[ir.Expr, bool]] = {}


def asks(expr: ir.Expr, kind: type[ir.Expr]) -> bool:
    """Whether a node of the expression is of a kind."""
    known = _ASKS.get((id(expr), kind))
    if known is None or known[0] is not expr:
        known = _ASKS[id(expr), kind] = (expr, any(isinstance(e, kind) for e in refs(expr)))
    return known[1]


# --- parts that the builder uses too --------------------------------------------------


def sub_args(f: Frame, item: ir.Sub) -> list[Union[int, Buf]]:
    """The arguments of a Sub, evaluated in the packet that it stands in."""
    args: list[Union[int, Buf]] = []
    for arg in item.args:
        if isinstance(arg, ir.Expr):
            args.append(evaluate(f, arg))
        elif arg.param is None:
            args.append(Buf(f.data, f.start, f.end))
        else:
            args.append(f.arg(arg.param))
    return args


def choose(item: ir.Switch, value: int) -> Optional[ir.Arm]:
    """The first arm with a pattern for `value`, or the default one."""
    for arm in item.arms:
        if not arm.pats or any(p.lo <= (value & p.mask) <= p.hi for p in arm.pats):
            return arm
    return None


def key_of(element: Node, path: tuple[ir.Item, ...]) -> Optional[Node]:
    """The node of a list element's key."""
    node: Optional[Node] = element
    for item in path:
        if node is not None and node.item is not item:
            node = node.inner.fields.get(id(item))
    return node


def keys_differ(item: ir.List, node: Node, element: Node) -> None:
    """The rules of `unique` and `ascending`, for the element just read; elements without a key follow none."""
    path = item.ascending or item.unique
    if path is None:
        return
    found = key_of(element, path)
    if found is None:
        return
    key = compared(found)
    before = [compared(k) for k in (key_of(e, path) for e in node.children) if k is not None]
    if item.ascending is not None and before and not above(key, before[-1]):
        raise Rejection(Status.E_VALUE, element.bit_off, f"{found.name} {key!r} does not rise", item.loc)
    if item.unique is not None and key in before and not (isinstance(key, int) and may_repeat(item, key)):
        raise Rejection(Status.E_VALUE, element.bit_off, f"{found.name} {key!r} repeats", item.loc)


def compared(key: Node) -> Union[int, bytes, None]:
    """A key's value as it is compared: ASCII case does not matter where it says so."""
    value, item = key.inner.value, key.inner.item
    return value.lower() if isinstance(value, bytes) and isinstance(item, ir.Bytes) and item.nocase else value


def above(a: Union[int, bytes, None], b: Union[int, bytes, None]) -> bool:
    if isinstance(a, int) and isinstance(b, int):
        return a > b
    return isinstance(a, bytes) and isinstance(b, bytes) and a > b
