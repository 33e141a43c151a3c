"""Where everything is explained, and who uses it.

One page a module, all in one folder, so a link is `dns.rr.html#packet-Rr`.
Reading order: Site, Site.href, _uses.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Iterator, Optional, Sequence, Union

from .. import ast, ir, ir_machine, layout
from ..field_ids import own_items
from ..resolve import Unit

Declared = Union[ir.ConstDecl, ir.Enum, ir.VarintSpec, ir.Extern, ir.Packet, ir.Grammar, ir_machine.Machine, ast.TypeDecl]

_KINDS: dict[type, str] = {
    ir.ConstDecl: "const",
    ir.Enum: "enum",
    ir.VarintSpec: "varint",
    ir.Extern: "extern",
    ir.Packet: "packet",
    ir.Grammar: "grammar",
    ir_machine.Machine: "machine",
    ast.TypeDecl: "type",
}


@dataclass
class Spec:
    """A module: what it means, and how it is written."""

    module: ir.Module
    unit: Unit

    @property
    def page(self) -> str:
        """Its file; `index.html` is taken."""
        return f"{self.module.name}.html" if self.module.name != "index" else "index-module.html"

    @property
    def types(self) -> list[ast.TypeDecl]:
        return [d for d in self.unit.file.decls if isinstance(d, ast.TypeDecl)]

    @property
    def grammars(self) -> list[tuple[ir.Grammar, ast.GrammarDecl]]:
        written = {d.name.name: d for d in self.unit.file.decls if isinstance(d, ast.GrammarDecl)}
        return [(g, written[g.name]) for g in self.module.grammars]

    @property
    def machines(self) -> list[tuple[ir_machine.Machine, ast.MachineDecl]]:
        written = {d.name.name: d for d in self.unit.file.decls if isinstance(d, ast.MachineDecl)}
        return [(x, written[x.name]) for x in self.module.machines]

    @property
    def packets(self) -> list[ir.Packet]:
        """In the order in which they are written; inline ones behind those around them."""
        return sorted(self.module.packets, key=lambda p: (p.loc.line, p.loc.col))


@dataclass(frozen=True, eq=False)
class RuleAt:
    """A rule of text, and where it is."""

    unit: Unit
    grammar: ast.GrammarDecl
    rule: ast.GRule

    @property
    def anchor(self) -> str:
        return rule_anchor(self.grammar.name.name, self.rule.name.name)


@dataclass(frozen=True)
class Use:
    """Something that uses a declaration."""

    spec: str  # module
    label: str
    anchor: str
    grammar: str = ""  # of a rule


class Site:
    """All modules of a run, by name: so that the order in which they were given does not matter."""

    def __init__(self, modules: Sequence[ir.Module], units: Sequence[Unit]) -> None:
        written = {u.file.name.name: u for u in units}
        self.specs = [Spec(m, written[m.name]) for m in sorted(modules, key=lambda m: m.name)]
        self.pages = {s.module.name: s.page for s in self.specs}
        self.homes: dict[int, ir.Module] = {}  # of varints and types, which don't know theirs
        self.aliases: dict[ir.Loc, ast.TypeDecl] = {}  # places where a type was named
        self.used: dict[int, list[Use]] = {}
        for spec in self.specs:
            self.homes |= {id(d): spec.module for d in [*spec.module.varints, *spec.types]}
        for spec in self.specs:
            self._note(spec)
            self._note_rules(spec)

    def href(self, here: ir.Module, target: Declared) -> str:
        """A link from a page to a declaration."""
        home = self.homes[id(target)] if isinstance(target, (ir.VarintSpec, ast.TypeDecl)) else target.module
        return ("" if home is here else self.pages[home.name]) + "#" + anchor(target)

    def member_href(self, here: ir.Module, enum: ir.Enum, name: str) -> str:
        return f"{self.href(here, enum)}-{name}"

    def users(self, target: Declared) -> list[Use]:
        return self.used.get(id(target), [])

    def rule(self, unit: Unit, grammar: ast.GrammarDecl, ref: ast.GRef) -> Optional[RuleAt]:
        """The rule that a grammar means by a name; None: one of RFC 5234's."""
        if ref.grammar is not None:
            unit, decl = unit.visible[ref.grammar.name]
            assert isinstance(decl, ast.GrammarDecl)
            grammar = decl
        found = next((r for r in grammar.rules if r.name.name == ref.name.name), None)
        return RuleAt(unit, grammar, found) if found is not None else None

    def rule_href(self, here: ir.Module, at: RuleAt) -> str:
        home = at.unit.file.name.name
        return ("" if home == here.name else self.pages[home]) + f"#{at.anchor}"

    def rule_users(self, rule: ast.GRule) -> list[Use]:
        return self.used.get(id(rule), [])

    def _note_rules(self, spec: Spec) -> None:
        for _, d in spec.grammars:
            for user in d.rules:
                use = Use(spec.module.name, user.name.name, rule_anchor(d.name.name, user.name.name), d.name.name)
                for ref in (n for n in below(user.node) if isinstance(n, ast.GRef)):
                    at = self.rule(spec.unit, d, ref)
                    if at is not None and use not in self.used.setdefault(id(at.rule), []):
                        self.used[id(at.rule)].append(use)

    def _note(self, spec: Spec) -> None:
        for type_, place in _named_types(spec.unit.file):
            found = spec.unit.visible.get(type_.name.name)
            if found is not None and isinstance(found[1], ast.TypeDecl):
                self.aliases[place] = found[1]
        for packet in spec.packets:
            use = Use(spec.module.name, packet.name, anchor(packet))
            for target in self._uses(packet):
                rows = self.used.setdefault(id(target), [])
                if use not in rows:
                    rows.append(use)

    def _uses(self, packet: ir.Packet) -> Iterator[Declared]:
        for item in own_items(packet.items):
            if item.loc in self.aliases:
                yield self.aliases[item.loc]
            if isinstance(item, ir.Scalar) and item.enum is not None:
                yield item.enum
            elif isinstance(item, ir.Sub):
                yield item.packet
            elif isinstance(item, ir.Varint):
                yield item.spec
            elif isinstance(item, ir.Chain):
                yield from (arm.packet for arm in item.arms)
            yield from _of_text(getattr(item, "text", None))
        yield from _of_text(packet.text)
        yield from (p.enum for p in packet.params if p.enum is not None)
        yield from (e.extern for x in layout.exprs(packet.items) for e in layout.refs(x) if isinstance(e, ir.Call))


def _of_text(form: Optional[ir.TextForm]) -> Iterator[ir.Enum]:
    if form is not None:
        yield from (a for a in form.args if isinstance(a, ir.Enum))


def anchor(target: Declared) -> str:
    """The id of a declaration's heading."""
    name = target.name.name if isinstance(target, ast.TypeDecl) else target.name
    return f"{_KINDS[type(target)]}-{name}"


def field_anchor(packet: ir.Packet, name: str) -> str:
    return f"{anchor(packet)}-{name}"


def rule_anchor(grammar: str, name: str) -> str:
    return f"rule-{grammar}-{name}"


def below(n: ast.GNode) -> Iterator[ast.GNode]:
    """A node of a grammar and all in it, in the order of the text."""
    yield n
    if isinstance(n, (ast.GSeq, ast.GAlt)):
        for inner in n.nodes:
            yield from below(inner)
    elif isinstance(n, (ast.GRep, ast.GCapture)):
        yield from below(n.node)
    elif isinstance(n, ast.GMinus):
        yield from below(n.a)
        yield from below(n.b)
    elif isinstance(n, ast.GPut):
        yield from below(n.read)
        yield from below(n.written)


# --- where types are named -----------------------------------------------------------------


def _named_types(file: ast.File) -> Iterator[tuple[ast.NamedType, ir.Loc]]:
    """Uses of names as types, each with the place that its item in the IR has."""
    for decl in file.decls:
        if isinstance(decl, ast.PacketDecl):
            yield from _in_items(decl.items)


def _in_items(written: Sequence[ast.Item]) -> Iterator[tuple[ast.NamedType, ir.Loc]]:
    for item in written:
        if isinstance(item, ast.Field):
            yield from _in_type(item.type, item.name.span.loc())
        elif isinstance(item, ast.Group):
            yield from _in_items([*item.items, *item.otherwise])
        elif isinstance(item, ast.ChainItem):
            for arm in item.arms:
                yield from _in_items(arm.items)


def _in_type(t: ast.Type, place: ir.Loc) -> Iterator[tuple[ast.NamedType, ir.Loc]]:
    if isinstance(t, ast.NamedType):
        yield t, place
    elif isinstance(t, ast.InlineType):
        yield from _in_items(t.items)
    elif isinstance(t, ast.ListType):
        yield from _in_type(t.elem, t.elem.span.loc())
    elif isinstance(t, ast.SwitchType):
        for arm in t.arms:
            yield from _in_type(arm.type, arm.type.span.loc())
