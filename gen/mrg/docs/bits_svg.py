"""Packets as rows of bits, in SVG; laid out like the drawing in characters."""

from __future__ import annotations

from .. import ir
from .bits import Block, Cell, blocks, border, wrap
from .html import Html, lines, tag

BIT = 22  # width of a bit
CHAR = 7.25  # of a character
HIGH = 32  # of a row
LINE = 15  # of a line of text
RULER = 18
CAPTION = 24
EDGE = 2
LONGEST = 17  # characters of a name that stands upright in a narrow cell


def draw(packet: ir.Packet, width: int, ident: str, title: str) -> Html:
    """An <svg> with `width` bits a row.  Nothing for a packet that takes no bytes."""
    found = blocks(packet, width, int(width * BIT / CHAR))
    if not found:
        return Html("")
    painter = _Painter(width)
    for block in found:
        painter.block(block)
    full = width * BIT + 2 * EDGE
    return tag(
        "svg",
        lines(tag("title", title, id=f"{ident}-t"), tag("desc", in_words(found), id=f"{ident}-d"), *painter.out),
        class_="bits",
        viewBox=f"0 0 {full} {painter.y + EDGE}",
        width=full,
        height=painter.y + EDGE,
        role="img",
        aria_labelledby=f"{ident}-t",
        aria_describedby=f"{ident}-d",
    )


def in_words(found: list[Block]) -> str:
    """The same for those who don't see it."""
    said: list[str] = []
    for block in found:
        pieces = [c.piece for row in block.rows for c in row if c.main]
        text = "; ".join(f"{p.label}{f', {p.note}' if p.note else ''}" for p in pieces)
        said.append(f"{block.caption}: {text}" if block.caption else text)
    return ". ".join(said) + "."


class _Painter:
    """Draws from top to bottom; `y` is where the next row begins."""

    def __init__(self, width: int) -> None:
        self.width = width
        self.y = RULER
        self.out: list[Html] = [
            tag("g", *(tag("text", str(n), x=EDGE + n * BIT + BIT // 2, y=RULER - 6) for n in range(width)), class_="ruler")
        ]

    def block(self, block: Block) -> None:
        if block.caption:
            self.out.append(tag("text", f"{block.caption}:", x=EDGE, y=self.y + 16, class_="when"))
            self.y += CAPTION
        above: list[Cell] = []
        for row in block.rows:
            top = self.y
            self.row(row)
            self.border(above, row, top)
            above = row
        self.border(above, [], self.y)
        self.y += 6

    def row(self, row: list[Cell]) -> None:
        texts = [_text(cell, self.width) for cell in row]
        high = max([HIGH, *(t.height + 12 for t in texts)])
        for cell, text in zip(row, texts):
            self.cell(cell, text, high)
        self.y += high

    def cell(self, cell: Cell, text: "_Text", high: int) -> None:
        x, width = EDGE + cell.first * BIT, (cell.last - cell.first) * BIT
        kind = "vary" if cell.open else "fixed" if cell.piece.constant else None
        said = f"{cell.piece.label}: {cell.piece.note}" if cell.piece.note else cell.piece.label
        parts = [
            tag("title", said),
            tag("rect", x=x, y=self.y, width=width, height=high),
            tag("path", d=f"M{x} {self.y}v{high}m{width} 0v-{high}"),
            *text.paint(x + width // 2, self.y + high // 2),
        ]
        self.out.append(tag("g", *parts, class_=kind))

    def border(self, above: list[Cell], below: list[Cell], y: int) -> None:
        """The line between two rows, in pieces."""
        d = ""
        columns = [solid for _, solid in border(above, below)]
        for column, (before, after) in enumerate(zip([False, *columns], [*columns, False])):
            if before != after:
                d += f"M{EDGE + column * BIT} {y}" if after else f"H{EDGE + column * BIT}"
        self.out.append(tag("path", d=d))


class _Text:
    """What stands in a cell: lines, or one line upright."""

    def __init__(self, rows: list[str], upright: bool) -> None:
        self.rows, self.upright = rows, upright
        self.height = int(len(rows[0]) * CHAR) if upright else LINE * len(rows)

    def paint(self, x: int, y: int) -> list[Html]:
        if self.upright:
            return [tag("text", self.rows[0], x=x, y=y + 4, transform=f"rotate(-90 {x} {y})")]
        first = y + 4 - LINE * (len(self.rows) - 1) // 2
        return [tag("text", row, x=x, y=first + LINE * i) for i, row in enumerate(self.rows) if row]


def _text(cell: Cell, width: int) -> _Text:
    label = cell.piece.text
    room = int(((cell.last - cell.first) * BIT - 4) / CHAR)
    if not cell.main:
        short = f"({cell.piece.label})"
        return _Text([short if len(short) <= room and (cell.piece.bits or 0) <= width else ""], False)
    if cell.piece.constant and not cell.piece.item.name:
        label = label if len(label) <= room else label.replace(" ", "")
    rows = wrap(label, room)
    longest = max((len(word) for word in label.replace("_", "_ ").split()), default=0)
    if len(rows) <= 3 and longest <= room:
        return _Text(rows or [""], False)
    return _Text([label if len(label) <= LONGEST else label[: LONGEST - 1] + "\u2026"], True)
