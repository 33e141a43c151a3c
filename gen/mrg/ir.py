"""The intermediate representation: the only thing that back ends see.

A module is resolved, typed and proved by the time it is IR: every name is an
object, every expression carries the interval `lo..hi` that its value was
proved to lie in, every loop its measure.  Reading order: Expr, Item, Packet,
Enum, Grammar, Module; then ir_machine.py.

Semantics that every back end shares (and that the interpreter, `interp.py`,
defines by example):

* A packet is read from a *region*: bytes from the current position to `end`.
* Items are taken in order.  Consecutive items of fixed size form a *run*
  (`layout.py`): its bytes are checked to be there once, before any constraint
  on a field of the run is looked at.
* Running out of bytes is MRG_MORE; a Region turns MRG_MORE from inside it
  into MRG_E_SHORT, since more bytes could not help there.
* A failed `must` constraint, constant or closed enum is MRG_E_VALUE; no arm
  for a tag MRG_E_TAG; a region not closed exactly MRG_E_LENGTH; a bound
  (`max`) passed MRG_E_LIMIT; a pointer that breaks its measure MRG_E_LOOP; a
  pointer out of its buffer or a varint too large MRG_E_RANGE; a checksum that
  differs MRG_E_SUM.
* A failed `warn` sets a bit in the view; `send` binds builders only.
* A Scalar's `const` and an Arm's item follow the same rules; a switch's arm item is a Scalar,
  Bytes, Sub or Varint (the front end wraps anything else in an inline packet).
* An inline packet that uses fields of the packet around it gets them as parameters.
* Computed fields (`:=`) are compared at the end of their packet, in order,
  unless `implied` (true by construction, or not a `must`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Optional, Union

if TYPE_CHECKING:
    from .ir_machine import Machine


@dataclass(frozen=True)
class Loc:
    """A place in a specification; `file` is the path as shown to people."""

    file: str
    line: int
    col: int


# --- expressions --------------------------------------------------------------
# All arithmetic is on non-negative integers below 2^64, proved not to wrap;
# comparisons and logic give 0 or 1.  Signed fields may only be compared.


@dataclass
class Expr:
    loc: Loc
    lo: int
    hi: int


@dataclass
class Const(Expr):
    value: int
    text: str = ""  # as the author spelled it: "0x3f", "Type.OPT", "MAX_NAME"


@dataclass
class FieldRef(Expr):
    """Value of an earlier scalar, varint or let; `path` goes through Subs.

    path[0] is an item of the packet the expression stands in (or, inside an
    Arm/Optional/chain arm, of an enclosing item list of the same packet);
    path[1:] are items of the Sub's packet, and so on.
    """

    path: tuple["Item", ...]


@dataclass
class ParamRef(Expr):
    param: "Param"


@dataclass
class BufLen(Expr):
    """Length in bytes of a buffer parameter: `len(msg)`."""

    param: "Param"


@dataclass
class SizeOf(Expr):
    """Bytes that an item takes on the wire; item None is the whole packet."""

    item: Optional["Item"]


@dataclass
class CountOf(Expr):
    """Elements of a List (also of one of a later item, in a computed field)."""

    item: "Item"


@dataclass
class Avail(Expr):
    """Bytes from the current position to the end of the region."""


@dataclass
class Here(Expr):
    """Bytes from the packet's first byte to the current position."""


@dataclass
class Peek(Expr):
    """The next bytes as a number, not consumed; too few bytes: `none` (0 for

    a condition, MRG_MORE for a switch)."""

    bits: int
    endian: str


@dataclass
class Un(Expr):
    op: str  # "!" "~"
    a: Expr


@dataclass
class Bin(Expr):
    op: str  # + - * / % << >> & | ^ == != < <= > >= && ||
    a: Expr
    b: Expr


@dataclass
class Cond(Expr):
    c: Expr
    a: Expr
    b: Expr


@dataclass
class In(Expr):
    """1 when `e` lies in one of the inclusive ranges (bounds are Exprs)."""

    e: Expr
    ranges: list[tuple[Expr, Expr]]


@dataclass
class Sum(Expr):
    """A checksum over the items first..last of this packet (wire bytes),

    with the item that holds it taken as zero. kind: inet16 crc32 crc32c.
    `pseudo`: expressions added as big-endian words first (inet16 only):
    list of (expr, bytes)."""

    kind: str
    first: "Item"
    last: "Item"
    pseudo: list[tuple[Expr, int]]


@dataclass
class Call(Expr):
    """An extern function over expressions; never in the memory-safety path."""

    extern: "Extern"
    args: list[Expr]


# --- text -----------------------------------------------------------------------


@dataclass
class TextForm:
    """How a value looks in presentation format; names are in textforms.py."""

    name: str
    args: list[Union[str, int, "Enum"]] = field(default_factory=list)


# --- items ------------------------------------------------------------------------


@dataclass
class Item:
    loc: Loc
    doc: str
    name: str  # "" when anonymous


@dataclass
class Scalar(Item):
    """An integer of 1..64 bits.

    endian: "big", "little", or "dyn" (by the packet's EndianSel item).
    Bit fields (bits % 8 or not byte-aligned) are MSB first, big-endian.
    """

    bits: int
    signed: bool
    endian: str
    enum: Optional["Enum"] = None
    const: Optional[int] = None  # `= N` or an anonymous constant: written by builders
    computed: Optional[Expr] = None  # `:= expr`
    implied: bool = False  # no check: true by construction, or less than a `must`
    severity: str = "must"  # of `= const` and `:= expr`: must | warn | send
    text: Optional[TextForm] = None
    lo: int = 0  # proved range after the field's own constraints
    hi: int = 0


@dataclass
class Bytes(Item):
    mode: str  # "len" | "rest" | "until"
    length: Optional[Expr] = None  # mode len
    until: int = 0  # mode until: the terminating byte, consumed, not part of the value
    max: Optional[int] = None  # bound on the value's length
    sure: bool = False  # mode len: proved to end in its region
    nocase: bool = False  # ASCII case does not matter when compared
    text: Optional[TextForm] = None


@dataclass
class Sub(Item):
    packet: "Packet" = None  # type: ignore[assignment]
    args: list[Union[Expr, "BufArg"]] = field(default_factory=list)  # one a parameter
    flat: bool = False  # builders never write a goto (compression) in it
    text: Optional[TextForm] = None


@dataclass
class BufArg:
    """A buffer argument: `this` (from the packet's first byte to the end of its

    region) when param is None, else a buffer parameter handed on."""

    param: Optional["Param"]


@dataclass
class List(Item):
    """mode: count | bytes | rest | while | until.

    count: `expr` elements.  bytes: a region of `expr` bytes, closed exactly.
    rest: to the end of the region.  while: `expr` before each element (true:
    one more).  until: `expr` over the element just read (true: it was the
    last).  Elements of all modes but `count` take at least one byte.
    At most one of `unique` and `ascending`; elements without the key (it may
    be optional) don't count for either.
    """

    elem: Item = None  # type: ignore[assignment]  # Scalar, Bytes(len) or Sub, named "item"
    mode: str = ""
    expr: Optional[Expr] = None  # FieldRef paths in `until` start at elem
    max: Optional[int] = None  # most elements
    sure: bool = False  # mode bytes: its region is proved to end in the one around it
    unique: Optional[tuple[Item, ...]] = None  # path in elem of a key that may not repeat
    ascending: Optional[tuple[Item, ...]] = None  # path in elem of a key that must rise strictly
    exempt: list[tuple[int, int]] = field(default_factory=list)  # keys that `unique` lets repeat: inclusive ranges, in order
    text: Optional[TextForm] = None


@dataclass
class Pat:
    """value v matches when (v & mask) is in lo..hi; mask is all ones for ranges."""

    lo: int
    hi: int
    mask: int
    text: str = ""


@dataclass
class Arm:
    loc: Loc
    name: str  # snake; unique in the switch
    pats: list[Pat]  # empty: the default arm, always last
    item: Optional[Item]  # None: takes no bytes.  Item.name == arm name


@dataclass
class Switch(Item):
    on: Expr = None  # type: ignore[assignment]
    arms: list[Arm] = field(default_factory=list)
    text: Optional[TextForm] = None

    @property
    def default(self) -> Optional[Arm]:
        return self.arms[-1] if self.arms and not self.arms[-1].pats else None


@dataclass
class ChainArm:
    """One kind of chain item, chosen by its first byte (`first`: inclusive

    ranges, disjoint between arms).  kind: "item" (goes on after it), "stop"
    (ends the chain), "goto" (goes on at buffer[at]; ends what the chain takes
    in place).  goto's measure: `at` strictly below the offset where the
    current run of items started; at most max_jumps of them."""

    loc: Loc
    name: str
    packet: "Packet"
    first: list[tuple[int, int]]
    kind: str
    buffer: Optional["Param"] = None
    at: Optional[Expr] = None  # FieldRef path starts at an item of `packet`
    max_jumps: int = 0


@dataclass
class Chain(Item):
    """max_bytes bounds the sum of the sizes of item and stop arms visited."""

    arms: list[ChainArm] = field(default_factory=list)
    max_bytes: int = 0
    text: Optional[TextForm] = None


@dataclass
class VarintSpec:
    """shape:

    "tagged"  `tag_bits` leading bits choose the number of value bits that
              follow: widths[tag] (QUIC); tag_bits + width is whole bytes.
    "groups"  7-bit groups, MSB of each byte says that more follow; order
              "little" (LEB128, MQTT) or "big" (VLQ); at most max_bytes.
    "prefix"  the low prefix_bits of the first byte; all ones: add the groups
              that follow (HPACK). The high bits of that byte are a Scalar
              before it.
    "short"   first byte below 0x80: the value; else its low 7 bits count
              big-endian bytes that follow, 1..max_bytes (DER).
    minimal: a longer encoding than needed is MRG_E_VALUE.
    Values above `hi` are MRG_E_RANGE.
    """

    name: str
    shape: str
    hi: int
    tag_bits: int = 0
    widths: list[int] = field(default_factory=list)
    order: str = "big"
    prefix_bits: int = 0
    max_bytes: int = 0
    minimal: bool = False
    doc: str = ""
    loc: Optional[Loc] = None


@dataclass
class Varint(Item):
    spec: VarintSpec = None  # type: ignore[assignment]
    computed: Optional[Expr] = None
    implied: bool = False
    severity: str = "must"  # of `:= expr`
    text: Optional[TextForm] = None
    lo: int = 0
    hi: int = 0


@dataclass
class Region(Item):
    """`item within length [tail]`: exactly `length` bytes, which `item` must

    fill, or (tail) may leave some of.  `name` is item.name."""

    length: Expr = None  # type: ignore[assignment]
    tail: bool = False
    item: Item = None  # type: ignore[assignment]
    sure: bool = False  # proved to end in the region around it


@dataclass
class Optional_(Item):
    """items present only if cond; `name` is that of the single item, or ""."""

    cond: Expr = None  # type: ignore[assignment]
    items: list[Item] = field(default_factory=list)


@dataclass
class Align(Item):
    """Skip to the next multiple of `to` from the packet's first byte."""

    to: int = 1
    zero: bool = False  # skipped bytes must be zero


@dataclass
class Let(Item):
    expr: Expr = None  # type: ignore[assignment]


@dataclass
class Check(Item):
    """A constraint at this point. `name`: the field it is about, or ""."""

    expr: Expr = None  # type: ignore[assignment]
    severity: str = "must"  # must | warn | send
    what: str = ""  # in words: "must be in 1..63"


@dataclass
class EndianSel(Item):
    """Scalars of endian "dyn" after this are big-endian iff cond."""

    cond: Expr = None  # type: ignore[assignment]


# --- declarations -----------------------------------------------------------------


@dataclass
class Param:
    name: str
    kind: str  # "buffer" | "int"
    bits: int = 0
    enum: Optional["Enum"] = None
    lo: int = 0
    hi: int = 0


@dataclass
class Packet:
    name: str  # CamelCase, as in the spec; inline ones: ParentField
    module: "Module"
    loc: Loc
    doc: str
    params: list[Param]
    items: list[Item]
    max_bytes: Optional[int] = None  # `max N`
    size_min: int = 0
    size_max: Optional[int] = None  # None: unbounded
    shared: bool = False  # fetch policy: each byte is loaded once, into a copy of at most size_max bytes
    mutable: bool = False  # setters, also without a checksum
    inline: bool = False  # declared inside another packet
    text_order: Optional[list[str]] = None  # `text (a, b, c)`: field names in presentation order
    text: Optional[TextForm] = None  # `text form`: the whole packet by one form

    @property
    def fixed(self) -> bool:
        return self.size_max is not None and self.size_min == self.size_max


@dataclass
class Member:
    name: str  # UPPER
    lo: int
    hi: int  # == lo unless a range
    text: str  # presentation: "NSAP-PTR"
    doc: str
    ref: str  # "RFC 1035"
    loc: Optional[Loc] = None
    words: list[str] = field(default_factory=list)  # what means it, in a set of words


@dataclass
class Enum:
    name: str
    module: "Module"
    loc: Loc
    doc: str
    bits: int
    closed: bool
    unknown: str  # prefix of unknown values in text, "TYPE"; "" prints the number
    members: list[Member]
    words: str = ""  # "exact", "nocase": a set of words, and how they are compared


@dataclass
class Extern:
    name: str
    module: "Module"
    loc: Loc
    doc: str
    params: list[Param]
    bits: int


@dataclass
class ConstDecl:
    name: str
    module: "Module"
    loc: Loc
    doc: str
    value: int
    text: str


# --- grammars -----------------------------------------------------------------------


@dataclass
class Node:
    loc: Loc


@dataclass
class Lit(Node):
    data: bytes
    nocase: bool


@dataclass
class Class(Node):
    ranges: list[tuple[int, int]]  # sorted, disjoint, inclusive
    first: Optional[int] = None  # the one that is written where any will do; None: the lowest


@dataclass
class Seq(Node):
    nodes: list[Node]


@dataclass
class Alt(Node):
    nodes: list[Node]


@dataclass
class Rep(Node):
    node: Node
    min: int
    max: Optional[int]
    code: Optional[int] = None  # of the rejection when there are more than max; counted while reading, not unrolled


@dataclass
class Capture(Node):
    name: str
    node: Node


@dataclass
class Put(Node):
    """In rules while they are lowered; then Rule.node has what is read of it and Rule.put what is written."""

    read: Node
    written: Node


@dataclass(eq=False)
class Rule:
    """kind: "token" (one alternative of the grammar's lexer: longest match,

    first listed wins a tie), "match" (a whole buffer, with captures), "message"
    (what comes in pieces and ends by itself, its captures given as they come) or
    "value" (what ends with its buffer, its captures given in order)."""

    name: str
    kind: str
    loc: Loc
    doc: str
    node: Node  # references to other rules are already replaced by their nodes
    max: Optional[int] = None  # octets of a message or value
    code: Optional[int] = None  # of the rejection when there are more
    put: Optional[Node] = None  # written in place of node, where the specification says so


@dataclass
class Grammar:
    name: str
    module: "Module"
    loc: Loc
    doc: str
    rules: list[Rule]
    parts: dict[str, Node] = field(default_factory=dict)  # plain rules by name; for others, in a grammar that has no other rules


@dataclass
class Module:
    """One .mrg file.  Packets come in dependency order (users after used)."""

    name: str  # "dns.rr"
    path: str  # as shown to people
    doc: str
    digest: str  # of tokens and doc text, imports included
    imports: list["Module"]
    consts: list[ConstDecl] = field(default_factory=list)
    enums: list[Enum] = field(default_factory=list)
    varints: list[VarintSpec] = field(default_factory=list)
    externs: list[Extern] = field(default_factory=list)
    packets: list[Packet] = field(default_factory=list)
    grammars: list[Grammar] = field(default_factory=list)
    machines: list["Machine"] = field(default_factory=list)
