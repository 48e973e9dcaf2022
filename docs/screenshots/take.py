"""Take the README's screenshots from a server that has indexed seeds/: `python docs/screenshots/take.py URL`."""

import io
import shutil
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

HERE = Path(__file__).parent
FLAGS = "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking".split()
COLOURS = 96


def ask(page: Page, question: str) -> None:
    """Ask, and wait for the whole answer."""
    page.fill("#question", question)
    page.press("#question", "Enter")
    page.locator(".turn").last.locator(".foot, .abstained").first.wait_for(state="attached")


def save(page: Page, name: str) -> None:
    """A small PNG of what the page shows."""
    page.wait_for_timeout(800)
    image = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    image.quantize(COLOURS, dither=Image.Dither.NONE).save(HERE / f"{name}.png", optimize=True)


def tab(browser: Browser, url: str, scheme: str = "light", size: tuple[int, int] = (1160, 720)) -> Page:
    """A page of its own, at the view that asks."""
    context = browser.new_context(color_scheme=scheme, viewport={"width": size[0], "height": size[1]})
    page = context.new_page()
    page.goto(url)
    return page


def take(browser: Browser, url: str) -> None:
    """Every screenshot."""
    page = tab(browser, url)
    ask(page, "How long did Austin's call with Wei last?")
    save(page, "answer")
    ask(page, "Who is the Prime Minister of Japan?")
    save(page, "abstained")
    for view in ("documents", "evaluation"):
        page.goto(f"{url}/{view}")
        save(page, view)
    page = tab(browser, url, "dark")
    ask(page, "How long did Austin's call with Dong Jun last?")
    ask(page, "And the one with Wei?")
    save(page, "dark")
    page.locator(".turn").last.locator(".cite").first.click()
    save(page, "document")
    page = tab(browser, url, size=(390, 760))
    ask(page, "How long did Austin's call with Wei last?")
    page.locator(".cite").first.click()
    save(page, "phone")


if __name__ == "__main__":
    with sync_playwright() as playwright:
        take(
            playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS),
            sys.argv[1].rstrip("/"),
        )
