"""Codes of all messages. Codes are stable: the code of a removed message is not used for another one."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from importlib.resources import files

from hl_dsl.base.errors import HLError


@dataclass(frozen=True)
class Code:
    """A code. `stage` is the stage that reports it: text, names, types, values, warnings, proof or run."""

    code: str
    title: str
    stage: str


def _stage(stage: str, titles: dict[str, str]) -> dict[str, Code]:
    return {code: Code(code, title, stage) for code, title in titles.items()}


CODES: dict[str, Code] = {
    **_stage(
        "text",
        {
            "HL101": "the file is empty",
            "HL102": "a character that is not part of the language",
            "HL103": "an unexpected token",
            "HL104": "the text ends too early",
            "HL105": "the file is not a text",
            "HL106": "a number that is too large",
            "HL107": "a word of the language used as a name",
            "HL108": "a reserved word",
            "HL109": "a length or index that is not a whole number",
            "HL110": "the text is too long",
            "HL111": "nested too deep",
            "HL112": "comparisons in a chain",
            "HL113": "`and` mixed with `or`",
            "HL114": "`implies` in a chain",
            "HL115": "`previous` without a start value",
            "HL116": "quotes that are not closed",
            "HL117": "the environment without its quotes",
            "HL118": "a number in a form of another language",
            "HL119": "`=` and `==` confused",
            "HL120": "an operator of another language",
            "HL121": "an arrow that is missing or the wrong one",
            "HL122": "`if` without `else`",
            "HL123": "`elif`",
            "HL124": "an assignment",
            "HL125": "`if` without `then`",
            "HL126": "a range in another notation",
            "HL127": "a comma after the last item",
            "HL128": "an unknown declaration",
            "HL129": "no environment is named",
            "HL130": "text after the policy",
            "HL131": "two policies in one file",
            "HL132": "an unmatched bracket",
            "HL133": "a declaration without its name, colon or type",
            "HL134": "a comment of another language",
            "HL135": "two values without an operator",
            "HL136": "an opening brace is missing",
            "HL137": "a statement",
            "HL138": "a declaration that is incomplete",
            "HL139": "an invalid name",
            "HL140": "a calculation instead of a literal",
            "HL141": "parts in the wrong order",
            "HL142": "a separator that is not needed",
            "HL143": "a part outside of its block",
            "HL144": "the last rule is not `otherwise`",
            "HL145": "a value is missing",
            "HL146": "a function is defined",
            "HL147": "a slice without two literal ends",
            "HL148": "a type where none is written",
            "HL149": "the program does not start with `policy`",
            "HL150": "an invalid number of ticks",
            "HL151": "a property over several ticks in another notation",
            "HL152": "a plan in another notation",
        },
    ),
    **_stage(
        "names",
        {
            "HL201": "a name is defined twice",
            "HL202": "a name of the environment is defined again",
            "HL203": "an unknown function",
            "HL204": "an unknown name",
            "HL205": "an observation that is not observed",
            "HL206": "an observation the environment does not have",
            "HL207": "an observation of another length",
            "HL208": "definitions that depend on each other",
            "HL209": "an unknown action",
            "HL210": "no `act` declaration",
            "HL211": "not exactly one start mode",
            "HL212": "an unknown mode",
            "HL213": "a decision list without `otherwise`",
            "HL214": "two `modes` blocks",
            "HL215": "two `act`",
            "HL216": "the action is given twice",
            "HL217": "a value called like a function",
            "HL218": "two plans",
            "HL219": "a plan for an environment that cannot be simulated",
            "HL220": "an unknown setting of a plan",
            "HL221": "a plan that depends on observations its model does not predict",
        },
    ),
    **_stage(
        "types",
        {
            "HL301": "an unknown type",
            "HL302": "a type with a length it cannot have",
            "HL303": "operands that do not fit the operator",
            "HL304": "too few or too many operands",
            "HL306": "vectors of different lengths",
            "HL307": "a vector as a condition",
            "HL308": "a single value where a vector is wanted",
            "HL309": "components that do not go together",
            "HL310": "an index that is not an int",
            "HL311": "a component that does not exist",
            "HL312": "an index into a single value",
            "HL313": "`previous` starts with something else",
            "HL314": "the next value of a memory has another type",
            "HL315": "a default or start that is not a literal",
            "HL316": "a default or start of another type",
            "HL317": "a condition that is not a bool",
            "HL318": "an action of another type",
            "HL319": "a setting of a plan of another type",
            "HL320": "a score of a plan that is not a number",
        },
    ),
    **_stage(
        "values",
        {
            "HL401": "an empty range",
            "HL402": "a range of an int with real ends",
            "HL403": "an int beyond 2^53",
            "HL404": "a range that is not allowed here",
            "HL405": "no range is stated",
            "HL406": "a default or start outside of its range",
            "HL407": "an invalid value of a plan setting",
            "HL408": "a plan wider than the actions",
            "HL409": "a range of another length",
        },
    ),
    **_stage(
        "warnings",
        {
            "HL501": "a definition that is not used",
            "HL502": "a memory that is not used",
            "HL503": "a parameter that is not used",
            "HL504": "an observation that is not used",
            "HL505": "a parameter without effect on the action",
            "HL506": "a plan that is not used",
            "HL507": "a setting of a plan without effect",
        },
    ),
    **_stage(
        "proof",
        {
            "HL510": "a rule that is never reached",
            "HL511": "a condition that is always true",
            "HL512": "a condition that is never true",
            "HL513": "a mode that is never entered",
            "HL514": "a parameter that changes no action",
            "HL515": "assumptions that cannot hold longer",
        },
    ),
    **_stage(
        "run",
        {
            "HL600": "an unknown environment",
            "HL601": "a policy for another environment",
            "HL610": "a file that does not exist",
            "HL611": "a folder instead of a file",
            "HL612": "a file that cannot be read",
            "HL613": "a file that is not UTF-8 text",
            "HL614": "a file that is too large",
        },
    ),
}


def explain_code(code: str) -> str:
    """Returns the page of a code, in Markdown. Raises HLError for an unknown code, with the most similar ones."""
    code = code.strip().upper()
    if code not in CODES:
        near = difflib.get_close_matches(code, CODES, 3)
        raise HLError(
            f"unknown code `{code}`", f"did you mean {' or '.join(near)}?" if near else "codes look like HL204"
        )
    return files("hl_dsl.messages").joinpath("pages", f"{code}.md").read_text(encoding="utf-8")
