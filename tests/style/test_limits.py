#!/usr/bin/env python3
"""Limits that keep the tree readable: lengths of functions and files, and things that must not stand in it."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from report import ROOT, Report  # noqa: E402

FUNCTION_LINES = 90  # the longest that passes; nine of ten are to stay at P90_LINES or less
P90_LINES = 45
C_FILE_LINES = 750
PY_FILE_LINES = 600
LINE_COLUMNS = 160
TEXT = {".c", ".h", ".py", ".mrg", ".md", ".mk", ".sh", ".re", ""}

# Written in two halves, so that this file does not find itself.
UNFINISHED = re.compile("|".join(["TO" + "DO", "FIX" + "ME", r"\bXX" + r"X\b", r"\bHA" + r"CK\b", "not imple" + "mented",
                                  "unimple" + "mented", "place" + "holder"]))
MACHINE_PATH = re.compile(r"(?<![\w.)}])/(?:home|root|Users|work|mnt)/\w")
# Where this checkout is, or what is around it, if that is no folder that every machine has.
HERE = f"{ROOT if ROOT.parent in (Path('/'), Path(tempfile.gettempdir())) else ROOT.parent}/"

# What a specification gives, and so is never written by hand under protocols/: byte swaps, masks and shifts of wire
# octets, offsets into a message, tests of characters.
BY_HAND = [
    ("byte order", re.compile(r"\b(?:ntoh|hton)[sl]\b|\bbe\d\dtoh|\bhtobe\d\d|__builtin_bswap|\bmrg_(?:put_)?[bl]e\d\d\b")),
    ("shift", re.compile(r"(?<!\b1)(?<!\b1u)\s(?:<<|>>)=?\s*(?:8|16|24)\b")),
    ("mask", re.compile(r"[&|]=?\s*~?\(?0[xX][0-9a-fA-F]+|0[xX][0-9a-fA-F]+[uU]?\s*[&|][^&|]")),
    ("offset", re.compile(r"(?:\.|->)p\s*\+\s*\d|(?:\.|->)p\[\s*\d+\s*\]")),
    ("character", re.compile(r"[=!<>]=?\s*'(?!\\0')[^']+'|'(?!\\0')[^']+'\s*[=!<>]|case\s+'|\bis(?:digit|alpha|alnum|space|upper|lower|print|xdigit)\(")),
]


def tracked() -> list[Path]:
    """Every file of the tree that is not built."""
    if (ROOT / ".git").exists():
        out = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True)
        return sorted({ROOT / line for line in out.stdout.splitlines() if (ROOT / line).is_file()})
    skip = {"build", "generated", "__pycache__"}
    return sorted(p for p in ROOT.rglob("*") if p.is_file() and not skip & set(p.relative_to(ROOT).parts))


def is_data(path: Path) -> bool:
    """Inputs of tests, which may hold anything."""
    return path.relative_to(ROOT).parts[:2] in {("tests", "data"), ("tests", "gen"), ("tests", "specs")} and path.suffix != ".py"


def c_functions(path: Path) -> list[tuple[str, int, int]]:
    """(name, first line, lines of the body) of each function; the layout puts its braces in the first column."""
    found = []
    start = None
    lines = path.read_text().splitlines()
    for number, line in enumerate(lines, 1):
        if line == "{":
            start = number
        elif line.startswith("}") and start is not None:
            found.append((lines[start - 2].strip(), start, number - start - 1))
            start = None
    return found


def py_functions(path: Path) -> list[tuple[str, int, int]]:
    tree = ast.parse(path.read_text(), str(path))
    nodes = [n for n in ast.walk(tree) if isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef))]
    return [(n.name, n.lineno, (n.end_lineno or n.lineno) - n.lineno) for n in nodes]


def uncommented(text: str) -> list[str]:
    """The lines of C with comments and string contents blanked."""
    text = re.sub(r"/\*.*?\*/", lambda m: "\n" * m.group().count("\n"), text, flags=re.S)
    text = re.sub(r"//[^\n]*", "", text)
    return re.sub(r'"(?:\\.|[^"\\\n])*"', '""', text).splitlines()


def check_lengths(report: Report, files: list[Path]) -> None:
    code = [p for p in files if p.suffix in {".c", ".h"} and not is_data(p)]
    python = [p for p in files if p.suffix == ".py" and not is_data(p)]
    functions = [(p, *f) for p in code for f in c_functions(p)] + [(p, *f) for p in python for f in py_functions(p)]
    report.none(f"no function over {FUNCTION_LINES} lines",
                [f"{p.relative_to(ROOT)}:{line}: {count} lines: {name}" for p, name, line, count in functions
                 if count > FUNCTION_LINES])
    for kind, suffixes in (("C", {".c", ".h"}), ("Python", {".py"})):
        lengths = sorted(count for p, _, _, count in functions if p.suffix in suffixes)
        if report.check(f"there are {kind} functions", bool(lengths)):
            p90 = lengths[len(lengths) * 9 // 10]
            report.check(f"nine of ten {kind} functions have at most {P90_LINES} lines", p90 <= P90_LINES, f"{p90} lines")
    lines = {p: p.read_text().count("\n") for p in code + python}
    report.none(f"no C file over {C_FILE_LINES} lines, no Python file over {PY_FILE_LINES}",
                [f"{p.relative_to(ROOT)}: {n} lines" for p, n in lines.items()
                 if n > (C_FILE_LINES if p.suffix != ".py" else PY_FILE_LINES)])


def check_text(report: Report, files: list[Path]) -> None:
    rows: dict[str, list[str]] = {"unfinished": [], "machine": [], "wide": [], "space": []}
    for path in files:
        if path.suffix not in TEXT or is_data(path):
            continue
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1):
            where = f"{path.relative_to(ROOT)}:{number}: {line.strip()[:90]}"
            if UNFINISHED.search(line):
                rows["unfinished"].append(where)
            if MACHINE_PATH.search(line) or HERE in line:
                rows["machine"].append(where)
            if len(line.expandtabs(8)) > LINE_COLUMNS and path.suffix in {".c", ".h", ".py", ".mrg"}:
                rows["wide"].append(where)
            if line != line.rstrip():
                rows["space"].append(where)
    report.none("no mark of unfinished work", rows["unfinished"])
    report.none("no path of one machine", rows["machine"])
    report.none(f"no line of code over {LINE_COLUMNS} columns", rows["wide"])
    report.none("no space at the end of a line", rows["space"])


def check_by_hand(report: Report, files: list[Path]) -> None:
    under = [p for p in files if p.relative_to(ROOT).parts[0] == "protocols" and p.suffix in {".c", ".h"}]
    report.check("there is protocol code", bool(under))
    for what, pattern in BY_HAND:
        report.none(f"no {what} by hand under protocols/",
                    [f"{p.relative_to(ROOT)}:{n}: {line.strip()[:90]}" for p in under
                     for n, line in enumerate(uncommented(p.read_text()), 1) if pattern.search(line)])


def check_platform(report: Report, files: list[Path]) -> None:
    conditional = re.compile(r"^\s*#\s*(?:if|elif)(?!ndef \w+_H$)")
    under = [p for p in files if p.relative_to(ROOT).parts[0] in {"protocols", "appliances"} and p.suffix in {".c", ".h"}]
    report.none("no conditional compilation in protocols and appliances",
                [f"{p.relative_to(ROOT)}:{n}: {line}" for p in under
                 for n, line in enumerate(p.read_text().splitlines(), 1)
                 if conditional.match(line) and "_H" not in line])


def main() -> int:
    report = Report()
    files = tracked()
    check_lengths(report, files)
    check_text(report, files)
    check_by_hand(report, files)
    check_platform(report, files)
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
