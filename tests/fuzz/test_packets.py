#!/usr/bin/env python3
"""What `mrg fuzz` writes of all packets and texts in specs/: it builds, finds nothing, and comes to what the specifications have.

The same cases each time: bounded by number, of one seed.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parent), str(Path(__file__).resolve().parent.parent)]
from packets_folder import FOLDER, built  # noqa: E402
from report import ROOT, Report, make, run  # noqa: E402

CASES = 10_000
FEW = 1_500  # of each packet that is not named below
SUMMARY = re.compile(r"^(\S+): (\d+) execs, ([\d.]+) % accepted, spec (\d+)/(\d+).*?, (\d+) finds, (\d+) crashes, (\d+) hangs", re.M)

# Points of the specification that CASES cases of a seed must reach, of each hundred.
FLOORS = {
    "dns.message.Message": 98, "net.link.Ethernet": 90, "net.ip4.Ip4": 100, "net.ip4.Ip4Options": 92, "net.icmp4.Icmp4": 97,
    "net.icmp6.Icmp6": 84, "net.udp.Udp": 100, "net.tcp.Tcp": 100, "net.tcp.TcpOptions": 96, "net.dhcp4.DhcpOptions": 92,
    "http.message.Request": 100, "http.message.Response": 100, "dns.master.Master": 100,
}  # fmt: skip
FLOOR_OF_ALL = 85

# All inputs of two octets of those, then longer ones.
EXHAUST = ["--exhaust", 2, "--exhaust-cases", 20_000]

# A maker writes one item after the other: it doesn't know how long an archive will be when it says so.
REFUSED = {"archive.Whole"}

# A field told wrong of one of its 65536 values: only all of them are sure to have it.
RARE = ("net/udp.h", "return mrg_be16(v->p + 2);", "return (uint16_t)(mrg_be16(v->p + 2) ^ (mrg_be16(v->p + 2) == 0x9de3));", "net.udp.Udp")


def fuzz(*options: object, program: Path = FOLDER / "fuzz") -> subprocess.CompletedProcess[str]:
    return run(program, "-q", "-S", 1, "-o", FOLDER / "finds", *options)


def percent(text: str) -> dict[str, float]:
    """Of each subject, points reached of each hundred."""
    return {m[1]: 100 * int(m[4]) / max(int(m[5]), 1) for m in SUMMARY.finditer(text)}


def check_clean(report: Report) -> None:
    shutil.rmtree(FOLDER / "finds", ignore_errors=True)
    done = fuzz("-E", FEW)
    told = list(SUMMARY.finditer(done.stdout))
    names = fuzz("--list").stdout.split()
    report.check("all subjects are run", [m[1] for m in told] == names and len(names) > 100, done.stdout[-2000:])
    report.none("nothing is found", [m[0] for m in told if m[6] != "0" or m[7] != "0" or m[8] != "0"])
    report.check("and it says so", done.returncode == 0, done.stdout[-2000:])
    report.none("each packet is accepted", [m[0] for m in told if float(m[3]) < 20 and m[1] not in REFUSED])
    reached, all_ = sum(int(m[4]) for m in told), sum(int(m[5]) for m in told)
    report.check(f"{FLOOR_OF_ALL} % of all points are reached", 100 * reached >= FLOOR_OF_ALL * all_, f"{reached} of {all_}")


def check_floors(report: Report) -> None:
    for subject, floor in FLOORS.items():
        done = fuzz("-s", subject, "-E", CASES)
        have = percent(done.stdout).get(subject, 0)
        report.check(f"{subject}: {floor} % of its points are reached", have >= floor and done.returncode == 0, done.stdout[-600:])


def check_same(report: Report) -> None:
    once, again = (re.sub(r"; [\d.]+ s, \d+/s", "", fuzz("-s", "net.ip4.Ip4Options", "-E", 3000).stdout) for _ in range(2))
    report.check("the same seed does the same", once == again, once + again)


def check_exhaust(report: Report) -> None:
    for subject in FLOORS:
        done = fuzz("-s", subject, *EXHAUST)
        report.check(f"{subject}: all inputs of two octets", done.returncode == 0 and f"{subject}: all 65793 inputs" in done.stdout, done.stdout)


def spoilt(report: Report, path: str, there: str, instead: str) -> Path | None:
    """A copy of the folder with a fault, of which only one file is compiled anew."""
    room = FOLDER.parent / "packets-faulty"
    shutil.rmtree(room, ignore_errors=True)
    shutil.copytree(FOLDER, room, ignore=shutil.ignore_patterns("finds"), copy_function=shutil.copy2)
    text = (room / path).read_text()
    if not report.check(f"{path}: '{there}' is there to be spoilt", there in text):
        return None
    (room / path).write_text(text.replace(there, instead))
    done = make("-C", room, "-j2", "-s", "CFLAGS=-O1 -g")
    return room if report.check(f"{path}: it builds with '{instead}'", done.returncode == 0, done.stdout[-1500:]) else None


def check_rare(report: Report) -> None:
    path, there, instead, subject = RARE
    room = spoilt(report, path, there, instead)
    if room is None:
        return
    told = run(room / "fuzz", "-q", "-o", room / "finds", "-s", subject, "--exhaust", 1, "--exhaust-cases", 1_000_000)
    report.check(f"'{instead}' is found among all", told.returncode == 1 and "1 finds" in told.stdout, told.stdout)
    shutil.rmtree(room)


def check_usage(report: Report) -> None:
    told = run(ROOT / "bin/mrg", "fuzz", ROOT / "specs/iana/http.mrg", "-o", FOLDER.parent / "none")
    report.check("a module of names only is refused", told.returncode == 2 and "neither a packet nor a grammar nor a machine" in told.stdout, told.stdout)


def main() -> int:
    report = Report()
    if built(report):
        check_clean(report)
        check_floors(report)
        check_same(report)
        check_exhaust(report)
        check_rare(report)
    check_usage(report)
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
