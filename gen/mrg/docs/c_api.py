"""What C has for a declaration: the declarations of the generated headers, told apart by their names."""

from __future__ import annotations

import re
from typing import Iterable

from .. import ir, names
from ..emit import c_text, grammars, machine
from .html import Html, code, tag
from .parts import details

COLUMNS = 92  # of a prototype
_FUNCTION = re.compile(r"^(?!typedef|\t|#)(?:static inline )?((?:[A-Za-z_]\w*[ *]+)+)(mrg_\w*[A-Za-z0-9])(\([^;{]*\));?$", re.M)
_STRUCT = re.compile(r"^struct (mrg_\w*[A-Za-z0-9]) \{$", re.M)


class CApi:
    """The C of a module, by the packet or grammar that it is for."""

    def __init__(self, m: ir.Module) -> None:
        headers = [machine.header(m)] + ([c_text.header(m)] if c_text.wanted(m) else [])
        self.headers = [names.header(m)] + ([c_text.header_name(m)] if c_text.wanted(m) else [])
        owners = [names.packet(p) for p in m.packets] + [names.grammar(g) for g in m.grammars] + [names.machine(x) for x in m.machines]
        self.owned: dict[str, list[str]] = {}
        for header in headers:
            for name, text in _declarations(header):
                owner = max((o for o in owners if name == o or name.startswith(o + "_")), key=len, default="")
                self.owned.setdefault(owner, []).append(text)

    def section(self, owner: str) -> Html:
        """A collapsed list; nothing where there is none."""
        found = self.owned.get(owner, [])
        if not found:
            return Html("")
        text = "\n".join([*(f'#include "{h}"' for h in self.headers), "", *found])
        return details(["In C: ", code(f"{owner}_\u2026")], tag("pre", code(text), tabindex=0))


def _declarations(header: str) -> Iterable[tuple[str, str]]:
    """Names and their declarations, in the order of the header; names that end in `_` or `_get_text` are for generated code only."""
    found: list[tuple[int, str, str]] = []
    for m in _STRUCT.finditer(header):
        found.append((m.start(), m[1], f"struct {m[1]};"))
    for m in _FUNCTION.finditer(header):
        result = m[1].replace("MRG_MUST_USE ", "")
        found.append((m.start(), m[2], _wrapped(f"{result}{m[2]}{m[3]};")))
    return [(name, text) for _, name, text in sorted(found) if not name.endswith("_get_text")]


def _wrapped(text: str) -> str:
    """A prototype, in several lines where it is long."""
    out = [""]
    for part in re.findall(r"[^,]+,? ?", text):
        if len(out[-1] + part.rstrip()) > COLUMNS and out[-1]:
            out.append("        ")
        out[-1] += part
    return "\n".join(line.rstrip() for line in out)
