"""Lists with once-only keys, by key: an index that one pass over the list fills, and the lookup in it.

A table holds, for each value that a key may have (or for each member of the
key's enum), where the element with it begins.  Keys that have no place in the
table are looked for by the iterator.  All of it is `static inline`: who does
not look up pays nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional

from .. import ir, layout, names
from . import c_common, c_expr, c_shape, c_view
from .c_shape import Shape, Slot
from .writer import Writer

Key = ir.Scalar | ir.Varint

DIRECT = 256  # values in a row that a table has places for
PLACES = 512  # most members of an enum that do not lie in a row
MEMBER = 16  # values of one member, when it is a range, that get a place each
OFFSET_MAX = 0xFFFFFFFF  # in a table


@dataclass
class Table:
    """Which keys have a place.  `values`: the key of each; else `first` and those that follow."""

    places: int
    first: int = 0
    values: Optional[list[int]] = None
    complete: bool = False  # no other key can be in the list


def emit(w: Writer, shape: Shape, slot: Slot, item: ir.List) -> None:
    """The index of one list, if it is one to have an index."""
    key = c_common.key_path(item)
    if not key:
        return
    last = key[-1]
    if not isinstance(last, (ir.Scalar, ir.Varint)):
        w.comment(f"No index of {item.name}: its key is not an integer.")
        w.line()
    elif _optional(item, key):
        w.comment(f"No index of {item.name}: elements may be without a key.")
        w.line()
    else:
        _Index(w, shape, slot, item, last).emit()


def _optional(item: ir.List, path: tuple[ir.Item, ...]) -> bool:
    """Whether an element may lack what the path leads through."""
    here: ir.Item = item.elem
    for step in path:
        if isinstance(here, ir.Sub) and step is not here:
            if c_shape.build(here.packet).slot(step).group is not None:
                return True
        here = step
    return False


class _Index:
    """Emits one index: its struct, how it is filled, the lookup."""

    def __init__(self, w: Writer, shape: Shape, slot: Slot, item: ir.List, key: Key) -> None:
        self.w = w
        self.view = shape.cname
        self.item = item
        self.name = f"{shape.cname}_{item.name}"
        self.key = key
        self.ktype = key_type(key)
        self.etype = c_view.elem_type(item.elem)
        self.table = table(key)
        room = _room(shape.packet, slot)
        self.far = room is None or room > OFFSET_MAX  # offsets may be too large for the table
        self.otype = names.uint_type((OFFSET_MAX if room is None or self.far else max(room, 1)).bit_length())

    def emit(self) -> None:
        self.struct()
        if self.table is not None:
            self.place(self.table)
        self.fill()
        self.get()

    def key_of(self, base: str, is_pointer: bool) -> str:
        """The key of an element in C, of the key's own type."""
        elem = self.item.elem
        if isinstance(elem, ir.Sub):
            return c_common.path_read(elem.packet, c_common.key_path(self.item), base, is_pointer)
        return f"({self.ktype}){'*' if is_pointer else ''}{base}" if isinstance(elem, ir.Varint) else f"{'*' if is_pointer else ''}{base}"

    def struct(self) -> None:
        w, t = self.w, self.table
        path = ".".join(i.name for i in c_common.key_path(self.item))
        w.comment(
            f"The elements of {self.item.name} by their {path}: {self.name}_index fills it, {self.name}_get looks up.\n"
            "Lifetime: borrows the bytes of the view, as the view does."
        )
        with w.block(f"struct {self.name}_index", "};"):
            w.line(f"struct {self.name}_it all;")
            if t is not None:
                w.line(f"{self.otype} at[{t.places}]; /* 1 + where in the list the element begins; 0: there is none */")
        w.line()

    def place(self, t: Table) -> None:
        """X_slot_: the place of a key in the table."""
        w = self.w
        w.comment(f"Internal: the place of a key in a table; {t.places}: it has none.")
        with w.function(f"static inline uint32_t {self.name}_slot_({self.ktype} key)"):
            if t.values is not None:
                with w.block("switch (key)"):
                    for i, value in enumerate(t.values):
                        w.line(f"case {c_expr.number(value)}: return {i};")
                    w.line(f"default: return {t.places};")
                return
            if self.full(t):
                w.line("return key;")
                return
            wide = "uint64_t" if self.ktype.endswith("64_t") else "uint32_t"
            w.line(f"const {wide} slot = ({wide})key{_minus(t.first)};")
            w.line(f"return slot < {t.places}u ? {'(uint32_t)' if wide == 'uint64_t' else ''}slot : {t.places}u;")

    def full(self, t: Table) -> bool:
        """Whether each number of the key's type has a place."""
        return t.values is None and t.first == 0 and self.ktype == "uint8_t" and t.places == 256

    def fill(self) -> None:
        w, t = self.w, self.table
        cost = "one pass over the elements" if t is not None else "none, nothing is read"
        w.comment(f"Fill an index of a checked view's {self.item.name}. Can't fail. Cost: {cost}.")
        with w.function(f"static inline void {self.name}_index(const struct {self.view} *v, struct {self.name}_index *out)"):
            w.line(f"out->all = {self.name}(v);")
            if t is None:
                return
            w.line("memset(out->at, 0, sizeof out->at);")
            w.line(f"struct {self.name}_it it = out->all;")
            w.line(f"{self.etype} item;")
            with w.block(f"for (const uint8_t *at = it.at; {self.name}_next(&it, &item); at = it.at)"):
                w.line(f"const uint32_t slot = {self.name}_slot_({self.key_of('item', False)});")
                tests = [*([] if t.complete else [f"slot < {t.places}u"]), *(["out->at[slot] == 0"] if self.item.exempt else [])]
                if tests:
                    w.line(f"if ({' && '.join(tests)})")
                w.line(f"{chr(9) if tests else ''}out->at[slot] = ({self.otype})(at - out->all.at + 1);")

    def get(self) -> None:
        w, t = self.w, self.table
        w.comment(
            f"The {'first ' if self.item.exempt else ''}element with that key; false when there is none, and then *out says nothing.\n"
            f"Lifetime: *out borrows the bytes of the view that the index was filled from.\nCost:     {self.cost()}."
        )
        with w.function(f"static inline bool {self.name}_get(const struct {self.name}_index *ix, {self.ktype} key, {self.etype} *out)"):
            w.line(f"struct {self.name}_it it = ix->all;")
            if t is None:
                self.walk()
                return
            w.line(f"const uint32_t slot = {self.name}_slot_(key);")
            if t.complete and not self.full(t):
                w.line(f"if (slot == {t.places}u)")
                w.line("\treturn false;")
            conds = [] if t.complete else [f"slot < {t.places}u"]
            if self.far:
                conds.append(f"(uint64_t)(it.end - it.at) <= {OFFSET_MAX:#x}u")
            if not conds:
                self.found()
                return
            with w.block(f"if ({' && '.join(conds)})"):
                self.found()
            self.walk()

    def cost(self) -> str:
        t = self.table
        if t is None:
            return "that of the iterator, O(n); keys of this width have no table"
        out = "that of viewing one element, however many there are"
        if not t.complete:
            out += f";\n          O(n) for a key that {self.name}_slot_ has no place for"
        if self.far:
            out += ";\n          O(n) in a list of 4 GiB and more"
        return out

    def found(self) -> None:
        w = self.w
        w.line("if (ix->at[slot] == 0)")
        w.line("\treturn false;")
        w.line("it.at += ix->at[slot] - 1u;")
        w.line(f"return {self.name}_next(&it, out);")

    def walk(self) -> None:
        """Element by element; where keys rise, up to the first that is not below."""
        w = self.w
        with w.block(f"while ({self.name}_next(&it, out))"):
            w.line(f"const {self.ktype} has = {self.key_of('out', True)};")
            if self.item.ascending:
                w.line("if (has >= key)")
                w.line("\treturn has == key;")
            else:
                w.line("if (has == key)")
                w.line("\treturn true;")
        w.line("return false;")


def key_type(key: Key) -> str:
    if isinstance(key, ir.Varint):
        return names.uint_type(64 if key.spec.hi > 0xFFFFFFFF else 32)
    return c_view.scalar_type(key)


def table(key: Key) -> Optional[Table]:
    """The table for a key: by its proved range, else by its enum; None: there is none."""
    lo, hi = key.lo, key.hi
    if hi - lo < DIRECT:
        return Table(hi - lo + 1, lo, complete=True)
    enum = key.enum if isinstance(key, ir.Scalar) else None
    if enum is None:
        return None
    values = {v for m in enum.members if m.hi - m.lo < MEMBER for v in range(max(m.lo, lo), min(m.hi, hi) + 1)}
    complete = enum.closed and all(m.hi - m.lo < MEMBER for m in enum.members)
    if not values or len(values) > PLACES:
        return None
    if max(values) - min(values) < DIRECT:
        return Table(max(values) - min(values) + 1, min(values), complete=complete)
    return Table(len(values), values=sorted(values), complete=complete)


def _minus(first: int) -> str:
    if first == 0:
        return ""
    return f" - {c_expr.number(first)}" if first > 0 else f" + {c_expr.number(-first)}"


def _room(packet: ir.Packet, slot: Slot) -> Optional[int]:
    """Most bytes that the list takes, as far as that is proved."""
    item = slot.item
    assert isinstance(item, ir.List)
    elem = item.elem.packet.size_max if isinstance(item.elem, ir.Sub) else None
    if isinstance(item.elem, ir.Scalar):
        elem = item.elem.bits // 8
    bounds = [packet.size_max]
    bounds += [i.length.hi for i in layout.walk(packet.items) if isinstance(i, ir.Region) and i.item is item]
    if item.mode == "bytes" and item.expr is not None:
        bounds.append(item.expr.hi)
    if item.mode == "count" and item.expr is not None and elem is not None:
        bounds.append(item.expr.hi * elem)
    if item.max is not None and elem is not None:
        bounds.append(item.max * elem)
    return min((b for b in bounds if b is not None), default=None)
