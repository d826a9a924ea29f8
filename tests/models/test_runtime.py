"""Names of devices, by argument and by environment."""

from __future__ import annotations

import pytest

from models.errors import ModelError
from models.runtime import Runtime, onnx_providers, torch_device

NONE = ["meta", "mps", "xla", "mkldnn", "vulkan", "cpu:0", "cuda:x", "cuda:-1", "cuda:\u0663", "\n"]


@pytest.mark.parametrize("name", NONE)
def test_what_is_no_name_of_a_device(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GFVC_DEVICE", name)
    for use in (torch_device, lambda: onnx_providers(["CPUExecutionProvider"])):
        with pytest.raises(ModelError, match=r"is not one of auto, cpu, cuda, cuda:N$") as caught:
            use()
        assert str(caught.value).startswith(f"GFVC_DEVICE: {name!r} ")
    with pytest.raises(ValueError, match=r"^device is one of auto, cpu, cuda, cuda:N, not "):
        Runtime(name)


def test_an_empty_variable_names_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GFVC_DEVICE", "")
    assert onnx_providers(["CPUExecutionProvider"]) == ["CPUExecutionProvider"]
