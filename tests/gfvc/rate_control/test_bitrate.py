"""`gfvc encode --bitrate` and `--quality`."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gfvc import EncodeOptions, InputError, encode
from gfvc.demo_clip import RATE
from gfvc.rate_control.search import TOLERANCE
from gfvc.stream.reader import read_face_stream
from gfvc.video_writer import write_video
from models.contract import FloatArray, Picture
from models.landmarks.tracking import FaceTracker
from tests.gfvc.support import CommandLine, assert_refused, no_notes


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> list[Picture]:
    """Grows by each picture in which a face is really looked for."""
    looked_at: list[Picture] = []
    look = FaceTracker._look

    def counted(self: FaceTracker, picture: Picture) -> list[FloatArray]:
        looked_at.append(picture)
        return look(self, picture)

    monkeypatch.setattr(FaceTracker, "_look", counted)
    return looked_at


@pytest.mark.parametrize("share", [0.7, 1.6])
def test_a_bitrate_is_met_with_several_key_pictures(
    share: float, short_clip: Path, small_stream: Path, tmp_path: Path, looks: list[Picture]
) -> None:
    bitrate = share * 8 * small_stream.stat().st_size * float(RATE) / 12
    options = EncodeOptions(model="mesh", key_interval=4, key_pictures="fixed", bitrate=bitrate)
    stages: list[str] = []
    summary = encode(short_clip, tmp_path / "a.265", options, notes=no_notes, stage=stages.append)
    assert abs(summary.kilobits_per_second * 1000 / bitrate - 1) <= TOLERANCE
    assert summary.total_bits == 8 * (tmp_path / "a.265").stat().st_size
    assert (summary.frames, summary.key_pictures) == (12, 3)
    assert len(stages) == summary.trials > 1
    assert stages[0] == "trial 1: --key-qp 32 --symbol-price 0.05"
    # The face is looked for once in each picture, and for each key QP in the decoded key pictures
    # and in what they look like when they are bent to the other pictures.
    qps = {stage.partition("--key-qp ")[2].partition(" ")[0] for stage in stages}
    assert len(looks) <= 12 + (3 + 9) * len(qps)
    # Nothing but the settings is left of the search.
    own = EncodeOptions(
        model="mesh",
        key_interval=4,
        key_pictures="fixed",
        key_qp=summary.settings.key_qp,
        symbol_price=summary.settings.symbol_price,
    )
    encode(short_clip, tmp_path / "b.265", own)
    assert (tmp_path / "a.265").read_bytes() == (tmp_path / "b.265").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.265", "b.265"]


def test_json_has_what_was_chosen(
    command: CommandLine, short_clip: Path, small_stream: Path, tmp_path: Path
) -> None:
    kbps = round(0.75 * 8 * small_stream.stat().st_size * float(RATE) / 12 / 1000, 1)
    out = tmp_path / "out.mp4"
    outcome = command("encode", short_clip, out, "--codec", "hevc", "--model", "mesh",
                      "--key-interval", "4", "--bitrate", f"{kbps}k", "--json")  # fmt: skip
    assert outcome.status == 0, outcome.err
    answer = json.loads(outcome.out)
    assert answer["target_kbps"] == pytest.approx(kbps)
    assert answer["kbps"] == pytest.approx(kbps, rel=TOLERANCE)
    assert answer["bits"]["total"] == 8 * out.stat().st_size
    assert answer["key_qp"] > 32
    assert answer["symbol_price"] == 0.05
    assert answer["trials"] > 1


def test_people_are_told_what_was_chosen(
    command: CommandLine, short_clip: Path, small_stream: Path, tmp_path: Path
) -> None:
    bitrate = round(8 * small_stream.stat().st_size * float(RATE) / 12)
    outcome = command("encode", short_clip, tmp_path / "out.265", "--model", "mesh",
                      "--key-interval", "4", "--bitrate", str(bitrate))  # fmt: skip
    assert outcome.status == 0, outcome.err
    assert outcome.err.count("\n") == 1
    assert "--key-qp 3" in outcome.err
    assert "trials" in outcome.err


@pytest.mark.parametrize(
    ("bitrate", "shown", "advice"),
    [("200", "0.2", "--key-interval"), ("90000k", "90000", "--size")],
)
def test_a_bitrate_out_of_reach_names_the_nearest(
    command: CommandLine, short_clip: Path, tmp_path: Path, bitrate: str, shown: str, advice: str
) -> None:
    line = assert_refused(
        command, "encode", short_clip, tmp_path / "out.265", "--bitrate", bitrate,
        "--model", "mesh",
        folder=tmp_path,
        says=[f"coded at {shown} kbit/s; the nearest that can be reached is", "kbit/s", advice],
    )  # fmt: skip
    nearest = float(line.split("reached is ")[1].split(" kbit/s")[0])
    assert 0.2 < nearest < 90000


def test_the_nearest_can_be_asked_for(short_clip: Path, tmp_path: Path) -> None:
    """It is not that of ordinary video, which the clip becomes with the coarsest key pictures."""
    small: dict[str, Any] = {"size": 96, "model": "mesh"}
    coarsest = encode(short_clip, tmp_path / "a.265", EncodeOptions(key_qp=50, **small))
    assert coarsest.fallback_pictures == 12
    with pytest.raises(InputError, match="can be reached is") as told:
        encode(short_clip, tmp_path / "b.265", EncodeOptions(bitrate=200, **small))
    nearest = float(str(told.value).split("reached is ")[1].split(" kbit/s")[0])
    assert nearest < 0.97 * coarsest.kilobits_per_second
    options = EncodeOptions(bitrate=1000 * nearest, **small)
    summary = encode(short_clip, tmp_path / "b.265", options)
    assert summary.fallback_pictures == 0


def test_low_delay_is_met_by_key_pictures_alone(short_clip: Path, tmp_path: Path) -> None:
    plain = EncodeOptions(model="mesh", key_interval=2, low_delay=True)
    bitrate = 800 * encode(short_clip, tmp_path / "a.265", plain).kilobits_per_second
    summary = encode(
        short_clip,
        tmp_path / "b.265",
        replace(plain, bitrate=bitrate),
    )
    assert abs(summary.kilobits_per_second * 1000 / bitrate - 1) <= TOLERANCE


def test_ordinary_video_is_in_the_rate(demo_pictures: list[Picture], tmp_path: Path) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (7, 16, 16, 3), np.uint8)
    blots = [np.kron(picture, np.ones((16, 16, 1), np.uint8)) for picture in noise]
    pictures = [*demo_pictures[:6], *blots, *demo_pictures[20:]]
    clip = write_video(tmp_path / "a.mkv", pictures, RATE)
    options = EncodeOptions(model="mesh")
    plain = encode(clip, tmp_path / "a.265", options)
    bitrate = 700 * plain.kilobits_per_second
    notes: list[str] = []
    summary = encode(
        clip, tmp_path / "b.265", replace(options, bitrate=bitrate), notes=notes.append
    )
    assert plain.fallback_pictures == summary.fallback_pictures == 7
    assert abs(summary.kilobits_per_second * 1000 / bitrate - 1) <= TOLERANCE
    # Said once, and not once for each trial.
    assert len(notes) == 1


def test_a_clip_without_a_face_fails_as_ever(tmp_path: Path) -> None:
    clip = write_video(tmp_path / "a.mkv", [np.zeros((64, 64, 3), np.uint8)] * 3, RATE)
    with pytest.raises(InputError, match="shows no face"):
        encode(clip, tmp_path / "a.265", EncodeOptions(size=64, fallback="never", bitrate=3000))


def test_presets_of_quality(command: CommandLine, short_clip: Path, tmp_path: Path) -> None:
    answers = []
    for quality in ("low", "medium", "high"):
        out = tmp_path / f"{quality}.265"
        outcome = command(
            "encode", short_clip, out, "--model", "mesh", "--quality", quality, "--json"
        )
        assert outcome.status == 0, outcome.err
        answers.append(json.loads(outcome.out))
    # Whole pictures are no further off by `low` than by `medium`.
    for name, count in (("kbps", 3), ("key_qp", 3), ("symbol_price", 2)):
        values = [answer[name] for answer in answers]
        assert values == sorted(values, reverse=name != "kbps")
        assert len(set(values)) == count
    assert [answer["target_kbps"] for answer in answers] == [None] * 3
    encode(short_clip, tmp_path / "default.265", EncodeOptions(model="mesh"))
    assert (tmp_path / "default.265").read_bytes() == (tmp_path / "medium.265").read_bytes()


@pytest.mark.parametrize(
    "more",
    [
        ("--quality", "low"),
        ("--key-qp", "30"),
        ("--symbol-price", "0.1"),
    ],
)
def test_one_way_to_say_how_many_bits(
    command: CommandLine, short_clip: Path, tmp_path: Path, more: tuple[str, str]
) -> None:
    assert_refused(
        command, "encode", short_clip, tmp_path / "out.265", "--bitrate", "3k", *more,
        folder=tmp_path, says="choose one",
    )  # fmt: skip
    options = {"quality": "low"} if more[0] == "--quality" else {more[0][2:].replace("-", "_"): 1}
    with pytest.raises(ValueError, match=r"bitrate, quality, and key_qp .* choose one"):
        EncodeOptions(bitrate=3000, **options)


@pytest.mark.parametrize("bitrate", ["3kk", "", "k", "-3k", "0", "99", "1e9", "nan", "inf"])
def test_no_bitrate(command: CommandLine, short_clip: Path, tmp_path: Path, bitrate: str) -> None:
    outcome = command("encode", short_clip, tmp_path / "out.265", f"--bitrate={bitrate}")
    assert outcome.status == 2
    assert "--bitrate" in outcome.err
    assert not list(tmp_path.iterdir())


def test_dropped_symbols_with_decided_key_pictures(
    demo_pictures: list[Picture], tmp_path: Path
) -> None:
    """Access units of any length, each with its own schedule of messages."""
    mirrored = [np.ascontiguousarray(picture[:, ::-1]) for picture in demo_pictures[:12]]
    clip = write_video(tmp_path / "a.mkv", [*demo_pictures[:12], *mirrored], RATE)
    options = EncodeOptions(symbol_rate="auto", key_pictures="fixed")
    summary = encode(clip, tmp_path / "a.265", options, notes=no_notes)
    units = read_face_stream(tmp_path / "a.265", no_notes).units
    assert summary.frames == 24
    assert len(units) == summary.key_pictures == 2
    schedules = [unit.schedule for unit in units]
    assert [schedule and schedule.pictures for schedule in schedules] == [12, 12]
    assert sum(len(unit.messages) for unit in units) < 24
