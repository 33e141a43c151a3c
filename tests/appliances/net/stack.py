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

__all__ = ["HERE", "KERNEL", "KERNEL6", "METRICS", "OURS", "OURS6", "PATIENCE_S", "Dns", "Failure", "Files", "Host", "Http", "Packets", "Taps",
           "check", "command", "equal", "main", "need", "run_program"]

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
    """A namespace, and the kernel's side of the link in it. `net` is the value of --net."""

    kind = ""

    def __init__(self) -> None:
        self.space = Space()

    def __exit__(self, *_: object) -> None:
        self.space.__exit__()

    def curl(self, url: str, *args: object, timeout: float = PATIENCE_S) -> str:
        need("curl")
        return self.space.run("curl", "-sS", "--noproxy", "*", "-m", timeout, *args, url, timeout=timeout + 10)

    def figures(self) -> dict[str, int]:
        rows = (line.rsplit(" ", 1) for line in self.curl(f"http://{METRICS}/metrics").splitlines() if not line.startswith("#"))
        return {name: int(value) for name, value in rows}

    def counts(self) -> dict[str, int]:
        """What the stack has counted, as `tcp.in_segs`."""
        found = (re.fullmatch(r'mrg_net_total\{protocol="(\w+)",name="(\w+)"\}', k) or None for k in self.figures())
        return {f"{m[1]}.{m[2]}": v for m, v in zip(found, self.figures().values()) if m}


    def wait_for_count(self, name: str, least: int) -> None:
        """Until the stack has counted so many; it looks every 50 ms."""
        until = time.monotonic() + PATIENCE_S
        while self.counts().get(name, 0) < least:
            check(time.monotonic() < until, f"{name} is less than {least}: {self.counts()}")
            time.sleep(0.05)


class Taps(Host):
    kind = "tap"
    device = "tap0"

    def __enter__(self) -> Taps:
        return self

    def net(self, *more: str) -> str:
        return ",".join([f"tap:tap0,addr={OURS}/24,ip6={OURS6}/64", *more])

    def up(self) -> None:
        """The device is there when the server is ready."""
        self.space.address("tap0", f"{KERNEL}/24", f"{KERNEL6}/64")


class Packets(Host):
    """A pair of interfaces, the server on one of them, which has no address of the kernel's, and the kernel on the other."""

    kind = "packet"
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
        return ",".join([f"packet:there,addr={OURS}/24,ip6={OURS6}/64", *more])

    def up(self) -> None:
        self.space.address("here", f"{KERNEL}/24", f"{KERNEL6}/64")


class OnStack(Running):
    """A server on its own stack, in the namespace of the host. Its metrics are the kernel's."""

    def __init__(self, host: Host, *args: str, net: str = "", listen: tuple[str, ...] = ()) -> None:
        space = host.other if isinstance(host, Packets) else host.space
        metrics = () if isinstance(host, Packets) else ("--metrics", METRICS)
        super().__init__("--net", net or host.net(), *metrics, *args, listen=listen, prefix=space.prefix)  # type: ignore[attr-defined]
        host.up()  # type: ignore[attr-defined]

    def user_ids(self) -> set[str]:
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        found = re.search(r"^Uid:\s+(.*)$", status, re.M)
        return set(found.group(1).split()) if found else set()


class Http(OnStack):
    program = "mrg-http"

    def __enter__(self) -> Http:
        return self


class Dns(OnStack):
    program = "mrg-dns"

    def __init__(self, host: Host, files: Files, *args: str, net: str = "", listen: tuple[str, ...] = ()) -> None:
        self.zone = files.write("zone", ZONE)
        super().__init__(host, "--zone", f"example.org={self.zone}", *args, net=net, listen=listen)
        self.host = host

    def __enter__(self) -> Dns:
        return self

    def dig(self, *args: object, at: str = OURS) -> str:
        need("dig")
        return self.host.space.run("dig", f"@{at}", "+time=3", "+tries=3", "+short", "+noedns", *args).strip()
