"""Plain Python version of policies/breakout/ram.hl, the subject of random edits.

`act(ram, reward, memory)` returns the action for one frame. `memory` is a dict that is kept during the episode. The
actions equal those of ram.hl (checked by `tests/benchmarks/test_edits.py`).
"""

CONTROLLER = """
NOOP, FIRE, RIGHT, LEFT = 0, 1, 2, 3


def signed(whole, part):
    if whole >= 128:
        whole = whole - 256
    return whole + part / 256


def reflected(x, width):
    walls = 0
    while x < 0 or x >= width:
        if x < 0:
            x = x + width
            walls = walls - 1
        else:
            x = x - width
            walls = walls + 1
    if walls % 2 == 1:
        x = width - x
    return x, walls


def act(ram, reward, memory):
    ball_x = ram[99] + ram[100] / 256
    ball_y = ram[101] + ram[102] / 256
    fall = signed(ram[103], ram[104])
    drift = -signed(ram[105], ram[106])
    in_play = ram[101] != 0
    command = 234 - ram[70]
    wide = ram[108] >= 8

    ticks = 0
    if fall >= 0.25:
        ticks = min(max((177 - ball_y) / fall, 0), 256)
    odd = 1 - ram[99] % 2
    left_wall = 55 + odd
    width = 146 - 2 * odd
    along, walls_met = reflected(ball_x + drift * ticks - left_wall, width)
    landing = left_wall + along
    if walls_met % 2 == 0:
        rightward = drift > 0
    else:
        rightward = drift <= 0

    if rightward:
        offset = 13 if wide else 10
    else:
        offset = 5 if wide else 4
    target = min(max(landing - offset, 55), 191)

    score = memory.get("score", 0)
    dry = memory.get("dry", 0)
    memory["score"] = min(max(score + reward, 0), 1000)
    if reward > 0 or not in_play:
        memory["dry"] = 0
    else:
        memory["dry"] = min(dry + 1, 5001)
    give_up = score >= 864 or dry > 5000

    if not in_play:
        return FIRE
    if give_up:
        return NOOP
    if command < target - 3:
        return RIGHT
    if command > target + 3:
        return LEFT
    return NOOP
"""
