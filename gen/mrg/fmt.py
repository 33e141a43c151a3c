"""`mrg fmt`: the canonical form of a file.

The tree says where lines break and in which order clauses stand; the tokens of
each piece are put together again with canonical blanks.  Items that share a
line keep doing so while they fit; one blank line between items is kept.
Comments stay before the item, or after it on its line; formatting twice
changes nothing more.

Reading order: format_text, Printer.items, Printer.item, Spacer.
"""

from __future__ import annotations

from typing import Callable, Optional, Sequence, Union

from . import ast
from .errors import Errors
from .fmt_space import Spacer, wrap
from .lexer import lex
from .parser import Parser
from .source import Source, Span

WIDTH = 130
_ORDER: list[tuple[type, str]] = [
    (ast.Constraint, "="), (ast.Constraint, "!="), (ast.Constraint, "in"), (ast.Computed, ""), (ast.Present, ""),
    (ast.Within, ""), (ast.Key, "unique"), (ast.Key, "ascending"), (ast.Flag, "nocase"), (ast.Flag, "flat"), (ast.Text, ""),
]  # fmt: skip

Printed = Union[ast.Item, ast.Decl, ast.Member, ast.SwitchArm, ast.ChainArmItem, ast.GRule, ast.MItem, ast.MHandler, ast.Import]


def format_file(path: str) -> tuple[str, str]:
    """A file's text, before and after.  Raises errors.Failed."""
    with open(path, encoding="utf-8") as f:
        text = f.read()
    return text, format_text(text, path)


def format_text(text: str, path: str = "<text>") -> str:
    errors = Errors()
    tokens = lex(Source(path, text), errors)
    tree = Parser(tokens, errors).file()
    errors.stop_if_any()
    assert tree is not None
    return Printer(Spacer(tokens)).file(tree)


class Printer:
    """Every method gives lines without their indentation."""

    def __init__(self, spacer: Spacer) -> None:
        self.spacer = spacer
        self.code = spacer.code
        self.text = spacer.source.text
        self.comments = spacer.comments
        self.at = 0  # the next comment not yet printed
        self.widest = 0  # of the names of a chain's arms
        self.widths: dict[str, int] = {}  # of the names of a grammar's rules, by kind

    def file(self, tree: ast.File) -> str:
        first = self.spacer.first
        lines = self.before(first)
        end = self.spacer.end_of_line(tree.name.span.end)
        endian = f" endian {tree.endian}" if "endian" in self.text[tree.name.span.end : end] else ""
        head = doc_lines(tree.doc) + [f"module {tree.name.name}{endian};"]
        head[-1] += self.trailing(end)
        lines += head
        rest: list[Printed] = sorted([*tree.imports, *tree.decls], key=lambda x: x.span.start)
        body = self.items(rest, len(self.text), after=end, join=False)
        return "\n".join(lines + body) + "\n"

    # --- comments -----------------------------------------------------------------

    def before(self, pos: int) -> list[str]:
        """Comments that stand before `pos` and were not printed yet."""
        out: list[str] = []
        last = -1
        while self.at < len(self.comments) and self.comments[self.at].start < pos:
            comment = self.comments[self.at]
            if last >= 0 and self.text.count("\n", last, comment.start) > 1:
                out.append("")
            out.append(comment.text)
            last = comment.end
            self.at += 1
        if last >= 0 and self.text.count("\n", last, max(last, self.spacer.doc_start(pos))) > 1:
            out.append("")
        return out

    def trailing(self, end: int) -> str:
        """A comment on the line where something ended."""
        if self.at < len(self.comments):
            comment = self.comments[self.at]
            if comment.start >= end and "\n" not in self.text[end : comment.start] and not self.text[end : comment.start].strip(" \t;"):
                self.at += 1
                return "   " + comment.text
        return ""

    def has_comment(self, span: Span) -> bool:
        return any(span.start <= c.start < span.end for c in self.comments[self.at :])

    # --- sequences -----------------------------------------------------------------

    def items(self, items: Sequence[Printed], end: int, after: int = -1, sep: str = "  ", join: bool = True) -> list[str]:
        """Items one a line, or (join) on one line where they were and fit."""
        out: list[str] = []
        for item in items:
            start = self.spacer.doc_start(item.span.start)
            if after >= 0 and self.text.count("\n", after, self.first_after(after, start)) > 1:
                out.append("")
            same_line = join and bool(out) and after >= 0 and "\n" not in self.text[after:start] and "//" not in out[-1]
            comments = self.before(item.span.start)
            lines = doc_lines(getattr(item, "doc", "")) + self.item(item)
            after = self.spacer.end_of_statement(item.span.end)
            late = self.before(after)
            note = self.trailing(after)
            if same_line and len(lines) == 1 and not comments + late and len(out[-1] + sep + lines[0]) <= WIDTH - 20:
                out[-1] += sep + lines[0] + note
                continue
            lines[-1] += note
            out += comments + late + lines
        rest = self.before(end)
        if rest and after >= 0 and self.text.count("\n", after, self.comments[self.at - len([r for r in rest if r])].start) > 1:
            out.append("")
        out += rest
        while out and not out[-1]:
            out.pop()
        return out

    def first_after(self, after: int, start: int) -> int:
        """Where the next thing begins, comments included."""
        if self.at < len(self.comments) and after <= self.comments[self.at].start < start:
            return self.comments[self.at].start
        return start

    def block(self, head: str, items: Sequence[Printed], where: Span, tail: str, join: bool = False) -> list[str]:
        """`head { items } tail`, on one line where it was and fits."""
        start, end = self.spacer.braces(where)
        if not items and not self.has_comment(Span(where.source, start, end)):
            return [f"{head} {{ }}{tail}"]
        inside = Span(where.source, start, end)
        one_line = "\n" not in self.text[start:end] and "///" not in self.text[start:end] and not isinstance(items[0], ast.GRule)
        if one_line and not self.has_comment(inside):
            lines = self.items(items, end, sep=" ")
            flat = f"{head} {{ {' '.join(lines)} }}{tail}"
            if len(flat) <= WIDTH - 12 and all("{" not in line or "}" in line for line in lines):
                return [flat]
            return [f"{head} {{", *indent(self.items(items, end, join=False)), "}" + tail]
        return [f"{head} {{", *indent(self.items(items, end, join=join)), "}" + tail]

    # --- one thing --------------------------------------------------------------------

    def item(self, item: Printed) -> list[str]:
        methods: dict[type, Callable[..., list[str]]] = {
            ast.Field: self.field,
            ast.Group: self.group,
            ast.ChainItem: self.chain,
            ast.ChainArmItem: self.chain_arm,
            ast.SwitchArm: self.arm,
            ast.PacketDecl: self.packet,
            ast.EnumDecl: self.enum,
            ast.GrammarDecl: self.grammar,
            ast.MachineDecl: self.machine,
            ast.MState: self.state,
            ast.MAlways: self.always,
            ast.TypeDecl: self.typedecl,
            ast.Import: self.imported,
            ast.GRule: self.rule,
        }
        method = methods.get(type(item))
        if method is not None:
            return method(item)
        return wrap(self.code(item.span).removesuffix(";") + ";", WIDTH)

    def imported(self, i: ast.Import) -> list[str]:
        names = f" ({', '.join(n.name for n in i.names)})" if i.names is not None else ""
        return wrap(f"import {i.module.name}{names};", WIDTH)

    def field(self, f: ast.Field) -> list[str]:
        return self.typed(f"{f.name.name}:", f.type, self.clauses(f.clauses) + ";")

    def typedecl(self, d: ast.TypeDecl) -> list[str]:
        return self.typed(f"type {d.name.name} =", d.type, self.clauses(d.clauses) + ";")

    def arm(self, a: ast.SwitchArm) -> list[str]:
        patterns = ", ".join(self.code(p.span) for p in a.patterns) or "_"
        name = f"{a.name.name}: " if a.name is not None else ""
        return self.typed(f"{patterns} => {name}".rstrip(), a.type, self.clauses(a.clauses) + ";")

    def typed(self, head: str, t: ast.Type, tail: str) -> list[str]:
        """`head type tail`, types with bodies in blocks."""
        if isinstance(t, ast.InlineType):
            return self.block(head, t.items, t.span, tail, join=True)
        if isinstance(t, ast.SwitchType):
            return self.block(f"{head} switch {self.code(t.on.span)}", t.arms, Span(t.span.source, t.on.span.end, t.span.end), tail)
        if isinstance(t, ast.ListType) and isinstance(t.elem, ast.InlineType):
            after = self.code(Span(t.span.source, t.elem.span.end, t.span.end))
            return self.block(f"{head} list", t.elem.items, t.elem.span, f" {after}{tail}", join=True)
        return wrap(f"{head} {self.code(t.span)}{tail}", WIDTH)

    def clauses(self, clauses: Sequence[ast.Clause]) -> str:
        """Clauses in their order, each after a blank."""

        def rank(c: ast.Clause) -> int:
            word = getattr(c, "op", getattr(c, "word", ""))
            return next(i for i, (kind, w) in enumerate(_ORDER) if isinstance(c, kind) and w in ("", word))

        return "".join(" " + self.code(c.span) for c in sorted(clauses, key=rank))

    def group(self, g: ast.Group) -> list[str]:
        head = f"if {self.code(g.cond.span)}"
        first = Span(g.span.source, g.cond.span.end, g.span.end)
        lines = self.block(head, g.items, first, "", join=True)
        if not g.otherwise:
            return lines
        _, closed = self.spacer.braces(first)
        more = self.block("else", g.otherwise, Span(g.span.source, closed + 1, g.span.end), "", join=True)
        return lines[:-1] + [f"{lines[-1]} {more[0]}"] + more[1:]

    def chain(self, c: ast.ChainItem) -> list[str]:
        text = f" {self.code(c.text.span)}" if c.text is not None else ""
        head = f"chain {c.name.name} max {self.code(c.max.span)}{text}"
        after = c.text.span.end if c.text is not None else c.max.span.end
        self.widest = max((len(a.name.name) for a in c.arms), default=0)
        return self.block(head, c.arms, Span(c.span.source, after, c.span.end), "")

    def chain_arm(self, a: ast.ChainArmItem) -> list[str]:
        tail = " stop" if a.stop else f" {self.code(a.goto.span)}" if a.goto is not None else ""
        return self.block(a.name.name.ljust(self.widest), a.items, a.span, tail, join=True)

    # --- declarations -----------------------------------------------------------------

    def packet(self, d: ast.PacketDecl) -> list[str]:
        params = ", ".join(self.code(p.span) for p in d.params)
        head = f"packet {d.name.name}" + (f"({params})" if d.params else "")
        head += f" max {self.code(d.max.span)}" if d.max is not None else ""
        head += " shared" if d.shared else ""
        head += " mutable" if d.mutable else ""
        head += f" endian {d.endian}" if d.endian is not None else ""
        if d.order is not None:
            head += f" text ({', '.join(n.name for n in d.order)})"
        head += f" {self.code(d.text.span)}" if d.text is not None else ""
        return self.block(head, d.items, self.body_of(d), "", join=True)

    def body_of(self, d: Union[ast.PacketDecl, ast.EnumDecl, ast.GrammarDecl, ast.MachineDecl, ast.MState]) -> Span:
        """The declaration from its body's brace on: no `{` comes before in a header."""
        return Span(d.span.source, d.name.span.end, d.span.end)

    def enum(self, d: ast.EnumDecl) -> list[str]:
        head = f"enum {d.name.name} : {self.code(d.type.span)}" + (" closed" if d.closed else "")
        if d.unknown:
            head += f" unknown {self.spacer.string_after(d.type.span.end)}"
        head += {"": "", "exact": " words", "nocase": " words nocase"}[d.words]
        return self.block(head, d.members, self.body_of(d), "", join=True)

    def grammar(self, d: ast.GrammarDecl) -> list[str]:
        kinds = ("", "token", "match", "message", "value")
        self.widths = {k: max((len(r.name.name) for r in d.rules if r.kind == k), default=0) for k in kinds}
        return self.block(f"grammar {d.name.name}", d.rules, self.body_of(d), "")

    def machine(self, d: ast.MachineDecl) -> list[str]:
        return self.block(f"machine {d.name.name}", d.items, self.body_of(d), "")

    def state(self, s: ast.MState) -> list[str]:
        head = s.name.name + (" start" if s.start else "") + (" final" if s.final else "") + (f" runs {s.runs.name}" if s.runs is not None else "")
        return self.block(head, s.handlers, self.body_of(s), "")

    def always(self, a: ast.MAlways) -> list[str]:
        return self.block("always", a.handlers, a.span, "")

    def rule(self, r: ast.GRule) -> list[str]:
        limit = f" max {r.max}" + (f" else {r.code}" if r.code is not None else "") if r.max is not None else ""
        head = f"{r.kind} {(r.name.name + limit).ljust(self.widths[r.kind])} = ".lstrip()
        return wrap(head + self.code(self.spacer.after(r.span, "="), grammar=True).removesuffix(";") + ";", WIDTH, anywhere=True)


def doc_lines(doc: Optional[str]) -> list[str]:
    if not doc:
        return []
    return [f"/// {line}".rstrip() for line in doc.split("\n")]


def indent(lines: Sequence[str]) -> list[str]:
    return ["  " + line if line else "" for line in lines]
