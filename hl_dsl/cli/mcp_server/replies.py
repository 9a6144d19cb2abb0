"""Replies of the MCP tools: the documents that the command line prints under `--json`."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field


class Document(BaseModel):
    """A document with its schema; the command line prints the same document."""

    model_config = ConfigDict(populate_by_name=True, serialize_by_alias=True, extra="forbid")
    schema_: str = Field(alias="schema")


class Status(Document):
    """Reply of `status`."""

    run: str
    env: str
    protocol: str
    seeds: list[int]
    open: bool
    start_score: float | str | None
    best: dict[str, Any] | None
    trials: int
    gates: dict[str, int]
    cases: list[str]
    budget: dict[str, int | None]
    spent: dict[str, int]
    left: dict[str, int | None]
    lost_steps: int


class CheckReply(Document):
    """Reply of `check`."""

    files: list[dict[str, Any]]


class JudgementReply(Document):
    """Fields that the replies about one trial share."""

    run: str
    trial: int
    gate: str
    accepted: bool
    reason: str
    change: str


class SubmitReply(JudgementReply):
    """Reply of `submit`."""

    program_hash: str
    proof: str
    seeds: list[int]
    returns: list[float | str]
    mean: float | str | None
    cases: dict[str, dict[str, Any]]
    env_steps: int
    best_score: float | str | None
    exit_code: int
    budget: dict[str, int | None]
    spent: dict[str, int]
    left: dict[str, int | None]
    lost_steps: int


class InspectReply(JudgementReply):
    """Reply of `inspect`."""

    parents: list[str]
    program_hash: str
    program: str
    proof: str
    mean: float | str | None
    episodes: list[dict[str, Any]]
    env_steps: int
    assumption_violations: dict[str, int]
    monitor_violations: dict[str, int]
    cases: dict[str, dict[str, Any]]
    trace: dict[str, Any] | None


class FinishReply(Document):
    """Reply of `finish`: the fields of `StudyResult.to_json`, with the types of the output schema."""

    policy: str
    protocol: str
    run: str
    program_hash: str
    score: float | str
    start_score: float | str | None
    seeds: list[int]
    proved: bool
    proof: str
    trials: int
    accepted: int
    stopped_at: dict[str, int]
    env_steps: int
    lost_steps: int
    wall_seconds: float
    stop_reason: str
    calls: dict[str, Any] | None
    program: str
