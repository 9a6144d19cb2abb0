"""Table of the proposers, by the names that `--proposer` accepts. A new proposer is one file and one row here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from hl_dsl.base.errors import HLError
from hl_dsl.synth.candidates.proposer import Proposer
from hl_dsl.synth.proposers.agents.agent_writer import AgentWriter
from hl_dsl.synth.proposers.llm.openai_writer import OpenAIWriter
from hl_dsl.synth.proposers.local.local_proposer import LocalProposer
from hl_dsl.synth.proposers.replay import ReplayProposer
from hl_dsl.synth.proposers.round_robin import RoundRobin
from hl_dsl.synth.proposers.submissions import Submissions
from hl_dsl.synth.proposers.text.options import ProposerOptions
from hl_dsl.synth.proposers.text.text_proposer import TextProposer

PROPOSERS: Mapping[str, Callable[[ProposerOptions], Proposer]] = MappingProxyType(
    {
        "local": lambda options: LocalProposer(),
        "openai": lambda options: TextProposer(OpenAIWriter(options), options),
        "command": lambda options: TextProposer(AgentWriter(options), options),
        "replay": ReplayProposer,
        "mcp": lambda options: Submissions(),
    }
)


def proposer_named(name: str, options: ProposerOptions | None = None) -> Proposer:
    """Returns the proposer of this name; several names separated by commas give proposers that take turns.

    Raises:
        HLError: Unknown proposer, or options that the proposer does not accept.
    """
    options = options or ProposerOptions()
    proposers = [_make(part.strip(), options) for part in name.split(",")]
    return proposers[0] if len(proposers) == 1 else RoundRobin(proposers)


def _make(name: str, options: ProposerOptions) -> Proposer:
    if name not in PROPOSERS:
        raise HLError(f"unknown proposer `{name}`", f"choose one of: {', '.join(PROPOSERS)}")
    return PROPOSERS[name](options)
