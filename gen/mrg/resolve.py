"""Files to units: modules found, imports followed, names put in tables.

A unit's `visible` maps each name that it may use to the unit that declares it.
Cycles among imports are errors here; cycles among declarations are found in
lower.py, where declarations are worked off on demand.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Optional, Sequence

from . import ast
from .errors import Errors, meant
from .parser import parse
from .source import Source, Span

#: Names that mean something in expressions and types, so that nothing is called so.
RESERVED = frozenset("avail here this peek in if else where item rest list switch empty bytes must warn send".split())


@dataclass
class Unit:
    """One module, parsed."""

    file: ast.File
    source: Source
    root: str
    imports: list[Unit] = field(default_factory=list)
    decls: dict[str, ast.Decl] = field(default_factory=dict)
    visible: dict[str, tuple[Unit, ast.Decl]] = field(default_factory=dict)
    listed: dict[str, ast.Ident] = field(default_factory=dict)  # names imported one by one


class Resolver:
    """Loads files and what they import; `units` is in dependency order."""

    def __init__(self, roots: Sequence[str], errors: Errors) -> None:
        self.roots = list(roots)
        self.errors = errors
        self.units: list[Unit] = []
        self.by_name: dict[str, Optional[Unit]] = {}
        self.sources: list[Source] = []
        self._stack: list[tuple[str, Span]] = []

    def load(self, path: str) -> Optional[Unit]:
        """A file named on the command line."""
        source = self._read(path)
        if source is None:
            return None
        tree = parse(source, self.errors)
        if tree is None:
            return None
        name = tree.name.name
        root = _root_of(path, name)
        if root is None:
            want = name.replace(".", "/") + ".mrg"
            self.errors.error(tree.name.span, f"module '{name}' must be in a file called {want}")
            return None
        known = self.by_name.get(name)
        if known is not None and not os.path.samefile(known.source.path, path):
            self.errors.error(tree.name.span, f"two files are module '{name}'", [(known.file.name.span, "the other is here")])
            return None
        if name in self.by_name:
            return known
        return self._unit(tree, source, root)

    def _read(self, path: str) -> Optional[Source]:
        try:
            with open(path, encoding="utf-8") as f:
                source = Source(path, f.read())
        except OSError as e:
            self.errors.error(None, f"can't read {path}: {e.strerror}")
            return None
        except UnicodeDecodeError as e:
            self.errors.error(None, f"{path} is not UTF-8 text (byte {e.start})")
            return None
        self.sources.append(source)
        return source

    def _unit(self, tree: ast.File, source: Source, root: str) -> Unit:
        source.name = tree.name.name.replace(".", "/") + ".mrg"
        unit = Unit(tree, source, root)
        self.by_name[tree.name.name] = unit
        self._stack.append((tree.name.name, tree.name.span))
        for imported in tree.imports:
            self._follow(unit, imported)
        self._stack.pop()
        self._declare(unit)
        self.units.append(unit)
        return unit

    # --- imports ----------------------------------------------------------------

    def _follow(self, unit: Unit, imported: ast.Import) -> None:
        name = imported.module.name
        names = [n for n, _ in self._stack]
        if name in names:
            ring = names[names.index(name) :] + [name]
            self.errors.error(imported.module.span, f"imports go in a circle: {' -> '.join(ring)}")
            return
        other = self._find(unit, imported.module)
        if other is None:
            return
        if other in unit.imports:
            self.errors.error(imported.module.span, f"module '{name}' is imported twice")
            return
        unit.imports.append(other)
        for ident, decl in self._imported(imported, other):
            self._show(unit, other, ident, decl)

    def _imported(self, imported: ast.Import, other: Unit) -> list[tuple[ast.Ident, ast.Decl]]:
        if imported.names is None:
            return [(ast.Ident(imported.module.span, n), d) for n, d in other.decls.items()]
        out: list[tuple[ast.Ident, ast.Decl]] = []
        for ident in imported.names:
            decl = other.decls.get(ident.name)
            if decl is None:
                hint = meant(ident.name, other.decls)
                self.errors.error(ident.span, f"module '{imported.module.name}' declares no '{ident.name}'{hint}")
                continue
            out.append((ident, decl))
        return out

    def _show(self, unit: Unit, other: Unit, ident: ast.Ident, decl: ast.Decl) -> None:
        old = unit.visible.get(ident.name)
        if old is not None:
            notes = [(old[1].name.span, "first declared here"), (decl.name.span, "and here")]
            self.errors.error(ident.span, f"'{ident.name}' is imported twice", notes)
            return
        unit.visible[ident.name] = (other, decl)
        unit.listed[ident.name] = ident

    def _find(self, unit: Unit, module: ast.Ident) -> Optional[Unit]:
        if module.name in self.by_name:
            return self.by_name[module.name]
        relative = module.name.replace(".", "/") + ".mrg"
        for root in [unit.root, *self.roots]:
            path = os.path.join(root, relative) if root else relative
            if os.path.isfile(path):
                return self._load_import(path, root, module)
        tried = ", ".join(r or "." for r in dict.fromkeys([unit.root, *self.roots]))
        self.errors.error(module.span, f"there is no module '{module.name}' (no {relative} under {tried})")
        self.by_name[module.name] = None
        return None

    def _load_import(self, path: str, root: str, module: ast.Ident) -> Optional[Unit]:
        source = self._read(path)
        tree = parse(source, self.errors) if source is not None else None
        if source is None or tree is None:
            self.by_name[module.name] = None
            return None
        if tree.name.name != module.name:
            self.errors.error(tree.name.span, f"this file was imported as '{module.name}'", [(module.span, "imported here")])
            self.by_name[module.name] = None
            return None
        return self._unit(tree, source, root)

    # --- declarations -------------------------------------------------------------

    def _declare(self, unit: Unit) -> None:
        for decl in unit.file.decls:
            name = decl.name.name
            first = unit.decls.get(name)
            if first is not None:
                self.errors.error(decl.name.span, f"'{name}' is declared twice", [(first.name.span, "first declared here")])
                continue
            unit.decls[name] = decl
            other = unit.visible.get(name)
            if other is not None:
                notes = [(unit.listed[name].span, "imported here")]
                self.errors.error(decl.name.span, f"'{name}' is imported and declared", notes)
                continue
            unit.visible[name] = (unit, decl)


def _root_of(path: str, name: str) -> Optional[str]:
    """The folder that `name` is relative to when it lies at `path`."""
    want = name.split(".")
    want[-1] += ".mrg"
    have = os.path.normpath(path).replace(os.sep, "/").split("/")
    if have[-len(want) :] == want:
        return "/".join(have[: -len(want)]) or ("/" if path.startswith("/") else "")
    if len(have) < len(want):  # run from inside the root: look at where we are
        whole = os.path.abspath(path).replace(os.sep, "/").split("/")
        if whole[-len(want) :] == want:
            return "/".join([".."] * (len(want) - len(have))) if have else None
    return None
