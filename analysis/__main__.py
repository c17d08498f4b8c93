"""The command line: same options, same defaults, same numbers as the pages. `python -m analysis --help`."""

import argparse
import os
import sys

from analysis.commands import VERBS
from analysis.commands.terminal import write
from analysis.errors import InputError


def main(arguments: list[str] | None = None) -> int:
    options = parser().parse_args(arguments)
    try:
        report = options.run(options)
        if options.json:
            write(options.json, report)
        return options.status
    except InputError as error:
        print(f"error: {error.message}", file=sys.stderr)
        if error.hint:
            print(f"       {error.hint}", file=sys.stderr)
        return 2
    except BrokenPipeError:  # `| head` has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        print(f"error: {error.filename or 'a file'} cannot be written or read: {error.strerror or error}.", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nstopped; the same command goes on where it was", file=sys.stderr)
        return 130


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(prog="python -m analysis", description="Sextant's command line. Models and datasets are named as in the app.")
    top.set_defaults(status=0)
    verbs = top.add_subparsers(required=True, metavar="COMMAND")
    for verb in VERBS:
        verb.add(verbs)
    return top


if __name__ == "__main__":
    sys.exit(main())
