"""Back end: the source of a module."""

from __future__ import annotations

from .. import ir, names
from . import c_module


def emit(m: ir.Module) -> dict[str, str]:
    """Files of this back end: path below the output folder -> text."""
    return {names.source(m): c_module.source(m)}
