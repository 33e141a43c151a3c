"""Programs that `mrg prove --c` calls, and the seconds of processors that each takes, its own children's among them."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from typing import Mapping, Optional, Sequence


@dataclass(frozen=True)
class Done:
    status: int
    stdout: str
    seconds: float


def call(command: Sequence[str], cwd: Optional[str] = None, env: Optional[Mapping[str, str]] = None) -> Done:
    """Run a program to its end; what it says on either way is one text."""
    with subprocess.Popen(command, cwd=cwd, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        assert process.stdout is not None
        text = process.stdout.read()
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    return Done(process.returncode, text, used.ru_utime + used.ru_stime)
