#!/usr/bin/env python3
"""The generated C as a product: the same bytes wherever and however it is made, and clean under both compilers."""

from __future__ import annotations

import filecmp
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from report import OUT, ROOT, Report, make  # noqa: E402

FLAGS = ["-std=c11", "-ffreestanding", "-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-Wcast-qual", "-Wvla", "-Werror",
         "-fsyntax-only"]


def generate(tree: Path, out: Path, seed: str, relative: bool) -> float:
    """Compile all specs of a copy of the tree; returns the seconds that took."""
    specs = sorted((tree / "specs").rglob("*.mrg"))
    names = [str(p.relative_to(tree)) if relative else str(p) for p in specs]
    root = "specs" if relative else str(tree / "specs")
    start = time.monotonic()
    subprocess.run([sys.executable, "bin/mrg", "c", "-I", root, "-o", str(out), *names], cwd=tree, check=True,
                   env=dict(os.environ, PYTHONHASHSEED=seed, PYTHONDONTWRITEBYTECODE="1", LC_ALL="C", TZ="UTC"))
    return time.monotonic() - start


def listing(folder: Path) -> list[str]:
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())


def copy_tree(to: Path) -> None:
    for part in ("bin", "gen", "specs"):
        shutil.copytree(ROOT / part, to / part, ignore=shutil.ignore_patterns("__pycache__"))


def check_determinism(report: Report, tmp: Path) -> list[Path]:
    copy_tree(tmp / "a")
    copy_tree(tmp / "elsewhere" / "deeper" / "b")
    seconds = [generate(tmp / "a", tmp / "out1", "1", relative=True),
               generate(tmp / "elsewhere" / "deeper" / "b", tmp / "out2", "4242", relative=True)]
    one, two = listing(tmp / "out1"), listing(tmp / "out2")
    report.check("two runs make the same files", one == two, f"{set(one) ^ set(two)}")
    report.check("they make some", bool(one))
    report.none("the same bytes from two paths and two hash seeds",
                [f for f in one if f in two and not filecmp.cmp(tmp / "out1" / f, tmp / "out2" / f, shallow=False)])
    text = {f: (tmp / "out1" / f).read_text(errors="replace") for f in one}
    report.none("no path of the machine in generated files", [f for f in one if str(tmp) in text[f] or str(ROOT) in text[f]])
    print(f"all specs to C: {min(seconds):.2f} s")
    return [tmp / "out1" / f for f in one if f.endswith(".c")]


def check_compilers(report: Report, files: list[Path], out: Path) -> None:
    include = ["-I", str(ROOT / "gen" / "support"), "-I", str(out)]
    for cc in ("gcc", "clang"):
        if not report.check(f"{cc} is installed", shutil.which(cc) is not None):
            continue
        done = subprocess.run([cc, *FLAGS, *include, *map(str, files)], capture_output=True, text=True)
        report.check(f"generated C is clean and freestanding under {cc}", done.returncode == 0,
                     "\n".join(done.stderr.splitlines()[:40]))


def check_headers_alone(report: Report, out: Path) -> None:
    """Each generated header compiles as the only include of a file."""
    include = ["-I", str(ROOT / "gen" / "support"), "-I", str(out)]
    bad = []
    for header in sorted(out.rglob("*.h")):
        name = header.relative_to(out)
        done = subprocess.run(["gcc", *FLAGS, *include, "-x", "c", "-"], input=f'#include "{name}"\nint unused;\n',
                              capture_output=True, text=True)
        if done.returncode != 0:
            bad.append(f"{name}: {done.stderr.splitlines()[0] if done.stderr else 'failed'}")
    report.none("each generated header stands alone", bad)


def check_other_compiler(report: Report) -> None:
    """The whole tree, not only what is generated, builds with clang and all warnings as errors."""
    done = make("-j2", "CC=clang", "CFLAGS=-O1", f"O={OUT}", "objects")
    report.check("the tree builds with clang", done.returncode == 0, "\n".join(done.stdout.splitlines()[-40:]))


def main() -> int:
    report = Report()
    with tempfile.TemporaryDirectory() as name:
        tmp = Path(name)
        if (ROOT / "bin" / "mrg").exists():
            files = check_determinism(report, tmp)
            check_compilers(report, files, tmp / "out1")
            check_headers_alone(report, tmp / "out1")
        else:
            report.check("bin/mrg exists", False)
    check_other_compiler(report)
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
