"""What every part of the parser stands on: the token cursor and recovery."""

from __future__ import annotations

from typing import Callable, Optional, TypeVar

from . import ast
from .errors import Errors, Skip
from .lexer import Token, Tokens, string
from .source import Span

T = TypeVar("T")
U = TypeVar("U")

SEVERITIES = ("must", "warn", "send")
#: Words that may follow an expression or a type, so that they never start one there.
FOLLOW = frozenset(
    "must warn send if within tail unique ascending nocase flat text max count bytes rest while until in else "
    "back stop goto zero pad".split()
)
NEST_MAX = 60  # depth of nested expressions, types and groups


class Base:
    """A cursor over the tokens; `tok` is the one not taken yet."""

    def __init__(self, tokens: Tokens, errors: Errors) -> None:
        self.tokens = tokens
        self.source = tokens.source
        self.errors = errors
        self.list = tokens.list
        self.at = 0
        self.tok = self.list[0]
        self.depth = 0

    # --- the cursor -----------------------------------------------------------

    def next(self) -> Token:
        """Take the current token."""
        token = self.tok
        if token.kind != "eof":
            self.at += 1
            self.tok = self.list[self.at]
        return token

    def peek(self, ahead: int = 1) -> Token:
        return self.list[min(self.at + ahead, len(self.list) - 1)]

    def span(self, token: Optional[Token] = None) -> Span:
        token = token or self.tok
        return Span(self.source, token.start, token.end)

    def since(self, start: int) -> Span:
        """From an offset to the end of the last token taken."""
        return Span(self.source, start, self.list[self.at - 1].end if self.at else start)

    def is_word(self, *words: str) -> bool:
        return self.tok.kind == "id" and self.tok.text in words

    def take_word(self, *words: str) -> Optional[Token]:
        return self.next() if self.is_word(*words) else None

    def take(self, kind: str) -> Optional[Token]:
        return self.next() if self.tok.kind == kind else None

    def expect(self, kind: str, what: str) -> Token:
        if self.tok.kind == kind:
            return self.next()
        raise self.errors.error(self.span(), f"expected {what}, found {shown(self.tok)}")

    def expect_word(self, word: str, what: str) -> Token:
        if self.is_word(word):
            return self.next()
        raise self.errors.error(self.span(), f"expected '{word}' {what}, found {shown(self.tok)}")

    def ident(self, what: str) -> ast.Ident:
        token = self.expect("id", what)
        return ast.Ident(self.span(token), token.text)

    def text(self, what: str) -> str:
        token = self.expect("str", what)
        try:
            return string(self.source, self.errors, token).decode()
        except UnicodeDecodeError:
            self.errors.error(self.span(token), f"{what} must be UTF-8 text")
            return ""

    def semicolon(self, after: str) -> None:
        """A `;`; when it is just left out at the end of a line, go on without."""
        if self.take(";"):
            return
        last = self.list[self.at - 1]
        end = Span(self.source, last.end - 1, last.end)
        skip = self.errors.error(end, f"expected ';' after {after}")
        if self.tok.kind != "}" and "\n" not in self.source.text[last.end : self.tok.start]:
            raise skip

    # --- documents and recovery --------------------------------------------------

    def doc(self) -> str:
        """Consecutive `///` lines before the current token, joined."""
        lines: list[str] = []
        while self.tok.kind == "doc":
            line = self.next().text[3:].rstrip()
            lines.append(line[1:] if line.startswith(" ") else line)
        return "\n".join(lines)

    def deeper(self, parse: Callable[[], U]) -> U:
        """Run `parse` one level down; too deep is an error, not a crash."""
        if self.depth >= NEST_MAX:
            raise self.errors.error(self.span(), f"nested more than {NEST_MAX} deep")
        self.depth += 1
        try:
            return parse()
        finally:
            self.depth -= 1

    def recover(self) -> None:
        """Skip what is left of a broken item: past its `;` or `{...}`, up to a `}`."""
        depth = 0
        while self.tok.kind != "eof":
            kind = self.tok.kind
            if kind == "}" and depth == 0:
                return
            self.next()
            if kind == "{":
                depth += 1
            elif kind == "}":
                depth -= 1
                if depth == 0 and self.tok.kind != ";":
                    return
            elif kind == ";" and depth == 0:
                return

    def braces(self, what: str, item: Callable[[], Optional[T]]) -> tuple[T, ...]:
        """`{ item* }`, each item on its own in case of errors."""
        opening = self.expect("{", f"'{{' before {what}")
        out: list[T] = []
        while self.tok.kind not in ("}", "eof"):
            try:
                one = self.deeper(item)
                if one is not None:
                    out.append(one)
            except Skip:
                self.recover()
        if self.tok.kind == "eof":
            raise self.errors.error(self.span(), "expected '}', found the end of the file", [(self.span(opening), "to close this '{'")])
        self.next()
        return tuple(out)


def shown(token: Token) -> str:
    if token.kind == "eof":
        return "the end of the file"
    return "a doc comment" if token.kind == "doc" else f"'{token.text}'"
