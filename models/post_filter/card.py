"""The cards of the post-filter, and of the one that enlarges."""

from __future__ import annotations

from models.card import NetworkCard

GRAPH_FILE = "filter.onnx"
ENLARGING_GRAPH_FILE = "enlarge.onnx"

CARD = NetworkCard(
    name="post-filter",
    version="2",
    description="takes back part of what coding did to coded pictures, before all else uses them",
    engine="onnx",
    training=(
        "2026-11-30, `python -m tools.post_filter_training`, 16 minutes on two processor cores: "
        "pictures of 131 clips of 81 people, of 154 stills of 125 people and of six whole "
        "recordings, coded by VVenC and x265; absolute difference, gradients and SSIM. "
        "Then ten minutes more, told by which quantisation parameter pictures are coded. "
        "docs/post_filter.md has data and recipe, docs/measured/post_filter.md what it gains."
    ),
    limits=(
        "Learned at quantisation parameters of 24 to 45. It improves less of what VVC leaves than "
        "of what HEVC leaves. Grain and fine texture get softer; faces of kinds that are rare "
        "among those it learned from gain less."
    ),
    data="post_filter/post_filter.safetensors",
    sha256="7c692b620ad63800493f0414f32cf4367a93dc412a3b0171ec34940ee6258b1a",
    graphs=((GRAPH_FILE, "1ae14f64c2b04a131da39c09c41ce157040903bad13ca9556d93a4da77c9e109"),),
)

ENLARGING_CARD = NetworkCard(
    name="enlarging-filter",
    version="2",
    description="enlarges what was coded at half its width and height, before all else uses it",
    engine="onnx",
    training=(
        "2026-11-30, `python -m tools.post_filter_training`, 36 minutes on two processor cores: "
        "the same pictures, coded by VVenC and x265 at half their width and height. Then 20 "
        "minutes more, told by which quantisation parameter pictures are coded. "
        "docs/post_filter.md has data and recipe, docs/measured/post_filter.md what it gains."
    ),
    limits=(
        "Learned at quantisation parameters of 18 to 39, of pictures of 128 to 180 rows. It makes "
        "up no more than faces that it has seen let expect: fine texture, small text and grain "
        "beyond the coded pixels do not come back."
    ),
    data="post_filter/enlarging.safetensors",
    sha256="93d268bdc0badb5fdbab2a058ca21072072cf96f38319cc3e2f95ae30bbf67fa",
    graphs=(
        (ENLARGING_GRAPH_FILE, "efbc0373fcbcd23fd779144801f68074da56d495c3d8e948b4a9b89c63b47c31"),
    ),
)

CARDS = (CARD, ENLARGING_CARD)
"""Of all networks that coded pictures may go by."""
