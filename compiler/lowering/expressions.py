"""Lowering of expressions, with the obligations they raise under the conditions that guard them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from hl_dsl.base.source import Span
from hl_dsl.compiler.ir.dataflow import Obligation, Value
from hl_dsl.compiler.lowering.leaves import plain_base
from hl_dsl.compiler.lowering.previous import Locals, PreviousValues
from hl_dsl.grammar.tree.syntax_tree import Apply, Boolean, Index, Name, Number, Permute, Previous, Slice, Vector
from hl_dsl.language.type_inference import formula_expression
from hl_dsl.language.types import BOOL, Type, scalar, vector
from hl_dsl.operators import OPERATORS, Operator


class Expressions(PreviousValues):
    """Lowers one expression at a time. `guard` is the node under which its value is needed."""

    def _named(self, name: str) -> Value:
        """The value of a definition; see `Lowering`."""
        raise NotImplementedError

    def _scalar(self, expression: Any) -> int:
        return self._lower(expression, None).nodes[0]

    def _widened(self, value: Value, wanted: Type) -> tuple[int, ...]:
        nodes = value.nodes if len(value.nodes) == wanted.length else value.nodes * wanted.length
        return tuple(self.builder.widen(node, plain_base(wanted)) for node in nodes)

    def _lower(self, node: Any, locals_: Locals) -> Value:
        kind = type(node)
        if kind is Apply:
            return self._apply(node, locals_)
        if kind is Name:
            return self._name(node, locals_)
        if kind is Number:
            base = "int" if type(node.value) is int else "real"
            return Value(scalar(base), (self.builder.constant(node.value, base),))
        return self.rules[kind](self, node, locals_)

    def _boolean(self, node: Boolean, locals_: Locals) -> Value:
        return Value(BOOL, (self.builder.constant(node.value, "bool"),))

    def _name(self, node: Name, locals_: Locals) -> Value:
        name = node.name
        if locals_ is not None and name in locals_:
            return locals_[name]
        symbol = self.symbols[name]
        if symbol.kind == "observation":
            type_ = self.symbols.type_of(name)
            return Value(type_, tuple(self._observation(name, component) for component in range(type_.length)))
        if symbol.kind in ("action name", "mode name"):
            return Value(self.symbols.type_of(name), (self.builder.constant(symbol.declaration, "int"),))
        return self._named(name)

    def _apply(self, node: Apply, locals_: Locals) -> Value:
        operator = OPERATORS[node.operator]
        outer_site = self.site
        if locals_ is None:
            self.site = node.span
        if not operator.guards:
            result = self._operate(operator, [self._lower(operand, locals_) for operand in node.operands])
            self.site = outer_site
            return result
        outer = self.guard
        operands: list[Value] = []
        for position, operand in enumerate(node.operands):
            for guarded, by, truth in operator.guards:
                if guarded == position:
                    self._also(operands[by].nodes[0], truth) if len(operands[by].nodes) == 1 else None
            operands.append(self._lower(operand, locals_))
            self.guard = outer
        result = self._operate(operator, operands)
        self.site = outer_site
        return result

    def _also(self, condition: int, truth: bool) -> None:
        """Narrows the guard of the expressions that follow."""
        test = condition if truth else self.builder.apply("not", (condition,))
        self.guard = test if self.guard is None else self.builder.apply("and", (self.guard, test))

    def _operate(self, operator: Operator, operands: list[Value]) -> Value:
        self._require(operator, operands)
        if operator.formula:
            return self._lower(formula_expression(operator, operator.formula), dict(zip(operator.parameters, operands)))
        if operator.fold:
            return self._fold(operator, operands[0])
        for value in operands:
            if value.type.size is not None:
                size = value.type.size
                break
        else:
            return self._typed(
                operator, operands, (self._primitive(operator, tuple([value.nodes[0] for value in operands])),), None
            )
        nodes = tuple(
            self._primitive(
                operator, tuple(value.nodes[i if value.type.size is not None else 0] for value in operands), i
            )
            for i in range(size)
        )
        return self._typed(operator, operands, nodes, size)

    def _typed(self, operator: Operator, operands: list[Value], nodes: tuple[int, ...], size: int | None) -> Value:
        base = self.builder.nodes[nodes[0]].base
        if base == "int" and operator.forms[0].result == "any":
            base = operands[-1].type.base if operands[-1].type.is_enumeration else base
        return Value(scalar(base) if size is None else vector(base, size), nodes)

    def _fold(self, operator: Operator, operand: Value) -> Value:
        result = operand.nodes[0]
        for node in operand.nodes[1:]:
            result = self._primitive(OPERATORS[operator.fold], (result, node))  # type: ignore[index]  # a fold
        return Value(scalar(self.builder.nodes[result].base), (result,))

    def _primitive(self, operator: Operator, args: tuple[int, ...], component: int | None = None) -> int:
        number = self.builder.apply(operator.name, args)
        node = self.builder.nodes[number]
        form = node.form
        if form is None:
            assert node.value is not None
            if node.base == "real" and not abs(node.value) < float("inf"):
                self._oblige(
                    "finite", f"the result of `{operator.name}` is a finite float" + _of(component), number, None
                )
            elif node.base == "int" and abs(node.value) > 2**53:
                self._oblige(
                    "integer", f"the result of `{operator.name}` stays within ±2^53" + _of(component), number, None
                )
        elif node.base == "real":
            if (form.rounds or form.z3 is None) and ("finite", number, self.guard, None) not in self.obligations:
                self._oblige(
                    "finite", f"the result of `{operator.name}` is a finite float" + _of(component), number, None
                )
        elif form.result == "int" and ("integer", number, self.guard, None) not in self.obligations:
            self._oblige(
                "integer", f"the result of `{operator.name}` stays within ±2^53" + _of(component), number, None
            )
        return number

    def _require(self, operator: Operator, operands: list[Value]) -> None:
        for requirement in operator.requires:
            claim = self._lower(
                formula_expression(operator, requirement.formula), dict(zip(operator.parameters, operands))
            )
            for position, node in enumerate(claim.nodes):
                which = _of(None if claim.type.size is None else position)
                self._oblige(requirement.kind, f"`{operator.name}`: {requirement.says}" + which, node, node)

    def _oblige(self, kind: str, says: str, subject: int, claim: int | None, span: Span | None = None) -> None:
        if claim is not None and self.builder.nodes[claim].op == "constant" and self.builder.nodes[claim].value is True:
            return
        key = (kind, subject, self.guard, claim)
        if key not in self.obligations:
            self.obligations[key] = Obligation(kind, says, subject, self.guard, claim, span or self.site or Span(0, 0))

    def _vector(self, node: Vector, locals_: Locals) -> Value:
        items = [self._lower(item, locals_) for item in node.items]
        base = "real" if any(item.type.base == "real" for item in items) else items[0].type.base
        nodes = tuple(self.builder.widen(item.nodes[0], base) for item in items)
        return Value(vector(base, len(nodes)), nodes)

    def _index(self, node: Index, locals_: Locals) -> Value:
        # An observed vector may be long and used in one place: only the component that is read becomes an input.
        if type(node.index) is Number and type(node.vector) is Name and not (locals_ and node.vector.name in locals_):
            symbol = self.symbols[node.vector.name]
            if symbol.kind == "observation":
                element = self.symbols.type_of(symbol.name).element
                return Value(element, (self._observation(symbol.name, int(node.index.value)),))
        whole = self._lower(node.vector, locals_)
        if type(node.index) is Number:
            return Value(whole.type.element, (whole.nodes[int(node.index.value)],))
        index = self._lower(node.index, locals_).nodes[0]
        build = self.builder
        last = build.constant(len(whole.nodes) - 1, "int")
        claim = build.apply(
            "and",
            (build.apply("less_equal", (build.constant(0, "int"), index)), build.apply("less_equal", (index, last))),
        )
        outer, self.site = self.site, node.span if locals_ is None else self.site
        self._oblige("index", f"the index lies from 0 to {len(whole.nodes) - 1}", index, claim)
        self.site = outer
        return Value(whole.type.element, (self._select(index, whole.nodes, 0),))

    def _select(self, index: int, nodes: tuple[int, ...], offset: int) -> int:
        """The component at a computed index, by binary search; an index outside takes the nearest one."""
        if len(nodes) == 1:
            return nodes[0]
        half = len(nodes) // 2
        test = self.builder.apply("less", (index, self.builder.constant(offset + half, "int")))
        return self.builder.apply(
            "if", (test, self._select(index, nodes[:half], offset), self._select(index, nodes[half:], offset + half))
        )

    def _slice(self, node: Slice, locals_: Locals) -> Value:
        whole = self._lower(node.vector, locals_)
        return Value(vector(whole.type.base, node.stop - node.start), whole.nodes[node.start : node.stop])

    def _permute(self, node: Permute, locals_: Locals) -> Value:
        whole = self._lower(node.vector, locals_)
        return Value(vector(whole.type.base, len(node.indices)), tuple(whole.nodes[i] for i in node.indices))

    rules: ClassVar[Mapping[type, Callable[[Any, Any, Any], Value]]] = {
        Boolean: _boolean,
        Vector: _vector,
        Index: _index,
        Slice: _slice,
        Permute: _permute,
        Previous: PreviousValues._previous,
    }


def _of(component: int | None) -> str:
    """The end of a message about one component of a vector."""
    return "" if component is None else f", in component {component}"
