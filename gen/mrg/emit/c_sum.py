"""Checksums over the bytes of a packet, with the field itself taken as zero."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .. import ir, layout
from . import c_expr
from .writer import Writer

if TYPE_CHECKING:
    from .c_scan import Scan


def emit_scan(scan: "Scan", item: ir.Item, s: ir.Sum, at: str, out: str) -> None:
    first = scan.shape.slot(s.first)
    last = scan.shape.slot(s.last)
    start = scan.start_local(s.first)
    if last.end is not None:
        end = scan.extents[id(s.last)][1]
    else:
        base = "p" if last.start.anchor is None else last.start.anchor
        size = (last.start.bits + (layout.fixed_bits(s.last) or 0)) // 8
        end = f"{base} + {size}"
    if first.end is None:
        base = "p" if first.start.anchor is None else first.start.anchor
        start = f"{base} + {first.start.bits // 8}"
    assert isinstance(item, ir.Scalar)
    words = [(c_expr.emit(e, scan.env), n) for e, n in s.pseudo]
    emit(scan.w, s.kind, start, end, at, item.bits // 8, words, out)


def emit(w: Writer, kind: str, start: str, end: str, at: str, width: int, words: list[tuple[str, int]], out: str) -> None:
    """Declare `out`: the checksum of start..end with `width` bytes at `at` as zero."""
    w.line(f"uint32_t {out};")
    with w.block(""):
        w.line(f"const uint8_t *const from = {start}, *const to = {end}, *const hole = {at};")
        w.line("const uint8_t zero[8] = { 0 };")
        if kind == "inet16":
            w.line("uint64_t sum = 0;")
            for text, n in words:
                for shift in range(8 * (n - 2), -1, -16):
                    w.line(f"sum += ({text}) >> {shift} & 0xffffu;" if shift else f"sum += ({text}) & 0xffffu;")
            with w.block(f"if (hole >= from && hole < to)"):
                w.line("sum = mrg_inet16_add(sum, from, (size_t)(hole - from), 0);")
                w.line(f"sum = mrg_inet16_add(sum, hole + {width}, (size_t)(to - hole) - {width}u, (size_t)(hole - from));")
            with w.block("else"):
                w.line("sum = mrg_inet16_add(sum, from, (size_t)(to - from), 0);")
            w.line(f"{out} = mrg_inet16_end(sum);")
            w.line("(void)zero;")
            return
        poly = "MRG_CRC32C_POLY" if kind == "crc32c" else "MRG_CRC32_POLY"
        w.line("uint32_t crc = 0xffffffffu;")
        with w.block(f"if (hole >= from && hole < to)"):
            w.line(f"crc = mrg_crc32_add(crc, from, (size_t)(hole - from), {poly});")
            w.line(f"crc = mrg_crc32_add(crc, zero, {width}u, {poly});")
            w.line(f"crc = mrg_crc32_add(crc, hole + {width}, (size_t)(to - hole) - {width}u, {poly});")
        with w.block("else"):
            w.line(f"crc = mrg_crc32_add(crc, from, (size_t)(to - from), {poly});")
        w.line(f"{out} = ~crc;")
