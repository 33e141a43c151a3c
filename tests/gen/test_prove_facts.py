#!/usr/bin/env python3
"""What `mrg prove` takes for granted at each point holds for messages that the interpreter accepts: else it could prove anything."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, Iterator, Optional, Sequence, Union

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(ROOT / "gen"))
sys.path.insert(0, str(ROOT / "tests"))

from report import Report  # noqa: E402

from mrg import ir, layout, load, prove_goals, vectors  # noqa: E402
from mrg.interp import parse  # noqa: E402
from mrg.prove_items import Walk  # noqa: E402
from mrg.values import Buf, Node  # noqa: E402

FILES = [*sorted((ROOT / "specs").glob("**/*.mrg")), *sorted((HERE / "interp").glob("*.mrg"))]
Args = list[Union[int, bytes]]
Read = tuple[Node, Optional[int], Optional[Args]]  # a packet; the octets of its region and its arguments, where they are known


def walked(packet: ir.Packet, z3: Any) -> Walk:
    goals = prove_goals.Goals(z3)
    walk = Walk(goals, packet)
    walk.whole()
    goals.settle()
    return walk


def fields(items: Sequence[ir.Item]) -> Iterator[ir.Item]:
    """What a node of the interpreter has a node for."""
    for item in layout.walk(list(items)):
        if isinstance(item, ir.Region):
            yield item.item
        elif not isinstance(item, (ir.Check, ir.EndianSel, ir.Optional_)):
            yield item


def possible(walk: Walk, node: Node, end: Optional[int], args: Optional[Args]) -> bool:
    """Whether the facts allow what was read."""
    z3, goals = walk.z3, walk.goals
    terms = [walk.here * 8 == node.bit_len]
    terms += [walk.end == end] if end is not None else []
    terms += [walk.params[p.name] == (a if isinstance(a, int) else len(a)) for p, a in zip(walk.packet.params, args or [])]
    for item in fields(walk.packet.items):
        found = node.fields.get(id(item))
        there = goals.all(walk.presence[id(item)])
        terms.append(there if found is not None else z3.Not(there))
        if found is None:
            continue
        if isinstance(item, (ir.Scalar, ir.Varint, ir.Let)):
            terms.append(walk.values[(id(item),)] == found.value)
        elif found.bit_off % 8 == 0:
            terms.append(walk.sizes[id(item)] == found.bit_len // 8)
        if isinstance(item, ir.List):
            terms.append(walk.counts[id(item)] == len(found.children))
    return bool(goals.possible(*terms, *goals.exact) == z3.sat)


def read(packet: ir.Packet, message: vectors.Message) -> Iterator[Read]:
    """The packets of a message."""
    args = message.arguments(packet)
    given: list[Union[int, bytes, Buf]] = list(args)
    todo: list[Read] = [(parse(packet, message.data, given), len(message.data), args)]
    while todo:
        node, end, known = todo.pop()
        if node.packet is not None:
            yield node, end, known
        todo += [(child, None, None) for child in node.children]


def test_facts(report: Report, z3: Any) -> None:
    walks: dict[int, Walk] = {}
    count = 0
    for m in load.load([str(f) for f in FILES], [str(ROOT / "specs")]):
        wrong: list[str] = []
        for packet in m.packets:
            for message in vectors.messages(packet, 1):
                for node, end, args in read(packet, message):
                    assert node.packet is not None
                    walk = walks.setdefault(id(node.packet), walks.get(id(node.packet)) or walked(node.packet, z3))
                    count += 1
                    if not possible(walk, node, end, args):
                        wrong.append(f"{node.packet.name} in {message.data.hex()}")
        report.none(f"{m.name}: facts hold for messages", wrong)
    report.check("there are messages", count > 500, str(count))


def test_a_fact_too_many(report: Report, z3: Any) -> None:
    """A walk that takes too much for granted is found out."""
    udp = load.load([str(ROOT / "specs/net/udp.mrg")])[-1].packets[0]
    message = next(m for m in vectors.messages(udp, 8) if len(m.data) > 8)
    node, end, args = next(read(udp, message))
    walk = walked(udp, z3)
    report.check("as it is", possible(walk, node, end, args))
    walk.goals.assume(walk.here <= 8)
    report.check("with a fact too many", not possible(walk, node, end, args))


def main() -> int:
    report = Report()
    z3 = prove_goals.load()
    test_a_fact_too_many(report, z3)
    test_facts(report, z3)
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
