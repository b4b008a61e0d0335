"""Somebody in front of the console: what they do with mouse or keyboard, and what their browser complained about."""

import os
from pathlib import Path
from typing import Any

from playwright.sync_api import BrowserContext, ConsoleMessage, Response

OF_README = {"usage", "tenants", "audit", "api-keys", "subscription"}
SCREENSHOTS = Path(__file__).parents[2] / "docs" / "screenshots"
WINDOW = {"width": 1280, "height": 800}
TABS_MOST = 60
FOCUS_SHOWS = """() => {
  const focused = document.activeElement;
  const outlined = element => parseFloat(getComputedStyle(element).outlineWidth) > 0 &&
    getComputedStyle(element).outlineStyle !== "none";
  return [focused, focused.closest("label")].some(element => element && outlined(element));
}"""


class Visitor:
    """`complaints` are errors of scripts, breaches of the content policy, and parts of pages that did not come."""

    def __init__(self, context: BrowserContext) -> None:
        self.context = context
        self.page = context.new_page()
        self.page.set_viewport_size(WINDOW)
        self.complaints: list[str] = []
        self.page.on("console", self._note_message)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("response", self._note_response)

    def open(self, path: str) -> Response:
        answer = self.page.goto(path)
        assert answer
        return answer

    def send(self, action: str, **fields: str) -> Response:
        """Fill in the form of an action and send it; gives the answer to the form itself."""
        form = self.page.locator(f'form[data-action="{action}"]').first
        for name, value in fields.items():
            field = form.locator(f'[name="{name}"]')
            if field.evaluate("element => element.tagName") == "SELECT":
                field.select_option(value)
            else:
                field.fill(value)
        with (
            self.page.expect_navigation(),
            self.page.expect_response(lambda answer: answer.request.method == "POST") as sent,
        ):
            form.locator("button").last.click()
        return sent.value

    def tab_to(self, selector: str) -> None:
        """Press Tab until an element has the focus, which must be visible at every stop."""
        for _ in range(TABS_MOST):
            self.page.keyboard.press("Tab")
            assert self.page.evaluate(FOCUS_SHOWS), self.focused()
            if self.page.evaluate("selector => document.activeElement.matches(selector)", selector):
                return
        raise AssertionError(f"the keyboard does not reach {selector}; it is at {self.focused()}")

    def type_into(self, selector: str, text: str) -> None:
        self.tab_to(selector)
        self.page.keyboard.type(text)

    def press_enter(self) -> None:
        """Where Enter leads to another page."""
        with self.page.expect_navigation():
            self.page.keyboard.press("Enter")

    def focused(self) -> str:
        return str(self.page.evaluate("() => document.activeElement.outerHTML"))

    def text(self, selector: str) -> str:
        return self.page.locator(selector).first.inner_text()

    def photograph(self, name: str, folder: Path) -> None:
        """Take a screenshot; with `VELOFLUX_SCREENSHOTS=1` those of the README go into the documentation."""
        is_wanted = name in OF_README and os.environ.get("VELOFLUX_SCREENSHOTS") == "1"
        place = SCREENSHOTS if is_wanted else folder
        place.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=place / f"{name}.png")

    def _note_message(self, message: ConsoleMessage) -> None:
        # The refusals that a journey provokes are pages with a status of 4xx, which Chromium calls errors.
        if message.type in ("error", "warning") and not message.text.startswith("Failed to load resource"):
            self.complaints.append(f"{self.page.url}: {message.text}")

    def _note_response(self, answer: Response) -> Any:
        if answer.status >= 400 and answer.request.resource_type != "document":
            self.complaints.append(f"{answer.status} {answer.url}")
