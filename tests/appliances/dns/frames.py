"""Frame Streams and the messages of dnstap, read and answered from their definitions: fstrm's control frames, dnstap.proto."""

from __future__ import annotations

import fcntl
import socket
import struct
import termios
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from harness import PATIENCE_S, check, equal

CONTENT_TYPE = b"protobuf:dnstap.Dnstap"
ACCEPT, START, STOP, READY, FINISH = 1, 2, 3, 4, 5
QUERY, RESPONSE, UPDATE_QUERY, UPDATE_RESPONSE = 1, 2, 13, 14  # Message.Type: AUTH_QUERY, AUTH_RESPONSE, and of updates


@dataclass
class Told:
    """A Dnstap and its Message: fields by their numbers."""
    outer: dict[int, Any] = field(default_factory=dict)
    inner: dict[int, Any] = field(default_factory=dict)

    @property
    def type(self) -> int:
        return int(self.inner[1])

    @property
    def message(self) -> bytes:
        return bytes(self.inner[10 if self.type in (QUERY, UPDATE_QUERY) else 14])


def varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        value |= (data[at] & 127) << shift
        shift += 7
        at += 1
        if data[at - 1] < 128:
            return value, at


def fields(data: bytes) -> dict[int, Any]:
    out: dict[int, Any] = {}
    at = 0
    while at < len(data):
        key, at = varint(data, at)
        check(key >> 3 not in out, f"field {key >> 3}: once")
        if key & 7 == 0:
            out[key >> 3], at = varint(data, at)
        elif key & 7 == 5:
            out[key >> 3] = int.from_bytes(data[at:at + 4], "little")
            at += 4
        else:
            equal(key & 7, 2, "type on the wire")
            size, at = varint(data, at)
            check(at + size <= len(data), f"field {key >> 3}: in its message")
            out[key >> 3] = data[at:at + size]
            at += size
    return out


def told(payload: bytes) -> Told:
    outer = fields(payload)
    equal(outer[15], 1, "Dnstap.Type.MESSAGE")
    return Told(outer, fields(outer[14]))


def control(kind: int, *types: bytes) -> bytes:
    body = struct.pack("!I", kind) + b"".join(struct.pack("!2I", 1, len(t)) + t for t in types)
    return struct.pack("!2I", 0, len(body)) + body


def frames(read: Callable[[int], bytes]) -> Iterator[tuple[int, bytes]]:
    """Control frames with their type, data as type 0."""
    while True:
        length = int.from_bytes(read(4), "big")
        if length:
            yield 0, read(length)
            continue
        body = read(int.from_bytes(read(4), "big"))
        kind = int.from_bytes(body[:4], "big")
        types = []
        rest = body[4:]
        while rest:
            number, size = struct.unpack("!2I", rest[:8])
            equal(number, 1, "content type")
            types.append(rest[8:8 + size])
            rest = rest[8 + size:]
        equal(types, [CONTENT_TYPE] if kind in (START, READY) else [], f"content types of control frame {kind}")
        yield kind, body


def of_file(data: bytes) -> list[Told]:
    """A whole file: it has its beginning and its end."""
    at = 0

    def read(count: int) -> bytes:
        nonlocal at
        check(at + count <= len(data), f"octets behind {at}")
        at += count
        return data[at - count:at]

    found = frames(read)
    equal(next(found)[0], START)
    out = []
    for kind, payload in found:
        if kind == STOP:
            equal(at, len(data), "nothing behind the end")
            return out
        equal(kind, 0)
        out.append(told(payload))
    raise AssertionError


class Collector:
    """Who listens: each `with` of it is one connection."""

    def __init__(self, path: str) -> None:
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(path)
        self.listener.listen()
        self.listener.settimeout(PATIENCE_S)

    def __enter__(self) -> Collector:
        self.connection, _ = self.listener.accept()
        self.connection.settimeout(PATIENCE_S)
        self.frames = frames(self._read)
        return self

    def __exit__(self, *_: object) -> None:
        self.connection.close()

    def _read(self, count: int) -> bytes:
        out = b""
        while len(out) < count:
            piece = self.connection.recv(count - len(out))
            if not piece:
                raise EOFError
            out += piece
        return out

    def expect(self, kind: int) -> None:
        equal(next(self.frames)[0], kind, "control frame")

    def begin(self, *types: bytes) -> None:
        self.expect(READY)
        self.connection.sendall(control(ACCEPT, *types))
        self.expect(START)

    def send_alone(self, piece: bytes) -> None:
        """Send it, and wait until it was read."""
        end = time.monotonic() + PATIENCE_S
        self.connection.sendall(piece)
        while struct.unpack("i", fcntl.ioctl(self.connection, termios.TIOCOUTQ, b"    "))[0] != 0:
            check(time.monotonic() < end, "it is read")

    def next(self) -> Told:
        kind, payload = next(self.frames)
        equal(kind, 0, "data")
        return told(payload)

    def finish(self) -> list[Told]:
        """What is left, to the end that the sender says; it is told that all was taken."""
        out = []
        for kind, payload in self.frames:
            if kind == STOP:
                self.connection.sendall(control(FINISH))
                equal(self.connection.recv(1), b"", "it hangs up")
                return out
            equal(kind, 0)
            out.append(told(payload))
        raise AssertionError

    def close(self) -> None:
        self.listener.close()
