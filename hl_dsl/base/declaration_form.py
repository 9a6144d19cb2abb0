"""Base class of a declaration's entry in the table of declarations: one handler for each stage.

A construct of the language is one file of `hl_dsl/declarations/` with one subclass of `DeclarationForm`. The methods
that a construct does not need keep their defaults. CONTRIBUTING lists the steps.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import StrEnum
from typing import Any, Generic, NamedTuple, TypeVar

from hl_dsl.base.declaration_stages import (
    CoreScope,
    DeclarationChecker,
    DecoderWords,
    Explainer,
    NameUses,
    SymbolTable,
    TextWriter,
)

Node = TypeVar("Node")
# Address of an expression inside a declaration: ("let",), ("rule", 0, "condition"), ("mode", 1, "transition", 0).
Slot = tuple[Any, ...]
ReadRule = Callable[..., Any]  # (TreeReader, *children of the grammar rule) -> node


class Role(StrEnum):
    """Treatment of a declaration by the rest of the system."""

    INPUT = "input"  # names what the environment shows
    CONSTANT = "constant"  # a value that tuning may change
    DEFINITION = "definition"  # a value of this tick; it counts only if something that counts uses it
    STATE = "state"  # a value kept from the last tick; it counts only if something that counts uses it
    PLAN = "plan"  # a value that the planner chooses
    BEHAVIOUR = "behaviour"  # decides the action
    PROPERTY = "property"  # says something about the program and changes nothing


class ConditionList(NamedTuple):
    """Conditions that are tried in order, each with the mode that a transition leads to; None for a rule."""

    mode: str | None
    items: tuple[tuple[Any, str | None], ...]


class DeclarationForm(Generic[Node]):
    """One construct of the language: its node class, its grammar and its handler for each stage.

    Attributes:
        node: The class of its nodes in the syntax tree.
        role: How the rest of the system treats it.
        grammar: Lark rules and terminals, added to `grammar/hl.lark`.
        alternatives: Those of its rules that are declarations.
        words: Its keywords, which no name may be.
        labelled_rules: Those of its rules whose NAME is in a space of its own, as a property's.
        noun: What messages call it, with the article: "the memory".
        unused_code: Code of the warning about one that nothing uses; None if there is no such warning.
        sections: Titles of its sections of the explanation, in order.
        depends_on_program: Whether its check depends on more than the names in it, so that it cannot be remembered.
    """

    node: type[Node]
    role: Role
    grammar: str = ""
    alternatives: tuple[str, ...] = ()
    words: frozenset[str] = frozenset()
    labelled_rules: tuple[str, ...] = ()
    noun: str = ""
    unused_code: str | None = None
    depends_on_program: bool = False
    sections: tuple[str, ...] = ()

    # text <-> tree

    def readers(self) -> Mapping[str, ReadRule]:
        """The function that builds the node, for each rule (or alias) of the grammar."""
        return {}

    def write(self, out: TextWriter, node: Node) -> None:
        """Adds the declaration's text to a document of the formatter."""
        raise NotImplementedError

    def layout_group(self, node: Node) -> object:
        """Declarations that follow each other without an empty line have equal groups."""
        return self.node

    def decoder_edits(self, words: DecoderWords) -> Iterable[tuple[str, str, str]]:
        """Changes of its rules for constrained decoding: (rule, the part that is replaced, its replacement)."""
        return ()

    def decoder_rules(self, words: DecoderWords) -> Mapping[str, str]:
        """Rules for constrained decoding alone, which `decoder_edits` refers to."""
        return {}

    def is_offered(self, words: DecoderWords) -> bool:
        """Whether a program for the environment may contain it."""
        return True

    # tree

    def expressions(self, node: Node) -> Iterable[Any]:
        """The top expressions of the declaration, in the order of the text."""
        return ()

    def name_of(self, node: Any) -> str:
        """The name that it declares, for a construct that declares one."""
        name: str = node.name
        return name

    def equations(self, node: Node) -> Iterable[tuple[str, tuple[Any, ...]]]:
        """The names that it defines within a tick, each with the expressions that its value needs."""
        return ()

    # meaning

    def declare(self, symbols: SymbolTable, node: Node) -> None:
        """Adds the names that it declares to the table of names."""

    def check(self, checker: DeclarationChecker, node: Node) -> None:
        """Reports what is wrong with it, names and types of its expressions included."""

    def warn(self, uses: NameUses, node: Node) -> Iterable[Any]:
        """Warnings about what it declares and the program does not need."""
        if self.unused_code is not None and self.name_of(node) not in uses.needed:
            yield uses.unused(node)

    def desugar(self, scope: CoreScope, node: Node) -> Iterable[Any]:
        """The declarations of the core (`hl_dsl/language/core.py`) that mean the same."""
        return ()

    # explanation

    def section(self, node: Node) -> str:
        """Title of its section of the explanation, one of `sections`."""
        return self.sections[0]

    def explain(self, explainer: Explainer, node: Node) -> Iterable[str]:
        """The declaration in English, as lines."""
        return ()

    # mutation

    def slots(self, node: Node) -> Iterator[tuple[Slot, Any]]:
        """The expressions that a mutation may change, with their addresses."""
        return iter(())

    def put(self, node: Node, slot: Slot, new: Any) -> Node:
        """The declaration with another expression at an address."""
        raise LookupError(slot)

    def describe_slot(self, node: Node, slot: Slot) -> str:
        """An address in words: "the 2nd rule's condition"."""
        raise LookupError(slot)

    def defined_by(self, node: Node, slot: Slot) -> str | None:
        """The name whose value of this tick needs the expression at an address; None if no value of this tick does."""
        return None

    def decision_lists(self, node: Node) -> Iterable[tuple[Slot, Any]]:
        """The decision lists in it, each with the start of its rules' addresses."""
        return ()

    def put_decision_list(self, node: Node, before: Slot, act: Any) -> Node:
        """The declaration with another decision list at an address of `decision_lists`."""
        raise LookupError(before)

    def without_a_part(self, node: Node) -> Iterator[Node]:
        """The declaration without one of its rules or transitions, for each that it may be without."""
        return iter(())

    # diagnosis

    def condition_lists(self, node: Node) -> Iterable[ConditionList]:
        """The conditions of its rules and transitions, which are tried in order."""
        return ()
