"""The section of one packet."""

from __future__ import annotations

from typing import Iterator, Optional

from .. import ast, ir, layout, names
from ..lower_util import enum_of
from ..emit import c_text, text_plan
from ..field_ids import own_items
from . import bits_svg, bits_text, fields, words
from .c_api import CApi
from .html import Content, Html, block, code, comma, join, lines, link, tag
from .links import Site, Spec, anchor, field_anchor
from .parts import body, chip, details, facts, row, source, table, used_by
from .prose import last_rfc, paragraphs, sentence, summary

WIDE, NARROW = 32, 16  # bits a row, on a page and on a narrow screen


def section(site: Site, spec: Spec, packet: ir.Packet, api: CApi) -> Html:
    rfc = last_rfc(packet.doc)
    written = next((d for d in spec.unit.file.decls if isinstance(d, ast.PacketDecl) and d.name.name == packet.name), None)
    return block(
        "section",
        tag("h3", link(code(packet.name), f"#{anchor(packet)}", class_="self")),
        paragraphs(packet.doc),
        _facts(site, packet),
        drawing(packet),
        fields.fields(site, packet, rfc),
        _wheres(packet, rfc),
        *_arms(site, packet, rfc),
        source(written.span) if written is not None else None,
        api.section(names.packet(packet)),
        id=anchor(packet),
        class_="inline" if packet.inline else None,
    )


def drawing(packet: ir.Packet) -> Html:
    """The bits, for wide and for narrow screens, and in characters."""
    if not packet.items:
        return Html("")
    title = f"Bits of {packet.name}"
    drawn = [
        tag("div", bits_svg.draw(packet, WIDE, f"bits-{packet.name}", title), class_="wide"),
        tag("div", bits_svg.draw(packet, NARROW, f"bits16-{packet.name}", f"{title}, 16 a row"), class_="narrow"),
    ]
    text = details("As text", tag("pre", bits_text.draw(packet), class_="drawing", tabindex=0))
    return block("figure", *drawn, text)


def _facts(site: Site, packet: ir.Packet) -> Html:
    policy = []
    if packet.shared:
        policy.append("shared: each octet is loaded once")
    if packet.mutable:
        policy.append("mutable: fields can be set in place")
    most = [chip("must"), f" have at most {words.plural(packet.max_bytes, 'octet')}"] if packet.max_bytes is not None else ""
    return facts(
        [
            ("Size", words.octets(packet.size_min, packet.size_max)),
            ("Limit", most),
            ("Takes", comma([_param(site, packet, p) for p in packet.params])),
            ("Policy", comma(policy)),
            ("Text", _text(site, packet)),
            ("Part of" if packet.inline else "Used by", used_by(site, packet.module, site.users(packet))),
        ]
    )


def _param(site: Site, packet: ir.Packet, p: ir.Param) -> Html:
    if p.kind == "buffer":
        return join([code(p.name), ", octets to follow offsets into"])
    if p.enum is not None:
        return join([code(p.name), ", a ", link(code(p.enum.name), site.href(packet.module, p.enum))])
    limited = (p.lo, p.hi) != (0, (1 << p.bits) - 1)
    return join([code(p.name), f", a number in {p.lo}..{p.hi}" if limited else ", a number"])


# --- presentation format ----------------------------------------------------------------------------


def _text(site: Site, packet: ir.Packet) -> Content:
    """How it looks in presentation format, where the specification says something of that."""
    formed = any(getattr(i, "text", None) is not None for p in layout.contained(packet) for i in [p, *own_items(p.items)])
    if packet.inline or not formed or c_text.why_not_print(packet) is not None:
        return ""
    if packet.text is not None:
        return fields.item_text(site, packet, packet.text)
    shown = code(f"{packet.name} = {' SP '.join(_shown(i) for i in text_plan.visible(packet)) or 'nothing'}")
    why = c_text.why_not_read(packet)
    return [shown, f"; not read back: {why}" if why is not None else ""]


def _shown(item: ir.Item) -> str:
    item = text_plan.unwrap(item)
    if isinstance(item, ir.Optional_):
        return f"[{' SP '.join(_shown(i) for i in item.items if i.name and not isinstance(i, (ir.Check, ir.Let)))}]"
    return f"*{item.name}" if isinstance(item, ir.List) else item.name


# --- constraints ----------------------------------------------------------------------------------------


def _wheres(packet: ir.Packet, rfc: Optional[str]) -> Html:
    """Constraints that are about several fields."""
    rules = [tag("li", _where(check, conditions, rfc)) for check, conditions in _found(packet.items, ())]
    if not rules:
        return Html("")
    return lines(tag("h4", "Constraints"), block("ul", *rules, class_="rules"))


def _found(items: list[ir.Item], conditions: tuple[str, ...]) -> Iterator[tuple[ir.Check, tuple[str, ...]]]:
    for item in items:
        if isinstance(item, ir.Optional_):
            yield from _found(item.items, (*conditions, words.condition(item.cond)))
        elif isinstance(item, ir.Check) and not item.name and fields.subject(item) is None:
            yield item, conditions


def _where(check: ir.Check, conditions: tuple[str, ...], rfc: Optional[str]) -> Content:
    said = check.what if not check.what.startswith("must hold: ") else ""
    return [
        [chip(check.severity), " "],
        [" and ".join(conditions), ": "] if conditions else "",
        [said, ": "] if said else "",
        code(words.expr(check.expr)),
        [" (", sentence(check.doc, rfc), ")"] if check.doc else "",
    ]


# --- arms ---------------------------------------------------------------------------------------------------


def _arms(site: Site, packet: ir.Packet, rfc: Optional[str]) -> Iterator[Html]:
    for item in layout.walk(packet.items):
        if isinstance(item, ir.Switch):
            yield _switch(site, packet, item, rfc)
        elif isinstance(item, ir.Chain):
            yield _chain(site, packet, item, rfc)


def _switch(site: Site, packet: ir.Packet, item: ir.Switch, rfc: Optional[str]) -> Html:
    enum = enum_of(item.on)
    rows = []
    for arm in item.arms:
        rules = fields.item_rules(site, packet, arm.item) if arm.item is not None else []
        doc = _doc(arm.item) if arm.item is not None else ""
        meaning = [tag("p", sentence(doc, rfc)) if doc else "", tag("ul", *(tag("li", r) for r in rules), class_="rules") if rules else ""]
        kind = fields.item_type(site, packet, arm.item) if arm.item is not None else "nothing"
        cells: list[tuple[str, Content]] = [
            ("Name", code(arm.name)),
            ("Holds", kind),
            ("Size", words.size(arm.item) if arm.item is not None else "0 octets"),
            ("Meaning", meaning),
        ]
        first = comma([_pattern(site, packet, enum, p) for p in arm.pats]) if arm.pats else "any other"
        rows.append(row(first, cells))
    if item.default is None:
        rows.append(row("any other", [("Name", ""), ("Holds", "a rejection"), ("Size", ""), ("Meaning", "")]))
    heads = ["Value", "Name", "Holds", "Size", "Meaning"]
    caption = [code(item.name), " by ", code(words.expr(item.on))]
    return tag("div", table(caption, heads, [body(rows)], "arms"), id=f"{field_anchor(packet, item.name)}-arms")


def _doc(item: ir.Item) -> str:
    """What an arm's comment says; without one, what its packet is about."""
    return item.doc or (summary(item.packet.doc) if isinstance(item, ir.Sub) else "")


def _pattern(site: Site, packet: ir.Packet, enum: Optional[ir.Enum], pat: ir.Pat) -> Content:
    """A value; a name of an enum leads to what it means."""
    name = pat.text.split(".")[-1]
    if enum is not None and any(m.name == name for m in enum.members):
        return [link(code(name), site.member_href(packet.module, enum, name)), f" {fields.span(pat.lo, pat.hi)}"]
    return code(pat.text or fields.span(pat.lo, pat.hi))


def _chain(site: Site, packet: ir.Packet, item: ir.Chain, rfc: Optional[str]) -> Html:
    rows = []
    for arm in item.arms:
        cells: list[tuple[str, Content]] = [
            ("First octet", code(", ".join(f"{lo:#04x}" if lo == hi else f"{lo:#04x}..{hi:#04x}" for lo, hi in arm.first))),
            ("Then", _then(arm)),
            ("Meaning", sentence(arm.packet.doc, rfc)),
        ]
        rows.append(row(link(code(arm.packet.name), site.href(packet.module, arm.packet)), cells))
    caption = ["Kinds of ", code(item.name)]
    return tag("div", table(caption, ["Kind", "First octet", "Then", "Meaning"], [body(rows)], "arms"), id=f"{field_anchor(packet, item.name)}-arms")


def _then(arm: ir.ChainArm) -> Content:
    if arm.kind == "item":
        return "another follows"
    if arm.kind == "stop":
        return "the chain ends"
    assert arm.buffer is not None and arm.at is not None
    return [
        "it goes on at ",
        code(f"{arm.buffer.name}[{words.expr(arm.at)}]"),
        f", which must lie strictly before where the current run of kinds began; at most {arm.max_jumps} times",
    ]
