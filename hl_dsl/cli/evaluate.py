"""`hl eval`: prove a policy, then play it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from hl_dsl.cli.output import Json, PolicyFile, finish, note, parse_seeds, show
from hl_dsl.diagnostics import HLError


def evaluate(
    file: PolicyFile,
    protocol: Annotated[Optional[str], typer.Option("--protocol", "-p", help="deterministic, noop or sticky on Atari; standard elsewhere. [default: the environment's first]")] = None,
    seeds: Annotated[str, typer.Option("--seeds", "-s", help="One episode for each: 3, 0..9, or 0,4,7..9.")] = "0",
    num_envs: Annotated[int, typer.Option("--num-envs", "-n", min=1, max=4096, help="Environments side by side.")] = 16,
    num_threads: Annotated[int, typer.Option("--threads", min=0, help="Simulator threads; 0: one for each core.")] = 0,
    max_steps: Annotated[Optional[int], typer.Option("--max-steps", min=1, help="End each episode after so many steps.")] = None,
    video: Annotated[Optional[Path], typer.Option("--video", help="Write the first seed's episode as an mp4 file.")] = None,
    trace: Annotated[Optional[Path], typer.Option("--trace", help="Write the first seed's episode tick by tick as JSON lines.")] = None,
    trials: Annotated[Optional[Path], typer.Option("--trials", help="The ledger to append to. [default: trials.jsonl beside FILE]")] = None,
    env: Annotated[Optional[str], typer.Option("--env", help="Refuse a policy that is not for this environment.")] = None,
    json: Json = False,
) -> None:
    """Prove a policy and, if it passes, play one episode for each seed. The trial is recorded."""
    from hl_dsl.program import Program

    wanted = parse_seeds(seeds)
    program = Program.load(file)
    if env is not None and env != program.card.environment:
        raise HLError(f"{program.name} is a policy for {program.card.environment}, not for {env}", f"drop `--env`, or write `policy {program.name} for \"{env}\"` and check it again")
    for path in (video, trace):
        if path is not None and not path.resolve().parent.is_dir():
            raise HLError(f"there is no folder {path.parent} to write {path.name} into", "create it first, or choose another path")

    from hl_dsl.cli.progress import episode_progress
    from hl_dsl.synth.evaluation import evaluate_program, ledger_beside
    from hl_dsl.synth.ledger import Ledger
    from hl_dsl.synth.protocols import protocol_options

    protocol = protocol or program.card.protocols[0]
    protocol_options(program.card, protocol)
    watchers = _watchers(program, video, trace)
    try:
        with episode_progress(f"{program.name} {protocol}") as progress:
            evaluation = evaluate_program(
                program, protocol, wanted, ledger=Ledger(trials) if trials else ledger_beside(file), num_envs=num_envs,
                num_threads=num_threads, max_steps=max_steps, on_progress=progress, on_tick=_together(watchers),
                render=video is not None and _needs_render(program.card))
    finally:
        for watcher in watchers:
            watcher.close()
    show(evaluation.to_json(), _text(evaluation), json)
    if evaluation.rollout.interrupted:
        note("interrupted: what had been played is recorded")
        finish(130)


def _needs_render(card) -> bool:
    from hl_dsl.synth.video import needs_render

    return needs_render(card)


def _watchers(program, video, trace) -> list:
    watchers = []
    if trace is not None:
        from hl_dsl.synth.trace import TraceWriter

        watchers.append(TraceWriter(trace, program.flow))
    if video is not None:
        from hl_dsl.synth.video import Video

        watchers.append(Video(video, program.card))
    return watchers


def _together(watchers):
    if not watchers:
        return None

    def on_tick(environments, frame, actions):
        for watcher in watchers:
            watcher(environments, frame, actions)

    return on_tick


def _text(evaluation) -> str:
    document = evaluation.to_json()
    returns = document["returns"]
    lines = [f"{document['policy']} ({document['program_hash']}) on {document['env']}, protocol {document['protocol']}"]
    for seed, value, length, cut in zip(document["seeds"], returns, document["lengths"], document["truncated"]):
        lines.append(f"  seed {seed:>4}   return {value:>10.6g}   {length:>7,} steps{'   (cut off)' if cut else ''}")
    if returns:
        lines.append(f"  mean {document['mean']:.6g}, min {document['min']:.6g}, max {document['max']:.6g} over {len(returns)} seeds, "
                     f"{document['distinct_trajectories']} distinct trajectories")
    lines.append(f"  {document['env_steps']:,} environment steps, {document['cpu_seconds']:.1f} s CPU, {document['wall_seconds']:.1f} s")
    lines.append(f"  proof: {document['proof']}")
    watched = [("observations out of range", document["out_of_range"])]
    watched += [(f"assumption `{name}` broken", count) for name, count in document["assumption_violations"].items()]
    watched += [(f"monitor `{name}` broken", count) for name, count in document["monitor_violations"].items()]
    lines += [f"  {what}: {count:,} times" for what, count in watched if count] or ["  nothing out of range, no assumption and no monitor broken"]
    return "\n".join(lines)
