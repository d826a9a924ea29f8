"""Encode, decode or check many clips: files, folders, lists; on all cores, or a cluster.

JOBS are files, folders, of which all files are taken whose suffix is right, in sub-folders too, and
lists: CSV with the columns input, output and options (the last two may be missing), or JSON
lines with these members. Outputs lie in DIR as inputs lie in their folder. Beside each is a JSON
file that says what came of it; results.csv and results.jsonl have all of them.

What is done is not done again: a clip is known by its content, the options and the versions of
gfvc, model and encoder. After an interruption of any kind, or with more clips, the same command
goes on. A clip that fails stops no other.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from gfvc.cli.arguments import add_options, add_out, file_or_folder_name, parsed_options
from gfvc.cli.parser import keep_after_dashes

if TYPE_CHECKING:
    from gfvc.batch.jobs import Job
    from gfvc.batch.run import PartDone
    from gfvc.batch.tables import Totals
    from gfvc.batch.work import Answer
    from gfvc.cli.batch_craft import CommandCraft

HELP = "encode, decode or check many clips, on all cores or a cluster"
EPILOG = """\
examples:
  gfvc batch talks --out streams                           a folder, on all cores
  gfvc batch talks --out streams -- --bitrate 12k          with options of gfvc encode
  gfvc batch list.csv --out streams                        a list, with options clip by clip
  gfvc batch streams --do decode --out videos              and back again
  gfvc batch streams --do verify --out checks
  gfvc batch talks --out streams --engine dask --scheduler tcp://head:8786
  gfvc batch lecture.mp4 --out streams --split auto        one long clip, on all cores
  gfvc batch talks --out streams --part 3/100              the third of 100 machines

exit status: 1 also when a clip failed; the others are done
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command's arguments."""
    from gfvc.options.batching import BatchOptions

    parser.usage = "gfvc batch [options] JOBS [JOBS ...] --out DIR [-- OPTIONS OF THE COMMAND]"
    parser.add_argument(
        "jobs_given",
        nargs="+",
        type=file_or_folder_name,
        metavar="JOBS",
        help="files, folders or lists",
    )
    add_out(parser, "folder for outputs, made or added to")
    add_options(parser, BatchOptions)
    parser.add_argument(
        "--force", action="store_true", help="replace outputs and tables that no batch has made"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object about all clips")
    keep_after_dashes(parser, "options")


def run(options: argparse.Namespace) -> int:
    """Run the command."""
    from gfvc.batch.engine import EngineChoice
    from gfvc.batch.folder import opened_folder
    from gfvc.batch.jobs import find_jobs, part_of
    from gfvc.batch.run import run_batch
    from gfvc.cli.arguments import UsageError
    from gfvc.cli.batch_craft import VERBS, CommandCraft
    from gfvc.cli.console import answer, note, step_progress
    from gfvc.options.batching import BatchOptions

    asked = parsed_options(BatchOptions, options)
    craft = CommandCraft(asked.do, asked.suffix, asked.split)
    engine = EngineChoice.of(asked, VERBS[asked.do].megabytes)
    given = tuple(options.options)
    try:
        craft.versions(given)
    except UsageError as error:
        raise UsageError(f"after --: {error}") from None
    jobs = find_jobs(options.jobs_given, options.out, craft.naming, given)
    _check_options(jobs, craft)
    if asked.part is not None:
        jobs = part_of(jobs, *asked.part)
    with (
        opened_folder(options.out, asked.part) as folder,
        step_progress("batch", "clips and parts") as tell,
    ):
        try:
            totals = run_batch(
                jobs,
                folder,
                craft,
                engine,
                retries=asked.retries,
                force=options.force,
                progress=lambda ended, done, total: tell(_line(ended), done, total),
                notes=note,
            )
        except KeyboardInterrupt:
            note("what is done is kept; the same command goes on with the rest")
            raise
    if options.json:
        answer(totals.to_json())
    else:
        _print_totals(totals)
    for name, reason in totals.failures:
        note(f"failed: {_about(name, reason)}")
    note(f"results are in {folder.table('.csv')}")
    return 1 if totals.failures else 0


def _check_options(jobs: list[Job], craft: CommandCraft) -> None:
    """Raise `InputError` for options of a list that the command does not have.

    The same where `--suffix` does not agree with them.
    """
    from gfvc.cli.arguments import UsageError
    from gfvc.errors import InputError, OutputError

    firsts = {job.options: job for job in reversed(jobs)}
    try:
        for job in firsts.values():
            craft.versions(job.options)
    except (UsageError, OutputError) as error:
        raise InputError(f"{job.stated}: {error}") from None


def _line(answer: Answer | PartDone) -> str:
    from gfvc.batch.run import PartDone

    if isinstance(answer, PartDone):
        return f"{answer.output}: {answer.done} of {answer.parts} parts"
    record = answer.record
    if answer.fate == "failed":
        return f"failed: {_about(record['input'], record['reason'] or '')}"
    if answer.fate == "kept":
        return f"{record['output']}: done before"
    return f"{record['output']}: {record['seconds']:.1f} s"


def _about(name: str, reason: str) -> str:
    """A reason, with the file's name where it does not say it."""
    return reason if name in reason else f"{name}: {reason}"


def _print_totals(totals: Totals) -> None:
    from gfvc.cli.console import print_table

    columns = ("clips", "done now", "done before", "failed", "minutes", "kbit/s")
    minutes = f"{totals.video_seconds / 60:.1f}" if totals.video_seconds else ""
    kbps = "" if totals.kbps is None else f"{totals.kbps:.2f}"
    row = (totals.clips, totals.done, totals.kept, len(totals.failures), minutes, kbps)
    print_table(None, columns, [row], texts=0, width=100)
