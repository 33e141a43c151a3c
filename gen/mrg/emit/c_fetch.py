"""Fetching a `shared` packet: its bytes are loaded once, and checked where nobody else can change them.

What is loaded is min(len, size_max) bytes.  A packet that may look at where its region ends (`rest`, `avail`, a `max`)
must still see that more follow: then a zero, which is not loaded, stands behind the bytes.  No packet that is accepted
takes it, since that would be more than size_max.
"""

from __future__ import annotations

from .. import ir, layout
from . import c_common, c_expr, c_view
from .c_shape import Shape
from .writer import Writer


def emit(w: Writer, shape: Shape) -> None:
    """The struct and the function, for the header."""
    p, name = shape.packet, shape.cname
    assert p.size_max is not None  # the front end insists
    most, spare = p.size_max, not _closed(p)
    w.comment(
        f"A {p.name} out of memory that others may change. `view` borrows `bytes`: a copy of this struct has\n"
        "a view that borrows the original."
    )
    with w.block(f"struct {name}_fetched", "};"):
        w.line(f"uint8_t bytes[{max(1, most + spare)}];")
        w.line(f"struct {name} view; /* valid after MRG_OK, as long as the struct stays where it is */")
    w.line()
    _contract(w, shape, most)
    head = (
        f"static inline MRG_MUST_USE enum mrg_status {name}_fetch(const volatile void *from, size_t len{c_view.params_decl(p)}, "
        f"struct {name}_fetched *out, struct mrg_reject *rj)"
    )
    check = f"{c_common.check_name(p)}((struct mrg_span){{ out->bytes, size }}{c_view.params_pass(p)}, &out->view, rj)"
    bound = c_expr.number(most)
    with w.function(head):
        w.line(f"{'size_t' if spare else 'const size_t'} size = len > {bound} ? {bound} : len;")
        w.line("mrg_load_once(out->bytes, from, size);")
        if not spare:
            w.line(f"return {check};")
            return
        w.line("if (len > size)")
        w.line("\tout->bytes[size++] = 0; /* more follow: where the region ends may matter */")
        w.line(f"const enum mrg_status st = {check};")
        w.line(f"if (MRG_LIKELY(st != MRG_MORE || len <= {bound}))")
        w.line("\treturn st;")
        w.line("if (rj != NULL)")
        w.line("\trj->status = MRG_E_LIMIT; /* there are more bytes, but it may not take them */")
        w.line("return MRG_E_LIMIT;")


def _contract(w: Writer, shape: Shape, most: int) -> None:
    p, name = shape.packet, shape.cname
    w.comment(
        f"{name}_fetch - load the {p.name} at `from`, which others may change meanwhile, and view the copy.\n"
        f"  from, len  where it starts, and how many bytes may be read there. Each is loaded at most once,\n"
        f"             and no more than {most} of them. NULL only when len is 0\n"
        "  out        the copy and its view; the view is all zero on rejection\n"
        f"  rj         may be NULL; filled on rejection. Offsets are from the packet's first byte, `at` is in *out\n"
        f"Lifetime: out->view borrows out->bytes; nothing borrows `from`.\n"
        f"Fails:    MRG_MORE when len is too small, else the status of the field that rj names; MRG_E_LIMIT for\n"
        f"          one that would take more than {most} bytes.\n"
        f"Cost:     one copy, one check. No barrier: the caller has the one that says the bytes are there."
    )


def _closed(packet: ir.Packet) -> bool:
    """It always takes the same bytes, and nothing in it depends on how many follow."""
    return packet.fixed and all(_plain(p) for p in layout.contained(packet))


def _plain(packet: ir.Packet) -> bool:
    if any(layout.fixed_bits(item) is None for item in packet.items):
        return False
    if any(isinstance(e, ir.Avail) for root in layout.exprs(packet.items) for e in layout.refs(root)):
        return False
    return not any(isinstance(a, ir.BufArg) for item in packet.items if isinstance(item, ir.Sub) for a in item.args)
