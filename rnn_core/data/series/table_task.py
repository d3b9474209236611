"""The user's own series, from a CSV file."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from rnn_core.data.series.column_names import choose_columns
from rnn_core.data.series.formula_tasks import KNOBS, forecasting
from rnn_core.data.task import Dataset, Task, Uploads
from rnn_core.spec.experiment import Experiment
from rnn_core.spec.interface import Interface
from rnn_core.spec.reading import from_text

if TYPE_CHECKING:
    from rnn_core.data.series.table_file import Table


class Columns(NamedTuple):
    """The columns of a table that an experiment uses."""

    used: tuple[int, ...]  # their places in the table
    inputs: tuple[int, ...]  # those the network reads, as places in `used`
    targets: tuple[int, ...]  # those it forecasts, as places in `used`


def table(experiment: Experiment, uploads: Uploads = None) -> Table:
    """The uploaded table. Raises ValueError if it is missing or is not the file that the experiment was made with."""
    from rnn_core.data.series import table_file  # imported here: it imports pandas, which the registry of tasks does not need

    source = experiment.data.source
    if not source:
        raise ValueError("no file was chosen yet: upload a CSV file")
    content = (uploads or {}).get(source)
    if content is None:
        raise ValueError("the CSV file of this experiment is not on this machine: upload it again")
    if table_file.key(content) != source:
        raise ValueError("the uploaded file is not the one that this experiment was made with")
    return table_file.read(content, from_text(experiment.data.reading))


def chosen(experiment: Experiment, columns: tuple[str, ...]) -> Columns:
    """The columns of a table that an experiment uses. Raises ValueError for a name that is not in the table."""
    inputs = choose_columns(columns, experiment.data.column)
    targets = choose_columns(columns, experiment.data.targets) if experiment.data.targets.strip() else inputs
    used = tuple(sorted({*inputs, *targets})) if targets != inputs else inputs
    return Columns(used, tuple(map(used.index, inputs)), tuple(map(used.index, targets)))


def interface(experiment: Experiment, uploads: Uploads = None) -> Interface:
    return interface_of(experiment, table(experiment, uploads).columns)


def interface_of(experiment: Experiment, columns: tuple[str, ...]) -> Interface:
    """The shapes of the experiment's inputs and outputs on a table with these columns."""
    found = chosen(experiment, columns)
    return Interface("floats", len(found.inputs), experiment.data.horizon * len(found.targets), "squared")


def build(experiment: Experiment, uploads: Uploads = None) -> Dataset:
    found = table(experiment, uploads)
    used, inputs, targets = chosen(experiment, found.columns)
    names = tuple(found.columns[column] for column in used)
    return forecasting(
        experiment, found.values[:, list(used)], names, inputs=inputs, targets=targets, times=found.times, notes=found.notes
    )


TASKS = (
    Task(
        name="csv",
        title="Your own series (CSV)",
        description="Forecast the columns of a table that you upload: one row per step, at most 5 MB.",
        group="series",
        metric="rmse",
        input_label="row",
        target_label="next value",
        build=build,
        interface=interface,
        defaults={"length": 30, "learning_rate": 0.005, "clip": 1.0},
        knobs=(*KNOBS, "source", "reading", "column", "targets"),
    ),
)
