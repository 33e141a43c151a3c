#!/usr/bin/env python3
"""What drives fuzz subjects, against subjects with planted faults (fuzz/canary.c).

Each fault must be seen in every build: the in-process runner by gcc and under sanitizers, libFuzzer, AFL++ with and without its mutator.
All runs are bounded by cases, but for one, whose lines of status come by the clock.
"""

from __future__ import annotations

import ctypes
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from report import OUT, ROOT, Report, make, run  # noqa: E402

FUZZ = ROOT / OUT / "fuzz"
HAS_AFL = shutil.which("afl-clang-fast") is not None and shutil.which("afl-fuzz") is not None
FILES = {"input.bin", "input.txt", "why.txt", "repro.sh", "test.c"}
CASES = 2000

# subject, mode, what is said of it; None: nothing is to be found
SEEN = [
    ("clean", "", None),
    ("over_read", "--end", "octet 1 behind the input"),
    ("over_read", "--begin", None),
    ("under_read", "--begin", "octet 1 before the input"),
    ("under_read", "--end", None),
    ("over_write", "", "not at the input"),
    ("under_write", "", "not at the input"),
    ("wrong", "", "is another bit by bit"),
    ("aborts", "", "SIGABRT"),
    ("recurses", "", "recurses too deep"),
    ("endless", "", "does not end"),
]


def runner(program: str, subject: str, *options: object) -> subprocess.CompletedProcess[str]:
    return run(FUZZ / program, "-q", "-s", f"canary.{subject}", *options)


def without_times(text: str) -> str:
    return re.sub(r"; \d+ MB; [\d.]+ s, \d+/s$", "", text, flags=re.M)


def finds(folder: Path) -> list[Path]:
    return sorted(folder.iterdir()) if folder.exists() else []


def check_seen(report: Report, program: str, room: Path) -> None:
    for subject, mode, said in SEEN:
        name = f"{program}: {subject} {mode}".rstrip()
        folder = room / program / f"{subject}{mode}"
        # What does not end takes its time for each case that is, so one is enough.
        bounds = ["-E", 20, "--hang", 40] if subject == "endless" else ["-E", CASES]
        done = runner(program, subject, *bounds, "-o", folder, *mode.split())
        kept = finds(folder)
        if said is None:
            report.check(f"{name}: nothing is found", done.returncode == 0 and not kept, done.stdout)
            continue
        report.check(f"{name}: found once", done.returncode == 1 and len(kept) == 1 and ", 1 finds," in done.stdout, done.stdout)
        report.check(f"{name}: and said to be that", said in done.stdout, done.stdout)
        for find in kept:
            check_find(report, name, find)


def check_find(report: Report, name: str, find: Path) -> None:
    report.check(f"{name}: all files are kept", {p.name for p in find.iterdir()} == FILES, str(list(find.iterdir())))
    report.check(f"{name}: the input is small", (find / "input.bin").stat().st_size == 3)
    report.check(f"{name}: the input is shown", (find / "input.txt").read_text().startswith("tag 0x43, length 1, data "))
    why = (find / "why.txt").read_text()
    found = re.search(r"^key: (.*)$", why, re.M)
    line = re.search(r"^repro: (.*)$", why, re.M)
    key = found.group(1) if found else "no key"
    again = run("sh", "-c", line.group(1) if line else "false")
    report.check(f"{name}: the repro line has it again", again.returncode == 1 and f"key: {key}\n" in again.stdout, why + again.stdout)
    by_script = run(find / "repro.sh", cwd=find.parent)
    report.check(f"{name}: so has the script", by_script.returncode == 1 and f"key: {key}\n" in by_script.stdout, by_script.stdout)
    if "SIGSEGV" in key:
        report.check(f"{name}: the stack names the place", "canary.c:" in why.partition("stack:")[2], why)


def check_sanitizer(report: Report, room: Path) -> None:
    """What no guard page sees: a sanitizer ends the process, and the find is kept before."""
    done = runner("canary", "heap", "-E", CASES, "-o", room / "heap")
    report.check("heap: nothing to be seen without a sanitizer", done.returncode == 0, done.stdout)
    done = runner("canary-san", "heap", "-E", CASES, "-o", room / "heap")
    kept = finds(room / "heap")
    report.check("heap: found by a sanitizer", "heap-buffer-overflow" in done.stdout and len(kept) == 1, done.stdout)
    for find in kept:
        report.check("heap: all files are kept", {p.name for p in find.iterdir()} == FILES)
        again = run(find / "repro.sh")
        report.check("heap: the script has it again", again.returncode != 0 and "heap-buffer-overflow" in again.stdout, again.stdout)


def check_own_fault(report: Report, room: Path) -> None:
    """A subject that writes over the end of its output: its input is not what to try again, the run up to there is."""
    done = runner("canary", "mutates", "-E", CASES, "-o", room / "own")
    kept = finds(room / "own")
    report.check("a fault of mutate is found", "SIGSEGV in mutate" in done.stdout and len(kept) == 1, done.stdout)
    for find in kept:
        report.check("no test comes with it", {p.name for p in find.iterdir()} == FILES - {"test.c"})
        again = run(find / "repro.sh", cwd=room)
        report.check("the script has it again", again.returncode == 1 and "find canary.mutates: SIGSEGV in mutate" in again.stdout, again.stdout)


def check_same(report: Report, room: Path) -> None:
    def all_said(seed: int, name: str = "same") -> str:
        shutil.rmtree(room / name, ignore_errors=True)
        said = [runner("canary", s, "-S", seed, "-E", 20000, "-o", room / name) for s in ("clean", "over_read", "wrong", "aborts")]
        return without_times("".join(s.stdout for s in said))

    first = all_said(7)
    files = {p: p.read_bytes() for p in (room / "same").rglob("*.*") if p.is_file()}
    report.check("the same seed and number of cases: the same, octet by octet", first == all_said(7), first)
    report.check("and the same files", len(files) == 15 and all(p.read_bytes() == b for p, b in files.items()), str(list(files)))
    report.check("another seed: other cases", first != all_said(8))
    crashes = re.search(r"over_read: 20000 execs.* 1 finds, (\d+) crashes", first)
    report.check("one fault that happened often is one find", crashes is not None and int(crashes.group(1)) > 100, first)
    before = (room / "same").stat().st_mtime_ns
    once_more = runner("canary", "over_read", "-S", 9, "-E", CASES, "-o", room / "same")
    report.check("and is no new one in another run", before == (room / "same").stat().st_mtime_ns, once_more.stdout)


def check_memory(report: Report) -> None:
    """What a run takes does not grow with its cases, and where it does, it says so; what we take is not its own."""
    ours = bytearray(64 << 20)

    def most(subject: str, cases: int) -> int:
        said = re.search(r"; (\d+) MB; [\d.]+ s, \d+/s$", runner("canary", subject, "-E", cases).stdout)
        report.check(f"memory of {subject}: {cases} cases", said is not None and 0 < int(said[1]) < len(ours) >> 20, str(said))
        return int(said[1]) if said else 0

    few, many = 200_000, 2_000_000
    report.check("memory of ten times as many cases: no more", abs(most("clean", many) - most("clean", few)) <= 1)
    report.check("unless there is", most("grows", many) - most("grows", few) >= 10)


def check_exhaust(report: Report, room: Path) -> None:
    """All inputs of two octets: one of them is wrong, which changes by chance don't come to."""
    by_chance = runner("canary", "rare", "-E", 50000, "-o", room / "rare")
    report.check("rare: not found by chance", by_chance.returncode == 0, by_chance.stdout)
    done = runner("canary", "rare", "--exhaust", 2, "-o", room / "rare")
    kept = finds(room / "rare")
    report.check("rare: found among all", done.returncode == 1 and len(kept) == 1 and ": 65793 execs, " in done.stdout, done.stdout)
    report.check("rare: kept as it is", bool(kept) and (kept[0] / "input.bin").read_bytes() == b"\x9d\xe3")
    said = "all 65793 inputs of up to 2 octets, 0 of up to 2 over an alphabet, 0 in windows of made ones\n"
    report.check("what was tried is said", said in done.stdout, done.stdout)
    few = runner("canary", "clean", "--exhaust", 1, "--exhaust-cases", 400000)
    counts = re.search(r"all 257 inputs of up to 1 octets, (\d+) of up to \d+ over an alphabet, (\d+) in windows of made ones\n"
                       r"canary.clean: (\d+) execs", few.stdout)
    report.check("longer ones", few.returncode == 0 and counts is not None and 257 + int(counts[1]) + int(counts[2]) == int(counts[3]), few.stdout)
    part = runner("canary", "clean", "--exhaust", 3, "-E", 1000)
    report.check("less than all is said to be", "not all of 16843009 inputs" in part.stdout and ": 1000 execs, " in part.stdout, part.stdout)
    by_case = runner("canary", "mutates", "--exhaust", 3, "--exhaust-cases", 5, "-E", 70000)
    report.check("nothing is changed", by_case.returncode == 0, by_case.stdout)
    crashing = runner("canary", "over_read", "--exhaust", 2, "--exhaust-cases", 200000, "-o", room / "exhaust")
    report.check("what crashes is found and gone on from", crashing.returncode == 1 and "octet 1 behind" in crashing.stdout
                 and "not all" not in crashing.stdout, crashing.stdout)


def check_replay(report: Report, room: Path) -> None:
    folder = room / "replayed"
    (folder / "below").mkdir(parents=True)
    for name, octets in (("1", b"C\x01a"), ("2", b"C\x01\xff"), ("3", b"N\x00"), ("long", b"C" * 1000)):
        (folder / name).write_bytes(octets)
    for subject, said in (("clean", None), ("over_read", "octet 1 behind the input"), ("under_read", "octet 1 before the input")):
        done = runner("canary", subject, "--replay", folder, "-o", room / f"replay-{subject}")
        good = done.returncode == (said is not None) and f"canary.{subject}: 8 execs, " in done.stdout and (said or "") in done.stdout
        report.check(f"--replay: {subject}, each file both ways", good and len(finds(room / f"replay-{subject}")) == (said is not None), done.stdout)


def check_fresh(report: Report) -> None:
    """All that is run is what the subject makes, each of which is a message."""
    done = runner("canary", "clean", "-E", 5000, "--fresh")
    report.check("--fresh: all inputs are accepted", "5000 execs, 100.0 % accepted" in done.stdout, done.stdout)
    done = runner("canary", "clean", "-E", 5000)
    report.check("otherwise not all are", "5000 execs, 100.0 % accepted" not in done.stdout, done.stdout)


def check_dry(report: Report) -> None:
    done = runner("canary", "over_read", "-E", 5000, "--dry")
    report.check("--dry: nothing is run", done.returncode == 0 and "over_read: 5000 execs, " in done.stdout and "spec 0/8" in done.stdout, done.stdout)


def check_test(report: Report, room: Path) -> None:
    """The test that comes with a find fails as long as the fault is there."""
    source = next((room / "canary/over_read--end").glob("*/test.c"))
    text = source.read_text()
    support = ROOT / "gen/support/fuzz"
    for subject in ("over_read", "clean"):
        (room / "find.c").write_text(text.replace("canary.over_read", f"canary.{subject}"))
        built = run("gcc", "-std=c11", "-Wall", "-Wextra", "-Werror", "-O1", "-D_GNU_SOURCE", "-I", support, "-I", ROOT / "gen/support",
                    "-o", room / "find", room / "find.c", ROOT / "fuzz/canary.c", support / "mrg_fuzz_again.c",
                    support / "mrg_fuzz_guard.c", *run("pkg-config", "--libs", "check").stdout.split())
        report.check("the test builds", built.returncode == 0, built.stdout)
        done = run(room / "find")
        good = done.returncode == 0 if subject == "clean" else done.returncode == 1 and "signal 11" in done.stdout
        report.check(f"the test of a find, {subject}", good, done.stdout)


def check_options(report: Report, room: Path) -> None:
    report.check("--list", "canary.clean\ncanary.over_read\n" in run(FUZZ / "canary", "--list").stdout)
    made = runner("canary", "clean", "--make", 5, room / "made")
    inputs = finds(room / "made")
    rate = runner("canary", "clean", "--make-rate", 50)
    said = re.search(r"^canary\.clean: 50 made, [\d.]+ % accepted; \d+ octets more in", rate.stdout)
    report.check("--make-rate", rate.returncode == 0 and said is not None, rate.stdout)
    report.check("--make", made.returncode == 0 and len(inputs) == 5 and all(p.read_bytes()[0] in b"CN" for p in inputs), made.stdout)
    shown = runner("canary", "clean", "--show", inputs[0])
    report.check("--show", shown.returncode == 0 and shown.stdout.startswith("tag 0x"), shown.stdout)
    points = runner("canary", "clean", "-E", 1000, "--points", "--floor", 100)
    report.check("--points, --floor reached", points.returncode == 0 and points.stdout.count(": reached: ") == 8, points.stdout)
    last = re.search(r"^canary.clean: the last new point after [1-9]\d* cases$", points.stdout, re.M)
    report.check("--points: when the last was new", last is not None, points.stdout)
    untrue = runner("canary", "untrue", "-E", 1000)
    held = untrue.returncode == 1 and "untrue: reached, although: high data" in untrue.stdout
    report.check("who says that a point can't be reached is held to it", held, untrue.stdout)
    told = runner("canary", "untrue", "-E", 1, "--points")
    report.check("--points: what can't be reached", "canary.untrue: high data: cannot be reached: so it says\n" in told.stdout, told.stdout)
    few = runner("canary", "clean", "-E", 1, "--points", "--floor", 80)
    report.check("--floor missed", few.returncode == 1 and "missing: error: " in few.stdout, few.stdout)
    (room / "big").write_bytes(b"C\x40" + b"\xff" * 64)
    small = runner("canary", "over_read", "--shrink", room / "big")
    report.check("--shrink", small.returncode == 0 and (room / "big.small").read_bytes() == b"C\x01\xff", small.stdout)
    begin = runner("canary", "over_read", "--begin", "--repro", room / "big.small")
    report.check("--repro --begin is only that", begin.returncode == 0 and "accepted" in begin.stdout, begin.stdout)
    for wrong in (["-s", "nobody"], ["-E", "many"], ["--floor", "101"], ["--make", "3"],
                  ["--exhaust", "5"], ["-s", "canary.clean", "--replay", room / "none"], ["--repro", room / "none"], ["left over"]):
        done = run(FUZZ / "canary", *wrong)
        report.check(f"{wrong[0]}: said to be wrong", done.returncode == 2, done.stdout)
    status = run(FUZZ / "canary", "-s", "canary.clean", "-T", 3)
    report.check("a line of status", re.search(r"^canary.clean: \d+ execs, \d+/s, [\d.]+ % accepted, spec 8/8, 0 finds$", status.stdout, re.M)
                 is not None, status.stdout)


def check_libfuzzer(report: Report, room: Path) -> None:
    for subject, found in (("clean", False), ("over_read", True), ("under_read", True)):
        done = run(FUZZ / "canary-libfuzzer", "-runs=20000", "-seed=1", "-max_len=257", f"-artifact_prefix={room}/",
                   MRG_FUZZ_SUBJECT=f"canary.{subject}")
        report.check(f"libFuzzer: {subject}", (done.returncode != 0 and "SEGV on unknown address" in done.stdout) == found, done.stdout[-3000:])


def check_afl(report: Report, room: Path, mutator: bool) -> None:
    seeds, out = room / "seeds", room / f"afl-{mutator}"
    seeds.mkdir(exist_ok=True)
    # The mutator is to come from a single octet to messages by itself; AFL++ alone gets one that has no fault yet.
    (seeds / "seed").write_bytes(b"\0" if mutator else b"C\x03abc")
    env = {"AFL_NO_UI": "1", "AFL_SKIP_CPUFREQ": "1", "AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES": "1", "AFL_NO_AFFINITY": "1",
           "MRG_FUZZ_SUBJECT": "canary.over_read", "AFL_BENCH_UNTIL_CRASH": "1"}
    if mutator:
        env |= {"AFL_CUSTOM_MUTATOR_LIBRARY": str(FUZZ / "canary-mutator.so"), "AFL_CUSTOM_MUTATOR_ONLY": "1"}
    # AFL++ refuses to start with options of sanitizers that are not its own.
    done = run("env", "-u", "ASAN_OPTIONS", "-u", "UBSAN_OPTIONS", "afl-fuzz", "-i", seeds, "-o", out, "-s", 1, "-E", 20000,
               "-t", 2000, "--", FUZZ / "canary-afl", **env)
    crashes = [p for p in (out / "default/crashes").glob("id*")] if (out / "default/crashes").exists() else []
    name = "AFL++ with the mutator" if mutator else "AFL++"
    report.check(f"{name}: over_read is found", bool(crashes), done.stdout[-3000:])
    for crash in crashes:
        again = runner("canary", "over_read", "--repro", crash)
        report.check(f"{name}: the runner has it, too", again.returncode == 1 and "behind the input" in again.stdout, again.stdout)


SCANS = r"""
#include "mrg_scan.h"
#include <stdio.h>

static const struct mrg_class letters = {
	.in = { ['a'] = 1, ['c'] = 1, ['d'] = 1, ['f'] = 1, ['h'] = 1, ['j'] = 1, ['x'] = 1, ['y'] = 1 },
	.rows_say = MRG_SAYS_NOTHING, .ranges_say = MRG_SAYS_IN, .ranges = 6,
	.first = { 'a', 'c', 'f', 'h', 'j', 'x' }, .more = { 0, 1, 0, 0, 0, 1 },
};

int main(void)
{
	uint8_t in[32];
	const size_t len = fread(in, 1, sizeof in, stdin);
	const uint8_t *const end = mrg_scan(in, in + len - 15, in + len, &letters);
	printf("%zu\n", (size_t)(end - in));
	return 0;
}
"""


def check_lanes(report: Report, room: Path) -> None:
    """Where in a vector an octet is makes no other way through the program for AFL++."""
    source, program = room / "scans.c", room / "scans"
    source.write_text(SCANS)
    built = run("afl-clang-fast", "-std=c11", "-O3", "-I", ROOT / "gen/support", "-o", program, source, AFL_QUIET="1")
    if not report.check("what scans builds for AFL++", built.returncode == 0, built.stdout):
        return
    maps = []
    for before in (b"", b"xayfxx", b"jjjjxyxccdyyyh"):
        text, seen = room / "text", room / "map"
        text.write_bytes((before + b"!").ljust(16, b"x"))
        passed = run("sh", "-c", f"{program} < {text} && exec afl-showmap -q -o {seen} -- {program} < {text}").stdout
        report.check(f"AFL++: {len(before)} octets are passed", passed.strip() == str(len(before)), passed)
        maps.append(seen.read_text())
    report.check("AFL++: vectors have one way through", maps[0] != "" and maps.count(maps[0]) == len(maps), "\n".join(maps))


def check_trim(report: Report, room: Path) -> None:
    """What AFL++ calls to make inputs smaller: by the subject's ways, each shorter than what there is, until there are no more."""
    runner("canary", "clean", "--make", 8, room / "made")
    os.environ["MRG_FUZZ_SUBJECT"] = "canary.clean"
    lib = ctypes.CDLL(str(FUZZ / "canary-mutator.so"))
    lib.afl_custom_init.restype, lib.afl_custom_trim.restype = ctypes.c_void_p, ctypes.c_size_t
    mutator = ctypes.c_void_p(lib.afl_custom_init(None, 1))
    out = ctypes.POINTER(ctypes.c_ubyte)()
    longest = max((p.read_bytes() for p in (room / "made").iterdir()), key=len)
    for taken in (True, False):
        tries = lib.afl_custom_init_trim(mutator, longest, ctypes.c_size_t(len(longest)))
        at, lengths = 0, [len(longest)]
        while at < tries and len(lengths) < 1000:
            lengths.append(lib.afl_custom_trim(mutator, ctypes.byref(out)))
            at = lib.afl_custom_post_trim(mutator, taken)
        report.check(f"AFL++'s mutator trims, taken {taken}: in steps that end", 2 < len(lengths) < 1000, str(lengths))
        shorter = all(b < (a if taken else lengths[0]) for a, b in zip(lengths, lengths[1:]))
        report.check(f"AFL++'s mutator trims, taken {taken}: each is shorter", shorter, str(lengths))
    lib.afl_custom_deinit(mutator)


def main() -> int:
    report = Report()
    kinds = ["", "-san", "-libfuzzer", "-mutator.so"] + (["-afl"] if HAS_AFL else [])
    built = make(f"O={OUT}", *[f"{OUT}/fuzz/canary{k}" for k in kinds])
    if not report.check("the canaries build", built.returncode == 0, built.stdout):
        return report.finish()
    with tempfile.TemporaryDirectory() as name:
        room = Path(name)
        for program in ("canary", "canary-san"):
            check_seen(report, program, room)
        check_sanitizer(report, room)
        check_own_fault(report, room)
        check_same(report, room)
        check_exhaust(report, room)
        check_memory(report)
        check_replay(report, room)
        check_fresh(report)
        check_dry(report)
        check_test(report, room)
        check_options(report, room)
        check_libfuzzer(report, room)
        check_trim(report, room)
        for mutator in (False, True) if HAS_AFL else ():
            check_afl(report, room, mutator)
        if HAS_AFL:
            check_lanes(report, room)
    if not HAS_AFL:
        print("AFL++ is not installed (mk/deps.sh fuzz)\n1 not applicable")
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
