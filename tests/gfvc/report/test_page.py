"""The page: whole, escaped, the same each time, and within its bounds."""

from __future__ import annotations

import base64
import json
import shutil
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from gfvc.errors import OutputError
from gfvc.options.benchmarking import ReportOptions
from gfvc.report.page import write_report
from models.contract import Picture
from tests.gfvc.report.conftest import HOSTILE, RATE, WORST_PICTURE
from tests.gfvc.support import CommandLine, assert_refused, mean_difference, read_all


class Page(HTMLParser):
    """Elements of a page, its text, and the content of its scripts."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.scripts: list[str] = []
        self._in_script = False
        self.feed(path.read_text(encoding="utf-8"))
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self._in_script = tag == "script"

    def handle_endtag(self, tag: str) -> None:
        self._in_script = False

    def handle_data(self, data: str) -> None:
        (self.scripts if self._in_script else self.texts).append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.texts).split())


@pytest.fixture(scope="module")
def page_path(tmp_path_factory: pytest.TempPathFactory, bench_run: Path) -> Path:
    path = tmp_path_factory.mktemp("page") / "page.html"
    summary = write_report(bench_run, path)
    assert (summary.clips, summary.left_out) == (1, ())
    assert summary.bytes == path.stat().st_size
    return path


@pytest.fixture(scope="module")
def page(page_path: Path) -> Page:
    return Page(page_path)


def test_texts_of_the_run_are_escaped(page: Page) -> None:
    # The player's data, all videos, and the page's own script: nothing of the run became one.
    assert len(page.scripts) == 3
    assert [tag for tag, _ in page.elements].count("script") == 3
    assert f"two, vvenc, QP 1: no {HOSTILE}" in page.text
    assert any(HOSTILE in (attributes.get("aria-label") or "") for _, attributes in page.elements)


def test_nothing_is_fetched_from_elsewhere(page: Page) -> None:
    for tag, attributes in page.elements:
        assert tag not in ("iframe", "object", "embed", "base")
        for name in ("src", "href", "srcset", "poster", "action"):
            value = attributes.get(name) or "#"
            assert value.startswith(("#", "data:")), (tag, value)
    policy = next(a["content"] for t, a in page.elements if a.get("http-equiv"))
    assert (policy or "").startswith("default-src 'none'; ")


def test_videos_are_in_it_once_and_whole(page: Page, bench_run: Path) -> None:
    player, videos = (json.loads(script) for script in page.scripts[:2])
    files = [bench_run / "source.mp4", *(bench_run / f"points/{n}.mp4" for n in (1, 2, 0, 4))]
    prefix = "data:video/mp4;base64,"
    contents = [base64.b64decode(uri.removeprefix(prefix)) for uri in videos.values()]
    assert contents == [file.read_bytes() for file in files]
    assert player["source"] == "video0"
    assert [[point["video"] for point in each] for each in player["comparisons"]] == [
        ["video1", "video2"],
        ["video3", "video4"],
    ]


def test_what_is_compared_is_said(page: Page) -> None:
    sentence = "Compared with vvenc QP 19 : 5000 bits by gfvc, 5200 by the peer"
    assert sentence in page.text
    assert "1.04 times as many" in page.text


def test_bits_of_base_layer_and_messages_stand_beside_the_peer(page: Page) -> None:
    names = ["gfvc mesh QP 20, base layer", "gfvc mesh QP 20, SEI", "vvenc QP 19"]
    assert " ".join(names) in page.text
    stripped = [text.strip() for text in page.texts]
    assert all(stripped.count(name) == 2 for name in names[:2])  # in the legend, in the chart


def test_the_worst_rate_of_a_clip_is_said(page: Page) -> None:
    assert (
        "mean over clips: % more (+) or fewer (-) bits at equal quality, above 1 kbit/s, below"
        in (page.text)
    )
    assert "Worst of all measures" in page.text
    assert f"0 of 1 clips; worst {HOSTILE}: no overlap, worse by 2 at least" in page.text


def test_runs_from_before_worst_clips_and_parts_of_bits_are_shown(
    tmp_path: Path, bench_run: Path, results: Any
) -> None:
    folder = tmp_path / "bench"
    shutil.copytree(bench_run, folder)
    for row in results["mean_bd_rates"]:
        row.pop("worst")
    for point in results["points"]:
        point.pop("picture_bits_of")
    results["plan"].pop("above_kbps")
    results["plan"]["below_kbps"] = None
    (folder / "bench.json").write_text(json.dumps(results))
    write_report(folder, tmp_path / "page.html")
    text = Page(tmp_path / "page.html").text
    assert "gfvc mesh QP 20 vvenc QP 19" in text  # the legend of the bits
    assert "worst one" not in text
    assert "bits at equal quality gfvc" in text


def test_worst_pictures(page: Page) -> None:
    jumps = [a.get("data-picture") for tag, a in page.elements if a.get("class") == "jump"]
    assert jumps[:3] == [str(WORST_PICTURE), "29", "24"]
    pictures = [a for tag, a in page.elements if tag == "img"]
    assert len(pictures) == 2 * len(jumps)
    assert all((a.get("src") or "").startswith("data:image/png;base64,") for a in pictures)
    assert all(a.get("alt") for a in pictures)
    assert "landmark error 1, SSIM of the face 0.8" in page.text


def shown_pictures(page: Page) -> list[Picture]:
    """Those that stand in the page, RGB."""
    found = []
    for tag, attributes in page.elements:
        if tag == "img":
            data = base64.b64decode(
                (attributes["src"] or "").removeprefix("data:image/png;base64,")
            )
            decoded = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
            found.append(np.asarray(decoded[..., ::-1], np.uint8))
    return found


def test_whole_pictures_are_played_large_and_their_worst_faces_shown(
    tmp_path: Path, whole_run: Path, page: Page, demo_pictures: list[Picture]
) -> None:
    write_report(whole_run, tmp_path / "page.html")
    whole = Page(tmp_path / "page.html")
    assert "Whole pictures. Bits are" in whole.text
    assert "112, 10 a second. Faces are measured in the square of 96x96 at 80, 0." in whole.text
    assert "The face squares: source left" in whole.text
    classes = {a.get("class") for _, a in whole.elements}
    assert "videos wide" in classes
    # The face alone, and not what is beside it.
    worst = shown_pictures(whole)[0]
    assert worst.shape == (256, 256, 3)
    assert mean_difference(worst, demo_pictures[WORST_PICTURE]) < 12
    # Squares around the face are played as ever.
    assert "Whole pictures" not in page.text
    assert {a.get("class") for _, a in page.elements} >= {"videos"}
    assert shown_pictures(page)[0].shape == (96, 96, 3)


def played_videos(page: Page, folder: Path) -> list[list[Picture]]:
    """The pictures of the videos of a page."""
    found = []
    for name, uri in json.loads(page.scripts[1]).items():
        path = folder / f"{name}.mp4"
        path.write_bytes(base64.b64decode(uri.partition(",")[2]))
        found.append(read_all(path, RATE))
    return found


def test_the_faces_of_whole_pictures_are_shown_alone(
    tmp_path: Path, whole_run: Path, demo_pictures: list[Picture]
) -> None:
    path = tmp_path / "page.html"
    assert write_report(whole_run, path, ReportOptions(view="face")).left_out == ()
    page = Page(path)
    assert "Whole pictures, of which the face squares are shown." in page.text
    classes = {a.get("class") for _, a in page.elements}
    assert "videos" in classes
    assert "videos wide" not in classes
    videos = [a for tag, a in page.elements if tag == "video"]
    assert {(a["width"], a["height"]) for a in videos} == {("256", "256")}
    source, *decoded = played_videos(page, tmp_path)
    assert len(decoded) == 4
    assert len(source) == len(demo_pictures)
    for shown, wanted in zip(source, demo_pictures, strict=True):
        assert mean_difference(shown, wanted) < 14
    # The same run gives the same page.
    write_report(whole_run, tmp_path / "again.html", ReportOptions(view="face"))
    assert (tmp_path / "again.html").read_bytes() == path.read_bytes()


def test_views_that_a_run_has_already_or_not(
    tmp_path: Path, bench_run: Path, whole_run: Path, command: CommandLine
) -> None:
    asked = {bench_run: ReportOptions(view="face"), whole_run: ReportOptions(view="whole")}
    for run, options in asked.items():
        write_report(run, tmp_path / "as_it_is.html")
        write_report(run, tmp_path / "asked.html", options)
        one, other = ((tmp_path / name).read_bytes() for name in ("as_it_is.html", "asked.html"))
        assert one == other
        (tmp_path / "as_it_is.html").unlink()
        (tmp_path / "asked.html").unlink()
    arguments = ("report", bench_run, "--view", "whole", "--out", tmp_path / "page.html")
    says = f"{bench_run}: is of faces alone; measure with gfvc bench --view whole first"
    assert_refused(command, *arguments, folder=tmp_path, says=says)


def test_a_video_without_room_for_the_face_square_is_named(
    tmp_path: Path, bench_run: Path, whole_run: Path
) -> None:
    folder = tmp_path / "bench"
    shutil.copytree(whole_run, folder)
    shutil.copy(bench_run / "source.mp4", folder / "source.mp4")
    summary = write_report(folder, tmp_path / "page.html")
    assert all("source.mp4: is smaller than the face square" in each for each in summary.left_out)
    assert len(summary.left_out) == 1
    alone = write_report(folder, tmp_path / "alone.html", ReportOptions(view="face"))
    assert [each.partition(": is smaller")[1] for each in alone.left_out] == [": is smaller"] * 2
    assert "No videos of this clip are on this page." in Page(tmp_path / "alone.html").text


def test_every_plot_and_control_has_a_name(page: Page) -> None:
    charts = [a for tag, a in page.elements if a.get("class") == "chart"]
    assert len(charts) == 4  # bits of two comparisons, PSNR, landmark error
    for attributes in charts:
        assert attributes.get("aria-label")
    for tag, attributes in page.elements:
        if tag in ("input", "video"):
            assert attributes.get("aria-label"), tag


def test_the_same_run_gives_the_same_page(tmp_path: Path, bench_run: Path, page_path: Path) -> None:
    write_report(bench_run, tmp_path / "again.html")
    assert (tmp_path / "again.html").read_bytes() == page_path.read_bytes()


def test_the_size_is_bounded_and_what_is_left_out_is_named(tmp_path: Path, bench_run: Path) -> None:
    videos = [bench_run / name for name in ("source.mp4", "points/1.mp4", "points/2.mp4")]
    needed = sum(22 + 4 * -(-video.stat().st_size // 3) for video in videos)
    enough, less_by_one = (ReportOptions(max_megabytes=n / 1e6) for n in (needed, needed - 1))
    just = write_report(bench_run, tmp_path / "just.html", enough)
    assert just.left_out == (
        f"{HOSTILE}: worst pictures of gfvc mesh QP 20: over the page's size limit",
        f"{HOSTILE}: videos of gfvc mesh QP 50: over the page's size limit",
    )
    less = write_report(bench_run, tmp_path / "less.html", less_by_one)
    assert less.left_out[0] == f"{HOSTILE}: videos of gfvc mesh QP 20: over the page's size limit"
    none = write_report(bench_run, tmp_path / "none.html", ReportOptions(max_megabytes=0))
    assert len(none.left_out) == 2
    page = Page(tmp_path / "none.html")
    assert json.loads(page.scripts[0]) == {}
    assert "No videos of this clip are on this page." in page.text
    for sentence in none.left_out:
        assert sentence in page.text


def test_files_that_are_gone_or_damaged_are_named(tmp_path: Path, bench_run: Path) -> None:
    folder = tmp_path / "bench"
    shutil.copytree(bench_run, folder)
    (folder / "points/2.mp4").unlink()
    (folder / "points/4.mp4").write_bytes(b"<html>")
    summary = write_report(folder, tmp_path / "page.html")
    assert summary.left_out == (
        f"{HOSTILE}: videos of gfvc mesh QP 20: 2.mp4 is not there",
        f"{HOSTILE}: videos of gfvc mesh QP 50: 4.mp4 is not an MP4 file",
    )
    whole = (bench_run / "points/1.mp4").read_bytes()
    shutil.copy(bench_run / "points/2.mp4", folder / "points/2.mp4")
    (folder / "points/1.mp4").write_bytes(whole[: len(whole) // 2])
    summary = write_report(folder, tmp_path / "cut.html")
    (sentence,) = (each for each in summary.left_out if "worst pictures" in each)
    assert "1.mp4: " in sentence


def test_a_run_without_peers_or_points(tmp_path: Path, bench_run: Path, results: Any) -> None:
    folder = tmp_path / "bench"
    shutil.copytree(bench_run, folder)
    results["points"] = [point for point in results["points"] if point["codec"] == "gfvc"]
    for point in results["points"]:
        point["picture_bits"] = None
    (folder / "bench.json").write_text(json.dumps(results))
    assert write_report(folder, tmp_path / "page.html").left_out == ()
    assert "no point of a conventional codec" in Page(tmp_path / "page.html").text
    for name in ("points", "bd_rates", "mean_bd_rates", "clips"):
        results[name] = []
    (folder / "bench.json").write_text(json.dumps(results))
    write_report(folder, tmp_path / "empty.html")
    text = Page(tmp_path / "empty.html").text
    assert "0 clips" in text
    assert "No Bjøntegaard rates: there are no two curves to compare" in text
    assert "means of clips' rates" not in text


def test_several_clips_have_a_mean(tmp_path: Path, bench_run: Path, results: Any) -> None:
    folder = tmp_path / "bench"
    shutil.copytree(bench_run, folder)
    results["clips"].append({**results["clips"][0], "id": "two-2", "name": "two"})
    results["points"] += [{**point, "clip": "two-2"} for point in results["points"]]
    (folder / "bench.json").write_text(json.dumps(results))
    write_report(folder, tmp_path / "page.html", ReportOptions(max_megabytes=0))
    labels = [a.get("aria-label") for _, a in Page(tmp_path / "page.html").elements]
    assert "mean of clips, PSNR" in labels
    assert "two, PSNR" in labels


def test_the_command(tmp_path: Path, bench_run: Path, command: CommandLine) -> None:
    folder = tmp_path / "bench"
    shutil.copytree(bench_run, folder)
    outcome = command("report", folder, "--max-megabytes", "0")
    assert outcome.status == 0
    assert outcome.out == ""
    *left_out, last = outcome.err.splitlines()
    assert len(left_out) == 2
    assert all(line.startswith("gfvc: left out: ") for line in left_out)
    assert last.startswith(f"gfvc: {folder / 'report.html'}: 1 clip, ")
    again = assert_refused(command, "report", folder, folder=tmp_path, says="exists already")
    assert "--force" in again
    assert command("report", folder, "--max-megabytes", "0", "--force").status == 0
    for size in ("-1", "nan", "1e9", "much"):
        assert command("report", folder, "--max-megabytes", size).status == 2
    with pytest.raises(OutputError, match="a report is an HTML page"):
        write_report(folder, folder / "source.mp4", force=True)
    (folder / "page.html").hardlink_to(folder / "source.mp4")
    with pytest.raises(OutputError, match="is the input itself"):
        write_report(folder, folder / "page.html", force=True)
