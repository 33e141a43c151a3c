"""Messages that are in the input as a whole, for the readers that can stop (ragel.py).

Most are, and then nothing needs to be kept: the automaton is run as direct.py does it.  What is no message, or not
all of one, is left to the reader that can say so.
"""

from __future__ import annotations

import re

from .. import ir
from ..message_dfa import Action
from . import direct
from .writer import Writer


def emit(w: Writer, name: str, rule: ir.Rule) -> None:
    _Reader(name, rule).emit(w)


def head(name: str) -> str:
    return f"bool {name}_whole(struct mrg_span *in, struct mrg_part *out, size_t cap, size_t *count)"


class _Reader(direct.Reader):
    exact = False

    def class_name(self) -> str:
        return f"{self.name}_whole"

    def emit(self, w: Writer) -> None:
        body = [re.sub("goto (more|full|over);", "goto bad;", line) for line in self.body() if "*code = " not in line]
        self.classes.emit(w)
        w.comment("Reads one if all of it is there and there is room for its parts; else false.")
        with w.function(f"static {head(self.name)}"):
            self.locals(w)
            w.lines += body
            self.ends(w, "\n".join(body))

    def locals(self, w: Writer) -> None:
        w.line("const uint8_t *const begin = mrg_start(*in), *p = begin;")
        most = f"in->len < {self.rule.max}u ? in->len : {self.rule.max}u" if self.rule.max is not None else "in->len"
        w.line(f"const uint8_t *const end = begin + ({most});")
        w.line("struct mrg_part *to = out;")
        w.line("size_t left = cap;")
        self.tracked(w)

    def ends(self, w: Writer, body: str) -> None:
        w.raw("bad:")
        w.line("return false;")
        w.raw("done:")
        if "*to++" not in body:
            w.line("(void)to;")
        w.line("*count = cap - left;")
        w.line("in->len -= (size_t)(p - begin);")
        w.line("in->p = p;")
        w.line("return true;")

    def capture(self, a: Action, to: str) -> str:
        return f"(struct mrg_part){{ from, (size_t)({to} - from), 0, {a.arg}u, true, true }}"
