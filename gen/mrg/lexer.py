"""Text to tokens: one regular expression, one pass.

Kinds: "id", "num", "bits" (0b11xx), "str", "chars" (%x30-39), "doc", "eof";
punctuation is its own kind.  Plain comments are kept aside for the formatter.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from .errors import Errors
from .source import Source, Span

_RX = re.compile(
    r"""(?P<ws>[ \t\r\n]+)
    |(?P<doc>///(?!/)[^\n]*)
    |(?P<comment>//[^\n]*)
    |(?P<id>[A-Za-z_][A-Za-z0-9_]*)
    |(?P<num>0[xX][0-9A-Za-z_]*|0[bB][0-9A-Za-z_]*|[0-9][0-9_]*)
    |(?P<str>"(?:[^"\\\n]|\\.)*"?)
    |(?P<chars>%[xdb][0-9A-Fa-f]+(?:-[0-9A-Fa-f]+|(?:\.[0-9A-Fa-f]+)+)?|%s(?="))
    |(?P<op>:=|=>|->|\.\.|<<|>>|<=|>=|==|!=|&&|\|\||[-+*/%&|^~!<>=?:;,.(){}\[\]])
    |(?P<bad>.)""",
    re.X,
)
_NUM = re.compile(r"(?:0x[0-9A-Fa-f](?:_?[0-9A-Fa-f])*|0b[01](?:_?[01])*|[0-9](?:_?[0-9])*)\Z")
_BITS = re.compile(r"0b[01x](?:_?[01x])*\Z")
_ESCAPES = {'"': '"', "\\": "\\", "n": "\n", "t": "\t"}


class Token(NamedTuple):
    kind: str
    text: str
    start: int
    end: int


class Tokens:
    """The tokens of a file, the last one "eof", and its plain comments."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.list: list[Token] = []
        self.comments: list[Token] = []


def lex(source: Source, errors: Errors) -> Tokens:
    tokens = Tokens(source)
    append = tokens.list.append
    for m in _RX.finditer(source.text):
        kind = m.lastgroup
        if kind == "ws":
            continue
        text, start, end = m.group(), m.start(), m.end()
        if kind == "op":
            append(Token(text, text, start, end))
        elif kind == "comment":
            tokens.comments.append(Token("comment", text.rstrip(), start, end))
        elif kind == "num":
            append(Token(_number_kind(source, errors, text, start, end), text, start, end))
        elif kind == "bad":
            errors.error(Span(source, start, end), f"character {text!r} has no meaning here")
        elif kind == "str" and (len(text) < 2 or not text.endswith('"')):
            errors.error(Span(source, start, end), "string is not closed on its line")
            append(Token("str", text + '"', start, end))
        else:
            append(Token(str(kind), text, start, end))
    append(Token("eof", "", len(source.text), len(source.text)))
    return tokens


def _number_kind(source: Source, errors: Errors, text: str, start: int, end: int) -> str:
    if _NUM.match(text):
        return "num"
    if _BITS.match(text):
        return "bits"
    errors.error(Span(source, start, end), f"'{text}' is not a number")
    return "num"


def number(text: str) -> int:
    """Value of a "num" token; 0 for one that was reported as wrong."""
    try:
        return int(text.replace("_", ""), 0) if text[1:2] in ("x", "b") else int(text.replace("_", ""))
    except ValueError:
        return 0


def string(source: Source, errors: Errors, token: Token) -> bytes:
    """Bytes of a "str" token."""
    out = bytearray()
    body = token.text[1:-1]
    at = 0
    while at < len(body):
        c = body[at]
        if c != "\\":
            out += c.encode()
            at += 1
            continue
        escape = body[at + 1 : at + 2]
        if escape == "x" and re.match(r"[0-9A-Fa-f]{2}", body[at + 2 : at + 4]):
            out.append(int(body[at + 2 : at + 4], 16))
            at += 4
            continue
        if escape not in _ESCAPES:
            where = token.start + 1 + at
            errors.error(Span(source, where, where + 2), f"unknown escape '\\{escape}'")
        out += _ESCAPES.get(escape, "").encode()
        at += 2
    return bytes(out)
