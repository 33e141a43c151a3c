"""Expressions and items of the IR in the words of the specification language, for people to read."""

from __future__ import annotations

from typing import Callable, Optional, Sequence, Union

from .. import ir, sizes
from ..lower_util import top_of

_TIGHT = {
    "||": 2, "&&": 3, "==": 4, "!=": 4, "<": 5, "<=": 5, ">": 5, ">=": 5, "|": 6, "^": 7, "&": 8, "<<": 9, ">>": 9,
    "+": 10, "-": 10, "*": 11, "/": 11, "%": 11,
}  # fmt: skip
_UNARY = 12


def expr(e: ir.Expr, around: int = 0) -> str:
    """An expression; in parentheses where what is around it binds tighter."""
    writer = _EXPRS[type(e)]
    text, binds = writer(e)
    return f"({text})" if binds < around else text


Written = tuple[str, int]  # the text, and how tight its operator binds


def _bin(e: ir.Bin) -> Written:
    binds = _TIGHT[e.op]
    if e.op == "||":  # `&&` in it binds tighter, but who knows that by heart
        return " || ".join(expr(side, 4) if isinstance(side, ir.Bin) and side.op == "&&" else expr(side, 2) for side in (e.a, e.b)), binds
    return f"{expr(e.a, binds)} {e.op} {expr(e.b, binds + 1)}", binds


def _cond(e: ir.Cond) -> Written:
    if isinstance(e.c, ir.Bin) and e.c.a is e.a and e.c.b is e.b:
        return f"{'min' if e.c.op == '<' else 'max'}({expr(e.a)}, {expr(e.b)})", _UNARY
    return f"{expr(e.c, 4)} ? {expr(e.a, 2)} : {expr(e.b, 1)}", 1


def _in(e: ir.In) -> Written:
    return f"{expr(e.e, 6)} in {ranges(e)}", 5


def ranges(e: ir.In) -> str:
    """What a value may be, as after `in`."""
    parts = [_range(e, lo, hi) for lo, hi in e.ranges]
    return parts[0] if len(parts) == 1 and ".." in parts[0] else "{" + ", ".join(parts) + "}"


def _range(e: ir.In, lo: ir.Expr, hi: ir.Expr) -> str:
    if lo is hi or isinstance(lo, ir.Const) and isinstance(hi, ir.Const) and (lo.value == hi.value or lo.text and lo.text == hi.text):
        return expr(lo)
    is_open = isinstance(hi, ir.Const) and not hi.text and hi.value == top_of(e.e)
    return f"{expr(lo, 6)}..{'' if is_open else expr(hi, 6)}"


def _sum(e: ir.Sum) -> Written:
    pseudo = ", ".join(f"{expr(word)}: u{8 * size}" for word, size in e.pseudo)
    over = e.first.name if e.first is e.last else f"{e.first.name}..{e.last.name}"
    return f"{e.kind}({over}{f', pseudo({pseudo})' if pseudo else ''})", _UNARY


def _field(e: ir.FieldRef) -> Written:
    names = [i.name for i in e.path]
    if len(names) > 1 and names[0] == "item":  # of a list's element, whose fields stand for themselves
        del names[0]
    return ".".join(names), _UNARY


_EXPRS: dict[type, Callable[..., Written]] = {
    ir.Const: lambda e: (e.text or str(e.value), _UNARY),
    ir.FieldRef: _field,
    ir.ParamRef: lambda e: (e.param.name, _UNARY),
    ir.BufLen: lambda e: (f"len({e.param.name})", _UNARY),
    ir.SizeOf: lambda e: (f"size {e.item.name if e.item is not None else 'this'}", _UNARY),
    ir.CountOf: lambda e: (f"count {e.item.name}", _UNARY),
    ir.Avail: lambda e: ("avail", _UNARY),
    ir.Here: lambda e: ("here", _UNARY),
    ir.Peek: lambda e: (f"peek u{e.bits}" + ("le" if e.endian == "little" and e.bits > 8 else ""), _UNARY),
    ir.Un: lambda e: (e.op + expr(e.a, _UNARY), _UNARY),
    ir.Bin: _bin,
    ir.Cond: _cond,
    ir.In: _in,
    ir.Sum: _sum,
    ir.Call: lambda e: (f"{e.extern.name}({', '.join(expr(a) for a in e.args)})", _UNARY),
}


def condition(e: ir.Expr) -> str:
    """`if a == 1`, `unless a == 1`."""
    if isinstance(e, ir.Un) and e.op == "!":
        return f"unless {expr(e.a)}"
    return f"if {expr(e)}"


def capital(text: str) -> str:
    return text[:1].upper() + text[1:]


# --- sizes ------------------------------------------------------------------------------------


def octets(least: int, most: Optional[int]) -> str:
    """How long something is."""
    if most is None:
        return f"{plural(least, 'octet')} or more" if least else "any length"
    return plural(least, "octet") if least == most else f"{least} to {plural(most, 'octet')}"


def plural(n: int, what: str) -> str:
    return f"{n} {what}{'' if n == 1 else 's'}"


def size(item: ir.Item) -> str:
    """How long an item is: by its own expression, else by its least and most."""
    if isinstance(item, (ir.Scalar,)):
        return plural(item.bits, "bit")
    said = extent(item)
    return said if said else octets(*sizes.of(item))


def extent(item: ir.Item) -> str:
    """The length of an item as the specification says it, or ""."""
    if isinstance(item, ir.Region):
        return _octets_of(item.length, "at most " if item.tail else "")
    if isinstance(item, ir.Bytes) and item.mode == "len" and item.length is not None:
        return _octets_of(item.length)
    if isinstance(item, ir.List) and item.mode == "bytes" and item.expr is not None:
        return _octets_of(item.expr)
    return ""


def _octets_of(length: ir.Expr, before: str = "") -> str:
    if isinstance(length, ir.Const):
        return before + plural(length.value, "octet")
    return f"{before}{expr(length, 10)} octets"


# --- items --------------------------------------------------------------------------------------


def brief(item: ir.Item) -> str:
    """What an item is, in a few words; "" where its name and size say it all."""
    return _BRIEF[type(item)](item)


def names(words: Sequence[str], last: str = "or") -> str:
    """a, b or c."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} {last} {words[-1]}"


def _brief_bytes(item: ir.Bytes) -> str:
    if item.mode == "until":
        return f"up to an octet {item.until:#04x}{_at_most(item)}"
    return f"to the end{_at_most(item)}" if item.mode == "rest" else ""


def _at_most(item: ir.Bytes) -> str:
    return "" if item.max is None else f", at most {plural(item.max, 'octet')}"


def _brief_list(item: ir.List) -> str:
    how = list_end(item)
    return f"list of {element(item)}{f', {how}' if how else ''}"


def element(item: ir.List) -> str:
    """What a list is of."""
    if isinstance(item.elem, ir.Scalar) and item.elem.enum is None:
        return f"{'signed ' if item.elem.signed else ''}{item.elem.bits}-bit integers"
    if isinstance(item.elem, ir.Bytes):
        return f"{size(item.elem)} each"
    return brief(item.elem) or "packets"


def list_end(item: ir.List) -> str:
    """Where a list ends; "" where its length says it."""
    said = expr(item.expr) if item.expr is not None else ""
    words = {
        "count": f"{said} of them",
        "bytes": "",
        "rest": "to the end",
        "while": f"while {said}",
        "until": f"until {said}",
    }
    return words[item.mode]


def _brief_switch(item: ir.Switch) -> str:
    some = [arm.name for arm in item.arms]
    return f"{names(some) if len(some) <= 3 else f'one of {len(some)}'}, by {expr(item.on)}"


_BRIEF: dict[type, Callable[..., str]] = {
    ir.Scalar: lambda i: str(i.enum.name) if i.enum is not None else "",
    ir.Bytes: _brief_bytes,
    ir.Sub: lambda i: "" if i.packet.inline else str(i.packet.name),
    ir.List: _brief_list,
    ir.Switch: _brief_switch,
    ir.Chain: lambda i: f"chain of {names([arm.name for arm in i.arms], 'and')}",
    ir.Varint: lambda i: str(i.spec.name),
    ir.Region: lambda i: brief(i.item),
    ir.Align: lambda i: f"to a multiple of {i.to} octets",
}


def constant(item: Union[ir.Scalar, ir.Varint]) -> Optional[int]:
    """The value that builders always write, or None."""
    if isinstance(item, ir.Scalar) and item.const is not None:
        return item.const
    return item.computed.value if isinstance(item.computed, ir.Const) else None
