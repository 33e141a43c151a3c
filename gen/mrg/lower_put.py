"""`X put Y` in grammars: what is read of a rule, what is written, and whether that is read as it should be."""

from __future__ import annotations

from typing import Callable

from . import ir
from .reach import covered

_MARKS = 0x100  # beyond octets: where captures begin and end


def reading(node: ir.Node) -> ir.Node:
    return _picked(node, lambda put: put.read)


def writing(node: ir.Node) -> ir.Node:
    return _picked(node, lambda put: put.written)


def _picked(node: ir.Node, pick: Callable[[ir.Put], ir.Node]) -> ir.Node:
    if isinstance(node, ir.Put):
        return _picked(pick(node), pick)
    return mapped(node, lambda n: _picked(n, pick))


def mapped(node: ir.Node, change: Callable[[ir.Node], ir.Node]) -> ir.Node:
    """A node with those below it changed; itself if none is."""
    if isinstance(node, (ir.Seq, ir.Alt)):
        nodes = [change(n) for n in node.nodes]
        return type(node)(node.loc, nodes) if any(a is not b for a, b in zip(nodes, node.nodes)) else node
    if isinstance(node, (ir.Rep, ir.Capture)):
        inner = change(node.node)
        if inner is node.node:
            return node
        if isinstance(node, ir.Rep):
            return ir.Rep(node.loc, inner, node.min, node.max, node.code)
        return ir.Capture(node.loc, node.name, inner)
    return node


def read_alike(put: ir.Put) -> bool:
    """Whether all that is written can be read, with the same captures.  Not told for what is counted."""
    names: dict[str, int] = {}
    return covered(_marked(writing(put), names), [_marked(reading(put), names)])


def _marked(node: ir.Node, names: dict[str, int]) -> ir.Node:
    """A node with symbols where captures begin and end, so that they are part of its text."""
    inner = mapped(node, lambda n: _marked(n, names))
    if not isinstance(inner, ir.Capture):
        return inner
    mark = _MARKS + 2 * names.setdefault(inner.name, len(names))
    first, last = (ir.Class(node.loc, [(m, m)]) for m in (mark, mark + 1))
    return ir.Seq(node.loc, [first, inner.node, last])
