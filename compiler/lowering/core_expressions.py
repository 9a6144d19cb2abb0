"""Lowering of the core's own expressions: choices by case, decision lists, monitor state."""

from __future__ import annotations

from hl_dsl.compiler.ir.dataflow import Value
from hl_dsl.compiler.lowering.expressions import Expressions
from hl_dsl.compiler.lowering.incremental import IncrementalLowering
from hl_dsl.compiler.lowering.previous import Locals
from hl_dsl.grammar.tree.syntax_tree import Act
from hl_dsl.language.core import Bound, ByCase, FirstTrue, Stored, Unconditional, Under
from hl_dsl.language.types import BOOL, scalar


class CoreExpressions(IncrementalLowering):
    """Lowers expressions of the core. `bound` holds the steps of the property that is being lowered."""

    bound: dict[str, Value]

    def _stored(self, node: Stored, locals_: Locals) -> Value:
        return self.stored[node.memory]

    def _bound(self, node: Bound, locals_: Locals) -> Value:
        return self.bound[node.step]

    def _by_case(self, node: ByCase, locals_: Locals) -> Value:
        """The last case needs no test. Cases are lowered from the last to the first, each under its own test."""
        build, subject = self.builder, self._scalar(node.subject)
        result: Value | None = None
        for position in reversed(range(len(node.cases))):
            here = build.apply("equal", (subject, build.constant(position, "int")))
            outer, self.guard = self.guard, here
            case = self._lower(node.cases[position], locals_)
            self.guard = outer
            if result is None:
                result = case
            else:
                nodes = tuple(build.apply("if", (here, yes, no)) for yes, no in zip(case.nodes, result.nodes))
                result = Value(case.type, nodes)
        assert result is not None
        return result

    def _first_true(self, node: FirstTrue, locals_: Locals) -> Value:
        """Each condition is lowered under the ones before being false."""
        names = [self._scalar(name) for _, name in node.choices]
        otherwise = self._lower(node.otherwise, locals_)
        outer = self.guard
        tests = []
        for condition, _ in node.choices:
            tests.append(self._scalar(condition))
            self._also(tests[-1], False)
        result = otherwise.nodes[0]
        for test, name in zip(reversed(tests), reversed(names)):
            result = self.builder.apply("if", (test, name, result))
        self.guard = outer
        return Value(otherwise.type, (result,))

    def _decision_list(self, act: Act, locals_: Locals) -> Value:
        """The value of the first rule whose condition holds, each lowered under the ones before being false."""
        type_ = self.symbols.type_of("action")
        outer = self.guard
        tests: list[int] = []
        values: list[tuple[int, ...]] = []
        for rule in act.rules:
            test = None if rule.condition is None else self._scalar(rule.condition)
            before = self.guard
            if test is not None:
                self._also(test, True)
            values.append(self._widened(self._lower(rule.value, None), type_))
            self.guard = before
            if test is not None:
                tests.append(test)
                self._also(test, False)
        self.guard = outer
        result = values[-1]
        for test, nodes in zip(reversed(tests), reversed(values[:-1])):
            result = tuple(self.builder.apply("if", (test, yes, no)) for yes, no in zip(nodes, result))
        return Value(type_, result)

    def _unconditional(self, node: Unconditional, locals_: Locals) -> Value:
        number = self.builder.apply(node.operator, tuple(self._scalar(operand) for operand in node.operands))
        base = self.builder.nodes[number].base
        return Value(BOOL if base == "bool" else scalar(base), (number,))

    def _under(self, node: Under, locals_: Locals) -> Value:
        condition = self._scalar(node.condition)
        outer = self.guard
        self._also(condition, True)
        value = self._lower(node.expression, None)
        self.guard = outer
        return value

    rules = {
        **Expressions.rules,
        Act: _decision_list,
        Bound: _bound,
        ByCase: _by_case,
        FirstTrue: _first_true,
        Stored: _stored,
        Unconditional: _unconditional,
        Under: _under,
    }
