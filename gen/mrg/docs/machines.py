"""Sections of a module's page for machines: the states as a drawing, and what is done in each as a table."""

from __future__ import annotations

from typing import Optional

from .. import ast, ir_machine, names
from . import graph_svg
from .c_api import CApi
from .html import Content, Html, block, code, comma, join, lines, link, tag
from .links import Site, Spec, anchor
from .parts import body, chip, facts, row, source, table
from .prose import paragraphs, sentence

_WHAT = {
    "rx": "a message that comes",
    "user": "what somebody wants",
    "timer": "time that is up",
    "tx": "a message to be sent",
    "action": "something done",
    "test": "a question",
}


def section(site: Site, spec: Spec, x: ir_machine.Machine, d: ast.MachineDecl, api: CApi) -> Html:
    ident = anchor(x)
    return block(
        "section",
        tag("h3", link(code(x.name), f"#{ident}", class_="self")),
        paragraphs(x.doc),
        facts(
            [
                ("Begins in", code(x.start.name)),
                ("May stay in", comma([code(s.name) for s in x.states if s.final])),
                ("In C", "a part of those that run it" if x.part else code(f"struct {names.machine(x)}")),
            ]
        ),
        tag("figure", graph_svg.draw(d, ident)),
        _named(d),
        _done(d, ident),
        _never(d),
        source(d.span),
        api.section(names.machine(x)),
        id=ident,
    )


def _named(d: ast.MachineDecl) -> Html:
    """Events, deeds and variables."""
    rows = []
    for i in d.items:
        if isinstance(i, (ast.MEvent, ast.MDeed)):
            params = f"({', '.join(p.span.text() for p in i.params)})" if i.params else ""
            of = i.of if isinstance(i, ast.MDeed) else None
            told: Content = [f"; told of ", code(of.name)] if of is not None else ""
            rows.append(row(code(i.name.name + params), [("Is", [_WHAT[i.kind], told]), ("Meaning", sentence(i.doc))]))
        elif isinstance(i, ast.MVar):
            first = f", at first {i.first.span.text()}" if i.first is not None else ""
            rows.append(row(code(i.param.span.text()), [("Is", "a variable" + first), ("Meaning", sentence(i.doc))]))
    return table("What it knows of", ["Name", "Is", "Meaning"], [body(rows)], "events")


def _done(d: ast.MachineDecl, ident: str) -> Html:
    heads = ["In", "At", "If", "Then", "Does"]
    bodies = [body(_handler("each state", h, ident) for i in d.items if isinstance(i, ast.MAlways) for h in i.handlers)]
    for i in d.items:
        if isinstance(i, ast.MState):
            rows = [_handler(i.name.name, h, ident, first=n == 0) for n, h in enumerate(i.handlers)]
            if i.runs is not None:
                cells: list[tuple[str, Content]] = [("At", "the rest"), ("If", ""), ("Then", ["as ", code(i.runs.name)]), ("Does", "")]
                rows.append(row(code(i.name.name), cells, None if rows else f"{ident}-{i.name.name}"))
            bodies.append(body(rows))
    return table("What is done", heads, [b for b in bodies if "<tr" in b], "transitions")


def _handler(where: str, h: ast.MHandler, ident: str, first: bool = False) -> Html:
    cells: list[tuple[str, Content]] = [
        ("At", ["when " if h.word == "when" else "", comma([code(e.name) for e in h.events])]),
        ("If", code(_text(h.guard)) if h.guard is not None else ""),
        ("Then", code(h.to.name) if h.to is not None else "" if h.word == "on" else chip(f"{h.word}d")),
        ("Does", comma([code(_text(do)) for do in h.todo])),
    ]
    return row(code(where) if where != "each state" else where, cells, f"{ident}-{where}" if first else None)


def _never(d: ast.MachineDecl) -> Html:
    said = []
    for n in d.items:
        if isinstance(n, ast.MNever):
            what: Optional[Content] = code(n.deed.name) if n.deed is not None else code(_text(n.cond)) if n.cond is not None else None
            states: Content = [" in ", comma([code(s.name) for s in n.states])] if n.states else ""
            said.append(tag("li", "Never ", what, states, "."))
    return lines(block("ul", *said)) if said else join("")


def _text(x: ast.Expr | ast.MDo) -> str:
    return " ".join(x.span.text().split())
