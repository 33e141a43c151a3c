"""Sections of a module's page for all that is declared but packets and grammars."""

from __future__ import annotations

from typing import Callable, Optional

from .. import ir, names, sizes
from . import words
from .html import Content, Html, block, code, comma, join, lines, link, tag
from .links import Site, Spec, anchor
from .parts import body, facts, row, source, table, used_by
from .prose import last_rfc, paragraphs, sentence


def constants(site: Site, spec: Spec) -> Html:
    rows = []
    for c in spec.module.consts:
        said = code(c.text) if c.text == str(c.value) else [code(c.text), f", that is {c.value}"]
        rows.append(row(code(c.name), [("Value", said), ("Meaning", sentence(c.doc)), ("In C", code(names.const(c)))], anchor(c)))
    return table("Constants", ["Name", "Value", "Meaning", "In C"], [body(rows)], "titled")


def types(site: Site, spec: Spec) -> Html:
    rows = []
    for d in spec.types:
        written = " ".join(d.span.text().split("=", 1)[1].strip().rstrip(";").split())
        users = used_by(site, spec.module, site.users(d))
        rows.append(row(code(d.name.name), [("Is", code(written)), ("Meaning", sentence(d.doc)), ("Used by", users)], anchor(d)))
    return table("Types", ["Name", "Is", "Meaning", "Used by"], [body(rows)], "titled")


def externs(site: Site, spec: Spec) -> Html:
    rows = []
    for x in spec.module.externs:
        said = f"{x.name}({', '.join(f'{p.name}: u{p.bits}' for p in x.params)}) : u{x.bits}"
        cells: list[tuple[str, Content]] = [
            ("Meaning", [sentence(x.doc), " Written in C by the user."]),
            ("In C", code(names.extern(x))),
            ("Used by", used_by(site, spec.module, site.users(x))),
        ]
        rows.append(row(code(said), cells, anchor(x)))
    return table("Functions of the user", ["Function", "Meaning", "In C", "Used by"], [body(rows)], "titled")


# --- enums --------------------------------------------------------------------------------------


def enum(site: Site, spec: Spec, e: ir.Enum) -> Html:
    rfc = last_rfc(e.doc)
    others = "a rejection" if e.closed else "pass" + (f", in text as {e.unknown} and the number" if e.unknown else "")
    if e.words:
        others = f"0 stands for a word that is none of these; others {others}"
    said = facts(
        [
            ("Width", words.plural(e.bits, "bit")),
            ("Other values", others),
            ("Words", _WORDS[e.words]),
            ("In C", comma([code(f"enum {names.enum(e)}"), code(f"{names.enum(e).upper()}_\u2026"), *_functions(e)])),
            ("Used by", used_by(site, spec.module, site.users(e))),
        ]
    )
    written = next(d for d in spec.unit.file.decls if d.name.name == e.name)
    return block(
        "section",
        tag("h3", link(code(e.name), f"#{anchor(e)}", class_="self")),
        paragraphs(e.doc),
        said,
        _members(e, rfc),
        source(written.span),
        id=anchor(e),
    )


#: How the words of an enum are compared.
_WORDS = {"": "", "exact": "compared octet by octet", "nocase": "compared without regard to case"}


def _functions(e: ir.Enum) -> list[Html]:
    """From a word to the value, and back."""
    return [code(f"{names.enum(e)}_of()"), code(f"{names.enum(e)}_word()")] if e.words else []


def _members(e: ir.Enum, rfc: Optional[str]) -> Html:
    """The names in order of their values; the columns that no name has anything in are left out."""
    columns: list[tuple[str, Callable[[ir.Member], Content]]] = [
        ("Value", lambda m: str(m.lo) if m.lo == m.hi else f"{m.lo}..{m.hi}"),
        ("Words", lambda m: comma([code(w) for w in m.words]) if m.words != [m.text] else ""),
        ("In text", lambda m: code(m.text) if m.text != m.name else ""),
        ("Meaning", lambda m: sentence(m.doc, rfc)),
        ("Reference", lambda m: sentence(m.ref)),
    ]
    used = [(head, cell) for head, cell in columns if any(join(cell(m)) for m in e.members)]
    rows = [row(code(m.name), [(head, cell(m)) for head, cell in used], f"{anchor(e)}-{m.name}") for m in e.members]
    return table(f"Names of {e.name}", ["Name", *(head for head, _ in used)], [body(rows)], "members titled")


# --- varints ------------------------------------------------------------------------------------------


def varint(site: Site, spec: Spec, v: ir.VarintSpec) -> Html:
    said = facts(
        [
            ("Encoding", _SHAPES[v.shape](v)),
            ("Size", words.octets(*sizes.varint(v))),
            ("Values", f"0..{v.hi}"),
            ("Shortest", "a longer encoding than needed is a rejection" if v.minimal else ""),
            ("Used by", used_by(site, spec.module, site.users(v))),
        ]
    )
    written = next(d for d in spec.unit.file.decls if d.name.name == v.name)
    return block(
        "section",
        tag("h3", link(code(v.name), f"#{anchor(v)}", class_="self")),
        paragraphs(v.doc),
        said,
        source(written.span),
        id=anchor(v),
    )


def _tagged(v: ir.VarintSpec) -> str:
    tags = [f"{n:0{v.tag_bits}b}: {w}" for n, w in enumerate(v.widths)]
    return f"the first {words.plural(v.tag_bits, 'bit')} say how many bits of the value follow ({', '.join(tags)})"


_SHAPES: dict[str, Callable[[ir.VarintSpec], str]] = {
    "tagged": _tagged,
    "groups": lambda v: f"7 bits an octet, the {'least' if v.order == 'little' else 'most'} significant first; the top bit says that more follow",
    "prefix": lambda v: f"the low {v.prefix_bits} bits of an octet; when all are ones, what comes in octets of 7 bits, least significant first, is added",
    "short": lambda v: "one octet below 0x80; or 0x80 and how many octets follow, then those, most significant first",
}


def present(site: Site, spec: Spec) -> list[tuple[str, str, Html]]:
    """Headings, their ids and what is below them, as far as there is any."""
    m = spec.module
    found: list[tuple[str, str, list[Html]]] = [
        ("Constants", "constants", [constants(site, spec)] if m.consts else []),
        ("Types", "types", [types(site, spec)] if spec.types else []),
        ("Numbers of varying size", "varints", [varint(site, spec, v) for v in m.varints]),
        ("Functions of the user", "externs", [externs(site, spec)] if m.externs else []),
        ("Enums", "enums", [enum(site, spec, e) for e in m.enums]),
    ]
    return [(title, ident, lines(*parts)) for title, ident, parts in found if parts]
