#!/usr/bin/env python3
"""What a service manager is told (sd_notify): when it answers, that it lives on, and when it ends."""

from __future__ import annotations

import os
import signal
import socket
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from harness import ZONE, Files, Server, equal, main  # noqa: E402
from running import PATIENCE_S  # noqa: E402


def told(s: socket.socket) -> str:
    return s.recv(4096).decode()


def hear(name: str) -> socket.socket:
    s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    s.bind("\0" + name[1:] if name[0] == "@" else name)
    s.settimeout(PATIENCE_S)
    return s


def environment(**values: str) -> None:
    for name in ("NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"):
        os.environ.pop(name, None)
    os.environ.update(values)


def test_it_says_when_it_answers_lives_and_ends() -> None:
    with Files() as files:
        files.path.chmod(0o777)
        zone = files.write("a.zone", ZONE)
        for name in (f"{files.path}/notify", f"@mrg-test-{os.getpid()}"):
            with hear(name) as heard:
                if name[0] != "@":
                    os.chmod(name, 0o777)
                environment(NOTIFY_SOCKET=name, WATCHDOG_USEC="30000")
                with Server("--zone", f"example.org={zone}", "--workers", "2") as server:
                    equal(told(heard), "READY=1")
                    equal({told(heard) for _ in range(5)}, {"WATCHDOG=1"}, "without a question being asked")
                    server.process.send_signal(signal.SIGTERM)
                    server.process.wait()
                    last = told(heard)
                    while last == "WATCHDOG=1":
                        last = told(heard)
                    equal(last, "STOPPING=1")
        environment()


def test_without_a_manager_or_with_a_bad_one_it_serves() -> None:
    with Files() as files:
        zone = files.write("a.zone", ZONE)
        for values in ({}, {"NOTIFY_SOCKET": "nowhere"}, {"NOTIFY_SOCKET": "/" + "x" * 200}, {"NOTIFY_SOCKET": f"{files.path}/nobody"},
                       {"WATCHDOG_USEC": "x"}, {"WATCHDOG_USEC": "9" * 40}, {"WATCHDOG_USEC": "30000", "WATCHDOG_PID": "1"}):
            environment(**values)
            with Server("--zone", f"example.org={zone}") as server:
                server.begun()
        environment()


if __name__ == "__main__":
    sys.exit(main(dict(globals())))
