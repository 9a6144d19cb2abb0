"""`hl tune`: search for better parameters of the same structure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hl_dsl.base.errors import HLError
from hl_dsl.cli.options.groups import with_option_groups
from hl_dsl.cli.options.study import RunOption, StepsOption, StudyOptions
from hl_dsl.cli.output.documents import Json, PolicyFile
from hl_dsl.cli.output.progress import run_progress
from hl_dsl.cli.output.study_runs import show_run

if TYPE_CHECKING:
    from hl_dsl.synth.search.study_settings import TuningSettings


@dataclass(frozen=True)
class TuningOptions:
    """Options of `hl tune` alone."""

    params: Annotated[
        str | None,
        typer.Option(
            "--params",
            help="Names of the params to tune, with commas; `*` and `?` match letters, `target[3]` one component."
            " [default: all]",
        ),
    ] = None
    fitness: Annotated[
        str,
        typer.Option(
            "--fitness", help="Maximized over the seeds: mean, min, or a weighted sum such as 0.5*min+0.5*mean."
        ),
    ] = "mean"
    race: Annotated[
        bool,
        typer.Option(
            "--race", help="Successive halving: samples play 2 seeds, the better half of a generation 8, 32, … seeds."
        ),
    ] = False
    center: Annotated[
        bool,
        typer.Option(
            "--center",
            help="Accept only the center of a generation, played next to its samples: it depends less on luck.",
        ),
    ] = False
    short: Annotated[
        str | None,
        typer.Option("--short", help="STEPS:GENERATIONS of short episodes before whole ones; several with commas."),
    ] = None
    population: Annotated[
        int | None,
        typer.Option(
            "--population",
            min=2,
            help="Samples in a generation, doubled at each restart. [default: 4 + 3 ln n for n params]",
        ),
    ] = None
    step_size: Annotated[
        float | None,
        typer.Option(
            "--step-size", min=0.0001, max=1.0, help="Initial step of CMA-ES as a part of each range. [default: 0.25]"
        ),
    ] = None

    def settings(self) -> TuningSettings:
        """Returns the settings of the tuning. Raises HLError for an empty name of a parameter."""
        from hl_dsl.synth.search.study_settings import TuningSettings

        return TuningSettings(
            self._names(), self.population, self.step_size, self.fitness, self.race, self.center, self.short
        )

    def _names(self) -> tuple[str, ...] | None:
        if self.params is None:
            return None
        names = [name.strip() for name in self.params.split(",")]
        if not all(names):
            raise HLError(f"`--params {self.params}` has an empty name", "write the names with commas: `gain,offset`")
        return tuple(names)


@with_option_groups
def tune(
    file: PolicyFile,
    *,
    run: RunOption,
    tuning: TuningOptions,
    steps: StepsOption = 200_000,
    study: StudyOptions,
    write: Annotated[bool, typer.Option("--write", help="Write better values into the policy file itself.")] = False,
    json: Json = False,
) -> None:
    """Tune a policy's params inside their proved ranges by CMA-ES."""
    settings = study.settings(tuning=tuning.settings())

    def start(on_event: Any) -> Any:
        from hl_dsl.synth.runs.budget import Budget
        from hl_dsl.synth.search.start import run_line
        from hl_dsl.synth.tuning.start import run_tune

        budget = Budget(steps=steps, wall_seconds=study.seconds)
        with run_line(study.ledger, run):
            return run_tune(file, run, settings, budget, study.resources(), on_event, study.resume, write)

    show_run("tune", run, run_progress("tune"), start, json)
