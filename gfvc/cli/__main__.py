"""`python -m gfvc.cli`, the same as the `gfvc` command."""

from gfvc.cli.main import run

if __name__ == "__main__":
    run()
