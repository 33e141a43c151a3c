#!/usr/bin/env python3
"""SIGHUP: the new zones or the old ones, never a mixture, never a gap, and no memory left behind."""

from __future__ import annotations

import ctypes
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import wire  # noqa: E402
from harness import ZONE, Files, Server, check, equal, main, receive  # noqa: E402
from running import BUILD  # noqa: E402


def numbered(n: int, extra: str = "") -> str:
    """A zone whose serial number and address tell which one it is."""
    return ZONE.replace("hostmaster 7", f"hostmaster {n}").replace("version A 192.0.2.1", f"version A 192.0.2.{n % 250}") + extra


def address_of(server: Server) -> int:
    return server.ask("version.example.org").rdata(wire.A)[0][3]


def test_a_good_zone_takes_over() -> None:
    with Files() as files:
        with Server("--zone", f"example.org={files.write('zone', numbered(1))}", "--workers", "2") as server:
            for n in range(2, 12):
                files.write("zone", numbered(n))
                line = server.reload()
                check("zones=1 records=8" in line, line)
                check(any(f"event=zone origin=example.org. serial={n} " in row for row in server.lines), "the log tells the serial")
                for _ in range(20):
                    equal(address_of(server), n, "the zone just loaded")
            equal(server.end(), 0)


def test_a_zone_with_errors_leaves_the_old_one() -> None:
    broken = {
        "MX preference": "bad MX ten mail\n",
        "what=\"CNAME and other data": "www CNAME alias\n",
        "No such file": None,
    }
    with Files() as files:
        zone = files.write("zone", numbered(1))
        with Server("--zone", f"example.org={zone}") as server:
            for word, extra in broken.items():
                if extra is None:
                    zone.unlink()
                else:
                    files.write("zone", numbered(2, extra))
                line = server.reload("event=reload_failed")
                check("faults=1" in line and "serving=\"old zones\"" in line, line)
                told = [row for row in server.lines if "event=zone_fault" in row and word in row]
                check(len(told) == 1 and f"file={zone}" in told[0], f"the fault '{word}' in the log")
                equal(address_of(server), 1, "the old zone")
            files.write("zone", numbered(3))
            server.reload()
            equal(address_of(server), 3, "the good zone")


def test_faults_name_line_and_column() -> None:
    with Files() as files:
        with Server("--zone", f"example.org={files.write('zone', numbered(1))}") as server:
            files.write("zone", numbered(2, "bad MX ten mail\n"))
            server.reload("event=reload_failed")
            line = next(row for row in server.lines if "event=zone_fault" in row)
            check("line=10 col=8 " in line, line)


def test_many_faults_are_counted_and_some_told() -> None:
    with Files() as files:
        with Server("--zone", f"example.org={files.write('zone', numbered(1))}") as server:
            files.write("zone", numbered(2, "bad MX ten mail\n" * 500))
            check("faults=500" in server.reload("event=reload_failed"), "count")
            equal(sum("event=zone_fault" in row for row in server.lines), 20, "lines of log")


def test_one_bad_zone_of_several_keeps_all_old_ones() -> None:
    with Files() as files:
        a, b = files.write("a", numbered(1)), files.write("b", numbered(1))
        with Server("--zone", f"example.org={a}", "--zone", f"example.net={b}") as server:
            files.write("a", numbered(2))
            files.write("b", "rubbish\n")
            server.reload("event=reload_failed")
            equal(server.ask("version.example.org").rdata(wire.A)[0][3], 1)
            equal(server.ask("version.example.net").rdata(wire.A)[0][3], 1)


def test_included_files_are_read_again() -> None:
    with Files() as files:
        files.write("part", "inc A 192.0.2.1\n")
        with Server("--zone", f"example.org={files.write('zone', ZONE + '$INCLUDE part' + chr(10))}") as server:
            equal(server.ask("inc.example.org").rdata(wire.A), [bytes([192, 0, 2, 1])])
            files.write("part", "inc A 192.0.2.2\n")
            server.reload()
            equal(server.ask("inc.example.org").rdata(wire.A), [bytes([192, 0, 2, 2])])


def test_tcp_connections_outlive_a_reload() -> None:
    with Files() as files:
        with Server("--zone", f"example.org={files.write('zone', numbered(1))}") as server, server.tcp_socket() as s:
            for n in range(2, 6):
                s.sendall(wire.frame(wire.query("version.example.org")))
                equal(wire.read(receive(s)).rdata(wire.A)[0][3], n - 1)
                files.write("zone", numbered(n))
                server.reload()


def test_no_query_is_lost_while_reloading() -> None:
    """A client asks without pause while the zone is replaced 30 times: every query has an answer, of one zone or the next."""
    with Files() as files:
        with Server("--zone", f"example.org={files.write('zone', numbered(1))}", "--workers", "2") as server:
            answers: list[int] = []
            with server.asked_meanwhile(wire.query("version.example.org"), lambda reply: answers.append(reply.rdata(wire.A)[0][3])):
                for n in range(2, 32):
                    files.write("zone", numbered(n))
                    server.reload()
            check(answers == sorted(answers), "never an older zone after a newer one")
            check(len(answers) > 0, "answers")


def test_signals_that_come_together_are_one_reload_or_more() -> None:
    with Files() as files:
        with Server("--zone", f"example.org={files.write('zone', numbered(1))}") as server:
            files.write("zone", numbered(2))
            for _ in range(5):
                server.process.send_signal(1)
            server.wait_for("event=reloaded")
            equal(address_of(server), 2)
            equal(server.end(), 0)


def memory_kib(pid: int, key: str = "VmRSS") -> int:
    rows = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(row.split()[1] for row in rows if row.startswith(key)))


def no_huge_pages() -> None:
    """Whether the kernel has some to give changes what a process takes."""
    pr_set_thp_disable = 41  # prctl(2)
    check(ctypes.CDLL(None).prctl(pr_set_thp_disable, 1, 0, 0, 0) == 0, "prctl")


def test_memory_stays_flat_and_the_peak_at_most_doubles() -> None:
    big = "".join(f"h{i} A 10.{i >> 16}.{i >> 8 & 255}.{i & 255}\nh{i} AAAA 2001:db8::{i >> 16:x}:{i & 65535:x}\n" for i in range(150_000))
    with Files() as files:
        with Server("--zone", f"example.org={files.write('zone', numbered(1, big))}", before=no_huge_pages) as server:
            first = memory_kib(server.process.pid)
            Path(f"/proc/{server.process.pid}/clear_refs").write_text("5")  # the peak counts from here
            for n in range(2, 6):
                files.write("zone", numbered(n, big))
                server.reload()
                equal(address_of(server), n)
            last, peak = memory_kib(server.process.pid), memory_kib(server.process.pid, "VmHWM")
            check(last < first * 1.1 + 1024, f"{first} KiB before, {last} KiB after")
            check(peak < first * 2 + 4096, f"{first} KiB before, a peak of {peak} KiB")


def test_a_small_zone_takes_little_memory() -> None:
    most = 65_536 if "address" in BUILD.name or "thread" in BUILD.name else 1536  # sanitizers keep books of their own
    small = "".join(f"h{i} A 10.0.{i >> 8 & 255}.{i & 255}\n" for i in range(1_000))
    with Files() as files, Server("--zone", f"example.org={files.write('zone', numbered(1, small))}", "--workers", "1") as server:
        equal(address_of(server), 1)
        peak = memory_kib(server.process.pid, "VmHWM")
        check(peak <= most, f"{peak} KiB: see mk/order.py")


def test_the_end_does_not_wait_for_a_reload() -> None:
    big = "".join(f"h{i} A 10.{i >> 16}.{i >> 8 & 255}.{i & 255}\n" for i in range(300_000))
    with Files() as files:
        with Server("--zone", f"example.org={files.write('zone', numbered(1))}") as server:
            files.write("zone", numbered(2, big))
            server.process.send_signal(1)
            equal(server.end(), 0)


if __name__ == "__main__":
    sys.exit(main(dict(globals())))
