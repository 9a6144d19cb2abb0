"""The smaller parts of a search: what is simplified, drawn, sampled, shown."""

import io
from random import Random

import pytest
from hl_dsl.synth.candidates.archive import KEPT, Archive, ScoredParameters
from hl_dsl.synth.candidates.gates import CheckedCandidate, Gates, Rejection
from hl_dsl.synth.candidates.parameter_sampling import first_values, next_values
from hl_dsl.synth.candidates.parameter_values import structure_hash, syntax_with
from hl_dsl.synth.environments.random_numbers import generator, seed_for
from hl_dsl.synth.runs.progress import progress
from hl_dsl.synth.search.random_baseline import random_constants
from hl_dsl.synth.search.simplify import simplified, without_provably_unused_parts

from hl_dsl.base.errors import HLError
from hl_dsl.program import Program
from tests.support.study_runs import synth

LEAN = Program.parse("""
policy lean for "CartPole-v1" {
  observe pole.angle, pole.velocity
  param lead: real = 0.5 in [0, 1]
  param most: int = 3 in [0, 9]
  param flip: bool = false
  let tilt = pole.angle + lead * pole.velocity
  act { when tilt > 0 and most >= 0 => RIGHT  when flip and tilt > 9 => LEFT  otherwise => LEFT }
  invariant bounded: tilt in [-99, 99]
}
""")


def checked(program):
    return CheckedCandidate(program, structure_hash(program.flow))


def test_random_numbers_depend_only_on_seed_trial_and_stage():
    assert generator(1, 2, "draw").random() == generator(1, 2, "draw").random()
    assert len({seed_for(run, trial, stage) for run in range(5) for trial in range(5) for stage in ("a", "b")}) == 50
    assert seed_for(0, 0, "propose") == 8468637294850526411, "recorded runs resume only if this does not change"


def test_simplification_removes_unused_parts_and_keeps_the_invariant():
    gates = Gates(LEAN.card)
    actions = {}

    def same(candidate):
        from hl_dsl.compiler.backends.interpreter import Interpreter

        interpreter = Interpreter(candidate.flow)
        names = [entry.name for entry in candidate.flow.inputs]
        draw = Random(0)
        ticks = [{"pole.angle": draw.uniform(-0.4, 0.4), "pole.velocity": draw.uniform(-5, 5)} for _ in range(200)]
        done = [interpreter.tick([tick[name] for name in names]).action for tick in ticks]
        return actions.setdefault("wanted", done) == done

    assert same(checked(LEAN))
    smaller = simplified(checked(LEAN), gates, same).program
    assert "flip" not in smaller.text and "most" not in smaller.text and "lead" in smaller.text
    assert "invariant bounded: tilt in [-99, 99]" in smaller.text and smaller.prove().passed


def test_provably_unused_parts_are_removed_without_episodes():
    """`most >= 0` is always true and the second rule does what the last one does: no run is needed to see that."""
    asked = []
    smaller = without_provably_unused_parts(
        checked(LEAN), Gates(LEAN.card), lambda candidate: asked.append(candidate) or True
    ).program
    assert "flip" not in smaller.text and "most" not in smaller.text and "lead * pole.velocity" in smaller.text
    assert "invariant bounded" in smaller.text and asked
    assert without_provably_unused_parts(checked(LEAN), Gates(LEAN.card), lambda candidate: False).program is LEAN
    again = without_provably_unused_parts(checked(LEAN), Gates(LEAN.card), lambda candidate: True).program
    assert again.text == smaller.text


def test_rejection_names_the_gate():
    gates = Gates(LEAN.card)
    start = checked(LEAN)
    assert type(gates.recognise(start)) is str
    gates.remember(LEAN.hash, 7)
    again = gates.recognise(start)
    assert isinstance(again, Rejection) and (again.gate, again.known_as) == ("duplicate", 7)
    assert (
        gates.check(
            Program.parse(LEAN.text.replace("lead: real", "lean: real").replace("lead *", "lean *")).syntax
        ).structure
        == start.structure
    )
    moved = start.with_values({"lead": 0.25})
    assert (
        moved.structure == start.structure and moved.program.hash == Program.parse(moved.program.text).hash != LEAN.hash
    )
    broken = gates.check(Program.parse(LEAN.text.replace("tilt > 0 and", "1 / tilt > 0 and")).syntax)
    gates.recognise(broken)
    verdict = gates.prove(broken)
    assert isinstance(verdict, Rejection) and verdict.gate == "prove"
    wrong = Program.parse(LEAN.text).syntax
    wrong = type(wrong)(
        **{**{name: getattr(wrong, name) for name in wrong.__slots__}, "declarations": wrong.declarations[1:]}
    )
    assert gates.check(wrong).gate == "check"


def test_new_defaults_replace_the_old_ones_in_the_text():
    flow = LEAN.flow
    policy = syntax_with(LEAN.syntax, flow, {"lead": 0.75, "flip": True})
    assert Program.from_syntax(policy).flow.parameters[0].default == 0.75
    vectors = Program.parse(
        'policy v for "CartPole-v1" { param w: vec[2] = 1 in [0, 3] act { when sum(w) > 2 => LEFT '
        "otherwise => RIGHT } }"
    )
    text = Program.from_syntax(syntax_with(vectors.syntax, vectors.flow, {"w[1]": 2.5})).text
    assert "[1" in text and "2.5]" in text and Program.parse(text).flow.parameters[1].default == 2.5


def test_sampled_values_are_in_range_and_repeat():
    parameters = LEAN.flow.parameters
    samples = [
        ScoredParameters(number, {"lead": number / 20, "most": number % 10, "flip": bool(number % 2)}, 20.0 - number)
        for number in range(20)
    ]
    for number in range(200):
        for values in (
            first_values(parameters, samples[0].values, ["lead"], Random(number)),
            next_values(parameters, samples, Random(number)),
        ):
            assert set(values) == {"lead", "most", "flip"}
            assert (
                0 <= values["lead"] <= 1
                and 0 <= values["most"] <= 9
                and type(values["most"]) is int
                and type(values["flip"]) is bool
            )
    assert next_values(parameters, samples, Random(5)) == next_values(parameters, samples, Random(5))


def test_elites_are_at_least_as_good_as_the_first_and_differ_in_score():
    archive = Archive()
    for number, score in enumerate([10.0, 5.0, 30.0, 30.0, 20.0, *range(31, 50)]):
        archive.add(ScoredParameters(number, {}, float(score)), CheckedCandidate(LEAN, f"structure {number}"))
    scores = [one.best.score for one in archive.elites()]
    assert scores == sorted(set(scores), reverse=True) and len(scores) == KEPT and scores[0] == 49
    assert not archive.would_accept("other", 9.0) and not archive.would_accept("structure 2", 30.0)
    assert archive.would_accept("other", 50.0) and not archive.would_accept("other", 41.0)


def test_random_baseline_repeats_and_counts_its_steps():
    first = random_constants(LEAN, "standard", seeds=(0, 1), draws=6, seed=3)
    assert first == random_constants(LEAN, "standard", seeds=(0, 1), draws=6, seed=3)
    assert first.best >= first.median and first.env_steps == sum(first.scores) * 2, "a CartPole return counts its steps"
    with pytest.raises(HLError, match="no parameters to draw"):
        random_constants(Program.parse('policy p for "CartPole-v1" { act { otherwise => LEFT } }'), "standard")


def test_progress_is_lines_without_a_terminal():
    shown = io.StringIO()
    with progress("synth", shown) as watch:
        watch({"event": "best", "score": 12.5})
        watch({"event": "steps", "env_steps": 5, "budget_steps": 10, "seconds": 1.0})
        watch({"event": "stop", "reason": "the budget is spent"})
    assert shown.getvalue() == "synth: best 12.5\nsynth: stopped: the budget is spent\n"


def test_progress_is_a_bar_on_a_terminal():
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    shown = Terminal()
    with progress("synth", shown) as watch:
        watch(
            {
                "event": "generation",
                "generation": 1,
                "env_steps": 1234,
                "budget_steps": 5000,
                "programs": 9,
                "best": 77.0,
                "accepted": 2,
                "stopped_at": {"accepted": 2, "prove": 3, "duplicate": 4},
                "seconds": 1.0,
            }
        )
    for part in ("1,234 of 5,000", "77", "accepted 2", "prove 3", "duplicate 4"):
        assert part in shown.getvalue()


def test_deterministic_protocol_uses_one_seed(tmp_path):
    path = tmp_path / "still.hl"
    path.write_text(
        'policy still for "Breakout-v5" {\n  observe ram\n\n  act {\n    when ram[99] > ram[72] => '
        "RIGHT\n    otherwise              => LEFT\n  }\n}\n"
    )
    result = synth(path, tmp_path / "run", protocol="deterministic", budget_steps=3_000, max_steps=200, num_threads=1)
    assert result.seeds == (0,) and 1_000 < result.env_steps <= 3_000
    assert Program.load(tmp_path / "run" / "best.hl").prove().passed
