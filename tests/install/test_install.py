#!/usr/bin/env python3
"""`make install`, then everything from the installed copy: an outside program, an outsider's own spec, the appliance."""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from report import OUT, ROOT, Report, make, run  # noqa: E402

HERE = Path(__file__).resolve().parent
STRICT = ["-std=c11", "-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-Werror"]
WANTED = "www.example.org. 3600 IN MX 10 mail.example.org.\n"
TEXT = {".h", ".pc", ".1", ".7", ".8", ".md", ".mrg", ".py"}


def check_outside_program(report: Report, prefix: Path, tmp: Path) -> None:
    """A program that knows only what pkg-config tells it."""
    flags = run("pkg-config", "--cflags", "--libs", "mrg-dns", PKG_CONFIG_PATH=str(prefix / "lib" / "pkgconfig"))
    report.check("pkg-config finds mrg-dns", flags.returncode == 0, flags.stdout)
    for cc in ("gcc", "clang"):
        program = tmp / f"outside-{cc}"
        built = run(cc, *STRICT, "-o", program, HERE / "outside.c", *flags.stdout.split())
        if report.check(f"{cc} builds outside.c against the installed copy", built.returncode == 0, built.stdout):
            done = run(program)
            report.check(f"what {cc} built runs", done.returncode == 0 and done.stdout == WANTED,
                         done.stdout)


def check_own_spec(report: Report, prefix: Path, tmp: Path) -> None:
    """own.mrg gives own.h, own.c and what goes with them: nothing else is needed to compile them."""
    shutil.copy(HERE / "own.mrg", tmp / "own.mrg")
    done = run(prefix / "bin" / "mrg", "c", "own.mrg", "-o", "out/", cwd=tmp)
    if not report.check("the installed mrg compiles own.mrg", done.returncode == 0, done.stdout):
        return
    made = sorted(p.name for p in (tmp / "out").iterdir())
    report.check("it makes own.c, own.h and the support files", made == ["mrg.h", "mrg_sum.h", "own.c", "own.h"], " ".join(made))
    for cc in ("gcc", "clang"):
        for mode in ("-ffreestanding", "-fhosted"):
            built = run(cc, *STRICT, mode, "-c", "-o", f"own-{cc}.o", "out/own.c", cwd=tmp)
            report.check(f"own.c is clean under {cc} {mode}", built.returncode == 0, built.stdout)
        built = run(cc, *STRICT, "-I", "out", "-o", f"own-{cc}", HERE / "use_own.c", "out/own.c", cwd=tmp)
        if report.check(f"use_own.c builds with {cc}", built.returncode == 0, built.stdout):
            done = run(tmp / f"own-{cc}")
            report.check(f"use_own runs ({cc})", done.returncode == 0, done.stdout)


def check_tool(report: Report, prefix: Path, tmp: Path) -> None:
    (tmp / "imports.mrg").write_text("/// Uses an installed module.\nmodule imports;\nimport dns.name (Name);\n"
                                     "/// A name after an octet.\npacket Tagged(msg: buffer) {\n  tag: u8;\n  name: Name(msg);\n}\n")
    done = run(prefix / "bin" / "mrg", "check", "imports.mrg", cwd=tmp)
    report.check("the installed specs can be imported from anywhere", done.returncode == 0, done.stdout)


def check_appliance(report: Report, prefix: Path) -> None:
    zone = prefix / "share" / "doc" / "mrg" / "examples" / "example.org.zone"
    wanted = next(line.split(":=")[1].strip() for line in (ROOT / "mk" / "config.mk").read_text().splitlines()
                  if line.startswith("VERSION"))
    version = run(prefix / "bin" / "mrg-dns", "--version")
    report.check("mrg-dns --version", version.stdout == f"mrg-dns {wanted}\n", version.stdout)
    done = run(prefix / "bin" / "mrg-dns", "--check", "--zone", f"example.org={zone}")
    report.check("the installed mrg-dns checks the installed sample zone", done.returncode == 0, done.stdout)


def check_headers(report: Report, prefix: Path) -> None:
    """Each installed header stands alone, and asks for nothing that was not installed."""
    include = prefix / "include" / "mrg"
    bad = []
    for path in sorted(include.rglob("*.h")):
        name = path.relative_to(include)
        extra = ["-D_GNU_SOURCE"] if name.parts[0] in ("unix", "tap") else []  # names what only Linux has
        done = run("gcc", *STRICT, *extra, "-I", include, "-fsyntax-only", "-include", name, "-x", "c", "/dev/null")
        if done.returncode != 0:
            bad.append(f"{name}: {done.stdout}")
    report.none("each installed header stands alone", bad)


def check_files(report: Report, prefix: Path) -> None:
    wanted = ["bin/mrg", "bin/mrg-dns", "bin/mrg-get", "include/mrg/mrg.h", "include/mrg/mrg_text.h", "include/mrg/mrg_rt.h",
              "include/mrg/dns/message.h", "include/mrg/iana/dns.h", "include/mrg/protocols/dns/answer.h", "include/mrg/protocols/http/client.h",
              "lib/libmrg.a",
              "lib/libmrg-dns.a", "lib/libmrg-rt-unix.a", "lib/pkgconfig/mrg.pc", "share/mrg/specs/dns/rr.mrg",
              "share/man/man1/mrg.1", "share/man/man1/mrg-get.1", "share/man/man7/mrg.7", "share/man/man8/mrg-dns.8"]
    report.none("everything is there", [f for f in wanted if not (prefix / f).exists()])
    tree = str(ROOT) + "/"
    report.none("nothing installed knows the source tree",
                [str(p) for p in prefix.rglob("*") if p.suffix in TEXT and p.is_file() and tree in p.read_text(errors="replace")])


def main() -> int:
    report = Report()
    with tempfile.TemporaryDirectory() as name:
        tmp = Path(name)
        done = make("install", f"DESTDIR={tmp}/first", "PREFIX=/opt/mrg", f"O={OUT}")
        if report.check("make install", done.returncode == 0, done.stdout):
            # Moved as a whole: nothing may depend on where it was put.
            (tmp / "first" / "opt" / "mrg").rename(tmp / "moved")
            prefix = tmp / "moved"
            check_files(report, prefix)
            check_headers(report, prefix)
            check_outside_program(report, prefix, tmp)
            check_own_spec(report, prefix, tmp)
            check_tool(report, prefix, tmp)
            check_appliance(report, prefix)
            prefix.rename(tmp / "first" / "opt" / "mrg")
            done = make("uninstall", f"DESTDIR={tmp}/first", "PREFIX=/opt/mrg", f"O={OUT}")
            left = [str(p) for p in (tmp / "first").rglob("*") if not p.is_dir()]
            report.check("make uninstall leaves no file", done.returncode == 0 and not left, done.stdout + "\n".join(left))
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
