"""Pictures that wait in a file come back as they were, or do not go in."""

from __future__ import annotations

import tempfile

import numpy as np
import pytest

from base_codec_adapters import TemporaryFolderError
from gfvc.encoding.picture_store import PictureStore
from models.parallel import map_in_order
from tests.base_codec_adapters.test_temporary import NearlyFull

PICTURES = np.random.default_rng(1).integers(0, 256, (3, 24, 32, 3), np.uint8)


def test_the_room_of_dropped_pictures_is_for_others() -> None:
    with PictureStore() as store:
        store.add(0, PICTURES[0])
        store.add(1, PICTURES[1])
        store.drop([0])
        store.add(2, PICTURES[2])
        assert 0 not in store
        assert all(np.array_equal(store[number], PICTURES[number]) for number in (1, 2))


def test_several_threads_read_at_a_time() -> None:
    with PictureStore() as store:
        for number, picture in enumerate(PICTURES):
            store.add(number, picture)
        numbers = [number % len(PICTURES) for number in range(3000)]
        read = map_in_order(lambda number: store[number], numbers, 4)
        for number, picture in zip(numbers, read, strict=True):
            assert np.array_equal(picture, PICTURES[number])


def test_a_picture_is_written_whole_or_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "TemporaryFile", lambda **_: NearlyFull())
    monkeypatch.setattr(NearlyFull, "room", 3 * PICTURES[0].size // 2)
    with PictureStore() as store:
        # Pictures may be parts of others, row by row apart in memory.
        store.add(0, PICTURES[0][:, :31])
        assert np.array_equal(store[0], PICTURES[0][:, :31])
        with pytest.raises(TemporaryFolderError, match="No space left"):
            store.add(1, PICTURES[1][:, :31])
        assert 1 not in store
