"""One policy with the artifacts of its pipeline, from text to proof and compiled policy."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hl_dsl import pipeline
from hl_dsl.base.diagnostics import MOST_SHOWN, Diagnostic, ProgramError
from hl_dsl.base.source import SourceText
from hl_dsl.cards import Card, CardResolver
from hl_dsl.grammar.parser import validate_repair
from hl_dsl.grammar.tree.syntax_tree import PolicyDeclaration
from hl_dsl.language.checker import CheckedProgram
from hl_dsl.language.incremental import DeclarationCache
from hl_dsl.program_card import cards_for, find_card
from hl_dsl.program_files import read_source

if TYPE_CHECKING:
    from hl_dsl.compiler.ir.dataflow import Dataflow
    from hl_dsl.compiler.policy import Policy
    from hl_dsl.verify import Proof


class Program:
    """A checked policy. Lowering, proof and compilation are computed on first use; `hl_dsl.pipeline` has the stages.

    >>> program = Program.load("policies/cartpole/start.hl")
    >>> program.prove().passed
    True
    """

    def __init__(
        self,
        checked: CheckedProgram,
        reuse: DeclarationCache | None = None,
        cards: CardResolver | None = None,
        flow: Dataflow | None = None,
    ):
        self.checked = checked
        self.reuse = reuse
        if flow is not None:
            self.flow = flow
        self.cards = (cards or CardResolver.of_user()).with_card(checked.card)
        """Finds the cards of texts that are made from this program, first of all its own card."""

    @classmethod
    def load(cls, path: str | Path, cards: CardResolver | None = None) -> Program:
        """Reads and checks a file.

        `cards` finds the environment's card, by default in the file's folder and the user's folders. Raises `HLError`
        if the file cannot be read, `ProgramError` if the policy has errors.
        """
        return cls.from_source(read_source(path), cards)

    @classmethod
    def parse(cls, text: str, name: str = "<text>", cards: CardResolver | None = None) -> Program:
        """Checks a text; `name` is its file name in messages, `cards` as in `load`. Raises `ProgramError`."""
        return cls.from_source(SourceText(text, name), cards)

    @classmethod
    def from_source(cls, source: SourceText, cards: CardResolver | None = None) -> Program:
        """Parses and checks a source. Raises `ProgramError` with validated repairs."""
        syntax, cards = pipeline.parse(source), cards or cards_for(source)
        try:
            card = find_card(syntax, source, cards)
            return cls(pipeline.check(syntax, card, source), cards=cards)
        except ProgramError as error:
            shown, rest = error.diagnostics[:MOST_SHOWN], error.diagnostics[MOST_SHOWN:]
            diagnostics = [validate_repair(source, item) for item in shown] + [
                replace(item, repair=None) for item in rest
            ]
            raise ProgramError(source, diagnostics) from None

    @classmethod
    def from_syntax(
        cls,
        syntax: PolicyDeclaration,
        source: SourceText | None = None,
        card: Card | None = None,
        reuse: DeclarationCache | None = None,
        flow: Dataflow | None = None,
    ) -> Program:
        """Checks a syntax tree, for example one that was changed in memory.

        Args:
            syntax: The tree.
            source: Its text, for messages. By default empty.
            card: The environment's card. By default, the card that the tree names.
            reuse: Cache shared by programs with common declarations. It saves work and does not change the result.
            flow: The dataflow graph of the program, if the caller has it.

        Raises:
            ProgramError: The policy has errors.
        """
        source = source or SourceText("", syntax.name)
        cards = cards_for(source)
        return cls(pipeline.check(syntax, card or find_card(syntax, source, cards), source, reuse), reuse, cards, flow)

    @property
    def syntax(self) -> PolicyDeclaration:
        """The tree."""
        return self.checked.policy

    @property
    def card(self) -> Card:
        """The environment's card."""
        return self.checked.card

    @property
    def source(self) -> SourceText:
        """The text that was parsed; empty for a tree made in memory."""
        return self.checked.source

    @property
    def name(self) -> str:
        """The policy's name."""
        return self.syntax.name

    @cached_property
    def warnings(self) -> tuple[Diagnostic, ...]:
        """Warnings that need no proof, such as unused definitions, memory, parameters and observations."""
        from hl_dsl.language.unused_definitions import unused

        return self.checked.warnings + unused(self.checked)

    @cached_property
    def text(self) -> str:
        """The program in the standard layout."""
        return pipeline.format_tree(self.syntax)

    @cached_property
    def flow(self) -> Dataflow:
        """The dataflow graph."""
        return pipeline.lower(self.checked, self.reuse)

    @cached_property
    def hash(self) -> str:
        """Structural hash: identifies the program up to renaming and layout."""
        from hl_dsl.compiler.ir.structural_hash import canonical_hash

        return canonical_hash(self.flow)

    def prove(self, **options: Any) -> Proof:
        """Proves all obligations and invariants; see `hl_dsl.verify.prove` for the options."""
        return pipeline.prove(self.flow, **options)

    def compile(self, **options: Any) -> Policy:
        """Returns the batched policy; see `hl_dsl.compiler.policy.Policy` for the options."""
        return pipeline.compile_policy(self.flow, **options)

    def explain(self) -> str:
        """Describes the strategy in English."""
        from hl_dsl.compiler.explanation.explain import explain_program

        return explain_program(self.checked)

    def export(self, target: str = "python") -> str:
        """Returns the text of one standalone file with the same behaviour. `hl export --to` has the targets."""
        from hl_dsl.compiler.export.targets import TARGETS

        return TARGETS[target](self.flow)
