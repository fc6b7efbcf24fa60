"""How long the page takes until it can be used: from opening it to the first move of a window.

python benchmarks/explorer.py results/demo/explorer.html
"""

import argparse
import shutil
import statistics
import time
from pathlib import Path

from playwright.sync_api import sync_playwright

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("page", type=Path)
    parser.add_argument("--repeats", type=int, default=5)
    arguments = parser.parse_args()
    with sync_playwright() as driver:
        browser = driver.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        seconds = []
        for _ in range(arguments.repeats):
            page = browser.new_page()
            start = time.perf_counter()
            page.goto(arguments.page.resolve().as_uri())
            page.wait_for_selector("body[data-ready]")
            page.locator("#map").press("ArrowDown")
            page.wait_for_function("document.getElementById('readout').textContent")
            seconds.append(time.perf_counter() - start)
            page.close()
        browser.close()
    taken = f"median {statistics.median(seconds):.2f} s, at most {max(seconds):.2f} s"
    print(
        f"{arguments.page}: {arguments.page.stat().st_size / 1e6:.1f} MB, n={len(seconds)}, {taken}"
    )
