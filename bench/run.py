#!/usr/bin/env python3
"""Measure side by side with the peers, and print one table.

usage: run.py --build DIR --out DIR [--quick] [--only NAME ...]

`--build` holds our programs (bin/, bench/bin/), `--out` the unpacked peers and
the data.  A ratio compares two things of the same run, never of two runs.
"""

from __future__ import annotations

import argparse
import dataclasses
import os
import platform
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import Callable, Optional

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench import checkers, httppeers, httpserve, limits, mixmake, peers, programs, serve, startup  # noqa: E402
from bench import tcpip, tcpip_loss, tcpip_tap, transfer, vm, zonegen  # noqa: E402
from bench.peers import Absent, Places  # noqa: E402
from bench.table import Table, progress, render  # noqa: E402
from bench.timing import Effort  # noqa: E402

Step = Callable[[Places, Effort, Table], None]


def data(places: Places, kind: str, count: int) -> None:
    """Make a zone and its queries, unless they are there."""
    if not (places.data / f"{kind}-{count}.1.q").exists():
        progress(f"  making {kind}-{count}.zone")
        zonegen.main(["zonegen.py", kind, str(count), str(places.data)])


def parse(places: Places, effort: Effort, table: Table) -> None:
    programs.parse(places, effort, mixmake.make(places), table)


def libraries(places: Places, effort: Effort, table: Table) -> None:
    programs.libraries(places, effort, mixmake.make(places), table)


def answers(places: Places, effort: Effort, table: Table) -> None:
    data(places, "names", 100_000)
    data(places, "names", 1_000_000)
    programs.answers(places, effort, table)


def served(places: Places, effort: Effort, table: Table) -> None:
    data(places, "names", serve.NAMES)
    serve.served(places, effort, table)


def limited(places: Places, effort: Effort, table: Table) -> None:
    data(places, "names", serve.NAMES)
    limits.limited(places, effort, table)


def large(places: Places, effort: Effort, table: Table) -> None:
    data(places, "mixed", startup.MIXED)
    startup.large(places, effort, table)
    checkers.check(places, effort, places.data / f"mixed-{startup.MIXED}.zone", table)


def transfers(places: Places, effort: Effort, table: Table) -> None:
    data(places, "names", transfer.RECORDS)
    transfer.transfers(places, effort, table, places.data / f"names-{transfer.RECORDS}.zone")


def small(places: Places, effort: Effort, table: Table) -> None:
    data(places, "names", startup.SMALL)
    startup.small(places, effort, table)


def of_small(step: Step) -> Step:
    """A step that needs the zone of 1,000 names."""

    def run(places: Places, effort: Effort, table: Table) -> None:
        data(places, "names", startup.SMALL)
        step(places, effort, table)

    return run


STEPS: dict[str, Step] = {
    "parse": parse,
    "libraries": libraries,
    "specs": programs.compile_specs,
    "http": programs.heads,
    "http-served": httpserve.served,
    "http-work": httpserve.work,
    "http-held": httpserve.held,
    "http-start": httpserve.started,
    "tcpip-check": tcpip.check,
    "tcpip-memory": tcpip.memory,
    "tcpip-tap": tcpip_tap.tap,
    "tcpip-loss": tcpip_loss.loss,
    "tcpip-idle": tcpip.idle,
    "answer": answers,
    "served": served,
    "limits": limited,
    "large": large,
    "small": small,
    "transfer": transfers,
    "vm-start": of_small(vm.start),
    "vm-size": vm.size,
    "vm-memory": of_small(vm.memory),
    "vm-rate": of_small(vm.rate),
    "vm-idle": of_small(vm.idle),
    "vm-soak": of_small(vm.soak),
}


def processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def machine(places: Places) -> str:
    lines = [f"{processor()}, {os.cpu_count()} cores; {platform.system()} {platform.release()}"]
    busy = os.getloadavg()[0]
    if busy > 0.5:
        lines.append(f"the machine is busy (load {busy:.2f}): these figures are not for the record")
    versions = {s.name: s.version for s in peers.SERVERS.values()} | {s.name: s.version for s in httppeers.SERVERS.values()}
    for name, version_of in versions.items():
        try:
            lines.append(f"{name}: {version_of(places)}")
        except Absent as why:
            lines.append(f"{name}: {why}")
    for library in ("libknot", "ldns", "lwip"):
        found = sorted((places.peers / "usr/lib").rglob(f"{library}.pc"))
        version = [v for p in found for v in p.read_text().splitlines() if v.startswith("Version:")]
        lines.append(f"{library}: {version[0].split()[1] if version else 'version unknown'}")
    return "\n".join(lines)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="measure side by side with the peers")
    parser.add_argument("--build", type=Path, required=True, help="where our programs are")
    parser.add_argument("--out", type=Path, required=True, help="where peers and data are")
    parser.add_argument("--quick", action="store_true", help="short rounds: shows that everything works, no figures")
    parser.add_argument("--only", action="append", choices=list(STEPS), help="only this part; may be given again")
    parser.add_argument("--soak", type=float, metavar="SECONDS", help="how long the soak is")
    parser.add_argument("--strict", action="store_true", help="fail when a target is not met, or something was not measured")
    return parser.parse_args()


def stop(number: int, frame: Optional[FrameType]) -> None:
    """A signal ends the run as an exception does: the servers are stopped on the way out."""
    sys.exit(128 + number)


def main() -> int:
    args = arguments()
    signal.signal(signal.SIGTERM, stop)
    places = Places(Path(__file__).resolve().parent.parent, args.build.resolve(), args.out.resolve())
    effort = Effort.quick() if args.quick else Effort.full()
    if args.soak:
        effort = dataclasses.replace(effort, soak_seconds=args.soak)
    about, table = machine(places), Table()
    progress(about)
    for name in args.only or STEPS:
        progress(f"{name}:")
        try:
            STEPS[name](places, effort, table)
        except Absent as why:
            table.skip(name, why)
    print(f"\n{about}\n")
    print(render(table))
    if args.quick:
        print("a quick run: for the record, run without --quick on an idle machine")
    return 1 if args.strict and (table.skipped or any(row.met is False for row in table.rows)) else 0


if __name__ == "__main__":
    sys.exit(main())
