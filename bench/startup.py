"""From exec to the first right answer, and what a loaded zone costs in memory."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench import peers, procs
from bench.mixmake import read_messages
from bench.peers import Absent, Places, Server
from bench.table import Row, Sample, Table
from bench.timing import Effort

MIXED = 1_000_000
SMALL = 1_000
MIB = 1024 * 1024


@dataclass
class Starts:
    """What the rounds of one server on one zone gave."""

    first_ms: list[float] = field(default_factory=list)
    rss: list[float] = field(default_factory=list)
    pss: list[float] = field(default_factory=list)
    peak: list[float] = field(default_factory=list)
    reload_peak: list[float] = field(default_factory=list)
    reload_ms: list[float] = field(default_factory=list)


def hello(process: subprocess.Popen[str], name: str, work: Path) -> dict[str, Any]:
    assert process.stdout is not None
    line = process.stdout.readline()
    result: dict[str, Any] = json.loads(line) if line else {}
    if result.get("first_ms", result.get("reload_ms", -1)) < 0:
        log = (work / "output").read_text(errors="replace").splitlines()[-3:]
        raise Absent(f"{name}: no answer within the time limit: " + " / ".join(log))
    return result


def asked_name(query: bytes) -> str:
    """The name in the question of a query."""
    labels, at = [], 12
    while query[at]:
        labels.append(query[at + 1 : at + 1 + query[at]].decode())
        at += 1 + query[at]
    return ".".join(labels) + "."


def change(zone: Path, name: str, scratch: Path) -> None:
    """A new serial, and one address more at `name`."""
    with zone.open() as old, scratch.open("w") as new:
        for line in old:
            new.write(line.replace("2024010101", "2024010102"))
        new.write(f"{name} IN A 192.0.2.77\n")
    os.replace(scratch, zone)


def reload(process: subprocess.Popen[str], out: Starts, pids: list[int], name: str, work: Path) -> None:
    procs.reset_peak(pids)
    assert process.stdin is not None
    process.stdin.write("again\n")
    process.stdin.flush()
    out.reload_ms.append(hello(process, name, work)["reload_ms"])
    if name == "mrg-dns":  # the others change processes: the peak of one tells nothing
        out.reload_peak.append(procs.memory(pids).peak)


def once(places: Places, effort: Effort, server: Server, base: Path, out: Starts, with_reload: bool) -> None:
    work = places.work("start") / server.name
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    zone = base.with_suffix(".zone")
    if with_reload:
        zone = work / "own.zone"
        shutil.copyfile(base.with_suffix(".zone"), zone)
    zone.read_bytes()  # in the page cache
    queries = base.with_suffix(".1.q")
    port = peers.free_port()
    cores = ["-S", str(effort.core), "-C", str(effort.client_core)]
    first = [str(places.program("first")), "-p", str(port), "-q", str(queries), *cores]
    command = [*first, "-l", str(work / "output"), *server.command(places, work, zone, port)]
    process = subprocess.Popen(
        command, env=places.environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        told = hello(process, server.name, work)
        pids = procs.tree(told["pid"])
        memory = procs.memory(pids)
        out.first_ms.append(told["first_ms"])
        out.rss.append(memory.rss)
        out.pss.append(memory.pss)
        out.peak.append(memory.peak)
        if with_reload:
            change(zone, asked_name(read_messages(queries)[0]), work / "changed")
            reload(process, out, pids, server.name, work)
    finally:
        process.communicate()


def measure(places: Places, effort: Effort, base: Path, mixed: bool, table: Table) -> dict[str, Starts]:
    """Rounds of all servers, in turns; those that don't work are left out.  A mixed zone is reloaded, too."""
    out: dict[str, Starts] = {}
    absent = {name for name, server in peers.SERVERS.items() if mixed and not server.all_types}
    for _ in range(effort.start_rounds):
        for name, server in peers.SERVERS.items():
            if name in absent:
                continue
            try:
                reloads = mixed and server.reload
                once(places, effort, server, base, out.setdefault(name, Starts()), reloads)
            except Absent as why:
                table.skip(f"start of {name}", why)
                absent.add(name)
                out.pop(name, None)
    return out


def per(values: list[float], unit: float) -> Sample:
    return Sample(tuple(v / unit for v in values))


def large(places: Places, effort: Effort, table: Table) -> None:
    """A zone of 1,000,000 records of many types."""
    got = measure(places, effort, places.data / f"mixed-{MIXED}", True, table)
    ours = got.pop("mrg-dns", None)
    if ours is None:
        return
    what = f"{MIXED:,} records"
    table.add(
        Row(f"{what}: exec to first answer", "s", per(ours.first_ms, 1000)).at_most(0.8),
        Row(f"{what}: memory per record (RSS)", "B", per(ours.rss, MIXED)).at_most(120),
    )
    growth = Sample(tuple(peak / rss for peak, rss in zip(ours.reload_peak, ours.rss)))
    table.add(Row(f"{what}: peak of a reload / before it", "x", growth).at_most(2))
    for name, peer in got.items():
        table.add(
            Row(f"{what}: exec to first answer", "s", per(ours.first_ms, 1000), name, per(peer.first_ms, 1000)),
            Row(f"{what}: memory per record (PSS)", "B", per(ours.pss, MIXED), name, per(peer.pss, MIXED)),
        )
        if peer.reload_ms:
            mine, theirs = per(ours.reload_ms, 1000), per(peer.reload_ms, 1000)
            table.add(Row(f"{what}: SIGHUP to new answer", "s", mine, name, theirs))


def small(places: Places, effort: Effort, table: Table) -> None:
    """A zone of 1,000 names: what a small server costs."""
    got = measure(places, effort, places.data / f"names-{SMALL}", False, table)
    ours = got.pop("mrg-dns", None)
    if ours is None:
        return
    what = f"{SMALL:,} names"
    table.add(
        Row(f"{what}: exec to first answer", "ms", per(ours.first_ms, 1)).at_most(5),
        Row(f"{what}: memory at most (VmHWM)", "MiB", per(ours.peak, MIB)).at_most(1.5),
    )
    for name, peer in got.items():
        table.add(
            Row(f"{what}: exec to first answer", "ms", per(ours.first_ms, 1), name, per(peer.first_ms, 1)),
            Row(f"{what}: memory (PSS)", "MiB", per(ours.pss, MIB), name, per(peer.pss, MIB)),
        )
