"""The environments that generated programs are for: three real ones, and one made up for what those lack."""

from __future__ import annotations

from dataclasses import replace

from hl_dsl.cards import ActionSpace, Card, Field, Model, load_card

# A continuous action of three components, a vector of truth values, and an int read from the observation.
REACHER = Card(
    environment="Made-Up-Reacher-v0",
    family="made up",
    fields={
        "joint.angle": Field(
            "joint.angle",
            "real",
            3,
            (-3.0, -2.0, -1.0),
            (3.0, 2.0, 1.0),
            (0.0, 0.5, -0.0),
            "observation",
            (0, 1, 2),
            "rad",
            "angles",
        ),
        "contact": Field("contact", "bool", 2, (0, 0), (1, 1), (0, 1), "observation", (3, 4), "", "which feet touch"),
        "level": Field("level", "int", None, (-5,), (40,), (2,), "observation", (5,), "", "a whole number"),
        "height": Field("height", "real", None, (-1e6,), (1e6,), (1.5,), "observation", (6,), "m", "how high"),
        "reward": Field(
            "reward", "real", None, (-10.0,), (10.0,), (0.0,), "reward", (0,), "points", "of the last step"
        ),
        "step": Field("step", "int", None, (0,), (1000,), (0,), "step", (0,), "steps", "steps taken"),
    },
    action=ActionSpace(None, 3, (-1.0, -2.0, -1.0), (1.0, 2.0, 1.0), "float32"),
    max_episode_steps=1000,
    solved=None,
    protocols=("standard",),
    says="Made up for tests.",
)

# The same, as one that can be planned in: all that it shows is foreseen. Nothing here simulates it.
PLANNED = replace(
    REACHER,
    environment="Made-Up-Reacher-v1",
    fields={name: field for name, field in REACHER.fields.items() if name != "reward"},
    model=Model("none.xml", 1, tuple(range(7)), (), None, "made up"),
)

CARDS = (load_card("CartPole-v1"), load_card("Breakout-v5"), load_card("Pendulum-v1"), PLANNED)
