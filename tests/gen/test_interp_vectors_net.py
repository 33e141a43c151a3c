#!/usr/bin/env python3
"""Generated C against the interpreter, for the network layers, with the messages of tests/specs/ as samples too."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from vector_suite import suite  # noqa: E402
from vector_samples import samples  # noqa: E402

NAMES = [f"net.{name}" for name in "link ip4 ip6 icmp4 icmp6 igmp udp tcp dhcp4".split()] + ["pcap", "pcapng"]

if __name__ == "__main__":
    sys.exit(suite(sys.argv[1:] or NAMES, samples(), count=2))
