"""Verdicts of the reproduction card: what holds, what doesn't, and what chance could pass."""

import numpy as np
import pandas as pd
import pytest

from convprobe import intervals
from convprobe.ablation import tabulation
from convprobe.ablation.tabulation import Variant
from convprobe.occlusion import localisation
from convprobe.report import published, reproduction
from convprobe.report.clean_answers import Answers

CIFAR10 = sorted(published.CIFAR10_CLASSES)
PIXELS = {"mean": [0.49140, 0.48216, 0.44653], "std": [0.24703, 0.24349, 0.26159], "images": 50_000}
SUMMARY_COLUMNS = [
    "window", "image", "class", "clean_confidence", "mean_confidence", "min_confidence",
    "flipped_fraction", "flipped_to",
]  # fmt: skip
OF_SEED = ("selection", "accuracies", "predictions", "summary", "localisation")
LEARNED = "test accuracy of the probed network, above that of the same answer for every image"
RAW = "test accuracy without normalisation, best epoch"
SELECTED = "test accuracy with normalisation, selected epoch"
SWITCHED_OFF = "test accuracy with the chosen filters switched off"
FALL_WHEN_OFF = "fall of test accuracy with the chosen filters switched off"
RANDOM = "share of random draws of as many filters that lower the accuracy at least as much"
BEST_EPOCH = "epoch of the highest test accuracy"
FALL = "fall of test accuracy from its best epoch to the last"
CONFIDENCE = "fall of mean confidence from window 3 to 9"
FLIP = "images of {} whose prediction flips mostly to {} under window 9"
CONFUSION = "images of {} lost with the chosen filters switched off that are predicted as {}"


def curve(*accuracies):
    return pd.DataFrame({"epoch": range(1, len(accuracies) + 1), "test_accuracy": accuracies})


def accuracies(ablated, draws=(), images=10_000, clean=0.812):
    """A table of accuracies; nothing is gained.

    Args:
        clean, ablated, draws: accuracies.
    """
    true = pd.Series(["a"] * images)

    def right_in(share):
        return true.where(np.arange(images) < round(share * images), "b")

    variants = {
        "clean": Variant("", right_in(clean)),
        "ablated": Variant("conv1/1", right_in(ablated)),
    }
    for number, share in enumerate(draws, start=1):
        variants[f"random-{number:02d}"] = Variant("conv1/2", right_in(share))
    return tabulation.accuracies(variants, true)


def summary(window, classes, flipped_to):
    """A summary of maps under one window."""
    rows = []
    for image, (true, predicted) in enumerate(zip(classes, flipped_to, strict=True)):
        rows.append((window, image, true, 0.9, 0.5, 0.1, 0.05, predicted))
    return pd.DataFrame(rows, columns=SUMMARY_COLUMNS)


def four_cats(window, confidence, step):
    table = summary(window, ["cat"] * 4, [None] * 4)
    return table.assign(mean_confidence=[confidence - step * image for image in range(4)])


@pytest.fixture
def probes():
    """1000 images: 40 cats become dogs; 2 deer cats and 18 horses; 20 frogs become birds."""
    true = np.repeat(CIFAR10, 100)
    ablated = true.copy()
    ablated[(true == "cat").nonzero()[0][:40]] = "dog"
    ablated[(true == "deer").nonzero()[0][:20]] = ["cat"] * 2 + ["horse"] * 18
    ablated[(true == "frog").nonzero()[0][:20]] = "bird"
    classes = {"class": true, "clean": true, "ablated": ablated}
    return {
        "accuracies": accuracies(ablated=0.68, draws=(0.8, 0.6)),
        "predictions": pd.DataFrame({"image": range(1000), **classes}),
        "summary": pd.concat([four_cats(3, 0.9, 1 / 100), four_cats(9, 0.6, 1 / 90)]),
        "localisation": pd.DataFrame(columns=localisation.COLUMNS),
    }


def make_card(probes, selected=0.812, **others):
    """The card, by claim, of CIFAR-10 and the published network, but for what is given."""
    return by_claim(evidence_of(probes, selected, **others))


def by_claim(evidence):
    return reproduction.card(evidence).set_index("claim")


def evidence_of(probes, selected=0.812, **others):
    """What `make_card` makes the card of, which takes 20 times as long as one of its rows."""
    others = {"selection": selection(selected)} | others
    of_seed = probes | {name: others.pop(name) for name in OF_SEED if name in others}
    curves = {"normalised": curve(0.7, 0.812, 0.8), "raw": curve(0.6, 0.75, 0.7)}
    curves = others.pop("curves", curves)
    return evidence_of_seeds([of_seed], {role: [table] for role, table in curves.items()}, **others)


def selection(accuracy):
    return {"test_accuracy": accuracy, "best_epoch": 2, "chosen_among": 1}


def card_of_seeds(seeds, curves=(), **others):
    return by_claim(evidence_of_seeds(seeds, curves, **others))


def evidence_of_seeds(seeds, curves=(), **others):
    """The same of several seeds.

    Args:
        seeds: what is known of the probed network of each.
        curves: by role, of each.
    """
    evidence = {
        "curves": dict(curves),
        "probed": [
            reproduction.SeedEvidence(**{"selection": selection(0.8), **seed}) for seed in seeds
        ],
        "normalisation": PIXELS,
        "classes": CIFAR10,
        "network": published.NETWORK,
        "chosen": sorted(published.FILTERS),
        "mode": "zero",
    }
    return reproduction.Evidence(**(evidence | others))


def normalised_curve(probes, *accuracies):
    return make_card(probes, curves={"normalised": curve(*accuracies)})


# Accuracy


def test_accuracies_hold_that_certainly_lie_within_two_points(probes):
    card = make_card(probes)
    assert card.loc[SELECTED, "verdict"] == "holds"
    assert card.loc[RAW, "verdict"] == "measured lower"
    assert card.loc[SWITCHED_OFF, "verdict"] == "holds"


@pytest.mark.parametrize(
    ("selected", "verdict"),
    [
        # Less than 81 by more than counting explains, but perhaps not by more than rounding does.
        (0.795, "undecided"),
        (0.79, "measured lower"),
        (0.84, "measured higher"),
    ],
)
def test_an_accuracy_beside_the_published_one(probes, selected, verdict):
    assert make_card(probes, selected=selected).loc[SELECTED, "verdict"] == verdict


def test_a_few_images_are_not_enough_for_an_accuracy_to_hold(probes):
    few = accuracies(ablated=0.7, images=60)
    row = make_card(probes, accuracies=few, selected=0.8).loc[SELECTED]
    assert row["low"] < 0.71
    assert row["high"] > 0.88
    assert row["verdict"] == "undecided"


def test_a_role_that_no_run_plays_says_so(probes):
    card = make_card(probes, curves={"raw": curve(0.7, 0.77)})
    for claim in (SELECTED, BEST_EPOCH, FALL):
        assert card.loc[claim, "verdict"] == "not tested: no such run"


def test_random_draws_are_counted_if_something_is_lost(probes):
    row = make_card(probes).loc[RANDOM]
    assert (row["measured"], row["verdict"]) == (0.5, "not a claim of the study")
    nothing = accuracies(ablated=0.812, draws=(0.81, 0.80))
    card = make_card(probes, accuracies=nothing)
    assert card.loc[RANDOM, "verdict"] == "not tested: no certain loss worth naming"
    assert card.loc[FALL_WHEN_OFF, "verdict"] == "fails"


@pytest.mark.parametrize(
    ("ablated", "verdict"),
    [(0.812, "fails"), (0.80, "measured lower"), (0.68, "holds"), (0.5, "measured higher")],
)
def test_a_loss_beside_the_published_one(probes, ablated, verdict):
    card = make_card(probes, accuracies=accuracies(ablated=ablated))
    assert card.loc[FALL_WHEN_OFF, "verdict"] == verdict


# What is not held against the study


def test_another_network_is_measured_but_not_judged(probes):
    row = make_card(probes, network={"conv": [], "fc": []}).loc[SELECTED]
    assert (row["measured"], row["verdict"]) == (0.812, "not tested: not the published network")


@pytest.mark.parametrize(
    ("other", "reason"),
    [
        ({"chosen": ["conv1/100"]}, "not tested: other filters"),
        ({"mode": "mean"}, "not tested: switched off in another way"),
    ],
)
def test_another_ablation_is_not_held_against_the_study(probes, other, reason):
    card = make_card(probes, **other)
    assert card.loc[SWITCHED_OFF, "verdict"] == reason
    assert card.loc[FALL_WHEN_OFF, "verdict"] == reason
    assert card.loc[SELECTED, "verdict"] == "holds"


@pytest.mark.parametrize("other", [{"std": [0.2452, 0.2417, 0.2597]}, {"images": 5000}])
def test_images_with_the_class_names_of_cifar10_must_have_its_pixels_too(probes, other):
    card = make_card(probes, normalisation=PIXELS | other)
    for claim in (SELECTED, CONFUSION.format("cat", "dog")):
        assert card.loc[claim, "verdict"] == "not tested: other images than CIFAR-10's"


def test_cifar10_with_images_held_out_is_cifar10(probes):
    held_out = PIXELS | {"mean": [0.4916, 0.4819, 0.4467], "images": 45_000}
    assert make_card(probes, normalisation=held_out).loc[SELECTED, "verdict"] == "holds"


def test_cats_and_dogs_alone_are_not_cifar10(probes):
    """They have the named classes, but no wrong prediction that is none of them."""
    card = make_card(probes, classes=["cat", "dog"])
    for claim in (SELECTED, CONFUSION.format("cat", "dog")):
        assert card.loc[claim, "verdict"] == "not tested: not CIFAR-10"


def test_a_class_without_test_images_is_named(probes):
    few = probes["predictions"].query("`class` != 'truck'")
    card = make_card(probes, predictions=few)
    assert card.loc[SELECTED, "verdict"] == "holds", "no truck among a few test images"
    untested = card.loc["accuracies are those of all classes", "verdict"]
    assert untested == "not tested: no test image of class truck"


def test_a_network_that_has_learned_nothing_is_not_asked_further(probes):
    """Always the same prediction: nothing changes under a window, which is no evidence."""
    guessed = probes["predictions"].assign(clean="cat", ablated="cat")
    card = make_card(probes, predictions=guessed)
    assert card["verdict"].iloc[0] == "can't be told from chance"
    of_probes = card.loc[KEPT:]
    reason = "not tested: the network's accuracy can't be told from chance"
    assert set(of_probes["verdict"]) == {reason}
    # An answer that is right more often than the one given after the last epoch.
    curves = {"normalised": curve(0.6, 0.2, 0.2)}
    fallen = make_card(probes, predictions=guessed, curves=curves).loc[FALL]
    assert (fallen["measured"], fallen["verdict"]) == (pytest.approx(0.4), reason)


# Epochs

RISING = [0.5 + epoch / 100 for epoch in range(12)]


@pytest.mark.parametrize(
    ("accuracies", "verdict"),
    [
        ((*RISING, 0.81, 0.75, 0.74), "holds"),
        ((*RISING, 0.81, 0.809, 0.75), "undecided"),
        ((*RISING, 0.808, 0.81, 0.75), "undecided"),
        ((*RISING, 0.70, 0.81, 0.75), "differs"),
        ((0.5, 0.7), "not tested: no epoch 13"),
    ],
)
def test_the_best_epoch_holds_if_no_other_is_as_good(probes, accuracies, verdict):
    assert normalised_curve(probes, *accuracies).loc[BEST_EPOCH, "verdict"] == verdict


def test_the_fall_after_the_best_epoch(probes):
    fall = normalised_curve(probes, 0.7, 0.812, 0.79).loc[FALL]
    assert (fall["measured"], fall["verdict"]) == (pytest.approx(0.022), "holds")


@pytest.mark.parametrize(
    ("accuracies", "verdict"),
    [
        ((0.7, 0.812, 0.811), "undecided"),
        ((0.7, 0.8), "fails"),
        # No fall is seen, but one worth naming can't be excluded.
        ((0.8, 0.801), "undecided"),
        ((0.8,), "not tested: one epoch"),
    ],
)
def test_a_small_fall_after_the_best_epoch_or_none(probes, accuracies, verdict):
    assert normalised_curve(probes, *accuracies).loc[FALL, "verdict"] == verdict


@pytest.mark.slow
def test_a_curve_that_does_not_fall_seldom_holds_a_fall(probes):
    """The best of 15 equal epochs lies above the last one by chance alone; that is no fall."""
    random = np.random.default_rng(0)
    held = 0
    for _ in range(200):
        flat = random.binomial(10_000, 0.8, 15) / 10_000
        evidence = evidence_of(probes, curves={"normalised": curve(*flat)})
        held += reproduction.fall_after_the_best_epoch(evidence).verdict == "holds"
    assert held <= 10  # one in twenty


# Occlusion

KEPT = "share of positions that keep the prediction under window 3"


@pytest.mark.parametrize(
    ("under_3", "under_9", "verdict"),
    [
        ((0.02, 0.03, 0.04, 0.03), (0.1, 0.2, 0.1, 0.2), "holds"),
        # As of a network that ignores the image, or one that no window troubles.
        ((0.0, 0.0, 0.0, 0.0), (0.0, 0.0, 0.0, 0.0), "undecided"),
        ((0.02, 0.03, 0.04, 0.03), (0.0, 0.1, 0.0, 0.1), "undecided"),
        ((0.7, 0.8, 0.7, 0.8), (0.9, 0.9, 0.9, 0.9), "fails"),
    ],
)
def test_kept_predictions_say_something_where_a_larger_window_changes_more(
    probes, under_3, under_9, verdict
):
    probes["summary"]["flipped_fraction"] = [*under_3, *under_9]
    row = make_card(probes).loc[KEPT]
    assert row["measured"] == pytest.approx(1 - np.mean(under_3))
    assert row["verdict"] == verdict


def test_confidence_falls_with_the_window(probes):
    row = make_card(probes).loc[CONFIDENCE]
    assert (row["measured"], row["verdict"]) == (pytest.approx(0.3, abs=0.01), "holds")


def test_a_fall_of_confidence_that_differs_from_image_to_image_is_undecided(probes):
    probes["summary"]["mean_confidence"] = [0.9, 0.5, 0.9, 0.5, 0.5, 0.9, 0.5, 0.9]
    row = make_card(probes).loc[CONFIDENCE]
    # Differences 0.4, -0.4, 0.4, -0.4: mean 0, deviation 0.4619, t(3) 3.1824, so ± 0.7350.
    assert (row["low"], row["high"]) == pytest.approx((-0.7350, 0.7350), abs=1e-4)
    assert row["verdict"] == "undecided"


def test_a_certain_fall_of_confidence_may_not_be_worth_naming(probes):
    probes["summary"]["mean_confidence"] = [0.9, 0.9, 0.9, 0.9, 0.8999, 0.8999, 0.8999, 0.8998]
    row = make_card(probes).loc[CONFIDENCE]
    assert row["low"] > 0
    assert row["verdict"] == "fails"


def test_the_claim_about_the_object_is_that_of_the_largest_window(probes):
    rows = [
        (3, "contrast", 9, 0.3, 0.1, 0.1, 0.1, 0.3, 0.001, "fails"),
        (9, "hit", 9, 0.3, 0.1, 0.4, 0.1, 0.3, 0.001, "fails"),
        (9, "contrast", 9, 0.3, 0.1, 0.2, 0.1, 0.3, 0.001, "holds"),
    ]
    card = make_card(probes, localisation=pd.DataFrame(rows, columns=localisation.COLUMNS))
    row = card[card.index.str.contains("on the object than beside it")].iloc[0]
    assert (row["measured"], row["verdict"]) == (0.2, "holds")


# Class pairs


def test_named_confusions_are_held_against_the_other_classes(probes):
    card = make_card(probes)
    # No other lost image is predicted as a dog, 2 of 60 as a cat.
    of_cats = card.loc[CONFUSION.format("cat", "dog")]
    assert (of_cats["measured"], of_cats["verdict"]) == (1, "holds")
    of_deer = card.loc[CONFUSION.format("deer", "cat")]
    assert (of_deer["measured"], of_deer["verdict"]) == (0.1, "undecided")
    of_trucks = card.loc[CONFUSION.format("truck", "automobile")]
    assert of_trucks["verdict"] == "not tested: no such image"


def test_the_named_confusions_are_the_published_ones(probes):
    pairs = [
        ("cat", "dog"), ("dog", "cat"), ("frog", "dog"), ("deer", "cat"), ("horse", "cat"),
        ("truck", "automobile"), ("automobile", "truck"),
    ]  # fmt: skip
    claims = [CONFUSION.format(*pair) for pair in pairs]
    assert list(make_card(probes).index[-7:]) == claims


def test_a_class_that_all_lost_images_are_predicted_as_is_no_confusion_of_one(probes):
    lost = probes["predictions"]["class"] != probes["predictions"]["ablated"]
    probes["predictions"].loc[lost, "ablated"] = "dog"
    row = make_card(probes).loc[CONFUSION.format("cat", "dog")]
    assert (row["measured"], row["verdict"]) == (1, "fails")


@pytest.mark.slow
@pytest.mark.parametrize("count", [20, 200])
def test_a_class_that_the_window_looks_like_is_no_confusion(probes, count):
    """Every image flips to automobile or truck: automobiles, then, all to truck."""
    random = np.random.default_rng(0)
    held = 0
    for _ in range(40):
        classes = random.choice(CIFAR10, count)
        flipped_to = random.choice(["automobile", "truck"], count)
        evidence = evidence_of(probes, summary=summary(9, classes, flipped_to))
        rows = reproduction.flips_under_the_largest_window(evidence)
        held += "holds" in {row.verdict for row in rows}
    assert held <= 2  # one in twenty


def test_a_flip_of_one_image_is_undecided(probes):
    one = probes["summary"].assign(flipped_to=["dog", None, None, None] * 2)
    assert make_card(probes, summary=one).loc[FLIP.format("cat", "dog"), "verdict"] == "undecided"


@pytest.mark.parametrize(("cats", "verdict"), [(2, "undecided"), (3, "holds")])
def test_a_pair_must_pass_for_all_pairs_that_are_tried(probes, cats, verdict):
    """Fisher's test: 6 of 231 ways and 10 of 1771; of three pairs one may pass 1 in 120 times."""
    classes = ["cat"] * cats + ["ship"] * 20
    flipped_to = ["dog"] * (cats + 2) + ["frog"] * 18
    card = make_card(probes, summary=summary(9, classes, flipped_to))
    assert card.loc[FLIP.format("cat", "dog"), "verdict"] == verdict


def test_flips_are_counted_under_the_largest_window(probes):
    flipped_to = [*["dog"] * 6, "frog", "cat", *["frog"] * 20]
    largest = summary(9, [*["cat"] * 8, *["ship"] * 20], flipped_to)
    smallest = summary(3, ["cat"] * 28, ["frog"] * 28)
    card = make_card(probes, summary=pd.concat([smallest, largest]))
    row = card.loc[FLIP.format("cat", "dog")]
    # The one that flips to cat is predicted wrong without a window.
    assert (row["measured"], row["verdict"]) == (pytest.approx(6 / 7), "holds")
    of_trucks = card.loc[FLIP.format("truck", "automobile")]
    assert of_trucks["verdict"] == "not tested: no such image"


# Several seeds


def of_seeds(probes, name, values):
    """The evidence of seeds that differ in one thing."""
    return [probes | {name: value} for value in values]


def test_an_accuracy_is_the_mean_over_seeds_with_the_interval_between_them(probes):
    seeds = of_seeds(probes, "selection", map(selection, (0.80, 0.82, 0.84)))
    row = card_of_seeds(seeds, {"normalised": [curve(0.8)] * 3}).loc[SELECTED]
    assert (row["measured"], row["seeds"]) == (pytest.approx(0.82), 3)
    # Deviation 0.02, so ± t(2) 4.3027 × 0.02 / √3.
    assert (row["low"], row["high"]) == pytest.approx((0.770317, 0.869683), abs=1e-6)
    # Wilson: (0.82 + 0.000192 ± 1.96 √(0.82 × 0.18 / 10000 + 9.6e-9)) / 1.000384.
    counting = (row["counting_low"], row["counting_high"])
    assert counting == pytest.approx((0.812348, 0.827407), abs=1e-5)


def test_of_one_seed_both_intervals_are_that_of_counting(probes):
    row = make_card(probes).loc[SELECTED]
    assert row["seeds"] == 1
    assert (row["low"], row["high"]) == (row["counting_low"], row["counting_high"])


@pytest.mark.parametrize(
    ("accuracies", "verdict"),
    [
        ((0.811, 0.812, 0.813), "holds"),
        # One seed at 81 % would hold.
        ((0.77, 0.81, 0.85), "undecided"),
        ((0.770, 0.771, 0.772), "measured lower"),
        ((0.850, 0.851, 0.852), "measured higher"),
        # Two seeds: ± t(1) 12.7062 × 0.002.
        ((0.810, 0.814), "undecided"),
        ((0.812, 0.812), "undecided"),
    ],
)
def test_it_is_decided_by_how_far_seeds_differ(probes, accuracies, verdict):
    seeds = of_seeds(probes, "selection", map(selection, accuracies))
    card = card_of_seeds(seeds, {"normalised": [curve(0.8)] * len(seeds)})
    assert card.loc[SELECTED, "verdict"] == verdict


def test_another_number_of_seeds_may_be_without_normalisation(probes):
    raw = [curve(0.6, 0.76), curve(0.77, 0.6), curve(0.78, 0.7)]
    row = card_of_seeds([probes], {"raw": raw}).loc[RAW]
    assert (row["measured"], row["seeds"]) == (pytest.approx(0.77), 3)


def test_a_loss_is_that_of_all_seeds(probes):
    seeds = of_seeds(probes, "accuracies", map(accuracies, (0.68, 0.69, 0.67)))
    card = card_of_seeds(seeds)
    row = card.loc[FALL_WHEN_OFF]
    # Falls 0.132, 0.122, 0.142.
    assert (row["low"], row["high"]) == pytest.approx(
        (0.132 - 0.024842, 0.132 + 0.024842), abs=1e-6
    )
    assert row["verdict"] == "undecided", "the study's 13 points may be 2 points off"
    assert card.loc[SWITCHED_OFF, "measured"] == pytest.approx(0.68)


def test_a_loss_may_be_another_one_where_it_can_not_be_told_whether_there_is_one(probes):
    """Falls of 0.002, 0.006 and -0.001 might be half a point with other seeds, but never 13."""
    found = map(accuracies, (0.81, 0.806, 0.813))
    row = card_of_seeds(of_seeds(probes, "accuracies", found)).loc[FALL_WHEN_OFF]
    assert row["high"] > 0.005
    assert row["verdict"] == "measured lower"


def test_random_draws_of_all_seeds_are_counted(probes):
    draws = [(0.6, 0.8), (0.8, 0.8), (0.6, 0.6)]
    found = [accuracies(0.68 - seed / 1000, draws=drawn) for seed, drawn in enumerate(draws)]
    row = card_of_seeds(of_seeds(probes, "accuracies", found)).loc[RANDOM]
    assert (row["measured"], row["verdict"]) == (0.5, "not a claim of the study")
    # Wilson of 3 in 6.
    counting = (row["counting_low"], row["counting_high"])
    assert counting == pytest.approx((0.187616, 0.812384), abs=1e-6)


def test_epochs_are_those_of_the_mean_curve_and_each_seed_is_compared_with_itself(probes):
    curves = [curve(0.70, 0.812, 0.78), curve(0.71, 0.81, 0.78), curve(0.80, 0.814, 0.78)]
    card = card_of_seeds([probes] * 3, {"normalised": curves})
    best = card.loc[BEST_EPOCH]
    # The first epoch is lower by 0.112, 0.1 and 0.014: ± t(2) at 97.5 %, 6.2053, × 0.0535 / √3.
    assert (best["measured"], best["low"], best["high"]) == (2, 1, 2)
    assert (best["counting_low"], best["counting_high"]) == (2, 2)
    fall = card.loc[FALL]
    # Falls 0.032, 0.030, 0.034.
    assert (fall["measured"], fall["verdict"]) == (pytest.approx(0.032), "holds")
    assert (fall["low"], fall["high"]) == pytest.approx((0.024835, 0.039165), abs=1e-6)


def test_the_epoch_holds_that_is_best_with_all_seeds(probes):
    curves = [curve(*([0.5 + seed / 1000] * 12), 0.81, 0.75 + seed / 1000) for seed in range(3)]
    card = card_of_seeds([probes] * 3, {"normalised": curves})
    assert card.loc[BEST_EPOCH, "verdict"] == "holds"


def test_few_images_don_t_say_that_epochs_differ_or_that_nothing_falls(probes):
    """With each seed the best epoch is the 14th, by one or two images of 200, and nothing falls."""
    curves = [curve(*([0.5] * 12), 0.80, 0.805 + seed / 10_000) for seed in range(3)]
    few = probes | {"accuracies": accuracies(ablated=0.7, images=200)}
    card = card_of_seeds([few] * 3, {"normalised": curves})
    best = card.loc[BEST_EPOCH]
    assert (best["measured"], best["low"], best["high"]) == (14, 14, 14)
    assert best["counting_low"] <= 13
    assert best["verdict"] == "undecided"
    assert card.loc[FALL, "verdict"] == "undecided"


def test_confidence_is_compared_between_seeds_and_between_images(probes):
    summaries = []
    for seed in range(3):
        table = probes["summary"].copy()
        table.loc[table["window"] == 9, "mean_confidence"] -= seed / 100
        summaries.append(table)
    row = card_of_seeds(of_seeds(probes, "summary", summaries)).loc[CONFIDENCE]
    # By image, 0.3 + 0, 1/900, 2/900, 3/900; by seed, 0, 0.01, 0.02 more.
    middle = 0.3 + 1 / 600 + 0.01
    assert row["measured"] == pytest.approx(middle)
    half = 4.302653 * 0.01 / 3**0.5
    assert (row["low"], row["high"]) == pytest.approx((middle - half, middle + half), abs=1e-6)
    half = 3.182446 * 0.00143444 / 4**0.5
    counting = (row["counting_low"], row["counting_high"])
    assert counting == pytest.approx((middle - half, middle + half), abs=1e-6)
    assert row["verdict"] == "holds"


@pytest.mark.parametrize(
    ("differences", "of_each", "verdict"),
    [
        ((0.2, 0.25, 0.3), "holds", "holds"),
        ((0.1, 0.25, 0.4), "holds", "undecided"),
        ((0.0, 0.001, 0.002), "fails", "fails"),
        # Each seed alone says nothing.
        ((0.0, 0.001, 0.002), "undecided", "undecided"),
    ],
)
def test_the_object_is_looked_at_with_most_seeds(probes, differences, of_each, verdict):
    tables = []
    for difference in differences:
        row = (9, "contrast", 9, 0.3, 0.1, difference, 0.1, 0.3, 0.001, of_each)
        tables.append(pd.DataFrame([row], columns=localisation.COLUMNS))
    card = card_of_seeds(of_seeds(probes, "localisation", tables))
    row = card[card.index.str.contains("on the object than beside it")].iloc[0]
    assert row["measured"] == pytest.approx(np.mean(differences))
    assert np.isnan(row["counting_low"])
    assert row["verdict"] == verdict


@pytest.mark.parametrize("seeds", [1, 3])
def test_what_few_images_say_does_not_hold_with_any_number_of_seeds(probes, seeds):
    """All seeds see the same images, so their agreement is none of images."""
    row = (9, "contrast", 2, 0.3, 0.1, 0.2, 0.1, 0.3, 1.0, "undecided")  # of two images
    flips = probes["summary"].assign(flipped_to=["dog", None, None, None] * 2)
    found = []
    for seed in range(seeds):
        others = ["dog"] + [None] * 16 if seed % 2 else [None] * 17
        of_others = summary(9, ["frog"] * 17, others)
        contrast = (*row[:5], 0.2 + seed / 20, *row[6:])
        changes = {
            "summary": pd.concat([flips, of_others.assign(image=range(4, 21))]),
            "localisation": pd.DataFrame([contrast], columns=localisation.COLUMNS),
            "accuracies": accuracies(ablated=0.68 + seed / 1000, images=100),
            "selection": selection(0.81 + seed / 1000),
        }
        found.append(probes | changes)
    card = card_of_seeds(found, {"normalised": [curve(0.8)] * seeds})
    object_row = card[card.index.str.contains("on the object than beside it")].iloc[0]
    assert object_row["verdict"] == "undecided"
    assert card.loc[FLIP.format("cat", "dog"), "verdict"] == "undecided"
    assert card.loc[SELECTED, "verdict"] == "undecided"
    assert card.loc[SWITCHED_OFF, "verdict"] == "undecided"


def predictions(probes, cats_to_dogs):
    """40 cats are lost, so many as dogs and the others as frogs."""
    table = probes["predictions"].copy()
    lost = table.index[(table["class"] == "cat") & (table["ablated"] == "dog")]
    table.loc[lost[cats_to_dogs:], "ablated"] = "frog"
    return table


@pytest.mark.parametrize(
    ("cats", "verdict"),
    [
        ((40, 38, 36), "holds"),
        # 0.85 ± 0.448 by t(2) at 95 %, but ± 1.23 where one of 7 pairs may pass.
        ((40, 36, 26), "undecided"),
        ((40, 20, 2), "undecided"),
        ((1, 0, 2), "undecided"),  # by counting, 1 of 40 may be 13 %
    ],
)
def test_a_class_pair_must_pass_between_seeds(probes, cats, verdict):
    tables = [predictions(probes, dogs) for dogs in cats]
    row = card_of_seeds(of_seeds(probes, "predictions", tables)).loc[CONFUSION.format("cat", "dog")]
    assert row["measured"] == pytest.approx(sum(cats) / 120)
    assert (row["seeds"], row["verdict"]) == (3, verdict)


def test_a_class_pair_fails_that_is_rare_with_all_seeds_and_in_many_images(probes):
    tables = [pd.concat([predictions(probes, dogs)] * 4) for dogs in (1, 0, 2)]
    card = card_of_seeds(of_seeds(probes, "predictions", tables))
    assert card.loc[CONFUSION.format("cat", "dog"), "verdict"] == "fails"


def test_images_that_seeds_have_in_common_count_once(probes):
    """One seed loses a single cat, to dogs; the other 40, ten of them to dogs."""
    few = predictions(probes, 40)
    lost = few.index[(few["class"] == "cat") & (few["ablated"] == "dog")]
    few.loc[lost[1:], "ablated"] = "cat"
    tables = [few, predictions(probes, 10)]
    row = card_of_seeds(of_seeds(probes, "predictions", tables)).loc[CONFUSION.format("cat", "dog")]
    assert row["measured"] == (1 + 0.25) / 2
    # The means of the bounds of Wilson of 1 in 1 and of 10 in 40.
    counting = (row["counting_low"], row["counting_high"])
    assert counting == pytest.approx(((0.206549 + 0.141871) / 2, (1 + 0.401942) / 2), abs=1e-5)


def test_a_seed_without_an_image_of_the_class_is_left_out(probes):
    kept = probes["predictions"].assign(ablated=probes["predictions"]["clean"])
    tables = [probes["predictions"], kept]
    row = card_of_seeds(of_seeds(probes, "predictions", tables)).loc[CONFUSION.format("cat", "dog")]
    assert (row["measured"], row["seeds"]) == (1, 1)
    assert row["verdict"] == "undecided", "one seed of two is not enough"


def test_one_seed_that_has_learned_nothing_is_enough_not_to_ask_further(probes):
    guessed = probes["predictions"].assign(clean="cat", ablated="cat")
    card = card_of_seeds(of_seeds(probes, "predictions", [probes["predictions"], guessed]))
    assert card["verdict"].iloc[0] == "can't be told from chance"


# A network without filters


def without_filters(probes, right):
    """The card where the network is right about so many of 1000 test images."""
    tested = dict.fromkeys(CIFAR10, 100)
    probed = {name: probes[name] for name in ("summary", "localisation")}
    curves = {"normalised": [curve(0.7, 0.812, 0.8)]}
    answers = {"clean": Answers(right, tested)}
    return card_of_seeds([probed | answers], curves, chosen=[], tested=tested)


def test_without_filters_one_row_says_that_no_loss_was_tested(probes):
    card = without_filters(probes, right=812)
    (claim,) = [claim for claim in card.index if "switched off" in claim]
    reason = "not tested: no layer of this network has filters with maps (height and width)"
    assert card.loc[claim, "verdict"] == reason
    assert not [claim for claim in card.index if "random" in claim]
    row = card.loc[LEARNED]
    assert (row["verdict"], row["measured"]) == ("holds", 0.812)
    assert row["low"] == pytest.approx(intervals.wilson(812, 1000).low)
    assert card.loc[CONFIDENCE, "verdict"] == "holds"


def test_without_filters_a_network_at_chance_is_not_tested_either(probes):
    card = without_filters(probes, right=118)  # of 100 by chance, with a probability of 3.6 %
    assert card.loc[LEARNED, "verdict"] == "can't be told from chance"
    assert card.loc[CONFIDENCE, "verdict"].startswith("not tested: the network's accuracy")
    assert without_filters(probes, right=121).loc[CONFIDENCE, "verdict"] == "holds"


def test_without_filters_a_class_without_test_images_is_named(probes):
    card = card_of_seeds(
        [
            {name: probes[name] for name in ("summary", "localisation")}
            | {"clean": Answers(9, {"cat": 9})}
        ],
        chosen=[],
        tested=dict.fromkeys(CIFAR10[:-1], 1),
    )
    row = card.loc["accuracies are those of all classes"]
    assert row["verdict"] == "not tested: no test image of class truck"
