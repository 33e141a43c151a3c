#!/usr/bin/env python3
"""A container image from scratch: one static program and what it serves, as an archive that `podman load`, `docker load` and
`skopeo copy oci-archive:` take (OCI image layout 1.0.0, with the manifest.json of older Docker beside it). It needs no container engine,
and gives the same octets each time.

Use: container.py -o IMAGE.tar --name NAME --program FILE [--file /PATH=FILE]... [--port N[/udp]]... -- ARGUMENT...
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import io
import json
import platform
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Any

MACHINES = {"x86_64": "amd64", "aarch64": "arm64"}
NOBODY = "65534:65534"


def add(tar: tarfile.TarFile, name: str, data: bytes | None, mode: int) -> None:
    """A file, or a folder if there is no data."""
    entry = tarfile.TarInfo(name)
    entry.mode = mode
    entry.type = tarfile.DIRTYPE if data is None else tarfile.REGTYPE
    entry.size = len(data or b"")
    tar.addfile(entry, io.BytesIO(data or b""))


def stripped(program: Path) -> bytes:
    """The program without names that nobody looks at."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "program"
        subprocess.run(["strip", "-s", "-o", out, program], check=True)
        return out.read_bytes()


def layer(files: dict[str, tuple[bytes, int]]) -> bytes:
    out = io.BytesIO()
    folders: set[str] = set()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name, (data, mode) in sorted(files.items()):
            parts = name.strip("/").split("/")
            for n in range(1, len(parts)):
                folder = "/".join(parts[:n])
                if folder not in folders:
                    folders.add(folder)
                    add(tar, folder, None, 0o755)
            add(tar, "/".join(parts), data, mode)
    return out.getvalue()


def digest(data: bytes) -> str:
    return "sha256:" + hashlib.sha256(data).hexdigest()


def descriptor(kind: str, data: bytes) -> dict[str, Any]:
    return {"mediaType": f"application/vnd.oci.image.{kind}", "digest": digest(data), "size": len(data)}


def encoded(what: Any) -> bytes:
    return json.dumps(what, sort_keys=True, separators=(",", ":")).encode()


def image(name: str, files: dict[str, tuple[bytes, int]], entry: str, arguments: list[str], ports: list[str]) -> bytes:
    plain = layer(files)
    packed = gzip.compress(plain, 9, mtime=0)
    settings = {"Entrypoint": [entry], "Cmd": arguments, "User": NOBODY, "StopSignal": "SIGTERM", "WorkingDir": "/",
                "ExposedPorts": {port if "/" in port else port + "/tcp": {} for port in ports}}
    config = encoded({"architecture": MACHINES[platform.machine()], "os": "linux", "config": settings,
                      "rootfs": {"type": "layers", "diff_ids": [digest(plain)]}, "history": [{"created_by": "make container"}]})
    manifest = encoded({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
                        "config": descriptor("config.v1+json", config), "layers": [descriptor("layer.v1.tar+gzip", packed)]})
    index = encoded({"schemaVersion": 2, "manifests": [{**descriptor("manifest.v1+json", manifest),
                                                        "annotations": {"org.opencontainers.image.ref.name": name}}]})

    def blob(data: bytes) -> str:
        return "blobs/sha256/" + hashlib.sha256(data).hexdigest()

    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        add(tar, "blobs", None, 0o755)
        add(tar, "blobs/sha256", None, 0o755)
        for data in sorted((config, manifest, packed), key=blob):
            add(tar, blob(data), data, 0o644)
        add(tar, "index.json", index, 0o644)
        add(tar, "manifest.json", encoded([{"Config": blob(config), "RepoTags": [name], "Layers": [blob(packed)]}]), 0o644)
        add(tar, "oci-layout", encoded({"imageLayoutVersion": "1.0.0"}), 0o644)
    return out.getvalue()


def main() -> int:
    parser = argparse.ArgumentParser(description="Make a container image from scratch.")
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--name", required=True)
    parser.add_argument("--program", type=Path, required=True)
    parser.add_argument("--file", action="append", default=[], metavar="/PATH=FILE")
    parser.add_argument("--port", action="append", default=[])
    parser.add_argument("arguments", nargs="*")
    args = parser.parse_args()
    entry = "/" + args.program.name
    files = {entry: (stripped(args.program), 0o755)}
    for pair in args.file:
        path, _, source = pair.partition("=")
        if not path.startswith("/") or not source:
            parser.error(f"--file {pair}: expected /PATH=FILE")
        files[path] = (Path(source).read_bytes(), 0o644)
    data = image(args.name, files, entry, args.arguments, args.port)
    new = args.output.with_name(args.output.name + ".new")
    new.write_bytes(data)
    new.rename(args.output)
    print(f"{args.output}: {len(data) / 1024:.0f} KiB, {args.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
