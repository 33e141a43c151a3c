"""Frames on which the specifications and tshark differ on purpose: (capture, frame) -> why, with its clause."""

EXCEPTIONS: dict[tuple[str, int], str] = {
    ("LINKTYPE_IPV4_invalid.pcap", 1): "RFC 791 section 3.1: version 6 is no IPv4, though the link type says so",
    ("dhcp-option-33.pcap", 5): "RFC 2132 section 5.8: a static route has 8 octets or more",
    ("dhcp-rfc4388.pcap", 43): "RFC 2131 section 3: the magic cookie is not in its place, so this is not DHCP",
    ("dhcp-rfc4388.pcap", 44): "RFC 2131 section 3: likewise",
    ("icmpv6-ra-pref64.pcap", 2): "RFC 8781 section 4: the length of PREF64 is 2; a prefix length code that is not known is not read",
    ("icmpv6-rfc7112.pcap", 1): "RFC 4443 section 3.4: what is cut is the packet inside the error",
    ("ipv6_invalid_length_2.pcap", 1): "RFC 8200 section 3: the payload is longer than the frame",
    ("made", 10): "RFC 9293 section 3.2: an option's length is at least 2",
    ("rpl-19-pickdag.pcap", 1): "RFC 6550 section 6: a type that is not described here passes, whatever is in it",
}
