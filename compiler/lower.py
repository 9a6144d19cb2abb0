"""Checked program to intermediate form."""

from __future__ import annotations

from functools import cached_property
from typing import Mapping

from hl_dsl.check import Checked
from hl_dsl.dependencies import instantaneous_names, needs
from hl_dsl.infer import formula_expression
from hl_dsl.operators import OPERATORS, Operator
from hl_dsl.source import Span
from hl_dsl.syntax import Act, Apply, Boolean, Index, Memory, Modes, Name, Number, Param, Permute, Previous, Property as PropertySyntax, Slice, Vector
from hl_dsl.types import BOOL, Type, scalar, vector
from hl_dsl.compiler.ir import Builder, Cell, Dataflow, Input, Obligation, Parameter, Property, Value


def lower(checked: Checked) -> Dataflow:
    """Lowers a whole program. Every let is lowered, used or not, because `let` is strict."""
    lowering = _Lowering(checked)
    lowering.run()
    return lowering.result()


class _Lowering:
    def __init__(self, checked: Checked):
        self.checked = checked
        self.symbols = checked.symbols
        self.builder = Builder()
        self.values: dict[str, Value] = {}
        self.inputs: list[Input] = []
        self.input_nodes: dict[tuple[str, int], int] = {}
        self.parameters: list[Parameter] = []
        self.cells: list[dict] = []
        self.previous_cells: dict[tuple, int] = {}
        self.previous_count = 0
        self.pending: set[str] = set()
        self.postponed: dict[tuple, tuple] = {}
        self.properties: list[Property] = []
        self.obligations: dict[tuple, Obligation] = {}
        self.guard: int | None = None
        self.site: Span | None = None

    @cached_property
    def needs(self) -> dict[str, list[Name]]:
        return needs(self.checked.policy)

    def run(self) -> None:
        policy = self.checked.policy
        memories = list(policy.of(Memory))
        for param in policy.of(Param):
            self._declare_param(param)
        for memory in memories:
            self._declare_memory(memory)
        if self.symbols.modes:
            self._declare_mode()
        for name in self.checked.order:
            self._named(name)
        for memory in memories:
            self._memory_next(memory)
        for item in policy.of(PropertySyntax):
            node = self._scalar(item.expression)
            self.properties.append(Property(item.kind, item.name, node, item.span))

    def result(self) -> Dataflow:
        cells = [Cell(**cell) for cell in self.cells]
        lets = tuple(name for name in self.checked.order if name not in ("mode", "action"))
        return Dataflow(
            self.checked.policy.name, self.checked.card, self.checked.source, self.builder.nodes, self.inputs, self.parameters, cells,
            self.values["action"].nodes, self.values, lets, self.symbols.modes, self.properties, list(self.obligations.values()))

    # leaves

    def _declare_param(self, param: Param) -> None:
        type_ = self.symbols[param.name].type
        low, high = self._bounds(param.range, type_)
        nodes = []
        for position, default in enumerate(self._literals(param.default, type_)):
            name = param.name if type_.size is None else f"{param.name}[{position}]"
            self.parameters.append(Parameter(name, _plain(type_), default, low, high, self._names(type_)))
            nodes.append(self.builder.leaf("parameter", len(self.parameters) - 1, _plain(type_)))
        self.values[param.name] = Value(type_, tuple(nodes))

    def _declare_memory(self, memory: Memory) -> None:
        type_ = self.symbols[memory.name].type
        low, high = self._bounds(memory.range, type_)
        nodes = []
        for position, start in enumerate(self._literals(memory.start, type_)):
            name = memory.name if type_.size is None else f"{memory.name}[{position}]"
            nodes.append(self._cell(name, type_, low, high, start, True, memory.span))
        self.values[memory.name] = Value(type_, tuple(nodes))

    def _cell(self, name: str, type_: Type, low, high, start, declared: bool, span: Span) -> int:
        self.cells.append(dict(name=name, base=_plain(type_), low=low, high=high, start=start, next=-1, names=self._names(type_),
                               declared=declared, span=span))
        return self.builder.leaf("memory", len(self.cells) - 1, _plain(type_))

    def _declare_mode(self) -> None:
        modes = next(self.checked.policy.of(Modes))
        start = next(position for position, mode in enumerate(modes.modes) if mode.is_start)
        self.stored_mode = self._cell("mode", scalar("mode"), 0, len(modes.modes) - 1, start, False, modes.span)
        self.mode_cell = len(self.cells) - 1

    def _bounds(self, range_, type_: Type):
        if type_.base == "bool":
            return 0, 1
        if type_.is_enumeration:
            return 0, len(self._names(type_)) - 1
        convert = float if type_.base == "real" else int
        return convert(range_.low.value), convert(range_.high.value)

    def _names(self, type_: Type) -> tuple[str, ...]:
        return {"action": self.checked.card.action.names or (), "mode": self.symbols.modes}.get(type_.base, ())

    def _literals(self, value, type_: Type) -> list:
        """A literal's components as Python values of the type, a single one repeated for a vector."""
        items = value.items if type(value) is Vector else (value,) * (type_.size or 1)
        return [self._literal(item, type_.base) for item in items]

    def _literal(self, item, base: str):
        if type(item) is Name:
            return self.symbols[item.name].declaration
        return float(item.value) if base == "real" else item.value

    def _observation(self, name: str, component: int) -> int:
        key = (name, component)
        if key not in self.input_nodes:
            item, field = self.symbols.observed[name]
            low, high = field.low[component], field.high[component]
            if item.range is not None:
                low, high = self._bounds(item.range, scalar(field.base))
            default = field.default[component]
            if field.base == "real":
                low, high, default = float(low), float(high), float(default)
            default = min(max(default, low), high)
            shown = name if field.size is None else f"{name}[{component}]"
            self.inputs.append(Input(shown, field.base, low, high, default, field.source, field.index[component]))
            self.input_nodes[key] = self.builder.leaf("input", len(self.inputs) - 1, field.base)
        return self.input_nodes[key]

    # named things

    def _named(self, name: str) -> Value:
        """The value of a definition; its obligations hold without condition, wherever it is used."""
        if name not in self.values:
            self.pending.add(name)
            outer, self.guard = (self.guard, self.site), None
            outer_site, self.site = outer[1], None
            if name == "mode":
                value = Value(scalar("mode"), (self._next_mode(),))
            elif name == "action":
                value = self._action()
            else:
                value = self._lower(self.symbols[name].declaration.expression, None)
            self.values[name] = value
            self.guard, self.site = outer[0], outer_site
            self.pending.discard(name)
            if not self.pending:
                self._feed_postponed()
        return self.values[name]

    def _next_mode(self) -> int:
        """The stored mode's first true transition fires, at most one."""
        build, result = self.builder, self.stored_mode
        modes = next(self.checked.policy.of(Modes)).modes
        for position in reversed(range(len(modes))):
            here = build.apply("equal", (self.stored_mode, build.constant(position, "int")))
            target = self._first(
                [(t.condition, build.constant(self.symbols[t.target].declaration, "int")) for t in modes[position].transitions],
                build.constant(position, "int"), here)
            result = target if position == len(modes) - 1 else build.apply("if", (here, target, result))
        self.cells[self.mode_cell]["next"] = result
        return result

    def _first(self, choices: list, otherwise: int, guard: int | None) -> int:
        """Nodes chosen by the first true condition; each condition is lowered under the ones before being false."""
        outer, self.guard = self.guard, guard
        conditions = []
        for condition, node in choices:
            test = self._scalar(condition)
            conditions.append((test, node))
            self._also(test, False)
        result = otherwise
        for test, node in reversed(conditions):
            result = self.builder.apply("if", (test, node, result))
        self.guard = outer
        return result

    def _action(self) -> Value:
        policy = self.checked.policy
        type_ = self.symbols["action"].type
        top = next(policy.of(Act), None)
        if top is not None:
            nodes = self._decide(top, type_)
        else:
            mode = self._named("mode").nodes[0]
            modes = next(policy.of(Modes)).modes
            nodes = None
            for position in reversed(range(len(modes))):
                here = self.builder.apply("equal", (mode, self.builder.constant(position, "int")))
                self.guard = here
                chosen = self._decide(modes[position].act, type_)
                self.guard = None
                nodes = chosen if nodes is None else tuple(self.builder.apply("if", (here, a, b)) for a, b in zip(chosen, nodes))
        if self.checked.card.action.dtype == "float32" and type_.base == "real":
            nodes = tuple(self._primitive(OPERATORS["float32"], (node,)) for node in nodes)
        return Value(type_, nodes)

    def _decide(self, act: Act, type_: Type) -> tuple[int, ...]:
        outer = self.guard
        decided = []
        for rule in act.rules:
            test = None if rule.condition is None else self._scalar(rule.condition)
            before = self.guard
            if test is not None:
                self._also(test, True)
            decided.append((test, self._widened(self._lower(rule.value, None), type_)))
            self.guard = before
            if test is not None:
                self._also(test, False)
        self.guard = outer
        result = decided[-1][1]
        for test, nodes in reversed(decided[:-1]):
            result = tuple(self.builder.apply("if", (test, a, b)) for a, b in zip(nodes, result))
        return result

    def _memory_next(self, memory: Memory) -> None:
        type_ = self.symbols[memory.name].type
        nodes = self._widened(self._lower(memory.next, None), type_)
        for leaf, node in zip(self.values[memory.name].nodes, nodes):
            cell = self.cells[self.builder.nodes[leaf].value]
            cell["next"] = node
            if type_.base in ("real", "int"):
                bounds = tuple(self.builder.constant(cell[end], type_.base) for end in ("low", "high"))
                claim = self.builder.apply("and", (self.builder.apply("less_equal", (bounds[0], node)), self.builder.apply("less_equal", (node, bounds[1]))))
                self._oblige("memory", f"the next value of `{cell['name']}` stays in its range [{cell['low']}, {cell['high']}]", node, claim, memory.next.span)

    # expressions

    def _scalar(self, expression) -> int:
        return self._lower(expression, None).nodes[0]

    def _widened(self, value: Value, wanted: Type) -> tuple[int, ...]:
        nodes = value.nodes if len(value.nodes) == (wanted.size or 1) else value.nodes * wanted.size
        return tuple(self.builder.widen(node, _plain(wanted)) for node in nodes)

    def _lower(self, node, locals_: Mapping[str, Value] | None) -> Value:
        kind = type(node)
        if kind is Apply:
            return self._apply(node, locals_)
        if kind is Name:
            return self._name(node, locals_)
        if kind is Number:
            base = "int" if type(node.value) is int else "real"
            return Value(scalar(base), (self.builder.constant(node.value, base),))
        return _RULES[kind](self, node, locals_)

    def _boolean(self, node: Boolean, locals_) -> Value:
        return Value(BOOL, (self.builder.constant(node.value, "bool"),))

    def _name(self, node: Name, locals_) -> Value:
        name = node.name
        if locals_ is not None and name in locals_:
            return locals_[name]
        symbol = self.symbols[name]
        if symbol.kind == "observation":
            return Value(symbol.type, tuple(self._observation(name, i) for i in range(symbol.type.size or 1)))
        if symbol.kind in ("action name", "mode name"):
            return Value(symbol.type, (self.builder.constant(symbol.declaration, "int"),))
        return self._named(name)

    def _apply(self, node: Apply, locals_) -> Value:
        operator = OPERATORS[node.operator]
        outer, outer_site = self.guard, self.site
        if locals_ is None:
            self.site = node.span
        operands: list[Value] = []
        for position, operand in enumerate(node.operands):
            for guarded, by, truth in operator.guards:
                if guarded == position:
                    self._also(operands[by].nodes[0], truth) if len(operands[by].nodes) == 1 else None
            operands.append(self._lower(operand, locals_))
            self.guard = outer
            if locals_ is None:
                self.site = node.span
        result = self._operate(operator, operands)
        self.site = outer_site
        return result

    def _also(self, condition: int, truth: bool) -> None:
        """Narrows the guard under which what follows is needed."""
        test = condition if truth else self.builder.apply("not", (condition,))
        self.guard = test if self.guard is None else self.builder.apply("and", (self.guard, test))

    def _operate(self, operator: Operator, operands: list[Value]) -> Value:
        self._require(operator, operands)
        if operator.formula:
            return self._lower(formula_expression(operator, operator.formula), dict(zip(operator.parameters, operands)))
        if operator.fold:
            return self._fold(operator, operands[0])
        size = next((value.type.size for value in operands if value.type.size is not None), None)
        nodes = tuple(
            self._primitive(operator, tuple(value.nodes[i if value.type.size is not None else 0] for value in operands))
            for i in range(size or 1))
        return self._typed(operator, operands, nodes, size)

    def _typed(self, operator: Operator, operands: list[Value], nodes: tuple[int, ...], size: int | None) -> Value:
        base = self.builder.nodes[nodes[0]].base
        if base == "int" and operator.forms[0].result == "any":
            base = operands[-1].type.base if operands[-1].type.is_enumeration else base
        return Value(scalar(base) if size is None else vector(base, size), nodes)

    def _fold(self, operator: Operator, operand: Value) -> Value:
        result = operand.nodes[0]
        for node in operand.nodes[1:]:
            result = self._primitive(OPERATORS[operator.fold], (result, node))
        return Value(scalar(self.builder.nodes[result].base), (result,))

    def _primitive(self, operator: Operator, args: tuple[int, ...]) -> int:
        number = self.builder.apply(operator.name, args)
        node = self.builder.nodes[number]
        if node.op == "constant":
            if node.base == "real" and not abs(node.value) < float("inf"):
                self._oblige("finite", f"the result of `{operator.name}` is a finite float", number, None)
            elif node.base == "int" and abs(node.value) > 2**53:
                self._oblige("integer", f"the result of `{operator.name}` stays within ±2^53", number, None)
        elif node.base == "real" and (node.form.rounds or node.form.z3 is None):
            self._oblige("finite", f"the result of `{operator.name}` is a finite float", number, None)
        elif node.form.result == "int":
            self._oblige("integer", f"the result of `{operator.name}` stays within ±2^53", number, None)
        return number

    def _require(self, operator: Operator, operands: list[Value]) -> None:
        for requirement in operator.requires:
            claim = self._lower(formula_expression(operator, requirement.formula), dict(zip(operator.parameters, operands)))
            for node in claim.nodes:
                self._oblige(requirement.kind, f"`{operator.name}`: {requirement.says}", node, node)

    def _oblige(self, kind: str, says: str, subject: int, claim: int | None, span: Span | None = None) -> None:
        if claim is not None and self.builder.nodes[claim].op == "constant" and self.builder.nodes[claim].value is True:
            return
        key = (kind, subject, self.guard, claim)
        if key not in self.obligations:
            self.obligations[key] = Obligation(kind, says, subject, self.guard, claim, span or self.site or Span(0, 0))

    def _vector(self, node: Vector, locals_) -> Value:
        items = [self._lower(item, locals_) for item in node.items]
        base = "real" if any(item.type.base == "real" for item in items) else items[0].type.base
        nodes = tuple(self.builder.widen(item.nodes[0], base) for item in items)
        return Value(vector(base, len(nodes)), nodes)

    def _index(self, node: Index, locals_) -> Value:
        # An observed vector may be long and used in one place: only the component that is read becomes an input.
        if type(node.index) is Number and type(node.vector) is Name and not (locals_ and node.vector.name in locals_):
            symbol = self.symbols[node.vector.name]
            if symbol.kind == "observation":
                return Value(symbol.type.element, (self._observation(symbol.name, node.index.value),))
        whole = self._lower(node.vector, locals_)
        if type(node.index) is Number:
            return Value(whole.type.element, (whole.nodes[node.index.value],))
        index = self._lower(node.index, locals_).nodes[0]
        build = self.builder
        last = build.constant(len(whole.nodes) - 1, "int")
        claim = build.apply("and", (build.apply("less_equal", (build.constant(0, "int"), index)), build.apply("less_equal", (index, last))))
        outer, self.site = self.site, node.span if locals_ is None else self.site
        self._oblige("index", f"the index lies from 0 to {len(whole.nodes) - 1}", index, claim)
        self.site = outer
        return Value(whole.type.element, (self._select(index, whole.nodes, 0),))

    def _select(self, index: int, nodes: tuple[int, ...], offset: int) -> int:
        """Binary search for a component; an index outside takes the nearest one."""
        if len(nodes) == 1:
            return nodes[0]
        half = len(nodes) // 2
        test = self.builder.apply("less", (index, self.builder.constant(offset + half, "int")))
        return self.builder.apply("if", (test, self._select(index, nodes[:half], offset), self._select(index, nodes[half:], offset + half)))

    def _slice(self, node: Slice, locals_) -> Value:
        whole = self._lower(node.vector, locals_)
        return Value(vector(whole.type.base, node.stop - node.start), whole.nodes[node.start : node.stop])

    def _permute(self, node: Permute, locals_) -> Value:
        whole = self._lower(node.vector, locals_)
        return Value(vector(whole.type.base, len(node.indices)), tuple(whole.nodes[i] for i in node.indices))

    def _previous(self, node: Previous, locals_) -> Value:
        if locals_ is None and self._is_pending(node.expression):
            return self._postponed(node)
        value, starts = self._previous_value(node, locals_)
        nodes = []
        for component, start in zip(value.nodes, starts):
            key = (component, repr(start))
            if key not in self.previous_cells:
                self.previous_cells[key] = self._previous_cell(value.type.element, start, node.span)
                self.cells[-1]["next"] = component
            nodes.append(self.previous_cells[key])
        return Value(value.type, tuple(nodes))

    def _previous_value(self, node: Previous, locals_) -> tuple[Value, list]:
        # The cell is fed at every tick, so what it is fed with is needed without condition.
        outer, self.guard = self.guard, None
        value = self._lower(node.expression, locals_)
        self.guard = outer
        return value, self._literals(node.start, value.type)

    def _previous_cell(self, type_: Type, start, span: Span) -> int:
        self.previous_count += 1
        return self._cell(f"previous_{self.previous_count}", type_, None, None, start, False, span)

    def _is_pending(self, expression) -> bool:
        """Whether this tick's value of the expression needs a definition that is being lowered right now: a cycle that
        is sound because it passes through memory, such as `previous(action, NOOP)` in what decides the action."""
        if not self.pending:
            return False
        seen: set[str] = set()
        stack = [name.name for name in instantaneous_names(expression)]
        while stack:
            name = stack.pop()
            if name in self.pending:
                return True
            if name not in seen:
                seen.add(name)
                stack.extend(used.name for used in self.needs.get(name, ()))
        return False

    def _postponed(self, node: Previous) -> Value:
        """Cells whose feed is lowered once the definitions that wait for them are there."""
        type_ = self.checked.types[id(node.expression)]
        key = (repr(node.expression), repr(node.start))
        if key not in self.postponed:
            starts = self._literals(node.start, type_)
            self.postponed[key] = (node, tuple(self._previous_cell(type_.element, start, node.span) for start in starts))
        return Value(type_, self.postponed[key][1])

    def _feed_postponed(self) -> None:
        waiting, self.postponed = self.postponed, {}
        for node, leaves in waiting.values():
            value, starts = self._previous_value(node, None)
            for leaf, component, start in zip(leaves, value.nodes, starts):
                self.cells[self.builder.nodes[leaf].value]["next"] = component
                self.previous_cells.setdefault((component, repr(start)), leaf)


_RULES = {
    Boolean: _Lowering._boolean, Vector: _Lowering._vector, Index: _Lowering._index, Slice: _Lowering._slice,
    Permute: _Lowering._permute, Previous: _Lowering._previous,
}


def _plain(type_: Type) -> str:
    return "int" if type_.is_enumeration else type_.base
