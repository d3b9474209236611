"""The parts of a Keras program that make the windows of a series, and forecast it beyond its last row in its own units."""

from __future__ import annotations

import inspect
from collections.abc import Mapping

from rnn_core.data.seeds import crc
from rnn_core.data.series import formula_tasks, formulas, windows
from rnn_core.spec.experiment import DataSpec, Experiment

Columns = tuple[int, ...]


def data_part(experiment: Experiment, uploads: Mapping[str, bytes] | None) -> tuple[str, int]:
    """Source that makes x_train, y_train and the other parts, as `Series.windows` does; and the rows of the series."""
    spec, name = experiment.data, experiment.data.task
    if name == "csv":
        made, inputs, targets, rows = _table(experiment, uploads)
    else:
        rows = windows.rows_for(spec.samples or formula_tasks.COUNT, spec.length + spec.difference, spec.horizon, spec.validation)
        made = f"\n\n{inspect.getsource(getattr(formulas, name))}\n\nvalues = {name}({rows}, np.random.default_rng([SEED, {crc(f'{name}/series')}, 0]))\n"
        inputs, targets = formula_tasks.roles(name)
    if spec.noise:
        made += f"noise = np.random.default_rng([SEED, {crc(f'{name}/noise')}, 0])\n"
        made += f"values = values + {spec.noise!r} * values.std(0) * noise.standard_normal(values.shape)\n"
    train, test = windows.ends(rows, spec.length, spec.horizon, spec.validation, spec.difference)
    if name == "csv" or spec.log:
        made += f"INPUTS, TARGETS, TRAIN = {list(inputs)}, {list(targets)}, {train}  # columns of `values`; rows of the training part\n"
    most = {"train": spec.samples or 5 * formula_tasks.COUNT, "validation": formula_tasks.COUNT, "test": formula_tasks.COUNT}
    largest = windows.max_windows(spec.length, len(inputs), spec.horizon, len(targets))
    ranges = {"train": (0, train), "validation": (train, test), "test": (test, rows)}
    calls = "".join(
        f"x_{part}, y_{part} = windows({first}, {end}, {min(most[part], largest)})\n" for part, (first, end) in ranges.items()
    )
    return (
        f"""{made}{_scale(experiment, train, targets)}

def windows(first: int, end: int, most: int) -> tuple[np.ndarray, np.ndarray]:
    steps = np.arange(max(first, LENGTH{f" + {spec.difference}" if spec.difference else ""}), end - {spec.horizon} + 1)
    if len(steps) > most:
        steps = steps[np.linspace(0, len(steps) - 1, most).round().astype(int)]
    targets = scaled[:, {list(targets)}][steps[:, None] + np.arange({spec.horizon})]
{_sums(spec.difference, spec.horizon)}    return scaled[:, {list(inputs)}][steps[:, None] + np.arange(-LENGTH, 0)], targets.reshape(len(steps), -1)


{calls}""",
        rows,
    )


def _scale(experiment: Experiment, train: int, targets: Columns) -> str:
    """Source of `scaled`: the values, or their logarithms or changes, scaled by the training part alone."""
    lag = experiment.data.difference
    logs = "values = np.log(values)\n" if experiment.data.log else ""
    if not lag:
        return f"""{logs}std = values[:{train}].std(0)  # the scale comes from the training part alone
scaled = ((values - values[:{train}].mean(0)) / np.where(std > 0, std, 1)).astype("float32")

"""
    return f"""{logs}changes = values[{lag}:] - values[:-{lag}]  # what is learned: the change against {lag} step{"s" * (lag > 1)} before
known, mean = changes[: {train - lag}], changes[: {train - lag}].mean(0)  # the scale comes from the training part alone
std = np.where(values[:{train}].std(0) > 0, values[:{train}].std(0), 1)
ratio = np.sqrt(np.mean((known.std(0) / std)[{list(targets)}] ** 2))  # from an error in changes to one in the series' own deviations
changes = np.concatenate([np.tile(mean, ({lag}, 1)), changes])  # the first {lag} are in no window
scaled = ((changes - mean) / (ratio * std)).astype("float32")

"""


def _sums(lag: int, horizon: int) -> str:
    """Source that turns changes into the change against the newest known value."""
    if not lag or lag >= horizon:
        return ""
    return f"    for ahead in range({lag}, {horizon}):\n        targets[:, ahead] += targets[:, ahead - {lag}]\n"


def forecast_part(experiment: Experiment, rows: int) -> str:
    """Source after the training: the error in the unit of the data, where the network learns another, and the forecast of the user's
    own series beyond its last row. "" where there is neither."""
    spec = experiment.data
    if spec.task != "csv" and not spec.log:
        return "metric = metric * ratio\n" if spec.difference else ""
    made = _restored(spec)
    if spec.log:
        _, test = windows.ends(rows, spec.length, spec.horizon, spec.validation, spec.difference)
        first = max(test, spec.length + spec.difference)
        count = rows - spec.horizon + 1 - first
        made += f"""steps = {first} + np.linspace(0, {count - 1}, len(x_test)).round().astype(int)
truth = np.exp(values)[steps[:, None] + np.arange({spec.horizon})][:, :, TARGETS]
errors = restored(model.predict(x_test, verbose=0), steps) - truth
known = np.exp(values[:TRAIN, TARGETS]).std(0)
metric = np.sqrt(np.mean((errors / np.where(known > 0, known, 1)) ** 2))  # of the values, not of their logarithms
"""
    elif spec.difference:
        made += "metric = metric * ratio  # of the values, not of their changes\n"
    if spec.task != "csv":
        return made
    return f"""{made}
# The {spec.horizon} step{"s" * (spec.horizon > 1)} after the last row, in the units of the file.
forecast = restored(model.predict(scaled[None, -LENGTH:, INPUTS], verbose=0), np.array([len(values)]))[0]
print(forecast)
"""


def _restored(spec: DataSpec) -> str:
    """Source of the function that turns the network's outputs into values, as `Series.restored` does."""
    if spec.difference:
        back = f"""    cycles = np.arange({spec.horizon}) // {spec.difference} + 1
    known = values[steps[:, None] + np.arange({spec.horizon}) - cycles * {spec.difference}][:, :, TARGETS]
    forecasts = known + outputs * (ratio * std)[TARGETS] + cycles[:, None] * mean[TARGETS]
"""
    else:
        back = "    forecasts = outputs * np.where(std > 0, std, 1)[TARGETS] + values[:TRAIN, TARGETS].mean(0)\n"
    return f"""

def restored(outputs: np.ndarray, steps: np.ndarray) -> np.ndarray:
    outputs = np.asarray(outputs, "float64").reshape(len(steps), -1, len(TARGETS))
{back}    return {"np.exp(forecasts)" if spec.log else "forecasts"}


"""


def _table(experiment: Experiment, uploads: Mapping[str, bytes] | None) -> tuple[str, Columns, Columns, int]:
    """Source that reads the file by the recipe of its reader, with pandas (this task only), input and target columns, and the number of rows."""
    from rnn_core.data.series.table import program as table_program  # here, with pandas, which no other program needs
    from rnn_core.data.series.table_task import chosen, table

    found = table(experiment, uploads)
    used, inputs, targets = chosen(experiment, found.columns)
    name = "series.xlsx" if found.recipe.layout.container == "xlsx" else "series.csv"
    made = f'\n\npath = sys.argv[1] if len(sys.argv) > 1 else "{name}"\n\n{table_program.program(found.recipe, used)}'
    return made, inputs, targets, len(found.values)
