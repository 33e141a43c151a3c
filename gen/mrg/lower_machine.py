"""Machines: names bound, guards typed, and what they leave out.

Reading order: MachineLowerer.machine; then the parts in its order.  What is asked of a machine as a whole is in
check_machine.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Callable, Hashable, Iterable, Optional, Sequence, TypeVar, Union

from . import ast, check_machine, ir, ir_machine
from .errors import Skip, meant
from .lower_expr import Entry, ExprLowerer, Found
from .prove import Facts

if TYPE_CHECKING:
    from .lower import ModuleLowerer

Tried = dict[str, list[tuple[ir_machine.Transition, Facts]]]  # by event: transitions, with what is known where the guard does not hold
T = TypeVar("T")


class MachineLowerer(ExprLowerer):
    def __init__(self, module: ModuleLowerer, d: ast.MachineDecl, part: bool) -> None:
        super().__init__(module.errors, module.symbol, module.names)
        self.module = module
        self.d = d
        self.ir = ir_machine.Machine(d.name.name, module.ir, d.name.span.loc(), d.doc, [], [], [], [], [], [], [], part)
        self.events: dict[str, ir_machine.Event] = {}
        self.deeds: dict[str, ir_machine.Deed] = {}  # but tests
        self.values: dict[str, Union[ir_machine.Deed, ir.Param]] = {}  # tests and variables: what is in expressions
        self.states: dict[str, ir_machine.State] = {}
        self.event: Optional[ir_machine.Event] = None  # the one that has come, where an expression stands
        self.first = False  # in `always`
        self.changes: dict[int, int] = {}  # by variable, how often it was assigned before

    def machine(self) -> ir_machine.Machine:
        """Raises Skip after reporting."""
        self._each(ast.MVar, self._var)
        self._each(ast.MEvent, self._event)
        self._each(ast.MDeed, self._deed)
        self._each(ast.MState, self._state)
        if not self.ir.states:
            raise self.errors.error(self.d.name.span, f"machine '{self.d.name.name}' has no states")
        before = len(self.errors.found)
        always = self._always()
        self._each(ast.MState, lambda item: self._handlers(self.states[item.name.name], always, item))
        self._each(ast.MNever, self._never)  # when it is known what all states do
        if len(self.errors.found) != before:
            raise Skip()
        if not self.ir.part:  # else it is checked where it runs, with the timers that run there
            check_machine.check(self.ir, self.d, self.errors)
        return self.ir

    def _each(self, kind: type[T], lower: Callable[[T], None]) -> None:
        for item in self.d.items:
            if isinstance(item, kind):
                self._tried(lower, item)

    def _tried(self, lower: Callable[[T], None], item: T) -> None:
        """What is wrong is reported; the others are looked at all the same."""
        try:
            lower(item)
        except Skip:
            pass

    # --- declarations -----------------------------------------------------------------

    def _var(self, v: ast.MVar) -> None:
        param = self.module.param(v.param)
        first = self.const(v.first, "the first value", param.enum) if v.first is not None else param.lo
        if not param.lo <= first <= param.hi and v.first is not None:
            raise self.errors.error(v.first.span, f"'{param.name}' is {param.lo}..{param.hi}, not {first}")
        self.ir.vars.append(param)
        self.ir.first.append(first)
        self.values[param.name] = param

    def _event(self, e: ast.MEvent) -> None:
        one = ir_machine.Event(e.kind, e.name.name, e.name.span.loc(), e.doc)
        if e.kind == "timer" and e.params:
            self.errors.error(e.params[0].span, "a timer has no parameters")
        for p in e.params:
            packet = self.symbol(p.enum) if p.enum is not None else None
            if isinstance(packet, ir.Packet):
                one.views.append(self._view(p, packet))
            else:
                one.params.append(self.module.param(p))
        self.ir.events.append(one)
        self.events[one.name] = one

    def _view(self, p: ast.Param, packet: ir.Packet) -> ir.Sub:
        if packet.params or packet.shared:
            raise self.errors.error(p.span, f"'{packet.name}' has parameters or is 'shared': a machine takes a view of it only without")
        return ir.Sub(p.span.loc(), "", p.name.name, packet)

    def _deed(self, d: ast.MDeed) -> None:
        of: Optional[ir_machine.Event] = None
        if d.of is not None:
            of = self._event_of(d.of)
        one = ir_machine.Deed(d.kind, d.name.name, d.name.span.loc(), d.doc, [self.module.param(p) for p in d.params], of)
        self.ir.deeds.append(one)
        if one.kind == "test":
            self.values[one.name] = one
        else:
            self.deeds[one.name] = one

    def _state(self, s: ast.MState) -> None:
        one = ir_machine.State(s.name.name, s.name.span.loc(), s.doc, s.start, s.final)
        if s.start and any(other.start for other in self.ir.states):
            self.errors.error(s.name.span, "a machine has one start")
        self.ir.states.append(one)
        self.states[one.name] = one

    # --- transitions --------------------------------------------------------------------

    def _always(self) -> Tried:
        """What is tried first in each state."""
        out: Tried = {}
        self.first = True
        for item in self.d.items:
            for handler in item.handlers if isinstance(item, ast.MAlways) else ():
                self._tried(lambda h: self._handler(h, out, None), handler)
        self.first = False
        return out

    def _handlers(self, state: ir_machine.State, always: Tried, item: ast.MState) -> None:
        found = {name: list(some) for name, some in always.items()}
        for handler in item.handlers:
            self._tried(lambda h: self._handler(h, found, state), handler)
        state.on = {name: [t for t, _ in some] for name, some in found.items()}

    def _handler(self, h: ast.MHandler, found: Tried, state: Optional[ir_machine.State]) -> None:
        for name in h.events:
            event = self._event_of(name)
            some = found.setdefault(event.name, [])
            if some and some[-1][0].guard is None:
                where = f"in state '{state.name}'" if state is not None else "in each state"
                raise self.errors.error(name.span, f"never reached: '{event.name}' is taken without a condition before this, {where}")
            some.append(self._transition(h, event, some[-1][1] if some else Facts()))

    def _transition(self, h: ast.MHandler, event: ir_machine.Event, known: Facts) -> tuple[ir_machine.Transition, Facts]:
        self.event, self.facts, self.changes = event, known.child(), {}
        try:
            guard = self.condition(h.guard, "this condition") if h.guard is not None else None
            otherwise = known.child()
            if guard is not None:
                otherwise.assume(guard, False)
                self.facts.assume(guard, True)
            to = self._to(h.to) if h.to is not None else None
            number = len(self.ir.transitions)
            one = ir_machine.Transition(h.word, h.span.loc(), h.doc, event, guard, to, [], number, _text(h, event), self.first, h.copied)
            self.ir.transitions.append(one)
            one.todo = [self._do(do) for do in h.todo]
        finally:
            self.event = None
        return one, otherwise

    def _to(self, name: ast.Ident) -> ir_machine.State:
        found = self.states.get(name.name)
        if found is None:
            raise self.errors.error(name.span, f"unknown state '{name.name}'{meant(name.name, self.states)}")
        return found

    def _event_of(self, name: ast.Ident) -> ir_machine.Event:
        found = self.events.get(name.name)
        if found is None:
            raise self._unknown(name, "an event", self.events)
        return found

    def _deed_of(self, name: ast.Ident) -> ir_machine.Deed:
        found = self.deeds.get(name.name)
        if found is None:
            raise self._unknown(name, "a tx or an action", self.deeds)
        return found

    def _unknown(self, name: ast.Ident, what: str, names: Iterable[str]) -> Skip:
        """Report a name that is not declared as what it should be."""
        if name.name in [*self.events, *self.deeds, *self.values]:
            return self.errors.error(name.span, f"'{name.name}' is not {what}")
        return self.errors.error(name.span, f"'{name.name}' is not declared; {what} is expected{meant(name.name, names)}")

    def _do(self, do: ast.MDo) -> ir_machine.Do:
        loc = do.span.loc()
        if do.word in ("set", "cancel"):
            timer = self._event_of(do.name)
            if timer.kind != "timer":
                raise self.errors.error(do.name.span, f"'{do.name.name}' is not a timer")
            return ir_machine.Do(do.word, loc, timer)
        if do.word == "first":
            of, first = next((v, n) for v, n in zip(self.ir.vars, self.ir.first) if v.name == do.name.name)
            constant = ir.Const(loc, first, first, first)
            self._assigned(of, constant)
            return ir_machine.Do("assign", loc, of, [constant])
        if do.value is not None:
            var = self.values.get(do.name.name)
            if not isinstance(var, ir.Param):
                variables = [n for n, x in self.values.items() if isinstance(x, ir.Param)]
                raise self._unknown(do.name, "a variable", variables)
            value = self.expr(do.value, var.enum)
            self.fits(value, var.lo, var.hi, do.value.span, f"'{var.name}'")
            self._assigned(var, value)
            return ir_machine.Do("assign", loc, var, [value])
        deed = self._deed_of(do.name)
        return ir_machine.Do("deed", loc, deed, self._args(deed, do.name, do.args))

    def _args(self, deed: ir_machine.Deed, name: ast.Ident, written: Sequence[ast.Expr]) -> list[ir.Expr]:
        if deed.of is not None and deed.of is not self.event:
            raise self.errors.error(name.span, f"'{deed.name}' can only be used where '{deed.of.name}' has come")
        if len(written) != len(deed.params):
            raise self.errors.error(name.span, f"'{deed.name}' takes {len(deed.params)} arguments, not {len(written)}")
        args: list[ir.Expr] = []
        for e, p in zip(written, deed.params):
            args.append(self.expr(e, p.enum))
            self.fits(args[-1], p.lo, p.hi, e.span, f"parameter '{p.name}' of '{deed.name}'")
        return args

    def _assigned(self, var: ir.Param, value: ir.Expr) -> None:
        """From here on the variable is another value."""
        form = self.facts.lin(value)
        self.changes[id(var)] = self.changes.get(id(var), 0) + 1
        lo, hi = max(value.lo, var.lo), min(value.hi, var.hi)
        new = self.facts.atom(self._atom(var), lo, hi)
        for gap in (new.plus(form, -1), form.plus(new, -1)):
            self.facts.add(gap)

    def _atom(self, var: ir.Param) -> tuple[Hashable, ...]:
        return ("var", id(var), self.changes.get(id(var), 0))

    # --- never ----------------------------------------------------------------------------

    def _never(self, n: ast.MNever) -> None:
        states = [self._to(s) for s in n.states] or self.ir.states
        self.facts, self.changes = Facts(), {}
        if n.cond is not None:
            cond = self.expr(n.cond)
            if cond.hi != 0:  # else the ranges of the variables say so already
                self.ir.nevers.append(ir_machine.Never(n.span.loc(), n.doc, cond, states, _written(n)))
            return
        assert n.deed is not None
        deed = self._deed_of(n.deed)
        for state in states:
            for t in (t for some in state.on.values() for t in some):
                if any(do.target is deed for do in t.todo):
                    text = f"'{n.deed.name}' is never to be done in state '{state.name}', but on '{t.event.name}' it is (line {t.loc.line})"
                    self.errors.error(n.deed.span, text)

    # --- expressions ------------------------------------------------------------------------

    def lookup(self, name: ast.Ident) -> Optional[Found]:
        var = self.values.get(name.name)
        if isinstance(var, ir.Param):
            return var
        for param in self.event.params if self.event is not None else ():
            if param.name == name.name:
                return param
        for view in self.event.views if self.event is not None else ():
            if view.name == name.name:
                return Entry(view, name.span, frozenset())
        return None

    def known_names(self) -> list[str]:
        event = self.event
        return [*self.values] + ([p.name for p in event.params] + [v.name for v in event.views] if event is not None else [])

    def enums(self) -> list[ir.Enum]:
        return self.module.visible_enums()

    def param(self, e: ast.Expr, p: ir.Param) -> ir.Expr:
        if not any(p is v for v in self.ir.vars):
            return super().param(e, p)
        node = ir.ParamRef(e.span.loc(), p.lo, p.hi, p)
        self._bind(node, self._atom(p), p.lo, p.hi)
        return node

    def _name(self, e: ast.Name) -> ir.Expr:
        test = self.values.get(e.path[0].name) if len(e.path) == 1 else None
        if isinstance(test, ir_machine.Deed) and self.member_of(e) is None:
            return self._test(e.path[0], test, ())
        return super()._name(e)

    def _call(self, e: ast.Call) -> ir.Expr:
        test = self.values.get(e.name.name)
        return self._test(e.name, test, e.args) if isinstance(test, ir_machine.Deed) else super()._call(e)

    def _test(self, name: ast.Ident, test: ir_machine.Deed, written: Sequence[ast.Expr]) -> ir.Expr:
        node = ir_machine.TestOf(name.span.loc(), 0, 1, test, self._args(test, name, written))
        self.facts.define(node, self.facts.atom(("node", id(node)), 0, 1))
        return node


def _written(n: ast.MNever) -> str:
    return " ".join(n.span.text().split()).rstrip(";")


def _text(h: ast.MHandler, event: ir_machine.Event) -> str:
    guard = f" if {' '.join(h.guard.span.text().split())}" if h.guard is not None else ""
    return f"{h.word} {event.name}{guard}" + (f" -> {h.to.name}" if h.to is not None else "")
