#!/usr/bin/env python3
"""Machines as subjects of fuzzing (`mrg fuzz`): the C does what the tables say, all transitions are taken, and planted faults are seen.

The same cases each time: bounded by number, of one seed.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parent), str(Path(__file__).resolve().parent.parent)]
from packets_folder import FOLDER, SUMMARY, built  # noqa: E402
from report import ROOT, Report, run  # noqa: E402

ROOM = FOLDER.parent / "machines"

# Each machine with cases by which all its transitions were taken: at most 50,000.
MACHINES = {
    "net.connection.Connection": 20_000, "net.neighbor.Neighbor": 1_000, "net.dhcp4_client.Dhcp4Client": 1_000,
    "http.connection.ConnectionClient": 20_000, "http.connection.ConnectionServer": 2_000,
    "dns.stream.StreamClient": 500, "dns.stream.StreamServer": 2_000, "dns.transfer.TransferOrder": 20_000, "dns.secondary.SecondaryZone": 5_000,
}  # fmt: skip
FAULT_CASES = 1_000

# A fault: specification, the file that is spoilt (its own, or one of those generated), what stands there and what then; what is said of it.
FAULTS = [
    ("net/connection", "net/connection_machine.c", "m->state = MRG_NET_CONNECTION_TIME_WAIT;", "m->state = MRG_NET_CONNECTION_LAST_ACK;", "next state"),
    ("net/neighbor", "net/neighbor_machine.c", "do_solicit(m, ctx, (uint8_t)(1u))", "do_solicit(m, ctx, (uint8_t)(0u))", "deeds"),
    ("http/connection", "http/connection_server_machine.c", "\tmrg_http_connection_server_set_linger(m, ctx);\n", "", "number of deeds"),
    ("http/connection", "http/connection_server_machine.c", "m->last = (1u) & 0x1u;", "", "last"),
    ("dns/stream", "dns/stream_server_machine.c", "(uint32_t)m->owed < 3u", "(uint32_t)m->owed < 2u", "result"),
    ("http/connection", "", "on request -> Answering do asked = 1,", "on request -> Answering do asked = 0,", "never: "),
]  # fmt: skip


def fuzz(program: Path, *options: object) -> subprocess.CompletedProcess[str]:
    return run(program, "-q", "-S", 1, "-o", ROOM / "finds", *options)


def check_machines(report: Report) -> None:
    for machine, cases in MACHINES.items():
        done = fuzz(FOLDER / "fuzz", "-s", machine, "-E", cases)
        told = SUMMARY.search(done.stdout)
        good = told is not None and told[7] == told[8] == told[9] == "0" and done.returncode == 0
        report.check(f"{machine}: nothing is found", good, done.stdout[-2000:])
        report.check(f"{machine}: all transitions are taken", told is not None and told[4] == told[5], done.stdout[-2000:])


def spoilt(report: Report, spec: str, path: str, there: str, instead: str) -> Path:
    """A program of one specification's machines, with what drives it from the folder of all."""
    shutil.rmtree(ROOM, ignore_errors=True)
    source = ROOM / "specs" / f"{spec}.mrg"
    source.parent.mkdir(parents=True)
    source.write_text((ROOT / "specs" / f"{spec}.mrg").read_text())
    if not path:
        spoil(report, source, there, instead)
    told = run(ROOT / "bin/mrg", "fuzz", "-I", ROOM / "specs", source, "-o", ROOM)
    report.check(f"{spec}: mrg fuzz", told.returncode == 0, told.stdout)
    if path:
        spoil(report, ROOM / path, there, instead)
    sources = [p for p in ROOM.rglob("*.c") if p.parent.name != "support"]
    flags = ["-std=c11", "-D_GNU_SOURCE", "-O0", "-I", ROOM, "-I", ROOM / "support"]
    done = run(os.environ.get("CC", "gcc"), *flags, "-o", ROOM / "fuzz", *sources, *(FOLDER / "obj/support").glob("*.o"))
    report.check(f"{spec}: it builds", done.returncode == 0, done.stdout[-2000:])
    return ROOM / "fuzz"


def spoil(report: Report, path: Path, there: str, instead: str) -> None:
    text = path.read_text()
    report.check(f"{path.name}: '{there}' is there to be spoilt", there in text)
    path.write_text(text.replace(there, instead, 1))


def check_faults(report: Report) -> None:
    for spec, path, there, instead, said in FAULTS:
        told = fuzz(spoilt(report, spec, path, there, instead), "-E", FAULT_CASES)
        seen = told.returncode == 1 and re.search(rf"^find \S+: {said}", told.stdout, re.M) is not None
        report.check(f"{path or spec}: '{instead}' for '{there}' is found", seen, told.stdout[-1500:])


def main() -> int:
    report = Report()
    if built(report):
        check_machines(report)
        check_faults(report)
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
