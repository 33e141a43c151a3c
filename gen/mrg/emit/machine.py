"""Machines in C: a function for each event with one switch over the states; deeds and tests are the user's.

Nothing is allocated, and nothing is called but deeds, tests and accessors of what came.
"""

from __future__ import annotations

import re

from .. import ir, ir_machine, names
from . import c_common, c_expr, c_module, grammars
from .writer import Writer

_RESULTS = {"on": "MRG_STEP_TAKEN", "ignore": "MRG_STEP_IGNORED", "refuse": "MRG_STEP_REFUSED"}


def emit(m: ir.Module) -> dict[str, str]:
    """Files of this back end: path below the output folder -> text."""
    if not m.machines:
        return {}
    return {names.header(m): header(m), source_name(m): source(m)}


def source_name(m: ir.Module) -> str:
    return names.header(m)[:-2] + "_machine.c"


# --- the header's part ------------------------------------------------------------------------


def header(m: ir.Module) -> str:
    """The module's header with the machines' part in it."""
    w = Writer()
    for machine in m.machines:
        _declare(w, machine)
    text = grammars.header(m) if m.grammars else c_module.header(m)
    body, _, tail = text.rpartition("#endif")
    return body + w.text() + "\n#endif" + tail


def _declare(w: Writer, x: ir_machine.Machine) -> None:
    name = names.machine(x)
    w.comment(names.c_comment(x.doc))
    with w.block(f"enum {name}_state", "};"):
        for s in x.states:
            note = names.c_comment(s.doc).replace("\n", " ")
            w.line(f"{_state(x, s)}," + (f" /* {note} */" if note else ""))
    w.line()
    w.line(f"const char *{name}_state_str(enum {name}_state state);")
    w.line()
    w.comment("Where one is; as begin leaves it, and changed by its events alone.")
    with w.block(f"struct {name}", "};"):
        small = [v for v in x.vars if _packed(v)]
        w.line(f"uint8_t state : {(len(x.states) - 1).bit_length() or 1};" if small else "uint8_t state;")
        for v in small:
            w.line(f"uint8_t {names.local(v.name)} : {v.hi.bit_length()};")
        for v in x.vars:
            if not _packed(v):
                w.line(f"{names.uint_type(v.bits)} {names.local(v.name)};")
    w.line()
    w.line(f"void {name}_begin(struct {name} *m);")
    w.line()
    w.comment(
        "Events.  ctx is handed on to deeds and tests.  The state is the new one when the first deed is done; an event from within a\n"
        "deed may only be the last thing that deed does, and that deed the last of its transition.\n"
        "Returns:  MRG_STEP_TAKEN; MRG_STEP_IGNORED: nothing is to be done; MRG_STEP_REFUSED: a fault of who sends or calls, or a timer\n"
        "          that was not set.  Then nothing has changed."
    )
    for e in x.events:
        w.comment(names.c_comment(e.doc))
        w.line(f"{_event_head(x, e)};")
    w.line()
    w.comment("What the user of the machine defines.")
    for d in x.deeds:
        w.comment(names.c_comment(d.doc))
        w.line(f"{_deed_head(x, d)};")
    for e in x.events:
        if e.kind == "timer":
            for verb in ("set", "cancel"):
                if any(do.kind == verb and do.target is e for t in x.transitions for do in t.todo):
                    w.line(f"{_timer_head(x, verb, e)};")
    w.line()
    if x.nevers:
        w.comment("Whether what the specification says of all times holds now.")
        w.line(f"bool {name}_holds(const struct {name} *m);")
        w.line()
    w.comment("Transitions, as they are written; with MRG_COVERAGE defined, how often each was taken.")
    w.line(f"enum {{ {name.upper()}_TRANSITIONS = {len(x.transitions)} }};")
    w.line(f"const char *{name}_transition_str(unsigned number);")
    w.raw("#if defined(MRG_COVERAGE)")
    w.line(f"extern uint64_t {name}_taken[{name.upper()}_TRANSITIONS];")
    w.raw("#endif")
    w.line()


def _packed(v: ir.Param) -> bool:
    """Shares an octet with the state, or with others: there may be one of these for each of a million peers."""
    return 0 < v.hi < 0x80


def _state(x: ir_machine.Machine, s: ir_machine.State) -> str:
    return f"{names.machine(x)}_{names.snake(s.name)}".upper()


def _param(name: str) -> str:
    return name + "_" if name in ("m", "ctx") else names.local(name)


def _params(e: ir_machine.Event | None, params: list[ir.Param]) -> str:
    out = [f"const struct {names.packet(v.packet)} *{_param(v.name)}" for v in (e.views if e is not None else [])]
    out += [f"{names.uint_type(p.bits)} {_param(p.name)}" for p in [*(e.params if e is not None else []), *params]]
    return "".join(", " + text for text in out)


def _names(e: ir_machine.Event) -> list[str]:
    """What an event's parameters are called in C."""
    return [_param(v.name) for v in e.views] + [_param(p.name) for p in e.params]


def _event_head(x: ir_machine.Machine, e: ir_machine.Event) -> str:
    name = names.machine(x)
    return f"enum mrg_step {name}_on_{e.name}(struct {name} *m, void *ctx{_params(e, [])})"


def _deed_head(x: ir_machine.Machine, d: ir_machine.Deed) -> str:
    name = names.machine(x)
    result, word = ("bool", "is") if d.kind == "test" else ("void", "do")
    return f"{result} {name}_{word}_{d.name}(const struct {name} *m, void *ctx{_params(d.of, d.params)})"


def _timer_head(x: ir_machine.Machine, verb: str, e: ir_machine.Event) -> str:
    name = names.machine(x)
    return f"void {name}_{verb}_{e.name}(const struct {name} *m, void *ctx)"


# --- the source ---------------------------------------------------------------------------------


def source(m: ir.Module) -> str:
    w = Writer()
    w.line(f"/* Generated by mrg from {m.path}; edit that. Machines. */")
    w.line(f"/* digest {m.digest} */")
    w.line(f'#include "{names.header(m)}"')
    w.line()
    for machine in m.machines:
        _define(w, machine)
    return w.text()


def _define(w: Writer, x: ir_machine.Machine) -> None:
    name = names.machine(x)
    _strings(w, f"const char *{name}_state_str(enum {name}_state state)", "state", [(_state(x, s), s.name) for s in x.states])
    texts = [(str(t.number) + "u", _described(x, t)) for t in x.transitions]
    _strings(w, f"const char *{name}_transition_str(unsigned number)", "number", texts)
    w.raw("#if defined(MRG_COVERAGE)")
    w.line(f"uint64_t {name}_taken[{name.upper()}_TRANSITIONS];")
    w.raw(f"#define TAKEN_{name}(number) {name}_taken[number]++")
    w.raw("#else")
    w.raw(f"#define TAKEN_{name}(number) (void)0")
    w.raw("#endif")
    w.line()
    with w.function(f"void {name}_begin(struct {name} *m)"):
        first = "".join(f", .{names.local(v.name)} = {c_expr.number(n)}" for v, n in zip(x.vars, x.first))
        w.line(f"*m = (struct {name}){{ .state = {_state(x, x.start)}{first} }};")
    for e in x.events:
        _Steps(w, x, e).emit()
    if x.nevers:
        _holds(w, x)


def _strings(w: Writer, head: str, on: str, rows: list[tuple[str, str]]) -> None:
    with w.function(head):
        with w.block(f"switch ({on})"):
            for value, text in rows:
                w.line(f"case {value}: return {names.c_string(text)};")
            w.line("default: return NULL;")


def _described(x: ir_machine.Machine, t: ir_machine.Transition) -> str:
    """A transition in one line, for people."""
    where = "always" if t.always else next(s.name for s in x.states for some in s.on.values() if any(t is u for u in some))
    return f"{where}: {t.text}"


def _holds(w: Writer, x: ir_machine.Machine) -> None:
    name = names.machine(x)
    env = _Env(x, None)
    with w.function(f"bool {name}_holds(const struct {name} *m)"):
        for never in x.nevers:
            tests = [f"({c_expr.emit(never.cond, env)})"]
            if len(never.states) < len(x.states):
                tests.insert(0, "(" + " || ".join(f"m->state == {_state(x, s)}" for s in never.states) + ")")
            w.line(f"if ({' && '.join(tests)})")
            w.line("\treturn false;")
        w.line("return true;")


class _Env(c_expr.Env):
    """Leaves of an expression: the machine's variables, and what has come."""

    def __init__(self, x: ir_machine.Machine, e: ir_machine.Event | None) -> None:
        self.x = x
        self.e = e

    def param(self, p: ir.Param) -> str:
        return f"m->{names.local(p.name)}" if any(p is v for v in self.x.vars) else _param(p.name)

    def field(self, ref: ir.FieldRef) -> str:
        view = ref.path[0]
        assert isinstance(view, ir.Sub)
        return c_common.path_value(view.packet, ref.path[1:], _param(view.name), True)

    def test(self, e: ir_machine.TestOf) -> str:
        return f"{names.machine(self.x)}_is_{e.test.name}(m, ctx{self.arguments(e.test, e.args)})"

    def arguments(self, d: ir_machine.Deed, args: list[ir.Expr]) -> str:
        out: list[str] = []
        if d.of is not None:
            out += _names(d.of)
        out += [f"({names.uint_type(p.bits)})({c_expr.emit(a, self)})" for p, a in zip(d.params, args)]
        return "".join(", " + text for text in out)


class _Steps:
    """The function of one event."""

    def __init__(self, w: Writer, x: ir_machine.Machine, e: ir_machine.Event) -> None:
        self.w = w
        self.x = x
        self.e = e
        self.env = _Env(x, e)

    def emit(self) -> None:
        """What is the same in each state stands once, before the switch; a timer may not run in all of them."""
        w = self.w
        first = [t for t in self.x.transitions if t.always and t.event is self.e and self.e.kind != "timer"]
        lines = Writer()
        lines.depth = 1
        for t in first:
            self.transition(lines, t)
        if not first or first[-1].guard is not None:
            self.states(lines, len(first))
        text = "\n".join(lines.lines)
        with w.function(_event_head(self.x, self.e)):
            for p in ["ctx", *_names(self.e)]:
                if not _mentions(text, p):
                    w.line(f"(void){p};")
            w.lines += lines.lines

    def states(self, w: Writer, behind: int) -> None:
        with w.block("switch (m->state)"):
            for s in self.x.states:
                own = s.on.get(self.e.name, [])[behind:]
                if own:
                    w.lines.append("\t" * (w.depth - 1) + f"case {_state(self.x, s)}:")
                    for t in own:
                        self.transition(w, t)
        w.line("return MRG_STEP_REFUSED;")

    def transition(self, w: Writer, t: ir_machine.Transition) -> None:
        if t.guard is None:
            self.taken(w, t)
            return
        with w.block(f"if ({c_expr.emit(t.guard, self.env)})"):
            self.taken(w, t)

    def taken(self, w: Writer, t: ir_machine.Transition) -> None:
        w.line(f"TAKEN_{names.machine(self.x)}({t.number});")
        if t.to is not None:
            w.line(f"m->state = {_state(self.x, t.to)};")
        for do in t.todo:
            self.do(w, do)
        w.line(f"return {_RESULTS[t.kind]};")

    def do(self, w: Writer, do: ir_machine.Do) -> None:
        name = names.machine(self.x)
        if isinstance(do.target, ir.Param):
            v = do.target
            value = c_expr.emit(do.args[0], self.env)
            if _packed(v):  # the mask is for compilers, which can't know that it fits
                w.line(f"m->{names.local(v.name)} = ({value}) & {(1 << v.hi.bit_length()) - 1:#x}u;")
            else:
                w.line(f"m->{names.local(v.name)} = ({names.uint_type(v.bits)})({value});")
        elif isinstance(do.target, ir_machine.Event):
            w.line(f"{name}_{do.kind}_{do.target.name}(m, ctx);")
        else:
            w.line(f"{name}_do_{do.target.name}(m, ctx{self.env.arguments(do.target, do.args)});")


def _mentions(text: str, word: str) -> bool:
    return re.search(rf"\b{re.escape(word)}\b", text) is not None
