#!/usr/bin/env python3
"""The command `mrg`, run as people run it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import traceback
from pathlib import Path
from typing import Callable

ROOT = Path(__file__).resolve().parent.parent.parent
MRG = str(ROOT / "bin" / "mrg")
OWN = """/// A protocol of one's own.
module own;

extern parity(x: u8) : u8;

/// A message.
packet Hello {
  kind: u8 in 1..3;
  length: u8 := size name;
  name: bytes(length) text string;
  check_byte: u8;
  where check_byte == parity(kind) "parity";
}
"""


def mrg(*args: object, cwd: str = ".") -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run([sys.executable, MRG, *map(str, args)], cwd=cwd, env=env, capture_output=True, text=True)


def same(got: object, want: object) -> None:
    if got != want:
        raise AssertionError(f"got {got!r}, want {want!r}")


def own(folder: str, text: str = OWN) -> Path:
    path = Path(folder, "own.mrg")
    path.write_text(text)
    return path


def test_version(folder: str) -> None:
    stated = re.search(r"^VERSION := (\S+)$", (ROOT / "mk" / "config.mk").read_text(), re.M)
    assert stated is not None
    same(mrg("--version").stdout, f"mrg {stated.group(1)}\n")


def test_check_says_ok(folder: str) -> None:
    done = mrg("check", own(folder))
    same((done.returncode, done.stdout, done.stderr), (0, "own: ok (1 packet)\n", ""))


def test_errors_go_to_stderr_with_exit_code_1(folder: str) -> None:
    own(folder, OWN.replace("bytes(length)", "bytes(lenght)"))
    for command in ("check", "c", "json", "audit"):
        done = mrg(command, "own.mrg", cwd=folder)
        same((done.returncode, done.stdout), (1, ""))
        same(done.stderr.splitlines()[0], "own.mrg:10:15: error: in packet 'Hello': unknown field 'lenght' (did you mean 'length', declared at line 9?)")
        same(sorted(os.listdir(folder)), ["own.mrg"])


def test_a_missing_program_is_named(folder: str) -> None:
    rules = {"re2c": "token A = %x41;", "ragel": "message A = %x41;"}
    for program, rule in rules.items():
        own(folder, f"module own;\n\n/// Texts.\ngrammar G {{\n  {rule}\n}}\n")
        env = {**os.environ, "PATH": folder, "PYTHONDONTWRITEBYTECODE": "1"}
        done = subprocess.run([sys.executable, MRG, "c", "own.mrg"], cwd=folder, env=env, capture_output=True, text=True)
        same((done.returncode, done.stdout), (1, ""))
        same(done.stderr, f"mrg: own.mrg: its grammars need the program '{program}' (Debian: {program})\n")
        same(sorted(os.listdir(folder)), ["own.mrg"])


def test_what_can_not_be_written_is_named(folder: str) -> None:
    own(folder)
    Path(folder, "file").write_text("")
    done = mrg("c", "own.mrg", "-o", "file/out", cwd=folder)
    same((done.returncode, done.stdout, done.stderr), (1, "", "mrg: file/out/mrg.h: Not a directory\n"))


def test_an_outsider_gets_all_that_is_needed(folder: str) -> None:
    same(mrg("c", own(folder), "-o", "out", cwd=folder).returncode, 0)
    there = os.listdir(Path(folder, "out"))
    for name in ("own.h", "own.c", "mrg.h"):
        assert name in there, f"no {name}"
    assert "mrg_text.h" not in there or any("_text" in n for n in there)


def test_installed_specifications_come_without_support(folder: str) -> None:
    same(mrg("c", ROOT / "specs/dns/name.mrg", "-o", folder).returncode, 0)
    assert Path(folder, "dns/name.h").exists() and not Path(folder, "mrg.h").exists()
    same(mrg("c", ROOT / "specs/dns/name.mrg", "-o", folder, "--support").returncode, 0)
    assert Path(folder, "mrg.h").exists()


def test_what_did_not_change_is_not_written(folder: str) -> None:
    path, out = own(folder), Path(folder, "out")
    mrg("c", path, "-o", out)
    for file in out.iterdir():
        os.utime(file, (1, 1))
    path.write_text(OWN.replace("packet Hello {", "packet Hello {   // remark"))
    mrg("c", path, "-o", out)
    same({f.name for f in out.iterdir() if f.stat().st_mtime != 1}, set())


def test_imports_are_generated_too_unless_only(folder: str) -> None:
    path = own(folder, "module own;\nimport dns.name (Name);\n/// P.\npacket P { a: Name(this); }\n")
    mrg("c", path, "-o", Path(folder, "all"))
    assert Path(folder, "all/dns/name.h").exists()
    mrg("c", path, "-o", Path(folder, "one"), "--only")
    assert Path(folder, "one/own.h").exists() and not Path(folder, "one/dns").exists()


def test_the_dependency_file_names_imports(folder: str) -> None:
    Path(folder, "base.mrg").write_text("module base;\nconst A = 1;\n")
    own(folder, "module own;\nimport base;\n/// P.\npacket P { a: bytes(A); }\n")
    same(mrg("c", "own.mrg", "-o", "out", "--deps", "own.d", cwd=folder).returncode, 0)
    text = Path(folder, "own.d").read_text()
    rule = text.splitlines()[0]
    assert "out/own.h" in rule.split(":")[0] and rule.split(":")[1].split() == ["own.mrg", "base.mrg"], rule
    assert "\nbase.mrg:\n" in text


def test_roots_are_searched_in_order(folder: str) -> None:
    for name, value in (("a", 1), ("b", 2)):
        Path(folder, name).mkdir()
        Path(folder, name, "base.mrg").write_text(f"module base;\nconst A = {value};\n")
    Path(folder, "x").mkdir()
    own(folder + "/x", "module own;\nimport base;\n/// P.\npacket P { a: bytes(A); }\n")
    done = mrg("json", "x/own.mrg", "-I", "b", "-I", "a", cwd=folder)
    same(json.loads(done.stdout)[0]["packets"][0]["size_max"], 2)


def test_json_has_the_whole_module(folder: str) -> None:
    (m,) = json.loads(mrg("json", own(folder)).stdout)
    same((m["kind"], m["name"], m["path"]), ("module", "own", "own.mrg"))
    (p,) = m["packets"]
    same([(i["kind"], i["name"]) for i in p["items"]], [
        ("scalar", "kind"), ("check", "kind"), ("scalar", "length"), ("bytes", "name"), ("scalar", "check_byte"), ("check", ""),
    ])  # fmt: skip
    same(p["items"][2]["computed"], {"kind": "sizeof", "loc": "own.mrg:9:17", "lo": 0, "hi": 255, "item": "name"})


def test_json_of_a_key_that_may_repeat(folder: str) -> None:
    text = "module own;\n/// P.\npacket P { a: list { k: u8; } rest unique k except {7, 0..1}; }\n"
    item = json.loads(mrg("json", own(folder, text)).stdout)[0]["packets"][-1]["items"][0]
    same((item["unique"], item["ascending"], item["exempt"]), (["k"], None, [[0, 1], [7, 7]]))


def test_json_of_all_specifications_is_json() -> None:
    files = [str(p) for p in sorted((ROOT / "specs").rglob("*.mrg"))]
    same(len(json.loads(mrg("json", "-I", ROOT / "specs", *files).stdout)), len(files))


def test_vectors_run_against_the_generated_c(folder: str) -> None:
    path, out = own(folder, OWN.replace("extern parity(x: u8) : u8;\n", "").replace('  where check_byte == parity(kind) "parity";\n', "")), Path(folder, "out")
    same(mrg("c", path, "-o", out).returncode, 0)
    same(mrg("vectors", path, "-o", out).returncode, 0)
    sources = [str(out / "own.c"), str(out / "own_vectors.c")]
    subprocess.run(["gcc", "-std=c11", "-D_GNU_SOURCE", "-I", str(out), *sources, "-o", str(out / "t")], check=True)
    done = subprocess.run([str(out / "t")], capture_output=True, text=True)
    same(done.returncode, 0)
    assert done.stdout.splitlines()[-1].endswith(" passed, 0 failed"), done.stdout


def test_audit_lists_externs_and_their_uses(folder: str) -> None:
    same(mrg("audit", "own.mrg", cwd=str(own(folder).parent)).stdout,
         "own.mrg:4:8: extern parity(x: u8) : u8\n    own.mrg:12:23: used by packet 'Hello'\n")  # fmt: skip
    same(mrg("audit", ROOT / "specs/dns/name.mrg").stdout, "nothing is left to user code\n")


def test_fmt_prints_checks_and_writes(folder: str) -> None:
    path = own(folder, OWN.replace("kind: u8", "kind:u8"))
    same(mrg("fmt", path).stdout, OWN)
    done = mrg("fmt", "--check", "own.mrg", cwd=folder)
    same((done.returncode, done.stdout), (1, "own.mrg\n"))
    same(mrg("fmt", "-w", path).returncode, 0)
    same(path.read_text(), OWN)
    same(mrg("fmt", "--check", path).returncode, 0)


def test_dissect_reads_a_capture(folder: str) -> None:
    header = bytes.fromhex("d4c3b2a1 0200 0400 00000000 00000000 ffff0000 01000000".replace(" ", ""))
    Path(folder, "empty.pcap").write_bytes(header)
    done = mrg("dissect", "empty.pcap", cwd=folder)
    same((done.returncode, done.stdout), (0, "empty.pcap: 0 frames, 0 messages, 0 rejected, 0 frames without one\n"))
    same(mrg("dissect", "empty.pcap", "--spec", "dns.message:Massage", cwd=folder).returncode, 2)


def test_a_closed_pipe_is_no_crash(folder: str) -> None:
    done = subprocess.run(f"'{sys.executable}' '{MRG}' json '{own(folder)}' | head -c 1", shell=True, capture_output=True, text=True)
    same(done.stderr, "")


def main() -> int:
    tests: list[tuple[str, Callable[..., None]]] = [(n, f) for n, f in globals().items() if n.startswith("test_")]
    failed = 0
    for name, test in tests:
        try:
            with tempfile.TemporaryDirectory() as folder:
                test(*([folder] if test.__code__.co_argcount else []))
            print(f"ok {name}")
        except Exception:
            failed += 1
            print(f"FAIL {name}\n{traceback.format_exc()}")
    print(f"{len(tests) - failed} passed, {failed} failed")
    return 1 if failed else 0


sys.exit(main())
