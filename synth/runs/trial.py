"""Trial record: one program that was proposed, checked, probed or evaluated, with its cost, as the ledger holds it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from hl_dsl.base.errors import HLError
from hl_dsl.synth.runs.statuses import Gate, TrialKind, TrialStatus


@dataclass(frozen=True)
class Trial:
    """One trial. `seeds`, `returns` and `lengths` have one entry for each finished episode, in the same order.

    Attributes:
        kind: What was done.
        program: The whole source text, so that every trial can be run again. Samples of `hl tune` that are not a new
            best omit it: they are the first sample's text with their `parameters` (see
            `synth/evaluation/program_text.py`).
        gate: Where the trial stopped. An evaluation that ran is `Gate.ACCEPTED`.
        accepted: Whether `gate` is `Gate.ACCEPTED`.
        reason: Why the trial stopped at its gate.
        lengths: Steps of each finished episode.
        environment_steps: All steps that the trial cost, including those of unfinished episodes, probes and golden
            cases.
        invariant_violations: By name, the number of steps that violated an invariant. Recorded only if the evaluation
            checked the proof.
        reached: By name, the number of steps that reached a `reachable`. Recorded as `invariant_violations` are.
        planning: Counts of planning, in addition to the environment steps; empty if nothing was planned.
        parameters: Values of the program's parameters.
        cases: Results of the policy's golden cases by name. Their returns do not count in the trial's score.
        fitness: The value the trial was chosen by, if that is not its mean return.
        sequence: Set by the ledger.
        time: Set by the ledger.

    Raises:
        ValueError: The gate or the kind is unknown, `accepted` contradicts the gate, or the numbers of seeds, returns
            and lengths differ.
    """

    kind: TrialKind
    program_name: str = ""
    program_hash: str = ""
    program: str = ""
    parent_hashes: tuple[str, ...] = ()
    proposer: str = ""
    model: str | None = None
    change: str = ""
    gate: Gate = Gate.NONE
    accepted: bool = False
    reason: str = ""
    environment: str = ""
    protocol: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    seeds: tuple[int, ...] = ()
    returns: tuple[float, ...] = ()
    lengths: tuple[int, ...] = ()
    distinct_trajectories: int | None = None
    environment_steps: int = 0
    cpu_seconds: float = 0.0
    wall_seconds: float = 0.0
    proof: Mapping[str, Any] | str | None = None
    out_of_range: Mapping[str, int] = field(default_factory=dict)
    assumption_violations: Mapping[str, int] = field(default_factory=dict)
    monitor_violations: Mapping[str, int] = field(default_factory=dict)
    invariant_violations: Mapping[str, int] = field(default_factory=dict)
    reached: Mapping[str, int] = field(default_factory=dict)
    planning: Mapping[str, int] = field(default_factory=dict)
    parameters: Mapping[str, float] = field(default_factory=dict)
    cases: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    fitness: float | None = None
    tokens: int | None = None
    cost: float | None = None
    run_seed: int | None = None
    index: int | None = None
    sequence: int | None = None
    time: str | None = None

    def __post_init__(self) -> None:
        converted = {
            "kind": TrialKind(self.kind),
            "gate": Gate(self.gate),
            "parent_hashes": tuple(map(str, self.parent_hashes)),
            "seeds": tuple(map(int, self.seeds)),
            "returns": tuple(map(float, self.returns)),
            "lengths": tuple(map(int, self.lengths)),
        }
        for name, value in converted.items():
            object.__setattr__(self, name, value)
        if self.accepted != (self.gate is Gate.ACCEPTED):
            raise ValueError(f"accepted={self.accepted} contradicts gate={self.gate.value!r}")
        if not len(self.seeds) == len(self.returns) == len(self.lengths):
            raise ValueError(
                f"{len(self.seeds)} seeds, {len(self.returns)} returns and {len(self.lengths)} lengths do not match"
            )

    @property
    def status(self) -> TrialStatus:
        """Result of the trial in one word."""
        return TrialStatus.of(self.gate)

    @property
    def episodes(self) -> int:
        """Number of finished episodes."""
        return len(self.returns)

    @property
    def mean(self) -> float | None:
        """Mean return; None if no episode was finished."""
        return sum(self.returns) / len(self.returns) if self.returns else None

    @property
    def score(self) -> float | None:
        """The value that trials are compared by: the fitness, else the mean return."""
        return self.mean if self.fitness is None else self.fitness

    @property
    def min(self) -> float | None:
        """Smallest return."""
        return min(self.returns, default=None)

    @property
    def max(self) -> float | None:
        """Largest return."""
        return max(self.returns, default=None)

    def to_event(self) -> dict[str, Any]:
        """Returns the event to append to a ledger: every field except those that the ledger sets."""
        event: dict[str, Any] = {"event": "trial"}
        event.update(vars(self))
        del event["sequence"], event["time"]
        event.update(mean=self.mean, min=self.min, max=self.max)
        return event

    @classmethod
    def from_event(cls, event: Mapping[str, Any]) -> Trial:
        """Returns the trial of an event that a ledger returned. Raises HLError if this version cannot read it."""
        values = {name: value for name, value in event.items() if name in cls.__dataclass_fields__}
        try:
            return cls(**values)
        except (TypeError, ValueError) as error:
            raise HLError(
                f"event {event.get('sequence', '?')} of the ledger is not a trial that this version can read: {error}",
                "read it with the version of HL that wrote it",
            ) from error


def trials_of(events: Iterable[Mapping[str, Any]]) -> list[Trial]:
    """Returns the trials among a ledger's events."""
    return [Trial.from_event(event) for event in events if event.get("event") == "trial"]


def wasted_trial(settings: Mapping[str, Any], steps: int, reason: str) -> Trial:
    """Returns the record of steps that produced no verdict, because of an interrupt or a crash.

    Args:
        settings: Settings of the run: `environment`, `protocol` and `run_seed` are read.
        steps: Environment steps.
        reason: What ended the episodes.
    """
    return Trial(
        kind=TrialKind.INTERRUPTED,
        gate=Gate.NONE,
        reason=reason,
        environment=settings["environment"],
        protocol=settings["protocol"],
        environment_steps=steps,
        run_seed=settings["run_seed"],
    )


def violations(counts: Mapping[str, int] | int | None) -> int:
    """Returns the sum of a table of counts."""
    return counts if isinstance(counts, int) else sum((counts or {}).values())


def proof_summary(proof: Mapping[str, Any] | str | None) -> str:
    """Returns the status of a recorded proof in a few words: its `status`, or its counts by status."""
    if isinstance(proof, str) or not proof:
        return proof if isinstance(proof, str) else ""
    if "status" in proof:
        return str(proof["status"])
    return ", ".join(f"{count} {status}" for status, count in proof.items() if count)


def trial_name(trial: Trial, position: int) -> str:
    """Returns the name of a trial: its index, else its sequence number, else its position.

    A simplified program was not proposed and has no index; its name includes its kind.
    """
    if trial.kind is TrialKind.SIMPLIFY and trial.sequence is not None:
        return f"{trial.kind} {trial.sequence}"
    number = trial.index if trial.index is not None else trial.sequence
    return str(position + 1 if number is None else number)


def trial_summary(trial: Trial) -> str:
    """Returns the change, the reason of a rejection, and counts that qualify the proof."""
    parts = [trial.change or trial.program_name]
    if not trial.accepted and trial.reason:
        parts.append(trial.reason.partition("\n")[0])
    counts = (
        ("observations out of range", violations(trial.out_of_range)),
        ("assumption violated", violations(trial.assumption_violations)),
        ("monitor violated", violations(trial.monitor_violations)),
        ("proved invariant violated", violations(trial.invariant_violations)),
        ("planner candidates without a finite score", trial.planning.get("diverged", 0)),
        ("steps without a plan", trial.planning.get("blind", 0)),
    )
    parts += [f"{name}: {count:,}" for name, count in counts if count]
    return " · ".join(part for part in parts if part)
