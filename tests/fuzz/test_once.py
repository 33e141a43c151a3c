#!/usr/bin/env python3
"""The oracle of `shared` packets (`mrg fuzz`): octets that are loaded once are no find, and each way of loading one again is.

The same cases each time: bounded by number, of one seed.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent), str(HERE.parent / "gen"), str(HERE.parents[1] / "fuzz"), str(HERE.parents[1] / "gen")]
import rooms  # noqa: E402
from packets_folder import SUMMARY  # noqa: E402
from report import OUT, ROOT, Report, make, run  # noqa: E402
from test_fetch import SPEC  # noqa: E402

FOLDER = (ROOT / OUT / "fuzz" / "once").resolve()
CASES = 4_000
FETCHED = 12  # packets that are fetched: of the specification of tests/gen/test_fetch.py, and of specs/virtio.mrg

LOAD = "mrg_load_once(out->bytes, from, size);"
CHECK = "mrg_ring_counted_check_((struct mrg_span){ out->bytes, size }, &out->view, rj)"
# Where, what stands there, what then, which packet tells, what it says.
FAULTS = [
    ("ring.h", "mrg_ring_counted_fetch", LOAD, LOAD + " if (size > 2) out->bytes[1] = ((const volatile uint8_t *)from)[1];", "ring.Counted", "loaded again"),
    ("ring.h", "mrg_ring_counted_fetch", CHECK, CHECK.replace("out->bytes, size", "(const uint8_t *)(uintptr_t)from, len"), "ring.Counted", "loaded again"),
    ("ring.h", "mrg_ring_frame_fetch", LOAD, LOAD + " memcpy(out->bytes, (const uint8_t *)(uintptr_t)from, size);", "ring.Frame", "loaded again"),
    ("ring.h", "mrg_ring_capped_fetch", LOAD, LOAD + " (void)((const volatile uint8_t *)from)[len];", "ring.Capped", "loaded outside"),
    ("ring.h", "mrg_ring_capped_fetch", "24u : len", "25u : len", "ring.Capped", "loaded outside"),
    ("virtio.h", "mrg_virtio_net_header_fetch", "12u : len", "11u : len", "virtio.NetHeader", "wants more"),
    ("once_ring.c", "counted_fetch", "return st;", "if (st == MRG_OK) view->p = (const uint8_t *)from; return st;", "ring.Counted", "what was fetched"),
    ("support/mrg_plan_once.c", "count", "if (!counting ||", "if (counting ||", "virtio.Event", "loads are not seen"),
]  # fmt: skip


def check_clean(report: Report) -> None:
    done = run(FOLDER / "fuzz", "-q", "-S", 1, "-E", CASES, "-o", FOLDER / "finds")
    told = [m for m in SUMMARY.finditer(done.stdout) if m[1].startswith("ring.") or m[1].split(".")[1] in ("UsedHead", "UsedElement", "Event", "NetHeader")]
    report.check("all packets run", len(told) == FETCHED, done.stdout[-2000:])
    report.check("nothing is found", done.returncode == 0, done.stdout[-2000:])
    report.none("each is accepted", [m[0] for m in told if float(m[3]) < 50])


def check_faults(report: Report) -> None:
    room = FOLDER.parent / "once-faulty"
    rooms.link_tree(FOLDER, room)
    for path, inside, there, instead, subject, says in FAULTS:
        text = (room / path).read_text()
        start, end = rooms.body(text, inside)
        report.check(f"{path}: '{there}' is once in {inside}", text[start:end].count(there) == 1)
        rooms.plant(room, path, text[:start] + text[start:end].replace(there, instead) + text[end:])
        done = make("-s", "-C", room, rooms.QUICK)
        report.check(f"{inside}: it builds with '{instead}'", done.returncode == 0, done.stdout[-2000:])
        told = run(room / "fuzz", "-q", "-S", 1, "-s", subject, "-E", CASES, "-o", room / "finds")
        seen = told.returncode == 1 and re.search(rf"^find {re.escape(subject)}: shared: {says}", told.stdout, re.M) is not None
        report.check(f"{inside}: '{instead}' is found", seen, told.stdout[-1500:])
        rooms.restore(FOLDER, room, path)


def main() -> int:
    report = Report()
    FOLDER.mkdir(parents=True, exist_ok=True)
    spec = FOLDER / "ring.mrg"
    spec.write_text(SPEC)
    told = run(ROOT / "bin/mrg", "fuzz", spec, ROOT / "specs/virtio.mrg", "-o", FOLDER)
    if report.check("mrg fuzz", told.returncode == 0, told.stdout):
        done = make("-s", "-C", FOLDER, "-j2", rooms.FLAGS)
        if report.check("it builds", done.returncode == 0, done.stdout[-2000:]):
            check_clean(report)
            check_faults(report)
        # What sees loads can't be had beside another sanitizer.
        for flags, counted in ((rooms.FLAGS, True), ("CFLAGS=-O1 -fsanitize=address", False)):
            told = make("-n", "-B", "-C", FOLDER, flags)
            report.check(f"{flags}: loads are {'' if counted else 'not '}counted", told.returncode == 0 and ("=thread" in told.stdout) == counted)
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
