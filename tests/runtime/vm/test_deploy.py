#!/usr/bin/env python3
"""Configuration of machine monitors in appliances/*/deploy: well-formed, of one mind, and the image boots with just those words."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))
sys.path.insert(0, str(Path(__file__).resolve().parent))
from qemu import MICROVM_PIT, Q35, command, outcome  # noqa: E402
from report import BUILD, ROOT, Report  # noqa: E402

MAC = re.compile(r"52:54:00(:[0-9a-f]{2}){3}")
DEADLINE_S = 120


def settings(path: Path) -> dict[str, Any]:
    """Of an xl.cfg: names and literals, as in Python."""
    tree = ast.parse(path.read_text())
    return {n.targets[0].id: ast.literal_eval(n.value) for n in tree.body if isinstance(n, ast.Assign) and isinstance(n.targets[0], ast.Name)}


def check_files(report: Report, folder: Path) -> tuple[str, str]:
    """The words, and the name of the initrd, in which all files agree."""
    app = folder.parent.name
    fire = json.loads((folder / "firecracker.json").read_text())
    cloud = json.loads((folder / "cloud-hypervisor.json").read_text())
    domain = ET.parse(folder / "libvirt.xml").getroot()
    xen = settings(folder / "xl.cfg")
    boot, payload = fire["boot-source"], cloud["payload"]
    words = [boot["boot_args"], payload["cmdline"], domain.findtext("os/cmdline"), xen["extra"]]
    report.check(f"{app}: the same words in all files", len(set(words)) == 1, str(words))
    initrds = [boot.get("initrd_path", ""), payload.get("initramfs", ""), domain.findtext("os/initrd", ""), xen.get("ramdisk", "")]
    report.check(f"{app}: the same data in all files", len(set(initrds)) == 1, str(initrds))
    kernels = {Path(k).name for k in (boot["kernel_image_path"], payload["kernel"], domain.findtext("os/kernel", ""), xen["kernel"])}
    report.check(f"{app}: its image in all files", kernels == {f"mrg-{app}-x86_64.elf"}, str(kernels))
    card = domain.find("devices/interface/mac")
    macs = [fire["network-interfaces"][0]["guest_mac"], cloud["net"][0]["mac"], card.get("address") if card is not None else ""]
    report.check(f"{app}: one address of the card", len(set(macs)) == 1 and MAC.fullmatch(str(macs[0])) is not None, str(macs))
    report.check(f"{app}: Firecracker is told of a machine and a device of this host",
                 fire["machine-config"]["vcpu_count"] == 1 and fire["machine-config"]["mem_size_mib"] >= 8
                 and fire["network-interfaces"][0]["host_dev_name"] == f"mrg-{app}" and fire["drives"] == [])
    report.check(f"{app}: Cloud Hypervisor shows the serial line", cloud["serial"]["mode"] == "Tty" and cloud["console"]["mode"] == "Off"
                 and cloud["memory"]["size"] % (1 << 20) == 0 and cloud["cpus"]["boot_vcpus"] == 1)
    model = domain.find("devices/interface/model")
    kind = domain.find("os/type")
    report.check(f"{app}: libvirt has a virtio card on a q35", model is not None and model.get("type") == "virtio" and kind is not None
                 and kind.get("machine") == "q35" and domain.get("type") == "kvm")
    report.check(f"{app}: Xen boots it by PVH", xen["type"] == "pvh" and xen["vcpus"] == 1)
    text = (folder / "README.md").read_text()
    report.none(f"{app}: each file has a line of the README", [f.name for f in folder.iterdir() if f.name not in (*text.split("`"), "README.md")])
    return words[0], initrds[0]


def boots(name: str, line: str, machine: list[str], device: str, data: list[str]) -> str:
    """What an image says up to its being ready, or to its end."""
    run = command(name, line=line, machine=machine, more=("-netdev", "user,id=n,net=192.0.2.0/24,host=192.0.2.1", "-device",
                                                          f"{device},netdev=n", *data))
    with subprocess.Popen(["timeout", str(DEADLINE_S), *run], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True) as process:
        assert process.stdout is not None
        text = ""
        for said in process.stdout:
            text += said
            if "event=ready" in said:
                break
        process.terminate()  # timeout ends the machine with it
    return text


def data_for(app: str, folder: Path) -> Path:
    """What stands in for the initrd."""
    if app == "dns":
        return ROOT / "appliances" / "dns" / "example.org.zone"
    site, archive = folder / "site", folder / "site.archive"
    site.mkdir()
    (site / "index.html").write_text("<p>here")
    subprocess.run([ROOT / BUILD / "bin" / "mrg-pack", site, archive], check=True, stdout=subprocess.DEVNULL)
    return archive


def check_boots(report: Report, app: str, words: str, initrd: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        data = ["-initrd", str(data_for(app, Path(folder)))] if initrd else []
        # Firecracker adds a word.
        for name, line, machine, device in (("microvm", f"{words} pci=off", MICROVM_PIT, "virtio-net-device"),
                                            ("q35", words, Q35, "virtio-net-pci,romfile=")):
            text = boots(f"mrg-{app}", line, machine, device, data)
            o = outcome(text, None)
            report.check(f"{app}: ready on {name} with just those words", o.of("ready") != {} and not o.of("word_unknown")
                         and not o.of("word_wrong") and not o.of("said"), text)
            report.check(f"{app}: the address on {name}", o.of("net").get("address", "") != "" and o.of("net")["address"] in words, text)


def main() -> int:
    report = Report()
    folders = sorted(f.parent for f in ROOT.glob("appliances/*/deploy/firecracker.json"))
    report.check("there is some", len(folders) >= 2)
    for folder in folders:
        words, initrd = check_files(report, folder)
        if (folder.parent / "vm" / "main.c").exists():
            check_boots(report, folder.parent.name, words, initrd)
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
