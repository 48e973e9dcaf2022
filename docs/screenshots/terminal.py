"""Take the README's picture of the chat: `python docs/screenshots/terminal.py INDEX` (needs tmux and chromium).

Types into a real `nutgraf chat` in tmux, captures the screen with its colours, prints it, and makes chat.png of it.
"""

import io
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright
from rich.console import Console
from rich.text import Text

HERE = Path(__file__).parent
PROMPT = "> "
COLUMNS, ROWS = 100, 54
LINES = (
    "How long did Austin's call with Dong Jun last?",
    "And the one with Wei?",
    "/show 1",
)
STYLE = "margin:0;padding:14px 18px;font:14px/1.35 'DejaVu Sans Mono',monospace;background:#fff;display:inline-block"


def tmux(*words: str) -> str:
    """One tmux command on a server of our own."""
    done = subprocess.run(["tmux", "-L", "nutgraf", *words], capture_output=True, text=True, check=True)
    return done.stdout


def shown(*, colours: bool = False) -> str:
    """What the terminal shows."""
    return tmux("capture-pane", "-t", "chat", "-p", *(["-e"] if colours else []))


def until_prompt() -> None:
    """Wait until the chat asks for the next line."""
    time.sleep(0.5)
    for _ in range(200):
        if shown().rstrip("\n").endswith("\n>") or shown().strip() == ">":
            return
        time.sleep(0.1)
    raise TimeoutError(shown())


def talk(index: str, state: str) -> str:
    """The screen after the conversation."""
    command = [str(Path(sys.executable).with_name("nutgraf")), "chat", "--data-dir", index]
    env = ["env", f"XDG_STATE_HOME={state}", f"PATH={os.environ['PATH']}"]
    tmux("new-session", "-d", "-s", "chat", "-x", str(COLUMNS), "-y", str(ROWS), *env, *command)
    try:
        for line in LINES:
            until_prompt()
            tmux("send-keys", "-t", "chat", "-l", line)
            tmux("send-keys", "-t", "chat", "Enter")
        until_prompt()
        return shown(colours=True)
    finally:
        tmux("kill-server")


def picture(screen: str) -> None:
    """chat.png, the screen as a page that a browser draws."""
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True)
    console.print(Text.from_ansi(screen.rstrip()))
    page_text = console.export_html(code_format=f'<pre style="{STYLE}">{{code}}</pre>', inline_styles=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1000, "height": 1200})
        page.set_content(page_text)
        image = Image.open(io.BytesIO(page.locator("pre").screenshot())).convert("RGB")
    image.quantize(64, dither=Image.Dither.NONE).save(HERE / "chat.png", optimize=True)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        captured = talk(sys.argv[1], folder)
    print(Text.from_ansi(captured).plain)
    picture(captured)
