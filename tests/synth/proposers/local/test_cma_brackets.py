"""CMA-ES brackets: arms learn, the better half continues, and clearly worse candidates are recognised."""

from random import Random

from hl_dsl.synth.candidates.archive import WORST, Archive
from hl_dsl.synth.candidates.gates import CheckedCandidate
from hl_dsl.synth.candidates.parameter_values import structure_hash
from hl_dsl.synth.mutation import MUTATIONS, Subject
from hl_dsl.synth.mutation.draft import Draft
from hl_dsl.synth.mutation.linear_rules import features, shows_few_numbers
from hl_dsl.synth.mutation.mutate import apply
from hl_dsl.synth.proposers.local.cma_brackets import BRACKET, FRESH, BracketArm, CmaBrackets
from hl_dsl.synth.rollouts.pruning import clearly_worse, margin, rungs
from hypothesis import given
from hypothesis import strategies as st

from hl_dsl.program import Program
from tests.support.study_runs import synth, trials

PUSH = 'policy push for "CartPole-v1" {\n  act LEFT\n}\n'
FOLLOW = Program.parse(
    'policy follow for "Breakout-v5" { observe ram  act { when ram[99] > ram[72] => RIGHT  otherwise => LEFT } }'
)


def leaning(names: str) -> CheckedCandidate:
    params = "  ".join(f"param {name}: real = 0 in [-1, 1]" for name in names)
    total = " + ".join(f"{name} * pole.angle" for name in names)
    program = Program.parse(
        f'policy p for "CartPole-v1" {{ observe pole.angle  {params}  act {{ when {total} > 0 => RIGHT '
        f"otherwise => LEFT }} }}"
    )
    return CheckedCandidate(program, structure_hash(program.flow))


def started_arm(names: str, seed: int):
    return BracketArm(leaning(names), {}, FRESH, "a change", "a mutation", (), Random(seed))


def given_all(one, archive, score, trial):
    while (values := one.next_values()) is not None:
        archive.record_result(trial, 2, score(values), score(values))
        one.assign(trial)
        trial += 1
    return trial


def test_arm_finds_the_best_values():
    archive, one, trial = Archive(), started_arm("abcd", 3), 0
    wanted = {"a": 0.5, "b": -0.25, "c": 0.75, "d": 0.0}
    for _ in range(40):
        trial = given_all(
            one, archive, lambda values: -sum((values[name] - wanted[name]) ** 2 for name in wanted), trial
        )
        one.settle(archive)
    assert one.best[1] > -0.02 and one.center[1] > -0.02
    assert one.batches == archive.seed_rotation == 40


def test_arm_learns_only_from_complete_batches():
    archive, one = Archive(), started_arm("ab", 1)
    assert one.next_values() == one.next_values()
    one.assign(None)
    one.settle(archive)
    assert one.batches == 0
    given_all(one, archive, lambda values: values["a"], 10)
    one.settle(archive)
    assert one.batches == 1 and one.best > WORST


def test_better_half_of_a_bracket_continues():
    archive, campaigns, trial, given_to = Archive(), CmaBrackets(), 0, []
    for _ in range(200):
        campaigns.settle(archive)
        one = campaigns.next_arm()
        if campaigns.bracket:
            break
        if one is None:
            number = len(given_to)
            given_to.append(0)
            campaigns.add(started_arm("abcdefgh"[: number + 1], number))
            continue
        size = len(one.checked.flow.parameters)
        given_to[size - 1] += 1
        trial = given_all(one, archive, lambda values: size + 1e-6 * trial, trial)  # noqa: B023 (called at once; it never converges)
    assert len(given_to) == BRACKET and given_to == sorted(given_to) and given_to[-1] >= 4 * given_to[0]


def test_duplicate_has_the_result_of_its_original():
    campaigns = CmaBrackets()
    assert (
        campaigns.representative(5, 2) == 2
        and campaigns.representative(6, 5) == 2
        and campaigns.representative(7, None) is None
    )


@given(st.integers(1, 70), st.integers(1, 4))
def test_rungs_have_every_seed_once_and_the_quick_seeds_first(count, smoke):
    seeds = tuple(range(100, 100 + count))
    found = rungs(seeds, smoke)
    assert tuple(seed for some in found for seed in some) == seeds and all(found)
    assert len(found[0]) == min(smoke, count)


@given(st.lists(st.floats(-1e3, 1e3), min_size=2, max_size=20), st.floats(0.5, 50))
def test_constant_deficit_is_clearly_worse_and_constant_lead_is_not(best, gap):
    assert clearly_worse([one - gap for one in best], best)
    assert not clearly_worse([one + gap for one in best], best)
    assert not clearly_worse(best, best)
    assert margin(best, 2) >= 0


def test_differences_that_chance_explains_are_not_clearly_worse():
    assert not clearly_worse([0, 20, 0, 20, 0, 20, 0, 20], [20, 1, 20, 1, 20, 1, 20, 1])
    assert not clearly_worse([5.0], [9.0])


def test_environments_with_few_numbers_get_weighted_sums():
    push = Draft(Subject(Program.parse(PUSH)), Random(0))
    assert shows_few_numbers(push) and len(features(push)) == 4
    follow = Draft(Subject(FOLLOW), Random(0))
    assert not shows_few_numbers(follow) and len(features(follow)) == 2, "what the program reads already"


def test_rules_on_weighted_sums_are_proved():
    subject = Subject(Program.parse(PUSH.replace("CartPole-v1", "LunarLander-v3").replace("LEFT", "NOOP")))
    for number in range(30):
        mutant = apply(subject, Random(number), MUTATIONS["linear-rules"])
        program = Program.from_syntax(mutant.policy, card=subject.program.card)
        assert set(mutant.new_params) == {one.name for one in program.flow.parameters}
        if number < 5:
            assert program.prove().passed


def test_search_solves_cartpole_from_one_rule(tmp_path):
    path = tmp_path / "push.hl"
    path.write_text(PUSH)
    result = synth(path, tmp_path / "run", budget_steps=60_000)
    assert result.start_score < 15 and result.score > 400 and result.proved
    assert len(result.seeds) == 8, "equal actions and rewards are not yet one trajectory"
    assert any("tuned together" in trial.change for trial in trials(tmp_path / "run"))
