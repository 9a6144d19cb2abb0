"""The whole verifier with a defect put into it must give itself away on programs of the corpus."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager

import pytest
from hl_dsl.verify import SearchCache, proof_pipeline
from hl_dsl.verify.intervals.interning import ExpressionTable
from hl_dsl.verify.methods import bounded_model_checking
from hl_dsl.verify.methods.interval_stage import IntervalStage
from hl_dsl.verify.methods.search_cache import CachedSearch
from hl_dsl.verify.simulation import replay
from hl_dsl.verify.smt.solver import SAT, UNKNOWN, UNSAT, Solver

from hl_dsl.program import Program
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
    """`check`, which takes an unknown for something else."""
    sound = Solver.check

    def check(self):
        answer = sound(self)
        return instead if answer == UNKNOWN else answer

    return check


def without_ranges(self, index, leaves, nodes=None):
    """`Pool.ranged`, with expressions named by what they are made from, whatever its ranges."""
    found = self.expressions(index, index.leaf_keys, nodes)
    for position, pair in {**leaves, **index.constants}.items():
        self.root.values[found[position]] = pair
    self.root.values.pop(-1, None)
    return found


# (defect, what is put in, programs through one memo; the verdict on the last must change)
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
        "intervals kept under a name that says nothing of ranges",
        [(ExpressionTable, "ranged", without_ranges)],
        ["proved/observed_less", "violated/observed_less"],
    ),
    (
        "an answer of the solver taken for another's",
        [(CachedSearch, "get", lambda self, key: next(iter(self.answers.values()), None))],
        ["proved/ghost_counter", "not-inductive/seldom_together"],
    ),
]


def verdict(names: list[str]) -> set[str]:
    search_cache = SearchCache()
    for name in names:
        proof = Program.load(VERDICTS / f"{name}.hl").prove(limits=LIMITS, search_cache=search_cache)
    return {result.status for result in proof.results} - {"proved"}


@pytest.mark.parametrize("defect, changes, names", MUTANTS, ids=[mutant[0] for mutant in MUTANTS])
def test_a_defect_of_the_verifier_shows_in_the_corpus(defect, changes, names):
    expected = {STATUS[names[-1].split("/")[0]]}
    assert verdict(names) == expected
    with put(*changes):
        try:
            found = verdict(names)
        except (TypeError, ValueError, IndexError):  # an answer to another question than the one that was asked
            return
    assert found != expected


def test_what_rests_on_nothing_shows():
    program = Program.parse(
        'policy p for "Breakout-v5" { observe ram act NOOP let q = 1 / ram[1] invariant small: q <= 1 }'
    )
    found = lambda: next(result.status for result in program.prove(limits=LIMITS).results if result.kind == "invariant")
    assert found() == "unknown"
    with put((proof_pipeline, "downgrade_unsupported", lambda *_: None)):
        assert found() == "proved"
