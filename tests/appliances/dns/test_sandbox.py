#!/usr/bin/env python3
"""mrg-dns that has locked itself in, on the kernel's sockets: answers, many workers, bad input, signals, its end. On its own stack it
is tests/appliances/net/test_sandbox.py's."""

from __future__ import annotations

import os
import signal
import socket
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))
import test_hostile as hostile  # noqa: E402
import wire  # noqa: E402
from harness import ZONE, Files, Server, check, equal, receive, run  # noqa: E402
from running import PATIENCE_S  # noqa: E402
from sandboxed import check_locked_in, main  # noqa: E402
from test_hostile import WWW, served  # noqa: E402

CALLS = 11  # by UDP and TCP of the kernel's; see runtime/README.md


class LockedIn(Server):
    def __init__(self, *args: str, **more: Any) -> None:
        super().__init__(*args, "--sandbox", **more)


hostile.Server = LockedIn  # type: ignore[misc]


def answers(server: Server, index: int = 0) -> None:
    for reply in (server.udp(WWW, index), server.tcp(WWW, index)):
        equal(wire.read(reply).rdata(wire.A), [bytes([192, 0, 2, 80])], "an answer")


def test_answers() -> None:
    with served() as server:
        check_locked_in(server, CALLS)
        answers(server)


def test_many_workers_and_addresses() -> None:
    with Files() as files:
        zone = f"example.org={files.write('zone', ZONE)}"
        listen = ("127.0.0.1:0", "[::1]:0", "0.0.0.0:0")
        with LockedIn("--zone", zone, "--workers", "4", "--metrics", "127.0.0.1:0", listen=listen) as server:
            equal(len(list(Path(f"/proc/{server.process.pid}/task").iterdir())), 4, "threads: the first worker is in the first")
            check_locked_in(server, CALLS)
            for _ in range(20):  # each by another port: all workers get some
                answers(server, 0)
                answers(server, 1)
            host, port = server.addresses_of("metrics")[0]
            with socket.create_connection((host, port), timeout=PATIENCE_S) as page:
                page.sendall(b"GET /metrics HTTP/1.0\r\n\r\n")
                check(page.recv(9) == b"HTTP/1.1 ", "figures")
            equal(server.end(), 0, "exit status")
            check("event=stopped" in server.lines[-1], server.lines[-1])


def test_it_ends_while_somebody_is_connected() -> None:
    """Both signals, one worker and several; a second signal meanwhile changes nothing."""
    for how, workers in ((signal.SIGTERM, "1"), (signal.SIGINT, "3")):
        with Files() as files:
            with LockedIn("--zone", f"example.org={files.write('zone', ZONE)}", "--workers", workers) as server, server.tcp_socket() as s:
                s.sendall(wire.frame(WWW))
                receive(s)
                s.sendall(wire.frame(WWW)[:5])  # and never the rest
                server.process.send_signal(how)
                equal(server.end(how), 0, "exit status")
                equal(sum("event=stopping" in line for line in server.lines), 1, "stopping")
                check("event=stopped" in server.lines[-1], server.lines[-1])


def test_what_it_can_no_more_it_says() -> None:
    with served() as server:
        server.reload("event=reload_refused why=sandbox")
        answers(server)
        server.process.send_signal(signal.SIGUSR2)
        server.wait_for("event=record_nothing")
        answers(server)
        for how in (signal.SIGSTOP, signal.SIGCONT):  # which ends a wait before its time
            server.process.send_signal(how)
        answers(server)


def test_no_catalog_can_be_had() -> None:
    with Files() as files:
        config = files.write("mrg.conf", f"template t {{\nprimary 192.0.2.1\n}}\nzone one {{\nfile {files.path}/one.zone\ncatalog t\n}}\n")
        done = run("--check", "--sandbox", "--config", config)
        equal((done.returncode, done.stderr), (2, "mrg-dns: a catalog can't be had with --sandbox, in which no zone comes any more\n"))


def test_a_zone_that_only_root_may_read() -> None:
    """It is read before the sandbox closes, and never again: there is nothing to warn of."""
    if os.geteuid() != 0:
        return
    with Files() as files:
        zone = files.write("zone", ZONE)
        zone.chmod(0o600)
        with LockedIn("--zone", f"example.org={zone}") as server:
            answers(server)
            check(not any("reload_will_fail" in line for line in server.lines), "a warning")


def test_what_was_open_before_is_closed() -> None:
    """A descriptor that somebody has left to the server is not there any more."""
    with Files() as files:
        zone = f"example.org={files.write('zone', ZONE)}"
        with LockedIn("--zone", zone, prefix=("bash", "-c", 'exec 77</etc/passwd "$0" "$@"')) as server:
            names = {fd.name for fd in Path(f"/proc/{server.process.pid}/fd").iterdir()}
            check("77" not in names, names)
            answers(server)


def test_check_and_print_go_as_before() -> None:
    with Files() as files:
        zone = f"example.org={files.write('zone', ZONE)}"
        equal(run("--zone", zone, "--check", "--sandbox").returncode, 0, "--check")


# All bad input and bad peers that the server knows.
ALL = {**{name: test for name, test in vars(hostile).items() if name.startswith("test_")}, **globals()}

if __name__ == "__main__":
    sys.exit(main("mrg-dns", ALL))
