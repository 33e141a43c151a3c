#!/usr/bin/env python3
"""Fields and parameters may be called what generated C calls its own variables: all of it still compiles.

The names tried are those that the emitters write into C; one packet of each kind is made for each."""

from __future__ import annotations

import os
import re
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
from report import ROOT, Report, run  # noqa: E402

# A declaration in a string of an emitter: a type, then the name.
DECLARED = re.compile(
    r"(?:size_t|bool|int|unsigned|u?int(?:8|16|32|64)_t|struct [\w{}.]+|enum [\w{}.]+|\{ctype\}|\{wide\}) (?:\*(?:const )?)?([a-z][a-z_0-9]*)(?=[ ;,\[)=])"
)
MORE = re.compile(r", \*?([a-z][a-z_0-9]*) = ")
KIND = """
/// A field of that name.
packet Field{i} {{ {name}: u8 in 1..9; body_of: bytes({name}); numbers_of: list u16 count {name}; choice: switch {name} {{ 1 => one: u8; _ => none: empty; }};
  extra_of: u16 if {name} > 3; where {name} != 7; more_of: Inner({name}); sum_of: u16 := inet16({name}..body_of); keyed: list Pair rest unique key_of; }}
/// In a chain.
packet Chain{i}(table: buffer) {{
  chain steps max 60 {{
    Step {{ 0b00: 2; {name}: 6 in 1..9; data: bytes({name}); }}
    Jump {{ 0b01: 2; {name}: 6; }} goto table[{name}] back max 9
    Stop {{ 0xff: u8; }} stop
  }}
}}
/// Chains within.
packet Holder{i} {{ {name}: u16 := size path; path: Chain{i}(this) within {name}; others: list Chain{i}(this) rest; }}
/// A parameter of that name.
packet Param{i}({name}: u8 in 1..9) {{ kind_of: u8; where kind_of <= {name}; body_of: bytes({name}); numbers_of: list u16 count {name}; }}
/// A buffer of that name.
packet Buffer{i}({name}: buffer) {{
  chain steps max 60 {{
    Step {{ 0b00: 2; n: 6 in 1..9; data: bytes(n); }}
    Jump {{ 0b01: 2; at: 6; }} goto {name}[at] back max 9
    Stop {{ 0xff: u8; }} stop
  }}
}}
/// An encoded number, a list and a fetched packet of that name.
packet Other{i} mutable {{ {name}: Leb; rest_of: list u8 rest; }}
/// The same, fetched.
packet Shared{i} max 64 shared {{ {name}: u8; body_of: bytes({name}); }}
"""
HEAD = """/// Names.
module own;

/// Numbers in groups.
varint Leb = groups little max 5 minimal;

/// What takes a number.
packet Inner(n: u8) { kind: u8; where kind <= n; }

/// Keyed.
packet Pair { key_of: u8; value_of: u8; }
"""
FLAGS = "-std=c11 -Wall -Wextra -Wconversion -Wshadow -Wcast-qual -Wvla -Werror -fsyntax-only".split()


def candidates() -> list[str]:
    found: set[str] = set()
    for path in sorted((ROOT / "gen/mrg/emit").glob("c_*.py")):
        for line in path.read_text().splitlines():
            if '"' in line:
                found.update(DECLARED.findall(line))
                found.update(MORE.findall(line))
    return sorted(n for n in found if not n.endswith("_") and "__" not in n)


def attempt(place: Path, names: dict[int, str]) -> str:
    """Compile the packets of these names; what was said when that failed."""
    (place / "own.mrg").write_text(HEAD + "".join(KIND.format(i=i, name=name) for i, name in names.items()))
    return run(sys.executable, ROOT / "bin/mrg", "c", place / "own.mrg", "-o", place, PYTHONDONTWRITEBYTECODE="1").stdout


def refused(said: str, names: dict[int, str]) -> set[int]:
    """Names that a located error refuses: words of the language, and those of functions of their packet."""
    lines = [line for line in said.splitlines() if "meaning of its own" in line or "rename one" in line]
    return {i for i, name in names.items() if any(f"'{name}'" in line or f".{name}'" in line for line in lines)}


def main() -> int:
    report = Report()
    names = dict(enumerate(candidates()))
    report.check("names were found in the emitters", len(names) > 40, " ".join(names.values()))
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        said = attempt(place, names)
        while said and (out := refused(said, names)):
            names = {i: name for i, name in names.items() if i not in out}
            said = attempt(place, names)
        report.check(f"the specification compiles ({len(names)} names)", not said, "\n".join(said.splitlines()[:20]))
        done = run(os.environ.get("CC", "gcc"), *FLAGS, "-I", place, place / "own.c")
        report.check("the C compiles", done.returncode == 0, "\n".join(done.stdout.splitlines()[:20]))
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
