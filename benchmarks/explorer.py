"""How long the page takes until it can be used: from opening it to the first move of a window.

python benchmarks/explorer.py results/demo/explorer.html
python benchmarks/explorer.py --large     of a study that is made up, see tests/large_study.py
"""

import argparse
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path

from playwright.sync_api import sync_playwright

REPOSITORY = Path(__file__).parents[1]
sys.path[:0] = [str(REPOSITORY / "scripts"), str(REPOSITORY / "tests")]


def write_large_page(folder):
    """The page of results that are made up."""
    import large_study

    from convprobe.report import explorer

    settings = large_study.write(folder)
    explorer.write(folder / "explorer.html", folder, settings)
    return folder / "explorer.html"


def seconds_to_first_move(browser, path):
    page = browser.new_page()
    start = time.perf_counter()
    page.goto(path.resolve().as_uri())
    page.wait_for_selector("body[data-ready]")
    page.locator("#map").press("ArrowDown")
    page.locator("#readout", has_text="at row").wait_for()
    taken = time.perf_counter() - start
    page.close()
    return taken


def measure(path, repeats):
    with sync_playwright() as driver:
        browser = driver.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        seconds = [seconds_to_first_move(browser, path) for _ in range(repeats)]
        browser.close()
    taken = f"median {statistics.median(seconds):.2f} s, at most {max(seconds):.2f} s"
    print(f"{path}: {path.stat().st_size / 1e6:.1f} MB, n={len(seconds)}, {taken}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("page", type=Path, nargs="?", help="an explorer.html")
    parser.add_argument("--large", action="store_true", help="measure a study that is made up")
    parser.add_argument("--repeats", type=int, default=5)
    arguments = parser.parse_args()
    if arguments.large == (arguments.page is not None):
        parser.error("give either a page or --large")
    if arguments.page:
        measure(arguments.page, arguments.repeats)
    else:
        with tempfile.TemporaryDirectory() as folder:
            measure(write_large_page(Path(folder)), arguments.repeats)
