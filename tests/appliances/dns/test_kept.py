#!/usr/bin/env python3
"""Members of catalogs in files: what was kept is served while no primary is there, files come and go with their members, whatever these are
called, and hold all of a zone or are not there at all."""

from __future__ import annotations

import hashlib
import os
import signal
import struct
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import wire  # noqa: E402
from configured import Config, last_octet, rcode, zone_text  # noqa: E402
from harness import Files, Server, check, equal, main, run  # noqa: E402
from peers import free_port  # noqa: E402
from running import PATIENCE_S  # noqa: E402
from test_catalog import CATALOG, catalog_text, refused, served, until  # noqa: E402

A, B = "a.example", "b.example"


class Source:
    """A primary that has the catalog and zones, and a consumer that keeps what it gets in a folder."""

    def __init__(self, files: Files, *names: str) -> None:
        self.files, self.names = files, names
        self.own, self.other = Config(files), Config(files, "primary")
        self.port, self.own_port = free_port(), free_port()
        self.kept = files.path / "kept"
        self.kept.mkdir()
        self.kept.chmod(0o777)
        self.list(1, {f"u{name[0]}": name for name in names})
        for i, name in enumerate(names):
            self.change(name, 10 * (i + 1))

    def list(self, serial: int, members: dict[str, str]) -> None:
        self.files.write(f"{CATALOG}.zone", catalog_text(serial, members))

    def change(self, name: str, serial: int) -> None:
        self.files.write(f"z{self.names.index(name)}", zone_text(serial))

    def primary(self) -> Server:
        def block(name: str, file: str) -> tuple[str, ...]:
            return (f"zone {name} {{", f"file {self.files.path}/{file}", "allow-transfer any", f"notify 127.0.0.1:{self.own_port}", "}")

        return Server(*self.other.write(f"listen 127.0.0.1:{self.port}", *block(CATALOG, f"{CATALOG}.zone"),
                                        *(line for i, name in enumerate(self.names) for line in block(name, f"z{i}"))), listen=())

    def consumer(self, pattern: str = "%s.zone", by_file: bool = False) -> Server:
        source = f"file {self.files.path}/{CATALOG}.zone" if by_file else f"primary 127.0.0.1:{self.port}\nfile {self.kept}/{CATALOG}.zone"
        return Server(*self.config(pattern, source), listen=())

    def config(self, pattern: str, source: str) -> tuple[str, ...]:
        return self.own.write(f"listen 127.0.0.1:{self.own_port}", "template t {", f"primary 127.0.0.1:{self.port}", f"file {self.kept}/{pattern}", "}",
                              f"zone {CATALOG} {{", source, "catalog t", "}")

    def write(self, server: Server, zones: int, failed: int = 0) -> None:
        done = self.own.ctl("write")
        equal((done.returncode, done.stderr), (0, ""))
        server.wait_for(f"event=written zones={zones} failed={failed}")

    @property
    def there(self) -> list[str]:
        return sorted(p.name for p in self.kept.iterdir())


def all_served(server: Server, *names: str) -> None:
    until(lambda: all(served(server, name) for name in names), f"{names} are served")


def test_they_are_there_without_a_primary() -> None:
    """From a start until they expire; a primary that is there again is asked for what has changed."""
    with Files() as files:
        source = Source(files, A, B)
        with source.primary() as primary, source.consumer() as server:
            all_served(server, A, B)
            source.write(server, 3)
            equal(source.there, [f"{A}.zone", f"{B}.zone", f"{CATALOG}.zone"])
            source.write(server, 0)
            source.change(A, 11)
            primary.reload()
            until(lambda: last_octet(server, A) == 11, "a new version")
            source.write(server, 1)
            equal(server.end(), 0)
        with source.consumer() as server:
            all_served(server, A, B)
            equal((last_octet(server, A), last_octet(server, B)), (11, 20))
            check(f"primary 127.0.0.1:{source.port}" in source.own.ctl("status").stdout, "status tells of primaries")
            equal(server.end(), 0)
        kept = source.kept / f"{B}.zone"
        kept.write_text(kept.read_text().replace(" 1209600 ", " 2 "))
        with source.consumer() as server:
            server.wait_for(f"event=zone_expired zone={B}.")
            until(lambda: rcode(server, f"www.{B}") == wire.SERVFAIL, "expired")
            equal(last_octet(server, A), 11)
            source.change(A, 12)
            with source.primary():
                until(lambda: source.own.ctl("transfer", A).returncode == 0 and last_octet(server, A) == 12, "from the primary again")


def until_written(half: Path) -> None:
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end and not (half.exists() and half.stat().st_size > 1 << 20):
        pass


def test_a_file_is_whole_when_the_server_is_killed_while_it_writes() -> None:
    """Nothing of it is there, or all; what was left of one is written over, or goes with its member."""
    more = "".join(f"n{i} A 192.0.2.{i % 256}\n" for i in range(100_000))
    with Files() as files:
        source = Source(files, A)
        half, whole = source.kept / f"{A}.zone~new", source.kept / f"{A}.zone"
        with source.primary() as primary:
            for serial in range(20, 24):
                files.write("z0", zone_text(serial) + more)
                primary.reload()
                with source.consumer() as server:
                    until(lambda: last_octet(server, A) == serial, "the version", 4 * PATIENCE_S)  # noqa: B023
                    source.own.ctl("write")
                    until_written(half)
                    os.kill(server.process.pid, signal.SIGKILL)
                    server.process.wait()
                if whole.exists():
                    equal(run("--print", "--zone", f"{A}={whole}").stdout.count("\n"), 100_008)
            with source.consumer() as server:
                all_served(server, A)
                equal(source.own.ctl("write", A).returncode, 0)
                check(not half.exists() and whole.exists(), "it has its name")
                half.write_bytes(whole.read_bytes()[:5000])
                source.list(2, {})
                primary.reload()
                until(lambda: A not in "".join(source.there), "gone, and what was left of it")
                until(lambda: refused(server, A), "not served")


def test_files_go_with_their_members() -> None:
    """Also when a member went while the server was down; what somebody else has put there is neither read nor written over nor removed."""
    with Files() as files:
        source = Source(files, A, B)
        other = source.kept / f"{B}.zone"
        text = zone_text(99)
        other.write_text(text)
        other.chmod(0o666)
        with source.primary() as primary:
            with source.consumer() as server:
                all_served(server, A, B)
                equal(last_octet(server, B), 20, "it is not what stands in the file")
                source.write(server, 2, failed=1)
                check(any(f'event=write_failed zone={B}. file={other} why="File exists"' in line for line in server.lines), "said")
                equal(source.own.ctl("write", B).stderr, "mrg-dnsctl: File exists\n")
                equal(server.end(), 0)
            source.list(2, {"uz": B})
            primary.reload()
            with source.consumer() as server:
                until(lambda: refused(server, A) and served(server, B), "one of them is gone")
                equal(source.there, [f"{B}.zone", f"{CATALOG}.zone"])
                equal(other.read_text(), text, "what somebody else has put there")
                other.unlink()
                source.write(server, 2)
                source.list(3, {})
                primary.reload()
                until(lambda: refused(server, B), "the other one, too")
                equal(source.there, [f"{CATALOG}.zone"])


def test_another_label_does_not_have_what_was_kept() -> None:
    with Files() as files:
        source = Source(files, A)
        with source.primary(), source.consumer(by_file=True) as server:
            all_served(server, A)
            source.write(server, 1)
            equal(server.end(), 0)
        with source.consumer(by_file=True) as server:
            all_served(server, A)
            equal(server.end(), 0)
        source.list(2, {"other": A})
        with source.consumer(by_file=True) as server:
            until(lambda: rcode(server, f"www.{A}") == wire.SERVFAIL, "nothing is known of it")
            equal(source.there, [f"{A}.zone"])
            with source.primary():
                until(lambda: source.own.ctl("transfer", A).returncode == 0 and served(server, A), "anew")
                source.write(server, 1)
            source.list(3, {"another": A})
            server.reload()
            until(lambda: source.there == [], "what was known is forgotten")


def test_faults_in_a_file_are_told_and_it_is_fetched() -> None:
    with Files() as files:
        source = Source(files, A)
        with source.primary():
            with source.consumer() as server:
                all_served(server, A)
                source.write(server, 2)
                equal(server.end(), 0)
            kept = source.kept / f"{A}.zone"
            kept.write_text(kept.read_text().replace("192.0.2.10", "192.0.2.nonsense"))
            with source.consumer() as server:
                check(any(f"event=zone_fault file={kept} " in line for line in server.lines) or server.wait_for("event=zone_fault") != "", "said")
                until(lambda: last_octet(server, A) == 10, "from the primary")
                source.write(server, 1)


def test_a_template_has_another_pattern() -> None:
    with Files() as files:
        source = Source(files, A, B)
        with source.primary(), source.consumer() as server:
            all_served(server, A, B)
            source.write(server, 3)
            (source.kept / f"_{B}").write_text("of somebody else")
            source.config("_%s", f"primary 127.0.0.1:{source.port}\nfile {source.kept}/{CATALOG}.zone")
            server.reload()
            equal(source.there, sorted((f"_{A}", f"_{B}", f"{B}.zone", f"{CATALOG}.zone")), "what is in the way of nothing is moved")
            equal((source.kept / f"_{B}").read_text(), "of somebody else")
            equal(server.end(), 0)
        with source.consumer("_%s") as server:
            until(lambda: served(server, A) and rcode(server, f"www.{B}") == wire.SERVFAIL, "one of them")


def ask(server: Server, labels: list[bytes]) -> int:
    name = b"".join(bytes((len(label),)) + label for label in (b"www", *labels)) + b"\0"
    return wire.read(server.udp(struct.pack("!6H", 1, 0, 1, 0, 0, 0) + name + struct.pack("!2H", wire.A, wire.IN))).rcode


def text(labels: list[bytes]) -> str:
    return ".".join("".join(f"\\{octet:03}" for octet in label) for label in labels)


def test_whatever_members_are_called() -> None:
    """Names of files stay in their folder, and no two members have one file."""
    hostile = [[b"../../etc", b"example"], [b"..", b"..", b"etc", b"passwd"], [b"/etc/passwd"], [b"a.b", b"example"], [b"a", b"b", b"example"], [b"\0x"],
               [b"x\n; y"], [b"%s"], [b"A", b"EXAMPLE"], [b"-rf"], [b"~"], [b"a.zone~new"], [b"="], [b"x" * 63, b"x" * 63, b"x" * 40], [b"\xff" * 63] * 3,
               [b"\xc3\xa4"], [b" "], [b"*"], [b"a.zone"], [b"_tcp", b"x"]]
    plain = {(b"a", b"b", b"example"): "a.b.example", (b"A", b"EXAMPLE"): "a.example", (b"-rf",): "-rf", (b"_tcp", b"x"): "_tcp.x"}
    with Files() as files:
        source = Source(files, *(text(labels) for labels in hostile))
        source.list(1, {f"u{i}": name for i, name in enumerate(source.names)})
        around = sorted(p.name for p in files.path.iterdir())
        wanted = []
        for labels in hostile:
            flat = b"".join(bytes((len(label),)) + label.lower() for label in labels) + b"\0"
            wanted.append(plain.get(tuple(labels), "=" + hashlib.sha256(flat).hexdigest().upper()) + ".zone")
        with source.primary(), source.consumer() as server:
            until(lambda: all(ask(server, labels) == 0 for labels in hostile), "all are served")
            source.write(server, len(hostile) + 1)
            equal(server.end(), 0)
        equal(source.there, sorted([*wanted, f"{CATALOG}.zone"]))
        equal([name for name in sorted(p.name for p in files.path.iterdir()) if not name.endswith(("conf", "primary", "control"))],
              [name for name in around if not name.endswith(("conf", "primary", "control"))], "nothing is outside of the folder")
        with source.consumer() as server:
            until(lambda: all(ask(server, labels) == 0 for labels in hostile), "all are read")
            equal(server.end(), 0)
        source.list(2, {})
        with source.primary(), source.consumer() as server:
            until(lambda: source.there == [f"{CATALOG}.zone"], "all are gone")
            until(lambda: all(ask(server, labels) == wire.REFUSED for labels in hostile), "and not served")


def test_patterns() -> None:
    with Files() as files:
        config = Config(files)
        for pattern, good in (("%s", True), ("kept/%s.zone", True), ("kept/%s/zone", True), ("kept", False), ("%s%s", False), ("%d/%s", False), ("", False)):
            done = run("--check", *config.write("template t {", "primary 192.0.2.1", f'file "{pattern}"', "}",
                                                "zone cat {", "primary 192.0.2.1", "catalog t", "}"))
            equal((pattern, done.returncode), (pattern, 0 if good else 1))
            check(good or f"{config.path}:4:" in done.stderr and "expected one %s" in done.stderr, done.stderr)


if __name__ == "__main__":
    sys.exit(main(dict(globals())))
