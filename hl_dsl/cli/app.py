"""The commands of `hl`. Each one is a file in `commands/` that imports what it needs when it is called."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer
from typer.exceptions import TyperException

from hl_dsl.base.errors import HLError
from hl_dsl.cli.commands import (
    check,
    diff,
    env,
    eval,
    explain,
    export,
    fmt,
    grammar,
    interactive,
    mcp,
    new,
    regress,
    report,
    show,
    synth,
    trials,
    tune,
    verify,
)
from hl_dsl.cli.options.fast_parameters import QuickCommand, QuickGroup
from hl_dsl.cli.output import interrupts
from hl_dsl.cli.output.documents import Interrupted, finish_output, prepare_output, report_error, report_usage
from hl_dsl.cli.output.error_messages import as_error
from hl_dsl.cli.output.interrupts import INTERRUPTED

app = typer.Typer(
    name="hl",
    cls=QuickGroup,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    epilog="Exit codes: 0 good; 1 findings, refuted, regression; 2 usage or files; 3 unknown; 130 interrupted.",
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("new", cls=QuickCommand)(new.new)
app.command("env", cls=QuickCommand)(env.env)
app.command("grammar", cls=QuickCommand)(grammar.grammar)
app.command("check", cls=QuickCommand)(check.check)
app.command("fmt", cls=QuickCommand)(fmt.fmt)
app.command("verify", cls=QuickCommand)(verify.verify)
app.command("diff", cls=QuickCommand)(diff.diff)
app.command("eval", cls=QuickCommand)(eval.evaluate)
app.command("tune", cls=QuickCommand)(tune.tune)
app.command("synth", cls=QuickCommand)(synth.synth)
app.command("trials", cls=QuickCommand)(trials.trials)
app.command("report", cls=QuickCommand)(report.report)
app.add_typer(regress.app, name="regress")
app.command("open", cls=QuickCommand)(interactive.open_run)
app.command("submit", cls=QuickCommand)(interactive.submit)
app.command("status", cls=QuickCommand)(interactive.status)
app.command("inspect", cls=QuickCommand)(interactive.inspect)
app.command("finish", cls=QuickCommand)(interactive.finish)
app.command("mcp", cls=QuickCommand)(mcp.mcp)
app.command("explain", cls=QuickCommand)(explain.explain)
app.command("export", cls=QuickCommand)(export.export)
app.command("show", cls=QuickCommand)(show.show)


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        print(f"hl {version('hl-dsl')}")
        raise typer.Exit


@app.callback()
def hl(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """HL: controller programs that are checked, proved, compiled, run and improved."""


def run(arguments: Sequence[str]) -> int:
    """Runs one command line and returns its exit code.

    Errors are printed on stderr, and with `--json` as a document on stdout too.
    """
    as_json = "--json" in arguments
    prepare_output(arguments)
    try:
        code = app(list(arguments), prog_name="hl", standalone_mode=False) or 0
        if code == INTERRUPTED:
            raise KeyboardInterrupt
        finish_output()
    except HLError as error:
        code = report_error(error, as_json)
        code = INTERRUPTED if interrupts.has_interrupt() else code
    except TyperException as error:
        code = report_usage(error, as_json)
    except typer.Exit as error:
        code = error.exit_code
    except (Exception, KeyboardInterrupt) as error:
        # Libraries turn an interrupt during their work into errors of their own.
        is_interrupted = isinstance(error, KeyboardInterrupt) or interrupts.has_interrupt()
        code = report_error(Interrupted("interrupted") if is_interrupted else as_error(error), as_json)
    return code
