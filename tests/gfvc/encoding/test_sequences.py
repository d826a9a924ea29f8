"""Predicted coded pictures, and pictures drawn from both neighbours: encoded, checked, decoded."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any, cast

import av
import cv2
import numpy as np
import pytest

from base_codec_adapters import DecodeRequest, find_decoder
from gfvc import EncodeOptions, EncodeSummary, InputError, encode
from gfvc.colour import to_rgb
from gfvc.demo_clip import RATE
from gfvc.encoding import segments
from gfvc.encoding.clip import LONGEST_SEGMENT, SPOOL_BYTES, Clip, most_pictures
from gfvc.encoding.coded_choice import at_distance
from gfvc.encoding.decisions import PlanSettings
from gfvc.encoding.face_messages import UnitFaces, UnitMessages
from gfvc.encoding.face_places import FacePlace
from gfvc.encoding.picture_store import PictureStore
from gfvc.encoding.segments import Segment
from gfvc.encoding.sequence_faces import Division, SequenceFace, through_ends
from gfvc.errors import StreamError
from gfvc.framing import output_size
from gfvc.rectangle import Rectangle
from gfvc.scaling import scale
from gfvc.stream.face_stream import FaceStream
from gfvc.stream.information import StreamInformation
from gfvc.stream.reader import read_face_stream
from gfvc.telling import unheard
from gfvc.verification import Severity, verify_stream
from gfvc.video_writer import write_video
from models import FaceParameters, MatrixShape, ParameterLayout, RegisteredModel, Registry
from models.contract import FloatArray, Picture
from models.landmarks.face_space import shipped_face_space
from models.landmarks.tracking import FaceTracker
from models.mesh.card import CARD as MESH
from models.mesh.model import MeshModel
from models.metrics.similarity import ms_ssim, psnr
from sei import NalUnit
from tests.gfvc.support import (
    CommandLine,
    assert_refused,
    coming_nearer,
    decode_all,
    mean_difference,
    nal_units,
    no_notes,
    read_all,
    write_units,
)

PICTURES = 30


def code(
    path: Path, pictures: list[Picture], notes: Callable[[str], None] = no_notes, **options: Any
) -> tuple[FaceStream, EncodeSummary]:
    clip = write_video(path.with_suffix(".mkv"), pictures, RATE)
    sequences = {"key_pictures": "auto", "coded_interval": 0.2}
    chosen: dict[str, Any] = {"model": "mesh", "crop": "none", **sequences} | options
    summary = encode(clip, path, EncodeOptions(**chosen), notes=notes, force=True)
    return read_face_stream(path, no_notes), summary


@pytest.fixture(scope="module")
def coded(
    tmp_path_factory: pytest.TempPathFactory, demo_pictures: list[Picture]
) -> tuple[Path, FaceStream, EncodeSummary]:
    """The demo clip in VVC, a coded picture about every fifth, one sequence."""
    path = tmp_path_factory.mktemp("sequence") / "demo.266"
    return path, *code(path, demo_pictures)


@pytest.fixture(scope="module")
def decoded(coded: tuple[Path, FaceStream, EncodeSummary]) -> list[Picture]:
    return decode_all(coded[0])


def places(stream: FaceStream) -> list[int]:
    """Output pictures that are coded."""
    found, start = [], 0
    for unit in stream.units:
        found.append(start + unit.leading)
        start += unit.pictures
    return found


def as_coded(stream: FaceStream) -> list[Picture]:
    request = DecodeRequest(stream.base_layer, len(stream.units))
    return [to_rgb(picture) for picture in find_decoder(stream.codec).decode(request).pictures]


def test_one_idr_picture_and_others_predicted(
    coded: tuple[Path, FaceStream, EncodeSummary],
) -> None:
    path, stream, summary = coded
    pictures = [unit for unit in nal_units(path) if unit.starts_picture]
    assert [unit.is_idr for unit in pictures] == [True, *[False] * (len(pictures) - 1)]
    assert (len(stream.units), stream.pictures) == (len(pictures), PICTURES)
    assert 6 <= len(stream.units) <= 8
    assert (summary.tally.coded_pictures, summary.key_pictures) == (len(pictures), 1)
    assert json.dumps(summary.to_json()["coded_pictures"]) == str(len(pictures))
    # The last picture is coded: what lies before it has two references.
    assert places(stream)[-1] == PICTURES - 1
    assert [f for f in verify_stream(path) if f.severity is not Severity.INFORMATION] == []


def shaken(pictures: list[Picture]) -> list[Picture]:
    """Behind each face another picture, which nothing can be drawn from."""
    noise = np.random.default_rng(4).integers(0, 256, (64, 64, 3), np.uint8)
    field = cv2.resize(noise, (1024, 1024), interpolation=cv2.INTER_CUBIC)
    changed = []
    for number, picture in enumerate(pictures):
        behind = field[37 * number % 700 :, 91 * number % 700 :][:256, :256]
        mixed = picture.copy()
        mixed[:40], mixed[:, :40] = behind[:40], behind[:, :40]
        changed.append(mixed)
    return changed


@pytest.mark.program
@pytest.mark.usefixtures("coded_once")
def test_all_are_coded_where_that_takes_fewer_bits(
    tmp_path: Path, demo_pictures: list[Picture], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With few bits some are drawn. With many all are ordinary video, smaller and as good."""
    # Small, as VVC takes long for them; MS-SSIM wants 176 samples a side.
    pictures = [scale(picture, (192, 192)) for picture in shaken(demo_pictures[:12])]
    options: dict[str, Any] = {"coded_interval": None, "codec": "vvc", "size": 192}
    options["effort"] = "fast"
    _, short = code(tmp_path / "short.266", pictures, key_qp=26, **options)
    assert short.fallback_pictures == 0
    monkeypatch.setattr(segments, "LEAST_PICTURES", 12)
    _, few = code(tmp_path / "few.266", pictures, key_qp=45, **options)
    assert few.fallback_pictures == 0
    path = tmp_path / "many.266"
    remarks: list[str] = []
    stream, many = code(path, pictures, remarks.append, key_qp=26, **options)
    assert len(remarks) == 1
    assert "12 of 12 pictures are sent as ordinary video: to code all of them" in remarks[0]
    assert (many.fallback_pictures, many.key_pictures, many.tally.coded_pictures) == (12, 0, 12)
    assert stream.pictures_as_coded == 12
    assert [f for f in verify_stream(path) if f.severity is not Severity.INFORMATION] == []
    drawn_path = tmp_path / "short.266"
    drawn = read_face_stream(drawn_path, no_notes)
    assert len(drawn.units) > 2
    assert path.stat().st_size < drawn_path.stat().st_size
    ours, theirs = (
        np.mean(
            [
                ms_ssim(*pair)
                for pair in zip(pictures, decode_all(each, remarks.append), strict=True)
            ]
        )
        for each in (path, drawn_path)
    )
    assert ours > theirs - 0.02
    # How pictures without a face are coded makes no difference to these.
    coarse = tmp_path / "coarse.266"
    code(coarse, pictures, remarks.append, key_qp=26, fallback_qp=60, **options)
    assert coarse.read_bytes() == path.read_bytes()
    # Who asks for no ordinary video gets none.
    _, never = code(tmp_path / "never.266", pictures, key_qp=26, fallback="never", **options)
    assert never.fallback_pictures == 0


def test_coded_pictures_are_shown_as_any_decoder_does_but_for_texture(
    coded: tuple[Path, FaceStream, EncodeSummary],
    decoded: list[Picture],
    demo_pictures: list[Picture],
) -> None:
    """The key picture to the last bit; those after it are nearer to what was filmed."""
    _, stream, _ = coded
    (key, at_key), *others = zip(places(stream), as_coded(stream), strict=True)
    assert np.array_equal(decoded[key], at_key)
    assert others
    for place, picture in others:
        assert 0 < mean_difference(decoded[place], picture) < 1.5
    quality = [
        np.mean([psnr(demo_pictures[place], shown) for place, shown in each])
        for each in (others, [(place, decoded[place]) for place, _ in others])
    ]
    assert quality[1] > quality[0]


def test_the_others_are_drawn_well(
    coded: tuple[Path, FaceStream, EncodeSummary],
    decoded: list[Picture],
    demo_pictures: list[Picture],
    tmp_path: Path,
) -> None:
    path, stream, _ = coded
    one = tmp_path / "one.266"
    code(one, demo_pictures, key_pictures="fixed", coded_interval=None)
    alone = decode_all(one)
    driven = sorted(set(range(PICTURES)) - set(places(stream)))
    quality = [
        np.mean([ms_ssim(demo_pictures[place], shown[place]) for place in driven])
        for shown in (decoded, alone)
    ]
    assert quality[0] > quality[1]
    # No jump where a coded picture comes.
    for place in places(stream)[1:-1]:
        for before, after in ((place - 1, place), (place, place + 1)):
            steps = [
                mean_difference(shown[before], shown[after]) for shown in (decoded, demo_pictures)
            ]
            assert steps[0] < steps[1] + 2.0
    assert path.stat().st_size < 3 * one.stat().st_size


@pytest.mark.parametrize("suffix", [".265", ".mp4"])
def test_key_interval_and_containers(
    suffix: str, demo_pictures: list[Picture], tmp_path: Path
) -> None:
    path = tmp_path / f"out{suffix}"
    stream, summary = code(path, demo_pictures, codec="hevc", key_interval=12)
    assert summary.key_pictures == 3
    units = stream.units
    assert [unit.can_be_entered for unit in units].count(True) == 3
    assert len(decode_all(path)) == stream.pictures == PICTURES
    if suffix == ".mp4":
        with av.open(str(path)) as container:
            track = container.streams.video[0]
            times = [frame.time for frame in container.decode(track)]
        assert times == [pytest.approx(place / 25) for place in places(stream)]


class ShownAsIs:
    """Coded pictures without loss."""

    def __init__(self, pictures: list[Picture]) -> None:
        self.picture = pictures.__getitem__


class Heard:
    """Keeps what would be sent of each coded picture."""

    def __init__(self) -> None:
        self.units: list[UnitFaces] = []

    def of_unit(self, unit: UnitFaces, *, names_model: bool) -> UnitMessages:
        self.units.append(unit)
        return UnitMessages((), (), ())


def test_a_face_that_comes_nearer_is_followed_from_each_coded_picture_on(
    demo_pictures: list[Picture],
) -> None:
    """Before those between two coded ones, the second was looked at: a much larger face."""
    scenes = coming_nearer(demo_pictures[:10])
    model, heard = MeshModel(shipped_face_space()), Heard()
    with PictureStore() as store, model.open_analyser() as analyser:
        for number, scene in enumerate(scenes):
            store.add(number, scene)
        face: Any = SequenceFace(FacePlace(model, analyser), store, cast("Any", heard))
        face.code(Division.of(range(10), [2, 9]), ShownAsIs([scenes[2], scenes[9]]), unheard)
    first = heard.units[0]
    assert (len(first.leading), len(first.driven)) == (2, 6)
    assert None not in [*first.leading, *first.driven]


def test_a_better_key_picture_is_waited_for(demo_pictures: list[Picture], tmp_path: Path) -> None:
    blurred = [
        np.asarray(cv2.GaussianBlur(picture, (0, 0), 4 - 0.5 * number), np.uint8)
        for number, picture in enumerate(demo_pictures[:7])
    ]
    path = tmp_path / "focus.266"
    stream, _ = code(path, [*blurred, *demo_pictures[7:20]])
    first = stream.units[0]
    assert first.leading >= 5
    assert places(stream)[0] == first.leading
    shown = decode_all(path)
    assert len(shown) == 20
    assert np.array_equal(shown[first.leading], as_coded(stream)[0])


def changed(units: list[NalUnit], keep: list[bool]) -> list[NalUnit]:
    """A stream without some of its access units, counted by coded pictures."""
    number, kept = -1, []
    for unit in units:
        number += unit.starts_picture
        if keep[max(number, 0)]:
            kept.append(unit)
    return kept


def test_a_stream_that_was_cut_off_is_decoded_up_to_there(
    coded: tuple[Path, FaceStream, EncodeSummary], decoded: list[Picture], tmp_path: Path
) -> None:
    path, stream, _ = coded
    count = len(stream.units)
    kept = changed(nal_units(path), [number < count - 2 for number in range(count)])
    cut = write_units(tmp_path / "cut.266", kept)
    shown = decode_all(cut, lambda note: None)
    sizes = [unit.pictures for unit in stream.units]
    # The last one that is left may be cut off itself; what comes before its neighbour is as it was.
    whole = sum(sizes[: count - 4])
    assert whole <= len(shown) <= sum(sizes[: count - 2])
    assert all(np.array_equal(a, b) for a, b in zip(shown[:whole], decoded[:whole], strict=True))
    errors = [f.text for f in verify_stream(cut) if f.severity is Severity.ERROR]
    assert any(f"announces {count}" in text for text in errors)


def test_more_coded_pictures_than_announced_are_refused(
    coded: tuple[Path, FaceStream, EncodeSummary], tmp_path: Path, command: CommandLine
) -> None:
    path, stream, _ = coded
    units = nal_units(path)
    last = max(index for index, unit in enumerate(units) if unit.starts_picture)
    twice = write_units(tmp_path / "twice.266", [*units[: last + 1], units[last]])
    with pytest.raises(StreamError, match=f"announces {len(stream.units)}"):
        read_face_stream(twice, no_notes)
    outcome = command("decode", twice, tmp_path / "out.mp4")
    assert (outcome.status, len(outcome.err.splitlines())) == (1, 1)


def test_a_sequence_without_its_face_messages_is_refused(
    coded: tuple[Path, FaceStream, EncodeSummary], tmp_path: Path
) -> None:
    path, _, _ = coded
    bare = write_units(
        tmp_path / "bare.266", [unit for unit in nal_units(path) if not unit.is_suffix_sei]
    )
    with pytest.raises(StreamError, match="holds no generative face video messages"):
        read_face_stream(bare, no_notes)


@pytest.mark.parametrize(
    "other", [("--low-delay",), ("--reference-pool", "3"), ("--fallback", "always")]
)
def test_what_leaves_no_predicted_pictures_is_told(
    other: tuple[str, ...], short_clip: Path, tmp_path: Path, command: CommandLine
) -> None:
    assert_refused(
        command, "encode", short_clip, tmp_path / "out.265", "--key-pictures", "auto", *other,
        folder=tmp_path, says="leave out --key-pictures auto",
    )  # fmt: skip


def test_a_model_of_one_reference_is_refused(short_clip: Path, tmp_path: Path) -> None:
    class OneReference(MeshModel):
        @property
        def draws_from_both(self) -> bool:
            return False

    registry = Registry()
    one = RegisteredModel(MESH, lambda runtime: OneReference(shipped_face_space()))
    registry.register(one)
    options = EncodeOptions(key_pictures="auto", model="mesh")
    with pytest.raises(InputError, match="draws from one key picture"):
        encode(short_clip, tmp_path / "out.265", options, registry=registry)
    assert list(tmp_path.iterdir()) == []


def clip_with(rate: int, **options: Any) -> Clip:
    information = StreamInformation(Fraction(rate), 64, 64, Rectangle(0, 0, 64, 64))
    model = MeshModel(shipped_face_space())
    asked = EncodeOptions(**options)
    size = output_size(64, 64, asked)
    return Clip(Path("clip"), asked, "vvc", model, MESH, information, size, None)


def settings_of(rate: int, **options: Any) -> PlanSettings:
    return clip_with(rate, key_pictures="auto", **options).plan_settings()


def test_a_segment_is_bounded_as_it_waits_as_a_whole() -> None:
    assert settings_of(25).interval == 750
    assert settings_of(240).interval == LONGEST_SEGMENT
    assert settings_of(25, key_interval=100_000).interval == LONGEST_SEGMENT
    large = settings_of(25, size=2048)
    assert large.interval * 2048 * 2048 * 3 <= SPOOL_BYTES
    assert large.look_ahead <= large.interval // 2


@pytest.mark.parametrize(("asked", "told"), [(8, 1), (5, 0), (None, 0)])
def test_an_interval_that_cannot_be_had_is_told(
    asked: int | None,
    told: int,
    short_clip: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("gfvc.encoding.clip.LONGEST_SEGMENT", 5)
    notes: list[str] = []
    options = EncodeOptions(model="mesh", key_interval=asked)
    encode(short_clip, tmp_path / "out.265", options, notes=notes.append)
    assert [note for note in notes if "--key-interval" in note] == [
        f"{short_clip}: key pictures are at most 5 pictures apart, not 8 (--key-interval): "
        "pictures wait on the disk until the next"
    ] * told


def test_an_interval_of_ordinary_video_is_bounded_too() -> None:
    clip = clip_with(25, fallback="always", key_interval=1000, size=2048)
    assert clip.longest_interval == most_pictures(clip.size) < 1000


def test_each_picture_is_tracked_once_however_often_a_clip_is_coded(
    short_clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: Counter[bytes] = Counter()
    look = FaceTracker._look

    def counted(self: FaceTracker, picture: Picture) -> list[FloatArray]:
        seen[picture.tobytes()] += 1
        return look(self, picture)

    monkeypatch.setattr(FaceTracker, "_look", counted)
    options = EncodeOptions(
        model="mesh", key_pictures="auto", crop="none", bitrate=100_000, fallback="never"
    )
    summary = encode(short_clip, tmp_path / "out.265", options)
    assert summary.trials > 1
    sources = read_all(short_clip, RATE)
    assert [seen[picture.tobytes()] for picture in sources] == [1] * len(sources)


def test_places_of_coded_pictures() -> None:
    choose = at_distance(5.0)
    assert choose(Segment(0, list(range(21)))) == [0, 5, 10, 15, 20]
    assert choose(Segment(3, list(range(21)))) == [3, 9, 14, 20]
    assert choose(Segment(0, list(range(21)), {10, 20})) == [0, 5, 15]
    assert choose(Segment(4, [4])) == [4]
    assert choose(Segment(0, [0, 1])) == [0, 1]
    assert at_distance(0.4)(Segment(7, [7, 8, 9])) == [7, 8, 9]


LAYOUT = ParameterLayout(matrices=(MatrixShape(7, 1, 1, 2),))


def face(*values: float) -> FaceParameters:
    return LAYOUT.unflatten(np.array(values))


def test_trajectories_meet_what_is_known_at_both_ends() -> None:
    found = face(1.0, 0.0), face(5.0, 0.0)
    known = face(2.0, 0.0), face(5.0, 4.0)
    moved = through_ends([face(2.0, 0.0), None, face(4.0, 0.0)], found, known, LAYOUT)
    assert moved[1] is None
    rows = [LAYOUT.flatten(row).tolist() for row in moved if row is not None]
    assert rows == [[2.75, 1.0], [4.25, 3.0]]


def test_a_store_gives_back_what_it_got_and_uses_room_again() -> None:
    pictures = [np.full((4, 6, 3), value, np.uint8) for value in range(5)]
    with PictureStore() as store:
        for number, picture in enumerate(pictures[:3]):
            store.add(number, picture)
        store.drop([1])
        assert 1 not in store
        store.add(3, pictures[3])
        assert store._size == 3
        for number in (0, 2, 3):
            assert np.array_equal(store[number], pictures[number])
        with pytest.raises(KeyError):
            store[1]
        with pytest.raises(ValueError, match="among those"):
            store.add(4, np.zeros((2, 2, 3), np.uint8))


def test_rate_of_the_output_is_that_of_the_source(
    coded: tuple[Path, FaceStream, EncodeSummary],
) -> None:
    assert coded[1].rate == Fraction(25)
