"""The generated C of specifications as one shared object that counts its branches, its inline functions callable by name.

Headers have most of the code in `static inline` functions: those are kept by the compiler and made global by objcopy. A function of a
header is then in several objects; the linker takes the first, and gcov.py adds up what is counted in all of them.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Mapping, Sequence

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "gen")]
from report import OUT, clean_environment  # noqa: E402

from mrg import ir, names  # noqa: E402
from mrg.emit import c_common, fuzz_glue, machine  # noqa: E402
from mrg.emit.writer import write_if_changed  # noqa: E402
from mrg.load import load  # noqa: E402

FLAGS = "-std=c11 -O0 -w -fPIC --coverage -fprofile-abs-path -D_GNU_SOURCE"
KEEP = "-fkeep-inline-functions -fkeep-static-functions"
SUPPORT = ROOT / "gen/support"


class BuildFailed(Exception):
    """What the compiler said."""


class Build:
    """Modules, the folder with their C, and the folder that is built in."""

    def __init__(self, modules: Sequence[ir.Module], generated: Path, folder: Path) -> None:
        self.modules = list(modules)
        self.generated = generated.resolve()
        self.folder = folder.resolve()
        self.headers = [p for m in modules if (p := self.generated / names.header(m)).exists()]
        for m in modules:
            c_common.register_varints(m)

    @property
    def library(self) -> Path:
        return self.folder / "generated.so"

    def sources(self) -> list[Path]:
        return sorted({p for m in self.modules for p in self.of(m) if p.suffix == ".c"})

    def of(self, module: ir.Module) -> list[Path]:
        """What was generated of a module."""
        stem = names.header(module)[:-2]
        known = {stem + end for end in (".c", ".h", *(f"_{part}.c" for part in PARTS))}
        known |= {machine.source_name(module, x) for x in module.machines if not x.part}
        files = ((p, str(p.relative_to(self.generated))) for p in sorted(self.generated.rglob("*.[ch]")))
        return [p for p, name in files if name in known]

    def make(self) -> None:
        """Build what is not up to date; counters of earlier runs go."""
        self.folder.mkdir(parents=True, exist_ok=True)
        for old in [*self.folder.glob("*.gcda"), *(self.folder / "gen").rglob("*.gcda")]:
            old.unlink()
        for name, text in self.files().items():
            write_if_changed(str(self.folder / name), text)
        done = subprocess.run(
            [os.environ.get("MAKE", "make"), "-C", str(self.folder), "-j2", "-s"], capture_output=True, text=True, env=clean_environment()
        )
        if done.returncode != 0:
            raise BuildFailed((done.stdout + done.stderr)[-6000:])

    def files(self) -> Mapping[str, str]:
        files = {f"glue_{m.name.replace('.', '_')}.c": fuzz_glue.glue(m) for m in self.modules if m.packets}
        return {**files, "Makefile": self.makefile(sorted(files))}

    def makefile(self, glue: Sequence[str]) -> str:
        own = {str(self.generated / names.source(m)) for m in self.modules}
        objects, rules = [], []
        for source in self.sources():
            if source.name.endswith("_machine.c"):
                continue
            o = "gen/" + str(source.relative_to(self.generated))[:-2] + ".o"
            objects.append(o)
            keep = f" {KEEP}" if str(source) in own else ""
            rules += [f"{o}: {source} Makefile", f"\t$(call object,{FLAGS}{keep})"]
        for name in glue:
            objects.append(name[:-2] + ".o")
            rules += [f"{objects[-1]}: {name} Makefile", f"\t$(call object,{FLAGS})"]
        for source in sorted([*SUPPORT.glob("mrg_text*.c"), HERE / "support.c"]):
            objects.append("support/" + source.stem + ".o")
            rules += [f"{objects[-1]}: {source} Makefile", "\t$(call object,-std=c11 -O1 -w -fPIC -D_GNU_SOURCE)"]
        include = f"-I. -I{self.generated} -I{SUPPORT} -I{SUPPORT}/fuzz"
        return "\n".join([
            "MAKEFLAGS += --no-builtin-rules",
            f"CC := {os.environ.get('COVERAGE_CC', 'gcc')}",
            "define object",
            f"@mkdir -p $(@D); rm -f $(@:.o=.gcda); $(CC) $(1) {include} -MMD -MP -c -o $@ $<",
            "@nm $@ | sed -n 's/.* t \\(mrg_\\)/\\1/p' >$@.names; test ! -s $@.names || objcopy --globalize-symbols=$@.names $@",
            "endef",
            f"OBJECTS := {' '.join(objects)}",
            "generated.so: $(OBJECTS)",
            "\t$(CC) -shared --coverage -Wl,-Bsymbolic -Wl,--exclude-libs,ALL -Wl,-z,muldefs -o $@ $(OBJECTS)",
            *rules,
            "-include $(OBJECTS:.o=.d)",
            "",
        ])  # fmt: skip


PARTS = ("text", "lex", "put", "value", "read", "stream")


def ours(only: Sequence[str] = ()) -> Build:
    """specs/, as the build generates it: all, or some modules with those in their folders, and what they import."""
    specs = sorted(map(str, (ROOT / "specs").rglob("*.mrg")))
    modules = load(specs, [str(ROOT / "specs")])
    if not only:
        return Build(modules, ROOT / OUT / "gen", ROOT / OUT / "coverage")
    todo = [m for m in modules if is_one_of(m, only)]
    needed = {m.name for m in todo}
    while todo:
        imported = [m for m in todo.pop().imports if m.name not in needed]
        needed |= {m.name for m in imported}
        todo += imported
    some = [m for m in modules if m.name in needed]
    return Build(some, ROOT / OUT / "gen", ROOT / OUT / "coverage" / "-".join(only))


def is_one_of(module: ir.Module, only: Sequence[str]) -> bool:
    return any(module.name == word or module.name.startswith(word + ".") for word in only)


def own(spec: Path) -> Build:
    """A specification of the user's, with what it imports of specs/."""
    folder = ROOT / OUT / "coverage" / spec.stem
    done = subprocess.run(
        [str(ROOT / "mk/generate.sh"), str(folder / "gen"), str(spec.resolve())], cwd=ROOT, capture_output=True, text=True, env=clean_environment()
    )
    if done.returncode != 0:
        raise BuildFailed((done.stdout + done.stderr)[-6000:])
    return Build(load([str(spec)], [str(ROOT / "specs"), str(spec.parent)]), folder / "gen", folder)
