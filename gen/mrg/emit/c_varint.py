"""Numbers of varying size: get, load and put of each varint declaration."""

from __future__ import annotations

from .. import ir
from . import c_expr
from .writer import Writer

MOST_GROUPS = 10  # of 7 bits that begin within 64 bits


def emit(w: Writer, name: str, spec: ir.VarintSpec) -> None:
    w.comment(
        f"{name}_get - read a {spec.name} at q. Fails: MRG_MORE, MRG_E_RANGE, MRG_E_VALUE"
        + (" (longer than needed)." if spec.minimal else ".")
    )
    head = f"static inline MRG_MUST_USE enum mrg_status {name}_get(const uint8_t *q, const uint8_t *end, uint64_t *value, size_t *size)"
    with w.function(head):
        w.line("if (q == end)")
        w.line("\treturn MRG_MORE;")
        {"tagged": _get_tagged, "groups": _get_groups, "prefix": _get_prefix, "short": _get_short}[spec.shape](w, spec)
        if spec.hi < (1 << 64) - 1:
            w.line(f"if (v > {c_expr.number(spec.hi)})")
            w.line("\treturn MRG_E_RANGE;")
        w.line("*value = v;")
        w.line("*size = n;")
        w.line("return MRG_OK;")
    w.comment(f"{name}_load - the {spec.name} at q, which was checked before, and how many bytes it takes.")
    with w.function(f"static inline uint64_t {name}_load(const uint8_t *q, const uint8_t *end, size_t *size)"):
        w.line("uint64_t value = 0;")
        w.line("*size = 1;")
        w.line(f"const enum mrg_status st = {name}_get(q, end, &value, size);")
        w.line("(void)st; /* MRG_OK, as before */")
        w.line("return value;")
    w.comment(f"Write a {spec.name} in as few bytes as it takes.")
    with w.function(f"static inline void {name}_put(struct mrg_w *w, uint64_t v)"):
        if spec.hi < (1 << 64) - 1:
            w.line(f"if (v > {c_expr.number(spec.hi)}) {{")
            w.line("\tmrg_w_fail(w, MRG_E_RANGE);")
            w.line("\treturn;")
            w.line("}")
        {"tagged": _put_tagged, "groups": _put_groups, "prefix": _put_prefix, "short": _put_short}[spec.shape](w, spec)


def least(s: ir.VarintSpec) -> int:
    """Bytes of the shortest encoding."""
    return min((width + s.tag_bits) // 8 for width in s.widths) if s.shape == "tagged" else 1


def most(s: ir.VarintSpec) -> int:
    """Bytes of the longest encoding that is written."""
    if s.shape == "tagged":
        return max((width + s.tag_bits) // 8 for width in s.widths)
    return s.max_bytes + (0 if s.shape == "groups" else 1)


def _get_tagged(w: Writer, s: ir.VarintSpec) -> None:
    w.line(f"static const uint8_t size_of[] = {{ {', '.join(str((x + s.tag_bits) // 8) for x in s.widths)} }};")
    w.line(f"const size_t n = size_of[q[0] >> {8 - s.tag_bits}];")
    w.line("if (n > (size_t)(end - q))")
    w.line("\treturn MRG_MORE;")
    w.line(f"const uint64_t v = mrg_be(q, (unsigned)n) & (~0ull >> (64u - 8u * n + {s.tag_bits}u));")
    if s.minimal:
        for i, width in enumerate(s.widths[1:], 1):
            w.line(f"if (n == {(width + s.tag_bits) // 8}u && v <= {c_expr.number((1 << s.widths[i - 1]) - 1)})")
            w.line("\treturn MRG_E_VALUE;")


def _put_tagged(w: Writer, s: ir.VarintSpec) -> None:
    for tag, width in enumerate(s.widths):
        n = (width + s.tag_bits) // 8
        value = f"v | {c_expr.number(tag << width)}" if tag else "v"
        if tag + 1 < len(s.widths):
            w.line(f"{'else ' if tag else ''}if (v <= {c_expr.number((1 << width) - 1)})")
        elif tag:
            w.line("else")
        w.line(f"{chr(9) if len(s.widths) > 1 else ''}mrg_w_be(w, {n}, {value});")


def _loop(w: Writer, s: ir.VarintSpec, first: str) -> None:
    """Groups from q[first], each adding 7 bits."""
    w.line(f"size_t n = {first};")
    w.line("uint8_t c;")
    w.line("do {")
    w.depth += 1
    w.line(f"if (n == {s.max_bytes + int(first)}u)")
    w.line("\treturn MRG_E_RANGE;")
    w.line("if (n == (size_t)(end - q))")
    w.line("\treturn MRG_MORE;")
    w.line("c = q[n];")
    if s.shape == "groups" and s.order == "big":
        w.line("if (v >> 57)")
        w.line("\treturn MRG_E_RANGE;")
        if s.minimal:
            w.line("if (n == 0 && c == 0x80)")
            w.line("\treturn MRG_E_VALUE;")
        w.line("v = v << 7 | (c & 0x7fu);")
    else:
        base = f"(n - {first}u)" if first != "0" else "n"
        w.line(f"const unsigned shift = 7u * (unsigned){base};")
        w.line("const uint64_t part = c & 0x7fu;")
        lost = ["shift > 63"] if s.max_bytes > MOST_GROUPS else []
        lost += ["(part << shift) >> shift != part", *(["v > ~0ull - (part << shift)"] if s.shape == "prefix" else [])]
        w.line(f"if ({' || '.join(lost)})")
        w.line("\treturn MRG_E_RANGE;")
        if s.minimal:
            w.line(f"if (n > {first}u && c == 0)")
            w.line("\treturn MRG_E_VALUE;")
        w.line("v += part << shift;")
    w.line("n++;")
    w.depth -= 1
    w.line("} while (c & 0x80u);")


def _get_groups(w: Writer, s: ir.VarintSpec) -> None:
    w.line("uint64_t v = 0;")
    _loop(w, s, "0")


def _put_groups(w: Writer, s: ir.VarintSpec) -> None:
    if s.order == "little":
        w.line("while (v > 0x7fu) {")
        w.line("\tmrg_w_u8(w, (uint8_t)(v | 0x80u));")
        w.line("\tv >>= 7;")
        w.line("}")
        w.line("mrg_w_u8(w, (uint8_t)v);")
        return
    w.line("unsigned shift = 0;")
    w.line("while (shift < 63 && v >> shift > 0x7fu)")
    w.line("\tshift += 7;")
    w.line("for (; shift > 0; shift -= 7)")
    w.line("\tmrg_w_u8(w, (uint8_t)((v >> shift & 0x7fu) | 0x80u));")
    w.line("mrg_w_u8(w, (uint8_t)(v & 0x7fu));")


def _get_prefix(w: Writer, s: ir.VarintSpec) -> None:
    full = (1 << s.prefix_bits) - 1
    w.line(f"uint64_t v = q[0] & {full:#x}u;")
    w.line(f"if (v < {full:#x}u) {{")
    w.line("\t*value = v;")
    w.line("\t*size = 1;")
    w.line("\treturn MRG_OK;")
    w.line("}")
    _loop(w, s, "1")


def _put_prefix(w: Writer, s: ir.VarintSpec) -> None:
    full = (1 << s.prefix_bits) - 1
    w.line(f"if (v < {full:#x}u) {{")
    w.line("\tmrg_w_u8(w, (uint8_t)v);")
    w.line("\treturn;")
    w.line("}")
    w.line(f"mrg_w_u8(w, {full:#x}u);")
    w.line(f"v -= {full:#x}u;")
    _put_groups(w, ir.VarintSpec(s.name, "groups", s.hi, order="little"))


def _get_short(w: Writer, s: ir.VarintSpec) -> None:
    w.line("uint64_t v = q[0];")
    w.line("size_t n = 1;")
    with w.block("if (v >= 0x80u)"):
        w.line("const size_t count = (size_t)v & 0x7fu;")
        w.line(f"if (count == 0 || count > {s.max_bytes}u)")
        w.line("\treturn MRG_E_RANGE;")
        w.line("if (count > (size_t)(end - q) - 1u)")
        w.line("\treturn MRG_MORE;")
        w.line("v = mrg_be(q + 1, (unsigned)count);")
        w.line("n += count;")
        if s.minimal:
            w.line("if (q[1] == 0 || v < 0x80u)")
            w.line("\treturn MRG_E_VALUE;")


def _put_short(w: Writer, s: ir.VarintSpec) -> None:
    w.line("if (v < 0x80u) {")
    w.line("\tmrg_w_u8(w, (uint8_t)v);")
    w.line("\treturn;")
    w.line("}")
    w.line("unsigned n = 1;")
    w.line("while (n < 8 && v >> (8u * n) != 0)")
    w.line("\tn++;")
    w.line("mrg_w_u8(w, (uint8_t)(0x80u | n));")
    w.line("mrg_w_be(w, n, v);")
