"""`mrg dissect FILE.pcap`: the messages of a capture, field by field.

Every UDP datagram and TCP message (two-octet length in front) to or from the
port is read by the interpreter and printed; a message that the specification
refuses is printed as one line with status, field path and the place in the
specification.  The exit code is 0 when all frames of the file were read,
whatever is in them, 1 when the file is damaged.

Reading order: dissect, Dissector.
"""

from __future__ import annotations

from typing import Callable, TextIO

from . import ir
from .frames import NotReached, Stream, Transport, transport
from .interp import parse
from .pcap import CapturedFrame, CaptureError, frames
from .show import show, show_rejection
from .values import Rejection

DEFAULT_SPEC = "dns.message:Message"
DEFAULT_PORT = 53


def dissect(data: bytes, packet: ir.Packet, port: int, out: TextIO) -> Counts:
    """Print the messages of a capture file's bytes; raises CaptureError after the frames before the damage."""
    dissector = Dissector(packet, port, out)
    try:
        for frame in frames(data):
            dissector.frame(frame)
    finally:
        dissector.finish()
    return dissector.counts


class Counts:
    """What was found in a capture."""

    def __init__(self) -> None:
        self.frames = self.messages = self.rejected = self.skipped = 0

    def __str__(self) -> str:
        return (
            f"{self.frames} frames, {self.messages} messages, {self.rejected} rejected, "
            f"{self.skipped} frames without one"
        )


class Dissector:
    """Prints what it is fed."""

    def __init__(self, packet: ir.Packet, port: int, out: TextIO) -> None:
        self.packet = packet
        self.port = port
        self.out = out
        self.counts = Counts()
        self.streams: dict[tuple[str, int, str, int], Stream] = {}

    def frame(self, frame: CapturedFrame) -> None:
        self.counts.frames += 1
        before = self.counts.messages + self.counts.rejected
        try:
            segment = transport(frame.link, frame.data, frame.wire_len)
            if self.port in (segment.sport, segment.dport):
                self.segment(frame.number, segment)
        except NotReached:
            pass
        if self.counts.messages + self.counts.rejected == before:
            self.counts.skipped += 1

    def segment(self, number: int, segment: Transport) -> None:
        if segment.proto == "UDP":
            self.message(number, segment, segment.payload)
            return
        key = (segment.src, segment.sport, segment.dst, segment.dport)
        stream = self.streams.setdefault(key, Stream())
        stream.feed(segment)
        for message in stream.messages():
            self.message(number, segment, message)

    def message(self, number: int, segment: Transport, message: bytes) -> None:
        title = f"frame {number}: {segment}, {len(message)} bytes"
        if segment.cut:
            title += f" ({segment.cut} more were not captured)"
        try:
            node = parse(self.packet, message)
        except Rejection as rejection:
            self.counts.rejected += 1
            self.out.write(f"{title}: {show_rejection(rejection)}\n")
            return
        self.counts.messages += 1
        self.out.write(f"{title}\n{show(node)}")
        left = len(message) - node.bit_len // 8
        if left:
            self.out.write(f"{node.bit_len // 8:>7}  {left} bytes after the message\n")

    def finish(self) -> None:
        """Tell what no message came of."""
        for (src, sport, dst, dport), stream in self.streams.items():
            if stream.left:
                self.out.write(f"TCP {src} port {sport} > {dst} port {dport}: {stream.left} bytes make no whole message\n")


def run(path: str, spec: str, port: int, find: Callable[[str], ir.Packet], out: TextIO, err: TextIO) -> int:
    """The command.  find: from "module:Packet" to the packet.  Returns the exit code."""
    packet = find(spec)
    if any(p.kind == "int" for p in packet.params):
        err.write(f"mrg dissect: packet {packet.name} takes numbers; name one that stands alone\n")
        return 2
    try:
        with open(path, "rb") as file:
            data = file.read()
        counts = dissect(data, packet, port, out)
    except OSError as problem:
        err.write(f"mrg dissect: {path}: {problem.strerror}\n")
        return 1
    except CaptureError as problem:
        err.write(f"mrg dissect: {path}: {problem}\n")
        return 1
    out.write(f"{path}: {counts}\n")
    return 0
