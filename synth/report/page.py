"""Page of a report: one HTML file that needs no network, no other file and no script."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping, Sequence
from typing import Any

from hl_dsl.synth.report.contents.run import RunStatus
from hl_dsl.synth.report.drawing.chart import score_chart
from hl_dsl.synth.report.drawing.lineage_svg import lineage_svg
from hl_dsl.synth.report.drawing.markup import Markup, element
from hl_dsl.synth.report.drawing.style import STYLE
from hl_dsl.synth.report.sections.best import best_program, held_out, proved
from hl_dsl.synth.report.sections.components import number, section, soft
from hl_dsl.synth.report.sections.spent import settings, spent
from hl_dsl.synth.report.sections.steps import rejected, steps
from hl_dsl.synth.report.videos import ReportVideo

# The browser refuses everything that is not in the file.
_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"


def page(document: Mapping[str, Any], videos: Sequence[ReportVideo]) -> str:
    """Returns the whole file. Texts of programs and models are escaped."""
    program = document["best"]["program_name"] if document["best"] else "A run"
    title = f"{program} on {document['environment'] or 'no environment yet'}"
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=_POLICY),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("title", f"{title}: report"),
        element("style", Markup(STYLE)),
    )
    body = element(
        "body",
        element("h1", title),
        _about(document),
        *(element("p", text, class_="note") for text in document["notes"]),
        _figures(document),
        _curves(document),
        best_program(document),
        proved(document),
        held_out(document),
        _videos(videos),
        _lineage(document),
        steps(document),
        rejected(document),
        spent(document),
        settings(document),
    )
    return "<!DOCTYPE html>\n" + element("html", head, body, lang="en") + "\n"


def _about(document: Mapping[str, Any]) -> Markup:
    status = document["status"]
    more = {
        RunStatus.RUNNING: f" ({document['held_by']}): state at the time of this report",
        RunStatus.ABORTED: ": its process ended without recording a stop",
    }
    reason = f": {document['stop_reason']}" if document["stop_reason"] not in (None, status) else ""
    shown = element(
        "span",
        status + more.get(status, "") + reason,
        class_="status live" if status == RunStatus.RUNNING else "status",
    )
    return element("p", shown, f" {document['protocol'] or ''} · {document['run']}")


def _figures(document: Mapping[str, Any]) -> Markup:
    best, cost = document["best"], document["spent"]
    first = document["points"][0]["score"] if document["points"] else None
    shown = [
        ("first score", number(first)),
        ("best score", number(best["mean"]) if best else "–"),
        ("environment steps", number(cost["environment_steps"])),
        ("programs", number(cost["programs"])),
        ("accepted", number(len(document["steps"]))),
    ]
    shown += [("tokens", number(cost["tokens"]))] if cost["tokens"] is not None else []
    shown += [("cost", number(cost["cost"]))] if cost["cost"] else []
    return element(
        "div",
        *(element("div", element("b", value), element("span", name), class_="figure") for name, value in shown),
        class_="figures",
    )


def _curves(document: Mapping[str, Any]) -> Markup:
    points, end = document["points"], document["end"]
    charts = [
        score_chart(
            points,
            "environment_steps",
            end["environment_steps"],
            "environment steps",
            "Scores against environment steps",
        )
    ]
    if end["tokens"] is not None:
        charts.append(score_chart(points, "tokens", end["tokens"], "tokens", "Scores against tokens"))
    key = soft(
        "A dot is a program that was played (faint: rejected). The line is the best accepted score so far. "
        "All recorded steps count."
    )
    return section(
        "Scores",
        *charts,
        key,
        soft("There were no calls, so there is no curve over tokens.") if end["tokens"] is None else None,
    )


def _videos(videos: Sequence[ReportVideo]) -> Markup | None:
    if not videos:
        return None
    figures = []
    for video in videos:
        roles = " and ".join(video.roles)
        note = f". {video.note}" if video.note else ""
        text = f"{roles} program ({video.name}): {number(video.score)} in the run; seed {video.seed}{note}"
        source = None if video.gif is None else "data:image/gif;base64," + b64encode(video.gif).decode("ascii")
        picture = element("img", src=source, alt=f"video of the {roles} program") if source else None
        figures.append(element("figure", picture, element("figcaption", text)))
    return section(
        "Videos",
        element("div", *figures, class_="videos"),
        soft("Each shows the start of an episode on a development seed."),
    )


def _lineage(document: Mapping[str, Any]) -> Markup | None:
    graph = lineage_svg(document["lineage"])
    if graph is None:
        return None
    key = soft(
        "Number of the trial and its score. Thick: the lineage of the best program. "
        "Dashed: a second parent, in a crossover."
    )
    return section("Lineage", element("div", graph, class_="scroll"), key)
