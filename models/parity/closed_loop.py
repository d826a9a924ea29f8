"""The closed-loop prediction of the JVET software, in double precision."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.parity.errors import ParityPackError
from models.parity.observations import Observations
from models.parity.scenario import Scenario

Vector = NDArray[np.float64]


@dataclass(frozen=True)
class CodedParameters:
    """Reconstructed parameter lists of the pictures after the key picture.

    Attributes:
        predicted: of driving pictures 1 and 2.
        invented: of the made-up picture 3, or None.
    """

    predicted: tuple[Vector, Vector]
    invented: Vector | None


def code(
    observations: Observations,
    key: Vector,
    driving: tuple[Vector, Vector],
    factor: int,
    scenario: Scenario,
) -> CodedParameters:
    """Quantise residuals to the previous reconstruction and note lists, symbols, reconstructions.

    The first picture is predicted from the unquantised parameters of the key picture. A symbol is
    round((x − previous) · factor), ties to even.

    Args:
        observations: takes ``codec.*``.
        key: parameter list of the key picture.
        driving: parameter lists of driving pictures 1 and 2.
        factor: symbols per unit.
        scenario: gives the symbols of picture 3, applied after picture 2.

    Raises:
        ParityPackError: the invented symbols are not as many as the parameters.
    """
    observations.add("codec.ref_list", key)
    previous = key
    predicted = []
    for number, values in enumerate(driving, start=1):
        symbols = np.rint((values - previous) * factor)
        previous = previous + symbols / factor
        predicted.append(previous)
        observations.add(f"codec.f{number}.symbols", symbols.astype(np.int32))
        observations.add(f"codec.f{number}.recon", previous)
    invented = None
    if scenario.invented_symbols is not None:
        if scenario.invented_symbols.shape != previous.shape:
            raise ParityPackError(
                f"codec.f3.symbols: shape {scenario.invented_symbols.shape}: want {previous.shape}"
            )
        invented = previous + scenario.invented_symbols / factor
    return CodedParameters((predicted[0], predicted[1]), invented)
