#!/usr/bin/env python3
"""`mrg docs`: pages that are well formed and lead somewhere, say what they must, and are the same each time."""

from __future__ import annotations

import re
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from report import ROOT, Report, make  # noqa: E402

from docs_run import SPECS, module, mrg, page_of, rendered  # noqa: E402
from pages_check import Element, Page, drawing, links, strokes  # noqa: E402


# --- pages ------------------------------------------------------------------------------------------


def examples(folder: str) -> list[Path]:
    """The modules of specs/LANGUAGE.md, each in a folder of its own."""
    out = []
    for i, m in enumerate(re.finditer(r"^```mrg\n(.*?)^```$", (ROOT / "specs" / "LANGUAGE.md").read_text(), re.M | re.S)):
        name = re.search(r"^module ([\w.]+)", m[1], re.M)
        path = Path(folder, str(i), (name[1] if name else "example").replace(".", "/") + ".mrg")
        path.parent.mkdir(parents=True)
        path.write_text(m[1])
        out.append(path)
    return out


def check_pages(report: Report) -> None:
    with tempfile.TemporaryDirectory() as folder:
        pages = rendered(SPECS, folder)
        _sound(report, "specs", pages)
        report.check("a page for each module and the index", set(pages) == {page_of(s) for s in SPECS} | {"index.html"})
        _classes(report, pages)
        _connected(report, pages)
        _tell(report, pages)
    with tempfile.TemporaryDirectory() as written:
        others = [(p.stem, p) for folder in ("interp", "machines/made") for p in sorted((ROOT / "tests" / "gen" / folder).glob("*.mrg"))]
        others += [(f"LANGUAGE.md example {i}", p) for i, p in enumerate(examples(written))]
        for name, path in others:
            with tempfile.TemporaryDirectory() as folder:
                _sound(report, name, rendered([path], folder))


def check_machines(report: Report) -> None:
    """What is done in each state leads somewhere too."""
    with tempfile.TemporaryDirectory() as folder:
        page = next(p for name, p in rendered([ROOT / "tests/gen/machines/made/always.mrg"], folder).items() if name != "index.html")
    svg = next(s for s in page.root.all("svg") if s["class"] == "states")
    words = svg.all("desc")[0].text
    report.check("always leads to a state: in words", "in each state to Dark at off" in words and "from Dark to Lit at press, signal" in words, words)
    boxes = [r["class"] for r in svg.all("rect")]
    report.check("and drawn", boxes == ["start final", "", "final", "each"] and "in each state" in svg.text, str(boxes))


def check_parts(report: Report) -> None:
    """A state that runs a machine: what, and what leads out of it."""
    with tempfile.TemporaryDirectory() as folder:
        page = next(p for name, p in rendered([ROOT / "tests/gen/machines/made/parts.mrg"], folder).items() if name != "index.html")
    svg = [s for s in page.root.all("svg") if s["class"] == "states"][1]
    words = svg.all("desc")[0].text
    report.check("what leads out: in words", "from First to Resting at when Nothing" in words and "from Second to Idle at stop, when Told" in words, words)
    report.check("and what runs is drawn", "First: Asker" in svg.text and "Second: Asker" in svg.text, svg.text)
    report.check("in the table", "as Asker" in page.root.text and "when Told" in page.root.text, page.root.text[-2000:])
    report.check("it has no C of its own", "struct mrg_made_pair" in page.root.text and "mrg_made_asker" not in page.root.text)


def _sound(report: Report, name: str, pages: dict[str, Page]) -> None:
    faults = [f"{page}: {fault}" for page, p in pages.items() for fault in p.check()]
    report.none(f"{name}: pages are well formed", faults)
    report.none(f"{name}: every link leads somewhere", links(pages))
    drawn = [(page, svg) for page, p in pages.items() for svg in p.root.all("svg")]
    report.none(f"{name}: what is drawn fits", [f"{page}: {fault}" for page, svg in drawn for fault in drawing(svg)])
    report.none(f"{name}: lines of railroads meet", [f"{page}: {f}" for page, svg in drawn if svg["class"] == "rail" for f in loose(svg)])


def loose(svg: Element) -> list[str]:
    """Boxes that no line comes to or leaves, and lines that end in nothing."""
    ways = [s for p in svg.all("path") if p["class"] != "back" for s in strokes(p["d"])]
    ends = [end for way in ways for end in (way[0], way[-1])]
    boxes = [r for g in svg.all("g", "a") if g["class"] in ("literal", "rule", "set", "oneof") for r in g.children if r.name == "rect"]
    frames = [r for g in svg.all("g") if g["class"] == "oneof" for r in g.children if r.name == "rect"]
    sides = []
    for r in boxes:
        x, y, w, h = (int(r[a]) for a in ("x", "y", "width", "height"))
        if any(f is not r and int(f["x"]) < x < int(f["x"]) + int(f["width"]) and int(f["y"]) < y < int(f["y"]) + int(f["height"]) for f in frames):
            continue  # of those in a frame only the frame has lines
        sides += [(x, y + h / 2), (x + w, y + h / 2)]
    near = lambda a, b: abs(a[0] - b[0]) < 1.1 and abs(a[1] - b[1]) < 1.1  # noqa: E731
    out = [f"no line at {side}" for side in sides if not any(near(side, e) for e in ends)]
    return out + [f"a line ends at {e}" for e in ends if sum(near(e, other) for other in [*ends, *sides]) < 2 and not _on(e, ways) and not _edge(svg, e)]


def _on(point: tuple[float, float], ways: list[list[tuple[float, float]]]) -> bool:
    """Whether a point lies on a straight stretch of a line."""
    x, y = point
    for way in ways:
        for (x0, y0), (x1, y1) in zip(way, way[1:]):
            if x0 == x1 == x and min(y0, y1) <= y <= max(y0, y1) and len(way) > 2 or y0 == y1 == y and min(x0, x1) < x < max(x0, x1):
                return True
    return False


def _edge(svg: Element, point: tuple[float, float]) -> bool:
    """The bars at the start and the end."""
    width = int(svg["width"])
    return point[0] in (8, 12, width - 8, width - 12)


def _classes(report: Report, pages: dict[str, Page]) -> None:
    used = {c for p in pages.values() for e in p.elements for c in e["class"].split()}
    styled = set(re.findall(r"\.([a-z]+)\b", re.sub(r"\d*\.\d+", "", (ROOT / "gen/mrg/docs/static/style.css").read_text())))
    report.none("every class has a style", sorted(used - styled))


def _connected(report: Report, pages: dict[str, Page]) -> None:
    """What uses something, and what it uses, lead to each other."""
    wanted = [
        ("dns.message.html", "dns.rr.html#packet-Rr"),
        ("dns.rr.html", "dns.message.html#packet-Message"),
        ("dns.rr.html", "iana.dns.html#enum-Type-NSEC3"),
        ("dns.rr.html", "dns.rdata_dnssec.html#packet-Nsec3"),
        ("iana.dns.html", "dns.rr.html#packet-Question"),
        ("dns.rr.html", "dns.name.html#type-Seconds"),
        ("dns.name.html", "dns.rr.html#packet-Rr"),
        ("dns.name.html", "#packet-NamePointer"),
        ("http.message.html", "http.common.html#rule-Text-tchar"),
        ("http.message.html", "https://www.rfc-editor.org/rfc/rfc9112#section-7.1.2"),
        ("dns.edns.html", "https://www.rfc-editor.org/rfc/rfc7873#section-5.2.2"),
        ("index.html", "dns.name.html#const-MAX_LABEL"),
    ]
    back = [
        ("dns.name.html", "packet-NamePointer", "#packet-Name"),
        ("iana.dns.html", "enum-Type", "dns.rr.html#packet-Rr"),
        ("iana.dns.html", "enum-Type", "dns.rdata_dnssec.html#packet-TypeBitmap"),
        ("dns.name.html", "type-Ip4", "dns.rdata.html#packet-A"),
        ("dns.rdata_svcb.html", "packet-SvcParamMandatory", "#packet-SvcParam"),
        ("http.message.html", "rule-Http1-field", "#rule-Http1-Request"),
        ("http.common.html", "rule-Text-token", "http.message.html#rule-Http1-field"),
        ("http.common.html", "rule-Text-qdtext", "#rule-Text-quoted"),
    ]
    report.none("links back", [f"{page}, {ident}: {target}" for page, ident, target in back
                               if not any(target == a["href"] for a in pages[page].near(ident).all("a"))])
    report.none("links that must be there", [f"{page}: {target}" for page, target in wanted
                                             if not any(a["href"] == target for a in pages[page].root.all("a"))])


def _tell(report: Report, pages: dict[str, Page]) -> None:
    """Some of what a page must say, as text."""
    wanted = [
        ("dns.name.html", ["in 1..MAX_LABEL", "strictly before", "at most 126 times", "0xc0..0xff", "MRG_DNS_MAX_NAME", "mrg_dns_name_check("]),
        ("dns.edns.html", ["a server cookie of 8 to 32 octets", "size server == 0 || size server in 8..32", "If length >= 2:", "In any case:", "dnssec_ok"]),
        ("dns.rr.html", ["size rdata", "Rr = name SP ttl SP class SP type SP rdata", "must fill its octets",
                         "((rdlength == 0 && class in {NONE, ANY}) || (class == Class.CH && type == Type.A)) ? 0 : type"]),
        ("dns.rdata_svcb.html", ["ascending", "!= 65535", "size keys >= 1"]),
        ("http.message.html", ["65536 octets, else code 431", "up to 8000 times, more: 414", "method, target, major, minor, name, value",
                               "mrg_http_http1_request_feed(", "captured"]),
        ("http.field.html", ["0 stands for a word that is none of these", "compared without regard to case", "mrg_http_option_of()",
                             "written: SP", "mrg_http_field_codings_check(", "ends with its buffer"]),
        ("iana.http.html", ["html, htm", "text/html", "compared octet by octet"]),
        ("iana.dns.html", ["NSAP-PTR", "pass, in text as TYPE and the number", "65280..65534"]),
        ("dns.rdata_dnssec.html", ["base 64 with padding", "SHA-1 has 20 octets", "digest_type != DigestType.SHA1 || size digest == 20"]),
    ]
    said = {name: " ".join(page.root.text.split()) for name, page in pages.items()}
    report.none("words that must be there", [f"{page}: {text}" for page, texts in wanted for text in texts if text not in said[page]])


# --- safety ------------------------------------------------------------------------------------------------------

HOSTILE = """/// <script>alert(1)</script> & "quotes" `<b>`
const N = 1;
/// </section><h1>
enum E : u8 unknown "<i>&\\"" {
  /// <td>
  A = 1 as "<a href=x>" "<b onclick=1>";
}

/// </p><style>
packet P {
  /// "></td>
  e: u8 E;
  where e < 3 && e != 0 "<img src=x> & more";
}

/// </pre>
grammar G {
  /// <svg>
  token T = "</text></svg><script>";
  token U = "&lt;" / "<" - %x00;
}"""


def check_hostile(report: Report) -> None:
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as out:
        path = module(folder, HOSTILE.replace('"<" - %x00', '">"'))
        pages = rendered([path], out)
        _sound(report, "markup in a specification", pages)
        names = {e.name for e in pages["own.html"].elements}
        report.check("it stays text", not names & {"script", "style", "img", "i", "b"} and len(pages["own.html"].root.all("h1")) == 1)
        said = pages["own.html"].root.text
        report.none("and is shown", [t for t in ("<script>alert(1)</script>", "<img src=x> & more", "</text></svg><script>", "<a href=x>") if t not in said])
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as out:
        path = module(folder, "/// A packet.\npacket Index { a: u8; }", "index")
        pages = rendered([path], out)
        report.check("a module called index has a page of its own", set(pages) == {"index.html", "index-module.html"})
        _sound(report, "module index", pages)


def check_command(report: Report) -> None:
    """Determinism, and what goes wrong."""
    with tempfile.TemporaryDirectory() as folder:
        one, two = Path(folder, "one"), Path(folder, "two", "deep")
        first = mrg("docs", *SPECS, "-o", one, "--link", "Live status=/status", seed="1")
        second = mrg("docs", *reversed(SPECS), "-o", two, "--link", "Live status=/status", seed="2", cwd=folder)
        report.check("mrg docs is quiet", (first.returncode, first.stdout, first.stderr, second.returncode) == (0, "", "", 0), first.stderr)
        same = [p.name for p in sorted(one.iterdir()) if p.read_bytes() != (two / p.name).read_bytes()]
        report.none("the same specifications give the same bytes", same)
        report.check("a link that was asked for is on each page", all('<a href="/status">Live status</a>' in p.read_text() for p in one.glob("*.html")))
        single = Path(folder, "single")
        mrg("docs", ROOT / "specs/dns/tsig.mrg", "-o", single)
        report.check("what is imported has its page", {p.name for p in single.glob("d*.html")} == {"dns.name.html", "dns.tsig.html"})
        Path(folder, "file").write_text("")
        no = mrg("docs", ROOT / "specs/dns/tsig.mrg", "-o", "file/docs", cwd=folder)
        said = "mrg: file/docs/dns.name.html: Not a directory\n"
        report.check("a folder that can't be", (no.returncode, no.stdout, no.stderr) == (1, "", said), no.stderr)
        module(folder, "/// A packet.\npacket P { a: bytes(n); }", "bad")
        no = mrg("docs", "bad.mrg", "-o", "out", cwd=folder)
        report.check("a wrong specification", no.returncode == 1 and "unknown field 'n'" in no.stderr and not Path(folder, "out").exists(), no.stderr)
        for value in ("status", "=x", "a=", "a=javascript:x", "a=mailto:x"):
            no = mrg("docs", "bad.mrg", "-o", "out", "--link", value, cwd=folder)
            report.check(f"--link {value}", no.returncode == 2 and "is not NAME=URL" in no.stderr, no.stderr)
        report.check("no folder", mrg("docs", "bad.mrg", cwd=folder).returncode == 2)


def check_make(report: Report) -> None:
    """`make docs`: once, and again when there is something new to say; pages that nothing makes any more go."""
    with tempfile.TemporaryDirectory() as folder:
        pages = Path(folder, "docs")
        first, second = make("docs", f"O={folder}").stdout, make("docs", f"O={folder}").stdout
        report.check("make docs", pages.joinpath("index.html").is_file() and "DOCS" in first and second == "", first + second)
        pages.joinpath("gone.html").write_text("")
        third = make("docs", f"O={folder}", 'DOCS_FLAGS=--link "Live status=/status"')
        said = pages.joinpath("index.html").read_text()
        report.check("make docs with a link", "Live status" in said and not pages.joinpath("gone.html").exists(), third.stdout)


def luminance(colour: str) -> float:
    """WCAG 2.2, relative luminance."""
    short = colour.lstrip("#")
    full = "".join(2 * c for c in short) if len(short) == 3 else short
    parts = [int(full[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    r, g, b = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


def check_contrast(report: Report) -> None:
    """WCAG 2.2 AA: 4.5 for text, 3 for lines that mean something."""
    style = (ROOT / "gen/mrg/docs/static/style.css").read_text()
    themes = [dict(re.findall(r"--(\w+): (#\w+);", block)) for block in re.findall(r":root \{(.*?)\}", style, re.S)]
    report.check("light, dark and paper", len(themes) == 3)
    pairs = [(t, b) for t in ("text", "soft", "accent") for b in ("page", "panel")]
    pairs += [("text", b) for b in ("field", "fixed", "vary", "literal", "set", "mark", "rule")]
    pairs += [(t, "page") for t in ("must", "warn", "send", "plain", "capture")] + [("accent", "rule"), ("must", "mark"), ("soft", "mark")]
    for name, theme in zip(("light", "dark", "paper"), themes):
        low = []
        for front, back in [*pairs, ("edge", "page")]:
            a, b = sorted((luminance(theme[front]), luminance(theme[back])))
            if (b + 0.05) / (a + 0.05) < (3 if front == "edge" else 4.5):
                low.append(f"{front} on {back}: {(b + 0.05) / (a + 0.05):.2f}")
        report.none(f"contrast, {name}", low)


def main() -> int:
    report = Report()
    check_pages(report)
    check_machines(report)
    check_parts(report)
    check_hostile(report)
    check_command(report)
    check_make(report)
    check_contrast(report)
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
