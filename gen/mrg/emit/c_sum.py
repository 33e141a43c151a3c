"""Checksums over the bytes of a packet, with the field itself taken as zero."""

from __future__ import annotations

from typing import TYPE_CHECKING, Optional

from .. import ir, layout, names, settable
from . import c_expr, c_view
from .c_env import paren
from .c_shape import Place
from .writer import Writer

if TYPE_CHECKING:
    from .c_scan import Scan


def computed(scan: "Scan") -> None:
    """Computed fields, at the end of their packet or group."""
    for item in scan.later:
        assert isinstance(item, (ir.Scalar, ir.Varint)) and item.computed is not None
        value = names.value(item.name)
        at = scan.starts.get(id(item), "p")
        if isinstance(item, ir.Scalar) and id(item) not in scan.needed:
            slot = scan.shape.slot(item)
            value = c_view.load(item, at, slot.start.bits % 8, "big" if item.endian == "dyn" else "")
        bit = scan.shape.slot(item).start.bits % 8
        wrong = emit_ones(scan, item, at, value, f"sum{scan.sums + 1}")
        if wrong is not None:
            scan.sums += 1
            scan.reject(wrong, "MRG_E_SUM", at, bit, scan.site(item, item.loc, "checksum differs"))
            continue
        status = "MRG_E_VALUE"
        sums = [n for n in layout.refs(item.computed) if isinstance(n, ir.Sum)]
        for s in sums:
            status = "MRG_E_SUM"
            scan.sums += 1
            emit_scan(scan, item, s, at, f"sum{scan.sums}")
        what = "checksum differs" if sums else "differs from the value computed"
        expr = c_expr.emit(item.computed, scan.env)
        scan.reject(f"{value} != {paren(expr)}", status, at, bit, scan.site(item, item.loc, what))
    scan.later = []


INLINE_MAX = 64  # bytes whose words are added up in place


def emit_ones(scan: "Scan", item: ir.Item, at: str, value: str, out: str) -> Optional[str]:
    """Add up what a plain inet16 covers, itself included, as `out`; the C condition that it is wrong.  None: it's not plain."""
    s = item.computed if isinstance(item, ir.Scalar) else None
    if not isinstance(item, ir.Scalar) or not isinstance(s, ir.Sum) or s.kind != "inet16" or s.pseudo or item.endian != "big":
        return None
    shape = scan.shape
    first, last, hole = shape.slot(s.first), shape.slot(s.last), shape.slot(item)
    if hole.start.anchor != first.start.anchor or (hole.start.bits - first.start.bits) % 16 or not settable.covers(shape.packet, s, item):
        return None
    base, start = first.start.anchor or "p", first.start.bits // 8
    to = ""  # where it ends, unless that is known from where it begins
    if last.end is not None:
        to = scan.extents[id(s.last)][1]
    elif last.start.anchor != first.start.anchor:
        to = _plus(last.start.anchor or "q", (last.start.bits + (layout.fixed_bits(s.last) or 0)) // 8)
    sure = sure_bytes(scan, s)
    if to:
        sure -= sure % 2
    if sure > INLINE_MAX:
        return None
    scan.w.line(f"uint64_t {out} = {words(base, start, sure)};")
    if to:
        rest = _plus(base, start + sure)
        left = f"{rest}, (size_t)({to} - {_paren(rest)})"
        few = isinstance(s.last, ir.Bytes) and s.last.length is not None and s.last.length.hi <= INLINE_MAX
        scan.w.line(f"if ({to} != {rest})")
        more = f"mrg_inet16_more({out}, {left})" if few and last.start == Place(first.start.anchor, 8 * (start + sure)) else ""
        scan.w.line(f"\t{out} = {more or f'mrg_inet16_carry({out}, mrg_inet16_words({left}))'};")
    wrong = f"!mrg_inet16_ones({out}) || "
    if settable.never_zero(shape.packet, item, s):
        return wrong + f"{value} == 0xffffu"
    end = to or _plus(base, start + sure)
    return wrong + f"({value} == 0xffffu && !mrg_inet16_alone({_plus(base, start)}, {end}, {at}))"


def sure_bytes(scan: "Scan", s: ir.Sum) -> int:
    """Bytes from where a checksum begins that are there whatever the packet says."""
    first = scan.shape.slot(s.first)
    bits = first.start.bits
    for item in layout.walk(scan.packet.items):
        slot = scan.shape.by_item.get(id(item))
        if slot is None or slot.group is not None or slot.start.anchor != first.start.anchor or not settable.covers(scan.packet, s, item):
            continue
        bits = max(bits, slot.start.bits + (0 if slot.end is not None else layout.fixed_bits(item) or 0))
    return (bits - first.start.bits) // 8


def words(base: str, start: int, size: int) -> str:
    """The words of a fixed number of bytes, in the machine's order, added up."""
    parts, at = [], start
    while size - (at - start) >= 4:
        n = 8 if size - (at - start) >= 8 else 4
        parts.append(f"mrg_native{8 * n}({_plus(base, at)})")
        at += n
    if size - (at - start):
        parts.append(f"mrg_inet16_few({_plus(base, at)}, {size - (at - start)}u)")
    out = parts[0] if parts else "0"
    for part in parts[1:]:
        out = f"mrg_inet16_carry({out}, {part})"
    return out


def _plus(base: str, offset: int) -> str:
    return f"{base} + {offset}" if offset else base


def _paren(text: str) -> str:
    return f"({text})" if " " in text else text


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
    emit(scan.w, s.kind, start, end, at, item.bits // 8, words, out, settable.covers(scan.packet, s, item))


def emit(w: Writer, kind: str, start: str, end: str, at: str, width: int, words: list[tuple[str, int]], out: str, inside: bool) -> None:
    """Declare `out`: the checksum of start..end; `inside`: with the `width` bytes at `at`, which are among them, as zero."""
    w.line(f"uint32_t {out};")
    with w.block(""):
        w.line(f"const uint8_t *const from = {start}, *const to = {end};")
        if inside:
            w.line(f"const uint8_t *const hole = {at};")
        if kind == "inet16":
            w.line("uint64_t sum = 0;")
            for text, n in words:
                for shift in range(8 * (n - 2), -1, -16):
                    w.line(f"sum += ({text}) >> {shift} & 0xffffu;" if shift else f"sum += ({text}) & 0xffffu;")
            if inside:
                w.line("sum = mrg_inet16_add(sum, from, (size_t)(hole - from), 0);")
                w.line(f"sum = mrg_inet16_add(sum, hole + {width}, (size_t)(to - hole) - {width}u, (size_t)(hole - from));")
            else:
                w.line("sum = mrg_inet16_add(sum, from, (size_t)(to - from), 0);")
            w.line(f"{out} = mrg_inet16_end(sum);")
            return
        poly = "MRG_CRC32C_POLY" if kind == "crc32c" else "MRG_CRC32_POLY"
        w.line("uint32_t crc = 0xffffffffu;")
        if inside:
            w.line("const uint8_t zero[8] = { 0 };")
            w.line(f"crc = mrg_crc32_add(crc, from, (size_t)(hole - from), {poly});")
            w.line(f"crc = mrg_crc32_add(crc, zero, {width}u, {poly});")
            w.line(f"crc = mrg_crc32_add(crc, hole + {width}, (size_t)(to - hole) - {width}u, {poly});")
        else:
            w.line(f"crc = mrg_crc32_add(crc, from, (size_t)(to - from), {poly});")
        w.line(f"{out} = ~crc;")
