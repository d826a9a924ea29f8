"""The cards of the post-filter, and of the one that enlarges."""

from __future__ import annotations

from models.card import NetworkCard

GRAPH_FILE = "filter.onnx"
ENLARGING_GRAPH_FILE = "enlarge.onnx"

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

ENLARGING_CARD = NetworkCard(
    name="enlarging-filter",
    version="1",
    description="enlarges what was coded at half its width and height, before all else uses it",
    engine="onnx",
    training=(
        "2026-11-30, `python -m tools.post_filter_training`, 36 minutes on two processor cores: "
        "the same pictures, coded by VVenC and x265 at half their width and height. "
        "docs/post_filter.md has data and recipe, docs/measured/post_filter.md what it gains."
    ),
    limits=(
        "Learned at quantisation parameters of 18 to 39, of pictures of 128 to 180 rows. It makes "
        "up no more than faces that it has seen let expect: fine texture, small text and grain "
        "beyond the coded pixels do not come back."
    ),
    data="post_filter/enlarging.safetensors",
    sha256="c74042d51576047fab787759284874c9ca75ace5e54f260eeace0eefb9c42b3c",
    graphs=(
        (ENLARGING_GRAPH_FILE, "ed473124e3897320d6355e0e2132424dedcead68c3ed0caab3b37f8b8665e310"),
    ),
)

CARDS = (CARD, ENLARGING_CARD)
"""Of all networks that coded pictures may go by."""
