"""Predefined command lines of coding agents that run without user interaction. They read the task from stdin.

They follow the agents' documentation. The tests of HL run a scripted program instead of the agents.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from hl_dsl.base.errors import HLError


@dataclass(frozen=True)
class Profile:
    """An agent's command line. The agent may write in its scratch folder and in `writable`, its own files at home."""

    command: tuple[str, ...]
    writable: tuple[str, ...] = ()
    model_option: str | None = None


PROFILES: Mapping[str, Profile] = MappingProxyType(
    {
        "codex": Profile(
            ("codex", "exec", "--sandbox", "workspace-write", "--skip-git-repo-check", "--ephemeral", "-"),
            ("~/.codex",),
            "--model",
        ),
        "claude": Profile(
            ("claude", "--print", "--permission-mode", "acceptEdits", "--allowedTools", "Read,Edit,Write"),
            ("~/.claude", "~/.claude.json", "~/.cache", "~/.config/claude"),
            "--model",
        ),
    }
)


def profile_named(name: str) -> Profile:
    """Returns the profile of this name. Raises HLError if it does not exist."""
    if name not in PROFILES:
        raise HLError(
            f"unknown profile `{name}`",
            f"choose one of: {', '.join(PROFILES)}; or give your own command line: --command",
        )
    return PROFILES[name]


def command_of(profile: Profile, model: str | None) -> tuple[str, ...]:
    """Returns the profile's command line, with the option for `model`."""
    if model is None or profile.model_option is None:
        return profile.command
    return (profile.command[0], *_insert_options(profile.command[1:], (profile.model_option, model)))


def _insert_options(arguments: tuple[str, ...], options: tuple[str, ...]) -> tuple[str, ...]:
    """Inserts options before a final `-`, which means stdin."""
    return (*arguments[:-1], *options, "-") if arguments[-1] == "-" else (*arguments, *options)
