"""Many clips: which, what came of each, and engines that work on them side by side.

jobs, manifest      from files, folders and lists to jobs
identity, records   which work a job is, and what came of it, beside its output
folder, claims      who works in a folder, and on a job
work                one job, in a worker process
splitting           a job in parts, by many processes
run, tables         all jobs, and tables of what came of them
engine              what runs functions in other processes, and how it is used
local               processes of this machine, by `concurrent.futures`
cluster             workers of a Dask cluster

Nothing here knows what is done to a file: that is a `Craft` (`gfvc.batch.work`).
"""

from __future__ import annotations
