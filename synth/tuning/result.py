"""Result of a tuning."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from hl_dsl.base.text import counted
from hl_dsl.compiler.backends.episode_counts import PlanningCounts
from hl_dsl.synth.runs.run_result import INTERRUPTED


@dataclass(frozen=True)
class TuneResult:
    """Result of a tuning.

    Attributes:
        best_text: The program with the best values as its defaults; the initial text if nothing was better.
        program_hash: Its hash.
        values: The best values of all parameters.
        score: Their fitness over `seeds`, in whole episodes.
        start_score: Fitness of the initial program.
        seeds: Development seeds.
        samples: Number of samples.
        env_steps: Environment steps.
        stop_reason: Why the tuning stopped.
        program_name: Name of the program.
        protocol: Protocol of the episodes.
        fitness: What was maximized.
        planning: Counts of the planner.
        written: The file that the text was written into, in addition to the run folder.
    """

    SCHEMA: ClassVar[str] = "hl.tune/1"  # of the document of `hl tune --json`
    best_text: str
    program_hash: str
    values: dict[str, float]
    score: float
    start_score: float
    seeds: tuple[int, ...]
    samples: int
    env_steps: int
    stop_reason: str
    program_name: str = ""
    protocol: str = ""
    fitness: str = "mean"
    planning: PlanningCounts = PlanningCounts()
    written: str | None = None

    @property
    def interrupted(self) -> bool:
        """Whether an interrupt stopped the tuning."""
        return self.stop_reason == INTERRUPTED

    @property
    def problem(self) -> None:
        """A tuning that ends has no problem to report; a study of `hl synth` may have one."""
        return None

    @property
    def improved(self) -> bool:
        """Whether a better program was found."""
        return self.score > self.start_score

    def to_json(self) -> dict[str, Any]:
        """The document of `hl tune --json`, without its schema."""
        return {
            "policy": self.program_name,
            "protocol": self.protocol,
            "program_hash": self.program_hash,
            "parameters": self.values,
            "fitness": self.fitness,
            "score": self.score,
            "start_score": self.start_score,
            "seeds": list(self.seeds),
            "samples": self.samples,
            "env_steps": self.env_steps,
            "planning": self.planning.to_json() if self.planning else None,
            "stop_reason": self.stop_reason,
            "program": self.best_text,
            "written": self.written,
        }

    def render(self) -> str:
        """For people: the scores, the values, the text."""
        values = ", ".join(f"{name} = {value:g}" for name, value in self.values.items())
        by = "" if self.fitness == "mean" else f" ({self.fitness})"
        written = f"written to {self.written}\n" if self.written else ""
        return (
            f"{self.program_name}: {self.start_score:g} -> {self.score:g}{by} under {self.protocol}, "
            f"{counted(len(self.seeds), 'seed')}, {counted(self.samples, 'sample')}, "
            f"{counted(self.env_steps, 'environment step')}"
            + (f", {counted(self.planning.steps, 'step')} of the model to plan" if self.planning.steps else "")
            + "\n"
            f"stopped: {self.stop_reason}\n{written}{values}\n\n{self.best_text}"
        ).rstrip()
