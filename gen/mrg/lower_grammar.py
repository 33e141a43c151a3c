"""Grammars: references replaced by what they stand for, so no recursion."""

from __future__ import annotations

from typing import Callable, Iterator, Optional

from . import ast, ir
from .errors import Errors, Skip, meant
from .lower_put import read_alike, reading, writing
from .message_dfa import Conflict, dfa
from .put_dfa import put_dfa
from .reach import covered

_CORE: dict[str, list[tuple[int, int]]] = {
    "ALPHA": [(0x41, 0x5A), (0x61, 0x7A)],
    "BIT": [(0x30, 0x31)],
    "CHAR": [(0x01, 0x7F)],
    "CR": [(0x0D, 0x0D)],
    "CTL": [(0x00, 0x1F), (0x7F, 0x7F)],
    "DIGIT": [(0x30, 0x39)],
    "DQUOTE": [(0x22, 0x22)],
    "HEXDIG": [(0x30, 0x39), (0x41, 0x46), (0x61, 0x66)],
    "HTAB": [(0x09, 0x09)],
    "LF": [(0x0A, 0x0A)],
    "OCTET": [(0x00, 0xFF)],
    "SP": [(0x20, 0x20)],
    "VCHAR": [(0x21, 0x7E)],
    "WSP": [(0x09, 0x09), (0x20, 0x20)],
}
_CORE_FIRST = {"WSP": 0x20}  # what its rule in the RFC has first, if that is not the lowest
COUNT_MAX = 0xFFFFFFFF  # what is counted in C
REPEAT_MAX = 4096  # larger counted repetitions make automata too large


Symbols = Callable[[ast.Ident], Optional[object]]


def lower_grammar(d: ast.GrammarDecl, module: ir.Module, errors: Errors, symbol: Symbols) -> ir.Grammar:
    """symbol: what a name of the module stands for."""
    return _Grammar(d, errors, symbol).run(module)


class _Grammar:
    def __init__(self, d: ast.GrammarDecl, errors: Errors, symbol: Symbols) -> None:
        self.d = d
        self.errors = errors
        self.symbol = symbol
        self.for_others = not any(r.kind for r in d.rules)
        self.rules = {r.name.name: r for r in d.rules}
        self.done: dict[str, Optional[ir.Node]] = {}
        self.working: list[str] = []
        self.used: set[str] = set()

    def run(self, module: ir.Module) -> ir.Grammar:
        out = ir.Grammar(self.d.name.name, module, self.d.name.span.loc(), self.d.doc, [])
        for rule in self.d.rules:
            if rule.name.name in _CORE or rule.name.name == "CRLF":
                self.errors.error(rule.name.span, f"'{rule.name.name}' is one of RFC 5234's core rules")
                continue
            try:
                node = self.rule(rule)
            except Skip:
                continue
            if rule.kind:
                before = len(self.errors.found)
                read, written = reading(node), writing(node)
                lowered = ir.Rule(rule.name.name, rule.kind, rule.name.span.loc(), rule.doc, read, rule.max, rule.code)
                lowered.put = written if written is not read else None
                self.check_top(rule, read, lowered.put is not None)
                out.rules.append(lowered)
                if len(self.errors.found) == before:
                    self.check_automata(rule, lowered)
            else:
                out.parts[rule.name.name] = node if self.for_others else reading(node)
        if not self.d.rules:
            self.errors.error(self.d.name.span, f"grammar '{self.d.name.name}' has no rules")
        self.check_tokens([r for r in out.rules if r.kind == "token"])
        for rule in self.d.rules:
            if not rule.kind and not self.for_others and rule.name.name not in self.used and rule.name.name not in _CORE:
                self.errors.error(rule.name.span, f"rule '{rule.name.name}' is not used")
        return out

    def check_top(self, rule: ast.GRule, node: ir.Node, written: bool) -> None:
        names: list[str] = []
        for name, depth, outer in _captures(node, 0, ""):
            if rule.kind == "token":
                self.errors.error(rule.name.span, f"token '{rule.name.name}' captures '{name}'; only other kinds of rules capture")
            elif rule.kind in ("message", "value"):
                if outer:
                    self.errors.error(rule.name.span, f"capture '{name}' is inside capture '{outer}', which a {rule.kind} can't have")
            elif depth:
                self.errors.error(rule.name.span, f"capture '{name}' may repeat, so it would hold the last only; capture the whole repetition")
            elif name in names:
                self.errors.error(rule.name.span, f"'{name}' is captured twice in '{rule.name.name}'")
            names.append(name)
        if rule.kind == "token" and written:
            self.errors.error(rule.name.span, f"token '{rule.name.name}' says what is put in it; tokens are only read")
        if rule.kind == "token" and _may_be_empty(node):
            self.errors.error(rule.name.span, f"token '{rule.name.name}' may be empty, so the lexer might not get on")
        if rule.kind in ("token", "match") and any(isinstance(n, ir.Rep) and n.code is not None for n in walk(node)):
            self.errors.error(rule.name.span, f"{rule.kind} '{rule.name.name}' has a limit with 'else'; only 'message' and 'value' rules have them")

    def check_tokens(self, tokens: list[ir.Rule]) -> None:
        for i, token in enumerate(tokens):
            if covered(token.node, [t.node for t in tokens[:i]]):
                name = next(r.name for r in self.d.rules if r.name.name == token.name)
                self.errors.error(name.span, f"token '{token.name}' is never found: those before it take all that it does")

    def check_automata(self, rule: ast.GRule, lowered: ir.Rule) -> None:
        if rule.max is not None and rule.max > COUNT_MAX:
            self.errors.error(rule.name.span, f"{rule.kind} '{rule.name.name}': its octets go up to {COUNT_MAX}")
        try:
            if rule.kind in ("message", "value"):
                dfa(lowered)
        except Conflict as conflict:
            self.errors.error(rule.name.span, f"{rule.kind} '{rule.name.name}': {conflict}")
            return
        try:
            if lowered.put is not None:
                put_dfa(lowered)
        except Conflict as conflict:
            self.errors.error(rule.name.span, f"{rule.kind} '{rule.name.name}' can't be written: {conflict}")

    def rule(self, rule: ast.GRule) -> ir.Node:
        name = rule.name.name
        if name in self.done:
            node = self.done[name]
            if node is None:
                raise Skip()
            return node
        self.working.append(name)
        self.done[name] = None
        try:
            self.done[name] = self.node(rule.node)
        finally:
            self.working.pop()
        return self.rule(rule)

    def node(self, n: ast.GNode) -> ir.Node:
        method: Callable[[ast.GNode], ir.Node] = getattr(self, "_" + type(n).__name__.lower())
        return method(n)

    def _gtext(self, n: ast.GText) -> ir.Node:
        if not n.data:
            raise self.errors.error(n.span, "this text is empty")
        letters = any(chr(b).isalpha() for b in n.data if b < 128)
        return ir.Lit(n.span.loc(), n.data, n.nocase and letters)

    def _gchars(self, n: ast.GChars) -> ir.Node:
        return ir.Class(n.span.loc(), list(n.ranges))

    def _gref(self, n: ast.GRef) -> ir.Node:
        if n.grammar is not None:
            return self.part_of(n.grammar, n.name)
        name = n.name.name
        if name == "CRLF":
            return ir.Lit(n.span.loc(), b"\r\n", False)
        if name in _CORE:
            return ir.Class(n.span.loc(), list(_CORE[name]), _CORE_FIRST.get(name))
        rule = self.rules.get(name)
        if rule is None:
            raise self.errors.error(n.span, f"unknown rule '{name}'{meant(name, [*self.rules, *_CORE, 'CRLF'])}")
        if name in self.working:
            ring = self.working[self.working.index(name) :] + [name]
            raise self.errors.error(n.span, f"rule '{name}' is recursive, which a lexer can't follow: {' -> '.join(ring)}")
        if rule.kind:
            raise self.errors.error(n.span, f"'{name}' is a {rule.kind} rule; only plain rules can be used in others")
        self.used.add(name)
        return self.rule(rule)

    def part_of(self, grammar: ast.Ident, rule: ast.Ident) -> ir.Node:
        """A rule of another grammar."""
        other = self.symbol(grammar)
        if other is None:
            raise self.errors.error(grammar.span, f"unknown grammar '{grammar.name}'")
        if not isinstance(other, ir.Grammar):
            raise self.errors.error(grammar.span, f"'{grammar.name}' is not a grammar")
        if other.rules:
            raise self.errors.error(grammar.span, f"grammar '{grammar.name}' has tokens, matches, messages or values; only a grammar of plain rules lends them")
        node = other.parts.get(rule.name)
        if node is None:
            raise self.errors.error(rule.span, f"grammar '{grammar.name}' has no rule '{rule.name}'{meant(rule.name, other.parts)}")
        return node

    def _gseq(self, n: ast.GSeq) -> ir.Node:
        return ir.Seq(n.span.loc(), [self.node(x) for x in n.nodes])

    def _galt(self, n: ast.GAlt) -> ir.Node:
        """Alternatives of single characters are one class."""
        nodes = [self.node(x) for x in n.nodes]
        classes = [self.as_class(x) for x in nodes]
        if all(c is not None for c in classes):
            return ir.Class(n.span.loc(), _merge([r for c in classes if c is not None for r in c]), _first(nodes[0]))
        read = [reading(x) for x in nodes]
        for i, node in enumerate(read):
            if covered(node, read[:i]):
                self.errors.error(n.nodes[i].span, "this alternative is never taken: those before it take all that it does")
        return ir.Alt(n.span.loc(), nodes)

    def _grep(self, n: ast.GRep) -> ir.Node:
        if n.code is None and (n.max or n.min) > REPEAT_MAX:
            raise self.errors.error(n.span, f"a counted repetition goes up to {REPEAT_MAX}")
        if n.code is not None and (n.max or 0) > COUNT_MAX:
            raise self.errors.error(n.span, f"a limit goes up to {COUNT_MAX}")
        if n.max == 0:
            raise self.errors.error(n.span, "this repeats no times at all")
        node = self.node(n.node)
        if (n.max is None or n.code is not None) and _may_be_empty(node):
            raise self.errors.error(n.span, "what is repeated without bound, or counted, may be empty")
        return ir.Rep(n.span.loc(), node, n.min, n.max, n.code)

    def _gminus(self, n: ast.GMinus) -> ir.Node:
        whole = self.node(n.a)
        a, b = self.as_class(whole), self.as_class(self.node(n.b))
        if a is None or b is None:
            raise self.errors.error(n.span, "'-' is between single characters")
        left = [v for lo, hi in a for v in range(lo, hi + 1) if not any(x <= v <= y for x, y in b)]
        if not left:
            raise self.errors.error(n.span, "no character is left")
        return ir.Class(n.span.loc(), _merge([(v, v) for v in left]), _first(whole) if _first(whole) in left else None)

    def _gcapture(self, n: ast.GCapture) -> ir.Node:
        if not n.name.name.islower():
            self.errors.error(n.name.span, f"capture '{n.name.name}' must be in snake_case")
        node = self.node(n.node)
        if any(isinstance(x, ir.Put) for x in walk(node)):
            self.errors.error(n.span, "'put' is inside a capture, whose text is written as it is given")
        return ir.Capture(n.span.loc(), n.name.name, reading(node))

    def _gput(self, n: ast.GPut) -> ir.Node:
        put = ir.Put(n.span.loc(), self.node(n.read), self.node(n.written))
        if not read_alike(put):
            raise self.errors.error(n.written.span, "this can't be put: not all of it is read, with the same captures, by what is before 'put'")
        return put

    @staticmethod
    def as_class(node: ir.Node) -> Optional[list[tuple[int, int]]]:
        """A node that is one character, as ranges."""
        if isinstance(node, ir.Class):
            return node.ranges
        if isinstance(node, ir.Lit) and len(node.data) == 1:
            c = node.data[0]
            both = {c, ord(chr(c).swapcase())} if node.nocase else {c}
            return sorted((v, v) for v in both)
        return None


def _merge(ranges: list[tuple[int, int]]) -> list[tuple[int, int]]:
    out: list[tuple[int, int]] = []
    for lo, hi in sorted(ranges):
        if out and lo <= out[-1][1] + 1:
            out[-1] = (out[-1][0], max(out[-1][1], hi))
        else:
            out.append((lo, hi))
    return out


def _first(node: ir.Node) -> int:
    """The one of a class that is written."""
    if isinstance(node, ir.Class):
        return node.first if node.first is not None else node.ranges[0][0]
    assert isinstance(node, ir.Lit)
    return node.data[0]


def _may_be_empty(node: ir.Node) -> bool:
    node = reading(node)
    if isinstance(node, ir.Seq):
        return all(_may_be_empty(n) for n in node.nodes)
    if isinstance(node, ir.Alt):
        return any(_may_be_empty(n) for n in node.nodes)
    if isinstance(node, ir.Rep):
        return node.min == 0 or _may_be_empty(node.node)
    return isinstance(node, ir.Capture) and _may_be_empty(node.node)


def _captures(node: ir.Node, depth: int, outer: str) -> Iterator[tuple[str, int, str]]:
    """Captures under a node, with how many repetitions they are in, and the capture around them."""
    if isinstance(node, ir.Capture):
        yield node.name, depth, outer
        yield from _captures(node.node, depth, node.name)
    elif isinstance(node, (ir.Seq, ir.Alt)):
        for n in node.nodes:
            yield from _captures(n, depth, outer)
    elif isinstance(node, ir.Rep):
        yield from _captures(node.node, depth + (node.max != 1), outer)


def walk(node: ir.Node) -> Iterator[ir.Node]:
    """A node and all below it."""
    yield node
    if isinstance(node, (ir.Seq, ir.Alt)):
        for n in node.nodes:
            yield from walk(n)
    elif isinstance(node, (ir.Rep, ir.Capture)):
        yield from walk(node.node)
    elif isinstance(node, ir.Put):
        yield from walk(node.read)
        yield from walk(node.written)
