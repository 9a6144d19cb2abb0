"""Checks of the policy as a whole: it has one action for every tick, at the top or in every mode."""

from __future__ import annotations

from hl_dsl.base.diagnostics import DiagnosticCollector, Label
from hl_dsl.base.source import Span
from hl_dsl.grammar.tree.syntax_tree import Act, Modes, PolicyDeclaration


def check_behaviour(policy: PolicyDeclaration, findings: DiagnosticCollector) -> None:
    """Reports a second `act` or `modes`, an action that is given twice, and one that is missing."""
    tops, modes = list(policy.of(Act)), list(policy.of(Modes))
    end = Span(max(0, policy.span.start), policy.span.end)
    for block in modes[1:]:
        findings.add("HL214", "a policy has one `modes` block", block.span, label="second block")
    for act in tops[1:]:
        findings.add("HL215", "a policy has one `act`", act.span, label="second `act`")
    inside = [mode.act for block in modes for mode in block.modes if mode.act is not None]
    if tops and inside:
        findings.add(
            "HL216",
            "the action is given twice: at the top and in a mode",
            inside[0].span,
            label="and here",
            others=(Label(tops[0].span, "here"),),
        )
    elif not tops:
        silent = [mode for block in modes for mode in block.modes if mode.act is None]
        if not modes:
            findings.add(
                "HL210",
                "the policy never acts",
                end,
                label="add an `act` to it",
                expected=("act { when … => …  otherwise => … }",),
            )
        elif silent:
            findings.add(
                "HL210",
                f"mode `{silent[0].name}` never acts",
                silent[0].name_span,
                label="every mode needs an `act`, or the policy needs one for all",
            )
