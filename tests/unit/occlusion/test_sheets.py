"""Which images are on which sheet."""

from convprobe.occlusion import sheets


def test_four_images_a_sheet_and_the_last_one_has_the_rest():
    assert sheets.sheets([9, 8, 7, 6, 5]) == {"1": [9, 8, 7, 6], "2": [5]}


def test_no_more_sheets_than_the_published_five():
    assert list(sheets.sheets(range(100))) == ["1", "2", "3", "4", "5"]
    assert sheets.sheets(range(100))["5"] == [16, 17, 18, 19]


def test_no_image_no_sheet():
    assert sheets.sheets([]) == {}
