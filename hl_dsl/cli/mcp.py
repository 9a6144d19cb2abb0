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
    from hl_dsl.program import Program
    from hl_dsl.synth.session import Session
    from hl_dsl.synth.session_documents import open_settings

    # What is wrong at first sight ends the command; to prove and play takes longer than a client waits for a server to start.
    if file is None:
        open_settings(run)
        serve(lambda: Session.go_on(run), run)
    else:
        Program.load(file)
        opening = session.opening(protocol, seeds, steps, programs, max_steps)
        serve(lambda: Session.begin(file, run, opening), run)
