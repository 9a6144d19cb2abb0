"""Options of `hl synth` for its proposers and their budgets."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hl_dsl.base.errors import HLError
from hl_dsl.cli.options.study import ProgramsOption

if TYPE_CHECKING:
    from hl_dsl.synth.proposers.text.options import ProposerOptions
    from hl_dsl.synth.proposers.text.prices import Prices

# Options that only one proposer reads.
_OWNERS = {"command": ("command", "profile"), "openai": ("base_url", "prices", "price_input"), "replay": ("replay",)}


@dataclass(frozen=True)
class ProposerBudget:
    """Budgets of programs and of calls of a language model."""

    programs: ProgramsOption = None
    tokens: Annotated[
        int | None, typer.Option("--tokens", min=1, help="Budget of a language model's tokens.", show_default=False)
    ] = None
    cost: Annotated[
        float | None,
        typer.Option("--cost", min=0, help="Budget of money, in the currency of the prices.", show_default=False),
    ] = None


@dataclass(frozen=True)
class ProposerGroup:
    """Options of the proposers `openai`, `command` and `replay`."""

    repairs: Annotated[
        int,
        typer.Option("--repairs", min=0, max=20, help="How often a rejected text is returned to the model for repair."),
    ] = 2
    attempts: Annotated[
        int, typer.Option("--attempts", min=1, max=100, help="Attempts at one text, with growing waits between them.")
    ] = 5
    timeout: Annotated[
        float, typer.Option("--timeout", min=1, help="Seconds for each call, or for each run of an agent.")
    ] = 600.0
    replay: Annotated[
        Path | None, typer.Option("--replay", metavar="RUN", help="The run to replay (replay).", show_default=False)
    ] = None
    model: Annotated[
        str | None,
        typer.Option("--model", help="The language model (openai); an agent gets its name.", show_default=False),
    ] = None
    base_url: Annotated[
        str | None,
        typer.Option("--base-url", help="Its server. [default: OPENAI_BASE_URL, else OpenAI's]", show_default=False),
    ] = None
    max_output_tokens: Annotated[
        int, typer.Option("--max-output-tokens", min=16, help="Limit of output tokens of each call.")
    ] = 8_192
    prices: Annotated[
        Path | None, typer.Option("--prices", help="A TOML file with the prices of models.", show_default=False)
    ] = None
    price_input: Annotated[
        float | None,
        typer.Option("--price-input", min=0, help="Price of a million input tokens.", show_default=False),
    ] = None
    price_output: Annotated[
        float | None,
        typer.Option("--price-output", min=0, help="Price of a million output tokens.", show_default=False),
    ] = None
    command: Annotated[
        str | None,
        typer.Option(
            "--command", help="The agent's command line; it edits policy.hl in its working folder.", show_default=False
        ),
    ] = None
    profile: Annotated[
        str | None, typer.Option("--profile", help="A predefined command line: codex or claude.", show_default=False)
    ] = None
    sandbox: Annotated[
        bool,
        typer.Option(
            "--sandbox/--no-sandbox",
            help="Prevent the agent from writing outside its folder, if the kernel supports it.",
        ),
    ] = True
    fence: Annotated[bool, typer.Option("--fence/--no-fence", hidden=True, help="Old name of --sandbox.")] = True
    images: Annotated[
        bool,
        typer.Option(
            "--images/--no-images",
            help="Add frames of the worst episode to the prompt, if it renders and the server accepts them.",
        ),
    ] = True

    def options(self, proposer: str) -> ProposerOptions:
        """Returns the options for the proposers that `proposer` names.

        Raises:
            HLError: An option is for a proposer that is not used, or the prices are incomplete or given twice.
        """
        from hl_dsl.synth.proposers.text.options import ProposerOptions
        from hl_dsl.synth.proposers.text.retries import RetryPolicy

        self._check_owners({name.strip() for name in proposer.split(",")})
        return ProposerOptions(
            repairs=self.repairs,
            images=self.images,
            model=self.model,
            base_url=self.base_url,
            max_output_tokens=self.max_output_tokens,
            timeout=self.timeout,
            retry_policy=RetryPolicy(self.attempts),
            prices=self._prices(),
            command=self.command,
            profile=self.profile,
            sandbox=self.sandbox and self.fence,
            replayed=self.replay,
        )

    def _check_owners(self, used: set[str]) -> None:
        """Raises HLError for an option that would have no effect."""
        for owner, names in _OWNERS.items():
            for name in names:
                if getattr(self, name) is not None and owner not in used:
                    raise HLError(
                        f"--{name.replace('_', '-')} is for the proposer `{owner}`, which is not used",
                        f"add it: --proposer {owner}",
                    )
        if self.model is not None and not used & {"openai", "command"}:
            raise HLError(
                "--model is for the proposers `openai` and `command`, which are not used",
                "add one: --proposer openai",
            )

    def _prices(self) -> Prices:
        from hl_dsl.synth.proposers.text.prices import Prices, read_prices

        if (self.price_input is None) != (self.price_output is None):
            raise HLError(
                "only one of the prices of input and output is given", "give both --price-input and --price-output"
            )
        if self.prices is not None and self.price_input is not None:
            raise HLError(
                "prices come from a file and from the command line",
                "give --prices, or --price-input and --price-output",
            )
        if self.prices is None or self.model is None:
            return Prices(self.price_input, self.price_output)
        return read_prices(self.prices, self.model)
