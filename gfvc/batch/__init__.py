"""Many clips, side by side.

engine    what runs functions in other processes, and how it is used
local     processes of this machine, by `concurrent.futures`
cluster   workers of a Dask cluster
"""

from __future__ import annotations
