"""The learning curve as a figure."""

from convprobe import style

# Split, colour and dashes of each line.
LINES = (("train", style.GREY, "--"), ("validation", style.ORANGE, ":"), ("test", style.BLUE, "-"))


def learning_curve(path, table, selection, run):
    """Accuracy and loss over the epochs, the selected epoch marked.

    Args:
        table: of selection.learning_curve.
        selection: the content of `selection.json`.
        run: its name, for the title.
    """
    figure = style.new(7, 3.2)
    panels = dict(zip(("accuracy", "loss"), figure.subplots(1, 2), strict=True))
    for quantity, axes in panels.items():
        for split, colour, dashes in LINES:
            if f"{split}_{quantity}" in table:
                values = table[f"{split}_{quantity}"]
                axes.plot(table["epoch"], values, dashes, color=colour, label=split, marker=".")
        axes.axvline(selection["epoch"], color="black", linewidth=0.8)
        axes.set(xlabel="epoch", ylabel=quantity, ylim=(0, None))
        axes.xaxis.get_major_locator().set_params(integer=True)
    panels["accuracy"].set_ylim(0, 1)
    panels["accuracy"].legend(loc="best")
    panels["loss"].set_ylim(top=1.1 * panels["loss"].dataLim.ymax)
    panels["loss"].set_ylabel("loss (cross-entropy)")
    figure.suptitle(
        f"Run {run}: epoch {selection['epoch']} is probed, {selection['test_accuracy']:.1%} test accuracy"
    )
    how = "chosen in the config" if selection["policy"] == "fixed" else "the best"
    style.save(
        figure,
        path,
        f"Accuracy and loss after each epoch; train values are means over the epoch while the network learns. "
        f"Black line: the epoch that is probed, {how}. Highest test accuracy: epoch {selection['best_epoch']}.",
    )
