#!/usr/bin/env python3
"""The value of --net, and what is said when it is wrong or the device can't be had."""

from __future__ import annotations

import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from stack import Dns, Files, Taps, check, command, equal, main, run_program  # noqa: E402

WRONG = [
    ("", "expected tap:NAME or packet:NAME"),
    ("tap0", "expected tap:NAME or packet:NAME"),
    ("tun:tap0", "expected tap:NAME or packet:NAME"),
    ("tap:", "the name of an interface has 1 to 15 letters"),
    ("tap:abcdefghijklmnop", "the name of an interface has 1 to 15 letters"),
    ("tap:tap0,addr=10.0.0.2", "addr: expected ADDRESS/LENGTH"),
    ("tap:tap0,addr=10.0.0.2/33", "addr: expected ADDRESS/LENGTH"),
    ("tap:tap0,addr=10.0.0/24", "addr: expected ADDRESS/LENGTH"),
    ("tap:tap0,addr=10.0.0.2:80/24", "addr: expected ADDRESS/LENGTH"),
    ("tap:tap0,addr=fd00::2/64", "addr: expected ADDRESS/LENGTH"),
    ("tap:tap0,addr=/24", "addr: expected ADDRESS/LENGTH"),
    ("tap:tap0,addr", "addr: needs a value"),
    ("tap:tap0,ip6=10.0.0.2/24", "ip6: expected ADDRESS/LENGTH"),
    ("tap:tap0,ip6=fd00::2/129", "ip6: expected ADDRESS/LENGTH"),
    ("tap:tap0,ip6=[fd00::2]/64", "ip6: expected ADDRESS/LENGTH"),
    ("tap:tap0,addr=10.0.0.2/24,gw=fd00::1", "gw: expected an IPv4 address"),
    ("tap:tap0,gw=10.0.0.1", "gw: is of no use without addr= or dhcp"),
    ("tap:tap0,gw6=10.0.0.1", "gw6: expected an IPv6 address"),
    ("tap:tap0,dhcp=1", "dhcp: takes no value"),
    ("tap:tap0,mac=02:00:00:00:00", "mac: expected an address of one station"),
    ("tap:tap0,mac=02:00:00:00:00:01:02", "mac: expected an address of one station"),
    ("tap:tap0,mac=01:00:00:00:00:01", "mac: expected an address of one station"),
    ("tap:tap0,mac=02-00-00-00-00-01", "mac: expected an address of one station"),
    ("tap:tap0,mtu=575", "mtu: expected a number of bytes, 576 to 65535"),
    ("tap:tap0,mtu=65536", "mtu: expected a number of bytes"),
    ("tap:tap0,mtu=1500x", "mtu: expected a number of bytes"),
    ("tap:tap0,ip6=fd00::2/64,mtu=1279", "mtu: IPv6 needs 1280 at least"),
    ("tap:tap0,ring=16383", "ring: expected a number of bytes, 16K to 1024M"),
    ("tap:tap0,ring=1025M", "ring: expected a number of bytes, 16K to 1024M"),
    ("tap:tap0,ring=4194304K", "ring: expected a number of bytes"),
    ("tap:tap0,ring=1G", "ring: expected a number of bytes"),
    ("tap:tap0,ring=M", "ring: expected a number of bytes"),
    ("tap:tap0,ring=", "ring: expected a number of bytes"),
    ("tap:tap0,ring", "ring: needs a value"),
    ("tap:tap0,ring=1M,snap=63", "snap: expected a number of bytes, 64 to 65552"),
    ("tap:tap0,ring=1M,snap=65K", "snap: expected a number of bytes"),
    ("tap:tap0,snap=128", "snap: is of no use without ring= or pcap="),
    ("tap:tap0,pcap=", "pcap: expected the name of a file, of 1 to 255 letters"),
    ("tap:tap0,pcap=" + "x" * 256, "too long"),
    ("tap:tap0,", "unknown; expected addr="),
    ("tap:tap0,color=red", "color: unknown; expected addr="),
    ("tap:tap0," + ",".join(f"addr=10.0.0.{i}/24" for i in range(1, 10)), "addr: too many addresses"),
    ("tap:tap0,addr=" + "1" * 100, "too long"),
]


def test_what_is_wrong_is_said() -> None:
    for program, more in (("mrg-dns", ["--zone", "example.org=/dev/null"]), ("mrg-http", ["--root", "/"])):
        for value, want in WRONG:
            done = run_program(program, *more, "--net", value)
            equal(done.returncode, 2, f"{program} --net {value}: {done.stderr}")
            check(done.stderr.startswith(f"{program}: --net {value}: ") and want in done.stderr, f"{value}: {done.stderr}")
            equal(done.stderr.count("\n"), 1, "lines")


def test_there_is_one_worker() -> None:
    for program, more in (("mrg-dns", ["--zone", "example.org=/dev/null"]), ("mrg-http", ["--root", "/"])):
        done = run_program(program, *more, "--net", "tap:tap0", "--workers", "2")
        equal((done.returncode, done.stderr), (2, f"{program}: --net has one worker, not --workers\n"), program)


def test_a_device_that_cannot_be_had() -> None:
    done = run_program("mrg-http", "--root", "/", "--net", "packet:mrg-none-1")
    equal((done.returncode, done.stderr),
          (3, "mrg-http: --net packet:mrg-none-1: SIOCGIFHWADDR: No such device\n"), "no such interface")
    done = run_program("mrg-http", "--root", "/", "--net", "tap:lo")
    equal(done.returncode, 3, done.stderr)
    check(done.stderr.startswith("mrg-http: --net tap:lo: TUNSETIFF: Invalid argument (an interface of this name"), done.stderr)


def test_a_device_that_is_taken() -> None:
    with Taps() as host, Files() as files, Dns(host, files):
        other = host.space.attempt(*program_on(host, files))
        equal(other.returncode, 3, other.stderr)
        check("--net tap:tap0: TUNSETIFF: Device or resource busy (another program has it open)" in other.stderr, other.stderr)


def test_who_may_not_is_told() -> None:
    with Taps() as host, Files() as files:
        files.write("zone", "x")
        other = host.space.attempt("setpriv", "--reuid", "65534", "--clear-groups", *program_on(host, files))
        equal(other.returncode, 3, other.stderr)
        # By the rights of /dev/net/tun it is opening the device or asking for the interface that fails.
        check(re.search(r"(Operation not permitted|Permission denied) \(needs root, CAP_NET_ADMIN, or a device that belongs to this user\)", other.stderr)
              is not None, other.stderr)


def program_on(host: Taps, files: Files) -> list[str]:
    from running import BUILD
    return [str(BUILD / "bin" / "mrg-dns"), "--zone", f"example.org={files.path / 'zone'}", "--net", host.net()]


def test_the_log_says_what_is_open() -> None:
    with Taps() as host, Files() as files:
        net = host.net("gw=10.77.0.1", "gw6=fe80::1", "mac=02:00:00:00:00:2a", "mtu=1400")
        with Dns(host, files, net=net) as server:
            line = next(line for line in server.lines if "event=net" in line)
            check(line.endswith("device=tap0 mac=02:00:00:00:00:2a mtu=1400 address=10.77.0.2/24 address=fd77::2/64 "
                                "router=10.77.0.1 router=fe80::1"), line)
            equal(server.addresses, [("0.0.0.0", 53), ("::", 53)], "where it listens")
            host.space.run("ping", "-c", "1", "-W", "5", "10.77.0.2")
            check("02:00:00:00:00:2a" in command("ip", "-n", host.space.name, "neigh"), "its address of the link")


def test_our_address_is_not_the_kernels() -> None:
    with Taps() as host, Files() as files:
        with Dns(host, files) as server:
            line = next(line for line in server.lines if "event=net" in line)
            mac = line.split("mac=")[1].split()[0]
            kernel = host.space.mac("tap0")
            check(mac != kernel, f"{mac}, {kernel}")
            equal(int(mac[:2], 16) & 3, 2, "one station, locally administered")


if __name__ == "__main__":
    sys.exit(main(dict(globals())))
