"""Machines as subjects of fuzzing: their tables for support/fuzz/mrg_machine_plan.h, and the generated C behind them.

The tables are what `machine_ref.py` steps through.  Deeds and tests of the generated C are written here: what is done is told, what
is asked is answered by the input.  Packets that events bring are made by the subjects of those packets.

Reading order: subjects, _tables, _code.
"""

from __future__ import annotations

from typing import Sequence

from .. import ir, ir_machine, names
from ..layout import refs
from . import c_common, machine
from .machine_step import deed_head, event_params, param, state_name, timer_head
from .tests_c import uses_extern
from .writer import Writer

_OPS = {
    "+": "ADD", "-": "SUB", "*": "MUL", "/": "DIV", "%": "MOD", "<<": "SHL", ">>": "SHR", "&": "AND", "|": "OR", "^": "XOR",
    "==": "EQ", "!=": "NE", "<": "LT", "<=": "LE", ">": "GT", ">=": "GE", "&&": "BOTH", "||": "EITHER",
}  # fmt: skip
_RESULTS = {"on": "MRG_STEP_TAKEN", "ignore": "MRG_STEP_IGNORED", "refuse": "MRG_STEP_REFUSED"}
NUMBERS, VARS, BITS, VIEWS, FIELDS = 16, 64, 64, 4, 32  # as mrg_machine_plan.h has room for


def machines_of(module: ir.Module) -> list[ir_machine.Machine]:
    """Those that have a subject."""
    return [x for x in module.machines if not x.part and _fits(x)]


def _fits(x: ir_machine.Machine) -> bool:
    numbers = [len(e.params) for e in x.events] + [len(d.params) for d in x.deeds]
    return (
        all(len(e.views) <= VIEWS and len(_fields(x, e)) <= FIELDS for e in x.events)
        and not any(v.packet.inline or uses_extern(v.packet) for e in x.events for v in e.views)
        and max(numbers, default=0) <= NUMBERS
        and len(x.vars) <= VARS
        and max(len(x.events), len(x.states)) <= BITS
        and sum(d.kind == "test" for d in x.deeds) <= 8
        and all(isinstance(e, _KNOWN) for t in x.transitions for root in _roots(t) for e in refs(root))
    )


_KNOWN = (ir.Const, ir.ParamRef, ir.FieldRef, ir_machine.TestOf, ir.Un, ir.Bin, ir.Cond, ir.In)


def _roots(t: ir_machine.Transition) -> list[ir.Expr]:
    return [*([t.guard] if t.guard is not None else []), *(a for do in t.todo for a in do.args)]


def packets_of(module: ir.Module) -> list[ir.Packet]:
    """Those that events of its machines bring."""
    return list({id(v.packet): v.packet for x in machines_of(module) for e in x.events for v in e.views}.values())


def _fields(x: ir_machine.Machine, e: ir_machine.Event) -> dict[str, ir.FieldRef]:
    """What is asked of the event's packets, by `view.field`."""
    asked = [node for t in x.transitions if t.event is e for root in _roots(t) for node in refs(root) if isinstance(node, ir.FieldRef)]
    return {_path(node): node for node in asked}


def _path(ref: ir.FieldRef) -> str:
    return ".".join(item.name for item in ref.path)


def _maker(packet: ir.Packet) -> str:
    """The subject of the packet (fuzz.py)."""
    return f"mrg_fuzz_{packet.module.name.replace('.', '_')}_{names.snake(packet.name)}"


def _view(x: ir_machine.Machine, e: ir_machine.Event, v: ir.Sub) -> str:
    """What came, in C."""
    return f"{names.machine(x)}_{e.name}_{names.snake(v.name)}"


def subjects(module: ir.Module) -> tuple[str, list[str]]:
    """A C file with a subject for each machine of the module, and what they are called."""
    w = Writer()
    w.comment(f"Machines of {module.name}, as subjects of fuzzing.")
    w.line('#include "mrg_machine_plan.h"')
    for header in sorted({names.header(module), *(names.header(p.module) for p in packets_of(module))}):
        w.line(f'#include "{header}"')
    w.line()
    for packet in packets_of(module):
        w.line(f"extern const struct mrg_fuzz_subject {_maker(packet)};")
    listed = []
    for x in machines_of(module):
        Tables(x).write(w)
        _code(w, x)
        listed.append(_subject(w, module, x))
    return w.text(), listed


def _subject(w: Writer, module: ir.Module, x: ir_machine.Machine) -> str:
    name, symbol = names.machine(x), f"mrg_fuzz_machine_{names.machine(x)}"
    w.line(f"static uint8_t {name}_reached[{len(x.transitions)}];")
    w.line(f"static uint32_t {name}_tries[{len(x.transitions)}];")
    with w.block(f"static struct mrg_machine_subject {name}_ctx =", "};"):
        w.line(f".plan = &{name}_plan, .code = &{name}_code, .reached = {name}_reached, .tries = {name}_tries,")
    w.line(f"extern const struct mrg_fuzz_subject {symbol};")
    with w.block(f"const struct mrg_fuzz_subject {symbol} =", "};"):
        w.line(f".name = {names.c_string(module.name + '.' + x.name)}, .ctx = &{name}_ctx, .len_max = MRG_MACHINE_LEN,")
        for part in ("make", "mutate", "smaller", "run", "show"):
            w.line(f".{part} = mrg_machine_subject_{part},")
        w.line(f".point_count = {len(x.transitions)}, .point_name = mrg_machine_subject_point, .reached = {name}_reached,")
    w.line()
    return symbol


# --- tables -----------------------------------------------------------------------------------------


class Tables:
    """A machine, row by row."""

    def __init__(self, x: ir_machine.Machine) -> None:
        self.x = x
        self.exprs: list[str] = []
        self.dos: list[str] = []
        self.numbers: list[str] = []
        self.lists: list[int] = []
        self.fields: list[str] = []  # of the event that is written down

    def _list(self, values: list[int]) -> int:
        at = len(self.lists)
        self.lists += values
        return at

    def _expr(self, e: ir.Expr, params: list[ir.Param]) -> int:
        def row(op: str, **fields: int) -> int:
            self.exprs.append(f"{{ .op = MRG_MACHINE_{op}" + "".join(f", .{k} = {v}u" for k, v in fields.items()) + " }")
            return len(self.exprs) - 1

        def of(part: ir.Expr) -> int:
            return self._expr(part, params)

        if isinstance(e, ir.Const):
            self.exprs.append(f"{{ .op = MRG_MACHINE_CONST, .value = UINT64_C({e.value}) }}")
            return len(self.exprs) - 1
        if isinstance(e, ir.ParamRef):
            which = [v for v in self.x.vars if v is e.param]
            return row("VAR", a=self.x.vars.index(which[0])) if which else row("PARAM", a=next(i for i, p in enumerate(params) if p is e.param))
        if isinstance(e, ir.FieldRef):
            return row("FIELD", a=self.fields.index(_path(e)))
        if isinstance(e, ir_machine.TestOf):
            return row("TEST", a=_tests(self.x).index(e.test))
        if isinstance(e, ir.Un):
            return row("NOT" if e.op == "!" else "INV", a=of(e.a))
        if isinstance(e, ir.Cond):
            return row("COND", a=of(e.c), b=of(e.a), c=of(e.b))
        if isinstance(e, ir.In):
            pairs = [of(bound) for pair in e.ranges for bound in pair]
            return row("IN", a=of(e.e), b=self._list(pairs), n=len(e.ranges))
        assert isinstance(e, ir.Bin), type(e).__name__
        return row(_OPS[e.op], a=of(e.a), b=of(e.b))

    def _do(self, do: ir_machine.Do, params: list[ir.Param]) -> None:
        targets: Sequence[object] = self.x.events
        if do.kind == "deed":
            targets = self.x.deeds
        elif do.kind == "assign":
            targets = self.x.vars
        at = next(i for i, target in enumerate(targets) if target is do.target)
        args = [self._expr(a, params) for a in do.args]
        verb = {"deed": "DO", "assign": "ASSIGN"}.get(do.kind, do.kind.upper())
        self.dos.append(f"{{ MRG_MACHINE_{verb}, {at}, {self._list(args)}, {len(args)} }}")

    def _transition(self, t: ir_machine.Transition) -> str:
        self.fields = list(_fields(self.x, t.event))
        guard = "MRG_MACHINE_NONE" if t.guard is None else str(self._expr(t.guard, t.event.params))
        first = len(self.dos)
        for do in t.todo:
            self._do(do, t.event.params)
        to = "MRG_MACHINE_NONE" if t.to is None else str(next(i for i, s in enumerate(self.x.states) if s is t.to))
        text = names.c_string(machine.described(self.x, t))
        return f"{{ {_RESULTS[t.kind]}, {guard}, {to}, {first}, {len(t.todo)}, {text} }}"

    def _event(self, e: ir_machine.Event) -> str:
        first = len(self.numbers)
        self.numbers += [_number(p, p.lo, p.hi) for p in e.params]
        makers = ", ".join(f"&{_maker(v.packet)}" for v in e.views)
        makers = f"(const struct mrg_fuzz_subject *const[]){{ {makers} }}" if makers else "NULL"
        return f"{{ {names.c_string(e.name)}, {'true' if e.kind == 'timer' else 'false'}, {first}, {len(e.params)}, {makers}, {len(e.views)} }}"

    def _never(self, n: ir_machine.Never) -> str:
        states = sum(1 << i for i, s in enumerate(self.x.states) if any(s is t for t in n.states))
        return f"{{ {self._expr(n.cond, [])}, UINT64_C({states}), {names.c_string(n.text)} }}"

    def write(self, w: Writer) -> None:
        x, name = self.x, names.machine(self.x)
        transitions = [self._transition(t) for t in x.transitions]
        events = [self._event(e) for e in x.events]
        variables = len(self.numbers)
        self.numbers += [_number(v, first, v.hi) for v, first in zip(x.vars, x.first)]
        nevers = [self._never(n) for n in x.nevers]
        on = []
        for s in x.states:
            for e in x.events:
                found = s.on.get(e.name, [])
                on += [self._list([t.number for t in found]), len(found)]
        _rows(w, f"static const struct mrg_machine_expr {name}_exprs[]", self.exprs)
        _rows(w, f"static const struct mrg_machine_do {name}_dos[]", self.dos)
        _rows(w, f"static const struct mrg_machine_transition {name}_transitions[]", transitions)
        _rows(w, f"static const struct mrg_machine_event {name}_events[]", events)
        _rows(w, f"static const struct mrg_machine_number {name}_numbers[]", self.numbers)
        _rows(w, f"static const struct mrg_machine_never {name}_nevers[]", nevers)
        _rows(w, f"static const uint16_t {name}_lists[]", list(map(str, self.lists)), "0")
        _rows(w, f"static const uint16_t {name}_on[]", list(map(str, on)), "0")
        _rows(w, f"static const char *const {name}_states[]", [names.c_string(s.name) for s in x.states])
        _rows(w, f"static const char *const {name}_deeds[]", [names.c_string(d.name) for d in x.deeds], "NULL")
        views = _views(w, x)
        with w.block(f"static const struct mrg_machine_plan {name}_plan =", "};"):
            for part in ("exprs", "dos", "transitions", "events", "numbers", "nevers", "lists", "on", "states", "deeds"):
                w.line(f".{part} = {name}_{part},")
            w.line(f".event_n = {len(events)}, .transition_n = {len(transitions)}, .state_n = {len(x.states)}, .never_n = {len(nevers)},")
            start = next(i for i, s in enumerate(x.states) if s.start)
            w.line(f".views = {views},")
            w.line(f".vars = {variables}, .var_n = {len(x.vars)}, .start = {start},")
        w.line()


def _views(w: Writer, x: ir_machine.Machine) -> str:
    """The function that takes the packets that come; its name."""
    name = names.machine(x)
    with_packets = [(number, e) for number, e in enumerate(x.events) if e.views]
    if not with_packets:
        return "NULL"
    for _, e in with_packets:
        for v in e.views:
            w.line(f"static struct {names.packet(v.packet)} {_view(x, e, v)};")
    with w.block(f"static bool {name}_views(unsigned event, const struct mrg_span *packets, uint64_t *fields)", "}"):
        w.line("(void)fields;")
        with w.block("switch (event)", "}"):
            for number, e in with_packets:
                w.line(f"case {number}:")
                w.depth += 1
                for i, v in enumerate(e.views):
                    w.line(f"if ({c_common.check_name(v.packet)}(packets[{i}], &{_view(x, e, v)}, NULL) != MRG_OK)")
                    w.line("\treturn false;")
                for i, ref in enumerate(_fields(x, e).values()):
                    first = ref.path[0]
                    assert isinstance(first, ir.Sub)
                    w.line(f"fields[{i}] = (uint64_t){c_common.path_value(first.packet, tuple(ref.path[1:]), _view(x, e, first), False)};")
                w.line("return true;")
                w.depth -= 1
            w.line("default: return true;")
    return f"{name}_views"


def _tests(x: ir_machine.Machine) -> list[ir_machine.Deed]:
    return [d for d in x.deeds if d.kind == "test"]


def _number(p: ir.Param, lo: int, hi: int) -> str:
    return f"{{ UINT64_C({lo}), UINT64_C({hi}), {(hi.bit_length() + 7) // 8 or 1}, {names.c_string(p.name)} }}"


def _rows(w: Writer, head: str, rows: list[str], none: str = "{ 0 }") -> None:
    with w.block(f"{head} =", "};"):
        for row in rows or [none]:
            w.line(row + ",")


# --- the generated C behind them ------------------------------------------------------------------------


def _code(w: Writer, x: ir_machine.Machine) -> None:
    """What drives the generated functions, and the deeds and tests that they call."""
    name = names.machine(x)
    w.line(f"static struct {name} {name}_one;")
    w.line()
    for d in x.deeds:
        _deed(w, x, d)
    for number, e in enumerate(x.events):
        for verb in ("set", "cancel"):
            if e.kind == "timer" and any(do.kind == verb and do.target is e for t in x.transitions for do in t.todo):
                w.line(f"{timer_head(x, verb, e)};")
                with w.block(timer_head(x, verb, e), "}"):
                    w.line("(void)m;")
                    w.line(f"mrg_machine_tell(ctx, MRG_MACHINE_{verb.upper()}, {number}, 0, NULL);")
    with w.block(f"static void {name}_again(void)", "}"):
        w.line(f"{name}_begin(&{name}_one);")
    with w.block(f"static enum mrg_step {name}_step(unsigned event, struct mrg_machine_log *log, const uint64_t *args)", "}"):
        w.line("(void)args;")
        with w.block("switch (event)", "}"):
            for number, e in enumerate(x.events):
                given = "".join(f", &{_view(x, e, v)}" for v in e.views)
                given += "".join(f", ({names.uint_type(p.bits)})args[{i}]" for i, p in enumerate(e.params))
                w.line(f"case {number}: return {name}_on_{e.name}(&{name}_one, log{given});")
            w.line("default: return MRG_STEP_REFUSED;")
    with w.block(f"static void {name}_look(unsigned *state, uint64_t *vars)", "}"):
        w.line("(void)vars;")
        with w.block(f"switch ({name}_one.state)", "}"):
            for number, s in enumerate(x.states):
                w.line(f"case {state_name(x, s)}: *state = {number}; break;")
            w.line(f"default: *state = {len(x.states)}; break;")
        for number, v in enumerate(x.vars):
            w.line(f"vars[{number}] = {name}_one.{names.local(v.name)};")
    if x.nevers:
        with w.block(f"static bool {name}_is_good(void)", "}"):
            w.line(f"return {name}_holds(&{name}_one);")
    with w.block(f"static const struct mrg_machine_code {name}_code =", "};"):
        holds = f"{name}_is_good" if x.nevers else "NULL"
        w.line(f".machine = &{name}_one, .begin = {name}_again, .step = {name}_step, .look = {name}_look, .holds = {holds},")
    w.line()


def _deed(w: Writer, x: ir_machine.Machine, d: ir_machine.Deed) -> None:
    """Told with its own parameters; those of the event that it is told of are passed over."""
    own = [param(p.name) for p in d.params]
    others = event_params(d.of) if d.of is not None else []
    w.line(f"{deed_head(x, d)};")
    with w.block(deed_head(x, d), "}"):
        for name in ["m", *others, *(own if d.kind == "test" else [])]:
            w.line(f"(void){name};")
        if d.of is not None:
            for v in d.of.views:
                w.line(f"if ({param(v.name)} != &{_view(x, d.of, v)}) /* not what came */")
                w.line("\tmrg_machine_tell(ctx, MRG_MACHINE_DO, MRG_MACHINE_NONE, 0, NULL);")
        if d.kind == "test":
            w.line(f"return mrg_machine_ask(ctx, {_tests(x).index(d)});")
            return
        at = next(i for i, other in enumerate(x.deeds) if other is d)
        given = f"(const uint64_t[]){{ {', '.join(own)} }}" if own else "NULL"
        w.line(f"mrg_machine_tell(ctx, MRG_MACHINE_DO, {at}, {len(own)}, {given});")
