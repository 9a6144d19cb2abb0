import pytest

from hl_dsl.synth.runs import plots
from hl_dsl.synth.runs.ledger import Ledger
from hl_dsl.synth.runs.trial import trials_of


def leaning(lead: str, about: str) -> str:
    """A program that looks ahead."""
    return f"""\
# {about}
policy lean for "CartPole-v1" {{
  observe pole.angle, pole.velocity

  act {{
    when pole.angle + {lead} * pole.velocity > 0 => RIGHT
    otherwise => LEFT
  }}
}}
"""


BETTER = leaning("0.01", "look ahead a little")
BEST = leaning("0.1", "look ahead further")
BROKEN = BEST.replace("=> RIGHT", "=> RIGHT RIGHT")
MISTYPED = BEST.replace("pole.velocity > 0", "pole.velocty > 0")
UNPROVED = BEST.replace("0.1 * pole.velocity", "0.1 / pole.velocity")
# BEST, renamed and laid out anew.
SAME = (
    BEST.replace("policy lean", "policy other")
    .replace("  act {", "  let ahead = 0.1 * pole.velocity\n  act   {")
    .replace("0.1 * pole.velocity > 0", "ahead > 0")
)


class Run:
    """A run's ledger, taken apart."""

    def __init__(self, folder):
        self.folder = folder
        self.events = Ledger(folder / "trials.jsonl").read()
        self.trials = [trial for trial in trials_of(self.events) if trial.kind == "search"]
        calls = [one for one in self.events if one["event"] == "call"]
        self.reserved = [one for one in calls if one["state"] == "reserved"]
        self.settled = [one for one in calls if one["state"] == "settled"]

    @property
    def verdicts(self):
        """What must repeat of the trials, by number."""
        assert len({trial.index for trial in self.trials}) == len(self.trials), "a trial is recorded once"
        return {
            trial.index: (
                trial.program,
                trial.program_hash,
                trial.parent_hashes,
                trial.change,
                trial.gate,
                trial.reason,
                trial.returns,
                trial.lengths,
                trial.environment_steps,
                trial.model,
            )
            for trial in self.trials
        }

    @property
    def gates(self):
        return [trial.gate for trial in sorted(self.trials, key=lambda trial: trial.index)]


@pytest.fixture(autouse=True)
def no_pictures(monkeypatch):
    """Drawing takes longer than the studies here; it has tests of its own."""
    monkeypatch.setattr(plots, "plot_sample_efficiency", lambda *rest, **more: None)
