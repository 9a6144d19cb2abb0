"""Pipeline of the language, one function a stage. Read this file first.

    text ─parse─> tree ─check─> checked program ─lower─> graph ─┬─interpret──────> reference interpreter
                    │                                           ├─generate_numpy─> NumPy source
                    │                                           ├─assemble_tape──> tape of the compiled back end
                    └─format_tree─> text                        ├─encode_smt─────> SMT-LIB script for z3
    card ─generate_decoder_grammar─> grammar                    ├─compile_policy─> batched policy
                                                                └─prove──────────> proof

Each function takes the artifact of the stage before it and returns its own. `hl show FILE --stage STAGE` prints any
artifact of a real program. `hl_dsl.program.Program` holds the artifacts of one program and computes each at most once.

Imports are inside the functions: a command loads only the stages it needs, so that `hl check` starts without NumPy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hl_dsl.base.source import SourceText
    from hl_dsl.cards import Card
    from hl_dsl.compiler.backends.interpreter import Interpreter
    from hl_dsl.compiler.backends.tape.encoding import Tape
    from hl_dsl.compiler.ir.dataflow import Dataflow
    from hl_dsl.compiler.policy import Policy
    from hl_dsl.grammar.tree.syntax_tree import PolicyDeclaration
    from hl_dsl.language.checker import CheckedProgram
    from hl_dsl.language.incremental import DeclarationCache
    from hl_dsl.verify import Proof


def parse(source: SourceText) -> PolicyDeclaration:
    """Text to tree. Raises `ProgramError` at the first syntax error."""
    from hl_dsl.grammar.parser import parse

    return parse(source)


def check(
    tree: PolicyDeclaration, card: Card, source: SourceText, cache: DeclarationCache | None = None
) -> CheckedProgram:
    """Tree to checked program: names resolved, types inferred. Raises `ProgramError` with all errors."""
    from hl_dsl.language.checker import check

    return check(tree, card, source, cache)


def lower(checked: CheckedProgram, cache: DeclarationCache | None = None) -> Dataflow:
    """Checked program to graph: one typed dataflow graph for one tick, with the properties and obligations to prove."""
    from hl_dsl.compiler.lowering.lower import lower

    return lower(checked, cache)


def interpret(graph: Dataflow) -> Interpreter:
    """Graph to reference interpreter, which defines the meaning of a program: one lane, plain Python values."""
    from hl_dsl.compiler.backends.interpreter import Interpreter

    return Interpreter(graph)


def generate_numpy(graph: Dataflow) -> str:
    """Graph to the source of one NumPy function, `tick(observation, memory, parameters)`."""
    from hl_dsl.compiler.backends.numpy_backend.source import write_numpy

    return write_numpy(graph).function


def assemble_tape(graph: Dataflow) -> Tape:
    """Graph to tape: instructions over numbered registers, which one compiled interpreter runs for a batch of lanes."""
    from hl_dsl.compiler.backends.tape.encoding import encode

    return encode(graph)


def encode_smt(graph: Dataflow) -> str:
    """Graph to an SMT-LIB script: one tick from any reachable memory, and one query for each goal of the proof."""
    from hl_dsl.verify.transition_script import transition_script

    return transition_script(graph)


def compile_policy(graph: Dataflow, **options: Any) -> Policy:
    """Graph to the policy that acts in batches of environments; with a planner if the program has a plan."""
    if graph.plan is None:
        from hl_dsl.compiler.policy import Policy

        return Policy(graph, **options)
    from hl_dsl.compiler.planner.controller import PlannedPolicy

    return PlannedPolicy(graph, **options)


def prove(graph: Dataflow, **options: Any) -> Proof:
    """Graph to proof: obligations and invariants by intervals, k-induction with z3, and lemmas; see `hl_dsl.verify`."""
    from hl_dsl.verify import prove

    return prove(graph, **options)


def format_tree(tree: PolicyDeclaration) -> str:
    """Tree to text in the standard layout."""
    from hl_dsl.grammar.formatter.format import format_policy

    return format_policy(tree)


def generate_decoder_grammar(card: Card) -> str:
    """Environment card to a grammar in Lark's notation, for decoders that are constrained to programs for it."""
    from hl_dsl.language.environment_grammar import card_grammar

    return card_grammar(card)
