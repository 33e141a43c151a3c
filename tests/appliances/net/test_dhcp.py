#!/usr/bin/env python3
"""Our DHCP client against dnsmasq: a lease, what is served with it, what is kept after it, and what is lost."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from stack import KERNEL, PATIENCE_S, Dns, Failure, Files, Taps, check, equal, main, need  # noqa: E402

NET = "tap:tap0,dhcp"


class Dnsmasq:
    """A DHCP server on the kernel's side. The device is there by the time it is started."""

    def __init__(self, host: Taps, files: Files, *args: str) -> None:
        need("dnsmasq")
        self.process = host.space.start(
            "dnsmasq", "--no-daemon", "--conf-file=/dev/null", "--port=0", "--interface=tap0", "--bind-interfaces", "--no-ping",
            "--user=root", "--log-dhcp", f"--pid-file={files.path / 'pid'}", f"--dhcp-leasefile={files.path / 'leases'}",
            "--dhcp-range=10.77.0.50,10.77.0.60,255.255.255.0,2m", "--dhcp-authoritative", *args)

    def __enter__(self) -> Dnsmasq:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        try:
            self.log = self.process.communicate(timeout=PATIENCE_S)[1]
        except subprocess.TimeoutExpired:
            self.log = ""


def leased(server: Dns) -> tuple[str, str]:
    line = server.wait_for("event=lease ")
    found = re.search(r"address=([\d.]+)/24(?: router=(\S+))?", line)
    check(found is not None, line)
    assert found is not None
    return found.group(1), found.group(2) or ""


def test_a_lease_is_got_and_used() -> None:
    with Taps() as host, Files() as files, Dns(host, files, net=NET) as server, Dnsmasq(host, files):
        address, router = leased(server)
        check(address.startswith("10.77.0.5") or address == "10.77.0.60", address)
        equal(router, KERNEL, "router")
        equal(server.dig("www.example.org", at=address), "192.0.2.80", "an answer")
        leases = (files.path / "leases").read_text()
        mac = next(line for line in server.lines if "event=net" in line).split("mac=")[1].split()[0]
        check(f"{mac} {address}" in leases, leases)


def test_the_router_is_used() -> None:
    """A question from behind the router is answered by its way."""
    with Taps() as host, Files() as files, Dns(host, files, net=NET) as server, Dnsmasq(host, files):
        address, _ = leased(server)
        host.space.ip("addr", "add", "198.51.100.1/32", "dev", "lo")
        out = host.space.run("dig", f"@{address}", "-b", "198.51.100.1", "+time=3", "+short", "+noedns", "www.example.org").strip()
        equal(out, "192.0.2.80", "an answer to 198.51.100.1")


def test_the_same_address_again() -> None:
    with Taps() as host, Files() as files:
        with Dns(host, files, net=NET + ",mac=02:00:00:00:00:07") as server, Dnsmasq(host, files):
            first, _ = leased(server)
            equal(server.end(), 0, "exit status")
        with Dns(host, files, net=NET + ",mac=02:00:00:00:00:07") as server, Dnsmasq(host, files):
            equal(leased(server)[0], first, "the address of the same client")


def test_routes_with_prefixes() -> None:
    """RFC 3442: the only way back to a network is told by the option of classless routes."""
    routes = f"--dhcp-option=option:classless-static-route,198.51.100.0/24,{KERNEL}"
    with Taps() as host, Files() as files, Dns(host, files, net=NET) as server, Dnsmasq(host, files, "--dhcp-option=3", routes):
        address, router = leased(server)
        equal(router, "", "router")
        host.space.ip("addr", "add", "198.51.100.1/32", "dev", "lo")
        out = host.space.run("dig", f"@{address}", "-b", "198.51.100.1", "+time=3", "+short", "+noedns", "www.example.org").strip()
        equal(out, "192.0.2.80", "an answer to 198.51.100.1")


def test_the_address_is_given_back() -> None:
    """Whoever ends releases it, and is known by his client id (RFC 4361). The device stays, so that the server hears it."""
    with Taps() as host, Files() as files:
        host.space.ip("tuntap", "add", "dev", "tap0", "mode", "tap")
        with Dns(host, files, net=NET + ",mac=02:00:00:00:00:07") as server, Dnsmasq(host, files):
            address, _ = leased(server)
            check("ff:00:00:00:01:00:03:00:01:02:00:00:00:00:07" in (files.path / "leases").read_text(), "no client id")
            equal(server.end(), 0, "exit status")
            wait_without(files.path / "leases", address)


def wait_without(leases: Path, address: str) -> None:
    end = time.monotonic() + PATIENCE_S
    while address in leases.read_text():
        check(time.monotonic() < end, f"{address} was not given back")
        time.sleep(0.05)


def test_a_server_that_comes_later() -> None:
    """Nobody answers at first: it asks again, and other addresses are served meanwhile."""
    with Taps() as host, Files() as files, Dns(host, files, net=NET + ",ip6=fd77::2/64") as server:
        equal(server.dig("www.example.org", at="fd77::2"), "192.0.2.80", "an answer by IPv6")
        with Dnsmasq(host, files):
            address, _ = leased(server)
            equal(server.dig("www.example.org", at=address), "192.0.2.80", "an answer")


def test_a_router_tells_of_addresses() -> None:
    """Router Advertisements: an address of the prefix, and the router for what is elsewhere (RFC 4861, RFC 4862)."""
    need("ping")
    with Taps() as host, Files() as files, Dns(host, files, net="tap:tap0") as server:
        host.space.ip("addr", "add", "fd88::1/64", "dev", "tap0", "nodad")
        with Dnsmasq(host, files, "--enable-ra", "--dhcp-range=fd88::,ra-only,64"):
            host.wait_for_count("router.in_advertisements", 1)
            address = ours_of_prefix(host)
            equal(server.dig("www.example.org", at=address), "192.0.2.80", "an answer")
            host.space.ip("addr", "add", "fd99::1/128", "dev", "lo")
            out = host.space.run("dig", f"@{address}", "-b", "fd99::1", "+time=3", "+short", "+noedns", "www.example.org").strip()
            equal(out, "192.0.2.80", "an answer to fd99::1")


def ours_of_prefix(host: Taps) -> str:
    """Which of the nodes on the link that answer is not the kernel's."""
    for _ in range(20):
        out = host.space.attempt("ping", "-c", "3", "-i", "0.5", "-W", "1", "-I", "fd88::1", "ff02::1%tap0").stdout
        for found in re.findall(r"bytes from (fd88::[0-9a-f:]+[0-9a-f])", out):
            if found != "fd88::1":
                return str(found)
    raise Failure("no answer from an address of the prefix")


if __name__ == "__main__":
    sys.exit(main(dict(globals())))
