"""The body of `grammar`: ABNF (RFC 5234, RFC 7405) with captures."""

from __future__ import annotations

from typing import Optional

from . import ast
from .lexer import Token, number, string
from .parse_base import shown
from .parse_type import TypeParser


class GrammarParser(TypeParser):
    def rule(self) -> ast.GRule:
        doc = self.doc()
        start = self.tok.start
        kind = ""
        if self.is_word("token", "match", "message", "value") and self.peek().kind == "id":
            kind = self.next().text
        name = self.ident("a rule")
        most = self._number_after("max", "octets") if kind in ("message", "value") and self.take_word("max") else None
        code = self._code_of_limit()
        if code is not None and most is None:
            self.errors.error(self.span(), "'else' needs a 'max' before it")
        self.expect("=", "'=' after the rule's name")
        node = self._alternation()
        self.semicolon(f"rule '{name.name}'")
        return ast.GRule(self.since(start), doc, kind, name, node, most, code)

    def _number_after(self, word: str, what: str) -> int:
        if self.tok.kind != "num":
            raise self.errors.error(self.span(), f"expected a number of {what} after '{word}', found {shown(self.tok)}")
        return self._number()

    def _code_of_limit(self) -> Optional[int]:
        """`else CODE`, if it comes here."""
        return self._number_after("else", "its own for the rejection") if self.take_word("else") else None

    def _alternation(self) -> ast.GNode:
        return self.deeper(self._alternatives)

    def _alternatives(self) -> ast.GNode:
        nodes = [self._sequence()]
        while self.take("/"):
            nodes.append(self._sequence())
        return nodes[0] if len(nodes) == 1 else ast.GAlt(nodes[0].span.to(nodes[-1].span), tuple(nodes))

    def _sequence(self) -> ast.GNode:
        nodes = [self._difference()]
        while self.tok.kind in ("id", "str", "chars", "num", "*", "(", "[") and not self.is_word("else"):
            nodes.append(self._difference())
        return nodes[0] if len(nodes) == 1 else ast.GSeq(nodes[0].span.to(nodes[-1].span), tuple(nodes))

    def _difference(self) -> ast.GNode:
        node = self._repetition()
        while self.take("-"):
            other = self._repetition()
            node = ast.GMinus(node.span.to(other.span), node, other)
        return node

    def _repetition(self) -> ast.GNode:
        node = self._repeated()
        while self.take_word("put"):
            other = self._repeated()
            node = ast.GPut(node.span.to(other.span), node, other)
        return node

    def _repeated(self) -> ast.GNode:
        start = self.tok
        if self.tok.kind not in ("num", "*"):
            return self._element()
        least = self._number() if self.tok.kind == "num" else None
        low, high = least or 0, least
        if self.take("*"):
            high = self._number() if self.tok.kind == "num" else None
        node = self._element()
        if high is not None and high < low:
            self.errors.error(self.span(start), f"repeats at least {low} and at most {high} times")
            high = low
        code = self._code_of_limit()
        if code is not None and high is None:
            self.errors.error(self.span(start), "'else' is for a repetition with a largest number of times")
        return ast.GRep(self.since(start.start), node, low, high, code if high is not None else None)

    def _number(self) -> int:
        return number(self.next().text)

    def _element(self) -> ast.GNode:
        token = self.tok
        if token.kind == "id":
            return self._name()
        if token.kind == "str":
            self.next()
            return ast.GText(self.span(token), string(self.source, self.errors, token), True)
        if token.kind == "chars":
            return self._chars(self.next())
        if token.kind == "(":
            self.next()
            inner = self._alternation()
            self.expect(")", "')'")
            return inner
        if token.kind == "[":
            self.next()
            inner = self._alternation()
            self.expect("]", "']'")
            return ast.GRep(self.since(token.start), inner, 0, 1)
        raise self.errors.error(self.span(), f"expected a rule, a text or a character, found {shown(token)}")

    def _name(self) -> ast.GNode:
        name = self.ident("a rule")
        if self.take("."):
            rule = self.ident(f"a rule of grammar '{name.name}'")
            return ast.GRef(name.span.to(rule.span), rule, name)
        if not self.take(":"):
            return ast.GRef(name.span, name, None)
        node = self._repeated()
        return ast.GCapture(self.since(name.span.start), name, node)

    def _chars(self, token: Token) -> ast.GNode:
        if token.text == "%s":
            text = string(self.source, self.errors, self.next())
            return ast.GText(self.since(token.start), text, False)
        base = {"x": 16, "d": 10, "b": 2}[token.text[1]]
        body = token.text[2:]
        if "-" in body:
            lo, hi = (self._code(token, part, base) for part in body.split("-"))
            if hi < lo:
                self.errors.error(self.span(token), f"range '{token.text}' is empty")
                hi = lo
            return ast.GChars(self.span(token), ((lo, hi),))
        codes = bytes(self._code(token, part, base) for part in body.split("."))
        if len(codes) == 1:
            return ast.GChars(self.span(token), ((codes[0], codes[0]),))
        return ast.GText(self.span(token), codes, False)

    def _code(self, token: Token, digits: str, base: int) -> int:
        value: Optional[int] = None
        try:
            value = int(digits, base)
        except ValueError:
            pass
        if value is None or value > 255:
            self.errors.error(self.span(token), f"'{digits}' is not the code of a byte")
            return 0
        return value
