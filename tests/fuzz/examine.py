"""All that is checked of one generated program."""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

from hl_dsl.base.source import SourceText
from hl_dsl.compiler.export.python import export_python
from hl_dsl.grammar.formatter.format import format_policy
from hl_dsl.grammar.parser import parse
from hl_dsl.program import Program
from hl_dsl.verify import ProofLimits, prove, screen
from hl_dsl.verify.methods.interval_stage import IntervalStage
from hl_dsl.verify.methods.search_cache import SearchCache
from hl_dsl.verify.results.report import PROPERTIES
from hl_dsl.verify.smt.solver import UNSAT, Solver
from tests.support.generators.admission import answer, refused
from tests.support.generators.agreement import disagreements
from tests.support.generators.choices import Choices
from tests.support.generators.coverage import constructs_of, operators_of
from tests.support.generators.inputs import Run, chosen_run, interpret
from tests.support.generators.programs import GeneratedProgram, written
from tests.support.generators.soundness import broken_proofs, outside_intervals, sound_ticks

WIDE = 17  # copies of a lane, so that a batch is larger than a block of the compiled loop
MOST_ADMITTED = 4  # ticks of a run that are put into the encoding
_QUICK = ProofLimits(boxes=60, solver_steps=100_000, bounded_depths=(1, 2), bounded_steps=20_000, lanes=0)
_TEXT_IN, _WIDE_IN, _SOLVER_IN = 8, 10, 50  # one program in so many goes through what costs most


class Problem(NamedTuple):
    """A violated claim. Two problems of one `kind` count as the same when a program is reduced."""

    kind: str
    says: str


class Examined(NamedTuple):
    program: GeneratedProgram | None
    run: Run | None
    problems: list[Problem]


def examine(choices: Choices, counts: Counter, solver: Solver | None = None) -> Examined:
    """Generates a program and a run, and checks every form and the verifier on them.

    Adds to `counts`. Without a `solver`, one is started on demand.
    """
    program = run = None
    stage = "generator"
    try:
        with_text, wide, with_solver = (
            choices.below(one_in) == one_in - 1 for one_in in (_TEXT_IN, _WIDE_IN, _SOLVER_IN)
        )
        program = written(choices)
        counts["programs"] += 1
        stage = "lowering"
        flow = program.flow
        counts.update({f"written: {name}": count for name, count in operators_of(program.policy).items()})
        counts.update({f"built: {name}": count for name, count in constructs_of(program).items()})
        if with_text:
            stage = "text"
            _check_text(program)
            counts["texts"] += 1
        stage = "interpreter"
        run = chosen_run(choices, flow)
        reference = interpret(run)
        counts["ticks"] += run.ticks * run.lanes
        found = []
        for back_end in ("numpy", "tape"):
            stage = back_end
            found += [Problem(back_end, says) for says in disagreements(run, reference, back_end, counts)[:3]]
        if wide:
            found += [
                Problem("tape", says) for says in disagreements(run.repeated(WIDE), reference, "tape", counts)[:3]
            ]
        stage = "interval"
        tier = IntervalStage(flow, memo := SearchCache())
        found += [Problem(stage, says) for says in outside_intervals(flow, tier, run, reference)[:3]]
        stage = "proof"
        proof = screen(flow, memo)
        counts["proved well defined"] += all(
            result.status == "proved" for result in proof.results if result.kind not in PROPERTIES
        )
        found += [Problem(stage, says) for says in broken_proofs(flow, proof, run, reference)[:3]]
        stage = "encoding"
        claimed = [(tick.values, starts) for tick, starts in sound_ticks(flow, run, reference)]
        counts["ticks put into the encoding"] += min(len(claimed), MOST_ADMITTED)
        found += [Problem(stage, says) for says in refused(tier, [values for values, _ in claimed], MOST_ADMITTED)[:3]]
        if with_solver:
            stage = "solver"
            found += _asked(solver, tier, claimed, counts)
            stage = "whole proof"
            whole = prove(flow, _QUICK)
            counts.update(f"whole proof: {result.status}" for result in whole.results)
            found += [Problem(stage, says) for says in broken_proofs(flow, whole, run, reference)[:3]]
    except Exception as error:  # a crash is a finding like any other
        found = [Problem(f"{stage}: {type(error).__name__}", str(error)[:500])]
    return Examined(program, run, found)


def _asked(solver: Solver | None, tier: IntervalStage, claimed: list, counts: Counter) -> list[Problem]:
    """The first episode, checked by the solver too."""
    episode: list = []
    for values, starts in claimed:
        if starts and episode:
            break
        episode.append(values)
    if not episode:
        return []
    kept = all(values[node] for values in episode for node in tier.index.assumes)
    context = tier.evaluator.base if kept else tier.evaluator.root
    counts["episodes put before the solver"] += 1
    if solver is not None:
        found = answer(solver, tier, episode, context)
    else:
        with Solver(60) as own:
            found = answer(own, tier, episode, context)
    counts[f"solver: {found}"] += 1
    return [Problem("solver", "z3 says that the run cannot be")] if found == UNSAT else []


def _check_text(program: GeneratedProgram) -> None:
    """The text means the tree, formatting it again changes nothing, and it can be explained and exported."""
    again = parse(SourceText(program.text))
    assert again.declarations == program.policy.declarations, "the text means another program"
    assert format_policy(again) == program.text, "formatting twice changes the text"
    assert Program(program.checked).explain().strip(), "the explanation is empty"
    compile(export_python(program.flow), "<exported>", "exec")
