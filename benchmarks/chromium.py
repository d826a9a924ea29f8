"""Chromium of the system without a window, driven by Playwright."""

from __future__ import annotations

import contextlib
import importlib.util
import shutil
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Browser

PATIENCE_MS = 60_000
_SWITCHES = [
    *("--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync"),
]


def _program() -> str | None:
    return shutil.which("chromium") or shutil.which("chromium-browser")


def missing() -> str | None:
    """What is not installed, and how to get it; None where a browser can be started."""
    if _program() is None:
        return "no chromium is installed; on Debian: apt-get install chromium"
    if importlib.util.find_spec("playwright") is None:
        return "playwright is not installed; it comes with the extra 'test'"
    return None


@contextlib.contextmanager
def chromium(*switches: str) -> Iterator[Browser]:
    """A browser in a profile of its own, where `missing` has nothing to say."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        # Root in a container has no sandbox to give.
        started = playwright.chromium.launch(
            executable_path=_program(),
            args=[*_SWITCHES, *switches],
            chromium_sandbox=False,
            timeout=PATIENCE_MS,
        )
        yield started
        started.close()
