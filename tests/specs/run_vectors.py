#!/usr/bin/env python3
"""Runs the vectors through the reference interpreter.

usage: run_vectors.py [FILE.md ...] [VECTOR ...]
"""

from __future__ import annotations

import os
import sys
from typing import Optional

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path[:0] = [HERE, os.path.join(ROOT, "gen")]

import vectors  # noqa: E402
from mrg import interp, ir, load, show  # noqa: E402
from mrg.values import Buf, Node, Rejection  # noqa: E402


class Failure(Exception):
    """A vector that does not hold: why."""


def packet_of(modules: list[ir.Module], vector: vectors.Vector) -> ir.Packet:
    for module in modules:
        if module.name == vector.module:
            for packet in module.packets:
                if packet.name == vector.packet:
                    return packet
    raise Failure(f"there is no packet {vector.module}.{vector.packet}")


def read(packet: ir.Packet, vector: vectors.Vector) -> Node:
    whole = vector.data if vector.at is not None else b""
    args: list[interp.Arg] = [Buf(whole, 0, len(whole)) if p.kind == "buffer" else 0 for p in packet.params]
    return interp.parse(packet, vector.data, args, vector.at or 0)


def run(packet: ir.Packet, vector: vectors.Vector) -> None:
    """Raises Failure unless the vector holds."""
    try:
        node = read(packet, vector)
    except Rejection as rejection:
        if vector.reject is None:
            raise Failure(f"rejected: {rejection}") from None
        status, offset, path = vector.reject
        have = (str(rejection.status), rejection.bit_off // 8)
        if have != (status, offset) or not rejection.path.startswith(path):
            raise Failure(f"rejected otherwise: {rejection}") from None
        return
    if vector.reject is not None:
        raise Failure("accepted")
    failed = set()
    for line, text in vector.lines:
        if text.startswith("warn "):
            failed.add(text[5:].strip())
        else:
            why = check(node, text)
            if why is not None:
                raise Failure(f"line {line}: {text}: {why}")
    warned = {w.path for w in node.warnings}
    if warned != failed:
        raise Failure(f"warnings are {sorted(warned)}")


def check(root: Node, text: str) -> Optional[str]:
    """What is wrong with one line of an accept block; None when it holds."""
    if " is " in text and " = " not in text:
        path, arm = text.split(" is ")
        have = _find(root, path)
        return "absent" if have is None else None if have.arm == arm else f"is {have.arm}"
    if text.endswith(" absent"):
        return None if _find(root, text[: -len(" absent")]) is None else "is there"
    path, _, right = text.partition(" = ")
    if path == "size":
        return None if root.bit_len == int(right) * 8 else f"is {root.bit_len // 8}"
    node = _find(root, path)
    if node is None:
        return "absent"
    node = node.inner
    if right.endswith((" element", " elements")):
        return None if len(node.children) == int(right.split()[0]) else f"has {len(node.children)}"
    return _equal(node, right)


def _find(root: Node, path: str) -> Optional[Node]:
    """The node at a path, switches and regions on the way passed through."""
    node = root
    for step in path.split("."):
        children = node.inner.children
        if step.isdigit():
            if int(step) >= len(children):
                return None
            node = children[int(step)]
            continue
        found = [c for c in children if c.name == step]
        if not found:
            return None
        node = found[0]
    while isinstance(node.item, ir.Region):
        node = node.children[0]
    return node


def _equal(node: Node, right: str) -> Optional[str]:
    name = show.dotted(node)
    if name is not None:
        plain = name.split(" [")[0]
        return None if plain == right else f"is {plain}"
    want = vectors.value(right)
    if isinstance(want, str):
        enum = node.item.enum if isinstance(node.item, ir.Scalar) else None
        members = [m.lo for m in enum.members if want in (m.text, m.name)] if enum is not None else []
        if not members:
            return f"'{want}' is no value"
        want = members[0]
    if isinstance(want, bytes) and isinstance(node.value, int) and isinstance(node.item, ir.Scalar):
        want = int.from_bytes(want, "big")
    return None if node.value == want else f"is {node.value!r}"


def main(args: list[str]) -> int:
    modules = load.load(vectors.specs(ROOT))
    names = [a for a in args if not a.endswith(".md")]
    passed = failed = 0
    for path in vectors.files(args):
        for vector in vectors.load(path):
            if names and vector.name not in names:
                continue
            try:
                run(packet_of(modules, vector), vector)
                passed += 1
            except Failure as why:
                failed += 1
                print(f"{vector.file}:{vector.line}: {vector.name}: {why}")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
