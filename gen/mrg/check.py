"""Checks that need no types: naming, documents, names used twice.

Runs on the syntax tree of every unit, before lowering.
"""

from __future__ import annotations

import re
from typing import Iterable, Iterator, Sequence, Union

from . import ast
from .errors import Errors
from .names import snake
from .resolve import RESERVED, Unit

_CAMEL = re.compile(r"[A-Z][A-Za-z0-9]*\Z")
_SNAKE = re.compile(r"[a-z][a-z0-9]*(?:_[a-z0-9]+)*\Z")
_UPPER = re.compile(r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*\Z")
_STYLES = {"CamelCase": _CAMEL, "snake_case": _SNAKE, "UPPER_CASE": _UPPER}


def check(unit: Unit, errors: Errors) -> None:
    checker = Checker(errors)
    for part in unit.file.name.name.split("."):
        if not _SNAKE.match(part):
            errors.error(unit.file.name.span, f"module '{unit.file.name.name}': '{part}' must be in snake_case")
    for decl in unit.file.decls:
        errors.context = context(decl)
        checker.decl(decl)
    errors.context = ""


def context(decl: ast.Decl) -> str:
    """What diagnostics inside a declaration say they are in."""
    return f"{_KIND[type(decl)]} '{decl.name.name}'"


class Checker:
    def __init__(self, errors: Errors) -> None:
        self.errors = errors

    def decl(self, decl: ast.Decl) -> None:
        if isinstance(decl, ast.ConstDecl):
            self.style(decl.name, "UPPER_CASE", "constant")
        elif isinstance(decl, ast.ExternDecl):
            self.style(decl.name, "snake_case", "extern")
            self.params(decl.params)
        else:
            self.style(decl.name, "CamelCase", _KIND[type(decl)])
        if isinstance(decl, (ast.PacketDecl, ast.EnumDecl, ast.MachineDecl)) and not decl.doc.strip():
            self.errors.error(decl.name.span, f"{_KIND[type(decl)]} '{decl.name.name}' needs a doc comment (/// before it)")
        if isinstance(decl, ast.EnumDecl):
            self.members(decl)
        elif isinstance(decl, ast.PacketDecl):
            self.params(decl.params)
            self.packet_names(decl)
            self.items(decl.items)
        elif isinstance(decl, ast.GrammarDecl):
            self.rules(decl)
        elif isinstance(decl, ast.MachineDecl):
            self.machine(decl)

    # --- naming -----------------------------------------------------------------

    def style(self, name: ast.Ident, style: str, what: str) -> None:
        if not _STYLES[style].match(name.name):
            other = _in_style(name.name, style)
            self.errors.error(name.span, f"{what} '{name.name}' must be in {style}: '{other}'")

    def value_name(self, name: ast.Ident, what: str) -> None:
        if name.name in RESERVED:
            self.errors.error(name.span, f"'{name.name}' has a meaning of its own and can't name a {what}")
            return
        self.style(name, "snake_case", what)

    def once(self, names: Iterable[ast.Ident], what: str) -> None:
        """No two with the same name; the C names of `a_b` and `aB` are the same too."""
        first: dict[str, ast.Ident] = {}
        for name in names:
            old = first.setdefault(snake(name.name), name)
            if old is name:
                continue
            clash = "twice" if old.name == name.name else f"and '{old.name}' have the same name in C"
            text = f"{what} '{name.name}' is declared {clash}" if clash == "twice" else f"{what}s '{name.name}' {clash}"
            self.errors.error(name.span, text, [(old.span, f"'{old.name}' is declared here")])

    # --- declarations ---------------------------------------------------------------

    def params(self, params: Sequence[ast.Param]) -> None:
        for p in params:
            self.value_name(p.name, "parameter")
        self.once((p.name for p in params), "parameter")

    def members(self, decl: ast.EnumDecl) -> None:
        if not decl.members:
            self.errors.error(decl.name.span, f"enum '{decl.name.name}' has no members")
        for m in decl.members:
            self.style(m.name, "UPPER_CASE", "member")
        self.once((m.name for m in decl.members), "member")

    def rules(self, decl: ast.GrammarDecl) -> None:
        for r in decl.rules:
            if r.kind:
                self.style(r.name, "CamelCase", f"{r.kind} rule")
            else:
                self.style(r.name, "snake_case", "rule")
        self.once((r.name for r in decl.rules if not r.kind), "rule")
        self.once((r.name for r in decl.rules if r.kind), "rule")

    def machine(self, decl: ast.MachineDecl) -> None:
        events: list[ast.Ident] = []
        deeds: list[ast.Ident] = []
        values: list[ast.Ident] = []
        for item in decl.items:
            if isinstance(item, (ast.MEvent, ast.MDeed)):
                named = self.value_name if item.kind == "test" else lambda name, what: self.style(name, "snake_case", what)
                named(item.name, item.kind)
                self.params(item.params)
                (events if isinstance(item, ast.MEvent) else values if item.kind == "test" else deeds).append(item.name)
            elif isinstance(item, ast.MVar):
                self.value_name(item.param.name, "variable")
                if item.param.name.name == "state":
                    self.errors.error(item.param.name.span, "a machine has a state already; call the variable something else")
                deeds.append(item.param.name)
                values.append(item.param.name)
            elif isinstance(item, ast.MState):
                self.style(item.name, "CamelCase", "state")
        self.once(events, "event")
        self.once(deeds, "name")
        self.once(values, "name")
        self.once((i.name for i in decl.items if isinstance(i, ast.MState)), "state")

    # --- packets ----------------------------------------------------------------------

    def packet_names(self, decl: ast.PacketDecl) -> None:
        names = list(_names(decl.items))
        self.once([*(p.name for p in decl.params), *names], "field")

    def items(self, items: Sequence[ast.Item]) -> None:
        for item in items:
            self.item(item)

    def item(self, item: ast.Item) -> None:
        if isinstance(item, ast.Field):
            self.value_name(item.name, "field")
            self.type(item.type)
            self.clauses(item.clauses)
        elif isinstance(item, ast.LetItem):
            self.value_name(item.name, "value")
        elif isinstance(item, ast.Group):
            if not item.items:
                self.errors.error(item.span, "an optional group needs items")
            self.items(item.items)
            self.items(item.otherwise)
        elif isinstance(item, ast.ChainItem):
            self.value_name(item.name, "chain")
            self.chain(item)

    def chain(self, item: ast.ChainItem) -> None:
        for arm in item.arms:
            self.style(arm.name, "CamelCase", "arm")
            self.once(list(_names(arm.items)), "field")
            self.items(arm.items)
        self.once((a.name for a in item.arms), "arm")

    def type(self, t: ast.Type) -> None:
        if isinstance(t, ast.InlineType):
            self.once(list(_names(t.items)), "field")
            self.items(t.items)
        elif isinstance(t, ast.ListType):
            self.type(t.elem)
        elif isinstance(t, ast.SwitchType):
            for arm in t.arms:
                if arm.name is not None:
                    self.value_name(arm.name, "arm")
                self.type(arm.type)
                self.clauses(arm.clauses)

    def clauses(self, clauses: Sequence[ast.Clause]) -> None:
        """Each kind of clause once; constraints may be several, if of different kinds."""
        first: dict[str, ast.Clause] = {}
        for clause in clauses:
            word = clause_word(clause)
            old = first.setdefault(word, clause)
            if old is not clause:
                self.errors.error(clause.span, f"clause '{word}' is given twice", [(old.span, "first given here")])


def clause_word(clause: ast.Clause) -> str:
    """How people know a clause: by the word or sign that begins it."""
    if isinstance(clause, ast.Constraint):
        return clause.op
    if isinstance(clause, (ast.Key, ast.Flag)):
        return clause.word
    return _CLAUSES[type(clause)]


_CLAUSES: dict[type, str] = {ast.Computed: ":=", ast.Present: "if", ast.Within: "within", ast.Text: "text"}
_KIND: dict[type, str] = {
    ast.ConstDecl: "constant",
    ast.EnumDecl: "enum",
    ast.TypeDecl: "type",
    ast.VarintDecl: "varint",
    ast.ExternDecl: "extern",
    ast.PacketDecl: "packet",
    ast.GrammarDecl: "grammar",
    ast.MachineDecl: "machine",
}


def _names(items: Sequence[ast.Item]) -> Iterator[ast.Ident]:
    """Names that a packet's items introduce, groups included."""
    for item in items:
        if isinstance(item, (ast.Field, ast.LetItem, ast.ChainItem)):
            yield item.name
        elif isinstance(item, ast.Group):
            yield from _names(item.items)
            yield from _names(item.otherwise)


def _in_style(name: str, style: str) -> str:
    """The name as it should have been written."""
    words = [w for w in re.split(r"[^A-Za-z0-9]+", snake(name)) if w]
    joined: Union[str, list[str]] = "_".join(words)
    if style == "CamelCase":
        joined = "".join(w[:1].upper() + w[1:] for w in words)
    elif style == "UPPER_CASE":
        joined = "_".join(words).upper()
    return str(joined)
