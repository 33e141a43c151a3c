#!/usr/bin/env python3
"""--check and --print: every zone of the sample set loads to the records that named-compilezone prints, and every bad one is
refused with its place."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from harness import ROOT, ZONE, Files, check, equal, main, run  # noqa: E402

ZONES = ROOT / "tests" / "data" / "zones"


def rows(text: str) -> list[str]:
    """Records with single blanks between their fields; quoted strings stay as they are."""
    out = []
    for line in text.splitlines():
        if not line.startswith(";") and line.strip():
            parts = re.split(r'("(?:\\.|[^"\\])*")', line)
            out.append("".join(p if p.startswith('"') else re.sub(r"[ \t]+", " ", p) for p in parts).strip())
    return out


def records_of(file: Path, origin: str) -> list[str]:
    done = run("--print", "--zone", f"{origin}={file}")
    equal(done.returncode, 0, f"{file.name}: {done.stderr}")
    return sorted(rows(done.stdout))


def compiled(file: Path, origin: str, folder: Path) -> list[str]:
    """What BIND makes of the zone, printed by mrg-dns from BIND's own output: so each record is compared as the same spelling."""
    out = folder / "compiled"
    done = subprocess.run(["named-compilezone", "-i", "local", "-k", "ignore", "-s", "full", "-o", out, origin, file.name],
                          cwd=file.parent, capture_output=True, text=True)
    equal(done.returncode, 0, f"named-compilezone {file.name}: {done.stdout}")
    # BIND prints the RRSIG time 4294967295 as a second before 1970; RFC 4034 3.1.5 counts up to 2106.
    out.write_text(out.read_text().replace(" 19691231235959 ", " 21060207062815 "))
    return records_of(out, origin)


def sample() -> list[tuple[Path, str]]:
    lines = (ZONES / "zones.txt").read_text().splitlines()
    pairs = [line.split() for line in lines if line and not line.startswith("#")]
    return [(ZONES / file, origin) for file, origin in pairs]


def test_sample_zones_load_to_the_records_of_named_compilezone() -> None:
    check(shutil.which("named-compilezone") is not None, "named-compilezone is installed (make deps)")
    differing = []
    with Files() as files:
        for file, origin in [*sample(), (ROOT / "appliances" / "dns" / "example.org.zone", "example.org")]:
            ours, theirs = records_of(file, origin), compiled(file, origin, files.path)
            check(len(ours) > 2, f"{file.name}: {len(ours)} records")
            if ours != theirs:
                only = [f"    ours:   {r}" for r in ours if r not in theirs] + [f"    theirs: {r}" for r in theirs if r not in ours]
                differing.append(f"{file.name}:\n" + "\n".join(only[:20]))
    check(not differing, "\n".join(differing))


def test_printed_zones_load_to_themselves() -> None:
    """What --print writes is a master file of the same records."""
    with Files() as files:
        for file, origin in sample():
            once = records_of(file, origin)
            equal(records_of(files.write("again", "\n".join(once) + "\n"), origin), once, file.name)


def test_names_and_numbers_are_printed_in_full() -> None:
    with Files() as files:
        file = files.write("zone", ZONE + "mixed.Case MX 10 @\nn 1h TYPE65280 \\# 2 abcd\n")
        equal(records_of(file, "Example.ORG"), sorted([
            "Example.ORG. 3600 IN SOA ns1.Example.ORG. hostmaster.Example.ORG. 7 7200 900 1209600 300",
            "Example.ORG. 3600 IN NS ns1.Example.ORG.",
            "ns1.Example.ORG. 3600 IN A 192.0.2.53",
            "www.Example.ORG. 3600 IN A 192.0.2.80",
            "www.Example.ORG. 3600 IN AAAA 2001:db8::80",
            "version.Example.ORG. 3600 IN A 192.0.2.1",
            "alias.Example.ORG. 3600 IN CNAME www.Example.ORG.",
            '*.wild.Example.ORG. 3600 IN TXT "made"',
            "mixed.Case.Example.ORG. 3600 IN MX 10 Example.ORG.",
            "n.Example.ORG. 3600 IN TYPE65280 \\# 2 ABCD",
        ]))


def test_check_tells_serial_and_records() -> None:
    with Files() as files:
        done = run("--check", "--zone", f"example.org={files.write('zone', ZONE)}")
        equal(done.returncode, 0)
        equal(done.stdout, "example.org.: serial 7, 8 records\n")
        equal(done.stderr, "")


def test_check_compares_digests_of_zones() -> None:
    """RFC 8976, with digests by ldns: one that is another zone's is told with its place, one of an unknown kind is not looked at."""
    signed = "signed"
    with Files() as files:
        files.write("zone", ZONE)
        done = subprocess.run(["ldns-signzone", "-z", "sha384", "-Z", "-o", "example.org.", "-f", signed, "zone"], cwd=files.path, capture_output=True,
                              text=True)
        equal(done.returncode, 0, done.stderr)
        good = (files.path / signed).read_text()
        line = next(n for n, text in enumerate(good.splitlines(), 1) if "ZONEMD" in text)
        equal(run("--check", "--zone", f"example.org={files.path / signed}").returncode, 0)
        more = files.write("more", good + "more.example.org. 60 IN A 192.0.2.99\n")
        done = run("--check", "--zone", f"example.org={more}")
        equal(done.returncode, 1)
        check(re.search(rf"more:{line}:\d+: error: example.org. ZONEMD: the digest is not that of the zone", done.stderr) is not None, done.stderr)
        other = files.write("other", re.sub(r"ZONEMD\s+\d+ ", "ZONEMD 1 ", good))
        done = run("--check", "--zone", f"example.org={other}")
        check("ZONEMD: the digest is for another serial number" in done.stderr, done.stderr)
        unknown = files.write("unknown", re.sub(r"(ZONEMD\s+\d+) 1 1 ", r"\1 1 240 ", good))
        equal(run("--check", "--zone", f"example.org={unknown}").returncode, 0)


def test_check_tells_all_errors_of_all_zones() -> None:
    with Files() as files:
        a = files.write("a", ZONE + "x MX ten mail\ny A 192.0.2.256\n")
        b = files.write("b", ZONE + "x AAAA 1::2::3\n")
        done = run("--check", "--zone", f"example.org={a}", "--zone", f"example.net={b}")
        equal(done.returncode, 1)
        lines = done.stderr.splitlines()
        equal(len(lines), 3, done.stderr)
        for line, start in zip(lines, (f"{a}:10:6: error: MX preference: ", f"{a}:11:5: error: A ", f"{b}:10:8: error: AAAA ")):
            check(line.startswith(start), f"{line!r} starts with {start!r}")


def expectations(file: Path) -> list[str]:
    return [line for line in file.read_text().splitlines() if line.strip()]


def fits(expect: str, line: str, file: Path) -> bool:
    place, _, word = expect.partition(" ")
    if place == "*":
        return line.startswith(f"{file}") and word in line
    number, _, col = place.partition(":")
    start = f"{file}:{number}:" + ("" if col == "*" else f"{col}: error: ")
    return line.startswith(start) and word in line


def test_bad_zones_are_refused_with_their_place() -> None:
    trouble = []
    files = sorted((ZONES / "bad").glob("*.zone"))
    check(len(files) > 50, f"{len(files)} bad zones")
    for file in files:
        done = run("--check", "--zone", f"bad.example={file}")
        lines = done.stderr.splitlines()
        wanted = expectations(file.with_suffix(".expect"))
        unmet = [e for e in wanted if not any(fits(e, line, file) for line in lines)]
        if done.returncode != 1 or unmet or len(lines) != len(wanted) or done.stdout:
            trouble.append(f"{file.name}: status {done.returncode}, expected {wanted}, got {lines}")
    check(not trouble, f"{len(trouble)} of {len(files)}:\n    " + "\n    ".join(trouble))


def test_two_zones_of_one_origin() -> None:
    with Files() as files:
        zone = files.write("zone", ZONE)
        done = run("--check", "--zone", f"example.org={zone}", "--zone", f"EXAMPLE.org.={zone}")
        equal(done.returncode, 1)
        check("two zones have the same origin" in done.stderr, done.stderr)


def test_includes_beside_the_file_and_in_the_current_folder() -> None:
    with Files() as files:
        (files.path / "sub").mkdir(mode=0o755)
        files.write("sub/part", "inc A 192.0.2.1\n$INCLUDE deeper\n")
        files.write("sub/deeper", "deep A 192.0.2.2\n")
        zone = files.write("sub/zone", ZONE + "$INCLUDE part\n")
        done = run("--print", "--zone", f"example.org={zone}")
        check("inc.example.org. 3600 IN A 192.0.2.1" in rows(done.stdout), done.stdout + done.stderr)
        check("deep.example.org. 3600 IN A 192.0.2.2" in rows(done.stdout), done.stdout + done.stderr)
        files.write("sub/part", "inc A 192.0.2.256\n")
        done = run("--check", "--zone", f"example.org={zone}")
        check(f"{files.path}/sub/part:1:7: error: " in done.stderr, done.stderr)


if __name__ == "__main__":
    sys.exit(main(dict(globals())))
