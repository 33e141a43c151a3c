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
import jumps  # noqa: E402
from packets_folder import FOLDER, SUMMARY, built  # noqa: E402
from report import ROOT, Report, make, run  # noqa: E402

CASES = 10_000
TIME = re.compile(r"; \d+ MB; [\d.]+ s, \d+/s")

# All that can be reached of these is reached within CASES cases of other seeds, too, beginning with one octet.
OTHER_SEEDS = (2, 7)
FULL = [
    "dns.message.Message", "net.link.Ethernet", "net.ip4.Ip4", "net.ip4.Ip4Options", "net.ip6.Ip6", "net.icmp4.Icmp4", "net.icmp6.Icmp6",
    "net.udp.Udp", "net.tcp.Tcp", "net.tcp.TcpOptions", "net.dhcp4.DhcpOptions", "http.message.Request", "http.message.Response", "dns.master.Master",
]  # fmt: skip
# What is not, of any subject, after CASES of the first seed: of the first three no input comes to it, of the last one that is made for it (jumps.py).
TOO_MANY = "Name.labels: too many jumps"
JUST_ENOUGH = ("dns.rdata.Soa", "dns.rdata.Rp", "dns.rdata_old.Minfo")
OPEN = {(subject, TOO_MANY) for subject in (*JUST_ENOUGH, "dns.rdata_old.Px")}
POINT = re.compile(r"^(\S+): missing: (.*)$", re.M)

# All inputs of two octets of those, then longer ones.
EXHAUST = ["--exhaust", 2, "--exhaust-cases", 20_000]

# A maker writes one item after the other: it doesn't know how long an archive will be when it says so.
REFUSED = {"archive.Whole"}

# What is walked by code and by tables must be the same; these have between them all kinds of items, and of ways through texts.
BY_CODE = ("dns/name.mrg", "net/ip4.mrg", "archive.mrg", "pcapng.mrg", "http/message.mrg", "http/target.mrg", "dns/master.mrg")

SUBJECT = re.compile(r'\.name = "([^"]+)", \.ctx')
MADE = re.compile(r"^(\S+): (\d+) made, ([\d.]+) % accepted", re.M)

# A field told wrong of one of its 65536 values: only all of them are sure to have it.
RARE = ("net/udp.h", "return mrg_be16(v->p + 2);", "return (uint16_t)(mrg_be16(v->p + 2) ^ (mrg_be16(v->p + 2) == 0x9de3));", "net.udp.Udp")


# Pointers that just may not be: to the end of the message; one more of them in a row than may be, and nothing behind it that has two more.
POINTERS = [("target >= msg.len", "target > msg.len"), ("++jumps > 126u", "++jumps > 127u")]


def fuzz(*options: object, program: Path = FOLDER / "fuzz") -> subprocess.CompletedProcess[str]:
    return run(program, "-q", "-S", 1, "-o", FOLDER / "finds", *options)


def check_clean(report: Report) -> None:
    shutil.rmtree(FOLDER / "finds", ignore_errors=True)
    done = fuzz("-E", CASES, "--points")
    told = list(SUMMARY.finditer(done.stdout))
    names = fuzz("--list").stdout.split()
    report.check("all subjects are run", [m[1] for m in told] == names and len(names) > 100, done.stdout[-2000:])
    report.none("nothing is found", [m[0] for m in told if not m[7] == m[8] == m[9] == "0"])
    report.check("and it says so", done.returncode == 0, done.stdout[-2000:])
    report.none("each packet is accepted", [m[0] for m in told if float(m[3]) < 20 and m[1] not in REFUSED])
    missing = set(POINT.findall(done.stdout))
    report.none("all points are reached", [f"{name}: {point}" for name, point in sorted(missing - OPEN)])
    report.none("but for those that are known to be missing", [f"{name}: {point}" for name, point in sorted(OPEN - missing)])


def check_full(report: Report) -> None:
    for subject in FULL:
        for seed in OTHER_SEEDS:
            done = fuzz("-s", subject, "-E", CASES, "-S", seed)
            told = SUMMARY.search(done.stdout)
            good = told is not None and told[4] == told[5] and done.returncode == 0
            report.check(f"{subject}: all of its points are reached by seed {seed}", good, done.stdout[-600:])


def check_jumps(report: Report) -> None:
    """The most pointers in a row that two names have room for."""
    room = FOLDER.parent / "jumps"
    room.mkdir(exist_ok=True)

    def tried(subject: str, data: bytes) -> str:
        (room / "in").write_bytes(data)
        return fuzz("-s", subject, "--replay", room, "--points").stdout

    for subject in JUST_ENOUGH:
        told = tried(subject, jumps.SOA)
        report.check(f"{subject}: 126 jumps are accepted", "100.0 % accepted" in told and f"missing: {TOO_MANY}" in told, told)
    told = tried("dns.rdata_old.Px", jumps.PX)
    report.check("dns.rdata_old.Px: 127 jumps are not", " 0.0 % accepted" in told and f"reached: {TOO_MANY}" in told, told)
    shutil.rmtree(room)


def check_same(report: Report) -> None:
    once, again = (TIME.sub("", fuzz("-s", "net.ip4.Ip4Options", "-E", 3000).stdout) for _ in range(2))
    report.check("the same seed does the same", once == again, once + again)


def check_exhaust(report: Report) -> None:
    for subject in FULL:
        done = fuzz("-s", subject, *EXHAUST)
        report.check(f"{subject}: all inputs of two octets", done.returncode == 0 and f"{subject}: all 65793 inputs" in done.stdout, done.stdout)


def spoilt(report: Report, path: str, there: str, instead: str, only: str = "") -> Path | None:
    """A copy of the folder with a fault, of which what has to be is compiled anew, or only one file."""
    room = FOLDER.parent / "packets-faulty"
    shutil.rmtree(room, ignore_errors=True)
    shutil.copytree(FOLDER, room, ignore=shutil.ignore_patterns("finds"), copy_function=shutil.copy2)
    text = (room / path).read_text()
    if not report.check(f"{path}: '{there}' is there to be spoilt", there in text):
        return None
    (room / path).write_text(text.replace(there, instead))
    if only:
        (room / "obj" / only).with_suffix(".o").unlink()
    done = make("-C", room, "-j2", "-s", "CFLAGS=-O1 -g", *(["-o", path] if only else []))
    return room if report.check(f"{path}: it builds with '{instead}'", done.returncode == 0, done.stdout[-1500:]) else None


def check_rare(report: Report) -> None:
    path, there, instead, subject = RARE
    room = spoilt(report, path, there, instead)
    if room is None:
        return
    told = run(room / "fuzz", "-q", "-o", room / "finds", "-s", subject, "--exhaust", 1, "--exhaust-cases", 1_000_000)
    report.check(f"'{instead}' is found among all", told.returncode == 1 and "1 finds" in told.stdout, told.stdout)
    shutil.rmtree(room)


def check_pointers(report: Report) -> None:
    for there, instead in POINTERS:
        room = spoilt(report, "dns/name.h", there, instead, only="dns/message.c")
        if room is None:
            return
        told = run(room / "fuzz", "-q", "-o", room / "finds", "-s", "dns.message.Message", "-E", 5 * CASES)
        report.check(f"'{instead}' is found", told.returncode == 1 and " 1 finds" in told.stdout, told.stdout)
        shutil.rmtree(room)


def check_code(report: Report) -> None:
    """The folder itself is built without, since it takes long to compile."""
    room = FOLDER.parent / "packets-code"
    shutil.rmtree(room, ignore_errors=True)
    made = run(ROOT / "bin/mrg", "fuzz", *(ROOT / "specs" / spec for spec in BY_CODE), "-o", room)
    built_too = make("-C", room, "-j2", "-s", "CFLAGS=-O1 -g", "CODE=yes")
    if not report.check("packets are walked by code: it builds", made.returncode == 0 and built_too.returncode == 0, made.stdout + built_too.stdout[-2000:]):
        return
    report.check("and has it", b"packet_0" in (room / "fuzz").read_bytes() and b"packet_0" not in (FOLDER / "fuzz").read_bytes(), "no function packet_0")
    options = ["-q", "-S", 1, "-E", 3000, "-o", room / "finds"]
    told = run(room / "fuzz", *options).stdout
    want = "".join(fuzz("-s", name, *options[3:]).stdout for name in run(room / "fuzz", "--list").stdout.split())
    report.check("code says what tables say", TIME.sub("", told) == TIME.sub("", want) and len(want) > 500, told + want)
    shutil.rmtree(room)


def check_made(report: Report) -> None:
    """What is made of nothing is a message, though the maker, who knows what it leaves to be found out, has not read all of them again."""
    packets = {name for path in FOLDER.glob("subjects_*.c") for name in SUBJECT.findall(path.read_text())}
    told = {name: share for name, n, share in MADE.findall(fuzz("--make-rate", 500).stdout) if int(n) > 0}
    report.none("all packets are made", sorted(packets - REFUSED - set(told)))
    report.none("and accepted", [f"{name} {told[name]}" for name in sorted(packets & set(told)) if told[name] != "100.0"])


def check_usage(report: Report) -> None:
    told = run(ROOT / "bin/mrg", "fuzz", ROOT / "specs/iana/http.mrg", "-o", FOLDER.parent / "none")
    report.check("a module of names only is refused", told.returncode == 2 and "neither a packet nor a grammar nor a machine" in told.stdout, told.stdout)


def main() -> int:
    report = Report()
    if built(report):
        check_clean(report)
        check_full(report)
        check_jumps(report)
        check_same(report)
        check_made(report)
        check_exhaust(report)
        check_rare(report)
        check_pointers(report)
        check_code(report)
    check_usage(report)
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
