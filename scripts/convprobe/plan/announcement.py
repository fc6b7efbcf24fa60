"""What is said of a run before it starts: what it will roughly take and leave, and what is due."""

from collections.abc import Mapping

from convprobe.job.progress import duration
from convprobe.plan import cost, disk, extent
from convprobe.plan.cost import Setting

IN_ALL = "in all"

Stages = Mapping[str, str]  # by rule
Jobs = Mapping[str, tuple[int, int]]  # how many are due and how many there are, by rule


def of_run(setting: Setting, jobs: Jobs, stages: Stages, one_job: Mapping[str, float]) -> str:
    """The experiment, the device, and what the whole run will roughly cost on it.

    In lines of up to 79 characters.

    Args:
        jobs, stages, one_job: as for `due`.
    """
    times = cost.seconds(setting)
    in_all = sum(times.values())
    computing = extent.job_counts(setting.config, setting.counts)
    # What computes is known of the whole study; of the figures and tables those that are planned.
    for rule, (_, count) in jobs.items():
        if rule not in computing:
            in_all += count * one_job[rule]
            for row, summed in extent.ROWS.items():
                times[row] += count * one_job[rule] if stages[rule] in summed else 0
    spaces = disk.space(setting.config, setting.counts)
    device, name = cost.device()
    experiment = setting.config["experiment"]
    lines = [f"experiment {experiment} on the {device.upper()} ({name}); about, from nothing:"]
    lines.append(_row(IN_ALL, in_all, sum(spaces.values())))
    for row, time in times.items():
        if time or spaces[row]:
            lines.append(_row(row, time, spaces[row]))
    if cost.is_measured(setting):
        lines.append("    by what earlier runs took on this machine")
    else:
        lines.append("    a guess: this machine has not computed all of that before")
    return "\n".join(lines)


def due(jobs: Jobs, stages: Stages, one_job: Mapping[str, float], timed: bool, more: bool) -> str:
    """What is due of a plan, by stage, in lines of up to 79 characters.

    Args:
        jobs: of the plan.
        stages: of all rules, in the order in which they are listed.
        one_job: seconds of a job, by rule.
        timed: whether it is known what the jobs will run on, and so about how long they take.
        more: whether there will be more jobs once the probed epochs are chosen.
    """
    counts = {stage: [0, 0, 0.0] for stage in stages.values()}
    for rule, (waiting, count) in jobs.items():
        stage = counts[stages[rule]]
        stage[0] += waiting
        stage[1] += count
        stage[2] += waiting * one_job[rule]
    waiting, count, time = map(sum, zip(*counts.values(), strict=True))
    about = f", about {duration(time)}" if timed else ""
    lines = [f"due: {waiting} of {count} jobs{about}"]
    for stage, (waiting, count, time) in counts.items():
        if waiting:
            words = duration(time) if timed and time else ""
            lines.append(f"    {stage:<21} {words:>7} {waiting:>8} of {count} jobs")
    if more:
        lines.append("    and the probes of the best epochs, once these are known")
    return "\n".join(lines)


def _row(stage: str, time: float, space: float) -> str:
    return f"    {stage:<21} {duration(time):>7} {in_words(space):>8} on the disk"


def in_words(value: float) -> str:
    """Bytes in words."""
    return f"{value / 1e6:.0f} MB" if value < 1e9 else f"{value / 1e9:.1f} GB"
