#!/usr/bin/env python3
"""Models of two machines, as SPIN tries them: a sound one passes, each that was broken is found out."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "gen"), str(ROOT / "tests")]

from mrg import ir_machine  # noqa: E402
from mrg.emit import promela  # noqa: E402
from mrg.load import load  # noqa: E402
from report import Report, run  # noqa: E402

SPEC = ROOT / "tests/gen/machines/made/ends.mrg"
IGNORING = "    ignore close;\n    refuse end;"
# what is changed, by what, and what SPIN must then say
BROKEN = {
    "who opens asks twice only": ("on again do open(0), set again", "on again do open(0)", "acceptance cycle"),
    "who closes asks twice only": ("on again do close(0), set again", "on again do close(0)", "acceptance cycle"),
    "a late answer is refused": ("ignore open;\n    on close if !reply do", "refuse open;\n    on close if !reply do", "assertion violated 0"),
    "nobody answers who closes": ("    on close if !reply do close(1);\n    ignore close;\n    refuse end;", IGNORING, "acceptance cycle"),
    "what is never": ("  Up final {", "  never (times > 0) in Up;\n  var times: u8 in 0..1;\n  Up final {", "assertion violated"),
}


def tried(ends: list[ir_machine.Machine], room: Path) -> str:
    """What SPIN says when it has tried everything."""
    (room / "m.pml").write_text(promela.model(ends, 2, 1, 2), encoding="utf-8")
    made = run("spin", "-a", "m.pml", cwd=room)
    if made.returncode != 0 or "Error" in made.stdout:
        return made.stdout
    run("gcc", "-O1", "-w", "-o", "pan", "pan.c", cwd=room)
    return run(room / "pan", "-a", "-f", "-m100000", cwd=room).stdout


def machine(text: str, room: Path) -> ir_machine.Machine:
    path = room / "made" / "ends.mrg"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return load([str(path)], [str(room)])[-1].machines[0]


def main() -> int:
    report = Report()
    text = SPEC.read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory() as name:
        room = Path(name)
        end = machine(text, room)
        said = tried([end, end], room)
        report.check("two ends that keep to the specification", "errors: 0" in said and "State-vector" in said, said)
        for what, (old, new, wanted) in BROKEN.items():
            report.check(f"{what}: there is such a place", text.count(old) == 1, f"{text.count(old)}")
            changed = text.replace(old, new)
            if "var times" in new:
                changed = changed.replace("open(1), up;", "open(1), up, times = 1;")
            end = machine(changed, room)
            said = tried([end, end], room)
            report.check(f"{what}: is found", wanted in said, said[:1500])
        wide = text.replace("  user end;", "  user end;\n  var large: u32;").replace("open(1), up;", "open(1), up, large = large ^ 1;")
        refused = ""
        try:
            promela.model([machine(wide, room)] * 2, 2, 1, 2)
        except promela.Unfit as why:
            refused = str(why)
        report.check("numbers that Promela has no room for", "4294967295" in refused, refused)
    done = subprocess.run([ROOT / "bin/mrg", "promela", SPEC, "Edn"], capture_output=True, text=True, check=False)
    report.check("a machine that is not there", done.returncode == 2 and "did you mean 'End'" in done.stderr, done.stderr)
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
