"""Prints a decoded message field by field.

One line a field: byte offset (and bit, where it does not start a byte), the
name indented by depth, the value in the field's own terms: enum mnemonics,
dotted names, addresses, quoted strings.  Used by `mrg dissect`, by logs and
by tests that fail.

Reading order: show, Printer.node, then the value printers.
"""

from __future__ import annotations

import base64
import ipaddress
import time
from typing import Callable, Optional

from . import ir
from .values import Node, Rejection

MAX_HEX = 48  # bytes of a value shown in hex
MAX_TEXT = 4096  # or in its own form


def show(node: Node, name: str = "") -> str:
    """The text for a decoded message, one line a field, ending in a newline."""
    printer = Printer()
    printer.line(node, 0, name or (node.packet.name if node.packet is not None else node.name), size(node))
    for child in node.children:
        printer.node(child, 1)
    for warning in node.warnings:
        place = f"{warning.loc.file}:{warning.loc.line}"
        printer.lines.append(f"warning at {offset(warning.bit_off)}: {warning.path}: {warning.what} ({place})")
    return "\n".join(printer.lines) + "\n"


def show_rejection(rejection: Rejection) -> str:
    """One line: status, offset, field path, reason and the place in the specification."""
    place = f"{rejection.loc.file}:{rejection.loc.line}"
    path = rejection.path or "message"
    return f"{rejection.status} at {offset(rejection.bit_off)}: {path}: {rejection.what} ({place})"


def offset(bit_off: int) -> str:
    """"12" or, inside a byte, "12.4"."""
    return f"{bit_off // 8}.{bit_off % 8}" if bit_off % 8 else str(bit_off // 8)


def size(node: Node) -> str:
    count = node.bit_len // 8
    return f"{count} byte" if count == 1 else f"{count} bytes"


class Printer:
    """Collects lines."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def line(self, node: Node, depth: int, name: str, text: str) -> None:
        self.lines.append(f"{offset(node.bit_off):>7}  {'  ' * depth}{name}: {text}".rstrip(" "))

    def node(self, node: Node, depth: int, name: Optional[str] = None) -> None:
        """A field and what is in it.  name: what to call it instead of its own name."""
        title = node.name if name is None else name
        item = node.item
        if isinstance(item, ir.Region):
            if node.children:
                self.node(node.children[0], depth, title)
            return
        if isinstance(item, ir.Switch):
            self.switch(node, depth, title)
        elif isinstance(item, ir.List):
            self.elements(node, depth, title)
        elif isinstance(item, ir.Chain) or node.packet is not None:
            self.packet(node, depth, title)
        elif isinstance(item, ir.Let):
            self.lines.append(f"{'':>7}  {'  ' * depth}{title} = {value_text(node)}")
        elif title or (isinstance(item, ir.Align) and node.bit_len):
            self.line(node, depth, title or "padding", value_text(node))

    def switch(self, node: Node, depth: int, title: str) -> None:
        if not node.children:
            self.line(node, depth, title, f"{node.arm}, nothing")
            return
        inner = node.children[0]
        if inner.packet is not None or isinstance(inner.item, (ir.List, ir.Chain)):
            self.node(inner, depth, f"{title} {node.arm}" if title != node.arm else title)
        else:
            self.line(inner, depth, title, f"{value_text(inner)} ({node.arm})")

    def elements(self, node: Node, depth: int, title: str) -> None:
        self.line(node, depth, title, f"{len(node.children)} in {size(node)}")
        for i, child in enumerate(node.children):
            self.node(child, depth + 1, f"[{i}]")

    def packet(self, node: Node, depth: int, title: str) -> None:
        name = dotted(node)
        if name is not None:
            self.line(node, depth, title, name)
            return
        self.line(node, depth, title, size(node))
        for child in node.children:
            self.node(child, depth + 1)


# --- values in words -----------------------------------------------------------


def value_text(node: Node) -> str:
    """A scalar's or byte string's value in its own terms."""
    item, value = node.item, node.value
    form = getattr(item, "text", None)
    if isinstance(value, bytes):
        return _bytes_text(value, form.name if form is not None else "")
    if not isinstance(value, int):
        return ""
    if isinstance(item, ir.Scalar) and item.enum is not None:
        return f"{enum_text(item.enum, value)} ({value})"
    if form is not None and form.name == "time":
        return time.strftime("%Y%m%d%H%M%S", time.gmtime(value)) + f" ({value})"
    if isinstance(item, ir.Scalar) and form is not None and form.name in INT_FORMS:
        return _bytes_text(value.to_bytes((item.bits + 7) // 8, "big"), form.name)
    return str(value)


INT_FORMS = ("ip4", "eui48", "eui64", "locator", "hex")


def enum_text(enum: ir.Enum, value: int) -> str:
    """The mnemonic; of a value without one the enum's prefix and the number."""
    for member in enum.members:
        if member.lo == member.hi == value:
            return member.text
    return f"{enum.unknown}{value}" if enum.unknown else "unknown"


def _bytes_text(value: bytes, form: str) -> str:
    printer = BYTE_FORMS.get(form)
    if printer is not None and len(value) <= MAX_TEXT:
        try:
            return printer(value)
        except ValueError:  # not of the form's size
            pass
    if not value:
        return "empty"
    tail = f"... ({len(value)} bytes)" if len(value) > MAX_HEX else ""
    text = value[:MAX_HEX].hex() + tail
    if len(value) >= 3 and all(0x20 <= c < 0x7F for c in value[:MAX_HEX]):
        text += " " + quoted(value[:MAX_HEX])
    return text


def quoted(value: bytes) -> str:
    """RFC 1035 section 5.1: \\DDD for what is not printable."""
    return '"' + "".join(_escape(c, '"\\') for c in value) + '"'


def _escape(c: int, special: str) -> str:
    if not 0x20 <= c < 0x7F:
        return f"\\{c:03d}"
    return "\\" + chr(c) if chr(c) in special else chr(c)


def _eui(value: bytes) -> str:
    return value.hex("-")


def _locator(value: bytes) -> str:
    return ":".join(value[i : i + 2].hex() for i in range(0, len(value), 2))


BYTE_FORMS: dict[str, Callable[[bytes], str]] = {
    "ip4": lambda value: str(ipaddress.IPv4Address(value)),
    "ip6": lambda value: str(ipaddress.IPv6Address(value)),
    "eui48": _eui,
    "eui64": _eui,
    "locator": _locator,
    "string": quoted,
    "word": quoted,
    "base64": lambda value: base64.b64encode(value).decode(),
}


def dotted(node: Node) -> Optional[str]:
    """A packet that is one chain of text form `dotted`, as a domain name."""
    chain = node
    while not isinstance(chain.item, ir.Chain):
        if len(chain.children) != 1:
            return None
        chain = chain.children[0]
    item = chain.item
    if item.text is None or item.text.name != "dotted":
        return None
    kinds = {arm.name: arm.kind for arm in item.arms}
    labels = [_label(child) for child in chain.children if kinds[child.arm] == "item"]
    text = ".".join(labels) + "."
    jumps = [c for c in chain.children if kinds[c.arm] == "goto"]
    return text + "".join(f" [jump at {offset(j.bit_off)}]" for j in jumps)


def _label(node: Node) -> str:
    octets = next((c.value for c in node.children if isinstance(c.value, bytes)), b"")
    assert isinstance(octets, bytes)
    return "".join(_escape(c, '.;\\"()@$') if c != 0x20 else "\\032" for c in octets)
