"""Expressions in C.

The checker proved an interval for every node, so arithmetic is plain unsigned
C: 32 bits wide when every node of the expression fits, else 64.  What a name
means depends on where the expression stands; an Env tells.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Callable, Optional

from .. import ir, ir_machine, layout, names

_CMP = frozenset(("==", "!=", "<", "<=", ">", ">="))
_LOGIC = frozenset(("&&", "||"))


class Env:
    """What the leaves of an expression are called where it is emitted."""

    assured = 0  # octets that are there, as what stands before says

    def field(self, ref: ir.FieldRef) -> str:
        raise NotImplementedError(f"{type(self).__name__}: field {ref.path[-1].name}")

    def param(self, p: ir.Param) -> str:
        return names.param(p.name)

    def buflen(self, p: ir.Param) -> str:
        return f"{names.param(p.name)}.len"

    def avail(self) -> str:
        raise NotImplementedError(f"{type(self).__name__}: avail")

    def here(self) -> str:
        raise NotImplementedError(f"{type(self).__name__}: here")

    def peek(self, e: ir.Peek) -> str:
        raise NotImplementedError(f"{type(self).__name__}: peek")

    def size_of(self, item: ir.Item | None) -> str:
        raise NotImplementedError(f"{type(self).__name__}: size")

    def count_of(self, item: ir.Item) -> str:
        raise NotImplementedError(f"{type(self).__name__}: count")

    def sum(self, e: ir.Sum) -> str:
        raise NotImplementedError(f"{type(self).__name__}: {e.kind}")

    def test(self, e: ir_machine.TestOf) -> str:
        raise NotImplementedError(f"{type(self).__name__}: test {e.test.name}")


def number(value: int, text: str = "") -> str:
    """An unsigned literal, in the author's spelling where that is a number."""
    shown = text.replace("_", "") if text[:2] in ("0x", "0X") else str(value)
    return shown + ("u" if value <= 0xFFFFFFFF else "ull")


def signed(e: ir.Expr) -> bool:
    return any(node.lo < 0 for node in layout.refs(e))


def wide(e: ir.Expr) -> bool:
    return any(
        node.hi > 0xFFFFFFFF or isinstance(node, (ir.Avail, ir.SizeOf, ir.BufLen, ir.Here)) for node in layout.refs(e)
    )


def emit(e: ir.Expr, env: Env) -> str:
    """The expression in C, without outer parentheses where it is a leaf."""
    return _emit(e, env, 64 if wide(e) else 32)


def let_bits(item: ir.Let) -> int:
    return 64 if item.expr.hi > 0xFFFFFFFF else 32


def let_value(item: ir.Let, env: Env) -> str:
    """The value of a let, of its own width: sizes and offsets are size_t, also where they are known to be small."""
    text = emit(item.expr, env)
    return f"(uint32_t)({text})" if let_bits(item) == 32 and wide(item.expr) else text


Bounds = tuple[int, Optional[int]]  # the second may be missing: there is none

ANY: Bounds = (0, None)


def bounds(e: ir.Expr, size: Callable[[ir.SizeOf], Bounds] = lambda e: ANY) -> Bounds:
    """Between what an expression of sizes and counts is, whatever is said about the field that it is for."""
    if isinstance(e, ir.Const):
        return max(e.value, 0), e.value
    if isinstance(e, ir.SizeOf):
        return size(e)
    if isinstance(e, ir.Cond):
        (a, a_most), (b, b_most) = bounds(e.a, size), bounds(e.b, size)
        top = _no_more(e.c, e.b)
        if top is not None:
            b_most = top if b_most is None else min(b_most, top)
        return min(a, b), None if a_most is None or b_most is None else max(a_most, b_most)
    if not isinstance(e, ir.Bin) or e.op not in ("+", "*", "/"):
        return ANY
    (a, a_most), (b, b_most) = bounds(e.a, size), bounds(e.b, size)
    if e.op == "/":
        by = e.b.value if isinstance(e.b, ir.Const) else 0
        return (a // by, None if a_most is None else a_most // by) if by > 0 else ANY
    if a_most is None or b_most is None:
        return a + b if e.op == "+" else a * b, None
    return (a + b, a_most + b_most) if e.op == "+" else (a * b, a_most * b_most)


def _no_more(c: ir.Expr, e: ir.Expr) -> Optional[int]:
    """What a size can't be above where a condition, that it is above some number, does not hold."""
    same = isinstance(c, ir.Bin) and c.op == ">" and isinstance(c.a, ir.SizeOf) and isinstance(e, ir.SizeOf) and c.a.item is e.item
    return c.b.value if same and isinstance(c, ir.Bin) and isinstance(c.b, ir.Const) else None


def beyond(e: ir.Expr, value: ir.Expr) -> ir.Expr:
    """A constraint without what is below the least that its value, computed so, can be."""
    least = bounds(value)[0]
    if isinstance(e, ir.In) and len(e.ranges) == 1 and isinstance(e.ranges[0][0], ir.Const) and e.ranges[0][0].value <= least:
        return replace(e, ranges=[(replace(e.ranges[0][0], value=0), e.ranges[0][1])])
    return e


def _leaf(text: str, width: int) -> str:
    return f"(uint64_t){text}" if width == 64 else text


def _emit(e: ir.Expr, env: Env, width: int) -> str:
    if isinstance(e, ir.Const):
        return str(e.value) if e.value < 0 else number(e.value, e.text)
    if isinstance(e, ir.FieldRef):
        return _leaf(env.field(e), width)
    if isinstance(e, ir.ParamRef):
        return _leaf(f"(uint32_t){env.param(e.param)}" if width == 32 else env.param(e.param), width)
    if isinstance(e, ir.BufLen):
        return env.buflen(e.param)
    if isinstance(e, ir.SizeOf):
        return env.size_of(e.item)
    if isinstance(e, ir.CountOf):
        return env.count_of(e.item)
    if isinstance(e, ir.Avail):
        return env.avail()
    if isinstance(e, ir.Here):
        return env.here()
    if isinstance(e, ir.Peek):
        return _leaf(env.peek(e), width)
    if isinstance(e, ir.Sum):
        return env.sum(e)
    if isinstance(e, ir_machine.TestOf):
        return env.test(e)
    if isinstance(e, ir.Call):
        args = ", ".join(
            f"({names.uint_type(p.bits)})({emit(a, env)})" for p, a in zip(e.extern.params, e.args)
        )
        return f"{names.extern(e.extern)}({args})"
    return _compound(e, env, width)


def _operand(e: ir.Expr, env: Env, width: int) -> str:
    text = _emit(e, env, width)
    return f"({text})" if isinstance(e, (ir.Bin, ir.Cond, ir.In)) else text


def _compound(e: ir.Expr, env: Env, width: int) -> str:
    if isinstance(e, ir.Un):
        return f"{e.op}{_operand(e.a, env, width)}"
    if isinstance(e, ir.Cond):
        return f"{_operand(e.c, env, width)} ? {_operand(e.a, env, width)} : {_operand(e.b, env, width)}"
    if isinstance(e, ir.In):
        return _in(e, env)
    if isinstance(e, ir.Bin):
        if e.op in _LOGIC:
            return f"{_operand(e.a, env, width)} {e.op} {_behind(e, env, width)}"
        if e.op in _CMP:
            return _compare(e.op, e.a, e.b, env)
        return f"{_operand(e.a, env, width)} {e.op} {_operand(e.b, env, width)}"
    raise NotImplementedError(f"expression {type(e).__name__}")


def _behind(e: ir.Bin, env: Env, width: int) -> str:
    """The right side: `avail > 0 &&` before it says how much there is."""
    before = env.assured
    if e.op == "&&" and isinstance(e.a, ir.Bin) and isinstance(e.a.a, ir.Avail) and isinstance(e.a.b, ir.Const) and e.a.op in (">", ">="):
        env.assured = max(before, e.a.b.value + (e.a.op == ">"))
    text = _operand(e.b, env, width)
    env.assured = before
    return text


def _compare(op: str, a: ir.Expr, b: ir.Expr, env: Env) -> str:
    if signed(a) or signed(b):
        return f"(int64_t){_operand(a, env, 64)} {op} (int64_t){_operand(b, env, 64)}"
    width = 64 if wide(a) or wide(b) else 32
    return f"{_operand(a, env, width)} {op} {_operand(b, env, width)}"


def _in(e: ir.In, env: Env) -> str:
    tests = []
    for lo, hi in e.ranges:
        same = isinstance(lo, ir.Const) and isinstance(hi, ir.Const) and lo.value == hi.value
        if same:
            tests.append(_compare("==", e.e, lo, env))
            continue
        parts = []
        if not (isinstance(lo, ir.Const) and lo.value <= e.e.lo):
            parts.append(_compare(">=", e.e, lo, env))
        if not (isinstance(hi, ir.Const) and hi.value >= e.e.hi):
            parts.append(_compare("<=", e.e, hi, env))
        tests.append(" && ".join(parts) or "true")
    if len(tests) == 1:
        return tests[0]
    return " || ".join(f"({t})" if "&&" in t else t for t in tests)


def always_true(e: ir.Expr) -> bool:
    return e.lo >= 1
