"""The parts of a wake, in order: what divides them is stamped by systemd, by sockwake's programs and by the client."""

import struct

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

# The statistics file (common/stats.h) as far as it is needed here.
STATISTICS = struct.Struct("=QII11Q")
MAGIC = int.from_bytes(b"sockwake", "little")
VERSION = 1
FIELDS = (
    *("magic", "version", "size", "wakes", "wake_wall", "t_spawned", "t_main", "t_started", "t_inspected"),
    *("container_pid", "flags", "t_proxy", "t_ready", "t_accepting"),
)
STAMPS = ("t_main", "t_started", "t_inspected", "t_proxy", "t_ready", "t_accepting")


def read_statistics(path):
    with open(path, "rb") as file:
        fields = dict(zip(FIELDS, STATISTICS.unpack_from(file.read())))
    if (fields["magic"], fields["version"]) != (MAGIC, VERSION):
        raise ValueError(f"{path}: not a statistics file of version {VERSION}")
    return fields


def divide(began, forked, statistics, answered):
    """Seconds for each of PHASES. All times are CLOCK_MONOTONIC; `forked` and those in the file are in microseconds."""
    stamps = [began * 1e6, forked, *(statistics[stamp] for stamp in STAMPS), answered * 1e6]
    return {name: (after - before) / 1e6 for (name, _), before, after in zip(PHASES, stamps, stamps[1:])}
