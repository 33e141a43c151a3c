#!/usr/bin/env python3
"""fuzz/oss-fuzz/build.sh with the variables that OSS-Fuzz sets: programs, seeds and dictionaries have the names that it looks for, and work."""

from __future__ import annotations

import re
import sys
import tempfile
import zipfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from report import ROOT, Report, run  # noqa: E402

# As in base-builder's compile script, but for the level of optimisation.
FLAGS = "-O0 -fno-omit-frame-pointer -gline-tables-only -fsanitize=address -fsanitize=fuzzer-no-link"
NAMES = {"net_udp_Udp_fuzzer", "net_udp_UdpHeader_fuzzer"}
SEEDS = 20


def build(room: Path) -> tuple[int, str]:
    for name in ("src", "work", "out"):
        (room / name).mkdir(exist_ok=True)
    if not (room / "src/morgana").exists():
        (room / "src/morgana").symlink_to(ROOT)
    done = run("bash", ROOT / "fuzz/oss-fuzz/build.sh", cwd=room, SRC=str(room / "src"), WORK=str(room / "work"), OUT=str(room / "out"),
               CC="clang", CXX="clang++", CFLAGS=FLAGS, CXXFLAGS=FLAGS, LIB_FUZZING_ENGINE="-fsanitize=fuzzer", SANITIZER="address",
               FUZZING_ENGINE="libfuzzer", FUZZING_LANGUAGE="c", ARCHITECTURE="x86_64", MRG_SPECS="specs/net/udp.mrg", MRG_SEEDS=str(SEEDS))
    return done.returncode, done.stdout


def check_program(report: Report, room: Path, name: str) -> None:
    out = room / "out"
    corpus = room / "corpus" / name
    corpus.mkdir(parents=True)
    with zipfile.ZipFile(out / f"{name}_seed_corpus.zip") as seeds:
        files = seeds.namelist()
        seeds.extractall(corpus)
    subject = name[: -len("_fuzzer")].replace("_", ".")
    report.check(f"{name}: seeds, of this subject", len(files) == SEEDS and all(f.startswith(f"{subject}-") for f in files), str(files))
    done = run(out / name, f"-dict={out / name}.dict", "-runs=3000", "-seed=1", corpus, ASAN_OPTIONS="")
    words = re.search(r"Dictionary: (\d+) entries", done.stdout)
    report.check(f"{name}: it runs", done.returncode == 0 and "Done 3" in done.stdout and "inline 8-bit counters" in done.stdout, done.stdout[-2000:])
    report.check(f"{name}: its dictionary is read", words is not None and int(words[1]) >= 5, done.stdout[:2000])


def check_fault(report: Report, room: Path) -> None:
    """Built of C with a fault, each program tells of that of its own subject only."""
    made = room / "work/morgana"
    header = made / "net/udp.h"
    text = header.read_text()
    spoilt = text.replace("return mrg_be16(v->p + 2);", "return (uint16_t)(mrg_be16(v->p + 2) | 1);", 1)  # of Udp, not of UdpHeader
    report.check("there is something to spoil", spoilt != text)
    header.write_text(spoilt)
    flags = FLAGS.split()
    built = run("make", "-s", "-C", made, "engine.a", "CC=clang", f"CFLAGS={FLAGS}")
    for name in sorted(NAMES):
        linked = run("clang++", *flags, "-o", room / name, made / f"{name}.o", "-Wl,--whole-archive", made / "engine.a", "-Wl,--no-whole-archive",
                     "-fsanitize=fuzzer")
        done = run(room / name, "-runs=3000", "-seed=1", f"-artifact_prefix={room}/", ASAN_OPTIONS="")
        found = done.returncode != 0 and "net.udp.Udp: value" in done.stdout
        report.check(f"{name}, spoilt", built.returncode == 0 and linked.returncode == 0 and found == (name == "net_udp_Udp_fuzzer"),
                     built.stdout + linked.stdout + done.stdout[-1500:])


def main() -> int:
    report = Report()
    yaml = (ROOT / "fuzz/oss-fuzz/project.yaml").read_text()
    report.check("project.yaml has what is asked for", all(re.search(f"^{k}:", yaml, re.M) for k in ("homepage", "language", "primary_contact", "main_repo")))
    with tempfile.TemporaryDirectory() as name:
        room = Path(name)
        status, said = build(room)
        if report.check("build.sh", status == 0, said[-3000:]):
            made = {p.name for p in (room / "out").iterdir()}
            want = NAMES | {f"{n}_seed_corpus.zip" for n in NAMES} | {f"{n}.dict" for n in NAMES}
            report.check("what OSS-Fuzz looks for, and nothing else", made == want, str(made ^ want))
            for program in sorted(NAMES):
                check_program(report, room, program)
            check_fault(report, room)
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
