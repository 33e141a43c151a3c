"""The tools that check a zone file: CPU time for a zone of 1,000,000 records."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from bench.peers import ORIGIN, Absent, Places
from bench.table import Row, Sample, Table
from bench.timing import Effort


def commands(places: Places, zone: Path) -> dict[str, list[str]]:
    """Command lines by name; a tool that isn't there is an Absent when it's asked for."""
    ours = places.build / "bin" / "mrg-dns"
    if not ours.exists():
        raise Absent(f"{ours}: not built; run `make`")
    return {
        "mrg-dns --check": [str(ours), "--check", "--zone", f"{ORIGIN}={zone}"],
        "nsd-checkzone": [str(places.tool("nsd-checkzone")), ORIGIN, str(zone)],
        "kzonecheck": [str(places.tool("kzonecheck")), "-o", ORIGIN, str(zone)],
        "named-checkzone": [str(places.tool("named-checkzone")), "-i", "none", ORIGIN, str(zone)],
    }


def cpu_seconds(command: list[str], env: dict[str, str]) -> float:
    """User and system CPU time of one run, which must end well."""
    process = subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise Absent(f"{Path(command[0]).name}: exit code {process.returncode}")
    return float(used.ru_utime + used.ru_stime)


def check(places: Places, effort: Effort, zone: Path, table: Table) -> None:
    took: dict[str, list[float]] = {}
    for _ in range(effort.start_rounds):
        for name, command in commands(places, zone).items():
            took.setdefault(name, []).append(cpu_seconds(command, places.environment()))
    samples = {name: Sample(tuple(values)) for name, values in took.items()}
    ours = samples.pop("mrg-dns --check")
    for name, theirs in samples.items():
        table.add(Row("1,000,000 records: check tool, CPU", "s", ours, name, theirs, note="for information"))
