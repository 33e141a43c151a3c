"""A bad link between the kernel and a server of ours, which is on a packet socket at its other end."""

from __future__ import annotations

from stack import KERNEL, KERNEL6, Host, Impair, Space, cable

EVILS = [
    ("--loss", "1"),
    ("--loss", "5"),
    ("--loss", "10"),
    ("--burst", "0.5,20"),
    ("--duplicate", "10"),
    ("--reorder", "10,5"),
    ("--corrupt", "3"),
    ("--truncate", "3"),
    ("--delay", "20", "--loss", "2"),
    ("--delay", "5", "--jitter", "5"),
    ("--rate", "20000", "--queue", "30000"),
    ("--loss", "2", "--burst", "0.1,30", "--duplicate", "2", "--reorder", "3,5", "--corrupt", "1", "--truncate", "1", "--delay", "2",
     "--jitter", "1"),
]


class Bad(Host):
    """The kernel is in `space`, the bad link in `middle`, the server in `other`."""

    device = "here"

    def __init__(self, *evils: str) -> None:
        super().__init__()
        self.middle, self.other = Space(), Space()
        cable(self.space, "here", self.middle, "left")
        cable(self.other, "there", self.middle, "right")
        self.space.address("here", f"{KERNEL}/24", f"{KERNEL6}/64")
        self.impair = Impair(*evils, "left", "right", listen=(), prefix=self.middle.prefix)

    def __enter__(self) -> Bad:
        return self

    def __exit__(self, *_: object) -> None:
        self.impair.kill()
        self.middle.__exit__()
        self.other.__exit__()
        super().__exit__()

    def net(self, *more: str) -> str:
        return self.packet_net(*more)

    def up(self) -> None:
        """It is, already."""


__all__ = ["EVILS", "Bad"]
