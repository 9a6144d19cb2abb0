"""Tools of `hl mcp`. Each replies with the document of the command of the same name under `--json`."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hl_dsl.base.errors import HLError
from hl_dsl.cli.mcp_server.replies import CheckReply, Document, FinishReply, InspectReply, Status, SubmitReply
from hl_dsl.cli.output.check_documents import check_text
from hl_dsl.cli.output.documents import error_text, plain
from hl_dsl.cli.output.error_messages import as_error
from hl_dsl.synth.runs.run_folder import SETTINGS
from hl_dsl.synth.runs.version import version
from hl_dsl.synth.search.interactive_documents import inspect as inspect_trial
from hl_dsl.synth.search.interactive_documents import status as run_status
from hl_dsl.synth.search.interactive_run import InteractiveStudy, closed

if TYPE_CHECKING:
    from mcp.server.mcpserver import MCPServer

PROGRAM = "program.hl"  # what messages call a text
_INSTRUCTIONS = """\
A study that searches for a better controller in the language HL. Read `status` and `inspect`, write a whole program,
`check` it, then `submit` it: it is parsed, checked, compared with known programs, proved, and only then evaluated.
Every environment step counts against the budget. A rejection names the gate and the reason. Call `finish` when the
budget is spent or you have no better idea."""


def serve(open_session: Callable[[], InteractiveStudy], run: Path) -> None:
    """Serves on stdin and stdout until the client disconnects."""
    opened: list[InteractiveStudy] = []
    try:
        server_of(open_session, run, opened).run("stdio")
    finally:
        for session in opened:
            session.close()


def server_of(open_session: Callable[[], InteractiveStudy], run: Path, opened: list[InteractiveStudy]) -> MCPServer:
    """Returns the server of an interactive study.

    The library calls tools in threads; a lock lets one run at a time. The study is opened on first use and added to
    `opened`, whose owner closes it.
    """
    from mcp.server.mcpserver import MCPServer
    from mcp.server.mcpserver.exceptions import ToolError

    server = MCPServer("hl", version=version(), instructions=_INSTRUCTIONS)
    lock = threading.Lock()
    over: list[bool] = []

    def answer(model: type[Document], work: Callable[[], dict[str, Any]]) -> Any:
        with lock:
            try:
                return model.model_validate(plain(work()))
            except HLError as error:
                raise ToolError(error_text(error)) from None
            except Exception as error:
                raise ToolError(error_text(as_error(error))) from error

    def session() -> InteractiveStudy:
        if over:
            raise closed(run)
        if not opened:
            opened.append(open_session())
        return opened[0]

    def started_run() -> Path:
        """The run folder; opens the study if it does not exist yet."""
        if not (run / SETTINGS).exists():
            session()
        return run

    def finish_run() -> dict[str, Any]:
        document = session().finish()
        over.append(True)
        return document

    @server.tool()
    def status() -> Status:
        """Shows the budget, what is left of it, and the best program so far. Takes no environment step."""
        return answer(Status, lambda: run_status(started_run()))

    @server.tool()
    def check(program: str) -> CheckReply:
        """Checks a program: syntax, names, types. Messages say how to fix it. Takes no environment step."""
        return answer(CheckReply, lambda: check_text(program, PROGRAM))

    @server.tool()
    def submit(program: str, change: str = "") -> SubmitReply:
        """Submits a whole program to the gates: parse, check, duplicate, proof, then episodes.

        `change` describes the change and its reason, for the record.
        """
        return answer(SubmitReply, lambda: session().submit(program, change))

    @server.tool()
    def inspect(trial: int | None = None, seed: int | None = None, ticks: int = 24) -> InspectReply:
        """Shows a trial (default: the best): program, proof, and the last ticks of an episode (default: the worst)."""
        return answer(InspectReply, lambda: inspect_trial(started_run(), trial, seed, ticks))

    @server.tool()
    def finish() -> FinishReply:
        """Closes the study: the best program is proved in full and written to the run folder."""
        return answer(FinishReply, finish_run)

    return server
