"""Checker: names, types and shape of a program, without running or proving it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hl_dsl.base.declaration_table import form_of
from hl_dsl.base.diagnostics import Diagnostic, DiagnosticCollector, Label, Repair
from hl_dsl.base.source import SourceText, Span
from hl_dsl.cards import Card
from hl_dsl.grammar.tree.syntax_tree import (
    Boolean,
    Expression,
    Index,
    Name,
    Number,
    PlanDeclaration,
    PolicyDeclaration,
    Previous,
    Range,
    Vector,
    expressions,
    walk,
)
from hl_dsl.language.behaviour_checks import check_behaviour
from hl_dsl.language.dependencies import find_cycles
from hl_dsl.language.incremental import DeclarationCache, DeclarationLookup
from hl_dsl.language.plan_checks import PlanChecks
from hl_dsl.language.range_checks import check_range, write_instead
from hl_dsl.language.symbols import Symbol, Symbols
from hl_dsl.language.type_inference import Inference
from hl_dsl.language.type_problems import TypeProblem, Unresolved
from hl_dsl.language.types import BOOL, INT, Type, widens

_MOST_TEXT = 60


@dataclass(frozen=True)
class CheckedProgram:
    """A well-formed program.

    Attributes:
        policy: The syntax tree.
        card: Card of its environment.
        symbols: The meaning of each name.
        types: Type of each expression, by `id` of the node.
        order: The definitions (lets, `mode`, `action`), each after what it needs.
        source: The text.
        warnings: Findings that do not make the program invalid.
    """

    policy: PolicyDeclaration
    card: Card
    symbols: Symbols
    types: dict[int, Type]
    order: tuple[str, ...]
    source: SourceText
    warnings: tuple[Diagnostic, ...]


def check(
    policy: PolicyDeclaration, card: Card, source: SourceText, reuse: DeclarationCache | None = None
) -> CheckedProgram:
    """Checks a parsed program against its environment's card. Raises `ProgramError` with all findings."""
    if reuse is not None:
        reuse.start_program(card)
    findings = DiagnosticCollector(source)
    symbols = Symbols(policy, card, findings)
    order, cyclic = find_cycles(policy, symbols, findings, reuse)
    inference = Inference(symbols, cyclic)
    checker = _Checker(policy, symbols, inference, findings, reuse)
    checker.run(order)
    findings.stop_on_errors()
    return CheckedProgram(policy, card, symbols, inference.types, tuple(order), source, tuple(findings.items))


class _Checker:
    """Implementation of `DeclarationChecker` in `hl_dsl/base/declaration_stages.py`."""

    def __init__(
        self,
        policy: PolicyDeclaration,
        symbols: Symbols,
        inference: Inference,
        findings: DiagnosticCollector,
        reuse: DeclarationCache | None,
    ):
        self.policy, self.symbols, self.inference, self.findings = policy, symbols, inference, findings
        self._inferred: set[int] = set()
        self._recall = DeclarationLookup(policy, symbols, inference, reuse)

    def run(self, order: Sequence[str]) -> None:
        """Checks all declarations. `order`: the definitions, each after what it needs."""
        # A let comes before those that need it, so that a long chain of lets is not a deep recursion.
        lets = [self.symbols[name].declaration for name in order if self.symbols[name].kind == "let"]
        for let in lets:
            if not self._recall.knows(let):
                form_of(let).check(self, let)
        checked = {id(let) for let in lets}
        for declaration in self.policy.declarations:
            if self._recall.knows(declaration):
                continue
            for expression in expressions(declaration):
                self._previous_starts(expression)
            if id(declaration) not in checked:
                form_of(declaration).check(self, declaration)
        check_behaviour(self.policy, self.findings)
        if not self.findings.items:
            self._recall.keep()

    def infer(self, what: Symbol | Expression) -> Type | None:
        """The type of an expression, or of a let's symbol; None if it has none, which is reported."""
        try:
            return self.inference.definition(what) if isinstance(what, Symbol) else self.inference.of(what)
        except TypeProblem as problem:
            self.findings.append(problem.diagnostic)
        except Unresolved:
            pass
        return None

    def require_type(self, expression: Any, wanted: Type, what: str, code: str, joined: str = "all") -> None:
        """Reports an expression that is not of the type `wanted`. `joined` makes one truth value of several."""
        found = self.infer(expression)
        if found is None or found is wanted:
            return
        if widens(found.base, wanted.base) and found.size in (None, wanted.size):
            return
        label, repair = f"this is `{found}`", None
        if wanted is INT and type(expression) is Number:
            repair = write_instead(expression.span, str(round(expression.value)))
        elif wanted.base == "int" and found.base == "real":
            label += ": round it with `floor(…)` or `round(…)`"
        if wanted is BOOL and type(expression) is Number:
            repair = write_instead(expression.span, "true" if expression.value else "false")
        elif (
            wanted is BOOL
            and found.base in ("int", "real")
            and found.size is None
            and type(expression) in (Name, Index)
            and expression.span.end
        ):
            repair = Repair(Span(expression.span.end, expression.span.end), " != 0", "compare it: `… != 0`")
        elif wanted is BOOL and found.base == "bool" and expression.span.end:
            written = self.findings.source.text[expression.span.start : expression.span.end]
            shown = written if len(written) <= _MOST_TEXT and "\n" not in written else "…"
            repair = Repair(
                expression.span, f"{joined}({written})", f"make one truth value of them: `{joined}({shown})`"
            )
        names = self.symbols.card.action.names if wanted is self.symbols["action"].type else None
        kind = "the name of an action" if names else f"`{wanted}`"
        self.findings.add(
            code,
            f"{what} must be {kind}, not `{found}`",
            expression.span,
            label=label,
            expected=names or (),
            repair=repair,
        )

    def _previous_starts(self, expression: Expression) -> None:
        for node in walk(expression):
            if type(node) is Previous and not self._is_literal(node.start):
                self.findings.add(
                    "HL313",
                    "the start of `previous` is a literal",
                    node.start.span,
                    label="write a number, true, false or a name of an enumeration",
                )

    def _is_literal(self, node: Expression) -> bool:
        if type(node) is Vector:
            return all(self._is_literal(item) for item in node.items)
        if type(node) is Name:
            symbol = self.symbols.get(node.name)
            return symbol is not None and symbol.kind in ("action name", "mode name")
        return type(node) in (Number, Boolean)

    def check_range(self, written: Range, base: str, size: int | None = None) -> bool:
        """Whether a range is well formed for a type. Reports what is wrong."""
        return check_range(written, base, size, self.findings)

    def is_second(self, declaration: Any) -> bool:
        """Whether the declaration's name belongs to an earlier one, which is reported already."""
        return self.symbols[declaration.name].declaration is not declaration

    def require_literal(self, value: Any, what: str) -> None:
        """Reports a value that is not a literal."""
        if not self._is_literal(value):
            if type(value) is Name and value.name not in self.symbols:
                self.findings.append(self.symbols.unknown(value.name, value.span))
            else:
                self.findings.add(
                    "HL315",
                    f"the {what} is a literal",
                    value.span,
                    label="a number, true, false or a name of an enumeration",
                )

    def check_initial_value(self, declaration: Any, wanted: Type, value: Any, what: str) -> None:
        """Reports an initial value that does not fit the type and the range of its declaration."""
        self.require_type(value, wanted, f"the {what} of `{declaration.name}`", "HL316")
        if wanted.base not in ("real", "int"):
            if declaration.range is not None:
                place = declaration.range.span
                word = self.findings.source.text.rfind("in", 0, place.start)
                self.findings.add(
                    "HL404",
                    f"`{wanted}` has no range",
                    place,
                    label="leave this out",
                    repair=Repair(Span(word, place.end), "", "leave the range out") if word > 0 else None,
                )
            return
        if declaration.range is None:
            self.findings.add(
                "HL405",
                f"`{declaration.name}` needs a range",
                declaration.name_span,
                label="proofs hold for every value in the range, so it must be stated",
                expected=("in [low, high]",),
            )
            return
        if not self.check_range(declaration.range, wanted.base, wanted.size):
            return
        size = wanted.size or 1
        for component, item in enumerate(value.items[:size] if type(value) is Vector else (value,) * size):
            low, high = (end.value for end in declaration.range.of(component))
            if type(item) is Number and not low <= item.value <= high:
                nearest = min(max(item.value, low), high)
                self.findings.add(
                    "HL406",
                    f"the {what} of `{declaration.name}` lies outside its range",
                    item.span,
                    label=f"not in [{low}, {high}]",
                    others=(Label(declaration.range.span, "the range"),),
                    repair=Repair(item.span, str(nearest), f"write `{nearest}`, or widen the range"),
                )
                if item is value:
                    return  # one literal for all components is reported once

    def check_plan(self, plan: PlanDeclaration) -> None:
        """Reports what is wrong with the settings of a plan and with the observations it depends on."""
        PlanChecks(self.policy, self.symbols, self.findings).run(plan)
