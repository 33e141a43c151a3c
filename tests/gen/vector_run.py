"""Generated C against the interpreter: writes the C of a module and its test program, compiles both with sanitizers, runs."""

from __future__ import annotations

import os
import subprocess
import tempfile
import traceback
from pathlib import Path
from typing import Iterable

from mrg import ir, names
from mrg.emit import c_module
from mrg.emit.tests_c import PER_PACKET, Sample, program

ROOT = Path(__file__).resolve().parents[2]
FLAGS = "-std=c11 -O0 -g -Wall -Wextra -Wconversion -Wshadow -Wcast-qual -Wvla -Werror -D_GNU_SOURCE".split()
SANITIZE = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"]


def reach(module: ir.Module) -> list[ir.Module]:
    """The module and what it imports, each once."""
    out: dict[str, ir.Module] = {}

    def add(m: ir.Module) -> None:
        for inner in m.imports:
            add(inner)
        out.setdefault(m.name, m)

    add(module)
    return list(out.values())


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def run(module: ir.Module, samples: Iterable[Sample] = (), per_packet: int = PER_PACKET, seed: int = 1) -> str:
    """What the test program of a module prints; what went wrong on the way to it instead, when something did.

    KEEP=FOLDER in the environment keeps the C in FOLDER/MODULE.
    """
    keep = os.environ.get("KEEP")
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(keep, module.name) if keep else Path(scratch)
        try:
            sources = generate(folder, module, program(module, samples, per_packet, seed))
        except Exception:  # a fault of the generator is a failed test, not the end of the others
            return traceback.format_exc()
        binary = folder / "test"
        command = [os.environ.get("CC", "gcc"), *FLAGS, *SANITIZE, *os.environ.get("VECTOR_CFLAGS", "").split()]
        command += [f"-I{ROOT}/gen/support", f"-I{folder}", "-o", str(binary), *map(str, sources)]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode != 0:
            return done.stderr
        done = subprocess.run([str(binary)], capture_output=True, text=True)
        return done.stdout + done.stderr


def generate(folder: Path, module: ir.Module, test: str) -> list[Path]:
    """Write the C of the module and of what it imports, and the test program; returns the sources."""
    sources = [write(folder, f"test_{module.name.replace('.', '_')}.c", test)]
    for m in reach(module):
        write(folder, names.header(m), c_module.header(m))
        sources.append(write(folder, names.source(m), c_module.source(m)))
    return sources
