"""Text of the documents of an interactive study for people."""

from __future__ import annotations

from pathlib import Path
from typing import Any


def status_text(document: dict[str, Any]) -> str:
    """Describes the budget, the gates and the best program."""
    best = document["best"]
    gates = ", ".join(f"{gate} {count:,}" for gate, count in document["gates"].items())
    left = ", ".join(f"{amount:,} {name}" for name, amount in document["left"].items() if amount is not None)
    lines = [
        f"{document['run']}: {document['env']}, {document['protocol']}, {'open' if document['open'] else 'finished'}",
        f"{document['trials']:,} programs ({gates}), {document['spent']['env_steps']:,} environment steps",
        f"left: {left}",
    ]
    if best is not None:
        lines += [f"best: {best['score']:g}, trial {best['trial']}", "", best["program"].rstrip()]
    return "\n".join(lines)


def submission_text(document: dict[str, Any]) -> str:
    """Describes the result of a submitted program."""
    score = "" if document["mean"] is None else f" with {document['mean']:g}"
    result = "accepted" if document["accepted"] else f"rejected at {document['gate']}"
    line = f"trial {document['trial']}: {result}{score}, {document['env_steps']:,} environment steps"
    return line + (f"\n{document['reason']}" if document["reason"] else "")


def trial_text(document: dict[str, Any]) -> str:
    """Describes a trial: its gate, its program and the end of an episode."""
    score = f", {document['mean']:g}" if document["mean"] is not None else ""
    lines = [f"trial {document['trial']}: {document['gate']}{score}", document["change"]]
    lines += [document["reason"]] if document["reason"] else []
    lines += ["", document["program"].rstrip()]
    trace = document["trace"]
    if trace is not None:
        from hl_dsl.synth.proposers.prompt.truncation import align

        lines += ["", trace["title"], *align([trace["columns"], *trace["rows"]])]
    return "\n".join(lines)


def result_text(document: dict[str, Any], run: Path) -> str:
    """Describes the result of a study that was closed."""
    scores = f"{document['policy']}: {document['start_score']:g} -> {document['score']:g}"
    return "\n".join(
        [
            f"{scores}, {document['env_steps']:,} environment steps",
            f"proof: {document['proof']}",
            f"wrote {run / 'best.hl'}",
        ]
    )
