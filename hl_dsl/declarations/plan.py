"""`plan`: values chosen at every tick by simulating the policy."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from hl_dsl.base.declaration_form import DeclarationForm, ReadRule, Role
from hl_dsl.base.declaration_stages import (
    CoreScope,
    DeclarationChecker,
    DecoderWords,
    Explainer,
    NameUses,
    SymbolTable,
    TextWriter,
    TreeReader,
)
from hl_dsl.base.diagnostics import Diagnostic, Repair
from hl_dsl.base.source import NOWHERE, Span
from hl_dsl.grammar.formatter.document import HARD, HARD_IN, HARD_OUT, NEXT_SETTING
from hl_dsl.grammar.tree.plan_settings import SETTINGS
from hl_dsl.grammar.tree.syntax_tree import Expression, PlanDeclaration, Range, Setting, TypeName, scores
from hl_dsl.language.types import REAL
from hl_dsl.language.unused_plan_settings import unused_settings


class PlanForm(DeclarationForm[PlanDeclaration]):
    """The form of `plan`. A plan is an input and the scores of its candidates; it is part of the core."""

    node = PlanDeclaration
    role = Role.PLAN
    words = frozenset(["plan", "each", "final"])
    alternatives = ("plan",)
    sections = ("It looks ahead",)
    grammar = """
plan: PLAN NAME ":" type "in" range "{" setting* EACH expression [FINAL expression] RBRACE
setting: NAME amount
?amount: signed
       | NAME -> name
PLAN: "plan"
EACH: "each"
FINAL: "final"
"""
    noun = "the plan"
    depends_on_program = True  # on the observations that the whole policy depends on

    def readers(self) -> Mapping[str, ReadRule]:
        """See the base class."""
        return {"plan": _read, "setting": _read_setting}

    def write(self, out: TextWriter, node: PlanDeclaration) -> None:
        """See the base class."""
        out.keyword("plan", node.span)
        out.token(node.name, *node.name_span)
        out.add(": ")
        out.type(node.type)
        out.add(" in ")
        out.range(node.range)
        out.add(" {")
        if node.settings:
            out.sibling(HARD_IN, node.settings[0].span)
            out.open()
            for position, setting in enumerate(node.settings):
                if position:
                    out.add(NEXT_SETTING)
                out.token(setting.name + " ", *setting.name_span)
                out.expression(setting.value)
            out.close()
        out.sibling(HARD if node.settings else HARD_IN, node.each_span)
        _write_score(out, "each", node.each, node.each_span)
        if node.final is not None:
            out.sibling(HARD, node.final_span)
            _write_score(out, "final", node.final, node.final_span)
        out.add(HARD_OUT)
        out.token("}", node.span.end - 1, node.span.end)

    def decoder_edits(self, words: DecoderWords) -> Iterable[tuple[str, str, str]]:
        """See the base class."""
        yield "plan", "type", "plan_type"
        yield "setting", "NAME", "setting_name"

    def decoder_rules(self, words: DecoderWords) -> Mapping[str, str]:
        """See the base class."""
        names = " | ".join(f'"{name}"' for name in words.settings)
        return {"plan_type": '"real" | "vec[" SIZE RSQB', "setting_name": names}

    def is_offered(self, words: DecoderWords) -> bool:
        """See the base class. A plan needs a model of the environment."""
        return bool(words.settings)

    def expressions(self, node: PlanDeclaration) -> Iterable[Expression]:
        """See the base class."""
        yield from (setting.value for setting in node.settings)
        yield from scores(node)

    def declare(self, symbols: SymbolTable, node: PlanDeclaration) -> None:
        """See the base class."""
        type_ = symbols.declared_type(node.type, node.range, symbols.card.action.size)
        symbols.define("planned", node.name, type_, node, node.name_span)

    def check(self, checker: DeclarationChecker, node: PlanDeclaration) -> None:
        """See the base class."""
        if checker.is_second(node):
            return
        for score in scores(node):
            checker.require_type(score, REAL, f"a score of the plan `{node.name}`", "HL320")
        if checker.symbols[node.name].type.base != "real":
            checker.findings.add(
                "HL301",
                f"a plan is of reals, not of `{node.type.base}`",
                node.type.span,
                label="what is planned is added to actions",
                expected=("real", "vec"),
                repair=Repair(node.type.span, "real", "write `real`"),
            )
        if checker.check_range(node.range, "real", node.type.size):
            checker.check_plan(node)

    def warn(self, uses: NameUses, node: PlanDeclaration) -> Iterable[Diagnostic]:
        """See the base class."""
        if node.name in uses.directed:
            yield from unused_settings(node)
            return
        yield Diagnostic(
            "HL506",
            f"the plan `{node.name}` is not used",
            node.name_span,
            "the action does not depend on it: add it to one",
            severity="warning",
        )

    def desugar(self, scope: CoreScope, node: PlanDeclaration) -> Iterable[PlanDeclaration]:
        """See the base class."""
        return (node,)

    def explain(self, explainer: Explainer, node: PlanDeclaration) -> Iterable[str]:
        """See the base class."""
        yield from explainer.before(node)
        size = "" if node.type.size is None else f" ({node.type.size} numbers)"
        yield (
            f"{node.name}{size}, each in {explainer.ends(node.range)}, is chosen anew at every tick, "
            f"by simulating this very policy{explainer.after(node)}"
        )
        yield f"  at every simulated tick it is good to have much of {explainer.words(node.each)}"
        if node.final is not None:
            yield f"  and at the end of {explainer.words(node.final)}"
        given = ", ".join(f"{setting.name} {explainer.written(setting.value)}" for setting in node.settings)
        set_names = {setting.name for setting in node.settings}
        usual = ", ".join(name for name in SETTINGS if name not in set_names)
        yield f"  settings: {given or 'none'}" + (f"; as usual: {usual}" if usual else "")


def _read(reader: TreeReader, keyword: Any, name: Any, type_: TypeName, range_: Range, *rest: Any) -> PlanDeclaration:
    *settings, each_word, each, final_word, final, closing = rest
    return PlanDeclaration(
        reader.name(name),
        type_,
        range_,
        tuple(settings),
        each,
        final,
        reader.between(keyword, closing),
        reader.at(name),
        reader.at(each_word),
        NOWHERE if final is None else reader.at(final_word),
    )


def _read_setting(reader: TreeReader, name: Any, value: Any) -> Setting:
    return Setting(name.value, value, Span(name.start_pos, value.span.end), reader.at(name))


def _write_score(out: TextWriter, word: str, expression: Expression, place: Span) -> None:
    out.open()
    out.token(word, *place)
    out.assigned(expression, is_column=True)
    out.close()
