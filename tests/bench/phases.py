"""The parts of a wake, in order: what divides them is stamped by systemd, by sockwake's programs and by the client."""

PHASES = (
    ("spawn", "systemd notices the client and forks"),
    ("start", "exec, the unit's settings, libraries, up to the activator's main()"),
    ("request", "the engine answers the start or unpause"),
    ("inspection", "inspect, pidfd, inspect"),
    ("hand-over", "nshelper enters and drops, up to the proxy's main()"),
    ("readiness", "the server serves"),
    ("confinement", "the proxy confines itself, READY=1"),
    ("answer", "the client's session through the proxy"),
)

# The parts of `sockwake status --json` (last_wake_ends) with which the phases from "start" to "confinement" end.
PARTS = ("load", "engine", "inspect", "handover", "readiness", "confinement")


def divide(began, forked, ends, answered):
    """Seconds for each of PHASES. All times are in seconds of CLOCK_MONOTONIC; `ends` is what the status says."""
    stamps = [began, forked, *(ends[part] for part in PARTS), answered]
    return {name: after - before for (name, _), before, after in zip(PHASES, stamps, stamps[1:])}
