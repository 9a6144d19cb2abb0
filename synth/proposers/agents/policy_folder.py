"""Policy folder of a coding agent: the instruction files next to the policy."""

from __future__ import annotations

from hl_dsl.cards import Card
from hl_dsl.cards.text import card_lines
from hl_dsl.synth.proposers.prompt.language_summary import language_summary

AGENTS, ENVIRONMENT, REGRESSIONS = "AGENTS.md", "ENVIRONMENT.txt", "regressions/README.md"
MOST_CHARACTERS = 6_500  # of AGENTS.md, so that it fits on a page

_REGRESSIONS = """\
# Regressions

What this policy must keep doing, one file a case: an environment, a protocol, a seed, and the property that must hold
or the return that must be reached. Add cases. Never weaken or delete a case so that a program passes.

`hl regress add` writes cases, `hl regress` runs them on the policy (exit code 1: a case fails), `hl regress list` lists
them. `hl synth` accepts only programs that pass all cases.
"""


def policy_folder_files(name: str, card: Card) -> dict[str, str]:
    """Returns the text of each file next to `policy.hl`, by its path in the folder."""
    return {AGENTS: _agents(name, card), ENVIRONMENT: "\n".join(card_lines(card)) + "\n", REGRESSIONS: _REGRESSIONS}


def _agents(name: str, card: Card) -> str:
    goal = (
        f"a mean return of {card.solved:g} counts as solved"
        if card.solved is not None
        else "reach the highest mean return that you can"
    )
    return f"""\
# {name}: a controller for {card.environment}

Improve `policy.hl`, a program in the language HL: {goal}, on seeds you have not seen.
`{ENVIRONMENT}` lists the observations and actions. Work in a loop: find a failure, change one thing, check, prove,
evaluate, then keep or revert the change.

## Commands, in this folder

```
hl check policy.hl                                  # names and types; each message says how to fix it
hl fmt policy.hl                                    # standard layout
hl verify policy.hl                                 # proof or counterexample; no environment step
hl eval policy.hl --seeds 0..7                      # returns, lengths, violated assumptions; recorded
hl eval policy.hl --seeds 0 --trace trace.jsonl     # one episode, tick by tick: find the failure here
hl trials trials.jsonl                              # all trials so far
hl tune policy.hl --run runs/tune --steps 50000     # tunes the params, if any; writes best.hl to the run's folder
hl synth policy.hl --run runs/search --steps 50000  # searches programs; writes best.hl to the run's folder
hl regress add policy.hl --seed 3 --max-steps 1000  # records the return on a seed as a case in regressions/
hl regress                                          # runs every case
hl explain clamp                                    # an operator; also a message's code (HL204), or policy.hl
```

All accept `--json`. Exit codes: 0 success, 1 findings or refuted, 2 usage or files, 3 unknown. Values of `--protocol`:
{", ".join(card.protocols)}. A `--run` folder holds one run: name a new one each time.

## Rules

- Every environment step counts and is recorded, also in short tests. Check and prove first: that costs no step.
- Never edit or delete the ledger (`trials.jsonl`, `runs/`). Failed trials stay in it.
- Use development seeds only: 0 to 49. The other seeds are reserved for the final score.
- Keep existing invariants. An `assume` must be true of the environment; do not assume what you only need for a proof.
- Keep the cases in `regressions/`. A change that breaks a case is not an improvement.
- After each improvement, shorten the program without losing return. Say in a comment why a rule is needed.

## The language

```
{language_summary(brief=True)}
```
"""
