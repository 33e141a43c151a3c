"""Traces of a machine: what has come and what was done, as text, one thing a line.

    advert(a.solicited=1)   an event, with its parameters and the fields of its packets that guards look at
    ? same = 1              what a test said then
    > solicit(unicast=0)    a deed
    > set retry             a timer is set, or with `cancel` is not

`#` and what is behind it says nothing.  Numbers are decimal or 0x and hexadecimal, or members of the parameter's enum.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Iterator, Optional, Union

from . import ir, ir_machine
from .errors import Errors, Skip, meant
from .machine_ref import Did, fields_used
from .source import Source, Span

_TOKEN = re.compile(r"[ \t\r]*(?:(#.*)|([A-Za-z_]\w*(?:\.\w+)*)|(0[xX][0-9a-fA-F]+|[0-9]+)|(\S))")
Token = tuple[str, Span]  # "name", "number", what it is otherwise, or "" at the end of a line
Item = Union[ir.Param, ir.Scalar]


@dataclass
class Deed:
    line: int
    did: Did


@dataclass
class Event:
    line: int
    event: ir_machine.Event
    values: dict[str, int]
    answers: dict[str, int] = field(default_factory=dict)
    deeds: list[Deed] = field(default_factory=list)


@dataclass
class Trace:
    path: str
    before: list[Deed]  # deeds that nothing has come before
    events: list[Event]


def read(m: ir_machine.Machine, path: str, text: str) -> Trace:
    """Raises errors.Failed with all that is wrong with it."""
    errors = Errors()
    source = Source(path, text)
    out = Trace(path, [], [])
    at = 0
    for number, line in enumerate(text.split("\n"), 1):
        try:
            _Line(m, errors, source, at, len(line), number, out).read()
        except Skip:
            pass
        at += len(line) + 1
    errors.stop_if_any()
    return out


class _Line:
    def __init__(self, m: ir_machine.Machine, errors: Errors, source: Source, start: int, size: int, number: int, out: Trace) -> None:
        self.m = m
        self.errors = errors
        self.source = source
        self.number = number
        self.out = out
        self.tokens = list(self._tokens(start, start + size))

    def _tokens(self, at: int, end: int) -> Iterator[Token]:
        while (found := _TOKEN.match(self.source.text, at, end)) is not None:
            kind = found.lastindex or 1
            if kind == 1:
                break
            span = Span(self.source, found.start(kind), found.end(kind))
            yield ("name" if kind == 2 else "number" if kind == 3 else span.text(), span)
            at = found.end()
        yield ("", Span(self.source, at, at + 1))

    def next(self) -> Token:
        return self.tokens.pop(0) if self.tokens[0][0] else self.tokens[0]

    def take(self, kind: str) -> bool:
        if self.tokens[0][0] == kind:
            self.next()
            return True
        return False

    def expect(self, kind: str, what: str) -> Span:
        found, span = self.next()
        if found != kind:
            raise self.errors.error(span, f"expected {what}, found " + (f"'{span.text()}'" if found else "the end of the line"))
        return span

    def read(self) -> None:
        if self.tokens[0][0] == "":
            return
        if self.take("?"):
            self._answer()
        elif self.take(">"):
            self._deed()
        else:
            self._event()
        self.expect("", "the end of the line")

    # --- lines ------------------------------------------------------------------------

    def _event(self) -> None:
        name = self.expect("name", "an event, '>' and a deed, or '?' and a test")
        event = next((e for e in self.m.events if e.name == name.text()), None)
        if event is None:
            raise self.errors.error(name, f"unknown event '{name.text()}'{meant(name.text(), [e.name for e in self.m.events])}")
        needed: dict[str, Item] = {**fields_used(self.m, event), **{p.name: p for p in event.params}}
        others = {f"{v.name}.{i.name}": i for v in event.views for i in v.packet.items if isinstance(i, ir.Scalar) and i.name}
        values = self._values(f"event '{event.name}'", name, needed, others)
        self.out.events.append(Event(self.number, event, values))

    def _answer(self) -> None:
        name = self.expect("name", "a test")
        tests = [d.name for d in self.m.deeds if d.kind == "test"]
        if name.text() not in tests:
            raise self.errors.error(name, f"unknown test '{name.text()}'{meant(name.text(), tests)}")
        self.expect("=", "'='")
        said = self.expect("number", "0 or 1")
        if said.text() not in ("0", "1"):
            raise self.errors.error(said, f"a test says 0 or 1, not {said.text()}")
        if not self.out.events:
            raise self.errors.error(name, "nothing has come that a test could be asked of")
        self.out.events[-1].answers[name.text()] = int(said.text())

    def _deed(self) -> None:
        name = self.expect("name", "a deed")
        if name.text() in ("set", "cancel") and self.tokens[0][0] == "name":
            timer = self.expect("name", "a timer")
            timers = [e.name for e in self.m.events if e.kind == "timer"]
            if timer.text() not in timers:
                raise self.errors.error(timer, f"unknown timer '{timer.text()}'{meant(timer.text(), timers)}")
            did: Did = (f"{name.text()} {timer.text()}", ())
        else:
            deeds = {d.name: d for d in self.m.deeds if d.kind != "test"}
            deed = deeds.get(name.text())
            if deed is None:
                raise self.errors.error(name, f"unknown deed '{name.text()}'{meant(name.text(), deeds)}")
            values = self._values(f"'{deed.name}'", name, {p.name: p for p in deed.params}, {})
            did = (f"do {deed.name}", tuple(values[p.name] for p in deed.params))
        (self.out.events[-1].deeds if self.out.events else self.out.before).append(Deed(self.number, did))

    # --- what is in brackets ------------------------------------------------------------

    def _values(self, whose: str, name: Span, needed: dict[str, Item], others: dict[str, ir.Scalar]) -> dict[str, int]:
        """Each of `needed`, by name or in order; `others` may be there."""
        out: dict[str, int] = {}
        if self.take("("):
            while self.tokens[0][0] != ")":
                self._value(whose, needed, others, out)
                if not self.take(","):
                    break
            self.expect(")", "',' or ')'")
        missing = [n for n in needed if n not in out]
        if missing:
            raise self.errors.error(name, f"{whose} takes {_count(needed)}, not {len(needed) - len(missing)}: {', '.join(missing)} is missing")
        return out

    def _value(self, whose: str, needed: dict[str, Item], others: dict[str, ir.Scalar], out: dict[str, int]) -> None:
        known: dict[str, Item] = {**others, **needed}
        if len(self.tokens) > 1 and self.tokens[1][0] == "=":
            span = self.expect("name", "a parameter")
            self.next()
            name = span.text()
            if name not in known:
                raise self.errors.error(span, f"{whose} has no parameter '{name}'{meant(name, known)}")
        else:
            span = self.tokens[0][1]
            left = [n for n in needed if n not in out]
            if not left:
                raise self.errors.error(span, f"{whose} takes {_count(needed)}, and this is one more")
            name = left[0]
        if name in out:
            raise self.errors.error(span, f"'{name}' is given twice")
        out[name] = self._number(name, known[name])

    def _number(self, name: str, item: Item) -> int:
        kind, span = self.next()
        value: Optional[int] = None
        if kind == "number":
            value = int(span.text(), 0) if span.text()[:2] in ("0x", "0X") else int(span.text())
        elif kind == "name" and item.enum is not None:
            members = {x.name: x.lo for x in item.enum.members}
            word = span.text().removeprefix(item.enum.name + ".")
            if word not in members:
                raise self.errors.error(span, f"enum '{item.enum.name}' has no member '{word}'{meant(word, members)}")
            value = members[word]
        if value is None:
            raise self.errors.error(span, f"expected a number for '{name}', found " + (f"'{span.text()}'" if kind else "the end of the line"))
        if not item.lo <= value <= item.hi:
            raise self.errors.error(span, f"'{name}' is {item.lo}..{item.hi}, not {value}")
        return value


def _count(needed: dict[str, Item]) -> str:
    return f"{len(needed)} parameter{'s' * (len(needed) != 1)}" if needed else "no parameters"
