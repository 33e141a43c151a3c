"""Images in a virtual machine, and whoever else answers on a TAP device: each alone in a network namespace, where the kernel is the client.

Needs root and /dev/net/tun. QEMU is without acceleration (TCG), which is there everywhere, and with as little of a machine as it can be.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import zlib
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, Callable, Optional, Sequence

from bench import peers
from bench.hostpairs import Space, netns
from bench.peers import ORIGIN, Absent, Places
from bench.timing import Effort

ROOT = Path(__file__).resolve().parent.parent
sys.path.append(str(ROOT / "tests" / "runtime" / "vm"))
from qemu import COMMON, EXIT_DEVICE, MICROVM  # noqa: E402

ACCELERATOR = "QEMU microvm, TCG"
OURS, KERNEL, MAC = "10.88.0.2", "10.88.0.1", "52:54:00:12:34:56"
USUAL_MIB = 32
PORT = 53


@dataclass
class Answerer:
    """Who answers at OURS, and the namespace from which it is asked."""

    name: str
    space: Space
    pid: int = 0
    log: Path = Path("/dev/null")
    rates: list[float] = field(default_factory=list)
    p99_us: list[float] = field(default_factory=list)
    lost: int = 0

    def event(self, name: str) -> dict[str, str]:
        """The first line of this event in the log; empty when there is none."""
        found = re.search(rf"event={name}\b.*", self.log.read_text(errors="replace"))
        return dict(word.split("=", 1) for word in found.group().split() if "=" in word) if found else {}


def tap_space(stack: ExitStack) -> Space:
    """A namespace with a TAP device. Who answers is known by its address of the link, so that no question waits for ARP."""
    if netns.possible():
        raise Absent(netns.possible())
    space = stack.enter_context(Space(six=False))
    space.ip("tuntap", "add", "tap0", "mode", "tap")
    space.address("tap0", f"{KERNEL}/24")
    space.ip("neigh", "add", OURS, "lladdr", MAC, "dev", "tap0", "nud", "permanent")
    return space


@lru_cache(maxsize=None)
def tsc_hz(places: Places) -> int:
    """So that the guest's own times are right, which it has no other clock for on this machine."""
    return int(subprocess.run([places.program("taploop"), "tsc"], capture_output=True, text=True, check=True).stdout)


def image(places: Places, name: str) -> Path:
    path = places.build / "vm" / "x86_64" / f"{name}.elf"
    if not path.exists():
        raise Absent(f"{path}: not built; run `make vm-images`")
    return path


@lru_cache(maxsize=None)
def made(places: Places, app: str, what: str) -> Path:
    """The image of `make image` with ZONE= or ROOT= in it."""
    folder = places.work("vm") / f"{app}-{zlib.crc32(what.encode()):08x}"  # one each: the next one must not take its place
    done = subprocess.run(["make", "vm-image", f"IMAGE=mrg-{app}", f"IMAGE_DIR={folder}", what], cwd=ROOT, stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Absent(f"make image APP={app}: {done.stderr.strip()[-200:]}")
    return folder / f"mrg-{app}-x86_64.elf"


def qemu(places: Places, kernel: Path, options: str, initrd: Optional[Path], mib: int = USUAL_MIB) -> list[str]:
    """A command that starts an image on tap0."""
    line = f"tsc={tsc_hz(places)} ip={OURS}/24" + (f" -- {options}" if options else "")
    common = [str(mib) if word == COMMON[COMMON.index("-m") + 1] else word for word in COMMON]
    card = ["-netdev", "tap,id=n,ifname=tap0,script=no,downscript=no", "-device", f"virtio-net-device,netdev=n,mac={MAC}"]
    return ["/usr/bin/qemu-system-x86_64", *MICROVM, "-cpu", "max", *common, *EXIT_DEVICE, "-kernel", str(kernel), "-append", line,
            *card, *(["-initrd", str(initrd)] if initrd else [])]


def dns_image(places: Places, zone: Path, mib: int = USUAL_MIB) -> list[str]:
    """One that reads the text of its zone."""
    return qemu(places, image(places, "mrg-dns"), f"--zone {ORIGIN}", zone, mib)


def dns_made(places: Places, zone: Path, mib: int = USUAL_MIB) -> list[str]:
    """One that has its zone in it."""
    return qemu(places, made(places, "dns", f"ZONE={ORIGIN}={zone.resolve()}"), "", None, mib)


def dns_on_tap(places: Places, zone: Path) -> list[str]:
    program = str(places.build / "bin" / "mrg-dns")
    return [program, "--net", f"tap:tap0,addr={OURS}/24,mac={MAC}", "--zone", f"{ORIGIN}={zone}", "--user", "root"]


def launch(places: Places, stack: ExitStack, name: str, command: Sequence[object], core: Optional[int], ready: str = "event=ready") -> Answerer:
    """Start who answers, in a namespace of its own, and wait for what its log says when it is ready."""
    who = Answerer(name, tap_space(stack))
    work = places.work("vm") / re.sub(r"\W+", "-", name)
    work.mkdir(parents=True, exist_ok=True)
    who.log = work / "output"
    words = [*who.space.prefix, *(str(word) for word in command)]
    said: Callable[[], bool] = lambda: ready in who.log.read_text(errors="replace")
    running = peers.launch(places, name, words, work, 0, core, said)
    stack.callback(running.stop)
    who.pid = running.process.pid
    return who


def udpload(places: Places, effort: Effort, who: Answerer, queries: Path, *args: object) -> dict[str, Any]:
    """A load for a while; what udpload says of it."""
    command = [*who.space.prefix, places.program("udpload"), "-s", OURS, "-p", PORT, "-q", queries, "-C", effort.client_core, *args]
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Absent(f"{who.name}: udpload: {done.stderr.strip()[-200:]}")
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def one_load(places: Places, effort: Effort, who: Answerer, queries: Path, *args: object) -> None:
    told = udpload(places, effort, who, queries, "-t", effort.load_seconds, *args)
    if told["bad_rcode"]:
        raise Absent(f"{who.name}: {told['bad_rcode']} answers are errors")
    who.rates.append(told["rate"])
    who.p99_us.append(told["p99_us"])
    who.lost += told["lost"]


