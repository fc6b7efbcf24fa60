"""The data set: downloaded if need be, brought into one file, measured."""

from convprobe.dataset import kinds
from convprobe.dataset import outputs as dataset

KIND = kinds.of(config["dataset"])


def dataset_source() -> str | list:
    """The file or folder that the data set is read from; none if it is drawn, or a user's own.

    Snakemake would have a user's own images read anew wherever they are moved, but only their
    content counts, see dataset_settings.
    """
    source = study.source(config)
    return as_given(source) if source else []


def dataset_settings():
    """What changes the images: a published data set never changes, a user's own by its content."""
    settings = {key: value for key, value in config["dataset"].items() if key != "path"}
    if KIND.tracked_by_content:
        own = own_images(config["dataset"]["path"], **settings.get("split", {}))
        settings["content"] = own.digest
    return settings


SOURCE = dataset_source()

# Only if nothing is there: a file that is there has the published digest, or is refused when it is
# read. So no edit of the code and no --forceall makes this due, and the file may be
# write-protected, or have been put there by hand.
if KIND.downloaded and not (kinds.is_file(SOURCE) or kinds.is_folder(SOURCE)):

    rule download_dataset:
        output:
            archive=SOURCE,
        log:
            f"{LOGS}/dataset/download.log",
        localrule: True  # the nodes of a cluster often have no way out
        script:
            "../scripts/download_dataset.py"


rule prepare_images:
    input:
        source=ancient(SOURCE),  # its date says nothing, see dataset_settings
    output:
        # Kept until there is a new one: what a user gives may be broken.
        training=update(of_experiment(dataset.TRAINING_IMAGES)),
        test=update(of_experiment(dataset.TEST_IMAGES)),
        classes=update(of_experiment(dataset.CLASSES)),
    log:
        f"{LOGS}/dataset/images.log",
    params:
        *fingerprint("prepare_images.py"),
        settings=dataset_settings(),
    script:
        "../scripts/prepare_images.py"


rule measure_normalisation:
    input:
        images=of_experiment(dataset.TRAINING_IMAGES),
    output:
        normalisation=of_experiment(dataset.NORMALISATION),
    log:
        f"{LOGS}/dataset/normalisation.log",
    params:
        *fingerprint("measure_normalisation.py"),
    script:
        "../scripts/measure_normalisation.py"
