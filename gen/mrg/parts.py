"""States that run another machine: written out, as states of their own.

`Leased runs Lease { ... }` becomes a state for each of Lease's: LeasedBound, LeasedRenewing.  In each of them the handlers of
Leased are tried first, then those of Lease; what leads to Leased leads to where Lease starts, with its variables as at first; what
leads in Lease to a state that a `when` names leads out, as that says.  What Lease declares is declared here as well, unless it is
already, and then as the same.  So all that follows knows plain states only.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Callable, Mapping, Optional, Union

from . import ast
from .errors import Errors, Skip, meant

Declared = Union[ast.MEvent, ast.MDeed, ast.MVar]
Key = tuple[str, str]  # the kind of name, and the name


def run_by(decls: Mapping[str, ast.Decl]) -> set[str]:
    """The machines of a module that others run."""
    return {s.runs.name for d in decls.values() if isinstance(d, ast.MachineDecl) for s in _states(d) if s.runs is not None}


def write_out(d: ast.MachineDecl, part: Callable[[ast.Ident], ast.MachineDecl], errors: Errors) -> ast.MachineDecl:
    """The machine with plain states only.  `part`: a machine of this module by its name.  Raises Skip after reporting."""
    return _Writer(d, part, errors).write() if any(s.runs is not None for s in _states(d)) else d


def _states(d: ast.MachineDecl) -> list[ast.MState]:
    return [i for i in d.items if isinstance(i, ast.MState)]


class _Run:
    """A state that runs a machine."""

    def __init__(self, state: ast.MState, part: ast.MachineDecl, leave: dict[str, ast.MHandler]) -> None:
        self.state = state
        self.part = part
        self.leave = leave  # the `when`s, by the state of the part
        self.stays = [s for s in _states(part) if s.name.name not in leave]
        self.vars = [i.param.name.name for i in part.items if isinstance(i, ast.MVar)]

    def named(self, inner: str, at: ast.Ident) -> ast.Ident:
        return ast.Ident(at.span, self.state.name.name + inner)

    def start(self, at: ast.Ident) -> ast.Ident:
        return self.named(next(s.name.name for s in self.stays if s.start), at)


class _Writer:
    def __init__(self, d: ast.MachineDecl, part: Callable[[ast.Ident], ast.MachineDecl], errors: Errors) -> None:
        self.d = d
        self.part = part
        self.errors = errors
        self.runs: dict[str, _Run] = {}
        self.hidden: dict[str, str] = {}  # by the name of a state that is written out: the one that was written
        self.declared: dict[Key, Declared] = {}

    def write(self) -> ast.MachineDecl:
        before = len(self.errors.found)
        for s in _states(self.d):
            if s.runs is not None:
                self._run(s, s.runs)
        if len(self.errors.found) != before:
            raise Skip()
        more = self._declarations()
        items = [item for i in self.d.items for item in self._item(i)]
        parts = {run.part.name.name: run.part for run in self.runs.values()}
        nevers = [n for part in parts.values() for n in self._nevers(part)]
        if len(self.errors.found) != before:
            raise Skip()
        return replace(self.d, items=(*items, *more, *nevers))

    # --- what runs ----------------------------------------------------------------------

    def _run(self, s: ast.MState, runs: ast.Ident) -> None:
        part = self.part(runs)
        inner = {i.name.name: i for i in _states(part)}
        inside = [i for i in inner.values() if i.runs is not None]
        if inside:
            self.errors.error(runs.span, f"machine '{runs.name}' has a part itself", [(inside[0].name.span, "here")])
        if not any(i.start for i in inner.values()):
            self.errors.error(runs.span, f"machine '{runs.name}' has no start")
            return
        leave: dict[str, ast.MHandler] = {}
        reached = {h.to.name for h in _handlers(part) if h.to is not None}
        for h in s.handlers:
            for name in h.events if h.word == "when" else ():
                self._leave(name, runs, inner, reached, leave)
                leave[name.name] = h
        one = self.runs[s.name.name] = _Run(s, part, leave)
        for i in one.stays:
            written = s.name.name + i.name.name
            if any(written == other.name.name for other in _states(self.d)):
                self.errors.error(s.name.span, f"'{i.name.name}' of '{runs.name}' is state '{written}' here, and there is one")
            self.hidden[written] = s.name.name

    def _leave(self, name: ast.Ident, runs: ast.Ident, inner: dict[str, ast.MState], reached: set[str], before: dict[str, ast.MHandler]) -> None:
        if name.name not in inner:
            self.errors.error(name.span, f"machine '{runs.name}' has no state '{name.name}'{meant(name.name, inner)}")
        elif inner[name.name].start:
            self.errors.error(name.span, f"machine '{runs.name}' starts in '{name.name}'")
        elif name.name in before:
            self.errors.error(name.span, f"'{name.name}' is named twice")
        elif name.name not in reached:
            self.errors.error(name.span, f"nothing leads to '{name.name}' in machine '{runs.name}'")

    # --- what is declared ---------------------------------------------------------------

    def _declarations(self) -> list[ast.MItem]:
        out: list[ast.MItem] = []
        for item in self.d.items:
            for key in _keys(item):
                assert isinstance(item, (ast.MEvent, ast.MDeed, ast.MVar))
                self.declared[key] = item
        for run in self.runs.values():
            for item in run.part.items:
                if isinstance(item, (ast.MEvent, ast.MDeed, ast.MVar)) and self._new(run, item):
                    out.append(item)
        return out

    def _new(self, run: _Run, item: Declared) -> bool:
        """Whether it is to be declared: not where the same is."""
        others = [self.declared[key] for key in _keys(item) if key in self.declared]
        for other in others:
            if other is not item and (isinstance(item, ast.MVar) or _signature(other) != _signature(item)):
                assert run.state.runs is not None
                notes = [(_name(other).span, "declared here"), (_name(item).span, "and here")]
                raise self.errors.error(run.state.runs.span, f"'{_name(item).name}' of machine '{run.part.name.name}' is something else here", notes)
        self.declared.update((key, item) for key in _keys(item))
        return not others

    # --- what is done -------------------------------------------------------------------

    def _item(self, i: ast.MItem) -> list[ast.MItem]:
        if isinstance(i, ast.MAlways):
            return [replace(i, handlers=tuple(self._led(h) for h in i.handlers))]
        if isinstance(i, ast.MNever):
            return [replace(i, states=tuple(s for name in i.states for s in self._all(name)))]
        if not isinstance(i, ast.MState):
            return [i]
        run = self.runs.get(i.name.name)
        if run is None:
            return [replace(i, handlers=tuple(self._led(h) for h in i.handlers))]
        return [self._stay(run, inner) for inner in run.stays]

    def _all(self, name: ast.Ident) -> list[ast.Ident]:
        run = self.runs.get(name.name)
        return [run.named(s.name.name, name) for s in run.stays] if run is not None else [name]

    def _enter(self, to: Optional[ast.Ident]) -> tuple[Optional[ast.Ident], tuple[ast.MDo, ...]]:
        """Where a transition leads that is written in this machine, and what of the part is to be as at first."""
        if to is None:
            return None, ()
        if to.name in self.hidden:
            self.errors.error(to.span, f"'{self.hidden[to.name]}' is entered where its machine starts")
        run = self.runs.get(to.name)
        if run is None:
            return to, ()
        return run.start(to), tuple(ast.MDo(to.span, "first", ast.Ident(to.span, v), (), None) for v in run.vars)

    def _led(self, h: ast.MHandler) -> ast.MHandler:
        to, first = self._enter(h.to)
        return replace(h, to=to, todo=(*first, *h.todo))

    def _stay(self, run: _Run, inner: ast.MState) -> ast.MState:
        s = run.state
        always = [h for i in self.d.items if isinstance(i, ast.MAlways) for h in i.handlers]
        own = [h for h in s.handlers if h.word != "when"]
        taken = {e.name for h in (*always, *own) if h.guard is None for e in h.events}
        handlers = [replace(self._led(h), copied=True) for h in own]
        for h in (*(h for i in run.part.items if isinstance(i, ast.MAlways) for h in i.handlers), *inner.handlers):
            events = tuple(e for e in h.events if e.name not in taken)
            if events:
                handlers.append(self._inner(run, replace(h, events=events, copied=True)))
        name = run.named(inner.name.name, s.name)
        return ast.MState(s.span, inner.doc, name, s.start and inner.start, s.final and inner.final, None, tuple(handlers))

    def _inner(self, run: _Run, h: ast.MHandler) -> ast.MHandler:
        """What the part does."""
        if h.to is None:
            return h
        leave = run.leave.get(h.to.name)
        if leave is None:
            return replace(h, to=run.named(h.to.name, h.to))
        to, first = self._enter(leave.to)
        return replace(h, to=to, todo=(*h.todo, *first, *leave.todo))

    def _nevers(self, part: ast.MachineDecl) -> list[ast.MItem]:
        """What is never to be of a part is not where it runs."""
        out: list[ast.MItem] = []
        for n in part.items:
            if not isinstance(n, ast.MNever):
                continue
            inside = {s.name for s in n.states} or {s.name.name for s in _states(part)}
            runs = [run for run in self.runs.values() if run.part is part]
            states = tuple(run.named(s.name.name, run.state.name) for run in runs for s in run.stays if s.name.name in inside)
            if states:
                out.append(replace(n, states=states))
        return out


def _handlers(d: ast.MachineDecl) -> list[ast.MHandler]:
    return [h for i in d.items if isinstance(i, (ast.MState, ast.MAlways)) for h in i.handlers]


def _keys(item: ast.MItem) -> list[Key]:
    """What a name of this kind may not be, too: a variable is both what is done and what is in expressions."""
    if isinstance(item, ast.MEvent):
        return [("event", item.name.name)]
    if isinstance(item, ast.MDeed):
        return [("value" if item.kind == "test" else "deed", item.name.name)]
    return [("value", item.param.name.name), ("deed", item.param.name.name)] if isinstance(item, ast.MVar) else []


def _name(item: Declared) -> ast.Ident:
    return item.param.name if isinstance(item, ast.MVar) else item.name


def _signature(item: Declared) -> tuple[object, ...]:
    if isinstance(item, ast.MVar):
        return ("var",)
    of = item.of.name if isinstance(item, ast.MDeed) and item.of is not None else ""
    return (item.kind, of, *(" ".join(p.span.text().split()) for p in item.params))
