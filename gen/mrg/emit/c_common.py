"""What reading and writing share: names of numbers, paths of accessors, sites, C switches."""

from __future__ import annotations

from typing import Callable, Iterator, Optional

from .. import ir, layout, names
from . import c_expr
from .writer import Writer

_VARINT_NAMES: dict[int, str] = {}


def register_varints(module: ir.Module) -> None:
    for m in [*module.imports, module]:
        for v in m.varints:
            _VARINT_NAMES[id(v)] = f"{names.prefix(m)}_{names.snake(v.name)}"


def varint_name(spec: ir.VarintSpec) -> str:
    return _VARINT_NAMES[id(spec)]


def path_value(packet: ir.Packet, path: tuple[ir.Item, ...], base: str, is_pointer: bool) -> str:
    """The value of a field through accessors, starting at a view of packet; as wide as arithmetic is."""
    return _widened(path[-1], path_read(packet, path, base, is_pointer))


def path_read(packet: ir.Packet, path: tuple[ir.Item, ...], base: str, is_pointer: bool) -> str:
    """The same, of the field's own type."""
    text, here = base if is_pointer else f"&{base}", packet
    for i, item in enumerate(path):
        if i + 1 == len(path):
            return f"{names.packet(here)}_{item.name}({text})"
        assert isinstance(item, ir.Sub)
        inner = f"{names.packet(here)}_{item.name}({text})"
        text = f"&(struct {names.packet(item.packet)}[1]){{ {inner} }}[0]"
        here = item.packet
    raise ValueError("empty path")


def _widened(item: ir.Item, text: str) -> str:
    if isinstance(item, ir.Scalar):
        if item.signed:
            return f"(int64_t){text}"
        return text if item.bits > 32 else f"(uint32_t){text}"
    return text


def key_path(item: ir.List) -> tuple[ir.Item, ...]:
    """From an element to the key that may not repeat; of an integer the element itself; empty: there is none."""
    path = item.ascending or item.unique or ()
    return path[1:] if len(path) > 1 and path[0] is item.elem else path


def check_name(packet: ir.Packet) -> str:
    """The check of a span; internal for a `shared` packet, which is checked where it was fetched to."""
    return f"{names.packet(packet)}_check{'_' if packet.shared else ''}"


def site_table(m: ir.Module) -> str:
    """The C name of a module's table of sites."""
    return f"mrg_{m.name.replace('.', '_')}_site_"


class Sites:
    """The table of specification places that rejections point to."""

    def __init__(self, module: ir.Module) -> None:
        self.module = module
        self.rows: list[tuple[str, int, str, str]] = []
        self.index: dict[tuple[str, int, str, str], int] = {}

    def ref(self, packet: ir.Packet, item: Optional[ir.Item], loc: ir.Loc, what: str) -> str:
        path = f"{packet.name}.{item.name}" if item is not None and item.name else packet.name
        row = (loc.file, loc.line, path, what)
        if row not in self.index:
            self.index[row] = len(self.rows)
            self.rows.append(row)
        return f"MRG_SITE({site_table(self.module)}, {self.index[row]})"


def by_value(item: ir.Switch) -> bool:
    """The arms are values, so that it is a switch of C's."""
    hi = item.on.hi
    return all(p.hi - p.lo < 16 and (p.mask & hi) == hi or p.mask >= hi and p.hi - p.lo < 16 for a in item.arms for p in a.pats)


def dispatch(
    w: Writer,
    item: ir.Switch,
    on: str,
    arm: Callable[[ir.Arm], None],
    otherwise: Optional[str] = None,
    brief: bool = False,
    sure: bool = False,
) -> None:
    """A C switch over an ir.Switch: `case`s where the arms are values, tests

    where they are ranges or patterns.  Arm bodies end in break or return.
    sure: one of the arms it is, so that the last needs no test."""
    last = item.arms[-1] if sure and item.default is None else item.default
    hi = item.on.hi
    if by_value(item):
        with w.block(f"switch ({on})"):
            for a in item.arms:
                for label in _labels(a, a is last):
                    w.line(label)
                if brief:
                    w.depth += 1
                    arm(a)
                    w.depth -= 1
                    continue
                with w.block(""):
                    arm(a)
            if last is None:
                w.line("default:")
                for line in (otherwise or "break;").splitlines():
                    w.line(f"\t{line}")
        return
    ctype = "uint64_t" if hi > 0xFFFFFFFF else "uint32_t"
    with w.block("do", "} while (0);"):
        w.line(f"const {ctype} tag = ({ctype})({on});")
        low = 0  # what is below is some arm's before
        for a in item.arms:
            tests = " || ".join(_pat_test(p, hi, low) for p in a.pats)
            for p in a.pats:
                if p.lo <= low and ((p.mask & hi) == hi or p.mask >= hi):
                    low = max(low, p.hi + 1)
            with w.block(f"if ({tests})" if a is not last else ""):
                arm(a)
        if item.default is None:
            w.line("(void)tag;")
        if last is None:
            for line in (otherwise or "").splitlines():
                w.line(line)


def _labels(arm: ir.Arm, rest: bool) -> Iterator[str]:
    """What stands before an arm of a C switch; rest: it has what no other arm has."""
    if rest:
        text = ", ".join(p.text for p in arm.pats if p.text)
        yield f"default:{f' /* {names.c_comment(text)} */' if text else ''}"
        return
    for p in arm.pats:
        for v in range(p.lo, p.hi + 1):
            yield f"case {c_expr.number(v)}:{f' /* {names.c_comment(p.text)} */' if p.text else ''}"


def _pat_test(p: ir.Pat, hi: int, low: int) -> str:
    tag = "tag" if (p.mask & hi) == hi or p.mask >= hi else f"(tag & {c_expr.number(p.mask, hex(p.mask))})"
    if p.lo == p.hi:
        return f"{tag} == {c_expr.number(p.lo)}"
    parts = [] if p.lo == 0 or (p.lo <= low and tag == "tag") else [f"{tag} >= {c_expr.number(p.lo)}"]
    if p.hi < hi:
        parts.append(f"{tag} <= {c_expr.number(p.hi)}")
    return "(" + (" && ".join(parts) or "true") + ")"


INLINE_ARMS = 11


def _inline_arms(item: ir.Switch) -> bool:
    """Few arms, each checked in place."""
    parts = [arm.item for arm in item.arms if arm.item is not None]
    return len(item.arms) <= INLINE_ARMS and all(
        inline(part.packet) if isinstance(part, ir.Sub) else isinstance(part, (ir.Bytes, ir.Scalar)) for part in parts
    )


def inline(packet: ir.Packet) -> bool:
    """Small straight-line packets are checked inline, in the header."""
    weight = lists = 0
    for item in layout.walk(packet.items):
        if isinstance(item, (ir.Varint, ir.Align)):
            return False
        if isinstance(item, ir.Switch):
            if not _inline_arms(item):
                return False
            weight += 3 * len(item.arms)
        if isinstance(item, ir.List):
            lists += 1
        if isinstance(item, ir.Chain) and len(item.arms) > 3:
            return False
        if isinstance(item, ir.Bytes) and item.mode == "until":
            return False
        if isinstance(item, (ir.Scalar, ir.Varint)) and any(isinstance(e, ir.Sum) for e in layout.refs(item.computed)):
            return False
        weight += 1 if isinstance(item, (ir.Scalar, ir.Check)) else 3
    return weight <= 60 and lists <= 1
