"""Our TCP/IP inside a process: what its headers cost, and its work for bytes and for small exchanges."""

from __future__ import annotations

from bench import programs
from bench.peers import Places
from bench.table import Row, Table
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
