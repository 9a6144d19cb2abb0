"""Cost of a policy: the compiled tape against handwritten numba, and the NumPy form against handwritten NumPy.

    python -m benchmarks.policy_cost [--json]

All run one Breakout controller (controller.hl; handwritten in controller_by_hand.py) on the same frames. The Python
call is included. The policies do more than the handwritten controllers: they clamp observations to their ranges,
count the values outside, and support lanes that end early. The result is the median ratio of CPU time over alternated
pairs. The last rows run many lanes with different parameter values, as tuning does.
"""

import argparse
import json
import statistics
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.controller_by_hand import NumbaController, NumpyController
from hl_dsl.compiler.backends.frame import Frame
from hl_dsl.program import Program

HERE = Path(__file__).parent

PAIRS = 41
SECONDS = 0.02  # CPU time of each side of a pair
TARGETS = {("tape", 1): 4.0, ("tape", 256): 1.5, ("numpy", 256): 1.3, ("numpy", 4096): 1.3}


def frames(lanes: int, ticks: int = 64) -> list[Frame]:
    """Returns synthetic frames of play: in each lane a ball crosses the field, is sometimes lost, and scores."""
    draw = np.random.default_rng(1)
    x, y = draw.uniform(55, 201, lanes), draw.uniform(20, 177, lanes)
    drift, fall = draw.choice([-2, -1.5, -1, 1, 1.5, 2], lanes), draw.choice([-2, -1.5, -1, 1, 1.5, 2], lanes)
    rest = draw.integers(0, 256, (lanes, 128)).astype(np.uint8)
    lost = draw.integers(0, 20, lanes)  # ticks until the next serve
    out = []
    for tick in range(ticks):
        x, y = x + drift, y + fall
        drift, fall = np.where((x < 57) | (x > 199), -drift, drift), np.where((y < 22) | (y > 177), -fall, fall)
        ram = rest.copy()
        ram[:, 99], ram[:, 100], ram[:, 101], ram[:, 102] = x, x % 1 * 256, np.where(lost > 0, 0, y), y % 1 * 256
        ram[:, 103], ram[:, 104] = np.floor(fall).astype(np.int8).view(np.uint8), fall % 1 * 256
        ram[:, 105], ram[:, 106] = np.floor(-drift).astype(np.int8).view(np.uint8), -drift % 1 * 256
        ram[:, 108] = np.where(rest[:, 0] < 128, 6, 8)
        lost = np.where(lost > 0, lost - 1, 30 * (draw.random(lanes) < 0.005))
        step = np.where((draw.random(lanes) < 0.0005) | (tick == 0), 0, tick + 1).astype(np.int32)
        reward = (draw.random(lanes) < 0.03).astype(np.float32)
        none = np.zeros(lanes, bool)
        out.append(
            Frame(
                np.arange(lanes, dtype=np.int32),
                {"ram": ram, "reward": reward, "lives": np.full(lanes, 5, np.int32), "step": step},
                none,
                none,
                False,
            )
        )
    return out


def same_actions(ours: Any, theirs: Any, lanes: int) -> None:
    """Asserts that two controllers choose the same actions."""
    ours.reset(lanes), theirs.reset(lanes)
    for frame in frames(lanes):
        assert np.array_equal(ours.tick(frame), theirs.tick(frame)), "the controllers differ"


def cost(controller: Any, ticks: list[Frame], repeats: int) -> float:
    """Returns CPU microseconds per lane and tick."""
    tick = controller.tick
    start = time.process_time()
    for _ in range(repeats):
        for frame in ticks:
            tick(frame)
    return (time.process_time() - start) * 1e6 / (repeats * len(ticks) * len(ticks[0].lanes))


def compare(ours: Any, theirs: Any, lanes: int) -> tuple[float, float, float]:
    """Returns the microseconds per lane of both controllers, and the median ratio."""
    same_actions(ours, theirs, lanes)
    ticks = frames(lanes)
    repeats = max(1, round(SECONDS * 1e6 / (cost(theirs, ticks, 2) * lanes * len(ticks) + 1)))
    pairs = [(cost(ours, ticks, repeats), cost(theirs, ticks, repeats)) for _ in range(PAIRS)]
    mine, other = zip(*pairs)
    return statistics.median(mine), statistics.median(other), statistics.median(a / b for a, b in pairs)


def main() -> None:
    """Runs the benchmark and prints the result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    program = Program.load(HERE / "controller.hl")
    rows: list[dict[str, Any]] = []
    by_hand: tuple[tuple[str, Any], ...] = (("tape", NumbaController()), ("numpy", NumpyController()))
    for backend, theirs in by_hand:
        for lanes in (1, 16, 256, 4096):
            ours = program.compile(backend=backend)
            mine, other, ratio = compare(ours, theirs, lanes)
            rows.append(
                {
                    "backend": backend,
                    "lanes": lanes,
                    "ours_us": mine,
                    "by_hand_us": other,
                    "ratio": ratio,
                    "target": TARGETS.get((backend, lanes)),
                }
            )
    for lanes in (16, 256):
        ours = program.compile(parameters={"deadband": np.full(lanes, 3.0), "lead": np.full(lanes, 1.0)})
        mine, other, ratio = compare(ours, NumbaController(), lanes)
        rows.append(
            {
                "backend": "tape, per-lane parameters",
                "lanes": lanes,
                "ours_us": mine,
                "by_hand_us": other,
                "ratio": ratio,
                "target": None,
            }
        )
    if arguments.json:
        print(json.dumps({"schema": "hl.benchmark.policy_cost/1", "rows": rows}))
        return
    print(f"{'':28}{'lanes':>6}{'us per lane':>14}{'by hand':>10}{'ratio':>8}{'target':>8}")
    for row in rows:
        target = "" if row["target"] is None else f"{row['target']:.1f}"
        print(
            f"{row['backend']:28}{row['lanes']:>6}{row['ours_us']:>14.3f}{row['by_hand_us']:>10.3f}{row['ratio']:>8.2f}{target:>8}"
        )


if __name__ == "__main__":
    main()
