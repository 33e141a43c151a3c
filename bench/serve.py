"""Servers under load: UDP on loopback, the server on one core, the clients on the other.

First every server answers the whole query file once, and the replies are
compared: rates are only worth comparing at equal content.  Then the servers
take turns under load, round after round.
"""

from __future__ import annotations

import json
import subprocess
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Optional

from bench import peers, procs
from bench.mixmake import read_messages
from bench.peers import Absent, Places, Running
from bench.table import Row, Sample, Table, progress
from bench.timing import Effort

NAMES = 100_000
PEERS = {"nsd": 1.25, "knot": 1.25, "gdnsd": 1.0, "bind": None}  # rate: at least so much that of the peer
USER_US = 0.35


@dataclass
class Loaded:
    """A running server and what its rounds gave."""

    running: Running
    queries: Path
    replies: Path
    pids: list[int]
    rate: list[float] = field(default_factory=list)
    user_us: list[float] = field(default_factory=list)
    system_us: list[float] = field(default_factory=list)
    p99_us: list[float] = field(default_factory=list)
    lost: int = 0
    note: str = ""


def load(places: Places, effort: Effort, port: int, queries: Path, *args: str) -> dict[str, Any]:
    command = [str(places.program("udpload")), "-p", str(port), "-q", str(queries), "-C", str(effort.client_core)]
    done = subprocess.run([*command, *args], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Absent(f"udpload: {done.stderr.strip()}")
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def begin(places: Places, effort: Effort, name: str, zone: Path, queries: Path) -> Loaded:
    probe = read_messages(queries.with_suffix(".1.q"))[0]
    running = peers.start(places, peers.SERVERS[name], places.work("serve") / name, zone, probe, effort.core)
    return answer_all(places, effort, running, queries)


def answer_all(places: Places, effort: Effort, running: Running, queries: Path) -> Loaded:
    """Let a server answer each query once; its replies are kept.  It is stopped if that fails."""
    replies = running.log.with_name("replies.bin")
    try:
        got = load(places, effort, running.port, queries, "-w", "32", "-c", "rcode", "-o", str(replies))
        if got["lost"] or got["bad_rcode"]:
            raise Absent(f"{running.name}: {got['lost']} queries without answer, {got['bad_rcode']} with an error")
    except Absent:
        running.stop()
        raise
    return Loaded(running, queries, replies, procs.tree(running.process.pid))


def differences(a: Path, b: Path) -> str:
    """How two files of replies to the same queries differ, in words; "" when they don't.

    Identifiers are left out.  The order of records can't differ: each answer has one."""
    left, right = read_messages(a), read_messages(b)
    bytes_differ = sum(x[2:] != y[2:] for x, y in zip(left, right))
    sizes_differ = sum(len(x) != len(y) for x, y in zip(left, right))
    if len(left) != len(right):
        return f"{len(left)} and {len(right)} replies"
    if bytes_differ:
        return f"{bytes_differ} of {len(left)} replies differ, {sizes_differ} in size"
    return ""


def one_round(places: Places, effort: Effort, server: Loaded) -> None:
    before = procs.cpu(server.pids)
    args = ("-t", str(effort.load_seconds), "-c", "size", "-e", str(server.replies))
    got = load(places, effort, server.running.port, server.queries, *args)
    used = procs.cpu(server.pids) - before
    answered = max(int(got["received"]), 1)
    server.rate.append(got["rate"])
    server.user_us.append(used.user / answered * 1e6)
    server.system_us.append(used.system / answered * 1e6)
    server.p99_us.append(got["p99_us"])
    server.lost += got["lost"]
    if got["bad_size"] or got["bad_rcode"]:
        server.note = f"{got['bad_size']} replies of another size, {got['bad_rcode']} of another rcode"


def sample(values: list[float]) -> Sample:
    return Sample(tuple(values))


def compare(table: Table, ours: Loaded, name: str, peer: Loaded, least: Optional[float]) -> None:
    differ = differences(ours.replies, peer.replies)
    note = differ or "identical replies"
    if peer.lost or ours.lost:
        note += f"; lost {ours.lost} / {peer.lost}"
    row = Row(f"UDP, {NAMES:,} names: answers per second", "/s", sample(ours.rate), name, sample(peer.rate), note=note)
    table.add(row.ratio_at_least(least) if least else row)
    for what, mine, theirs in (
        ("user CPU per answer", ours.user_us, peer.user_us),
        ("system CPU per answer", ours.system_us, peer.system_us),
        ("latency, 99 %", ours.p99_us, peer.p99_us),
    ):
        table.add(Row(f"UDP, {NAMES:,} names: {what}", "us", sample(mine), name, sample(theirs)))


def served(places: Places, effort: Effort, table: Table) -> None:
    base = places.data / f"names-{NAMES}"
    zone, queries = base.with_suffix(".zone"), base.with_suffix(".q")
    servers: dict[str, Loaded] = {}
    with ExitStack() as stack:
        for name in ("mrg-dns", *PEERS):
            try:
                servers[name] = begin(places, effort, name, zone, queries)
            except Absent as why:
                table.skip(f"served by {name}", why)
                continue
            stack.callback(servers[name].running.stop)
        for i in range(effort.load_rounds):
            progress(f"  load, round {i + 1} of {effort.load_rounds}")
            for server in servers.values():
                one_round(places, effort, server)
    ours = servers.pop("mrg-dns", None)
    if ours is None:
        return
    table.add(Row(f"UDP, {NAMES:,} names: user CPU per answer", "us", sample(ours.user_us)).at_most(USER_US))
    for name, peer in servers.items():
        compare(table, ours, name, peer, PEERS[name])
