"""Random expressions of a type, over the names in scope at a place."""

from __future__ import annotations

from hl_dsl.grammar.tree.syntax_tree import Apply, Boolean, Expression, Index, Name, Number, Previous, Slice, Vector
from hl_dsl.language.types import BOOL, INT, REAL, Type
from hl_dsl.synth.mutation.draft import Draft
from hl_dsl.synth.mutation.number_literals import quantile, round_range, short, spread, weighted
from hl_dsl.synth.mutation.operator_signatures import Signature, giving
from hl_dsl.synth.mutation.tree_paths import TreePath

_TRIES = 4
_LEAF, _PREVIOUS, _CONSTANT, _AS_PARAM = 0.25, 0.08, 0.2, 0.6
_FAMILIAR = 0.5  # how often a component is one that the program reads already
_LONGEST_WRITTEN = 4


class RandomExpressions:
    """Draws expressions for one place of a draft. New parameters they need are declared in the draft."""

    def __init__(self, draft: Draft, place: TreePath):
        self.draft, self.random, self.scope = draft, draft.random, draft.scope
        self.names = self.scope.names(place)

    def expression(self, type_: Type, depth: int = 2) -> Expression:
        """An expression of the type (an int one may stand for a real), at most `depth` operators deep.

        An expression that is constant on all recorded ticks is drawn again.
        """
        for _ in range(_TRIES):
            found = self._draw(type_, depth)
            if type(found) in (Number, Boolean) or not self._never_changes(found):
                break
        return found

    def _never_changes(self, expression: Expression) -> bool:
        values = self.draft.values(expression)
        return values is not None and len(values) > 1 and values.count(values[0]) == len(values)

    def _draw(self, type_: Type, depth: int) -> Expression:
        if depth <= 0 or (type_ is not BOOL and self.random.random() < _LEAF):
            return self.leaf(type_)
        if self.random.random() < _PREVIOUS:
            inner = self._draw(type_, depth - 1)
            if type(inner) not in (Number, Boolean):
                return Previous(inner, self.start(type_))
        choices = [one for one in giving(type_) if self.possible(one)]
        if not choices:
            return self.leaf(type_)
        return self.apply(weighted(self.random, choices, [one.weight for one in choices]), type_, depth)

    def apply(
        self, signature: Signature, type_: Type, depth: int, given: tuple[int, Expression] | None = None
    ) -> Expression:
        """A row applied to grown operands; `given` is an operand that is already there, with its position.

        A number that a varying operand is held against is drawn from the values that operand takes.
        """
        size = type_.size or self._some_length()
        types = signature.sized(size)
        operands: list[Expression | None] = [None] * len(types)
        if given is not None:
            operands[given[0]] = given[1]
        order = [place for place in range(len(types)) if operands[place] is None]
        self.random.shuffle(order)
        for place in order:
            partner = next(
                (one for one, other in zip(operands, types) if one is not None and other.base in ("int", "real")), None
            )
            constant = (
                partner is not None
                and types[place].base in ("int", "real")
                and (signature.result is BOOL or self.random.random() < 0.5)
            )
            if constant and type(partner) is not Number and types[place].size is None and self.random.random() < 0.7:
                assert partner is not None
                operands[place] = self.constant_near(partner, types[place].base)
            else:
                operands[place] = self._draw(types[place], depth - 1)
        if signature.row.syntax.kind == "prefix" and type(operands[0]) is Number:
            return Number(-operands[0].value)
        return Apply(signature.row.name, tuple(operand for operand in operands if operand is not None))

    def possible(self, signature: Signature) -> bool:
        """Whether the program has the enumerations that the signature's operands need."""
        return not signature.enumerations or all(self.scope.constants.get(base) for base in signature.enumerations)

    def _some_length(self) -> int:
        lengths = [
            type_.size for type_ in self.names.values() if type_.size is not None and type_.size <= _LONGEST_WRITTEN
        ]
        return self.random.choice(lengths) if lengths else 2

    # leaves

    def leaf(self, type_: Type) -> Expression:
        """A name, a component or a constant."""
        if type_.is_enumeration and not type_.is_vector:
            return self._enumerated(type_)
        if type_ is BOOL:
            return self._truth()
        if self.random.random() < _CONSTANT:
            return self.literal(type_)
        named = [name for name, held in self.names.items() if held is type_ or (type_ is REAL and held is INT)]
        vectors = [
            name
            for name, held in self.names.items()
            if held.is_vector and held is not type_ and self._holds(held, type_)
        ]
        if vectors and (not named or self.random.random() < 0.5):
            return self._part(self.random.choice(vectors), type_)
        if named:
            return Name(self.random.choice(named))
        if type_.is_vector:
            return Vector(tuple(self.leaf(type_.element) for _ in range(type_.size or 0)))
        return self.literal(type_)

    @staticmethod
    def _holds(held: Type, wanted: Type) -> bool:
        same = held.base == wanted.base or (wanted.base == "real" and held.base == "int")
        return same and (held.size or 1) >= (wanted.size or 1)

    def _part(self, name: str, type_: Type) -> Expression:
        size = self.names[name].size or 1
        if type_.size is not None:
            start = self.random.randrange(size - type_.size + 1)
            return Slice(Name(name), start, start + type_.size)
        return Index(Name(name), Number(self.component(name, size)))

    def component(self, name: str, size: int) -> int:
        """A component: one that the program reads already, or one that changes on recorded ticks, or any."""
        read = sorted(
            {
                int(node.index.value)
                for _, node, _ in self.scope.places
                if type(node) is Index
                and type(node.vector) is Name
                and node.vector.name == name
                and type(node.index) is Number
            }
        )
        if read and self.random.random() < _FAMILIAR:
            return self.random.choice(read)
        columns = self.draft.subject.columns
        known = columns.named.get(name) if columns is not None else None
        varying = (
            [] if known is None else [place for place, column in enumerate(known.columns) if min(column) != max(column)]
        )
        return self.random.choice(varying) if varying else self.random.randrange(size)

    def _truth(self) -> Expression:
        """A name, or a comparison of two leaves: a literal truth is never worth a place."""
        named = [name for name, held in self.names.items() if held is BOOL]
        if named and self.random.random() < 0.5:
            return Name(self.random.choice(named))
        number = INT if INT in self.names.values() or any(held.base == "int" for held in self.names.values()) else REAL
        choices = [
            one for one in giving(BOOL) if one.operands in ((INT, INT), (REAL, REAL)) and one.operands[0] is number
        ]
        one = weighted(self.random, choices, [choice.weight for choice in choices])
        first = self.leaf(number)
        return Apply(
            one.row.name,
            (first, self.leaf(number) if type(first) is Number else self.constant_near(first, number.base)),
        )

    def _enumerated(self, type_: Type) -> Expression:
        named = [name for name, held in self.names.items() if held is type_]
        constants = self.scope.constants[type_.base]
        if named and (not constants or self.random.random() < 0.3):
            return Name(self.random.choice(named))
        return Name(self.random.choice(constants))

    # constants

    def literal(self, type_: Type) -> Expression:
        """A constant of the type, small where nothing says how large."""
        if type_.is_vector:
            return Vector(tuple(self.literal(type_.element) for _ in range(type_.size or 0)))
        if type_.is_enumeration:
            return Name(self.random.choice(self.scope.constants[type_.base]))
        if type_ is BOOL:
            return Boolean(self.random.random() < 0.5)
        if type_ is INT:
            return Number(self.random.choice((0, 1, 2, 3, 4, 5, 8, 10, 16, 20, 32, 50, 64, 100)))
        return Number(self.random.choice((0.0, 0.1, 0.25, 0.5, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0)))

    def start(self, type_: Type) -> Expression:
        """A literal for the first tick."""
        if type_.is_vector:
            return self.start(type_.element)
        if type_.is_enumeration:
            return Name(self.scope.constants[type_.base][0])
        return Boolean(False) if type_ is BOOL else Number(0)

    def constant_near(self, other: Expression, base: str) -> Expression:
        """A number or a new parameter that lies where the values of `other` lie."""
        low, high, default = self.likely(other)
        if base == "int" and type(default) is float:
            default = round(default)
        if self.random.random() < _AS_PARAM:
            return self.draft.new_param("level", base, low, high, default)
        return Number(short(default, *round_range(low, high, base), base))

    def likely(self, expression: Expression) -> tuple[float, float, float]:
        """(low, high, one value): where the expression's values lie, on recorded ticks or by what is declared."""
        values = self.draft.values(expression)
        if values:
            return (*spread(values), quantile(values, self.random.random()))
        low, high = self.draft.subject.ranges.of(expression) or (-10.0, 10.0)
        if high - low > 1e6:
            low, high = max(low, -10.0), min(high, 10.0)
        return low, high, low + (high - low) * self.random.random()
