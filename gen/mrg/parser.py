"""Tokens to syntax tree.  Declarations here; see parse_*.py for their parts."""

from __future__ import annotations

import hashlib
from typing import Callable, Optional

from . import ast
from .errors import Errors, Skip, meant
from .lexer import Tokens, lex
from .parse_base import shown
from .parse_machine import MachineParser
from .source import Source, Span

_DECLS = ("const", "enum", "type", "varint", "extern", "packet", "grammar", "machine")


def parse(source: Source, errors: Errors) -> Optional[ast.File]:
    """The file's tree; None when not even the module line could be read."""
    tokens = lex(source, errors)
    return Parser(tokens, errors).file()


def digest(tokens: Tokens) -> str:
    """Hash of the tokens and doc text: comments and blanks don't count."""
    joined = "\0".join(t.text for t in tokens.list)
    return hashlib.sha256(joined.encode()).hexdigest()


class Parser(MachineParser):
    def file(self) -> Optional[ast.File]:
        doc = self.doc()
        try:
            if not self.is_word("module"):
                raise self.errors.error(self.span(), f"expected 'module NAME;' first, found {shown(self.tok)}")
            self.next()
            name = self._dotted("the module's name")
            endian = self.order() if self.take_word("endian") else "big"
            self.semicolon("the module's name")
        except Skip:
            return None
        imports: list[ast.Import] = []
        decls: list[ast.Decl] = []
        while self.tok.kind != "eof":
            try:
                self._top(imports, decls)
            except Skip:
                self._recover_top()
        whole = Span(self.source, 0, len(self.source.text))
        return ast.File(whole, doc, name, endian, tuple(imports), tuple(decls), digest(self.tokens))

    def _recover_top(self) -> None:
        self.recover()
        while self.tok.kind == "}":
            self.next()

    def _top(self, imports: list[ast.Import], decls: list[ast.Decl]) -> None:
        if self.is_word("import"):
            one = self._import()
            if decls:
                self.errors.error(one.span, "imports come before declarations")
            imports.append(one)
            return
        decls.append(self._decl())

    def _dotted(self, what: str) -> ast.Ident:
        path = self.path(what)
        span = path[0].span.to(path[-1].span)
        return ast.Ident(span, ".".join(p.name for p in path))

    def _import(self) -> ast.Import:
        start = self.next().start
        module = self._dotted("a module's name")
        names: Optional[list[ast.Ident]] = None
        if self.take("("):
            names = []
            while self.tok.kind != ")":
                names.append(self.ident("a name to import"))
                if not self.take(","):
                    break
            self.expect(")", "')' after the names")
        self.semicolon("the import")
        return ast.Import(self.since(start), module, None if names is None else tuple(names))

    def _decl(self) -> ast.Decl:
        first = self.tok
        doc = self.doc()
        token = self.tok
        if token.kind == "eof":
            raise self.errors.error(self.span(first), "doc comment belongs to nothing")
        if token.kind != "id" or token.text not in _DECLS:
            hint = meant(token.text, _DECLS) if token.kind == "id" else ""
            raise self.errors.error(self.span(), f"expected a declaration ({', '.join(_DECLS)}), found {shown(token)}{hint}")
        self.next()
        parse: Callable[[str, int], ast.Decl] = getattr(self, f"_decl_{token.text}")
        return parse(doc, token.start)

    def _decl_const(self, doc: str, start: int) -> ast.Decl:
        name = self.ident("the constant's name")
        self.expect("=", "'='")
        value = self.expr()
        self.semicolon(f"constant '{name.name}'")
        return ast.ConstDecl(self.since(start), doc, name, value)

    # --- enums ------------------------------------------------------------------

    def _decl_enum(self, doc: str, start: int) -> ast.Decl:
        name = self.ident("the enum's name")
        self.expect(":", "':' and the width, such as u16")
        kind = self._width("the enum's width")
        closed = self.take_word("closed") is not None
        unknown = self.text("a prefix") if self.take_word("unknown") else ""
        closed = closed or self.take_word("closed") is not None
        words = "exact" if self.take_word("words") else ""
        words = "nocase" if words and self.take_word("nocase") else words
        members = self.braces("the members", self._member)
        self.take(";")
        return ast.EnumDecl(self.since(start), doc, name, kind, closed, unknown, words, members)

    def _width(self, what: str) -> ast.IntType:
        kind = self.int_type()
        if kind is None:
            raise self.errors.error(self.span(), f"expected {what} (such as u16), found {shown(self.tok)}")
        return kind

    def _member(self) -> ast.Member:
        doc = self.doc()
        start = self.tok.start
        name = self.ident("a member")
        self.expect("=", f"'=' and the value of '{name.name}'")
        lo = self.bound()
        hi = self.bound() if self.take("..") else None
        words = [self._meaning()] if self.take_word("words") else []
        while words and self.take(","):
            words.append(self._meaning())
        text = self.text("the text of the member") if self.take_word("as") else None
        ref = self.text("a reference") if self.tok.kind == "str" else ""
        self.semicolon(f"member '{name.name}'")
        return ast.Member(self.since(start), doc, name, lo, hi, tuple(words), text, ref)

    def _meaning(self) -> tuple[str, Span]:
        start = self.tok.start
        return self.text("a word"), self.since(start)

    # --- types --------------------------------------------------------------------

    def _decl_type(self, doc: str, start: int) -> ast.Decl:
        name = self.ident("the type's name")
        self.expect("=", "'='")
        kind = self.type()
        clauses = self.clauses()
        self.semicolon(f"type '{name.name}'")
        return ast.TypeDecl(self.since(start), doc, name, kind, clauses)

    def _decl_varint(self, doc: str, start: int) -> ast.Decl:
        name = self.ident("the varint's name")
        self.expect("=", "'='")
        shape = self.take_word("tagged", "groups", "prefix", "short")
        if shape is None:
            what = "'tagged', 'groups', 'prefix' or 'short'"
            raise self.errors.error(self.span(), f"expected {what}, found {shown(self.tok)}")
        bits = self.bound() if shape.text in ("tagged", "prefix") else None
        widths: tuple[ast.Expr, ...] = self.args() if shape.text == "tagged" else ()
        order = self.order() if shape.text == "groups" else "big"
        most: Optional[ast.Expr] = None
        if shape.text != "tagged":
            self.expect_word("max", "and the most bytes")
            most = self.bound()
        minimal = self.take_word("minimal") is not None
        limit = self._limit()
        self.semicolon(f"varint '{name.name}'")
        return ast.VarintDecl(self.since(start), doc, name, shape.text, bits, widths, order, most, minimal, limit)

    def _limit(self) -> Optional[ast.Range]:
        if not self.take_word("in"):
            return None
        ranges = self.ranges()
        if len(ranges) != 1:
            self.errors.error(ranges[0].span, "a varint is bounded by one range")
        return ranges[0]

    # --- packets, externs ---------------------------------------------------------------

    def _decl_extern(self, doc: str, start: int) -> ast.Decl:
        name = self.ident("the function's name")
        params = self.params()
        self.expect(":", "':' and the width of the result")
        result = self._width("the width of the result")
        self.semicolon(f"extern '{name.name}'")
        return ast.ExternDecl(self.since(start), doc, name, params, result)

    def _decl_packet(self, doc: str, start: int) -> ast.Decl:
        name = self.ident("the packet's name")
        params = self.params() if self.tok.kind == "(" else ()
        most: Optional[ast.Expr] = None
        shared, mutable, endian = False, False, None
        order: Optional[tuple[ast.Ident, ...]] = None
        text: Optional[ast.Text] = None
        while self.tok.kind == "id":
            word = self.next()
            if word.text == "max":
                most = self.bound()
            elif word.text == "shared":
                shared = True
            elif word.text == "mutable":
                mutable = True
            elif word.text == "endian":
                endian = self.order()
            elif word.text == "text" and self.tok.kind == "(":
                order = self._names()
            elif word.text == "text":
                text = self._clause_text(word.start)
            else:
                what = "'max', 'shared', 'mutable', 'endian', 'text' or '{'"
                raise self.errors.error(self.span(word), f"expected {what}, found {shown(word)}")
        items = self.braces("the items of the packet", self.item)
        self.take(";")
        return ast.PacketDecl(self.since(start), doc, name, params, items, most, shared, mutable, endian, order, text)

    def _names(self) -> tuple[ast.Ident, ...]:
        self.expect("(", "'('")
        out: list[ast.Ident] = []
        while self.tok.kind != ")":
            out.append(self.ident("a field"))
            if not self.take(","):
                break
        self.expect(")", "')' after the fields")
        return tuple(out)

    def _decl_grammar(self, doc: str, start: int) -> ast.Decl:
        name = self.ident("the grammar's name")
        rules = self.braces("the rules", self.rule)
        self.take(";")
        return ast.GrammarDecl(self.since(start), doc, name, rules)

    def _decl_machine(self, doc: str, start: int) -> ast.Decl:
        name = self.ident("the machine's name")
        items = self.braces("the parts of the machine", self.machine_item)
        self.take(";")
        return ast.MachineDecl(self.since(start), doc, name, items)
