"""Measurements inside a process: programs of bench/ that print names and values.

Programs that are compared take turns: A B A B, as many rounds as the run has;
the medians of the rounds are compared, and only within one run.
"""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import NamedTuple, Sequence

from bench.peers import Absent, Places
from bench.table import Row, Sample, Table
from bench.timing import Effort

Results = dict[str, list[float]]


def once(command: Sequence[str], core: int, env: dict[str, str]) -> dict[str, float]:
    done = subprocess.run(["taskset", "-c", str(core), *command], env=env, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Absent(f"{Path(command[0]).name}: {done.stderr.strip() or done.returncode}")
    pairs = (line.split("\t") for line in done.stdout.splitlines() if "\t" in line)
    return {name: float(value) for name, value in pairs}


def turns(places: Places, effort: Effort, programs: dict[str, list[str]]) -> dict[str, Results]:
    """Results of each program, by the names it prints."""
    out: dict[str, Results] = {who: {} for who in programs}
    for _ in range(effort.rounds):
        for who, command in programs.items():
            for name, value in once(command, effort.core, places.environment()).items():
                out[who].setdefault(name, []).append(value)
    return out


def sample(results: Results, name: str) -> Sample:
    return Sample(tuple(results[name]))


# Rows of `parse`: what it prints as "ours NAME", "hand NAME", and the same with " check".
YARDSTICKS = (
    ("tcp syn", "TCP header + options, SYN, 40 B"),
    ("tcp established", "TCP header + options, established, 32 B"),
    ("ip4", "IPv4 header, 20 B"),
    ("elf", "ELF header, 20 constrained fields"),
    ("dns query", "DNS query, 33 B"),
    ("dns reply", "DNS reply, 114 B, 4 records compressed"),
    ("mix query", "mix: query"),
    ("mix answer", "mix: answer"),
)
LIMITS_NS = {"mix query": 40.0, "mix answer": 350.0}


def parse(places: Places, effort: Effort, mix: Path, table: Table) -> None:
    """Generated parsers beside the hand-written yardsticks."""
    ms = str(effort.pass_ms)
    got = turns(places, effort, {"parse": [str(places.program("parse")), str(mix), ms]})["parse"]
    for name, item in YARDSTICKS:
        for what, suffix in (("check", " check"), ("check, read every field", "")):
            ours, hand = sample(got, f"ours {name}{suffix}"), sample(got, f"hand {name}{suffix}")
            table.add(Row(f"{item}: {what}", "ns", ours, "hand C", hand).ratio_at_most(1.3))
        ours = sample(got, f"ours {name}")
        if f"fused {name}" in got:
            note = "for information: no view is kept"
            table.add(Row(f"{item}: {what}", "ns", ours, "hand C, one pass", sample(got, f"fused {name}"), note=note))
        if name in LIMITS_NS:
            table.add(Row(f"{item}: {what}", "ns", ours).at_most(LIMITS_NS[name]))


def libraries(places: Places, effort: Effort, mix: Path, table: Table) -> None:
    """Parse and parse + rebuild beside libknot and ldns."""
    ms = str(effort.pass_ms)
    commands = {who: [str(places.program(who)), str(mix), ms] for who in ("parse", "knot", "ldns")}
    got = turns(places, effort, commands)
    for part in ("query", "answer"):
        for job in ("parse", "rebuild"):
            ours = sample(got["parse"], f"ours mix {part}" + (" rebuild" if job == "rebuild" else ""))
            item = f"mix: {part} " + ("parse" if job == "parse" else "parse + rebuild")
            for who, name in (("knot", "libknot"), ("ldns", "ldns")):
                table.add(Row(item, "ns", ours, name, sample(got[who], f"{part} {job}")))
            if (part, job) == ("answer", "rebuild"):
                hand = sample(got["parse"], "hand mix answer rebuild")
                table.add(Row(item, "ns", ours, "hand C", hand, note="for information"))
                table.add(Row(item, "ns", ours).at_most(800))


class Head(NamedTuple):
    """A shape of request heads, and what others take for them, as measured elsewhere."""

    shape: str
    what: str
    pico: float  # the time of picohttpparser with SSE4.2, as a part of http_parser's
    llhttp: float  # the speed of llhttp, as a part of picohttpparser's


HEADS = (
    Head("a", "703 B, 9 fields", 0.12, 0.37),
    Head("b", "40 B, 1 field", 0.26, 0.33),
    Head("c", "1,159 B, 19 fields", 0.13, 0.36),
    Head("d", "128 in rotation", 0.13, 0.31),
)
# How many times as fast as picohttpparser a head in a buffer is to be read.
AVX2 = {"a": 1.4, "b": 1.3, "c": 1.4, "d": 1.4}
WANTED = {"built": AVX2, "ssse3": dict.fromkeys("abcd", 1.2), "avx2": AVX2}


def heads_wanted(head: Head, vectors: str) -> dict[str, tuple[str, float]]:
    """For each job what it is, and how many times as fast as picohttpparser it is to be done."""
    return {
        "read": ("in a buffer", WANTED[vectors][head.shape]),
        "feed": ("as it comes", 3 * head.llhttp),
        "judge": ("with rules and names", max(1.1, 3.5 * head.llhttp)),
    }


def heads(places: Places, effort: Effort, table: Table) -> None:
    """Request heads beside http_parser, for what the compiler was told of the processor."""
    flags = next(line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("flags")).split()
    wanted = [v for v in WANTED if v == "built" or v in flags]
    commands = {v: [str(places.program(f"http-{v}")), str(effort.pass_ms)] for v in wanted}
    got = turns(places, effort, commands)
    for vectors in wanted:
        for head in HEADS:
            peer = sample(got[vectors], f"{head.shape} peer")
            for job, (how, times) in heads_wanted(head, vectors).items():
                item = f"HTTP head {head.shape}, {head.what}: {how}, {vectors}"
                row = Row(item, "ns", sample(got[vectors], f"{head.shape} {job}"), "http_parser", peer)
                table.add(row.ratio_at_most(round(head.pico / times, 3)))


def answers(places: Places, effort: Effort, table: Table) -> None:
    """The pure answer function on two sizes of zone."""
    ms = str(effort.pass_ms * 10)
    program = str(places.program("answer"))
    names = {count: places.data / f"names-{count}" for count in (100_000, 1_000_000)}
    commands = {
        str(count): [program, f"{base}.zone", f"{base}.q", ms, "bench.example."] for count, base in names.items()
    }
    got = turns(places, effort, commands)
    for job, what in (("answer", "one at a time"), ("together", "16 side by side, as the server does")):
        small, large = (sample(got[str(count)], job) for count in names)
        table.add(
            Row("answer function, 100,000 names, hit", "ns", small, note=what).at_most(200),
            Row("answer function, 1,000,000 names, hit", "ns", large, "ours, 100,000 names", small, note=what).ratio_at_most(1.5),
        )


def compile_specs(places: Places, effort: Effort, table: Table) -> None:
    """All specs to C."""
    specs = sorted(str(p) for p in (places.root / "specs").rglob("*.mrg"))
    out = places.work("specs-c")
    command = [str(places.root / "bin" / "mrg"), "c", "-I", str(places.root / "specs"), "-o", str(out), *specs]
    took: list[float] = []
    for _ in range(effort.rounds):
        took.append(effort.seconds(command))
    table.add(Row("all specs to C", "s", Sample(tuple(took))).at_most(2))
