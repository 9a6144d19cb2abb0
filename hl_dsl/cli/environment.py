"""`hl env`: what a policy can observe and do."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hl_dsl.cli.output import Json, show


def env(
    environment: Annotated[str, typer.Argument(metavar="ENV-ID", help="An EnvPool environment, such as Breakout-v5.", show_default=False)],
    steps: Annotated[int, typer.Option("--steps", min=1, help="Environment steps the probe may take.")] = 1000,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Seed of the probe's environment and its random actions.")] = 0,
    trials: Annotated[Path, typer.Option("--trials", help="The ledger the probe is recorded in: its steps count too.")] = Path("trials.jsonl"),
    json: Json = False,
) -> None:
    """Print what a policy can observe and do in an environment, measured by a short probe with random actions."""
    from hl_dsl.synth.ledger import Ledger
    from hl_dsl.synth.probe import probe
    from hl_dsl.synth.trials import Trial

    found = probe(environment, steps=steps, seed=seed)
    Ledger(trials).append(Trial(kind="probe", environment=environment, protocol=found.protocol, proposer="random actions",
                                environment_steps=found.env_steps, run_seed=seed).to_event())
    show({"schema": "hl.env/1", **found.to_json()}, _text(found, trials), json)


def _text(found, trials: Path) -> str:
    card = found.card
    lines = [f"{card.environment}: {card.says}", "", "A policy can observe"]
    for field in card.fields.values():
        shape = field.base if field.size is None else f"{field.base}[{field.size}]"
        lines.append(f"  {field.name:<22} {shape:<10} {_range(field.low, field.high):<24} {field.unit:<8} {field.says}")
    lines += ["", "and do"]
    if card.action.names is not None:
        lines.append(f"  one of {', '.join(card.action.names)}")
    else:
        lines.append(f"  {card.action.size} number{'s' if card.action.size > 1 else ''} in {_range(card.action.low, card.action.high)} ({card.action.dtype})")
    lines += ["", f"Protocols: {', '.join(card.protocols)}. An episode has at most {card.max_episode_steps:,} steps."
              + (f" Solved at a mean return of {card.solved:g}." if card.solved is not None else "")]
    lines += ["", f"Measured with random actions, {found.protocol}: {found.env_steps:,} environment steps, {found.episodes} episodes ended"
              + (f" (lengths {_range(found.lengths, found.lengths)}, returns {_range(found.returns, found.returns)})" if found.episodes else ""),
              f"  reward {found.reward_low:g} to {found.reward_high:g}, not zero on {found.rewarded:.1%} of steps"
              + (f"; lives {found.lives[0]} at the start, {found.lives[1]} at least" if found.lives else "")]
    changing = found.changing
    lines.append(f"  {len(changing)} of {len(found.columns)} columns of `{found.source}` changed; the busiest:")
    for seen in changing[:16]:
        lines.append(f"    {found.source}[{seen.column}]  {seen.low:g} to {seen.high:g}, changed on {seen.changes:.0%} of steps")
    lines.append(f"Recorded in {trials}.")
    if not found.carded:
        from hl_dsl.synth.sketch import card_text

        lines += ["", f"This environment has no card yet. Save this as cards/{card.environment}.toml, or in the folder HL_CARDS names:", "", card_text(card)]
    return "\n".join(lines)


def _range(low, high) -> str:
    least, most = min(low), max(high)
    return f"{least:.6g} to {most:.6g}"
