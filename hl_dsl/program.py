"""The front door: a policy as one object, from its text to its proof and its compiled form."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from hl_dsl.base.diagnostics import MOST_SHOWN, Diagnostic, ProgramError, Repair
from hl_dsl.base.source import SourceText, Span
from hl_dsl.cards import Card, UnknownEnvironment, load_card
from hl_dsl.grammar.parser import parse, sound
from hl_dsl.grammar.tree.syntax_tree import PolicyDeclaration
from hl_dsl.language.checker import CheckedProgram, check
from hl_dsl.language.incremental import DeclarationCache
from hl_dsl.program_files import SUFFIX, read_source

if TYPE_CHECKING:
    from hl_dsl.compiler.ir.dataflow import Dataflow
    from hl_dsl.compiler.policy import Policy
    from hl_dsl.verify import Proof


class Program:
    """A checked policy. What costs more (lowering, proof, compilation) is done when first asked for.

    >>> program = Program.load("policies/cartpole/start.hl")
    >>> program.prove().passed
    True
    """

    def __init__(self, checked: CheckedProgram, reuse: DeclarationCache | None = None, flow: Dataflow | None = None):
        self.checked = checked
        self.reuse = reuse
        if flow is not None:
            self.flow = flow

    @classmethod
    def load(cls, path: str | Path) -> Program:
        """Reads and checks a file. Raises `HLError` where it cannot be read, `ProgramError` where it is no good policy."""
        return cls.from_source(read_source(path))

    @classmethod
    def parse(cls, text: str, name: str = "<text>") -> Program:
        """Checks a text. Raises `ProgramError`."""
        return cls.from_source(SourceText(text, name))

    @classmethod
    def from_source(cls, source: SourceText) -> Program:
        syntax = parse(source)
        try:
            return cls.from_syntax(syntax, source)
        except ProgramError as error:
            shown, more = error.diagnostics[:MOST_SHOWN], error.diagnostics[MOST_SHOWN:]
            found = [sound(source, finding) for finding in shown] + [replace(finding, repair=None) for finding in more]
            raise ProgramError(source, found) from None

    @classmethod
    def from_syntax(
        cls,
        syntax: PolicyDeclaration,
        source: SourceText | None = None,
        card: Card | None = None,
        reuse: DeclarationCache | None = None,
        flow: Dataflow | None = None,
    ) -> Program:
        """Checks a syntax tree, such as one changed in memory; its text is then the formatter's.

        With a `DeclarationCache`, kept by the caller, programs that share declarations share the work; what comes out is the same.
        `flow` is the dataflow graph, if the caller has it.
        """
        source = source or SourceText("", syntax.name)
        return cls(check(syntax, card or _card_of(syntax, source), source, reuse), reuse, flow)

    @property
    def syntax(self) -> PolicyDeclaration:
        return self.checked.policy

    @property
    def card(self) -> Card:
        return self.checked.card

    @property
    def source(self) -> SourceText:
        return self.checked.source

    @property
    def name(self) -> str:
        return self.syntax.name

    @cached_property
    def warnings(self) -> tuple[Diagnostic, ...]:
        """What need not be proved to be doubted: definitions, memory, parameters and observations that nothing uses."""
        from hl_dsl.language.unused_definitions import unused

        return self.checked.warnings + unused(self.checked)

    @cached_property
    def text(self) -> str:
        """The program in the one layout there is."""
        from hl_dsl.grammar.formatter.format import format_policy

        return format_policy(self.syntax)

    @cached_property
    def flow(self) -> Dataflow:
        from hl_dsl.compiler.lowering.lower import lower

        return lower(self.checked, self.reuse)

    @cached_property
    def hash(self) -> str:
        """Names the program up to renaming and layout."""
        from hl_dsl.compiler.ir.structural_hash import canonical_hash

        return canonical_hash(self.flow)

    def prove(self, **options) -> Proof:
        """Proves all obligations and invariants; see `hl_dsl.verify.prove`."""
        from hl_dsl.verify import prove

        return prove(self.flow, **options)

    def compile(self, **options) -> Policy:
        """The batched policy, with a planner where the program has a plan; see `hl_dsl.compiler.planner.controller`."""
        if self.flow.plan is None:
            from hl_dsl.compiler.policy import Policy as Controller
        else:
            from hl_dsl.compiler.planner.controller import PlannedPolicy as Controller
        return Controller(self.flow, **options)

    def explain(self) -> str:
        """The strategy in words."""
        from hl_dsl.compiler.explanation.explain import explain_program

        return explain_program(self)

    def export(self) -> str:
        """One standalone NumPy file that acts the same."""
        from hl_dsl.compiler.export.python import export_python

        return export_python(self.flow)


def _card_of(syntax: PolicyDeclaration, source: SourceText) -> Card:
    try:
        return load_card(syntax.environment, Path(source.name) if source.name.endswith((SUFFIX, ".json")) else None)
    except UnknownEnvironment as error:
        span = syntax.environment_span
        near = error.suggestions[0] if error.suggestions else None
        repair = Repair(Span(span.start, span.end), f'"{near}"', f'did you mean "{near}"?') if near else None
        raise ProgramError(
            source,
            [
                Diagnostic(
                    "HL600",
                    f"unknown environment `{syntax.environment}`",
                    span,
                    _without_card(syntax.environment),
                    expected=tuple(f'"{name}"' for name in error.suggestions[:3]),
                    repair=repair,
                )
            ],
        ) from None


def _without_card(environment: str) -> str:
    plain = environment.translate(str.maketrans("", "", "/-_:.")).isalnum()
    known = "" if ":" in environment else " if EnvPool has it,"
    return (
        f"no card for it;{known} `hl env {environment} --save` makes one" if plain else "no card for this environment"
    )
