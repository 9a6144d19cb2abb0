"""Header of a policy file: its scores and proved invariants, as comments marked `#:`."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from hl_dsl.base.files import write_whole
from hl_dsl.grammar.formatter.format import format_text
from hl_dsl.grammar.tree.author_comments import MEASURED
from hl_dsl.program import Program
from hl_dsl.synth.evaluation.evaluate import Evaluation
from hl_dsl.verify import Proof
from hl_dsl.verify.goals.statuses import ProofStatus


def header_lines(program: Program, proof: Proof, evaluations: Iterable[Evaluation]) -> list[str]:
    """The lines of the header, without line ends."""
    named = [
        result.name for result in proof.results if result.kind == "invariant" and result.status == ProofStatus.PROVED
    ]
    lines = [f"{MEASURED} program {program.hash}; well defined{'; proved: ' + ', '.join(named) if named else ''}"]
    for evaluation in evaluations:
        trial = evaluation.trial
        seeds = f"seeds {min(trial.seeds)}..{max(trial.seeds)}" if len(trial.seeds) > 1 else f"seed {trial.seeds[0]}"
        line = f"{MEASURED} {trial.protocol}, {seeds}: mean {trial.mean:.6g}, min {trial.min:.6g}, max {trial.max:.6g}"
        line += (
            f"; {trial.distinct_trajectories} distinct trajector{'y' if trial.distinct_trajectories == 1 else 'ies'}"
        )
        broken = [
            f"{name} broken {count:,} times"
            for counts in (trial.assumption_violations, trial.monitor_violations, trial.invariant_violations)
            for name, count in counts.items()
            if count
        ]
        out_of_range = evaluation.rollout.total_counts.out_of_range
        if out_of_range:
            broken.append(f"{out_of_range:,} observations out of range")
        lines += [line, *(f"{MEASURED}   {text}" for text in broken)]
    return lines


def without_measured(text: str) -> str:
    """The program text without its header."""
    return "".join(line for line in text.splitlines(keepends=True) if not line.startswith(MEASURED))


def with_header(text: str, lines: list[str]) -> str:
    """The program text with its header replaced by `lines`, put just before the word `policy`."""
    kept = without_measured(text).splitlines()
    place = next(number for number, line in enumerate(kept) if line.startswith("policy "))
    return format_text("\n".join(kept[:place] + lines + kept[place:]) + "\n")


def write_header(path: Path, program: Program, proof: Proof, evaluations: Iterable[Evaluation]) -> None:
    """Rewrites the header of a policy file. The program itself stays as it is."""
    text = with_header(program.source.text, header_lines(program, proof, evaluations))
    assert Program.parse(text, cards=program.cards).hash == program.hash
    write_whole(path, text.encode())
