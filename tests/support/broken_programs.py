"""Programs with mistakes, and the diagnostics of any text."""

from __future__ import annotations

from hl_dsl.base.diagnostics import ProgramError
from hl_dsl.base.source import SourceText
from hl_dsl.messages.codes import CODES
from hl_dsl.program import Program
from tests.support.generators.syntax_trees import TOKEN
from tests.support.paths import DIAGNOSTICS

MALFORMED = sorted(DIAGNOSTICS.glob("*.hl"))


SEVERAL_MISTAKES = {"several_at_once"}


GOOD = """# Keeps the pole up.
policy balance for "CartPole-v1" {
  observe pole.angle, pole.velocity, step
  param gain: real = 3 in [0, 8]  # how hard
  let tilt = gain * pole.angle + (if step > 10 then pole.velocity else 0)
  memory last: real in [-100, 100] = 0 { next = clamp(tilt, -100, 100) }
  memory calm: bool = false { next = abs(tilt) < 0.1 and not (last > 1) }
  modes {
    start first {
      act { when tilt > 0 => RIGHT  otherwise => LEFT }
      when step > 5 and calm -> second
    }
    second { act if previous(tilt, 0) > 0 then RIGHT else LEFT }
  }
  invariant bounded: last in [-100, 100]
  monitor small: all([tilt, last][0:1] < [50, 60][[1]])
}
"""


WORDS = sorted(
    {
        *TOKEN.findall(GOOD),
        *[
            "plan",
            "see",
            "of",
            "elif",
            "&&",
            "||",
            "=",
            ":=",
            "..",
            "1.",
            ".5",
            "0x1",
            "é",
            "“",
            ";",
            ":",
            "?",
            "%",
            "**",
            "//",
            "/*",
            "*/",
            "#",
            "'",
            "\\",
            "1e999",
            "\x00",
        ],
        "\n",
        '"',
    }
)


def errors(text: str, name: str = "<text>") -> ProgramError | None:
    try:
        Program.from_source(SourceText(text, name))
    except ProgramError as error:
        return error
    return None


def codes(text: str) -> list[str]:
    error = errors(text)
    return [] if error is None else [item.code for item in error.diagnostics]


def survives(text: str) -> ProgramError | None:
    """Parses and checks a text. Only a ProgramError may be raised, which can be shown as text and as JSON."""
    source = SourceText(text)
    try:
        Program.from_source(source)
    except ProgramError as error:
        assert error.message and error.diagnostics
        for item in error.diagnostics:
            assert item.code in CODES
            assert 0 <= item.span.start <= item.span.end <= len(text)
            item.to_json(source)
        return error
    return None
