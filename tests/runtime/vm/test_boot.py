#!/usr/bin/env python3
"""The monitor of virtual machines: that it starts, what it gives, and that nobody gets past it."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))
sys.path.insert(0, str(Path(__file__).resolve().parent))
from qemu import MICROVM, MICROVM_PIT, Q35, TSC_WORD, Outcome, ask, command, image, outcome, start  # noqa: E402
from report import ROOT, Report  # noqa: E402

OK, BOOT, PANIC = 0, 64, 65
RNG = ("-device", "virtio-rng-device")
NET = ("-netdev", "user,id=n", "-device", "virtio-net-device,netdev=n,mac=52:54:00:12:34:56")

# What each breach of the image `breach` is to end with: cause and, for pages, the access.
PAGE, GENERAL, CALL = "page-fault", "general-protection", "bad-call"
BREACHES = {
    **{f"write_{what}": (PAGE, "write") for what in ("text", "constant", "boot", "monitor", "tables", "device")},
    **{f"read_{what}": (PAGE, "read") for what in ("monitor", "tables", "apic", "behind")},
    **{f"execute_{what}": (PAGE, "execute") for what in ("data", "constant", "monitor", "arena", "stack")},
    "read_null": ("null-page", "read"), "execute_null": ("null-page", "execute"), "read_nowhere": (GENERAL, ""),
    "overflow_stack": ("stack-overflow", "write"), "smash_stack": ("stack-smashed", ""),
    **{what: (GENERAL, "") for what in ("port_out", "port_in", "off", "halt", "read_cr3", "write_cr0", "write_msr", "load_idt",
                                        "store_idt", "interrupt", "breakpoint")},
    "divide": ("divide-error", ""), "undefined": ("invalid-opcode", ""), "enter": ("invalid-opcode", ""),
    "call_number": (CALL, "number"), "call_number_huge": (CALL, "number"), "call_exit": (CALL, "exit-code"),
    **{f"call_write_{what}": (CALL, "write-address") for what in ("monitor", "text", "null", "wrap", "behind", "tables")},
    "call_queue_device": (CALL, "device"), "call_queue_device_huge": (CALL, "device"), "call_queue_number": (CALL, "queue"),
    **{f"call_queue_{what}": (CALL, "queue-size") for what in ("size", "size_0", "size_huge")},
    **{f"call_queue_{what}": (CALL, "queue-address") for what in ("unaligned", "monitor", "data", "behind", "wrap")},
    "call_queue_twice": (CALL, "queue-again"), "call_start_device": (CALL, "device"), "call_start_empty": (CALL, "start"),
    "call_kick_early": (CALL, "kick"), "call_kick_queue": (CALL, "queue"), "call_wait_mask": (CALL, "wait-mask"),
    "call_wait_early": (CALL, "wait-mask"),
}

# Names of places that are no functions.
BORDERS = set(re.findall(r"(\w+) = \.;", (ROOT / "runtime/vm/x86_64/image.ld").read_text()))

# The one line of a panic, whole: whoever parses it finds each field, in this order.
PANIC_LINE = re.compile(r"level=fatal event=panic cause=(?P<cause>[\w-]+)( access=(?P<access>read|write|execute))?"
                        r"( what=(?P<what>[\w-]+))? vector=(\d+|none) error=0x[\da-f]+ rip=(?P<rip>0x[\da-f]+) cr2=0x[\da-f]+ "
                        r"rsp=0x[\da-f]+ ring=(?P<ring>[03]) backtrace=(?P<trace>0x[\da-f]+(,0x[\da-f]+)*) build=(?P<build>[\da-f]{40})\r?\n?")


def check_start(report: Report, name: str, o: Outcome, clock: str, devices: int) -> dict[str, str]:
    hello = o.of("hello")
    report.check(f"{name}: ends by itself, with its code", o.code == OK and not o.hung, o.text)
    report.check(f"{name}: tells of the clock", hello.get("clock") == clock and int(hello.get("hz", 0)) > 10**8, o.text)
    report.check(f"{name}: most of the memory is there", 28 << 10 <= int(hello.get("memory_kib", 0)) <= 32 << 10, o.text)
    report.check(f"{name}: {devices} devices", hello.get("devices") == str(devices), o.text)
    return hello


def check_machines(report: Report) -> None:
    hello = check_start(report, "microvm", start("hello", line=f"{TSC_WORD} more=words", more=RNG + NET), "word", 2)
    report.check("the command line is handed on", hello.get("command_line", "").startswith(f"{TSC_WORD} more=words "), str(hello))
    pit = check_start(report, "microvm with a PIT", start("hello", line="", machine=MICROVM_PIT, more=RNG), "pit", 1)
    report.check("the time of day is known from the RTC", int(pit.get("wall_s", 0)) > 1_700_000_000, str(pit))
    again = check_start(report, "q35", start("hello", line="one", machine=Q35), "pit", 0)
    for mib, least, most in ((4, 2, 4), (5000, 2000, 3072)):
        o = start("hello", more=("-m", str(mib)))
        report.check(f"{mib} MiB are enough, and not too much", least << 10 <= int(o.of("hello").get("memory_kib", 0)) <= most << 10, o.text)
    chances = [h.get("entropy", "") for h in (hello, pit, again)]
    device = [check_start(report, f"entropy of a device, {n}", start("hello", cpu="qemu64", more=NET + RNG), "word", 2) for n in ("first", "again")]
    chances += [h.get("entropy", "") for h in device]
    report.check("each start has other entropy", len(set(chances)) == 5 and "" not in chances, str(chances))


def check_devices(report: Report) -> None:
    o = start("hello", more=RNG + NET + RNG)
    kinds = [line.get("kind") for line in o.lines if line["event"] == "device"]
    report.check("devices in the order of the command line", kinds == ["4", "1", "4"], o.text)
    net: dict[str, str] = next((line for line in o.lines if line.get("kind") == "1"), {})
    report.check("a network card's address", net.get("config") == r"RT\x00\x124V", o.text)
    report.check("nothing but VIRTIO_F_VERSION_1 is agreed on without a driver", net.get("features") == str(1 << 32), o.text)
    for number in ("0", "2"):
        rng = next((line for line in o.text.splitlines() if f"event=chance device={number} " in line), "")
        report.check(f"device {number} answers three times, each with an interrupt",
                     re.search(r"queue=1 start=1" + "".join(rf" used={n} len=64 got={1 << int(number)}" for n in (1, 2, 3)), rng)
                     is not None, o.text)
    probed = start("hello", machine=[m + ",auto-kernel-cmdline=off" if m.startswith("microvm") else m for m in MICROVM], more=RNG)
    report.check("a device that the command line does not name is found",
                 "got=1" in probed.text and probed.of("hello").get("command_line") == TSC_WORD, probed.text)
    legacy = start("hello", machine=MICROVM[:2], more=RNG)
    report.check("a legacy device is left alone", legacy.of("device_skipped").get("why") == "legacy" and legacy.code == OK, legacy.text)


def check_given(report: Report) -> None:
    with tempfile.NamedTemporaryFile() as module:
        module.write(b"what a module holds")
        module.flush()
        o = start("hello", line=f"{TSC_WORD} do=memory do=exit7", more=("-initrd", module.name))
    report.check("a module", o.of("hello").get("initrd") == "what a module holds", o.text)
    memory = o.of("memory")
    report.check("the arena is zero and all of it can be used; there are vector registers",
                 memory.get("before") == "0" and memory.get("missing") == "0" and memory.get("ppm") == "333333", o.text)
    report.check("an exit code", o.code == 7, o.text)
    sleep = start("hello", line=f"{TSC_WORD} do=sleep").of("sleep")
    report.check("a sleep lasts as long as it was asked to", int(sleep.get("slept_ns", 0)) >= int(sleep.get("asked_ns", 1)), str(sleep))
    debug = command("hello", machine=[m + ",isa-serial=off" if m.startswith("microvm") else m for m in MICROVM],
                    more=("-chardev", "stdio,id=o,signal=off", "-device", "isa-debugcon,chardev=o"))
    debug[debug.index("-serial") + 1] = "none"
    said = subprocess.run(["timeout", "120", *debug], stdin=subprocess.DEVNULL, capture_output=True, text=True)
    report.check("without a serial line what it says goes to the port for that",
                 outcome(said.stdout, said.returncode).of("hello") != {} and said.returncode == 2 * OK + 1, said.stdout + said.stderr)
    without = start("hello", exit_device=False)
    report.check("without an exit device a machine ends, too", not without.hung and without.code is None, without.text)


def check_refusals(report: Report) -> None:
    long = "x" * 2100
    cases = {
        "no clock": ("no-clock", {"line": ""}),
        "no entropy": ("no-entropy", {"cpu": "qemu64"}),
        "32 bits": ("processor-without-long-mode-or-nx", {"cpu": "qemu32"}),
        "no NX": ("processor-without-long-mode-or-nx", {"cpu": "max,-nx"}),
        "no APIC": ("processor-without-apic", {"cpu": "max,-apic"}),
        "tsc=abc": ("tsc-word", {"line": "tsc=abc"}),
        "tsc=0": ("tsc-word", {"line": "tsc=0"}),
        "a device at no address": ("device-word", {"line": f"{TSC_WORD} virtio_mmio.device=512@x:5"}),
        "a device in memory": ("device-address", {"line": f"{TSC_WORD} virtio_mmio.device=512@0x400000:5"}),
        "a device over the APIC": ("device-address", {"line": f"{TSC_WORD} virtio_mmio.device=512@0xfee00000:5"}),
        "an interrupt that is none": ("device-irq", {"line": f"{TSC_WORD} virtio_mmio.device=512@0xfeb00000:99"}),
        "too long a command line": ("command-line-length", {"line": f"{TSC_WORD} {long}"}),
    }
    for name, (why, how) in cases.items():
        o = start("hello", **how)
        report.check(f"{name}: a clear line and an end", o.of("boot").get("why") == why and o.code == BOOT and not o.hung, o.text)


def functions(name: str) -> list[tuple[int, str]]:
    text = subprocess.run(["nm", "-n", image(name)], capture_output=True, text=True, check=True).stdout
    return [(int(a, 16), n) for a, _, n in (line.split() for line in text.splitlines() if len(line.split()) == 3)]


def function_at(names: list[tuple[int, str]], address: int) -> str:
    return next((n for a, n in reversed(names) if a <= address and n not in BORDERS), "")


def check_breach(report: Report, name: str, o: Outcome, names: list[tuple[int, str]]) -> None:
    cause, more = BREACHES[name]
    lines = [line for line in o.text.splitlines() if "event=panic" in line]
    found = PANIC_LINE.fullmatch(lines[0]) if len(lines) == 1 else None
    if not report.check(f"{name}: one panic line, and an end", found is not None and not o.hung and "came back" not in o.text, o.text):
        return
    assert found is not None
    report.check(f"{name}: is caught as {cause} {more}, with the code", o.code == PANIC and found["cause"] == cause
                 and (found["access"] or found["what"] or "") == more, o.text)
    report.check(f"{name}: ring 3 did it", found["ring"] == "3", o.text)
    callers = [function_at(names, int(a, 16)) for a in found["trace"].split(",")]
    if name not in ("smash_stack", "overflow_stack") and not name.startswith("execute_"):
        report.check(f"{name}: the backtrace says who", "vm_main" in callers, f"{callers}\n{o.text}")


def check_breaches(report: Report) -> None:
    listed = start("breach").text.split()
    report.check("each breach of the image is known here", set(BREACHES) == {n for n in listed if re.fullmatch(r"[a-z_0-9]+", n)},
                 str(set(BREACHES) ^ set(listed)))
    names = functions("breach")
    with ThreadPoolExecutor(2) as pool:
        outcomes = pool.map(lambda n: start("breach", line=f"{TSC_WORD} do={n}", more=RNG), BREACHES)
        for name, o in zip(BREACHES, outcomes):
            check_breach(report, name, o, names)


def check_tables(report: Report) -> None:
    """The tables of pages as the processor sees them while ring 3 waits."""
    answer, _ = ask("hello", "waiting", ["info tlb", "info registers"], line=f"{TSC_WORD} do=idle")
    pages = {int(m[1], 16): m[3] for m in re.finditer(r"^([\da-f]{16}): ([\da-f]{16}) ([-A-Z]{9})", answer, re.M)}
    borders = {n: a for a, n in functions("hello")}
    report.check("there are pages", len(pages) > 50, answer[:2000])
    report.none("no page can be written and executed", [f"{a:#x} {r}" for a, r in pages.items() if "W" in r and "X" not in r])
    report.check("page zero is absent", 0 not in pages)
    guards = [borders[n] - 4096 for n in ("vm_stack", "vm_trap_stack", "vm_nmi_stack", "vm_user_stack")] + [
        borders[n] for n in ("vm_stack_top", "vm_trap_stack_top", "vm_nmi_stack_top", "vm_user_stack_top")]
    report.none("a page is absent at both ends of each stack", [f"{a:#x}" for a in guards if a in pages])
    report.none("ring 3 has no page of the monitor", [f"{a:#x} {r}" for a, r in pages.items() if "U" in r and a < borders["vm_boot_page"]])
    report.none("the monitor's descriptors can't be written", [f"{a:#x} {r}" for a, r in pages.items()
                                                            if borders["vm_monitor_sealed"] <= a < borders["vm_monitor_data"] and "W" in r])
    root = int((re.search(r"CR3=([\da-f]+)", answer) or ["", "0"])[1], 16)
    report.check("the tables can't be written", root in pages and "W" not in pages[root] and "U" not in pages[root], answer[-2000:])
    cr4 = int((re.search(r"CR4=([\da-f]+)", answer) or ["", "0"])[1], 16)
    cr0 = int((re.search(r"CR0=([\da-f]+)", answer) or ["", "0"])[1], 16)
    report.check("SMEP, SMAP, UMIP and WP are on", cr4 >> 20 & 3 == 3 and cr4 >> 11 & 1 == 1 and cr0 >> 16 & 1 == 1, f"{cr4:#x} {cr0:#x}")


def check_button(report: Report) -> None:
    _, o = ask("hello", "waiting", ["nmi"], goes_on=True, line=f"{TSC_WORD} do=idle")
    panic = o.of("panic")
    callers = [function_at(functions("hello"), int(a, 16)) for a in panic.get("backtrace", "0").split(",")]
    report.check("an NMI from outside is a panic that says where the application was",
                 panic.get("cause") == "nmi" and o.code == PANIC and "vm_main" in callers, f"{callers}\n{o.text}")


def check_apart(report: Report) -> None:
    """A function of the application that the monitor called would be executed in ring 0, or rather not, since there is SMEP."""
    text = subprocess.run(["nm", "-u", image("hello").parent / "monitor.o"], capture_output=True, text=True, check=True).stdout
    report.none("the monitor needs nothing of the application but where it begins and ends, its canary and what its driver can do",
                sorted(set(text.split()) - {"U"} - BORDERS - {"vm_app_start", "vm_app_smashed", "vm_app_guard", "vm_features_of_net"}))


def check_size(report: Report) -> None:
    with tempfile.NamedTemporaryFile() as stripped:
        subprocess.run(["strip", "-o", stripped.name, image("empty")], check=True)
        size = Path(stripped.name).stat().st_size
    report.check("the empty runtime has at most 24 KiB", size <= 24 << 10, f"{size} bytes")


def main() -> int:
    report = Report()
    check_machines(report)
    check_devices(report)
    check_given(report)
    check_refusals(report)
    check_breaches(report)
    check_tables(report)
    check_button(report)
    check_apart(report)
    check_size(report)
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
