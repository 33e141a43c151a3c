#!/usr/bin/env python3
"""HTTP/1.x in captures as protocols/http reads it, beside what tshark reads.

For every message: method, target, version, status, reason, each field line, how long the body is, and its octets. Our side is
tests/protocols/http/test_conversation.c over the streams that tcp_streams.py puts together. A direction is read from the first segment on
that begins with a start line, up to the first gap. What is not compared is counted, with its reason, on the lines that begin
with `skipped`: so is what we refuse, if excuses.py finds a rule that the message breaks. Where the two differ on purpose otherwise,
the frame is listed in EXCEPTIONS with its clause.

Made-up sessions, and one with our own server, are compared as captures are; so without captures there still is something to see,
and each kind of difference is shown to be noticed.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Optional
from urllib.parse import unquote_to_bytes

HERE = Path(__file__).resolve()
ROOT = HERE.parents[3]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "gen"), str(ROOT / "tests/appliances/http"), str(HERE.parent)]
import sessions  # noqa: E402
from excuses import excuse  # noqa: E402
from harness import Files, Server, request, small_site  # noqa: E402
from report import BUILD, Report  # noqa: E402
from tcp_streams import Connection, Direction, End, Piece, connections  # noqa: E402

CAPTURES = Path(os.environ.get("CAPTURES", ROOT / "../shared/captures"))
READER = ROOT / BUILD / "tests/protocols/http/test_conversation"
PREFERENCES = ("tcp.desegment_tcp_streams:TRUE", "tcp.reassemble_out_of_order:TRUE", "http.desegment_headers:TRUE",
               "http.desegment_body:TRUE", "http.dechunk_body:TRUE", "http.decompress_body:FALSE")
START = {"request": re.compile(rb"(?:\r\n)?[!#$%&'*+\-.^_`|~0-9A-Za-z]+ [^ \r\n]+ HTTP/1\.[0-9]\r?\n"), "response": re.compile(rb"HTTP/1\.[0-9] [0-9]{3}")}
START_MAX = 16384  # octets in which a start line has to end

# (capture, frame) -> why the two differ. What we refuse is not listed: excuses.py finds the clause in the message itself.
EXCEPTIONS = {
    ("differs.pcap", 4): "RFC 9110 9.1: any token is a method, and tshark knows a list of them",
}


@dataclass
class Message:
    frame: int
    side: str  # request or response
    start: tuple[bytes, ...]  # method, target, version; or status, reason, version
    fields: list[tuple[bytes, bytes]] = field(default_factory=list)
    body: bytes = b""
    chunked: bool = False
    length: Optional[int] = None  # what Content-Length is taken for
    whole: bool = True


@dataclass
class Read:
    """A direction as we read it."""

    messages: list[Message] = field(default_factory=list)
    at: int = 0  # where the last message ends in what is read
    refused: str = ""
    excuse: str = ""  # the clause
    switched: bool = False  # another protocol follows
    last: int = 0  # the last frame before a gap
    gap: bool = False
    cut: bool = False  # behind the last message is no whole head
    middle: bool = False  # what was before the first message is not known


# ---- ours ----


def begin(direction: Direction, side: str) -> Optional[tuple[Piece, int]]:
    """Octets without a gap, and where in them a message begins."""
    for piece in direction.pieces()[:1]:
        for at in piece.starts if piece.offset == 0 or not direction.opened else ():
            if START[side].match(piece.octets, at, at + START_MAX):
                return piece, at
    return None


def begins_later(direction: Direction) -> bool:
    """What was sent first is not in the capture, though the connection's begin is; tshark waits for it, and shows nothing."""
    pieces = direction.pieces()
    return direction.opened and bool(pieces) and pieces[0].offset > 0 and any(
        START[side].match(piece.octets, at, at + START_MAX) for piece in pieces for at in piece.starts for side in START)


def conversation(connection: Connection) -> dict[tuple[End, End], Read]:
    """The directions that hold HTTP; those of another protocol are not there."""
    places = {side: (ends, *found) for side in START for ends, d in connection.directions.items() if (found := begin(d, side)) is not None}
    reads: dict[str, Read] = {}
    for side, (ends, piece, at) in places.items():
        direction = connection.directions[ends]
        reads[side] = Read(last=piece.frames[-1], gap=direction.gap, middle=at != 0 or not direction.opened)
    if not places:
        return {}
    if "request" not in places and sum(bool(d.segments) for d in connection.directions.values()) > 1:
        reads["response"].middle = True
    with tempfile.TemporaryDirectory() as room:
        for side in START:
            _, piece, at = places.get(side, (None, Piece(0), 0))
            (Path(room) / side).write_bytes(piece.octets[at:])
        ended = ["ended"] if "response" in places and places["response"][1].ended else []
        done = subprocess.run([READER, "request", "response", *ended], cwd=room, capture_output=True, check=True)
    side = ""
    for words in (line.split(b" ") for line in done.stdout.splitlines()):
        if words[0].decode() in START:
            side = words[0].decode()
        read_line(reads, {s: (piece, at) for s, (_, piece, at) in places.items()}, side, words)
    for side, (_, piece, at) in places.items():
        reads[side].cut = b"\r\n\r\n" not in piece.octets[at + reads[side].at:]
    return {places[s][0]: read for s, read in reads.items()}


def read_line(reads: dict[str, Read], where: dict[str, tuple[Piece, int]], side: str, words: list[bytes]) -> None:
    """One line of what the reader prints, about a message of this side."""
    kind, values = words[0].decode(), [unquote_to_bytes(w) for w in words[1:]]
    if kind in START:
        piece, begun = where[side]
        start = (values[1], values[2], b"HTTP/1." + values[3])
        reads[side].messages.append(Message(piece.frame(begun + int(values[0])), side, start, whole=False))
    elif kind == "refused":
        refused = values[0].decode()
        piece, begun = where[refused]
        in_body = values[2] == b"body"
        reads[refused].excuse = excuse(refused, bytes(piece.octets[begun + reads[refused].at:]), in_body)
        reads[refused].refused = f"octet {values[1].decode()}, frame {piece.frame(begun + int(values[1]))}: {values[2].decode()}"
    elif kind == "switched":
        for read in reads.values():
            read.switched = True
    else:
        message = reads[side].messages[-1]
        if kind == "field":
            message.fields.append((values[0], values[1]))
        elif kind == "octets":
            message.body = values[0]
        elif kind == "end":
            reads[side].at = int(values[0])
            message.whole, message.chunked = True, values[1] == b"chunked"
            message.length = len(message.body) if values[1] == b"length" else None


# ---- theirs ----

TOKEN = re.compile(r'<field name="num" pos="0" show="(\d+)"|<proto name="(\w+)"|<field name="(http\.[\w.]+|)"([^>]*)>')
CODED = ' show="Content-encoded entity body '  # has no name of its own
VALUE = re.compile(r' value="([0-9a-f]*)"')
SHOWN = re.compile(r' show="(\d+)"')


def theirs(path: Path, ports: set[int]) -> list[Message]:
    """What tshark takes for HTTP: the order is that of the file."""
    command = ["tshark", "-n", "-r", str(path), "-Y", "http", "-T", "pdml", "-J", "http"]
    for preference in PREFERENCES:
        command += ["-o", preference]
    for port in sorted(ports):
        command += ["-d", f"tcp.port=={port},http"]
    done = subprocess.run(command, capture_output=True)
    found: list[Message] = []
    frame, proto = 0, ""
    for token in TOKEN.finditer(done.stdout.decode("latin-1")):
        number, begun, name, rest = token.groups()
        if number:
            frame = int(number)
        elif begun:
            proto = begun
            if proto == "http":
                found.append(Message(frame, "", (b"", b"", b"")))
        elif proto == "http" and (name or rest.startswith(CODED)):
            value = VALUE.search(rest)
            their_field(found[-1], name, bytes.fromhex(value.group(1)) if value else b"", rest)
    return [m for m in found if m.side]  # the others go on with a body whose head is not there


PARTS = {"method": 0, "uri": 1, "version": 2, "code": 0, "phrase": 1}


def their_field(message: Message, name: str, value: bytes, rest: str) -> None:
    side, _, part = name.removeprefix("http.").partition(".")
    if side in START and part in PARTS:
        message.side = side
        at = PARTS[part]
        message.start = (*message.start[:at], value, *message.start[at + 1:])
    elif side in START and part == "line":
        key, _, text = value.partition(b":")
        message.fields.append((key, text.strip(b" \t\r\n")))
    elif name == "http.content_length":
        shown = SHOWN.search(rest)
        message.length = int(shown.group(1)) if shown else None
    elif name in ("http.file_data", ""):
        message.body = value
    elif name == "http.chunk_size":
        message.chunked = True


# ---- beside each other ----


def differences(ours: Message, other: Message) -> list[str]:
    """What two readings of a message disagree on. Of one that is not whole the head is compared."""
    parts = [("start line", ours.start, other.start), ("fields", ours.fields, other.fields)]
    if ours.whole:
        parts += [("chunked", ours.chunked, other.chunked), ("octets of the body", len(ours.body), len(other.body)), ("body", ours.body, other.body)]
    if ours.length is not None:
        parts.append(("Content-Length", ours.length, other.length))
    return [f"{what}: tshark {str(b)[:600]}, we {str(a)[:600]}" for what, a, b in parts if a != b]


def aligned(read: Read, rows: list[Message], skipped: Counter[str]) -> list[tuple[int, list[str]]]:
    """For each message of a direction its frame, and what is different."""
    found = []
    for i in range(max(len(read.messages), len(rows))):
        ours = read.messages[i] if i < len(read.messages) else None
        other = rows[i] if i < len(rows) else None
        if ours is not None and other is not None:
            found.append((other.frame, differences(ours, other)))
        elif ours is not None:
            if ours.whole:
                found.append((ours.frame, [f"only we see a message: {ours.start!r}"]))
            else:
                skipped["the body is not whole, and tshark shows nothing of it"] += 1
        elif other is not None:
            if read.refused and read.excuse:
                skipped[f"refused, {read.excuse}"] += 1
                break
            if read.refused:
                found.append((other.frame, [f"we refuse: {read.refused}"]))
                break
            if read.gap and other.frame > read.last:
                skipped["behind a gap"] += 1
            elif read.cut and other.frame == read.last:
                skipped["a head that is not whole"] += 1
            elif read.switched:
                skipped["inside of another protocol"] += 1
            else:
                found.append((other.frame, [f"only tshark sees a message: {other.start!r}"]))
    return found


def comparable(connection: Connection, skipped: Counter[str]) -> dict[tuple[End, End], Read]:
    """What is read of a connection, without what would be guessed."""
    reads = conversation(connection)
    methods = {m.start[0] for read in reads.values() for m in read.messages if m.side == "request"}
    unknown = any(read.middle for read in reads.values()) and (bool(methods & {b"HEAD", b"CONNECT"}) or len(connection.directions) > len(reads))
    for ends, read in list(reads.items()):
        why = ""
        if any(piece.torn for piece in connection.directions[ends].pieces()):
            why = "segments contradict each other"
        elif unknown and any(m.side == "response" for m in read.messages):
            why = "which of them answers HEAD or CONNECT is not known"
        if why:
            skipped[why] += len(read.messages)
            del reads[ends]
    return reads


def compared(path: Path) -> tuple[list[tuple[int, list[str]]], Counter[str]]:
    """Each message of a capture by its frame, with what is different; and what was not compared."""
    streams = connections(path)
    reads: dict[int, Read] = {}  # by the identity of their direction
    passed_over: set[int] = set()
    ports: set[int] = set()
    skipped: Counter[str] = Counter()
    for connection in streams.all:
        fit = comparable(connection, skipped)
        for ends, direction in connection.directions.items():
            if ends in fit:
                reads[id(direction)] = fit[ends]
                ports.add(ends[any(m.side == "request" for m in fit[ends].messages)][1])
            elif any(begin(direction, side) for side in START):
                passed_over.add(id(direction))
            elif begins_later(direction):
                skipped["a direction that begins with a gap"] += 1
    rows: dict[int, list[Message]] = {at: [] for at in reads}
    found: list[tuple[int, list[str]]] = []
    for message in theirs(path, ports):
        direction = streams.where.get(message.frame)
        if direction is None:
            skipped["not TCP, or in a tunnel, or in fragments"] += 1
        elif not re.fullmatch(rb"HTTP/1\.[0-9]", message.start[2]):
            skipped["another version, or a start line that is not whole"] += 1
        elif id(direction) in rows:
            rows[id(direction)].append(message)
        elif direction.gap:
            skipped["behind a gap"] += 1
        elif id(direction) not in passed_over:
            found.append((message.frame, [f"only tshark sees a message: {message.start!r}"]))
    for at, read in reads.items():
        found += aligned(read, rows[at], skipped)
    return sorted(found), skipped


def capture(report: Report, path: Path) -> None:
    found, skipped = compared(path)
    for frame, differ in found:
        exception = EXCEPTIONS.get((path.name, frame))
        if exception is not None:
            report.check(f"{path.name} {frame} still differs", bool(differ), exception)
        else:
            report.check(f"{path.name} frame {frame}", not differ, "\n".join(differ))
    for why, count in skipped.items():
        print(f"skipped {path.name}: {count} {why}")


# ---- the comparison itself ----


def made_up(report: Report, room: Path) -> None:
    """Sessions whose messages are known, all in one capture: both see as many, and the same."""
    path = room / "sessions.pcap"
    every = [*sessions.SESSIONS, our_server()]
    lengths = sessions.write(path, every)
    found, skipped = compared(path)
    wrong = [f"frame {frame}: {line}" for frame, differ in found for line in differ]
    report.check("nothing differs", not wrong, "\n".join(wrong))
    first = 1
    for session, length in zip(every, lengths):
        seen = [frame for frame, _ in found if first <= frame < first + length]
        report.check(f"{session.name}: messages", len(seen) == session.messages, f"{len(seen)} of {session.messages}: {seen} from frame {first} on")
        first += length
    want: Counter[str] = Counter()
    for why, count in (session.skipped for session in every):
        want[why] += count
    want += Counter()  # without those of which there are none
    report.check("what is skipped", skipped == want, f"{skipped}, expected {want}")


def our_server() -> sessions.Session:
    """What mrg-http says to these requests."""
    asked = [(request("GET", "/letters.txt"), "GET"), (request("HEAD", "/"), "HEAD"), (request("GET", "/letters.txt", "Range: bytes=0-1,5-9"), "GET"),
             (request("GET", "/page.html", "Accept-Encoding: gzip"), "GET"), (request("OPTIONS", "*"), "OPTIONS"), (request("GET", "/none"), "GET"),
             (request("GET", "/empty.txt"), "GET"), (request("GET", "/sub"), "GET"), (request("POST", "/", "Content-Length: 2") + b"ab", "POST"),
             (request("GET", "/", "If-None-Match: *"), "GET"), (b"GET / HTTP/1.0\r\n\r\n", "GET")]
    said: sessions.Said = []
    with Files() as files, Server("--root", small_site(files)) as server, server.connection() as c:
        for octets, method in asked:
            c.send(octets)
            answer = c.answer(method)
            said += [(True, octets), (False, answer.head + answer.body)]
    return sessions.Session("our server", len(said), said)


def refusals(report: Report, room: Path) -> None:
    """What tshark takes and RFC 9112 lets nobody take is refused, by its clause; what differs otherwise is seen, and excepted."""
    path = room / "refused.pcap"
    sessions.write(path, [sessions.Session("", 0, [(True, octets)]) for _, octets in sessions.REFUSED])
    found, skipped = compared(path)
    want = Counter(f"refused, {clause}" for clause, _ in sessions.REFUSED)
    report.check("each is refused", not any(differ for _, differ in found) and skipped == want, f"{found} {skipped}, expected {want}")
    path = room / "differs.pcap"
    sessions.write(path, [sessions.Session("", 0, [(True, b"BREW /pot HTTP/1.1\r\nHost: a\r\n\r\n")])])
    found, _ = compared(path)
    report.check("another method is seen by us alone", [frame for frame, differ in found if differ] == [4], str(found))
    capture(report, path)


def excused(report: Report) -> None:
    """What is right has no excuse, and what is wrong the one of its clause."""
    for said, side in [(octets, side) for session in sessions.SESSIONS for client, octets in session.said for side in [("response", "request")[client]]]:
        if said.startswith((b"HTTP/1.", b"GET ", b"P", b"HEAD", b"DELETE", b"OPTIONS")):
            report.check(f"no excuse for {said[:40]!r}", excuse(side, said, False) == "", excuse(side, said, False))
            if b"\r\nTransfer-Encoding: chunked\r\n\r\n" in said and not said.endswith(b"chunked\r\n\r\n"):
                report.check(f"nor for its chunks, {said[:40]!r}", excuse(side, said, True) == "", excuse(side, said, True))
    for side, octets, in_body, clause in sessions.EXCUSED:
        report.check(f"{octets[-60:]!r}", excuse(side, octets, in_body) == clause, excuse(side, octets, in_body))


def alterations(report: Report) -> None:
    """Each part of a message is compared."""
    message = Message(1, "response", (b"200", b"OK", b"HTTP/1.1"), [(b"A", b"b")], b"octets", False, 6)
    report.check("the same is the same", not differences(message, replace(message)))
    for part, value in {"start": (b"200", b"ok", b"HTTP/1.1"), "fields": [(b"A", b"c")], "body": b"octetz", "chunked": True, "length": 7}.items():
        report.check(f"another {part} is seen", len(differences(message, replace(message, **{part: value}))) == 1)
    cut = replace(message, whole=False, length=None)
    report.check("a body that is not whole is passed over", not differences(cut, replace(message, body=b"")))
    skipped: Counter[str] = Counter()
    for what, read, rows, seen in (
            ("one too many of theirs", Read([message]), [message, message], 1), ("one too many of ours", Read([message, message]), [message], 1),
            ("one behind a gap", Read([message], gap=True), [message, replace(message, frame=2)], 0),
            ("a head that is cut", Read([message], cut=True, last=1), [message, message], 0),
            ("and no other", Read([message], cut=True), [message, message], 1),
            ("one in a tunnel", Read([message], switched=True), [message, message], 0),
            ("refused", Read([message], refused="x"), [message, message, message], 1),
            ("refused, with a clause", Read([message], refused="x", excuse="y"), [message, message, message], 0), ("one that is cut", Read([cut]), [], 0)):
        report.check(what, sum(bool(d) for _, d in aligned(read, rows, skipped)) == seen)
    report.check("what is skipped is counted", sum(skipped.values()) == 5, str(skipped))


def main() -> int:
    report = Report()
    alterations(report)
    excused(report)
    if report.check("the reader is built", READER.exists(), str(READER)) and shutil.which("tshark") is not None:
        with tempfile.TemporaryDirectory() as room:
            made_up(report, Path(room))
            refusals(report, Path(room))
        for path in sorted([*CAPTURES.rglob("*.pcap"), *CAPTURES.rglob("*.pcapng")]):
            if b"HTTP/1." in path.read_bytes():
                capture(report, path)
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
