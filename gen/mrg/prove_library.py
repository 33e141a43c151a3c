"""Why3's library, as WP needs it for C without floating-point numbers.

WP has it read anew for each function, all theories of each file, most of which no goal speaks of: here are those that WP's own
theories use and that drivers of solvers name, with what these use in turn, to the letter.
"""

from __future__ import annotations

import os
import re
from typing import Iterable

from .emit.writer import write_if_changed

# Those of WP's own files that speak of integers, bits, and memory.
FILES = ("cbits", "cint", "memory", "qed", "vlist", "vset")
USED = re.compile(r"\b(?:use|clone)\s+(?:import\s+|export\s+)?(?:(\w+)\.)?(\w+)")
NAMED = re.compile(r"^theory (\w+)\.(\w+)", re.M)
THEORY = re.compile(r"^(?:module|theory) (\w+).*?^end\b", re.M | re.S)


def write(folder: str, library: str, wp: str, drivers: Iterable[str]) -> None:
    """What of the library's folder is needed, in another: by WP's theories in a third, and by drivers, which are texts."""
    known: dict[str, dict[str, str]] = {}
    needed: dict[str, set[str]] = {}
    todo = [found for text in drivers for found in NAMED.findall(text)]
    todo += [found for name in FILES for found in USED.findall(_read(os.path.join(wp, name + ".mlw")))]
    while todo:
        name, theory = todo.pop()
        path = os.path.join(library, name + ".mlw")
        if name and name not in known and os.path.exists(path):
            known[name] = {found[1]: found[0] for found in THEORY.finditer(_read(path))}
        text = known.get(name, {}).get(theory)
        if text is not None and theory not in needed.setdefault(name, set()):
            needed[name].add(theory)
            todo += [(file or name, used) for file, used in USED.findall(text)]
    for name, theories in needed.items():
        text = "".join(f"{text}\n\n" for theory, text in known[name].items() if theory in theories)
        write_if_changed(os.path.join(folder, name + ".mlw"), text)


def _read(path: str) -> str:
    with open(path, encoding="utf-8") as f:
        return f.read()
