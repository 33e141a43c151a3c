#!/usr/bin/env python3
"""The container image: its layout is as the OCI has it, it is small and always the same, and what is in it answers in a root of its own,
as nobody."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))
import wire  # noqa: E402
from harness import ROOT, ZONE, Files, Server, check, equal, main  # noqa: E402
from running import BUILD  # noqa: E402

MOST = 1 << 20  # octets of the image


def make(files: Files, name: str) -> bytes:
    files.write("a.zone", ZONE)
    out = files.path / name
    subprocess.run([sys.executable, ROOT / "mk" / "container.py", "-o", out, "--name", "mrg-dns:test", "--program", BUILD / "bin" / "mrg-dns",
                    "--port", "53/udp", "--port", "53", "--file", f"/zones/zone={files.path}/a.zone", "--", "--listen", "127.0.0.1:0",
                    "--zone", "example.org=/zones/zone"], check=True, stdout=subprocess.DEVNULL)
    return out.read_bytes()


def members(archive: bytes) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        return {m.name: (f.read() if (f := tar.extractfile(m)) else b"") for m in tar.getmembers()}


def blob(image: dict[str, bytes], descriptor: dict[str, Any]) -> bytes:
    kind, _, value = descriptor["digest"].partition(":")
    data = image[f"blobs/{kind}/{value}"]
    equal((hashlib.new(kind, data).hexdigest(), len(data)), (value, descriptor["size"]))
    return data


def test_the_layout_is_sound_and_small() -> None:
    with Files() as files:
        archive = make(files, "a.tar")
        equal(make(files, "b.tar"), archive, "the same octets each time")
        check(len(archive) < MOST, f"{len(archive)} octets")
        image = members(archive)
        equal(json.loads(image["oci-layout"]), {"imageLayoutVersion": "1.0.0"})
        manifest = json.loads(blob(image, json.loads(image["index.json"])["manifests"][0]))
        config = json.loads(blob(image, manifest["config"]))
        layer = gzip.decompress(blob(image, manifest["layers"][0]))
        equal(config["rootfs"]["diff_ids"], ["sha256:" + hashlib.sha256(layer).hexdigest()])
        equal((config["config"]["User"], sorted(config["config"]["ExposedPorts"])), ("65534:65534", ["53/tcp", "53/udp"]))
        equal([name for name in json.loads(image["manifest.json"])[0]["Layers"] if name in image], json.loads(image["manifest.json"])[0]["Layers"])
        equal(sorted(members(layer)), ["mrg-dns", "zones", "zones/zone"])


class Contained(Server):
    """What an engine would start."""

    def __init__(self, root: Path, command: list[str]) -> None:
        self.machine = None

        def enter() -> None:
            os.chroot(root)
            os.chdir("/")
            os.setgroups([])
            os.setgid(65534)
            os.setuid(65534)

        self._start(subprocess.Popen(command, executable=command[0], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                     stderr=subprocess.PIPE, start_new_session=True, preexec_fn=enter, env={}))
        self.addresses = self.addresses_of("listen")


def test_what_is_in_it_answers() -> None:
    with Files() as files:
        image = members(make(files, "a.tar"))
        manifest = json.loads(blob(image, json.loads(image["index.json"])["manifests"][0]))
        config = json.loads(blob(image, manifest["config"]))["config"]
        root = files.path / "root"
        root.mkdir(mode=0o755)
        with tarfile.open(fileobj=io.BytesIO(gzip.decompress(blob(image, manifest["layers"][0])))) as tar:
            tar.extractall(root)
        with Contained(root, config["Entrypoint"] + config["Cmd"]) as server:
            for ask in (server.udp, server.tcp):
                equal(wire.read(ask(wire.query("www.example.org"))).rdata(wire.A), [bytes((192, 0, 2, 80))])


if __name__ == "__main__":
    sys.exit(main(dict(globals())))
