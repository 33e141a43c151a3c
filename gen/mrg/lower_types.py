"""Types of fields to IR items: integers, bytes, packets, lists, switches."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Iterator, Optional, Sequence, Union

from . import ast, ir, layout, sizes, textforms
from .check import clause_word
from .errors import Skip, meant
from .lower_expr import ExprLowerer
from .lower_key import KeyClause
from .lower_switch import Patterns
from .names import snake
from .lower_util import kind_of
from .prove import SIZE_MAX, Lin, span
from .source import Span

if TYPE_CHECKING:
    from .lower import ModuleLowerer

COUNT_MAX = 0xFFFF  # elements that may take no bytes


@dataclass
class Limits:
    """A constraint with constant ranges, as an alias may carry."""

    clause: ast.Constraint
    ranges: list[tuple[int, int]]


@dataclass
class Alias:
    """`type X = ...`: an item to copy, the byte order left open, and its clauses."""

    name: str
    item: ir.Item
    limits: list[Limits] = field(default_factory=list)


@dataclass
class At:
    """What is being lowered: the name, doc and place of a field, arm or element."""

    name: str
    doc: str
    span: Span


class TypeLowerer(ExprLowerer):
    module: ModuleLowerer
    packet: ir.Packet
    element: Optional[ir.Item]
    inner_names: str  # prefix for the names of inline packets

    def type(self, t: ast.Type, at: At, clauses: Sequence[ast.Clause] = ()) -> tuple[ir.Item, list[Limits]]:
        """The item of a type; the constraints that an alias brings with it."""
        limits: list[Limits] = []
        if isinstance(t, ast.IntType):
            item: ir.Item = self.integer(t, at)
        elif isinstance(t, ast.BytesType):
            item = self.bytes(t, at)
        elif isinstance(t, ast.NamedType):
            item, limits = self.named(t, at)
        elif isinstance(t, ast.InlineType):
            item = self.inline(t.items, at, at.name)
        elif isinstance(t, ast.ListType):
            item = self.list(t, at)
        elif isinstance(t, ast.SwitchType):
            item = self.switch(t, at)
        else:
            raise self.errors.error(t.span, "'empty' is only for the arms of a switch")
        self.flags(item, clauses)
        return item, limits

    # --- integers and bytes -----------------------------------------------------

    def integer(self, t: ast.IntType, at: At) -> ir.Scalar:
        bit_field = t.plain or t.bits % 8 != 0
        if t.endian and (bit_field or t.bits == 8):
            self.errors.error(t.span, f"{t.bits} bits have no byte order")
        order = "big" if bit_field or t.bits == 8 else t.endian or self.order
        enum = self.module.enum(t.enum) if t.enum is not None else None
        if enum is not None and enum.closed and any(m.hi >> t.bits for m in enum.members):
            worst = max(enum.members, key=lambda m: m.hi)
            self.errors.error(t.span, f"'{enum.name}.{worst.name}' is {worst.hi}, which does not fit in {t.bits} bits")
        lo, hi = (-(1 << t.bits - 1), (1 << t.bits - 1) - 1) if t.signed else (0, (1 << t.bits) - 1)
        if enum is not None and enum.closed and enum.members:
            lo, hi = min(m.lo for m in enum.members), max(m.hi for m in enum.members)
        item = ir.Scalar(at.span.loc(), at.doc, at.name, t.bits, t.signed, order, enum=enum, lo=lo, hi=hi)
        self.place_scalar(item, t.span, bit_field)
        return item

    def place_scalar(self, item: ir.Scalar, where: Span, bit_field: bool) -> None:
        """Told of every integer in the order of the wire; packets track bits."""

    def place_varint(self, spec: ir.VarintSpec, where: Span) -> None:
        """Likewise of varints, which may begin inside a byte."""

    def bytes(self, t: ast.BytesType, at: At) -> ir.Bytes:
        item = ir.Bytes(at.span.loc(), at.doc, at.name, t.mode)
        if t.length is not None:
            item.length = self.length(t.length, "the length")
            item.sure = self.ends_inside(item.length)
        if t.until is not None:
            item.until = self.const(t.until, "the byte that ends it")
            if item.until > 255:
                self.errors.error(t.until.span, f"{item.until} is not a byte")
        if t.max is not None:
            item.max = self.const(t.max, "'max'")
        return item

    def ends_inside(self, length: ir.Expr) -> bool:
        """So many bytes from here are proved to lie in the region."""
        if self.here is None:
            return False
        return self.facts.least(self.end.plus(self.here, -1).plus(self.facts.lin(length), -1), 0) >= 0

    # --- named types ------------------------------------------------------------------

    def named(self, t: ast.NamedType, at: At) -> tuple[ir.Item, list[Limits]]:
        found = self.module.symbol(t.name)
        if found is None:
            names = self.module.names_of_types()
            raise self.errors.error(t.name.span, f"unknown type '{t.name.name}'{self.module.meant(t.name.name, names)}")
        if isinstance(found, ir.Packet):
            return self.sub(found, t, at), []
        if t.args is not None:
            self.errors.error(t.span, f"only packets take arguments; '{t.name.name}' is none")
        if isinstance(found, ir.Enum):
            plain = ast.IntType(t.span, found.bits, False, False, None, t.name)
            return self.integer(plain, at), []
        if isinstance(found, ir.VarintSpec):
            self.place_varint(found, t.span)
            return ir.Varint(at.span.loc(), at.doc, at.name, found, lo=0, hi=found.hi), []
        if isinstance(found, Alias):
            return self.alias(found, t, at)
        raise self.errors.error(t.name.span, f"'{t.name.name}' is not a type")

    def alias(self, alias: Alias, t: ast.NamedType, at: At) -> tuple[ir.Item, list[Limits]]:
        item = replace(alias.item, loc=at.span.loc(), doc=at.doc, name=at.name)
        if isinstance(item, ir.Scalar):
            item.endian = item.endian or self.order
            self.place_scalar(item, t.span, item.bits % 8 != 0)
        elif isinstance(item, ir.Varint):
            self.place_varint(item.spec, t.span)
        return item, list(alias.limits)

    def sub(self, packet: ir.Packet, t: ast.NamedType, at: At) -> ir.Sub:
        item = ir.Sub(at.span.loc(), at.doc, at.name, packet)
        given = t.args or ()
        if len(given) != len(packet.params):
            takes = ", ".join(f"{p.name}: {_param_type(p)}" for p in packet.params) or "none"
            raise self.errors.error(t.span, f"packet '{packet.name}' takes {len(packet.params)} arguments ({takes}), not {len(given)}")
        for arg, p in zip(given, packet.params):
            item.args.append(self.argument(arg, p, packet))
        return item

    def argument(self, arg: ast.Expr, p: ir.Param, packet: ir.Packet) -> Union[ir.Expr, ir.BufArg]:
        what = f"parameter '{p.name}' of '{packet.name}'"
        if p.kind != "buffer":
            if isinstance(arg, ast.This):
                raise self.errors.error(arg.span, f"{what} is a number; 'this' is a buffer")
            value = self.expr(arg, p.enum)
            self.fits(value, p.lo, p.hi, arg.span, what)
            self.seen_later(value, arg.span, what)
            return value
        if isinstance(arg, ast.This):
            return ir.BufArg(None)
        found = self.buffer(arg.path[0]) if isinstance(arg, ast.Name) and len(arg.path) == 1 else None
        if found is None:
            raise self.errors.error(arg.span, f"{what} is a buffer: give 'this' or a buffer parameter")
        return ir.BufArg(found)

    def buffer(self, name: ast.Ident) -> Optional[ir.Param]:
        """The buffer parameter of that name."""
        found = self.lookup(name)
        return found if isinstance(found, ir.Param) and found.kind == "buffer" else None

    def inline(self, items: Sequence[ast.Item], at: At, name: str) -> ir.Sub:
        raise NotImplementedError

    # --- lists ---------------------------------------------------------------------------

    def list(self, t: ast.ListType, at: At) -> ir.List:
        elem = self.list_element(t, at)
        item = ir.List(at.span.loc(), at.doc, at.name, elem, t.mode)
        if t.max is not None:
            item.max = self.const(t.max, "'max'")
        least, _ = sizes.of(elem)
        if t.mode == "until" and t.expr is not None:
            item.expr = self.until(t.expr, elem)
        elif t.mode == "while" and t.expr is not None:
            with self.somewhere():
                item.expr = self.condition(t.expr, "the condition")
        elif t.expr is not None:
            item.expr = self.length(t.expr, "the count" if t.mode == "count" else "the length")
            if t.mode == "count":
                self.seen_later(item.expr, t.expr.span, "the count")
            item.sure = t.mode == "bytes" and self.ends_inside(item.expr)
        if t.mode != "count" and least == 0:
            text = "an element may take no bytes, so nothing bounds the list; only 'count' may have such elements"
            self.errors.error(t.elem.span, text)
        elif t.mode == "count" and least == 0 and item.expr is not None and min(item.expr.hi, item.max or SIZE_MAX) > COUNT_MAX:
            text = f"an element may take no bytes and there may be {span(item.expr)} of them; give the list a 'max' of at most {COUNT_MAX}"
            self.errors.error(t.elem.span, text)
        return item

    def list_element(self, t: ast.ListType, at: At) -> ir.Item:
        if isinstance(t.elem, ast.InlineType):
            return self.inline(t.elem.items, At("item", at.doc, t.elem.span), at.name + "_item")
        if isinstance(t.elem, (ast.ListType, ast.SwitchType, ast.EmptyType)):
            raise self.errors.error(t.elem.span, "elements are integers, bytes or packets; put this into a packet")
        with self.somewhere():
            elem, limits = self.type(t.elem, At("item", "", t.elem.span))
        if limits:
            raise self.errors.error(t.elem.span, "an element can't have constraints; put it into a packet: { value: ... }")
        if isinstance(elem, ir.Scalar) and elem.bits % 8:
            raise self.errors.error(t.elem.span, f"an element of {elem.bits} bits is not whole bytes")
        if isinstance(elem, ir.Bytes) and elem.mode == "rest":
            raise self.errors.error(t.elem.span, "'rest' leaves nothing for another element")
        if isinstance(elem, ir.Bytes) and elem.mode == "until":
            raise self.errors.error(t.elem.span, "an element can't be 'bytes until'; put it into a packet: { value: ... }")
        return elem

    @contextmanager
    def somewhere(self) -> Iterator[None]:
        """At a place that is not known: in the middle of a list."""
        self.places += 1
        here, end = self.here, self.end
        self.here = self.facts.atom(("at", self.places), 0, SIZE_MAX)
        self.end = self.facts.atom(("end", self.places), 0, SIZE_MAX)
        try:
            yield
        finally:
            self.here, self.end = here, end

    def until(self, e: ast.Expr, elem: ir.Item) -> ir.Expr:
        """A condition over the element just read."""
        self.element = elem
        try:
            with self.somewhere():
                return self.condition(e, "the condition")
        finally:
            self.element = None

    # --- switches --------------------------------------------------------------------------

    def switch(self, t: ast.SwitchType, at: At) -> ir.Switch:
        on = self.expr(t.on)
        item = ir.Switch(at.span.loc(), at.doc, at.name, on)
        if on.lo < 0:
            raise self.errors.error(t.on.span, "a signed value can't choose an arm")
        self.no_extern(on, t.on.span, "an arm")
        self.seen_later(on, t.on.span, "what a switch is over", own_bytes=True)
        patterns = Patterns(self, on)
        names: dict[str, Span] = {}
        for arm in t.arms:
            try:
                one = self.arm(arm, patterns, item, names)
            except Skip:
                item.arms.append(ir.Arm(arm.span.loc(), "", [ir.Pat(0, 0, 0)], None))  # keeps the sizes' hull sound
                continue
            item.arms.append(one)
        if not item.arms:
            raise self.errors.error(t.span, "a switch needs arms")
        patterns.finish()
        return item

    def arm(self, arm: ast.SwitchArm, patterns: Patterns, switch: ir.Switch, names: dict[str, Span]) -> ir.Arm:
        pats = patterns.of(arm)
        name = self.arm_name(arm)
        where = arm.name.span if arm.name is not None else arm.type.span
        if name in names:
            text = f"two arms are called '{name}'; name one ('=> other_name: ...') or join their patterns with ','"
            self.errors.error(where, text, [(names[name], f"'{name}' is declared here")])
        names[name] = where
        one = ir.Arm(arm.span.loc(), name, pats, None)
        if isinstance(arm.type, ast.EmptyType):
            self.flags(None, arm.clauses)
            return one
        outer, here = self.facts, self.here
        self.facts = outer.child()
        if pats and all(p.mask == (1 << 64) - 1 for p in pats):
            on = self.facts.lin(switch.on)
            self.facts.add(on.plus(Lin(-min(p.lo for p in pats))))
            self.facts.add(on.times(-1).plus(Lin(max(p.hi for p in pats))))
        try:
            one.item = self.arm_item(arm, name)
        finally:
            self.facts, self.here = outer, here
        return one

    def arm_item(self, arm: ast.SwitchArm, name: str) -> ir.Item:
        at = At(name, arm.doc, arm.type.span)
        for clause in arm.clauses:
            if not isinstance(clause, (ast.Flag, ast.Text, ast.Key)):
                text = f"an arm can't have '{clause_word(clause)}'; put its type into a packet: {{ value: ... }}"
                raise self.errors.error(clause.span, text)
        if isinstance(arm.type, ast.ListType):
            text = "an arm can't be a list; put it into a packet: { items: list ...; }"
            raise self.errors.error(arm.type.span, text)
        if isinstance(arm.type, ast.InlineType):
            item: ir.Item = self.inline(arm.type.items, at, name)
            limits: list[Limits] = []
            self.flags(item, arm.clauses)
        else:
            item, limits = self.type(arm.type, at, arm.clauses)
        if limits:
            raise self.errors.error(arm.type.span, "the type of an arm can't have constraints; put it into a packet: { value: ... }")
        if isinstance(item, ir.Scalar) and item.bits % 8:
            raise self.errors.error(arm.type.span, f"an arm of {item.bits} bits is not whole bytes")
        return item

    def arm_name(self, arm: ast.SwitchArm) -> str:
        if arm.name is not None:
            return arm.name.name
        if isinstance(arm.type, ast.NamedType):
            return snake(arm.type.name.name)
        first = arm.patterns[0].lo if len(arm.patterns) == 1 else None
        if isinstance(arm.type, ast.EmptyType) and isinstance(first, ast.Name):
            return first.path[-1].name.lower()
        raise self.errors.error(arm.type.span, "this arm needs a name: '=> name: type'")

    # --- clauses that belong to the item itself ------------------------------------------------

    def flags(self, item: Optional[ir.Item], clauses: Sequence[ast.Clause]) -> None:
        for clause in clauses:
            if isinstance(clause, ast.Flag):
                self.flag(item, clause)
            elif isinstance(clause, ast.Key):
                self.key(item, clause)
            elif isinstance(clause, ast.Text) and item is not None:
                self.put_text(item, clause)

    def flag(self, item: Optional[ir.Item], clause: ast.Flag) -> None:
        if clause.word == "nocase":
            if not isinstance(item, ir.Bytes):
                raise self.errors.error(clause.span, f"'nocase' is for bytes, not for {_a(item)}")
            item.nocase = True
            return
        if not isinstance(item, ir.Sub) or not has_goto(item.packet):
            raise self.errors.error(clause.span, f"'flat' is for a packet with a chain that can jump, not for {_a(item)}")
        item.flat = True

    def key(self, item: Optional[ir.Item], clause: ast.Key) -> None:
        if not isinstance(item, ir.List):
            raise self.errors.error(clause.span, f"'{clause.word}' is for lists, not for {_a(item)}")
        KeyClause(self, item, clause).lower()

    def put_text(self, item: ir.Item, clause: ast.Text) -> None:
        form = self.text_form(clause, item)
        if isinstance(item, (ir.Scalar, ir.Varint, ir.Bytes, ir.Sub, ir.List, ir.Switch, ir.Chain)):
            item.text = form

    def text_form(self, clause: ast.Text, what: Union[ir.Item, ir.Packet]) -> ir.TextForm:
        name = clause.form.name
        if name not in textforms.FORMS:
            raise self.errors.error(clause.form.span, f"unknown text form '{name}'{meant(name, textforms.FORMS)}")
        form = ir.TextForm(name)
        kinds: list[str] = []
        for arg in clause.args:
            if isinstance(arg, ast.Num):
                form.args.append(arg.value)
                kinds.append("int")
            elif arg.name[:1].isupper():
                form.args.append(self.module.enum(arg))
                kinds.append("enum")
            else:
                form.args.append(arg.name)
                kinds.append("name")
        problem = textforms.arity_problem(name, kinds) or textforms.misfit(name, what)
        if problem is not None:
            raise self.errors.error(clause.span, problem)
        return form


def has_goto(packet: ir.Packet) -> bool:
    """Whether a packet holds, at any depth, a chain that can jump."""
    for item in layout.walk(packet.items):
        if isinstance(item, ir.Chain) and any(a.kind == "goto" for a in item.arms):
            return True
        if isinstance(item, ir.Sub) and has_goto(item.packet):
            return True
    return False


def _a(item: Optional[ir.Item]) -> str:
    return "an empty arm" if item is None else kind_of(item)


def _param_type(p: ir.Param) -> str:
    return "buffer" if p.kind == "buffer" else p.enum.name if p.enum is not None else f"u{p.bits}"
