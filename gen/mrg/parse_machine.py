"""The body of `machine`: what comes in, what goes out, states and what each does."""

from __future__ import annotations

from typing import Optional

from . import ast
from .parse_base import shown
from .parse_grammar import GrammarParser

EVENTS = ("rx", "user", "timer")
DEEDS = ("tx", "action", "test")


class MachineParser(GrammarParser):
    runs = False  # the state whose body is read runs another machine

    def machine_item(self) -> ast.MItem:
        doc = self.doc()
        start = self.tok.start
        if self.is_word(*EVENTS, *DEEDS) and self.peek().kind == "id":
            return self._signature(doc, start)
        if self.is_word("var") and self.peek().kind == "id":
            return self._var(doc, start)
        if self.is_word("always") and self.peek().kind == "{":
            self.next()
            self.runs = False
            handlers = self.braces("what is always done", self._handler)
            return ast.MAlways(self.since(start), doc, handlers)
        if self.take_word("never"):
            return self._never(doc, start)
        return self._state(doc, start)

    def _signature(self, doc: str, start: int) -> ast.MItem:
        """`rx name(params);`, `test name(params) on event;`"""
        kind = self.next().text
        name = self.ident(f"the name of the {kind}")
        params = self.params() if self.tok.kind == "(" else ()
        of = self.ident("the event that it looks at") if kind in DEEDS and self.take_word("on") else None
        self.semicolon(f"{kind} '{name.name}'")
        if kind in EVENTS:
            return ast.MEvent(self.since(start), doc, kind, name, params)
        return ast.MDeed(self.since(start), doc, kind, name, params, of)

    def _var(self, doc: str, start: int) -> ast.MItem:
        self.next()
        param = self.param()
        first = self.expr() if self.take("=") else None
        self.semicolon(f"variable '{param.name.name}'")
        return ast.MVar(self.since(start), doc, param, first)

    def _never(self, doc: str, start: int) -> ast.MItem:
        """`never deed in State, State;` or `never (expression) in State;`"""
        cond: Optional[ast.Expr] = None
        deed: Optional[ast.Ident] = None
        if self.tok.kind == "(":
            cond = self.expr(False)
        else:
            deed = self.ident("a tx, an action, or '(' and an expression")
        states = self._idents("a state") if self.take_word("in") else ()
        self.semicolon("'never'")
        return ast.MNever(self.since(start), doc, deed, cond, states)

    def _state(self, doc: str, start: int) -> ast.MItem:
        name = self.ident("a state, or 'rx', 'user', 'timer', 'tx', 'action', 'test', 'var', 'always', 'never'")
        marks: set[str] = set()
        while (mark := self.take_word("start", "final")) is not None:
            marks.add(mark.text)
        runs = self.ident("the machine that runs in it") if self.take_word("runs") else None
        self.runs = runs is not None
        if self.tok.kind != "{":
            raise self.errors.error(self.span(), f"expected '{{' before what state '{name.name}' does, found {shown(self.tok)}")
        handlers = self.braces(f"what state '{name.name}' does", self._handler)
        return ast.MState(self.since(start), doc, name, "start" in marks, "final" in marks, runs, handlers)

    # --- what is done -----------------------------------------------------------------

    def _handler(self) -> ast.MHandler:
        doc = self.doc()
        start = self.tok.start
        if self.runs and self.take_word("when"):
            return self._when(doc, start)
        word = self.take_word("on", "ignore", "refuse")
        if word is None:
            words = "'on', 'when', 'ignore' or 'refuse'" if self.runs else "'on', 'ignore' or 'refuse'"
            raise self.errors.error(self.span(), f"expected {words}, found {shown(self.tok)}")
        events = self._idents("an event")
        guard = self.expr() if self.take_word("if") else None
        if word.text != "on":
            self.semicolon(f"'{word.text}'")
            return ast.MHandler(self.since(start), doc, word.text, events, guard, None, ())
        to = self.ident("a state") if self.take("->") else None
        todo: tuple[ast.MDo, ...] = ()
        if self.take_word("do"):
            todo = self._todo()
        self.semicolon("what is done")
        return ast.MHandler(self.since(start), doc, "on", events, guard, to, todo)

    def _when(self, doc: str, start: int) -> ast.MHandler:
        """`when State, State -> State do deeds;`: what follows when the machine that runs comes there"""
        states = self._idents("a state of the machine that runs")
        self.expect("->", "'->' and the state that follows")
        to = self.ident("a state")
        todo = self._todo() if self.take_word("do") else ()
        self.semicolon("'when'")
        return ast.MHandler(self.since(start), doc, "when", states, None, to, todo)

    def _todo(self) -> tuple[ast.MDo, ...]:
        out = [self._do()]
        while self.take(","):
            out.append(self._do())
        return tuple(out)

    def _do(self) -> ast.MDo:
        """`deed(args)`, `set timer`, `cancel timer`, `variable = expr`."""
        start = self.tok.start
        word = self.take_word("set", "cancel") if self.peek().kind == "id" else None
        name = self.ident("a timer" if word is not None else "a tx, an action, or a variable")
        if word is not None:
            return ast.MDo(self.since(start), word.text, name, (), None)
        if self.take("="):
            value = self.expr()
            return ast.MDo(self.since(start), "=", name, (), value)
        args = self.args() if self.tok.kind == "(" else ()
        return ast.MDo(self.since(start), "", name, args, None)

    def _idents(self, what: str) -> tuple[ast.Ident, ...]:
        out = [self.ident(what)]
        while self.take(","):
            out.append(self.ident(what))
        return tuple(out)

    # --- parameters, of packets and externs too ---------------------------------------

    def params(self) -> tuple[ast.Param, ...]:
        out: list[ast.Param] = []
        self.expect("(", "'('")
        while self.tok.kind != ")":
            out.append(self.param())
            if not self.take(","):
                break
        self.expect(")", "')' after the parameters")
        return tuple(out)

    def param(self) -> ast.Param:
        name = self.ident("a parameter")
        self.expect(":", "':' and the parameter's type")
        buffer = self.take_word("buffer") is not None
        kind = None if buffer else self.int_type()
        enum: Optional[ast.Ident] = None
        if not buffer and kind is None:
            enum = self.ident("'buffer', a width such as u16, or an enum")
        limit = self.ranges() if self.take_word("in") else ()
        return ast.Param(self.since(name.span.start), name, buffer, kind, enum, limit)
