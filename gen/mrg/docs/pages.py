"""All pages of the reference: one a module, and the index.

Reading order: files, _module, _index.
"""

from __future__ import annotations

import os
from typing import Sequence

from .. import ir
from ..resolve import Unit
from . import decls, machines, packets, rules, words
from .c_api import CApi
from .frame import ICON, SCRIPT, STYLE, TITLE, Link, page
from .html import Content, Html, block, code, comma, lines, link, tag
from .links import Site, Spec, anchor, rule_anchor
from .parts import body, chip, facts, row, table
from .prose import paragraphs, summary

ABOUT = (
    "Morgana generates C that reads, checks and writes the messages of protocols, from one specification of each. "
    "These pages are generated from the same specifications, so they say what that code does."
)


def files(modules: Sequence[ir.Module], units: Sequence[Unit], more: Sequence[Link] = ()) -> dict[str, str]:
    """File name -> text."""
    site = Site(modules, units)
    out = {spec.page: _module(site, spec, more) for spec in site.specs}
    out["index.html"] = _index(site, more)
    folder = os.path.join(os.path.dirname(os.path.abspath(__file__)), "static")
    for name in (STYLE, SCRIPT, ICON):
        with open(os.path.join(folder, name), encoding="utf-8") as f:
            out[name] = f.read()
    return out


# --- a module -----------------------------------------------------------------------------------


def _module(site: Site, spec: Spec, more: Sequence[Link]) -> str:
    m = spec.module
    api = CApi(m)
    groups = decls.present(site, spec)
    if m.packets:
        groups.append(("Packets", "packets", lines(*(packets.section(site, spec, p, api) for p in spec.packets))))
    if m.grammars:
        groups.append(("Grammars", "grammars", lines(*(rules.section(site, spec, g, d, api) for g, d in spec.grammars))))
    if m.machines:
        groups.append(("Machines", "machines", lines(*(machines.section(site, spec, x, d, api) for x, d in spec.machines))))
    importers = [s.module for s in site.specs if m in s.module.imports]
    head = [
        tag("h1", "Module ", code(m.name)),
        paragraphs(m.doc),
        facts(
            [
                ("Source", code(m.path)),
                ("Imports", comma(_links(site, m.imports))),
                ("Imported by", comma(_links(site, importers))),
                ("In C", comma([code(h) for h in api.headers])),
            ]
        ),
    ]
    content = [*head, *(lines(tag("h2", title, id=ident), inner) for title, ident, inner in groups)]
    return page(f"{m.name} - {TITLE}", [" / ", code(m.name)], lines(*content), _contents(spec), more)


def _links(site: Site, modules: Sequence[ir.Module]) -> list[Html]:
    return [link(code(m.name), site.pages[m.name]) for m in modules]


def _contents(spec: Spec) -> list[tuple[str, list[Link]]]:
    m = spec.module
    groups: list[tuple[str, list[Link]]] = [
        ("Constants", [(c.name, f"#{anchor(c)}") for c in m.consts]),
        ("Types", [(t.name.name, f"#{anchor(t)}") for t in spec.types]),
        ("Numbers of varying size", [(v.name, f"#{anchor(v)}") for v in m.varints]),
        ("Functions of the user", [(x.name, f"#{anchor(x)}") for x in m.externs]),
        ("Enums", [(e.name, f"#{anchor(e)}") for e in m.enums]),
        ("Packets", [(p.name, f"#{anchor(p)}") for p in spec.packets if not p.inline]),
    ]
    groups.append(("Machines", [(x.name, f"#{anchor(x)}") for x in m.machines]))
    for g, d in spec.grammars:
        groups.append((f"Grammar {g.name}", [(r.name.name, f"#{rule_anchor(g.name, r.name.name)}") for r in rules.in_order(d)]))
    return [(title, links) for title, links in groups if links]


# --- the index -------------------------------------------------------------------------------------


def _index(site: Site, more: Sequence[Link]) -> str:
    groups: dict[str, list[Spec]] = {}
    for spec in site.specs:
        groups.setdefault(spec.module.name.split(".")[0], []).append(spec)
    sections = [_group(name, groups[name]) for name in sorted(groups, key=lambda n: (n == "iana", n))]
    content = lines(
        tag("h1", TITLE),
        tag("p", ABOUT, class_="about"),
        *sections,
        tag("h2", "Every name", id="names"),
        _names(site),
        tag("h2", "How to read this", id="reading"),
        _legend(),
    )
    return page(TITLE, "", content, [], more, script=True)


def _group(name: str, specs: Sequence[Spec]) -> Html:
    title = "Registries" if name == "iana" else name.upper() if len(name) <= 4 else name
    rows = []
    for spec in specs:
        m = spec.module
        rows.append(row(link(code(m.name), spec.page), [("About", summary(m.doc)), ("Holds", _counts(spec))]))
    head = tag("h2", title, id=f"group-{name}")
    return lines(head, table(f"Modules of {name}", ["Module", "About", "Holds"], [body(rows)], "modules titled"))


def _counts(spec: Spec) -> str:
    m = spec.module
    named = [p for p in m.packets if not p.inline]
    rules_of = [r for _, d in spec.grammars for r in d.rules]
    counts = [
        (len(named), "packet"),
        (len(m.enums), "enum"),
        (sum(len(e.members) for e in m.enums), "name"),
        (len(rules_of), "rule of text"),
        (len(m.machines), "machine"),
    ]
    return ", ".join(words.plural(n, what).replace("rule of texts", "rules of text") for n, what in counts if n)


def _names(site: Site) -> Html:
    """All that is declared, in one list that a script can search."""
    found: list[tuple[str, str, str, str]] = []  # name, what, module, target
    for spec in site.specs:
        m = spec.module
        rows: list[tuple[str, str, str]] = [(p.name, "packet", anchor(p)) for p in m.packets if not p.inline]
        rows += [(e.name, "enum", anchor(e)) for e in m.enums]
        rows += [(v.name, "varint", anchor(v)) for v in m.varints]
        rows += [(t.name.name, "type", anchor(t)) for t in spec.types]
        rows += [(c.name, "constant", anchor(c)) for c in m.consts]
        rows += [(x.name, "function", anchor(x)) for x in m.externs]
        rows += [(x.name, "machine", anchor(x)) for x in m.machines]
        for g, d in spec.grammars:
            rows.append((g.name, "grammar", anchor(g)))
            rows += [(r.name.name, f"{r.kind or 'part'} of {g.name}", rule_anchor(g.name, r.name.name)) for r in d.rules]
        found += [(name, what, m.name, f"{spec.page}#{ident}") for name, what, ident in rows]
    found.sort(key=lambda f: (f[0].lower(), f[2], f[3]))
    entries = [tag("li", link(code(name), target), " ", tag("span", f"{what}, {m}", class_="soft")) for name, what, m, target in found]
    search = tag(
        "p",
        tag("label", "Find a name: ", for_="find"),
        tag("input", type="search", id="find", autocomplete="off"),
        " ",
        tag("span", id="found", role="status"),
        id="search",
        hidden=True,
    )
    return lines(search, block("ul", *entries, class_="names", id="every"))


def _legend() -> Html:
    pairs: list[tuple[str, Content]] = [
        ("must", "parsers reject what breaks the rule, builders refuse to write it"),
        ("warn", "parsers go on, and note a warning in the view; builders write it"),
        ("send", "only builders keep the rule; parsers don't look"),
        ("computed", "a number that builders work out from the rest"),
        ("value", "derived from other fields; it takes no octets"),
        ("text", "how a field looks in presentation format"),
    ]
    chips = [tag("div", tag("dt", chip(word)), tag("dd", text)) for word, text in pairs]
    return lines(
        block("dl", *chips, class_="facts"),
        tag(
            "p",
            "Bits are drawn as RFCs do, the most significant first. Where a row ends early, the next follows without a gap. "
            "What is shaded and has broken sides takes as many octets as it says; what comes behind begins a new row. "
            "Fields with a constant value are shaded, too.",
        ),
        tag(
            "p",
            "In railroad diagrams, what stands in the input as it is has round ends, and a box with corners is another rule. "
            "A line below leads back: what is above it may come again. A dashed frame is a capture: the program is told what matched in it. "
            "A dotted frame says what is written for what is read in it.",
        ),
    )
