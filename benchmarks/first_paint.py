"""When each view first paints in Chromium, and what it fetches: `python benchmarks/first_paint.py http://127.0.0.1:8000`."""

import argparse
import os
import shutil
import statistics
from collections.abc import Iterator, Sequence

from playwright.sync_api import Browser, BrowserContext, sync_playwright

VIEWS = ("/", "/documents", "/evaluation")
FLAGS = "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking".split()
ENTRIES = """
() => {
  const [visit] = performance.getEntriesByType("navigation");
  const files = performance.getEntriesByType("resource").filter((one) => one.initiatorType !== "fetch");
  const painted = (name) => performance.getEntriesByName(name)[0]?.startTime ?? null;
  return {
    painted: painted("first-paint"), contentful: painted("first-contentful-paint"), served: visit.responseStart,
    ready: visit.domContentLoadedEventEnd, files: 1 + files.length,
    wire: [visit, ...files].reduce((sum, one) => sum + one.transferSize, 0),
    whole: [visit, ...files].reduce((sum, one) => sum + one.decodedBodySize, 0),
  };
}
"""
"""Times in milliseconds since the navigation began, from the browser's own clock."""


def visit(context: BrowserContext, address: str) -> dict[str, float]:
    """Open an address in a new tab of a context and read what the browser measured."""
    page = context.new_page()
    page.goto(address, wait_until="load")
    while not page.evaluate("performance.getEntriesByName('first-contentful-paint').length"):
        page.wait_for_timeout(10)  # the page's policy bars Playwright's own way of waiting
    found: dict[str, float] = page.evaluate(ENTRIES)
    page.close()
    return found


def visits(browser: Browser, address: str, runs: int, *, again: bool) -> Iterator[dict[str, float]]:
    """Visits with an empty cache each, or `again` with what an earlier visit left in it."""
    for _ in range(runs):
        context = browser.new_context()
        first = visit(context, address)
        yield visit(context, address) if again else first
        context.close()


def row(name: str, found: Sequence[dict[str, float]]) -> str:
    """A line of the table."""
    middle = {key: statistics.median(one[key] for one in found) for key in found[0]}
    paints = sorted(one["painted"] for one in found)
    return (
        f"{name:<22}{middle['painted']:>7.0f}{paints[0]:>7.0f}{paints[-1]:>7.0f}{middle['contentful']:>11.0f}"
        f"{middle['served']:>8.0f}{middle['ready']:>7.0f}{middle['files']:>7.0f}{middle['wire'] / 1000:>8.1f}"
        f"{middle['whole'] / 1000:>8.1f}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url", help="a server without a key")
    parser.add_argument("--runs", type=int, default=15)
    args = parser.parse_args()
    print(f"median of {args.runs}, ms; load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    print(f"{'view':<22}{'paint':>7}{'least':>7}{'most':>7}{'contentful':>11}{'served':>8}{'ready':>7}{'files':>7}"
          f"{'wire kB':>8}{'kB':>8}")  # fmt: skip
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        visit(browser.new_context(), args.url)  # what the browser itself loads at its first page
        for view in VIEWS:
            for again in (False, True):
                found = list(visits(browser, args.url.rstrip("/") + view, args.runs, again=again))
                print(row(f"{view} {'again' if again else 'first'}", found), flush=True)
        browser.close()
    print(f"load average at the end {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
