"""A client without a browser that uses Streamlit's WebSocket protocol, for load tests and forged messages."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.asyncio.client import ClientConnection, connect


class Student:
    """One session. Call `open`, then `rerun`; `elements` holds the content of the page, `timers` its timed fragments."""

    def __init__(self, port: int, page: str = "", query: str = "") -> None:
        self.address, self.page, self.query = f"ws://localhost:{port}/_stcore/stream", page, query
        self.elements: dict[tuple[int, ...], Any] = {}  # where on the page → element
        self.timers: dict[str, float] = {}  # fragment → seconds between ticks
        self.widgets: dict[str, WidgetState] = {}
        self.hashes: set[str] = set()  # hashes of messages that this client has cached
        self.received = 0  # bytes
        self.script = ""  # hash of the page's script; a rerun without it would open Home
        self.fragment_running = ""  # id of the running fragment; "" for the whole script
        self.socket: ClientConnection

    async def open(self) -> Student:
        self.socket = await connect(self.address, subprotocols=["streamlit"], max_size=None)  # type: ignore[list-item]
        await self.rerun()
        return self

    async def close(self) -> None:
        await self.socket.close()

    async def rerun(self, *changed: WidgetState, fragment: str = "", automatic: bool = False, limit: float = 60.0) -> float:
        """Run the page's script, or one fragment of it, with widgets changed; seconds until the server has finished."""
        message = BackMsg()
        state = message.rerun_script
        state.query_string, state.fragment_id, state.is_auto_rerun = self.query, fragment, automatic
        state.page_script_hash, state.page_name = self.script, self.page
        state.widget_states.widgets.extend([*(w for w in self.widgets.values() if w.id not in {c.id for c in changed}), *changed])
        state.cached_message_hashes.extend(self.hashes)
        self.widgets.update({widget.id: widget for widget in changed if not widget.HasField("trigger_value")})
        self.fragment_running = fragment
        began = time.perf_counter()
        await self.socket.send(message.SerializeToString())
        async with asyncio.timeout(limit):
            while not await self._receive():
                pass
        return time.perf_counter() - began

    async def _receive(self) -> bool:
        """Process one message; True if it ends a run of the script."""
        data = await self.socket.recv()
        self.received += len(data)
        message = ForwardMsg.FromString(data)  # type: ignore[arg-type]
        kind = message.WhichOneof("type")
        if message.metadata.cacheable and message.hash:
            self.hashes.add(message.hash)
        if kind == "new_session":
            if not self.fragment_running:
                self.elements.clear()
                self.timers.clear()
        elif kind == "navigation":
            self.script = next((p.page_script_hash for p in message.navigation.app_pages if p.url_pathname == self.page), "")
        elif kind == "auto_rerun":
            self.timers[message.auto_rerun.fragment_id] = message.auto_rerun.interval
        elif kind == "page_info_changed":
            self.query = message.page_info_changed.query_string
        elif kind == "delta" and message.delta.WhichOneof("type") == "new_element":
            self.elements[tuple(message.metadata.delta_path)] = message.delta.new_element
        elif kind == "script_finished":
            if message.script_finished != ForwardMsg.ScriptFinishedStatus.FINISHED_EARLY_FOR_RERUN:
                return True
            self.fragment_running = ""  # the whole script runs next
        return False

    def kinds(self, kind: str) -> Iterator[Any]:
        """Elements of one kind ("button", "number_input", "exception", "alert", …) on the page."""
        for element in self.elements.values():
            if element.WhichOneof("type") == kind:
                yield getattr(element, kind)

    def widget(self, kind: str, label: str) -> Any:
        """The widget of a kind with a label. Raises StopIteration when there is none."""
        return next(element for element in self.kinds(kind) if element.label == label)

    async def press(self, label: str) -> float:
        """Press a button."""
        return await self.rerun(WidgetState(id=self.widget("button", label).id, trigger_value=True))

    @property
    def run(self) -> str:
        """The id of the run in the address."""
        return parse_qs(self.query).get("run", [""])[0]
