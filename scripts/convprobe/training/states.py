"""Which states of the optimizer stay on the disk.

A state is needed only to train the epoch after it. Snakemake doesn't miss a file that no due job
reads, so deleting one makes nothing stale. Where a due job does read it, the epochs from the last
state that is there are trained again, to the same bytes.
"""

from collections.abc import Collection, Sequence
from pathlib import Path

from convprobe.store import files


def discard(states: Sequence[Path | str], discarded: Collection[int]) -> list[int]:
    """Delete states of the optimizer.

    Args:
        states: path of the state after each epoch, from epoch 1 on.
        discarded: the epochs after which it is deleted.

    Returns:
        the epochs whose state is not there, whether it was deleted now or before.
    """
    gone = []
    freed = 0
    for epoch, state in enumerate(map(Path, states), start=1):
        if epoch in discarded:
            freed += state.stat().st_size if state.exists() else 0
            state.unlink(missing_ok=True)
            files.digest_path(state).unlink(missing_ok=True)  # left if a job was killed between
        if not state.exists():
            gone.append(epoch)
    print(f"{freed / 1e6:.0f} MB freed: no optimizer state after {len(gone)} epochs", flush=True)
    return gone
