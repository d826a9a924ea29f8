"""What a container asks for, or holds, and does not come out: `decode` and `encode` tell of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import av
import pytest

from gfvc import DecodeOptions, EncodeOptions, decode
from gfvc.encoder import look_at
from gfvc.limits import MAX_AREA
from gfvc.stream.shown_shape import tell_of_shape
from gfvc.video.left_out import tell_of_other_sound, tell_of_the_rest
from tests.gfvc.support import ffmpeg, no_notes

TONE = ("-f", "lavfi", "-i", "sine=frequency=440:duration=0.48")
GERMAN = ("-metadata:s:a:0", "language=eng", "-metadata:s:a:1", "language=deu")
SUBTITLES = "1\n00:00:00,000 --> 00:00:00,400\nhello\n"
CHAPTER = "[CHAPTER]\nTIMEBASE=1/100\nSTART={}\nEND={}\ntitle=part\n"


@pytest.fixture(scope="module")
def two_voices(tmp_path_factory: pytest.TempPathFactory, in_mp4: Path) -> Path:
    """The stream of twelve pictures with two tracks of sound, the second one marked as default."""
    path = tmp_path_factory.mktemp("two") / "two.mp4"
    maps = ("-map", "0", "-map", "1", "-map", "2", "-disposition:a:0", "0")
    ffmpeg("-i", in_mp4, *TONE, *TONE, *maps, "-disposition:a:1", "default", *GERMAN,
           "-c:v", "copy", "-c:a", "aac", path)  # fmt: skip
    return path


TWO_VOICES = "holds 2 sound tracks; number 2 (aac, deu) is kept, left out: number 1 (aac, eng)"


@pytest.mark.parametrize("audio", [None, "copy", "aac"])
def test_decode_names_the_sound_tracks(two_voices: Path, tmp_path: Path, audio: str | None) -> None:
    notes: list[str] = []
    decode(two_voices, tmp_path / "out.mp4", DecodeOptions(audio=audio), notes=notes.append)
    assert notes == [f"{two_voices}: {TWO_VOICES}"]


def test_sound_that_nobody_asked_for_is_told_of_in_one_line(
    two_voices: Path, tmp_path: Path
) -> None:
    notes: list[str] = []
    decode(two_voices, tmp_path / "out.mkv", notes=notes.append)
    assert notes == [f"{two_voices}: the sound is left out; an .mp4 file would keep it"]
    decode(two_voices, tmp_path / "out.mp4", DecodeOptions(audio="none"), notes=no_notes)


def test_encode_names_the_sound_tracks(two_voices: Path, short_clip: Path, tmp_path: Path) -> None:
    path = tmp_path / "spoken.mp4"
    ffmpeg("-i", short_clip, "-i", two_voices, "-map", "0:v", "-map", "1:a", "-c", "copy", path)
    for audio in ("copy", "aac"):
        notes: list[str] = []
        options = EncodeOptions(audio=audio, crop=None)
        look_at(path, tmp_path / "out.mp4", options, notes=notes.append)
        assert f"{path}: {TWO_VOICES}" in notes
    notes = []
    look_at(path, tmp_path / "out.266", EncodeOptions(crop=None), notes=notes.append)
    assert f"{path}: the sound is left out" in notes
    assert not any("sound tracks" in note for note in notes)


def test_many_sound_tracks_are_counted(in_mp4: Path, tmp_path: Path) -> None:
    path = tmp_path / "many.mkv"
    maps = [option for _ in range(8) for option in ("-map", "1")]
    ffmpeg("-i", in_mp4, *TONE, "-map", "0", *maps, "-c:v", "copy", "-c:a", "aac", path)
    notes: list[str] = []
    tell_of_other_sound(path, notes.append)
    assert len(notes) == 1
    assert "holds 8 sound tracks; number 1 (aac) is kept" in notes[0]
    assert notes[0].endswith("number 2 (aac), 3 (aac), 4 (aac), 5 (aac) and 3 more")


def with_more(source: Path, path: Path) -> Path:
    """A file with a subtitle track and two chapters more."""
    subtitles, chapters = path.with_suffix(".srt"), path.with_suffix(".txt")
    subtitles.write_text(SUBTITLES)
    chapters.write_text(";FFMETADATA1\ntitle=x\n" + CHAPTER.format(0, 20) + CHAPTER.format(20, 48))
    kind = "mov_text" if path.suffix == ".mp4" else "srt"
    ffmpeg("-i", source, "-i", subtitles, "-f", "ffmetadata", "-i", chapters, "-map", "0",
           "-map", "1", "-map_metadata", "2", "-map_chapters", "2", "-c", "copy", "-c:s", kind,
           path)  # fmt: skip
    return path


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_decode_tells_of_subtitles_and_chapters(in_mp4: Path, tmp_path: Path, suffix: str) -> None:
    path = with_more(in_mp4, tmp_path / f"more{suffix}")
    notes: list[str] = []
    decode(path, tmp_path / "out.mp4", notes=notes.append)
    says = "beside video and sound it holds a subtitle track and 2 chapters: left out"
    assert notes == [f"{path}: {says}"]


def test_encode_tells_of_subtitles_and_chapters(short_clip: Path, tmp_path: Path) -> None:
    path = with_more(short_clip, tmp_path / "more.mkv")
    notes: list[str] = []
    look_at(path, tmp_path / "out.266", EncodeOptions(crop=None), notes=notes.append)
    assert f"{path}: beside video and sound it holds a subtitle track and 2 chapters: left out" in (
        notes
    )


def test_attached_files_are_told_of_and_titles_are_not(in_mp4: Path, tmp_path: Path) -> None:
    path, attached = tmp_path / "attached.mkv", tmp_path / "font.ttf"
    attached.write_bytes(bytes(100))
    mime = ("-metadata:s:t", "mimetype=application/x-truetype-font")
    ffmpeg("-i", in_mp4, "-attach", attached, *mime, "-c", "copy", "-metadata", "title=x", path)
    notes: list[str] = []
    tell_of_the_rest(path, notes.append)
    assert notes == [f"{path}: beside video and sound it holds an attached file: left out"]
    tell_of_the_rest(in_mp4, no_notes)


@pytest.mark.parametrize(
    ("name", "turn", "says"),
    [
        ("left.mp4", ("-display_rotation", "90"), "turned by 90 degrees to the left"),
        ("left.mkv", ("-display_rotation", "90"), "turned by 90 degrees to the left"),
        ("right.mp4", ("-display_rotation", "-90"), "turned by 90 degrees to the right"),
        ("half.mp4", ("-display_rotation", "180"), "turned by 180 degrees"),
        ("mirrored.mp4", ("-display_hflip",), "mirrored"),
        ("slanted.mp4", ("-display_rotation", "30"), "turned by 30 degrees to the left"),
        (
            "both.mp4",
            ("-display_rotation", "30", "-display_hflip"),
            "mirrored, then turned by 30 degrees to the right",
        ),
        ("slanted.mkv", ("-display_rotation", "-100"), "turned by 100 degrees to the right"),
    ],
)
def test_turned_containers_are_told_of(
    in_mp4: Path, tmp_path: Path, name: str, turn: tuple[str, ...], says: str
) -> None:
    path = tmp_path / name
    ffmpeg(*turn, "-i", in_mp4, "-c", "copy", path)
    notes: list[str] = []
    decode(path, tmp_path / "out.mkv", notes=notes.append)
    assert notes == [f"{path}: is to be shown {says}; that is not applied"]


def test_stretched_containers_are_told_of(in_mp4: Path, tmp_path: Path) -> None:
    path = tmp_path / "stretched.mp4"
    ffmpeg("-display_rotation", "90", "-i", in_mp4, "-c", "copy", "-aspect", "3:2", path)
    notes: list[str] = []
    tell_of_shape(path, "hevc", notes.append)
    assert notes == [
        f"{path}: is to be shown turned by 90 degrees to the left and with pixels 1.5 times as "
        "wide as high; that is not applied"
    ]


@pytest.mark.parametrize(
    ("name", "coder"),
    [
        ("wide.265", ("libx265", "-x265-params", "log-level=none")),
        ("wide.266", ("libvvenc", "-pix_fmt", "yuv420p10le", "-vvenc-params",
                      "aspectratioinfopresent=1:sarwidth=2:sarheight=1:aspectratioidc=255")),
    ],
)  # fmt: skip
def test_pixels_that_are_not_square_are_told_of(
    short_clip: Path, tmp_path: Path, name: str, coder: tuple[str, ...]
) -> None:
    path = tmp_path / name
    ffmpeg("-i", short_clip, "-frames:v", "2", "-vf", "scale=64:64,setsar=2", "-c:v", *coder, path)
    notes: list[str] = []
    tell_of_shape(path, "hevc" if name.endswith("5") else "vvc", notes.append)
    assert notes == [
        f"{path}: is to be shown with pixels 2 times as wide as high; that is not applied"
    ]


def test_large_pictures_are_not_decoded_to_see_their_shape(
    small_stream: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = []
    open_media = av.open

    def spy(*arguments: Any, **options: Any) -> Any:
        opened.append(options)
        return open_media(*arguments, **options)

    monkeypatch.setattr("av.open", spy)
    tell_of_shape(small_stream, "hevc", no_notes)
    assert opened[-1]["stream_options"] == [{"max_pixels": str(MAX_AREA)}]


def test_ordinary_streams_ask_for_nothing(in_mp4: Path, small_stream: Path) -> None:
    for path in (in_mp4, small_stream):
        tell_of_shape(path, "hevc", no_notes)


def test_what_cannot_be_decoded_asks_for_nothing(tmp_path: Path) -> None:
    path = tmp_path / "damaged.266"
    path.write_bytes(b"\0\0\0\1\0\x79" + bytes(range(1, 200)))
    tell_of_shape(path, "vvc", no_notes)
