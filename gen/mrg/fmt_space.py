"""Blanks between tokens, and where things begin and end in the source."""

from __future__ import annotations

from bisect import bisect_left
from typing import Optional, Sequence

from .lexer import Token, Tokens
from .source import Span

_SPACED = frozenset(("&&", "||", "==", "!=", "<=", ">=", "<", ">", "?", ":=", "=>", "="))
_ARITHMETIC = frozenset(("+", "-", "*", "/", "%", "<<", ">>", "&", "|", "^"))
_BEFORE_UNARY = _SPACED | _ARITHMETIC | frozenset(("(", "[", "{", ",", "..", "!", "~", ":"))
_WORDS = frozenset("if where in while until within count bytes until max else let endian never".split())


class Spacer:
    """The tokens of a file, doc comments aside."""

    def __init__(self, tokens: Tokens) -> None:
        self.source = tokens.source
        self.comments = tokens.comments
        self.list = [t for t in tokens.list if t.kind != "doc"]
        self.starts = [t.start for t in self.list]
        self.docs = [t for t in tokens.list if t.kind == "doc"]
        self.doc_ends = [t.end for t in self.docs]
        self.first = tokens.list[0].start

    def tokens(self, span: Span) -> Sequence[Token]:
        return self.list[bisect_left(self.starts, span.start) : bisect_left(self.starts, span.end)]

    def code(self, span: Span, grammar: bool = False) -> str:
        """The tokens of a span with canonical blanks."""
        tokens = [t for t in self.tokens(span) if t.kind != "eof"]
        out = ""
        for i, token in enumerate(tokens):
            if i and (self._in_grammar(tokens, i) if grammar else self._spaced(tokens, i)):
                out += " "
            out += token.text
        return out

    def _gap(self, tokens: Sequence[Token], i: int) -> bool:
        return tokens[i].start > tokens[i - 1].end

    def _in_grammar(self, tokens: Sequence[Token], i: int) -> bool:
        a, b = tokens[i - 1].kind, tokens[i].kind
        if a in ("(", "[") or b in (")", "]", ";", ":") or a == ":":
            return False
        if a == "num" and i > 1 and tokens[i - 2].text == "else" or tokens[i - 1].text == "put":
            return True
        if a == "*" or b == "*":
            return b == "*" and a != "num"
        if a in ("/", "=") or b in ("/", "="):
            return True
        return self._gap(tokens, i) or a in (")", "]")

    def _spaced(self, tokens: Sequence[Token], i: int) -> bool:
        a, b = tokens[i - 1].kind, tokens[i].kind
        if a in ("(", "[", ".", "..", "{") or b in (")", "]", ",", ";", ".", "..", "}", "["):
            return False
        if b == "(" and a == "num":
            return True
        if b == "(":
            return self._gap(tokens, i) and (a != "id" or tokens[i - 1].text in _WORDS or tokens[i - 1].text == "text")
        if a == ",":
            return True
        if self._unary(tokens, i - 1):
            return False
        if b == ":":
            return a == ")" and i + 1 < len(tokens) and "extern" in tokens[0].text or self._gap(tokens, i) and self._ternary(tokens, i)
        if a in _SPACED or b in _SPACED or a == ":":
            return True
        if b in _ARITHMETIC and not self._unary(tokens, i):
            return self._loose(tokens, i)
        if a in _ARITHMETIC:
            return self._loose(tokens, i - 1)
        return True

    def _loose(self, tokens: Sequence[Token], i: int) -> bool:
        """Whether the author put a blank on either side of an operator."""
        return self._gap(tokens, i) or (i + 1 < len(tokens) and self._gap(tokens, i + 1))

    def _unary(self, tokens: Sequence[Token], i: int) -> bool:
        kind = tokens[i].kind
        if kind in ("!", "~"):
            return True
        if kind != "-":
            return False
        return i == 0 or tokens[i - 1].kind in _BEFORE_UNARY or tokens[i - 1].text in _WORDS

    def _ternary(self, tokens: Sequence[Token], i: int) -> bool:
        return any(t.kind == "?" for t in tokens[:i])

    # --- places ---------------------------------------------------------------------

    def braces(self, where: Span) -> tuple[int, int]:
        """Offsets of the first `{` of a span and of the `}` that closes it."""
        depth, start = 0, where.start
        for token in self.tokens(where):
            if token.kind == "{":
                start = token.start if depth == 0 else start
                depth += 1
            elif token.kind == "}":
                depth -= 1
                if depth == 0:
                    return start, token.start
        return start, where.end

    def after(self, where: Span, kind: str) -> Span:
        """The part of a span after its first token of a kind."""
        start = next((t.end for t in self.tokens(where) if t.kind == kind), where.start)
        return Span(where.source, start, where.end)

    def end_of_statement(self, pos: int) -> int:
        """The end of what ends at `pos`, its `;` included."""
        i = bisect_left(self.starts, pos)
        if i < len(self.list) and self.list[i].kind == ";":
            return self.list[i].end
        return pos

    def doc_start(self, pos: int) -> int:
        """Where the doc comment before `pos` begins, or `pos`."""
        i = bisect_left(self.doc_ends, pos)
        while i > 0 and not self.tokens(Span(self.source, self.docs[i - 1].end, pos)):
            i -= 1
            pos = self.docs[i].start
        return pos

    def end_of_line(self, pos: int) -> int:
        """The end of the next `;` after `pos`."""
        i = bisect_left(self.starts, pos)
        return next((t.end for t in self.list[i:] if t.kind == ";"), pos)

    def string_after(self, pos: int) -> str:
        """The first string at or after `pos`, as written."""
        i = bisect_left(self.starts, pos)
        found: Optional[str] = next((t.text for t in self.list[i:] if t.kind == "str"), None)
        return found or '""'


def wrap(text: str, width: int, anywhere: bool = False) -> list[str]:
    """Lines of at most `width`, broken after `,`, `&&`, `||`, `?` and `/`; or, if need be, at any blank."""
    if len(text) <= width:
        return [text]
    out: list[str] = []
    while len(text) > width:
        cut = _break(text, width, False)
        if cut <= 0 and anywhere:
            cut = _break(text, width, True)
        if cut <= 0:
            break
        out.append(text[:cut].rstrip())
        text = "    " + text[cut:].lstrip()
    return out + [text]


def _break(text: str, width: int, anywhere: bool) -> int:
    """The best place at or before `width` where a line may end: least nested, then last."""
    best, least, depth, quoted = 0, 99, 0, False
    start = len(text) - len(text.lstrip())
    for i, c in enumerate(text[:width]):
        if c == '"' and text[i - 1] != "\\":
            quoted = not quoted
        elif quoted:
            continue
        elif c in "([{":
            depth += 1
        elif c in ")]}":
            depth -= 1
        elif c == " " and i > start and depth <= least:
            before = text[start:i].rsplit(" ", 1)[-1]
            if anywhere or before in ("&&", "||", "?", "/") or before.endswith(",") or text[i + 1] == '"':
                best, least = i, depth
    return best
