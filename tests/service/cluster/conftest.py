"""One embedded cluster for all tests of this folder: one training worker, one probe worker."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from rnn_core.service.service import Service
from rnn_core.store.store import Store
from tests.watching import until


@pytest.fixture(scope="package")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    service = Service(Store(tmp_path_factory.mktemp("home")), scheduler="", trainers=1)
    until(lambda: service.state == "ready" and len(service._dispatcher.queue.workers) == 2, 120)
    yield service
    service.close()
