"""Loads the specifications that the interpreter's tests are about."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from mrg import ir
from mrg.load import load

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent


@lru_cache(maxsize=None)
def module(name: str) -> ir.Module:
    """A module by name: one of tests/gen/interp, or of specs/."""
    own = HERE / "interp" / (name + ".mrg")
    root = own.parent if own.exists() else ROOT / "specs"
    path = own if own.exists() else root / (name.replace(".", "/") + ".mrg")
    return next(m for m in load([str(path)], [str(root)]) if m.name == name)


def packet(spec: str) -> ir.Packet:
    """"module:Packet", inline packets too."""
    of, name = spec.split(":")
    return next(p for p in module(of).packets if p.name == name)
