"""The shape of a view: where each item of a packet is found once it is checked.

An item stands at a constant offset from an anchor: `v->p`, or the end of the
closest item before it whose size varies.  A view stores those ends, so that
every accessor is one load.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Optional

from .. import ir, layout, names

LAST = ""  # the anchor at the end of the packet: v->p + v->len, not stored


@dataclass
class Place:
    anchor: Optional[str]  # None: the packet's first byte
    bits: int  # from the anchor

    def pointer(self, view: str) -> str:
        """A C expression for the byte (of the view `view`) the place is in."""
        if self.anchor is None:
            base = f"{view}->p"
        elif self.anchor == LAST:
            base = f"{view}->p + {view}->len"
        else:
            base = f"{view}->{self.anchor}"
        return base + (f" + {self.bits // 8}" if self.bits >= 8 else "")


@dataclass
class Slot:
    """A named item with its place; `end` only for items of varying size."""

    item: ir.Item
    start: Place
    end: Optional[Place] = None
    group: Optional["Slot"] = None  # innermost optional group around it
    tail: bool = False  # stands in a `within ... tail`: it may end before `end`


@dataclass
class Shape:
    packet: ir.Packet
    slots: list[Slot] = field(default_factory=list)
    anchors: list[str] = field(default_factory=list)  # stored ends, in order
    ends: dict[int, str] = field(default_factory=dict)  # id(dynamic item) -> anchor
    by_item: dict[int, Slot] = field(default_factory=dict)

    @property
    def cname(self) -> str:
        return names.packet(self.packet)

    def slot(self, item: ir.Item) -> Slot:
        return self.by_item[id(item)]

    @property
    def plain(self) -> bool:
        """The view is just bytes and parameters: it can be made without a scan."""
        return not self.anchors


def build(packet: ir.Packet) -> Shape:
    shape = Shape(packet)
    _Builder(shape).items(packet.items, Place(None, 0), True, None)
    return shape


class _Builder:
    def __init__(self, shape: Shape) -> None:
        self.shape = shape
        self.serial = 0

    def items(self, items: list[ir.Item], at: Place, last: bool, group: Optional[Slot]) -> Place:
        parts = layout.segments(items)
        for i, part in enumerate(parts):
            if isinstance(part, layout.Run):
                for item in part.items:
                    bits = at.bits + part.offset(item)
                    self.add(Slot(item, Place(at.anchor, bits)), group)
                at = Place(at.anchor, at.bits + part.bits)
            else:
                at = self.dynamic(part, at, last and _nothing_after(parts[i + 1 :]), group)
        return at

    def add(self, slot: Slot, group: Optional[Slot]) -> None:
        slot.group = group
        if slot.item.name and not isinstance(slot.item, ir.Check):
            self.shape.slots.append(slot)
        self.shape.by_item[id(slot.item)] = slot

    def anchor(self, item: ir.Item, last: bool) -> Place:
        if last:
            name = LAST
        else:
            if item.name:
                name = f"{item.name}_end"
            else:
                self.serial += 1
                name = f"part{self.serial}_end"
            while name in self.shape.anchors:
                name += "_"
            self.shape.anchors.append(name)
        self.shape.ends[id(item)] = name
        return Place(name, 0)

    def dynamic(self, item: ir.Item, at: Place, last: bool, group: Optional[Slot]) -> Place:
        if isinstance(item, ir.Optional_):
            end = self.anchor(item, last)
            here = Slot(item, at, end, group)
            self.shape.by_item[id(item)] = here
            self.items(item.items, at, last, here)
            return end
        end = self.anchor(item, last)
        if isinstance(item, ir.Region):
            self.shape.by_item[id(item)] = Slot(item, at, end)
            self.add(Slot(item.item, at, end, tail=item.tail), group)
        else:
            self.add(Slot(item, at, end), group)
        return end


def _nothing_after(parts: list[layout.Segment]) -> bool:
    """Only checks and lets follow: they take no bytes."""
    return all(isinstance(p, layout.Run) and p.bits == 0 for p in parts)
