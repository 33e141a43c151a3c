"""Enums that are sets of words: which words mean a member, and what such a set can't have."""

from __future__ import annotations

from . import ast, ir
from .errors import Errors
from .source import Span
from .words import LONGEST, folded

WIDEST = 16  # bits of a value in the table that words are found in


def lower_words(enum: ir.Enum, d: ast.EnumDecl, errors: Errors) -> None:
    """Give each member its words; `enum` has those members of `d` that are right."""
    declared = {m.name.name: m for m in d.members}
    if enum.words and enum.bits > WIDEST:
        errors.error(d.type.span, f"an enum of words has at most {WIDEST} bits")
    taken: dict[bytes, tuple[ir.Member, str, Span]] = {}
    for member in enum.members:
        m = declared[member.name]
        if not enum.words:
            if m.words:
                errors.error(m.words[0][1], f"not a set of words: write 'enum {enum.name} : u{enum.bits} words'")
            continue
        _value(member, m, errors)
        if m.words and not member.text:
            errors.error(m.span, "the text of a word is not empty")
        for text, where in m.words or ((member.text, m.span),):
            if not _length(text, where, errors):
                continue
            member.words.append(text)
            other, spelled, place = taken.setdefault(folded(enum, text.encode()), (member, text, where))
            written = text == spelled == member.text == other.text  # an error in any enum
            if place is not where and not written:
                errors.error(where, f"\"{text}\" means '{other.name}' already", [(place, f'"{spelled}" is here')])


def _value(member: ir.Member, m: ast.Member, errors: Errors) -> None:
    if m.hi is not None:
        errors.error(m.lo.span.to(m.hi.span), f"'{member.name}' is a range, which no word can mean")
    elif member.lo == 0:
        errors.error(m.lo.span, f"'{member.name}' can't be 0: that says that a word is not in the set")


def _length(text: str, where: Span, errors: Errors) -> bool:
    if not text:
        errors.error(where, "a word is not empty")
    elif len(text.encode()) > LONGEST:
        errors.error(where, f"a word has at most {LONGEST} octets")
    return 0 < len(text.encode()) <= LONGEST
