"""Sections of a module's page for its grammars: each rule as a railroad diagram and as ABNF."""

from __future__ import annotations

from typing import Iterator

from .. import ast, ir, names
from ..resolve import Unit
from . import abnf, railroad
from .c_api import CApi
from .html import Html, block, code, comma, link, tag
from .links import Site, Spec, anchor, below, rule_anchor
from .parts import facts, source, used_by
from .prose import RFC_EDITOR, last_rfc, paragraphs, sentence

WIDE, NARROW = 780, 330  # of a diagram, on a page and on a narrow screen

#: What each kind of rule is for.
KINDS = {
    "message": "read as it comes; it ends by itself",
    "value": "ends with its buffer; captures may repeat",
    "match": "for a whole buffer",
    "token": "the longest that fits is taken, of two as long the one that stands first here",
    "part": "used by other rules",
}


def section(site: Site, spec: Spec, grammar: ir.Grammar, written: ast.GrammarDecl, api: CApi) -> Html:
    writer = _Rules(site, spec, written)
    return block(
        "section",
        tag("h3", link(code(grammar.name), f"#{anchor(grammar)}", class_="self")),
        paragraphs(grammar.doc),
        facts([(kind, KINDS[kind]) for kind in sorted({_kind(r) for r in written.rules}, key=list(KINDS).index)]),
        *(writer.rule(r) for r in in_order(written)),
        source(written.span),
        api.section(names.grammar(grammar)),
        id=anchor(grammar),
    )


class _Rules:
    """The rules of one grammar."""

    def __init__(self, site: Site, spec: Spec, written: ast.GrammarDecl) -> None:
        self.site, self.spec, self.written = site, spec, written
        self.texts = abnf.grammar(written)
        self.rfc = last_rfc(written.doc)

    def rule(self, rule: ast.GRule) -> Html:
        name, grammar = rule.name.name, self.written.name.name
        ident = rule_anchor(grammar, name)
        return block(
            "section",
            tag("h4", link(code(name), f"#{ident}", class_="self"), " ", tag("span", _kind(rule), class_="chip")),
            tag("p", sentence(rule.doc, self.rfc)) if rule.doc else None,
            self.drawing(rule, ident),
            facts(
                [
                    ("At most", _most(rule)),
                    ("Limits", comma(_limits(rule.node))),
                    ("Captures", comma([code(c) for c in dict.fromkeys(self.captures(self.spec.unit, self.written, rule.node))])),
                    ("Used by", used_by(self.site, self.spec.module, self.site.rule_users(rule), grammar)),
                ]
            ),
            id=ident,
            class_="rule",
        )

    def drawing(self, rule: ast.GRule, ident: str) -> Html:
        name = rule.name.name
        said = abnf.text(self.texts[name])
        title = f"Railroad diagram of {name}"
        wide = railroad.draw(rule.node, WIDE, f"{ident}-wide", title, said, self.target)
        narrow = railroad.draw(rule.node, NARROW, f"{ident}-narrow", f"{title}, for narrow screens", said, self.target)
        return block("figure", tag("div", wide, class_="wide"), tag("div", narrow, class_="narrow"), tag("pre", said, class_="abnf", tabindex=0))

    def target(self, ref: ast.GRef) -> str:
        at = self.site.rule(self.spec.unit, self.written, ref)
        return self.site.rule_href(self.spec.module, at) if at is not None else f"{RFC_EDITOR}5234#appendix-B.1"

    def captures(self, unit: Unit, grammar: ast.GrammarDecl, n: ast.GNode) -> Iterator[str]:
        """What a rule captures, in the rules that it uses, too."""
        for x in below(n):
            if isinstance(x, ast.GCapture):
                yield x.name.name
            at = self.site.rule(unit, grammar, x) if isinstance(x, ast.GRef) else None
            if at is not None:
                yield from self.captures(at.unit, at.grammar, at.rule.node)


def in_order(d: ast.GrammarDecl) -> list[ast.GRule]:
    """Rules that a program calls first, their parts behind them."""
    return sorted(d.rules, key=lambda r: not r.kind)


def _kind(rule: ast.GRule) -> str:
    return rule.kind or "part"


def _most(rule: ast.GRule) -> str:
    """The bound on a whole message or value."""
    if rule.max is None:
        return ""
    return f"{rule.max} octets" + (f", else code {rule.code}" if rule.code is not None else "")


def _limits(n: ast.GNode) -> list[Html]:
    """Counted repetitions with the code of their rejection."""
    found = [x for x in below(n) if isinstance(x, ast.GRep) and x.code is not None]
    return [code(" ".join(x.node.span.text().split()), f" {abnf.times(x.min, x.max)}, else {x.code}") for x in found]
