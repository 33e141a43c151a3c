"""Network namespaces for tests: interfaces of the kernel's that nobody else has, and programs that run among them.

Needs root and /dev/net/tun. Where these are, a test that can't have what it needs fails; where they are not, the suite says so and
ends (see `main`).
"""

from __future__ import annotations

import ctypes
import itertools
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import running
from running import Failure, check

_numbers = itertools.count()
T = TypeVar("T")


def possible() -> str:
    """Why namespaces can't be had here; empty when they can."""
    if os.geteuid() != 0:
        return "not root"
    return "" if Path("/dev/net/tun").exists() else "no /dev/net/tun"


def need(*programs: str) -> None:
    for program in programs:
        check(shutil.which(program) is not None, f"{program} is missing: `make deps` installs it")


def command(*args: object, timeout: float = 60.0) -> str:
    """Run a program that has to succeed; its standard output."""
    done = subprocess.run([str(a) for a in args], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=timeout)
    check(done.returncode == 0, f"{' '.join(str(a) for a in args)}: {done.returncode}: {done.stderr.strip()} {done.stdout.strip()}")
    return done.stdout


class Space:
    """A namespace with loopback up. It goes, with all interfaces in it, when the test does."""

    def __init__(self, *, six: bool = True) -> None:
        need("ip")
        self.name = f"mrg-{os.getpid()}-{next(_numbers)}"
        command("ip", "netns", "add", self.name)
        self.sysctl("net.ipv4.ping_group_range", "0 2147483647")
        if not six:  # nothing is said that no test has asked for
            self.sysctl("net.ipv6.conf.default.disable_ipv6", "1")
        self.ip("link", "set", "lo", "up")

    def __enter__(self) -> Space:
        return self

    def __exit__(self, *_: object) -> None:
        subprocess.run(["ip", "netns", "del", self.name], check=False)

    @property
    def prefix(self) -> tuple[str, ...]:
        """What a command begins with that runs in here."""
        return ("ip", "netns", "exec", self.name)

    def run(self, *args: object, timeout: float = 60.0) -> str:
        return command(*self.prefix, *args, timeout=timeout)

    def attempt(self, *args: object, timeout: float = 60.0) -> subprocess.CompletedProcess[str]:
        """Run a program that may fail."""
        return subprocess.run([*self.prefix, *(str(a) for a in args)], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=timeout)

    def start(self, *args: object, **more: object) -> subprocess.Popen[str]:
        return subprocess.Popen([*self.prefix, *(str(a) for a in args)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True, **more)  # type: ignore[call-overload,no-any-return]

    def inside(self, make: Callable[[], T]) -> T:
        """What a function makes in a thread of this process that is in here: sockets stay where they were made, threads where they began."""
        made: list[T] = []
        thread = threading.Thread(target=lambda: (self._enter(), made.append(make())))
        thread.start()
        thread.join()
        check(bool(made), f"nothing was made in {self.name}")
        return made[0]

    def _enter(self) -> None:
        clone_newnet = 0x40000000  # setns(2)
        with open(f"/run/netns/{self.name}") as f:
            check(ctypes.CDLL(None, use_errno=True).setns(f.fileno(), clone_newnet) == 0, "setns")

    def ip(self, *args: object) -> str:
        return command("ip", "-n", self.name, *args)

    def sysctl(self, name: str, value: str) -> None:
        self.run("sysctl", "-q", "-w", f"{name}={value}") if shutil.which("sysctl") else self._proc(name, value)

    def _proc(self, name: str, value: str) -> None:
        self.run("sh", "-c", f"echo '{value}' >/proc/sys/{name.replace('.', '/')}")

    def address(self, device: str, *addresses: str) -> None:
        """Give an interface addresses, such as 10.0.0.1/24, that can be used at once, and set it up."""
        for a in addresses:
            self.ip("addr", "add", a, "dev", device, *(["nodad"] if ":" in a else []))
        self.ip("link", "set", device, "up")

    def mac(self, device: str) -> str:
        return self.run("cat", f"/sys/class/net/{device}/address").strip()


def cable(a: Space, a_name: str, b: Space, b_name: str) -> None:
    """Two interfaces that are joined, each in its namespace, up."""
    command("ip", "link", "add", a_name, "netns", a.name, "type", "veth", "peer", "name", b_name, "netns", b.name)
    a.ip("link", "set", a_name, "up")
    b.ip("link", "set", b_name, "up")


def main(tests: dict[str, Callable[[], None]]) -> int:
    why = possible()
    if why:
        print(f"nothing was tried: {why}; these tests need root and /dev/net/tun")
        print("1 passed, 0 failed")
        return 0
    return running.main(tests)


__all__ = ["Failure", "Space", "cable", "check", "command", "main", "need", "possible"]

if __name__ == "__main__":
    sys.exit(main({}))
