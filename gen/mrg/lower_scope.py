"""What a packet's lowering knows at a point: names, and the position.

Position is kept as a linear form in bytes (`here`) plus bits past it (`bit`).
An inline packet is a packet of its own: what it uses of the packet around it
becomes its parameters (`capture`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Optional, Sequence, Union

from . import ast, ir, sizes
from .errors import Skip, closest
from .lower_computed import Pending
from .lower_expr import Entry, Found
from .lower_types import TypeLowerer
from .lower_util import enum_of, fields_of
from .prove import SIZE_MAX, Lin
from .source import Span

if TYPE_CHECKING:
    from .lower import ModuleLowerer


class ScopeLowerer(TypeLowerer):
    def __init__(self, module: ModuleLowerer, packet: ir.Packet, parent: Optional[ScopeLowerer] = None) -> None:
        super().__init__(module.errors, module.symbol, module.names)
        self.module: ModuleLowerer = module
        self.packet = packet
        self.parent: Optional[ScopeLowerer] = parent
        self.names: dict[str, Entry] = {}
        self.params: dict[str, ir.Param] = {}
        self.declared: dict[str, Span] = {}
        self.captured: dict[str, tuple[ir.Param, Union[ir.Expr, ir.BufArg]]] = {}
        self.lent: dict[str, ir.Param] = {}  # an outer packet's parameters that a chain's arm may use
        self.conds: list[tuple[ir.Expr, bool]] = []
        self.pending: list[Pending] = []
        self.here = Lin()
        self.bit = 0
        self.run: Optional[Span] = None  # where the current bit fields began
        self.element: Optional[ir.Item] = None
        self.selected = False  # after `endian ... if`
        self.lost = False  # after an error: the position is not known
        self.edges: dict[int, tuple[int, int]] = {}  # bits past a byte at an item's start and end

    # --- names ------------------------------------------------------------------

    def lookup(self, name: ast.Ident) -> Optional[Found]:
        found: Optional[Found] = self.names.get(name.name) or self.params.get(name.name)
        if found is not None or name.name in self.declared:
            return found
        lent = self.lent.get(name.name)
        if lent is not None:
            if lent not in self.packet.params:
                self.packet.params.append(lent)
            return lent
        outer = self.parent.lookup(name) if self.parent is not None else None
        if isinstance(outer, ir.Param) and outer.kind == "buffer":
            return self.capture(name.name, ir.BufArg(outer), ir.Param(name.name, "buffer"))
        if outer is not None and not isinstance(outer, ir.Param) and outer.item is None:
            raise Skip()
        return None

    def known_names(self) -> list[str]:
        mine = [*self.names, *self.params, *self.lent]
        return mine + (self.parent.known_names() if self.parent is not None else [])

    def enums(self) -> list[ir.Enum]:
        return self.module.visible_enums()

    def later(self, name: str) -> Optional[Span]:
        return self.declared.get(name)

    def meant(self, name: str, names: Sequence[str]) -> str:
        other = closest(name, names)
        where = self.declared.get(other or "")
        if where is not None:
            return f" (did you mean '{other}', declared at line {where.line}?)"
        return super().meant(name, names)

    def _name(self, e: ast.Name) -> ir.Expr:
        first = e.path[0]
        path = self._of_element(e)
        if path is not None:
            return self.value_of(e.span, path)
        mine = first.name in self.declared or first.name in self.params or first.name in self.lent
        if self.parent is None or mine or self.member_of(e) is not None or not self.parent.knows(first.name):
            return super()._name(e)
        return self.outer_value(e)

    def _of_element(self, e: ast.Name) -> Optional[list[ir.Item]]:
        """What a name means in the condition of `until`: the element or its fields."""
        elem, names = self.element, list(e.path)
        if elem is None:
            return None
        path: list[ir.Item] = [elem]
        if names[0].name == "item":
            names = names[1:]
        elif not isinstance(elem, ir.Sub) or names[0].name not in fields_of(elem.packet.items):
            return None
        for ident in names:
            path.append(self._into(path[-1], ident))
        return path

    def knows(self, name: str) -> bool:
        if name in self.declared or name in self.params:
            return True
        return self.parent is not None and self.parent.knows(name)

    def outer_value(self, e: ast.Name) -> ir.Expr:
        """A value of the packet around an inline one, handed in as a parameter."""
        assert self.parent is not None
        hint, self.parent.hint = self.parent.hint, self.hint
        try:
            value = self.parent.expr(e)
        finally:
            self.parent.hint = hint
        if isinstance(value, ir.Const):
            return value
        if value.lo < 0:
            raise self.errors.error(e.span, f"'{e.span.text()}' is signed and can't be used inside an inline packet")
        name = "_".join(i.name for i in e.path)
        while name in self.declared:
            name += "_"
        bits = next(b for b in (8, 16, 32, 64) if value.hi < 1 << b)
        last = value.path[-1] if isinstance(value, ir.FieldRef) else None
        if isinstance(last, ir.Scalar):
            bits = max(8, last.bits)
        param = ir.Param(name, "int", bits, enum_of(value), value.lo, value.hi)
        return self.param(e, self.capture(name, value, param))

    def capture(self, name: str, value: Union[ir.Expr, ir.BufArg], param: ir.Param) -> ir.Param:
        old = self.captured.get(name)
        if old is not None:
            return old[0]
        self.captured[name] = (param, value)
        self.packet.params.append(param)
        return param

    def _peek(self, e: ast.Peek) -> ir.Expr:
        if self.packet.shared:
            raise self.errors.error(e.span, "in a 'shared' packet each byte is read once; 'peek' would read it twice")
        return super()._peek(e)

    # --- position -----------------------------------------------------------------

    def whole_bytes(self, where: Span, what: str) -> None:
        if self.bit and not self.lost:
            raise self.errors.error(where, f"{what} needs a byte's edge, but is {self.bit} bits past one")

    def place_scalar(self, item: ir.Scalar, where: Span, bit_field: bool) -> None:
        if self.bit and not bit_field and not self.lost:
            notes = [(self.run, "the bit fields begin here")] if self.run is not None else []
            text = f"u{item.bits} begins {self.bit} bits into a byte; write {item.bits} if that is meant"
            self.errors.error(where, text, notes)
        if self.bit == 0:
            self.run = where

    def place_varint(self, spec: ir.VarintSpec, where: Span) -> None:
        """One with a prefix of B bits begins 8-B bits into a byte; others at its edge."""
        want = (8 - spec.prefix_bits) % 8 if spec.shape == "prefix" else 0
        if want and self.bit != want and not self.lost:
            text = f"'{spec.name}' has the low {spec.prefix_bits} bits of a byte: just {want} bits of that byte must come before"
            self.errors.error(where, text)
        if want:
            self.bit = 0

    def aligned(self, where: Span, what: str) -> None:
        """Bit fields before this must have added up to whole bytes."""
        if self.bit == 0 or self.lost:
            self.bit = 0
            return
        notes = [(self.run, "the bit fields begin here")] if self.run is not None else []
        self.errors.error(where, f"{what} is {self.bit} bits into a byte; bit fields must add up to whole bytes", notes)
        self.bit = 0

    def advance(self, item: ir.Item) -> None:
        """Move past an item, and give its size a form."""
        assert self.here is not None
        if isinstance(item, ir.Scalar):
            start = self.bit
            self.bit += item.bits
            self.edges[id(item)] = (start, self.bit % 8)
            self.here = self.here.plus(Lin(self.bit // 8))
            self.bit %= 8
            self.sizes[id(item)] = Lin(item.bits // 8)
            return
        form = self._size_form(item)
        self.sizes[id(item)] = form
        self.here = self.here.plus(form)

    def _size_form(self, item: ir.Item) -> Lin:
        if isinstance(item, ir.Bytes) and item.mode == "len" and item.length is not None:
            return self.facts.lin(item.length)
        if isinstance(item, ir.Region):
            exact = self.facts.lin(item.length)
            self.sizes[id(item.item)] = self._size_form(item.item) if item.tail else exact
            return exact
        if isinstance(item, ir.List) and item.mode == "bytes" and item.expr is not None:
            return self.facts.lin(item.expr)
        least, most = sizes.of(item)
        if isinstance(item, ir.List) and item.mode == "count" and item.expr is not None:
            one, same = sizes.of(item.elem)
            if one == same:
                return self.facts.lin(item.expr).times(one)
        if least == most:
            return Lin(least)
        if isinstance(item, ir.Align) and self.here is not None and self.here.value is not None:
            return Lin(-self.here.value % item.to)
        return self.facts.atom(("size", id(item)), least, SIZE_MAX if most is None else most)
