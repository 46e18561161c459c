"""A report opened in a browser, with everything noted that a silent page must not do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import Browser, Dialog, Page

MOST_MS = 240_000
"""Patience on a busy machine."""


@dataclass
class Opened:
    """The page, what it said on its console, what it asked the network for, which dialogs it raised."""

    page: Page
    console: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    dialogs: list[str] = field(default_factory=list)

    def refuse(self, dialog: Dialog) -> None:
        """Note a dialog and close it."""
        self.dialogs.append(dialog.message)
        dialog.dismiss()

    @property
    def silent(self) -> bool:
        """Whether it did none of it."""
        return not (self.console or self.requests or self.dialogs)


@contextmanager
def opened(browser: Browser, file: Path, width: int = 1280) -> Iterator[Opened]:
    """Open a file and draw every chart."""
    context = browser.new_context(viewport={"width": width, "height": 900})
    found = Opened(context.new_page())
    found.page.on("console", lambda message: found.console.append(f"{message.type}: {message.text}"))
    found.page.on("pageerror", lambda error: found.console.append(f"error: {error}"))
    found.page.on("dialog", found.refuse)
    found.page.set_default_timeout(MOST_MS)
    address = file.resolve().as_uri()
    found.page.on("request", lambda request: None if request.url in (address, "data:,") else found.requests.append(request.url))
    found.page.goto(address)
    found.page.evaluate("orepactDrawAll()")
    yield found
    context.close()
