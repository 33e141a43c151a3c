#!/usr/bin/env python3
"""`mrg c --acsl` and `mrg prove --c`: contracts change no line of C, a small header is proved whole, and faults planted in its C are not.

Frama-C is a gigabyte with what it needs and no part of `make test`'s packages; without it the proofs are not applicable.
"""

from __future__ import annotations

import re
import shutil
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))
import report as common  # noqa: E402

SPEC = """/// Of a test.
module small;

/// A length, and what has it.  RFC 768
packet Small {
  length: u8 in 1..;
  body: bytes(length - 1);
}
"""
SAMPLES = ["net/tcp.mrg", "dns/edns.mrg"]
FAULTS = [
    ("one octet less is asked for", r"\(end - q\) < 1u", "(end - q) < 0u"),
    ("the length may be one too many", r"\(length - 1u\) > \(size_t\)\(end - q\)", "(length - 1u) > (size_t)(end - q) + 1u"),
]
# Were what is taken for granted of bits contradictory, this would be proved.
NOTHING = """/*@ terminates \\true; assigns \\nothing; ensures \\false; */
static inline void mrg_small_scan_nothing(void)
{
}

enum { MRG_SMALL"""


def plain(text: str) -> list[str]:
    """Without what ACSL is: `/*@ ... */`, and lines that say why a packet has none."""
    return [line for line in re.sub(r"/\*@.*?\*/", "", text, flags=re.S).split("\n") if line.strip()]


def annotations(report: common.Report, room: Path) -> None:
    """The C with contracts is the C that is compiled."""
    for sample in SAMPLES:
        for out, extra in ((room / "with", ["--acsl"]), (room / "without", [])):
            done = common.run("bin/mrg", "c", f"specs/{sample}", "-o", out, *extra)
            report.check(f"{sample} {extra}", done.returncode == 0, done.stdout)
    written = sorted((room / "with").rglob("*.[ch]"))
    with_contracts = [p for p in written if "/*@ requires" in p.read_text()]
    report.check("there are contracts", len(with_contracts) >= len(SAMPLES), str(written))
    for path in written:
        name = path.relative_to(room / "with")
        other = (room / "without" / name).read_text()
        report.check(f"{name}: the same but for contracts", plain(path.read_text()) == plain(other))
        report.check(f"{name}: none unless asked for", "/*@" not in other)


def loads(report: common.Report, room: Path) -> None:
    """Numbers as mrg.h has them loaded for gcc and clang, and for any other compiler: the latter is what is proved."""
    source = room / "loads.c"
    names = [f"mrg_{order}{bits}" for order in ("be", "le") for bits in (16, 32, 64)]
    calls = "".join(f'printf("%llx\\n", (unsigned long long){name}(b + i));\n' for name in names)
    source.write_text(f'''#include <stdio.h>
#include <string.h>
#ifdef ANY_COMPILER
#undef __GNUC__
#endif
#include "mrg.h"
int main(void)
{{
uint8_t b[264];
for (unsigned i = 0; i < sizeof b; i++) b[i] = (uint8_t)(i * 167u + i / 13u);
for (unsigned i = 0; i < 256; i++) {{
{calls}}}
return 0;
}}
''')
    out: list[str] = []
    for flags in ([], ["-DANY_COMPILER"]):
        made = common.run("gcc", "-std=c11", "-w", *flags, "-I", "gen/support", "-o", room / "loads", source)
        out.append(common.run(room / "loads").stdout if report.check(f"loads are compiled {flags}", made.returncode == 0, made.stdout) else "")
    report.check("both ways to load numbers agree", out[0] == out[1] and out[0].count("\n") == 256 * len(names))


def proofs(report: common.Report, room: Path) -> None:
    spec, out = room / "small.mrg", room / "out"
    spec.write_text(SPEC)
    command = ("bin/mrg", "prove", "--c", spec, "-o", out)
    done = common.run(*command, "--solvers", "cvc4")
    count = re.search(r"^small.mrg: (\d+)/(\d+) goals of 6 functions", done.stdout, re.M)
    report.check("a small header is proved whole", done.returncode == 0 and count is not None and count[1] == count[2], done.stdout)
    done = common.run(*command, "--only", "_scan_")
    both = re.search(r"of 1 functions .* ([3-9]) by both", done.stdout)
    report.check("its check by both solvers", done.returncode == 0 and both is not None, done.stdout)
    header = out / "small.h"
    good = header.read_text()
    for what, find, wrong in FAULTS:
        bad, times = re.subn(find, wrong, good)
        header.write_text(bad.replace("enum { MRG_SMALL", NOTHING, 1))
        done = common.run(*command, "--as-is", "--solvers", "cvc4", "--only", "_scan_")
        named = re.search(r"^  small.mrg:\d+: not proved: typed_mrg_small_small_scan", done.stdout, re.M)
        report.check(f"{what}: not proved", times == 1 and done.returncode == 1 and named is not None, f"{times} places\n{done.stdout}")
        report.check(f"{what}: nor what is false", "not proved: typed_mrg_small_scan_nothing_ensures" in done.stdout, done.stdout)


def main() -> int:
    report = common.Report()
    with tempfile.TemporaryDirectory() as name:
        annotations(report, Path(name))
        loads(report, Path(name))
        if all(shutil.which(tool) for tool in ("frama-c", "why3", "cvc4", "z3")):
            proofs(report, Path(name))
        else:
            print("6 not applicable")
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
