"""`hl mcp`: an open run, served to an MCP client over stdio."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from hl_dsl.cli import session
from hl_dsl.diagnostics import HLError


def mcp(
    run: session.RunOption,
    file: Annotated[Optional[Path], typer.Argument(metavar="[FILE]", help="The policy to begin from, where RUN is not open yet.", show_default=False)] = None,
    protocol: session.Protocol = None, seeds: session.Seeds = "0..7", steps: session.Steps = 300_000, programs: session.Programs = None,
    max_steps: session.MaxSteps = None,
) -> None:
    """Serve an open run to an MCP client over stdio: status, check, submit, inspect, finish."""
    try:
        import mcp.server.mcpserver  # noqa: F401
    except ImportError as error:
        raise HLError(f"`hl mcp` needs the MCP library, which is not installed ({error})", 'install it: pip install "hl-dsl[mcp]"') from None
    from hl_dsl.cli.mcp_server import serve
    from hl_dsl.synth.session import Session

    if file is None:
        opened = Session.go_on(run)
    else:
        opened = session._session(file, run, protocol, seeds, steps, programs, max_steps)
    with opened:
        serve(opened, run)
