"""A packet's body to IR: items in order, what is known growing with them.

Computed fields are worked out when the packet's end is reached, since they may
be about items that come after them.

Reading order: PacketLowerer.build, item, field_item, field_body, constraints,
group, inline_packet.  Names and positions are in lower_scope.py.
"""

from __future__ import annotations

from functools import partial
from typing import Callable, Optional, Sequence, TypeVar, Union

from . import ast, ir, shared, sizes
from .errors import Skip
from .lower_computed import Pending, compute
from .lower_expr import Entry
from .lower_scope import ScopeLowerer
from .lower_types import At, Limits
from .lower_util import enum_of, fields_of, kind_of
from .prove import key, span
from .source import Span

C = TypeVar("C", bound=ast.Clause)
Pairs = Sequence[tuple[ir.Expr, ir.Expr]]


class PacketLowerer(ScopeLowerer):
    def build(self, items: Sequence[ast.Item], where: Span) -> ir.Packet:
        self._declare(items)
        self.items(items, self.packet.items)
        self.aligned(where, f"the end of packet '{self.packet.name}'")
        self.ended = True
        for pending in self.pending:
            compute(self, pending)
        least, most = sizes.of_items(self.packet.items)
        top = self.packet.max_bytes
        self.packet.size_min = least
        self.packet.size_max = top if most is None else most if top is None else min(most, top)
        problem = shared.size_problem(self.packet)
        if problem:
            self.errors.error(where, problem)
        if top is not None and least > top:
            self.errors.error(where, f"packet '{self.packet.name}' takes at least {least} bytes, more than its max {top}")
        return self.packet

    def _declare(self, items: Sequence[ast.Item]) -> None:
        for item in items:
            if isinstance(item, (ast.Field, ast.LetItem, ast.ChainItem)):
                self.declared.setdefault(item.name.name, item.name.span)
            elif isinstance(item, ast.Group):
                self._declare(item.items)
                self._declare(item.otherwise)

    # --- items --------------------------------------------------------------------------

    def items(self, items: Sequence[ast.Item], out: list[ir.Item]) -> None:
        for item in items:
            before = self.facts
            try:
                self.item(item, out)
            except Skip:
                self.facts = before
                self.lost = True
                self._poison(item)

    def _poison(self, item: ast.Item) -> None:
        """Names of a broken item: using them is no further error."""
        self.module.broken.add(id(self.packet))
        if isinstance(item, (ast.Field, ast.LetItem, ast.ChainItem)):
            self.names[item.name.name] = Entry(None, item.name.span, frozenset())
        elif isinstance(item, ast.Group):
            for inner in (*item.items, *item.otherwise):
                self._poison(inner)

    def item(self, item: ast.Item, out: list[ir.Item]) -> None:
        methods: dict[type, Callable[..., None]] = {
            ast.Field: self.field_item,
            ast.Anon: self.anonymous,
            ast.Where: self.where,
            ast.LetItem: self.let,
            ast.AlignItem: self.align,
            ast.EndianItem: self.endian,
            ast.Group: self.group,
            ast.ChainItem: self.chain,
        }
        methods[type(item)](item, out)

    def enter(self, name: ast.Ident, item: ir.Item) -> None:
        guards = frozenset((key(c), truth) for c, truth in self.conds)
        self.names[name.name] = Entry(item, name.span, guards)

    def field_item(self, f: ast.Field, out: list[ir.Item]) -> None:
        present = _clause(f.clauses, ast.Present)
        if present is None:
            self.field_body(f, out)
            return
        cond = self.condition(present.cond, "the condition")
        inner = self.optional(f.span, cond, True, lambda into: self.field_body(f, into))
        inner.name, inner.doc = f.name.name, f.doc
        out.append(inner)
        self.advance(inner)

    def field_body(self, f: ast.Field, out: list[ir.Item]) -> None:
        within = _clause(f.clauses, ast.Within)
        at = At(f.name.name, f.doc, f.name.span)
        if within is not None or not isinstance(f.type, (ast.IntType, ast.NamedType)):
            self.aligned(f.name.span, f"'{f.name.name}'")
        if within is None:
            item, limits = self.type(f.type, at, f.clauses)
        else:
            item, limits = self.region(f, at, within)
        inner = item.item if isinstance(item, ir.Region) else item
        if not isinstance(inner, ir.Scalar):
            self.aligned(f.name.span, f"'{f.name.name}'")
        out.append(item)
        self.advance(item)
        self.enter(f.name, inner)
        self.constraints(f, inner, limits, out)
        computed = _clause(f.clauses, ast.Computed)
        if computed is not None:
            if not isinstance(inner, (ir.Scalar, ir.Varint)):
                raise self.errors.error(computed.span, f"only an integer can be computed, not {kind_of(inner)}")
            if inner is not item:
                raise self.errors.error(computed.span, "a field with 'within' can't be computed")
            self.pending.append(Pending(inner, computed, list(self.conds)))

    def region(self, f: ast.Field, at: At, within: ast.Within) -> tuple[ir.Item, list[Limits]]:
        length = self.length(within.length, "the length")
        sure = self.ends_inside(length)
        assert self.here is not None
        end, self.end = self.end, self.here.plus(self.facts.lin(length))
        outer, self.facts = self.facts, self.facts.child()
        try:
            inner, limits = self.type(f.type, at, f.clauses)
        finally:
            self.end, self.facts = end, outer
        if isinstance(inner, ir.Scalar) and inner.bits % 8:
            raise self.errors.error(within.span, "'within' needs whole bytes")
        least, most = sizes.of(inner)
        if length.hi < least:
            text = f"'{f.name.name}' takes at least {least} bytes, but is to fit in {span(length)}"
            self.errors.error(within.span, text)
        if most is not None and length.lo > most and not within.tail:
            text = f"'{f.name.name}' takes at most {most} bytes, but is to fill {span(length)}; 'tail' would leave some unread"
            self.errors.error(within.span, text)
        return ir.Region(f.span.loc(), f.doc, at.name, length, within.tail, inner, sure), limits

    # --- constraints -------------------------------------------------------------------

    def constraints(self, f: ast.Field, item: ir.Item, limits: Sequence[Limits], out: list[ir.Item]) -> None:
        for limit in limits:
            c = limit.clause
            pairs = [(_const(c.span, lo), _const(c.span, hi)) for lo, hi in limit.ranges]
            self.constraint(c, item, self.value_of(f.name.span, [item]), pairs, out)
        for clause in f.clauses:
            if isinstance(clause, ast.Constraint):
                self._constraint(f, clause, item, out)

    def _constraint(self, f: ast.Field, c: ast.Constraint, item: ir.Item, out: list[ir.Item]) -> None:
        if not isinstance(item, (ir.Scalar, ir.Varint)):
            raise self.errors.error(c.span, f"'{c.op}' is for integers, not for {kind_of(item)}")
        value = self.value_of(f.name.span, [item])
        hint, self.hint = self.hint, enum_of(value)
        try:
            node = self.within(value, c.ranges, c.span)
        finally:
            self.hint = hint
        assert isinstance(node, ir.In)
        if c.op != "in" and not all(isinstance(e, ir.Const) for pair in node.ranges for e in pair):
            raise self.errors.error(c.span, f"'{c.op}' takes a constant; other values go into 'where'")
        self.constraint(c, item, value, node.ranges, out)

    def constraint(
        self, c: ast.Constraint, item: ir.Item, value: ir.Expr, pairs: Pairs, out: list[ir.Item]
    ) -> None:
        """`value` must (not) lie in the ranges."""
        assert isinstance(item, (ir.Scalar, ir.Varint))
        loc = c.span.loc()
        severity = c.severity or "must"
        node: ir.Expr = ir.In(loc, 0, 1, value, list(pairs))
        if all(lo.lo > value.hi or hi.hi < value.lo for lo, hi in pairs) and c.op != "!=":
            self.errors.error(c.span, f"'{item.name}' is {span(value)}, so this can never hold")
            return
        if c.op == "!=":
            node = ir.Bin(loc, 0, 1, "!=", value, pairs[0][0])
        elif c.op == "=":
            self.fixed(item, pairs[0][0], severity)
            node = ir.Bin(loc, 0, 1, "==", value, pairs[0][0])
        if c.op != "=" or severity == "warn" or isinstance(item, ir.Varint):
            text = " ".join(c.span.text().split()).removesuffix(severity).strip()
            what = {"=": "must be " + text[1:].strip(), "!=": "must not be " + text[2:].strip()}.get(c.op, "must be " + text)
            out.append(ir.Check(loc, "", item.name, node, severity, what))
        if severity == "warn":
            self.seen_later(node, c.span, "a warning")
        if severity == "must":
            self.facts.assume(node)
            self.narrow(item, pairs, c.op)

    def fixed(self, item: Union[ir.Scalar, ir.Varint], value: ir.Expr, severity: str) -> None:
        """Builders write a constant; parsers insist when that is a `must`."""
        if isinstance(item, ir.Scalar) and severity == "must":
            item.const = value.lo
            return
        item.computed = value
        item.severity = severity
        item.implied = True  # a parser makes no check of its own

    def narrow(self, item: Union[ir.Scalar, ir.Varint], pairs: Pairs, op: str) -> None:
        lo, hi = min(lo.lo for lo, _ in pairs), max(hi.hi for _, hi in pairs)
        if op == "!=":
            if lo == item.lo:
                item.lo += 1
            elif lo == item.hi:
                item.hi -= 1
            return
        item.lo, item.hi = max(item.lo, lo), min(item.hi, hi)

    def anonymous(self, a: ast.Anon, out: list[ir.Item]) -> None:
        if not isinstance(a.type, ast.IntType):
            raise self.errors.error(a.type.span, "a constant needs a width in bits: '0: 3' or '1: u16'")
        item = self.integer(a.type, At("", a.doc, a.span))
        value = self.expr(a.value, item.enum)
        if not isinstance(value, ir.Const):
            raise self.errors.error(a.value.span, "this must be a constant")
        if not item.lo <= value.value <= item.hi:
            self.errors.error(a.value.span, f"{value.value} does not fit in {item.bits} bits")
            value.value = item.lo
        out.append(item)
        self.advance(item)
        severity = a.severity or "must"
        self.fixed(item, value, severity)
        if severity == "must":
            item.lo = item.hi = value.value
        elif severity == "warn":
            ref = ir.FieldRef(a.span.loc(), item.lo, item.hi, (item,))
            node = ir.Bin(a.span.loc(), 0, 1, "==", ref, value)
            out.append(ir.Check(a.span.loc(), "", "", node, "warn", f"must be {a.value.span.text()}"))

    # --- other items ------------------------------------------------------------------------

    def where(self, w: ast.Where, out: list[ir.Item]) -> None:
        node = self.condition(w.cond, "the constraint")
        severity = w.severity or "must"
        if severity == "warn":
            self.seen_later(node, w.cond.span, "a warning")
        what = w.message or "must hold: " + " ".join(w.cond.span.text().split())
        out.append(ir.Check(w.span.loc(), w.doc, "", node, severity, what))
        if severity == "must" and node.hi:
            self.facts.assume(node)

    def let(self, n: ast.LetItem, out: list[ir.Item]) -> None:
        node = self.expr(n.expr)
        if node.lo < 0:
            raise self.errors.error(n.expr.span, "a signed value may only be compared")
        self.seen_later(node, n.expr.span, f"'{n.name.name}'")
        item = ir.Let(n.span.loc(), n.doc, n.name.name, node)
        out.append(item)
        self.enter(n.name, item)

    def align(self, a: ast.AlignItem, out: list[ir.Item]) -> None:
        self.aligned(a.span, "'align'")
        to = self.const(a.to, "the alignment")
        if to not in (2, 4, 8, 16, 32, 64):
            raise self.errors.error(a.to.span, f"align to 2, 4, 8, 16, 32 or 64 bytes, not {to}")
        item = ir.Align(a.span.loc(), a.doc, "", to, a.zero)
        out.append(item)
        self.advance(item)

    def endian(self, e: ast.EndianItem, out: list[ir.Item]) -> None:
        if self.selected:
            raise self.errors.error(e.span, "the byte order of a packet is chosen once")
        if self.conds:
            raise self.errors.error(e.span, "the byte order can't be chosen inside an optional group")
        cond = self.expr(e.cond)
        if e.first == "little":
            cond = ir.Un(cond.loc, int(cond.hi == 0), int(cond.lo == 0), "!", cond)
        out.append(ir.EndianSel(e.span.loc(), e.doc, "", cond))
        self.order, self.selected = "dyn", True

    def optional(self, where: Span, cond: ir.Expr, truth: bool, body: Callable[[list[ir.Item]], None]) -> ir.Optional_:
        """Items under a condition; what is learnt inside is forgotten after."""
        self.aligned(where, "an optional item")
        outer, here = self.facts, self.here
        self.facts = outer.child()
        self.facts.assume(cond, truth)
        self.conds.append((cond, truth))
        shown = cond if truth else ir.Un(cond.loc, int(cond.hi == 0), int(cond.lo == 0), "!", cond)
        node = ir.Optional_(where.loc(), "", "", shown, [])
        try:
            body(node.items)
            self.aligned(where, "the end of an optional item")
        finally:
            self.facts, self.here = outer, here
            self.conds.pop()
        return node

    def group(self, g: ast.Group, out: list[ir.Item]) -> None:
        cond = self.condition(g.cond, "the condition")
        for truth, items in ((True, g.items), (False, g.otherwise)):
            if not items:
                continue
            node = self.optional(g.span, cond, truth, partial(self.items, items))
            names = list(fields_of(node.items))
            node.name = names[0] if len(names) == 1 else ""
            out.append(node)
            self.advance(node)

    # --- packets in packets, and chains ---------------------------------------------------------------

    def sub(self, packet: ir.Packet, t: ast.NamedType, at: At) -> ir.Sub:
        problem = shared.use_problem(self.packet, packet)
        if problem:
            raise self.errors.error(t.name.span, problem)
        return super().sub(packet, t, at)

    def inline_packet(self, items: Sequence[ast.Item], at: At, name: str) -> PacketLowerer:
        """Lower a body written in place, as packet ParentName."""
        full = self.packet.name + "".join(w[:1].upper() + w[1:] for w in name.split("_"))
        self.module.claim(full, at.span)
        packet = ir.Packet(full, self.module.ir, at.span.loc(), at.doc, [], [], shared=self.packet.shared, inline=True)
        packet.mutable = self.packet.mutable
        return PacketLowerer(self.module, packet, self)

    def inline(self, items: Sequence[ast.Item], at: At, name: str) -> ir.Sub:
        self.aligned(at.span, f"'{at.name}'")
        inner = self.inline_packet(items, at, name)
        inner.order = self.order
        if self.order == "dyn":
            inner.selected = True
            self._hand_order(inner)
        inner.build(items, at.span)
        self.module.add(inner.packet)
        if id(inner.packet) in self.module.broken:
            self.module.broken.add(id(self.packet))
        args = [value for _, value in inner.captured.values()]
        return ir.Sub(at.span.loc(), at.doc, at.name, inner.packet, list(args))

    def _hand_order(self, inner: PacketLowerer) -> None:
        """An inline packet learns the chosen byte order by a parameter."""
        mine = next((i for i in self.packet.items if isinstance(i, ir.EndianSel)), None)
        assert mine is not None
        param = inner.capture("big_endian", mine.cond, ir.Param("big_endian", "int", 8, None, 0, 1))
        ref = ir.ParamRef(mine.loc, 0, 1, param)
        inner.packet.items.append(ir.EndianSel(mine.loc, "", "", ref))

    def chain(self, c: ast.ChainItem, out: list[ir.Item]) -> None:
        from .lower_chain import lower_chain  # a module of its own; it needs this one

        self.aligned(c.name.span, f"'{c.name.name}'")
        if self.packet.shared:
            raise self.errors.error(c.name.span, "in a 'shared' packet each byte is read once; a chain chooses by a byte that it then reads")
        if self.order == "dyn":
            raise self.errors.error(c.name.span, "a chain can't be in a packet that chooses its byte order; put it into one of its own")
        item = lower_chain(self, c)
        out.append(item)
        self.advance(item)
        self.enter(c.name, item)


def _clause(clauses: Sequence[ast.Clause], kind: type[C]) -> Optional[C]:
    return next((c for c in clauses if isinstance(c, kind)), None)


def _const(where: Span, value: int) -> ir.Const:
    return ir.Const(where.loc(), value, value, value)
