"""Markup, put together so that escaping is done in one place.

`Html` is text that is markup already; any other string is escaped where it
goes into a tag.  So a name or a comment of a specification can't become
markup by accident, whatever is in it.
"""

from __future__ import annotations

from typing import Iterable, Optional, Union


class Html(str):
    """Markup."""


Attribute = Union[str, int, bool, None]
Content = Union[str, None, Iterable["Content"]]

_VOID = frozenset("area base br col hr img input link meta".split())
_DRAWN = frozenset("circle line path rect".split())  # of SVG: never with content here


def escape(text: str) -> Html:
    return Html(text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;"))


def join(content: Content, between: str = "") -> Html:
    """Strings, markup and lists of them to markup; None is nothing."""
    if content is None:
        return Html("")
    if isinstance(content, Html):
        return content
    if isinstance(content, str):
        return escape(content)
    return Html(between.join(part for part in map(join, content) if part or not between))


def lines(*content: Content) -> Html:
    """Pieces that stand below each other, one a line; empty ones are left out."""
    return join([join(c) for c in content], "\n")


def tag(name: str, /, *content: Content, **attributes: Attribute) -> Html:
    """`tag("a", "text", href="#x", class_="y")`; `_` in a name of an attribute is `-`, at its end nothing.

    None and False leave an attribute out, True gives it no value."""
    head = name
    for key, value in attributes.items():
        if value is not None and value is not False:
            word = key.rstrip("_").replace("_", "-")
            head += f" {word}" if value is True else f' {word}="{escape(str(value))}"'
    if name in _VOID:
        return Html(f"<{head}>")
    if name in _DRAWN:
        return Html(f"<{head}/>")
    return Html(f"<{head}>{join(content)}</{name}>")


def block(name: str, /, *content: Content, **attributes: Attribute) -> Html:
    """A tag whose content stands on lines of its own."""
    inner = lines(*content)
    return tag(name, Html(f"\n{inner}\n") if inner else inner, **attributes)


def link(text: Content, target: Optional[str], **attributes: Attribute) -> Html:
    """A link, or the text alone where there is nothing to go to."""
    return tag("a", text, href=target, **attributes) if target else join(text)


def code(*content: Content) -> Html:
    return tag("code", *content)


def comma(parts: Iterable[Content]) -> Html:
    return join([join(p) for p in parts], ", ")
