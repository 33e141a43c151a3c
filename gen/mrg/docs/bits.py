"""Packets as rows of bits: what both drawings, in characters and as SVG, are made from.

A packet's items become pieces, in order; a piece is as many bits as it always
takes, or of varying size.  Pieces fill rows of `width` bits as RFCs draw them:
after a piece of varying size, which ends its row, the next begins a new one,
and what is there only under a condition stands in a block with that condition
above it.

Reading order: blocks, Rows.put.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Iterator, Optional

from .. import ir, sizes
from . import words

TALLEST = 16  # octets of a piece of fixed size that is drawn to scale; a larger one is drawn as those of varying size are
MOST = 0xFFFF  # octets: a larger bound tells nothing
LINES = 2  # of text that a piece of varying size may need in what is left of a row


@dataclass
class Piece:
    """bits: None when the size varies.  whole: it is not to be cut where a row ends."""

    item: ir.Item
    label: str
    note: str  # what it is and how long, in words
    bits: Optional[int]
    whole: bool
    inside: bool = False  # begins inside a byte, so it can't begin a row
    conditions: tuple[str, ...] = ()
    constant: bool = False

    @property
    def text(self) -> str:
        """What stands in its cell; of a piece of fixed size the width tells the rest."""
        return f"{self.label}: {self.note}" if self.bits is None and self.note else self.label


@dataclass
class Cell:
    """Columns first..last (exclusive) of a row.  main: this part of the piece carries its label."""

    piece: Piece
    first: int
    last: int
    main: bool = True

    @property
    def open(self) -> bool:
        """The end of the piece is not told by the width of the cell."""
        return self.piece.bits is None


@dataclass
class Block:
    """Rows under one condition; caption "": always there."""

    caption: str
    rows: list[list[Cell]] = field(default_factory=list)


def blocks(packet: ir.Packet, width: int, room: int) -> list[Block]:
    """The drawing of a packet.  room: characters that stand in `width` bits."""
    rows = Rows(width, room)
    for piece in pieces(packet.items):
        rows.put(piece)
    return rows.blocks


def border(above: list[Cell], below: list[Cell]) -> list[tuple[Optional[Piece], bool]]:
    """Between two rows, for each column: the piece above, and whether there is a line: not inside of one piece."""
    up, down = ([_piece_at(row, column) for column in range(max(c.last for c in above + below))] for row in (above, below))
    return [(u, u is not d) for u, d in zip(up, down)]


def _piece_at(row: list[Cell], column: int) -> Optional[Piece]:
    return next((c.piece for c in row if c.first <= column < c.last), None)


# --- pieces --------------------------------------------------------------------------------------


def pieces(items: list[ir.Item], conditions: tuple[str, ...] = ()) -> Iterator[Piece]:
    bit = 0
    for item in items:
        if isinstance(item, (ir.Check, ir.Let, ir.EndianSel)):
            continue
        if isinstance(item, ir.Optional_):
            yield from pieces(item.items, (*conditions, words.condition(item.cond)))
            bit = 0
            continue
        piece = _piece(item, conditions)
        if piece.bits == 0:
            continue
        piece.inside = bit % 8 != 0
        bit += piece.bits or 0
        if piece.bits is None:
            bit = 0
        yield piece


def _piece(item: ir.Item, conditions: tuple[str, ...]) -> Piece:
    if isinstance(item, ir.Scalar):
        fixed = words.constant(item)
        label = item.name or (_number(fixed, item.bits) if fixed is not None else "")
        note = words.plural(item.bits, "bit")
        return Piece(item, label, note, item.bits, False, conditions=conditions, constant=fixed is not None)
    least, most = sizes.of(item)
    label = item.name or "padding"
    if least == most and least <= TALLEST:
        return Piece(item, label, words.brief(item) or words.octets(least, most), 8 * least, True, conditions=conditions)
    said = [words.brief(item), words.extent(item) or _bounds(item)]
    return Piece(item, label, "; ".join(s for s in said if s), None, True, conditions=conditions)


def _bounds(item: ir.Item) -> str:
    """Least and most, where they say more than that it may be anything."""
    least, most = sizes.of(item)
    useful = isinstance(item, (ir.Sub, ir.Switch, ir.Chain, ir.Varint)) and most is not None and most <= MOST
    return words.octets(least, most) if useful else ""


def _number(value: int, bits: int) -> str:
    """A constant without a name: bit for bit where it is a few bits, as RFCs do."""
    if bits < 8:
        return " ".join(f"{value:0{bits}b}")
    return f"{value:#x}" if bits % 8 == 0 and value > 9 else str(value)


def wrap(text: str, width: int) -> list[str]:
    """Lines of at most `width` characters; words are cut at `_` first, then anywhere."""
    lines: list[str] = [""]
    for word in re.findall(r"\S+?_|\S+|\s+", text):
        if len(lines[-1]) + len(word.rstrip()) <= width:
            lines[-1] += word
            continue
        if word.isspace():
            lines.append("")
            continue
        if lines[-1]:
            lines.append("")
        while len(word) > width > 0:
            lines[-1], word = word[:width], word[width:]
            lines.append("")
        lines[-1] += word
    return [line.strip() for line in lines if line.strip()]


# --- rows ---------------------------------------------------------------------------------------------


class Rows:
    """Fills blocks with rows."""

    def __init__(self, width: int, room: int) -> None:
        self.width = width
        self.room = room
        self.blocks: list[Block] = []
        self.at = 0  # the next column; 0: a new row
        self.conditions: tuple[str, ...] = ()

    def put(self, piece: Piece) -> None:
        self._block(piece.conditions)
        left = self.width - self.at
        if piece.bits is None:
            if self.at and not piece.inside and len(wrap(piece.text, left * self.room // self.width - 2)) > LINES:
                self.at = 0
            self._cell(piece, self.width)
            self.at = 0
            return
        if piece.whole and piece.bits > left and not piece.inside:
            self.at = 0
        self._fixed(piece, piece.bits)

    def _fixed(self, piece: Piece, bits: int) -> None:
        parts: list[Cell] = []
        while bits:
            last = min(self.width, self.at + bits)
            bits -= last - self.at
            parts.append(self._cell(piece, last))
            self.at = last % self.width
        widest = max(c.last - c.first for c in parts)
        wide = [c for c in parts if c.last - c.first == widest]
        main = wide[(len(wide) - 1) // 2]
        for cell in parts:
            cell.main = cell is main

    def _cell(self, piece: Piece, last: int) -> Cell:
        rows = self.blocks[-1].rows
        if self.at == 0:
            rows.append([])
        cell = Cell(piece, self.at, last)
        rows[-1].append(cell)
        return cell

    def _block(self, conditions: tuple[str, ...]) -> None:
        """Begin another block when the conditions are others."""
        if self.blocks and conditions == self.conditions:
            return
        self.at = 0
        caption = " and ".join(conditions) if conditions else "then" if self.blocks else ""
        self.conditions = conditions
        self.blocks.append(Block(caption))
