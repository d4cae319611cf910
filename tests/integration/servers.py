"""Servers made of busybox, for what real ones do not do on demand. Each function returns the command of a container; as
the first process of a container it would not hear SIGTERM, so create it with options=STOP_AT_ONCE."""

import shlex

STOP_AT_ONCE = ("--stop-signal=KILL",)


def escaped(data):
    """Bytes as printf(1) takes them."""
    return "".join(f"\\{byte:03o}" for byte in data)


def answering(port, per_connection, before=""):
    """Listens on `port` and runs a shell command for every connection."""
    return ("sh", "-c", f"{before}exec nc -ll -p {port} -e sh -c {shlex.quote(per_connection)}")


def hesitant(port, not_yet, ready, speaks_first=False):
    """Listens at once, but serves only a second later: answers `not_yet` until then."""
    listen = "" if speaks_first else "dd bs=4096 count=1 >/dev/null 2>&1; "
    answer = f"[ -e /tmp/ready ] && printf '{escaped(ready)}' || printf '{escaped(not_yet)}'"
    return answering(port, listen + answer, before="rm -f /tmp/ready; (sleep 1; touch /tmp/ready) & ")


def late(port, seconds, greeting="hello\\n"):
    """Listens only after so many seconds, and greets."""
    return answering(port, f"printf '{greeting}'", before=f"sleep {seconds}; ")
