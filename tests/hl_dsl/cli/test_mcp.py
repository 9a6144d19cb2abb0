"""MCP server over stdio: its replies equal the documents of the command line."""

from __future__ import annotations

import dataclasses
import sys

import pytest

from hl_dsl.cli.mcp_server.replies import FinishReply
from hl_dsl.synth.runs.ledger import Ledger
from hl_dsl.synth.runs.run_result import StudyResult
from tests.hl_dsl.cli.conftest import START, assert_refused

OPENED = ["--steps", "2000", "--seeds", "0..1", "--max-steps", "100"]
BETTER = START.replace("observe pole.angle", "observe pole.angle, pole.velocity").replace(
    "pole.angle > 0", "pole.angle + 0.3 * pole.velocity > 0"
)
WRONG = START.replace("pole.angle > 0", "1 / pole.angle > 0")
MISSPELT = START.replace("pole.angle > 0", "pole.angel > 0")
SAME = "# again\n" + START.replace("policy lean", "policy other")
# The calls of a session: tool and arguments.
CALLS = [
    ("status", {}),
    ("check", {"program": MISSPELT}),
    ("check", {"program": BETTER}),
    ("submit", {"program": MISSPELT}),
    ("submit", {"program": WRONG}),
    ("submit", {"program": SAME}),
    ("submit", {"program": BETTER, "change": "looks ahead"}),
    ("inspect", {"trial": 2}),
    ("inspect", {"ticks": 5}),
    ("status", {}),
    ("inspect", {"trial": 99}),
    ("finish", {}),
    ("submit", {"program": BETTER}),
    ("status", {}),
]


def by_client(folder, calls):
    """Returns the reply of each call (document or error text) from a server in a new process, and its tools."""
    anyio = pytest.importorskip("anyio")
    pytest.importorskip("mcp.server.mcpserver")
    from mcp import ClientSession, StdioServerParameters
    from mcp.client.stdio import stdio_client

    command = ["-c", "from hl_dsl.cli.main import main; main()", "mcp", "lean.hl", "--run", "served", *OPENED]

    async def session():
        answers = []
        server = StdioServerParameters(command=sys.executable, args=command, cwd=str(folder))
        async with stdio_client(server) as (read, write), ClientSession(read, write) as client:
            await client.initialize()
            tools = (await client.list_tools()).tools
            for name, arguments in calls:
                reply = await client.call_tool(name, arguments)
                answers.append(reply.content[0].text if reply.is_error else reply.structured_content)
        return answers, tools

    return anyio.run(session)


def by_command(hl, folder, name, arguments):
    """Returns the document of the same call as a command."""
    options = [str(value) for key, value in arguments.items() if key == "trial"]
    options += [
        text
        for key, value in arguments.items()
        if key in ("change", "ticks", "seed")
        for text in (f"--{key}", str(value))
    ]
    if "program" in arguments:
        (folder / "program.hl").write_text(arguments["program"], encoding="utf-8")
    where = {"check": ["program.hl"], "submit": ["program.hl", "--run", "typed"]}.get(name, ["typed"])
    return hl(name, *where, *options, "--json").document


def comparable(document):
    return {key: value for key, value in document.items() if key not in ("run", "wall_seconds")}


def test_replies_of_the_server_equal_the_documents_of_the_commands(hl, folder):
    answers, tools = by_client(folder, CALLS)
    assert sorted(tool.name for tool in tools) == ["check", "finish", "inspect", "status", "submit"]
    assert all(tool.output_schema and tool.description for tool in tools)
    assert hl("open", "lean.hl", "--run", "typed", *OPENED, "--json").document["schema"] == "hl.status/2"
    for (name, arguments), answer in zip(CALLS, answers):
        typed = by_command(hl, folder, name, arguments)
        if isinstance(answer, str):
            assert (
                typed["schema"] == "hl.error/1"
                and typed["error"].replace("typed", "served") in answer
                and "Traceback" not in answer
            )
        else:
            assert answer["schema"] == f"hl.{name}/{1 if name == 'check' else 2}" and comparable(answer) == comparable(
                typed
            ), name
    submitted = [answer for (name, _), answer in zip(CALLS, answers) if name == "submit" and isinstance(answer, dict)]
    assert [reply["gate"] for reply in submitted] == ["check", "prove", "duplicate", "accepted"]
    assert [reply["env_steps"] for reply in submitted] == [0, 0, 0, 200], "no step before the proof"
    assert [type(answer) for answer in answers].count(str) == 2, "the unknown trial, and the program after the end"
    finished = answers[11]
    assert (
        finished["score"] == 100
        and finished["proved"]
        and (folder / "served" / "best.hl").read_text() == finished["program"]
    )
    events = Ledger(folder / "served" / "trials.jsonl").read()
    assert [event["event"] for event in events].count("submission") == 4 and events[-1]["event"] == "stop"
    assert sum(event.get("environment_steps", 0) for event in events) == finished["env_steps"]


def test_missing_library_is_reported_with_the_install_command(hl, folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "mcp.server.mcpserver", None)
    assert_refused(hl("mcp", "lean.hl", "--run", "run"), "pip install", "hl-dsl[mcp]")
    assert not (folder / "run").exists()


def test_missing_run_or_file_is_refused(hl, folder):
    for arguments in (
        ["status", "none"],
        ["inspect", "none"],
        ["finish", "none"],
        ["submit", "lean.hl", "--run", "none"],
    ):
        assert_refused(hl(*arguments), "holds no run", "hl open")
    assert_refused(hl("open", "none.hl", "--run", "run"), "none.hl")
    assert_refused(hl("open", "lean.hl", "--run", "run", "--seeds", "60"), "may not use seed 60")
    assert not (folder / "run").exists()


def test_reply_of_finish_has_the_fields_of_the_study_result():
    result = StudyResult(**{field.name: () for field in dataclasses.fields(StudyResult)})
    assert set(FinishReply.model_fields) - {"schema_"} == set(result.to_json())
