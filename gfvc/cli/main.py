"""Entry point: find the subcommand, run it, turn errors into one line and an exit status."""

from __future__ import annotations

import argparse
import importlib
import os
import signal
import sys
from collections.abc import Sequence
from types import ModuleType

from gfvc import __version__

EXIT_FAILED = 1
EXIT_INTERRUPTED = 130
EXIT_TERMINATED = 143

COMMANDS = (
    "encode",
    "decode",
    "inspect",
    "extract",
    "inject",
    "remove",
    "transcode",
    "verify",
    "bench",
    "report",
    "demo",
    "models",
    "train",
)

_DESCRIPTION = """\
Generative face video codec: a talking head at a few kbit/s inside a standard VVC or HEVC stream.

Key pictures are coded by a real VVC or HEVC encoder; every other picture is a handful of numbers
in generative face video SEI messages (H.274) of the same stream, from which the decoder animates
the key picture. Decoded pictures are synthetic.
"""

_EXAMPLES = """\
examples:
  gfvc demo                       make a talking head, encode it, decode it, look at it
  gfvc encode talk.mp4 talk.266   encode a video as VVC with face parameters
  gfvc decode talk.266 out.mp4    make a video of it again
  gfvc inspect talk.266           show what is in the stream

exit status: 0 done, 1 failed (one line on stderr says why), 2 wrong usage
"""


def build_parser(*complete: str) -> argparse.ArgumentParser:
    """The parser of all commands.

    Those named in `complete` have their arguments, the others only their line of help: what it
    takes to describe all of them is not wanted where one runs.
    """
    parser = argparse.ArgumentParser(
        prog="gfvc",
        description=_DESCRIPTION,
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"gfvc {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name in COMMANDS:
        module = _module(name)
        command = commands.add_parser(
            name,
            help=module.HELP,
            description=module.__doc__,
            epilog=getattr(module, "EPILOG", None),
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        if name in complete:
            module.add_arguments(command)
    return parser


def _module(name: str) -> ModuleType:
    return importlib.import_module(f"gfvc.cli.{name}_command")


def _library_errors() -> tuple[type[Exception], ...]:
    """Errors whose text is meant for the user; only rooms in use can have raised theirs."""
    names = (
        ("gfvc.errors", "GfvcError"),
        ("sei.errors", "SeiError"),
        ("base_codec_adapters.errors", "BaseCodecError"),
        ("models.errors", "ModelError"),
    )
    return tuple(
        getattr(sys.modules[module], name) for module, name in names if module in sys.modules
    )


def _missing_library(error: ImportError) -> str:
    """OpenCV loads libraries of the system that a bare one lacks."""
    return f"a system library is missing ({error}); on Debian: apt-get install libgl1 libglib2.0-0"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit status (usage errors exit with 2 by themselves)."""
    given = sys.argv[1:] if arguments is None else arguments
    options = build_parser(*given[:1]).parse_args(given)
    try:
        status = _module(options.command).run(options)
        sys.stdout.flush()
    except KeyboardInterrupt:
        sys.stderr.write("gfvc: interrupted\n")
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        # The reader of our output has gone (`gfvc inspect … | head`): that is no failure, but
        # the interpreter must not try to flush into the closed pipe when it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except ImportError as error:
        if ".so" not in str(error):
            raise
        sys.stderr.write(f"gfvc {options.command}: {_missing_library(error)}\n")
        return EXIT_FAILED
    except Exception as error:
        if not isinstance(error, _library_errors()):
            raise
        first_line = str(error).strip().splitlines()[0]
        sys.stderr.write(f"gfvc {options.command}: {first_line}\n")
        return EXIT_FAILED
    return int(status)


def run() -> None:
    """Console script."""
    # Ended by `kill` or a time limit, a command must tidy up as well.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(EXIT_TERMINATED))
    sys.exit(main())
