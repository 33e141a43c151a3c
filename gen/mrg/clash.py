"""Names that would be the same in C, reported before any C is written.

names.py joins words with `_`, so field `bar_baz` of `Foo` and field `baz` of
`FooBar` meet; so do a field `check` and the function of that name.  All names
that the C back ends make of a module are listed here, tags of structs and
enums apart from the rest, as C keeps them.
"""

from __future__ import annotations

from typing import Iterator

from . import ir, ir_machine, names, settable
from .errors import Errors
from .message_dfa import captures
from .names import snake
from .source import Source, Span

Named = tuple[str, ir.Loc, str, str]  # C name ("struct x" for a tag), place, name in the spec, what it is

#: Functions of every packet; a field may not be called so.
VERBS = "check span put copy begin end to_text from_text flatten fold equal put_flat".split()


class Clashes:
    """Names taken so far, in all modules of a run."""

    def __init__(self, errors: Errors) -> None:
        self.errors = errors
        self.taken: dict[str, tuple[Span, str]] = {}

    def module(self, m: ir.Module, source: Source) -> None:
        for cname, loc, name, what in _names(m):
            start = source.offset(loc.line, loc.col)
            where = Span(source, start, start + max(len(name), 1))
            old = self.taken.setdefault(cname, (where, what))
            if old[1] != what:
                text = f"{what} is called '{cname.removeprefix('struct ')}' in C, as is {old[1]}; rename one"
                self.errors.error(where, text, [(old[0], "the other is here")])


def _names(m: ir.Module) -> Iterator[Named]:
    nowhere = ir.Loc(m.path, 1, 1)
    for c in m.consts:
        yield names.const(c), c.loc, c.name, f"constant '{c.name}'"
    for e in m.enums:
        yield "struct " + names.enum(e), e.loc, e.name, f"enum '{e.name}'"
        yield names.enum(e) + "_str", e.loc, e.name, f"the names of enum '{e.name}'"
        for word in ("of", "word", "UNKNOWN") if e.words else ():
            cname = f"{names.enum(e)}_{word}"
            yield cname.upper() if word.isupper() else cname, e.loc, e.name, f"'{word}' of the words of enum '{e.name}'"
        for member in e.members:
            yield names.member(e, member), member.loc or nowhere, member.name, f"member '{e.name}.{member.name}'"
    for x in m.externs:
        yield names.extern(x), x.loc, x.name, f"extern '{x.name}'"
    for g in m.grammars:
        yield from _grammar(g)
    for p in m.packets:
        yield from _packet(p)
    for machine in (x for x in m.machines if not x.part):
        yield from _machine(machine)


def _grammar(g: ir.Grammar) -> Iterator[Named]:
    base = names.grammar(g)
    yield base + "_next", g.loc, g.name, f"grammar '{g.name}'"
    for word in ("END", "NONE"):
        yield f"{base}_{word}".upper(), g.loc, g.name, f"token {word} of every grammar"
    for r in g.rules:
        cname = f"{base}_{snake(r.name)}"
        if r.kind in ("message", "value"):
            for name in _message(cname, r) if r.kind == "message" else _value(cname, r):
                yield name, r.loc, r.name, f"rule '{g.name}.{r.name}'"
            continue
        if r.kind == "match":
            yield cname + "_put", r.loc, r.name, f"rule '{g.name}.{r.name}'"
        yield cname.upper() if r.kind == "token" else cname + "_match", r.loc, r.name, f"rule '{g.name}.{r.name}'"


def _message(cname: str, r: ir.Rule) -> list[str]:
    verbs = [f"{cname}_{verb}" for verb in ("begin", "feed", "read", "put")]
    return [f"struct {cname}_stream", f"{cname}_parts_min".upper(), *verbs, *_parts(cname, r)]


def _value(cname: str, r: ir.Rule) -> list[str]:
    parts = _parts(cname, r)
    read = [f"struct {cname}_cursor", f"{cname}_begin", f"{cname}_next", f"{cname}_read", f"{cname}_parts_min".upper()]
    return [f"{cname}_check", f"{cname}_put", *(read if parts else []), *parts]


def _parts(cname: str, r: ir.Rule) -> list[str]:
    return [f"{cname}_{c}".upper() for c in dict.fromkeys(captures(r.node))]


def _machine(x: ir_machine.Machine) -> Iterator[Named]:
    base = names.machine(x)
    what = f"machine '{x.name}'"
    verbs = ("begin", "holds", "state_str", "transition_str", "taken", "watch_begin", "watch_end")
    for name in (*(f"struct {base}{tag}" for tag in ("", "_state", "_watch")), *(f"{base}_{verb}" for verb in verbs)):
        yield name, x.loc, x.name, what
    yield f"{base}_transitions".upper(), x.loc, x.name, what
    for s in x.states:
        yield f"{base}_{snake(s.name)}".upper(), s.loc, s.name, f"state '{x.name}.{s.name}'"
    for e in x.events:
        told = ("on", "set", "cancel") if e.kind == "timer" else ("on",)
        for verb in (*told, *(f"watch_{verb}" for verb in told)):
            yield f"{base}_{verb}_{e.name}", e.loc, e.name, f"'{verb}' of {e.kind} '{x.name}.{e.name}'"
    for d in x.deeds:
        for verb in ("is",) if d.kind == "test" else ("do", "watch_do"):
            yield f"{base}_{verb}_{d.name}", d.loc, d.name, f"{d.kind} '{x.name}.{d.name}'"


def _packet(p: ir.Packet) -> Iterator[Named]:
    base = names.packet(p)
    what = f"packet '{p.name}'"
    for tag in ("", "_args", "_build", "_flat"):
        yield f"struct {base}{tag}", p.loc, p.name, what
    if p.shared and not p.inline:
        yield f"struct {base}_fetched", p.loc, p.name, what
        yield f"{base}_fetch", p.loc, p.name, f"function 'fetch' of packet '{p.name}'"
    for verb in VERBS:
        yield f"{base}_{verb}", p.loc, p.name, f"function '{verb}' of packet '{p.name}'"
    setters = settable.plan(p)
    for f in setters.fields if setters is not None else ():
        yield f"{base}_set_{f.name}", f.loc, f.name, f"function 'set' of field '{p.name}.{f.name}'"
    for item, optional in _fields(p.items, False):
        yield from _field(base, p, item)
        if optional:
            yield f"{base}_has_{item.name}", item.loc, item.name, f"function 'has' of field '{p.name}.{item.name}'"


def _fields(items: list[ir.Item], optional: bool) -> Iterator[tuple[ir.Item, bool]]:
    for item in items:
        if isinstance(item, ir.Region):
            yield item.item, optional
        elif isinstance(item, ir.Optional_):
            yield from _fields(item.items, True)
        elif item.name and not isinstance(item, ir.Check):
            yield item, optional


def _field(base: str, p: ir.Packet, item: ir.Item) -> Iterator[Named]:
    mine = f"{base}_{item.name}"
    what = f"field '{p.name}.{item.name}'"
    yield mine, item.loc, item.name, what
    for name in _functions(item):
        yield f"{mine}_{name}", item.loc, item.name, f"function '{name}' of field '{p.name}.{item.name}'"
    tags = ["it"] if isinstance(item, (ir.List, ir.Chain)) else ["arm"] if isinstance(item, ir.Switch) else []
    for tag in tags + (["index"] if _keyed(item) else []):
        yield f"struct {mine}_{tag}", item.loc, item.name, what


def _keyed(item: ir.Item) -> bool:
    """A list whose elements can be looked up by their key."""
    return isinstance(item, ir.List) and (item.unique or item.ascending) is not None


def _functions(item: ir.Item) -> list[str]:
    """What a field has beyond its accessor."""
    if isinstance(item, ir.List):
        return ["next", "add", "end", "copy"] + (["index", "get"] if _keyed(item) else [])
    if isinstance(item, ir.Chain):
        return ["next"]
    if isinstance(item, ir.Switch):
        return ["which", "raw", "end", "copy", "to_text", "from_text"] + [f"as_{arm.name}" for arm in item.arms if arm.name]
    return []
