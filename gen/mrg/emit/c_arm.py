"""Chain arms of the common kind, checked in place: a head of fixed size, then

perhaps bytes whose number the head says.  What the first byte's choice of the
arm already implies is not tested again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Callable, Optional

from .. import ir, layout
from . import c_expr

if TYPE_CHECKING:
    from .c_scan import Scan


@dataclass
class Simple:
    head: layout.Run
    tail: Optional[ir.Bytes]


class LocalEnv(c_expr.Env):
    """Fields are locals, called after the arm too: the packet around it may have fields and parameters of the same name."""

    def __init__(self, arm: ir.ChainArm) -> None:
        self.arm = arm

    def field(self, ref: ir.FieldRef) -> str:
        return _local(self.arm, ref.path[0])


def _local(arm: ir.ChainArm, item: ir.Item) -> str:
    return f"{item.name}_of_{arm.name}"


def simple(arm: ir.ChainArm) -> Optional[Simple]:
    parts = layout.segments(arm.packet.items)
    if arm.packet.params or not parts or not isinstance(parts[0], layout.Run) or len(parts) > 2:
        return None
    if any(not isinstance(i, (ir.Scalar, ir.Check)) for i in parts[0].items):
        return None
    if any(isinstance(i, ir.Scalar) and (i.computed is not None or i.enum is not None and i.enum.closed) for i in parts[0].items):
        return None
    tail = parts[1] if len(parts) == 2 else None
    if tail is not None and not (isinstance(tail, ir.Bytes) and tail.mode == "len" and tail.max is None):
        return None
    exprs = list(layout.exprs(arm.packet.items)) + ([arm.at] if arm.at is not None else [])
    for e in exprs:
        for node in layout.refs(e):
            if not isinstance(node, (ir.Const, ir.FieldRef, ir.Bin, ir.Un, ir.In)):
                return None
    return Simple(parts[0], tail)


def emit(scan: "Scan", chain: ir.Chain, arm: ir.ChainArm, s: Simple) -> tuple[str, Optional[Callable[[], None]]]:
    """Check the arm at `at`; gives a C expression for its size, and what emits the refusal of an item that is

    longer than what is left, where that is still to be checked."""
    from . import c_view

    w = scan.w
    up = _site_of(scan, arm)
    if s.head.size > 1:
        _fail(scan, f"(size_t)(lim - at) < {s.head.size}u", "MRG_MORE", "at", 0, up(s.head.items[0], f"needs {s.head.size} bytes"), chain, arm)
    used = {id(n.path[0]) for e in _live_exprs(arm, s) for n in layout.refs(e) if isinstance(n, ir.FieldRef)}
    for item in s.head.items:
        bits = s.head.offset(item)
        ptr = f"at + {bits // 8}" if bits >= 8 else "at"
        if isinstance(item, ir.Check):
            if item.severity == "must" and not c_expr.always_true(item.expr) and not implied(arm, s, item):
                about = next((i for i in s.head.items if i.name == item.name and isinstance(i, ir.Scalar)), None)
                off = s.head.offset(about) if about is not None else bits
                at = f"at + {off // 8}" if off >= 8 else "at"
                _fail(scan, f"!({c_expr.emit(item.expr, LocalEnv(arm))})", "MRG_E_VALUE", at, off % 8, up(item, item.what), chain, arm)
            continue
        assert isinstance(item, ir.Scalar)
        load = c_view.load(item, ptr, bits % 8)
        if id(item) in used:
            w.line(f"const uint{64 if item.bits > 32 else 32}_t {_local(arm, item)} = {load};")
        if item.const is not None and item.severity == "must" and not implied(arm, s, item):
            _fail(scan, f"{load} != {c_expr.number(item.const)}", "MRG_E_VALUE", ptr, bits % 8, up(item, f"must be {item.const}"), chain, arm)
    if s.tail is None or s.tail.length is None:
        return f"{s.head.size}u", None
    length = c_expr.emit(s.tail.length, LocalEnv(arm))
    tail = up(s.tail, "ends beyond its region")

    def bounds() -> None:
        _fail(scan, f"{length} > (size_t)(lim - at) - {s.head.size}u", "MRG_MORE", f"at + {s.head.size}", 0, tail, chain, arm)

    fits = s.tail.length.hi + s.head.size <= 0xFFFFFFFF
    if not fits:
        bounds()
    w.line(f"const {'uint32_t' if fits else 'size_t'} size = {s.head.size}u + {'' if fits else '(size_t)'}{length};")
    return "size", bounds if fits else None


def _site_of(scan: "Scan", arm: ir.ChainArm):  # type: ignore[no-untyped-def]
    assert scan.sites is not None
    sites = scan.sites
    return lambda item, what: sites.ref(arm.packet, item, item.loc, what)


def _fail(scan: "Scan", cond: str, status: str, at: str, bit: int, site: str, chain: ir.Chain, arm: ir.ChainArm) -> None:
    if scan.in_region and status == "MRG_MORE":
        status = "MRG_E_SHORT"
    outer = scan.site(chain, arm.loc, f"{arm.name} refused")
    scan.w.line(f"if (MRG_UNLIKELY({cond}))")
    scan.w.line(f"\treturn (void)mrg_reject_at(rj, {status}, {at}, {bit}, {site}), mrg_reject_up(rj, {outer});")


def _live_exprs(arm: ir.ChainArm, s: Simple) -> list[ir.Expr]:
    out: list[ir.Expr] = []
    for item in s.head.items:
        if isinstance(item, ir.Check) and item.severity == "must" and not c_expr.always_true(item.expr) and not implied(arm, s, item):
            out.append(item.expr)
    if s.tail is not None and s.tail.length is not None:
        out.append(s.tail.length)
    if arm.at is not None:
        out.append(arm.at)
    return out


# --- what the first byte implies -------------------------------------------------------


def implied(arm: ir.ChainArm, s: Simple, item: ir.Item) -> bool:
    """The constraint holds for each first byte that chooses the arm."""
    try:
        return all(_holds(s, item, byte) for lo, hi in arm.first for byte in range(lo, hi + 1))
    except _Elsewhere:
        return False


def certain(arm: ir.ChainArm) -> bool:
    """The first byte is all that there is of the arm, and says that it is right."""
    s = simple(arm)
    checked = [] if s is None else [i for i in s.head.items if isinstance(i, ir.Check) and i.severity == "must" or isinstance(i, ir.Scalar)]
    return s is not None and s.tail is None and s.head.size == 1 and all(implied(arm, s, i) for i in checked)


class _Elsewhere(Exception):
    """Depends on more than the first byte."""


def _holds(s: Simple, item: ir.Item, byte: int) -> bool:
    if isinstance(item, ir.Scalar):
        return item.const is None or _field(s, item, byte) == item.const
    assert isinstance(item, ir.Check)
    return bool(_value(s, item.expr, byte))


def _field(s: Simple, item: ir.Item, byte: int) -> int:
    bits = s.head.offset(item)
    if not isinstance(item, ir.Scalar) or bits + item.bits > 8 or item.signed:
        raise _Elsewhere
    return byte >> (8 - bits - item.bits) & ((1 << item.bits) - 1)


def _value(s: Simple, e: ir.Expr, byte: int) -> int:
    if isinstance(e, ir.Const):
        return e.value
    if isinstance(e, ir.FieldRef):
        return _field(s, e.path[0], byte)
    if isinstance(e, ir.In):
        v = _value(s, e.e, byte)
        return int(any(_value(s, lo, byte) <= v <= _value(s, hi, byte) for lo, hi in e.ranges))
    if isinstance(e, ir.Bin) and e.op in ("==", "!=", "<", "<=", ">", ">="):
        a, b = _value(s, e.a, byte), _value(s, e.b, byte)
        return int({"==": a == b, "!=": a != b, "<": a < b, "<=": a <= b, ">": a > b, ">=": a >= b}[e.op])
    raise _Elsewhere
