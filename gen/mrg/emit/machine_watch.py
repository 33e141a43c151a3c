"""Watching a machine in C, beside one that runs: a function to be told of each event, and one of each deed.

It steps as the machine does, and notes what is to be done instead of doing it.  All of it is there with MRG_WATCH alone.
"""

from __future__ import annotations

from typing import Union

from .. import ir, ir_machine, names
from ..layout import refs
from . import c_expr
from .machine_step import Env, Steps, event_params, params, state_name
from .writer import Writer

Told = tuple[str, str, list[ir.Param]]  # "do", "set", "cancel"; a name; what it is told


def told(x: ir_machine.Machine) -> list[Told]:
    """All that can be done, in the order of its numbers."""
    out: list[Told] = [("do", d.name, d.params) for d in x.deeds if d.kind != "test"]
    for e in x.events:
        for verb in ("set", "cancel"):
            if any(do.kind == verb and do.target is e for t in x.transitions for do in t.todo):
                out.append((verb, e.name, []))
    return out


def asked(x: ir_machine.Machine, e: ir_machine.Event) -> list[str]:
    """Tests that guards or deeds ask at an event."""
    found = [t for t in x.transitions if t.event is e]
    nodes = [n for t in found for expr in (t.guard, *(a for do in t.todo for a in do.args)) for n in refs(expr)]
    return list(dict.fromkeys(n.test.name for n in nodes if isinstance(n, ir_machine.TestOf)))


def _on_head(x: ir_machine.Machine, e: ir_machine.Event) -> str:
    name = names.machine(x)
    tests = "".join(f", bool is_{test}" for test in asked(x, e))
    return f"enum mrg_watch {name}_watch_on_{e.name}(struct {name}_watch *w{params(e, [])}{tests})"


def _did_head(x: ir_machine.Machine, one: Told) -> str:
    name = names.machine(x)
    return f"enum mrg_watch {name}_watch_{one[0]}_{one[1]}(struct {name}_watch *w{params(None, one[2])})"


def _timers(x: ir_machine.Machine) -> list[str]:
    return [e.name for e in x.events if e.kind == "timer"]


def _most(x: ir_machine.Machine) -> tuple[int, int]:
    """Deeds of one transition, arguments of one deed."""
    deeds = [[do for do in t.todo if do.kind != "assign"] for t in x.transitions]
    return max([1, *map(len, deeds)]), max([1, *(len(args) for _, _, args in told(x))])


def declare(w: Writer, x: ir_machine.Machine) -> None:
    name = names.machine(x)
    deeds, args = _most(x)
    w.raw("#if defined(MRG_WATCH)")
    w.comment("What was seen of a machine, held against its specification.")
    with w.block(f"struct {name}_watch", "};"):
        w.line("struct mrg_watch_note note; /* the first fault; nothing behind it counts */")
        w.line(f"struct {name} m;")
        w.line("uint8_t expected_at, expected_len;")
        w.line(f"struct {{ uint16_t deed; uint64_t args[{args}]; }} expected[{deeds}];")
        for timer in _timers(x):
            w.line(f"bool runs_{timer};")
    w.line()
    w.line(f"void {name}_watch_begin(struct {name}_watch *w);")
    w.comment("Events that have come, before what is done at them; `is_` is what the test said, if it was asked.")
    for e in x.events:
        w.line(f"{_on_head(x, e)};")
    w.comment("What is done.")
    for one in told(x):
        w.line(f"{_did_head(x, one)};")
    w.comment("Nothing more is done at the last event.")
    w.line(f"enum mrg_watch {name}_watch_end(struct {name}_watch *w);")
    w.raw("#endif")
    w.line()


def define(w: Writer, x: ir_machine.Machine) -> None:
    name = names.machine(x)
    w.raw("#if defined(MRG_WATCH)")
    with w.function(f"void {name}_watch_begin(struct {name}_watch *w)"):
        w.line(f'*w = (struct {name}_watch){{ .note = {{ .state = "", .event = "", .expected = "", .did = "", .where = "" }} }};')
        w.line(f"{name}_begin(&w->m);")
        w.line(f"w->note.state = {name}_state_str((enum {name}_state)w->m.state);")
    with w.function(f"static const char *{name}_watch_deed(unsigned deed)"):
        with w.block("switch (deed)"):
            for i, (verb, what, _) in enumerate(told(x)):
                w.line(f"case {i}: return {names.c_string(what if verb == 'do' else f'{verb} {what}')};")
            w.line('default: return "";')
    _did(w, x)
    _settled(w, x)
    for e in x.events:
        _WatchSteps(w, x, e).emit()
    for i, one in enumerate(told(x)):
        with w.function(_did_head(x, one)):
            args = ", ".join(params_names(one[2])) or "0"
            w.line(f"const uint64_t args[] = {{ {args} }};")
            w.line(f"return {name}_watch_did(w, {i}, args, {len(one[2])});")
    with w.function(f"enum mrg_watch {name}_watch_end(struct {name}_watch *w)"):
        w.line(f"(void){name}_watch_settled(w);")
        w.line("return w->note.verdict;")
    w.raw("#endif")
    w.line()


def params_names(given: list[ir.Param]) -> list[str]:
    return [text.rsplit(" ", 1)[1] for text in params(None, given).split(", ")[1:]]


def _did(w: Writer, x: ir_machine.Machine) -> None:
    name = names.machine(x)
    with w.function(f"static enum mrg_watch {name}_watch_did(struct {name}_watch *w, unsigned deed, const uint64_t *args, size_t args_len)"):
        w.line("if (w->note.verdict != MRG_WATCH_OK)")
        w.line("\treturn w->note.verdict;")
        w.line("bool as_expected = w->expected_at < w->expected_len && w->expected[w->expected_at].deed == deed;")
        w.line("for (size_t i = 0; as_expected && i < args_len; i++)")
        w.line("\tas_expected = w->expected[w->expected_at].args[i] == args[i];")
        with w.block("if (!as_expected)"):
            w.line("w->note.verdict = MRG_WATCH_UNEXPECTED;")
            w.line(f"w->note.did = {name}_watch_deed(deed);")
            w.line("if (w->expected_at < w->expected_len)")
            w.line(f"\tw->note.expected = {name}_watch_deed(w->expected[w->expected_at].deed);")
            w.line("return w->note.verdict;")
        w.line("w->expected_at++;")
        w.line("return MRG_WATCH_OK;")


def _settled(w: Writer, x: ir_machine.Machine) -> None:
    name = names.machine(x)
    w.comment("Whether nothing was wrong up to here, and all that was to be done is.")
    with w.function(f"static bool {name}_watch_settled(struct {name}_watch *w)"):
        w.line("if (w->note.verdict != MRG_WATCH_OK)")
        w.line("\treturn false;")
        with w.block("if (w->expected_at < w->expected_len)"):
            w.line("w->note.verdict = MRG_WATCH_MISSING;")
            w.line(f"w->note.expected = {name}_watch_deed(w->expected[w->expected_at].deed);")
            w.line("return false;")
        env = Env(x, None)
        if x.nevers:
            w.line(f"const struct {name} *const m = &w->m;")
        for never in x.nevers:
            states = "(" + " || ".join(f"m->state == {state_name(x, s)}" for s in never.states) + ") && " if len(never.states) < len(x.states) else ""
            with w.block(f"if ({states}({c_expr.emit(never.cond, env)}))"):
                w.line("w->note.verdict = MRG_WATCH_NEVER;")
                w.line(f"w->note.where = {_where(never.loc)};")
                w.line("return false;")
        w.line("w->expected_at = w->expected_len = 0;")
        w.line("return true;")


def _where(loc: ir.Loc) -> str:
    return names.c_string(f"{loc.file}:{loc.line}")


class _WatchEnv(Env):
    def test(self, e: ir_machine.TestOf) -> str:
        return f"is_{e.test.name}"


class _WatchSteps(Steps):
    """The function that is told of one event."""

    def __init__(self, w: Writer, x: ir_machine.Machine, e: ir_machine.Event) -> None:
        super().__init__(w, x, e, "w->note.verdict = MRG_WATCH_REFUSED")
        self.env = _WatchEnv(x, e)
        self.numbers = {(verb, what): i for i, (verb, what, _) in enumerate(told(x))}

    def head(self) -> str:
        return _on_head(self.x, self.e)

    def unused(self) -> list[str]:
        return [*event_params(self.e), *(f"is_{test}" for test in asked(self.x, self.e))]

    def first(self) -> None:
        w, name = self.w, names.machine(self.x)
        w.line(f"struct {name} *const m = &w->m;")
        w.line(f"if (!{name}_watch_settled(w))")
        w.line("\treturn w->note.verdict;")
        w.line(f"w->note.state = {name}_state_str((enum {name}_state)m->state);")
        w.line(f"w->note.event = {names.c_string(self.e.name)};")
        w.line(f"w->note.where = {_where(self.e.loc)};")
        if self.e.kind == "timer":
            w.line(f"if (!w->runs_{self.e.name})")
            w.line("\treturn w->note.verdict = MRG_WATCH_IDLE;")
            w.line(f"w->runs_{self.e.name} = false;")

    def taken(self, w: Writer, t: ir_machine.Transition) -> None:
        w.line(f"w->note.where = {_where(t.loc)};")
        if t.kind == "refuse":
            w.line("return w->note.verdict = MRG_WATCH_REFUSED;")
            return
        if t.to is not None:
            w.line(f"m->state = {state_name(self.x, t.to)};")
        i = 0
        for do in t.todo:
            if isinstance(do.target, ir.Param):
                self.do(w, do)
                continue
            self.expect(w, i, do, do.target)
            i += 1
        if i:
            w.line(f"w->expected_len = {i};")
        w.line("return MRG_WATCH_OK;")

    def expect(self, w: Writer, i: int, do: ir_machine.Do, target: Union[ir_machine.Deed, ir_machine.Event]) -> None:
        number = self.numbers["do" if do.kind == "deed" else do.kind, target.name]
        w.line(f"w->expected[{i}].deed = {number};")
        for k, arg in enumerate(do.args):
            w.line(f"w->expected[{i}].args[{k}] = (uint64_t)({c_expr.emit(arg, self.env)});")
        if isinstance(target, ir_machine.Event):
            w.line(f"w->runs_{target.name} = {'true' if do.kind == 'set' else 'false'};")
