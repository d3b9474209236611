"""Series from formulas in NumPy. Each function is self-contained, because exported Keras programs include its source.

Every function returns `rows` steps (rows, columns) float64, drawn with the generator `rng`, without measurement noise.
"""

from __future__ import annotations

import numpy as np


def sine(rows: int, rng: np.random.Generator) -> np.ndarray:
    """One sine of period 25 with a random phase."""
    return np.sin(2 * np.pi * (np.arange(rows) / 25 + rng.random()))[:, None]


def sines(rows: int, rng: np.random.Generator) -> np.ndarray:
    """Three sines of incommensurable periods with random phases; an exact linear recurrence of order 6."""
    steps = np.arange(rows)
    waves = [
        size * np.sin(2 * np.pi * (steps / period + rng.random()))
        for size, period in ((1, 37), (0.7, 37 / np.sqrt(5)), (0.4, 7 * np.pi))
    ]
    return np.sum(waves, 0)[:, None]


def square(rows: int, rng: np.random.Generator) -> np.ndarray:
    """1 for 15 steps, -1 for 15: to forecast the jump, a network must count."""
    return np.where((np.arange(rows) + rng.integers(30)) % 30 < 15, 1.0, -1.0)[:, None]


def sawtooth(rows: int, rng: np.random.Generator) -> np.ndarray:
    """Rises for 25 steps, then falls in one."""
    return ((np.arange(rows) + rng.integers(25)) % 25 / 12.0 - 1.0)[:, None]


def damped(rows: int, rng: np.random.Generator) -> np.ndarray:
    """A damped oscillation of period 20, restarted every 100 steps with a random amplitude."""
    since = (np.arange(rows) + rng.integers(100)) % 100
    pluck = np.cumsum(since == 0)
    force = rng.uniform(0.5, 1.5, pluck[-1] + 1)[pluck]
    return (force * np.exp(-since / 30) * np.sin(2 * np.pi * since / 20))[:, None]


def chirp(rows: int, rng: np.random.Generator) -> np.ndarray:
    """A frequency-modulated sine: its period swings between 15 and 45 steps, once in 300 steps."""
    steps = np.arange(rows) + rng.integers(300)
    frequency = (1 / 15 + 1 / 45) / 2 + (1 / 15 - 1 / 45) / 2 * np.sin(2 * np.pi * steps / 300)
    return np.sin(2 * np.pi * np.cumsum(frequency))[:, None]


def ar(rows: int, rng: np.random.Generator) -> np.ndarray:
    """AR(3) x_t = 1.6 x_{t-1} - 0.9 x_{t-2} + 0.1 x_{t-3} + e_t, e_t ~ N(0, 1): no forecast has an error below e_t."""
    shocks = rng.standard_normal(rows + 500)
    values = np.zeros(rows + 500)
    for t in range(3, rows + 500):
        values[t] = 1.6 * values[t - 1] - 0.9 * values[t - 2] + 0.1 * values[t - 3] + shocks[t]
    return values[500:, None]


def random_walk(rows: int, rng: np.random.Generator) -> np.ndarray:
    """The sum of independent normal steps: the last value is the best forecast."""
    return np.cumsum(rng.standard_normal(rows))[:, None]


def mackey_glass(rows: int, rng: np.random.Generator) -> np.ndarray:
    """dx/dt = 0.2 x(t-17) / (1 + x(t-17)^10) - 0.1 x, by RK4 with dt = 0.1, a sample each time unit (Mackey & Glass 1977).

    Before the start x is constant, 1.2 plus at most 0.05 at random; the first 300 time units are left out.
    """
    per_unit, dt = 10, 0.1
    delay = 17 * per_unit
    past = [1.2 + 0.1 * (rng.random() - 0.5)] * (delay + 1)
    x = past[-1]
    for n in range((rows + 300) * per_unit):
        start, end = past[n], past[n + 1]  # x one delay ago at the start and the end of this step
        middle = (start + end) / 2
        inflow, between, after = (0.2 * d / (1 + d**10) for d in (start, middle, end))
        k1 = inflow - 0.1 * x
        k2 = between - 0.1 * (x + dt / 2 * k1)
        k3 = between - 0.1 * (x + dt / 2 * k2)
        k4 = after - 0.1 * (x + dt * k3)
        x += dt / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
        past.append(x)
    return np.array(past[delay + 1 :: per_unit][300 : 300 + rows])[:, None]


def lorenz(rows: int, rng: np.random.Generator) -> np.ndarray:
    """Lorenz 1963 (sigma 10, rho 28, beta 8/3), all three axes, by RK4 with dt = 0.01, a sample every 0.05 time units."""

    def flow(p: np.ndarray) -> np.ndarray:
        return np.array([10 * (p[1] - p[0]), p[0] * (28 - p[2]) - p[1], p[0] * p[1] - 8 / 3 * p[2]])

    dt, point, path = 0.01, np.array([1.0, 1.0, 25.0]) + rng.standard_normal(3), []
    for n in range((rows + 200) * 5):
        k1 = flow(point)
        k2 = flow(point + dt / 2 * k1)
        k3 = flow(point + dt / 2 * k2)
        k4 = flow(point + dt * k3)
        point = point + dt / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
        if n % 5 == 4:
            path.append(point)
    return np.array(path[200:])


def narma(rows: int, rng: np.random.Generator) -> np.ndarray:
    """NARMA-10 (Atiya & Parlos 2000): column 0 is the input u ~ U[0, 0.5), column 1 the response y, to be predicted from u.

    y_{t+1} = 0.3 y_t + 0.05 y_t (y_t + ... + y_{t-9}) + 1.5 u_{t-9} u_t + 0.1. A series that diverges is drawn again.
    """
    while True:
        u, y = rng.uniform(0, 0.5, rows + 200), np.zeros(rows + 200)
        for t in range(9, rows + 199):
            y[t + 1] = 0.3 * y[t] + 0.05 * y[t] * y[t - 9 : t + 1].sum() + 1.5 * u[t - 9] * u[t] + 0.1
            if abs(y[t + 1]) > 2:
                break
        else:
            return np.stack([u, y], 1)[200:]
