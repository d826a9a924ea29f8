"""What is told of how far the coding of a clip is: it goes on as work does, to the end."""

from __future__ import annotations

from pathlib import Path

import pytest

from gfvc import EncodeOptions, encode
from gfvc.base_layer import BaseLayerCoder
from gfvc.encoding.work_done import SEEN, WorkDone, part_of
from gfvc.telling import Share

PICTURES = 30


def test_seen_pictures_are_not_done() -> None:
    told: list[int] = []
    work = WorkDone(told.append, seen_is_all=False)
    for _ in range(100):
        work.see(0)
    assert told == list(range(1, 1 + round(100 * SEEN)))
    tell = work.of_segment(50)
    tell(0.5)
    assert told[-1] == 100 * SEEN + 50 * (1 - SEEN) / 2
    tell(1.0)
    # The next picture says how many are coded, which they were already.
    before = list(told)
    work.see(50)
    assert told == before
    work.finish()
    assert told[-1] == 101
    assert told == sorted(set(told))


def test_work_in_vain_takes_nothing_back() -> None:
    told: list[int] = []
    work = WorkDone(told.append, seen_is_all=False)
    for _ in range(10):
        work.see(0)
    for share in (0.5, 1.0, 0.5, 0.9):
        work.of_segment(10)(share)
    work.see(0)
    assert told[-1] == 10
    assert told == sorted(set(told))


def test_pictures_that_are_coded_as_they_come_are_done_when_seen() -> None:
    told: list[int] = []
    work = WorkDone(told.append, seen_is_all=True)
    for _ in range(3):
        work.see(0)
    work.finish()
    assert told == [1, 2, 3]


def test_a_part_of_work_is_a_part() -> None:
    told: list[float] = []
    tell = part_of(told.append, 0.25, 0.75)
    for share in (0.0, 0.5, 1.0):
        tell(share)
    assert told == [0.25, 0.5, 0.75]


@pytest.mark.program
@pytest.mark.parametrize("restart", [(), (20,)], ids=["whole", "parts"])
def test_most_is_told_after_the_base_layer(
    tmp_path: Path, demo_clip: Path, restart: tuple[int, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where all pictures had been counted as they were read, a bar stood at its end for long."""
    told: list[tuple[int, int | None]] = []
    at_coding: list[int] = []
    encode_pictures = BaseLayerCoder.encode

    def noted(*arguments: object, **options: object) -> bytes:
        at_coding.append(told[-1][0])
        return encode_pictures(*arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(BaseLayerCoder, "encode", noted)
    options = EncodeOptions(
        model="mesh", view="face", crop="none", coded_interval=0.2, restarts=restart
    )
    encode(demo_clip, tmp_path / "out.266", options, progress=lambda *numbers: told.append(numbers))
    counts = [count for count, _ in told]
    assert counts == sorted(set(counts))
    assert told[-1] == (PICTURES, PICTURES)
    first = restart[0] if restart else PICTURES
    assert 0 < at_coding[0] <= first // 2
    if restart:
        assert first < at_coding[1] < PICTURES
    assert len([count for count in counts if at_coding[-1] < count < PICTURES]) >= 2


@pytest.mark.program
def test_the_base_layer_tells_meanwhile(
    tmp_path: Path, demo_clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ordinary video is one sequence here: half of its work is half of what is not seen yet."""
    told: list[int] = []
    encode_pictures = BaseLayerCoder.encode

    def half(*arguments: object, tell: Share, **options: object) -> bytes:
        tell(0.5)
        return encode_pictures(*arguments, tell=tell, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(BaseLayerCoder, "encode", half)
    options = EncodeOptions(fallback="always")
    encode(demo_clip, tmp_path / "out.265", options, progress=lambda count, _: told.append(count))
    seen = round(SEEN * PICTURES)
    assert told == sorted(set(told))
    assert told[: seen + 1] == [*range(1, seen + 1), seen + (PICTURES - seen) // 2]
    assert told[-1] == PICTURES
