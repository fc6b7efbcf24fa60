"""What is written into the page, and how much of it."""

import pytest
from unit.report.test_filters_tab import noise

from convprobe.errors import InputError
from convprobe.report import explorer, packing


def test_a_link_to_no_result_is_refused():
    settings = {
        "probes": ["run/epoch-01", "run/epoch-02"],
        "files": ["run/epoch-01/a.csv", "run/epoch-02/a.csv", "run/epoch-01/b.csv"],
        "links": {"filters": ["a.csv"]},
    }
    assert explorer.links(settings) == {"filters": ["a.csv"]}
    settings["links"] = {"filters": ["a.csv"], "ablation": ["b.csv"]}
    with pytest.raises(InputError, match=r"^links: run/epoch-02/b\.csv is no result"):
        explorer.links(settings)


def test_what_is_written_into_the_page_is_read_from_it(tmp_path):
    data = {"classes": ["</script>", "β & γ"], "side": 2}
    path = tmp_path / "explorer.html"
    path.write_text(explorer.page("A <b> & c", packing.plain(data)), encoding="utf-8")
    found, around = explorer.read(path)
    assert found == data
    assert around == explorer.page("A <b> & c")
    assert "<title>A &lt;b&gt; &amp; c</title>" in around
    assert not [name for name in ("$title", "$style", "$script", "$data") if name in around]


@pytest.mark.parametrize("data", ["", "AAAA", "no base64!"])
def test_a_page_without_data_is_refused(tmp_path, data):
    path = tmp_path / "explorer.html"
    path.write_text(explorer.page("title", data), encoding="utf-8")
    with pytest.raises(InputError, match="holds no data of such a page"):
        explorer.read(path)


def test_what_is_no_page_is_refused(tmp_path):
    path = tmp_path / "explorer.html"
    path.write_text("<html></html>", encoding="utf-8")
    with pytest.raises(InputError, match="holds no data of such a page"):
        explorer.read(path)


def test_so_many_first_pictures_are_held_as_fit():
    pictures = noise(60, 16)
    free = explorer.first_pictures(pictures, 10**9)
    assert free["pictures"] == 60
    bound = explorer.first_pictures(pictures, len(free["source"]) // 2)
    assert len(bound["source"]) <= len(free["source"]) // 2
    assert 20 <= bound["pictures"] < 30
    assert explorer.first_pictures(pictures, 1)["pictures"] == 1
