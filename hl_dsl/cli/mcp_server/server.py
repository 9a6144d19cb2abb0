"""The five tools of `hl mcp`. Each answers with the document of the command of its name under `--json`."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field

from hl_dsl.base.errors import HLError
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
A run that searches for a better controller in the language HL. Look at `status` and `inspect`, write a whole program, `check` it, then
`submit` it: it is parsed, checked, compared with what is known, proved, and only then played. Every environment step counts against the
budget. A rejection says which gate and why. `finish` when the budget is spent or nothing better comes to mind."""


class Document(BaseModel):
    """`schema` names the form; the command line prints the same document."""

    model_config = ConfigDict(populate_by_name=True, serialize_by_alias=True, extra="forbid")
    schema_: str = Field(alias="schema")


class Status(Document):
    run: str
    env: str
    protocol: str
    seeds: list[int]
    open: bool
    start_score: float | str | None
    best: dict[str, Any] | None
    trials: int
    gates: dict[str, int]
    cases: list[str]
    budget: dict[str, int | None]
    spent: dict[str, int]
    left: dict[str, int | None]
    lost_steps: int


class CheckReply(Document):
    files: list[dict[str, Any]]


class JudgementReply(Document):
    run: str
    trial: int
    gate: str
    accepted: bool
    reason: str
    change: str


class SubmitReply(JudgementReply):
    program_hash: str
    proof: str
    seeds: list[int]
    returns: list[float | str]
    mean: float | str | None
    cases: dict[str, dict[str, Any]]
    env_steps: int
    best_score: float | str | None
    exit_code: int
    budget: dict[str, int | None]
    spent: dict[str, int]
    left: dict[str, int | None]
    lost_steps: int


class InspectReply(JudgementReply):
    parents: list[str]
    program_hash: str
    program: str
    proof: str
    mean: float | str | None
    episodes: list[dict[str, Any]]
    env_steps: int
    assumption_violations: dict[str, int]
    monitor_violations: dict[str, int]
    cases: dict[str, dict[str, Any]]
    trace: dict[str, Any] | None


class FinishReply(Document):
    policy: str
    protocol: str
    run: str
    program_hash: str
    score: float | str
    start_score: float | str | None
    seeds: list[int]
    proved: bool
    proof: str
    trials: int
    accepted: int
    stopped_at: dict[str, int]
    env_steps: int
    lost_steps: int
    wall_seconds: float
    stop_reason: str
    calls: dict[str, Any] | None
    program: str


def serve(open_session: Callable[[], InteractiveStudy], run: Path) -> None:
    """Answers on stdin and stdout until the client goes away."""
    opened: list[InteractiveStudy] = []
    try:
        server_of(open_session, run, opened).run("stdio")
    finally:
        for session in opened:
            session.close()


def server_of(open_session: Callable[[], InteractiveStudy], run: Path, opened: list[InteractiveStudy]) -> MCPServer:
    """The server of an open run. Tools run in threads of the library; one at a time is let in. The session is opened, and put
    into `opened`, when it is first needed."""
    from mcp.server.mcpserver import MCPServer
    from mcp.server.mcpserver.exceptions import ToolError

    server = MCPServer("hl", version=version(), instructions=_INSTRUCTIONS)
    one_at_a_time = threading.Lock()
    over: list[bool] = []

    def answer(model: type[Document], work: Callable[[], dict[str, Any]]) -> Any:
        with one_at_a_time:
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

    def begun() -> Path:
        """The run's folder, with the run in it."""
        if not (run / SETTINGS).exists():
            session()
        return run

    def finish_run() -> dict[str, Any]:
        document = session().finish()
        over.append(True)
        return document

    @server.tool()
    def status() -> Status:
        """The run's budget, what is left of it, and the best program so far. Takes no environment step."""
        return answer(Status, lambda: run_status(begun()))

    @server.tool()
    def check(program: str) -> CheckReply:
        """Checks the text of a program: syntax, names, types; each message says how to mend it. Takes no environment step."""
        return answer(CheckReply, lambda: check_text(program, PROGRAM))

    @server.tool()
    def submit(program: str, change: str = "") -> SubmitReply:
        """Sends the text of a whole program through the gates: parse, check, duplicate, proof, then episodes. `change` says what
        was changed and why, for the record."""
        return answer(SubmitReply, lambda: session().submit(program, change))

    @server.tool()
    def inspect(trial: int | None = None, seed: int | None = None, ticks: int = 24) -> InspectReply:
        """A trial (the best one by default): its program, its verdict, and the last ticks of an episode (its worst by default)."""
        return answer(InspectReply, lambda: inspect_trial(begun(), trial, seed, ticks))

    @server.tool()
    def finish() -> FinishReply:
        """Closes the run: the best program is proved in full and written to its folder."""
        return answer(FinishReply, finish_run)

    return server
