"""A page in headless Chromium that does what it is asked and says how long it took."""

from __future__ import annotations

import json
import queue
import shutil
import subprocess
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Final

import psutil

from tests.benchmarks.peers.pages import make_local

if TYPE_CHECKING:
    from pathlib import Path

# Without a screen there is no reason to wait for its next frame.
FLAGS: Final = "--headless --no-sandbox --disable-gpu --disable-frame-rate-limit --no-first-run --window-size=1180,760".split()
PATIENCE_S: Final = 180.0


def chromium() -> str | None:
    """The browser on the PATH."""
    return next((found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), None)


def browser_version() -> dict[str, str]:
    """{"chromium": its version}, or nothing where there is none."""
    found = chromium()
    if found is None:
        return {}
    words = subprocess.run([found, "--version"], capture_output=True, text=True, check=False).stdout.split()
    return {"chromium": next((word for word in words if word[0].isdigit()), "of unknown version")}


class PageStopped(Exception):
    """The page did not answer."""


class Page:
    """BertViz's page in a browser of its own. Use it as a context; the browser ends with it.

    opened: milliseconds from asking for the page to the frame with its lines; n_line: how many of them. Raises PageStopped where it
    does not get so far, NoScripts.
    """

    def __init__(self, page: str, folder: Path) -> None:
        (folder / "page.html").write_text(make_local(page, folder), encoding="utf-8")
        self._asked: queue.Queue[str] = queue.Queue()
        self._answers: queue.Queue[dict[str, Any]] = queue.Queue()
        handler = partial(_Handler, directory=str(folder), asked=self._asked, answers=self._answers)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{self._server.server_port}/page.html"
        command = [chromium(), *FLAGS, f"--user-data-dir={folder / 'profile'}", address]
        self._browser = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            first = self._answer()
        except PageStopped:
            self.__exit__()
            raise
        self.opened, self.n_line = float(first["ms"]), int(first["lines"])

    def __enter__(self) -> Page:
        return self

    def __exit__(self, *_: object) -> None:
        parts = psutil.Process(self._browser.pid).children(recursive=True)
        self._browser.terminate()
        self._browser.wait()
        psutil.wait_procs(parts, timeout=10)
        self._server.shutdown()
        self._server.server_close()

    def do(self, gesture: str) -> float:
        """Milliseconds of a gesture: hover, head, layer. Raises PageStopped."""
        self._asked.put(gesture)
        return float(self._answer()["ms"])

    def memory(self) -> int:
        """The bytes that the process which draws the page holds now."""
        parts = psutil.Process(self._browser.pid).children(recursive=True)
        return max((part.memory_info().rss for part in parts if "--type=renderer" in part.cmdline()), default=0)

    def _answer(self) -> dict[str, Any]:
        try:
            return self._answers.get(timeout=PATIENCE_S)
        except queue.Empty:
            raise PageStopped(f"its page did not answer in {PATIENCE_S:.0f} s") from None


class _Handler(SimpleHTTPRequestHandler):
    """Serves the folder; a POST brings an answer and waits for the next gesture."""

    def __init__(self, *arguments: Any, asked: queue.Queue[str], answers: queue.Queue[dict[str, Any]], **more: Any) -> None:
        self._asked, self._answers = asked, answers
        super().__init__(*arguments, **more)

    def do_POST(self) -> None:
        self._answers.put(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        gesture = self._asked.get()
        self.send_response(200)
        self.end_headers()
        try:
            self.wfile.write(gesture.encode())
        except BrokenPipeError:
            return

    def log_message(self, *_: object) -> None:
        return
