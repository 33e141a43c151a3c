"""Reading lists: the loop of a scan function."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .. import ir, layout, names
from . import c_expr, c_view
from .c_common import key_path, path_value, varint_name

if TYPE_CHECKING:
    from .c_scan import Scan


def emit_scan(scan: "Scan", item: ir.List) -> None:
    w = scan.w
    if scan.sites is None:
        if _skip(scan, item):
            return
    else:
        w.comment(f"{item.loc.file}:{item.loc.line} {item.name}")
    counted = id(item) in scan.counted and scan.sites is not None
    if counted:
        w.line(f"uint64_t {item.name}_count = 0;")
    with w.block(""):
        outer = scan.end
        if item.mode == "bytes":
            _bytes_region(scan, item)
        if item.max is not None and scan.sites is not None:
            w.line("uint64_t n = 0;")
        if (item.ascending or item.unique) and scan.sites is not None:
            _key_decl(scan, item)
        with w.block(_head(scan, item)):
            _body(scan, item, counted)
        if item.mode == "bytes":
            scan.in_region -= 1
            scan.end = outer


def _skip(scan: "Scan", item: ir.List) -> bool:
    """The trusted twin steps over lists whose size is known without a walk."""
    w = scan.w
    if not stepped_over(item):
        return False
    if item.mode == "rest" or item.expr is None:
        w.line(f"q = {scan.end};")
    elif item.mode == "bytes":
        w.line(f"q += {c_expr.emit(item.expr, scan.env)};")
    else:
        bits = layout.fixed_bits(item.elem) or 0
        w.line(f"q += (size_t){_par(c_expr.emit(item.expr, scan.env))} * {bits // 8}u;")
    return True


def stepped_over(item: ir.List) -> bool:
    """Its extent is known without reading the elements."""
    return item.mode in ("rest", "bytes") or item.mode == "count" and layout.fixed_bits(item.elem) is not None


def _par(text: str) -> str:
    return f"({text})" if " " in text else text


def _bytes_region(scan: "Scan", item: ir.List) -> None:
    assert item.expr is not None
    w = scan.w
    length = _par(c_expr.emit(item.expr, scan.env))
    if scan.sites is not None:
        scan.reject(f"{length} > (size_t)({scan.end} - q)", "MRG_MORE", "q", 0, scan.site(item, item.loc, "ends beyond its region"))
    w.line(f"const uint8_t *const lim = q + {length};")
    scan.end = "lim"
    scan.in_region += 1


def _head(scan: "Scan", item: ir.List) -> str:
    if item.mode == "count":
        assert item.expr is not None
        return f"for (uint64_t left = {c_expr.emit(item.expr, scan.env)}; left > 0; left--)"
    if item.mode == "while":
        assert item.expr is not None
        return f"while ({c_expr.emit(item.expr, scan.env)})"
    if item.mode == "until":
        return "for (;;)"
    return f"while (q != {scan.end})"


def _body(scan: "Scan", item: ir.List, counted: bool) -> None:
    w, elem = scan.w, item.elem
    checking = scan.sites is not None
    if item.max is not None and checking:
        scan.reject(f"n++ == {item.max}u", "MRG_E_LIMIT", "q", 0, scan.site(item, item.loc, f"more than {item.max} elements"))
    if counted:
        w.line(f"{item.name}_count++;")
    uses = item.mode == "until" or ((item.ascending or item.unique) and checking)
    if isinstance(elem, ir.Sub):
        name = names.packet(elem.packet)
        this = "(struct mrg_span){ p, (size_t)(end - p) }"
        args = c_view.call_args(scan.shape, elem.args, elem.packet.params, scan.env, this)
        if uses or not checking:
            w.line(f"struct {name} item;")
        if checking:
            w.line(f"const uint8_t *const next = {name}_scan_(q, {scan.end}{args}, {'&item' if uses else 'NULL'}, rj);")
            scan.sub_failed("next", scan.site(item, item.loc, "element refused"))
        else:
            w.line(f"{name}_view_(q, {scan.end}{args}, &item);")
        if uses:
            scan.elem_locals[id(elem)] = ("item", True)
        _keys(scan, item)
        w.line("q = next;" if checking else "q += item.len;")
    elif isinstance(elem, ir.Varint):
        _varint_elem(scan, item, elem)
    else:
        _plain_elem(scan, item, elem, uses)
    if item.mode == "until":
        assert item.expr is not None
        w.line(f"if ({c_expr.emit(item.expr, scan.env)})")
        w.line("\tbreak;")


def _plain_elem(scan: "Scan", item: ir.List, elem: ir.Item, uses: bool | tuple[ir.Item, ...] | None) -> None:
    w = scan.w
    if isinstance(elem, ir.Scalar):
        size = f"{elem.bits // 8}u"
    else:
        assert isinstance(elem, ir.Bytes) and elem.length is not None
        size = _par(c_expr.emit(elem.length, scan.env))
    if scan.sites is not None:
        scan.reject(f"(size_t)({scan.end} - q) < {size}", "MRG_MORE", "q", 0, scan.site(item, item.loc, "element ends beyond its region"))
    if isinstance(elem, ir.Scalar):
        closed = elem.enum is not None and elem.enum.closed and scan.sites is not None
        load = c_view.load(elem, "q", 0, "big" if elem.endian == "dyn" else "")
        if uses or closed:
            ctype = "int64_t" if elem.signed else "uint64_t" if elem.bits > 32 else "uint32_t"
            w.line(f"const {ctype} item = {load};")
            scan.elem_locals[id(elem)] = ("item", False)
            if closed and elem.enum is not None:
                scan.reject(f"!{names.enum(elem.enum)}_known(item)", "MRG_E_VALUE", "q", 0, scan.site(item, item.loc, f"not a known {elem.enum.name}"))
        _keys(scan, item)
    w.line(f"q += {size};")


def _varint_elem(scan: "Scan", item: ir.List, elem: ir.Varint) -> None:
    w = scan.w
    w.line("uint64_t item = 0;")
    w.line("size_t size = 1;")
    w.line(f"{'const enum mrg_status st = ' if scan.sites is not None else '(void)'}{varint_name(elem.spec)}_get(q, {scan.end}, &item, &size);")
    if scan.sites is not None:
        w.line("if (MRG_UNLIKELY(st != MRG_OK))")
        status = "st == MRG_MORE ? MRG_E_SHORT : st" if scan.in_region else "st"
        w.line(f"\treturn mrg_reject_at(rj, {status}, q, 0, {scan.site(item, item.loc, 'not a valid ' + elem.spec.name)});")
    scan.elem_locals[id(elem)] = ("item", False)
    _keys(scan, item)
    w.line("q += size;")


# --- keys ---------------------------------------------------------------------------


def _key_value(scan: "Scan", item: ir.List) -> str:
    """The key as an unsigned number, in the order of the keys; a signed one's sign bit is turned for that."""
    path = key_path(item)
    key = path[-1]
    text = "item" if not isinstance(item.elem, ir.Sub) else path_value(item.elem.packet, path, "item", False)
    if isinstance(key, ir.Scalar) and key.signed:
        text = f"(uint64_t){text} + {c_expr.number(1 << (key.bits - 1))}"
    return text


def _whole_range(item: ir.List) -> bool:
    """Keys may be the greatest number there is: no number says "at least one more than that"."""
    key = key_path(item)[-1]
    return isinstance(key, ir.Scalar) and key.bits == 64


def _key_decl(scan: "Scan", item: ir.List) -> None:
    w = scan.w
    if item.ascending and _whole_range(item):
        w.line("bool first = true;")
        w.line("uint64_t next_key = 0; /* above this */")
    elif item.ascending:
        w.line("uint64_t next_key = 0; /* the least that may come */")
    else:
        key = item.unique[-1]  # type: ignore[index]
        bits = key.bits if isinstance(key, ir.Scalar) else 16
        w.line(f"uint8_t {item.name}_seen[{max(1, (1 << bits) // 8)}] = {{ 0 }};")


def _keys(scan: "Scan", item: ir.List) -> None:
    """Keys that must rise, or may not repeat, as the elements go by."""
    if scan.sites is None or not (item.ascending or item.unique):
        return
    w = scan.w
    w.line(f"const uint64_t key = {_key_value(scan, item)};")
    if item.ascending:
        wide = _whole_range(item)
        low = "!first && key <= next_key" if wide else "key < next_key"
        scan.reject(low, "MRG_E_VALUE", "q", 0, scan.site(item, item.loc, "keys must rise strictly"))
        if wide:
            w.line("first = false;")
        w.line(f"next_key = key{'' if wide else ' + 1u'};")
        return
    hi = (item.unique or ())[-1]
    bits = hi.bits if isinstance(hi, ir.Scalar) else 64
    _seen(scan, item, bits)


def _seen(scan: "Scan", item: ir.List, bits: int) -> None:
    """One bit a key value (keys of up to 16 bits), set as the keys go by."""
    w = scan.w
    if bits > 16:
        raise NotImplementedError(f"{item.loc.file}:{item.loc.line}: unique over a key of more than 16 bits")
    scan.reject(f"({item.name}_seen[key >> 3] & 1u << (key & 7u)) != 0", "MRG_E_VALUE", "q", 0, scan.site(item, item.loc, "repeated"))
    w.line(f"{item.name}_seen[key >> 3] |= (uint8_t)(1u << (key & 7u));")
