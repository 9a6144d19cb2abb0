"""`hl mcp`: an interactive study, served to an MCP client over stdio."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hl_dsl.base.errors import HLError
from hl_dsl.cli.options.groups import with_option_groups
from hl_dsl.cli.options.study import InteractiveOptions, RunOption


@with_option_groups
def mcp(
    run: RunOption,
    options: InteractiveOptions,
    file: Annotated[
        Path | None,
        typer.Argument(metavar="[FILE]", help="The initial policy, if RUN is not open yet.", show_default=False),
    ] = None,
) -> None:
    """Serve an interactive study over MCP: status, check, submit, inspect, finish."""
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

    # Errors in the arguments end the command here. Proof and evaluation take longer than a client waits for a server to
    # start, so they wait for the first call of a tool.
    if file is None:
        open_settings(run)
        serve(lambda: InteractiveStudy.reopen(run), run)
    else:
        Program.load(file)
        settings, budget = options.settings(), options.budget()
        serve(lambda: InteractiveStudy.create(file, run, settings, budget), run)
