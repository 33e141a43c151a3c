"""What the leaves of an expression are called while a packet is read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Optional

from .. import ir, layout, names
from . import c_expr, c_view
from .c_common import path_value

if TYPE_CHECKING:
    from .c_scan import Scan


class ScanEnv(c_expr.Env):
    """Leaves of an expression are locals of the scan function."""

    def __init__(self, scan: "Scan") -> None:
        self.scan = scan

    def field(self, ref: ir.FieldRef) -> str:
        head = ref.path[0]
        known = self.scan.elem_locals.get(id(head))
        if known is not None:
            local, is_view = known
            if not is_view:
                return local
            assert isinstance(head, ir.Sub)
            return path_value(head.packet, ref.path[1:], local, False)
        if len(ref.path) == 1:
            return names.value(head.name)
        assert isinstance(head, ir.Sub)
        return path_value(head.packet, ref.path[1:], names.value(head.name), False)

    def avail(self) -> str:
        return f"(size_t)({self.scan.end} - {paren(self.scan.here())})"

    def here(self) -> str:
        return f"(size_t)({self.scan.here()} - p)"

    def peek(self, e: ir.Peek) -> str:
        ptr, n = self.scan.here(), e.bits // 8
        load = c_view._whole(ptr, n, "le" if e.endian == "little" else "be")
        if self.scan.peek_sure or n <= self.assured or self.scan.offset + n <= self.scan.there:
            return load
        return f"((size_t)({self.scan.end} - {paren(ptr)}) >= {n}u ? {load} : 0u)"

    def size_of(self, item: Optional[ir.Item]) -> str:
        if item is None:
            return "(size_t)(q - p)"
        if id(item) in self.scan.sizes:
            return f"{item.name}_size_"
        bits = layout.fixed_bits(item)
        if bits is not None:
            return f"{bits // 8}u"
        start, end = self.scan.extents[id(item)]
        return f"(size_t)({end} - {start})"

    def count_of(self, item: ir.Item) -> str:
        return f"{item.name}_count"

    def sum(self, e: ir.Sum) -> str:
        return self.scan.sum_local(e)


def paren(text: str) -> str:
    return f"({text})" if " " in text and not (text.startswith("(") and text.count("(") == 1) else text
