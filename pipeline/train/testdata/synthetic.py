"""The matrices of pipeline/train/traintest, bit for bit up to the last place of
exp."""

import numpy as np


def units(count, seed):
    """splitmix64 (Steele, Lea and Flood, 2014), the top 53 bits of each."""
    with np.errstate(over="ignore"):
        z = np.arange(1, count + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(seed)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z = z ^ (z >> np.uint64(31))
    return (z >> np.uint64(11)).astype(float) / 2.0**53


def columns(rows, cols, seed):
    """The correlated columns, and a unit for each row's outcome."""
    u = units(rows * (cols + 2), seed).reshape(rows, cols + 2)
    centred = (u[:, : cols + 1] - 0.5) * 3.4641016151377544
    return 0.8 * centred[:, 1:] + 0.6 * centred[:, :1], u[:, cols + 1]


def matrix(rows, cols, seed=1):
    x, u = columns(rows, cols, seed)
    z = np.full(rows, -2.0)
    for j in range(cols):
        z += x[:, j] * ((j + 1) * (1 - 2 * (j % 2)) / cols)
    return np.ascontiguousarray(x), u < 1 / (1 + np.exp(-z))


def curved(rows, cols, seed=1):
    x, u = columns(rows, cols, seed)
    z = -2.0 + 1.5 * x[:, 0] * x[:, 1] + np.abs(x[:, 2]) + 0.5 * x[:, 5]
    z += np.where(x[:, 3] > 0.5, 2 * x[:, 4], 0)
    for j in range(cols):
        if j % 3 == 1:
            x[:, j] = np.floor(4 * x[:, j]) / 4
        elif j % 3 == 2:
            x[x[:, j] > 1.2, j] = np.nan
    return np.ascontiguousarray(x), u < 1 / (1 + np.exp(-z))
