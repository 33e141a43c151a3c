"""Messages in C over a buffer: the automaton of message_dfa.py as labels and jumps.

For who has what came in one piece: captures are whole, counts are local, runs of
one class are passed over at once (scans.py), and what has a fixed shape is looked
at as one.  ragel.py makes the readers that can stop.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from .. import ir, message_dfa, names
from ..message_dfa import Action, Dfa
from . import scans
from .writer import Writer

FEW = 2  # octets that are compared with one by one


def messages(g: ir.Grammar) -> list[ir.Rule]:
    return [r for r in g.rules if r.kind == "message"]


def cname(g: ir.Grammar, r: ir.Rule) -> str:
    return f"{names.grammar(g)}_{names.snake(r.name)}"


class Group(NamedTuple):
    """Octets that do the same in a state."""

    octets: scans.Octets
    actions: tuple[Action, ...]
    to: int
    last: tuple[Action, ...]


class Reader:
    exact = True  # it says where and why a text is none
    resumed = False  # it begins anew in a state that it left

    def __init__(self, name: str, rule: ir.Rule) -> None:
        self.name = name
        self.rule = rule
        self.d: Dfa = message_dfa.dfa(rule)
        self.classes = scans.Classes(self.class_name())
        self.ahead = self.looks_ahead()
        self.rows: dict[int, tuple[list[Group], int]] = {}
        inner: set[int] = set()
        # States before the last octet of a row, which is not there, or for whose capture there is no room: else the row was taken at once.
        self.shut: set[int] = set()
        self.tight: set[int] = set()
        for state in range(len(self.d.states)):
            row = self.row(state)
            if state not in inner and len(row) > 1:
                self.rows[state] = row, row[-1].to
                inner |= {g.to for g in row[:-1]}
                *before, last = (sum(a.kind.startswith("emit") for a in g.actions) for g in row)
                if not last and (not any(before[1:]) or not self.resumed):
                    self.shut.add(row[-2].to)
                elif last == 1 and not self.resumed:
                    self.tight.add(row[-2].to)

    def class_name(self) -> str:
        return f"{self.name}_octets"

    def looks_ahead(self) -> dict[int, int]:
        return scans.ahead(self.d)

    # --- what a state is made of ---

    def leaves(self, state: int) -> int:
        """The state whose ways count where the scan of a state has come to its end."""
        scan = scans.trimmed(self.d, state)
        return scan.other if scan is not None and scan.back else state

    def groups(self, state: int) -> list[Group]:
        """What may come in a state, behind the octets that are passed over."""
        scan = scans.trimmed(self.d, state)
        found: dict[tuple[tuple[Action, ...], int, tuple[Action, ...]], set[int]] = {}
        for way in self.d.states[self.leaves(state)]:
            rest = scans.octets([way]) - (scan.over if scan is not None else frozenset())
            if rest:
                found.setdefault((way.actions, way.to, way.last), set()).update(rest)
        return [Group(frozenset(octets), *what) for what, octets in found.items()]

    def row(self, state: int) -> list[Group]:
        """What must come from a state on, octet after octet, if that is all that can."""
        row: list[Group] = []
        seen = {state}
        while True:
            groups = self.groups(state)
            if len(groups) != 1 or groups[0].to in (message_dfa.END, *seen) or message_dfa.limits(groups[0].actions):
                return row
            row.append(groups[0])
            froms = {at for at, ways in enumerate(self.d.states) if any(w.to == groups[0].to for w in ways)}
            if froms - {state, self.leaves(state)} or scans.trimmed(self.d, groups[0].to) is not None:
                return row
            state = groups[0].to
            seen.add(state)

    # --- the function ---

    def emit(self, w: Writer, head: str) -> None:
        body = self.body()
        self.classes.emit(w)
        with w.function(head):
            self.locals(w)
            w.lines += body
            self.ends(w, "\n".join(body))

    def body(self) -> list[str]:
        """The states that are reached, in order."""
        done: dict[int, list[str]] = {}
        todo = {0}
        while todo:
            state = min(todo)
            w = Writer()
            w.depth = 1
            self.state(w, state)
            done[state] = w.lines
            todo = {int(to) for lines in done.values() for line in lines for to in re.findall(r"goto s([0-9]+);", line)} - set(done)
        lines = [line for state in sorted(done) for line in done[state]]
        if not any(line.endswith("goto s0;") for line in lines):
            lines.remove("s0:")
        return lines

    def locals(self, w: Writer) -> None:
        most = f"{self.rule.max}u" if self.rule.max is not None else "UINT32_MAX /* the length of a capture has 32 bits */"
        w.line("const uint8_t *const begin = mrg_start(in), *p = begin;")
        w.line(f"const size_t most = {most}, within = in.len < most ? in.len : most;")
        w.line("const uint8_t *const end = begin + within;")
        w.line("enum mrg_status st = MRG_OK;")
        w.line("struct mrg_capture *to = out;")
        w.line("size_t left = cap;")
        self.tracked(w)
        w.line("*code = 0;")

    def tracked(self, w: Writer) -> None:
        """What is known of the captures and counts that are open."""
        if any(a.kind == "start" for ways in self.d.states for way in ways for a in way.actions):
            w.line("const uint8_t *from = begin;")
        if self.marks():
            w.line("const uint8_t *mark = begin;")
        for k in range(self.d.counters):
            w.line(f"uint32_t n{k} = 0;")
        self.scan_locals(w)

    def scan_locals(self, w: Writer) -> None:
        if any(scans.trimmed(self.d, s) is not None for s in range(len(self.d.states))):
            w.line("const uint8_t *const wide = mrg_wide(begin, end);")
        for second in sorted(set(self.ahead.values())):
            w.line(f"struct mrg_window window{second} = mrg_window(begin, end, &{self.over(second)});")
            w.line(f"const uint8_t *ahead{second} = begin;")

    def marks(self) -> bool:
        return any(a.kind == "mark" for ways in self.d.states for way in ways for a in way.actions)

    def ends(self, w: Writer, body: str) -> None:
        """Where the states jump to in the end."""
        code = self.rule.code or 0
        w.raw("more:")
        w.line("st = MRG_MORE;")
        if self.rule.max is not None:
            with w.block("if (within < in.len)"):
                w.line("st = MRG_E_LIMIT;")
                w.line(f"*code = {code}u;")
        w.line("goto done;")
        w.raw("bad:")
        w.line("st = MRG_E_TEXT;")
        if "goto full;" in body:
            w.line("goto done;")
            w.raw("full:")
            w.line("st = MRG_E_SPACE;")
        if "goto over;" in body:
            w.line("goto done;")
            w.raw("over:")
            w.line("st = MRG_E_LIMIT;")
        w.raw("done:")
        if "*to++" not in body:
            w.line("(void)to;")
        w.line("*count = cap - left;")
        w.line("*len = (size_t)(p - begin);")
        w.line("return st;")

    # --- states ---

    def state(self, w: Writer, state: int) -> None:
        w.lines.append(f"s{state}:")
        if state in self.ahead:
            second = self.ahead[state]
            w.line(f"ahead{second} = mrg_scan_ahead(&window{second}, p, begin, end, &{self.over(second)});")
        self.scan(w, state)
        if state in self.rows:
            self.at_once(w, *self.rows[state])
            if not self.exact:
                w.line("goto bad;")
                return
        self.at_end(w, state)
        for g in () if state in self.shut else sorted(self.groups(state), key=lambda g: (-len(g.octets), min(g.octets))):
            with w.block(f"if ({self.test(g.octets, '*p')})"):
                self.way(w, g, state)
        w.line("goto bad;")

    def over(self, state: int) -> str:
        """The class that a state passes over."""
        scan = scans.trimmed(self.d, state)
        assert scan is not None
        return self.classes.name(scan.over)

    def scan(self, w: Writer, state: int) -> None:
        """Pass over what stays in a state."""
        scan = scans.trimmed(self.d, state)
        if scan is None:
            return
        over = self.classes.name(scan.over)
        if state in self.ahead.values():
            call = f"mrg_scan_rest(p, ahead{state}, end, &{over})"
        else:
            call = f"{'mrg_scan_word' if scans.once(self.d, state) else 'mrg_scan'}(p, wide, end, &{over})"
        if scan.each is not None:
            self.counted(w, scan.each, call)
            return
        w.line(f"p = {call};")
        if scan.marks:
            w.line("mark = p;")
            w.line(f"while (mrg_rare(!mrg_in(mark[-1], &{self.classes.name(scan.over - scan.back)})))")
            w.line("\tmark--;")

    def counted(self, w: Writer, each: Action, call: str) -> None:
        with w.block(""):
            w.line("const uint8_t *const here = p;")
            w.line(f"p = {call};")
            with w.block(f"if (mrg_rare((size_t)(p - here) > {each.most}u - n{each.arg}))"):
                w.line(f"p = here + ({each.most}u - n{each.arg});")
                w.line(f"*code = {each.code}u;")
                w.line("goto over;")
            w.line(f"n{each.arg} += (uint32_t)(p - here);")

    def at_once(self, w: Writer, row: list[Group], to: int) -> None:
        """What has a fixed shape; if it is not there or not whole, the states say where it ends."""
        tests, at = [f"end - p >= {len(row)}"], 0
        while at < len(row):
            fixed = 0
            while at + fixed < len(row) and len(row[at + fixed].octets) == 1:
                fixed += 1
            if fixed > 1:
                text = "".join(f"\\x{min(g.octets):02x}" for g in row[at : at + fixed])
                tests.append(f"memcmp({_place(at)}, \"{text}\", {fixed}) == 0")
            else:
                test = self.test(row[at].octets, f"p[{at}]")
                tests.append(f"({test})" if "||" in test else test)
            at += max(fixed, 1)
        emits = sum(a.kind.startswith("emit") for g in row for a in g.actions)
        if emits:
            tests.append(f"left >= {emits}")
        with w.block(f"if ({' && '.join(t for t in tests if t != 'true')})"):
            for at, g in enumerate(row):
                for a in g.actions:
                    self.act(w, a, _place(at))
            w.line(f"p += {len(row)};")
            w.line(f"goto s{to};")

    def at_end(self, w: Writer, state: int) -> None:
        """What is done where the input ends in a state."""
        w.line("if (mrg_rare(p == end))")
        w.line("\tgoto more;")

    def test(self, octets: scans.Octets, octet: str) -> str:
        if len(octets) == 256:
            return "true"
        if len(octets) <= FEW:
            return " || ".join(f"{octet} == {b}u" for b in sorted(octets))
        lo, hi = min(octets), max(octets)
        if hi - lo + 1 == len(octets):
            return f"(unsigned){octet} - {lo}u <= {hi - lo}u"
        return f"mrg_in({octet}, &{self.classes.name(octets)})"

    def way(self, w: Writer, g: Group, state: int) -> None:
        for a in message_dfa.limits(g.actions):
            test = f"if (mrg_rare(n{a.arg} == {a.most}u))" if a.most != 0 else ""
            with w.block(test):
                w.line(f"*code = {a.code}u;")
                w.line("goto over;")
        if state in self.tight:
            w.line("goto full;")
            return
        self.actions(w, state, g.actions)
        w.line("p++;")
        self.actions(w, state, g.last, g.actions)
        w.line("goto done;" if g.to == message_dfa.END else f"goto s{g.to};")

    def actions(self, w: Writer, state: int, todo: tuple[Action, ...], done: tuple[Action, ...] = ()) -> None:
        """done: what was done on the same way before."""
        for a in todo:
            if a.kind.startswith("emit"):
                w.line("if (mrg_rare(left == 0))")
                w.line("\tgoto full;")
            self.act(w, a, "p")

    def act(self, w: Writer, a: Action, at: str) -> None:
        if a.kind == "reset":
            w.line(f"n{a.arg} = 0;")
        elif a.kind == "count":
            w.line(f"n{a.arg}++;")
        elif a.kind == "start":
            w.line(f"from = {at};")
        elif a.kind == "mark":
            w.line(f"mark = {at};")
        else:
            w.line("left--;")
            w.line(f"*to++ = {self.capture(a, at if a.kind == 'emit' else 'mark')};")

    def capture(self, a: Action, to: str) -> str:
        return f"(struct mrg_capture){{ from, (uint32_t)({to} - from), {a.arg}u }}"


def _place(at: int) -> str:
    return f"p + {at}" if at else "p"
