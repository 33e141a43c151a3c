"""Our TCP/IP and Linux's behind a bad link: half a megabyte there and back, in how many seconds, with the right bytes.

The client is the kernel; mrg-impair carries frames between its interface and that of the host. The n-th frame of each direction has
the same fate for both hosts.
"""

from __future__ import annotations

import json
import subprocess
from contextlib import ExitStack
from dataclasses import dataclass, field

from bench.hostpairs import Hosts, Space, netns
from bench.peers import Absent, Places
from bench.table import Row, Sample, Table, progress
from bench.timing import Effort

LENGTH = 500_000
PATIENCE_S = 120
SLOWER = 3.0  # ours may take so many times as long

CASES = {
    "nothing": (),
    "loss 1 %": ("--loss", "1"),
    "loss 5 %": ("--loss", "5"),
    "loss 10 %": ("--loss", "10"),
    "bursts of loss": ("--burst", "0.5,20"),
    "duplicates 10 %": ("--duplicate", "10"),
    "reordering 10 %, 5 ms": ("--reorder", "10,5"),
    "corruption 3 %": ("--corrupt", "3"),
    "truncation 3 %": ("--truncate", "3"),
    "delay 20 ms, loss 2 %": ("--delay", "20", "--loss", "2"),
    "delay 5 ms, jitter 5 ms": ("--delay", "5", "--jitter", "5"),
    "all at once": (
        *("--loss", "2", "--burst", "0.1,30", "--duplicate", "2", "--reorder", "3,5", "--corrupt", "1"),
        *("--truncate", "1", "--delay", "2", "--jitter", "1"),
    ),
}


@dataclass
class Bad:
    """A client, a link, a host."""

    name: str
    client: Space
    middle: Space
    address: str
    seconds: dict[str, list[float]] = field(default_factory=dict)
    failed: dict[str, list[str]] = field(default_factory=dict)


def link(hosts: Hosts, name: str, net: str) -> tuple[Bad, Space]:
    client, middle, there = hosts.space(), hosts.space(), hosts.space()
    netns.cable(client, "here", middle, "left")
    netns.cable(there, "there", middle, "right")
    for space in (client, there):
        space.sysctl("net.ipv4.tcp_no_metrics_save", "1")
    client.address("here", f"{net}.1/24")
    return Bad(name, client, middle, f"{net}.2"), there


def ours(hosts: Hosts) -> Bad:
    bad, there = link(hosts, "ours", "10.81.0")
    program = hosts.places.build / "bin" / "mrg-echo"
    net = f"packet:there,addr={bad.address}/24"
    hosts.until_ready(there, "loss-ours", [program, "--net", net], hosts.effort.core)
    return bad


def linux(hosts: Hosts) -> Bad:
    bad, there = link(hosts, "Linux", "10.82.0")
    there.address("there", f"{bad.address}/24")
    hosts.serve(there, there, "loss-linux", bad.address, [hosts.places.program("tcpload"), "serve", bad.address])
    return bad


def echo(hosts: Hosts, bad: Bad, seed: int, *evils: str) -> float:
    """Seconds for one connection over a link that begins with this seed."""
    places = hosts.places
    command = [*bad.client.prefix, "taskset", "-c", hosts.effort.client_core]
    command += [places.program("tcpload"), "echo", bad.address, LENGTH, seed]
    impair = [places.build / "bin" / "mrg-impair", "--seed", seed, *evils, "left", "right"]
    with ExitStack() as stack:
        Hosts(places, hosts.effort, stack).until_ready(bad.middle, "impair", impair, None)
        try:
            done = subprocess.run([str(c) for c in command], capture_output=True, text=True, check=False, timeout=PATIENCE_S)
        except subprocess.TimeoutExpired:
            raise Absent(f"not over after {PATIENCE_S} s") from None
    if done.returncode != 0:
        raise Absent(done.stderr.strip()[-200:])
    return float(json.loads(done.stdout)["seconds"])


def measure(hosts: Hosts, bad: Bad, case: str, seed: int) -> None:
    try:
        bad.seconds.setdefault(case, []).append(echo(hosts, bad, seed, *CASES[case]))
    except Absent as why:
        bad.failed.setdefault(case, []).append(f"seed {seed}: {why}")


def row(case: str, a: Bad, b: Bad, table: Table) -> None:
    failed = a.failed.get(case, [])
    if case not in a.seconds or case not in b.seconds:
        table.skip(f"TCP behind {case}", "; ".join(failed + b.failed.get(case, [])))
        return
    made = Row(f"TCP, 0.5 MB echoed: {case}", "s", Sample(tuple(a.seconds[case])), b.name, Sample(tuple(b.seconds[case])))
    made.ratio_at_most(SLOWER)
    worst = f"slowest {max(a.seconds[case]):.2f} / {max(b.seconds[case]):.2f}"
    made.note = f"{worst}; {len(a.seconds[case])} runs, all bytes right"
    if failed:
        made.met, made.note = False, f"{len(failed)} runs not completed: {failed[0]}"
    table.add(made)


def loss(places: Places, effort: Effort, table: Table) -> None:
    try:
        with ExitStack() as stack:
            hosts = Hosts(places, effort, stack)
            both = (ours(hosts), linux(hosts))
            for bad in both:
                echo(hosts, bad, 1)  # they know each other's addresses of the link then
            for case in CASES:
                progress(f"  {case}")
                for seed in range(1, 2 * effort.load_rounds + 1):
                    for bad in both:
                        measure(hosts, bad, case, seed)
                row(case, *both, table)
    except netns.Failure as why:
        raise Absent(str(why)) from None
