"""A data set of any kind, split as the config asks."""

from convprobe.dataset import sources


def test_counts_of_each_class_in_each_split(pictures):
    settings = {
        "name": "image-folder",
        "train_images": "all",
        "test_images": "all",
        "validation_images": 1,
    }
    counts = sources.class_counts(sources.load(settings, pictures))
    assert counts.to_csv(index=False) == "class,train,test,validation\na,2,1,1\nb,2,1,0\n"


def test_a_split_that_lacks_a_class_is_reported(pictures):
    settings = {
        "name": "image-folder",
        "train_images": "all",
        "test_images": 1,
        "validation_images": 1,
    }
    splits = sources.load(settings, pictures)
    assert sources.lacking_classes(splits) == [
        "no test image of class b",
        "no validation image of class b",
    ]
