"""Invariants and measures of the loops that read, in ACSL."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .. import ir, keys, layout, names
from . import acsl_terms, c_common, c_expr, c_list

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
    if acsl_terms.why_not(scan.packet):
        _bounds(scan, item, counted)
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
            if not acsl_terms.followed(scan.shape, item):
                keeps.append(f"q - {start} + {lists}(q, {end} - q, left{args}) == {lists}({start}, {end} - {start}, \\at(left, LoopEntry){args})")
        else:
            more = f"{lists}(q, {end} - q, left{args})"
            keeps.append(
                f"0 <= {more} <= {end} - q ==> {lists}({start}, {end} - {start}, \\at(left, LoopEntry){args}) == q - {start} + {more}"
            )
        if acsl_terms.followed(scan.shape, item):
            keeps.append(_less(lists, start))
    elif bits is not None:
        if bits != 8:
            keeps.append(f"(q - {start}) % {bits // 8} == 0")
    else:
        keeps.append(f"{lists}(q, {end} - q{args}) == 1 ==> {lists}({start}, {end} - {start}{args}) == 1")
    _tell(scan, item, keeps, counted, measure)


def _less(lists: str, start: str) -> str:
    """The elements take what they take of any room that has them: of what is before what follows, too, which is known at the end alone."""
    more = f"{lists}(q, room - (q - {start}), left)"
    return (
        f"\\forall integer room; q - {start} <= room && 0 <= {more} <= room - (q - {start})"
        f" ==> {lists}({start}, room, \\at(left, LoopEntry)) == q - {start} + {more}"
    )


def _bounds(scan: "Scan", item: ir.List, counted: bool) -> None:
    """Of a packet whose check is proved and nothing else: what is read is there, and comes to an end."""
    if scan.sites is None:
        return
    keeps = [f"mrg_within({item.name}_from, {scan.end}, q)"]
    _tell(scan, item, keeps, counted, "left" if item.mode == "count" else f"{scan.end} - q")


def _tell(scan: "Scan", item: ir.List, keeps: list[str], counted: bool, measure: str) -> None:
    if item.max is not None and scan.sites is not None:
        keeps.append(f"n <= {item.max}")
        if item.unique and "seen" in _keys(item):
            keeps.append("seen <= n")
    changes = ["q"] + (["*rj"] if scan.sites is not None else [])
    changes += ["left"] if item.mode == "count" else []
    changes += ["n"] if item.max is not None and scan.sites is not None else []
    changes += [f"{item.name}_count"] if counted else []
    if scan.sites is not None:
        changes += _keys(item)
    text = "\n".join(f"loop invariant {keep};" for keep in keeps)
    scan.w.proof(f"{text}\nloop assigns {', '.join(changes)};\nloop variant {measure};")


def _keys(item: ir.List) -> list[str]:
    """Locals that remember keys."""
    if item.ascending:
        key = c_common.key_path(item)[-1]
        return ["next_key", "first"] if isinstance(key, ir.Bytes) or c_list.whole_range(item) else ["next_key"]
    if not item.unique:
        return []
    bits = keys.bitmap_bits(c_common.key_path(item)[-1])
    if bits is not None:
        return [f"{item.name}_seen[0 .. {max(1, (1 << bits) // 8) - 1}]"]
    return [f"{item.name}_seen[0 .. {max(keys.elements_max(item) or 1, 1) - 1}]", "seen"]


def chain(scan: "Scan", item: ir.Chain, buffers: list[ir.Param]) -> None:
    """The loop over the items of a chain: what they may still take gets less with each, what jumps are left with each pointer."""
    if not _wanted(scan):
        return
    keeps = [
        "mrg_bytes(at, lim) && mrg_within(at, lim, near) && 1 <= near - at",
        f"\\base_addr(run) == \\base_addr(at) && 0 <= at - run && near - run <= left + 1 && left <= {item.max_bytes}",
    ]
    changes = ["at", "*rj"]
    measure = "left - (at - run)"
    if buffers:
        most = max(arm.max_jumps for arm in item.arms)
        names_of = [names.param(b.name) for b in buffers]
        keeps.append(f"rest == \\null || mrg_within(q, {scan.end}, rest) && 1 <= rest - q")
        keeps.append(f"rest == \\null ==> lim == {scan.end} && mrg_within(q, {scan.end}, at)")
        keeps.append(f"jumps <= {most} && " + " && ".join(f"{b.name}_run <= {n}.len" for b, n in zip(buffers, names_of)))
        changes += ["lim", "run", "left", "near", "rest", "jumps"] + [f"{b.name}_run" for b in buffers]
        measure += f" + {most} - jumps"
    else:
        keeps.append(f"lim == {scan.end} && mrg_within(q, {scan.end}, at)")
    text = "\n".join(f"loop invariant {keep};" for keep in keeps)
    scan.w.proof(f"{text}\nloop assigns {', '.join(changes)};\nloop variant {measure};")


def until(scan: "Scan", item: ir.Bytes) -> None:
    """The search for the octet that ends bytes."""
    if _wanted(scan) and scan.sites is not None:
        scan.w.proof(f"loop invariant mrg_within({item.name}_start, {scan.end}, q);\nloop assigns q;\nloop variant {scan.end} - q;")


def counting(scan: "Scan", name: str, end: str) -> None:
    """A loop that counts up to `end` and changes nothing but, where it refuses, *rj."""
    if _wanted(scan):
        scan.w.proof(f"loop invariant {name} <= {end};\nloop assigns {name}, *rj;\nloop variant {end} - {name};")


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
    return scan.w.contracts is not None and not acsl_terms.unchecked(scan.packet)
