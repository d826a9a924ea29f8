from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from gfvc import InputError
from gfvc.colour import colour_of, frame_to_rgb, is_grey, untagged_matrix, without_colour
from gfvc.demo_clip import demo_still
from gfvc.rectangle import Rectangle
from gfvc.video.brightness import is_bright
from gfvc.video_reader import read_pictures
from gfvc.video_writer import write_video
from models.contract import Picture
from tests.gfvc.support import ffmpeg, mean_difference

RATE = Fraction(25)
# RGB of BT.709, as ffmpeg's zscale must be told.
RGB = "setparams=colorspace=gbr:color_primaries=bt709:color_trc=bt709:range=pc"


@pytest.fixture(scope="module")
def still() -> Picture:
    return demo_still(128)


@pytest.fixture(scope="module")
def source(still: Picture, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_video(tmp_path_factory.mktemp("colours") / "still.mkv", [still] * 2, RATE)


def convert(source: Path, path: Path, filters: str, pixels: str = "yuv420p10le") -> Path:
    ffmpeg("-i", source, "-vf", f"{RGB},{filters},format={pixels}", "-c:v", "ffv1", path)
    return path


# What takes the word for colours out of a stream; VP8 has none.
SILENT = {
    "hevc": ("-bsf:v", "hevc_metadata=video_full_range_flag=0:colour_primaries=2:"
             "transfer_characteristics=2:matrix_coefficients=2"),
    "vp9": ("-bsf:v", "vp9_metadata=color_space=unknown"),
    "vp8": (),
}  # fmt: skip


def read(path: Path) -> tuple[Picture, list[str]]:
    """The first of two pictures, and notes without the path."""
    notes: list[str] = []
    pictures = list(read_pictures(path, RATE, notes=notes.append))
    assert len(pictures) == 2
    return pictures[0], [note.removeprefix(f"{path}: ") for note in notes]


@pytest.mark.parametrize(("transfer", "name"), [("arib-std-b67", "HLG"), ("smpte2084", "PQ")])
def test_hdr_video_is_tone_mapped(
    still: Picture, source: Path, tmp_path: Path, transfer: str, name: str
) -> None:
    """Nothing here is brighter than reference white, so all comes back as it was."""
    path = convert(source, tmp_path / "hdr.mkv", f"zscale=m=2020_ncl:p=2020:t={transfer}:npl=203")
    picture, notes = read(path)
    assert notes == [f"{name} video is tone-mapped to BT.709"]
    assert not is_bright(path)
    assert mean_difference(picture, still) < 3.0
    assert np.abs(picture.mean(axis=(0, 1)) - still.mean(axis=(0, 1))).max() < 3.5
    part = next(iter(read_pictures(path, RATE, Rectangle(30, 21, 64, 50))))
    np.testing.assert_array_equal(part, picture[21:71, 30:94])


def test_what_is_brighter_than_white_is_made_to_fit(
    still: Picture, source: Path, tmp_path: Path
) -> None:
    """Four times as bright: cut off, a third of the face would be white without any drawing."""
    gain = ":".join(f"{c}='4*{c}(X,Y)'" for c in "rgb")
    path = convert(source, tmp_path / "bright.mkv",
                   f"zscale=t=linear:npl=203,format=gbrpf32le,geq={gain},"
                   "zscale=m=2020_ncl:p=2020:t=smpte2084:npl=203")  # fmt: skip
    assert is_bright(path)
    picture, _ = read(path)
    white = (picture.min(axis=2) >= 252).mean()
    assert white < 0.01
    assert (still.min(axis=2) > 128).mean() > 0.2
    # Lights and shades are in the order that they were in.
    grey, before = (cv2.cvtColor(p, cv2.COLOR_RGB2GRAY).ravel() for p in (picture, still))
    assert np.corrcoef(grey, before)[0, 1] > 0.95


def test_hdr_without_further_tags_is_taken_for_bt2020(
    still: Picture, source: Path, tmp_path: Path
) -> None:
    path = convert(source, tmp_path / "hdr.mkv",
                   "zscale=m=2020_ncl:p=2020:t=arib-std-b67:npl=203,"
                   "setparams=colorspace=unknown:color_primaries=unknown")  # fmt: skip
    picture, notes = read(path)
    assert notes == ["HLG video is tone-mapped to BT.709"]
    assert mean_difference(picture, still) < 3.0


def test_wide_colours_are_mapped(still: Picture, source: Path, tmp_path: Path) -> None:
    path = convert(source, tmp_path / "wide.mkv", "zscale=m=2020_ncl:p=2020:t=709")
    picture, notes = read(path)
    assert notes == ["colours of BT.2020 are mapped to BT.709"]
    assert mean_difference(picture, still) < 1.5
    # Taken for BT.709 they would be pale.
    raw = convert(source, tmp_path / "raw.mkv",
                  "zscale=m=2020_ncl:p=2020:t=709,setparams=color_primaries=bt709")  # fmt: skip
    assert mean_difference(read(raw)[0], still) > 2.5


def test_primaries_of_standard_definition_are_mapped(
    still: Picture, source: Path, tmp_path: Path
) -> None:
    path = convert(source, tmp_path / "sd.mkv", "zscale=m=170m:p=170m:t=601")
    picture, notes = read(path)
    assert notes == []
    exact = mean_difference(picture, still)
    raw = convert(source, tmp_path / "raw.mkv",
                  "zscale=m=170m:p=170m:t=601,setparams=color_primaries=unknown")  # fmt: skip
    assert exact < 1.5
    assert exact < mean_difference(read(raw)[0], still)


@pytest.mark.parametrize(
    ("size", "matrix"),
    [((320, 180), "bt470bg"), ((720, 576), "bt470bg"), ((1280, 720), "bt709"),
     ((404, 720), "bt709"), ((1280, 536), "bt709")],
)  # fmt: skip
def test_video_that_says_nothing_is_bt709_if_it_is_hd(
    tmp_path: Path, size: tuple[int, int], matrix: str
) -> None:
    colour = np.full((size[1], size[0], 3), (210, 60, 40), np.uint8)
    source = write_video(tmp_path / "source.mkv", [colour] * 2, RATE)
    path = tmp_path / "untagged.mkv"
    filters = (
        f"scale=out_color_matrix={matrix}:out_range=tv,format=yuv420p,"
        "setparams=colorspace=unknown:range=tv"
    )
    ffmpeg("-i", source, "-vf", filters, "-c:v", "libx264", "-qp", "1", path)
    with av.open(str(path)) as container:
        assert int(next(container.decode(video=0)).colorspace) == 2
    picture, notes = read(path)
    assert notes == []
    assert np.abs(picture.mean(axis=(0, 1)) - (210, 60, 40)).max() < 3
    assert untagged_matrix(*size) == (1 if matrix == "bt709" else 6)


@pytest.mark.parametrize("size", [64, 720])
def test_raw_video_is_read_as_it_was_written(tmp_path: Path, size: int) -> None:
    """YUV4MPEG2 has no word for the matrix: writer and reader go by the size."""
    colour = np.full((size, size, 3), (210, 60, 40), np.uint8)
    picture, _ = read(write_video(tmp_path / "raw.y4m", [colour] * 2, RATE))
    assert np.abs(picture.mean(axis=(0, 1)) - (210, 60, 40)).max() < 2


def test_a_matrix_that_is_not_known_is_refused(source: Path, tmp_path: Path) -> None:
    path = tmp_path / "ycgco.mp4"
    ffmpeg("-i", source, "-c:v", "libx264", "-pix_fmt", "yuv420p",
           "-bsf:v", "h264_metadata=matrix_coefficients=8", path)  # fmt: skip
    with pytest.raises(InputError, match=r"ycgco\.mp4: its colours are coded with matrix 8"):
        list(read_pictures(path, RATE))


@pytest.mark.parametrize("pixels", ["gray", "gray10le", "yuvj420p", "yuv420p"])
def test_grey_is_read_as_grey(source: Path, still: Picture, tmp_path: Path, pixels: str) -> None:
    path = tmp_path / "grey.mkv"
    ffmpeg("-i", source, "-vf", f"format=gray,format={pixels}", "-c:v", "ffv1", path)
    picture, _ = read(path)
    assert is_grey(picture)
    assert mean_difference(picture, without_colour(still)) < 6


def test_a_face_is_not_grey(still: Picture) -> None:
    assert not is_grey(still)
    pale = np.rint(0.9 * without_colour(still) + 0.1 * still.astype(float)).astype(np.uint8)
    assert not is_grey(pale)
    assert is_grey(without_colour(still))


def test_standard_frames_are_not_mapped(still: Picture) -> None:
    frame = av.VideoFrame.from_ndarray(still, format="rgb24").reformat(format="yuv420p")
    for primaries, transfer in ((1, 1), (2, 2), (1, 6), (0, 13)):
        frame.color_primaries, frame.color_trc = primaries, transfer
        assert not colour_of(frame).is_mapped
    frame.color_primaries = 9
    assert colour_of(frame).is_mapped
    assert frame_to_rgb(frame).shape == still.shape


HEVC = ("-c:v", "libx265", "-x265-params", "log-level=none:pools=1", "-qp", "4")
# Of VP8 and VP9.
VPX = ("-crf", "4", "-b:v", "2M", "-deadline", "realtime")


@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_hdr_that_only_the_container_states_is_tone_mapped(
    still: Picture, source: Path, tmp_path: Path, suffix: str
) -> None:
    """The parameter sets of the stream say nothing, as of many cameras and editors."""
    hdr = convert(source, tmp_path / "hdr.mkv", "zscale=m=2020_ncl:p=2020:t=smpte2084:npl=203")
    path = tmp_path / f"container.{suffix}"
    ffmpeg("-i", hdr, *HEVC, *SILENT["hevc"], path)
    picture, notes = read(path)
    assert notes == ["PQ video is tone-mapped to BT.709"]
    assert not is_bright(path)
    assert mean_difference(picture, still) < 4.0


@pytest.mark.parametrize(
    ("codec", "coding"),
    [("hevc", HEVC), ("vp9", ("-c:v", "libvpx-vp9", *VPX)), ("vp8", ("-c:v", "libvpx", *VPX))],
)
def test_a_matrix_that_only_the_container_states_counts(
    tmp_path: Path, codec: str, coding: tuple[str, ...]
) -> None:
    colour = np.full((96, 128, 3), (210, 60, 40), np.uint8)
    source = write_video(tmp_path / "source.mkv", [colour] * 2, RATE)
    filters = ("-vf", "scale=out_color_matrix=bt709:out_range=tv,format=yuv420p,"
               "setparams=colorspace=bt709:color_primaries=bt709:color_trc=bt709")  # fmt: skip
    path = tmp_path / "hd.mkv"
    ffmpeg("-i", source, *filters, *coding, *SILENT[codec], path)
    picture, _ = read(path)
    assert np.abs(picture.mean(axis=(0, 1)) - (210, 60, 40)).max() < 4


@pytest.mark.parametrize("says", [False, True])
def test_the_stream_comes_before_the_container(tmp_path: Path, says: bool) -> None:
    """Full range: the container says so, and the stream nothing, or otherwise."""
    grey = np.full((96, 128, 3), 200, np.uint8)
    source = write_video(tmp_path / "source.mkv", [grey] * 2, RATE)
    filters = ("-vf", "scale=out_color_matrix=bt709:out_range=pc,format=yuv420p,setparams="
               "colorspace=bt709:color_primaries=bt709:color_trc=bt709:range=pc")  # fmt: skip
    path = tmp_path / "full.mp4"
    ffmpeg("-i", source, *filters, *HEVC, *SILENT["hevc"], path)
    if says:
        ffmpeg("-i", path, "-c", "copy", "-bsf:v", "hevc_metadata=video_full_range_flag=0:"
               "matrix_coefficients=1", tmp_path / "stated.mp4")  # fmt: skip
        path = tmp_path / "stated.mp4"
    picture, _ = read(path)
    expected = (200 - 16) * 255 / 219 if says else 200
    assert abs(picture.mean() - expected) < 3


@pytest.mark.parametrize("pixels", ["rgb555", "rgb565", "bgr555", "bgr565", "rgb444"])
@pytest.mark.parametrize("order", ["le", "be"])
def test_pixels_of_two_bytes_are_read_in_either_order(
    source: Path, still: Picture, tmp_path: Path, pixels: str, order: str
) -> None:
    clip = tmp_path / "clip.nut"
    ffmpeg("-i", source, "-c:v", "rawvideo", "-pix_fmt", pixels + order, clip)
    with av.open(str(clip)) as container:
        assert next(container.decode(video=0)).format.name == pixels + order
    assert mean_difference(read(clip)[0], still) < 10
