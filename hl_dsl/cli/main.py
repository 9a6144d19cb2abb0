"""The `hl` command. Each subcommand is a file of its own that imports what it needs when it is called."""

from __future__ import annotations

import sys

import typer

from hl_dsl.cli import check, environment, evaluate, explain, export, fmt, new, synth, trials, tune, verify
from hl_dsl.cli.output import report_error
from hl_dsl.diagnostics import HLError

app = typer.Typer(
    name="hl", no_args_is_help=True, add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False,
    help="HL: controller programs that are checked, proved, compiled, run and improved.",
    epilog="Exit codes: 0 good; 1 findings, refuted, regression; 2 usage or files; 3 unknown.",
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("new")(new.new)
app.command("env")(environment.env)
app.command("check")(check.check)
app.command("fmt")(fmt.fmt)
app.command("verify")(verify.verify)
app.command("eval")(evaluate.evaluate)
app.command("tune")(tune.tune)
app.command("synth")(synth.synth)
app.command("trials")(trials.trials)
app.command("explain")(explain.explain)
app.command("export")(export.export)


def main() -> None:
    """Runs the command line and ends the process with the command's exit code."""
    try:
        app()
    except HLError as error:
        sys.exit(report_error(error))
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        sys.exit(130)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(0)
    except RecursionError:
        sys.exit(report_error(HLError("an expression of this program is nested too deeply to work with", "name parts of it with `let`")))
    except OSError as error:
        sys.exit(report_error(HLError(f"{error.filename or 'output'}: {error.strerror or error}", "check the path, its permissions and the space left")))


if __name__ == "__main__":
    main()
