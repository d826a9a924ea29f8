"""Errors reach who asked in whole: from other processes, which pickle them, and as copies."""

from __future__ import annotations

import copy
import importlib
import inspect
import pickle
import pkgutil
from collections.abc import Iterator

import pytest

ROOMS = ("sei", "base_codec_adapters", "models", "gfvc")

# By the types of arguments that errors take, as they are annotated.
VALUES: dict[str, object] = {
    "str": "a text with {braces}",
    "int": 7,
    "int | None": 8,
    "object": "/a/folder",
    "Exception": "what was raised",
    "Sequence[str]": ("program", "--option"),
}


def subclasses(root: type[BaseException]) -> Iterator[type[BaseException]]:
    for kind in root.__subclasses__():
        yield kind
        yield from subclasses(kind)


def error_classes() -> list[type[BaseException]]:
    for room in ROOMS:
        for module in pkgutil.walk_packages(importlib.import_module(room).__path__, f"{room}."):
            if not module.name.endswith("__main__"):
                importlib.import_module(module.name)
    ours = {kind for kind in subclasses(BaseException) if kind.__module__.split(".")[0] in ROOMS}
    return sorted(ours, key=lambda kind: f"{kind.__module__}.{kind.__qualname__}")


def made(kind: type[BaseException]) -> BaseException:
    """An error with a value for each argument that its class declares, or a text."""
    if kind.__init__ in (BaseException.__init__, Exception.__init__, ValueError.__init__):
        return kind("a text")
    given: list[object] = []
    named: dict[str, object] = {}
    for name, argument in list(inspect.signature(kind.__init__).parameters.items())[1:]:
        if argument.annotation == "Place":
            value: object = importlib.import_module("gfvc.verification.findings").Place(3)
        else:
            value = VALUES[argument.annotation]
        if argument.kind is argument.KEYWORD_ONLY:
            named[name] = value
        else:
            given.append(value)
    return kind(*given, **named)


@pytest.mark.parametrize("kind", error_classes(), ids=lambda kind: kind.__qualname__)
def test_errors_can_be_pickled_and_copied(kind: type[BaseException]) -> None:
    error = made(kind)
    vars(error)["set_later"] = 5
    ways = [copy.copy(error), copy.deepcopy(error)]
    ways += [
        pickle.loads(pickle.dumps(error, protocol))
        for protocol in range(pickle.HIGHEST_PROTOCOL + 1)
    ]
    for again in ways:
        assert type(again) is kind
        assert (str(again), again.args, vars(again)) == (str(error), error.args, vars(error))
