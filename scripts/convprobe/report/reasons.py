"""Why a claim was not tested, as the verdict on it says."""

UNTESTED = "not tested: "  # begins such a verdict; the reason follows
AT_CHANCE = "can't be told from chance"

# These hold of a whole experiment: it isn't the published study.
OTHER_CLASSES = f"{UNTESTED}not CIFAR-10"
OTHER_IMAGES = f"{UNTESTED}other images than CIFAR-10's"
OTHER_NETWORK = f"{UNTESTED}not the published network"
OTHER_STUDY = (OTHER_CLASSES, OTHER_IMAGES, OTHER_NETWORK)
