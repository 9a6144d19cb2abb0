"""Gates before the environment: what a candidate must pass before it costs an environment step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from hl_dsl.base.diagnostics import ProgramError
from hl_dsl.base.errors import HLError
from hl_dsl.base.source import SourceText
from hl_dsl.cards import Card
from hl_dsl.compiler.ir.dataflow import Dataflow
from hl_dsl.compiler.ir.structural_hash import canonical_hash
from hl_dsl.grammar.tree.syntax_tree import PolicyDeclaration
from hl_dsl.language.incremental import DeclarationCache
from hl_dsl.program import Program
from hl_dsl.synth.candidates.parameter_values import flow_with, program_with, structure_hash
from hl_dsl.synth.runs.statuses import Gate
from hl_dsl.verify import Proof, ProofLimits, SearchCache, prove, screen

# Counted resources only, so that a verdict repeats. A proof that needs more takes too long for a search.
SEARCH_LIMITS = ProofLimits(
    boxes=40, solver_steps=400_000, depths=(0, 1), bounded_depths=(0, 0), lanes=0, components=False
)
_LONGEST_FLOW = 2000  # nodes; larger mutants cannot be read


@dataclass(frozen=True)
class Rejection:
    """The gate that rejected a candidate, and the reason. `known_as`: the trial that a duplicate is equal to."""

    gate: Gate
    reason: str
    hash: str = ""
    known_as: int | None = None


@dataclass(frozen=True)
class CheckedCandidate:
    """A well-formed candidate: a checked program, with other defaults for its parameters if `values` holds any.

    Attributes:
        base: The checked program.
        structure: Hash of the program up to the defaults of its parameters.
        values: New defaults by parameter name. They lie in the parameters' ranges, so no further check is needed.
    """

    base: Program
    structure: str
    values: Mapping[str, float] = field(default_factory=dict)

    @cached_property
    def flow(self) -> Dataflow:
        """Dataflow graph; candidates that differ only in `values` share its list of nodes."""
        return flow_with(self.base.flow, self.values) if self.values else self.base.flow

    @cached_property
    def program(self) -> Program:
        """The program with the new defaults as its text."""
        return program_with(self.base, self.values, self.flow) if self.values else self.base

    @cached_property
    def hash(self) -> str:
        """Structural hash of the program."""
        return canonical_hash(self.flow)

    def with_values(self, values: Mapping[str, float]) -> CheckedCandidate:
        """Returns the same structure with other defaults."""
        return replace(self, values={**self.values, **values}) if values else self


class Gates:
    """Checks, recognises and proves candidates, and remembers the results. No method takes an environment step.

    Args:
        card: Card of the environment.
        limits: Limits of a proof.
    """

    def __init__(self, card: Card, limits: ProofLimits = SEARCH_LIMITS):
        self.card, self.limits = card, limits
        self._memo = SearchCache()
        self._reuse = DeclarationCache()
        self._proofs: dict[str, tuple[bool, str]] = {}
        self._known: dict[str, int] = {}

    def check(self, policy: PolicyDeclaration, source: SourceText | None = None) -> CheckedCandidate | Rejection:
        """Checks names, types and cycles. With the `source`, the reason of a rejection is the whole message."""
        try:
            program = Program.from_syntax(policy, source, card=self.card, reuse=self._reuse)
            flow = program.flow
        except ProgramError as error:
            if source is not None:
                return Rejection(Gate.CHECK, error.message)
            first = error.diagnostics[0]
            return Rejection(Gate.CHECK, f"{first.code}: {first.message}")
        except (HLError, RecursionError, OverflowError) as error:
            return Rejection(Gate.CHECK, f"{type(error).__name__}: {error}")
        if len(flow.nodes) > _LONGEST_FLOW:
            return Rejection(Gate.CHECK, f"{len(flow.nodes)} nodes are too many for a search")
        return CheckedCandidate(program, structure_hash(flow))

    def recognise(self, candidate: CheckedCandidate) -> Rejection | str:
        """The candidate's hash, or a rejection if a trial has the same hash."""
        number = self._known.get(candidate.hash)
        if number is None:
            return candidate.hash
        return Rejection(Gate.DUPLICATE, f"the same program as trial {number}", candidate.hash, number)

    def prove(self, candidate: CheckedCandidate) -> Rejection | str:
        """A summary of the proof, or a rejection if it fails. A proof holds for all values of the parameters."""
        if candidate.structure not in self._proofs:
            self._proofs[candidate.structure] = self._prove(candidate.flow)
        passed, summary = self._proofs[candidate.structure]
        return summary if passed else Rejection(Gate.PROVE, summary, candidate.hash)

    def _prove(self, flow: Dataflow) -> tuple[bool, str]:
        quick = screen(flow, self._memo)
        if quick.passed:
            return True, quick.summary
        proof = self.proof(flow)
        return proof.passed, proof.summary

    def proof(self, flow: Dataflow) -> Proof:
        """The full proof within the limits. Solver queries of earlier proofs are cached."""
        return prove(flow, self.limits, self._memo)

    def remember(self, program_hash: str, trial: int) -> None:
        """Records the hash of a trial: an equal program is a duplicate of it from now on."""
        self._known.setdefault(program_hash, trial)
