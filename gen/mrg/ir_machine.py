"""The intermediate representation of machines.

An event is tried against the transitions that its state has for it, in order: the first whose guard holds is taken.
Then the state is the new one, and deeds and assignments follow in the order written.  There is always one: the last has
no guard.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Optional, Union

from . import ir


@dataclass(eq=False)
class Event:
    kind: str  # "rx": a message came; "user": somebody wants something; "timer": time is up
    name: str
    loc: ir.Loc
    doc: str
    params: list[ir.Param] = field(default_factory=list)
    views: list[ir.Sub] = field(default_factory=list)  # packets, which are what came


@dataclass(eq=False)
class Deed:
    """What is left to whoever uses the machine, in C."""

    kind: str  # "tx": a message to be sent; "action": anything else; "test": a question, 0 or 1
    name: str
    loc: ir.Loc
    doc: str
    params: list[ir.Param]
    of: Optional[Event]  # it is told of this event too, so it can only be used where that has come


@dataclass
class TestOf(ir.Expr):
    """What a test says."""

    test: Deed
    args: list[ir.Expr]


@dataclass(eq=False)
class Do:
    """kind: "deed", "set" and "cancel" a timer, "assign"."""

    kind: str
    loc: ir.Loc
    target: Union[Deed, Event, ir.Param]
    args: list[ir.Expr] = field(default_factory=list)  # of a deed; the value of an assignment


@dataclass(eq=False)
class Transition:
    """kind: "on"; "ignore": nothing is done; "refuse": that is a fault of who sends or calls."""

    kind: str
    loc: ir.Loc
    doc: str
    event: Event
    guard: Optional[ir.Expr]
    to: Optional["State"]  # None: stays
    todo: list[Do]
    number: int  # of the machine's, as they are written
    text: str  # as it is written, without what is done
    always: bool = False  # tried first in each state
    copied: bool = False  # one of several that were written as one, for a state that runs a machine


@dataclass(eq=False)
class State:
    name: str
    loc: ir.Loc
    doc: str
    start: bool
    final: bool
    on: dict[str, list[Transition]] = field(default_factory=dict)  # by event, those of `always` first; timers that can't run: none


@dataclass(eq=False)
class Never:
    """A condition on variables that holds in none of these states."""

    loc: ir.Loc
    doc: str
    cond: ir.Expr
    states: list[State]
    text: str  # as it is written


@dataclass(eq=False)
class Machine:
    name: str
    module: ir.Module
    loc: ir.Loc
    doc: str
    events: list[Event]
    deeds: list[Deed]
    vars: list[ir.Param]
    first: list[int]  # the variables' values at the start
    states: list[State]
    transitions: list[Transition]
    nevers: list[Never]
    part: bool = False  # another one of the module runs it: it is written in C there

    @property
    def start(self) -> State:
        return next(s for s in self.states if s.start)
