#!/usr/bin/env python3
"""mrg-dnsctl and the socket behind it: what can be asked, one zone read again, zones written to files that are whole or not there at all,
and whoever misuses the socket."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import wire  # noqa: E402
from harness import ZONE, Files, Server, check, equal, main, run  # noqa: E402
from running import PATIENCE_S, run_program  # noqa: E402


def two_zones(files: Files) -> tuple[str, ...]:
    files.path.chmod(0o777)  # the server is another user, and writes here
    files.write("a.zone", ZONE)
    files.write("b.zone", ZONE)
    config = files.write("mrg.conf", f"control {files.path}/control\nzone example.org {{\nfile {files.path}/a.zone\n}}\n"
                                     f"zone example.net {{\nfile {files.path}/b.zone\n}}\n")
    return ("--config", str(config))


def ctl(files: Files, *words: str) -> subprocess.CompletedProcess[str]:
    return run_program("mrg-dnsctl", "--control", f"{files.path}/control", *words)


def refused(files: Files, *words: str) -> str:
    done = ctl(files, *words)
    equal((done.returncode, done.stdout), (1, ""))
    return done.stderr


def test_what_can_be_asked() -> None:
    with Files() as files, Server(*two_zones(files)):
        equal(ctl(files, "status").stdout, f"example.org. serial 7 records 8 file {files.path}/a.zone\n"
                                           f"example.net. serial 7 records 8 file {files.path}/b.zone\n")
        dumped = ctl(files, "dump", "example.org").stdout.splitlines()
        equal(sorted(dumped), sorted(run("--print", "--zone", f"example.org={files.path}/a.zone").stdout.splitlines()))
        stats = ctl(files, "stats").stdout
        check('mrg_dns_zone_records{zone="example.net."} 8\n' in stats and "mrg_dns_queries_total{" in stats, stats)


def test_one_zone_is_read_again_and_the_other_is_not() -> None:
    with Files() as files, Server(*two_zones(files)) as server:
        changed = ZONE.replace("hostmaster 7", "hostmaster 8").replace("192.0.2.80", "192.0.2.81")
        files.write("a.zone", changed)
        files.write("b.zone", changed)
        equal(ctl(files, "reload", "EXAMPLE.org").returncode, 0)
        equal([wire.read(server.udp(wire.query(f"www.example.{top}"))).rdata(wire.A)[0][3] for top in ("org", "net")], [81, 80])
        files.write("b.zone", "nonsense")
        check("the old zone is served on" in refused(files, "reload", "example.net"), "a fault keeps the old zone")
        check("the old zones are served on" in refused(files, "reload"), "and all of them")
        equal(wire.read(server.udp(wire.query("www.example.net"))).rdata(wire.A)[0][3], 80)
        files.write("b.zone", changed)
        equal(ctl(files, "reload").returncode, 0)
        equal(wire.read(server.udp(wire.query("www.example.net"))).rdata(wire.A)[0][3], 81)


def test_a_zone_is_written_as_it_is_served() -> None:
    with Files() as files, Server(*two_zones(files)):
        out = files.path / "out.zone"
        equal(ctl(files, "write", "example.org", str(out)).returncode, 0)
        equal(sorted(out.read_text().splitlines()), sorted(ctl(files, "dump", "example.org").stdout.splitlines()))
        check(" IN SOA " in out.read_text().splitlines()[0], "the SOA is first")
        equal(ctl(files, "write", "example.net").returncode, 0)
        equal(run("--print", "--zone", f"example.net={files.path}/b.zone").stdout.count("\n"), 8)
        (files.path / "folder").mkdir()
        check("No such file" in refused(files, "write", "example.org", f"{files.path}/nowhere/x"), "a folder that is not there")
        equal(refused(files, "write", "example.org", f"{files.path}/folder"), "mrg-dnsctl: Is a directory\n")
        equal(sorted(p.name for p in files.path.iterdir()), ["a.zone", "b.zone", "control", "folder", "mrg.conf", "out.zone"], "nothing is left over")


def size_of(path: Path) -> int:
    """0: it is not there, perhaps no more."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def test_a_file_is_whole_when_the_server_is_killed_while_it_writes() -> None:
    big = ZONE + "".join(f"n{i} A 192.0.2.{i % 256}\n" for i in range(100_000))
    with Files() as files:
        arguments = two_zones(files)
        files.write("a.zone", big)
        kept = files.write("kept.zone", ZONE)
        kept.chmod(0o666)
        for _ in range(5):
            with Server(*arguments) as server:
                asking = threading.Thread(target=lambda: ctl(files, "write", "example.org", str(kept)))
                asking.start()
                half = files.path / "kept.zone~new"
                while asking.is_alive() and size_of(half) <= 1 << 20:
                    pass
                os.kill(server.process.pid, signal.SIGKILL)
                asking.join()
                server.process.wait()
            records = run("--print", "--zone", f"example.org={kept}").stdout.count("\n")
            check(records in (8, 100_008), f"{records} records")


def test_what_is_asked_wrongly_is_told() -> None:
    with Files() as files, Server(*two_zones(files)):
        for words, told in ((("status", "x"), "not that many words"), (("dump",), "not that many words"), (("what",), "expected status"),
                            (("dump", "example.com"), "there is no such zone"), (("dump", "a..b"), "an empty label"), (("",), "expected status"),
                            (("dump",) + ("x",) * 9, "not that many words")):
            check(told in refused(files, *words), f"{words}: {refused(files, *words)}")
        equal(run_program("mrg-dnsctl", "--control", f"{files.path}/nobody", "status").returncode, 4)
        equal(run_program("mrg-dnsctl").returncode, 2)


def raw(files: Files) -> socket.socket:
    s = socket.socket(socket.AF_UNIX)
    s.connect(f"{files.path}/control")  # waits where the queue is full
    s.settimeout(PATIENCE_S)
    return s


def everything(s: socket.socket) -> bytes:
    """What is said until the end; who is not read to the end of what it asks sees a reset for one, behind all that was said."""
    got = b""
    try:
        while part := s.recv(65536):
            got += part
    except ConnectionResetError:
        pass
    return got


def test_misuse_of_the_socket_harms_nobody() -> None:
    with Files() as files, Server(*two_zones(files)) as server:
        with raw(files) as s:
            s.sendall(b"x" * 5000)
            equal(everything(s), b"error: expected a line\n")
        with raw(files) as s:
            s.sendall(b"sta")
            s.shutdown(socket.SHUT_WR)
            equal(everything(s), b"error: expected a line\n")
        with raw(files) as s:
            s.sendall(b"dump \x00\xff\n")
            check(everything(s).startswith(b"error: "), "octets that are no text")
        with raw(files) as s:
            s.sendall(b"status\nreload\n")
            check(everything(s).endswith(b"\nok\n"), "a second line is not looked at")
        silent = [raw(files) for _ in range(7)]
        equal(ctl(files, "status").returncode, 0)
        silent += [raw(files) for _ in range(20)]
        equal(ctl(files, "status").returncode, 0, "who says nothing makes room for who does")
        for s in silent:
            s.close()
        equal(ctl(files, "status").returncode, 0)
        equal(wire.read(server.udp(wire.query("www.example.org"))).rcode, 0)


def test_the_socket_of_an_ended_server_is_taken_over() -> None:
    with Files() as files:
        arguments = two_zones(files)
        with Server(*arguments):
            check((files.path / "control").stat().st_mode & 0o7 == 0, "it is nobody else's")
            second = run_program("mrg-dns", "--listen", "127.0.0.1:0", *arguments)
            equal(second.returncode, 3)
            check("Address already in use" in second.stderr, second.stderr)
        with Server(*arguments):
            equal(ctl(files, "status").returncode, 0)
        plain = files.write("plain", "x")
        equal(run_program("mrg-dns", "--listen", "127.0.0.1:0", "--control", str(plain), "--zone", f"a={files.path}/a.zone").returncode, 3)
        equal(plain.read_text(), "x")


if __name__ == "__main__":
    sys.exit(main(dict(globals())))
