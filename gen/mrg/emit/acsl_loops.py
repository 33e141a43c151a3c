"""Invariants and measures of the loops that read lists, in ACSL."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .. import ir, layout, names
from . import acsl_terms, c_expr

if TYPE_CHECKING:
    from .c_scan import Scan


def before(scan: "Scan", item: ir.List) -> None:
    """Where the list starts, kept for what the loop keeps."""
    if _wanted(scan):
        scan.w.proof(f"ghost const uint8_t *{item.name}_from = q;")


def loop(scan: "Scan", item: ir.List, counted: bool) -> None:
    """What holds before each element, and what gets less."""
    if not _wanted(scan):
        return
    bits, start, end = layout.fixed_bits(item.elem), f"{item.name}_from", scan.end
    keeps = [f"\\base_addr(q) == \\base_addr(end) && 0 <= q - {start} <= {end} - {start}"]
    lists, args = acsl_terms.list_name(scan.packet, item), _args(scan, item)
    measure = f"{end} - q"
    if item.mode == "count":
        measure = "left"
        keeps.append("0 <= left <= \\at(left, LoopEntry)")
        if bits is not None:
            keeps.append(f"q - {start} == {bits // 8} * (\\at(left, LoopEntry) - left)")
            if scan.sites is None:
                keeps.append(f"{bits // 8} * left <= {end} - q")
        elif scan.sites is None:
            keeps.append(f"0 <= {lists}(q, {end} - q, left{args}) <= {end} - q")
            keeps.append(f"q - {start} + {lists}(q, {end} - q, left{args}) == {lists}({start}, {end} - {start}, \\at(left, LoopEntry){args})")
        else:
            more = f"{lists}(q, {end} - q, left{args})"
            keeps.append(
                f"0 <= {more} <= {end} - q ==> {lists}({start}, {end} - {start}, \\at(left, LoopEntry){args}) == q - {start} + {more}"
            )
    elif bits is not None:
        if bits != 8:
            keeps.append(f"(q - {start}) % {bits // 8} == 0")
    else:
        keeps.append(f"{lists}(q, {end} - q{args}) == 1 ==> {lists}({start}, {end} - {start}{args}) == 1")
    changes = ["q"] + (["*rj"] if scan.sites is not None else [])
    changes += ["left"] if item.mode == "count" else []
    changes += ["n"] if item.max is not None and scan.sites is not None else []
    changes += [f"{item.name}_count"] if counted else []
    text = "\n".join(f"loop invariant {keep};" for keep in keeps)
    scan.w.proof(f"{text}\nloop assigns {', '.join(changes)};\nloop variant {measure};")


def _args(scan: "Scan", item: ir.List) -> str:
    """The elements' arguments as the scan function has them."""
    if not isinstance(item.elem, ir.Sub):
        return ""
    out = ""
    for param, arg in zip(item.elem.packet.params, item.elem.args):
        if isinstance(arg, ir.BufArg):
            name = "" if arg.param is None else names.param(arg.param.name)
            out += f", {name}.p, {name}.len" if name else ", p, end - p"
        else:
            out += f", ({names.uint_type(param.bits)})({c_expr.emit(arg, scan.env)})"
    return out


def _wanted(scan: "Scan") -> bool:
    return scan.w.contracts is not None and not acsl_terms.why_not(scan.packet)
