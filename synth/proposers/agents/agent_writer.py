"""`command`: programs from an external coding agent, which edits a file in a scratch folder."""

from __future__ import annotations

import os
import secrets
import shlex
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hl_dsl.base.errors import HLError
from hl_dsl.synth.candidates.calls import Charge
from hl_dsl.synth.proposers.agents import sandbox
from hl_dsl.synth.proposers.agents.agent_process import MARK, AgentCommand, AgentOutcome, run_agent
from hl_dsl.synth.proposers.agents.profiles import Profile, command_of, profile_named
from hl_dsl.synth.proposers.agents.scratch_folder import TASK_TEXT, ScratchFolder
from hl_dsl.synth.proposers.text.options import ProposerOptions
from hl_dsl.synth.proposers.text.writer import Answer, CallFailed, OnTokens, Prompt, Writer
from hl_dsl.synth.runs.call_totals import CUT_OFF
from hl_dsl.synth.workers.process_tree import kill_marked

_MOST_OUTPUT_CHARACTERS = 2_000  # of the agent's output in the ledger
_MOST_LINE_CHARACTERS = 300  # of its last line in messages
_UNKNOWN = Charge(None, None)


class AgentWriter(Writer):
    """Runs an agent for each text. The tokens that an agent uses are unknown.

    Raises:
        HLError: The options name no command or more than one, or the command does not exist.
    """

    name = "command"

    def __init__(self, options: ProposerOptions):
        if (options.command is None) == (options.profile is None):
            raise HLError(
                "the proposer `command` needs exactly one agent",
                "give a command line (--command) or a predefined one (--profile codex)",
            )
        profile = Profile(_split(options.command)) if options.profile is None else profile_named(options.profile)
        self._command = command_of(profile, options.model)
        if not self._command or shutil.which(self._command[0]) is None:
            raise HLError(
                f"the agent's command `{self._command[0] if self._command else ''}` does not exist",
                "install it, or give its path",
            )
        self.model: str | None = options.model or options.profile or Path(self._command[0]).name
        self._is_sandboxed = options.sandbox and sandbox.available() > 0
        self._writable = profile.writable
        self._mark = ""

    @property
    def settings(self) -> dict[str, Any]:
        """The command line."""
        return {"command": list(self._command)}

    def learn(self, calls: Sequence[Mapping[str, Any]]) -> None:
        """Kills processes of agents that a killed study did not."""
        for call in calls:
            if call["outcome"] == CUT_OFF and call.get("agent"):
                kill_marked(MARK, call["agent"])

    def most(self, prompt: Prompt) -> Charge:
        """Returns an unknown charge."""
        return _UNKNOWN

    def describe_attempt(self) -> dict[str, Any]:
        """Returns the mark of the agent's processes and the kind of sandbox."""
        self._mark = secrets.token_hex(8)
        return {"agent": self._mark, "sandbox": "landlock" if self._is_sandboxed else "none"}

    def write(self, prompt: Prompt, timeout: float, on_tokens: OnTokens) -> Answer:
        """Runs the agent in a new scratch folder and returns the program that it leaves. Raises CallFailed."""
        with ScratchFolder(prompt) as folder:
            try:
                outcome = run_agent(self._agent_in(folder.path), timeout, lambda: on_tokens(0))
            except OSError as error:
                raise CallFailed(f"cannot start the agent: {error.strerror or error}", charge=_UNKNOWN) from None
            text, initial = folder.read_program(), folder.initial_program
        details = {
            "exit_code": outcome.exit_code,
            "timed_out": outcome.timed_out,
            "survivors": outcome.survivors,
            "output": outcome.output[-_MOST_OUTPUT_CHARACTERS:],
        }
        if text == initial or not text.strip() and outcome.exit_code:
            raise CallFailed(_reason(outcome), can_retry=True, charge=_UNKNOWN, details=details)
        comment = "" if text.strip() else "the agent left no program"
        return Answer(text, _UNKNOWN, None, comment, False, details)

    def _agent_in(self, folder: Path) -> AgentCommand:
        writable = None
        if self._is_sandboxed:
            writable = [str(folder), *(str(Path(path).expanduser()) for path in self._writable)]
        environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONHOME")}
        environment["TMPDIR"] = str(folder / "tmp")
        return AgentCommand(self._command, folder, TASK_TEXT, self._mark, writable, environment)


def _split(command: str | None) -> tuple[str, ...]:
    try:
        return tuple(shlex.split(command or ""))
    except ValueError as error:
        raise HLError(f"`{command}` is not a command line: {str(error).lower()}", "close its quotes") from None


def _reason(outcome: AgentOutcome) -> str:
    lines = [line.strip() for line in outcome.output.splitlines() if line.strip()]
    end = (
        "did not exit within the timeout"
        if outcome.timed_out
        else f"exited with code {outcome.exit_code}"
        if outcome.exit_code
        else "exited"
    )
    return f"the agent {end} and changed nothing" + (f": {lines[-1][:_MOST_LINE_CHARACTERS]}" if lines else "")
