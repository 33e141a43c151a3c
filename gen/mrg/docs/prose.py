"""Doc comments as markup: paragraphs, `code`, and links to the clauses of RFCs.

The specifications put what a statement rests on behind it, at the end of its
line and after two blanks: `/// A question.  RFC 1035 section 4.1.2`.  Such a
line ends a paragraph.  `section 5.2` alone is one of the RFC named last.
"""

from __future__ import annotations

import re
from typing import Iterator, Optional

from .html import Html, escape, join, link, lines, tag

RFC_EDITOR = "https://www.rfc-editor.org/rfc/rfc"

_NUMBER = r"(?:\d+(?:\.\d+)*|[A-Z](?:\.\d+)+)"
# a number without a dot may be one of something else: "section 4 and 2 octets"
_MORE = r"(?:(?:, and |, | and )(?:\d+(?:\.\d+)+|\d+(?![.\d]| (?!and\b)[a-z])))*"
_CLAUSE = rf"(?:sections?|appendix) {_NUMBER}{_MORE}"
_CITED = rf"RFC \d+(?: {_CLAUSE}| \d+\.\d+(?:\.\d+)*)?"
_PART = re.compile(rf"`(?P<code>[^`]+)`|RFC (?P<rfc>\d+)(?: (?P<clause>{_CLAUSE}|\d+\.\d+(?:\.\d+)*))?|(?P<alone>{_CLAUSE})")
_RESTS_ON = re.compile(rf"^(.*?\S)  ({_CITED}(?:(?:, |; | and ){_CITED})*)\.?$")


def paragraphs(doc: str, **attributes: str) -> Html:
    """A doc comment as <p> elements."""
    rfc: Optional[str] = None
    out: list[Html] = []
    for text, cited in _paragraphs(doc):
        body, rfc = inline(text, rfc)
        if cited:
            clause, rfc = inline(cited, rfc)
            body = join([body, " ", tag("span", clause, class_="cited")])
        out.append(tag("p", body, **attributes))
    return lines(*out)


def sentence(doc: str, rfc: Optional[str] = None) -> Html:
    """A doc comment in running text; `rfc` is the one that a section alone is of."""
    parts: list[Html] = []
    for text, cited in _paragraphs(doc):
        body, rfc = inline(text, rfc)
        if cited:
            clause, rfc = inline(cited, rfc)
            body = join([body, " ", tag("span", clause, class_="cited")])
        parts.append(body)
    return join(parts, " ")


def summary(doc: str) -> str:
    """The first sentence, as plain text, without what it rests on."""
    first = next(iter(_paragraphs(doc)), ("", ""))[0]
    end = re.search(r"[.:;](?= +[A-Z\d]|$)", first)
    return first[: end.start()] if end else first


def last_rfc(doc: str) -> Optional[str]:
    """The RFC that a doc comment names last."""
    found = re.findall(r"RFC (\d+)", doc)
    return str(found[-1]) if found else None


def inline(text: str, rfc: Optional[str] = None) -> tuple[Html, Optional[str]]:
    """One stretch of text; also the RFC named last in it, or the one that was before."""
    out: list[Html] = []
    at = 0
    for m in _PART.finditer(text):
        out.append(escape(text[at : m.start()]))
        at = m.end()
        if m["code"] is not None:
            out.append(tag("code", m["code"]))
        elif m["rfc"] is not None:
            rfc = m["rfc"]
            out.append(_clause(rfc, f"RFC {rfc}", m["clause"] or ""))
        elif rfc is not None:
            out.append(_clause(rfc, "", m["alone"]))
        else:
            out.append(escape(m[0]))
    out.append(escape(text[at:]))
    return join(out), rfc


def _clause(rfc: str, name: str, clause: str) -> Html:
    """`RFC 1035 sections 3.1 and 3.3`: a link with the first section, one for each of the others."""
    at = 0
    out: list[Html] = []
    head = f"{name} " if name and clause else name
    for m in re.finditer(_NUMBER, clause):
        before = clause[at : m.start()]
        target = f"{RFC_EDITOR}{rfc}#{'section' if m[0][0].isdigit() else 'appendix'}-{m[0]}"
        if at:
            out += [escape(before), link(m[0], target)]
        else:
            out.append(link(head + before + m[0], target))
        at = m.end()
    return join(out) if out else link(name, RFC_EDITOR + rfc)


def _paragraphs(doc: str) -> Iterator[tuple[str, str]]:
    """Each paragraph, and what it rests on."""
    text: list[str] = []
    for line in doc.split("\n"):
        cited = _RESTS_ON.match(line.strip())
        if cited is not None:
            yield _joined([*text, cited[1]]), cited[2]
            text = []
        elif line.strip():
            text.append(line.strip())
        elif text:
            yield _joined(text), ""
            text = []
    if text:
        yield _joined(text), ""


def _joined(text: list[str]) -> str:
    return re.sub(r"  +", " ", " ".join(text))
