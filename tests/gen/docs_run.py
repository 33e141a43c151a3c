"""Running `mrg` for the tests of its documents."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from report import ROOT  # noqa: E402

sys.path.insert(0, str(ROOT / "gen"))
from mrg import load  # noqa: E402
from mrg.docs.pages import files  # noqa: E402
from pages_check import Page  # noqa: E402

SPECS = sorted((ROOT / "specs").rglob("*.mrg"))


def module(folder: str, text: str, name: str = "own") -> Path:
    path = Path(folder, f"{name}.mrg")
    path.write_text(f"/// A protocol of one's own.\nmodule {name};\n\n{text}\n")
    return path


def mrg(*args: object, cwd: object = ROOT, seed: str = "0") -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONHASHSEED": seed}
    return subprocess.run([sys.executable, str(ROOT / "bin" / "mrg"), *map(str, args)], cwd=str(cwd), env=env, capture_output=True, text=True)


def rendered(paths: list[Path], folder: str) -> dict[str, Page]:
    resolver, modules, _ = load.load_written([str(p) for p in paths], [str(ROOT / "specs")])
    for name, text in files(modules, resolver.units).items():
        Path(folder, name).write_text(text, encoding="utf-8")
    return {p.name: Page(p) for p in sorted(Path(folder).glob("*.html"))}


def page_of(spec: Path) -> str:
    return ".".join(spec.relative_to(ROOT / "specs").with_suffix("").parts) + ".html"
