"""Expressions: precedence climbing.

Precedence follows C, but `&`, `^` and `|` bind tighter than comparisons.
`in` is left out where a clause `in` may follow (`allow_in`).
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Optional

from . import ast
from .lexer import number
from .parse_base import FOLLOW, SEVERITIES, Base, shown

_LEVELS = {
    "||": 1, "&&": 2,
    "==": 3, "!=": 3, "<": 4, "<=": 4, ">": 4, ">=": 4, "in": 4,
    "|": 5, "^": 6, "&": 7, "<<": 8, ">>": 8, "+": 9, "-": 9, "*": 10, "/": 10, "%": 10,
}  # fmt: skip
_ABOVE_COMPARISON = 5
TERMS_MAX = 100  # operators of one level: bounds the depth of the tree
_INT = re.compile(r"([ui])([1-9][0-9]?)(le|be)?\Z")


class ExprParser(Base):
    def expr(self, allow_in: bool = True) -> ast.Expr:
        return self.deeper(lambda: self._ternary(allow_in))

    def _ternary(self, allow_in: bool) -> ast.Expr:
        c = self._binary(1, allow_in)
        if not self.take("?"):
            return c
        a = self.expr(allow_in)
        self.expect(":", "':' of the '?'")
        b = self.expr(allow_in)
        return ast.Ternary(c.span.to(b.span), c, a, b)

    def _binary(self, least: int, allow_in: bool) -> ast.Expr:
        left = self._unary()
        terms = 0
        while True:
            op = self.tok.text if self.tok.kind != "id" or self.tok.text == "in" else ""
            level = _LEVELS.get(op, 0)
            if self.tok.kind == "chars":
                raise self.errors.error(self.span(), f"'{self.tok.text}' is a grammar's character; put a blank after the '%'")
            if level < least or (op == "in" and not allow_in):
                return left
            self.next()
            terms += 1
            if terms > TERMS_MAX:
                raise self.errors.error(left.span, f"more than {TERMS_MAX} operators in a row; a 'let' can name a part")
            if op == "in":
                ranges = self.ranges()
                left = ast.In(self.since(left.span.start), left, ranges)
                continue
            right = self._binary(level + 1, allow_in)
            left = ast.Binary(left.span.to(right.span), op, left, right)

    def _unary(self) -> ast.Expr:
        if self.tok.kind in ("!", "~", "-"):
            op = self.next()
            a = self.deeper(self._unary)
            return ast.Unary(self.span(op).to(a.span), op.text, a)
        return self._primary()

    def _primary(self) -> ast.Expr:
        token = self.tok
        if token.kind == "num":
            self.next()
            return ast.Num(self.span(token), number(token.text), token.text)
        if token.kind == "(":
            self.next()
            inner = self.expr()
            self.expect(")", "')'")
            return replace(inner, span=self.since(token.start))
        if token.kind == "id":
            return self._word()
        raise self.errors.error(self.span(), f"expected an expression, found {shown(token)}")

    def _word(self) -> ast.Expr:
        token = self.next()
        span = self.span(token)
        word = token.text
        if word in ("avail", "here"):
            return ast.Place(span, word)
        if word == "this":
            return ast.This(span)
        if word == "peek":
            kind = self.int_type()
            if kind is None:
                raise self.errors.error(self.span(), f"expected a width such as u8 after 'peek', found {shown(self.tok)}")
            return ast.Peek(self.since(token.start), kind)
        if word in ("size", "count") and self.tok.kind == "id" and self.tok.text not in FOLLOW:
            target = self.ident("a field")
            whole = self.since(token.start)
            if word == "count":
                return ast.Count(whole, target)
            return ast.Size(whole, None if target.name == "this" else target)
        if self.tok.kind == "(":
            return self._call(ast.Ident(span, word))
        return self._path(ast.Ident(span, word))

    def _path(self, first: ast.Ident) -> ast.Name:
        path = [first]
        while self.tok.kind == ".":
            self.next()
            path.append(self.ident("a name after '.'"))
        return ast.Name(first.span.to(path[-1].span), tuple(path))

    def path(self, what: str) -> tuple[ast.Ident, ...]:
        """`a.b.c` as names."""
        return self._path(self.ident(what)).path

    def _call(self, name: ast.Ident) -> ast.Expr:
        if name.name in ("inet16", "crc32", "crc32c"):
            return self._checksum(name)
        args = self.args()
        return ast.Call(self.since(name.span.start), name, args)

    def args(self) -> tuple[ast.Expr, ...]:
        """`(a, b)`."""
        self.expect("(", "'('")
        out: list[ast.Expr] = []
        while self.tok.kind != ")":
            out.append(self.expr())
            if not self.take(","):
                break
        self.expect(")", "')'")
        return tuple(out)

    def _checksum(self, name: ast.Ident) -> ast.Expr:
        self.expect("(", "'('")
        first = self.ident("the first field summed")
        last = self.ident("the last field summed") if self.take("..") else first
        pseudo: list[ast.Pseudo] = []
        if self.take(","):
            self.expect_word("pseudo", "(words added first)")
            self.expect("(", "'('")
            while self.tok.kind != ")":
                pseudo.append(self._pseudo())
                if not self.take(","):
                    break
            self.expect(")", "')'")
        self.expect(")", "')'")
        return ast.Checksum(self.since(name.span.start), name.name, first, last, tuple(pseudo))

    def _pseudo(self) -> ast.Pseudo:
        e = self.expr()
        self.expect(":", "':' and a width such as u32")
        kind = self.int_type()
        if kind is None:
            raise self.errors.error(self.span(), f"expected a width such as u32, found {shown(self.tok)}")
        return ast.Pseudo(e, kind)

    # --- ranges and integer types ---------------------------------------------------

    def ranges(self, single: bool = False) -> tuple[ast.Range, ...]:
        """`a..b`, `a..`, `{1, 3, 5..9}`, what stands after `in`; `single`: also a value without braces."""
        if self.tok.kind != "{":
            return (self._range(single),)
        self.next()
        out: list[ast.Range] = []
        while self.tok.kind != "}":
            out.append(self._range(True))
            if not self.take(","):
                break
        self.expect("}", "'}' after the values")
        return tuple(out)

    def _range(self, single: bool) -> ast.Range:
        lo = self._binary(_ABOVE_COMPARISON, False)
        if not self.take(".."):
            if single:
                return ast.Range(lo.span, lo, lo)
            raise self.errors.error(self.span(), f"expected '..' of a range, found {shown(self.tok)}")
        hi: Optional[ast.Expr] = None
        if self.tok.kind in ("num", "(", "-", "~") or (self.tok.kind == "id" and self.tok.text not in FOLLOW):
            hi = self._binary(_ABOVE_COMPARISON, False)
        return ast.Range(self.since(lo.span.start), lo, hi)

    def bound(self) -> ast.Expr:
        """A constant after `max`, `align` and the like."""
        return self._binary(_ABOVE_COMPARISON, False)

    def int_type(self) -> Optional[ast.IntType]:
        """`u16`, `i32le`, `3`, if one stands here; an enum after it."""
        token = self.tok
        if token.kind == "num":
            self.next()
            bits, signed, plain, endian = number(token.text), False, True, None
        else:
            m = _INT.match(token.text) if token.kind == "id" else None
            if m is None:
                return None
            self.next()
            bits, signed, plain = int(m[2]), m[1] == "i", False
            endian = {"le": "little", "be": "big", None: None}[m[3]]
        if not 1 <= bits <= 64:
            self.errors.error(self.span(token), f"an integer has 1 to 64 bits, not {bits}")
            bits = max(1, min(bits, 64))
        enum: Optional[ast.Ident] = None
        if self.tok.kind == "id" and self.tok.text[:1].isupper():
            enum = self.ident("an enum")
        return ast.IntType(self.since(token.start), bits, signed, plain, endian, enum)

    def severity(self) -> str:
        token = self.take_word(*SEVERITIES)
        return token.text if token else ""
