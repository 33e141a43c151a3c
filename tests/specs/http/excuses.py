"""Why a message may be refused: the rules of RFC 9110 and 9112 for heads and chunks once more, by regular expressions.

Nothing here is known to the library, so that a refusal which is no fault of the message has no excuse.
"""

from __future__ import annotations

import re

TOKEN = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
TARGET = rb"(?:[!$&-;=?-Z_a-z~\[\]]|%[0-9A-Fa-f]{2})+"  # brackets are for addresses of IPv6
FORM = rb"(?:/[^\[\]]*|[A-Za-z][A-Za-z0-9+.\-]*://[^/?@].*|\*|[^/?@]+:[0-9]+)"
LINES = {
    "request": re.compile(rb"(" + TOKEN + rb") (?=" + FORM + rb" HTTP)(" + TARGET + rb") HTTP/(1\.[0-9])"),
    "response": re.compile(rb"()HTTP/1\.[0-9] ([0-9]{3}) ([\t -~\x80-\xff]*)"),
}
CLAUSES = {"request": "RFC 9112 3", "response": "RFC 9112 4"}
FIELD = re.compile(rb"(" + TOKEN + rb"):[ \t]*([\t -~\x80-\xff]*?)[ \t]*")
HOST = re.compile(rb"(?:(?:[!$&-.0-9;=A-Z_a-z~]|%[0-9A-Fa-f]{2})*|\[[0-9A-Fa-f:.]+\])(?::[0-9]*)?")
QUOTED = rb'"(?:[\t !#-\[\]-~\x80-\xff]|\\[\t -~\x80-\xff])*"'
EXTENSIONS = rb"(?:[ \t]*;[ \t]*" + TOKEN + rb"(?:[ \t]*=[ \t]*(?:" + TOKEN + rb"|" + QUOTED + rb"))?)*"
SIZE = re.compile(rb"([0-9A-Fa-f]{1,16})" + EXTENSIONS + rb"\r\n")


def excuse(side: str, octets: bytes, in_body: bool) -> str:
    """The clause that the message at the start of `octets` breaks; empty when there is none."""
    end = re.search(rb"\r?\n\r?\n", octets)
    head = octets[:end.end()] if end else octets
    if in_body:
        return chunks(octets[len(head):])
    if re.search(rb"(?<!\r)\n|\r(?!\n|\Z)", head):
        return "RFC 9112 2.2"
    lines = head.removeprefix(b"\r\n").split(b"\r\n")
    if len(head) > 65536 or len(lines) > 103 or len(lines[0]) > 8000:
        return "RFC 9110 5.4"
    first = LINES[side].fullmatch(lines[0])
    if first is None:
        return CLAUSES[side]
    values: dict[bytes, list[bytes]] = {}
    for line in lines[1:-2]:
        found = FIELD.fullmatch(line)
        if found is None:
            return "RFC 9112 5.2" if line[:1] in b" \t" else "RFC 9112 5.1"
        values.setdefault(found.group(1).lower(), []).append(found.group(2))
    return (of_request(first.group(1), first.group(3), values) if side == "request" else "") or of_body(b"HTTP/1.0" in lines[0], values)


def of_request(method: bytes, version: bytes, values: dict[bytes, list[bytes]]) -> str:
    hosts = values.get(b"host", [])
    if len(hosts) > 1 or (not hosts and version != b"1.0") or not all(HOST.fullmatch(host) for host in hosts):
        return "RFC 9112 3.2"
    if any(item.lower() not in (b"", b"100-continue") for item in elements(values, b"expect")) and version != b"1.0":
        return "RFC 9110 10.1.1"
    return "RFC 9110 15.6.2" if len(method) > 32 else ""


def of_body(old: bool, values: dict[bytes, list[bytes]]) -> str:
    lengths, codings = values.get(b"content-length", []), values.get(b"transfer-encoding", [])
    if len(lengths) > 1 or (lengths and codings) or not all(re.fullmatch(rb"[0-9]+", length) for length in lengths):
        return "RFC 9112 6.3"
    names = [name.lower() for name in elements(values, b"transfer-encoding") if name]
    if codings and (old or not names or names[-1] != b"chunked" or names.count(b"chunked") != 1):
        return "RFC 9112 6.1"
    if any(not re.fullmatch(rb"(?:" + TOKEN + rb")?", item) for item in elements(values, b"connection")):
        return "RFC 9110 7.6.1"
    return "RFC 9110 15.6.2" if len(names) > 1 else ""


def elements(values: dict[bytes, list[bytes]], name: bytes) -> list[bytes]:
    return [item.strip(b" \t") for value in values.get(name, []) for item in value.split(b",")]


def chunks(octets: bytes) -> str:
    """Of a body in chunks; one that is cut has no excuse."""
    at = 0
    while True:
        size = SIZE.match(octets, at)
        if size is None:
            return "RFC 9112 7.1"
        at = size.end() + int(size.group(1), 16)
        if int(size.group(1), 16) == 0:
            break
        if octets[at:at + 2] != b"\r\n":
            return "RFC 9112 7.1"
        at += 2
    while octets[at:at + 2] != b"\r\n":
        line, end, _ = octets[at:].partition(b"\r\n")
        if not end or FIELD.fullmatch(line) is None:
            return "RFC 9112 7.1.2"
        at += len(line) + 2
    return ""
