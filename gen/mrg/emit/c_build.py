"""Writing a packet: arguments, put, begin/end around holes, copy.

A hole is a part that the caller writes between begin and end: a list, a switch,
a chain amid other items, or a sub-packet that has holes itself."""

from __future__ import annotations

import re
from contextlib import nullcontext
from typing import Optional

from .. import ir, layout, names
from . import acsl, c_chain, c_common, c_copy, c_expr, c_patch, c_plan, c_write
from .c_plan import Plan, bound, counts, flag_name, flags, int_params, is_buffer, may_lack, member_type, members, plan, tracked, tracks
from .c_shape import Shape
from .writer import Writer


# --- header ---------------------------------------------------------------------------------


def emit_header(w: Writer, shape: Shape) -> None:
    p = plan(shape.packet)
    name = shape.cname
    chain = c_chain.only_chain(shape.packet)
    if chain is not None:
        w.comment("Write it again: pointers followed, and set anew when w->refs is set.")
        w.line(f"void {name}_copy(struct mrg_w *w, const struct {name} *v);")
        w.line()
        return
    if p.why_not:
        w.comment(f"No builder: {p.why_not}.")
        w.line()
        return
    _args_struct(w, p, name)
    grows = "\nA length that needs more room than the smallest moves what stands behind it, once." if c_plan.late(p) else ""
    if not p.holes:
        w.comment(f"Write a {shape.packet.name}. Lengths, counts, constants and checksums are filled in.\n"
                  "Fails (sticky): MRG_E_SPACE, MRG_E_RANGE for a number too large for its field, MRG_E_VALUE for\n"
                  f"one that the specification forbids, MRG_E_LENGTH for bytes of the wrong length.{grows}")
        if _put_inline(shape.packet):
            _put(w, p, name, "static inline ")
        else:
            w.line(f"void {name}_put(struct mrg_w *w, const struct {name}_args *a);")
    else:
        _hole_prototypes(w, p, name, grows)
    w.line(f"void {name}_copy(struct mrg_w *w, const struct {name} *v);")
    for hole in p.holes:
        if isinstance(hole, ir.Switch):
            w.comment(f"Write just the {hole.name} of a checked {shape.packet.name}.")
            w.line(f"void {name}_{hole.name}_copy(struct mrg_w *w, const struct {name} *v);")
            _movable(w, shape, hole)
    w.line()


def _args_struct(w: Writer, p: Plan, name: str) -> None:
    rows = [(member_type(i), names.local(i.name), i) for i in members(p)]
    with w.block(f"struct {name}_args", "};"):
        for q in int_params(p.packet):
            w.line(f"{names.uint_type(q.bits)} {names.param(q.name)};")
        for g in flags(p):
            w.line(f"bool {flag_name(g)};")
        for ctype, cname, item in rows:
            note = ""
            if isinstance(item, ir.Sub) and ctype == "struct mrg_span":
                note = " /* flat */"
            w.line(f"{ctype} {cname};{note}")
        if not rows and not int_params(p.packet) and not flags(p):
            w.line("uint8_t none;")
    w.line()


def _hole_prototypes(w: Writer, p: Plan, name: str, grows: str) -> None:
    with w.block(f"struct {name}_build", "};"):
        _declare(w, p)
        if _keeps_args(p, name):
            w.line(f"struct {name}_args args;")
    w.line()
    holes = ", ".join(h.name for h in p.holes)
    text = (
        f"Write a {p.packet.name} around what the caller writes himself: {holes}, in this order.\n"
        f"begin; for each: its content, then {name}_<part>_end (not after the last); end fills in\n"
        f"lengths, counts and checksums.  Fails as a put does, sticky.{grows}"
    )
    if may_lack(p):
        lack = ", ".join(h.name for h in may_lack(p))
        text += (
            f"\nOf {lack} the arguments say whether it is there; where it is not, its _end is called all the\n"
            "same, with nothing before it: MRG_E_VALUE for content, or for ends that are left out."
        )
    w.comment(text)
    w.line(f"void {name}_begin(struct mrg_w *w, struct {name}_build *b, const struct {name}_args *a);")
    for i, hole in enumerate(p.holes):
        if isinstance(hole, ir.List):
            w.line(f"/* before each element of {hole.name} */")
            w.line(f"static inline void {name}_{hole.name}_add(struct mrg_w *w, struct {name}_build *b)")
            w.raw(f"{{\n\t(void)w;\n\tb->{hole.name}_count++;\n}}")
        if i + 1 < len(p.holes):
            w.line(f"void {name}_{hole.name}_end(struct mrg_w *w, struct {name}_build *b);")
    w.line(f"void {name}_end(struct mrg_w *w, struct {name}_build *b);")


def _declare(w: Writer, p: Plan) -> None:
    """Members for what is tracked while a packet is built."""
    w.line("size_t at;")
    for ctype, members in _tracked_members(p):
        w.line(f"{ctype} {', '.join(members)};")


def _tracked_members(p: Plan) -> list[tuple[str, list[str]]]:
    """Their C types and names, but that of `at`.  All begin as zero."""
    extents, places = tracked(p)
    rows = [("size_t", [f"{e.name}_at", f"{e.name}_end"]) for e in extents]
    known = [*extents, *(i for i in places if not any(e is i for e in extents))]
    known += [h for h in p.holes if _placed(p, h) and not any(k is h for k in known)]
    known += [h for h in may_lack(p) if not any(k is h for k in known)]
    rows += [("size_t", [f"{i.name}_at"]) for i in known[len(extents) :]]
    rows += [("uint64_t", [f"{h.name}_count"]) for h in counts(p)]
    if _in_order(p):
        rows.append(("unsigned", ["ended"]))
    return rows


def _movable(w: Writer, shape: Shape, hole: ir.Switch) -> None:
    """X_F_movable(tag): the bytes of this arm mean the same anywhere."""
    fixed_arms = [a for a in hole.arms if a.item is not None and bound(a.item)]
    name = f"{shape.cname}_{hole.name}_movable"
    ctype = "uint64_t" if hole.on.hi > 0xFFFFFFFF else "uint32_t"
    w.comment("Whether the bytes of the arm for this tag hold nothing that a builder would compress.")
    with w.function(f"static inline bool {name}({ctype} tag)"):
        if not fixed_arms:
            w.line("(void)tag;")
            w.line("return true;")
            return
        with w.block("switch (tag)"):
            for a in fixed_arms:
                for pat in a.pats:
                    for v in range(pat.lo, min(pat.hi, pat.lo + 15) + 1):
                        w.line(f"case {c_expr.number(v)}:{' /* ' + pat.text + ' */' if pat.text else ''}")
            w.line("\treturn false;")
            w.line("default:")
            w.line("\treturn true;")


# --- source ------------------------------------------------------------------------------------


def emit_source(w: Writer, shape: Shape) -> None:
    p = plan(shape.packet)
    if c_chain.only_chain(shape.packet) is not None or p.why_not:
        if c_chain.only_chain(shape.packet) is not None:
            c_copy.emit_chain(w, shape)
        return
    name = shape.cname
    if not p.holes:
        if not _put_inline(shape.packet):
            _put(w, p, name, "")
    else:
        _hole_functions(w, p, name)
    c_copy.emit(w, shape, p)


def _put_inline(packet: ir.Packet) -> bool:
    """Small packets of fixed size are written inline, in the header: most of their arguments are known there."""
    return packet.fixed and c_common.inline(packet)


def _uses(w: Writer, mark: int, name: str) -> bool:
    """Is there something of this name in the lines from `mark` on?  Comments don't count."""
    return any(re.search(rf"\b{name}\b", re.sub(r"/\*.*?\*/", "", line)) for line in w.lines[mark:])


def _put(w: Writer, p: Plan, name: str, linkage: str) -> None:
    with w.function(f"{linkage}void {name}_put(struct mrg_w *w, const struct {name}_args *a)"):
        extents, places = tracked(p)
        aligned = any(isinstance(i, ir.Align) for i in layout.walk(p.packet.items))
        if extents or places or aligned:
            with w.block("struct", "} build = { .at = w->len }, *const b = &build;"):
                _declare(w, p)
            w.line("(void)b;")
            if w.contracts and f"{name}_put" in w.contracts:
                w.proof(f"assert {acsl.arguments(p.packet, ['at', *(m for _, more in _tracked_members(p) for m in more)])};")
        mark = len(w.lines)
        sure = c_write.items(w, p, p.parts[0], "a")
        c_patch.patches(w, p, "a", sure)
        for unused in [n for n in ("w", "a") if not _uses(w, mark, n)]:
            w.line(f"(void){unused};")


def _hole_functions(w: Writer, p: Plan, name: str) -> None:
    with w.function(f"void {name}_begin(struct mrg_w *w, struct {name}_build *b, const struct {name}_args *a)"):
        w.line("b->at = w->len;")
        for _, members in _tracked_members(p):
            w.line(" = ".join(f"b->{m}" for m in members) + " = 0;")
        mark = len(w.lines)
        if _keeps_args(p, name):
            w.line("b->args = *a;")
        if is_buffer(p.packet):
            w.line("if (w->refs != NULL)")
            w.line("\tmrg_w_use_refs(w, w->refs); /* pointers count from here */")
        c_write.items(w, p, p.parts[0], "a")
        _hole_starts(w, p, p.holes[0])
        if not _uses(w, mark, "a"):
            w.line("(void)a;")
    _end_functions(w, p, name)


def _keeps_args(p: Plan, name: str) -> bool:
    """Does what is written after the first part need the arguments?"""
    later = Writer()
    _end_functions(later, p, name)
    return _uses(later, 0, "args")


def _end_functions(w: Writer, p: Plan, name: str) -> None:
    for i, hole in enumerate(p.holes):
        last = hole is p.holes[-1]
        part = "" if last else f"{hole.name}_"
        with w.function(f"void {name}_{part}end(struct mrg_w *w, struct {name}_build *b)"):
            mark = len(w.lines)
            _hole_ends(w, p, hole)
            sure = c_write.items(w, p, p.parts[i + 1], "a")
            if last:
                c_patch.patches(w, p, "a", sure)
            else:
                _hole_starts(w, p, p.holes[i + 1])
            if _uses(w, mark, "a"):
                w.lines.insert(mark, f"\tconst struct {name}_args *const a = &b->args;")
            for unused in [n for n in ("w", "b") if not _uses(w, mark, n)]:
                w.line(f"(void){unused};")


def _tail(p: Plan, hole: ir.Item) -> Optional[ir.Region]:
    region = p.regions.get(id(hole))
    return region if region is not None and region.tail else None


def _stated(p: Plan, hole: ir.Item) -> Optional[ir.Expr]:
    """How long the caller's part has to be, where that is not a length that is filled in."""
    if any(d.item is hole for d in p.derived):
        return None
    region = p.regions.get(id(hole))
    if region is not None:
        return None if region.tail else region.length
    return hole.expr if isinstance(hole, ir.List) and hole.mode == "bytes" else None


def _placed(p: Plan, hole: ir.Item) -> bool:
    """The place of the part is asked for at its end."""
    return _tail(p, hole) is not None or _stated(p, hole) is not None


def _in_order(p: Plan) -> bool:
    """Whether the caller could end his parts in another order than they have."""
    return bool(may_lack(p)) and len(p.holes) > 1


def _hole_starts(w: Writer, p: Plan, hole: ir.Item) -> None:
    if any(i is hole for i in [*tracked(p)[0], *tracked(p)[1], *may_lack(p)]) or _placed(p, hole):
        w.line(f"b->{hole.name}_at = w->len;")


def _hole_ends(w: Writer, p: Plan, hole: ir.Item) -> None:
    last = hole is p.holes[-1]
    if _in_order(p):
        number = next(k for k, h in enumerate(p.holes) if h is hole)
        w.line(f"if (b->ended{'' if last else '++'} != {number}u)")
        w.line("\tmrg_w_fail(w, MRG_E_VALUE); /* out of order */")
    there = c_plan.present(p, hole, "a")
    if there:
        count = f" || b->{hole.name}_count != 0" if isinstance(hole, ir.List) else ""
        w.line(f"if (!({there}) && (w->len != b->{hole.name}_at{count}))")
        w.line("\tmrg_w_fail(w, MRG_E_VALUE);")
    if tracks(p, hole):
        w.line(f"b->{hole.name}_end = w->len;")
    region = _tail(p, hole)
    if region is not None:
        with w.block(f"if ({there})") if there else nullcontext():
            c_write.pad_region(w, p, region, f"b->{hole.name}_at", "a")
    length = _stated(p, hole)
    if length is not None:
        c_write.must_fill(w, p, length, f"b->{hole.name}_at", there)
