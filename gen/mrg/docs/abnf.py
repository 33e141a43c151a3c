"""Rules of a grammar as ABNF (RFC 5234, RFC 7405), as they are written: with the names of the rules that they use.

ABNF has no captures: what a rule captures becomes a rule of that name behind
it.  It has no subtraction either, which is written in words (`<VCHAR except
";">`), and neither limits nor `put`, which become comments.  Its names ignore case and have
`-` where ours have `_`; where two would be the same, one is told apart by what it is.
"""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass, field
from typing import Callable

from .. import ast

CORE = "ALPHA BIT CHAR CR CRLF CTL DIGIT DQUOTE HEXDIG HTAB LF OCTET SP VCHAR WSP".split()
COLUMNS = 76

_ALTERNATION, _CONCATENATION, _ELEMENT = range(3)


@dataclass
class Definition:
    """`name = text`, with remarks."""

    name: str
    text: str
    notes: list[str] = field(default_factory=list)


def grammar(d: ast.GrammarDecl) -> dict[str, list[Definition]]:
    """For each rule of a grammar, by name: its definition, then those of its captures."""
    writer = _Writer(d)
    return {r.name.name: writer.rule(r) for r in d.rules}


def text(definitions: list[Definition], widest: int = 0) -> str:
    """Lines of ABNF, each ended."""
    widest = max([widest, *(len(d.name) for d in definitions)])
    return "".join(_lines(d, widest) for d in definitions)


def _lines(d: Definition, widest: int) -> str:
    out = [f"{d.name:<{widest}} ="]
    for word in re.findall(r'(?:"[^"]*"|<[^>]*>|[^\s"<])+', d.text):
        if len(out[-1]) + 1 + len(word) > COLUMNS:
            out.append(" " * (widest + 4))
        out[-1] += f" {word}"
    if len(out) == len(d.notes) == 1 and len(out[0]) + 3 + len(d.notes[0]) <= COLUMNS:
        return f"{out[0]} ; {d.notes[0]}\n"
    margin = " " * (widest + 3) + "; "
    for note in d.notes:
        out += textwrap.wrap(note, COLUMNS, initial_indent=margin, subsequent_indent=margin + "  ", break_long_words=False, break_on_hyphens=False)
    return "".join(line + "\n" for line in out)


class _Writer:
    """Names given so far, and the rule that is being written."""

    def __init__(self, d: ast.GrammarDecl) -> None:
        self.taken: dict[str, str] = {name.lower(): "" for name in CORE}  # in lower case: to what a capture of the name is
        self.names: dict[str, str] = {name: name for name in CORE}
        for rule in sorted(d.rules, key=lambda r: not r.kind):  # parts give way
            self.names[rule.name.name] = self.free(_mangled(rule.name.name), rule.kind or "rule")[0]
        self.at = ""  # the rule being written
        self.found: list[Definition] = []  # its captures
        self.notes: list[list[str]] = []  # the limits of what is being written, outermost first
        self.whole: list[list[str]] = []  # likewise the rules that are captured as a whole

    def free(self, name: str, what: str, text: str = "") -> tuple[str, bool]:
        """A name that nothing has yet, and True; or one that a capture of the same text has."""
        tries = (name, f"{name}-{what}", *(f"{name}-{what}-{n}" for n in range(2, len(self.taken) + 3)))
        one = next(t for t in tries if t.lower() not in self.taken or text and self.taken[t.lower()] == text)
        new = one.lower() not in self.taken
        self.taken[one.lower()] = text
        return one, new

    def rule(self, r: ast.GRule) -> list[Definition]:
        self.at, self.found = self.names[r.name.name], []
        limits: list[str] = []
        if r.max is not None:
            limits.append(f"at most {r.max} octets" + (f", else {r.code}" if r.code is not None else ""))
        node = r.node
        if isinstance(node, ast.GCapture) and node.name.name == r.name.name:  # the rule is what it captures
            node, limits = node.node, [*limits, "captured"]
        text, notes = self.defined(node)
        return [Definition(self.at, text, limits + notes), *self.found]

    def defined(self, n: ast.GNode) -> tuple[str, list[str]]:
        self.notes.append([])
        self.whole.append([])
        text = self.node(n, _ALTERNATION)
        captured = list(dict.fromkeys(self.whole.pop()))
        return text, list(dict.fromkeys(self.notes.pop())) + ([f"captured: {', '.join(captured)}"] if captured else [])

    def node(self, n: ast.GNode, around: int) -> str:
        """A node; in parentheses where what is around it binds tighter."""
        text, binds = self.write(n)
        return f"({text})" if binds < around else text

    def write(self, n: ast.GNode) -> tuple[str, int]:
        """A node, and how tight it binds."""
        writer: Callable[[ast.GNode], tuple[str, int]] = getattr(self, "_" + type(n).__name__.lower())
        return writer(n)

    def _galt(self, n: ast.GAlt) -> tuple[str, int]:
        return " / ".join(self.node(x, _CONCATENATION) for x in n.nodes), _ALTERNATION

    def _gseq(self, n: ast.GSeq) -> tuple[str, int]:
        return " ".join(self.node(x, _ELEMENT) for x in n.nodes), _CONCATENATION

    def _gref(self, n: ast.GRef) -> tuple[str, int]:
        return self.names[n.name.name] if n.grammar is None else f"<{n.grammar.name}.{n.name.name}>", _ELEMENT

    def _gtext(self, n: ast.GText) -> tuple[str, int]:
        runs = re.findall(r'[ !#-~]+|[^ !#-~]+', n.data.decode("latin-1"))
        parts = [_quoted(run, n.nocase) if " " <= run[0] <= "~" and run[0] != '"' else _codes(run) for run in runs]
        return " ".join(parts), _ELEMENT if len(parts) == 1 else _CONCATENATION

    def _gchars(self, n: ast.GChars) -> tuple[str, int]:
        return " / ".join(chars(lo, hi) for lo, hi in n.ranges), _ELEMENT if len(n.ranges) == 1 else _ALTERNATION

    def _grep(self, n: ast.GRep) -> tuple[str, int]:
        if (n.min, n.max) == (0, 1) and n.code is None:
            return f"[{self.node(n.node, _ALTERNATION)}]", _ELEMENT
        inner = self.node(n.node, _ELEMENT)
        if n.code is not None:
            self.notes[-1].append(f"more than {n.max} {inner}: {n.code}")
        if isinstance(n.node, ast.GRep) and not inner.startswith("["):
            inner = f"({inner})"
        return times(n.min, n.max) + inner, _ELEMENT

    def _gminus(self, n: ast.GMinus) -> tuple[str, int]:
        left, right = (self.node(x, _ELEMENT).replace('">"', "%x3E") for x in (n.a, n.b))
        return f"<{left.strip('<>')} except {right}>", _ELEMENT

    def _gput(self, n: ast.GPut) -> tuple[str, int]:
        written = self.node(n.written, _ELEMENT)
        self.notes[-1].append(f"writing: {written} for {self.node(n.read, _ELEMENT)}")
        return self.write(n.read)

    def _gcapture(self, n: ast.GCapture) -> tuple[str, int]:
        place = len(self.found)
        text, notes = self.defined(n.node)
        name = _mangled(n.name.name)
        if isinstance(n.node, ast.GRef) and n.node.grammar is None and n.node.name.name == n.name.name:
            self.whole[-1].append(text)
            return text, _ELEMENT
        name, new = self.free(name, self.at, "\n".join([text, *notes]))
        if new:
            self.found.insert(place, Definition(name, text, ["captured", *notes]))
        return name, _ELEMENT


def _mangled(name: str) -> str:
    return name.strip("_").replace("_", "-") or "rule"


def _quoted(text: str, nocase: bool) -> str:
    return f'"{text}"' if nocase or text.lower() == text.upper() else f'%s"{text}"'


def _codes(text: str) -> str:
    return "%x" + ".".join(f"{ord(c):02X}" for c in text)


def chars(lo: int, hi: int) -> str:
    """One character or a range of them."""
    return f"%x{lo:02X}" if lo == hi else f"%x{lo:02X}-{hi:02X}"


def times(least: int, most: int | None) -> str:
    """The sign of a repetition."""
    if least == most:
        return str(least)
    return f"{least or ''}*{'' if most is None else most}"
