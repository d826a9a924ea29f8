"""The page in Chromium, opened from a file: videos play in step, and nothing is complained of."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from benchmarks.chromium import PATIENCE_MS, chromium, missing
from gfvc.report.page import write_report
from gfvc.video_reader import read_pictures
from tests.gfvc.report.conftest import PICTURES, RATE, WORST_PICTURE

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.program

POLL_MS = 20
# A clip of 3 seconds, of which the videos play the first: further apart is not in step.
APART_SECONDS = 0.5


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium of the system, without a window, in a profile of its own."""
    reason = missing()
    if reason is not None:
        pytest.skip(reason)
    with chromium("--disable-gpu") as started:
        yield started


class Opened:
    """The page in a tab, and all that the browser complained of or asked for."""

    def __init__(self, browser: Browser, path: Path, scheme: Any = "light") -> None:
        self.complaints: list[str] = []
        self.requests: list[str] = []
        self.page: Page = browser.new_page(color_scheme=scheme)
        self.page.set_default_timeout(PATIENCE_MS)
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("requestfailed", lambda request: self.complaints.append(request.url[:99]))
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.goto(path.as_uri())
        self.page.locator(".player").scroll_into_view_if_needed()
        self.until("[...document.querySelectorAll('video')].every(video => video.readyState >= 2)")

    def until(self, expression: str) -> None:
        """Wait until something holds; the page's own policy forbids Playwright's way to."""
        for _ in range(PATIENCE_MS // POLL_MS):
            if self.page.evaluate(expression):
                return
            self.page.wait_for_timeout(POLL_MS)
        raise AssertionError(f"never came true: {expression}")

    def times(self) -> list[float]:
        """Where the videos are, in seconds, all at one moment."""
        return self._of_videos("currentTime")

    def paused(self) -> list[bool]:
        """Which videos are paused."""
        return self._of_videos("paused")

    def _of_videos(self, name: str) -> list[Any]:
        found = self.page.evaluate(
            f"[...document.querySelectorAll('video')].map(video => video.{name})"
        )
        assert isinstance(found, list)
        return found

    def wait_until_at(self, seconds: float) -> None:
        """Wait until the source has played to a time."""
        self.until(f"document.querySelector('video').currentTime > {seconds}")


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory, bench_run: Path) -> Path:
    # A name that an address must quote.
    path = tmp_path_factory.mktemp("browser") / "a page #1.html"
    write_report(bench_run, path)
    return path


@pytest.fixture
def opened(browser: Browser, report: Path) -> Iterator[Opened]:
    """The page, freshly opened; at the end nothing may have gone wrong."""
    tab = Opened(browser, report)
    yield tab
    tab.page.close()
    assert tab.complaints == []
    assert [url for url in tab.requests if not url.startswith("data:")] == [report.as_uri()]


def test_one_button_plays_all_three_in_step(opened: Opened) -> None:
    page = opened.page
    assert opened.paused() == [True] * 3
    page.get_by_role("button", name="Play").click()
    opened.wait_until_at(1.0)
    assert opened.paused() == [False] * 3
    playing = opened.times()
    assert len(playing) == 3
    assert min(playing) > 0.5
    assert max(playing) - min(playing) < APART_SECONDS
    page.get_by_role("button", name="Pause").click()
    assert opened.paused() == [True] * 3
    # Played on, they end together on the last picture, and the button starts anew.
    page.get_by_role("button", name="Play").click()
    page.get_by_role("button", name="Play").wait_for()
    assert opened.times() == pytest.approx([(PICTURES - 0.5) / RATE] * 3)
    page.get_by_role("button", name="Play").click()
    opened.wait_until_at(0.2)
    page.get_by_role("button", name="Pause").click()


def test_a_video_that_lags_catches_up(opened: Opened) -> None:
    page = opened.page
    page.get_by_label("speed").select_option("0.5")
    page.get_by_role("button", name="Play").click()
    opened.wait_until_at(0.8)
    page.evaluate("document.querySelectorAll('video')[2].currentTime = 0")
    opened.until(
        f"(() => {{ const [first, , third] = document.querySelectorAll('video');"
        f" return first.paused || third.currentTime > first.currentTime - {APART_SECONDS}; }})()"
    )
    # Not because the end brought them together.
    assert opened.paused() == [False] * 3
    assert 0.3 < min(opened.times()) < 2.8


def test_the_scrubber_moves_all_to_one_picture(opened: Opened, bench_run: Path) -> None:
    page = opened.page
    scrubber = page.get_by_role("slider")
    scrubber.focus()
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    assert opened.times() == pytest.approx([3.5 / float(RATE)] * 3)
    assert page.locator(".position").inner_text() == "picture 3 (0.30 s)"
    assert "82 bits" in page.locator(".figures").first.inner_text()
    page.keyboard.press("End")
    assert opened.times() == pytest.approx([(PICTURES - 0.5) / float(RATE)] * 3)
    # What is seen is that picture: its mean is the file's own picture's.
    opened.until("[...document.querySelectorAll('video')].every(video => !video.seeking)")
    seen = page.evaluate(
        """() => {
          const video = document.querySelector('video'), canvas = document.createElement('canvas');
          [canvas.width, canvas.height] = [video.videoWidth, video.videoHeight];
          const context = canvas.getContext('2d');
          context.drawImage(video, 0, 0);
          return [...context.getImageData(0, 0, canvas.width, canvas.height).data];
        }"""
    )
    drawn = np.array(seen, np.int16).reshape(96, 96, 4)[..., :3]
    distances = [
        float(np.abs(picture.astype(np.int16) - drawn).mean())
        for picture in read_pictures(bench_run / "source.mp4", RATE)
    ]
    assert int(np.argmin(distances)) == PICTURES - 1
    assert distances[-1] < 3


def test_another_point_can_be_chosen(opened: Opened) -> None:
    page = opened.page
    first, second = (page.locator(f".comparison[data-number='{n}']") for n in (0, 1))
    assert first.is_visible()
    assert not second.is_visible()
    before = page.locator(".caption").all_inner_texts()
    page.get_by_label("gfvc point").select_option("1")
    assert not first.is_visible()
    assert second.is_visible()
    after = page.locator(".caption").all_inner_texts()
    assert [text.split(",")[0] for text in (*before, *after)] == [
        *("gfvc mesh QP 20", "vvenc QP 19", "gfvc mesh QP 50", "vvenc half size QP 26")
    ]
    page.get_by_role("button", name="Play").click()
    opened.wait_until_at(0.3)


def test_a_worst_picture_leads_to_its_place(opened: Opened) -> None:
    opened.page.locator(".jump").first.click()
    assert opened.times() == pytest.approx([(WORST_PICTURE + 0.5) / float(RATE)] * 3)


def test_keys_alone_play_it(opened: Opened) -> None:
    opened.page.get_by_role("button", name="Play").focus()
    opened.page.keyboard.press("Space")
    opened.wait_until_at(0.2)
    assert opened.page.evaluate("document.activeElement.textContent") == "Pause"
    opened.page.keyboard.press("Space")
    assert opened.paused() == [True] * 3


_CONTRASTS = """() => {
  const part = (colour) => colour.match(/[\\d.]+/g).slice(0, 3).map(Number);
  const luminance = (colour) => part(colour)
    .map((value) => value / 255)
    .map((value) => value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4)
    .reduce((sum, value, index) => sum + value * [0.2126, 0.7152, 0.0722][index], 0);
  const back = luminance(getComputedStyle(document.body).backgroundColor);
  const against = (colour) => {
    const [low, high] = [luminance(colour), back].sort((a, b) => a - b);
    return (high + 0.05) / (low + 0.05);
  };
  const text = [...document.querySelectorAll('p, figcaption, td, th, a, small')]
    .map((element) => against(getComputedStyle(element).color));
  const lines = [...document.querySelectorAll('.line, .steps')]
    .map((element) => against(getComputedStyle(element).stroke));
  return [back, Math.min(...text), Math.min(...lines)];
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_can_be_read_in_light_and_dark(browser: Browser, report: Path, scheme: str) -> None:
    tab = Opened(browser, report, scheme)
    background, text, lines = tab.page.evaluate(_CONTRASTS)
    assert (background > 0.5) == (scheme == "light")
    # WCAG 2.2, 1.4.3 and 1.4.11.
    assert text >= 4.5
    assert lines >= 3
    tab.page.close()
    assert tab.complaints == []


@pytest.mark.parametrize("run", ["bench_run", "whole_run"])
def test_the_page_is_not_wider_than_a_telephone(
    browser: Browser, run: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    write_report(request.getfixturevalue(run), tmp_path / "page.html")
    tab = Opened(browser, tmp_path / "page.html")
    tab.page.set_viewport_size({"width": 360, "height": 640})
    assert tab.page.evaluate("document.documentElement.scrollWidth") <= 360
    tab.page.close()


@pytest.mark.parametrize(("window", "columns"), [(1366, 2), (1920, 3)])
def test_whole_pictures_are_side_by_side_at_a_readable_width(
    browser: Browser, whole_run: Path, tmp_path: Path, window: int, columns: int
) -> None:
    write_report(whole_run, tmp_path / "page.html")
    tab = Opened(browser, tmp_path / "page.html")
    tab.page.set_viewport_size({"width": window, "height": 900})
    boxes = tab.page.evaluate(
        "[...document.querySelectorAll('video')].map(v => v.getBoundingClientRect().toJSON())"
    )
    assert len(boxes) == 3
    assert all(box["width"] >= 480 for box in boxes)
    assert sum(box["top"] == boxes[0]["top"] for box in boxes) == columns
    assert tab.page.evaluate("document.documentElement.scrollWidth") <= window
    tab.page.close()
