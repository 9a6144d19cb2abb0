"""Functions that generated NumPy source calls.

Each equals its scalar definition (hl_dsl/operators/scalar.py) to the bit, for every operand, and causes no warning of
NumPy. A standalone export prints those that it needs, so each uses only `np`, `math` and `each`.
"""

import math

import numpy as np


def divide(a, b):
    """The quotient a / b, and 0 where b is 0."""
    return np.where(b == 0.0, 0.0, a / np.where(b == 0.0, 1.0, b))


def floor_divide(a, b):
    """The quotient a // b for ints, and 0 where b is 0."""
    by = np.where((b == 0) | (b == -1), 1, b)
    return np.where(b == 0, 0, np.where(b == -1, -a, a // by))


def modulo(a, b):
    """The remainder a % b with the sign of b, and 0 where b is 0; NaN where a is not finite."""
    if np.result_type(a, b).kind != "f":
        return np.where(b == 0, 0, np.mod(a, np.where(b == 0, 1, b)))
    finite = np.isfinite(a)
    remainder = np.mod(np.where(finite, a, 0.0), np.where(b == 0.0, 1.0, b))
    return np.where(b == 0.0, 0.0, np.where(finite, remainder, np.nan))


def minimum(a, b):
    """The minimum: b where it is below a, else a. `np.minimum` differs for signed zeros and NaN."""
    return np.where(b < a, b, a)


def maximum(a, b):
    """The maximum: b where it is above a, else a."""
    return np.where(b > a, b, a)


def floor(x):
    """The int at or below x; 0 where x is not finite."""
    return np.floor(np.where(np.abs(x) < 2.0**63, x, 0.0)).astype(np.int64)


def ceil(x):
    """The int at or above x; 0 where x is not finite."""
    return np.ceil(np.where(np.abs(x) < 2.0**63, x, 0.0)).astype(np.int64)


def round_half_even(x):
    """The int nearest to x, half to even; 0 where x is not finite."""
    return np.rint(np.where(np.abs(x) < 2.0**63, x, 0.0)).astype(np.int64)


def popcount(a):
    """The number of ones in the binary form; 0 where a is negative."""
    return np.where(a < 0, 0, np.bitwise_count(a).astype(np.int64))


def to_real(a):
    """As float64."""
    return np.asarray(a).astype(np.float64)


def to_float32(x):
    """Rounded to binary32 and back; infinite where that overflows."""
    too_large = np.abs(x) >= 3.4028235677973366e38
    return np.where(too_large, np.copysign(np.inf, x), np.where(too_large, 0.0, x).astype(np.float32))


def sqrt(x):
    """The square root, and 0 where x is negative."""
    return np.sqrt(np.where(x >= 0.0, x, 0.0))


def each(function, *operands):
    """A function of numbers on each lane, NaN or infinite where it is not defined.

    The C library's functions, as the definition has them: NumPy's own differ in the last bits.
    """
    operands = np.broadcast_arrays(*operands)
    shape = operands[0].shape
    out = np.empty(operands[0].size)
    for lane, values in enumerate(zip(*(operand.ravel().tolist() for operand in operands))):
        try:
            out[lane] = function(*values)
        except OverflowError:
            out[lane] = np.inf
        except ValueError:
            out[lane] = np.nan
    return out.reshape(shape)


def sin(x):
    """The sine, NaN where x is not finite."""
    return each(math.sin, x)


def cos(x):
    """The cosine, NaN where x is not finite."""
    return each(math.cos, x)


def tanh(x):
    """The hyperbolic tangent."""
    return each(math.tanh, x)


def exp(x):
    """The exponential of x, infinite where that overflows."""
    return each(math.exp, x)


def atan2(y, x):
    """The angle of the point (x, y), in radians."""
    return each(math.atan2, y, x)


NAMES = (
    "divide",
    "floor_divide",
    "modulo",
    "minimum",
    "maximum",
    "floor",
    "ceil",
    "round_half_even",
    "popcount",
    "to_real",
    "to_float32",
    "sqrt",
    "each",
    "sin",
    "cos",
    "tanh",
    "exp",
    "atan2",
)
