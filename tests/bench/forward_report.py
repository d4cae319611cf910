"""Turns what forward.py prints into tables. Every figure comes from one run; nothing is rounded but for showing it."""

import dataclasses
import statistics
import time

import report

OURS = "sockwake"
PROXYD = "proxyd"
DIRECT = "none"
PIPE = 65536  # bytes that a pipe holds unless its user has too many (pipe(7))


@dataclasses.dataclass(frozen=True)
class Quantity:
    """A column. `load` and `key` lead to its figure in each measurement, `scale` and `digits` show it."""

    title: str
    load: str
    key: str = "rate"
    unit: str = "/s"
    scale: float = 1
    digits: int = 0
    less_is_better: bool = False

    def show(self, value):
        return "–" if value is None else f"{value * self.scale:,.{self.digits}f}"

    @property
    def heading(self):
        return f"{self.title}, {self.unit}"


REDIS_50 = Quantity("redis GET, 50 connections", "redis-50")
REDIS_1 = Quantity("redis GET, 1 connection", "redis-1")
STREAM_1 = Quantity("iperf3, 1 stream", "stream-1", unit="Gbit/s", scale=1e-9, digits=1)
STREAM_8 = Quantity("iperf3, 8 streams", "stream-8", unit="Gbit/s", scale=1e-9, digits=1)
CONNECTIONS = Quantity("new connections, HTTP", "connections")
REQUESTS = Quantity("HTTP keep-alive, 32 connections", "requests")
ECHO = Quantity("UDP echo, 64 B", "echo")
PROCESSOR_1 = Quantity("CPU, 1 stream", "stream-1", "processor", "s/GB", digits=3, less_is_better=True)
PROCESSOR_8 = Quantity("CPU, 8 streams", "stream-8", "processor", "s/GB", digits=3, less_is_better=True)
RATES = (REDIS_50, REDIS_1, CONNECTIONS, REQUESTS, STREAM_1, STREAM_8, ECHO)
COSTS = (PROCESSOR_1, PROCESSOR_8)
LATENCIES = tuple(
    Quantity(rate.title, rate.load, "p99", "ms", 1e3, 3, less_is_better=True)
    for rate in (REDIS_50, REDIS_1, CONNECTIONS, REQUESTS, ECHO)
)


class Figures:
    """What was measured, by path and quantity. What a path does not carry is None."""

    def __init__(self, results):
        self.titles = results["titles"]
        self.memory = results["memory"]
        self.measurements = results["figures"]

    def values(self, path, quantity):
        """One a round."""
        runs = self.measurements.get(path, {}).get(quantity.load, [])
        return [run[quantity.key] for run in runs if quantity.key in run]

    def median(self, path, quantity):
        values = self.values(path, quantity)
        return statistics.median(values) if values else None

    def ratio(self, path, quantity):
        """How many times better sockwake is than another path."""
        ours, theirs = self.median(OURS, quantity), self.median(path, quantity)
        if not ours or not theirs:
            return None
        return theirs / ours if quantity.less_is_better else ours / theirs

    def ratios(self, path, quantity):
        """The same for every round."""
        pairs = zip(self.values(OURS, quantity), self.values(path, quantity))
        return [theirs / ours if quantity.less_is_better else ours / theirs for ours, theirs in pairs]

    def best_other(self, quantity):
        """The proxy that is best at it, sockwake aside."""
        proxies = (path for path in self.titles if path not in (OURS, DIRECT))
        others = [path for path in proxies if self.median(path, quantity) is not None]
        return max(others, key=lambda path: self.median(path, quantity), default=None)


def tables(results, markdown):
    show = report.Format(markdown)
    figures = Figures(results)
    machine = results["machine"]
    parts = [show.heading("Forwarding"), show.text(f"{report.about(machine)} {versions(machine)}")]
    if markdown:
        parts += [
            show.text(
                f"Measured {time.strftime('%Y-%m-%d')} by `make bench-proxy BENCH_OPTIONS=--write`, which writes this "
                "section."
            ),
            show.text("![What each proxy forwards](performance.svg)"),
        ]
    if machine["pipe"] < PIPE:
        parts.append(show.text("The user had so many pipes that new ones were tiny: who splices was slowed down."))
    parts += [
        show.text(method(results)),
        show.table(("", *(quantity.heading for quantity in RATES)), list(rows(figures, RATES))),
        show.text("99th percentiles in milliseconds:"),
        show.table(("", *(quantity.title for quantity in LATENCIES)), list(rows(figures, LATENCIES))),
        show.text("Costs: processor time (user and kernel) of the forwarding processes, and their private memory:"),
        show.table(("", *(quantity.heading for quantity in COSTS), *MEMORY), list(costs(figures))),
    ]
    if OURS in figures.titles:
        parts += [
            show.text("How many times better sockwake is:"),
            show.table(("", *(quantity.title for quantity in RATES + COSTS)), list(comparison(figures))),
            show.text("Against the targets:"),
            show.table(("", "measured", "rounds from – to", "target", ""), list(targets(figures))),
        ]
    return "\n\n".join(parts)


def versions(machine):
    names = {"haproxy": "HAProxy", "passt": "pasta", "redis-tools": "redis-benchmark", "wrk": "wrk", "iperf3": "iperf3"}
    return ", ".join(f"{title} {machine[name]}" for name, title in names.items()) + "."


def method(results):
    measurements = [run for loads in results["figures"].values() for runs in loads.values() for run in runs]
    busy = [run["busy"] for run in measurements]
    rounds = f"{results['rounds']} rounds" if results["rounds"] > 1 else "one round"
    return (
        f"Medians of {rounds} in which all take turns, {results['seconds']} s for each figure; clients, proxies and "
        "servers share the processors. Clients connect to 127.0.0.1; without a proxy they are inside the container's network "
        "namespace. The servers run in containers of one image; iperf3, the UDP echo and the keeper of idle connections "
        "run beside them in the containers' network namespaces. systemd-socket-proxyd, HAProxy and sockwake forward to "
        "the same container; sockwake as `sockwake create` makes it, confined, under its unit. HAProxy splices "
        "(`option splice-auto`). During the measurements the machine was busy with other things to "
        f"{statistics.median(busy):.0%} (median), {max(busy):.0%} at most."
    )


def rows(figures, quantities):
    for path, title in figures.titles.items():
        yield title, *(quantity.show(figures.median(path, quantity)) for quantity in quantities)


MEMORY = ("no connection, kB", "each of 1,000 idle ones, bytes")


def costs(figures):
    for path, row in zip(figures.titles, rows(figures, COSTS)):
        memory = figures.memory.get(path)
        yield *row, *((f"{memory['empty'] / 1e3:,.0f}", f"{memory['connection']:,.0f}") if memory else ("–", "–"))


def comparison(figures):
    for path, title in figures.titles.items():
        if path != OURS:
            ratios = (figures.ratio(path, quantity) for quantity in RATES + COSTS)
            yield f"than {title}", *("–" if ratio is None else f"{ratio:.2f}" for ratio in ratios)


def targets(figures):
    """Rows: what, measured, the range over the rounds, target, reached. A row of which a half was not measured is left
    out."""
    yield from against(figures, REDIS_50, PROXYD, 1.7)
    yield from against(figures, REDIS_50, "pasta", 1.05)
    yield from against(figures, REDIS_1, figures.best_other(REDIS_1), 1)
    yield from against(figures, STREAM_1, figures.best_other(STREAM_1), 1)
    yield from against(figures, STREAM_8, figures.best_other(STREAM_8), 1)
    yield from against(figures, CONNECTIONS, PROXYD, 1.3)
    yield from against(figures, REQUESTS, PROXYD, 1.4)
    yield from against(figures, PROCESSOR_1, PROXYD, 1)
    yield from against(figures, PROCESSOR_8, PROXYD, 1)
    yield from against(figures, ECHO, figures.best_other(ECHO), 1)

    memory = figures.memory[OURS]
    empty, connection = memory["empty"], memory["connection"]
    yield verdict("private memory, no connection", f"{empty / 1e3:.0f} kB", "", "≤ 450 kB", empty <= 450e3)
    yield verdict("private memory, each idle connection", f"{connection:.0f} B", "", "≤ 1,000 B", connection <= 1000)
    crowded = Quantity("", "crowded", "ratio")
    left = figures.median(OURS, crowded)
    what = "redis GET, 50 connections, beside 9,000 idle ones: share that is left"
    yield verdict(what, f"{left:.3f}", span(figures.values(OURS, crowded), 3), "> 0.95", left > 0.95)


def against(figures, quantity, other, least):
    ratio = figures.ratio(other, quantity)
    if ratio is not None:
        what = f"{quantity.heading}: times better than {figures.titles[other]}"
        ratios = span(figures.ratios(other, quantity), 2)
        yield verdict(what, f"{ratio:.2f}", ratios, f"≥ {least}", ratio >= least)


def span(values, digits):
    return f"{min(values):.{digits}f} – {max(values):.{digits}f}"


def verdict(what, measured, seen, target, reached):
    return what, measured, seen, target, "reached" if reached else "missed"
