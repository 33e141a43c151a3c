"""Packets as RFCs draw them in characters: 32 bits a row, two columns a bit.

Where a field's name has no room it stands letter under letter; where that
would be too high the cell has a letter, and a line below says which field it is.
"""

from __future__ import annotations

from .. import ir
from .bits import Block, Cell, Piece, blocks, border, wrap

WIDTH = 32
INDENT = " "
HIGHEST = 5  # lines of a name in a narrow cell

Rows = list[list[Cell]]


def draw(packet: ir.Packet) -> str:
    """The drawing, each line ended; a packet that takes no bytes says so."""
    found = blocks(packet, WIDTH, 2 * WIDTH - 1)
    if not found:
        return f"{INDENT}(no octets)\n"
    keys = _Keys()
    out = _ruler() + [line for block in found for line in _block(block, keys)] + keys.lines()
    return "".join((INDENT + line).rstrip() + "\n" for line in out)


def _ruler() -> list[str]:
    tens = "".join(f" {n // 10 if n % 10 == 0 else ' '}" for n in range(WIDTH))
    return [tens, "".join(f" {n % 10}" for n in range(WIDTH))]


class _Keys:
    """Names that are too long for their cells."""

    def __init__(self) -> None:
        self.found: list[Piece] = []

    def letter(self, piece: Piece) -> str:
        if piece not in self.found:
            self.found.append(piece)
        return "abcdefghijklmnopqrstuvwxyz"[self.found.index(piece) % 26]

    def lines(self) -> list[str]:
        return [f"{self.letter(p)}: {p.label}" for p in self.found]


def _block(block: Block, keys: _Keys) -> list[str]:
    out = [f"{block.caption}:"] if block.caption else []
    above: list[Cell] = []
    for row in block.rows:
        out.append(_edge(above, row))
        out += _row(row, keys)
        above = row
    out.append(_edge(above, []))
    return out


def _edge(above: list[Cell], below: list[Cell]) -> str:
    """The line between two rows: open where both are of the same piece."""
    columns = border(above, below)
    out = ""
    for (left, before), (right, after) in zip([(None, False), *columns], [*columns, (None, False)]):
        inside = left is right and left is not None and not before and not after
        out += (" " if inside else "+") + ("-" if after else " ")
    return out.rstrip()


def _row(row: list[Cell], keys: _Keys) -> list[str]:
    texts = [_text(cell, keys) for cell in row]
    height = max(len(t) for t in texts)
    out = []
    for n in range(height):
        line = ""
        for cell, text in zip(row, texts):
            first = n - (height - len(text)) // 2
            shown = text[first] if 0 <= first < len(text) else ""
            line += ("/" if cell.open and not cell.first else "|") + shown.center(_room(cell))
        out.append(line + ("/" if row[-1].open else "|"))
    return out


def _room(cell: Cell) -> int:
    return 2 * (cell.last - cell.first) - 1


def _text(cell: Cell, keys: _Keys) -> list[str]:
    """The lines of a cell."""
    room = _room(cell)
    if not cell.main:
        return [f"({cell.piece.label})"] if len(cell.piece.label) + 2 <= room and not _joined(cell) else [""]
    lines = wrap(cell.piece.text, room - 2 if cell.open else room)
    if len(lines) > HIGHEST:
        return [keys.letter(cell.piece)]
    return ["", *lines, ""] if cell.open else lines or [""]


def _joined(cell: Cell) -> bool:
    """Whether the parts of a piece touch each other, so that one label is enough."""
    return (cell.piece.bits or 0) > WIDTH
