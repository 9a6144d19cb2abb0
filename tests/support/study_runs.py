"""A small policy, a reader of trials and an interrupt for tests of studies."""

from hl_dsl.synth.runs.ledger import Ledger
from hl_dsl.synth.runs.trial import trials_of

LEAN = """\
# Push towards the side the pole leans to.
policy lean for "CartPole-v1" {
  observe pole.angle

  act {
    when pole.angle > 0 => RIGHT
    otherwise           => LEFT
  }
}
"""


def trials(folder):
    return trials_of(Ledger(folder / "trials.jsonl").read())


class Interrupt:
    """An `on_event` that interrupts when a condition holds, once."""

    def __init__(self, when):
        self.when, self.count, self.done = when, 0, False

    def __call__(self, event):
        self.count += 1
        if not self.done and self.when(event, self.count):
            self.done = True
            raise KeyboardInterrupt
