"""How much of a measurement a run does, and wall-clock time of a command."""

from __future__ import annotations

import subprocess
import time
from dataclasses import dataclass
from typing import Sequence

from bench.peers import Absent


@dataclass(frozen=True)
class Effort:
    """A full run, or a quick one that only shows that everything works."""

    rounds: int  # of each measurement, interleaved
    pass_ms: int  # time for one quantity in one round
    load_seconds: float  # time under load of one server in one round
    load_rounds: int
    start_rounds: int
    soak_seconds: float  # at full rate
    core: int = 0  # of what is measured
    client_core: int = 1  # of what asks

    @staticmethod
    def full() -> Effort:
        return Effort(rounds=7, pass_ms=300, load_seconds=4.0, load_rounds=7, start_rounds=5, soak_seconds=60)

    @staticmethod
    def quick() -> Effort:
        return Effort(rounds=3, pass_ms=30, load_seconds=0.5, load_rounds=3, start_rounds=2, soak_seconds=2)

    def seconds(self, command: Sequence[str]) -> float:
        start = time.perf_counter()
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        took = time.perf_counter() - start
        if done.returncode != 0:
            raise Absent(f"{command[0]}: {done.stderr.strip()[-300:]}")
        return took
