"""Units to IR: declarations are worked off on demand, so in dependency order.

Reading order: lower, ModuleLowerer.symbol, the decl_* methods.  Packets are
in lower_packet.py, expressions in lower_expr.py, grammars in lower_grammar.py, machines in lower_machine.py.
"""

from __future__ import annotations

import hashlib
from typing import Callable, Optional, Sequence, Union

from . import ast, ir, ir_machine, parts
from .check import context
from .clash import Clashes
from .errors import Errors, Skip, closest, meant
from .lower_expr import ExprLowerer
from .lower_grammar import lower_grammar
from .lower_machine import MachineLowerer
from .lower_packet import PacketLowerer
from .lower_types import Alias, At, Limits, TypeLowerer
from .lower_words import lower_words
from .prove import U64_MAX
from .resolve import Unit
from .source import Span

Symbol = Union[ir.ConstDecl, ir.Enum, ir.VarintSpec, ir.Extern, ir.Packet, ir.Grammar, ir_machine.Machine, Alias]


def lower(units: Sequence[Unit], errors: Errors) -> list[ir.Module]:
    """IR of units in dependency order; errors are collected in `errors`."""
    done: dict[str, ModuleLowerer] = {}
    clashes = Clashes(errors)
    for unit in units:
        one = ModuleLowerer(unit, done, errors)
        done[unit.file.name.name] = one
        one.run()
        clashes.module(one.ir, unit.source)
    return [m.ir for m in done.values()]


class ModuleLowerer:
    def __init__(self, unit: Unit, others: dict[str, ModuleLowerer], errors: Errors) -> None:
        self.unit = unit
        self.others = others
        self.errors = errors
        imports = [others[u.file.name.name] for u in unit.imports]
        joined = unit.file.digest + "".join(m.ir.digest for m in imports)
        digest = hashlib.sha256(joined.encode()).hexdigest()
        name = unit.file.name.name
        self.ir: ir.Module = ir.Module(name, unit.source.name, unit.file.doc, digest, [m.ir for m in imports])
        self.done: dict[str, Optional[Symbol]] = {}  # None: it was wrong, and reported
        self.working: list[str] = []  # declarations being lowered, outermost first
        self.broken: set[int] = imports[0].broken if imports else set()  # ids of packets with errors
        for m in imports[1:]:
            self.broken |= m.broken
        self.claimed: dict[str, Span] = {}
        self.plain = ExprLowerer(errors, self.symbol, self.names)

    def run(self) -> None:
        for decl in self.unit.decls.values():
            self._work(decl)
        order = {name: i for i, name in enumerate(self.unit.decls)}
        for some in (self.ir.consts, self.ir.enums, self.ir.varints, self.ir.externs, self.ir.grammars, self.ir.machines):
            some.sort(key=lambda d: order[d.name])  # type: ignore[attr-defined]

    # --- symbols ----------------------------------------------------------------

    def names(self) -> list[str]:
        return list(self.unit.visible)

    def visible_enums(self) -> list[ir.Enum]:
        found = [self.others.get(u.file.name.name, self).done.get(n) for n, (u, _) in self.unit.visible.items()]
        return [e for e in found if isinstance(e, ir.Enum)]

    def names_of_types(self) -> list[str]:
        kinds = (ast.EnumDecl, ast.TypeDecl, ast.VarintDecl, ast.PacketDecl)
        return [n for n, (_, d) in self.unit.visible.items() if isinstance(d, kinds)]

    def meant(self, name: str, names: Sequence[str]) -> str:
        """The nearest name, and where it is declared."""
        other = closest(name, names)
        if other is None:
            return ""
        unit, decl = self.unit.visible[other]
        if unit is self.unit:
            return f" (did you mean '{other}', declared at line {decl.name.span.line}?)"
        return f" (did you mean '{other}' of module '{unit.file.name.name}'?)"

    def symbol(self, name: ast.Ident) -> Optional[Symbol]:
        """What a declared name stands for; None when there is no such name."""
        found = self.unit.visible.get(name.name)
        if found is None:
            return None
        unit, decl = found
        if unit is not self.unit:
            symbol = self.others[unit.file.name.name].done.get(decl.name.name)
            if symbol is None:
                raise Skip()
            return symbol
        if name.name in self.working:
            ring = self.working[self.working.index(name.name) :] + [name.name]
            what = "contains itself" if isinstance(decl, ast.PacketDecl) else "depends on itself"
            raise self.errors.error(name.span, f"'{name.name}' {what}: {' -> '.join(ring)}")
        if name.name not in self.done:
            self._work(decl)
        symbol = self.done[name.name]
        if symbol is None:
            raise Skip()
        return symbol

    def enum(self, name: ast.Ident) -> ir.Enum:
        found = self.symbol(name)
        if isinstance(found, ir.Enum):
            return found
        if found is not None:
            raise self.errors.error(name.span, f"'{name.name}' is not an enum")
        enums = [n for n, (_, d) in self.unit.visible.items() if isinstance(d, ast.EnumDecl)]
        raise self.errors.error(name.span, f"unknown enum '{name.name}'{self.meant(name.name, enums)}")

    def _work(self, decl: ast.Decl) -> None:
        """Lower a declaration, unless that has been done."""
        name = decl.name.name
        if name in self.done:
            return
        outer, self.errors.context = self.errors.context, context(decl)
        self.working.append(name)
        method: Callable[[ast.Decl], Symbol] = getattr(self, "_" + type(decl).__name__.lower())
        try:
            self.done[name] = method(decl)
        except Skip:
            self.done[name] = None
        finally:
            self.working.pop()
            self.errors.context = outer

    def claim(self, name: str, where: Span) -> None:
        """An inline packet's name, which nothing else may have."""
        if name in self.unit.visible:
            decl = self.unit.visible[name][1]
            text = f"the packet written here is called '{name}', as is another declaration; rename one"
            raise self.errors.error(where, text, [(decl.name.span, f"'{name}' is declared here")])
        old = self.claimed.setdefault(name, where)
        if old is not where:
            text = f"two packets written in place are called '{name}'; rename one, or declare a packet"
            raise self.errors.error(where, text, [(old, "the other is here")])

    def add(self, packet: ir.Packet) -> None:
        self.ir.packets.append(packet)

    # --- constants, enums ---------------------------------------------------------

    def _constdecl(self, d: ast.ConstDecl) -> Symbol:
        value = self.plain.const(d.value, f"'{d.name.name}'")
        if value < 0:
            raise self.errors.error(d.value.span, "constants are not negative")
        one = ir.ConstDecl(d.name.name, self.ir, d.name.span.loc(), d.doc, value, d.value.span.text())
        self.ir.consts.append(one)
        return one

    def _enumdecl(self, d: ast.EnumDecl) -> Symbol:
        t = d.type
        if t.signed or t.enum is not None or t.endian:
            self.errors.error(t.span, "an enum's width is plain: u8, u16, ...")
        one = ir.Enum(d.name.name, self.ir, d.name.span.loc(), d.doc, t.bits, d.closed, d.unknown, [], d.words)
        texts: dict[str, Span] = {}
        for m in d.members:
            try:
                member = self._member(one, m)
            except Skip:
                continue
            one.members.append(member)
            old = texts.setdefault(member.text, m.span)
            if old is not m.span and m.name.name not in [o.name for o in one.members[:-1]]:
                self.errors.error(m.span, f"two members are written \"{member.text}\"", [(old, "the other is here")])
        self._distinct(one, d)
        lower_words(one, d, self.errors)
        if not one.members:
            raise Skip()
        self.ir.enums.append(one)
        return one

    def _member(self, enum: ir.Enum, m: ast.Member) -> ir.Member:
        lo = self.plain.const(m.lo, f"'{m.name.name}'")
        hi = lo if m.hi is None else self.plain.const(m.hi, f"'{m.name.name}'")
        where = m.lo.span if m.hi is None else m.lo.span.to(m.hi.span)
        if hi < lo:
            raise self.errors.error(where, f"range {lo}..{hi} is empty")
        if lo < 0 or hi >> enum.bits:
            raise self.errors.error(where, f"{hi if lo >= 0 else lo} does not fit in {enum.bits} bits")
        text = m.text if m.text is not None else m.words[0][0] if m.words else m.name.name
        return ir.Member(m.name.name, lo, hi, text, m.doc, m.ref, m.name.span.loc())

    def _distinct(self, enum: ir.Enum, d: ast.EnumDecl) -> None:
        """No two members share a value."""
        spans = {m.name.name: m.name.span for m in d.members}
        ordered = sorted(enum.members, key=lambda m: (m.lo, m.hi))
        for one, other in zip(ordered, ordered[1:]):
            if other.lo <= one.hi:
                first, second = sorted((spans[one.name], spans[other.name]), key=lambda s: s.start)
                text = f"'{second.text()}' has value {other.lo}, which '{first.text()}' has too"
                self.errors.error(second, text, [(first, f"'{first.text()}' is declared here")])

    # --- types ----------------------------------------------------------------------

    def _typedecl(self, d: ast.TypeDecl) -> Symbol:
        if not isinstance(d.type, (ast.IntType, ast.BytesType, ast.NamedType)):
            raise self.errors.error(d.type.span, "a type names an integer, bytes, an enum or a varint; declare a packet for this")
        low = TypeLowerer(self.errors, self.symbol, self.names)
        low.module = self
        low.order = ""  # left open: decided where the type is used
        item, limits = low.type(d.type, At(d.name.name, d.doc, d.name.span), d.clauses)
        if isinstance(item, ir.Sub):
            raise self.errors.error(d.type.span, f"'{item.packet.name}' is a packet already; a type names an integer, bytes, an enum or a varint")
        alias = Alias(d.name.name, item, limits)
        for clause in d.clauses:
            if isinstance(clause, ast.Constraint):
                alias.limits.append(self._limits(low, item, clause))
            elif not isinstance(clause, (ast.Flag, ast.Text, ast.Key)):
                self.errors.error(clause.span, "a type takes only '=', '!=', 'in', 'nocase' and 'text'")
        return alias

    def _limits(self, low: TypeLowerer, item: ir.Item, c: ast.Constraint) -> Limits:
        if not isinstance(item, (ir.Scalar, ir.Varint)):
            raise self.errors.error(c.span, f"'{c.op}' is for integers")
        value = ir.FieldRef(c.span.loc(), item.lo, item.hi, (item,))
        low.hint = item.enum if isinstance(item, ir.Scalar) else None
        node = low.within(value, c.ranges, c.span)
        low.hint = None
        assert isinstance(node, ir.In)
        ranges: list[tuple[int, int]] = []
        for lo, hi in node.ranges:
            if not isinstance(lo, ir.Const) or not isinstance(hi, ir.Const):
                raise self.errors.error(c.span, "the constraints of a type are constants")
            ranges.append((lo.value, hi.value))
        return Limits(c, ranges)

    def _varintdecl(self, d: ast.VarintDecl) -> Symbol:
        spec = ir.VarintSpec(d.name.name, d.shape, U64_MAX, doc=d.doc, loc=d.name.span.loc())
        spec.order, spec.minimal = d.order, d.minimal
        if d.max is not None:
            most = 8 if d.shape == "short" else 10
            spec.max_bytes = self._between(d.max, 1, most, "the most bytes")
        if d.shape == "tagged":
            self._tagged(d, spec)
        elif d.shape == "prefix" and d.bits is not None:
            spec.prefix_bits = self._between(d.bits, 1, 8, "the bits of the prefix")
        spec.hi = _varint_top(spec)
        if d.limit is not None:
            spec.hi = self._varint_limit(d.limit, spec.hi)
        self.ir.varints.append(spec)
        return spec

    def _between(self, e: ast.Expr, lo: int, hi: int, what: str) -> int:
        value = self.plain.const(e, what)
        if not lo <= value <= hi:
            raise self.errors.error(e.span, f"{what} must be {lo}..{hi}, not {value}")
        return value

    def _tagged(self, d: ast.VarintDecl, spec: ir.VarintSpec) -> None:
        assert d.bits is not None
        spec.tag_bits = self._between(d.bits, 1, 4, "the bits of the tag")
        spec.widths = [self._between(w, 0, 64, "a width") for w in d.widths]
        if len(spec.widths) != 1 << spec.tag_bits:
            raise self.errors.error(d.span, f"{spec.tag_bits} tag bits choose among {1 << spec.tag_bits} widths, not {len(spec.widths)}")
        for width, written in zip(spec.widths, d.widths):
            if (spec.tag_bits + width) % 8:
                self.errors.error(written.span, f"a tag of {spec.tag_bits} bits and a value of {width} are not whole bytes")

    def _varint_limit(self, limit: ast.Range, top: int) -> int:
        if self.plain.const(limit.lo, "the least value") != 0:
            self.errors.error(limit.lo.span, "a varint's range begins at 0")
        value = top if limit.hi is None else self.plain.const(limit.hi, "the largest value")
        if value > top:
            self.errors.error(limit.span, f"{value} is more than the encoding can hold ({top})")
        return value

    # --- functions, packets, grammars --------------------------------------------------

    def _params(self, params: Sequence[ast.Param], buffers: bool) -> list[ir.Param]:
        out: list[ir.Param] = []
        for p in params:
            if p.buffer:
                if not buffers:
                    raise self.errors.error(p.span, "an extern takes numbers only, so that it can't touch the message")
                if p.limit:
                    self.errors.error(p.span, "a buffer has no range")
                out.append(ir.Param(p.name.name, "buffer"))
                continue
            out.append(self.param(p))
        return out

    def param(self, p: ast.Param) -> ir.Param:
        ident = p.enum or (p.type.enum if p.type is not None else None)
        enum = self.enum(ident) if ident is not None else None
        bits = p.type.bits if p.type is not None else enum.bits if enum is not None else 0
        if p.type is not None and (p.type.signed or p.type.endian):
            self.errors.error(p.type.span, "a parameter is a plain number: u8, u16, ...")
        one = ir.Param(p.name.name, "int", bits, enum, 0, (1 << bits) - 1)
        for r in p.limit[:1]:
            one.lo = self.plain.const(r.lo, "a parameter's range")
            one.hi = one.hi if r.hi is None else self.plain.const(r.hi, "a parameter's range")
            if len(p.limit) > 1 or not 0 <= one.lo <= one.hi < 1 << bits:
                raise self.errors.error(p.span, f"a parameter has one range, within 0..{(1 << bits) - 1}")
        return one

    def _externdecl(self, d: ast.ExternDecl) -> Symbol:
        if d.result.signed or d.result.endian or d.result.enum is not None:
            self.errors.error(d.result.span, "the result is a plain number: u8, u16, ...")
        one = ir.Extern(d.name.name, self.ir, d.name.span.loc(), d.doc, self._params(d.params, False), d.result.bits)
        self.ir.externs.append(one)
        return one

    def _packetdecl(self, d: ast.PacketDecl) -> Symbol:
        most = self.plain.const(d.max, "'max'") if d.max is not None else None
        packet = ir.Packet(d.name.name, self.ir, d.name.span.loc(), d.doc, self._params(d.params, True), [], most, shared=d.shared, mutable=d.mutable)
        if d.shared and d.mutable:
            self.errors.error(d.name.span, f"somebody else changes the bytes of 'shared' packet '{d.name.name}', so it can't be 'mutable'")
        low = PacketLowerer(self, packet)
        low.order = d.endian or self.unit.file.endian
        low.params = {p.name: p for p in packet.params}
        low.build(d.items, d.name.span)
        if d.order is not None:
            packet.text_order = self._text_order(low, d.order)
        if d.text is not None:
            packet.text = low.text_form(d.text, packet)
        self.add(packet)
        return packet

    def _text_order(self, low: PacketLowerer, names: Sequence[ast.Ident]) -> list[str]:
        seen: set[str] = set()
        for name in names:
            if name.name not in low.names:
                hint = meant(name.name, low.names)
                self.errors.error(name.span, f"unknown field '{name.name}'{hint}")
            elif name.name in seen:
                self.errors.error(name.span, f"'{name.name}' is named twice")
            seen.add(name.name)
        return [n.name for n in names]

    def _grammardecl(self, d: ast.GrammarDecl) -> Symbol:
        one = lower_grammar(d, self.ir, self.errors, self.symbol)
        self.ir.grammars.append(one)
        return one

    def _machinedecl(self, d: ast.MachineDecl) -> Symbol:
        whole = parts.write_out(d, self._part, self.errors)
        one = MachineLowerer(self, whole, d.name.name in parts.run_by(self.unit.decls)).machine()
        self.ir.machines.append(one)
        return one

    def _part(self, name: ast.Ident) -> ast.MachineDecl:
        """A machine of this module that is right by itself."""
        decl = self.unit.decls.get(name.name)
        if isinstance(decl, ast.MachineDecl):
            self.symbol(name)
            return decl
        machines = [n for n, d in self.unit.decls.items() if isinstance(d, ast.MachineDecl)]
        raise self.errors.error(name.span, f"this module has no machine '{name.name}'{self.meant(name.name, machines)}")


def _varint_top(spec: ir.VarintSpec) -> int:
    """The largest value that an encoding holds, within 64 bits."""
    if spec.shape == "tagged":
        return (1 << max(spec.widths)) - 1
    if spec.shape == "short":
        return int((1 << 8 * spec.max_bytes) - 1)
    top = (1 << 7 * spec.max_bytes) - 1
    if spec.shape == "prefix":
        top += (1 << spec.prefix_bits) - 1
    return min(top, U64_MAX)
