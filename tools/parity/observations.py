"""Arrays of our own run, under the names that packs use.

`code` is the closed-loop prediction of the JVET software, in double precision.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from tools.parity.pack import ParityPackError, Scenario

_PART = re.compile(r"([cds])(\d+)")
_PARTS = re.compile(r"(?:[cds]\d+)+")
_SPATIAL_OFFSETS = {2: (0, 1), 4: (1, 2), 8: (3, 5)}
"""First row and column of a picture thinned by a stride."""


def _thinned(array: NDArray[Any], layout: str, parts: str) -> NDArray[Any] | None:
    """The part of an array that a suffix names, such as c16s4; None for one that is unknown."""
    selection = [slice(None)] * array.ndim
    for letter, digits in _PART.findall(parts):
        stride = int(digits)
        if letter == "s":
            if stride not in _SPATIAL_OFFSETS:
                return None
            row, column = _SPATIAL_OFFSETS[stride]
            selection[layout.index("y")] = slice(row, None, stride)
            selection[layout.index("x")] = slice(column, None, stride)
        elif letter in layout and stride > 0:
            selection[layout.index(letter)] = slice(None, None, stride)
        else:
            return None
    return array[tuple(selection)]


class Observations:
    """Arrays by name; `find` also knows the parts of them that packs store.

    Attributes:
        zero_flow: ``sparse_motion`` is the optical flow of CFTE, which is taken as zero.
    """

    def __init__(self, *, zero_flow: bool = False) -> None:
        self.zero_flow = zero_flow
        self._arrays: dict[str, NDArray[Any]] = {}
        self._layouts: dict[str, str] = {}

    def add(self, name: str, values: Tensor | NDArray[Any], layout: str = "") -> None:
        """Keep an array.

        Args:
            name: its name in a pack, without the suffix that tells which part is stored.
            values: the whole array.
            layout: one letter per axis where packs may store a part: c channels, d depth, y rows,
                x columns, anything else for the other axes.

        Raises:
            ValueError: the name is taken, or the layout has another number of axes.
        """
        array = values.numpy() if isinstance(values, Tensor) else values
        if name in self._arrays or (layout and len(layout) != array.ndim):
            raise ValueError(f"{name}: name taken or layout {layout!r} not for {array.shape}")
        self._arrays[name] = array
        self._layouts[name] = layout

    def add_picture(self, name: str, prediction: Tensor) -> None:
        """Keep what packs store of a prediction [1, 3, 256, 256] in 0..1: parts and statistics."""
        picture = prediction[0].numpy()
        exact = picture.astype(np.float64)
        self.add(f"{name}.u8", np.floor(picture * 255).astype(np.uint8))
        self.add(f"{name}.stride4", picture[:, 1::4, 2::4])
        self.add(f"{name}.crop", picture[:, 100:148, 90:138])
        self.add(f"{name}.corner", picture[:, :24, :24])
        self.add(f"{name}.stats", np.array([exact.mean(), exact.std(), exact.min(), exact.max()]))

    def find(self, name: str) -> NDArray[Any] | None:
        """The array that a pack calls ``name``, or None when we have nothing for it."""
        if name in self._arrays:
            return self._arrays[name]
        whole, _, parts = name.rpartition(".")
        if not self._layouts.get(whole) or not _PARTS.fullmatch(parts):
            return None
        return _thinned(self._arrays[whole], self._layouts[whole], parts)


@contextmanager
def recorded(network: nn.Module, names: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Collect what the submodules ``names`` return inside the context; the last call counts."""
    outputs: dict[str, Any] = {}

    def hook_for(name: str) -> Any:
        def hook(_module: nn.Module, _inputs: Any, output: Any) -> None:
            outputs[name] = output

        return hook

    handles = [network.get_submodule(n).register_forward_hook(hook_for(n)) for n in names]
    try:
        yield outputs
    finally:
        for handle in handles:
            handle.remove()


Vector = NDArray[np.float64]


def code(
    observations: Observations,
    key: Vector,
    driving: tuple[Vector, Vector],
    factor: int,
    scenario: Scenario,
) -> dict[str, Vector]:
    """Quantise residuals to the previous reconstruction and note lists, symbols, reconstructions.

    The first picture is predicted from the unquantised parameters of the key picture. A symbol is
    round((x − previous) · factor), ties to even.

    Args:
        observations: takes ``codec.*``.
        key: parameter list of the key picture.
        driving: parameter lists of driving pictures 1 and 2.
        factor: symbols per unit.
        scenario: gives the symbols of picture 3, applied after picture 2.

    Returns:
        Reconstructed parameter lists of the driving pictures, f1 and f2, and of the made-up picture
        f3 where the scenario has one.

    Raises:
        ParityPackError: the invented symbols are not as many as the parameters.
    """
    observations.add("codec.ref_list", key)
    previous = key
    coded: dict[str, Vector] = {}
    for number, values in enumerate(driving, start=1):
        symbols = np.rint((values - previous) * factor)
        previous = previous + symbols / factor
        coded[f"f{number}"] = previous
        observations.add(f"codec.f{number}.symbols", symbols.astype(np.int32))
        observations.add(f"codec.f{number}.recon", previous)
    if scenario.invented_symbols is not None:
        if scenario.invented_symbols.shape != previous.shape:
            raise ParityPackError(
                f"codec.f3.symbols: shape {scenario.invented_symbols.shape}: want {previous.shape}"
            )
        coded["f3"] = previous + scenario.invented_symbols / factor
    return coded
