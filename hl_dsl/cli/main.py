"""The `hl` command: sees to it that an interrupt ends it cleanly from the first moment on, then runs the command line.

Importing this module is the first thing the command does, so the first thing it does in turn is to set the handling of
interrupts. What comes before, Python's own start, is Python's.
"""

from hl_dsl.cli.output import interrupts

interrupts.leave_at_once()

import sys


def main() -> None:
    """Runs the command line and ends the process with the command's exit code."""
    interrupts.leave_at_once()
    from hl_dsl.cli.app import run

    code = interrupts.INTERRUPTED
    try:
        interrupts.raise_from_now_on()
        code = run(sys.argv[1:])
        interrupts.end_quietly(code)
    except KeyboardInterrupt:
        pass  # while the first one was told of, or while the command ended
    code = interrupts.exit_code(code)
    interrupts.end_quietly(code)
    sys.exit(code)


if __name__ == "__main__":
    main()
