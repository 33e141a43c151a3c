"""Expressions: names bound, operands typed, every operation proved.

`ExprLowerer` is the part of a packet's lowering that deals with expressions;
`lookup` is filled in by the packet (or by nothing, for constants).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Callable, Hashable, Optional, Sequence, Union

from . import ast, ir, layout
from .errors import Errors, Skip, meant
from .lower_util import enum_of, fields_of, kind_of, member_named, number_at, top_of
from .prove import SIZE_MAX, U64_MAX, Facts, Lin, Unproved, span
from .source import Span

Guard = tuple[Hashable, bool]


@dataclass
class Entry:
    """A name of a packet: what it is, and the conditions it exists under."""

    item: Optional[ir.Item]  # None: it was wrong, and reported
    span: Span
    guards: frozenset[Guard]


Found = Union[Entry, ir.Param]
Symbol = Callable[[ast.Ident], object]


class ExprLowerer:
    def __init__(self, errors: Errors, symbol: Symbol, names: Callable[[], Sequence[str]]) -> None:
        self.errors = errors
        self.symbol = symbol  # a declaration by name: IR object or constant
        self.symbol_names = names
        self.facts = Facts()
        self.here: Optional[Lin] = None  # bytes from the packet's start; None outside packets
        self.end = Lin(0, {("end",): 1})  # the region's end, likewise
        self.order = "big"
        self.ended = False  # at the packet's end, where computed fields are worked out
        self.sizes: dict[int, Lin] = {}  # of items whose size has a form
        self.places = 0  # positions that are not known, for `somewhere`
        self.hint: Optional[ir.Enum] = None  # bare members of it may be named
        self.facts.bounds[("end",)] = (0, SIZE_MAX)

    # --- to be refined by packets ---------------------------------------------------

    def lookup(self, name: ast.Ident) -> Optional[Found]:
        return None

    def known_names(self) -> list[str]:
        return []

    def enums(self) -> list[ir.Enum]:
        """Enums that can be named here."""
        return []

    def later(self, name: str) -> Optional[Span]:
        """Where a name is declared that can't be used yet."""
        return None

    # --- entry points ------------------------------------------------------------------

    def expr(self, e: ast.Expr, hint: Optional[ir.Enum] = None) -> ir.Expr:
        """Lower; raises Skip after reporting."""
        old, self.hint = self.hint, hint
        try:
            node = self._lower(e)
        finally:
            self.hint = old
        return node

    def const(self, e: ast.Expr, what: str, hint: Optional[ir.Enum] = None) -> int:
        """The value of a constant expression."""
        node = self.expr(e, hint)
        if not isinstance(node, ir.Const):
            raise self.errors.error(e.span, f"{what} must be a constant")
        return node.value

    def length(self, e: ast.Expr, what: str) -> ir.Expr:
        """A number of bytes or elements: never negative, never from user code."""
        node = self.expr(e)
        if node.lo < 0:
            raise self.errors.error(e.span, f"{what} may be negative (it is {span(node)})")
        if node.lo > SIZE_MAX:
            raise self.errors.error(e.span, f"{what} is {span(node)}: no buffer is that long")
        self.no_extern(node, e.span, what)
        return node

    def no_extern(self, node: ir.Expr, where: Span, what: str) -> None:
        """Externs stay out of the memory-safety path."""
        todo, seen = [node], {id(node)}
        while todo:
            for part in layout.refs(todo.pop()):
                if isinstance(part, ir.Call):
                    self.errors.error(where, f"extern '{part.extern.name}' can't decide {what}: no safety rests on user code")
                    return
                last = part.path[-1] if isinstance(part, ir.FieldRef) else None
                if isinstance(last, ir.Let) and id(last.expr) not in seen:
                    seen.add(id(last.expr))
                    todo.append(last.expr)

    def condition(self, e: ast.Expr, what: str) -> ir.Expr:
        node = self.expr(e)
        if node.hi == 0:
            self.errors.error(e.span, f"{what} can never hold{self._why(node)}")
        return node

    def _why(self, node: ir.Expr) -> str:
        if isinstance(node, ir.Bin) and not isinstance(node.a, ir.Const):
            return f" ({self.facts_text(node.a)} against {span(node.b)})"
        return ""

    def facts_text(self, node: ir.Expr) -> str:
        return f"{node.path[-1].name} is {span(node)}" if isinstance(node, ir.FieldRef) else span(node)

    def seen_later(self, node: ir.Expr, where: Span, what: str, own_bytes: bool = False) -> None:
        """A view gives this value, too, and knows nothing of what follows its packet (or, `own_bytes`, what it is about)."""
        for e in layout.refs(node):
            if isinstance(e, ir.Avail) or isinstance(e, ir.Peek) and not own_bytes:
                word = "avail" if isinstance(e, ir.Avail) else "peek"
                text = f"{what} is asked of a view, too, which does not know what follows: '{word}' can't be in it"
                self.errors.error(where, text)
                return

    # --- one node a method ----------------------------------------------------------------

    def _lower(self, e: ast.Expr) -> ir.Expr:
        method: Callable[[ast.Expr], ir.Expr] = getattr(self, "_" + type(e).__name__.lower())
        return method(e)

    def _num(self, e: ast.Num) -> ir.Expr:
        if e.value > U64_MAX:
            raise self.errors.error(e.span, f"{e.text} does not fit in 64 bits")
        return ir.Const(e.span.loc(), e.value, e.value, e.value, e.text)

    def _unary(self, e: ast.Unary) -> ir.Expr:
        if e.op == "-":
            return self._negative(e)
        a = self._lower(e.a)
        loc = e.span.loc()
        if a.lo < 0:
            raise self.errors.error(e.a.span, "a signed value may only be compared")
        if e.op == "!":
            return ir.Un(loc, int(a.hi == 0), int(a.lo == 0), "!", a)
        node = ir.Un(loc, U64_MAX - a.hi, U64_MAX - a.lo, "~", a)
        self.facts.define(node, Lin(U64_MAX).plus(self.facts.lin(a), -1))
        return node

    def _negative(self, e: ast.Unary) -> ir.Expr:
        a = self._lower(e.a)
        if not isinstance(a, ir.Const):
            raise self.errors.error(e.span, "only a constant may have a minus sign; write a subtraction")
        return ir.Const(e.span.loc(), -a.value, -a.value, -a.value, e.span.text())

    def _binary(self, e: ast.Binary) -> ir.Expr:
        a = self._lower(e.a)
        if e.op in ("&&", "||"):
            outer, self.facts = self.facts, self.facts.child()
            self.facts.assume(a, e.op == "&&")
            try:
                b = self._lower(e.b)
            finally:
                self.facts = outer
        else:
            b = self._lower(e.b)
        return self._prove(e, a, b)

    def _prove(self, e: ast.Binary, a: ir.Expr, b: ir.Expr) -> ir.Expr:
        try:
            node = self.facts.binary(e.span.loc(), e.op, a, b)
        except Unproved as u:
            notes = self._ranges_of(e) if a.lo >= 0 and b.lo >= 0 else []
            raise self.errors.error(e.span, f"in '{e.span.text()}', {u.why}", notes) from None
        if isinstance(node, ir.Const):
            node.text = e.span.text()
        return node

    def _ranges_of(self, e: ast.Binary) -> list[tuple[Span, str]]:
        """Notes that say what is known of the fields in an operation."""
        notes: list[tuple[Span, str]] = []
        todo: list[ast.Expr] = [e.a, e.b]
        while todo:
            part = todo.pop(0)
            if isinstance(part, ast.Binary):
                todo += [part.a, part.b]
            elif isinstance(part, ast.Name):
                node = self._lower(part)
                text = f"'{part.span.text()}' is {span(node)}; a constraint before this could narrow it"
                if not isinstance(node, ir.Const) and all(t != text for _, t in notes):
                    notes.append((part.span, text))
        return notes

    def _ternary(self, e: ast.Ternary) -> ir.Expr:
        c = self._lower(e.c)
        sides: list[ir.Expr] = []
        for truth, side in ((True, e.a), (False, e.b)):
            outer, self.facts = self.facts, self.facts.child()
            self.facts.assume(c, truth)
            try:
                sides.append(self._lower(side))
            finally:
                self.facts = outer
        return self._choose(e.span, c, sides[0], sides[1])

    def _choose(self, where: Span, c: ir.Expr, a: ir.Expr, b: ir.Expr) -> ir.Expr:
        node = ir.Cond(where.loc(), min(a.lo, b.lo), max(a.hi, b.hi), c, a, b)
        self.facts.define(node, self.facts.atom(("node", id(node)), node.lo, node.hi))
        return node

    def _in(self, e: ast.In) -> ir.Expr:
        return self.within(self._lower(e.e), e.ranges, e.span)

    def within(self, value: ir.Expr, ranges: Sequence[ast.Range], where: Span) -> ir.Expr:
        """`value in ranges`."""
        outer, self.hint = self.hint, enum_of(value) or self.hint
        pairs: list[tuple[ir.Expr, ir.Expr]] = []
        for r in ranges:
            member = self.member_of(r.lo) if r.hi is r.lo else None
            if member is not None:
                pairs.append((number_at(r.span, member.lo, member.name), number_at(r.span, member.hi, member.name)))
                continue
            lo = self._lower(r.lo)
            if r.hi is None:
                hi: ir.Expr = number_at(r.span, top_of(value))
            else:
                hi = lo if r.hi is r.lo else self._lower(r.hi)
            if lo.lo > hi.hi:
                self.errors.error(r.span, f"range '{r.span.text()}' is empty")
            pairs.append((lo, hi))
        self.hint = outer
        never = all(hi.hi < value.lo or lo.lo > value.hi for lo, hi in pairs)
        always = any(lo.hi <= value.lo and value.hi <= hi.lo for lo, hi in pairs)
        return ir.In(where.loc(), int(always), int(not never), value, pairs)

    # --- names ----------------------------------------------------------------------------

    def _name(self, e: ast.Name) -> ir.Expr:
        first = e.path[0]
        member = self.member_of(e)
        if member is not None and self.hint is not None:
            return self.member_const(e.span, self.hint, member)
        found = self.lookup(first)
        if isinstance(found, ir.Param):
            if len(e.path) > 1:
                raise self.errors.error(e.path[1].span, f"parameter '{first.name}' has no fields")
            return self.param(e, found)
        if found is not None:
            return self.field(e, found)
        return self._symbol_value(e)

    def member_of(self, e: ast.Expr) -> Optional[ir.Member]:
        """The member that a bare name means where an enum is expected."""
        if self.hint is None or not isinstance(e, ast.Name):
            return None
        if len(e.path) == 2 and e.path[0].name == self.hint.name:
            return member_named(self.hint, e.path[1].name)
        return member_named(self.hint, e.path[0].name) if len(e.path) == 1 else None

    def member_const(self, where: Span, enum: ir.Enum, member: ir.Member) -> ir.Const:
        if member.lo != member.hi:
            raise self.errors.error(where, f"'{member.name}' is the range {member.lo}..{member.hi}, not one value; test it with 'in'")
        return ir.Const(where.loc(), member.lo, member.lo, member.lo, f"{enum.name}.{member.name}")

    def _symbol_value(self, e: ast.Name) -> ir.Expr:
        first = e.path[0]
        if first.name[:1].isupper():
            symbol = self.symbol(first)
            if isinstance(symbol, ir.Enum) and len(e.path) == 2:
                member = member_named(symbol, e.path[1].name)
                if member is None:
                    hint = meant(e.path[1].name, [m.name for m in symbol.members])
                    raise self.errors.error(e.path[1].span, f"enum '{symbol.name}' has no member '{e.path[1].name}'{hint}")
                return self.member_const(e.span, symbol, member)
            if isinstance(symbol, ir.ConstDecl) and len(e.path) == 1:
                return ir.Const(e.span.loc(), symbol.value, symbol.value, symbol.value, symbol.name)
            if isinstance(symbol, ir.Enum):
                raise self.errors.error(e.span, f"name a member of enum '{symbol.name}', such as {symbol.name}.{symbol.members[0].name}")
            if symbol is not None:
                raise self.errors.error(e.span, f"'{first.name}' is not a value")
        raise self.unknown(first)

    def unknown(self, name: ast.Ident) -> Skip:
        """Report a name that means nothing here."""
        where = self.later(name.name)
        if where is not None:
            return self.errors.error(name.span, f"'{name.name}' is declared later", [(where, f"'{name.name}' is declared here")])
        names = [*self.known_names(), *self.symbol_names()]
        if self.hint is not None:
            names = [m.name for m in self.hint.members] + names
        if self.here is not None and name.name.isupper():
            owners = [e for e in self.enums() if member_named(e, name.name) is not None]
            if owners:
                return self.errors.error(name.span, f"'{name.name}' is a member of an enum: write {owners[0].name}.{name.name}")
        kind = "member, field or constant" if self.hint is not None else "field" if self.here is not None else "name"
        return self.errors.error(name.span, f"unknown {kind} '{name.name}'{self.meant(name.name, names)}")

    def meant(self, name: str, names: Sequence[str]) -> str:
        """The nearest name, and where it is declared when that is in this packet."""
        return meant(name, names)

    def param(self, e: ast.Expr, p: ir.Param) -> ir.Expr:
        if p.kind == "buffer":
            raise self.errors.error(e.span, f"'{p.name}' is a buffer; its length is len({p.name})")
        node = ir.ParamRef(e.span.loc(), p.lo, p.hi, p)
        self._bind(node, ("param", id(p)), p.lo, p.hi)
        return node

    def _bind(self, node: ir.Expr, atom: tuple[Hashable, ...], lo: int, hi: int) -> None:
        """Give a node the form of its atom, and the range known for that here."""
        form = self.facts.atom(atom, lo, hi)
        self.facts.define(node, form)
        node.lo, node.hi = self.facts.bounds[atom]

    def field(self, e: ast.Name, entry: Entry) -> ir.Expr:
        """A reference to a field, through sub-packets."""
        if entry.item is None:
            raise Skip()
        self.guarded(e.path[0], entry)
        path: list[ir.Item] = [entry.item]
        for ident in e.path[1:]:
            path.append(self._into(path[-1], ident))
        return self.value_of(e.span, path)

    def _into(self, item: ir.Item, ident: ast.Ident) -> ir.Item:
        if not isinstance(item, ir.Sub):
            raise self.errors.error(ident.span, f"'{item.name}' is {kind_of(item)}, which has no fields")
        optional = {id(i) for group in item.packet.items if isinstance(group, ir.Optional_) for i in fields_of(group.items).values()}
        fields = fields_of(item.packet.items)
        found = fields.get(ident.name)
        if found is None:
            hint = meant(ident.name, fields)
            raise self.errors.error(ident.span, f"packet '{item.packet.name}' has no field '{ident.name}'{hint}")
        if id(found) in optional:
            raise self.errors.error(ident.span, f"'{ident.name}' may be absent from '{item.packet.name}'")
        return found

    def guarded(self, name: ast.Ident, entry: Entry) -> None:
        """A field of an optional group may be used only where the group is there."""
        if not entry.guards <= self.facts.held:
            notes = [(entry.span, f"'{name.name}' is declared here, under a condition")]
            raise self.errors.error(name.span, f"'{name.name}' may be absent here", notes)

    def value_of(self, where: Span, path: list[ir.Item]) -> ir.Expr:
        last = path[-1]
        if isinstance(last, ir.Let):
            node = ir.FieldRef(where.loc(), last.expr.lo, last.expr.hi, tuple(path))
            if len(path) == 1:
                self.facts.define(node, self.facts.lin(last.expr))
                return node
        elif isinstance(last, (ir.Scalar, ir.Varint)):
            node = ir.FieldRef(where.loc(), last.lo, last.hi, tuple(path))
        else:
            use = "size" if not isinstance(last, ir.List) else "count"
            raise self.errors.error(where, f"'{where.text()}' is {kind_of(last)}, not a number; '{use} {last.name}' is one")
        self._bind(node, ("field", *(id(i) for i in path)), node.lo, node.hi)
        return node

    # --- words --------------------------------------------------------------------------------

    def _this(self, e: ast.This) -> ir.Expr:
        raise self.errors.error(e.span, "'this' is a buffer, not a number; 'size this' is one")

    def _place(self, e: ast.Place) -> ir.Expr:
        if self.here is None:
            raise self.errors.error(e.span, f"'{e.word}' has a meaning only inside a packet")
        self.whole_bytes(e.span, f"'{e.word}'")
        if e.word == "here":
            form = self.here
            lo, hi = self.facts.plain(form)
            node: ir.Expr = ir.Here(e.span.loc(), lo, min(hi, SIZE_MAX))
        else:
            form = self.end.plus(self.here, -1)
            self.facts.add(form)
            lo, hi = self.facts.plain(form)
            node = ir.Avail(e.span.loc(), max(0, lo), min(hi, SIZE_MAX))
        self.facts.define(node, form)
        return node

    def whole_bytes(self, where: Span, what: str) -> None:
        """Report unless the position is at a byte's edge."""

    def _peek(self, e: ast.Peek) -> ir.Expr:
        if self.here is None:
            raise self.errors.error(e.span, "'peek' has a meaning only inside a packet")
        if e.type.bits % 8 or e.type.signed:
            raise self.errors.error(e.type.span, "'peek' reads whole bytes without sign: u8, u16, ...")
        self.whole_bytes(e.span, "'peek'")
        order = e.type.endian or ("big" if self.order == "dyn" else self.order)
        node = ir.Peek(e.span.loc(), 0, (1 << e.type.bits) - 1, e.type.bits, order)
        self.facts.define(node, self.facts.atom(("node", id(node)), node.lo, node.hi))
        return node

    def _entry(self, name: ast.Ident, what: str) -> tuple[ir.Item, bool]:
        """An item by name, and whether it is there for sure: else its size and count may be 0."""
        found = self.lookup(name)
        if found is None:
            raise self.unknown(name)
        if isinstance(found, ir.Param):
            use = f"; its length is len({name.name})" if found.kind == "buffer" else ""
            raise self.errors.error(name.span, f"'{name.name}' is a parameter and has no {what}{use}")
        if found.item is None:
            raise Skip()
        return found.item, found.guards <= self.facts.held

    def _size(self, e: ast.Size) -> ir.Expr:
        if e.target is None:
            if not self.ended:
                raise self.errors.error(e.span, "'size this' is known only at the packet's end, in a computed field (':=')")
            node = ir.SizeOf(e.span.loc(), 0, SIZE_MAX, None)
            form = self.here or Lin()
        else:
            item, sure = self._entry(e.target, "size")
            if isinstance(item, ir.Let) or (isinstance(item, ir.Scalar) and item.bits % 8):
                raise self.errors.error(e.span, f"'{item.name}' is {kind_of(item)} and has no size in bytes")
            node = ir.SizeOf(e.span.loc(), 0, SIZE_MAX, item)
            form = self.sizes.get(id(item), Lin())
            if not sure:
                form = self.facts.atom(("maybe", id(item)), 0, self.facts.plain(form)[1])
        lo, hi = self.facts.plain(form)
        node.lo, node.hi = max(lo, 0), min(hi, SIZE_MAX)
        self.facts.define(node, form)
        return node

    def _count(self, e: ast.Count) -> ir.Expr:
        item, sure = self._entry(e.target, "count")
        if not isinstance(item, ir.List):
            raise self.errors.error(e.target.span, f"'{item.name}' is {kind_of(item)}; only a list has a count")
        hi = SIZE_MAX if item.max is None else item.max
        node = ir.CountOf(e.span.loc(), 0, hi, item)
        if item.mode == "count" and item.expr is not None and sure:
            node.lo, node.hi = item.expr.lo, min(hi, item.expr.hi)
            self.facts.define(node, self.facts.lin(item.expr))
        else:
            self.facts.define(node, self.facts.atom(("count", id(item)), 0, hi))
        return node

    def _checksum(self, e: ast.Checksum) -> ir.Expr:
        raise self.errors.error(e.span, f"'{e.kind}' stands alone, as the value of a computed field: ':= {e.kind}(...)'")

    # --- calls --------------------------------------------------------------------------------------

    def _call(self, e: ast.Call) -> ir.Expr:
        name = e.name.name
        if name == "len":
            return self._len(e)
        if name in ("min", "max"):
            return self._min_max(e)
        extern = self.symbol(e.name)
        if not isinstance(extern, ir.Extern):
            hint = meant(name, ["len", "min", "max", "inet16", "crc32", "crc32c", *self.symbol_names()])
            raise self.errors.error(e.name.span, f"there is no function '{name}'{hint}")
        args = [self._lower(a) for a in e.args]
        if len(args) != len(extern.params):
            raise self.errors.error(e.span, f"'{name}' takes {len(extern.params)} arguments, not {len(args)}")
        for arg, p, written in zip(args, extern.params, e.args):
            self.fits(arg, p.lo, p.hi, written.span, f"parameter '{p.name}' of '{name}'")
        node = ir.Call(e.span.loc(), 0, (1 << extern.bits) - 1, extern, list(args))
        self.facts.define(node, self.facts.atom(("node", id(node)), node.lo, node.hi))
        return node

    def fits(self, arg: ir.Expr, lo: int, hi: int, where: Span, what: str) -> None:
        """The argument lies in what a parameter takes."""
        if arg.lo < lo or arg.hi > hi:
            form = self.facts.lin(arg)
            if arg.lo < 0 or self.facts.least(form, lo) < lo or self.facts.most(form, hi) > hi:
                self.errors.error(where, f"{what} takes {lo}..{hi}, but this may be {span(arg)}")

    def _len(self, e: ast.Call) -> ir.Expr:
        arg = e.args[0] if len(e.args) == 1 else None
        found = self.lookup(arg.path[0]) if isinstance(arg, ast.Name) and len(arg.path) == 1 else None
        if not isinstance(found, ir.Param) or found.kind != "buffer":
            raise self.errors.error(e.span, "'len' takes the name of a buffer parameter; of a field it is 'size'")
        node = ir.BufLen(e.span.loc(), 0, SIZE_MAX, found)
        self.facts.define(node, self.facts.atom(("len", id(found)), 0, SIZE_MAX))
        return node

    def _min_max(self, e: ast.Call) -> ir.Expr:
        if len(e.args) != 2:
            raise self.errors.error(e.span, f"'{e.name.name}' takes two arguments, not {len(e.args)}")
        a, b = (self._lower(x) for x in e.args)
        least = e.name.name == "min"
        c = self.facts.binary(e.span.loc(), "<" if least else ">", a, b)
        node = self._choose(e.span, c, a, b)
        pick = min if least else max
        node.lo, node.hi = pick(a.lo, b.lo), pick(a.hi, b.hi)
        form = self.facts.atom(("node", id(node)), node.lo, node.hi)
        for side in (a, b):
            gap = self.facts.lin(side).plus(form, -1)
            self.facts.add(gap if least else gap.times(-1))
        return node
