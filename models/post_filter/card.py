"""The card of the post-filter."""

from __future__ import annotations

from models.card import NetworkCard

GRAPH_FILE = "filter.onnx"

CARD = NetworkCard(
    name="post-filter",
    version="1",
    description="takes back part of what coding did to coded pictures, before all else uses them",
    engine="onnx",
    training=(
        "2026-11-30, `python -m tools.post_filter_training`, 16 minutes on two processor cores: "
        "pictures of 131 clips of 81 people, of 154 stills of 125 people and of six whole "
        "recordings, coded by VVenC and x265; absolute difference, gradients and SSIM. "
        "docs/post_filter.md has data and recipe, docs/measured/post_filter.md what it gains."
    ),
    limits=(
        "Learned at quantisation parameters of 24 to 45. It improves less of what VVC leaves than "
        "of what HEVC leaves. Grain and fine texture get softer; faces of kinds that are rare "
        "among those it learned from gain less."
    ),
    data="post_filter/post_filter.safetensors",
    sha256="aba96261aa6766c38b9ce1d1778ad0cda6d4bd081967bb09081658cccc23d58c",
    graphs=((GRAPH_FILE, "399c8145cda3e67083710066e260112d5b2db71bb3092ba63dbed890626d6de7"),),
)
