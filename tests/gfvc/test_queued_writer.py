"""Pictures that are written by a thread of its own."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from gfvc.errors import OutputError
from gfvc.queued_writer import QueuedWriter
from gfvc.video_writer import PictureWriter
from models.contract import Picture


class Recorder(PictureWriter):
    """Notes what it is told, and by which thread; can be made to wait, and to fail."""

    def __init__(self, fails_at: int = -1) -> None:
        self.written: list[int] = []
        self.threads: set[int] = set()
        self.ends: list[str] = []
        self.may_write = threading.Event()
        self._fails_at = fails_at

    @property
    def size(self) -> int:
        return len(self.written)

    def least_size(self, width: int, height: int) -> int:
        return width * height

    def write(self, picture: Picture) -> None:
        assert self.may_write.wait(10)
        number = int(picture[0, 0, 0])
        if number == self._fails_at:
            raise OutputError("disk is full")
        self.threads.add(threading.get_ident())
        self.written.append(number)

    def close(self) -> None:
        self.ends.append("closed")

    def abandon(self) -> None:
        self.ends.append("abandoned")


def picture(number: int) -> Picture:
    return np.full((2, 2, 3), number, np.uint8)


def write_all(recorder: Recorder, count: int, error: Exception | None = None) -> None:
    with QueuedWriter(recorder) as writer:
        for number in range(count):
            writer.write(picture(number))
        if error is not None:
            threading.Timer(0.2, recorder.may_write.set).start()
            raise error


def test_pictures_are_written_in_order_by_another_thread() -> None:
    recorder = Recorder()
    with QueuedWriter(recorder) as writer:
        for number in range(3):
            writer.write(picture(number))
        assert writer.size == 0
        recorder.may_write.set()
        for number in range(3, 20):
            writer.write(picture(number))
        # All but a few are there.
        assert writer.size >= 15
        assert writer.least_size(3, 5) == 15
    assert recorder.written == list(range(20))
    assert recorder.ends == ["closed"]
    assert recorder.threads.isdisjoint({threading.get_ident()})
    assert len(recorder.threads) == 1


@pytest.mark.parametrize("count", [4, 50])  # The error comes when closing, and before.
def test_what_cannot_be_written_is_told(count: int) -> None:
    recorder = Recorder(fails_at=2)
    recorder.may_write.set()
    with pytest.raises(OutputError, match="disk is full"):
        write_all(recorder, count)
    assert recorder.written[:2] == [0, 1]
    assert recorder.ends == ["abandoned"]


def test_after_an_error_elsewhere_what_waits_is_not_written() -> None:
    recorder = Recorder()
    with pytest.raises(KeyError):
        write_all(recorder, 4, KeyError())
    assert recorder.ends == ["abandoned"]
    assert len(recorder.written) < 4
