"""Text of an evaluation for people."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from hl_dsl.base.text import counted


def planning_line(planning: dict[str, int], env_steps: int) -> str:
    """Describes the planner's work: model steps, and what went wrong in them."""
    ratio = planning["steps"] / max(1, env_steps)
    line = f"  planned: {counted(planning['steps'], 'step')} of the model, {ratio:,.0f} for each environment step"
    if planning["diverged"]:
        line += f"; {counted(planning['diverged'], 'candidate')} diverged"
    return line + (f"; {counted(planning['blind'], 'tick')} without a plan" if planning["blind"] else "")


def evaluation_text(document: dict[str, Any], limit: int | None = None) -> str:
    """Returns the document of `hl eval --json` as text; `limit` is the card's limit of steps in an episode."""
    lines = [f"{document['policy']} ({document['program_hash']}) on {document['env']}, protocol {document['protocol']}"]
    lines += _episodes(document, limit)
    if document["returns"]:
        trajectories = counted(document["distinct_trajectories"], "distinct trajectory", "distinct trajectories")
        lines.append(
            f"  mean {document['mean']:.6g}, min {document['min']:.6g}, max {document['max']:.6g}"
            f" over {counted(len(document['returns']), 'seed')}, {trajectories}"
        )
    times = f"{document['cpu_seconds']:.1f} s CPU, {document['wall_seconds']:.1f} s"
    lines.append(f"  {counted(document['env_steps'], 'environment step')}, {times}")
    if document["planning"]:
        lines.append(planning_line(document["planning"], document["env_steps"]))
    lines.append(f"  proof: {document['proof']}")
    lines += _monitored(document)
    lines += [f"  reached `{name}`: {counted(count, 'time')}" for name, count in document["reached"].items()]
    lines += [f"  {item['message']}" for item in document["disagreements"]]
    return "\n".join(lines)


def _episodes(document: dict[str, Any], limit: int | None) -> Iterator[str]:
    given = document.get("options", {}).get("max_steps")
    rows = zip(document["seeds"], document["returns"], document["lengths"], document["truncated"])
    for seed, value, length, is_truncated in rows:
        end = _truncation(length, given, limit) if is_truncated else ""
        yield f"  seed {seed:>4}   return {value:>10.6g}   {length:>7,} steps{end}"


def _truncation(length: int, given: int | None, limit: int | None) -> str:
    """Says whose limit truncated an episode: the command's, the card's, or the environment's own."""
    if length == given:
        return "   (truncated by --max-steps)"
    return "   (truncated by the card's limit)" if length == limit else "   (truncated by the environment)"


def _monitored(document: dict[str, Any]) -> list[str]:
    """Says how often observations left their ranges and properties were violated."""
    counts = [("observations out of range", document["out_of_range"])]
    counts += [(f"assumption `{name}` violated", count) for name, count in document["assumption_violations"].items()]
    counts += [(f"monitor `{name}` violated", count) for name, count in document["monitor_violations"].items()]
    invariants = document["invariant_violations"]
    counts += [(f"proved invariant `{name}` violated", count) for name, count in invariants.items()]
    lines = [f"  {subject}: {counted(count, 'time')}" for subject, count in counts if count]
    lines = lines or ["  no observation out of range, no assumption or monitor violated"]
    if invariants and not any(invariants.values()):
        lines.append(f"  checked at every tick: {counted(len(invariants), 'proved invariant')}, never violated")
    return lines
