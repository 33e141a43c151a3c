"""Arguments of builders, as a message has them, and memory for more octets than a length can say."""

from __future__ import annotations

import ctypes
import mmap
import os
from functools import lru_cache
from typing import Any

from build import ROOT  # noqa: F401  (finds the compiler)

from mrg import ir, layout, names
from mrg.emit import c_chain, c_plan
from mrg.values import Node

HUGE = (1 << 32) + 1  # more octets than a number of 32 bits says
FAR = HUGE + (1 << 16)  # octets of memory of which hardly any is used
PIECE = 1 << 25
MAP_NORESERVE = 0x4000
MAP_FIXED = 0x10


@lru_cache(maxsize=None)
def again() -> int:
    """As many octets as FAR of which all are those of one piece of memory: what is written there is not read again."""
    with os.fdopen(os.memfd_create("octets")) as piece:
        os.ftruncate(piece.fileno(), PIECE)
        libc = ctypes.CDLL(None, use_errno=True)
        libc.mmap.restype = ctypes.c_void_p
        libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, *[ctypes.c_int] * 3, ctypes.c_long]
        start = libc.mmap(None, FAR + PIECE, 0, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)
        both = mmap.PROT_READ | mmap.PROT_WRITE
        for at in range(start, start + FAR, PIECE):
            libc.mmap(at, PIECE, both, mmap.MAP_SHARED | MAP_FIXED, piece.fileno(), 0)
    return int(start)


def measured(plan: c_plan.Plan, hole: ir.Item) -> bool:
    """Whether the size of a part is said by a number of 32 bits or less, whatever it is: not one that is 0 where there is too much."""
    lengths = [d.path[-1] for d in plan.derived if d.kind == "size" and d.item is hole]
    for item in (i for i in plan.computed if not isinstance(i.computed, ir.Cond)):
        sizes = [e.item for e in layout.refs(item.computed) if isinstance(e, ir.SizeOf)]
        lengths += [item for of in sizes if of is None or (of.item if isinstance(of, ir.Region) else of) is hole]
    return any(isinstance(i, ir.Scalar) and i.bits <= 32 for i in lengths)


def given(node: Node, data: bytes) -> dict[str, Any]:
    """A message as arguments of its builder: chains flat, packets as arguments of theirs."""
    assert node.packet is not None
    plan = c_plan.plan(node.packet)
    out: dict[str, Any] = {}
    for item in c_plan.members(plan):
        found = node.fields.get(id(item))
        if found is None or not isinstance(item, ir.Sub):
            out[names.local(item.name)] = found.value if found is not None else None
        elif c_chain.only_chain(item.packet) is not None:
            out[names.local(item.name)] = flat(found, data)
        else:
            out[names.local(item.name)] = given(found, data)
    for group in c_plan.flags(plan):
        out[c_plan.flag_name(group)] = any(id(i) in node.fields for i in layout.walk(group.items) if i.name)
    return out


def flat(node: Node, data: bytes) -> bytes:
    """The octets of all items of a chain, wherever they are."""
    chain = next(n for n in node.children if isinstance(n.item, ir.Chain))
    assert isinstance(chain.item, ir.Chain)
    gotos = {arm.name for arm in chain.item.arms if arm.kind == "goto"}
    return b"".join(data[c.bit_off // 8 : (c.bit_off + c.bit_len) // 8] for c in chain.children if c.arm not in gotos)


def as_long(a: ir.Item, b: ir.Item) -> bool:
    """Whether two strings have the same field as their length."""
    if not isinstance(a, ir.Bytes) or not isinstance(b, ir.Bytes) or a is b:
        return False
    return isinstance(a.length, ir.FieldRef) and isinstance(b.length, ir.FieldRef) and a.length.path == b.length.path


def fields(e: ir.Expr) -> set[int]:
    """What an expression depends on."""
    return {id(part) for part in layout.refs(e) if isinstance(part, (ir.FieldRef, ir.SizeOf, ir.CountOf, ir.ParamRef, ir.Avail, ir.Here))}
