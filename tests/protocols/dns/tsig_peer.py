"""TSIG as RFC 8945 section 4.3 describes it, written apart from the library: each line of the input is a message to be signed.

A line is: key, algorithm, secret, time, fudge, error, other data, hash before this one (with its length in front if there is one),
`all` or `timers`, octets of the hash that are kept, original ID (or `-`: the message's), message; numbers are decimal, the rest but
names is hexadecimal, and `-` is nothing. The answer to it is the signed message, a line too.
"""

from __future__ import annotations

import hmac
import struct
import sys


def wire(name: str) -> bytes:
    labels = [label for label in name.split(".") if label]
    return b"".join(bytes([len(label)]) + label.encode() for label in labels) + b"\0"


def octets(text: str) -> bytes:
    return b"" if text == "-" else bytes.fromhex(text)


def signed(line: str) -> str:
    key, algorithm, secret, time, fudge, error, other, prior, covers, keep, original, message = line.split()
    head = octets(message)
    ident = int(original) if original != "-" else struct.unpack_from(">H", head)[0]
    times = int(time).to_bytes(6, "big") + struct.pack(">H", int(fudge))
    ending = struct.pack(">HH", int(error), len(octets(other))) + octets(other)
    known = wire(key.lower()) + struct.pack(">HI", 255, 0) + wire(algorithm.lower()) + times + ending
    before = struct.pack(">H", len(octets(prior))) + octets(prior) if prior != "-" else b""
    digested = before + struct.pack(">H", ident) + head[2:] + (known if covers == "all" else times)
    mac = hmac.new(octets(secret), digested, algorithm.lower().removeprefix("hmac-")).digest()[:int(keep)]
    rdata = wire(algorithm) + times + struct.pack(">H", len(mac)) + mac + struct.pack(">H", ident) + ending
    record = wire(key) + struct.pack(">HHIH", 250, 255, 0, len(rdata)) + rdata
    more = struct.unpack_from(">H", head, 10)[0] + 1
    return (head[:10] + struct.pack(">H", more) + head[12:] + record).hex()


if __name__ == "__main__":
    for request in sys.stdin:
        print(signed(request))
