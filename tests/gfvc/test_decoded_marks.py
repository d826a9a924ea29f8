"""What decoded files say of themselves, and streams whose content must not be used."""

from __future__ import annotations

from pathlib import Path

import av
import pytest
from PIL import Image

from gfvc import DecodeOptions, decode
from gfvc.stream.marking import (
    DIGITAL_SOURCE_TYPE,
    EDITED,
    GENERATED,
    mark_message,
    marked_again,
)
from gfvc.stream.reader import read_face_stream
from gfvc.stream.stated_content import MAX_CONTENT_BYTES, TOO_MUCH
from sei import SeiMessage, join_annex_b, make_sei_nal_unit, split_annex_b
from sei.content_messages import (
    AI_MARKING,
    AI_USAGE_RESTRICTIONS,
    TEXT_DESCRIPTION,
    Restriction,
    TextDescription,
    UsageRestrictions,
)
from tests.gfvc.support import CommandLine, assert_refused, no_notes
from tests.golden.files import STREAMS

MARKED = STREAMS / "hevc_mesh_marked.265"
UNMARKED = STREAMS / "hevc_mesh_full_keys.265"
ORDINARY = STREAMS / "hevc_fallback_always.265"
MARKING_PAGE = Path(__file__).parents[2] / "docs/marking.md"


def comment(path: Path) -> str | None:
    with av.open(str(path)) as container:
        metadata: dict[str, str] = container.metadata
    return metadata.get("comment") or metadata.get("COMMENT")


def with_messages(path: Path, source: Path, *messages: SeiMessage) -> Path:
    """A stream with messages before its first coded picture."""
    units = list(split_annex_b(source.read_bytes()))
    first = next(number for number, unit in enumerate(units) if unit.is_vcl)
    units[first:first] = [make_sei_nal_unit(messages, units[0].codec, suffix=False)]
    path.write_bytes(join_annex_b(units))
    return path


def restricted(*restrictions: Restriction) -> SeiMessage:
    return SeiMessage(AI_USAGE_RESTRICTIONS, UsageRestrictions(restrictions).to_payload())


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
@pytest.mark.parametrize("source", [MARKED, UNMARKED])
def test_videos_say_that_faces_are_generated(tmp_path: Path, source: Path, suffix: str) -> None:
    output = tmp_path / f"decoded{suffix}"
    decode(source, output)
    assert comment(output) == f"{GENERATED}; {DIGITAL_SOURCE_TYPE}"


def test_an_edited_stream_says_so(tmp_path: Path) -> None:
    source, output = tmp_path / "edited.265", tmp_path / "decoded.mp4"
    units = split_annex_b(MARKED.read_bytes())
    source.write_bytes(join_annex_b(marked_again(units)))
    decode(source, output)
    assert comment(output) == f"{EDITED}; {DIGITAL_SOURCE_TYPE}"


def foreign(text: str, number: int = 7) -> SeiMessage:
    payload = TextDescription(AI_MARKING, number, (("en", text),)).to_payload()
    return SeiMessage(TEXT_DESCRIPTION, payload)


@pytest.mark.parametrize(
    ("messages", "says"),
    [
        ((mark_message(EDITED), mark_message()), EDITED),
        ((mark_message(), mark_message(EDITED)), EDITED),
        ((mark_message(), foreign("by A"), foreign("by B", 8), foreign("by A")),
         f"{GENERATED}; by A; by B"),
        ((foreign("by A"), foreign(""), mark_message(EDITED)), f"{EDITED}; by A"),
        ((foreign("a\x1b[2J\u202eb\r\nc"),), "a\\x1b[2J\\u202eb\\r\\nc"),
    ],
)  # fmt: skip
def test_all_marks_count_and_are_fit_to_be_printed(
    messages: tuple[SeiMessage, ...], says: str, tmp_path: Path
) -> None:
    source = with_messages(tmp_path / "in.265", UNMARKED, *messages)
    assert read_face_stream(source, no_notes).mark == says
    decode(source, tmp_path / "out.mkv")
    assert comment(tmp_path / "out.mkv") == f"{says}; {DIGITAL_SOURCE_TYPE}"


def test_a_stream_of_which_a_part_is_edited_says_so(tmp_path: Path) -> None:
    units = split_annex_b(MARKED.read_bytes())
    source = tmp_path / "both.265"
    source.write_bytes(join_annex_b(marked_again(units)) + MARKED.read_bytes())
    assert read_face_stream(source, no_notes).mark == EDITED


def test_a_long_mark_of_others_is_cut(tmp_path: Path) -> None:
    source = with_messages(tmp_path / "in.265", UNMARKED, foreign("x" * 60_000))
    decode(source, tmp_path / "out.mp4")
    assert comment(tmp_path / "out.mp4") == f"{'x' * 256}; {DIGITAL_SOURCE_TYPE}"


def test_pictures_say_so(tmp_path: Path) -> None:
    folder = tmp_path / "pictures"
    summary = decode(MARKED, folder)
    pictures = sorted(folder.iterdir())
    assert len(pictures) == summary.frames
    for path in pictures:
        with Image.open(path) as picture:
            assert picture.info["Comment"] == GENERATED
            assert DIGITAL_SOURCE_TYPE in picture.info["XML:com.adobe.xmp"]


def test_ordinary_video_says_nothing(tmp_path: Path) -> None:
    decode(ORDINARY, tmp_path / "decoded.mp4")
    assert comment(tmp_path / "decoded.mp4") is None
    decode(ORDINARY, tmp_path / "pictures")
    with Image.open(tmp_path / "pictures" / "000000.png") as picture:
        assert not {"Comment", "XML:com.adobe.xmp"} & set(picture.info)


@pytest.mark.parametrize(
    "restriction", [Restriction(0), Restriction(5), Restriction(1, 3), Restriction(2, 3)]
)
def test_a_restricted_stream_is_refused(
    tmp_path: Path, command: CommandLine, restriction: Restriction
) -> None:
    free = Restriction(4, 9, excluded=True)
    source = with_messages(tmp_path / "in.265", MARKED, restricted(free, restriction))
    says = [f"(aur_restriction {restriction.kind})", "--ignore-restrictions"]
    assert_refused(command, "decode", source, tmp_path / "out.mp4", folder=tmp_path, says=says)


def test_the_page_restricts_a_stream(tmp_path: Path, command: CommandLine) -> None:
    page = MARKING_PAGE.read_text("utf-8")
    lines, source = tmp_path / "restrict.jsonl", tmp_path / "restricted.265"
    lines.write_text(page.split("```json\n")[1].split("```")[0])
    assert command("inject", MARKED, lines, source).status == 0
    says = ["(aur_restriction 1)", "--ignore-restrictions"]
    assert_refused(command, "decode", source, tmp_path / "out.mp4", folder=tmp_path, says=says)


MANY = MAX_CONTENT_BYTES // 100


@pytest.mark.parametrize("kind", ["marks", "restrictions"])
def test_more_marks_or_restrictions_than_anybody_means_are_refused(
    tmp_path: Path, command: CommandLine, kind: str
) -> None:
    """They are read part by part: a megabyte took 15 seconds."""
    free = [Restriction(4, 9, excluded=True)] * 40
    unlike = [Restriction(4, number, excluded=True) for number in range(MANY)]
    messages = {
        "marks": [mark_message(f"{number:0>100}") for number in range(MANY)],
        "restrictions": [restricted(one, *free) for one in unlike],
    }[kind]
    source = with_messages(tmp_path / "in.265", MARKED, *messages)
    says = ["in.265: NAL unit at byte ", TOO_MUCH]
    assert_refused(command, "decode", source, tmp_path / "out.mp4", folder=tmp_path, says=says)
    run = command("verify", source)
    assert run.out.count(f"{TOO_MUCH}; gfvc decode refuses this") == 1


def test_marks_and_restrictions_may_be_repeated(tmp_path: Path) -> None:
    """In turn, too, as marks in two languages are at each IDR picture."""
    free = Restriction(4, 9, excluded=True)
    marks = mark_message("x" * 100), mark_message("y" * 100)
    in_turn = *marks, restricted(free), restricted(free, free)
    source = with_messages(tmp_path / "in.265", MARKED, *in_turn * MANY)
    decode(source, tmp_path / "out.mp4")
    assert "x" * 100 in (comment(tmp_path / "out.mp4") or "")


def test_a_restricted_stream_is_decoded_when_asked(tmp_path: Path, command: CommandLine) -> None:
    source = with_messages(tmp_path / "in.265", MARKED, restricted(Restriction(1)))
    output = tmp_path / "out.mkv"
    assert command("decode", source, output, "--ignore-restrictions").status == 0
    assert decode(MARKED, tmp_path / "plain.mkv").frames
    assert output.read_bytes() == (tmp_path / "plain.mkv").read_bytes()


@pytest.mark.parametrize(
    ("base", "message"),
    [
        (MARKED, restricted(Restriction(1, 7, excluded=True))),
        (MARKED, restricted()),
        (MARKED, SeiMessage(AI_USAGE_RESTRICTIONS, b"")),
        (ORDINARY, restricted(Restriction(1))),
    ],
    ids=["but in a context", "cancelled", "damaged", "nothing is drawn"],
)
def test_what_is_not_refused(tmp_path: Path, base: Path, message: SeiMessage) -> None:
    source = with_messages(tmp_path / "in.265", base, message, mark_message())
    assert decode(source, tmp_path / "out.mkv", DecodeOptions()).frames
