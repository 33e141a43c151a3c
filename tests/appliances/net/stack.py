"""Our servers on their own TCP/IP, in a namespace where the kernel is the client.

Each `Host` is one namespace: the server has a TAP device in it (or shares one end of a pair of interfaces), and the kernel has the other
side of it.
"""

from __future__ import annotations

import re
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]
from netns import Space, cable, command, main, need  # noqa: E402
from running import PATIENCE_S, Failure, Files, Running, check, equal, run_program  # noqa: E402

__all__ = ["KERNEL", "KERNEL6", "METRICS", "OURS", "OURS6", "PATIENCE_S", "Dns", "Echo", "Failure", "Files", "Host", "Http", "Impair",
           "Packets", "Space", "Taps", "cable", "check", "command", "equal", "main", "need", "run_program"]

OURS, KERNEL = "10.77.0.2", "10.77.0.1"
OURS6, KERNEL6 = "fd77::2", "fd77::1"
METRICS = "127.0.0.1:9100"  # of the namespace, so nobody else has it

ZONE = """$TTL 3600
@ SOA ns1 hostmaster 7 7200 900 1209600 300
@ NS ns1
ns1 A 192.0.2.53
www A 192.0.2.80
www AAAA 2001:db8::80
""" + "".join(f"long TXT \"{i:04d}{'x' * 200}\"\n" for i in range(200))


class Host:
    """A namespace, and the kernel's side of the link in it."""

    device = ""  # the kernel's side

    def __init__(self) -> None:
        self.space = Space()
        self.other = self.space  # where the server is

    def __exit__(self, *_: object) -> None:
        self.space.__exit__()

    def net(self, *more: str) -> str:
        """The value of --net."""
        return ",".join([f"tap:tap0,addr={OURS}/24,ip6={OURS6}/64", *more])

    def packet_net(self, *more: str) -> str:
        return ",".join([f"packet:there,addr={OURS}/24,ip6={OURS6}/64", *more])

    def up(self) -> None:
        """The server is ready, so the device is there: give the kernel's side its addresses."""

    def curl(self, url: str, *args: object, timeout: float = PATIENCE_S) -> str:
        need("curl")
        return self.space.run("curl", "-sS", "--noproxy", "*", "-m", timeout, *args, url, timeout=timeout + 10)

    def figures(self) -> dict[str, int]:
        rows = (line.rsplit(" ", 1) for line in self.curl(f"http://{METRICS}/metrics").splitlines() if not line.startswith("#"))
        return {name: int(value) for name, value in rows if value.isdigit()}  # others are seconds

    def counts(self) -> dict[str, int]:
        """What the stack has counted, as `tcp.in_segs`."""
        rows = ((re.fullmatch(r'mrg_net_total\{protocol="(\w+)",name="(\w+)"\}', k), v) for k, v in self.figures().items())
        return {f"{m[1]}.{m[2]}": v for m, v in rows if m}

    def wait_for_count(self, name: str, least: int) -> None:
        """Until the stack has counted so many; it looks every 50 ms."""
        until = time.monotonic() + PATIENCE_S
        while self.counts().get(name, 0) < least:
            check(time.monotonic() < until, f"{name} is less than {least}: {self.counts()}")
            time.sleep(0.05)


class Taps(Host):
    device = "tap0"

    def __enter__(self) -> Taps:
        return self

    def up(self) -> None:
        self.space.address("tap0", f"{KERNEL}/24", f"{KERNEL6}/64")


class Packets(Host):
    """A pair of interfaces, the server on one of them, which has no address of the kernel's, and the kernel on the other."""

    device = "here"

    def __init__(self) -> None:
        super().__init__()
        self.other = Space()
        cable(self.other, "there", self.space, "here")

    def __enter__(self) -> Packets:
        return self

    def __exit__(self, *_: object) -> None:
        self.other.__exit__()
        super().__exit__()

    def net(self, *more: str) -> str:
        return self.packet_net(*more)

    def up(self) -> None:
        self.space.address("here", f"{KERNEL}/24", f"{KERNEL6}/64")


class OnStack(Running):
    """A server on its own stack, in the namespace of the host. Its metrics are the kernel's."""

    def __init__(self, host: Host, *args: str, net: str = "", listen: tuple[str, ...] = ()) -> None:
        metrics = ("--metrics", METRICS) if host.other is host.space else ()
        super().__init__("--net", net or host.net(), *metrics, *args, listen=listen, prefix=host.other.prefix)
        host.up()

    def user_ids(self) -> set[str]:
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        found = re.search(r"^Uid:\s+(.*)$", status, re.M)
        return set(found.group(1).split()) if found else set()


class Impair(Running):
    program = "mrg-impair"

    def __enter__(self) -> Impair:
        return self


class Echo(OnStack):
    program = "mrg-echo"

    def __enter__(self) -> Echo:
        return self


class Http(OnStack):
    program = "mrg-http"

    def __enter__(self) -> Http:
        return self


class Dns(OnStack):
    program = "mrg-dns"

    def __init__(self, host: Host, files: Files, *args: str, net: str = "", listen: tuple[str, ...] = ()) -> None:
        self.zone = files.write("zone", ZONE)
        super().__init__(host, "--zone", f"example.org={self.zone}", *args, net=net, listen=listen)
        self.on = host

    def __enter__(self) -> Dns:
        return self

    def dig(self, *args: object, at: str = OURS) -> str:
        need("dig")
        return self.on.space.run("dig", f"@{at}", "+time=3", "+tries=3", "+short", "+noedns", *args).strip()
