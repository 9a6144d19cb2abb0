"""Result of a study of `hl synth`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from shlex import quote
from typing import Any, ClassVar

from hl_dsl.base.errors import HLError
from hl_dsl.base.text import counted
from hl_dsl.synth.runs.call_totals import calls_line
from hl_dsl.synth.runs.statuses import Gate

INTERRUPTED = "interrupted"
"""Stop reason of a study that an interrupt ended."""


class NotWritten(HLError):
    """A study finished, but its folder could not hold all of it. `result` is its result."""

    def __init__(self, result: Any, problem: HLError) -> None:
        super().__init__(problem.message, problem.hint)
        self.result = result


@dataclass(frozen=True)
class StudyResult:
    """Result of a study.

    Attributes:
        best_text: The best program, formatted, with its values as defaults.
        score: Its mean return over `seeds` under the study's own rules (episodes may end early, see `Study`).
        start_score: The same for the initial program.
        proved: Whether the full proof was made and passed; otherwise the program has only passed the gates of the
            search.
        stopped_at: Number of programs by gate.
        lost_steps: Environment steps that an interrupt or a crash wasted.
        calls: Totals of the calls to models and agents (see `call_totals`).
        failed: Whether no proposer produced any program.
    """

    SCHEMA: ClassVar[str] = "hl.synth/2"  # of the document of `hl synth --json`
    folder: Path
    program_name: str
    protocol: str
    best_text: str
    program_hash: str
    score: float
    start_score: float
    seeds: tuple[int, ...]
    proved: bool
    proof: str
    trials: int
    accepted: int
    stopped_at: dict[str, int]
    env_steps: int
    lost_steps: int
    wall_seconds: float
    stop_reason: str
    calls: dict[str, Any] | None = None
    failed: bool = False

    @property
    def problem(self) -> HLError | None:
        """The error of a study that finished without any proposal."""
        return (
            HLError(
                f"no program was proposed: {self.stop_reason}",
                "check that the model or agent can be reached, and resume the run with --resume",
            )
            if self.failed
            else None
        )

    @property
    def interrupted(self) -> bool:
        """Whether an interrupt ended the study."""
        return self.stop_reason == INTERRUPTED

    def to_json(self) -> dict[str, Any]:
        """Returns the document of `hl synth --json` without its schema."""
        return {
            "policy": self.program_name,
            "protocol": self.protocol,
            "run": str(self.folder),
            "program_hash": self.program_hash,
            "score": self.score,
            "start_score": self.start_score,
            "seeds": list(self.seeds),
            "proved": self.proved,
            "proof": self.proof,
            "trials": self.trials,
            "accepted": self.accepted,
            "stopped_at": self.stopped_at,
            "env_steps": self.env_steps,
            "lost_steps": self.lost_steps,
            "wall_seconds": self.wall_seconds,
            "stop_reason": self.stop_reason,
            "calls": self.calls,
            "program": self.best_text,
        }

    def render(self) -> str:
        """Returns the result as text: scores, proof, counts, files, program."""
        rejected = ", ".join(f"{gate} {count:,}" for gate, count in self.stopped_at.items() if gate != Gate.ACCEPTED)
        folder = str(self.folder)
        evaluate = f"hl eval {quote(str(self.folder / 'best.hl'))} --protocol {self.protocol} (whole episodes)"
        lines = [
            f"{self.program_name}: {self.start_score:g} -> {self.score:g} under {self.protocol}, "
            f"{counted(len(self.seeds), 'seed')}, {self.env_steps:,} environment steps, {self.wall_seconds:.0f} s",
            f"proof: {self.proof}",
            f"{counted(self.trials, 'program')} proposed, {self.accepted:,} accepted"
            + (f", rejected at {rejected}" if rejected else ""),
            *([] if self.calls is None else [calls_line(self.calls)]),
            f"stopped: {self.stop_reason}",
            f"in {folder}: best.hl, trials.jsonl, summary.csv, sample_efficiency.png",
            f"next: hl trials {quote(folder)}; {evaluate}",
            "",
        ]
        return "\n".join(lines) + self.best_text.rstrip()
