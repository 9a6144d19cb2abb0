"""Ready command lines for coding agents that run without a person. They get the task on stdin.

They follow the agents' documentation; HL's tests run a scripted program in an agent's place, not the agents themselves.
"""

from __future__ import annotations

from dataclasses import dataclass

from hl_dsl.base.errors import HLError


@dataclass(frozen=True)
class Profile:
    """`command` is run in the scratch folder; besides it the agent may write in `writable`, its own files at home."""

    command: tuple[str, ...]
    writable: tuple[str, ...] = ()
    model_option: str | None = None


PROFILES = {
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


def profile_named(name: str) -> Profile:
    """Raises HLError."""
    if name not in PROFILES:
        raise HLError(
            f"there is no profile `{name}`",
            f"profiles: {', '.join(PROFILES)}; or give a command line of your own: --command",
        )
    return PROFILES[name]


def command_of(profile: Profile, model: str | None) -> tuple[str, ...]:
    """The profile's command line, with the model where one is named."""
    if model is None or profile.model_option is None:
        return profile.command
    return (profile.command[0], *_with(profile.command[1:], (profile.model_option, model)))


def _with(arguments: tuple[str, ...], more: tuple[str, ...]) -> tuple[str, ...]:
    """Options go before the lone `-` that stands for stdin."""
    return (*arguments[:-1], *more, "-") if arguments[-1] == "-" else (*arguments, *more)
