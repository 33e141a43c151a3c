#!/usr/bin/env python3
"""`make dist`: the archive is the same each time, and builds and serves where there is neither Python nor re2c."""

from __future__ import annotations

import hashlib
import os
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from report import OUT, ROOT, Report, make, run  # noqa: E402

KEPT_OUT = ("python", "re2c", "ragel", "pypy")


def path_without_generators(folder: Path) -> str:
    """A folder of links to all system programs but those that only generating needs."""
    folder.mkdir()
    for place in ("/usr/bin", "/bin"):
        for program in Path(place).iterdir():
            link = folder / program.name
            if not program.name.startswith(KEPT_OUT) and not link.is_symlink():
                link.symlink_to(program)
    return str(folder)


def archive(report: Report) -> Path:
    done = make("dist", f"O={OUT}")
    report.check("make dist", done.returncode == 0, done.stdout)
    return max((ROOT / OUT).glob("mrg-*.tar.gz"), key=os.path.getmtime)


def main() -> int:
    report = Report()
    first = archive(report)
    digest = hashlib.sha256(first.read_bytes()).hexdigest()
    report.check("the same bytes again", hashlib.sha256(archive(report).read_bytes()).hexdigest() == digest)
    with tempfile.TemporaryDirectory() as name:
        tmp = Path(name)
        report.check("it unpacks", run("tar", "-C", tmp, "-xzf", first).returncode == 0)
        tree = next(p for p in tmp.iterdir() if p.is_dir())
        path = path_without_generators(tmp / "path")
        done = make("-j2", "CFLAGS=-O0", "O=build", "CC=gcc", cwd=tree, PATH=path)
        report.check("it builds without Python and re2c", done.returncode == 0, done.stdout[-3000:])
        zone = "example.org=appliances/dns/example.org.zone"
        done = run("build/bin/mrg-dns", "--check", "--zone", zone, cwd=tree) if (tree / "build/bin/mrg-dns").exists() else None
        report.check("what it built checks the sample zone", done is not None and done.returncode == 0, done.stdout if done else "")
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
