"""Turns what measure.py and storm.py print into tables, for a terminal or for Markdown. Every figure comes from one run."""

import statistics

import phases

TARGET_OVERHEAD = 20  # milliseconds above the engine alone and systemd alone
TARGET_OVERHEAD_QUADLET = 25  # milliseconds above the unit alone and systemd alone
TARGET_RATIO_ORIGINAL = 3
TARGET_RATIO_LAB = 1
TARGET_RATIO_LAB_QUADLET = 1.5
TARGET_PROCESSES = 2
TARGET_PRIVATE = 450e3  # bytes, of all processes together


def of_wakes(results, markdown):
    show = Format(markdown)
    runs = Runs(results["measurements"])
    parts = [
        show.heading("Waking"),
        show.text(about(results["machine"])),
        show.text(
            f"Milliseconds until a client's `select 1` is answered by PostgreSQL, {results['rounds']} rounds in which "
            "all take turns. Alone: an engine's API request until a client inside the network namespace is answered; "
            "systemd's activation of a service that only answers a byte. Lost: connections that ended without an answer "
            "before one was answered. Just before a measurement the machine was busy with other things to "
            f"{busy(runs, statistics.median):.0%} (median), {busy(runs, max):.0%} at most."
        ),
        show.table(
            ("", "median", "quartiles", "min", "max", "lost"),
            [(title, *spread(runs, name)) for name, title in results["titles"].items()],
        ),
    ]
    ours = [name for name in results["titles"] if name.startswith("bench-sockwake-")]
    if ours:
        parts += [
            show.text("Where the time of sockwake goes, medians in milliseconds:"),
            show.table(
                ("", *(name.removeprefix("bench-sockwake-") for name in ours)),
                [
                    (f"{phase}: {meaning}", *(f"{runs.median(name, 'phases', phase):.1f}" for name in ours))
                    for phase, meaning in phases.PHASES
                ],
            ),
            show.text("Against the targets:"),
            show.table(("", "measured", "target", ""), list(targets(results, runs, ours))),
        ]
    return "\n\n".join(parts)


def of_storms(results, markdown):
    show = Format(markdown)
    rows = []
    for storm in results["storms"]:
        outcomes = storm["outcomes"]
        lost = sum(count for outcome, count in outcomes.items() if outcome.startswith("lost"))
        answered, hanging = outcomes.get("answered", 0), outcomes.get("hanging", 0)
        slowest = f"{storm['slowest'] * 1e3:.0f}"
        rows.append((storm["title"], storm["wakes"], storm["clients"], answered, lost, hanging, slowest))
    outcomes = {outcome for storm in results["storms"] for outcome in storm["outcomes"]}
    reasons = sorted(outcome for outcome in outcomes if outcome.startswith("lost"))
    return "\n\n".join([
        show.heading("Waking under many clients"),
        show.text(about(results["machine"])),
        show.table(("", "wakes", "clients each", "answered", "lost", "hanging", "slowest ms"), rows),
        *map(show.text, reasons),
    ])


def about(machine):
    return (
        f"{machine['system']}, Linux {machine['kernel']}, {machine['processors']} × {machine['model']}, systemd "
        f"{machine['systemd']}, Docker {machine['docker']}, Podman {machine['podman']}."
    )


class Runs:
    """Measurements by name; a key leads to a figure inside a measurement. Times become milliseconds."""

    def __init__(self, measurements):
        self.measurements = measurements

    def __contains__(self, name):
        return name in self.measurements

    def values(self, name, *keys):
        values = self.measurements[name]
        for key in keys:
            values = [value[key] for value in values]
        return sorted(values)

    def median(self, name, *keys):
        return 1e3 * statistics.median(self.values(name, *(keys or ("seconds",))))


def spread(runs, name):
    times = [1e3 * seconds for seconds in runs.values(name, "seconds")]
    low, median, high = statistics.quantiles(times * 2 if len(times) == 1 else times, n=4, method="inclusive")
    lost = sum(measurement.get("lost", 0) for measurement in runs.measurements[name])
    return f"{median:.1f}", f"{low:.1f} – {high:.1f}", f"{times[0]:.1f}", f"{times[-1]:.1f}", str(lost)


def busy(runs, of):
    return of([measurement["busy"] for measurements in runs.measurements.values() for measurement in measurements])


def targets(results, runs, ours):
    """Rows: what, measured, target, reached. A row whose other half was not measured is left out."""
    for name in ours:
        kind = name.removeprefix("bench-sockwake-")
        alone, activation = f"bench-alone-{kind}", f"bench-activation-{'root' if kind.startswith('docker') else 'wake'}"
        if alone in runs and activation in runs:
            overhead = runs.median(name) - runs.median(alone) - runs.median(activation)
            cold = kind.endswith("cold")
            target = TARGET_OVERHEAD_QUADLET if kind == "quadlet" else TARGET_OVERHEAD
            yield row(
                f"{results['titles'][name]}: above engine alone + systemd alone",
                f"{overhead:.1f} ms",
                "" if cold else f"≤ {target} ms",
                None if cold else overhead <= target,
            )
    for other, name, target in (
        ("bench-original", "bench-sockwake-docker-stop", TARGET_RATIO_ORIGINAL),
        ("bench-lab", "bench-sockwake-podman-stop", TARGET_RATIO_LAB),
        ("bench-lab", "bench-sockwake-quadlet", TARGET_RATIO_LAB_QUADLET),
    ):
        if other in runs and name in runs:
            ratio = runs.median(other) / runs.median(name)
            what = f"{results['titles'][name]}: times faster than {results['titles'][other]}"
            yield row(what, f"{ratio:.1f}", f"≥ {target}", ratio >= target)

    processes = max(results["asleep"][name]["processes"] for name in ours)
    yield row("processes while asleep", str(processes), "0", processes == 0)
    file = max(results["asleep"][name]["statistics_bytes"] for name in ours)
    yield row("statistics file while asleep (tmpfs)", f"{file} bytes", "", None)
    processes = max(max(runs.values(name, "processes")) for name in ours)
    yield row("processes while awake", str(processes), f"≤ {TARGET_PROCESSES}", processes <= TARGET_PROCESSES)
    memory = max(max(runs.values(name, "private_bytes")) for name in ours)
    yield row("private memory while awake, the most seen", f"{memory / 1e3:.0f} kB", "≤ 450 kB", memory <= TARGET_PRIVATE)


def row(what, measured, target, reached):
    return what, measured, target, {None: "", True: "reached", False: "missed"}[reached]


class Format:
    """The same tables for a terminal and for Markdown."""

    def __init__(self, markdown):
        self.markdown = markdown

    def heading(self, text):
        return f"## {text}" if self.markdown else text.upper()

    def text(self, text):
        return text

    def table(self, header, rows):
        lines = [tuple(map(str, header)), *(tuple(map(str, row)) for row in rows)]
        widths = [max(map(len, column)) for column in zip(*lines)]

        def line(cells):
            first, *others = cells
            padded = [first.ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(others, widths[1:]))]
            return f"| {' | '.join(padded)} |" if self.markdown else "  ".join(padded).rstrip()

        rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
        return "\n".join([line(lines[0]), *([line(rule)] if self.markdown else []), *map(line, lines[1:])])
