"""Streams that were written once are read as they were then."""

from __future__ import annotations

import pytest

from tests.golden.files import STREAMS, check_names, check_text
from tests.golden.streams import RECIPES, inspected, names, told


def test_there_are_these_and_no_others() -> None:
    check_names(STREAMS, names())


@pytest.mark.parametrize("name", RECIPES)
def test_inspect_prints_what_it_did(name: str) -> None:
    check_text(STREAMS / f"{name}.jsonl", inspected(STREAMS / name))


@pytest.mark.parametrize("name", RECIPES)
def test_a_decoder_takes_it_for_what_it_did(name: str) -> None:
    check_text(STREAMS / f"{name}.txt", told(STREAMS / name))
