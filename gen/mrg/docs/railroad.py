"""Rules of grammars as railroad diagrams, in SVG.

Every node becomes a box with a line through it, which comes in at the left
and goes out at the right.  A sequence that is wider than there is room goes on
in another row, so a diagram fits a page, or a narrow screen when it is laid
out for that; its line goes out lower than it came in.

Reading order: draw, Layout.node, then the boxes from Text on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Callable, Optional, Sequence

from .. import ast
from .html import Html, lines, tag

CHAR = 7.25  # width of a character
HALF = 13  # half the height of a box with text
PAD = 9  # beside the text in it
GAP = 14  # between boxes in a row
RISE = 9  # between lines above each other
ARC = 9  # radius of a turn
TURN = 2 * ARC
FRAME = 9  # from a frame to what is in it
CAPTION = 15  # height of a caption
LONGEST = 24  # characters that a caption says what is written in
ONE_OF = 4  # alternatives from which on they stand in one frame

#: From the use of a rule to where it is explained.
Target = Callable[[ast.GRef], str]


def draw(node: ast.GNode, width: int, ident: str, title: str, words: str, target: Target) -> Html:
    """A rule as an <svg>, at most `width` wide unless a name is longer."""
    box = Layout(target).node(node, width - 4 * GAP)
    x, y = 2 * GAP, box.up + 4
    full = box.width + 4 * GAP
    height = box.up + box.down + 8
    out = y + box.drop
    track = f"M8 {y - 8}v16M12 {y - 8}v16M12 {y}H{x}M{x + box.width} {out}H{full - 12}M{full - 12} {out - 8}v16M{full - 8} {out - 8}v16"
    return tag(
        "svg",
        lines(
            tag("title", title, id=f"{ident}-t"),
            tag("desc", words, id=f"{ident}-d"),
            _path(track),
            *box.paint(x, y),
        ),
        class_="rail",
        viewBox=f"0 0 {full} {height}",
        width=full,
        height=height,
        role="group",
        aria_labelledby=f"{ident}-t",
        aria_describedby=f"{ident}-d",
    )


def _path(d: str) -> Html:
    return tag("path", d=d)


def wide(text: str) -> int:
    return int(len(text) * CHAR + 0.999)


# --- boxes -------------------------------------------------------------------------------------------


@dataclass
class Box:
    """`up`, `down`: how far it reaches from where its line comes in; `drop`: how much lower the line goes out."""

    width: int
    up: int
    down: int
    drop: int = 0

    def paint(self, x: int, y: int) -> list[Html]:
        """Drawn with its line going in at x, y."""
        raise NotImplementedError


class Text(Box):
    """kind: what a style sheet calls it; `round_` for what stands in the input as it is."""

    def __init__(self, text: str, kind: str, href: Optional[str] = None, small: bool = False) -> None:
        half = HALF - 2 if small else HALF
        super().__init__(wide(text) + 2 * PAD, half, half)
        self.text, self.kind, self.href = text, kind, href

    def paint(self, x: int, y: int) -> list[Html]:
        radius = self.up if self.kind == "literal" else 2
        shape = tag("rect", x=x, y=y - self.up, width=self.width, height=self.up + self.down, rx=radius)
        drawn = [shape, tag("text", self.text, x=x + self.width // 2, y=y + 4)]
        if self.href is not None:
            return [tag("a", *drawn, href=self.href, class_=self.kind)]
        return [tag("g", *drawn, class_=self.kind)]


class Row(Box):
    """Boxes beside each other."""

    def __init__(self, boxes: Sequence[Box]) -> None:
        width = sum(b.width for b in boxes) + GAP * (len(boxes) - 1)
        up = down = drop = 0
        for box in boxes:
            up, down = max(up, box.up - drop), max(down, drop + box.down)
            drop += box.drop
        super().__init__(width, up, down, drop)
        self.boxes = boxes

    def paint(self, x: int, y: int) -> list[Html]:
        out: list[Html] = []
        for i, box in enumerate(self.boxes):
            if i:
                out.append(_path(f"M{x} {y}h{GAP}"))
                x += GAP
            out += box.paint(x, y)
            x += box.width
            y += box.drop
        return out


class Stack(Box):
    """Rows below each other, the end of each joined to the start of the next."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self.rows = rows
        self.inner = max(r.width for r in rows)
        # from where a row's line goes out: down to the line back, and on to where the next comes in
        self.falls = [(max(a.down - a.drop + RISE, TURN), max(b.up + RISE, TURN)) for a, b in zip(rows, rows[1:])]
        last = sum(a + b for a, b in self.falls) + sum(r.drop for r in rows[:-1])
        super().__init__(self.inner + 2 * TURN, rows[0].up, last + rows[-1].down, last + rows[-1].drop)

    def paint(self, x: int, y: int) -> list[Html]:
        left, right = x + TURN, x + TURN + self.inner
        out = [_path(f"M{x} {y}H{left}")]
        for row, fall in zip(self.rows, [*self.falls, None]):
            out += row.paint(left, y)
            end = left + row.width
            y += row.drop
            if fall is None:
                out.append(_path(f"M{end} {y}H{x + self.width}"))
                break
            middle, below = y + fall[0], y + sum(fall)
            out.append(
                _path(
                    f"M{end} {y}H{right}{_turn(ARC, ARC, 1)}V{middle - ARC}{_turn(-ARC, ARC, 1)}"
                    f"H{left}{_turn(-ARC, ARC, 0)}V{below - ARC}{_turn(ARC, ARC, 0)}"
                )
            )
            y = below
        return out


def _turn(dx: int, dy: int, clockwise: int) -> str:
    return f"a{ARC} {ARC} 0 0 {clockwise} {dx} {dy}"


class Choice(Box):
    """One of several, the first on the line and the others below."""

    def __init__(self, boxes: Sequence[Box]) -> None:
        self.boxes = boxes
        self.inner = max(b.width for b in boxes)
        at = 0
        self.places = [0]
        for above, box in zip(boxes, boxes[1:]):
            at += max(above.down + RISE + box.up, TURN)  # no less than two turns
            self.places.append(at)
        super().__init__(self.inner + 2 * TURN, boxes[0].up, at + boxes[-1].down)

    def paint(self, x: int, y: int) -> list[Html]:
        left, right, end = x + TURN, x + TURN + self.inner, x + self.width
        out: list[Html] = []
        for place, box in zip(self.places, self.boxes):
            at = y + place
            out += box.paint(left, at)
            turn = f"{_turn(ARC, ARC, 1)}V{at - ARC}{_turn(ARC, ARC, 0)}" if place else f"H{left}"
            out.append(_path(f"M{x} {y}{turn}"))
            at += box.drop
            turn = f"H{right}{_turn(ARC, -ARC, 0)}V{y + ARC}{_turn(ARC, -ARC, 1)}" if at != y else f"H{end}"
            out.append(_path(f"M{left + box.width} {at}{turn}"))
        return out


class Skip(Box):
    """What may be left out: a line passes above it."""

    def __init__(self, box: Box) -> None:
        self.box = box
        self.rise = max(box.up + RISE, TURN)
        super().__init__(box.width + 2 * TURN, self.rise, box.down, box.drop)

    def paint(self, x: int, y: int) -> list[Html]:
        left, right, above, below = x + TURN, x + self.width - TURN, y - self.rise, y + self.drop
        return [
            _path(f"M{x} {y}H{left}M{right} {below}H{x + self.width}"),
            _path(
                f"M{x} {y}{_turn(ARC, -ARC, 0)}V{above + ARC}{_turn(ARC, -ARC, 1)}H{right}"
                f"{_turn(ARC, ARC, 1)}V{below - ARC}{_turn(ARC, ARC, 0)}"
            ),
            *self.box.paint(left, y),
        ]


class Loop(Box):
    """What may come again: a line leads back below it, with how often in words."""

    def __init__(self, box: Box, words: str) -> None:
        self.box, self.words = box, words
        self.fall = max(box.down + RISE, box.drop + TURN)
        width = max(box.width, wide(words) if words else 0)
        super().__init__(width + 2 * TURN, box.up, self.fall + (CAPTION + 2 if words else 4), box.drop)

    def paint(self, x: int, y: int) -> list[Html]:
        left, right, below = x + TURN, x + self.width - TURN, y + self.fall
        start = left + (right - left - self.box.width) // 2
        middle = (left + right) // 2
        out = [
            _path(f"M{x} {y}H{start}M{start + self.box.width} {y + self.drop}H{x + self.width}"),
            _path(
                f"M{right} {y + self.drop}{_turn(ARC, ARC, 1)}V{below - ARC}{_turn(-ARC, ARC, 1)}H{left}"
                f"{_turn(-ARC, -ARC, 1)}V{y + ARC}{_turn(ARC, -ARC, 1)}"
            ),
            tag("path", d=f"M{middle - 4} {below}l7 -4v8z", class_="back"),
            *self.box.paint(start, y),
        ]
        if self.words:
            out.append(tag("text", self.words, x=middle, y=below + 14, class_="note"))
        return out


class Frame(Box):
    """A box around another, with a caption: what is captured, or written."""

    def __init__(self, box: Box, caption: str, kind: str) -> None:
        self.box, self.caption, self.kind = box, caption, kind
        width = max(box.width, wide(caption))
        super().__init__(width + 2 * FRAME, box.up + FRAME + CAPTION, box.down + FRAME, box.drop)

    def paint(self, x: int, y: int) -> list[Html]:
        start = x + (self.width - self.box.width) // 2
        frame = tag("rect", x=x, y=y - self.up, width=self.width, height=self.up + self.down, rx=6)
        caption = tag("text", self.caption, x=x + FRAME, y=y - self.up + 14, class_="note")
        return [
            tag("g", frame, caption, class_=self.kind),
            _path(f"M{x} {y}H{start}M{start + self.box.width} {y + self.drop}H{x + self.width}"),
            *self.box.paint(start, y),
        ]


class OneOf(Box):
    """Many short alternatives, in lines of a frame without tracks between them."""

    def __init__(self, boxes: Sequence[Text], avail: int) -> None:
        self.lines: list[list[Text]] = [[]]
        room = max(avail - 2 * FRAME, max(b.width for b in boxes))
        at = 0
        for box in boxes:
            if at and at + box.width > room:
                self.lines.append([])
                at = 0
            self.lines[-1].append(box)
            at += box.width + 5
        self.high = boxes[0].up + boxes[0].down + 5
        width = max(sum(b.width + 5 for b in row) for row in self.lines) - 5
        half = (CAPTION + FRAME + len(self.lines) * self.high + 4) // 2
        super().__init__(max(width, wide("one of")) + 2 * FRAME, half, half)

    def paint(self, x: int, y: int) -> list[Html]:
        top = y - self.up
        out = [
            tag(
                "g",
                tag("rect", x=x, y=top, width=self.width, height=self.up + self.down, rx=6),
                tag("text", "one of", x=x + FRAME, y=top + 14, class_="note"),
                class_="oneof",
            )
        ]
        at = top + CAPTION + 6
        for row in self.lines:
            left = x + FRAME
            for box in row:
                out += box.paint(left, at + box.up)
                left += box.width + 5
            at += self.high
        return out


# --- layout ----------------------------------------------------------------------------------------------


class Layout:
    """Boxes for nodes, each told how much room there is."""

    def __init__(self, target: Target) -> None:
        self.target = target

    def node(self, n: ast.GNode, room: int) -> Box:
        method: Callable[[ast.GNode, int], Box] = getattr(self, "_" + type(n).__name__.lower())
        return method(n, room)

    def _gtext(self, n: ast.GText, room: int) -> Box:
        return self.short(n)

    def _gchars(self, n: ast.GChars, room: int) -> Box:
        return self.short(n)

    def _gref(self, n: ast.GRef, room: int) -> Box:
        return self.short(n)

    def _gminus(self, n: ast.GMinus, room: int) -> Box:
        return self.short(n)

    def short(self, n: ast.GNode, small: bool = False) -> Text:
        """A node that is a few words."""
        if isinstance(n, ast.GRef):
            name = n.name.name if n.grammar is None else f"{n.grammar.name}.{n.name.name}"
            return Text(name, "rule", self.target(n), small)
        return Text(" ".join(n.span.text().split()), "set" if isinstance(n, ast.GMinus) else "literal", None, small)

    def _gseq(self, n: ast.GSeq, room: int) -> Box:
        boxes = [self.node(x, room) for x in n.nodes]
        if sum(b.width + GAP for b in boxes) - GAP <= room:
            return Row(boxes)
        inner = room - 2 * TURN
        rows: list[list[Box]] = [[]]
        at = 0
        for x in n.nodes:
            box = self.node(x, inner)
            if rows[-1] and at + box.width > inner:
                rows.append([])
                at = 0
            rows[-1].append(box)
            at += box.width + GAP
        return Row(rows[0]) if len(rows) == 1 else Stack([Row(r) for r in rows])

    def _galt(self, n: ast.GAlt, room: int) -> Box:
        if len(n.nodes) >= ONE_OF and all(isinstance(x, (ast.GText, ast.GChars, ast.GRef, ast.GMinus)) for x in n.nodes):
            return OneOf([self.short(x, small=True) for x in n.nodes], min(room, 420))
        return Choice([self.node(x, room - 2 * TURN) for x in n.nodes])

    def _grep(self, n: ast.GRep, room: int) -> Box:
        if (n.min, n.max) == (1, 1):
            return self.node(n.node, room)
        skips, again = n.min == 0, n.max != 1
        inner = room - 2 * TURN * (skips + again)
        box = self.node(n.node, inner)
        if again:
            box = Loop(box, how_often(n))
        return Skip(box) if skips else box

    def _gput(self, n: ast.GPut, room: int) -> Box:
        written = " ".join(n.written.span.text().split())
        caption = f"written: {written}" if len(written) <= LONGEST else "written otherwise"
        return Frame(self.node(n.read, room - 2 * FRAME), caption, "put")

    def _gcapture(self, n: ast.GCapture, room: int) -> Box:
        return Frame(self.node(n.node, room - 2 * FRAME), n.name.name, "capture")


def how_often(n: ast.GRep) -> str:
    """The count of a repetition in words; "" where the drawing says it all."""
    if n.max is None:
        return f"{n.min} times or more" if n.min > 1 else ""
    if n.min == n.max:
        words = f"{n.max} times"
    else:
        words = f"up to {n.max} times" if n.min <= 1 else f"{n.min} to {n.max} times"
    return f"{words}, more: {n.code}" if n.code is not None else words
