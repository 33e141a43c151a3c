"""What presentation format makes of a packet: which fields show, which are

derived, and whether the text can be read back.  Shared by the readers and the
printers that c_text.py puts together."""

from __future__ import annotations

from typing import Iterator, Optional, Union

from .. import ir, layout, names
from ..textforms import FORMS


class Unreadable(Exception):
    """The packet's text does not determine its bytes; says why."""


def unwrap(item: ir.Item) -> ir.Item:
    """The item itself: without a region around it."""
    return item.item if isinstance(item, ir.Region) else item


def core(item: Optional[ir.Item]) -> Optional[ir.Item]:
    """Like unwrap; also looks through an inline packet of one item."""
    if item is None:
        return None
    item = unwrap(item)
    if isinstance(item, ir.Sub) and item.packet.inline and item.packet.text is None:
        inner = [i for i in item.packet.items if not isinstance(i, (ir.Check, ir.Let))]
        if len(inner) == 1 and not isinstance(inner[0], ir.Optional_):
            return core(inner[0])
    return item


def inside(holder: ir.Item, item: ir.Item) -> bool:
    """Is item one of an optional group, at any depth?"""
    holder = unwrap(holder)
    return isinstance(holder, ir.Optional_) and any(unwrap(i) is item or inside(i, item) for i in holder.items)


def form_of(item: ir.Item) -> Optional[ir.TextForm]:
    text: Optional[ir.TextForm] = getattr(unwrap(item), "text", None)
    return text


def form_name(item: ir.Item) -> str:
    """Name of the item's form, defaults filled in."""
    item = unwrap(item)
    form = form_of(item)
    if form is not None:
        return form.name
    if isinstance(item, ir.Scalar):
        return "dec" if item.enum is None else "mnemonic"
    if isinstance(item, ir.Varint):
        return "dec"
    return "hex" if isinstance(item, ir.Bytes) else ""


def form_enum(form: ir.TextForm) -> ir.Enum:
    for arg in form.args:
        if isinstance(arg, ir.Enum):
            return arg
    raise ValueError(f"text form '{form.name}' lacks its enum")


def derived(packet: ir.Packet) -> dict[int, ir.Expr]:
    """Scalars that the reader fills in: id -> what they are."""
    out: dict[int, ir.Expr] = {}
    for length in layout.lengths(packet):
        if len(length.path) == 1:
            target = length.path[0]
            cls = ir.SizeOf if length.kind == "size" else ir.CountOf
            out[id(target)] = cls(target.loc, 0, (1 << 64) - 1, length.item)
    for item in layout.walk(packet.items):
        if isinstance(item, (ir.Scalar, ir.Varint)) and item.computed is not None and not _given(item):
            out[id(item)] = item.computed
    return out


def _given(item: Union[ir.Scalar, ir.Varint]) -> bool:
    """`name: T = 3`: what it should be, but the text says what it is; without a name it isn't in the text."""
    return isinstance(item.computed, ir.Const)


def constant(item: ir.Scalar) -> int:
    """The value of a scalar that is not in the text and follows from nothing."""
    if item.const is not None:
        return item.const
    return item.computed.value if isinstance(item.computed, ir.Const) else max(item.lo, 0)


def label_max(chain: ir.Chain) -> int:
    """Of a chain of labels (a length of 1..max and that many octets; one zero octet ends it) max, else 0."""
    found = 0
    for arm in chain.arms:
        lengths = [s for s in arm.packet.items if isinstance(s, ir.Scalar) and s.name]
        octets = [b for b in arm.packet.items if isinstance(b, ir.Bytes)]
        if arm.kind == "item" and (len(lengths) != 1 or len(octets) != 1 or found):
            return 0
        if arm.kind == "item":
            found = lengths[0].hi
    return found if found <= 63 and chain.max_bytes <= 255 else 0


def shows(packet: ir.Packet, item: ir.Item, known: dict[int, ir.Expr]) -> bool:
    """Does the item stand in the text?"""
    item = unwrap(item)
    if isinstance(item, (ir.Check, ir.Let, ir.Align, ir.EndianSel)) or form_name(item) == "none":
        return False
    if packet.text_order is not None:
        return item.name in packet.text_order
    if id(item) in known:
        # sums and the like are left to the reader too: they follow from the rest
        return False
    return bool(item.name) or isinstance(item, ir.Optional_)


def visible(packet: ir.Packet) -> list[ir.Item]:
    """Fields that show, in presentation order; optional groups as they are."""
    known = derived(packet)
    items = [i for i in packet.items if shows(packet, i, known) or _shows_inside(packet, i, known)]
    if packet.text_order is None:
        return items
    rank = {name: i for i, name in enumerate(packet.text_order)}
    return sorted(items, key=lambda i: min([rank[n] for n in _names(i) if n in rank] or [len(rank)]))


def _names(item: ir.Item) -> list[str]:
    item = unwrap(item)
    if isinstance(item, ir.Optional_):
        return [n for i in item.items for n in _names(i)]
    return [item.name]


def _shows_inside(packet: ir.Packet, item: ir.Item, known: dict[int, ir.Expr]) -> bool:
    return isinstance(item, ir.Optional_) and any(shows(packet, i, known) for i in item.items)


def transparent(packet: ir.Packet) -> bool:
    """Its only field needs no name of its own in messages: who holds it has one."""
    if packet.text is not None:
        return True
    fields = visible(packet)
    return len(fields) == 1 and isinstance(unwrap(fields[0]), (ir.Bytes, ir.Scalar, ir.Chain, ir.Varint))


def sole_field(packet: ir.Packet) -> str:
    fields = visible(packet)
    return unwrap(fields[0]).name if packet.text is None and len(fields) == 1 else ""


# --- does it take every token to the end? ------------------------------------------


def greedy_item(item: ir.Item) -> bool:
    item = unwrap(item)
    form = form_name(item)
    if isinstance(item, ir.Optional_):
        return _asks_for_more(item.cond) or any(greedy_item(i) for i in item.items)
    if isinstance(item, ir.List):
        return not (item.mode == "count" and item.expr is not None and not _counts(item.expr, item))
    if isinstance(item, ir.Bytes):
        return False  # one token unless it is the last
    if isinstance(item, ir.Sub):
        return greedy(item.packet) if item.text is None else item.text.name == "windows"
    if isinstance(item, ir.Switch):
        return any(arm.item is not None and greedy_item(arm.item) for arm in item.arms)
    return form == "windows"


def greedy(packet: ir.Packet) -> bool:
    """Reads tokens as long as there are any."""
    if packet.text is not None:
        return packet.text.name in ("windows", "loc")
    fields = visible(packet)
    if any(greedy_item(f) for f in fields):
        return True
    return bool(fields) and tail_bytes(fields[-1])


def takes_all(packet: ir.Packet) -> bool:
    """Does a message take all octets that there are?"""
    own = [i for i in packet.items if not isinstance(i, (ir.Check, ir.Let))]
    if own and isinstance(own[-1], ir.Optional_):
        return _if_any(packet, own[-1])
    return bool(own) and _item_takes_all(own[-1])


def _if_any(packet: ir.Packet, group: ir.Optional_) -> bool:
    """A group that takes all, and is there if and only if there is anything: a constraint says so."""
    before = packet.items[next(k for k, i in enumerate(packet.items) if i is group) - 1]
    if not isinstance(before, ir.Check) or before.severity != "must" or not isinstance(before.expr, ir.Bin) or before.expr.op != "||":
        return False
    none, some, there = before.expr.a, before.expr.b, group.cond
    if not isinstance(none, ir.Bin) or not isinstance(some, ir.Bin) or not isinstance(there, ir.Bin) or _avail(some) is None:
        return False
    told = (none.op, _avail(none)) == ("==", 0) and (some.op, _avail(some)) == (there.op, _avail(there))
    return told and _item_takes_all(group.items[-1])


def _avail(e: ir.Bin) -> Optional[int]:
    """What the number of octets left is compared with."""
    return e.b.value if isinstance(e.a, ir.Avail) and isinstance(e.b, ir.Const) else None


def _item_takes_all(item: Optional[ir.Item]) -> bool:
    if isinstance(item, (ir.Bytes, ir.List)):
        return item.mode == "rest"
    if isinstance(item, ir.Sub):
        return takes_all(item.packet)
    return isinstance(item, ir.Switch) and all(_item_takes_all(arm.item) for arm in item.arms)


def partial(packet: ir.Packet) -> bool:
    """Whether some of the packets that are accepted can't be printed."""
    parts = layout.contained(packet)
    forms = [*(p.text for p in parts), *(form_of(unwrap(i)) for p in parts for i in layout.walk(p.items))]
    return any(FORMS[form.name].partial for form in forms if form is not None)


def tail_bytes(item: ir.Item) -> bool:
    """A byte field that takes several tokens when it is the last."""
    item = unwrap(item)
    return isinstance(item, ir.Bytes) and form_name(item) in ("hex", "base64")


def _asks_for_more(cond: ir.Expr) -> bool:
    return any(isinstance(e, (ir.Avail, ir.Peek)) for e in layout.refs(cond))


asks_for_more = _asks_for_more


def _counts(expr: ir.Expr, item: ir.Item) -> bool:
    """Is the count derived from the list itself?"""
    if not isinstance(expr, ir.FieldRef) or len(expr.path) != 1:
        return False
    target = expr.path[0]
    computed = getattr(target, "computed", None)
    return computed is None or any(isinstance(e, ir.CountOf) and unwrap(e.item) is item for e in layout.refs(computed))


# --- what the reading of fields does not already guarantee ----------------------------


def needs_check(packet: ir.Packet) -> bool:
    """Must the finished bytes go through the packet's own check?"""
    if packet.text is not None:
        return packet.text.name != "windows"
    known = derived(packet)
    if packet.max_bytes is not None:
        return True
    return any(_doubtful(item, known) for item in layout.walk(packet.items))


def _doubtful(item: ir.Item, known: dict[int, ir.Expr]) -> bool:
    if isinstance(item, ir.Check):
        return item.severity == "must" and not _interval(item.expr) and least_size(item) is None
    if isinstance(item, ir.List):
        return item.unique is not None or item.ascending is not None or item.mode in ("while", "until")
    if isinstance(item, ir.Bytes):
        return item.mode == "until" or (item.mode == "len" and not _settled(item.length, known))
    if isinstance(item, ir.Region):
        return not _settled(item.length, known)
    if isinstance(item, ir.Scalar):
        closed = item.enum is not None and item.enum.closed
        return (closed and form_name(item) != "mnemonic") or (item.const is not None and bool(item.name))
    return False


def _settled(length: Optional[ir.Expr], known: dict[int, ir.Expr]) -> bool:
    """Is the length right by the way the reader works?"""
    if isinstance(length, ir.Const):
        return True
    return isinstance(length, ir.FieldRef) and len(length.path) == 1 and id(length.path[0]) in known


def _interval(expr: ir.Expr) -> bool:
    """A constraint that `lo..hi` of its field says already."""
    if isinstance(expr, ir.In) and len(expr.ranges) == 1:
        a, (lo, hi) = expr.e, expr.ranges[0]
        return _plain(a) and isinstance(lo, ir.Const) and isinstance(hi, ir.Const)
    if isinstance(expr, ir.Bin) and expr.op in ("<", "<=", ">", ">="):
        return _plain(expr.a) and isinstance(expr.b, ir.Const)
    return False


def least_size(check: ir.Check) -> Optional[tuple[ir.Item, int]]:
    """`where size field >= 1`: the field and its least size."""
    e = check.expr
    if check.severity != "must" or not isinstance(e, ir.Bin) or e.op not in (">=", ">"):
        return None
    if not isinstance(e.a, ir.SizeOf) or e.a.item is None or not isinstance(e.b, ir.Const):
        return None
    return unwrap(e.a.item), e.b.value + (e.op == ">")


def _plain(e: ir.Expr) -> bool:
    return isinstance(e, ir.FieldRef) and len(e.path) == 1 and isinstance(e.path[0], ir.Scalar)


# --- switches over a tag, read and printed from outside ----------------------------------


def switches(packet: ir.Packet) -> Iterator[ir.Switch]:
    """Switches of packets: each is readable by its tag alone."""
    for item in layout.walk(packet.items):
        if isinstance(item, ir.Switch) and item.arms and _packet_arms(item):
            yield item


def _packet_arms(item: ir.Switch) -> bool:
    return sum(isinstance(a.item, ir.Sub) for a in item.arms) > len(item.arms) / 2


def opaque_default(item: ir.Switch) -> bool:
    """Are tags without an arm plain bytes?  Then all arms can be written so."""
    default = item.default
    if default is None:
        return False
    inner = core(default.item)
    return isinstance(inner, ir.Bytes) and inner.mode == "rest" and inner.text is None


def tag_enum(item: ir.Switch) -> Optional[ir.Enum]:
    """The enum that names the tags, if one does."""
    seen: list[ir.Expr] = [item.on]
    while seen:
        for e in layout.refs(seen.pop()):
            if not isinstance(e, ir.FieldRef):
                continue
            target = e.path[-1]
            if isinstance(target, ir.Let):
                seen.append(target.expr)
            elif isinstance(target, ir.Scalar) and target.enum is not None and _names_arms(target.enum, item):
                return target.enum
    return None


def _names_arms(enum: ir.Enum, item: ir.Switch) -> bool:
    tags = [p for a in item.arms for p in a.pats if p.lo == p.hi]
    values = {m.lo: m.name for m in enum.members if m.lo == m.hi}
    return bool(tags) and all(p.text.split(".")[-1] == values.get(p.lo) for p in tags)


def tag_text(enum: Optional[ir.Enum], value: int) -> str:
    for m in enum.members if enum is not None else []:
        if m.lo == value and m.hi == value:
            return m.text
    return ""


def get_name(packet: ir.Packet) -> str:
    return f"{names.packet(packet)}_get_text"


def enum_name(enum: ir.Enum) -> str:
    return f"{names.enum(enum)}_text"
