"""The two directions of each TCP connection in a capture, put together from its segments.

A direction is a list of pieces without a gap. Segments may come late, twice or overlapping; one that says something else than
another did marks its piece (`torn`). Numbers are taken relative to the highest so far, so that they may pass 2^32; what is further
than REACH away from it, and what would make a direction longer than LONGEST, is dropped. Fragments of IP and what the
capture did not keep of a frame leave gaps.

Reading order: Piece, Direction, Connection, Connections.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from pathlib import Path
from typing import Optional

from mrg.frames import NotReached, Transport, transport
from mrg.pcap import CaptureError, frames

REACH = 1 << 30  # octets; far less than half of all sequence numbers
LONGEST = 1 << 26  # octets of a direction

End = tuple[str, int]


@dataclass(frozen=True)
class Segment:
    offset: int
    payload: bytes
    frame: int


@dataclass
class Piece:
    """Octets without a gap."""

    offset: int  # of its first octet in the direction
    octets: bytearray = field(default_factory=bytearray)
    starts: list[int] = field(default_factory=list)  # where segments begin in it
    frames: list[int] = field(default_factory=list)  # of these segments
    torn: bool = False
    ended: bool = False  # by FIN

    @property
    def end(self) -> int:
        return self.offset + len(self.octets)

    def add(self, segment: Segment) -> None:
        """A segment that begins in this piece, or right behind it."""
        at = segment.offset - self.offset
        again = self.octets[at:at + len(segment.payload)]
        if again != segment.payload[:len(again)] and len(segment.payload) > 1:  # one octet asks whether the other is there (RFC 9293 3.8.4)
            self.torn = True
        if len(segment.payload) > len(again):
            self.starts.append(len(self.octets))
            self.frames.append(segment.frame)
            self.octets += segment.payload[len(again):]

    def frame(self, at: int) -> int:
        """The frame that holds the octet there."""
        return self.frames[max(bisect_right(self.starts, at) - 1, 0)]


@dataclass
class Direction:
    first: Optional[int] = None  # sequence number of the first octet
    highest: int = 0  # offset
    segments: list[Segment] = field(default_factory=list)
    size: int = 0
    fin: Optional[int] = None  # offset
    opened: bool = False  # by SYN
    gap: bool = False  # not all is known that was sent

    def feed(self, frame: int, t: Transport) -> None:
        seq = (t.seq + t.syn) & 0xFFFF_FFFF
        if self.first is None:
            self.first, self.opened = seq, t.syn
        offset = self.highest + signed(seq - self.first - self.highest)
        if abs(offset - self.highest) > REACH or self.size + len(t.payload) > LONGEST:
            self.gap = True
            return
        self.highest = max(self.highest, offset)
        if t.payload:
            self.segments.append(Segment(offset, t.payload, frame))
            self.size += len(t.payload)
        if t.fin and not t.cut:
            self.fin = offset + len(t.payload)

    def pieces(self) -> list[Piece]:
        out: list[Piece] = []
        for segment in sorted(self.segments, key=lambda s: s.offset):  # of those with the same start the first comes first
            if not out or segment.offset > out[-1].end:
                out.append(Piece(segment.offset))
            out[-1].add(segment)
        self.gap = self.gap or len(out) > 1 or (self.opened and bool(out) and out[0].offset > 0)
        for piece in out:
            piece.ended = piece.end == self.fin
        return out


def signed(number: int) -> int:
    """A difference of sequence numbers (RFC 9293 section 3.4)."""
    return (number + 0x8000_0000 & 0xFFFF_FFFF) - 0x8000_0000


@dataclass
class Connection:
    directions: dict[tuple[End, End], Direction] = field(default_factory=dict)


class Connections:
    """All of a capture, and where each frame belongs."""

    def __init__(self) -> None:
        self.all: list[Connection] = []
        self.now: dict[frozenset[End], Connection] = {}  # the last one between two ends
        self.where: dict[int, Direction] = {}  # by frame

    def feed(self, frame: int, t: Transport) -> None:
        ends = (t.src, t.sport), (t.dst, t.dport)
        connection = self.now.get(frozenset(ends))
        known = connection.directions.get(ends) if connection else None
        if connection is None or (t.syn and known is not None and known.first != (t.seq + 1) & 0xFFFF_FFFF):
            connection = self.now[frozenset(ends)] = Connection()
            self.all.append(connection)
        direction = connection.directions.setdefault(ends, Direction())
        direction.feed(frame, t)
        self.where[frame] = direction


def connections(path: Path) -> Connections:
    """Of a capture file, up to where it is damaged."""
    found = Connections()
    try:
        for frame in frames(path.read_bytes()):
            try:
                t = transport(frame.link, frame.data, frame.wire_len)
            except NotReached:
                continue
            if t.proto == "TCP":
                found.feed(frame.number, t)
    except CaptureError:
        pass
    return found
