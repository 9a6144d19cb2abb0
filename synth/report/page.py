"""The page: one HTML file that needs no network, no other file and no script."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping, Sequence
from typing import Any

from hl_dsl.synth.report.contents.run import GOING_ON
from hl_dsl.synth.report.drawing.chart import score_chart
from hl_dsl.synth.report.drawing.lineage_svg import lineage_svg
from hl_dsl.synth.report.drawing.markup import Markup, element
from hl_dsl.synth.report.drawing.style import STYLE
from hl_dsl.synth.report.sections.best import best_program, held_out, proved
from hl_dsl.synth.report.sections.components import number, section, soft
from hl_dsl.synth.report.sections.spent import settings, spent
from hl_dsl.synth.report.sections.steps import rejected, steps
from hl_dsl.synth.report.videos import ReportVideo

# The browser itself then refuses whatever is not in the file.
_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"


def page(document: Mapping[str, Any], films: Sequence[ReportVideo]) -> str:
    """The whole file. Texts of programs and models are escaped wherever they stand."""
    title = f"{document['best']['program_name'] if document['best'] else 'A run'} on {document['environment'] or 'no environment yet'}"
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
        _films(films),
        _family(document),
        steps(document),
        rejected(document),
        spent(document),
        settings(document),
    )
    return "<!DOCTYPE html>\n" + element("html", head, body, lang="en") + "\n"


def _about(document: Mapping[str, Any]) -> Markup:
    status = document["status"]
    more = {
        GOING_ON: f" ({document['held_by']}): this is how it stood when the report was made",
        "cut off": ": its process ended without a word; what is on record is shown",
    }
    reason = f": {document['stop_reason']}" if document["stop_reason"] not in (None, status) else ""
    shown = element(
        "span", status + more.get(status, "") + reason, class_="status live" if status == GOING_ON else "status"
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
        "A dot is a program that was played (faint: rejected), the line the best accepted so far. Every step on record counts."
    )
    return section(
        "Scores",
        *charts,
        key,
        soft("No calls were made, so there is no curve over tokens.") if end["tokens"] is None else None,
    )


def _films(films: Sequence[ReportVideo]) -> Markup | None:
    if not films:
        return None
    shown = []
    for film in films:
        roles = " and ".join(film.roles)
        text = f"{roles} program ({film.name}): {number(film.score)} in the run; seed {film.seed}" + (
            f". {film.note}" if film.note else ""
        )
        source = None if film.gif is None else "data:image/gif;base64," + b64encode(film.gif).decode("ascii")
        picture = element("img", src=source, alt=f"film of the {roles} program") if source else None
        shown.append(element("figure", picture, element("figcaption", text)))
    return section(
        "Films",
        element("div", *shown, class_="films"),
        soft("Each shows the beginning of an episode on a development seed."),
    )


def _family(document: Mapping[str, Any]) -> Markup | None:
    drawn = lineage_svg(document["family"])
    if drawn is None:
        return None
    key = soft(
        "Number of the trial and its score. Thick: the way to the best program; dashed: a second parent, whose parts were taken over."
    )
    return section("Where programs came from", element("div", drawn, class_="scroll"), key)
