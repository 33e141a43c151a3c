"""Our TCP/IP on a TAP device beside lwIP on one and the kernel's own over a pair of interfaces; the client is the kernel.

All hosts are there at once and take turns, one kind of load after the other, round after round.
"""

from __future__ import annotations

import json
import re
import subprocess
from contextlib import ExitStack
from typing import Any, Callable

from bench import procs
from bench.hostpairs import Host, Hosts
from bench.peers import Absent, Places
from bench.table import Row, Sample, Table, progress
from bench.timing import Effort

SEGMENT = 1460
CONNECTIONS = 32
UNITS = {"us": 1.0, "ms": 1e3, "s": 1e6}

Figures = dict[str, dict[str, list[float]]]  # by host, by what


def client(places: Places, effort: Effort, host: Host, *args: object) -> str:
    """Output of a program on the client's core, in its namespace."""
    command = [*host.space.prefix, "taskset", "-c", effort.client_core, *args]
    done = subprocess.run(
        [str(c) for c in command], env=places.environment(), stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=300
    )
    if done.returncode != 0:
        raise Absent(f"{host.name}: {done.stderr.strip()[-200:]}")
    return done.stdout


def tcpload(places: Places, effort: Effort, host: Host, *args: object) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(client(places, effort, host, places.program("tcpload"), *args))
    return told


def put(out: dict[str, list[float]], name: str, value: float) -> None:
    out.setdefault(name, []).append(value)


def bulk(places: Places, effort: Effort, host: Host, way: str, out: dict[str, list[float]]) -> None:
    before = procs.cpu(host.small_pids)
    told = tcpload(places, effort, host, way, host.small, effort.load_seconds / 2)
    used = procs.cpu(host.small_pids) - before
    put(out, f"{way} MB/s", told["bytes"] / told["seconds"] / 1e6)
    put(out, f"{way} user ns", used.user * 1e9 / told["bytes"] * SEGMENT)
    put(out, f"{way} system ns", used.system * 1e9 / told["bytes"] * SEGMENT)


def ping(places: Places, effort: Effort, host: Host, out: dict[str, list[float]]) -> None:
    told = tcpload(places, effort, host, "ping", host.small, effort.load_seconds / 2)
    put(out, "exchanges/s", told["exchanges"] / told["seconds"])


def number_of(text: str, what: str) -> float:
    found = re.search(rf"{what}\s+([0-9.]+)(us|ms|s)?", text)
    if found is None:
        raise Absent(f"wrk does not say {what}")
    return float(found.group(1)) * UNITS.get(found.group(2) or "", 1.0)


def web(places: Places, effort: Effort, host: Host, out: dict[str, list[float]]) -> None:
    seconds = max(1, round(effort.load_seconds / 2))
    command = [places.tool("wrk"), "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--latency", f"http://{host.web}/small.txt"]
    before = procs.cpu(host.web_pids)
    text = client(places, effort, host, *command)
    used = procs.cpu(host.web_pids) - before
    if "Non-2xx" in text or "Socket errors" in text:
        raise Absent(f"{host.name}: wrk has errors: {text[-300:]}")
    put(out, "requests/s", number_of(text, "Requests/sec:"))
    put(out, "p99 us", number_of(text, "99%"))
    found = re.search(r"(\d+) requests in", text)
    requests = int(found.group(1)) if found else 1
    put(out, "request user us", used.user * 1e6 / requests)
    put(out, "request system us", used.system * 1e6 / requests)


def rounds(places: Places, effort: Effort, table: Table) -> Figures:
    out: Figures = {}
    with ExitStack() as stack:
        hosts = Hosts(places, effort, stack)
        ways: dict[str, Callable[[], Host]] = {
            "ours": hosts.ours,
            "lwip": hosts.lwip,
            "linux": lambda: hosts.linux(True),
            "plain": lambda: hosts.linux(False),
        }
        there: dict[str, Host] = {}
        for name, make in ways.items():
            try:
                there[name] = make()
            except (Absent, AssertionError) as why:
                table.skip(f"TCP/IP of {name}", why)
        loads: dict[str, Callable[[Host, dict[str, list[float]]], None]] = {
            "in": lambda host, got: bulk(places, effort, host, "in", got),
            "out": lambda host, got: bulk(places, effort, host, "out", got),
            "ping": lambda host, got: ping(places, effort, host, got),
            "web": lambda host, got: web(places, effort, host, got),
        }
        for i in range(effort.load_rounds):
            for what, load in loads.items():
                progress(f"  round {i + 1} of {effort.load_rounds}: {what}")
                for name, host in there.items():
                    load(host, out.setdefault(name, {}))
    return out


PEERS = {"lwip": "lwIP on TAP", "linux": "Linux veth", "plain": "Linux veth, no offloads"}


def sample(got: Figures, who: str, what: str) -> Sample:
    return Sample(tuple(got[who][what]))


def parts(got: Figures, who: str, what: str, unit: str) -> str:
    return "+".join(f"{sample(got, who, f'{what} {part} {unit}').median:.3g}" for part in ("user", "system"))


def rows_of_bulk(got: Figures, way: str, words: str, table: Table) -> None:
    ours = sample(got, "ours", f"{way} MB/s")
    for who in PEERS:
        if who not in got:
            continue
        row = Row(f"TCP on TAP, {words}", "MB/s", ours, PEERS[who], sample(got, who, f"{way} MB/s"))
        if who != "linux":
            row.ratio_at_least(2.5 if who == "lwip" else 1.0)
        table.add(row)
    if "lwip" in got:
        user = f"{way} user ns"
        row = Row(f"TCP on TAP, {words}: user CPU for 1,460 B", "ns", sample(got, "ours", user), PEERS["lwip"], sample(got, "lwip", user))
        row.note = f"user+system {parts(got, 'ours', way, 'ns')} / {parts(got, 'lwip', way, 'ns')}"
        table.add(row.ratio_at_most(0.5))


def rows_of_small(got: Figures, table: Table) -> None:
    for who in PEERS:
        if who not in got:
            continue
        peer = PEERS[who]
        table.add(Row("TCP on TAP, 64 B there and back", "/s", sample(got, "ours", "exchanges/s"), peer, sample(got, who, "exchanges/s")))
        rate = Row(f"HTTP on TAP, wrk, {CONNECTIONS} connections", "/s", sample(got, "ours", "requests/s"), peer, sample(got, who, "requests/s"))
        rate.note = f"CPU us {parts(got, 'ours', 'request', 'us')} / {parts(got, who, 'request', 'us')}"
        p99 = Row("HTTP on TAP: latency, 99 %", "us", sample(got, "ours", "p99 us"), peer, sample(got, who, "p99 us"))
        if who == "lwip":
            rate.ratio_at_least(1.2)
            p99.ratio_at_most(1.0)
            rate.note += "; lwIP answers without looking"
        table.add(rate, p99)


def tap(places: Places, effort: Effort, table: Table) -> None:
    got = rounds(places, effort, table)
    if "ours" not in got:
        return
    rows_of_bulk(got, "in", "into it", table)
    rows_of_bulk(got, "out", "out of it", table)
    rows_of_small(got, table)
