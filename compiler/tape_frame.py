"""One step of a policy over a frame of lanes, as the tape interpreter does it.

This text becomes part of a generated module and is compiled there by numba (see tape_source.py); it is plain Python
all the same. `evaluate_block` and `evaluate_one` are generated: one branch for each compiled form of the operator table.

All values are float64: ints within ±2^53 and bools (0.0, 1.0) are exact, and never -0.0.
"""

import math

import numpy as np

BLOCK = 64  # lanes that an instruction is applied to before the next one is looked at
FEW = 4  # up to so many lanes are evaluated one by one

# Where things stand in the int64 array `program`.
LANES, INSTRUCTIONS, INPUTS, CELLS, VARIED, PROPERTIES, ACTIONS, REGISTERS, BODY = range(9)
# Columns of an input's row there.
SOURCE, COLUMN, BASE, CHECKED, REMEMBERED = range(5)
RAM, OBSERVATION, REWARD, LIVES, STEP = range(5)
REAL, INT, BOOL = range(3)


def floor(a):
    return np.floor(a) + 0.0 if abs(a) < math.inf else 0.0


def ceil(a):
    return np.ceil(a) + 0.0 if abs(a) < math.inf else 0.0


def round_half_even(a):
    return np.rint(a) + 0.0 if abs(a) < math.inf else 0.0


def popcount(a):
    if not 0.0 <= a < 9e18:
        return 0.0
    bits = int(a)
    bits = bits - ((bits >> 1) & 0x5555555555555555)
    bits = (bits & 0x3333333333333333) + ((bits >> 2) & 0x3333333333333333)
    bits = (bits + (bits >> 4)) & 0x0F0F0F0F0F0F0F0F
    bits = bits + (bits >> 8)
    bits = bits + (bits >> 16)
    bits = bits + (bits >> 32)
    return float(bits & 127)


def modulo_real(a, b):
    if b == 0.0:
        return 0.0
    if not abs(a) < math.inf:
        return math.nan
    # Within one divisor of the range the remainder needs no division, and is the same to the bit.
    if b > 0.0 and a > -b:
        if a < 0.0:
            return a + b
        if a < b:
            return a + 0.0
    return a % b


def read(entry, row, ram, observation, reward, lives, step):
    """A raw value as the environment shows it."""
    source = entry[SOURCE]
    if source == RAM:
        return float(ram[row, entry[COLUMN]])
    if source == OBSERVATION:
        return float(observation[row, entry[COLUMN]])
    if source == REWARD:
        return float(reward[row])
    if source == LIVES:
        return float(lives[row])
    return float(step[row])


def read_block(entry, first, size, values, ram, observation, reward, lives, step):
    """The raw values of rows `first` to `first + size`."""
    source = entry[SOURCE]
    column = entry[COLUMN]
    if source == RAM:
        for i in range(size):
            values[i] = float(ram[first + i, column])
    elif source == OBSERVATION:
        for i in range(size):
            values[i] = float(observation[first + i, column])
    elif source == REWARD:
        for i in range(size):
            values[i] = float(reward[first + i])
    elif source == LIVES:
        for i in range(size):
            values[i] = float(lives[first + i])
    else:
        for i in range(size):
            values[i] = float(step[first + i])


def is_plain(base, low, high, raw):
    """Whether the raw value passes the boundary as it is."""
    if base == BOOL:
        return raw == 0.0 or raw == 1.0
    return low <= raw <= high and (base == REAL or raw == np.floor(raw))


def admit(base, low, high, last, raw):
    """The admitted value and whether the raw one had to be mended: the rule of boundary.py."""
    if raw != raw:
        return last, True
    if base == BOOL:
        return (1.0 if raw != 0.0 else 0.0), False
    if raw < low:
        return low, True
    if raw > high:
        return high, True
    return (float(np.trunc(raw)) + 0.0 if base == INT else raw), False


def tick(lanes, ram, observation, reward, lives, step, program, state, actions):
    """One step of the rows of a frame, row i being lane `lanes[i]`.

    `program` and `state` are laid out by tape.py. Writes the lanes' memory and counters in `state`, and `actions`,
    (rows,) or (rows, size). False, with nothing done, where the frame does not fit.
    """
    count = lanes.shape[0]
    n = program[LANES]
    inputs, cells, varied, properties = program[INPUTS], program[CELLS], program[VARIED], program[PROPERTIES]
    action_size = program[ACTIONS]
    registers = program[REGISTERS]

    place = BODY
    entries = program[place : place + 5 * inputs].reshape((inputs, 5))
    place += 5 * inputs
    input_register = program[place : place + inputs]
    place += inputs
    cell_register = program[place : place + cells]
    place += cells
    next_register = program[place : place + cells]
    place += cells
    varied_register = program[place : place + varied]
    place += varied
    property_register = program[place : place + properties]
    place += properties
    action_register = program[place : place + action_size]
    place += action_size
    code = program[place : place + 5 * program[INSTRUCTIONS]].reshape((program[INSTRUCTIONS], 5))

    place = 0
    low = state[place : place + inputs]
    place += inputs
    high = state[place : place + inputs]
    place += inputs
    default = state[place : place + inputs]
    place += inputs
    start = state[place : place + cells]
    place += cells
    parameters = state[place : place + varied * n]
    place += varied * n
    memory = state[place : place + cells * n]
    place += cells * n
    last = state[place : place + inputs * n]
    place += inputs * n
    mended = state[place : place + n]
    place += n
    violations = state[place : place + properties * n]
    place += properties * n
    one = state[place : place + registers]
    place += registers
    block = state[place : place + registers * BLOCK].reshape((registers, BLOCK))

    if not fits(lanes, n, entries, ram, observation, reward, lives, step):
        return False
    written = actions.reshape((count * action_size,))

    if count <= FEW:
        for row in range(count):
            lane = lanes[row]
            if step[row] == 0:
                begin(lane, n, start, default, memory, last)
            for k in range(inputs):
                raw = read(entries[k], row, ram, observation, reward, lives, step)
                if entries[k, CHECKED] and not is_plain(entries[k, BASE], low[k], high[k], raw):
                    raw, bad = admit(entries[k, BASE], low[k], high[k], last[k * n + lane], raw)
                    if bad:
                        mended[lane] += 1.0
                if entries[k, REMEMBERED]:
                    last[k * n + lane] = raw
                one[input_register[k]] = raw
            for k in range(cells):
                one[cell_register[k]] = memory[k * n + lane]
            for k in range(varied):
                one[varied_register[k]] = parameters[k * n + lane]
            evaluate_one(code, one)  # noqa: F821
            for k in range(cells):
                memory[k * n + lane] = one[next_register[k]]
            for k in range(properties):
                violations[k * n + lane] += 1.0 - one[property_register[k]]
            for k in range(action_size):
                written[row * action_size + k] = one[action_register[k]]
        return True

    for first in range(0, count, BLOCK):
        size = min(BLOCK, count - first)
        base = np.int64(lanes[first])
        in_order = True
        starting = False
        for i in range(size):
            in_order &= lanes[first + i] == base + i
            starting |= step[first + i] == 0
        if starting:
            for i in range(size):
                if step[first + i] == 0:
                    begin(lanes[first + i], n, start, default, memory, last)
        for k in range(inputs):
            values = block[input_register[k]]
            read_block(entries[k], first, size, values, ram, observation, reward, lives, step)
            if entries[k, CHECKED]:
                plain = True
                for i in range(size):
                    plain &= is_plain(entries[k, BASE], low[k], high[k], values[i])
                if not plain:
                    for i in range(size):
                        lane = lanes[first + i]
                        values[i], bad = admit(entries[k, BASE], low[k], high[k], last[k * n + lane], values[i])
                        if bad:
                            mended[lane] += 1.0
            if entries[k, REMEMBERED]:
                scatter(values, last, k * n, base, in_order, lanes, first, size)
        for k in range(cells):
            gather(block[cell_register[k]], memory, k * n, base, in_order, lanes, first, size)
        for k in range(varied):
            gather(block[varied_register[k]], parameters, k * n, base, in_order, lanes, first, size)
        evaluate_block(code, block, size)  # noqa: F821
        for k in range(cells):
            scatter(block[next_register[k]], memory, k * n, base, in_order, lanes, first, size)
        for k in range(properties):
            values = block[property_register[k]]
            for i in range(size):
                violations[k * n + lanes[first + i]] += 1.0 - values[i]
        for k in range(action_size):
            values = block[action_register[k]]
            for i in range(size):
                written[(first + i) * action_size + k] = values[i]
    return True


def fits(lanes, n, entries, ram, observation, reward, lives, step):
    """Whether every lane is one of the n begun, and everything to be read is there."""
    count = lanes.shape[0]
    for row in range(count):
        if not 0 <= lanes[row] < n:
            return False
    if reward.shape[0] != count or step.shape[0] != count:
        return False
    for k in range(entries.shape[0]):
        source, column = entries[k, SOURCE], entries[k, COLUMN]
        if source == RAM and (ram.shape[0] != count or ram.shape[1] <= column):
            return False
        if source == OBSERVATION and (observation.shape[0] != count or observation.shape[1] <= column):
            return False
        if source == LIVES and lives.shape[0] != count:
            return False
    return True


def begin(lane, n, start, default, memory, last):
    """An episode begins in a lane."""
    for k in range(start.shape[0]):
        memory[k * n + lane] = start[k]
    for k in range(default.shape[0]):
        last[k * n + lane] = default[k]


def gather(values, table, offset, base, in_order, lanes, first, size):
    if in_order:
        near = table[offset + base : offset + base + size]
        for i in range(size):
            values[i] = near[i]
    else:
        for i in range(size):
            values[i] = table[offset + lanes[first + i]]


def scatter(values, table, offset, base, in_order, lanes, first, size):
    if in_order:
        near = table[offset + base : offset + base + size]
        for i in range(size):
            near[i] = values[i]
    else:
        for i in range(size):
            table[offset + lanes[first + i]] = values[i]
