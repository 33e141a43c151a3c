"""Grammars in C: what re2c, Ragel and the back ends for automata make of them, and their part of the module's header."""

from __future__ import annotations

from .. import ir, names
from . import c_module, direct, put, ragel, re2c, value, whole
from .writer import Writer


def emit(m: ir.Module) -> dict[str, str]:
    """Files of this back end: path below the output folder -> text."""
    if not m.grammars:
        return {}
    out = {names.header(m): header(m)}
    if any(r.kind in ("token", "match") for g in m.grammars for r in g.rules):
        out |= {re2c.re_name(m): re2c.re_source(m), re2c.source_name(m): re2c.source(m)}
    if any(direct.messages(g) for g in m.grammars):
        out |= {ragel.rl_name(m): ragel.rl_source(m), ragel.source_name(m): ragel.source(m), whole.source_name(m): whole.source(m)}
    if any(value.values(g) for g in m.grammars):
        out[value.source_name(m)] = value.source(m)
    written = put.written(m)
    if written:
        out[put.source_name(m)] = put.source(m, written)
    return out


def header(m: ir.Module) -> str:
    """The module's header with the grammars' part in it."""
    w = Writer()
    re2c.declarations(w, m)
    ragel.declarations(w, m)
    whole.declarations(w, m)
    value.declarations(w, m)
    put.declarations(w, m)
    text = c_module.header(m)
    if any(direct.messages(g) or value.values(g) for g in m.grammars):
        text = text.replace('#include "mrg.h"\n', '#include "mrg.h"\n#include "mrg_part.h"\n', 1)
    body, _, tail = text.rpartition("#endif")
    return body + w.text() + "\n#endif" + tail
