"""What a network takes images for, and how often it is right."""

import torch
from torch.nn import functional as F

from convprobe import runtime
from convprobe.network import as_input

BATCH = 500  # images at a time; bounds the memory, doesn't change the result


@torch.inference_mode()
def predict(network, images, job=runtime.IDLE, batch=BATCH):
    """Logits of images, in float32.

    Args:
        network: in evaluation mode, on the device where it is to run.
        images: datasets.Images.
        batch: images at a time; doesn't change the result.

    Returns:
        float32 (image, class), on the CPU.
    """
    device = next(network.parameters()).device

    def logits(pixels):
        return network(as_input(pixels.to(device))).cpu()

    return torch.cat(list(job.batches(logits, torch.from_numpy(images.pixels), batch, "images")))


def evaluate(network, images, job=runtime.IDLE):
    """Mean cross-entropy and accuracy: dict of `loss`, `accuracy` and `images`, the number counted."""
    logits, labels = predict(network, images, job), torch.from_numpy(images.labels)
    return {
        "loss": F.cross_entropy(logits.double(), labels).item(),
        "accuracy": (logits.argmax(1) == labels).double().mean().item(),
        "images": len(labels),
    }
