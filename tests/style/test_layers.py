#!/usr/bin/env python3
"""Who may know whom: the include law of each layer, and what the objects need from outside.

The compiler's -I lists already make most breaches fail to build (mk/compile.mk); here is what they cannot see: paths with
"..", system headers, symbols, and data that can change.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from report import BUILD, OUT, ROOT, Report  # noqa: E402

INCLUDE = re.compile(r'^\s*#\s*include\s+([<"])([^>"]+)[>"]', re.M)
FREESTANDING = {"stdbool.h", "stddef.h", "stdint.h", "limits.h", "stdarg.h"}
HOSTED = {"mrg_vectors.h"}  # a support header for test programs only; gen/support/fuzz is all of user space
MEM = {"memcpy", "memmove", "memset", "memcmp"}
# What position-independent code and a hardened compiler add by themselves.
COMPILER_OWN = {"_GLOBAL_OFFSET_TABLE_", "__stack_chk_fail"}


def generated_root() -> Path:
    return ROOT / "generated" if (ROOT / "generated" / "files.mk").exists() else ROOT / OUT / "gen"


def sources(folder: Path) -> list[Path]:
    return sorted(p for p in folder.rglob("*.[ch]")) if folder.exists() else []


def includes(path: Path) -> list[tuple[bool, str]]:
    """(is it a system header, name) of each include of a file."""
    return [(kind == "<", name) for kind, name in INCLUDE.findall(path.read_text())]


def allowed(layer: str, path: Path, system: bool, name: str) -> bool:
    if not system and (path.parent / name).exists() and "/" not in name:
        return True  # a neighbour in the same folder
    if system:
        if path.name in HOSTED or path.parent == ROOT / "gen" / "support" / "fuzz":
            return True
        if layer == "support":
            return name in FREESTANDING | {"string.h"}  # string.h: only where there is a hosted C library
        return layer not in ("generated", "protocols") or name in FREESTANDING
    if ".." in name:
        return False
    gen = (generated_root() / name).exists()
    # The generated headers that a folder of runtime/ may have.
    lent = {"core": {"pcap.h"}, "vm": {"virtio.h"}, "monitor": {"pci.h", "virtio.h"}, "x86_64": {"pci.h"}, "aarch64": {"dtb.h"}}
    support = (ROOT / "gen" / "support" / name).exists()
    return {
        "support": support,
        "generated": gen or support,
        "protocols": gen or support or name == "mrg_rt.h" or own_protocol(path, name),
        "runtime": support or (ROOT / "runtime" / name).exists() or name in lent.get(path.parent.name, set()),
        "appliances": True,
    }[layer]


def own_protocol(path: Path, name: str) -> bool:
    """protocols/dns may include protocols/dns, never another protocol."""
    return name.startswith("protocols/") and Path(name).parts[1] == path.relative_to(ROOT).parts[1]


def check_includes(report: Report) -> None:
    layers = {
        "support": ROOT / "gen" / "support",
        "generated": generated_root(),
        "protocols": ROOT / "protocols",
        "runtime": ROOT / "runtime",
        "appliances": ROOT / "appliances",
    }
    for layer, folder in layers.items():
        files = sources(folder)
        offenders = [f"{path.relative_to(ROOT)}: {name}" for path in files for system, name in includes(path)
                     if not allowed(layer, path, system, name)]
        report.none(f"include law of {layer} ({len(files)} files)", offenders)
        report.check(f"{layer} has files", bool(files))


DEED = re.compile(r"mrg_\w+_(do|is|set|cancel)_\w+\Z")  # which the user of a machine defines


def symbols(obj: Path, which: str) -> set[str]:
    text = subprocess.run(["nm", which, "-g", str(obj)], capture_output=True, text=True, check=True).stdout
    return {line.split()[-1] for line in text.splitlines() if line.strip()}


def changing_data(obj: Path) -> list[str]:
    """Sections of an object that a program could write to."""
    text = subprocess.run(["objdump", "-h", "-w", str(obj)], capture_output=True, text=True, check=True).stdout
    found = []
    for line in text.splitlines():
        words = line.split()
        if len(words) > 3 and words[0].isdigit():
            name, size = words[1], int(words[2], 16)
            if size and name.startswith((".data", ".bss", ".tdata", ".tbss")) and not name.startswith(".data.rel.ro"):
                found.append(f"{obj}: {name}, {size} bytes")
    return found


def check_objects(report: Report) -> None:
    objects = ROOT / BUILD / "obj"
    base = sorted(objects.glob("generated/**/*.o")) + sorted(objects.glob("gen/support/*.o"))
    protocols = sorted(objects.glob("protocols/**/*.o"))
    known = MEM | COMPILER_OWN
    for o in base:
        known |= symbols(o, "--defined-only")
    report.check("there are generated objects", bool(base), f"none under {objects}")
    report.none("generated objects need nothing but memory functions, each other and the deeds of machines",
                [f"{o}: {s}" for o in base for s in sorted(symbols(o, "-u") - known)
                 if not (o.stem.endswith("_machine") and DEED.match(s))])
    for o in protocols:
        known |= symbols(o, "--defined-only")
    report.none("protocol objects need nothing more but mrg_rt_*",
                [f"{o}: {s}" for o in protocols for s in sorted(symbols(o, "-u") - known)
                 if not s.startswith("mrg_rt_")])
    report.none("no data that can change in generated code and protocols",
                [row for o in base + protocols for row in changing_data(o)])


def main() -> int:
    report = Report()
    check_includes(report)
    check_objects(report)
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
