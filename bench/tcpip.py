"""Our TCP/IP inside a process: what its headers cost, and its work for bytes and for small exchanges."""

from __future__ import annotations

from bench import programs
from bench.peers import Places
from bench.table import Row, Sample, Table
from bench.timing import Effort

# What tcpip_check prints, and at most so many nanoseconds, unless 1.3 times hand-written C is more.
CHECKS = (
    ("established", "TCP established, 32 B: check, read the timestamps", 4.0),
    ("syn", "TCP SYN, 40 B: check, walk four options", 15.0),
    ("packet", "IPv4 header, 20 B: check with its sum", 3.0),
)


def check(places: Places, effort: Effort, table: Table) -> None:
    """The generated checks that the stack uses beside hand-written ones."""
    command = [str(places.program("tcpip_check")), str(effort.pass_ms)]
    got = programs.turns(places, effort, {"check": command})["check"]
    for name, item, limit in CHECKS:
        ours, hand = programs.sample(got, f"ours {name}"), programs.sample(got, f"hand {name}")
        table.add(Row(item, "ns", ours, "hand C", hand).at_most_or_ratio(limit, 1.3))


# Windows of ours: as wanted, and what lwIP has in Debian's build.
WINDOWS = {"512 KB": 1 << 19, "64 KB": 1 << 16}
LWIP = "lwIP 2.1.3, 64 KB"


def memory(places: Places, effort: Effort, table: Table) -> None:
    """The work of two stacks in one process, for bytes and for small exchanges."""
    ours, ms = str(places.program("tcpip_ours")), str(effort.pass_ms)
    commands = {name: [ours, str(window), ms] for name, window in WINDOWS.items()}
    commands["lwip"] = [str(places.program("lwip_memory")), ms]
    got = programs.turns(places, effort, commands)
    bulk, exchange = programs.sample(got["lwip"], "bulk"), programs.sample(got["lwip"], "exchange")
    note = "sums in software, ours with timestamps and SACK, lwIP as Debian builds it without; both sides and ACKs"
    wide, narrow = got["512 KB"], got["64 KB"]
    table.add(
        Row("TCP in memory: 1,460 B, window 512 KB", "ns", programs.sample(wide, "bulk"), LWIP, bulk, note=note).ratio_at_most(0.6),
        Row("TCP in memory: 1,460 B, window 64 KB", "ns", programs.sample(narrow, "bulk"), LWIP, bulk, note="for information"),
        Row("TCP in memory: 64 B there and back", "ns", programs.sample(wide, "exchange"), LWIP, exchange).ratio_at_most(0.5),
    )


HELD = 100_000


def idle(places: Places, effort: Effort, table: Table) -> None:
    """Octets of the arena, beside buffers, for connections that do nothing; each has its place in the table, too."""
    got = programs.once([str(places.program("tcpip_idle")), str(HELD)], effort.core, places.environment())
    row = Row(f"TCP: memory per idle connection, {HELD:,} held", "B", Sample((got["established"],)))
    row.at_most(256)
    row.note = f"{got['held']:,.0f} held, {got['still good']:,.0f} still good afterwards"
    if got["held"] != HELD or got["still good"] != HELD:
        row.met = False
    half = Row(f"TCP: memory per half-open connection, {HELD:,} held", "B", Sample((got["half open"],))).at_most(64)
    half.note = f"{got['half open held']:,.0f} half open at once, {got['half open cookies']:,.0f} cookies"
    cookies = Row(f"TCP: growth of memory under {HELD:,} SYNs, cookies", "B", Sample((got["cookies grown"],))).at_most(0)
    cookies.note = f"{got['cookies held']:,.0f} half open, {got['cookies cookies']:,.0f} cookies"
    table.add(row, half, cookies)
