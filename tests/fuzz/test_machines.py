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

# Each machine with cases by which all its transitions were taken, by each of the seeds: at most 50,000.
SEEDS = (1, 2)
MACHINES = {
    "net.connection.Connection": 20_000, "net.neighbor.Neighbor": 1_000, "net.dhcp4_client.Dhcp4Client": 2_000,
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

# Events that bring packets: two of one kind, of another module, with numbers beside them, fields of a packet in a packet.
PARTS = """/// What notes are made of.
module own.parts;

/// One part.
packet Part { kind: u8 in 1..9; flag: 1; more: 7; }
"""
TALK = """/// Notes that are sent.
module own.talk;
import own.parts;

/// A note with a part.
packet Note { size: u8; text: bytes(size); part: Part; last: 1; 0: 7; }

/// Who gets notes.
machine Talk {
  rx note(n: Note, urgent: 1);
  rx pair(a: Part, b: Part);
  tx reply(kind: u8, sum: u16);
  action keep on note;
  action both on pair;
  test known on note;
  var most: u8 in 0..9;

  Waiting start final {
    on note if n.part.flag && n.size > 3 && !known -> Busy do keep, reply(n.part.kind, n.size + n.part.more);
    on note if urgent do reply(0, n.size);
    ignore note;
    on pair if a.kind > b.kind -> Busy do both, most = a.kind;
    on pair if a.kind == b.kind && a.flag != b.flag do both;
    refuse pair;
  }
  Busy {
    on note if n.last -> Waiting do keep;
    ignore note;
    on pair if b.kind > most do most = b.kind;
    ignore pair;
  }
}
"""
TALK_CASES = 2_000
TALK_FAULTS = [
    ("mrg_own_part_flag(&(struct mrg_own_part[1]){ mrg_own_note_part(n) }[0])", "mrg_own_note_last(n)", "(result|number of deeds|next state)"),
    ("m->most = ((uint32_t)mrg_own_part_kind(b))", "m->most = ((uint32_t)mrg_own_part_kind(a))", "most"),
    ("mrg_own_talk_do_both(m, ctx, a, b);", "mrg_own_talk_do_both(m, ctx, b, a);", "number of deeds"),
]


def fuzz(program: Path, *options: object) -> subprocess.CompletedProcess[str]:
    return run(program, "-q", "-S", 1, "-o", ROOM / "finds", *options)


def check_machines(report: Report) -> None:
    for machine, cases in MACHINES.items():
        for seed in SEEDS:
            done = fuzz(FOLDER / "fuzz", "-s", machine, "-E", cases, "-S", seed)
            told = SUMMARY.search(done.stdout)
            good = told is not None and told[7] == told[8] == told[9] == "0" and done.returncode == 0
            report.check(f"{machine}: nothing is found by seed {seed}", good, done.stdout[-2000:])
            report.check(f"{machine}: all transitions are taken by seed {seed}", told is not None and told[4] == told[5], done.stdout[-2000:])


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
    return build(report, spec)


def spoil(report: Report, path: Path, there: str, instead: str) -> None:
    text = path.read_text()
    report.check(f"{path.name}: '{there}' is there to be spoilt", there in text)
    path.write_text(text.replace(there, instead, 1))


def check_faults(report: Report) -> None:
    for spec, path, there, instead, said in FAULTS:
        told = fuzz(spoilt(report, spec, path, there, instead), "-E", FAULT_CASES)
        seen = told.returncode == 1 and re.search(rf"^find \S+: {said}", told.stdout, re.M) is not None
        report.check(f"{path or spec}: '{instead}' for '{there}' is found", seen, told.stdout[-1500:])


def build(report: Report, what: str) -> Path:
    shutil.rmtree(ROOM / "finds", ignore_errors=True)  # they have tests in C
    sources = [p for p in ROOM.rglob("*.c") if p.parent.name != "support"]
    flags = ["-std=c11", "-D_GNU_SOURCE", "-O0", "-I", ROOM, "-I", ROOM / "support"]
    done = run(os.environ.get("CC", "gcc"), *flags, "-o", ROOM / "fuzz", *sources, *(FOLDER / "obj/support").glob("*.o"))
    report.check(f"{what}: it builds", done.returncode == 0, done.stdout[-2000:])
    return ROOM / "fuzz"


def check_packets(report: Report) -> None:
    shutil.rmtree(ROOM, ignore_errors=True)
    (ROOM / "specs/own").mkdir(parents=True)
    for name, text in (("parts", PARTS), ("talk", TALK)):
        (ROOM / f"specs/own/{name}.mrg").write_text(text)
    told = run(ROOT / "bin/mrg", "fuzz", "-I", ROOM / "specs", ROOM / "specs/own/talk.mrg", "-o", ROOM)
    report.check("events with packets: mrg fuzz", told.returncode == 0, told.stdout)
    done = fuzz(build(report, "events with packets"), "-s", "own.talk.Talk", "-E", TALK_CASES)
    summary = SUMMARY.search(done.stdout)
    report.check("events with packets: nothing is found", done.returncode == 0, done.stdout[-2000:])
    report.check("events with packets: all transitions are taken", summary is not None and summary[4] == summary[5], done.stdout[-2000:])
    machine = ROOM / "own/talk_machine.c"
    good = machine.read_text()
    for there, instead, said in TALK_FAULTS:
        spoil(report, machine, there, instead)
        told = fuzz(build(report, instead), "-s", "own.talk.Talk", "-E", TALK_CASES)
        seen = told.returncode == 1 and re.search(rf"^find \S+: {said}", told.stdout, re.M) is not None
        report.check(f"events with packets: '{instead}' is found", seen, told.stdout[-1500:])
        machine.write_text(good)


def main() -> int:
    report = Report()
    if built(report):
        check_machines(report)
        check_faults(report)
        check_packets(report)
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
