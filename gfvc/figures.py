"""matplotlib as gfvc uses it: on files, of names that anybody may have chosen, and silent."""

from __future__ import annotations

import contextlib
import logging
import os
import warnings
from collections.abc import Iterator
from typing import Any

# Text is text: dollars in a file's name are no formula. The same figure gives the same file.
_SETTINGS: Any = {"text.parse_math": False, "svg.hashsalt": "gfvc", "svg.fonttype": "none"}


@contextlib.contextmanager
def drawing() -> Iterator[Any]:
    """matplotlib.pyplot for files, without a display.

    Names of a clip or a file go through `sei.printable` before they are drawn, which needs text
    that UTF-8 can hold. Signs that no font here has come out as boxes, and nothing is said of it;
    nor of where matplotlib keeps its list of fonts when there is no home folder. Settings are
    matplotlib's own, whatever a user's file or one in the current folder (matplotlibrc) says.
    """
    logging.getLogger("matplotlib").setLevel(logging.ERROR)
    backend = os.environ.pop("MPLBACKEND", None)  # a name that it does not know is an error
    try:
        import matplotlib as mpl
    finally:
        if backend is not None:
            os.environ["MPLBACKEND"] = backend

    mpl.use("Agg")
    from matplotlib import pyplot

    with mpl.rc_context(), warnings.catch_warnings():
        mpl.rcdefaults()
        mpl.rcParams.update(_SETTINGS)
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        warnings.filterwarnings("ignore", message="Matplotlib currently does not support")
        yield pyplot


def logarithmic(axis: Any) -> None:
    """Make an axis (`Axes.xaxis`, `Axes.yaxis`) logarithmic, with plain numbers at its ticks.

    matplotlib's own are formulas, and formulas are text here.
    """
    from matplotlib.ticker import FuncFormatter, LogLocator

    axis.axes.set(**{f"{axis.axis_name}scale": "log"})
    axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_formatter("")
