"""The starter models, trained on real IMDB: `NAME.run` is an exported run, `NAME.npz` holds its profiles.

They contain weights, training history, principal components and counts, and no review text. `build` makes them again.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np

from rnn_core.data.disk import write_atomically
from rnn_core.probes.states.principal_components import Basis
from rnn_core.probes.states.units import Profile
from rnn_core.store.arrays import pack, unpack

NAMES = ("simple_rnn", "lstm", "gru")
FOLDER = Path(__file__).parent
_BASIS = ("mean", "components", "variances", "count")
_ARRAYS = ("cloud", "labels", "correlations", "likeness", "reviews", "tokens")


def write_profiles(name: str, profiles: dict[int, Profile], folder: Path = FOLDER) -> Path:
    """Write profiles by training step, all on the basis of the last; returns the path. A few hundred kilobytes."""
    last = profiles[max(profiles)]
    arrays = {f"basis.{field}": np.asarray(getattr(last.basis, field)) for field in _BASIS}
    for step, profile in profiles.items():
        arrays |= {f"{step}.{field}": np.asarray(getattr(profile, field)) for field in _ARRAYS}
        arrays |= {f"{step}.saturation.{gate}": values for gate, values in profile.saturation.items()}
    path = folder / f"{name}.npz"
    write_atomically(path, pack(arrays, compress=True))
    return path


def profile(name: str, step: int) -> Profile:
    """The profile of a starter model at one of its kept steps. Raises KeyError when there is none."""
    arrays = _arrays(name)
    if f"{step}.cloud" not in arrays:
        raise KeyError(f"starter model {name!r} has no profile at step {step}")
    basis = Basis(arrays["basis.mean"], arrays["basis.components"], arrays["basis.variances"], int(arrays["basis.count"]))
    own = {field: arrays[f"{step}.{field}"] for field in _ARRAYS[:4]}
    prefix = f"{step}.saturation."
    gates = {field.removeprefix(prefix): values for field, values in arrays.items() if field.startswith(prefix)}
    return Profile(basis, **own, saturation=gates, reviews=int(arrays[f"{step}.reviews"]), tokens=int(arrays[f"{step}.tokens"]))


@lru_cache(maxsize=8)
def _arrays(name: str) -> dict[str, np.ndarray]:
    if name not in NAMES:
        raise KeyError(f"there is no starter model {name!r}; there are {', '.join(NAMES)}")
    return unpack((FOLDER / f"{name}.npz").read_bytes())
