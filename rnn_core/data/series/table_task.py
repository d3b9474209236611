"""The user's own series, from a CSV file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rnn_core.data.series.formula_tasks import KNOBS, forecasting
from rnn_core.data.task import Dataset, Task, Uploads
from rnn_core.spec.experiment import Experiment
from rnn_core.spec.interface import Interface

if TYPE_CHECKING:
    from rnn_core.data.series.table_file import Table


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
    return table_file.read(content)


def interface(experiment: Experiment, uploads: Uploads = None) -> Interface:
    from rnn_core.data.series import table_file

    count = len(table_file.choose_columns(table(experiment, uploads), experiment.data.column))
    return Interface("floats", count, experiment.data.horizon * count, "squared")


def build(experiment: Experiment, uploads: Uploads = None) -> Dataset:
    from rnn_core.data.series import table_file

    found = table(experiment, uploads)
    columns = list(table_file.choose_columns(found, experiment.data.column))
    names = tuple(found.columns[column] for column in columns)
    return forecasting(experiment, found.values[:, columns], names, times=found.times, notes=found.notes)


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
        knobs=(*KNOBS, "source", "column"),
    ),
)
