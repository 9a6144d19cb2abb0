"""The verifier with a defect gives another verdict on a program of tests/golden/verdicts."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager

import pytest

from hl_dsl.program import Program
from hl_dsl.verify import SearchCache, proof_pipeline
from hl_dsl.verify.goals.statuses import ProofStatus
from hl_dsl.verify.intervals.interning import ExpressionTable
from hl_dsl.verify.methods import bounded_model_checking
from hl_dsl.verify.methods.interval_stage import IntervalStage
from hl_dsl.verify.methods.search_cache import CachedSearch
from hl_dsl.verify.simulation import replay
from hl_dsl.verify.smt.solver import SAT, UNKNOWN, UNSAT, Solver
from tests.verify.test_verdicts import LIMITS, STATUS, VERDICTS


@contextmanager
def put(*changes):
    """(place, name, value) of what is put into the verifier."""
    with ExitStack() as stack:
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        for place, name, value in changes:
            patch.setattr(place, name, value)
        yield


def answering(instead: str):
    """`Solver.check` that returns `instead` for an unknown."""
    sound = Solver.check

    def check(self, *args, **options):
        answer = sound(self, *args, **options)
        return instead if answer == UNKNOWN else answer

    return check


def without_ranges(self, index, leaves, nodes=None, numbers=None):
    """`ExpressionTable.ranged`, with numbers that do not depend on the ranges of the leaves."""
    out = self._numbered(index, range(len(index.nodes)), dict.fromkeys(index.leaf_keys), [-1] * len(index.nodes))
    for position, interval in {**leaves, **index.constants}.items():
        self.root.values[out[position]] = interval
    return out


# (defect, what is put in, programs proved with one cache; the verdict on the last must change)
MUTANTS = [
    ("unknown taken for unsat", [(Solver, "check", answering(UNSAT))], ["unknown/no_cubes"]),
    ("unknown taken for sat", [(Solver, "check", answering(SAT))], ["unknown/no_cubes"]),
    (
        "a model shown without a replay",
        [
            (place, "first_break", lambda flow, goal, run: len(run.rows) - 1)
            for place in (bounded_model_checking, replay)
        ],
        ["unconfirmed/absorbed"],
    ),
    (
        "vacuity not asked about",
        [(proof_pipeline, "find_vacuous_goals", lambda *_: set())],
        ["vacuous/conditions_agree"],
    ),
    (
        "vacuity not looked for by intervals either",
        [
            (proof_pipeline, "find_vacuous_goals", lambda *_: set()),
            (IntervalStage, "_has_unmet_antecedent", lambda *_: False),
        ],
        ["vacuous/condition_possible"],
    ),
    (
        "contradictions not asked about",
        [(proof_pipeline, "assumptions_contradict", lambda *_: False), (IntervalStage, "impossible", lambda _: False)],
        ["vacuous/nothing_can_happen"],
    ),
    (
        "intervals stored under a key without the ranges",
        [(ExpressionTable, "ranged", without_ranges)],
        ["proved/observed_less", "violated/observed_less"],
    ),
    (
        "an answer of the solver taken for another's",
        [(CachedSearch, "get", lambda self, key: next(iter(self.answers.values()), None))],
        ["proved/ghost_counter", "not-inductive/seldom_together"],
    ),
]


def verdict(names: list[str]) -> set[ProofStatus]:
    search_cache = SearchCache()
    for name in names:
        proof = Program.load(VERDICTS / f"{name}.hl").prove(limits=LIMITS, search_cache=search_cache)
    return {result.status for result in proof.results} - {ProofStatus.PROVED}


@pytest.mark.parametrize("defect, changes, names", MUTANTS, ids=[mutant[0] for mutant in MUTANTS])
def test_defect_of_the_verifier_changes_a_verdict(defect, changes, names):
    expected = {STATUS[names[-1].split("/")[0]]}
    assert verdict(names) == expected
    with put(*changes):
        try:
            found = verdict(names)
        except (ValueError, IndexError):  # an answer to another question than the one that was asked
            return
    assert found != expected


def test_verdict_that_ignores_unproved_obligations_differs():
    program = Program.parse(
        'policy p for "Breakout-v5" { observe ram act NOOP let q = 1 / ram[1] invariant small: q <= 1 }'
    )

    def status():
        return next(result.status for result in program.prove(limits=LIMITS).results if result.kind == "invariant")

    assert status() == ProofStatus.UNKNOWN
    with put((proof_pipeline, "downgrade_unsupported", lambda *_: None)):
        assert status() == ProofStatus.PROVED
