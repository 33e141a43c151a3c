"""The syntax tree: what was written, with its place, before any meaning.

Reading order: Expr, Type, Clause, Item, Decl, File.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional, Union

from .source import Span


@dataclass(frozen=True, eq=False, repr=False)
class Ident:
    span: Span
    name: str


@dataclass(frozen=True, eq=False, repr=False)
class Expr:
    span: Span


@dataclass(frozen=True, eq=False, repr=False)
class Num(Expr):
    value: int
    text: str


@dataclass(frozen=True, eq=False, repr=False)
class Name(Expr):
    """`x`, `header.qdcount`, `Type.OPT`."""

    path: tuple[Ident, ...]


@dataclass(frozen=True, eq=False, repr=False)
class Size(Expr):
    """`size f`; `size this` when target is None."""

    target: Optional[Ident]


@dataclass(frozen=True, eq=False, repr=False)
class Count(Expr):
    target: Ident


@dataclass(frozen=True, eq=False, repr=False)
class Place(Expr):
    """`avail` or `here`."""

    word: str


@dataclass(frozen=True, eq=False, repr=False)
class This(Expr):
    """`this`: a buffer argument."""


@dataclass(frozen=True, eq=False, repr=False)
class Peek(Expr):
    type: IntType


@dataclass(frozen=True, eq=False, repr=False)
class Unary(Expr):
    op: str
    a: Expr


@dataclass(frozen=True, eq=False, repr=False)
class Binary(Expr):
    op: str
    a: Expr
    b: Expr


@dataclass(frozen=True, eq=False, repr=False)
class Ternary(Expr):
    c: Expr
    a: Expr
    b: Expr


@dataclass(frozen=True, eq=False, repr=False)
class Range:
    """`lo..hi`; hi None: open above; hi is lo: a single value."""

    span: Span
    lo: Expr
    hi: Optional[Expr]


@dataclass(frozen=True, eq=False, repr=False)
class In(Expr):
    e: Expr
    ranges: tuple[Range, ...]


@dataclass(frozen=True, eq=False, repr=False)
class Pseudo:
    e: Expr
    type: IntType


@dataclass(frozen=True, eq=False, repr=False)
class Call(Expr):
    """`len(msg)`, `min(a, b)`, an extern."""

    name: Ident
    args: tuple[Expr, ...]


@dataclass(frozen=True, eq=False, repr=False)
class Checksum(Expr):
    """`inet16(first .. last, pseudo(...))`."""

    kind: str
    first: Ident
    last: Ident
    pseudo: tuple[Pseudo, ...]


@dataclass(frozen=True, eq=False, repr=False)
class Type:
    span: Span


@dataclass(frozen=True, eq=False, repr=False)
class IntType(Type):
    """`3` (plain bits), `u16`, `i32le`, with an optional enum after it."""

    bits: int
    signed: bool
    plain: bool
    endian: Optional[str]
    enum: Optional[Ident]


@dataclass(frozen=True, eq=False, repr=False)
class BytesType(Type):
    mode: str  # len rest until
    length: Optional[Expr]
    until: Optional[Expr]
    max: Optional[Expr]


@dataclass(frozen=True, eq=False, repr=False)
class NamedType(Type):
    name: Ident
    args: Optional[tuple[Expr, ...]]


@dataclass(frozen=True, eq=False, repr=False)
class InlineType(Type):
    items: tuple[Item, ...]


@dataclass(frozen=True, eq=False, repr=False)
class ListType(Type):
    elem: Type
    mode: str  # count bytes rest while until
    expr: Optional[Expr]
    max: Optional[Expr]


@dataclass(frozen=True, eq=False, repr=False)
class EmptyType(Type):
    pass


@dataclass(frozen=True, eq=False, repr=False)
class Pattern:
    """One pattern of a switch arm: a value, a range or a bit pattern."""

    span: Span
    lo: Optional[Expr]
    hi: Optional[Expr]
    bits: str  # "0b11xx" or ""


@dataclass(frozen=True, eq=False, repr=False)
class SwitchArm:
    span: Span
    doc: str
    patterns: tuple[Pattern, ...]  # empty: the default arm
    name: Optional[Ident]
    type: Type
    clauses: tuple[Clause, ...]


@dataclass(frozen=True, eq=False, repr=False)
class SwitchType(Type):
    on: Expr
    arms: tuple[SwitchArm, ...]


@dataclass(frozen=True, eq=False, repr=False)
class Clause:
    span: Span


@dataclass(frozen=True, eq=False, repr=False)
class Constraint(Clause):
    """`= N`, `!= N` (ranges has the one value), `in RANGES`."""

    op: str
    ranges: tuple[Range, ...]
    severity: str  # "" when not written


@dataclass(frozen=True, eq=False, repr=False)
class Computed(Clause):
    expr: Expr
    severity: str


@dataclass(frozen=True, eq=False, repr=False)
class Present(Clause):
    cond: Expr


@dataclass(frozen=True, eq=False, repr=False)
class Within(Clause):
    length: Expr
    tail: bool


@dataclass(frozen=True, eq=False, repr=False)
class Key(Clause):
    """`unique PATH [except VALUES]`, `ascending PATH`."""

    word: str
    path: tuple[Ident, ...]
    exempt: Optional[tuple[Range, ...]]  # after `except`


@dataclass(frozen=True, eq=False, repr=False)
class Flag(Clause):
    """`nocase`, `flat`."""

    word: str


@dataclass(frozen=True, eq=False, repr=False)
class Text(Clause):
    """`text FORM [(args)]`."""

    form: Ident
    args: tuple[Union[Ident, Num], ...]


@dataclass(frozen=True, eq=False, repr=False)
class Item:
    span: Span
    doc: str


@dataclass(frozen=True, eq=False, repr=False)
class Field(Item):
    name: Ident
    type: Type
    clauses: tuple[Clause, ...]


@dataclass(frozen=True, eq=False, repr=False)
class Anon(Item):
    """`0b10: 2;`"""

    value: Expr
    type: Type
    severity: str


@dataclass(frozen=True, eq=False, repr=False)
class Where(Item):
    cond: Expr
    severity: str
    message: str


@dataclass(frozen=True, eq=False, repr=False)
class LetItem(Item):
    name: Ident
    expr: Expr


@dataclass(frozen=True, eq=False, repr=False)
class AlignItem(Item):
    to: Expr
    zero: bool


@dataclass(frozen=True, eq=False, repr=False)
class EndianItem(Item):
    """`endian big if EXPR else little;` first: the order when EXPR holds."""

    cond: Expr
    first: str


@dataclass(frozen=True, eq=False, repr=False)
class Group(Item):
    cond: Expr
    items: tuple[Item, ...]
    otherwise: tuple[Item, ...]


@dataclass(frozen=True, eq=False, repr=False)
class Goto:
    span: Span
    buffer: Ident
    at: Expr
    max: Expr


@dataclass(frozen=True, eq=False, repr=False)
class ChainArmItem:
    span: Span
    doc: str
    name: Ident
    items: tuple[Item, ...]
    stop: bool
    goto: Optional[Goto]


@dataclass(frozen=True, eq=False, repr=False)
class ChainItem(Item):
    name: Ident
    max: Expr
    arms: tuple[ChainArmItem, ...]
    text: Optional[Text]


@dataclass(frozen=True, eq=False, repr=False)
class GNode:
    span: Span


@dataclass(frozen=True, eq=False, repr=False)
class GText(GNode):
    data: bytes
    nocase: bool


@dataclass(frozen=True, eq=False, repr=False)
class GChars(GNode):
    ranges: tuple[tuple[int, int], ...]


@dataclass(frozen=True, eq=False, repr=False)
class GRef(GNode):
    name: Ident
    grammar: Optional[Ident]  # whose rule it is; None: this one's


@dataclass(frozen=True, eq=False, repr=False)
class GSeq(GNode):
    nodes: tuple[GNode, ...]


@dataclass(frozen=True, eq=False, repr=False)
class GAlt(GNode):
    nodes: tuple[GNode, ...]


@dataclass(frozen=True, eq=False, repr=False)
class GRep(GNode):
    node: GNode
    min: int
    max: Optional[int]
    code: Optional[int] = None  # of the rejection when there are more than max


@dataclass(frozen=True, eq=False, repr=False)
class GMinus(GNode):
    a: GNode
    b: GNode


@dataclass(frozen=True, eq=False, repr=False)
class GPut(GNode):
    read: GNode
    written: GNode


@dataclass(frozen=True, eq=False, repr=False)
class GCapture(GNode):
    name: Ident
    node: GNode


@dataclass(frozen=True, eq=False, repr=False)
class GRule:
    span: Span
    doc: str
    kind: str  # "" token match message value
    name: Ident
    node: GNode
    max: Optional[int] = None  # octets of a message or value
    code: Optional[int] = None


@dataclass(frozen=True, eq=False, repr=False)
class Decl:
    span: Span
    doc: str
    name: Ident


@dataclass(frozen=True, eq=False, repr=False)
class ConstDecl(Decl):
    value: Expr


@dataclass(frozen=True, eq=False, repr=False)
class Member:
    span: Span
    doc: str
    name: Ident
    lo: Expr
    hi: Optional[Expr]
    words: tuple[tuple[str, Span], ...]
    text: Optional[str]
    ref: str


@dataclass(frozen=True, eq=False, repr=False)
class EnumDecl(Decl):
    type: IntType
    closed: bool
    unknown: str
    words: str  # "", "exact" or "nocase"
    members: tuple[Member, ...]


@dataclass(frozen=True, eq=False, repr=False)
class TypeDecl(Decl):
    type: Type
    clauses: tuple[Clause, ...]


@dataclass(frozen=True, eq=False, repr=False)
class VarintDecl(Decl):
    shape: str
    bits: Optional[Expr]  # tag bits, prefix bits
    widths: tuple[Expr, ...]
    order: str
    max: Optional[Expr]
    minimal: bool
    limit: Optional[Range]


@dataclass(frozen=True, eq=False, repr=False)
class Param:
    span: Span
    name: Ident
    buffer: bool
    type: Optional[IntType]
    enum: Optional[Ident]
    limit: tuple[Range, ...]


@dataclass(frozen=True, eq=False, repr=False)
class ExternDecl(Decl):
    params: tuple[Param, ...]
    result: IntType


@dataclass(frozen=True, eq=False, repr=False)
class PacketDecl(Decl):
    params: tuple[Param, ...]
    items: tuple[Item, ...]
    max: Optional[Expr]
    shared: bool
    mutable: bool
    endian: Optional[str]
    order: Optional[tuple[Ident, ...]]
    text: Optional[Text]


@dataclass(frozen=True, eq=False, repr=False)
class GrammarDecl(Decl):
    rules: tuple[GRule, ...]


@dataclass(frozen=True, eq=False, repr=False)
class MItem:
    """A part of a machine."""

    span: Span
    doc: str


@dataclass(frozen=True, eq=False, repr=False)
class MEvent(MItem):
    """`rx advert(solicited: 1);`"""

    kind: str  # rx user timer
    name: Ident
    params: tuple[Param, ...]


@dataclass(frozen=True, eq=False, repr=False)
class MDeed(MItem):
    """`tx solicit(unicast: 1);`, `test in_window on segment;`"""

    kind: str  # tx action test
    name: Ident
    params: tuple[Param, ...]
    of: Optional[Ident]  # the event that it is told of


@dataclass(frozen=True, eq=False, repr=False)
class MVar(MItem):
    param: Param  # its name, width and range
    first: Optional[Expr]


@dataclass(frozen=True, eq=False, repr=False)
class MDo:
    """`deed(args)`, `set timer`, `cancel timer`, `variable = value`."""

    span: Span
    word: str  # "" set cancel =, and "first" where a part begins: the variable is as at first
    name: Ident
    args: tuple[Expr, ...]
    value: Optional[Expr]


@dataclass(frozen=True, eq=False, repr=False)
class MHandler:
    """`on event if guard -> State do deeds;`, `ignore events;`, `refuse events;`, `when State -> State do deeds;`"""

    span: Span
    doc: str
    word: str  # on ignore refuse when
    events: tuple[Ident, ...]  # with `when`: states of the machine that runs
    guard: Optional[Expr]
    to: Optional[Ident]
    todo: tuple[MDo, ...]
    copied: bool = False  # stands in several states that were written as one (parts.py)


@dataclass(frozen=True, eq=False, repr=False)
class MState(MItem):
    name: Ident
    start: bool
    final: bool
    runs: Optional[Ident]  # another machine
    handlers: tuple[MHandler, ...]


@dataclass(frozen=True, eq=False, repr=False)
class MAlways(MItem):
    """What is tried first in each state."""

    handlers: tuple[MHandler, ...]


@dataclass(frozen=True, eq=False, repr=False)
class MNever(MItem):
    """`never deed in States;`, `never (cond) in States;`"""

    deed: Optional[Ident]
    cond: Optional[Expr]
    states: tuple[Ident, ...]


@dataclass(frozen=True, eq=False, repr=False)
class MachineDecl(Decl):
    items: tuple[MItem, ...]


@dataclass(frozen=True, eq=False, repr=False)
class Import:
    span: Span
    module: Ident  # dotted
    names: Optional[tuple[Ident, ...]]


@dataclass(frozen=True, eq=False, repr=False)
class File:
    """One parsed file; `name` is the dotted module name."""

    span: Span
    doc: str
    name: Ident
    endian: str
    imports: tuple[Import, ...]
    decls: tuple[Decl, ...]
    digest: str = ""
