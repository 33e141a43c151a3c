"""Reading lists: the loop of a scan function."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .. import ir, keys, layout, names
from . import acsl_loops, c_expr, c_fast, c_shape, c_view
from .c_common import key_path, path_read, path_value, varint_name

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
    if counted and id(item) not in scan.hoisted:
        w.line(f"uint64_t {item.name}_count = 0;")
    with w.block(""):
        outer = scan.end
        if item.mode == "bytes":
            _bytes_region(scan, item)
        if item.max is not None and scan.sites is not None:
            w.line("uint64_t n = 0;")
        if (item.ascending or item.unique) and scan.sites is not None:
            _key_decl(scan, item)
        if scan.sites is not None and not counted and c_fast.any_octets(item):
            w.line(f"q = {scan.end};")
        else:
            acsl_loops.before(scan, item)
            c_fast.skip_list(scan, item, counted)
            acsl_loops.loop(scan, item, counted)
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
    if scan.sites is not None and not item.sure:
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
    elif uses and scan.sites is not None:
        w.line(f"const struct mrg_span item = {{ q, {size if layout.fixed_bits(elem) is not None else '(size_t)' + size} }};")
    _keys(scan, item)
    w.line(f"q += {size};")


def _varint_elem(scan: "Scan", item: ir.List, elem: ir.Varint) -> None:
    w = scan.w
    if scan.sites is None:
        w.line("size_t size;")
        w.line(f"const uint64_t item = {varint_name(elem.spec)}_load(q, {scan.end}, &size);")
        w.line("(void)item;")
    else:
        w.line("uint64_t item = 0;")
        w.line("size_t size = 1;")
        w.line(f"const enum mrg_status st = {varint_name(elem.spec)}_get(q, {scan.end}, &item, &size);")
        w.line("if (MRG_UNLIKELY(st != MRG_OK))")
        status = "st == MRG_MORE ? MRG_E_SHORT : st" if scan.in_region else "st"
        w.line(f"\treturn mrg_reject_at(rj, {status}, q, 0, {scan.site(item, item.loc, 'not a valid ' + elem.spec.name)});")
    scan.elem_locals[id(elem)] = ("item", False)
    _keys(scan, item)
    w.line("q += size;")


# --- keys ---------------------------------------------------------------------------


def _key_value(scan: "Scan", item: ir.List) -> str:
    """The key as an unsigned number, in the order of the keys; a signed one's sign bit is turned for that.  Of bytes: a span."""
    path = key_path(item)
    key = path[-1]
    if isinstance(item.elem, ir.Sub):
        read = path_read if isinstance(key, ir.Bytes) else path_value
        return _turned(key, read(item.elem.packet, path, "item", False))
    return _turned(key, "item")


def _turned(key: ir.Item, text: str) -> str:
    return f"(uint64_t){text} + {c_expr.number(_bias(key))}" if _bias(key) else text


def _bias(key: ir.Item) -> int:
    """What makes a key's order that of unsigned numbers."""
    return 1 << (key.bits - 1) if isinstance(key, ir.Scalar) and key.signed else 0


def _greatest(key: ir.Item) -> int:
    """Of a key as its type has them, turned."""
    return key.spec.hi if isinstance(key, ir.Varint) else (1 << key.bits) - 1 if isinstance(key, ir.Scalar) else 0


def whole_range(item: ir.List) -> bool:
    """Keys may be the greatest number there is: no number says "at least one more than that"."""
    key = key_path(item)[-1]
    return _greatest(key) == (1 << 64) - 1


def _key_decl(scan: "Scan", item: ir.List) -> None:
    w, key = scan.w, key_path(item)[-1]
    spans = isinstance(key, ir.Bytes)
    bits = keys.bitmap_bits(key)
    if item.ascending and spans:
        w.line("bool first = true;")
        w.line("struct mrg_span next_key = { 0 }; /* above this */")
    elif item.ascending and whole_range(item):
        w.line("bool first = true;")
        w.line("uint64_t next_key = 0; /* above this */")
    elif item.ascending:
        w.line("uint64_t next_key = 0; /* the least that may come */")
    elif bits is not None:
        w.line(f"uint8_t {item.name}_seen[{max(1, (1 << bits) // 8)}] = {{ 0 }};")
    else:
        most = keys.elements_max(item)
        assert most is not None
        w.line(f"{'struct mrg_span' if spans else 'uint64_t'} {item.name}_seen[{max(most, 1)}];")
        w.line("size_t seen = 0;")


def _keys(scan: "Scan", item: ir.List) -> None:
    """Keys that must rise, or may not repeat, as the elements go by; those without a key pass."""
    if scan.sites is None or not (item.ascending or item.unique):
        return
    there = " && ".join(_present(item))
    if not there:
        _key(scan, item)
        return
    with scan.w.block(f"if ({there})"):
        _key(scan, item)


def _present(item: ir.List) -> list[str]:
    """Conditions in C that the element read has its key: one for each step that may be absent."""
    out: list[str] = []
    here, path = item.elem, key_path(item)
    for i, step in enumerate(path):
        if isinstance(here, ir.Sub) and step is not here:
            if c_shape.build(here.packet).slot(step).group is not None:
                view = "&item"
                if i:
                    assert isinstance(item.elem, ir.Sub)
                    view = f"&(struct {names.packet(here.packet)}[1]){{ {path_read(item.elem.packet, path[:i], 'item', False)} }}[0]"
                out.append(f"{names.packet(here.packet)}_has_{step.name}({view})")
        here = step
    return out


def _key(scan: "Scan", item: ir.List) -> None:
    w, key = scan.w, key_path(item)[-1]
    spans = isinstance(key, ir.Bytes)
    w.line(f"const {'struct mrg_span' if spans else 'uint64_t'} key = {_key_value(scan, item)};")
    if item.ascending:
        wide = spans or whole_range(item)
        low = f"!first && {_order(key)} <= 0" if spans else "!first && key <= next_key" if wide else "key < next_key"
        scan.reject(low, "MRG_E_VALUE", "q", 0, scan.site(item, item.loc, "keys must rise strictly"))
        if wide:
            w.line("first = false;")
        w.line(f"next_key = key{'' if wide else ' + 1u'};")
    elif item.exempt:
        with w.block(f"if ({_may_not_repeat(item)})"):
            _seen(scan, item)
    else:
        _seen(scan, item)


def _order(key: ir.Item) -> str:
    assert isinstance(key, ir.Bytes)
    return f"mrg_span_order{'_nocase' if key.nocase else ''}(key, next_key)"


def _may_not_repeat(item: ir.List) -> str:
    """The C condition that `except` doesn't name the key."""
    key = key_path(item)[-1]
    bias, top = _bias(key), _greatest(key)
    parts: list[str] = []
    for lo, hi in item.exempt:
        low, high = c_expr.number(lo + bias), c_expr.number(hi + bias)
        if lo == hi:
            parts.append(f"key != {low}")
        elif lo + bias == 0:
            parts.append(f"key > {high}")
        elif hi + bias == top:
            parts.append(f"key < {low}")
        else:
            parts.append(f"(key < {low} || key > {high})" if len(item.exempt) > 1 else f"key < {low} || key > {high}")
    return " && ".join(parts)


def _seen(scan: "Scan", item: ir.List) -> None:
    """Refuse a key that was there: one bit a key value where that is not too much, else key by key."""
    w, key = scan.w, key_path(item)[-1]
    site = scan.site(item, item.loc, "repeated")
    if keys.bitmap_bits(key) is not None:
        scan.reject(f"({item.name}_seen[key >> 3] & 1u << (key & 7u)) != 0", "MRG_E_VALUE", "q", 0, site)
        w.line(f"{item.name}_seen[key >> 3] |= (uint8_t)(1u << (key & 7u));")
        return
    same = f"{item.name}_seen[i] == key"
    if isinstance(key, ir.Bytes):
        same = f"mrg_span_eq{'_nocase' if key.nocase else ''}({item.name}_seen[i], key)"
    acsl_loops.counting(scan, "i", "seen")
    with w.block("for (size_t i = 0; i < seen; i++)"):
        scan.reject(same, "MRG_E_VALUE", "q", 0, site)
    w.line(f"{item.name}_seen[seen++] = key;")
