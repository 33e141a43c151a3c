"""A checker of generated pages: nesting, ids, links, headings, names of drawings; drawings whose parts fit."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Optional

VOID = set("area base br col hr img input link meta".split())
EMPTY_SVG = {"rect", "path"}  # written <rect .../>
RFC = re.compile(r"https://www\.rfc-editor\.org/rfc/rfc\d+(#(section|appendix)-[A-Z0-9][.A-Z0-9]*)?$")
Attributes = dict[str, Optional[str]]


class Element:
    def __init__(self, name: str, attributes: Attributes, parent: Optional[Element], line: int) -> None:
        self.name, self.attributes, self.parent, self.line = name, attributes, parent, line
        self.children: list[Element] = []
        self.content: list[str | Element] = []  # text among them

    @property
    def text(self) -> str:
        """All text in it."""
        return "".join(c if isinstance(c, str) else c.text for c in self.content)

    def __getitem__(self, key: str) -> str:
        return self.attributes.get(key) or ""

    def all(self, *names: str) -> list[Element]:
        """Elements of a name, in order; without one, all."""
        out: list[Element] = []
        todo = [self]
        while todo:
            e = todo.pop()
            if not names or e.name in names:
                out.append(e)
            todo += reversed(e.children)
        return out

    def inside(self, name: str) -> bool:
        return self.name == name or self.parent is not None and self.parent.inside(name)


class Page(HTMLParser):
    """One page as a tree; `faults` is what is wrong with it by itself."""

    def __init__(self, path: Path) -> None:
        super().__init__(convert_charrefs=True)
        self.path = path
        self.faults: list[str] = []
        self.root = self.at = Element("", {}, None, 0)
        self.source = path.read_bytes().decode("utf-8")
        self.feed(self.source)
        self.close()
        if self.at is not self.root:
            self.fault(f"<{self.at.name}> is not closed")
        self.elements = self.root.all()[1:]
        ids = [e["id"] for e in self.elements if "id" in e.attributes]
        self.ids = set(ids)
        self.faults += [f"id {i!r} is there twice" for i in sorted(self.ids) if ids.count(i) > 1]
        self.faults += [f"id {i!r} is empty or has a blank" for i in ids if not i or re.search(r"\s", i)]

    def near(self, ident: str) -> Element:
        """The element of an id; of the head of a row the row."""
        found = next(e for e in self.elements if e["id"] == ident)
        return found.parent if found.name == "th" and found.parent is not None else found

    def fault(self, text: str) -> None:
        self.faults.append(f"line {self.getpos()[0]}: {text}")

    # --- a tree ------------------------------------------------------------------

    def handle_starttag(self, tag: str, attrs: list[tuple[str, Optional[str]]]) -> None:
        names = [name for name, _ in attrs]
        if len(set(names)) < len(names):
            self.fault(f"<{tag}> has an attribute twice")
        element = self.put(tag, attrs)
        if tag in EMPTY_SVG:
            self.fault(f"<{tag}> is not written <{tag}/>")
        if tag not in VOID:
            self.at = element

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, Optional[str]]]) -> None:
        if tag not in EMPTY_SVG:
            self.fault(f"<{tag}/> is not for this element")
        self.put(tag, attrs)

    def put(self, tag: str, attrs: list[tuple[str, Optional[str]]]) -> Element:
        element = Element(tag, dict(attrs), self.at, self.getpos()[0])
        self.at.children.append(element)
        self.at.content.append(element)
        return element

    def handle_endtag(self, tag: str) -> None:
        if self.at.name != tag:
            self.fault(f"</{tag}> closes <{self.at.name}> of line {self.at.line}")
            return
        assert self.at.parent is not None
        self.at = self.at.parent

    def handle_data(self, data: str) -> None:
        self.at.content.append(data)

    # --- rules of the house -------------------------------------------------------

    def check(self) -> list[str]:
        """All faults but those of links."""
        return self.faults + [*self._frame(), *self._policy(), *self._headings(), *self._names(), *self._tables(), *self._content()]

    def _frame(self) -> list[str]:
        one = {name: self.root.all(name) for name in ("html", "head", "title", "body", "main", "h1", "header", "footer")}
        out = [f"{len(found)} <{name}>" for name, found in one.items() if len([f for f in found if not f.inside("svg")]) != 1]
        if not self.source.startswith("<!DOCTYPE html>\n") or one["html"][0]["lang"] != "en":
            out.append("no doctype, or no lang")
        metas = {m["name"]: m["content"] for m in self.root.all("meta")}
        if "width=device-width" not in metas.get("viewport", "") or self.root.all("meta")[0]["charset"] != "utf-8":
            out.append("no viewport, or no charset at the start")
        first = self.root.all("a")[0]
        if first["href"] != "#main" or one["main"][0]["id"] != "main":
            out.append("the first link does not skip to the content")
        return out

    def _policy(self) -> list[str]:
        """What `default-src 'self'; style-src 'self'` would refuse."""
        out = []
        for e in self.elements:
            bad = [a for a in e.attributes if a == "style" or a.startswith("on")]
            out += [f"line {e.line}: attribute {a}" for a in bad]
            if e.name in ("script", "style") and (e.text.strip() or e.name == "style"):
                out.append(f"line {e.line}: <{e.name}> with content")
            for a in ("src", "href"):
                if e.name in ("script", "link", "img") and re.match(r"[a-z]+:|//", e[a]):
                    out.append(f"line {e.line}: {e[a]} is loaded from elsewhere")
        return out

    def _headings(self) -> list[str]:
        out = []
        level = 0
        for h in self.root.all("h1", "h2", "h3", "h4", "h5", "h6"):
            mine = int(h.name[1])
            if mine > level + 1:
                out.append(f"line {h.line}: <{h.name}> below <h{level}>")
            level = mine
        return out

    def _names(self) -> list[str]:
        """What needs a name has one, and references by id lead somewhere."""
        out = []
        for e in self.elements:
            for a in ("aria-labelledby", "aria-describedby", "for"):
                out += [f"line {e.line}: {a}={i} leads nowhere" for i in e[a].split() if i not in self.ids]
            if e.name == "svg" and (not e["role"] or [c.name for c in e.children[:2]] != ["title", "desc"] or not e["aria-labelledby"]):
                out.append(f"line {e.line}: a drawing without title and description")
            if e.name == "nav" and not e["aria-label"]:
                out.append(f"line {e.line}: <nav> without a name")
            if e.name in ("a", "summary", "button", "th", "title", "desc", "caption") and not e.text.strip():
                out.append(f"line {e.line}: <{e.name}> without text")
        return out

    def _tables(self) -> list[str]:
        out = []
        for t in self.root.all("table"):
            columns = len(t.all("thead")[0].all("th"))
            for row in t.all("tr"):
                cells = sum(int(c["colspan"] or 1) for c in row.children)
                if cells != columns or any(c.name == "th" and not c["scope"] for c in row.children):
                    out.append(f"line {row.line}: a row of {cells} cells in a table of {columns}, or a head without scope")
        return out

    def _content(self) -> list[str]:
        """Elements where the content model of HTML forbids them."""
        phrasing = set("p h1 h2 h3 h4 dt span code a summary caption".split())
        blocks = set("p div ul ol dl table pre section figure details h1 h2 h3 h4 nav main".split())
        out = []
        for e in self.elements:
            parent = e.parent.name if e.parent is not None else ""
            if e.name in blocks and parent in phrasing:
                out.append(f"line {e.line}: <{e.name}> in <{parent}>")
            if e.name == "li" and parent != "ul" or e.name in ("dt", "dd") and parent != "div" or e.name == "tr" and parent not in ("tbody", "thead"):
                out.append(f"line {e.line}: <{e.name}> in <{parent}>")
            if e.name == "a" and e.parent is not None and e.parent.inside("a"):
                out.append(f"line {e.line}: a link in a link")
        return out


def links(pages: dict[str, Page]) -> list[str]:
    """Links that lead nowhere, or out of the reference to another place than an RFC."""
    out = []
    for name, page in pages.items():
        for a in page.root.all("a", "link", "script"):
            target = a["href"] or a["src"]
            if target.startswith(("http:", "https:")):
                if not RFC.match(target):
                    out.append(f"{name}:{a.line}: {target}")
                continue
            file, _, ident = target.partition("#")
            there = pages.get(file or name)
            if there is None and not (page.path.parent / file).is_file() or there is not None and ident and ident not in there.ids:
                out.append(f"{name}:{a.line}: {target} leads nowhere")
            if "#" in target and not ident:
                out.append(f"{name}:{a.line}: {target} is empty")
    return out


# --- drawings ---------------------------------------------------------------------------------------

CHAR = 7.25


def _box(e: Element) -> tuple[int, int, int, int]:
    x, y = int(e["x"]), int(e["y"])
    return x, y, x + int(e["width"]), y + int(e["height"])


def drawing(svg: Element) -> list[str]:
    """What is cut off or does not fit in a drawing."""
    _, _, width, height = map(int, svg["viewbox"].split())
    out = []
    for e in svg.all("rect"):
        x0, y0, x1, y1 = _box(e)
        if x0 < 0 or y0 < 0 or x1 > width or y1 > height:
            out.append(f"line {e.line}: a box outside of the drawing")
    for t in svg.all("text"):
        room = 2 * min(int(t["x"]), width - int(t["x"])) if t["class"] != "when" and not _starts(t) else width - int(t["x"])
        long = len(t.text) * CHAR if not t["transform"] else 0
        if long > room + 1 or not 0 <= int(t["y"]) <= height:
            out.append(f"line {t.line}: {t.text!r} does not fit in the drawing")
        siblings = t.parent.children if t.parent is not None else []
        boxes = [c for c in siblings if c.name == "rect"]
        if boxes:
            x0, y0, x1, y1 = _box(boxes[0])
            high, wide = (long, 12) if not t["transform"] else (0, 0)
            if t["transform"]:
                high, wide = 12, len(t.text) * CHAR
            if high > x1 - x0 + 1 or wide > y1 - y0 + 1:
                out.append(f"line {t.line}: {t.text!r} does not fit in its box")
    for cell in svg.all("g") if svg["class"] == "bits" else []:
        title = next((c.text for c in cell.children if c.name == "title"), "")
        rows = [c.text for c in cell.children if c.name == "text"] if title else []
        out += [f"{title!r} is cut into {rows}" for a, b in zip(rows, rows[1:]) if not (a.endswith("_") and a + b in title or f"{a} {b}" in title)]
    for d in (e["d"] for e in svg.all("path")):
        for x, y in points(d):
            if not (-0.1 <= x <= width + 0.1 and -0.1 <= y <= height + 0.1):
                out.append(f"a line outside of the drawing: {d}")
    return out


def _starts(t: Element) -> bool:
    """Whether the text begins at its x: captions of frames."""
    return t["class"] == "note" and t.parent is not None and t.parent["class"] in ("capture", "oneof", "put")


def points(d: str) -> list[tuple[float, float]]:
    """The ends of the strokes of a path."""
    return [p for stroke in strokes(d) for p in stroke]


def strokes(d: str) -> list[list[tuple[float, float]]]:
    """A path as strokes, each the list of the points it passes."""
    out: list[list[tuple[float, float]]] = []
    x = y = 0.0
    for command, text in re.findall(r"([MmHhVvaLlz])([^MmHhVvaLlz]*)", d):
        n = [float(v) for v in re.findall(r"-?\d+(?:\.\d+)?", text)]
        if command in "Mm":
            x, y = (n[0], n[1]) if command == "M" else (x + n[0], y + n[1])
            out.append([(x, y)])
            continue
        if command in "Hh":
            x = n[0] if command == "H" else x + n[0]
        elif command in "Vv":
            y = n[0] if command == "V" else y + n[0]
        elif command in "al":
            x, y = x + n[-2], y + n[-1]
        out[-1].append((x, y))
    return out
