"""Made-up points of a benchmark."""

from __future__ import annotations

from typing import Any

from gfvc.metrics import MEASURES


def point(
    clip: str, curve: str, kbps: float, psnr: float, **scores: float | None
) -> dict[str, Any]:
    """A point; a curve that starts with "gfvc" is ours, else of the peer named first."""
    ours = curve.startswith("gfvc")
    settings = {} if ours else {"encoder": curve.split()[0]}
    return {
        "clip": clip,
        "codec": "gfvc" if ours else "peer",
        "curve": curve,
        "label": f"QP {round(100 / kbps)}",
        "settings": settings,
        "bits": round(kbps * 1000),
        "kbps": kbps,
        "scores": {**dict.fromkeys(MEASURES), "psnr": psnr, **scores},
        "faces_lost": 0,
        "faces_skipped": 0,
        "seconds": {"encode": 1.0, "decode": 0.5},
    }


def curve(clip: str, name: str, kbps: list[float], psnr: list[float]) -> list[dict[str, Any]]:
    """Points of a curve."""
    return [point(clip, name, *pair) for pair in zip(kbps, psnr, strict=True)]
