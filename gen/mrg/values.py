"""What the interpreter works with: decoded values, rejections, expressions.

`interp.py` (parsing) and `interp_build.py` (building) share these.  A decoded
message is a tree of `Node`; an expression is evaluated by `evaluate` over a
`Frame`, the state of one packet while it is read or written.

Reading order: Status, Node, Rejection, Frame, evaluate, checksum.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Optional, Union

from . import ir


class Status(IntEnum):
    """The same numbers as `enum mrg_status` in mrg.h."""

    OK = 0
    MORE = 1
    END = 2
    E_VALUE = -1
    E_TAG = -2
    E_LENGTH = -3
    E_SHORT = -4
    E_LIMIT = -5
    E_LOOP = -6
    E_RANGE = -7
    E_SUM = -8
    E_SPACE = -9
    E_TEXT = -10

    def __str__(self) -> str:
        return "MRG_" + self.name


@dataclass(frozen=True)
class Buf:
    """A buffer argument: bytes start..end of data."""

    data: Union[bytes, bytearray]
    start: int
    end: int


@dataclass
class Warn:
    """A `warn` constraint that did not hold."""

    bit_off: int
    path: str
    what: str
    loc: ir.Loc


@dataclass(slots=True)
class Node:
    """A decoded item.

    bit_off counts from the first byte of the input, bit_len in bits.  value is
    the integer of a Scalar, Varint or Let, the bytes of a Bytes; None for the
    others, whose content is in `children`: the items of a packet (anonymous
    ones too), the elements of a List, the item of a Switch's arm (none when
    the arm is empty) or of a Region, the items of a Chain in the order visited.
    """

    item: Optional[ir.Item]
    name: str
    bit_off: int
    bit_len: int = 0
    value: Union[int, bytes, None] = None
    packet: Optional[ir.Packet] = None  # of a Sub, a chain item, a root
    arm: str = ""  # of a Switch or a chain item
    children: list["Node"] = field(default_factory=list)
    fields: dict[int, "Node"] = field(default_factory=dict)  # id(item) -> node, packets only
    warnings: list[Warn] = field(default_factory=list)  # of the whole message, at its root

    def get(self, path: str) -> "Node":
        """Descend by names and list indexes: "answers.0.rdata.preference"."""
        node = self
        for step in path.split("."):
            node = node._child(step)
        return node

    def _child(self, step: str) -> "Node":
        node = self
        while node.item is not None and isinstance(node.item, (ir.Switch, ir.Region)):
            if not node.children:
                raise KeyError(f"{node.name} is empty")
            node = node.children[0]
        if step.isdigit():
            return node.children[int(step)]
        for child in node.children:
            if child.name == step:
                return child
        raise KeyError(f"{node.name or 'message'} has no field {step}")

    @property
    def inner(self) -> "Node":
        """The node that holds the content: through regions and switch arms."""
        node = self
        while isinstance(node.item, (ir.Switch, ir.Region)) and node.children:
            node = node.children[0]
        return node


@dataclass(frozen=True)
class Step:
    """One level of the way to a rejected field."""

    packet: str
    name: str
    index: Optional[int]
    loc: ir.Loc


class Rejection(Exception):
    """A message that is not one.  bit_off: where the reader stood."""

    def __init__(self, status: Status, bit_off: int, what: str, loc: ir.Loc) -> None:
        super().__init__(what)
        self.status = status
        self.bit_off = bit_off
        self.what = what
        self.loc = loc
        self.steps: list[Step] = []

    def within(self, step: Step) -> "Rejection":
        """Note an enclosing field while unwinding."""
        self.steps.insert(0, step)
        return self

    @property
    def path(self) -> str:
        """"answers[2].rdata.preference"; "" when it is the packet itself."""
        text = ""
        for step in self.steps:
            if step.name:
                text += ("." if text else "") + step.name
            if step.index is not None:
                text += f"[{step.index}]"
        return text

    def __str__(self) -> str:
        where = f"{self.loc.file}:{self.loc.line}"
        return f"{self.status} at bit {self.bit_off}: {self.path or 'message'}: {self.what} ({where})"


class Broken(AssertionError):
    """A proof of the compiler does not hold for a value met at run time."""


class Unknown(Exception):
    """The expression asks for what a builder cannot know yet, or for an extern function's value."""


@dataclass(slots=True)
class Frame:
    """One packet being read or written."""

    packet: ir.Packet
    args: list[Union[int, Buf]]  # one a parameter
    data: Union[bytes, bytearray]
    start: int  # bytes
    end: int  # of the packet's region, bytes
    node: Node
    pos: int = 0  # bits
    limit: int = 0  # of the innermost region now, bytes
    named: dict[str, Node] = field(default_factory=dict)
    big: bool = True  # scalars of endian "dyn"
    computed: list[tuple[ir.Item, Node]] = field(default_factory=list)
    building: bool = False
    holder: Optional[Node] = None  # the computed field that is being evaluated

    def arg(self, param: ir.Param) -> Union[int, Buf]:
        for have, value in zip(self.packet.params, self.args):
            if have is param or have.name == param.name:
                return value
        raise Broken(f"packet {self.packet.name} has no parameter {param.name}")

    def find(self, path: tuple[ir.Item, ...]) -> Optional[Node]:
        """The node of a dotted path; None when an optional on it is absent."""
        node = self.node.fields.get(id(path[0]))
        for item in path[1:]:
            if node is None:
                return None
            node = node.inner.fields.get(id(item))
        return node


def evaluate(f: Frame, e: ir.Expr) -> int:
    """The value of `e` now, held against the interval that was proved."""
    value = _evaluate(f, e)
    if not e.lo <= value <= e.hi:
        raise Broken(f"{e.loc.file}:{e.loc.line}:{e.loc.col}: {value} is outside the proved {e.lo}..{e.hi}")
    return value


def holds(f: Frame, e: ir.Expr) -> bool:
    """`e` as a condition."""
    return evaluate(f, e) != 0


def _evaluate(f: Frame, e: ir.Expr) -> int:
    match e:
        case ir.Const():
            return e.value
        case ir.FieldRef():
            return _int(f.find(e.path))
        case ir.ParamRef():
            value = f.arg(e.param)
            assert isinstance(value, int)
            return value
        case ir.BufLen():
            _not_building(f)
            buf = f.arg(e.param)
            assert isinstance(buf, Buf)
            return buf.end - buf.start
        case ir.SizeOf():
            return _size(f, e.item)
        case ir.CountOf():
            node = f.find((e.item,))
            return 0 if node is None else len(node.inner.children)
        case ir.Avail():
            _not_building(f)
            return f.limit - f.pos // 8
        case ir.Here():
            return f.pos // 8 - f.start
        case ir.Peek():
            return _peek(f, e)
        case ir.Un():
            a = evaluate(f, e.a)
            return (0 if a else 1) if e.op == "!" else ~a & 0xFFFF_FFFF_FFFF_FFFF
        case ir.Bin():
            return _binary(f, e)
        case ir.Cond():
            return evaluate(f, e.a if evaluate(f, e.c) else e.b)
        case ir.In():
            value = evaluate(f, e.e)
            return int(any(evaluate(f, lo) <= value <= evaluate(f, hi) for lo, hi in e.ranges))
        case ir.Sum():
            return checksum(f, e)
        case ir.Call():
            raise Unknown(f"extern {e.extern.name}")
    raise Broken(f"no such expression: {type(e).__name__}")


def _int(node: Optional[Node]) -> int:
    if node is None:
        return 0  # an absent optional
    value = node.inner.value
    if not isinstance(value, int):
        raise Broken(f"{node.name} has no integer value")
    return value


def _size(f: Frame, item: Optional[ir.Item]) -> int:
    if item is None:
        return f.node.bit_len // 8
    node = f.find((item,))
    return 0 if node is None else node.bit_len // 8


def _not_building(f: Frame) -> None:
    if f.building:
        raise Unknown("bytes that are not written yet")


def _peek(f: Frame, e: ir.Peek) -> int:
    _not_building(f)
    at = f.pos // 8
    size = (e.bits + 7) // 8
    if f.limit - at < size:
        return 0  # a switch made sure before
    return load(f.data, f.pos, e.bits, e.endian != "little" and (e.endian != "dyn" or f.big))


def _binary(f: Frame, e: ir.Bin) -> int:
    if e.op == "&&":
        return int(evaluate(f, e.a) != 0 and evaluate(f, e.b) != 0)
    if e.op == "||":
        return int(evaluate(f, e.a) != 0 or evaluate(f, e.b) != 0)
    return operate(e.op, evaluate(f, e.a), evaluate(f, e.b))


def operate(op: str, a: int, b: int) -> int:
    match op:
        case "+":
            return a + b
        case "-":
            return a - b
        case "*":
            return a * b
        case "/":
            return a // b
        case "%":
            return a % b
        case "<<":
            return a << b
        case ">>":
            return a >> b
        case "&":
            return a & b
        case "|":
            return a | b
        case "^":
            return a ^ b
        case "==":
            return int(a == b)
        case "!=":
            return int(a != b)
        case "<":
            return int(a < b)
        case "<=":
            return int(a <= b)
        case ">":
            return int(a > b)
        case ">=":
            return int(a >= b)
    raise Broken(f"no such operator: {op}")


# --- bits and sums -------------------------------------------------------------


def load(data: Union[bytes, bytearray], bit: int, bits: int, big: bool) -> int:
    """`bits` bits at bit offset `bit`, MSB first; whole little-endian bytes if not big."""
    first, last = bit // 8, (bit + bits + 7) // 8
    if not big and bit % 8 == 0 and bits % 8 == 0:
        return int.from_bytes(data[first:last], "little")
    whole = int.from_bytes(data[first:last], "big")
    return (whole >> (last * 8 - bit - bits)) & ((1 << bits) - 1)


def checksum(f: Frame, e: ir.Sum) -> int:
    """The sum over items first..last, the bytes of the field that holds it taken as zero."""
    holder = f.holder
    first, last = f.find((e.first,)), f.find((e.last,))
    if first is None or last is None or holder is None:
        raise Broken("a checksum over an item that is absent, or outside a computed field")
    lo, hi = first.bit_off // 8, (last.bit_off + last.bit_len) // 8
    body = bytearray(f.data[lo:hi])
    at = holder.bit_off // 8 - lo
    for i in range(at, at + holder.bit_len // 8):
        if 0 <= i < len(body):
            body[i] = 0
    if e.kind == "inet16":
        prefix = b"".join(evaluate(f, x).to_bytes(size, "big") for x, size in e.pseudo)
        return inet16(prefix, bytes(body))
    return zlib.crc32(bytes(body)) if e.kind == "crc32" else crc32c(bytes(body))


def inet16(pseudo: bytes, body: bytes) -> int:
    """RFC 1071: the ones' complement of the ones' complement sum of 16-bit words."""
    total = 0
    for part in (pseudo, body):
        padded = part + b"\0" * (len(part) % 2)
        total += sum(int.from_bytes(padded[i : i + 2], "big") for i in range(0, len(padded), 2))
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return total ^ 0xFFFF


def crc32c(body: bytes) -> int:
    """CRC-32C, reflected, polynomial 0x1EDC6F41 (RFC 9260 appendix A)."""
    crc = 0xFFFF_FFFF
    for byte in body:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0x82F6_3B78 if crc & 1 else 0)
    return crc ^ 0xFFFF_FFFF

