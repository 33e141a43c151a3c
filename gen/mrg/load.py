"""Specification files to IR, all passes of the front end in order."""

from __future__ import annotations

import os
from typing import Optional, Sequence

from . import ir
from .check import check
from .errors import Errors
from .lower import lower
from .resolve import Resolver


def load(paths: Sequence[str], roots: Sequence[str] = ()) -> list[ir.Module]:
    """Modules at `paths` and all that they import, in dependency order.

    roots: folders to look for imports in, after a file's own root.
    Raises errors.Failed with everything that was found wrong.
    """
    return load_named(paths, roots)[0]


def load_named(paths: Sequence[str], roots: Sequence[str] = ()) -> tuple[list[ir.Module], list[str], list[str]]:
    """As load; also the names of the modules at `paths`, and every file read."""
    resolver, modules, named = load_written(paths, roots)
    return modules, named, [s.path for s in resolver.sources]


def load_written(paths: Sequence[str], roots: Sequence[str] = ()) -> tuple[Resolver, list[ir.Module], list[str]]:
    """As load, with what was written: the resolver's units, one a module; also the names of the modules at `paths`."""
    errors = Errors()
    resolver = Resolver([*roots, *default_roots()], errors)
    named = [u.file.name.name for u in map(resolver.load, paths) if u is not None]
    errors.stop_if_any()
    for unit in resolver.units:
        check(unit, errors)
    modules = lower(resolver.units, errors)
    errors.stop_if_any()
    return resolver, modules, named


def default_roots() -> list[str]:
    """The specifications that are installed with the compiler, or its own tree's."""
    here = os.path.dirname(os.path.abspath(__file__))
    for up in (os.path.join(here, "..", "..", "specs"), os.path.join(here, "..", "specs")):
        if os.path.isdir(up):
            return [os.path.relpath(up)]
    return []


def find_module(name: str, roots: Sequence[str] = ()) -> Optional[str]:
    """Path of a module by its name."""
    for root in [*roots, *default_roots()]:
        path = os.path.join(root, name.replace(".", "/") + ".mrg")
        if os.path.isfile(path):
            return path
    return None
