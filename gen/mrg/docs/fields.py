"""The table of a packet's fields: where each is, what it is, and which rules it keeps."""

from __future__ import annotations

from typing import Callable, Iterable, Iterator, Optional, Union

from .. import ir, layout, sizes, textforms
from ..lower_util import enum_of
from . import words
from .html import Content, Html, code, comma, join, link, tag
from .links import Site, field_anchor
from .parts import body, chip, row, table
from .prose import sentence

HEADS = ["Field", "Octet", "Size", "Type", "Meaning"]

Number = Union[ir.Scalar, ir.Varint]


def fields(site: Site, packet: ir.Packet, rfc: Optional[str]) -> Html:
    """The table; nothing for a packet without items."""
    writer = _Fields(site, packet, rfc)
    bodies = list(writer.bodies(packet.items, (), 0))
    return table(f"Fields of {packet.name}", HEADS, bodies, "fields titled") if bodies else Html("")


class _Fields:
    def __init__(self, site: Site, packet: ir.Packet, rfc: Optional[str]) -> None:
        self.site, self.packet, self.rfc = site, packet, rfc
        self.derived = {id(found.path[0]): found for found in layout.lengths(packet) if len(found.path) == 1}

    def bodies(self, items: list[ir.Item], conditions: tuple[str, ...], at: Optional[int]) -> Iterator[Html]:
        """Groups of rows: those that are always there, those of each optional group.  at: bits from the packet's start."""
        head = _across(f"{words.capital(' and '.join(conditions))}:") if conditions else Html("")
        rows: list[Content] = []
        for i, item in enumerate(items):
            if isinstance(item, ir.Optional_):
                if rows:
                    yield body([head, *rows])
                    rows = []
                yield from self.bodies(item.items, (*conditions, words.condition(item.cond)), at)
                head = head or _across("In any case:")
                at = None
            elif isinstance(item, ir.EndianSel):
                rows.append(_across(f"From here on big-endian {words.condition(item.cond)}, else little-endian."))
            elif not isinstance(item, ir.Check):
                rows.append(self.row(item, items[i + 1 :], at))
                at = _behind(item, at)
        if rows:
            yield body([head, *rows])

    def row(self, item: ir.Item, after: list[ir.Item], at: Optional[int]) -> Html:
        name: Content = code(item.name) if item.name else tag("span", _unnamed(item), class_="soft")
        sized = not isinstance(item, ir.Let)
        meaning = [tag("p", sentence(item.doc, self.rfc))] if item.doc else []
        rules = [tag("li", rule) for rule in self.rules(item, after)]
        if rules:
            meaning.append(tag("ul", *rules, class_="rules"))
        cells: list[tuple[str, Content]] = [
            ("Octet", _place(at) if sized else ""),
            ("Size", words.size(item) if sized else ""),
            ("Type", self.type(item)),
            ("Meaning", meaning),
        ]
        return row(name, cells, field_anchor(self.packet, item.name) if item.name else None)

    # --- types -------------------------------------------------------------------------------

    def type(self, item: ir.Item) -> Html:
        """What an item is; by the name that was written, where that is a type's."""
        alias = self.site.aliases.get(item.loc)
        plain = join(_TYPES[type(item)](self, item))
        if alias is not None and not isinstance(item, ir.Region):
            return join([link(code(alias.name.name), self.site.href(self.packet.module, alias)), ", ", plain])
        return plain

    def _scalar(self, item: ir.Scalar) -> Content:
        order = {"big": "", "little": ", little-endian", "dyn": ", in the chosen order"}[item.endian] if item.bits > 8 else ""
        if item.enum is not None:
            return [link(code(item.enum.name), self.site.href(self.packet.module, item.enum)), order]
        if item.bits == 1:
            return "flag"
        return f"{'signed ' if item.signed else ''}number{order}"

    def _bytes(self, item: ir.Bytes) -> Content:
        return "octets"

    def _sub(self, item: ir.Sub) -> Content:
        args = [words.expr(a) if isinstance(a, ir.Expr) else "this" if a.param is None else a.param.name for a in item.args]
        name = link(code(item.packet.name), self.site.href(self.packet.module, item.packet))
        return [name, f"({', '.join(args)})" if args and not item.packet.inline else ""]

    def _list(self, item: ir.List) -> Content:
        if isinstance(item.elem, ir.Scalar) and item.elem.enum is None:
            return f"list of {words.element(item)}"
        return ["list of ", self.type(item.elem), f" of {words.size(item.elem)}" if isinstance(item.elem, ir.Bytes) else ""]

    def _switch(self, item: ir.Switch) -> Content:
        return ["one of ", link(f"{len(item.arms)} kinds", f"#{field_anchor(self.packet, item.name)}-arms")]

    def _chain(self, item: ir.Chain) -> Content:
        return ["chain of ", link(f"{len(item.arms)} kinds", f"#{field_anchor(self.packet, item.name)}-arms")]

    def _varint(self, item: ir.Varint) -> Content:
        return link(code(item.spec.name), self.site.href(self.packet.module, item.spec))

    def _region(self, item: ir.Region) -> Content:
        return self.type(item.item)

    def _let(self, item: ir.Let) -> Content:
        return "value"

    def _align(self, item: ir.Align) -> Content:
        return "padding"

    # --- rules --------------------------------------------------------------------------------

    def rules(self, item: ir.Item, after: list[ir.Item]) -> list[Content]:
        inner = item.item if isinstance(item, ir.Region) else item
        out = list(_RULES[type(inner)](self, inner)) if type(inner) in _RULES else []
        out += [[chip(c.severity), " ", code(constraint(c))] for c in _about(inner, after)]
        if isinstance(item, ir.Region):
            out.append("must fill its octets" if not item.tail else "what it leaves of its octets is skipped")
        form = getattr(inner, "text", None)
        if isinstance(form, ir.TextForm):
            out.append(self.text(form))
        return out

    def text(self, form: ir.TextForm) -> Content:
        args = [link(a.name, self.site.href(self.packet.module, a)) if isinstance(a, ir.Enum) else str(a) for a in form.args]
        about = sentence(textforms.FORMS[form.name].doc)
        return [chip("text"), " ", code(form.name, ["(", comma(args), ")"] if args else ""), ": ", about]

    def _number_rules(self, item: Number) -> Iterator[Content]:
        fixed = words.constant(item)
        if fixed is not None:
            shown = f"0b{fixed:0{item.bits}b}" if isinstance(item, ir.Scalar) and not item.name and item.bits < 8 else str(fixed)
            yield [chip(item.severity), " ", code(f"= {shown}")]
        elif item.computed is not None:
            yield [chip("computed"), " ", code(words.expr(item.computed)), _checked(item)]
        elif id(item) in self.derived:
            found = self.derived[id(item)]
            yield [chip("computed"), " ", code(f"{found.kind} {found.item.name}"), ": builders fill it in"]
        if isinstance(item, ir.Scalar) and item.enum is not None and item.enum.closed:
            yield [chip("must"), " be one of the names"]

    def _bytes_rules(self, item: ir.Bytes) -> Iterator[Content]:
        if item.mode == "until":
            yield f"ends before the first octet {item.until:#04x}, which is skipped"
        elif item.mode == "rest":
            yield "up to the end of what holds it"
        if item.max is not None:
            yield [chip("must"), f" have at most {words.plural(item.max, 'octet')}"]
        if item.nocase:
            yield "upper and lower case are the same when compared"

    def _sub_rules(self, item: ir.Sub) -> Iterator[Content]:
        if item.flat:
            yield "never compressed by builders"

    def _list_rules(self, item: ir.List) -> Iterator[Content]:
        said = code(words.expr(item.expr)) if item.expr is not None else Html("")
        ends: dict[str, Content] = {
            "count": [said, " of them"],
            "bytes": "the last must end where its octets do",
            "rest": "up to the end of what holds it",
            "while": ["one more while ", said],
            "until": ["the last is the first with ", said],
        }
        yield ends[item.mode]
        if item.max is not None:
            yield [chip("must"), f" have at most {words.plural(item.max, 'element')}"]
        for word, key in (("unique", item.unique), ("ascending", item.ascending)):
            if key:
                name = ".".join(i.name for i in key if i is not item.elem or len(key) == 1)
                but = [span(lo, hi) for lo, hi in item.exempt]
                yield [chip("must"), f" have {word} ", code(name), f" (but for {', '.join(but)})" if but else ""]

    def _switch_rules(self, item: ir.Switch) -> Iterator[Content]:
        yield ["chosen by ", code(words.expr(item.on))]

    def _chain_rules(self, item: ir.Chain) -> Iterator[Content]:
        yield "each told by its first octet"
        yield [chip("must"), f" have at most {words.plural(item.max_bytes, 'octet')} in all"]

    def _let_rules(self, item: ir.Let) -> Iterator[Content]:
        yield [chip("value"), " ", code(words.expr(item.expr))]

    def _align_rules(self, item: ir.Align) -> Iterator[Content]:
        yield f"up to a multiple of {item.to} octets from the packet's first"
        if item.zero:
            yield [chip("must"), " be zero"]


_TYPES: dict[type, Callable[..., Content]] = {
    ir.Scalar: _Fields._scalar,
    ir.Bytes: _Fields._bytes,
    ir.Sub: _Fields._sub,
    ir.List: _Fields._list,
    ir.Switch: _Fields._switch,
    ir.Chain: _Fields._chain,
    ir.Varint: _Fields._varint,
    ir.Region: _Fields._region,
    ir.Let: _Fields._let,
    ir.Align: _Fields._align,
}
_RULES: dict[type, Callable[..., Iterable[Content]]] = {
    ir.Scalar: _Fields._number_rules,
    ir.Varint: _Fields._number_rules,
    ir.Bytes: _Fields._bytes_rules,
    ir.Sub: _Fields._sub_rules,
    ir.List: _Fields._list_rules,
    ir.Switch: _Fields._switch_rules,
    ir.Chain: _Fields._chain_rules,
    ir.Let: _Fields._let_rules,
    ir.Align: _Fields._align_rules,
}


def item_type(site: Site, packet: ir.Packet, item: ir.Item) -> Html:
    """What an item of a packet is, an arm's too."""
    return _Fields(site, packet, None).type(item)


def item_rules(site: Site, packet: ir.Packet, item: ir.Item) -> list[Content]:
    return _Fields(site, packet, None).rules(item, [])


def item_text(site: Site, packet: ir.Packet, form: ir.TextForm) -> Content:
    return _Fields(site, packet, None).text(form)


def span(lo: int, hi: int) -> str:
    return str(lo) if lo == hi else f"{lo}..{hi}"


def _across(text: str) -> Html:
    """A row about those that follow it."""
    return tag("tr", tag("th", text, colspan=len(HEADS), scope="rowgroup", role="rowheader"), class_="when", role="row")


def _unnamed(item: ir.Item) -> str:
    return "padding" if isinstance(item, ir.Align) else "constant"


def _behind(item: ir.Item, at: Optional[int]) -> Optional[int]:
    """The place behind an item, where that is always the same."""
    if at is None or isinstance(item, ir.Let):
        return at
    if isinstance(item, ir.Scalar):
        return at + item.bits
    least, most = sizes.of(item)
    return at + 8 * least if least == most else None


def _place(at: Optional[int]) -> Content:
    if at is None:
        return tag("span", "varies", class_="soft")
    return f"{at // 8}, bit {at % 8}" if at % 8 else str(at // 8)


def _about(item: ir.Item, after: list[ir.Item]) -> Iterator[ir.Check]:
    """The constraints that were written on an item itself: they come right behind it."""
    for other in after:
        if not isinstance(other, ir.Check):
            return
        if subject(other) is item:
            yield other


def subject(check: ir.Check) -> Optional[ir.Item]:
    """The item that a constraint was written on, or None: a `where`."""
    e = check.expr
    ref = e.e if isinstance(e, ir.In) else e.a if isinstance(e, ir.Bin) else None
    if not isinstance(ref, ir.FieldRef) or len(ref.path) != 1:
        return None
    return ref.path[0] if check.name == ref.path[0].name else None


def constraint(check: ir.Check) -> str:
    """What a field's own constraint allows: `in 5..15`, `!= 0`, `= 3`."""
    e = check.expr
    if isinstance(e, ir.In):
        return f"in {words.ranges(e)}"
    assert isinstance(e, ir.Bin)
    return f"{'=' if e.op == '==' else e.op} {words.expr(e.b)}"


def _checked(item: Number) -> str:
    if item.severity == "send":
        return ": builders fill it in; parsers don't look"
    if item.severity == "warn":
        return ": builders fill it in; another value is a warning"
    return ": builders fill it in" + ("" if item.implied else "; parsers compare")
