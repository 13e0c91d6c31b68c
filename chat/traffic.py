"""How many frames went over the browsers' sockets of this process since it began."""

from __future__ import annotations


class Traffic:
    __slots__ = ("frames_in", "frames_out")

    def __init__(self) -> None:
        self.frames_in = 0
        self.frames_out = 0


traffic = Traffic()  # plain numbers: a frame is the most frequent thing there is
