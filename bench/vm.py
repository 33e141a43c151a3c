"""The appliances as images of virtual machines, beside the same ones as processes: time to the first answer, size, memory, rate, idling."""

from __future__ import annotations

import json
import lzma
import shutil
import subprocess
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Callable, Optional

from bench import peers, procs
from bench.mixmake import read_messages
from bench.peers import Absent, Places
from bench.startup import SMALL, asked_name, hello
from bench.table import Row, Sample, Table, progress
from bench.timing import Effort
from bench.vmguest import (ACCELERATOR, OURS, PORT, USUAL_MIB, Answerer, dns_image, dns_made, dns_on_tap, image, launch, made, one_load, tap_space,
                           udpload)

KIB = 1024.0
SAMPLE_ZONE = Path("appliances/dns/example.org.zone")
MIBS = (2, 3, 4, 5, 6, 8, 12, 16, USUAL_MIB)
FULL_RATE = 0.9  # of the rate with the usual memory is still full
PEERS = ("nsd", "knot")


def zone_of(places: Places) -> tuple[Path, Path, Path]:
    """The zone of 1,000 names, its queries, and one of them."""
    base = places.data / f"names-{SMALL}"
    return base.with_suffix(".zone"), base.with_suffix(".q"), base.with_suffix(".1.q")


# ---- exec to the first right answer ----


def first(places: Places, effort: Effort, name: str, command: list[str], host: str, port: int, prefix: tuple[str, ...] = (),
          pinned: bool = True) -> float:
    """Milliseconds."""
    work = places.work("vm-start") / name
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    cores = ["-C", str(effort.client_core), *(["-S", str(effort.core)] if pinned else [])]
    asks = [*prefix, str(places.program("first")), "-s", host, "-p", str(port), "-q", str(zone_of(places)[2]), *cores, "-T", "20"]
    process = subprocess.Popen([*asks, "-l", str(work / "output"), *command], env=places.environment(), stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, text=True)
    try:
        told = hello(process, name, work)
        return float(told["first_ms"])
    finally:
        process.communicate()


def on_loopback(places: Places, effort: Effort, name: str, *more: str) -> float:
    port = peers.free_port()
    server = peers.SERVERS[name]
    work = places.work("vm-start") / (name + "-files")
    command = server.command(places, work, zone_of(places)[0], port)
    return first(places, effort, name, [*command, *more], "127.0.0.1", port)


def on_tap(places: Places, effort: Effort, name: str, command: list[str], pinned: bool) -> float:
    with ExitStack() as stack:
        space = tap_space(stack)
        return first(places, effort, name, command, OURS, PORT, space.prefix, pinned)


def has_option(places: Places, option: str) -> bool:
    told = subprocess.run([places.build / "bin" / "mrg-dns", "--help"], capture_output=True, text=True, check=False)
    return option in told.stdout


def guest_ms(places: Places, command: list[str]) -> float:
    """From the entry of the image to ready, as it says itself; it does so behind its first answers, so this is another start."""
    with ExitStack() as stack:
        return float(launch(places, stack, "image, started", command, None).event("ready")["after_us"]) / 1000


def start(places: Places, effort: Effort, table: Table) -> None:
    zone = zone_of(places)[0]
    zone.read_bytes()  # in the page cache
    got: dict[str, list[float]] = {}
    sandbox = has_option(places, "--sandbox")
    if not sandbox:
        table.skip("exec to first answer, sandboxed process", "mrg-dns has no --sandbox")
    for _ in range(effort.start_rounds * 2):
        got.setdefault("process", []).append(on_loopback(places, effort, "mrg-dns"))
        if sandbox:
            got.setdefault("sandbox", []).append(on_loopback(places, effort, "mrg-dns", "--sandbox"))
        for name in PEERS:
            try:
                got.setdefault(name, []).append(on_loopback(places, effort, name))
            except Absent as why:
                table.skip(f"start of {name}", why)
        got.setdefault("tap", []).append(on_tap(places, effort, "tap", dns_on_tap(places, zone), True))
        for name, command in (("image", dns_made), ("reads", dns_image)):
            got.setdefault(name, []).append(on_tap(places, effort, name, command(places, zone), False))
            got.setdefault(name + " guest", []).append(guest_ms(places, command(places, zone)))
    rows_of_start(got, table)


def rows_of_start(got: dict[str, list[float]], table: Table) -> None:
    what = f"{SMALL:,} names: exec to first answer"
    sample = {name: Sample(tuple(values)) for name, values in got.items() if values}
    for name in PEERS:
        if name in sample:
            table.add(Row(f"{what}: process", "ms", sample["process"], name, sample[name]).at_most(2))
    if "sandbox" in sample:
        table.add(Row(f"{what}: sandboxed process", "ms", sample["sandbox"], "process", sample["process"]).at_most(4))
    table.add(
        Row(f"{what}: process on TAP", "ms", sample["tap"], "process", sample["process"]).at_most(2),
        Row(f"{what}: image, {ACCELERATOR}", "ms", sample["image"], "process", sample["process"]).at_most(40),
        Row(f"{SMALL:,} names: entry of the image to ready, {ACCELERATOR}", "ms", sample["image guest"]).at_most(1.5),
        Row(f"{what}: image that reads its zone, {ACCELERATOR}", "ms", sample["reads"], "process", sample["process"]),
        Row(f"{SMALL:,} names: entry of that image to ready, {ACCELERATOR}", "ms", sample["reads guest"]),
    )


# ---- sizes ----


def sizes_of(places: Places, file: Path) -> tuple[float, float]:
    """KiB of the image stripped, and compressed."""
    work = places.work("vm")
    work.mkdir(parents=True, exist_ok=True)
    stripped = work / "stripped"
    subprocess.run(["strip", "-o", stripped, file], check=True)
    octets = stripped.read_bytes()
    return len(octets) / KIB, len(lzma.compress(octets, preset=9 | lzma.PRESET_EXTREME)) / KIB


def size(places: Places, effort: Effort, table: Table) -> None:
    del effort
    images: tuple[tuple[str, Callable[[], Path], int, Optional[int]], ...] = (
        ("DNS image with the sample zone", lambda: made(places, "dns", f"ZONE=example.org={SAMPLE_ZONE}"), 96, 40),
        ("HTTP image", lambda: image(places, "mrg-http"), 128, None),
        ("image of nothing", lambda: image(places, "empty"), 24, None))
    for words, file, most, most_xz in images:
        try:
            plain, packed = sizes_of(places, file())
        except Absent as why:
            table.skip(words, why)
            continue
        table.add(Row(f"{words}, stripped", "KiB", Sample((plain,))).at_most(most))
        small = Row(f"{words}, stripped, xz", "KiB", Sample((packed,)))
        table.add(small.at_most(most_xz) if most_xz else small)


# ---- memory ----


def serves(places: Places, effort: Effort, mib: int, rate: bool) -> Optional[float]:
    """Answers per second with so much memory, 0 when that is not measured; None when it does not serve."""
    zone, queries, _ = zone_of(places)
    with ExitStack() as stack:
        try:
            who = launch(places, stack, f"image of {mib} MiB", dns_made(places, zone, mib), None)
            told = udpload(places, effort, who, queries, "-w", 8, "-n", SMALL, "-T", 10)
            if told["lost"] or told["bad_rcode"]:
                return None
            if not rate:
                return 0.0
            one_load(places, effort, who, queries)
            return who.rates[0]
        except Absent:
            return None


def memory(places: Places, effort: Effort, table: Table) -> None:
    least = next((mib for mib in MIBS if serves(places, effort, mib, False) is not None), None)
    if least is None:
        raise Absent(f"the image does not serve with {MIBS[-1]} MiB")
    table.add(Row(f"RAM of a guest that serves {SMALL:,} names, {ACCELERATOR}", "MiB", Sample((float(least),))))
    usual = [serves(places, effort, USUAL_MIB, True) or 0.0 for _ in range(effort.load_rounds)]
    if not min(usual):
        raise Absent(f"with {USUAL_MIB} MiB an answer got lost")
    for mib in [m for m in MIBS if m >= least]:
        rates = [serves(places, effort, mib, True) or 0.0 for _ in range(effort.load_rounds)]
        row = Row(f"RAM of a guest at full rate, {ACCELERATOR}", "MiB", Sample((float(mib),)))
        mine, best = Sample(tuple(rates)), Sample(tuple(usual))
        progress(f"  {mib} MiB: {mine.median:,.0f} /s; {USUAL_MIB} MiB: {best.median:,.0f} /s")
        if mine.median >= best.median * FULL_RATE:
            row.note = f"{mine.median / best.median:.2f} of the rate with {USUAL_MIB} MiB"
            table.add(row.at_most(4))
            return
    table.skip("RAM of a guest at full rate", f"below {USUAL_MIB} MiB it is slower")


# ---- rate ----


def rate(places: Places, effort: Effort, table: Table) -> None:
    zone, queries, _ = zone_of(places)
    loop = places.program("taploop")
    ways: dict[str, tuple[list[str], Optional[int], str, tuple[str, ...]]] = {
        "image": (dns_made(places, zone), None, "event=ready", ()),
        "process": (dns_on_tap(places, zone), effort.core, "event=ready", ()),
        "echo": ([str(loop), "echo", "tap0"], effort.core, "", ("-c", "none")),
        "wait": ([str(loop), "wait", "tap0"], effort.core, "", ("-c", "none")),
        "five": ([str(loop), "five", "tap0"], effort.core, "", ("-c", "none")),
    }
    there: dict[str, Answerer] = {}
    with ExitStack() as stack:
        for name, (command, core, ready, _) in ways.items():
            there[name] = launch(places, stack, name, command, core, ready)
        for i in range(effort.load_rounds):
            progress(f"  load, round {i + 1} of {effort.load_rounds}")
            for name, who in there.items():
                one_load(places, effort, who, queries, *ways[name][3])
    rows_of_rate(there, table)


def rows_of_rate(there: dict[str, Answerer], table: Table) -> None:
    sample = {name: Sample(tuple(who.rates)) for name, who in there.items()}
    what = f"{SMALL:,} names over TAP: answers per second"
    image_row = Row(f"{what}: image, {ACCELERATOR}", "/s", sample["image"], "process on TAP", sample["process"]).at_least(80_000)
    image_row.note = f"99 % within {Sample(tuple(there['image'].p99_us)).median:,.0f} us; lost {there['image'].lost}"
    table.add(
        image_row,
        Row(f"{what}: process", "/s", sample["process"], "bare read/write loop", sample["echo"]).ratio_at_least(0.9),
        Row(f"{what}: process", "/s", sample["process"], "loop that polls for each frame", sample["wait"]).ratio_at_least(2.5),
        Row(f"{what}: process", "/s", sample["process"], "loop of five calls a frame", sample["five"]),
    )


# ---- idle ----


def idle(places: Places, effort: Effort, table: Table) -> None:
    zone, queries, _ = zone_of(places)
    seconds = max(2.0, effort.load_seconds * 2.5)
    shares = []
    with ExitStack() as stack:
        who = launch(places, stack, "image, idle", dns_made(places, zone), None)
        udpload(places, effort, who, queries, "-n", SMALL)
        time.sleep(1)  # what is under way when a load ends
        for _ in range(effort.rounds):
            before, at = procs.cpu([who.pid]), time.monotonic()
            time.sleep(seconds)
            used = procs.cpu([who.pid]) - before
            shares.append(100 * (used.user + used.system) / (time.monotonic() - at))
    table.add(Row(f"idle image, {ACCELERATOR}: CPU of QEMU", "%", Sample(tuple(shares))).at_most(2))


# ---- soak ----

SLICES = 20
WARM = 0.25  # of the time, after which nothing may grow any more
GROWTH = 1 << 20  # bytes: what a machine monitor keeps for itself now and then
STREAMS = 200  # connections of each slice


def streams(who: Answerer, names: Path) -> None:
    """Many questions over many new connections."""
    done = who.space.attempt("dnsperf", "-s", OURS, "-p", PORT, "-m", "tcp", "-c", STREAMS, "-q", STREAMS, "-n", 1, "-d", names)
    if "Queries lost:         0 " not in done.stdout:
        raise Absent(f"dnsperf over TCP: {done.stdout[-300:]} {done.stderr[-200:]}")


def soak(places: Places, effort: Effort, table: Table) -> None:
    """Full rate for effort.soak_seconds: what the machine holds, and what it answers, must not change."""
    zone, queries, _ = zone_of(places)
    held: list[int] = []
    rates: list[float] = []
    names = places.work("vm") / "names"
    names.parent.mkdir(parents=True, exist_ok=True)
    names.write_text("".join(f"{asked_name(q)} A\n" for q in read_messages(queries)[:1000]))
    with ExitStack() as stack:
        who = launch(places, stack, "image, soaked", dns_made(places, zone), None)
        for i in range(SLICES):
            told = udpload(places, effort, who, queries, "-t", effort.soak_seconds / SLICES)
            if told["bad_rcode"]:
                raise Absent(f"{told['bad_rcode']} answers are errors")
            rates.append(told["rate"])
            streams(who, names)
            held.append(procs.memory([who.pid]).rss)
            progress(f"  {(i + 1) * effort.soak_seconds / SLICES:.0f} s: {told['rate']:,.0f} /s, lost {told['lost']}, QEMU holds {held[-1] >> 10:,} KiB")
    warm = int(SLICES * WARM)
    grown = max(held[warm:]) - held[warm]
    row = Row(f"soak of {effort.soak_seconds:g} s, {ACCELERATOR}: growth of QEMU's memory", "KiB", Sample((grown / KIB,))).at_most(GROWTH / KIB)
    row.note = f"{json.dumps([h >> 10 for h in held[::5]])} KiB; rate at the end / at the start {rates[-1] / rates[warm]:.2f}"
    table.add(row)
