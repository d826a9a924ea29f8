"""Training of the post-filter: `python -m tools.post_filter_training --help`.

`prepare` codes pictures as the base layer has them, `learn` makes the decoded ones more like those
that were coded.
"""
