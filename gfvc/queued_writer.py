"""Writing pictures in a thread of its own, while further ones are drawn."""

from __future__ import annotations

from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor

from gfvc.video_writer import PictureWriter
from models.contract import Picture
from models.parallel import begin

# Pictures that wait to be written, at most.
_MOST_WAITING = 4


class QueuedWriter(PictureWriter):
    """Has another writer write, a few pictures behind; what fails is raised a few pictures later.

    `size` is that of what is written so far.
    """

    def __init__(self, writer: PictureWriter) -> None:
        self._writer = writer
        self._thread = ThreadPoolExecutor(1)
        self._waiting: deque[Future[None]] = deque()

    @property
    def size(self) -> int:
        """Bytes that the output takes so far."""
        return self._writer.size

    def least_size(self, width: int, height: int) -> int:
        """Bytes that a picture takes at the least, as of the other writer."""
        return self._writer.least_size(width, height)

    def write(self, picture: Picture) -> None:
        """Have a picture added, which must not be changed; wait where many are waiting."""
        self._waiting.append(begin(self._thread, self._writer.write, picture))
        if len(self._waiting) > _MOST_WAITING:
            self._waiting.popleft().result()

    def close(self) -> None:
        """Write what waits, and complete the output."""
        try:
            for written in self._waiting:
                written.result()
        except BaseException:
            self.abandon()
            raise
        self._thread.shutdown()
        self._writer.close()

    def abandon(self) -> None:
        """Write nothing more, and free what is held."""
        self._thread.shutdown(cancel_futures=True)
        self._writer.abandon()
