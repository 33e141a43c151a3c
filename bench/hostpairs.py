"""Two hosts that are measured against each other: the kernel as client in a network namespace, and whoever answers it.

Needs root and /dev/net/tun. Namespaces are those of tests/appliances/netns.py.
"""

from __future__ import annotations

import sys
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Callable, Optional

sys.path.append(str(Path(__file__).resolve().parent.parent / "tests" / "appliances"))
import netns  # noqa: E402
from netns import Space  # noqa: E402

from bench import httppeers, peers  # noqa: E402
from bench.peers import Absent, Places  # noqa: E402
from bench.timing import Effort  # noqa: E402

__all__ = ["Host", "Hosts", "Space", "netns"]

OFFLOADS = ("tso", "gso", "gro", "tx", "rx", "sg")


@dataclass
class Host:
    """Who answers. The client runs in `space`."""

    name: str
    space: Space
    small: str  # address of the small services
    web: str  # of HTTP
    small_pids: list[int] = field(default_factory=list)
    web_pids: list[int] = field(default_factory=list)


class Hosts:
    """Hosts of one part of a run; all go with it."""

    def __init__(self, places: Places, effort: Effort, stack: ExitStack) -> None:
        if netns.possible():
            raise Absent(netns.possible())
        self.places, self.effort, self.stack = places, effort, stack

    def space(self) -> Space:
        return self.stack.enter_context(Space(six=False))

    def start(self, space: Space, name: str, command: list[object], ready: Callable[[], bool], core: Optional[int]) -> int:
        work = self.places.work("tcpip") / name
        work.mkdir(parents=True, exist_ok=True)
        words = [*space.prefix, *(str(c) for c in command)]
        running = peers.launch(self.places, name, words, work, 0, core, ready)
        self.stack.callback(running.stop)
        return running.process.pid

    def serve(self, space: Space, client: Space, name: str, address: str, command: list[object], tap: str = "") -> int:
        """Start a server of the small services; the client's side of its TAP device gets an address when that is there."""

        def ready() -> bool:
            if tap and not tap_up(client, tap, address):
                return False
            program = self.places.program("tcpload")
            return bool(client.attempt("timeout", "2", program, "ping", address, "0.001").returncode == 0)

        return self.start(space, name, command, ready, self.effort.core)

    def web(self, space: Space, client: Space, name: str, address: str, command: list[object], tap: str = "") -> int:
        def ready() -> bool:
            if tap and not tap_up(client, tap, address):
                return False
            got = client.attempt("curl", "-sf", "-m", "2", "-o", "/dev/null", f"http://{address}/small.txt")
            return bool(got.returncode == 0)

        return self.start(space, name, command, ready, self.effort.core)

    def until_ready(self, space: Space, name: str, command: list[object], core: Optional[int]) -> int:
        """Start a program of ours, which says in its log when it is ready."""
        log = self.places.work("tcpip") / name / "output"
        return self.start(space, name, command, lambda: "event=ready" in log.read_text(errors="replace"), core)

    # ---- the hosts

    def http(self, *how: object) -> list[object]:
        server = httppeers.SERVERS["mrg-http"].command(self.places, self.places.work("http") / "tcpip", 1)
        at = server.index("--listen")
        return [*server[:at], *how, *server[at + 2 :]]

    def ours(self) -> Host:
        """Our TCP/IP on a TAP device with segments that the kernel cuts and joins, and sums that it makes."""
        space = self.space()
        small, web = "10.77.0.2", "10.77.1.2"
        echo = [self.places.build / "bin" / "mrg-echo", "--net", f"tap:tap0,addr={small}/24"]
        host = Host("ours on TAP", space, small, web)
        host.small_pids = [self.serve(space, space, "mrg-echo", small, echo, "tap0")]
        host.web_pids = [self.web(space, space, "mrg-http", web, self.http("--net", f"tap:tap1,addr={web}/24"), "tap1")]
        return host

    def lwip(self) -> Host:
        space = self.space()
        at = "10.78.0.2"
        pid = self.serve(space, space, "lwip_tap", at, [self.places.program("lwip_tap"), "tap0", at], "tap0")
        return Host("lwIP on TAP", space, at, at, [pid], [pid])

    def linux(self, offloads: bool) -> Host:
        """The kernel's, over a pair of interfaces."""
        here, there = self.space(), self.space()
        net = "10.79.0" if offloads else "10.80.0"
        netns.cable(here, "eth", there, "eth")
        for space, last in ((here, 1), (there, 2)):
            space.address("eth", f"{net}.{last}/24")
            if not offloads:
                turn_off(self.places, space)
        at = f"{net}.2"
        name = "Linux veth" if offloads else "Linux veth, no offloads"
        host = Host(name, here, at, at)
        short = "linux" if offloads else "linux-plain"
        host.small_pids = [self.serve(there, here, short, at, [self.places.program("tcpload"), "serve", at])]
        host.web_pids = [self.web(there, here, f"{short}-http", at, self.http("--listen", f"{at}:80"))]
        return host


def tap_up(space: Space, tap: str, address: str) -> bool:
    """Give the kernel's side of a TAP device its address; false while there is none."""
    if space.attempt("ip", "link", "show", tap).returncode != 0:
        return False
    if not space.attempt("ip", "-4", "addr", "show", "dev", tap).stdout.strip():
        space.address(tap, address.rpartition(".")[0] + ".1/24")
    return True


def turn_off(places: Places, space: Space) -> None:
    ethtool = places.tool("ethtool")
    for what in OFFLOADS:
        space.attempt(ethtool, "-K", "eth", what, "off")
    shown = space.run(ethtool, "-k", "eth")
    for name in ("tcp-segmentation-offload", "generic-receive-offload", "tx-checksumming"):
        if f"{name}: off" not in shown:
            raise Absent(f"ethtool: {name} cannot be turned off")
