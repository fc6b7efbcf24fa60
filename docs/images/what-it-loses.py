"""The README's third picture: a network that leans on its ten filters, beside one that doesn't.

    python docs/images/what-it-loses.py DEMO REFERENCE

DEMO and REFERENCE are `ablation/accuracy.csv` of presets/demo.yaml and of the published network
(docs/results.md says with which weights).
"""

import sys
from pathlib import Path

import pandas as pd

REPOSITORY = Path(__file__).parents[2]
sys.path.insert(0, str(REPOSITORY / "scripts"))
from convprobe import style  # noqa: E402

PICTURE = Path(__file__).with_suffix(".png")
NETWORKS = ("the demo, drawn shapes", "the published network, CIFAR-10")


def draw(axes, path, name):
    """The change of accuracy without the chosen filters, and without each draw of random ones."""
    table = pd.read_csv(path).set_index("variant")
    table[["change", "change_low", "change_high"]] *= 100
    chosen = table.loc["ablated"]
    draws = table[table.index.str.startswith("random")]["change"]
    whiskers = [
        [chosen["change"] - chosen["change_low"]],
        [chosen["change_high"] - chosen["change"]],
    ]
    axes.axvline(0, color=style.GREY, linewidth=style.THIN)
    axes.errorbar(
        chosen["change"], 1, xerr=whiskers, fmt="o", color=style.ORANGE, linewidth=style.THICK
    )
    axes.plot(draws, [0] * len(draws), "|", color=style.INK, markersize=14)
    count = len(chosen["filters"].split())
    axes.set_yticks([1, 0], [f"the {count} chosen filters", f"{len(draws)} draws of {count}"])
    axes.set(ylim=(-0.6, 1.6))
    accuracies = f"{table.loc['clean', 'accuracy']:.1%} with all"
    axes.set_title(f"{name}: {accuracies}, {chosen['accuracy']:.1%} without ten", loc="left")


def main():
    figure = style.new(6.4, 3)
    panels = figure.subplots(2, 1, sharex=True)
    for axes, path, name in zip(panels, sys.argv[1:], NETWORKS, strict=True):
        draw(axes, path, name)
    panels[-1].set_xlabel("change of accuracy without them, percentage points")
    figure.savefig(PICTURE)


if __name__ == "__main__":
    main()
