"""An evaluation as people read it."""

from __future__ import annotations

from typing import Any

from hl_dsl.base.text import counted


def planning_line(planning: dict[str, int], env_steps: int) -> str:
    """What planning took beside the steps of the environment."""
    line = f"  planned: {counted(planning['steps'], 'step')} of the model, {planning['steps'] / max(1, env_steps):,.0f} for each of the environment's"
    if planning["diverged"]:
        line += f"; {counted(planning['diverged'], 'candidate')} came to no number"
    return line + (f"; {counted(planning['blind'], 'tick')} without a plan" if planning["blind"] else "")


def _whose_limit(length: int, given: int | None, of_card: int | None) -> str:
    """Who cut an episode: the command, the card, or the environment by itself."""
    if length == given:
        return "   (cut at --max-steps)"
    return "   (cut at the card's limit of steps)" if length == of_card else "   (cut by the environment)"


def evaluation_text(document: dict[str, Any], limit: int | None = None) -> str:
    """The document of `hl eval --json` as text. `limit`: the card's, in steps."""
    given = document.get("options", {}).get("max_steps")
    returns = document["returns"]
    lines = [f"{document['policy']} ({document['program_hash']}) on {document['env']}, protocol {document['protocol']}"]
    for seed, value, length, cut in zip(document["seeds"], returns, document["lengths"], document["truncated"]):
        lines.append(
            f"  seed {seed:>4}   return {value:>10.6g}   {length:>7,} steps{_whose_limit(length, given, limit) if cut else ''}"
        )
    if returns:
        lines.append(
            f"  mean {document['mean']:.6g}, min {document['min']:.6g}, max {document['max']:.6g} over {counted(len(returns), 'seed')}, "
            f"{counted(document['distinct_trajectories'], 'distinct trajectory', 'distinct trajectories')}"
        )
    lines.append(
        f"  {counted(document['env_steps'], 'environment step')}, {document['cpu_seconds']:.1f} s CPU, {document['wall_seconds']:.1f} s"
    )
    if document["planning"]:
        lines.append(planning_line(document["planning"], document["env_steps"]))
    lines.append(f"  proof: {document['proof']}")
    watched = [("observations out of range", document["out_of_range"])]
    watched += [(f"assumption `{name}` broken", count) for name, count in document["assumption_violations"].items()]
    watched += [(f"monitor `{name}` broken", count) for name, count in document["monitor_violations"].items()]
    watched += [
        (f"proved invariant `{name}` broken", count) for name, count in document["invariant_violations"].items()
    ]
    lines += [f"  {what}: {counted(count, 'time')}" for what, count in watched if count] or [
        "  nothing out of range, no assumption and no monitor broken"
    ]
    if document["invariant_violations"] and not any(document["invariant_violations"].values()):
        lines.append(
            f"  checked at every tick: {counted(len(document['invariant_violations']), 'proved invariant')}, never broken"
        )
    lines += [f"  reached `{name}`: {counted(count, 'time')}" for name, count in document["reached"].items()]
    lines += [f"  {one['message']}" for one in document["disagreements"]]
    return "\n".join(lines)
