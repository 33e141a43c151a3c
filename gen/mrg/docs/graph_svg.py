"""The states of a machine on a circle, with what leads from one to another: SVG, no script.

Arrows between the same two states are one, bent so that those of the other direction stay apart.  Where `always` leads
to a state, one more box stands for all of them.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from .. import ast
from .html import Html, tag

HIGH, LETTER = 30, 8  # of a box; width of a letter
GAP = 100  # between two boxes of a circle, at least
MARGIN = 10
FLAT = 1.5  # the circle is wider than high
EACH = "in each state"  # no state has such a name


class Box(NamedTuple):
    """A state, with the machine that runs in it, or each; x and y are its middle."""

    name: str
    text: str
    kind: str  # "", "start", "final", both, "each"
    x: int
    y: int
    wide: int


class Arrow(NamedTuple):
    """From the edge of one box to that of another, bent towards a point; what it is for stands at its middle."""

    start: tuple[int, int]
    bend: tuple[int, int]
    end: tuple[int, int]
    label: str
    at: tuple[int, int]


def draw(d: ast.MachineDecl, ident: str) -> Html:
    leads = _leads(d)
    boxes = _placed(d, any(of == EACH for of, _ in leads))
    named = {b.name: b for b in boxes}
    arrows = [_arrow(named[of], named[to], ", ".join(events)) for (of, to), events in leads.items()]
    words = "; ".join(f"{of if of == EACH else f'from {of}'} to {to} at {', '.join(events)}" for (of, to), events in leads.items())
    xs = [b.x + side * b.wide // 2 for b in boxes for side in (-1, 1)]
    xs += [a.at[0] + side * len(a.label) * LETTER // 2 for a in arrows for side in (-1, 1)]
    ys = [b.y + side * HIGH // 2 for b in boxes for side in (-1, 1)] + [a.at[1] for a in arrows]
    left, top = min(xs) - MARGIN, min(ys) - MARGIN
    wide, high = max(xs) - left + MARGIN, max(ys) - top + MARGIN
    tip = tag("path", d="M0,0 L8,4 L0,8 z")
    head = tag("marker", tip, id=f"{ident}-head", viewBox="0 0 8 8", refX=7, refY=4, markerWidth=8, markerHeight=8, orient="auto")
    return tag(
        "svg",
        tag("title", f"States of {d.name.name}", id=f"{ident}-t"),
        tag("desc", words or "one state alone", id=f"{ident}-d"),
        tag("defs", head),
        *(_line(a, left, top, f"{ident}-head") for a in arrows),
        *(_box(b, left, top) for b in boxes),
        viewBox=f"0 0 {wide} {high}",
        width=wide,
        height=high,
        role="img",
        aria_labelledby=f"{ident}-t",
        aria_describedby=f"{ident}-d",
        class_="states",
    )


def _placed(d: ast.MachineDecl, each: bool) -> list[Box]:
    """Around a circle that is wide enough, the first on the left."""
    states = [i for i in d.items if isinstance(i, ast.MState)]
    kinds = {s.name.name: " ".join(word for word, so in (("start", s.start), ("final", s.final)) if so) for s in states}
    if each:
        kinds[EACH] = "each"
    texts = {name: name for name in kinds} | {s.name.name: f"{s.name.name}: {s.runs.name}" for s in states if s.runs is not None}
    widths = [LETTER * len(texts[name]) + 22 for name in kinds]
    radius = max(sum(w + GAP for w in widths) / (2 * math.pi), 120.0) if len(kinds) > 1 else 0
    out = []
    for i, ((name, kind), wide) in enumerate(zip(kinds.items(), widths)):
        angle = math.pi + 2 * math.pi * i / len(kinds)
        out.append(Box(name, texts[name], kind, round(FLAT * radius * math.cos(angle)), round(radius * math.sin(angle)), wide))
    return out


def _leads(d: ast.MachineDecl) -> dict[tuple[str, str], list[str]]:
    """From one state to another: the events."""
    out: dict[tuple[str, str], list[str]] = {}
    for i in d.items:
        if not isinstance(i, (ast.MState, ast.MAlways)):
            continue
        of = i.name.name if isinstance(i, ast.MState) else EACH
        for h in i.handlers:
            if h.to is not None and h.to.name != of:
                events = out.setdefault((of, h.to.name), [])
                at = "when " if h.word == "when" else ""
                events += [at + e.name for e in h.events if at + e.name not in events]
    return out


def _arrow(a: Box, b: Box, label: str) -> Arrow:
    dx, dy = b.x - a.x, b.y - a.y
    far = math.hypot(dx, dy) or 1.0
    bend = min(max(0.2 * far, 32.0), 50.0)
    mx, my = round((a.x + b.x) / 2 - dy / far * bend), round((a.y + b.y) / 2 + dx / far * bend)
    start, end = _edge(a, mx, my), _edge(b, mx, my)
    return Arrow(start, (mx, my), end, label, ((start[0] + end[0] + 2 * mx) // 4, (start[1] + end[1] + 2 * my) // 4))


def _edge(box: Box, x: int, y: int) -> tuple[int, int]:
    """Where the line from a box's middle to a point leaves it."""
    dx, dy = x - box.x, y - box.y
    scale = min(box.wide / 2 / abs(dx) if dx else math.inf, HIGH / 2 / abs(dy) if dy else math.inf)
    return (box.x + round(dx * scale), box.y + round(dy * scale)) if dx or dy else (box.x, box.y)


def _line(a: Arrow, left: int, top: int, head: str) -> Html:
    x1, y1, mx, my, x2, y2 = (v - (left, top)[i % 2] for i, v in enumerate([*a.start, *a.bend, *a.end]))
    path = tag("path", d=f"M{x1},{y1} Q{mx},{my} {x2},{y2}", class_="leads", marker_end=f"url(#{head})")
    return tag("g", path, tag("text", a.label, x=a.at[0] - left, y=a.at[1] - top + 4, class_="at"))


def _box(b: Box, left: int, top: int) -> Html:
    rect = tag("rect", x=b.x - b.wide // 2 - left, y=b.y - HIGH // 2 - top, width=b.wide, height=HIGH, rx=8, class_=b.kind or None)
    return tag("g", rect, tag("text", b.text, x=b.x - left, y=b.y - top + 4))
