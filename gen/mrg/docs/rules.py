"""Sections of a module's page for its grammars: each rule as a railroad diagram and as ABNF."""

from __future__ import annotations

from typing import Iterator, Optional

from .. import ast, ir, names
from . import abnf, railroad
from .c_api import CApi
from .html import Html, block, code, comma, lines, link, tag
from .links import Site, Spec, anchor, rule_anchor
from .parts import facts, source
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
    rfc = last_rfc(grammar.doc)
    texts = abnf.grammar(written)
    users = _users(written)
    rules = [_rule(site, spec, grammar, written, r, texts[r.name.name], users.get(r.name.name, []), rfc) for r in in_order(written)]
    return block(
        "section",
        tag("h3", link(code(grammar.name), f"#{anchor(grammar)}", class_="self")),
        paragraphs(grammar.doc),
        facts([(kind, KINDS[kind]) for kind in sorted({_kind(r) for r in written.rules}, key=list(KINDS).index)]),
        *rules,
        source(written.span),
        api.section(names.grammar(grammar)),
        id=anchor(grammar),
    )


def _rule(
    site: Site,
    spec: Spec,
    grammar: ir.Grammar,
    written: ast.GrammarDecl,
    rule: ast.GRule,
    texts: list[abnf.Definition],
    users: list[str],
    rfc: Optional[str],
) -> Html:
    name = rule.name.name
    ident = rule_anchor(grammar, name)
    said = abnf.text(texts)
    title = f"Railroad diagram of {name}"
    known = {r.name.name for r in written.rules}

    def target(other: str) -> Optional[str]:
        if "." in other:
            return _lent(site, spec, other)
        return f"#{rule_anchor(grammar, other)}" if other in known else f"{RFC_EDITOR}5234#appendix-B.1"

    drawn = [
        tag("div", railroad.draw(rule.node, WIDE, f"{ident}-wide", title, said, target), class_="wide"),
        tag("div", railroad.draw(rule.node, NARROW, f"{ident}-narrow", f"{title}, for narrow screens", said, target), class_="narrow"),
    ]
    limit = f"{rule.max} octets" + (f", else code {rule.code}" if rule.code is not None else "") if rule.max is not None else ""
    captures = [code(c) for c in dict.fromkeys(_captures(rule.node, {r.name.name: r.node for r in written.rules}))]
    return block(
        "section",
        tag("h4", link(code(name), f"#{ident}", class_="self"), " ", tag("span", _kind(rule), class_="chip")),
        tag("p", sentence(rule.doc, rfc)) if rule.doc else None,
        block("figure", *drawn, tag("pre", said, class_="abnf", tabindex=0)),
        facts(
            [
                ("At most", limit),
                ("Limits", comma(_limits(rule.node))),
                ("Captures", comma(captures)),
                ("Used by", comma([link(code(u), f"#{rule_anchor(grammar, u)}") for u in users])),
            ]
        ),
        id=ident,
        class_="rule",
    )


def _kind(rule: ast.GRule) -> str:
    return rule.kind or "part"


def below(n: ast.GNode) -> Iterator[ast.GNode]:
    """A node and all in it, in the order of the text."""
    yield n
    if isinstance(n, (ast.GSeq, ast.GAlt)):
        for inner in n.nodes:
            yield from below(inner)
    elif isinstance(n, (ast.GRep, ast.GCapture)):
        yield from below(n.node)
    elif isinstance(n, ast.GMinus):
        yield from below(n.a)
        yield from below(n.b)
    elif isinstance(n, ast.GPut):
        yield from below(n.read)
        yield from below(n.written)


def _lent(site: Site, spec: Spec, name: str) -> Optional[str]:
    """Where a rule of another grammar is."""
    grammar, _, rule = name.partition(".")
    for m in (spec.module, *spec.module.imports):
        for g in m.grammars:
            if g.name == grammar:
                return ("" if m is spec.module else site.pages[m.name]) + f"#{rule_anchor(g, rule)}"
    return None


def _captures(n: ast.GNode, rules: dict[str, ast.GNode]) -> Iterator[str]:
    """What a rule captures, in the rules that it uses, too."""
    for x in below(n):
        if isinstance(x, ast.GCapture):
            yield x.name.name
        elif isinstance(x, ast.GRef) and x.grammar is None and x.name.name in rules:
            yield from _captures(rules[x.name.name], rules)


def in_order(d: ast.GrammarDecl) -> list[ast.GRule]:
    """Rules that a program calls first, their parts behind them."""
    return sorted(d.rules, key=lambda r: not r.kind)


def _limits(n: ast.GNode) -> list[Html]:
    """Counted repetitions with the code of their rejection."""
    found = [x for x in below(n) if isinstance(x, ast.GRep) and x.code is not None]
    return [lines(code(" ".join(x.node.span.text().split()), f" {abnf.times(x.min, x.max)}, else {x.code}")) for x in found]


def _users(d: ast.GrammarDecl) -> dict[str, list[str]]:
    """For each rule the rules that use it."""
    out: dict[str, list[str]] = {}
    for rule in d.rules:
        for name in dict.fromkeys(x.name.name for x in below(rule.node) if isinstance(x, ast.GRef) and x.grammar is None):
            out.setdefault(name, []).append(rule.name.name)
    return out
