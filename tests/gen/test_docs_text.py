#!/usr/bin/env python3
"""`mrg diagram`, and what pages are made of: drawings as RFCs have them, ABNF, railroads, expressions in words."""

from __future__ import annotations

import re
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from report import ROOT, Report  # noqa: E402

from docs_run import SPECS, module, mrg, page_of, rendered  # noqa: E402
from mrg import ast, ir, load  # noqa: E402
from mrg.docs import abnf, bits_text, prose, words  # noqa: E402

RULER = """\
  0                   1                   2                   3
  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
"""

# RFC 791 section 3.1
IPV4 = """\
 +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 |version|  ihl  |type_of_service|          total_length         |
 +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 |         identification        |flags|     fragment_offset     |
 +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 |  time_to_live |    protocol   |        header_checksum        |
 +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 |                         source_address                        |
 +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 |                      destination_address                      |
 +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 /                                                               /
 /                  options: ihl * 4 - 20 octets                 /
 /                                                               /
 +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
"""
IPV4_SPEC = """\
  version: 4 = 4;  ihl: 4 in 5..;  type_of_service: u8;  total_length: u16;
  identification: u16;  flags: 3;  fragment_offset: 13;
  time_to_live: u8;  protocol: u8;  header_checksum: u16;
  source_address: u32;  destination_address: u32;
  options: bytes(ihl * 4 - 20);
"""

# RFC 1035 section 4.1.1, with the bits of RFC 4035, in rows of 32
DNS_HEADER = """\
 +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 |               id              |q| opcode|a|t|r|r|z|a|c| rcode |
 |                               |r|       |a|c|d|a| |d|d|       |
 +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 |            qdcount            |            ancount            |
 +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 |            nscount            |            arcount            |
 +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
"""

# RFC 8945 section 4.2: numbers that cross the ends of rows, octets behind a length
TSIG = """\
 +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 /                                                               /
 /             algorithm: PlainName; 1 to 255 octets             /
 /                                                               /
 +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 |                          time_signed                          |
 +                               +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 |                               |             fudge             |
 +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 |                               |                               /
 |            mac_size           |      mac: mac_size octets     /
 |                               |                               /
 +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 |          original_id          |             error             |
 +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 |                               |                               /
 |           other_size          |    other: other_size octets   /
 |                               |                               /
 +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
"""

# What is there under a condition has a block of its own; a name without room has a letter; a number that begins inside an
# octet stays in its row.
GROUPS = """\
 +-+-+-+-+-+-+-+-+
 |a|0 1|   kind  |
 +-+-+-+-+-+-+-+-+
 if urgent_and_important:
 +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 |               |                                               /
 |     length    |     parts: list of packets, length of them    /
 |               |                                               /
 +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 if urgent_and_important and if kind == 3:
 +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 |                     middle                    |
 +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 unless urgent_and_important:
 +-+-+-+-+-+-+-+-+
 |       0       |
 +-+-+-+-+-+-+-+-+
 then:
 +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 |     flags     |             first             |    (second)   |
 +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 |                                               |               /
 |                     second                    |  address: 20  /
 |                                               |     octets    /
 |                                               |               /
 +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 a: urgent_and_important
"""
GROUPS_SPEC = """\
  urgent_and_important: 1;  0b01: 2;  kind: 5;
  if urgent_and_important {
    length: u8;
    parts: list { x: u8; } count length;
    if kind == 3 { middle: u24; }
  } else {
    0: u8;
  }
  flags: u8;  first: u16;  second: u32;  address: bytes(20);
"""


def one_packet(body: str) -> ir.Packet:
    with tempfile.TemporaryDirectory() as folder:
        return load.load([str(module(folder, f"/// A packet.\npacket P {{\n{body}}}"))])[-1].packets[-1]


# --- drawings in characters ---------------------------------------------------------------------------


def check_drawings(report: Report) -> None:
    dns = {p.name: p for m in load.load([str(s) for s in SPECS]) if m.name.startswith("dns.") for p in m.packets}
    for name, packet, want in (("IPv4", one_packet(IPV4_SPEC), IPV4), ("DNS header", dns["Header"], DNS_HEADER), ("TSIG", dns["Tsig"], TSIG),
                               ("groups", one_packet(GROUPS_SPEC), GROUPS)):
        got = bits_text.draw(packet)
        report.check(f"{name} is drawn as it should be", got == RULER + want, got)


def check_diagram(report: Report) -> None:
    """The command: what a name means."""
    http, rr = (ROOT / "specs" / name for name in ("http/message.mrg", "dns/rr.mrg"))
    done = mrg("diagram", "specs/dns/name.mrg", "Name")
    titles = [line for line in done.stdout.splitlines() if line[:1].isalpha()]
    report.check("a packet comes with what is written in place in it", titles == ["Name", "NameLabel", "NameRoot", "NamePointer"], done.stdout)
    whole = mrg("diagram", http)
    report.check("a module with grammars", whole.stdout.startswith("; Http1\n\nfield ") and whole.returncode == 0, whole.stdout)
    for name in ("Trailer", "Http1.Trailer"):
        got = mrg("diagram", http, name).stdout
        report.check(f"rule {name}", got == TRAILER, got)
    got = mrg("diagram", http, "extension").stdout
    report.check("a rule of another grammar", '";" *WSP <Text.token> [*WSP "="' in got, got)
    report.check("a module with packets", mrg("diagram", rr).stdout.count(RULER) == 5)
    wrong = mrg("diagram", rr, "Questoin")
    text = "mrg diagram: module 'dns.rr' has no packet, grammar, rule or machine 'Questoin' (did you mean 'Question'?)\n"
    report.check("an unknown name", (wrong.returncode, wrong.stdout, wrong.stderr) == (2, "", text), wrong.stderr)


TRAILER = """\
Trailer = *100field CRLF
          ; at most 65536 octets, else 431
          ; more than 100 field: 431
"""


# --- ABNF -------------------------------------------------------------------------------------------------

GRAMMAR = """/// Texts.
grammar G {
  vchar  = VCHAR / %x80-FF;
  other  = vchar - ">";
  many_a = 2*5("a" / %s"Bc") 3DIGIT [*WSP];
  word   = key:1*other;
  host   = host:"h";
  token Key   = "key" %x0D.0A "say \\"x\\"";
  token Many  = many_a;
  match Pair  = key:1*vchar "=" value:(word_value / DQUOTE);
  word_value = key2:%x41 / many_a;
  message M max 100 else 4 = key:1*9"k" else 5 ":" word CRLF;
  value Host  = other:other *(*WSP "," *WSP put SP other:other) [":" host] ";" key:1*vchar;
}"""
ABNF = r"""
vchar-rule = VCHAR / %x80-FF
other = <vchar-rule except %x3E>
many-a = 2*5("a" / %s"Bc") 3DIGIT [*WSP]
word = key-word
key-word = 1*other ; captured
host-rule = "h" ; captured
Key = "key" %x0D.0A ("say " %x22 "x" %x22)
Many = many-a
Pair = key-Pair "=" value
key-Pair = 1*vchar-rule ; captured
value = word-value / DQUOTE ; captured
word-value = key2 / many-a
key2 = %x41 ; captured
M = key-M ":" word CRLF ; at most 100 octets, else 4
key-M = 1*9"k"
; captured
; more than 9 "k": 5
Host = other *(*WSP "," *WSP other) [":" host-rule] ";" key-Host
; writing: SP for *WSP
; captured: other
key-Host = 1*vchar-rule ; captured
"""


def check_abnf(report: Report) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = module(folder, GRAMMAR)
        got = abnf_of(path)[0]
    report.check("a grammar as ABNF", "\n".join(" ".join(line.split()) for line in got.splitlines()) == ABNF.strip(), got)
    texts = [(page_of(spec), text) for spec in SPECS for text in abnf_of(spec)]
    report.check("there are grammars", len(texts) >= 3)
    for name, text in texts:
        report.none(f"{name}: ABNF that RFC 5234 allows", Abnf(text).faults)
    wrong = Abnf('a = b / "c\nd = 1*(DIGIT\nd = %x4G\n').faults
    report.check("the reader of ABNF sees faults", len(wrong) == 7, str(wrong))


def abnf_of(spec: Path) -> list[str]:
    """The text of each grammar of a module."""
    file = load.load_written([str(spec)])[0].units[-1].file
    return ["".join(map(abnf.text, abnf.grammar(d).values())) for d in file.decls if isinstance(d, ast.GrammarDecl)]


class Abnf:
    """Reads ABNF as RFC 5234 section 4 and RFC 7405 have it; notes what is wrong."""

    TOKENS = re.compile(
        r"""\s*(?:(;[^\n]*)|[A-Za-z][A-Za-z0-9-]*|(?:%s)?"[ !#-~]*"|<[ -=?-~]*>"""
        r"""|%x[0-9A-F]+(?:-[0-9A-F]+|(?:\.[0-9A-F]+)*)(?![0-9A-Za-z])|\d*\*\d*|\d+|[()\[\]/=])"""
    )

    def __init__(self, text: str) -> None:
        self.faults: list[str] = []
        self.defined: list[str] = []
        self.used: list[str] = []
        for rule in re.split(r"\n(?=\S)", text.strip()):
            self.tokens = self.cut(rule)
            self.rule()
        known = {n.lower() for n in [*self.defined, *abnf.CORE]}
        self.faults += [f"{n} is not defined" for n in self.used if n.lower() not in known]
        lower = [n.lower() for n in self.defined]
        self.faults += [f"{n} is defined twice" for n in sorted(set(lower)) if lower.count(n) > 1]

    def cut(self, rule: str) -> list[str]:
        out, at = [], 0
        while rule[at:].strip():
            m = self.TOKENS.match(rule, at)
            if m is None:
                self.faults.append(f"at {rule[at : at + 20]!r}")
                break
            at = m.end()
            if m[1] is None:
                out.append(m[0].strip())
        return [*out, ""]

    def rule(self) -> None:
        self.defined.append(self.tokens[0])
        self.at = 2
        if self.tokens[1:2] == ["="]:
            self.alternation()
        if self.at >= len(self.tokens) or self.tokens[self.at]:
            self.faults.append(f"{self.tokens[0]}: not at its end: {self.tokens[self.at :]}")

    def alternation(self) -> None:
        self.concatenation()
        while self.tokens[self.at] == "/":
            self.at += 1
            self.concatenation()

    def concatenation(self) -> None:
        self.repetition()
        while self.tokens[self.at] not in ("", "/", ")", "]"):
            self.repetition()

    def repetition(self) -> None:
        if re.fullmatch(r"\d*\*\d*|\d+", self.tokens[self.at]):
            self.at += 1
        token = self.tokens[self.at]
        self.at += bool(token)
        if token in ("(", "["):
            self.alternation()
            if self.tokens[self.at] != {"(": ")", "[": "]"}[token]:
                self.faults.append(f"'{token}' is not closed")
            self.at += bool(self.tokens[self.at])
        elif token[:1].isalpha():
            self.used.append(token)
        elif token[:1] not in ('"', "<", "%") or not token:
            self.faults.append(f"{token!r} is no element")


# --- railroads -------------------------------------------------------------------------------------------------


def check_railroad(report: Report) -> None:
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as out:
        path = module(folder, """/// Texts.
grammar G {
  part = "a" / "b";
  value V = 1*("," *WSP put SP part) [(",;" / "!") put ",;" "b"] ["=" 1*"-" put "-------------------------"];
  message M = %s"Get" [part] ":" method:1*9part else 7 *"x" 3DIGIT one:("p" / "q" / "r" / %x73) CRLF;
}""")
        page = rendered([path], out)["own.html"]
    captions = {g.children[1].text for svg in page.root.all("svg") for g in svg.all("g") if g["class"] == "put"}
    report.check("what is written", captions == {"written: SP", 'written: ",;"', "written otherwise"}, str(captions))
    wide, narrow = [svg for svg in page.root.all("svg") if "-M-" in svg.children[0]["id"]]
    texts = [t.text for t in wide.all("text")]
    want = ['%s"Get"', "part", '":"', "method", "part", "up to 9 times, more: 7", '"x"', "DIGIT", "3 times",
            "one", "one of", '"p"', '"q"', '"r"', "%x73", "CRLF"]
    report.check("a railroad has the rule's parts in order", texts == want, str(texts))
    report.check("the narrow one, too", [t.text for t in narrow.all("text")] == want)
    rules = [a["href"] for a in wide.all("a")]
    core = "https://www.rfc-editor.org/rfc/rfc5234#appendix-B.1"
    report.check("rules are links", rules == ["#rule-G-part", "#rule-G-part", core, core], str(rules))
    frames = [g.children[1].text for g in wide.all("g") if g["class"] == "capture"]
    report.check("captures are framed", frames == ["method", "one"], str(frames))
    loops = [p for p in wide.all("path") if p["class"] == "back"]
    report.check("three lines lead back", len(loops) == 3)
    rows = lambda svg: len({t["y"] for t in svg.all("text") if t.parent["class"] in ("literal", "rule")})  # noqa: E731
    report.check("a narrow railroad goes on in more rows", int(narrow["width"]) <= 330 < int(wide["width"]) and rows(narrow) > rows(wide))


# --- words ------------------------------------------------------------------------------------------------------

EXPRESSIONS = {
    "(a + b) * 2": "(a + b) * 2",
    "20 * a - (19 * a - a) - a": "20 * a - (19 * a - a) - a",
    "a + b * 2": "a + b * 2",
    "(a | b) & 3": "(a | b) & 3",
    "a | b & 3": "a | b & 3",
    "a << 1 + 1": "a << 1 + 1",
    "(a << 1) + 1": "(a << 1) + 1",
    "~a & 0xff": "~a & 0xff",
    "a == 1 && b == 2 || a != 3": "(a == 1 && b == 2) || a != 3",
    "a == 1 && (b == 2 || a != 3)": "a == 1 && (b == 2 || a != 3)",
    "!(a == 1)": "!(a == 1)",
    "a in 3.. && b in {1, 4..6}": "a in 3.. && b in {1, 4..6}",
    "min(a, 3) + max(b, a)": "min(a, 3) + max(b, a)",
    "(a > b ? a : b) + 1": "(a > b ? a : b) + 1",
    "a > b || a == 2 ? 1 : 0": "(a > b || a == 2) ? 1 : 0",
    "kind == Kind.ONE ? 1 : kind": "kind == Kind.ONE ? 1 : kind",
    "size c + here": "size c + here",
    "count d": "count d",
}
ASKED_ONCE = "peek u16 + avail > 4"  # what only the check knows

IN_PACKET = """/// Kinds.
enum Kind : u8 { ONE = 1; }

/// A packet.
packet P {
  a: u8; b: u8; kind: u8 Kind; c: bytes(a); d: list u8 count b;
  let x = HERE;
}"""


def check_words(report: Report) -> None:
    for source, want in EXPRESSIONS.items():
        with tempfile.TemporaryDirectory() as folder:
            packet = load.load([str(module(folder, IN_PACKET.replace("HERE", source)))])[-1].packets[-1]
        got = next(words.expr(i.expr) for i in packet.items if isinstance(i, ir.Let))
        report.check(f"'{source}' in words", got == want, got)
    with tempfile.TemporaryDirectory() as folder:
        packet = load.load([str(module(folder, IN_PACKET.replace("let x = HERE", f"e: u8 if {ASKED_ONCE}")))])[-1].packets[-1]
    got = next(words.expr(i.cond) for i in packet.items if isinstance(i, ir.Optional_))
    report.check(f"'{ASKED_ONCE}' in words", got == ASKED_ONCE, got)
    cited = {
        "RFC 1035 sections 3.1, 3.3 and 4.1.4.": ["1035#section-3.1", "1035#section-3.3", "1035#section-4.1.4"],
        "A. RFC 9112 sections 2.2, 3 and 5": ["9112#section-2.2", "9112#section-3", "9112#section-5"],
        "RFC 4034, and section 2 and 2 octets": ["4034", "4034#section-2"],
        "(RFC 5155 3.3) or RFC 1035": ["5155#section-3.3", "1035"],
        "section 4 alone": [],
        "RFC 5234 appendix B.1": ["5234#appendix-B.1"],
    }
    for text, targets in cited.items():
        got = re.findall(r'href="[^"]*/rfc(\d[^"]*)"', prose.paragraphs(text))
        report.check(f"'{text}' leads to its clauses", got == targets, str(got))
    report.check("a clause ends its paragraph", prose.paragraphs("One.  RFC 1 section 2\nTwo\nmore.").count("<p>") == 2)


def main() -> int:
    report = Report()
    check_drawings(report)
    check_diagram(report)
    check_abnf(report)
    check_railroad(report)
    check_words(report)
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
