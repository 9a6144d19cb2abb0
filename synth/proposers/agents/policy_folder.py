"""The folder a coding agent works in: the texts that lie beside the policy."""

from __future__ import annotations

from hl_dsl.synth.proposers.prompt.language_summary import language_card

from hl_dsl.cards import Card
from hl_dsl.cards.text import card_lines

AGENTS, ENVIRONMENT, REGRESSIONS = "AGENTS.md", "ENVIRONMENT.txt", "regressions/README.md"
MOST_CHARACTERS = 6_500  # of AGENTS.md: a page

_REGRESSIONS = """\
# Regressions

What this policy has learned and must not forget, one file a case: an environment, a protocol, a seed, and the property that
must hold or the return to reach. Add cases; never weaken or delete one so that a program passes.

`hl regress add` writes them, `hl regress` runs them on the policy (1: one is broken), `hl regress list` tells what they demand.
`hl synth` accepts only programs that pass them all.
"""


def workspace_files(name: str, card: Card) -> dict[str, str]:
    """The text of each file beside `policy.hl`, by its path in the folder."""
    return {AGENTS: _agents(name, card), ENVIRONMENT: "\n".join(card_lines(card)) + "\n", REGRESSIONS: _REGRESSIONS}


def _agents(name: str, card: Card) -> str:
    goal = (
        f"a mean return of {card.solved:g} counts as solved"
        if card.solved is not None
        else "as high a mean return as you can"
    )
    return f"""\
# {name}: a controller for {card.environment}

Improve `policy.hl`, a program in the language HL: {goal}, on seeds you have not seen.
`{ENVIRONMENT}` says what can be observed and done. Work in a loop: look at what goes wrong, change one thing, check,
prove, play, keep it or take it back.

## Commands, in this folder

```
hl check policy.hl                                  # names and types; each message says how to mend it
hl fmt policy.hl                                    # the one layout
hl verify policy.hl                                 # proof, or the input that breaks it; no environment step
hl eval policy.hl --seeds 0..7                      # play; returns, lengths, broken assumptions; recorded
hl eval policy.hl --seeds 0 --trace trace.jsonl     # one episode tick by tick: find the failure here
hl trials trials.jsonl                              # all that was tried so far
hl tune policy.hl --run runs/tune --steps 50000     # moves the params, if there are any; best.hl in the run's folder
hl synth policy.hl --run runs/search --steps 50000  # a search over programs; best.hl in the run's folder
hl regress add policy.hl --seed 3 --max-steps 1000  # keep what it reaches on a seed as a case in regressions/
hl regress                                          # does it still pass every case?
hl explain clamp                                    # an operator; also a message's code (HL204), or policy.hl
```

All take `--json`. Exit codes: 0 good, 1 findings or refuted, 2 usage or files, 3 unknown. Protocols, for `--protocol`:
{", ".join(card.protocols)}. A `--run` folder is for one run: name a new one each time.

## Rules

- Every environment step counts, also those of a quick look, and is recorded. Check and prove first: that costs none.
- Never edit or delete the ledger (`trials.jsonl`, `runs/`). Failed tries stay in it.
- Development seeds are 0 to 49, and only those. Do not play others: they are for the final score.
- Keep invariants that are there. An `assume` must be true of the environment, not of what would suit you.
- Keep what is in `regressions/`; a change that breaks a case there is not an improvement.
- After each gain try to make the program shorter without losing score. Say in a comment why a rule is there.

## The language

```
{language_card(brief=True)}
```
"""
