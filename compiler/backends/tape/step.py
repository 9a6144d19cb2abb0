"""One step of a policy over a frame of lanes, in the tape interpreter.

This text becomes part of a generated module, where numba compiles it (see source.py). There, `sources` is replaced by
one parameter for each input source, by its name. `evaluate`, `read` and `has_sources` are generated, with one branch
for each compiled form of the operator table or each input source.

All values are float64: ints within ±2^53 and bools (0.0, 1.0) are exact, and never -0.0. Loops run over slices with an
index from 0, and conditions are summed instead of branched on, so that numba can use the processor's vector units.
"""

import math

import numpy as np

BLOCK = 256  # lanes to which an instruction is applied before the next one

# Layout of the int64 array `program`: counts, then the starts of the parts of `state`, then the body.
LANES, INSTRUCTIONS, INPUTS, CELLS, VARIED, PROPERTIES, ACTIONS, REGISTERS, STRIDE = range(9)
(
    BOUNDS_AT,
    START_AT,
    PARAMETERS_AT,
    MEMORY_AT,
    LAST_AT,
    OUT_OF_RANGE_AT,
    VIOLATIONS_AT,
    CHOSEN_AT,
    REGISTERS_AT,
    BODY,
) = range(9, 19)
# An input's row in the body.
SOURCE, COLUMN, BASE, IS_BYTE, REGISTER, ROW = range(6)
REAL, INT, BOOL = range(3)

step = np.zeros(
    0, np.int32
)  # placeholder for the source of this name; in the generated module it is a parameter of `tick`


def evaluate(code, registers, size):
    """Generated: computes the registers of the instructions."""


def has_sources(count, sources, program):
    """Generated: whether every source that is read has a row for each lane, and enough columns."""


def read(entry, values, first, last, sources):
    """Generated: reads the raw values of rows `first` to `last`, and returns whether they are bytes."""


def floor(a):
    """The int at or below a; 0 where a is not finite."""
    return np.floor(a) + 0.0 if abs(a) < math.inf else 0.0


def ceil(a):
    """The int at or above a; 0 where a is not finite."""
    return np.ceil(a) + 0.0 if abs(a) < math.inf else 0.0


def round_half_even(a):
    """The int nearest to a, half to even; 0 where a is not finite."""
    return np.rint(a) + 0.0 if abs(a) < math.inf else 0.0


def floor_divide(a, b):
    """The quotient a // b for ints. The truncated quotient of floats and its remainder are exact within ±2^53."""
    whole = np.trunc(a / b)
    left = a - whole * b
    below = (left != 0.0) & ((left < 0.0) != (b < 0.0))
    return (whole - 1.0 if below else whole + 0.0) if b != 0.0 else 0.0


def modulo_int(a, b):
    """The remainder a % b for ints, with the sign of b; 0 where b is 0."""
    left = a - np.trunc(a / b) * b
    below = (left != 0.0) & ((left < 0.0) != (b < 0.0))
    return (left + b if below else left) if b != 0.0 else 0.0


def modulo_real(a, b):
    """The remainder a % b for reals, with the sign of b; 0 where b is 0, NaN where a is not finite."""
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


def popcount(a):
    """The number of ones in the binary form; 0 where a is negative."""
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


def tick(lanes, sources, program, state):
    """One step of the rows of a frame, row i being lane `lanes[i]`.

    `sources` are the arrays of the table of input sources, in its order. `program` and `state` are laid out by
    program.py. Writes the lanes' memory and counters and the rows' actions into `state`. Returns False, and does
    nothing, if the frame does not fit.
    """
    count = lanes.shape[0]
    if not (has_lanes(lanes, step, program) and has_sources(count, sources, program)):
        return False
    at = program[REGISTERS_AT]
    registers = state[at:].reshape((program[REGISTERS], program[STRIDE]))
    for first in range(0, count, BLOCK):
        last = min(count, first + BLOCK)
        rows = lanes[first:last]
        strays, starting = 0, 0
        for i in range(rows.shape[0]):
            strays += rows[i] != rows[0] + i
            starting += step[first + i] == 0
        lane = -1 if strays else np.int64(rows[0])  # of the first row, where the others follow it in order
        if starting:
            start_episodes(rows, step[first:last], program, state)
        place = BODY
        for k in range(program[INPUTS]):
            entry = program[place : place + ROW]
            values = registers[entry[REGISTER]]
            are_bytes = read(entry, values, first, last, sources)
            if not (entry[IS_BYTE] and are_bytes):  # a byte is in range, and not NaN
                admit(k, entry, values, rows, program, state)
                scatter(values, state, program[LAST_AT] + k * program[LANES], lane, rows)
            place += ROW
        for k in range(program[CELLS]):
            gather(registers[program[place]], state, program[MEMORY_AT] + k * program[LANES], lane, rows)
            place += 1
        for k in range(program[VARIED]):
            gather(registers[program[place]], state, program[PARAMETERS_AT] + k * program[LANES], lane, rows)
            place += 1
        code = place + program[CELLS] + program[PROPERTIES] + program[ACTIONS]
        evaluate(program[code:].reshape((program[INSTRUCTIONS], 5)), registers, last - first)
        for k in range(program[CELLS]):
            scatter(registers[program[place]], state, program[MEMORY_AT] + k * program[LANES], lane, rows)
            place += 1
        for k in range(program[PROPERTIES]):
            count_violations(registers[program[place]], state, program[VIOLATIONS_AT] + k * program[LANES], lane, rows)
            place += 1
        for k in range(program[ACTIONS]):
            values = registers[program[place]]
            chosen = state[
                program[CHOSEN_AT] + first * program[ACTIONS] + k : program[CHOSEN_AT]
                + last * program[ACTIONS] : program[ACTIONS]
            ]
            for i in range(chosen.shape[0]):
                chosen[i] = values[i]
            place += 1
    return True


def has_lanes(lanes, step, program):
    """Whether every lane is one of those that were started."""
    count = lanes.shape[0]
    outside = 0
    for i in range(count):
        outside += (lanes[i] < 0) | (lanes[i] >= program[LANES])
    return not outside and count <= program[LANES] and step.shape[0] == count


def start_episodes(rows, step, program, state):
    """Starts an episode in the lanes whose step is 0."""
    n, inputs = program[LANES], program[INPUTS]
    for i in range(rows.shape[0]):
        if step[i] == 0:
            for k in range(program[CELLS]):
                state[program[MEMORY_AT] + k * n + rows[i]] = state[program[START_AT] + k]
            for k in range(inputs):
                state[program[LAST_AT] + k * n + rows[i]] = state[program[BOUNDS_AT] + 3 * k + 2]


def admit(k, entry, values, rows, program, state):
    """Brings input k into its range and counts values that were not: the rule of input_admission.py."""
    low, high = state[program[BOUNDS_AT] + 3 * k], state[program[BOUNDS_AT] + 3 * k + 1]
    base = entry[BASE]
    size = rows.shape[0]
    within = 0
    for i in range(size):
        within += (values[i] >= low) & (values[i] <= high)
    if within < size:
        for i in range(size):
            raw = values[i]
            was_invalid = raw != raw
            if was_invalid:
                raw = state[program[LAST_AT] + k * program[LANES] + rows[i]]
            elif base != BOOL and not low <= raw <= high:
                was_invalid = True
                raw = low if raw < low else high
            if was_invalid:
                state[program[OUT_OF_RANGE_AT] + rows[i]] += 1.0
            values[i] = raw
    if base == INT:
        for i in range(size):
            values[i] = np.trunc(values[i]) + 0.0
    elif base == BOOL:
        for i in range(size):
            values[i] = 1.0 if values[i] != 0.0 else 0.0


def gather(values, state, at, lane, rows):
    """Reads the rows' values from a part of the state with one value for each lane."""
    if lane >= 0:
        near = state[at + lane : at + lane + rows.shape[0]]
        for i in range(near.shape[0]):
            values[i] = near[i]
    else:
        for i in range(rows.shape[0]):
            values[i] = state[at + rows[i]]


def scatter(values, state, at, lane, rows):
    """Writes the rows' values into a part of the state with one value for each lane."""
    if lane >= 0:
        near = state[at + lane : at + lane + rows.shape[0]]
        for i in range(near.shape[0]):
            near[i] = values[i]
    else:
        for i in range(rows.shape[0]):
            state[at + rows[i]] = values[i]


def count_violations(values, state, at, lane, rows):
    """Counts the rows in which a property, 0.0 or 1.0, does not hold."""
    if lane >= 0:
        near = state[at + lane : at + lane + rows.shape[0]]
        for i in range(near.shape[0]):
            near[i] += 1.0 - values[i]
    else:
        for i in range(rows.shape[0]):
            state[at + rows[i]] += 1.0 - values[i]
