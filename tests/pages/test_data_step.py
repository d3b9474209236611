"""The data step of the Train form: a file is shown as read, its decisions are overruled, its columns are picked."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from pages.parts.train import data_step
from pages.shared import run_picker, session
from rnn_core.data.series import table_file, table_task
from rnn_core.store.store import Store
from tests.conftest import ROOT, figures
from tests.pages.test_sentence import InlineService

SALES = (
    "Datum;Umsatz;Kunden\n"
    + "".join(f"{n % 28 + 1:02d}/{n // 28 + 1:02d}/2021;{1000 + 10 * (n % 7)},5;{n % 7 + 20}\n" for n in range(335, -1, -1))
    + "Summe;1;2\n"
)
TWO_WAYS = "d,v\n" + "".join(f"{n % 12 + 1:02d}/{n % 12 + 1:02d}/{2000 + n // 12},{n % 7}\n" for n in range(60))
AMBIGUOUS = "a;b\n1.234;5\n2.345;6\n" + "".join(f"{n}.{100 + n};7\n" for n in range(3, 60))


@pytest.fixture
def train(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> Iterator[AppTest]:
    store = Store(tmp_path)
    monkeypatch.setattr(run_picker, "service", InlineService)
    monkeypatch.setattr(run_picker, "running_service", InlineService)
    monkeypatch.setattr(run_picker, "start_workers", lambda: None)
    monkeypatch.setattr(run_picker, "store", lambda: store)
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60).run().switch_page("pages/train.py")
    app.query_params["task"] = "csv"
    yield app.run()
    store.close()


def upload(app: AppTest, text: str) -> AppTest:
    app.get("file_uploader")[0].upload("own.csv", text.encode(), "text/csv").run()
    assert not app.exception
    return app


def draft(app: AppTest) -> Any:
    return session.of(app.session_state).draft


def play(app: AppTest) -> Any:
    return app.button(key="train-transport_play")


def test_a_file_is_shown_as_read_with_fields_that_suit_it(train: AppTest) -> None:
    assert play(train).disabled
    assert "No file was chosen yet" in train.error[0].value
    upload(train, SALES)
    assert not play(train).disabled
    spec = draft(train).data
    assert (spec.source, spec.horizon, spec.length, spec.difference) == (table_file.key(SALES.encode()), 28, 28, 7)
    rows, columns = (table.value for table in train.dataframe)
    assert rows["date"].iloc[0] == "2021-01-01"
    assert rows["Umsatz"].tolist()[:2] == ["1000.5", "1010.5"]
    assert columns["column"].tolist() == ["Umsatz", "Kunden"]
    said = " ".join(caption.value for caption in train.caption)
    for words in ("336 rows", "dates come from", "decimal sign", "turned", "Summe"):
        assert words in said
    chart = figures(train)["own_series"]
    assert str(chart["data"][0]["x"][0]).startswith("2021-01-01")
    shapes = chart["layout"]["shapes"]  # validation, test, and the days 29 to 31 that are missing in ten months
    assert [shape["x0"][:7] for shape in shapes[:3]] == ["2021-09", "2021-11", "2021-01"]
    assert len(shapes) == 2 + 10


def test_a_decision_is_overruled_and_taken_back(train: AppTest) -> None:
    upload(train, SALES)
    train.selectbox(key="train-decide-order").set_value("file").run()
    assert draft(train).data.reading == "order=file"
    assert table_task.table(draft(train), session.of(train.session_state).uploads).values[0, 1] == 335 % 7 + 20
    assert "(yours)" in train.selectbox(key="train-decide-order").label
    train.button(key="train-undecide").click().run()
    assert draft(train).data.reading == ""
    assert train.dataframe[0].value["date"].iloc[0] == "2021-01-01"


def test_of_two_readings_equally_good_the_user_chooses(train: AppTest) -> None:
    upload(train, AMBIGUOUS)
    assert play(train).disabled
    assert "can be read in two ways" in train.error[0].value
    choice = train.selectbox(key="train-decide-decimal")
    assert choice.value is None
    choice.set_value(",").run()
    assert not play(train).disabled
    assert train.dataframe[0].value["a"].iloc[0] == "1234"


def test_inputs_and_targets_are_picked(train: AppTest) -> None:
    upload(train, SALES)
    train.multiselect(key="train-pick-targets").set_value(["Umsatz"]).run()
    assert (draft(train).data.column, draft(train).data.targets) == ("", "Umsatz")
    assert len(figures(train)["own_series"]["data"]) == 1
    train.multiselect(key="train-pick-column").set_value(["Umsatz"]).run()
    assert (draft(train).data.column, draft(train).data.targets) == ("Umsatz", "")
    train.multiselect(key="train-pick-column").set_value([]).run()
    assert draft(train).data.column == "Umsatz"


def test_a_refused_file_says_why_and_offers_what_can_be_decided(train: AppTest) -> None:
    upload(
        train,
        "day,shop,v\n" + "".join(f"2021-{n // 56 + 1:02d}-{n // 2 % 28 + 1:02d},{'AB'[n % 2]},{n % 5}\n" for n in range(300)),
    )
    assert "several series in one column" in train.error[0].value
    train.selectbox(key="train-decide-series").set_value("B").run()
    assert not play(train).disabled
    assert "150 rows" in " ".join(caption.value for caption in train.caption)


def test_a_field_that_the_user_has_set_is_kept(train: AppTest) -> None:
    train.number_input(key="train-set-epochs").set_value(3).run()
    upload(train, SALES)
    assert (draft(train).training.epochs, draft(train).data.horizon) == (3, 28)


def test_a_logarithm_of_what_has_none_is_refused_before_training(train: AppTest) -> None:
    upload(train, SALES.replace("20\n", "0\n"))
    train.toggle(key="train-set-log").set_value(True).run()
    assert "Only values above 0 have a logarithm, but 'Kunden'" in train.error[0].value.replace("\\", "")
    assert play(train).disabled


def test_a_file_that_takes_too_long_is_refused_and_the_page_goes_on(train: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    class Slow(InlineService):
        def call(self, function: Any, *args: Any, **kwargs: Any) -> Future[Any]:
            return Future() if function.__name__ == "look" else super().call(function, *args, **kwargs)

    monkeypatch.setattr(run_picker, "service", Slow)
    monkeypatch.setattr(data_step, "READ_SECONDS", 0.3)
    upload(train, SALES)
    assert play(train).disabled
    assert "could not be read within" in train.error[0].value
    monkeypatch.setattr(run_picker, "service", InlineService)
    train.run()
    assert not play(train).disabled


def test_the_web_process_parses_no_file(train: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the page shows of a file comes from the service: here, from another process."""
    import multiprocessing

    with multiprocessing.get_context("spawn").Pool(1) as pool:

        class Elsewhere(InlineService):
            def call(self, function: Any, *args: Any, **kwargs: Any) -> Future[Any]:
                return super().call(pool.apply, function, args, kwargs)

        def never(*_: Any) -> None:
            raise AssertionError("the web process parses the file")

        monkeypatch.setattr(run_picker, "service", Elsewhere)
        monkeypatch.setattr(table_file, "read", never)
        upload(train, SALES)
        assert not play(train).disabled
        assert "own_series" in figures(train)
        assert "unrolled.py" in str(train.main) or train.get("download_button")
        train.selectbox(key="train-decide-order").set_value("file").run()
        assert not train.exception
