"""The page in Firefox: addresses restore their views, and the probabilities are the files'."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from shown_page import PROBED, probabilities

pytestmark = pytest.mark.slow
REPOSITORY = Path(__file__).parents[2]
FIREFOX = shutil.which("firefox-esr") or shutil.which("firefox")
SCRIPT = "tests/browser/firefox.mjs"


@pytest.fixture
def open_in_firefox(demo):
    """A function that opens addresses of the demo's page; any message fails the test."""
    if FIREFOX is None:
        pytest.skip("no Firefox is installed")
    if not (REPOSITORY / "node_modules/puppeteer-core").exists():
        pytest.skip("npm has not installed puppeteer-core")

    def opened(*addresses):
        page = demo.files()["explorer.html"].as_uri()
        command = ["node", SCRIPT, FIREFOX, page, *addresses]
        ran = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=120)
        assert ran.returncode == 0, ran.stderr
        found = json.loads(ran.stdout)
        assert found["messages"] == []
        return found["views"]

    return opened


def shown(rows):
    """Of each class the occluded and the clean probability, in per cent."""
    return [[float(text.removesuffix("\N{NO-BREAK SPACE}%")) for text in row[-2:]] for row in rows]


def test_addresses_restore_their_views_and_keys_move_the_window(open_in_firefox, demo):
    views = open_in_firefox(
        f"#occlusion/{PROBED}/image-12/window-5/20,9", f"#filters/{PROBED}/filter-conv3-17"
    )
    given, moved, filters = views
    folder = demo.folder / "results/demo"
    for view, row in ((given, 20), (moved, 21)):
        assert view["address"] == f"#occlusion/{PROBED}/image-12/window-5/{row},9"
        assert view["image"].startswith("Test image 12:")
        pairs = zip(*probabilities(folder, PROBED, 5, 12, row, 9), strict=True)
        expected = [[round(100 * share, 2) for share in pair] for pair in pairs]
        assert shown(view["bars"]) == [pytest.approx(pair, abs=1e-9) for pair in expected]
    assert filters["filter"] == "Filter conv3/17"
    assert filters["tab"] == "What do its filters answer to?"
