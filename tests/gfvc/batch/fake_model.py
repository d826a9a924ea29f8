"""`gfvc encode` of a batch, with a model and a base codec that take no time.

They are those of `tests.golden.scripted`, in the worker alone: the rest of the encoder is the real
one.
"""

from __future__ import annotations

import contextlib
import os
import resource
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from gfvc.batch.jobs import Options
from gfvc.batch.work import Performed
from gfvc.cli.batch_craft import CommandCraft
from gfvc.demo_clip import RATE
from gfvc.video_writer import open_writer
from models import Analyser, Analysis
from models.contract import Picture
from models.family import FAMILIES, Family
from tests.gfvc.symbols.made_card import made_card
from tests.golden.scripted import (
    LAYOUTS,
    SIDE,
    ScriptedModel,
    Shown,
    scripted_base_codec,
    shown_in,
)

CARD = made_card(LAYOUTS["both"])
OPTIONS: Options = ("--model", CARD.name, "--crop", "none", "--size", str(SIDE))

POISON, HARMLESS = 666, 1000
"""Number of a key picture that crashes the model; this one and those after it do not."""


def write_clip(path: Path, number: int, pictures: int = 3) -> None:
    """A clip of a few pictures, from the one of this number on."""
    with open_writer(path, RATE) as writer:
        for place in range(pictures):
            writer.write(Shown(number + place).draw())


class FakeModelCraft(CommandCraft):
    """Encodes by a fake model; each result has the memory of the process at the moment, in MB."""

    def versions(self, options: Options) -> dict[str, str]:
        with _fake_model():
            return super().versions(options)

    def perform(self, source: Path, output: Path, options: Options, *, force: bool) -> Performed:
        with _fake_model():
            performed = super().perform(source, output, options, force=force)
        return replace(
            performed, result={**(performed.result or {}), "megabytes": process_megabytes()}
        )


def process_megabytes() -> float:
    """Memory of this process at the moment."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize() / 1e6


class _FragileModel(ScriptedModel):
    """Aborts, as native code of a network does, when it meets `POISON`."""

    def open_analyser(self, align: bool | None = None) -> Analyser:
        return _FragileAnalyser(super().open_analyser(align))


class _FragileAnalyser(Analyser):
    def __init__(self, analyser: Analyser) -> None:
        self._analyser = analyser

    def finds_face(self, picture: Picture) -> bool:
        return self._analyser.finds_face(picture)

    def analyse_key(self, picture: Picture) -> Analysis | None:
        if shown_in(picture).number == POISON:
            os.abort()
        return self._analyser.analyse_key(picture)

    def analyse(self, picture: Picture, key: Analysis) -> Analysis | None:
        return self._analyser.analyse(picture, key)


@contextlib.contextmanager
def _fake_model() -> Iterator[None]:
    family = Family(
        CARD.name,
        cards=lambda: (CARD,),
        load=lambda card, runtime: _FragileModel(card.layout),
    )
    with scripted_base_codec(), pytest.MonkeyPatch.context() as patch:
        patch.setitem(FAMILIES, CARD.name, family)
        yield
