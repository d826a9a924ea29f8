"""Show NAL units and SEI messages of a stream."""

HELP = "show what is in a stream"


def add_arguments(parser):
    parser.add_argument("input")


def run(options):
    return 1
