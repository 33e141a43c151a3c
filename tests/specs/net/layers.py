"""A frame as the specifications read it, layer by layer, in the columns of tshark's fields.

Reading order: Walk, COLUMNS.
"""

from __future__ import annotations

import ipaddress
from pathlib import Path
from typing import Callable, Optional

from mrg import ir
from mrg.interp import parse
from mrg.load import load
from mrg.values import Node, Rejection

ETHERNET, RAW, LINUX_SLL, RAW_IPV4, RAW_IPV6, LINUX_SLL2 = 1, 101, 113, 228, 229, 276
LINKS = (ETHERNET, RAW, LINUX_SLL, RAW_IPV4, RAW_IPV6, LINUX_SLL2)
ARPHRD_GRE = 778  # tshark has a field of its own then
DHCP_PORTS = {67, 68}
MODULES = "net/link net/ip4 net/ip6 net/icmp4 net/icmp6 net/igmp net/udp net/tcp net/dhcp4".split()
MAX_EXTENSIONS = 32


class Specs:
    """Parses by the packet's name."""

    def __init__(self, root: Path) -> None:
        paths = [str(root / "specs" / f"{name}.mrg") for name in MODULES]
        self.packets = {p.name: p for m in load(paths, [str(root / "specs")]) for p in m.packets}

    def parse(self, name: str, data: bytes) -> Node:
        packet: ir.Packet = self.packets[name]
        return parse(packet, data)


class Walk:
    """One frame.  layers: what was read, outermost first; refused: why the next one was not."""

    def __init__(self, specs: Specs, link: int, data: bytes) -> None:
        self.specs = specs
        self.layers: list[tuple[str, Node]] = []
        self.refused: Optional[str] = None
        self.reading = ""
        try:
            self.frame(link, data)
        except Rejection as rejection:
            self.refused = f"{self.reading}: {rejection.status} {rejection.path}: {rejection.what}"

    def read(self, name: str, data: bytes) -> Node:
        self.reading = name
        node = self.specs.parse(name, data)
        self.layers.append((name, node))
        return node

    def frame(self, link: int, data: bytes) -> None:
        if link == ETHERNET:
            node = self.read("Ethernet", data)
            self.ether(number(node, "type"), octets(node, "payload"))
        elif link in (LINUX_SLL, LINUX_SLL2):
            node = self.read("LinuxSll" if link == LINUX_SLL else "LinuxSll2", data)
            self.ether(number(node, "protocol"), octets(node, "payload"))
        elif link == RAW_IPV4 or (link == RAW and data[:1] < b"\x50"):
            self.ip4(data)
        else:
            self.ip6(data)

    def ether(self, kind: int, payload: bytes) -> None:
        if kind == 0x0800:
            self.ip4(payload)
        elif kind == 0x86DD:
            self.ip6(payload)
        elif kind == 0x0806:
            node = self.read("ArpAny", payload)
            if number(node, "hardware") == 1 and number(node, "protocol") == 0x0800:
                self.read("Arp", payload)

    def ip4(self, data: bytes) -> None:
        node = self.read("Ip4", data)
        self.read("Ip4Options", octets(node, "options"))
        if not number(node, "mf") and not number(node, "fragment_offset"):
            self.upper(number(node, "protocol"), octets(node, "payload"), {1: "Icmp4", 2: "Igmp"})

    def ip6(self, data: bytes) -> None:
        node = self.read("Ip6", data)
        kind, rest = number(node, "next_header"), octets(node, "payload")
        names = {0: "Ip6Options", 43: "Ip6Routing", 44: "Ip6Fragment", 51: "Ip6Authentication", 60: "Ip6Options"}
        for _ in range(MAX_EXTENSIONS):
            if kind not in names:
                break
            node = self.read(names[kind], rest)
            if kind == 44:
                if number(node, "m_flag") or number(node, "fragment_offset"):
                    return
                rest = octets(node, "fragment")
            else:
                rest = rest[node.bit_len // 8:]
            kind = number(node, "next_header")
        self.upper(kind, rest, {58: "Icmp6"})
        udp = self.find("Udp")
        if udp is not None and not number(udp, "checksum"):
            self.refused = "Udp: no checksum over IPv6"  # RFC 8200 section 8.1, which only who reads both can tell

    def upper(self, kind: int, data: bytes, others: dict[int, str]) -> None:
        if kind == 6:
            self.read("TcpOptions", octets(self.read("Tcp", data), "options"))
        elif kind == 17:
            node = self.read("Udp", data)
            if {number(node, "source_port"), number(node, "destination_port")} & DHCP_PORTS:
                self.dhcp(octets(node, "data_octets"))
        elif kind in others:
            self.read(others[kind], data)

    def dhcp(self, data: bytes) -> None:
        if len(data) >= 240 and data[236:240] != bytes.fromhex("63825363"):
            return  # the older BOOTP (RFC 951), or another protocol on its ports
        node = self.read("Dhcp4", data)
        fields = [octets(node, "options")]
        options = self.read("DhcpOptions", fields[0])
        where = next((number(o, "body.value") for o in options.get("options").children if number(o, "code") == 52), 0)
        for bit, name in ((1, "file"), (2, "sname")):
            if where & bit:
                self.reading = "DhcpOptions"
                self.specs.parse("DhcpOptions", octets(node, name))

    def find(self, name: str) -> Optional[Node]:
        return next((node for layer, node in self.layers if layer == name), None)

    def columns(self) -> dict[str, str]:
        """What tshark ought to show, for the layers that were read."""
        out: dict[str, str] = {}
        for field, (layer, get) in COLUMNS.items():
            node = self.find(layer)
            value = None if node is None else get(node)
            if value is not None:
                out[field] = value
        return out


def number(node: Node, path: str) -> int:
    value = node.get(path).inner.value
    assert isinstance(value, int)
    return value


def octets(node: Node, name: str) -> bytes:
    value = node.get(name).inner.value
    assert isinstance(value, (bytes, bytearray))
    return bytes(value)


Get = Callable[[Node], Optional[str]]


def plain(path: str, factor: int = 1) -> Get:
    return lambda node: str(number(node, path) * factor)


def address(path: str) -> Get:
    return lambda node: str(ipaddress.ip_address(octets(node, path)))


def mac(path: str) -> Get:
    return lambda node: octets(node, path).hex(":")


def option(kind: int, path: str, name: str = "kind") -> Get:
    """A number in the first option of a kind."""

    def get(node: Node) -> Optional[str]:
        for child in node.get("options").children:
            if number(child, name) == kind:
                return str(number(child, path))
        return None

    return get


def first_type(node: Node) -> Optional[str]:
    tags = node.get("tags").children
    kind = number(tags[0], "tpid") if tags else number(node, "type")
    return str(kind) if kind >= 1536 else None


def flags(node: Node) -> str:
    value = number(node, "reserved")
    for name in "cwr ece urg ack psh rst syn fin".split():
        value = value << 1 | number(node, name)
    return str(value)


def tags(tpid: int) -> Get:
    return lambda node: " ".join(str(number(tag, "vid")) for tag in node.get("tags").children if number(tag, "tpid") == tpid) or None


def kinds(node: Node) -> Optional[str]:
    """The kinds of TCP's options up to the end of the list."""
    return " ".join(str(number(o, "kind")) for o in node.get("options").children) or None


# tshark's field -> the packet and how to show what it holds
COLUMNS: dict[str, tuple[str, Get]] = {
    "eth.type": ("Ethernet", first_type),
    "eth.src": ("Ethernet", mac("source_address")),
    "eth.dst": ("Ethernet", mac("destination_address")),
    "vlan.id": ("Ethernet", tags(0x8100)),
    "ieee8021ad.id": ("Ethernet", tags(0x88A8)),
    "sll.etype": ("LinuxSll", lambda node: None if number(node, "arphrd_type") == ARPHRD_GRE else str(number(node, "protocol"))),
    "sll.gretype": ("LinuxSll", lambda node: str(number(node, "protocol")) if number(node, "arphrd_type") == ARPHRD_GRE else None),
    "arp.hw.type": ("ArpAny", plain("hardware")),
    "arp.opcode": ("ArpAny", plain("operation")),
    "arp.src.hw_mac": ("Arp", mac("sender_hardware_address")),
    "arp.src.proto_ipv4": ("Arp", address("sender_protocol_address")),
    "arp.dst.proto_ipv4": ("Arp", address("target_protocol_address")),
    "ip.version": ("Ip4", plain("version")),
    "ip.hdr_len": ("Ip4", plain("ihl", 4)),
    "ip.dsfield.dscp": ("Ip4", plain("dscp")),
    "ip.dsfield.ecn": ("Ip4", plain("ecn")),
    "ip.len": ("Ip4", plain("total_length")),
    "ip.id": ("Ip4", plain("identification")),
    "ip.flags.df": ("Ip4", plain("df")),
    "ip.flags.mf": ("Ip4", plain("mf")),
    "ip.frag_offset": ("Ip4", plain("fragment_offset")),
    "ip.ttl": ("Ip4", plain("time_to_live")),
    "ip.proto": ("Ip4", plain("protocol")),
    "ip.checksum": ("Ip4", plain("header_checksum")),
    "ip.src": ("Ip4", address("source_address")),
    "ip.dst": ("Ip4", address("destination_address")),
    "ipv6.tclass.dscp": ("Ip6", plain("dscp")),
    "ipv6.tclass.ecn": ("Ip6", plain("ecn")),
    "ipv6.flow": ("Ip6", plain("flow_label")),
    "ipv6.plen": ("Ip6", plain("payload_length")),
    "ipv6.nxt": ("Ip6", plain("next_header")),
    "ipv6.hlim": ("Ip6", plain("hop_limit")),
    "ipv6.src": ("Ip6", address("source_address")),
    "ipv6.dst": ("Ip6", address("destination_address")),
    "ipv6.routing.type": ("Ip6Routing", plain("routing_type")),
    "ipv6.routing.segleft": ("Ip6Routing", plain("segments_left")),
    "ipv6.fraghdr.offset": ("Ip6Fragment", plain("fragment_offset")),
    "ipv6.fraghdr.more": ("Ip6Fragment", plain("m_flag")),
    "ipv6.fraghdr.ident": ("Ip6Fragment", plain("identification")),
    "icmp.type": ("Icmp4", plain("type")),
    "icmp.code": ("Icmp4", plain("code")),
    "icmp.checksum": ("Icmp4", plain("checksum")),
    "icmpv6.type": ("Icmp6", plain("type")),
    "icmpv6.code": ("Icmp6", plain("code")),
    "igmp.type": ("Igmp", plain("type")),
    "udp.srcport": ("Udp", plain("source_port")),
    "udp.dstport": ("Udp", plain("destination_port")),
    "udp.length": ("Udp", plain("length")),
    "tcp.srcport": ("Tcp", plain("source_port")),
    "tcp.dstport": ("Tcp", plain("destination_port")),
    "tcp.seq_raw": ("Tcp", plain("sequence_number")),
    "tcp.ack_raw": ("Tcp", plain("acknowledgment_number")),
    "tcp.hdr_len": ("Tcp", plain("data_offset", 4)),
    "tcp.flags": ("Tcp", flags),
    "tcp.window_size_value": ("Tcp", plain("window")),
    "tcp.urgent_pointer": ("Tcp", plain("urgent_pointer")),
    "tcp.option_kind": ("TcpOptions", kinds),
    "tcp.options.mss_val": ("TcpOptions", option(2, "body")),
    "tcp.options.wscale.shift": ("TcpOptions", option(3, "body")),
    "tcp.options.timestamp.tsval": ("TcpOptions", option(8, "body.ts_value")),
    "tcp.options.timestamp.tsecr": ("TcpOptions", option(8, "body.ts_echo_reply")),
    "dhcp.type": ("Dhcp4", plain("op")),
    "dhcp.id": ("Dhcp4", plain("xid")),
    "dhcp.ip.client": ("Dhcp4", address("ciaddr")),
    "dhcp.ip.your": ("Dhcp4", address("yiaddr")),
    "dhcp.ip.relay": ("Dhcp4", address("giaddr")),
    "dhcp.option.dhcp": ("DhcpOptions", option(53, "body", "code")),
    "dhcp.option.ip_address_lease_time": ("DhcpOptions", option(51, "body", "code")),
}
# the fields of which each occurrence counts, not the first alone
EACH = ("vlan.id", "ieee8021ad.id", "tcp.option_kind")
