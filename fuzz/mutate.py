"""Mutants of a file of C: small changes of its tokens, each of which a test should notice.

Comments, texts and lines of the preprocessor are no tokens; what is outside of functions stays.  Reading order: mutants, tokens_of, OPERATORS.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Callable, Iterator

TOKEN = re.compile(
    r"""(?P<skip>\s+|/\*.*?\*/|//[^\n]*|^[ \t]*\#(?:[^\\\n]|\\.)*)
      |(?P<text>L?"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')
      |(?P<number>(?:0[xX][0-9a-fA-F]+|\d+)[uUlL]*)
      |(?P<word>[A-Za-z_]\w*)
      |(?P<sign><<=|>>=|\.\.\.|->|\+\+|--|<<|>>|<=|>=|==|!=|&&|\|\||[-+*/%&|^]=|[^\s\w])""", re.X | re.S | re.M)

RELATIONS = {"<": "<=", "<=": "<", ">": ">=", ">=": ">", "==": "!=", "!=": "=="}
SIGNS = {"+": "-", "-": "+", "+=": "-=", "-=": "+=", "++": "--", "--": "++", "<<": ">>", ">>": "<<", "&": "|", "|": "&"}
LOGIC = {"&&": "||", "||": "&&"}
TYPES = {"const", "static", "struct", "enum", "union", "unsigned", "signed", "int", "char", "bool", "void", "long", "short", "size_t", "extern"}
KEPT = {"return", "goto", "case", "default", "if", "else", "while", "for", "do", "switch", "break", "continue"}


@dataclass(frozen=True)
class Token:
    kind: str
    text: str
    start: int

    @property
    def end(self) -> int:
        return self.start + len(self.text)


@dataclass(frozen=True)
class Mutant:
    operator: str
    function: str
    start: int
    end: int
    instead: str
    line: int
    before: str  # the whole line
    after: str

    def apply(self, text: str) -> str:
        return text[: self.start] + self.instead + text[self.end :]


@dataclass(frozen=True)
class Function:
    name: str
    gives: str  # its type
    tokens: list[Token]  # from { to }


def tokens_of(text: str) -> list[Token]:
    return [Token(m.lastgroup or "", m[0], m.start()) for m in TOKEN.finditer(text) if m.lastgroup != "skip"]


def functions(tokens: list[Token]) -> Iterator[Function]:
    """Bodies at the outermost level that stand behind a list of parameters."""
    head = at = 0
    while at < len(tokens):
        t = tokens[at]
        if t.text == ";":
            head = at + 1
        if t.text != "{":
            at += 1
            continue
        end = closing(tokens, at)
        opens = [k for k in range(head, at) if tokens[k].text == "("]
        # A macro around a name, as MRG_FOR(name)(...), stands before the parameters; a table has an = there.
        words = [k for k in range(head, opens[-1] if opens else head) if tokens[k].kind == "word"]
        if words and tokens[at - 1].text == ")" and not any(tokens[k].text == "=" for k in range(head, at)):
            first = next(k for k in opens if k > head)
            name = tokens[first + 1] if tokens[first - 1].text.isupper() and tokens[first + 2].text == ")" else tokens[first - 1]
            gives = " ".join(x.text for x in tokens[head : first - 1] if x.text not in ("static", "inline", "MRG_MUST_USE"))
            yield Function(name.text, gives, tokens[at : end + 1])
        at = head = end + 1


def closing(tokens: list[Token], at: int) -> int:
    """Where what opens at a token is closed."""
    pairs = {"{": "}", "(": ")", "[": "]"}
    close, depth = pairs[tokens[at].text], 0
    for k in range(at, len(tokens)):
        depth += (tokens[k].text == tokens[at].text) - (tokens[k].text == close)
        if depth == 0:
            return k
    raise ValueError(f"nothing closes what opens at octet {tokens[at].start}")


Change = tuple[int, int, str]  # of the text from one place to another: what is there instead


def binary(ts: list[Token], i: int) -> bool:
    """There is an operand on the left."""
    return i > 0 and (ts[i - 1].kind in ("word", "number") and ts[i - 1].text not in KEPT or ts[i - 1].text in (")", "]"))


def cast(ts: list[Token], i: int) -> bool:
    """What is closed before the sign is the name of a type: (uint32_t)-1, (size_t)&x."""
    return ts[i - 1].text == ")" and ts[i - 2].kind == "word" and (ts[i - 2].text in TYPES or ts[i - 2].text.endswith("_t"))


def of_table(table: dict[str, str]) -> Callable[[Function], Iterator[Change]]:
    def changes(f: Function) -> Iterator[Change]:
        for i, t in enumerate(f.tokens):
            if t.kind != "sign" or t.text not in table:
                continue
            if t.text in ("++", "--") or binary(f.tokens, i) and not cast(f.tokens, i):
                yield t.start, t.end, table[t.text]
    return changes


def constants(f: Function) -> Iterator[Change]:
    for i, t in enumerate(f.tokens):
        # How long an array is, which case it is and which place a rejection names are no numbers to calculate with.
        if t.kind != "number" or f.tokens[i - 1].text in ("[", "case") or in_call(f.tokens, i, "MRG_SITE"):
            continue
        digits = t.text.rstrip("uUlL")
        value, suffix = int(digits, 0), t.text[len(digits) :]
        form = "#x" if digits[:2].lower() == "0x" else "d"
        yield t.start, t.end, format(value + 1, form) + suffix
        if value > 0:
            yield t.start, t.end, format(value - 1, form) + suffix


def in_call(ts: list[Token], i: int, name: str) -> bool:
    return any(ts[k].text == name and closing(ts, k + 1) > i for k in range(max(0, i - 4), i))


def conditions(f: Function) -> Iterator[Change]:
    for i, t in enumerate(f.tokens[:-1]):
        if t.text in ("if", "while") and f.tokens[i + 1].text == "(":
            start = f.tokens[i + 1].end
            yield start, start, "!("  # mutant() closes it


def statements(f: Function) -> Iterator[Change]:
    for i, t in enumerate(f.tokens[:-1]):
        if i == 0 or t.kind != "word" and t.text not in ("++", "--", "*") or t.text in TYPES | KEPT or t.text.endswith("_t"):
            continue
        if f.tokens[i - 1].text not in ("{", "}", ";", ":", ")", "else") or f.tokens[i - 1].text == ")" and not controls(f.tokens, i - 1):
            continue
        if f.tokens[i - 1].text == ":" and f.tokens[i + 1].text in (":", "}") or f.tokens[i + 1].text == ":" or t.text == "(void)":
            continue
        if f.tokens[i + 1].kind == "word" or t.text == "*" and f.tokens[i - 1].text == ")":
            continue
        depth = 0
        for k in range(i, len(f.tokens)):
            depth += (f.tokens[k].text in "([{") - (f.tokens[k].text in ")]}")
            if depth < 0:
                break
            if depth == 0 and f.tokens[k].text == ";":
                yield t.start, f.tokens[k].start, ""
                break


def controls(ts: list[Token], close: int) -> bool:
    """A ) that ends the head of an if, a for or a while."""
    depth = 0
    for k in range(close, -1, -1):
        depth += (ts[k].text == ")") - (ts[k].text == "(")
        if depth == 0:
            return k > 0 and ts[k - 1].text in ("if", "for", "while")
    return False


def returns(f: Function) -> Iterator[Change]:
    for i, t in enumerate(f.tokens):
        if t.text != "return" or f.tokens[i + 1].text == ";":
            continue
        end = next(k for k in range(i, len(f.tokens)) if f.tokens[k].text == ";")
        start, stop = f.tokens[i + 1].start, f.tokens[end].start
        first, only = f.tokens[i + 1].text, end == i + 2
        if f.gives == "bool":
            yield (start, stop, "false" if first == "true" else "true") if only and first in ("true", "false") else (start, start, "!(")
        elif f.gives == "enum mrg_status":
            yield start, stop, "MRG_E_VALUE" if only and first == "MRG_OK" else "MRG_OK"
        elif "*" in f.gives:
            if not (only and first == "NULL"):
                yield start, stop, "NULL"
        elif not f.gives.startswith("struct") and first != "(struct":
            yield start, start, "1 + ("


OPERATORS: dict[str, Callable[[Function], Iterator[Change]]] = {
    "relation": of_table(RELATIONS), "sign": of_table(SIGNS), "logic": of_table(LOGIC), "constant": constants, "condition": conditions,
    "statement": statements, "return": returns,
}  # fmt: skip


def mutants(text: str) -> list[Mutant]:
    """All of a file, in order."""
    out = []
    tokens = tokens_of(text)
    for f in functions(tokens):
        for operator, changes in OPERATORS.items():
            for start, end, instead in changes(f):
                out.append(mutant(text, tokens, f, operator, start, end, instead))
    return sorted(out, key=lambda m: (m.start, m.end, m.instead))


def mutant(text: str, tokens: list[Token], f: Function, operator: str, start: int, end: int, instead: str) -> Mutant:
    if instead.endswith("(") and start == end:  # to be closed where the condition, or the value, ends
        k = next(k for k, t in enumerate(f.tokens) if t.start >= start)
        depth = 0
        while depth >= 0 and not (depth == 0 and f.tokens[k].text == ";"):
            depth += (f.tokens[k].text in "([{") - (f.tokens[k].text in ")]}")
            k += 1
        end = f.tokens[k - 1 if depth < 0 else k].start
        instead += text[start:end] + ")"
    first, last = text.rfind("\n", 0, start) + 1, text.find("\n", end)
    before = text[first:last]
    after = text[first:start] + instead + text[end:last]
    return Mutant(operator, f.name, start, end, instead, text.count("\n", 0, start) + 1, one_line(before), one_line(after))


def one_line(text: str) -> str:
    return " ".join(text.split())
