"""Threads that do what is most urgent first: so all of them are busy to the end, and what is begun is ended before more is begun."""

from __future__ import annotations

import itertools
import queue
import threading
from typing import Any, Callable

Job = tuple[Callable[..., object], tuple[Any, ...]]


class Workers:
    def __init__(self, count: int) -> None:
        self.todo: "queue.PriorityQueue[tuple[int, int, Job]]" = queue.PriorityQueue()
        self.order = itertools.count()
        self.over = False
        self.threads = [threading.Thread(target=self._work, daemon=True) for _ in range(count)]
        for thread in self.threads:
            thread.start()

    def submit(self, rank: int, call: Callable[..., object], *args: Any) -> None:
        """Have something done, which raises nothing, before all that is of a higher rank."""
        self.todo.put((rank, next(self.order), (call, args)))

    def stop(self) -> None:
        """Wait for what is being done; what has not begun is left undone."""
        self.over = True
        for thread in self.threads:
            self.submit(0, int)
        for thread in self.threads:
            thread.join()

    def _work(self) -> None:
        while not self.over:
            call, args = self.todo.get()[2]
            call(*args)
