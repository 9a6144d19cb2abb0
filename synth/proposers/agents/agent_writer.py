"""`command`: programs from an external coding agent that edits a file in a scratch folder."""

from __future__ import annotations

import os
import secrets
import shlex
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hl_dsl.synth.proposers.agents import sandbox
from hl_dsl.synth.proposers.agents.agent_process import MARK, AgentOutcome, run_agent
from hl_dsl.synth.proposers.agents.profiles import Profile, command_of, profile_named
from hl_dsl.synth.proposers.agents.scratch_folder import TOLD, Workspace
from hl_dsl.synth.proposers.text.options import ProposerOptions
from hl_dsl.synth.proposers.text.writer import Answer, CallFailed, Charge, OnTokens, Prompt
from hl_dsl.synth.workers.process_tree import end_marked

from hl_dsl.base.errors import HLError

_KEPT_OUTPUT = 2_000  # characters of it in the ledger
_NOT_KNOWN = Charge(None, None)


class AgentWriter:
    """What an agent spends is between it and whoever it asks: its tokens are not known here. Raises HLError where there is
    no command, or its program is not found."""

    name = "command"

    def __init__(self, options: ProposerOptions):
        if (options.command is None) == (options.profile is None):
            raise HLError(
                "the proposer `command` needs one agent to run",
                "give a command line (--command) or a ready one (--profile codex)",
            )
        profile = Profile(_split(options.command)) if options.profile is None else profile_named(options.profile)
        self._command = command_of(profile, options.model)
        if not self._command or shutil.which(self._command[0]) is None:
            raise HLError(
                f"there is no program `{self._command[0] if self._command else ''}` to run as an agent",
                "install it, or give its path",
            )
        self.model: str | None = options.model or options.profile or Path(self._command[0]).name
        self._fenced = options.fence and sandbox.available() > 0
        self._writable = profile.writable
        self._mark = ""

    @property
    def settings(self) -> dict[str, Any]:
        return {"command": list(self._command)}

    def learn(self, calls: list[Mapping[str, Any]]) -> None:
        """What a study that was killed left running is ended."""
        for call in calls:
            if call["outcome"] == "cut off" and call.get("agent"):
                end_marked(MARK, call["agent"])

    def most(self, prompt: Prompt) -> Charge:
        return _NOT_KNOWN

    def about(self) -> dict[str, Any]:
        self._mark = secrets.token_hex(8)
        return {"agent": self._mark, "fence": "landlock" if self._fenced else "none"}

    def ask(self, prompt: Prompt, timeout: float, on_tokens: OnTokens) -> Answer:
        with Workspace(prompt) as workspace:
            writable = (
                [str(workspace.path), *(str(Path(one).expanduser()) for one in self._writable)]
                if self._fenced
                else None
            )
            environment = {
                name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONHOME")
            }
            environment["TMPDIR"] = str(workspace.path / "tmp")
            try:
                outcome = run_agent(
                    self._command,
                    workspace.path,
                    TOLD,
                    timeout,
                    self._mark,
                    writable,
                    environment,
                    lambda: on_tokens(0),
                )
            except OSError as error:
                raise CallFailed(f"the agent does not start: {error.strerror or error}", charge=_NOT_KNOWN) from None
            text, given = workspace.program(), workspace.given
        more = {
            "exit_code": outcome.exit_code,
            "timed_out": outcome.timed_out,
            "survivors": outcome.survivors,
            "output": outcome.output[-_KEPT_OUTPUT:],
        }
        if text == given or not text.strip() and outcome.exit_code:
            raise CallFailed(_reason(outcome), again=True, charge=_NOT_KNOWN, more=more)
        return Answer(text, _NOT_KNOWN, None, "" if text.strip() else "the agent left no program", False, more)


def _split(command: str | None) -> tuple[str, ...]:
    try:
        return tuple(shlex.split(command or ""))
    except ValueError as error:
        raise HLError(f"`{command}` is no command line: {str(error).lower()}", "close what is quoted") from None


def _reason(outcome: AgentOutcome) -> str:
    last = next((line.strip() for line in reversed(outcome.output.splitlines()) if line.strip()), "")
    end = (
        "did not end in time"
        if outcome.timed_out
        else f"ended with code {outcome.exit_code}"
        if outcome.exit_code
        else "ended"
    )
    return f"the agent {end} and changed nothing" + (f": {last[:300]}" if last else "")
