"""The data set: downloaded if need be, brought into one file, measured."""

from convprobe.dataset import outputs as dataset

ARCHIVE = "cifar-10-python.tar.gz"


def dataset_source():
    """Path of CIFAR-10's files. None for shapes, which are drawn, and for one's own images: Snakemake would
    have these read anew wherever they lie elsewhere, but their content alone counts, see dataset_settings.
    """
    settings = config["dataset"]
    if settings["name"] != "cifar10":
        return []
    if settings["path"].endswith(".tar.gz"):
        return settings["path"]
    unpacked = Path(settings["path"], "cifar-10-batches-py").is_dir()
    return settings["path"] if unpacked else f"{settings['path']}/{ARCHIVE}"


def dataset_settings():
    """What changes the images; of one's own files it is their content, of CIFAR-10's that never changes."""
    settings = {key: value for key, value in config["dataset"].items() if key != "path"}
    if settings["name"] == "image-folder":
        settings["content"] = own_images(
            config["dataset"]["path"], **settings.get("split", {})
        ).digest
    return settings


# Only where nothing is: what is there is CIFAR-10's by its digest, or refused when it is read. So no edit of the code
# and no --forceall makes it due, and it may lie there write-protected, or have been put there by hand.
if config["dataset"]["name"] == "cifar10" and not Path(dataset_source()).exists():

    rule download_cifar10:
        output:
            archive=dataset_source(),
        log:
            f"{LOGS}/dataset/download.log",
        localrule: True  # the nodes of a cluster often have no way out
        script:
            "../scripts/download_cifar10.py"


rule prepare_images:
    input:
        source=ancient(dataset_source()),  # its date says nothing, see dataset_settings
    output:
        # Kept until there is a new one: what a user gives may be broken.
        images=update(of_experiment(dataset.IMAGES)),
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
        images=of_experiment(dataset.IMAGES),
    output:
        normalisation=of_experiment(dataset.NORMALISATION),
    log:
        f"{LOGS}/dataset/normalisation.log",
    params:
        *fingerprint("measure_normalisation.py"),
    script:
        "../scripts/measure_normalisation.py"
