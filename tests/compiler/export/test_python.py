"""A standalone export needs nothing but NumPy, acts as the interpreter does, and says how exactly."""

from __future__ import annotations

import ast
import math
import pickle
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from hl_dsl.compiler.export.python import export_python
from hl_dsl.operators import OPERATORS
from hl_dsl.program import Program
from tests.support.generators.bench import REALS
from tests.support.generators.inputs import interpret, runs
from tests.support.generators.programs import programs

# Runs each exported file on its observations, and cannot import anything of this project.
ALONE = """
import pickle, sys

class Nothing:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("hl_dsl", "numba", "z3", "tests"):
            raise ImportError(name)

sys.meta_path.insert(0, Nothing())
import numpy as np
np.seterr(all="ignore")
cases = pickle.load(open(sys.argv[1], "rb"))
answers = []
for source, lanes, parameters, frames, restarts in cases:
    module = {}
    exec(compile(source, "exported", "exec"), module)
    policy = module["Policy"](lanes, parameters)
    policy.reset()
    actions = []
    for frame, restart in zip(frames, restarts):
        policy.reset(restart)
        actions.append(policy.act(frame))
    answers.append((actions, policy.out_of_range, policy.violations))
pickle.dump(answers, open(sys.argv[2], "wb"))
"""


def run_alone(folder, cases):
    """What exported sources do, each on its frames, in a process that has only NumPy."""
    with open(folder / "cases", "wb") as file:
        pickle.dump(cases, file)
    subprocess.run(
        [sys.executable, "-I", "-c", ALONE, str(folder / "cases"), str(folder / "answers")], check=True, cwd=folder
    )
    with open(folder / "answers", "rb") as file:
        return pickle.load(file)


def draw_examples(count: int):
    """Generated programs with runs, and what the interpreter makes of them."""
    found = []

    @settings(
        max_examples=count,
        database=None,
        deadline=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(programs(), st.data())
    def collect(program, data):
        run = data.draw(runs(program.flow, everyone=True))
        found.append((program, run, interpret(run)))

    collect()
    return found


def case_of(source, run):
    frames = []
    for tick in range(run.ticks):
        frame = run.frame(tick, range(run.lanes))
        frames.append(
            {name: getattr(frame, name) for name in ("ram", "observation", "reward", "lives", "step", "plan")}
        )
    return source, run.lanes, run.parameters, frames, run.restarts


def exact(source: str) -> bool:
    return "Every number equals the one that HL computes, bit for bit." in source


def test_an_export_returns_the_actions_of_the_interpreter(tmp_path):
    examples = draw_examples(100)
    sources = [export_python(program.flow) for program, _, _ in examples]
    assert 20 < sum(map(exact, sources)) < len(sources), "both kinds are tried"
    answers = run_alone(tmp_path, [case_of(source, run) for source, (_, run, _) in zip(sources, examples)])
    for source, (program, run, reference), (actions, out_of_range, violations) in zip(sources, examples, answers):
        flow = program.flow
        assert np.array_equal(out_of_range, reference.out_of_range)
        if not exact(source) or not reference.plain.all():
            continue
        for tick, row in enumerate(reference.ticks):
            wanted = np.array([done.action for done in row], flow.card.action.dtype).reshape(actions[tick].shape)
            assert actions[tick].dtype == wanted.dtype
            assert np.array_equal(actions[tick], wanted, equal_nan=wanted.dtype.kind == "f") and np.array_equal(
                np.signbit(actions[tick]), np.signbit(wanted)
            ), source
        for item in flow.properties:
            if item.kind in ("assume", "monitor"):
                counted = [sum(not row[lane].values[item.node] for row in reference.ticks) for lane in range(run.lanes)]
                assert violations[item.name].tolist() == counted


def test_an_export_imports_only_numpy():
    for program, _, _ in draw_examples(20):
        tree = ast.parse(export_python(program.flow))
        imports = [node for node in ast.walk(tree) if isinstance(node, (ast.Import, ast.ImportFrom))]
        assert [ast.unparse(node) for node in imports] == ["import numpy as np"]


def test_an_export_holds_only_the_functions_it_calls():
    source = export_python(
        Program.parse(
            'policy p for "CartPole-v1" { observe pole.angle act { when pole.angle > 0 => RIGHT otherwise => LEFT } }'
        ).flow
    )
    defined = [node.name for node in ast.parse(source).body if isinstance(node, (ast.FunctionDef, ast.ClassDef))]
    assert defined == ["tick", "Policy"]


def test_the_stated_accuracy_holds():
    """An operator that is NumPy's in an export is within 8 units in the last place of the C library's."""
    tried = [value for value in REALS if abs(value) < 700] + np.linspace(-30, 30, 2001).tolist()
    inexact = [row.name for row in OPERATORS.values() for form in row.forms if form.export not in (None, form.numpy)]
    assert {"sin", "cos", "tanh", "exp", "atan2"} <= set(inexact)
    for name in inexact:
        form = OPERATORS[name].forms[0]
        columns = [np.array(tried), np.array(tried[::-1])][: len(form.operands)]
        results = eval(form.export.format("a", "b"), {"np": np, "a": columns[0], "b": columns[-1]})
        for *operands, result in zip(*columns, results):
            wanted = form.scalar(*operands)
            assert abs(result - wanted) <= 8 * math.ulp(wanted), (name, operands)


def test_export_documents_inputs_actions_and_accuracy():
    source = export_python(
        Program.parse("""
# Swing it up, then hold it.
policy swing for "Pendulum-v1" {
  observe pole.cos, pole.sin, pole.velocity
  param gain: real = 8 in [0, 20]  # torque for each radian
  # Angle of the pole, 0 upright.
  let angle = atan2(pole.sin, pole.cos)
  memory calm: int in [0, 50] = 0 { next = if abs(angle) < 0.2 then min(calm + 1, 50) else 0 }
  act clamp(-gain * angle - pole.velocity, -2, 2)
  monitor held: calm < 50
}
""").flow
    )
    for wanted in (
        "`swing`",
        "Pendulum-v1",
        "Swing it up, then hold it.",
        "# torque for each radian",
        "# Angle of the pole, 0 upright.",
        "observation: column",
        "atan2 is computed by NumPy here",
        "by 8 units",
        "angle = np.arctan2(",
        "'calm'",
        "WATCHED = ('held',)",
    ):
        assert wanted in source, wanted


@pytest.mark.parametrize(
    "parameters, says",
    [
        ({"gain": 21}, "is outside its range"),
        ({"gain": float("nan")}, "is outside its range"),
        ({"gone": 1}, "unknown parameter"),
        ({"size": 1.5}, "must be an integer"),
    ],
)
def test_export_refuses_invalid_parameters_and_observations(parameters, says):
    module = {}
    exec(
        export_python(
            Program.parse(
                'policy p for "CartPole-v1" { param gain: real = 8 in [0, 20] param size: int = 1 in [1, 9] '
                "observe pole.angle act { when pole.angle * gain > size => RIGHT otherwise => LEFT } }"
            ).flow
        ),
        module,
    )
    with pytest.raises(ValueError, match=says):
        module["Policy"](2, parameters)
    policy = module["Policy"](2)
    with pytest.raises(ValueError, match="the observations lack"):
        policy.act({})
    with pytest.raises(ValueError, match="3 rows for 2"):
        policy.act({"observation": np.zeros((3, 4))})
