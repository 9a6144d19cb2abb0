"""Writer of a generated program: its declarations in the order in which they become possible."""

from __future__ import annotations

from hl_dsl.cards import Card
from hl_dsl.grammar.tree.syntax_tree import (
    Act,
    After,
    Apply,
    Expression,
    Let,
    Memory,
    Mode,
    Modes,
    Name,
    Never,
    Number,
    Observe,
    Observed,
    Param,
    Pattern,
    PolicyDeclaration,
    PropertyDeclaration,
    Range,
    Rule,
    Transition,
    Vector,
    Within,
)
from hl_dsl.language.symbols import action_type, field_type
from hl_dsl.language.types import BOOL, INT, REAL, Type, scalar, vector
from tests.support.generators.choices import Choices
from tests.support.generators.expressions import ExpressionWriter, clamped
from tests.support.generators.plan_writer import DEPTH, literal_range, written_plan, written_type

MODE_NAMES = ("serve", "rally", "shake")
REAL_RANGES = ((-10.0, 10.0), (0.0, 1.0), (-256.0, 255.5), (0.25, 100.0), (-1e6, 1e6))
INT_RANGES = ((0, 3), (-10, 10), (0, 100000), (1, 8), (-128, 127))


class ProgramWriter:
    """Writes one program for a card. `wild`: divisions, roots, memories and others are not guarded."""

    def __init__(self, choices: Choices, card: Card, wild: bool):
        self.card, self.wild, self.choices = card, wild, choices
        self.action = action_type(card)
        self.modes = MODE_NAMES[: choices.pick((0, 0, 2, 3))]
        literals = {base: names for base, names in (("action", card.action.names), ("mode", self.modes)) if names}
        self.write = ExpressionWriter(choices, literals, wild)
        self.declarations: list = []
        self.memories: list[tuple[str, Type, Expression, Range | None]] = []

    def policy(self, row) -> PolicyDeclaration:
        write = self.write
        self._observe()
        self._params()
        self._declare_memories()
        planned = self.card.model is not None and write.chance(60)
        if planned:
            self.write.types["planned"] = write.pick((REAL, self.action))
        write.later = {"action": self.action, **({"mode": scalar("mode")} if self.modes else {})}
        self._let("focus", write.using(row, DEPTH - 1))
        self._lets("early", write.below(3))
        self._modes_and_act()
        self._lets("late", write.below(2))
        self._memory_nexts()
        self._properties()
        if planned:
            self.declarations += written_plan(write)
        order = self.choices.shuffled(self.declarations) if write.chance(50) else self.declarations
        return PolicyDeclaration("generated", self.card.environment, tuple(order))

    # declarations before the equations

    def _observe(self) -> None:
        names = list(self.card.fields)
        chosen = [name for name in names if self.write.chance(60)] or [self.write.pick(names)]
        items = []
        for name in chosen:
            field = self.card.fields[name]
            range_ = self._observed_range(field) if field.base != "bool" and self.write.chance(40) else None
            if range_ is not None and field.size is not None:
                range_ = self._by_component(range_, field.size)
            size = field.size if field.size is not None and self.write.chance(50) else None
            items.append(Observed(name, size, range_))
            self.write.types[name] = field_type(field)
        split = self.write.below(len(items))
        for part in (items[:split], items[split:]):
            if part:
                self.declarations.append(Observe(tuple(part)))

    def _observed_range(self, field) -> Range:
        """Within the card's range or beyond it: a program may assume less or more."""
        low, high = min(field.low), max(field.high)
        fractions = self.write.pick(((0, 1), (0.25, 0.5), (-0.5, 1.5), (0.5, 0.5)))
        ends = [low + fraction * (high - low) for fraction in fractions]
        return literal_range(*(map(round, ends) if field.base == "int" else map(float, ends)))

    def _params(self) -> None:
        for position in range(self.write.below(4)):
            name = f"param_{position}"
            type_ = self.write.pick(
                [
                    REAL,
                    INT,
                    BOOL,
                    vector("real", 2),
                    vector("real", 3),
                    *([self.action] if self.card.action.names else []),
                ]
            )
            default, range_ = self._ranged_literal(type_)
            self.declarations.append(Param(name, written_type(type_), default, range_))
            self.write.types[name] = type_

    def _declare_memories(self) -> None:
        kinds = [
            REAL,
            INT,
            BOOL,
            vector("real", 2),
            vector("real", 3),
            *([self.action] if self.card.action.names else []),
            *([scalar("mode")] if self.modes else []),
        ]
        for position in range(self.write.below(4)):
            type_ = self.write.pick(kinds)
            self.memories.append((f"memory_{position}", type_, *self._ranged_literal(type_)))
            self.write.types[f"memory_{position}"] = type_

    def _ranged_literal(self, type_: Type) -> tuple[Expression, Range | None]:
        if type_.base not in ("real", "int"):
            return self.write.literal(type_), None
        low, high = self.write.pick(REAL_RANGES if type_.base == "real" else INT_RANGES)
        inside = (low, high, 0.5 * (low + high)) if type_.base == "real" else (low, high, (low + high) // 2)
        range_ = (
            literal_range(low, high)
            if not type_.is_vector
            else self._by_component(literal_range(low, high), type_.length)
        )
        if type_.is_vector and self.write.chance(70):
            return Vector(tuple(Number(self.write.pick(inside)) for _ in range(type_.length))), range_
        return Number(self.write.pick(inside)), range_

    def _by_component(self, range_: Range, size: int) -> Range:
        """The range, or one with an end for each component, none of them narrower."""

        def own(end: Number, outwards: int) -> Number | Vector:
            if not self.write.chance(30):
                return end
            return Vector(tuple(Number(end.value + outwards * self.write.pick((0, 1, 7))) for _ in range(size)))

        assert type(range_.low) is Number and type(range_.high) is Number
        return Range(own(range_.low, -1), own(range_.high, 1))

    # equations

    def _let(self, name: str, expression: Expression) -> None:
        type_ = self.write.type_of(expression)
        if type_.base in ("real", "int") and not self.wild and self.write.chance(80):
            bound = self.write.pick((1, 1000, 100000))
            expression = clamped(expression, -bound, bound)
        self.declarations.append(Let(name, expression))
        self.write.types[name] = self.write.type_of(expression)

    def _lets(self, stem: str, count: int) -> None:
        types = [
            REAL,
            INT,
            BOOL,
            vector("real", 2),
            vector("int", 2),
            vector("bool", 3),
            *([self.action] if self.card.action.names else []),
        ]
        for position in range(count):
            name, type_ = f"{stem}_{position}", self.write.pick(types)
            if self.write.chance(25):
                self.write.later[name] = type_
                self._let(name, self._own(type_))
                del self.write.later[name]
            else:
                self._let(name, self.write.of(type_, DEPTH))

    def _own(self, type_: Type) -> Expression:
        """An expression for a let that reads its own last value."""
        last = self.write.previous(type_, 1)
        expression = self.write.of(type_, DEPTH) if self.write.chance(30) else self._changed(last, type_)
        if self.write.type_of(expression) is not type_:  # an int, where a real is wanted
            expression = Apply("add", (expression, Number(0.0)))
        return expression

    def _changed(self, last: Expression, type_: Type) -> Expression:
        """A change of the last value, in bounded steps, so that it seldom overflows."""
        if type_.base == "bool":
            return Apply("not", (last,))
        if type_.is_enumeration:
            return Apply("if", (self.write.leaf(BOOL), last, self.write.leaf(type_)))
        return clamped(Apply("add", (last, self.write.leaf(type_))), -1000, 1000)

    def _modes_and_act(self) -> None:
        write = self.write
        if not self.modes:
            self.declarations.append(self._act())
        else:
            transitions = [self._transitions() for _ in self.modes]
            write.types["mode"] = write.later.pop("mode")
            self._lets("middle", write.below(2))
            own = write.chance(60)
            start = write.below(len(self.modes))
            modes = [
                Mode(name, position == start, self._act() if own else None, transitions[position])
                for position, name in enumerate(self.modes)
            ]
            self.declarations.append(Modes(tuple(modes)))
            if not own:
                self.declarations.append(self._act())
        write.types["action"] = write.later.pop("action")

    def _transitions(self) -> tuple[Transition, ...]:
        return tuple(Transition(self._condition(), self.write.pick(self.modes)) for _ in range(self.write.below(3)))

    def _condition(self) -> Expression:
        """A condition. Half of the time it reads the focus, so that the row affects a decision."""
        if self.write.chance(50):
            return self._about_focus()
        return self.write.of(BOOL, DEPTH - 1)

    def _about_focus(self) -> Expression:
        focus: Expression = Name("focus")
        type_ = self.write.types["focus"]
        if type_.base in ("real", "int"):
            focus = Apply("less", (self.write.literal(REAL), focus))
        elif type_.is_enumeration:
            focus = Apply("equal", (focus, self.write.literal(type_.element)))
        return Apply("any", (focus,)) if type_.is_vector else focus

    def _act(self) -> Act:
        rules = [Rule(self._condition(), self._action_value()) for _ in range(self.write.below(4))]
        return Act((*rules, Rule(None, self._action_value())))

    def _action_value(self) -> Expression:
        if self.action.is_enumeration:
            return self.write.leaf(self.action) if self.write.chance(60) else self.write.of(self.action, 1)
        focus = self.write.types["focus"]
        if focus.base in ("real", "int") and focus.size in (None, self.action.size) and self.write.chance(40):
            value: Expression = Name("focus")
        else:
            value = self.write.of(self.action, DEPTH - 1)
        low, high = max(self.card.action.low), min(self.card.action.high)
        return value if self.wild or self.write.chance(20) else clamped(value, low, high)

    def _memory_nexts(self) -> None:
        for name, type_, start, range_ in self.memories:
            following = Name("focus") if self.write.types["focus"] is type_ else self.write.of(type_, DEPTH - 1)
            if range_ is not None and not (self.wild and self.write.chance(50)):
                following = Apply("clamp", (following, range_.low, range_.high))
            self.declarations.append(Memory(name, written_type(type_), range_, start, following))

    def _properties(self) -> None:
        for kind in ("assume", "invariant", "monitor", "reachable"):
            for position in range(self.write.below(2 if kind == "reachable" else 3)):
                expression = self._about_focus() if self.write.chance(30) else self.write.of(BOOL, DEPTH - 1)
                pattern = self._pattern() if kind != "reachable" and self.write.chance(40) else None
                self.declarations.append(PropertyDeclaration(kind, f"{kind}_{position}", expression, pattern))

    def _pattern(self) -> Pattern:
        kind = self.write.pick((Never, Within, Within, After, After))
        if kind is Never:
            return Never()
        if kind is Within:
            return Within(self.write.pick((0, 1, 2, 3, 100000)), self._condition())
        return After(self._condition(), self._condition())
