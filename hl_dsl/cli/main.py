"""Entry point of the `hl` command: installs the handling of interrupts, then runs the command line.

Interrupts are handled before anything else is imported, so that Ctrl-C ends the command cleanly from the start.
"""

from hl_dsl.cli.output import interrupts

interrupts.exit_on_signal()

import sys  # noqa: E402


def main() -> None:
    """Runs the command line and ends the process with the command's exit code."""
    interrupts.exit_on_signal()
    from hl_dsl.cli.app import run

    code = interrupts.INTERRUPTED
    try:
        interrupts.raise_on_signal()
        code = run(sys.argv[1:])
        interrupts.exit_quietly_on_signal(code)
    except KeyboardInterrupt:
        pass  # while the first interrupt was reported, or while the command ended
    code = interrupts.exit_code(code)
    interrupts.exit_quietly_on_signal(code)
    sys.exit(code)


if __name__ == "__main__":
    main()
