"""What jobs tell their callers meanwhile: sentences for people, how far they are, messages."""

from __future__ import annotations

import functools
from collections.abc import Callable
from fractions import Fraction
from typing import Any, ParamSpec, TypeVar

Notes = Callable[[str], None]
"""Told what a user should know."""

Progress = Callable[[int, "int | None"], None]
"""Told the number of pictures done, and the expected total or None."""

Share = Callable[[float], None]
"""Told how much of something is done, 0..1."""

Stage = Callable[[str], None]
"""Told about each pass over a clip."""

NOTICED_SECONDS = Fraction(1, 20)
"""Less of a file that is left out, or out of place, is not told: it is rounding, or not missed."""

Messages = Callable[[Any], None]
"""Told what functions tell that run in other processes; called by a thread of its own."""


def unheard(*told: object) -> None:
    """For callers that want to hear nothing."""


_HEARERS = ("notes", "progress", "stage")

# What NumPy does by default about errors of arithmetic; other threads begin with it.
_ANSWERS: Any = {"divide": "warn", "over": "warn", "under": "ignore", "invalid": "warn"}

_Parameters = ParamSpec("_Parameters")
_Result = TypeVar("_Result")


class _RaisedByCallerError(BaseException):
    """Carries what a caller's function raised past all who look for errors of files and libraries.

    `call` is the call of our function that the caller's function was given to.
    """

    def __init__(self, error: Exception, call: object) -> None:
        super().__init__(error, call)
        self.error = error
        self.call = call


def passes_on(function: Callable[_Parameters, _Result]) -> Callable[_Parameters, _Result]:
    """Let what callers' own functions raise, `notes` and such, come out of a function unchanged.

    What the caller had NumPy do about errors of arithmetic (`numpy.seterr`) holds in these only.
    """

    @functools.wraps(function)
    def passing_on(*args: _Parameters.args, **kwargs: _Parameters.kwargs) -> _Result:
        import numpy as np  # here, for parsers of all commands import this

        call, answers = object(), np.geterr()
        for name in _HEARERS:
            if callable(kwargs.get(name)):
                kwargs[name] = _carrying(kwargs[name], call, answers)
        try:
            with np.errstate(**_ANSWERS):
                return function(*args, **kwargs)
        except _RaisedByCallerError as carrier:
            if carrier.call is not call:
                raise
            raised = carrier.error
        raise raised  # here, so that nothing of ours becomes its context

    return passing_on


def _carrying(function: Any, call: object, answers: Any) -> Callable[..., None]:
    import numpy as np

    def told(*args: object) -> None:
        try:
            with np.errstate(**answers):
                function(*args)
        except Exception as error:
            raise _RaisedByCallerError(error, call) from error

    return told
