#!/usr/bin/env python3
"""Runs the vectors through the generated C: makes a program of them, compiles and runs it.

usage: run_vectors_c.py [FILE.md ...] [VECTOR ...]
The generated C comes from $O/gen and the libraries below $MRG_BUILD; without them it is made and compiled here.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Optional

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path[:0] = [HERE, os.path.join(ROOT, "gen")]

import run_vectors  # noqa: E402
import vectors  # noqa: E402
import vectors_c  # noqa: E402
from mrg import ir, load  # noqa: E402
from mrg.values import Node, Rejection  # noqa: E402

WARN = "-std=c11 -Wall -Wextra -Wconversion -Wshadow -Wcast-qual -Wvla -Werror -D_GNU_SOURCE".split()
SANITIZE = "-O0 -fsanitize=address,undefined -fno-sanitize-recover=all".split()


def gathered(args: list[str]) -> list[tuple[vectors.Vector, ir.Packet, Optional[Node]]]:
    """Every vector asked for, with what the interpreter makes of it."""
    modules = load.load(vectors.specs(ROOT))
    wanted = [a for a in args if not a.endswith(".md")]
    out: list[tuple[vectors.Vector, ir.Packet, Optional[Node]]] = []
    for path in vectors.files(args):
        for vector in vectors.load(path):
            if wanted and vector.name not in wanted:
                continue
            packet = run_vectors.packet_of(modules, vector)
            try:
                node = run_vectors.read(packet, vector)
            except Rejection:
                node = None
            out.append((vector, packet, node))
    return out


def objects(folder: Path) -> list[str]:
    """What to compile or link beside the program: flags, include folder, then libraries or sources."""
    built, made = Path(os.environ.get("MRG_BUILD", "build")), Path(os.environ.get("O", "build")) / "gen"
    libraries = [*map(str, sorted((built / "lib").glob("libmrg-*.a"))), str(built / "lib" / "libmrg.a")]
    if "MRG_BUILD" in os.environ and len(libraries) > 1:
        return ["-O0", f"-I{made}", f"-I{ROOT}/gen/support", *libraries]
    specs = [s for s in vectors.specs(ROOT) if not s.endswith("master.mrg")]
    subprocess.run([sys.executable, os.path.join(ROOT, "bin", "mrg"), "c", "-o", str(folder), *specs], check=True)
    sources = sorted(str(p) for p in folder.rglob("*.c") if not p.name.endswith(("_text.c", "_machine.c")) and not p.name.startswith("mrg_text"))
    return [*SANITIZE, f"-I{folder}", f"-I{ROOT}/gen/support", *sources]


def main(args: list[str]) -> int:
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(os.environ.get("KEEP") or scratch)
        rest = objects(folder / "gen")
        source, binary = folder / "vectors.c", folder / "vectors"
        source.write_text(vectors_c.program(gathered(args)))
        done = subprocess.run([os.environ.get("CC", "gcc"), *WARN, "-o", str(binary), str(source), *rest])
        if done.returncode != 0:
            print("the program does not compile\n0 passed, 1 failed")
            return 1
        return subprocess.run([str(binary)], check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
