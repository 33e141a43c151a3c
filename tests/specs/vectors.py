"""Reads the vectors of this folder's Markdown files; README.md says what they look like."""

from __future__ import annotations

import ipaddress
import os
import re
from dataclasses import dataclass, field
from typing import Iterator, Optional, Union

HERE = os.path.dirname(os.path.abspath(__file__))

_INFO = re.compile(r"hex ([a-z][a-z0-9_.]*)\.([A-Z][A-Za-z0-9]*)(?: at (\d+))?$")
_TOKEN = re.compile(r'\s*(?:#.*|(\()|(\))|("(?:[^"\\]|\\.)*")|([0-9a-fA-F]+)|(\*\d+))')
_NUMBER = re.compile(r"-?\d+$|0x[0-9a-fA-F]+$")


class BadVector(Exception):
    """A vector that can't be read: file, line, why."""


@dataclass
class Vector:
    """One heading.  lines: of the accept block; reject: None when it is to be accepted."""

    file: str
    line: int
    name: str
    module: str = ""
    packet: str = ""
    at: Optional[int] = None
    data: bytes = b""
    lines: list[tuple[int, str]] = field(default_factory=list)
    reject: Optional[tuple[str, int, str]] = None  # status, byte offset, path


def files(names: list[str]) -> list[str]:
    """The Markdown files below this folder, or those among `names`."""
    given = [n for n in names if n.endswith(".md")]
    if given:
        return given
    found: list[str] = []
    for folder, _, inside in os.walk(HERE):
        found += [os.path.join(folder, n) for n in inside if n.endswith(".md") and n != "README.md"]
    return sorted(found)


def specs(root: str) -> list[str]:
    """Every specification of the tree."""
    found: list[str] = []
    for folder, _, inside in os.walk(os.path.join(root, "specs")):
        found += [os.path.relpath(os.path.join(folder, n)) for n in inside if n.endswith(".mrg")]
    return sorted(found)


def load(path: str) -> list[Vector]:
    """Every vector of a file."""
    out: list[Vector] = []
    shown = os.path.relpath(path)
    for line, kind, info, body in _parts(path):
        if kind == "heading":
            if any(v.name == info for v in out):
                raise BadVector(f"{shown}:{line}: '{info}' is there twice")
            out.append(Vector(shown, line, info))
        elif not out:
            raise BadVector(f"{shown}:{line}: a block before the first heading")
        else:
            _block(out[-1], line, info, body)
    for vector in out:
        if not vector.packet or (vector.reject is None and not vector.lines):
            raise BadVector(f"{shown}:{vector.line}: '{vector.name}' lacks a block")
    return out


def _parts(path: str) -> Iterator[tuple[int, str, str, list[tuple[int, str]]]]:
    """Headings and code blocks: line, kind, info, body with line numbers."""
    block: Optional[tuple[int, str, list[tuple[int, str]]]] = None
    with open(path, encoding="utf-8") as f:
        for number, text in enumerate(f, 1):
            text = text.rstrip("\n")
            if text.startswith("```"):
                if block is None:
                    block = (number, text[3:].strip(), [])
                else:
                    yield block[0], "block", block[1], block[2]
                    block = None
            elif block is not None:
                block[2].append((number, text))
            elif text.startswith("## "):
                yield number, "heading", text[3:].strip(), []


def _block(vector: Vector, line: int, info: str, body: list[tuple[int, str]]) -> None:
    match = _INFO.match(info)
    if match is not None:
        vector.module, vector.packet = match.group(1), match.group(2)
        vector.at = int(match.group(3)) if match.group(3) else None
        vector.data = octets("\n".join(text for _, text in body), f"{vector.file}:{line}")
    elif info == "accept":
        vector.lines = [(n, text.strip()) for n, text in body if text.strip()]
    elif info == "reject":
        words = " ".join(text for _, text in body).split()
        if len(words) not in (2, 3) or not words[1].isdigit():
            raise BadVector(f"{vector.file}:{line}: expected STATUS OFFSET [PATH]")
        vector.reject = (words[0], int(words[1]), words[2] if len(words) == 3 else "")
    else:
        raise BadVector(f"{vector.file}:{line}: block '{info}' is not 'hex MODULE.PACKET', 'accept' or 'reject'")


def octets(text: str, where: str = "") -> bytes:
    """The bytes that a hex block writes."""
    stack: list[list[bytes]] = [[]]
    at = 0
    while text[at:].strip():
        match = _TOKEN.match(text, at)
        if match is None:
            raise BadVector(f"{where}: can't read {text[at:at + 20]!r}")
        at = match.end()
        opened, closed, string, digits, times = match.groups()
        if opened:
            stack.append([])
        elif closed and len(stack) > 1:
            inner = b"".join(stack.pop())
            stack[-1].append(inner)
        elif string:
            stack[-1].append(re.sub(r"\\(.)", r"\1", string[1:-1]).encode())
        elif digits and len(digits) % 2 == 0:
            stack[-1].append(bytes.fromhex(digits))
        elif times and stack[-1]:
            stack[-1].append(stack[-1].pop() * int(times[1:]))
        elif digits or closed or times:
            raise BadVector(f"{where}: odd number of digits, ')' or '*' at {match.group(0)!r}")
    if len(stack) != 1:
        raise BadVector(f"{where}: '(' is not closed")
    return b"".join(stack[0])


def value(text: str) -> Union[int, bytes, str]:
    """What stands right of `=`: a number, bytes, or a word that is left to the reader."""
    if _NUMBER.match(text):
        return int(text, 0)
    if text.startswith('"') and text.endswith('"') and len(text) > 1:
        return re.sub(r"\\(.)", r"\1", text[1:-1]).encode()
    if text == "hex" or text.startswith("hex "):
        return octets(text[3:])
    for kind in (ipaddress.IPv4Address, ipaddress.IPv6Address):
        try:
            return kind(text).packed
        except ValueError:
            pass
    return text
