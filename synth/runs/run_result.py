"""What a study came to."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from shlex import quote
from typing import Any, ClassVar

from hl_dsl.synth.runs.call_totals import calls_line
from hl_dsl.synth.runs.statuses import Gate

from hl_dsl.base.errors import HLError
from hl_dsl.base.text import counted

INTERRUPTED = "interrupted"


class NotWritten(HLError):
    """A run came to its end, but its folder did not take all of it. `result` is what it came to."""

    def __init__(self, result: Any, problem: HLError):
        super().__init__(problem.message, problem.hint)
        self.result = result


@dataclass(frozen=True)
class StudyResult:
    """`best_text` is the best program, formatted and with its defaults set; `score` its mean return over `seeds` under
    the study's own rules (episodes may end early, see Study). `proved`: the full proof was made, and passed; else the
    program has passed the gates of the search. `lost_steps` were spent on what an interrupt or a crash cut. `calls`: see
    `call_totals`. `failed`: whoever was asked for programs never gave one."""

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
        """What is wrong with a run that came to its end without any proposal."""
        return (
            HLError(
                f"no program was proposed: {self.stop_reason}",
                "see that whoever is asked can be reached, and go on with the run by --resume",
            )
            if self.failed
            else None
        )

    @property
    def interrupted(self) -> bool:
        return self.stop_reason == INTERRUPTED

    def to_json(self) -> dict[str, Any]:
        """The document of `hl synth --json`, without its schema."""
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
        """For people: the scores, the proof, where things are, the program."""
        stopped = ", ".join(f"{gate} {count:,}" for gate, count in self.stopped_at.items() if gate != Gate.ACCEPTED)
        lines = [
            f"{self.program_name}: {self.start_score:g} -> {self.score:g} under {self.protocol}, {counted(len(self.seeds), 'seed')}, "
            f"{self.env_steps:,} environment steps, {self.wall_seconds:.0f} s",
            f"proof: {self.proof}",
            f"{counted(self.trials, 'program')} proposed, {self.accepted:,} accepted"
            + (f", rejected at {stopped}" if stopped else ""),
            *([] if self.calls is None else [calls_line(self.calls)]),
            f"stopped: {self.stop_reason}",
            f"in {self.folder}: best.hl, trials.jsonl, summary.csv, sample_efficiency.png",
            f"next: hl trials {quote(str(self.folder))}; hl eval {quote(str(self.folder / 'best.hl'))} --protocol {self.protocol} (whole episodes)",
            "",
        ]
        return "\n".join(lines) + self.best_text.rstrip()
