"""Plays a policy that reads an input source which this script adds to the table: `battery`, the charge of a robot.

Run as a program, because the modules that read the table must be imported after the source is registered.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from hl_dsl.input_sources import table
from hl_dsl.input_sources.source import InputSource

# The registration: `BATTERY` in the tuple of the table.
BATTERY = InputSource("battery", is_wide=False, dtypes=("float32",), says="charge left, 0 to 1")
text = Path(table.__file__).read_text(encoding="utf-8")
assert text.count("STEP, PLAN)") == 1
vars(table)["BATTERY"] = BATTERY
exec(compile(text.replace("STEP, PLAN)", "STEP, PLAN, BATTERY)"), table.__file__, "exec"), vars(table))

from hl_dsl.cards import CardResolver, Field, load_card  # noqa: E402
from hl_dsl.cards.reader import parse_card  # noqa: E402
from hl_dsl.cards.writer import card_text  # noqa: E402
from hl_dsl.compiler.backends.frame import Frame  # noqa: E402
from hl_dsl.program import Program  # noqa: E402
from hl_dsl.synth.rollouts.episode import Recorder  # noqa: E402

TEXT = """policy p for "Robot-v0" {
  observe battery

  monitor charged: battery > 0.2

  act {
    when battery < 0.5 => LEFT
    otherwise => RIGHT
  }
}
"""


def main() -> None:
    """Checks, proves, plays with every back end, and records."""
    field = Field("battery", "real", None, (0.0,), (1.0,), (1.0,), "battery", (0,), "", "charge")
    cartpole = load_card("CartPole-v1")
    card = replace(cartpole, environment="Robot-v0", fields={**cartpole.fields, "battery": field})
    assert parse_card(card_text(card), card.origin) == card
    program = Program.parse(TEXT, cards=CardResolver(cards=(card,)))
    assert program.prove().passed
    charges, lanes = np.array([[0.9, 0.1], [0.4, 1.5], [np.nan, 0.6]], np.float32), np.arange(2, dtype=np.int32)
    no = np.zeros(2, bool)
    for backend in ("tape", "numpy", "interpreter"):
        policy, recorder = program.compile(backend=backend), Recorder(2, pixels=False)
        policy.reset(2)
        actions = []
        for tick, charge in enumerate(charges):
            frame = Frame(lanes, {"battery": charge, "step": np.full(2, tick, np.int32)}, no, no, False)
            assert frame.ram is None and (frame.rows(np.array([True, False])).battery == charge[:1]).all() != np.isnan(
                charge[0]
            )
            actions.append(policy.tick(frame))
            recorder(None, frame, actions[-1])
        assert np.array(actions).tolist() == [[1, 0], [0, 1], [0, 1]], backend
        assert policy.out_of_range.tolist() == [1, 1] and policy.monitor_violations.tolist() == [[0], [1]]
        recording = recorder.episodes()[1]
        assert recording.shown["battery"].tolist() == charges[:, 1].tolist()
        policy.reset(2)
        assert policy.act({"battery": np.array([0.1, 0.9])}).tolist() == [0, 1]
    print("played")


if __name__ == "__main__":
    main()
