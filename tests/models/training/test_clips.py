from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import av
import numpy as np
import pytest

from models.errors import ModelError
from models.training import TrainingConfiguration, TrainingError, footage
from models.training.footage import TrainingClip, find_clips, load_footage
from models.training.run import load_all
from tests.models.training.support import make_footage

HEAD = "file,identity,split\n"


def write_index(data: Path, rows: str, head: str = HEAD) -> Path:
    index = data / "INDEX.csv"
    index.write_text(head + rows)
    return index


@pytest.fixture
def data(tmp_path: Path) -> Path:
    for name in ("train/a.mp4", "train/b.mp4", "validation/c.mp4", "test/d.mp4"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"")
    (tmp_path / "train/notes.txt").write_text("no clip")
    return tmp_path


def test_folders_are_splits(data: Path) -> None:
    found = find_clips(data, None, ())
    assert [(clip.path.name, clip.split) for clip in found] == [
        ("a.mp4", "train"),
        ("b.mp4", "train"),
        ("c.mp4", "validation"),
    ]


def test_an_index_names_people_and_splits(data: Path) -> None:
    rows = "train/a.mp4,ann,train\ntrain/b.mp4,bob,validation\ntest/d.mp4,dan,test\n"
    found = find_clips(data, write_index(data, rows), ())
    assert [(clip.identity, clip.split) for clip in found] == [
        ("ann", "train"),
        ("bob", "validation"),
    ]


@pytest.mark.parametrize("name", ["b", "b.mp4", "train/b", "train/b.mp4"])
def test_clips_are_skipped_by_name(data: Path, name: str) -> None:
    assert [clip.path.stem for clip in find_clips(data, None, (name,))] == ["a", "c"]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("train/a.mp4,ann,train\n", "no clip for validation"),
        ("train/a.mp4,ann,train\nvalidation/c.mp4,ann,validation\n", "ann is in both"),
        ("train/a.mp4,ann,train\ntrain/a.mp4,ann,train\n", "a.mp4 is there twice"),
        ("train/z.mp4,ann,train\n", "z.mp4 is not there"),
        ("../a.mp4,ann,train\n", "is outside"),
        ("/etc/a.mp4,ann,train\n", "is outside"),
        ("train/a.mp4,,train\n", "lacks its file or identity"),
        (",ann,train\n", "lacks its file or identity"),
    ],
)
def test_what_is_wrong_with_an_index(data: Path, rows: str, message: str) -> None:
    with pytest.raises(TrainingError, match=message):
        find_clips(data, write_index(data, rows), ())


def test_an_index_needs_its_columns(data: Path) -> None:
    index = write_index(data, "train/a.mp4,train\n", "file,split\n")
    with pytest.raises(TrainingError, match="names no column identity; wanted are"):
        find_clips(data, index, ())


def test_an_index_that_a_spreadsheet_saved(data: Path) -> None:
    rows = "train/a.mp4,ann,train\nvalidation/c.mp4,bob,validation\n"
    index = write_index(data, rows, "\ufeff" + HEAD)
    assert [clip.identity for clip in find_clips(data, index, ())] == ["ann", "bob"]
    write_index(data, rows.replace(",", ";"), HEAD.replace(",", ";"))
    with pytest.raises(TrainingError, match=r"no column file, .* with commas between them"):
        find_clips(data, index, ())


def test_an_index_that_is_no_text_is_refused(data: Path) -> None:
    index = data / "INDEX.csv"
    index.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(TrainingError, match="not a CSV file"):
        find_clips(data, index, ())
    with pytest.raises(TrainingError, match="not a CSV file"):
        find_clips(data, data / "none.csv", ())


def test_unknown_names_to_skip_and_missing_folders_are_told(data: Path) -> None:
    with pytest.raises(TrainingError, match="no clip to skip is named x, y"):
        find_clips(data, None, ("y", "a", "x"))
    with pytest.raises(TrainingError, match="is no folder"):
        find_clips(data / "none", None, ())
    with pytest.raises(TrainingError, match="validation: no clip for validation"):
        find_clips(data, None, ("c",))


def write_video(path: Path, pictures: int, width: int = 64, height: int = 64) -> None:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=25)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = width, height, "bgr0"
        for number in range(pictures):
            picture = np.full((height, width, 3), 20 * number, np.uint8)
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


@pytest.fixture
def tracked(monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """Clips have no faces here; landmarks are made up for so many pictures."""
    made = {"pictures": 3, "calls": 0}

    def landmarks(path: Path, cache: Path) -> object:
        made["calls"] += 1
        return make_footage("made up", made["pictures"]).landmarks.astype(np.float64)

    monkeypatch.setattr(footage, "clip_landmarks", landmarks)
    return made


def test_pictures_are_decoded_once_and_resized(
    tmp_path: Path, tracked: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    write_video(tmp_path / "a.mkv", 3)
    clip = TrainingClip(tmp_path / "a.mkv", "ann", "train")
    first = load_footage(clip, 96, tmp_path / "cache")
    assert first.pictures.shape == (3, 96, 96, 3)
    assert [int(picture.mean()) for picture in first.pictures] == [0, 20, 40]
    monkeypatch.setattr(footage, "_decode", None)  # would fail if it were called again
    again = load_footage(clip, 96, tmp_path / "cache")
    assert np.array_equal(first.pictures, again.pictures)


@pytest.mark.parametrize(
    ("size", "landmarks", "message"),
    [((64, 48), 3, "crop it to a square"), ((64, 64), 2, "landmarks are of 2 pictures")],
)
def test_clips_that_cannot_be_used(
    tmp_path: Path,
    tracked: dict[str, int],
    size: tuple[int, int],
    landmarks: int,
    message: str,
) -> None:
    write_video(tmp_path / "a.mkv", 3, *size)
    tracked["pictures"] = landmarks
    with pytest.raises(TrainingError, match=message):
        load_footage(TrainingClip(tmp_path / "a.mkv", "ann", "train"), 64, tmp_path / "cache")
    assert not list((tmp_path / "cache").iterdir())


def test_a_file_that_is_no_video_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(b"nothing to see")
    with pytest.raises(ModelError, match="not a video that can be read"):
        load_footage(TrainingClip(tmp_path / "a.mp4", "ann", "train"), 64, tmp_path / "cache")


@pytest.mark.parametrize("keep", [0, 60, 1000])
def test_a_damaged_cache_is_told(tmp_path: Path, tracked: dict[str, int], keep: int) -> None:
    write_video(tmp_path / "a.mkv", 3)
    clip = TrainingClip(tmp_path / "a.mkv", "ann", "train")
    load_footage(clip, 64, tmp_path / "cache")
    (kept,) = (tmp_path / "cache").glob("*-64.npy")
    kept.write_bytes(kept.read_bytes()[:keep])
    with pytest.raises(TrainingError, match="damaged, delete it"):
        load_footage(clip, 64, tmp_path / "cache")


def test_a_cache_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "cache").write_bytes(b"")
    write_video(tmp_path / "a.mkv", 1)
    with pytest.raises(TrainingError, match="cache: cannot be made"):
        load_footage(TrainingClip(tmp_path / "a.mkv", "ann", "train"), 64, tmp_path / "cache")


def test_clips_are_read_by_whoever_spreads_the_work(
    tmp_path: Path, tracked: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    clips = [
        TrainingClip(tmp_path / f"{name}.mkv", name, split)
        for name, split in (("a", "train"), ("b", "validation"))
    ]
    for number, clip in enumerate(clips):
        write_video(clip.path, 3, 64 + 16 * number, 64 + 16 * number)
    told: list[tuple[float, str]] = []

    def spread(
        function: Callable[..., object], calls: Sequence[tuple[object, ...]]
    ) -> Iterator[object]:
        for arguments in reversed(calls):  # in whatever order
            yield function(*arguments)
        monkeypatch.setattr(footage, "_decode", None)  # would fail if it were called again

    found = load_all(
        clips,
        TrainingConfiguration(data=tmp_path, out=tmp_path / "out", steps=1, size=64, window=64),
        lambda text: None,
        lambda share, text: told.append((share, text)),
        spread,
    )
    assert {split: [len(clip.pictures) for clip in of] for split, of in found.items()} == {
        "train": [3],
        "validation": [3],
    }
    assert told[:2] == [(0.5, "tracking faces"), (1.0, "tracking faces")]
