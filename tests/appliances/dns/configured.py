"""Configuration files of the server under test, and what it serves by them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]
import wire  # noqa: E402
from harness import ZONE, Files, Server  # noqa: E402
from running import run_program  # noqa: E402

OLD, NEW = "c2VjcmV0IG9mIHNpeHRlZW4=", "YW5vdGhlciBzZWNyZXQgaGVyZQ=="


def zone_text(serial: int) -> str:
    return ZONE.replace("hostmaster 7", f"hostmaster {serial}").replace("192.0.2.80", f"192.0.2.{serial}")


class Config:
    """A configuration file, its zones, and mrg-dnsctl."""

    def __init__(self, files: Files, name: str = "mrg.conf") -> None:
        self.files, self.name = files, name
        files.path.chmod(0o777)

    def write(self, *lines: str) -> tuple[str, ...]:
        self.path = self.files.write(self.name, "".join(f"{line}\n" for line in (f"control {self.socket}", *lines)))
        return ("--config", str(self.path))

    @property
    def socket(self) -> str:
        return f"{self.files.path}/{self.name}.control"

    def zone(self, origin: str, serial: int = 7, *lines: str) -> tuple[str, ...]:
        self.files.write(f"{origin}.zone", zone_text(serial))
        return (f"zone {origin} {{", f"file {self.files.path}/{origin}.zone", *lines, "}")

    def ctl(self, *words: str) -> subprocess.CompletedProcess[str]:
        return run_program("mrg-dnsctl", "--control", self.socket, *words)


def secondary(origin: str, port: int, *lines: str) -> tuple[str, ...]:
    return (f"zone {origin} {{", f"primary 127.0.0.1:{port}", *lines, "}")


def key(secret: str, name: str = "k.example") -> tuple[str, ...]:
    return (f"key {name} {{", f"secret {secret}", "}")


def rcode(server: Server, name: str) -> int:
    return server.ask(name).rcode


def last_octet(server: Server, origin: str) -> int:
    """Of the address that tells its version; -1: there is no answer now."""
    answers = server.ask(f"www.{origin}").rdata(wire.A)
    return answers[0][3] if answers else -1
