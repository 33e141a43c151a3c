"""Messages from outside for the DNS packets: the vectors written down in tests/specs/, and frames of captures."""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path
from typing import Iterator

from mrg.emit.tests_c import Sample
from mrg.frames import NotReached, transport
from mrg.pcap import CaptureError, frames

ROOT = Path(__file__).resolve().parents[2]
CAPTURES = Path(os.environ.get("CAPTURES", ROOT / "../shared/captures"))
MOST = 8  # captured messages
LONGEST = 400  # bytes


def samples() -> list[Sample]:
    """The data of every vector that is a whole packet."""
    place = ROOT / "tests/specs/vectors.py"
    if not place.exists():
        return []
    found = importlib.util.spec_from_file_location("spec_vectors", place)
    assert found is not None and found.loader is not None
    vectors = importlib.util.module_from_spec(found)
    sys.modules[found.name] = vectors  # its dataclasses look themselves up there
    found.loader.exec_module(vectors)
    out = []
    for path in vectors.files([]):
        for vector in vectors.load(path):
            if vector.at is None and len(vector.data) <= LONGEST:
                out.append(Sample(vector.packet, vector.data))
    return out


def captured() -> list[Sample]:
    """DNS messages of different kinds out of the public captures; none where those are not at hand."""
    out: list[Sample] = []
    for path in sorted(CAPTURES.rglob("*dns*.pcap")) + sorted(CAPTURES.rglob("edns*.pcap")):
        some = [m for m in _messages(path) if 0 < len(m) <= LONGEST]
        out += [Sample("Message", m) for m in some[:2]]
    return out[:MOST]


def _messages(path: Path) -> Iterator[bytes]:
    try:
        for frame in frames(path.read_bytes()):
            try:
                segment = transport(frame.link, frame.data, frame.wire_len)
            except NotReached:
                continue
            if segment.proto == "UDP" and 53 in (segment.sport, segment.dport):
                yield segment.payload
    except CaptureError:
        return
