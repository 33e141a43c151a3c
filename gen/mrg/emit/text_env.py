"""What readers of presentation format share: the fields that errors name, and

what the leaves of an expression are while a packet is read."""

from __future__ import annotations

from typing import Optional, Protocol

from .. import ir, layout, names
from . import c_expr
from .text_plan import Unreadable, unwrap
from .writer import Writer


class Locals(Protocol):
    """Who knows the locals of a reader: see text_read.Reader."""

    ready: set[int]

    def local(self, item: ir.Item) -> str: ...


class Sites:
    """Fields that an error can name; a static table of the module's."""

    def __init__(self) -> None:
        self.rows: list[tuple[str, int, str, str]] = []
        self.index: dict[tuple[str, int, str, str], int] = {}

    def ref(self, packet: ir.Packet, item: ir.Item) -> str:
        name = item.name or "bits"
        row = (item.loc.file, item.loc.line, f"{packet.name}.{name}", "presentation format")
        if row not in self.index:
            self.index[row] = len(self.rows)
            self.rows.append(row)
        return f"&text_site[{self.index[row]}]"

    def define(self, w: Writer) -> None:
        if not self.rows:
            return
        w.comment("Fields that errors name.")
        with w.block(f"static const struct mrg_site text_site[{len(self.rows)}] =", "};"):
            for file, line, path, what in self.rows:
                w.line(f"{{ {names.c_string(file)}, {line}, {names.c_string(path)}, {names.c_string(what)} }},")
        w.line()


class ReadEnv(c_expr.Env):
    """Leaves of an expression are the locals of a reader."""

    def __init__(self, reader: Locals) -> None:
        self.reader = reader

    def field(self, ref: ir.FieldRef) -> str:
        item = ref.path[0]
        if len(ref.path) != 1:
            raise Unreadable(f"'{ref.path[-1].name}' is inside another packet")
        if isinstance(item, ir.Let):
            return f"({c_expr.emit(item.expr, self)})"
        if id(item) not in self.reader.ready:
            raise Unreadable(f"'{item.name}' is known only at the end")
        return self.reader.local(item)

    def param(self, p: ir.Param) -> str:
        raise Unreadable(f"it depends on the parameter '{p.name}'")

    def buflen(self, p: ir.Param) -> str:
        raise Unreadable(f"it depends on the buffer '{p.name}'")

    def avail(self) -> str:
        return "(mrg_text_more(t) ? 1u : 0u)"

    def here(self) -> str:
        return "(w->len - start)"

    def peek(self, e: ir.Peek) -> str:
        raise Unreadable("it looks at bytes before they are read")

    def size_of(self, item: Optional[ir.Item]) -> str:
        if item is None:
            return "(w->len - start)"
        bits = layout.fixed_bits(item)
        return f"{bits // 8}u" if bits is not None else f"size_{unwrap(item).name}"

    def count_of(self, item: ir.Item) -> str:
        return f"count_{unwrap(item).name}"

    def sum(self, e: ir.Sum) -> str:
        raise Unreadable("it has a checksum")
