"""Train a network: python -m models.training DATA --out DIR --minutes N."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from models.errors import ModelError
from models.training.arguments import add_arguments, run_with


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m models.training", description=__doc__)
    add_arguments(parser)
    options = parser.parse_args(arguments)
    try:
        return run_with(options)
    except ModelError as error:
        sys.stderr.write(f"models.training: {error}\n")
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
