"""Types of fields, the clauses after them, and the items of a packet."""

from __future__ import annotations

from typing import Callable, Optional, Union

from . import ast
from .errors import meant
from .lexer import number
from .parse_base import SEVERITIES, shown
from .parse_expr import ExprParser

_CLAUSES = "in if within unique ascending nocase flat text"


class TypeParser(ExprParser):
    def type(self, what: str = "a type") -> ast.Type:
        return self.deeper(lambda: self._type(what))

    def _type(self, what: str) -> ast.Type:
        token = self.tok
        if token.kind == "{":
            return self._inline()
        kind = self.int_type()
        if kind is not None:
            return kind
        if token.kind != "id":
            raise self.errors.error(self.span(), f"expected {what}, found {shown(token)}")
        special: dict[str, Callable[[], ast.Type]] = {
            "bytes": self._bytes,
            "rest": self._rest,
            "list": self._list,
            "switch": self._switch,
            "empty": self._empty,
        }
        parse = special.get(token.text)
        if parse is not None:
            return parse()
        name = self.ident("a type")
        args = self.args() if self.tok.kind == "(" else None
        return ast.NamedType(self.since(token.start), name, args)

    def _inline(self) -> ast.Type:
        start = self.tok.start
        items = self.braces("the items of the inline packet", self.item)
        return ast.InlineType(self.since(start), items)

    def _bytes(self) -> ast.Type:
        start = self.next().start
        if self.take_word("until"):
            until = self.bound()
            limit = self._max()
            return ast.BytesType(self.since(start), "until", None, until, limit)
        self.expect("(", "'(' and a length, or 'until', after 'bytes'")
        length = self.expr()
        self.expect(")", "')' after the length")
        return ast.BytesType(self.since(start), "len", length, None, None)

    def _rest(self) -> ast.Type:
        start = self.next().start
        limit = self._max()
        return ast.BytesType(self.since(start), "rest", None, None, limit)

    def _empty(self) -> ast.Type:
        return ast.EmptyType(self.span(self.next()))

    def _max(self) -> Optional[ast.Expr]:
        return self.bound() if self.take_word("max") else None

    def _list(self) -> ast.Type:
        start = self.next().start
        elem = self.type("the type of the elements")
        mode = self.take_word("count", "bytes", "rest", "while", "until")
        if mode is None:
            what = "'count', 'bytes', 'rest', 'while' or 'until' to end the list"
            raise self.errors.error(self.span(), f"expected {what}, found {shown(self.tok)}")
        expr: Optional[ast.Expr] = None
        if mode.text != "rest":
            expr = self.expr(allow_in=mode.text in ("while", "until"))
        limit = self._max()
        return ast.ListType(self.since(start), elem, mode.text, expr, limit)

    # --- switch -----------------------------------------------------------------

    def _switch(self) -> ast.Type:
        start = self.next().start
        on = self.expr()
        arms = self.braces("the arms of the switch", self._arm)
        return ast.SwitchType(self.since(start), on, arms)

    def _arm(self) -> ast.SwitchArm:
        doc = self.doc()
        start = self.tok.start
        patterns: list[ast.Pattern] = []
        if self.is_word("_") and self.peek().kind == "=>":
            self.next()
        else:
            patterns.append(self._pattern())
            while self.take(","):
                patterns.append(self._pattern())
        self.expect("=>", "'=>' after the pattern")
        name: Optional[ast.Ident] = None
        if self.tok.kind == "id" and self.peek().kind == ":":
            name = self.ident("a name")
            self.next()
        kind = self.type("the type of the arm")
        clauses = self.clauses()
        self.semicolon("the arm")
        return ast.SwitchArm(self.since(start), doc, tuple(patterns), name, kind, clauses)

    def _pattern(self) -> ast.Pattern:
        token = self.tok
        if self.take("bits"):
            return ast.Pattern(self.span(token), None, None, token.text)
        lo = self.bound()
        hi = self.bound() if self.take("..") else lo
        return ast.Pattern(self.since(token.start), lo, hi, "")

    # --- clauses ------------------------------------------------------------------

    def clauses(self) -> tuple[ast.Clause, ...]:
        out: list[ast.Clause] = []
        while True:
            clause = self._clause()
            if clause is None:
                return tuple(out)
            out.append(clause)

    def _clause(self) -> Optional[ast.Clause]:
        token = self.tok
        start = token.start
        if token.kind in ("=", "!="):
            self.next()
            value = self._binary(5, False)
            severity = self.severity()
            return ast.Constraint(self.since(start), token.text, (ast.Range(value.span, value, value),), severity)
        if token.kind == ":=":
            self.next()
            expr = self.expr(allow_in=False)
            severity = self.severity()
            return ast.Computed(self.since(start), expr, severity)
        if token.kind != "id":
            return None
        parse = getattr(self, f"_clause_{token.text}", None) if token.text in _CLAUSES.split() else None
        if parse is None:
            return None
        self.next()
        clause: ast.Clause = parse(start)
        return clause

    def _clause_in(self, start: int) -> ast.Clause:
        ranges = self.ranges()
        severity = self.severity()
        return ast.Constraint(self.since(start), "in", ranges, severity)

    def _clause_if(self, start: int) -> ast.Clause:
        cond = self.expr()
        return ast.Present(self.since(start), cond)

    def _clause_within(self, start: int) -> ast.Clause:
        length = self.expr(allow_in=False)
        tail = self.take_word("tail") is not None
        return ast.Within(self.since(start), length, tail)

    def _clause_unique(self, start: int) -> ast.Clause:
        return self._key(start, "unique")

    def _clause_ascending(self, start: int) -> ast.Clause:
        return self._key(start, "ascending")

    def _key(self, start: int, word: str) -> ast.Clause:
        path = self.path("the key of the elements")
        exempt = self.ranges(single=True) if self.take_word("except") else None
        return ast.Key(self.since(start), word, path, exempt)

    def _clause_nocase(self, start: int) -> ast.Clause:
        return ast.Flag(self.since(start), "nocase")

    def _clause_flat(self, start: int) -> ast.Clause:
        return ast.Flag(self.since(start), "flat")

    def _clause_text(self, start: int) -> ast.Text:
        form = self.ident("the name of a text form")
        args: list[Union[ast.Ident, ast.Num]] = []
        if self.take("("):
            while self.tok.kind != ")":
                args.append(self._text_arg())
                if not self.take(","):
                    break
            self.expect(")", "')'")
        return ast.Text(self.since(start), form, tuple(args))

    def _text_arg(self) -> Union[ast.Ident, ast.Num]:
        token = self.tok
        if self.take("num"):
            return ast.Num(self.span(token), number(token.text), token.text)
        return self.ident("a name or a number")

    # --- items ----------------------------------------------------------------------

    def item(self) -> Optional[ast.Item]:
        """One item of a packet's body."""
        first = self.tok
        doc = self.doc()
        token = self.tok
        if token.kind == "}":
            raise self.errors.error(self.span(first), "doc comment belongs to nothing")
        if token.kind == "id" and self.peek().kind == ":":
            return self._field(doc)
        if token.kind in ("num", "bits"):
            return self._anon(doc)
        words: dict[str, Callable[[str, int], ast.Item]] = {
            "where": self._where,
            "let": self._let,
            "align": self._align,
            "endian": self._endian,
            "if": self._group,
            "chain": self._chain,
        }
        parse = words.get(token.text) if token.kind == "id" else None
        if parse is None:
            hint = meant(token.text, words) if token.kind == "id" else ""
            raise self.errors.error(self.span(), f"expected a field ('name: type'), found {shown(token)}{hint}")
        self.next()
        return parse(doc, token.start)

    def _field(self, doc: str) -> ast.Item:
        name = self.ident("a field")
        self.next()
        kind = self.type()
        clauses = self.clauses()
        if self.tok.kind == "id" and "\n" not in self.source.text[self.list[self.at - 1].end : self.tok.start]:
            words = [*_CLAUSES.split(), *SEVERITIES, "max", "tail", "except"]
            hint = meant(self.tok.text, [word for word in words if word != self.tok.text])
            raise self.errors.error(self.span(), f"expected a clause or ';', found {shown(self.tok)}{hint}")
        self.semicolon(f"field '{name.name}'")
        return ast.Field(self.since(name.span.start), doc, name, kind, clauses)

    def _anon(self, doc: str) -> ast.Item:
        start = self.tok.start
        if self.tok.kind == "bits":
            raise self.errors.error(self.span(), "a bit pattern with 'x' can't be written; give a number")
        value = self.bound()
        self.expect(":", "':' and a width after the constant")
        kind = self.type("a width such as 2 or u16")
        severity = self.severity()
        self.semicolon("the constant")
        return ast.Anon(self.since(start), doc, value, kind, severity)

    def _where(self, doc: str, start: int) -> ast.Item:
        cond = self.expr()
        severity = self.severity()
        message = self.text("a message") if self.tok.kind == "str" else ""
        self.semicolon("the constraint")
        return ast.Where(self.since(start), doc, cond, severity, message)

    def _let(self, doc: str, start: int) -> ast.Item:
        name = self.ident("a name")
        self.expect("=", "'='")
        expr = self.expr()
        self.semicolon("the value")
        return ast.LetItem(self.since(start), doc, name, expr)

    def _align(self, doc: str, start: int) -> ast.Item:
        to = self.bound()
        zero = self.take_word("zero") is not None
        self.semicolon("'align'")
        return ast.AlignItem(self.since(start), doc, to, zero)

    def _endian(self, doc: str, start: int) -> ast.Item:
        first = self.order()
        self.expect_word("if", "and a condition")
        cond = self.expr()
        self.expect_word("else", "and the other byte order")
        span = self.span()
        if self.order() == first:
            self.errors.error(span, f"both orders are '{first}'")
        self.semicolon("'endian'")
        return ast.EndianItem(self.since(start), doc, cond, first)

    def order(self) -> str:
        token = self.take_word("big", "little")
        if token is None:
            raise self.errors.error(self.span(), f"expected 'big' or 'little', found {shown(self.tok)}")
        return token.text

    def _group(self, doc: str, start: int) -> ast.Item:
        cond = self.expr()
        items = self.braces("the optional items", self.item)
        otherwise: tuple[ast.Item, ...] = ()
        if self.take_word("else"):
            otherwise = self.braces("the other items", self.item)
        return ast.Group(self.since(start), doc, cond, items, otherwise)

    # --- chains --------------------------------------------------------------------------

    def _chain(self, doc: str, start: int) -> ast.Item:
        name = self.ident("the name of the chain")
        self.expect_word("max", "and the most bytes that the chain may have")
        limit = self.bound()
        text: Optional[ast.Text] = None
        word = self.take_word("text")
        if word is not None:
            text = self._clause_text(word.start)
        arms = self.braces("the arms of the chain", self._chain_arm)
        return ast.ChainItem(self.since(start), doc, name, limit, arms, text)

    def _chain_arm(self) -> ast.ChainArmItem:
        doc = self.doc()
        start = self.tok.start
        name = self.ident("the name of the chain's arm")
        items = self.braces("the items of the arm", self.item)
        stop = self.take_word("stop") is not None
        goto = self._goto() if self.is_word("goto") else None
        self.take(";")
        return ast.ChainArmItem(self.since(start), doc, name, items, stop, goto)

    def _goto(self) -> ast.Goto:
        start = self.next().start
        buffer = self.ident("a buffer parameter")
        self.expect("[", "'[' and an offset")
        at = self.expr()
        self.expect("]", "']'")
        self.expect_word("back", "(the measure that makes the chain end)")
        self.expect_word("max", "and the most jumps")
        limit = self.bound()
        return ast.Goto(self.since(start), buffer, at, limit)
