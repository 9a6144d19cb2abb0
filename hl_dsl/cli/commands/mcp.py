"""`hl mcp`: an open run, served to an MCP client over stdio."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hl_dsl.base.errors import HLError
from hl_dsl.cli.commands import interactive


def mcp(
    run: interactive.RunOption,
    file: Annotated[
        Path | None,
        typer.Argument(
            metavar="[FILE]", help="The policy to begin from, where RUN is not open yet.", show_default=False
        ),
    ] = None,
    protocol: interactive.Protocol = None,
    seeds: interactive.Seeds = "0..7",
    steps: interactive.Steps = 300_000,
    programs: interactive.ProgramsBudget = None,
    max_steps: interactive.MaxSteps = None,
) -> None:
    """Serve an open run to an MCP client over stdio: status, check, submit, inspect, finish."""
    try:
        import mcp.server.mcpserver  # noqa: F401
    except ImportError as error:
        raise HLError(
            f"`hl mcp` needs the MCP library, which is not installed ({error})", 'install it: pip install "hl-dsl[mcp]"'
        ) from None
    from hl_dsl.cli.mcp_server.server import serve
    from hl_dsl.program import Program
    from hl_dsl.synth.search.interactive_documents import open_settings
    from hl_dsl.synth.search.interactive_run import InteractiveStudy

    # What is wrong at first sight ends the command; to prove and play takes longer than a client waits for a server to start.
    if file is None:
        open_settings(run)
        serve(lambda: InteractiveStudy.reopen(run), run)
    else:
        Program.load(file)
        settings, budget = interactive.opening(protocol, seeds, steps, programs, max_steps)
        serve(lambda: InteractiveStudy.create(file, run, settings, budget), run)
