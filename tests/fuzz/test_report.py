#!/usr/bin/env python3
"""What comes after runs: how often each point was reached, the page about it, finds once more by a program built anew."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from html.parser import HTMLParser
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from report import ROOT, Report, make, run  # noqa: E402

SPEC = """/// Readings & their <names>.
module sensor;

/// Two octets
packet Short { low: u16; }
/// Four
packet Long { high: u32; }

/// What is sent.  Page 3
packet Report {
  version: 4 = 1;
  0: 4;
  kind: u8;
  value: switch kind { 1 => Short; 2 => Long; 77 => other: Long; _ => nothing: bytes(0); };
  left: rest;
  where size left <= 4 "no more than four"; where version == 1 "always so";
}

grammar Lines {
  message Line = ("on" / "off") SP unit:1*3ALPHA CRLF;
}
"""
HAS_AFL = shutil.which("afl-clang-fast") is not None and shutil.which("afl-fuzz") is not None
BOUND = re.compile(r"<= 4u")
VOID = {"meta", "link", "br", "hr"}


class Page(HTMLParser):
    """Tags that are closed in their order, lines of source by number, what is listed below each."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.wrong: list[str] = []
        self.tags: set[str] = set()
        self.text: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        if tag not in VOID:
            self.open.append(tag)
        self.wrong += [str(value) for key, value in attrs if key in ("src", "href")]

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.wrong.append(f"</{tag}>")

    def handle_data(self, data: str) -> None:
        if not self.open or self.open[-1] != "style":
            self.text.append(data)


def page_of(report: Report, folder: Path) -> str:
    told = run(ROOT / "bin/mrg", "fuzz-report", folder, "-o", folder / "page.html")
    report.check("mrg fuzz-report", told.returncode == 0, told.stdout)
    return (folder / "page.html").read_text() if told.returncode == 0 else ""


def fuzz(folder: Path, subject: str, *options: object) -> str:
    return run(folder / "fuzz", "-q", "-s", subject, "-o", folder / "finds", *options).stdout


def check_counts(report: Report, folder: Path) -> None:
    counted = fuzz(folder, "sensor.Report", "-E", 3000, "--points-out", folder / "reached.jsonl")
    plain = fuzz(folder, "sensor.Report", "-E", 3000)
    report.check("counting changes no case", counted.partition(";")[0] == plain.partition(";")[0], counted + plain)
    fuzz(folder, "sensor.Report", "-E", 500, "-S", 2, "--points-out", folder / "reached.jsonl")
    known = json.loads((folder / "points.json").read_text())
    first, second = map(json.loads, (folder / "reached.jsonl").read_text().splitlines())
    names = [p[0] for p in known["subjects"]["sensor.Report"]]
    report.check("a count a point", len(first["points"]) == len(names) == len(second["points"]) and first["execs"] == 3000, str(first))
    by_name = dict(zip(names, first["points"]))
    arms = [count for name, count in by_name.items() if re.search(r": (short|long|other|nothing)$", name)]
    report.check("each case takes at most one way", len(arms) == 4 and 3000 * 0.6 < sum(arms) <= 3000 and min(arms) > 0, str(by_name))
    check_page(report, folder, {n: a + b for n, a, b in zip(names, first["points"], second["points"])})


def check_page(report: Report, folder: Path, counts: dict[str, int]) -> None:
    text = page_of(report, folder)
    page = Page(text)
    shown = "".join(page.text)
    report.check("tags are closed, nothing is loaded, no script", not page.open and not page.wrong and "script" not in page.tags, str(page.wrong))
    report.check("the text of the specification is there", "/// Readings & their <names>." in shown)
    wrong = [name for name, n in counts.items() if f"{n or 'never'}: {name}" not in shown.replace("\N{NO-BREAK SPACE}", " ").replace(" ", " ") and
             f"{n:,}: {name}".replace(",", " ") not in shown]
    report.none("points have the sum of both runs", wrong)
    report.check("cases are added up", "3 500" in shown and "sensor.Report" in shown)
    lines = re.findall(r'<details class="(\w+)"><summary><span class="n">(\d+)</span>', text)
    numbers = {SPEC.splitlines()[int(n) - 1].split(":")[0].strip() for _, n in lines}
    report.check("points stand at their lines", {"version", "value"} <= numbers and "module sensor;" not in numbers, str(numbers))
    never = "Report: always so: broken"
    report.check("what no input comes to is no point", never not in counts and "Report: always so: holds" in counts, str(counts))
    said = f'<li class="none">cannot be reached: {never}: what is read before makes it hold, by z3</li>'
    report.check("but is said, with the reason", said in text, text[-3000:])
    good = re.search(r'<details class="(\w+)"><summary><span class="n">16</span>', text)
    report.check("and its line is good without it", good is not None and good[1] == "good", str(good))
    report.check("what did not run is not painted", not any(int(n) > 16 for _, n in lines), str(lines))


def check_missing(report: Report, folder: Path) -> None:
    fuzz(folder, "sensor.Line", "-E", 1, "--points-out", folder / "reached-text.jsonl")
    text = page_of(report, folder)
    line = re.search(r'<details class="some"><summary><span class="n">20</span>(.*?)</summary>', text)
    report.check("of a text, ways that were not taken are red", line is not None and '<b class="bad">' in line[1], text[-3000:])
    (folder / "reached-old.jsonl").write_text('{"subject": "sensor.Line", "points": [1]}\n')
    report.check("runs of another specification are left out", "1 runs are of other specifications" in page_of(report, folder))
    (folder / "reached-old.jsonl").write_text("no line of a run\n")
    told = run(ROOT / "bin/mrg", "fuzz-report", folder, "-o", folder / "page.html")
    report.check("what no run wrote is said to be", told.returncode == 1 and told.stdout.startswith("mrg fuzz-report: not as"), told.stdout)
    (folder / "reached-old.jsonl").unlink()


def campaign(folder: Path, *options: object, expect: int = 0) -> tuple[str, bool]:
    done = run(ROOT / "fuzz/campaign.py", *options, folder, "sensor.Report")
    return done.stdout, done.returncode == expect


def check_jobs(report: Report, folder: Path) -> None:
    said, good = campaign(folder, "--jobs", 3, "--cases", 2000)
    report.check("three jobs share the cases", good and "sensor.Report: 3 jobs, 2000 execs, " in said and "0 finds" in said, said)
    runs = [json.loads((folder / f"reached-{i}.jsonl").read_text()) for i in range(3)]
    report.check("each of its own seed", [r["seed"] for r in runs] == [1, 2, 3] and sum(r["execs"] for r in runs) == 2000, str(runs))
    alone = fuzz(folder, "sensor.Report", "-E", 666, "-S", 1, "--points-out", folder / "alone.jsonl")
    same = json.loads((folder / "alone.jsonl").read_text())["points"] == runs[0]["points"]
    report.check("the first does what one alone does", same, alone)
    stop(report, folder)
    for options, jobs in ((["JOBS=3"], "3"), ([], "1")):
        told = make(*options, "--eval=said-%: ; @echo jobs $($*)", "said-FUZZ_JOBS")
        report.check(f"make {options}: so many at once", f"jobs {jobs}\n" in told.stdout, told.stdout)


def stop(report: Report, folder: Path) -> None:
    """As a terminal does, once a job runs: a line of status says so."""
    command = [str(ROOT / "fuzz/campaign.py"), "--jobs", "2", "--seconds", "600", str(folder), "sensor.Report", "sensor.Line"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True) as process:
        assert process.stdout is not None
        first = process.stdout.readline()
        os.killpg(process.pid, signal.SIGINT)
        rest = process.stdout.read()
    report.check("an interrupt ends all of it in good order", process.returncode == 0 and "Report: 2 jobs" in first and "Line" not in rest, first + rest)
    counted = [json.loads((folder / f"reached-{i}.jsonl").read_text().splitlines()[-1]) for i in range(2)]
    report.check("what was reached till then is kept", all(r["subject"] == "sensor.Report" and r["execs"] > 0 for r in counted), str(counted))


def check_jobs_found(report: Report, folder: Path) -> None:
    """Where something is wrong."""
    shutil.rmtree(folder / "finds", ignore_errors=True)
    said, good = campaign(folder, "--jobs", 2, "--cases", 6000, expect=1)
    kept = [p.name for p in (folder / "finds").glob("*")]
    report.check("what jobs find is kept once", good and len(kept) == 1 and "." in kept[0] and kept[0].count(".") == 1, said + str(kept))
    report.check("and is said", "find sensor.Report: " in said and ", 2 finds\n" in said, said)
    if not HAS_AFL:
        print("AFL++ is not installed (mk/deps.sh fuzz)\n1 not applicable")
        return
    built = make("-C", folder, "-s", "CFLAGS=-O0 -g", "afl")
    shutil.rmtree(folder / "finds", ignore_errors=True)
    said, good = campaign(folder, "--jobs", 2, "--cases", 4000, "--afl", expect=1)
    report.check("AFL++'s main and secondary", built.returncode == 0 and good and "sensor.Report: 2 jobs of AFL++, " in said, built.stdout + said)
    report.check("what they find is kept as ever", [p.name for p in (folder / "finds").glob("*")] == kept and "find sensor.Report" in said, said)
    counted = [json.loads(line) for line in (folder / "reached-afl.jsonl").read_text().splitlines()]
    report.check("and what they kept is counted", len(counted) >= 2 and sum(r["execs"] for r in counted) > 40, str(counted))


def spoil(report: Report, folder: Path) -> None:
    """A limit that is one too high."""
    made = 0
    for path in (folder / "sensor.h", folder / "sensor.c"):
        text, n = BOUND.subn(lambda m: m[0].replace("4u", "5u"), path.read_text())
        made += n
        if n:
            path.write_text(text)
    done = make("-C", folder, "-s", "CFLAGS=-O0 -g")
    report.check("a fault is planted", made > 0 and done.returncode == 0, done.stdout)


def check_repro(report: Report, folder: Path, spec: Path) -> None:
    none = run(ROOT / "fuzz/repro.py", folder)
    report.check("no finds", none.returncode == 0 and none.stdout == "no finds\n", none.stdout)
    report.check("no folder", run(ROOT / "fuzz/repro.py", folder / "none").returncode == 2)
    spoil(report, folder)
    said = fuzz(folder, "sensor.Report", "-E", 3000)
    kept = sorted((folder / "finds").iterdir()) if (folder / "finds").exists() else []
    report.check("it is found", len(kept) == 1, said)
    check_jobs_found(report, folder)
    if kept:
        key = re.search(r"^key: (.*)$", (kept[0] / "why.txt").read_text(), re.M)
        report.check("the page has it", key is not None and "Finds: 1" in (text := page_of(report, folder)) and key[1] in text)
        spec.rename(spec.with_suffix(".away"))  # so that it can't be generated anew
        for place in (folder / "finds", kept[0]):
            still = run(ROOT / "fuzz/repro.py", place)
            report.check("it is still there", still.returncode == 1 and f"{kept[0].name}: still there: " in still.stdout, still.stdout)
        spec.with_suffix(".away").rename(spec)
        gone = run(ROOT / "fuzz/repro.py", folder / "finds", CFLAGS="-O0 -g")
        report.check("it is gone when generated anew", gone.returncode == 0 and f"{kept[0].name}: gone: " in gone.stdout, gone.stdout)


def main() -> int:
    report = Report()
    with tempfile.TemporaryDirectory() as name:
        folder, spec = Path(name) / "made", Path(name) / "sensor.mrg"
        spec.write_text(SPEC)
        told = run(ROOT / "bin/mrg", "fuzz", spec, "-o", folder)
        done = make("-C", folder, "-s", "CFLAGS=-O0 -g")
        if report.check("mrg fuzz, make", told.returncode == done.returncode == 0, told.stdout + done.stdout):
            check_counts(report, folder)
            check_missing(report, folder)
            check_jobs(report, folder)
            check_repro(report, folder, spec)
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
