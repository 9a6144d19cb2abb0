"""Parsing by Lark's own tables, with less done for each token.

Lark makes the tables and says what is wrong with a text. A good text is read here: the same shifts and reductions in the
same order, but for chains of rules that hand one value up (an atom that is a whole expression passes eleven of them),
which are followed once and then remembered. Wherever something is out of the ordinary there is no result, and Lark is
to be asked.
"""

from __future__ import annotations

from typing import Any

from lark import Lark
from lark.parse_tree_builder import ExpandSingleChild


class Token:
    """A piece of the text, with what the tree's makers ask of Lark's tokens."""

    __slots__ = ("type", "value", "start_pos", "end_pos")

    def __init__(self, type_: str, value: str, start: int, end: int):
        self.type, self.value, self.start_pos, self.end_pos = type_, value, start, end


class TableParser:
    """Raises AttributeError, LookupError, TypeError or ValueError where Lark is not built as it is known here."""

    def __init__(self, lark: Lark, start: str):
        parser, lexer = lark.parser.parser.parser, lark.parser.lexer
        (self._pattern,) = lexer.scanner._mres
        self._ignored = lexer.ignore_types
        # A word may be matched as a name, and is then looked up among the words that are terminals of their own.
        self._words = {name: {one.pattern.value: one.name for one in callback.scanner.terminals} for name, callback in lexer.callback.items()}
        table, callbacks = parser.parse_table, parser.callbacks
        self._start, self._end = table.start_states[start], table.end_states[start]
        # For each state: the next one where a terminal is shifted or a rule was reduced; else how many values a rule takes,
        # what makes its value of them (None: it is the only one), and its name.
        self._actions: dict[int, dict[str, Any]] = {}
        for state, row in table.states.items():
            actions = self._actions[state] = {}
            for symbol, (_, what) in row.items():
                if type(what) is int:
                    actions[str(symbol)] = what
                else:
                    is_handed_up = len(what.expansion) == 1 and type(callbacks[what]) is ExpandSingleChild
                    actions[str(symbol)] = len(what.expansion), None if is_handed_up else callbacks[what], str(what.origin.name)
        self._chains: dict[tuple[int, int, str], int] = {}

    def parse(self, text: str) -> Any:
        """What the start symbol's maker gives; None where the text does not parse or a maker raises."""
        try:
            return self._parse(text)
        except Exception:
            return None

    def _parse(self, text: str) -> Any:
        actions, chains, ignored, words, match = self._actions, self._chains, self._ignored, self._words, self._pattern.match
        states, values = [self._start], []
        position, end = 0, len(text)
        while True:
            if position < end:
                found = match(text, position)
                if found is None:
                    return None
                kind, start, position = found.lastgroup, position, found.end()
                if kind in ignored:
                    continue
                value = found.group()
                if kind in words:
                    kind = words[kind].get(value, kind)
                token = Token(kind, value, start, position)
            else:
                kind, token = "$END", None
            while True:
                action = actions[states[-1]][kind]
                if type(action) is int:
                    states.append(action)
                    values.append(token)
                    break
                size, make, name = action
                if make is None:
                    key = (states[-2], states[-1], kind)
                    state = chains.get(key)
                    if state is None:
                        state = chains[key] = self._handed_up(*key)
                    states[-1] = state
                    continue
                if size:
                    taken = values[-size:]
                    del states[-size:], values[-size:]
                else:
                    taken = []
                values.append(make(taken))
                states.append(actions[states[-1]][name])
                if token is None and states[-1] == self._end:
                    return values[-1]

    def _handed_up(self, below: int, state: int, kind: str) -> int:
        """The state after all rules that hand the last value up as it is, with this terminal next."""
        while True:
            action = self._actions[state].get(kind)
            if type(action) is not tuple or action[1] is not None:
                return state
            state = self._actions[below][action[2]]
