"""Pieces that several pages are made of."""

from __future__ import annotations

from typing import Iterable, Optional, Sequence

from .. import ir
from .html import Content, Html, block, code, comma, join, lines, link, tag
from .links import Site, Use
from ..source import Span


STRICT = ("must", "warn", "send")  # severities, which have colours of their own


def table(caption: Content, heads: Sequence[str], bodies: Iterable[Content], name: str) -> Html:
    """A table whose rows turn into cards where the screen is narrow; the roles say that they are still rows.

    bodies: what `body` gives.  name: its class; with " titled" where a heading above says what the caption would."""
    head = tag("tr", *(tag("th", h, scope="col", role="columnheader") for h in heads), role="row")
    return block(
        "table",
        tag("caption", caption),
        tag("thead", head, role="rowgroup"),
        *bodies,
        class_=name,
        role="table",
    )


def body(rows: Iterable[Content]) -> Html:
    return block("tbody", *rows, role="rowgroup")


def row(first: Content, cells: Sequence[tuple[str, Content]], ident: Optional[str] = None) -> Html:
    """A row with its name first; each other cell has the head of its column for narrow screens."""
    head = tag("th", first, scope="row", role="rowheader", id=ident)
    rest = [tag("td", text, role="cell", data_head=name, class_=None if join(text) else "none") for name, text in cells]
    return tag("tr", head, *rest, role="row")


def facts(pairs: Iterable[tuple[str, Content]]) -> Html:
    """Short statements, each with its name; those without text are left out."""
    rows = [tag("div", tag("dt", name), tag("dd", text)) for name, text in pairs if join(text)]
    return block("dl", *rows, class_="facts") if rows else Html("")


def details(summary: Content, *content: Content, name: Optional[str] = None) -> Html:
    return block("details", tag("summary", summary), *content, class_=name)


def chip(word: str) -> Html:
    """A word that says how strict a rule is."""
    return tag("span", word, class_=f"chip {word}" if word in STRICT else "chip")


def used_by(site: Site, here: ir.Module, uses: Sequence[Use], grammar: str = "") -> Html:
    """Links back, those of this page first as they come.  grammar: of the rule that is used."""
    out = []
    for use in sorted(uses, key=lambda u: u.spec != here.name):
        home = "" if use.spec == here.name else site.pages[use.spec]
        names = [use.spec if home else "", use.grammar if home or use.grammar != grammar else "", use.label]
        out.append(link(code(".".join(n for n in names if n)), f"{home}#{use.anchor}"))
    return comma(out)


def source(span: Span) -> Html:
    """A declaration as it is written, with the comments of its lines set off."""
    doc = span.source.text.rfind("\n\n", 0, span.start) + 2
    start = doc if span.source.text[doc : span.start].lstrip().startswith("//") else span.start
    rows = span.source.text[start : span.end].rstrip().split("\n")
    shown = tag("pre", code(lines(*map(_source_line, rows))), tabindex=0)
    return details(f"As written: {span.source.name}, line {span.line}", shown)


def _source_line(text: str) -> Html:
    """`//` in a string begins no comment; none of the specifications' strings have a quote in them that would matter."""
    at = 0
    quoted = False
    while at < len(text):
        if text[at] == '"' and text[at - 1 : at] != "\\":
            quoted = not quoted
        if text.startswith("//", at) and not quoted:
            return join([text[:at], tag("span", text[at:], class_="comment")])
        at += 1
    return join(text) or Html(" ")
