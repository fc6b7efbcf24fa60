"""What the study's claims are held against: curves, and the probed network of each seed."""

from dataclasses import dataclass
from typing import Any

import pandas as pd

from convprobe.ablation import tabulation
from convprobe.report import published, reasons
from convprobe.report.clean_answers import Answers


@dataclass(frozen=True)
class SeedEvidence:
    """What is known of one seed: its probed network.

    Attributes:
        selection: content of the run's `selection.json`; None of weights from elsewhere.
        summary, localisation: of its occlusion maps.
        accuracies: of the network's variants, `accuracy.csv`; None of a network without filters.
        predictions: `predictions.csv`, likewise.
        clean: how often it is right; None where `predictions` says so.
    """

    selection: dict[str, Any] | None
    summary: pd.DataFrame
    localisation: pd.DataFrame
    accuracies: pd.DataFrame | None = None
    predictions: pd.DataFrame | None = None
    clean: Answers | None = None

    @property
    def has_learned(self) -> bool:
        """Whether it is certainly better than chance."""
        chosen_among = self.selection["chosen_among"] if self.selection else 1
        if self.clean is not None:
            return self.clean.better_than_chance(chosen_among)
        return tabulation.better_than_chance(self.predictions, chosen_among)

    @property
    def accuracy(self) -> float:
        """That of the network with all filters, from 0 to 1."""
        if self.clean is not None:
            return self.clean.accuracy
        return self.accuracies.set_index("variant").loc["clean", "accuracy"]

    @property
    def images(self) -> int:
        """How many test images its accuracy was counted on."""
        if self.clean is not None:
            return self.clean.images
        return int(self.accuracies["images"].iloc[0])


@dataclass(frozen=True)
class Evidence:
    """What the claims are held against.

    Attributes:
        curves: tables of `learning-curve.csv` by role, `normalised` and `raw`, one for each seed;
            a role that no run plays is missing.
        probed: the probed network of each seed.
        normalisation: content of `normalisation.json`.
        classes: names of the data set's.
        network: the config's.
        chosen: names of the filters that the ablated network is without.
        mode: in which they are switched off.
        tested: test images of each class, by its name; None where `predictions` says so.
    """

    curves: dict[str, list[pd.DataFrame]]
    probed: list[SeedEvidence]
    normalisation: dict[str, Any]
    classes: list[str]
    network: dict[str, Any]
    chosen: list[str]
    mode: str
    tested: dict[str, int] | None = None

    @property
    def images(self) -> int:
        """How many test images there are."""
        return self.probed[0].images if self.tested is None else sum(self.tested.values())

    @property
    def at_chance(self) -> str | None:
        """That the probed network isn't certainly better than chance with each seed, or None."""
        unlearned = sum(not probed.has_learned for probed in self.probed)
        if not unlearned:
            return None
        if len(self.probed) == 1:
            return reasons.AT_CHANCE
        return f"{reasons.AT_CHANCE} with {unlearned} of {len(self.probed)} seeds"

    @property
    def unlearned(self) -> str | None:
        """Why nothing can be said of what the probed network has learned, or None."""
        if self.at_chance is None:
            return None
        return f"{reasons.UNTESTED}the network's accuracy {self.at_chance}"

    @property
    def is_of_occluded_images(self) -> bool:
        """Whether the probed network's accuracy is known on the occluded images alone."""
        return self.chosen == [] and self.probed[0].selection is None

    @property
    def windows(self) -> list[int]:
        """Sides of the occluding windows, the smallest first."""
        return sorted(self.probed[0].summary["window"].unique().tolist())

    @property
    def costs(self) -> list[tabulation.Cost]:
        """What the chosen filters cost with each seed."""
        return [tabulation.cost(probed.accuracies) for probed in self.probed]

    @property
    def other_data(self) -> str | None:
        """Why claims about CIFAR-10's classes can't be tested, or None."""
        return published.other_data(self.classes, self.normalisation)

    @property
    def other_study(self) -> str | None:
        """Why accuracies can't be held against the study's, or None."""
        return self.other_data or published.other_network(self.network)

    @property
    def other_ablation(self) -> str | None:
        """Why the loss of accuracy can't be held against the study's, or None."""
        if self.other_study:
            return self.other_study
        if set(self.curves) == {"raw"} and self.probed[0].selection is not None:
            return f"{reasons.UNTESTED}the network was trained without normalisation"
        return published.other_ablation(self.chosen, self.mode)
