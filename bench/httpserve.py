"""HTTP servers under load: loopback, the server on one core, the client on the other, one worker, 64 connections.

The servers take turns, case after case and round after round, each round with new connections. CPU time of all processes of a
server is the column that can be relied on: rates end where the client does.
"""

from __future__ import annotations

import json
import socket
import subprocess
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any, Optional

from bench import httppeers, peers, procs, programs
from bench.httppeers import FILES, FIXED
from bench.peers import Absent, Places, Running
from bench.table import Row, Sample, Table, progress
from bench.timing import Effort

CONNECTIONS = 64
HELD = 10_000
SOAK = 10_000_000
SOAK_QUICK = 100_000
PAGE = 4096


@dataclass(frozen=True)
class Case:
    """What is asked for, and how many requests at once on a connection."""

    name: str
    path: str
    length: int
    depth: int = 1
    nginx_cpu: Optional[float] = None  # at most so much of nginx's CPU time for a request
    nginx_rate: Optional[float] = None  # at least so many times its rate
    h2o_cpu: Optional[float] = None
    with_floor: bool = False


CASES = (
    Case("12 B", "/small.txt", len(FIXED), nginx_cpu=1.0, with_floor=True),
    Case("12 B x16", "/small.txt", len(FIXED), 16, nginx_cpu=0.2, nginx_rate=5.0, with_floor=True),
    Case("1 KiB", "/1k.bin", FILES["1k.bin"], nginx_cpu=1 / 1.5, h2o_cpu=1 / 1.15, with_floor=True),
    Case("1 KiB x16", "/1k.bin", FILES["1k.bin"], 16, nginx_cpu=0.2, nginx_rate=5.0, with_floor=True),
    Case("64 KiB", "/64k.bin", FILES["64k.bin"]),
    Case("1 MiB", "/1m.bin", FILES["1m.bin"]),
)
# What nginx answers without a file, beside our small file.
FIXED_CASES = {"12 B": Case("12 B", "/fixed", len(FIXED)), "12 B x16": Case("12 B x16", "/fixed", len(FIXED), 16)}


@dataclass
class Figures:
    """What the rounds of one server in one case gave."""

    rate: list[float] = field(default_factory=list)
    user_us: list[float] = field(default_factory=list)
    system_us: list[float] = field(default_factory=list)
    p99_us: list[float] = field(default_factory=list)

    @property
    def cpu_us(self) -> Sample:
        return Sample(tuple(u + s for u, s in zip(self.user_us, self.system_us)))

    @property
    def parts(self) -> str:
        return f"{Sample(tuple(self.user_us)).median:.2f}+{Sample(tuple(self.system_us)).median:.2f}"


def ask(places: Places, effort: Effort, port: int, case: Case, *args: str) -> dict[str, Any]:
    command = [str(places.program("httpload")), "-p", str(port), "-C", str(effort.client_core), "-u", case.path]
    command += ["-l", str(case.length), "-c", str(CONNECTIONS), "-d", str(case.depth), *args]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Absent(f"{done.stderr.strip()}")
    told: dict[str, Any] = json.loads(done.stdout)
    if told["bad_status"] or told["bad_length"]:
        raise Absent(f"{told['bad_status']} answers with another status, {told['bad_length']} with another length")
    return told


def load(places: Places, effort: Effort, port: int, pids: list[int], case: Case, out: Figures) -> None:
    before = procs.cpu(pids)
    told = ask(places, effort, port, case, "-t", str(effort.load_seconds / 2))
    used = procs.cpu(pids) - before
    out.rate.append(told["rate"])
    out.user_us.append(used.user / told["answers"] * 1e6)
    out.system_us.append(used.system / told["answers"] * 1e6)
    out.p99_us.append(told["p99_us"])


def floor(places: Places, effort: Effort, case: Case, out: Figures) -> None:
    """A round of the server that reads nothing: a process for each case."""
    port = peers.free_port(tcp=True)
    request = f"GET {case.path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n"
    work = places.work("http") / "floor"
    work.mkdir(parents=True, exist_ok=True)
    command = [str(places.program("floor")), str(port), str(len(request)), str(case.length)]
    running = peers.launch(places, "floor", command, work, port, effort.core, lambda: listens(port))
    try:
        load(places, effort, port, [running.process.pid], case, out)
    finally:
        running.stop()


def listens(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), 1):
            return True
    except OSError:
        return False


Measured = dict[tuple[str, str], Figures]  # by server and case


def rounds(places: Places, effort: Effort, table: Table) -> Measured:
    """All servers in all cases, in turns; those that don't work are left out."""
    servers: dict[str, tuple[Running, list[int]]] = {}
    out: Measured = {}
    with ExitStack() as stack:
        for name, server in httppeers.SERVERS.items():
            try:
                running = httppeers.start(places, server, places.work("http") / name, effort.core)
            except Absent as why:
                table.skip(f"served by {name}", why)
                continue
            stack.callback(running.stop)
            servers[name] = running, procs.tree(running.process.pid)
        for i in range(effort.load_rounds):
            for case in CASES:
                progress(f"  load, round {i + 1} of {effort.load_rounds}: {case.name}")
                for name, (running, pids) in servers.items():
                    load(places, effort, running.port, pids, case, out.setdefault((name, case.name), Figures()))
                fixed = FIXED_CASES.get(case.name)
                if fixed is not None and "nginx" in servers:
                    running, pids = servers["nginx"]
                    load(places, effort, running.port, pids, fixed, out.setdefault(("nginx return", case.name), Figures()))
                if case.with_floor:
                    floor(places, effort, case, out.setdefault(("floor", case.name), Figures()))
    return out


def sample(values: list[float]) -> Sample:
    return Sample(tuple(values))


def compare(table: Table, case: Case, name: str, ours: Figures, peer: Figures) -> None:
    cpu = Row(f"HTTP {case.name}: CPU per request", "us", ours.cpu_us, name, peer.cpu_us)
    cpu.note = f"user+system {ours.parts} / {peer.parts}"
    rate = Row(f"HTTP {case.name}: requests per second", "/s", sample(ours.rate), name, sample(peer.rate))
    p99 = Row(f"HTTP {case.name}: latency, 99 %", "us", sample(ours.p99_us), name, sample(peer.p99_us))
    if name.startswith("nginx"):
        if case.nginx_cpu is not None:
            cpu.ratio_at_most(round(case.nginx_cpu, 3))
        if case.nginx_rate is not None:
            rate.ratio_at_least(case.nginx_rate)
        p99.ratio_at_most(1.0)
    elif name == "h2o" and case.h2o_cpu is not None:
        cpu.ratio_at_most(round(case.h2o_cpu, 3))
    elif name == "floor":
        cpu.note += "; for information"
    table.add(cpu, rate, p99)


def served(places: Places, effort: Effort, table: Table) -> None:
    got = rounds(places, effort, table)
    for case in CASES:
        ours = got.get(("mrg-http", case.name))
        for name in ("nginx", "nginx return", "h2o", "lighttpd", "floor"):
            peer = got.get((name, case.name))
            if ours is not None and peer is not None:
                compare(table, case, name, ours, peer)


def work(places: Places, effort: Effort, table: Table) -> None:
    """What our server does for a request beside system calls."""
    command = [str(places.program("httpwork")), str(httppeers.folder(places)), "/small.txt", str(effort.pass_ms)]
    got = programs.turns(places, effort, {"httpwork": command})["httpwork"]
    for name, what in (("short x1", "short"), ("short x16", "short, 16 at once"), ("browser x1", "as browsers ask")):
        row = Row(f"HTTP 12 B: a request without sockets, {what}", "ns", programs.sample(got, name), note="for information")
        table.add(row)


# ---- many connections, many requests


def answer(process: subprocess.Popen[str]) -> dict[str, Any]:
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        raise Absent(process.communicate()[1].strip())
    told: dict[str, Any] = json.loads(line)
    return told


def hold(places: Places, effort: Effort, name: str) -> Sample:
    """Octets of memory for each of many connections that have made a request and wait."""
    running = httppeers.start(places, httppeers.SERVERS[name], places.work("http") / name, effort.core)
    command = [str(places.program("httpload")), "-k", "-p", str(running.port), "-C", str(effort.client_core)]
    command += ["-u", "/small.txt", "-l", str(len(FIXED)), "-c", str(HELD)]
    try:
        pids = procs.tree(running.process.pid)
        before = procs.memory(pids).rss
        pipe = subprocess.PIPE
        with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True) as process:
            assert process.stdin is not None
            answer(process)
            held = procs.memory(pids).rss
            process.stdin.write("again\n")
            process.stdin.flush()
            told = answer(process)
            process.stdin.close()
        if told["answers"] != HELD or told["bad_status"] or told["bad_length"]:
            raise Absent(f"{name}: {told['answers']} of {HELD} connections still answer")
    finally:
        running.stop()
    return Sample(((held - before) / HELD,))


def held(places: Places, effort: Effort, table: Table) -> None:
    """Memory of idle connections, and of a long run."""
    item = f"HTTP: memory per idle connection, {HELD:,} held"
    got: dict[str, Sample] = {}
    for name in httppeers.SERVERS:
        try:
            got[name] = hold(places, effort, name)
        except Absent as why:
            table.skip(item, why)
    ours = got.pop("mrg-http", None)
    if ours is not None:
        table.add(Row(item, "B", ours, note="all answer afterwards").at_most(1024))
        for name, peer in got.items():
            table.add(Row(item, "B", ours, name, peer))
    soak(places, effort, table)


def soak(places: Places, effort: Effort, table: Table) -> None:
    """Many requests; the memory of the server before, which has seen a thousand or so of each kind, and behind it."""
    count = SOAK if effort.rounds > 3 else SOAK_QUICK
    running = httppeers.start(places, httppeers.SERVERS["mrg-http"], places.work("http") / "soak", effort.core)
    case = CASES[1]
    try:
        pids = procs.tree(running.process.pid)
        ask(places, effort, running.port, case, "-n", str(CONNECTIONS * case.depth * 2))
        before = procs.memory(pids).rss
        told = ask(places, effort, running.port, case, "-n", str(count))
        growth = procs.memory(pids).rss - before
    finally:
        running.stop()
    note = f"{told['answers']:,} answers, all right, in {told['seconds']:.1f} s"
    table.add(Row("HTTP: growth of memory in a long run", "B", Sample((float(growth),)), note=note).at_most(2 * PAGE))


# ---- start


def first(places: Places, effort: Effort, name: str) -> float:
    """Milliseconds from exec to the first whole 200."""
    port = peers.free_port(tcp=True)
    work = places.work("http") / name
    server = httppeers.SERVERS[name].command(places, work, port)
    cores = ["-S", str(effort.core), "-C", str(effort.client_core)]
    command = [str(places.program("first")), "-p", str(port), "-u", "/small.txt", *cores, "-l", str(work / "output"), *server]
    done = subprocess.run(
        command, env=places.environment(), stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise Absent(f"{name}: {done.stderr.strip() or (work / 'output').read_text(errors='replace')[-200:]}")
    told: dict[str, Any] = json.loads(done.stdout)
    return float(told["first_ms"])


def started(places: Places, effort: Effort, table: Table) -> None:
    """From exec to the first answer."""
    item = "HTTP: exec to first response"
    got: dict[str, list[float]] = {}
    absent: set[str] = set()
    for _ in range(effort.start_rounds * 2):
        for name in httppeers.SERVERS:
            if name in absent:
                continue
            try:
                got.setdefault(name, []).append(first(places, effort, name))
            except Absent as why:
                table.skip(item, why)
                absent.add(name)
    samples = {name: Sample(tuple(values)) for name, values in got.items() if name not in absent}
    ours = samples.pop("mrg-http", None)
    if ours is None:
        return
    table.add(Row(item, "ms", ours).at_most(5))
    for name, peer in samples.items():
        table.add(Row(item, "ms", ours, name, peer))
