"""Options of studies (`hl synth`, `hl tune`, `hl open`, `hl mcp`), and their conversion to settings."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hl_dsl.cli.options.seeds import parse_seeds

if TYPE_CHECKING:
    from hl_dsl.synth.rollouts.executor import Executor
    from hl_dsl.synth.rollouts.resources import Resources
    from hl_dsl.synth.runs.budget import Budget
    from hl_dsl.synth.search.study_settings import StudySettings, TuningSettings

RunOption = Annotated[Path, typer.Option("--run", help="The run folder.", show_default=False)]
ProtocolOption = Annotated[
    str | None, typer.Option("--protocol", "-p", help="[default: the environment's first]", show_default=False)
]
SeedsOption = Annotated[
    str,
    typer.Option("--seeds", "-s", help="Development seeds; only the first if the protocol draws nothing at random."),
]
StepsOption = Annotated[int, typer.Option("--steps", min=1, help="Budget of environment steps.")]
ProgramsOption = Annotated[
    int | None, typer.Option("--programs", min=1, help="Budget of programs.", show_default=False)
]
MaxStepsOption = Annotated[
    int | None,
    typer.Option("--max-steps", min=1, help="Truncate each episode after so many steps.", show_default=False),
]
ThreadsOption = Annotated[
    int, typer.Option("--threads", min=0, max=256, help="Simulator threads; 0: one for each core.")
]


@dataclass(frozen=True)
class StudyOptions:
    """Options of `hl synth` and `hl tune`."""

    protocol: ProtocolOption = None
    seeds: SeedsOption = "0..7"
    seconds: Annotated[
        float | None, typer.Option("--seconds", min=1, help="Budget of wall time.", show_default=False)
    ] = None
    max_steps: MaxStepsOption = None
    seed: Annotated[int, typer.Option("--seed", min=0, help="Seed of the study's random numbers.")] = 0
    resume: Annotated[bool, typer.Option("--resume", help="Resume the run in that folder.")] = False
    ledger: Annotated[
        Path | None,
        typer.Option(
            "--ledger",
            help="Append one line about the run to this ledger, such as the policy's own trials.jsonl.",
            show_default=False,
        ),
    ] = None
    num_threads: ThreadsOption = 0
    in_process: Annotated[
        bool, typer.Option("--in-process", help="Evaluate in this process: a crash or hang ends the study.")
    ] = False
    deadline: Annotated[
        float, typer.Option("--deadline", min=0.1, help="Seconds without a step after which a worker is killed.")
    ] = 60.0
    memory: Annotated[float, typer.Option("--memory", min=0.5, help="GiB of memory of a worker.")] = 4.0

    def settings(self, proposer: str = "local", tuning: TuningSettings | None = None) -> StudySettings:
        """Returns the settings of the study. Raises HLError for invalid seeds."""
        from hl_dsl.synth.search.study_settings import StudySettings

        seeds = tuple(parse_seeds(self.seeds))
        return StudySettings(self.protocol, seeds, self.seed, self.max_steps, proposer=proposer, tuning=tuning)

    def resources(self) -> Resources:
        """Returns the threads and the executor of the study."""
        from hl_dsl.synth.rollouts.resources import Resources

        return Resources(self.num_threads, executor=self._executor())

    def _executor(self) -> Executor:
        from hl_dsl.synth.rollouts.executor import InProcessExecutor
        from hl_dsl.synth.workers.limits import GIB, WorkerLimits
        from hl_dsl.synth.workers.worker_executor import WorkerExecutor

        if self.in_process:
            return InProcessExecutor()
        return WorkerExecutor(WorkerLimits(seconds=self.deadline, memory=int(self.memory * GIB)))


@dataclass(frozen=True)
class InteractiveOptions:
    """Options of `hl open` and `hl mcp`."""

    protocol: ProtocolOption = None
    seeds: SeedsOption = "0..7"
    steps: StepsOption = 300_000
    programs: ProgramsOption = None
    max_steps: MaxStepsOption = None

    def settings(self) -> StudySettings:
        """Returns the settings of the study. Raises HLError for seeds that are not development seeds."""
        from hl_dsl.synth.environments.seed_ranges import refuse_other_seeds
        from hl_dsl.synth.search.study_settings import StudySettings

        seeds = tuple(parse_seeds(self.seeds))
        refuse_other_seeds(seeds, "a search")
        return StudySettings(self.protocol, seeds, max_steps=self.max_steps)

    def budget(self) -> Budget:
        """Returns the budget of the study."""
        from hl_dsl.synth.runs.budget import Budget

        return Budget(steps=self.steps, programs=self.programs)
