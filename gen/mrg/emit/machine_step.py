"""One event of a machine in C: a switch over the states, guards, and what is done."""

from __future__ import annotations

import re

from .. import ir, ir_machine, names
from . import c_common, c_expr
from .writer import Writer

_RESULTS = {"on": "MRG_STEP_TAKEN", "ignore": "MRG_STEP_IGNORED", "refuse": "MRG_STEP_REFUSED"}


def packed(v: ir.Param) -> bool:
    """Shares an octet with the state, or with others: there may be one of these for each of a million peers."""
    return 0 < v.hi < 0x80


def state_name(x: ir_machine.Machine, s: ir_machine.State) -> str:
    return f"{names.machine(x)}_{names.snake(s.name)}".upper()


def param(name: str) -> str:
    return name + "_" if name in ("m", "ctx", "w", "args") else names.local(name)


def params(e: ir_machine.Event | None, params: list[ir.Param]) -> str:
    out = [f"const struct {names.packet(v.packet)} *{param(v.name)}" for v in (e.views if e is not None else [])]
    out += [f"{names.uint_type(p.bits)} {param(p.name)}" for p in [*(e.params if e is not None else []), *params]]
    return "".join(", " + text for text in out)


def event_params(e: ir_machine.Event) -> list[str]:
    """What an event's parameters are called in C."""
    return [param(v.name) for v in e.views] + [param(p.name) for p in e.params]


def event_head(x: ir_machine.Machine, e: ir_machine.Event) -> str:
    name = names.machine(x)
    return f"enum mrg_step {name}_on_{e.name}(struct {name} *m, void *ctx{params(e, [])})"


def deed_head(x: ir_machine.Machine, d: ir_machine.Deed) -> str:
    name = names.machine(x)
    result, word = ("bool", "is") if d.kind == "test" else ("void", "do")
    return f"{result} {name}_{word}_{d.name}(const struct {name} *m, void *ctx{params(d.of, d.params)})"


def timer_head(x: ir_machine.Machine, verb: str, e: ir_machine.Event) -> str:
    name = names.machine(x)
    return f"void {name}_{verb}_{e.name}(const struct {name} *m, void *ctx)"


class Env(c_expr.Env):
    """Leaves of an expression: the machine's variables, and what has come."""

    def __init__(self, x: ir_machine.Machine, e: ir_machine.Event | None) -> None:
        self.x = x
        self.e = e

    def param(self, p: ir.Param) -> str:
        return f"m->{names.local(p.name)}" if any(p is v for v in self.x.vars) else param(p.name)

    def field(self, ref: ir.FieldRef) -> str:
        view = ref.path[0]
        assert isinstance(view, ir.Sub)
        return c_common.path_value(view.packet, ref.path[1:], param(view.name), True)

    def test(self, e: ir_machine.TestOf) -> str:
        return f"{names.machine(self.x)}_is_{e.test.name}(m, ctx{self.arguments(e.test, e.args)})"

    def arguments(self, d: ir_machine.Deed, args: list[ir.Expr]) -> str:
        out: list[str] = []
        if d.of is not None:
            out += event_params(d.of)
        out += [f"({names.uint_type(p.bits)})({c_expr.emit(a, self)})" for p, a in zip(d.params, args)]
        return "".join(", " + text for text in out)


class Steps:
    """The function of one event; `refused`: what it returns where no transition is."""

    def __init__(self, w: Writer, x: ir_machine.Machine, e: ir_machine.Event, refused: str = "MRG_STEP_REFUSED") -> None:
        self.w = w
        self.x = x
        self.e = e
        self.env = Env(x, e)
        self.refused = refused

    def emit(self) -> None:
        """What is the same in each state stands once, before the switch; a timer may not run in all of them."""
        w = self.w
        always = [t for t in self.x.transitions if t.always and t.event is self.e and self.e.kind != "timer"]
        lines = Writer()
        lines.depth = 1
        for t in always:
            self.transition(lines, t)
        if not always or always[-1].guard is not None:
            self.states(lines, len(always))
        text = "\n".join(lines.lines)
        with w.function(self.head()):
            for p in self.unused():
                if not _mentions(text, p):
                    w.line(f"(void){p};")
            self.first()
            w.lines += lines.lines

    def head(self) -> str:
        return event_head(self.x, self.e)

    def unused(self) -> list[str]:
        return ["ctx", *event_params(self.e)]

    def first(self) -> None:
        """What stands before all that."""

    def states(self, w: Writer, behind: int) -> None:
        with w.block("switch (m->state)"):
            for s in self.x.states:
                own = s.on.get(self.e.name, [])[behind:]
                if own:
                    w.lines.append("\t" * (w.depth - 1) + f"case {state_name(self.x, s)}:")
                    for t in own:
                        self.transition(w, t)
        w.line(f"return {self.refused};")

    def transition(self, w: Writer, t: ir_machine.Transition) -> None:
        if t.guard is None:
            self.taken(w, t)
            return
        with w.block(f"if ({c_expr.emit(t.guard, self.env)})"):
            self.taken(w, t)

    def taken(self, w: Writer, t: ir_machine.Transition) -> None:
        w.line(f"TAKEN_{names.machine(self.x)}({t.number});")
        if t.to is not None:
            w.line(f"m->state = {state_name(self.x, t.to)};")
        for do in t.todo:
            self.do(w, do)
        w.line(f"return {_RESULTS[t.kind]};")

    def do(self, w: Writer, do: ir_machine.Do) -> None:
        name = names.machine(self.x)
        if isinstance(do.target, ir.Param):
            v = do.target
            value = c_expr.emit(do.args[0], self.env)
            if packed(v):  # the mask is for compilers, which can't know that it fits
                w.line(f"m->{names.local(v.name)} = ({value}) & {(1 << v.hi.bit_length()) - 1:#x}u;")
            else:
                w.line(f"m->{names.local(v.name)} = ({names.uint_type(v.bits)})({value});")
        elif isinstance(do.target, ir_machine.Event):
            w.line(f"{name}_{do.kind}_{do.target.name}(m, ctx);")
        else:
            w.line(f"{name}_do_{do.target.name}(m, ctx{self.env.arguments(do.target, do.args)});")


def _mentions(text: str, word: str) -> bool:
    return re.search(rf"\b{re.escape(word)}\b", text) is not None
