"""What `hl synth` can be told about whoever proposes programs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hl_dsl.base.errors import HLError

if TYPE_CHECKING:
    from hl_dsl.synth.proposers.text.options import ProposerOptions

ModelOption = Annotated[
    str | None,
    typer.Option("--model", help="The model to ask (openai); an agent is told it too.", show_default=False),
]
BaseUrl = Annotated[
    str | None,
    typer.Option("--base-url", help="Its server. [default: OPENAI_BASE_URL, else OpenAI's]", show_default=False),
]
MaxOutputTokens = Annotated[int, typer.Option("--max-output-tokens", min=16, help="Of each call.")]
Attempts = Annotated[
    int, typer.Option("--attempts", min=1, max=100, help="At one text, with growing waits between them.")
]
Repairs = Annotated[
    int, typer.Option("--repairs", min=0, max=20, help="How often a refused text goes back to be mended.")
]
CallTimeout = Annotated[
    float, typer.Option("--timeout", min=1, help="Seconds for each call, or for each run of an agent.")
]
PricesFile = Annotated[
    Path | None, typer.Option("--prices", help="A TOML file with the prices of models.", show_default=False)
]
PriceInput = Annotated[
    float | None,
    typer.Option("--price-input", min=0, help="Money for a million tokens of input.", show_default=False),
]
PriceOutput = Annotated[
    float | None,
    typer.Option("--price-output", min=0, help="Money for a million tokens of output.", show_default=False),
]
Command = Annotated[
    str | None,
    typer.Option(
        "--command", help="The agent's command line; it edits policy.hl in the folder it is run in.", show_default=False
    ),
]
ProfileOption = Annotated[
    str | None, typer.Option("--profile", help="A ready command line: codex or claude.", show_default=False)
]
Sandbox = Annotated[
    bool,
    typer.Option(
        "--sandbox/--no-sandbox", help="Prevent the agent from writing outside its folder, if the kernel supports it."
    ),
]
Fence = Annotated[bool, typer.Option("--fence/--no-fence", hidden=True, help="Old name of --sandbox.")]
Images = Annotated[
    bool,
    typer.Option(
        "--images/--no-images",
        help="Show frames of the worst episode to a model or an agent, where there are some; a server that refuses them is asked without.",
    ),
]
Replay = Annotated[
    Path | None, typer.Option("--replay", metavar="RUN", help="The run to play back (replay).", show_default=False)
]
Tokens = Annotated[int | None, typer.Option("--tokens", min=1, help="Budget of a model's tokens.", show_default=False)]
Cost = Annotated[
    float | None,
    typer.Option("--cost", min=0, help="Budget of money, in the currency of the prices.", show_default=False),
]
ProgramsOption = Annotated[
    int | None, typer.Option("--programs", min=1, help="Budget of programs.", show_default=False)
]

_OF = {"command": ("command", "profile"), "openai": ("base_url", "prices", "price_input"), "replay": ("replay",)}


def refuse_unused(proposer: str, given: dict[str, object]) -> None:
    """Raises HLError for an option of a proposer that is not asked, which would otherwise do nothing."""
    asked = {name.strip() for name in proposer.split(",")}
    for name, options in _OF.items():
        for option in options:
            if given[option] is not None and name not in asked:
                raise HLError(
                    f"--{option.replace('_', '-')} is for the proposer `{name}`, which is not asked",
                    f"ask it: --proposer {name}",
                )
    if given["model"] is not None and not asked & {"openai", "command"}:
        raise HLError(
            "--model is for the proposers `openai` and `command`, which are not asked", "ask one: --proposer openai"
        )


def proposer_options(
    *,
    prices: Path | None,
    price_input: float | None,
    price_output: float | None,
    attempts: int,
    model: str | None,
    **more,
) -> ProposerOptions:
    """The options as the study takes them. Raises HLError."""
    from hl_dsl.synth.proposers.text.options import ProposerOptions
    from hl_dsl.synth.proposers.text.prices import Prices, read_prices
    from hl_dsl.synth.proposers.text.retries import RetryPolicy

    if (price_input is None) != (price_output is None):
        raise HLError(
            "a call has input and output, and only one of them has a price",
            "give both --price-input and --price-output",
        )
    if prices is not None and price_input is not None:
        raise HLError(
            "prices come from a file and from the command line", "give --prices, or --price-input and --price-output"
        )
    found = Prices(price_input, price_output) if prices is None or model is None else read_prices(prices, model)
    return ProposerOptions(prices=found, retry_policy=RetryPolicy(attempts), model=model, **more)
