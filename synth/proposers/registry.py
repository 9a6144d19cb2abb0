"""The proposers that write texts, by the names that `--proposer` takes."""

from __future__ import annotations

from collections.abc import Callable

from hl_dsl.synth.candidates.proposer import Proposer
from hl_dsl.synth.proposers.text.options import ProposerOptions


def _openai(options: ProposerOptions) -> Proposer:
    from hl_dsl.synth.proposers.llm.openai_writer import ModelWriter
    from hl_dsl.synth.proposers.text.text_proposer import TextProposer

    return TextProposer(ModelWriter(options), options)


def _command(options: ProposerOptions) -> Proposer:
    from hl_dsl.synth.proposers.agents.agent_writer import AgentWriter
    from hl_dsl.synth.proposers.text.text_proposer import TextProposer

    return TextProposer(AgentWriter(options), options)


def _replay(options: ProposerOptions) -> Proposer:
    from hl_dsl.synth.proposers.replay import ReplayProposer

    return ReplayProposer(options)


def _mcp(options: ProposerOptions) -> Proposer:
    from hl_dsl.synth.proposers.submissions import Submissions

    return Submissions()


TEXT_PROPOSERS: dict[str, Callable[[ProposerOptions], Proposer]] = {
    "openai": _openai,
    "command": _command,
    "replay": _replay,
    "mcp": _mcp,
}
