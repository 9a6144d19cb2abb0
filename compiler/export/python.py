"""Export of a policy as one Python file that needs only NumPy and returns the same actions."""

from __future__ import annotations

import inspect
import re
import textwrap
from collections.abc import Iterator
from importlib import resources

from hl_dsl.compiler.backends import number_conversion
from hl_dsl.compiler.backends.backend import monitored_properties, run_outputs
from hl_dsl.compiler.backends.monitored_properties import without_unused_monitor_state
from hl_dsl.compiler.backends.numpy_backend import kernel
from hl_dsl.compiler.backends.numpy_backend.source import write_numpy
from hl_dsl.compiler.ir.dataflow import Dataflow
from hl_dsl.compiler.ir.structural_hash import canonical_hash
from hl_dsl.grammar.parser import parse
from hl_dsl.grammar.tree.author_comments import Comments
from hl_dsl.grammar.tree.syntax_tree import PolicyDeclaration

from hl_dsl.base.declaration_form import Role
from hl_dsl.cards.model import ActionSpace
from hl_dsl.input_sources.table import SOURCE_OF

_TYPES = {"real": "np.float64", "int": "np.int64", "bool": "np.bool_"}


def export_python(flow: Dataflow) -> str:
    """Returns the source of a module with one class, `Policy(num_envs, parameters)`.

    The class has the methods `reset()` and `act(observations)`. Its actions equal those of the reference interpreter
    bit for bit, unless the policy uses operators whose last bits differ in NumPy. The docstring of the file then names
    these operators and the size of the difference.
    """
    name = canonical_hash(flow)
    flow = without_unused_monitor_state(flow)
    written = write_numpy(flow, export=True)
    text, action = _ProgramText(flow), flow.card.action
    parts = [
        _docstring(flow, name, text),
        "import numpy as np",
        _table(
            "INPUTS",
            "inputs: name, source, column in the source, type, range, value before the first valid one",
            _inputs(flow),
            "()",
        ),
        _table("PARAMETERS", "parameters: name, then type, default, range", _parameters(flow, text), "{}"),
        _table(
            "MEMORY",
            "memory: name, type, value at the start of an episode",
            _memory(flow, text),
            "()",
        ),
        f"WATCHED = {_names([item.name for item in monitored_properties(flow)])}",
        f"ACTION_SIZE = {None if action.is_discrete else action.size}\nACTION_TYPE = np.{action.dtype}",
        *(
            inspect.getsource(getattr(kernel, name)).rstrip()
            for name in written.kernel
            if _calls(written.function, name)
        ),
        "\n".join(_commented(written.function, text)),
        _frame(),
    ]
    return _spaced(parts)


class _ProgramText:
    """Comments on the program's declarations; none for a tree that was not parsed from text."""

    def __init__(self, flow: Dataflow):
        policy = parse(flow.source) if flow.source.text else PolicyDeclaration("", "", ())
        comments = Comments(flow.source, policy)
        self.opening = comments.opening()
        self.above: dict[str, str] = {}
        self.same_line: dict[str, str] = {}
        for item in policy.with_role(Role.CONSTANT, Role.DEFINITION, Role.STATE):
            self.above[item.name] = comments.above(item)
            self.same_line[item.name] = comments.on_line_of(item)

    def note(self, name: str) -> str:
        """Returns both comments of a declaration on one line."""
        return "; ".join(filter(None, (self.above.get(name, ""), self.same_line.get(name, ""))))


def _docstring(flow: Dataflow, name: str, text: _ProgramText) -> str:
    card = flow.card
    sources = ", ".join(f"{source!r}: …" for source in sorted({entry.source for entry in flow.inputs}))
    lines = [f"The policy `{flow.name}` for {card.environment}, exported from HL program {name}.", ""]
    if text.opening:
        lines += [text.opening, ""]
    lines += [
        "    policy = Policy(num_envs)",
        f"    actions = policy.act({{{sources}}})",
        "    policy.reset(ended)  # indices or mask of the environments whose episode has ended",
        "",
        "Observations are arrays with one row for each environment:",
        *(f"    {line}" for line in _sources(flow)),
        "",
        _action_line(card.action),
    ]
    if flow.modes:
        lines.append("Modes: " + ", ".join(f"{position} {name}" for position, name in enumerate(flow.modes)))
    if flow.plan is not None:
        lines += [
            "",
            f"This is the policy without its planner. Pass the plan, `{flow.plan.name}`,",
            'as the source "plan" in each step, or zeros for no plan.',
        ]
    lines += ["", *_accuracy(flow)]
    return (
        '"""' + "\n".join(line.replace("\\", "\\\\").replace('"""', '\\"\\"\\"') for line in lines).rstrip() + '\n"""'
    )


def _action_line(action: ActionSpace) -> str:
    """Returns the meaning of the returned actions."""
    if action.names is not None:
        return "Actions, (num_envs,): " + ", ".join(f"{position} {name}" for position, name in enumerate(action.names))
    return (
        f"Actions, (num_envs, {action.size}): real numbers, "
        f"which the environment clamps to {list(action.low)} to {list(action.high)}"
    )


def _sources(flow: Dataflow) -> Iterator[str]:
    """Yields each source that is read, with its columns."""
    by_source: dict[str, list] = {}
    for entry in flow.inputs:
        by_source.setdefault(entry.source, []).append(entry)
    for source, entries in sorted(by_source.items()):
        shown = ", ".join(f"{entry.column} {entry.name}" for entry in entries)
        yield f"{source}: column {shown}" if SOURCE_OF[source].is_wide else f"{source}: (num_envs,)"
    if not by_source:
        yield "none"


def _accuracy(flow: Dataflow) -> list[str]:
    """Returns the statement on the accuracy of the numbers."""
    numbered = flow.reachable(run_outputs(flow))
    others = sorted(
        {
            flow.nodes[number].op
            for number in numbered
            if (form := flow.nodes[number].form) is not None and form.export not in (None, form.numpy)
        }
    )
    if not others:
        return ["Every number equals the one that HL computes, bit for bit."]
    is_single = len(others) == 1
    return [
        f"{', '.join(others)} {'is' if is_single else 'are'} computed by NumPy here and by the C library in HL.",
        "Each is within 4 units in the last place of the true value, so a result can differ from HL's by 8 units,",
        "and values computed from it by more. All other numbers equal those of HL, bit for bit.",
    ]


def _inputs(flow: Dataflow) -> Iterator[tuple[str, str]]:
    for entry in flow.inputs:
        number = {"real": float, "int": int, "bool": int}[entry.base]
        low, high, default = (number(value) for value in (entry.low, entry.high, entry.default))
        yield (
            f"({entry.name!r}, {entry.source!r}, {entry.column}, {_TYPES[entry.base]}, {low!r}, {high!r}, {default!r})",
            "",
        )


def _parameters(flow: Dataflow, text: _ProgramText) -> Iterator[tuple[str, str]]:
    for item in flow.parameters:
        note = text.note(item.name.split("[")[0])
        yield (
            f"{item.name!r}: ({_TYPES[item.base]}, {item.default!r}, {item.low!r}, {item.high!r})",
            note or ", ".join(item.names),
        )


def _memory(flow: Dataflow, text: _ProgramText) -> Iterator[tuple[str, str]]:
    for cell in flow.memories:
        note = text.note(cell.name.split("[")[0]) if cell.declared else ""
        yield f"({cell.name!r}, {_TYPES[cell.base]}, {cell.start!r})", note or ", ".join(cell.names)


def _table(name: str, says: str, rows: Iterator[tuple[str, str]], brackets: str) -> str:
    lines = [f"    {row},{f'  # {note}' if note else ''}" for row, note in rows]
    return "\n".join([f"# {says}", f"{name} = {brackets[0]}", *lines, brackets[1]]) if lines else f"{name} = {brackets}"


def _names(names: list[str]) -> str:
    return f"({', '.join(map(repr, names))}{',' if len(names) == 1 else ''})"


def _calls(function: str, name: str) -> bool:
    return re.search(rf"(?<![\w.]){name}\(", function) is not None


def _commented(function: str, text: _ProgramText) -> Iterator[str]:
    """Yields the lines of `tick`, with the program's comments above the definitions."""
    notes = {re.sub(r"\W+", "_", name): text.note(name) for name in text.above}
    for line in function.rstrip().split("\n"):
        defined = re.match(r"    (\w+) = ", line)
        if defined and notes.get(defined.group(1)):
            yield f"    # {notes[defined.group(1)]}"
        yield line


def _frame() -> str:
    text = resources.files("hl_dsl.compiler.export").joinpath("python_template.py").read_text(encoding="utf-8")
    method = textwrap.indent("@staticmethod\n" + inspect.getsource(number_conversion.to_binary64).rstrip(), "    ")
    return text[text.index("class Policy:") :].replace("    to_binary64 = staticmethod(to_binary64)", method).rstrip()


def _spaced(parts: list[str]) -> str:
    """Joins the parts, with two empty lines before a function or class and one elsewhere."""
    out = parts[0]
    for part in parts[1:]:
        out += ("\n\n\n" if part.startswith(("def ", "class ")) else "\n\n") + part
    return out + "\n"
