"""Which filters are on which page of the atlas."""

from convprobe.filters import pages


def test_every_filter_is_on_one_page_of_a_hundred():
    assert pages.atlas_pages({"conv1": 100, "layer1.0.conv2": 201}) == {
        ("conv1", "01"): [0, 99],
        ("layer1.0.conv2", "01"): [0, 99],
        ("layer1.0.conv2", "02"): [100, 199],
        ("layer1.0.conv2", "03"): [200, 200],
    }
