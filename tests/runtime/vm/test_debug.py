#!/usr/bin/env python3
"""docs/vm.md: its commands do what it says, in order, in one shell."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))
from report import BUILD, ROOT, Report  # noqa: E402

TIMEOUT_S = 240
MARK = "---- the next one ----"


def main() -> int:
    report = Report()
    blocks = re.findall(r"^```sh\n(.*?)^```", (ROOT / "docs" / "vm.md").read_text(), re.M | re.S)
    if not report.check("there are five pieces", len(blocks) == 5, str(len(blocks))):
        return report.finish()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "build").symlink_to(ROOT / BUILD)
        (folder / "bin").symlink_to(ROOT / "bin")
        # Whatever happens, the machine ends with the shell.
        script = "trap 'kill $(jobs -p) 2>/dev/null' EXIT\n" + f"\necho '{MARK}'\n".join(blocks)
        try:
            done = subprocess.run(["timeout", str(TIMEOUT_S), "bash", "-c", script], cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, text=True, errors="replace")
        finally:
            console = (folder / "console").read_text(errors="replace") if (folder / "console").exists() else ""
    said = done.stdout.split(MARK)
    if not report.check("all of them are done", done.returncode == 0 and len(said) == 5, done.stdout + console):
        return report.finish()
    report.check("gdb sees where an idle machine stands", "vm_sleep" in said[1] and "call_wait" in said[1], said[1])
    report.check("a dump has a backtrace", "vm_sleep" in said[2] and "call_wait" in said[2], said[2])
    report.check("and what the machine was told", "= 1\n" in said[2] and '"ip=dhcp' in said[2], said[2])
    report.check("the panic of the button is on the console", "event=panic cause=nmi" in console, console)
    report.check("names for its backtrace", "vm_sleep" in said[3] and "vm_app_run" in said[3], said[3])
    report.check("the frames of the lease", " 0 rejected" in said[4] and "10.0.2.15" in said[4], said[4])
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
