"""What protects a server costs it: UDP on loopback, as serve.py has it, with limits and without.

First rate limiting and cookies.  Each server runs once in each way, on the same core; under load the ways take short turns,
round after round, each round beginning with another one, and a figure is what is left of the rate without limits in the same
round: differences of a few in a hundred are less than what a machine's speed changes by within some seconds, and who always
comes behind a server with another memory is always the slower one.  The limit is never reached: what costs is counting.  A
cookie is the client's alone, to which a new one is made, or the server's, which is checked.

Then clients that hold TCP connections: the same server with them and without, in turns.
"""

from __future__ import annotations

import json
import socket
import struct
import subprocess
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Iterator, Optional

from bench import peers, procs, serve
from bench.mixmake import read_messages
from bench.peers import Absent, Places, Running, Server
from bench.serve import Loaded, sample
from bench.table import Row, Sample, Table, progress
from bench.timing import Effort
from bench.zonegen import write_queries

LEFT = 0.95  # of the rate, with limits
HELD_LEFT, HELD_LATER = 0.97, 1.1  # of rate and latency, beside TCP clients: rounds differ by as much
IDLE, SLOW = 1_000, 100
CLIENT_COOKIE = bytes(range(0x10, 0x18))
SECRET = "000102030405060708090a0b0c0d0e0f"
OFF = "no limits"


def options(*more: str) -> Server:
    """Our server with options of its own."""

    def prepare(places: Places, work: Path, values: dict[str, str]) -> list[str]:
        return [*peers.ours(places, work, values), *more]

    return replace(peers.SERVERS["mrg-dns"], prepare=prepare)


def lines(name: str, **more: str) -> Server:
    """A peer with lines of its own in its configuration."""
    server = peers.SERVERS[name]

    def prepare(places: Places, work: Path, values: dict[str, str]) -> list[str]:
        return server.prepare(places, work, {**values, **more})

    return replace(server, prepare=prepare)


NSD_COOKIES = f'  answer-cookie: yes\n  cookie-secret: "{SECRET}"\n'
KNOT_RATE = {"sections": "mod-rrl:\n  - id: high\n    rate-limit: 1000000\n", "of_zone": "    module: mod-rrl/high\n"}
# 1,000 is the most that it takes, and each name is asked for less often than that
BIND_RATE = "  rate-limit { responses-per-second 1000; max-table-size 200000; };\n"


@dataclass(frozen=True)
class Way:
    """How a server runs, and what its clients show."""

    server: Server
    cookie: str = ""  # "", "client" or "server"


WAYS: dict[str, dict[str, Way]] = {
    "mrg-dns": {
        OFF: Way(options("--no-cookies")),
        "rate counted": Way(options("--no-cookies", "--rate", "1000000")),
        "client cookie": Way(options(), "client"),
        "server cookie": Way(options(), "server"),
        "rate counted, client cookie": Way(options("--rate", "1000000"), "client"),
    },
    "nsd": {
        OFF: Way(lines("nsd")),
        "rate counted": Way(lines("nsd", rate="1000000")),
        "client cookie": Way(lines("nsd", server=NSD_COOKIES), "client"),
        "server cookie": Way(lines("nsd", server=NSD_COOKIES), "server"),
        "rate counted, client cookie": Way(lines("nsd", rate="1000000", server=NSD_COOKIES), "client"),
    },
    "knot": {  # which has BADCOOKIE for whoever shows the client's alone
        OFF: Way(lines("knot")),
        "rate counted": Way(lines("knot", **KNOT_RATE)),
        "server cookie": Way(lines("knot", of_zone="    module: mod-cookies\n"), "server"),
    },
    "bind": {
        OFF: Way(lines("bind", options="  answer-cookie no;\n")),
        "rate counted": Way(lines("bind", options="  answer-cookie no;\n" + BIND_RATE)),
        "client cookie": Way(lines("bind"), "client"),
        "server cookie": Way(lines("bind"), "server"),
        "rate counted, client cookie": Way(lines("bind", options=BIND_RATE), "client"),
    },
}

HOLDING: dict[str, Server] = {
    "mrg-dns": options(),
    "nsd": lines("nsd", server="  tcp-count: 1200\n"),
    "knot": lines("knot"),
    "bind": lines("bind", options="  tcp-clients 1200;\n"),
}


def with_edns(query: bytes, cookie: bytes) -> bytes:
    """A query without records, with an OPT record and perhaps a cookie in that (RFC 7873 4)."""
    option = struct.pack(">2H", 10, len(cookie)) + cookie if cookie else b""
    return query[:10] + struct.pack(">H", 1) + query[12:] + struct.pack(">BHHIH", 0, 41, 1232, 0, len(option)) + option


def server_cookie(port: int, query: bytes) -> bytes:
    """The cookie that a server gives this client, behind the client's own."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.connect(("127.0.0.1", port))
        s.settimeout(5)
        s.send(with_edns(query, CLIENT_COOKIE))
        reply = s.recv(4096)
    at = reply.find(CLIENT_COOKIE)
    if at < 2:
        raise Absent("the server gives no cookie")
    return reply[at : at + int.from_bytes(reply[at - 2 : at])]


def shown(way: Way, running: Running, base: list[bytes], path: Path) -> Path:
    """The queries with what this way's clients show, as a file."""
    cookie = {"": b"", "client": CLIENT_COOKIE, "server": b""}[way.cookie]
    if way.cookie == "server":
        cookie = server_cookie(running.port, base[0])
    write_queries(path, [with_edns(query, cookie) for query in base])
    return path


def begin(places: Places, effort: Effort, name: str, way: Way, zone: Path, base: list[bytes]) -> Loaded:
    work = places.work("limits") / name
    running = peers.start(places, way.server, work, zone, base[0], effort.core)
    try:
        queries = shown(way, running, base, work / "queries")
    except (Absent, OSError) as why:
        running.stop()
        raise Absent(f"{name}: {why}") from why
    loaded = serve.answer_all(places, effort, running, queries)
    if way.cookie and not all(CLIENT_COOKIE in reply for reply in read_messages(loaded.replies)):
        running.stop()
        raise Absent(f"{name}: there are replies without a cookie")
    return loaded


def of(these: list[float], those: list[float]) -> Sample:
    """Round by round, the share of one in the other."""
    return sample([a / b for a, b in zip(these, those)])


def cpu_us(server: Loaded) -> list[float]:
    return [user + system for user, system in zip(server.user_us, server.system_us)]


def lost(*servers: Optional[Loaded]) -> str:
    """How many queries had no answer, or one that was not like the first."""
    notes = [s.note for s in servers if s is not None and s.note]
    counts = [str(s.lost) for s in servers if s is not None]
    return "; ".join(notes + ([f"lost {' / '.join(counts)}"] if any(c != "0" for c in counts) else []))


Ways = dict[str, Loaded]


def compare(table: Table, way: str, ours: Ways, others: dict[str, Ways]) -> None:
    """What is left of the rate in one way, beside what the peers are left with."""
    mine = ours[way]
    beside = [(name, ways) for name, ways in others.items() if way in ways and OFF in ways]
    rate, cpu = of(mine.rate, ours[OFF].rate), of(cpu_us(mine), cpu_us(ours[OFF]))
    table.add(Row(f"{way}: rate, of that without limits", "x", rate, note=lost(mine, ours[OFF])).at_least(LEFT))
    for name, ways in beside:
        note = lost(ways[way], ways[OFF])
        table.add(Row(f"{way}: the same of peers", "x", rate, name, of(ways[way].rate, ways[OFF].rate), note=note))
    table.add(Row(f"{way}: CPU per answer, of that without limits", "x", cpu))
    for name, ways in beside:
        table.add(Row(f"{way}: the same of peers", "x", cpu, name, of(cpu_us(ways[way]), cpu_us(ways[OFF]))))


def in_turns(places: Places, effort: Effort, all_ways: list[Loaded]) -> None:
    """Twice the rounds, in turns of a quarter: to begin one takes longer than a second, too."""
    rounds = 2 * effort.load_rounds
    short = replace(effort, load_seconds=effort.load_seconds / 4)
    for i in range(rounds):
        if i % effort.load_rounds == 0:
            progress(f"  load, round {i + 1} of {rounds}")
        first = i % len(all_ways)
        for loaded in all_ways[first:] + all_ways[:first]:
            serve.one_round(places, short, loaded)


def counted(places: Places, effort: Effort, table: Table, zone: Path, base: list[bytes]) -> None:
    """Rate limiting and cookies."""
    servers: dict[str, Ways] = {name: {} for name in WAYS}
    with ExitStack() as stack:
        for name, ways in WAYS.items():
            for title, way in ways.items():
                label = f"{name}, {title}"
                try:
                    loaded = begin(places, effort, label.replace(", ", "-").replace(" ", "-"), way, zone, base)
                except Absent as why:
                    table.skip(label, why)
                    continue
                stack.callback(loaded.running.stop)
                servers[name][title] = loaded
        in_turns(places, effort, [loaded for ways_of in servers.values() for loaded in ways_of.values()])
    ours = servers.pop("mrg-dns")
    if OFF not in ours:
        return
    for name, ways_of in servers.items():
        if OFF in ways_of:
            table.add(Row("no limits, EDNS: answers per second", "/s", sample(ours[OFF].rate), name, sample(ways_of[OFF].rate)))
    for way in ours:
        if way != OFF:
            compare(table, way, ours, servers)


@dataclass
class Held:
    """A server with TCP clients and without, and what became of those."""

    alone: Loaded
    beside: Loaded
    still: list[int] = field(default_factory=list)  # connections at the end of each round
    disconnected: list[int] = field(default_factory=list)

    @property
    def note(self) -> str:
        told = f"{min(self.still):,} connections at the end, {max(self.disconnected):,} times disconnected"
        return "; ".join(part for part in (told, lost(self.alone, self.beside)) if part)


@contextmanager
def holding(places: Places, effort: Effort, port: int, queries: Path) -> Iterator[dict[str, int]]:
    """Connections that are held meanwhile; afterwards, what happened to them."""
    told: dict[str, int] = {}
    command = [str(places.program("tcphold")), "-p", str(port), "-q", str(queries), "-i", str(IDLE), "-l", str(SLOW)]
    with subprocess.Popen([*command, "-C", str(effort.client_core)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        if process.stdout.readline() != "held\n":
            raise Absent(f"tcphold: {process.communicate()[1].strip()}")
        yield told
        told.update(json.loads(process.communicate()[0]))


def held_round(places: Places, effort: Effort, server: Held) -> None:
    serve.one_round(places, effort, server.alone)
    with holding(places, effort, server.beside.running.port, server.beside.queries) as told:
        serve.one_round(places, effort, server.beside)
    server.still.append(told["open"])
    server.disconnected.append(told["disconnected"])


def held(places: Places, effort: Effort, table: Table, zone: Path, queries: Path) -> None:
    """Clients that hold TCP connections."""
    servers: dict[str, Held] = {}
    probe = read_messages(queries)[0]
    with ExitStack() as stack:
        for name, server in HOLDING.items():
            try:
                running = peers.start(places, server, places.work("limits") / f"{name}-held", zone, probe, effort.core)
                alone = serve.answer_all(places, effort, running, queries)
            except Absent as why:
                table.skip(f"{name} with TCP clients", why)
                continue
            stack.callback(running.stop)
            servers[name] = Held(alone, Loaded(running, queries, alone.replies, procs.tree(running.process.pid)))
        for i in range(effort.load_rounds):
            progress(f"  load beside TCP clients, round {i + 1} of {effort.load_rounds}")
            for one in servers.values():
                held_round(places, effort, one)
    ours = servers.pop("mrg-dns", None)
    if ours is None:
        return
    title = f"{IDLE:,} idle and {SLOW} slow TCP clients: UDP"
    rate, latency = of(ours.beside.rate, ours.alone.rate), of(ours.beside.p99_us, ours.alone.p99_us)
    cpu = of(cpu_us(ours.beside), cpu_us(ours.alone))
    table.add(Row(f"{title} rate, of that without", "x", rate, note=ours.note).at_least(HELD_LEFT))
    table.add(Row(f"{title} latency, 99 %, of that without", "x", latency).at_most(HELD_LATER))
    table.add(Row(f"{title} CPU per answer, of that without", "x", cpu))
    for name, peer in servers.items():
        table.add(Row(f"{title} rate, the same of peers", "x", rate, name, of(peer.beside.rate, peer.alone.rate), note=peer.note))
        table.add(Row(f"{title} latency, the same of peers", "x", latency, name, of(peer.beside.p99_us, peer.alone.p99_us)))


def limited(places: Places, effort: Effort, table: Table) -> None:
    base = places.data / f"names-{serve.NAMES}"
    zone, queries = base.with_suffix(".zone"), base.with_suffix(".q")
    counted(places, effort, table, zone, read_messages(queries))
    held(places, effort, table, zone, queries)
