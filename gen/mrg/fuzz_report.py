"""What fuzzers reached of specifications, as one page: `mrg fuzz-report`.

A folder of `mrg fuzz` has points.json (each subject's points, where they are,
and the text of the specifications), reached*.jsonl (what runs counted:
`--points-out`) and finds/.  The page needs nothing else, and no script.

Reading order: Folder, page.
"""

from __future__ import annotations

import json
import os
import re
from collections import defaultdict
from typing import Iterator, Mapping, NamedTuple, Sequence

from .docs.html import Content, Html, block, join, tag

STYLE = """
:root { color-scheme: light dark; --good: #1a7f37; --bad: #c62828; --some: #9a6700; --line: #8884; }
body { font: 15px/1.45 system-ui, sans-serif; margin: 1.5rem auto; max-width: 110rem; padding: 0 1rem; }
table { border-collapse: collapse; }
th, td { padding: .2rem .8rem .2rem 0; text-align: right; border-bottom: 1px solid var(--line); }
th:first-child, td:first-child { text-align: left; }
.bar { display: inline-block; width: 8rem; height: .7rem; background: #c6282855; vertical-align: baseline; }
.bar i { display: block; height: 100%; background: var(--good); }
.source { font: 13px/1.5 ui-monospace, "DejaVu Sans Mono", monospace; border: 1px solid var(--line); overflow-x: auto; padding: .4rem 0; }
.source > div, .source summary { white-space: pre; padding-right: 1rem; }
.source summary { list-style: none; cursor: pointer; }
.source summary::-webkit-details-marker { display: none; }
.n { display: inline-block; width: 4rem; text-align: right; padding-right: .8rem; opacity: .55; }
.c { display: inline-block; width: 8rem; text-align: right; padding-right: 1rem; }
.good { background: #1a7f3722; } .good .c { color: var(--good); }
.bad { background: #c6282830; } .bad .c { color: var(--bad); }
.some { background: #d4a72c2e; } .some .c { color: var(--some); }
b.good, b.bad, b.some { font-weight: 600; } b.good { color: var(--good); } b.bad { color: var(--bad); } b.some { color: var(--some); }
.source ul { margin: 0 0 .4rem 13.6rem; padding: 0; list-style: none; white-space: normal; }
.none .c, li.none { opacity: .65; } b.none { font-weight: 600; text-decoration: underline dotted; }
li.good, li.bad { background: none; } li.good { color: var(--good); } li.bad { color: var(--bad); }
.find { border-left: 4px solid var(--bad); padding-left: .8rem; margin: .6rem 0; } pre { overflow-x: auto; }
"""
TOKEN = re.compile(r"[A-Za-z0-9_.]+|\S")


class Run(NamedTuple):
    """What runs of a subject came to, added up."""

    execs: int = 0
    accepted: int = 0
    ns: int = 0
    finds: int = 0
    crashes: int = 0
    hangs: int = 0
    runs: int = 0

    def plus(self, said: dict[str, int]) -> Run:
        added = {key: value + said[key] for key, value in self._asdict().items() if key != "runs"}
        return Run(**added, runs=self.runs + 1)


class Point(NamedTuple):
    name: str
    file: str
    line: int
    col: int
    never: str = ""  # why no input comes to it


class Find(NamedTuple):
    folder: str
    key: str
    text: str


class Folder:
    """What `mrg fuzz` and the runs of what it wrote have left.  Fails: OSError, ValueError for what they haven't written."""

    def __init__(self, path: str) -> None:
        self.path = path
        with open(os.path.join(path, "points.json"), encoding="utf-8") as f:
            known = json.load(f)
        self.texts: dict[str, str] = known["files"]
        self.points = {name: [Point(*p) for p in points] for name, points in known["subjects"].items()}
        self.never = {name: [Point(*p) for p in points] for name, points in known.get("never", {}).items()}
        self.runs = {name: Run() for name in self.points}
        self.counts = {name: [0] * len(points) for name, points in self.points.items()}
        self.old = 0  # runs of another specification
        for name in sorted(os.listdir(path)):
            if name.startswith("reached") and name.endswith(".jsonl"):
                self.read(os.path.join(path, name))
        self.finds = list(_finds(os.path.join(path, "finds")))

    def read(self, path: str) -> None:
        with open(path, encoding="utf-8") as f:
            for line in f:
                run = json.loads(line)
                name, counts = run["subject"], run["points"]
                if name not in self.points or len(counts) != len(self.points[name]):
                    self.old += 1
                    continue
                self.runs[name] = self.runs[name].plus(run)
                self.counts[name] = [a + b for a, b in zip(self.counts[name], counts)]

    def places(self) -> dict[str, dict[int, dict[Point, int]]]:
        """Of each file and line, its points and how many cases reached them, whichever subject."""
        out: dict[str, dict[int, dict[Point, int]]] = {file: defaultdict(dict) for file in self.texts}
        for name, points in self.points.items():
            for point, count in zip(points, self.counts[name]):
                if self.runs[name].runs:
                    at = out[point.file][point.line]
                    at[point] = at.get(point, 0) + count
        for name, points in self.never.items():
            for point in points if self.runs[name].runs else []:
                at = out[point.file][point.line]
                if point._replace(never="") not in at:  # another subject comes to it
                    at[point] = 0
        return out


def _finds(path: str) -> Iterator[Find]:
    for name in sorted(os.listdir(path)) if os.path.isdir(path) else []:
        why, shown = (_text(os.path.join(path, name, file)) for file in ("why.txt", "input.txt"))
        key = re.search(r"^key: (.*)$", why, re.M)
        if key:
            yield Find(name, key[1], f"{why}\n{shown}")


def _text(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as f:
            return f.read()
    except OSError:
        return ""


# --- the page -----------------------------------------------------------------


def page(paths: Sequence[str]) -> str:
    folders = [Folder(path) for path in paths]
    head = block(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("title", "What was reached"),
        tag("style", Html(STYLE)),
    )
    parts = [tag("h1", "What fuzzers reached of the specifications"), _legend()]
    for folder in folders:
        parts += _folder(folder)
    return "<!DOCTYPE html>\n" + block("html", head, block("body", *parts), lang="en") + "\n"


def _legend() -> Html:
    kinds = (("good", "all that can happen there did"), ("some", "some of it"), ("bad", "nothing"), ("none", "no input comes there, which is proved"))
    said = join([tag("b", text, class_=kind) for kind, text in kinds], ", ")
    return tag("p", "Lines of specifications: ", said, ". The number before a line is that of cases, and a line opens: its points, each with its own.")


def _folder(folder: Folder) -> list[Html]:
    run = [name for name, r in folder.runs.items() if r.runs]
    parts = [tag("h2", os.path.basename(os.path.abspath(folder.path)))]
    if folder.old:
        parts.append(tag("p", f"{folder.old} runs are of other specifications than these, and left out."))
    if not run:
        return [*parts, tag("p", "No run has counted (--points-out).")]
    parts += [_summary(folder, run), _found(folder)]
    for file, lines in folder.places().items():
        if lines:
            parts += [tag("h3", file), _source(folder.texts[file], lines)]
    return parts


def _summary(folder: Folder, run: Sequence[str]) -> Html:
    heads = ("subject", "cases", "a second", "accepted", "points", "", "finds", "crashes", "hangs")
    rows = [tag("tr", [tag("th", h) for h in heads])]
    for name in run:
        r, counts = folder.runs[name], folder.counts[name]
        reached = sum(1 for c in counts if c)
        share = 100 * reached // max(len(counts), 1)
        bar = tag("span", tag("i", style=f"width: {share}%"), class_="bar", title=f"{share} %")
        cells: list[Content] = [name, _number(r.execs), _number(r.execs * 10**9 // max(r.ns, 1)), f"{100 * r.accepted / max(r.execs, 1):.1f} %",
                                f"{reached} of {len(counts)}", bar, str(r.finds), str(r.crashes), str(r.hangs)]  # fmt: skip
        rows.append(tag("tr", [tag("td", c) for c in cells]))
    return block("table", *rows)


def _found(folder: Folder) -> Html:
    if not folder.finds:
        return tag("p", "No find is kept.")
    shown = [tag("details", tag("summary", f"{f.folder}: {f.key}"), tag("pre", f.text), class_="find") for f in folder.finds]
    return block("section", tag("h3", f"Finds: {len(folder.finds)}"), *shown)


def _source(text: str, lines: dict[int, dict[Point, int]]) -> Html:
    out = []
    for n, line in enumerate(text.splitlines(), 1):
        points = lines.get(n, {})
        number = tag("span", str(n), class_="n")
        if not points:
            out.append(tag("div", number, tag("span", class_="c"), line))
            continue
        most = max(points.values())
        kind = _kind(points)
        head = tag("summary", number, tag("span", _number(most) if most else "-" if kind == "none" else "never", class_="c"), _painted(line, points))
        listed = [tag("li", _told(p, c), class_="none" if p.never else "good" if c else "bad") for p, c in points.items()]
        out.append(tag("details", head, tag("ul", listed), class_=kind))
    return tag("div", join(out, "\n"), class_="source")


def _told(point: Point, count: int) -> str:
    return f"cannot be reached: {point.name}: {point.never}" if point.never else f"{_number(count) if count else 'never'}: {point.name}"


def _kind(points: Mapping[Point, int]) -> str:
    """Of those that can be reached."""
    reached = [bool(c) for p, c in points.items() if not p.never]
    return "none" if not reached else "good" if all(reached) else "some" if any(reached) else "bad"


def _painted(line: str, points: dict[Point, int]) -> Html:
    """The line, with what stands at its points in their colours."""
    parts: list[Content] = []
    at = 0
    for col in sorted({p.col for p in points}):
        found = TOKEN.match(line, col - 1)
        if found is None or col - 1 < at:
            continue
        kind = _kind({p: c for p, c in points.items() if p.col == col})
        parts += [line[at : col - 1], tag("b", found[0], class_=kind)]
        at = found.end()
    return join([*parts, line[at:]])


def _number(n: int) -> str:
    return f"{n:,}".replace(",", " ")
