"""Reasons for a constant condition: an earlier condition that covers its cases, or the values at that place."""

from __future__ import annotations

from collections.abc import Sequence

from hl_dsl.compiler.ir.dataflow import Dataflow
from hl_dsl.grammar.formatter.format import format_expression
from hl_dsl.grammar.tree.syntax_tree import Expression, Index, Name, Number, walk
from hl_dsl.language.checker import CheckedProgram
from hl_dsl.operators.intervals import INF
from hl_dsl.verify.diagnosis.condition_sites import ConditionSite
from hl_dsl.verify.diagnosis.reachable_conditions import ReachableConditions
from hl_dsl.verify.goals.graph_index import Interval
from hl_dsl.verify.intervals.narrowing import EMPTY

_MOST_NAMED = 3
_MOST_TEXT = 60
_MOST_TRIED = 6


def quote_condition(condition: Expression) -> str:
    """Returns a condition as quoted text on one line."""
    text = " ".join(format_expression(condition).split())
    return f"`{text}`" if len(text) <= _MOST_TEXT else f"`{text[: _MOST_TEXT - 1]}…`"


class DeadCodeReasons:
    """Finds reasons for the conditions of one program."""

    def __init__(
        self, checked: CheckedProgram, flow: Dataflow, sites: Sequence[ConditionSite], known: ReachableConditions
    ):
        self.checked, self.flow, self.known = checked, flow, known
        self.opening = {
            (site.condition.place, site.condition.list_): site.guard for site in sites if site.condition.number == 0
        }
        self.inputs = {entry.name: position for position, entry in enumerate(flow.inputs)}

    def covering(
        self, site: ConditionSite, before: Sequence[ConditionSite], never: bool
    ) -> tuple[list[ConditionSite], str]:
        """Returns the earlier conditions that are the reason, and the reason in words.

        `never`: never true, or else always true.
        """
        responsible = self._find_responsible(site, before, never)
        if not responsible:
            return [], self._values(site)
        names = _numbered([other.condition.number + 1 for other in responsible], site.condition.place)
        is_single = len(responsible) == 1
        if never:
            covers = "covers all of it" if is_single else "cover all of it together"
            return responsible, f"{names} {covers}"
        return responsible, f"{names} {'takes' if is_single else 'take'} all other cases"

    def _find_responsible(
        self, site: ConditionSite, before: Sequence[ConditionSite], never: bool
    ) -> list[ConditionSite]:
        """Returns the earlier conditions that make this one constant; none if it is constant without them."""
        guard = self.opening.get((site.condition.place, site.condition.list_))
        conditions = [*([] if guard is None else [(guard, True)]), (site.test, never)]
        if not before or self.known.is_ruled_out(conditions):
            return []
        near = list(reversed(before))
        single = next((other for other in near if self.known.is_ruled_out([*conditions, (other.test, False)])), None)
        if single is not None:
            return [single]
        positions = self.known.find_responsible(conditions, [(other.test, False) for other in before])
        if positions is None:
            return (
                list(before)
                if self.known.is_ruled_out([*conditions, *((other.test, False) for other in before)])
                else []
            )
        return self._fewer(conditions, [before[place] for place in positions])

    def _fewer(self, conditions: Sequence[tuple[int, bool]], responsible: list[ConditionSite]) -> list[ConditionSite]:
        """Removes conditions from a result of the solver that are not needed."""
        for other in list(responsible[:_MOST_TRIED]):
            remaining = [site for site in responsible if site is not other]
            if not remaining:
                continue
            positions = self.known.find_responsible(conditions, [(site.test, False) for site in remaining])
            if positions is not None:
                responsible = [remaining[place] for place in positions]
        return responsible

    def _values(self, site: ConditionSite) -> str:
        """Describes the values that the condition compares."""
        context = self.known.assuming(site.guard)
        if context.dead:
            context = self.known.base
        shown = []
        for atom in self._atoms(site.condition.expression):
            node, names = self._node(atom)
            text = (
                _range(self.known.evaluator.value(node, context), self.flow.nodes[node].base, names)
                if node is not None
                else None
            )
            if text:
                shown.append(f"`{format_expression(atom)}` {text}")
        if not shown:
            return "it does not depend on the values"
        return f"{', '.join(shown[:_MOST_NAMED])} here" + (", …" if len(shown) > _MOST_NAMED else "")

    def _atoms(self, condition: Expression) -> list[Expression]:
        atoms: dict[str, Expression] = {}
        inside: set[int] = set()
        for node in walk(condition):
            if type(node) is Index and type(node.vector) is Name and type(node.index) is Number:
                atoms.setdefault(f"{node.vector.name}[{node.index.value}]", node)
                inside.add(id(node.vector))
            elif (
                type(node) is Name
                and id(node) not in inside
                and self.checked.symbols[node.name].kind not in ("action name", "mode name")
            ):
                atoms.setdefault(node.name, node)
        return list(atoms.values())

    def _node(self, atom: Expression) -> tuple[int | None, Sequence[str]]:
        if isinstance(atom, Name):
            name, component = atom.name, None
        else:
            assert isinstance(atom, Index) and isinstance(atom.vector, Name) and isinstance(atom.index, Number)
            name, component = atom.vector.name, int(atom.index.value)
        value = self.flow.values.get(name)
        if value is not None:
            if value.type.size is not None and component is None:
                return None, ()
            names = {"action": self.flow.card.action.names or (), "mode": self.flow.modes}.get(value.type.base, ())
            return value.nodes[component or 0], names
        position = self.inputs.get(name if component is None else f"{name}[{component}]")
        for number, node in enumerate(self.flow.nodes):
            if node.op == "input" and node.value == position:
                return number, ()
        return None, ()


def _range(pair: Interval, base: str, names: Sequence[str]) -> str | None:
    if pair is EMPTY:
        return None
    low, high = pair
    if base == "bool":
        return None if low != high else f"is {'true' if low else 'false'}"
    if names:
        inside = names[int(max(low, 0)) : int(min(high, len(names) - 1)) + 1]
        return f"is {' or '.join(inside)}" if len(inside) < len(names) else None
    if low == high:
        return f"is {low!r}"
    if low == -INF and high == INF:
        return None
    if low == -INF or high == INF:
        return f"is at most {high!r}" if low == -INF else f"is at least {low!r}"
    return f"is in [{low!r}, {high!r}]"


def _numbered(numbers: list[int], place: str) -> str:
    if len(numbers) == 1:
        return f"{place} {numbers[0]}"
    together = numbers == list(range(numbers[0], numbers[-1] + 1)) and len(numbers) > 2
    return (
        f"{place}s {numbers[0]} to {numbers[-1]}"
        if together
        else f"{place}s {', '.join(map(str, numbers[:-1]))} and {numbers[-1]}"
    )
