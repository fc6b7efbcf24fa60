"""convprobe: where does a network look, what do its filters answer to, what does it lose without them?"""

import sys

sys.path.insert(0, f"{workflow.basedir}/scripts")


configfile: "config.yaml"


report: "report/workflow.rst"


include: "rules/common.smk"
include: "rules/dataset.smk"
include: "rules/training.smk"
include: "rules/occlusion.smk"
include: "rules/filters.smk"
include: "rules/ablation.smk"
include: "rules/report.smk"


PROBES = occlusion_files() + filter_files() + ablation_files()


include: "rules/verification.smk"


# Seconds each and without the network: on a cluster they run where Snakemake does. So does the download, for the
# nodes of a cluster often have no way out.
localrules:
    download_cifar10,
    tabulate_learning_curve,
    select_epoch,
    plot_learning_curve,
    plot_through_training,
    plot_occlusion_sheet,
    find_top_images,
    cut_patches,
    plot_top_patches,
    plot_filter,
    plot_atlas,
    tabulate_ablations,
    tabulate_confusion,
    list_first_images,
    plot_confusion,
    plot_class_pairs,
    plot_ablation_accuracy,
    plot_gallery,
    write_reproduction_card,
    write_explorer,


rule all:
    default_target: True
    input:
        f"{RESULTS}/reproduction.csv",
        f"{RESULTS}/explorer.html",
        [figures for run in TRAINED for figures in learning_curve(run)],
        [at_probed(run, *PROBES) for run in STUDIED],
        through_training(),


onstart:
    # None where jobs are submitted elsewhere: what they will run on can't be seen from here.
    if workflow.resource_settings.cores:
        print(f"convprobe: {cost.announcement(config, SIZES, workflow.resource_settings.cores)}", flush=True)
    for line in cautions.told(config, SIZES, own_labels):
        print(line, flush=True)


onsuccess:
    print(f"convprobe: done. Open {RESULTS}/explorer.html in a browser;")
    print(f"    tables and figures lie beside it, logs in {LOGS}", flush=True)


onerror:
    print(f"convprobe: stopped. What went wrong stands above and in {LOGS};")
    print("    when that is mended, the same command goes on from here", flush=True)
