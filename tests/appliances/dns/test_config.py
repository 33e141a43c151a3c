#!/usr/bin/env python3
"""The configuration file: the options of the command line, zones and keys with all that belongs to them, and each fault with its place."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import wire  # noqa: E402
from harness import ZONE, Files, Server, check, equal, main, run  # noqa: E402

SECRET = "c2VjcmV0IG9mIHNpeHRlZW4="
KEY = ("key transfers.example {", "algorithm hmac-sha512", f"secret {SECRET}", "}")


def configuration(files: Files, *lines: str) -> str:
    files.write("a.zone", ZONE)
    return str(files.write("mrg.conf", "".join(line + "\n" for line in lines)))


def zone(files: Files, *lines: str) -> tuple[str, ...]:
    return ("zone example.org {", f"file {files.path}/a.zone", *lines, "}")


def test_what_is_written_there_is_served() -> None:
    with Files() as files:
        path = configuration(files, "# a comment", "", 'version-text "as configured"', *KEY,
                             *zone(files, "allow-transfer 192.0.2.0/24 transfers.example  # some",
                                   "allow-transfer any transfers.example", "allow-transfer 2001:db8::/32",
                                   "notify [2001:db8::1]:5353 transfers.example", "notify 192.0.2.1",
                                   "allow-update transfers.example *.dyn.example.org A AAAA TYPE65400",
                                   "allow-update transfers.example _acme-challenge.example.org TXT"),
                             "zone example.net {", f"file {files.path}/a.zone", "}")
        equal(run("--check", "--config", path).stdout,
              "example.org.: serial 7, 8 records\nexample.net.: serial 7, 8 records\n")
        with Server("--config", path) as server:
            for origin in ("example.org", "example.net"):
                reply = wire.read(server.udp(wire.query(f"www.{origin}")))
                equal((reply.rcode, len(reply.answer)), (0, 1))


def faults(files: Files, *lines: str) -> list[str]:
    path = configuration(files, *lines)
    done = run("--check", "--config", path)
    equal(done.returncode, 1 if done.stderr else 0)
    return [line.removeprefix(path + ":") for line in done.stderr.splitlines()]


def test_each_fault_has_its_place() -> None:
    with Files() as files:
        inside = (
            ("fil x", "'fil' is nothing that a zone has"),
            ("file", "expected file FILE"),
            ("file a b", "expected file FILE"),
            ("primary nowhere", "not an address"),
            ("primary 192.0.2.1 nokey", "there is no key nokey before this line"),
            ("primary 192.0.2.1 a..b", "primary a..b: "),
            ("notify 192.0.2.1 transfers.example more", "expected notify ADDRESS[:PORT] [KEY]"),
            ("allow-transfer 192.0.2.0/33", "expected a network like"),
            ("allow-transfer", "expected allow-transfer NETWORK|any [KEY]"),
            ("allow-update transfers.example", "expected allow-update KEY NAME [TYPE ...]"),
            ("allow-update transfers.example www.example.org TEXT", "TEXT is no type"),
            ("allow-update nokey www.example.org", "there is no key nokey"),
            ("size-limit 0", "expected a number, 1 to"),
            ("zone example.net {", "no block stands in another"),
            ("catalog nowhere", "there is no template nowhere before this line"),
            ("catalog a b", "expected catalog [TEMPLATE]"),
            ("group g nowhere", "there is no template nowhere before this line"),
            ("group g", "expected group NAME TEMPLATE"),
            ("allow-query 192.0.2.1", "expected any"),
        )
        for line, words in inside:
            said = faults(files, *KEY, *zone(files, line))
            check(said != [] and said[0].startswith("7:") and words in said[0], f"{line}: {said}")
        whole = (
            ((*KEY, *KEY), "5:1", "there is one of that name already"),
            (("key a {", "secret !!", "}"), "2:1", "expected 1 to 512 octets in base64"),
            (("key a {", 'secret ""', "}"), "2:1", "expected 1 to 512 octets in base64"),
            (("key a {", "secret-file /nowhere", "}"), "2:1", "No such file"),
            (("key a {", "algorithm hmac-md5", "}"), "2:1", "expected hmac-sha256"),
            (("key a {", "}"), "2:1", "expected a secret"),
            (("zone a {", "}"), "2:1", "expected a file or a primary"),
            (("zone a {", "file x", "allow-notify any", "}"), "4:1", "no allow-notify"),
            ((*KEY, "zone a {", "primary 192.0.2.1", "allow-update transfers.example a", "}"), "8:1", "no allow-update"),
            (("zone a..b {", "file x", "}"), "1:1", "zone a..b: "),
            (("zone a {", "file x", "allow-query any", "}"), "4:1", "it is no catalog"),
            (("template t {", "}", "zone a {", "file x", "group g t", "}"), "6:1", "it is no catalog"),
            (("zone a {", "file x", "catalog", "}"), "4:1", "expected a primary, of its own or of the templates"),
            (("template t {", "}", "zone a {", "file x", "catalog t", "}"), "6:1", "expected a primary, of its own or of the templates"),
            (("template t {", "}", "template t {", "}"), "3:1", "there is one of that name already"),
            (("template t {", "file x", "}"), "2:1", "expected one %s in it"),
            (("template t {", "catalog", "}"), "2:1", "'catalog' is nothing that a template has"),
            (("zone {", "file x", "}"), "1:6", "expected a name and a value before the brace"),
            (("zone a b {", "}"), "1:10", "expected a name and a value before the brace"),
            (("zonk a {", "nonsense", "}"), "1:1", "nothing that has lines of its own"),
            (("{", "}"), "1:1", "nothing that has lines of its own"),
            (("}",), "1:1", "no block is open"),
            (("zone a {", "file x }",), "2:8", "expected a line of its own for the brace"),
            (("zone a { file x", "}",), "1:10", "expected the end of the line behind a brace"),
            (("zone a { }",), "1:10", "expected the end of the line behind a brace"),
            (("zone a {", "file x"), "1:1", "the block that begins here has no end"),
            (("listn 127.0.0.1:1",), "1:1", "did you mean '--listen'"),
            (("zone a=b c d e",), "1:12", "more than a name, a key and a value"),
            ((" ".join("a" for _ in range(18)),), "1:35", "more words than any line has"),
            (("zone a {", "allow-update " + " ".join("a" for _ in range(17)), "}"), "2:46", "more words than any line has"),
        )
        for lines, place, words in whole:
            said = faults(files, *lines)
            check(said != [] and said[0].startswith(place + ": ") and words in said[0], f"{lines}: {said}")


def test_all_faults_are_told() -> None:
    with Files() as files:
        said = faults(files, "udp-max 3", "zone a {", "nothing", "primary x", "}", "zonk b {", "passed over", "}", "workers 0")
        equal([line.split(":")[0] for line in said], ["1", "3", "4", "5", "6", "9"])


def test_a_secret_may_have_a_file_of_its_own() -> None:
    with Files() as files:
        secret = files.write("secret", SECRET + "\n")
        equal(faults(files, "key a {", f"secret-file {secret}", "}", *zone(files, "allow-transfer any a")), [])


if __name__ == "__main__":
    sys.exit(main(dict(globals())))
