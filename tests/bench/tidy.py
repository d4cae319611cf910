#!/usr/bin/python3
"""tidy.py: takes away what a bench has left in a lab, so that the next one may run there (--reuse)."""

import glob
import os
import sys

sys.path.insert(0, f"{os.path.dirname(os.path.abspath(__file__))}/../integration")

import harness


def tidy(scope):
    harness.run("pkill", "--exact", "iperf3|bench-peer", check=False)
    scope.systemctl("stop", "bench-*.socket", "bench-*.service", check=False)
    scope.clean()
    quadlets = "/etc/containers/systemd" if scope.is_system else f"{scope.home}/.config/containers/systemd"
    for pattern in (f"{scope.unit_directory}/bench-*", f"{quadlets}/bench-*"):
        for path in glob.glob(pattern):
            os.unlink(path)
    scope.systemctl("daemon-reload")


if __name__ == "__main__":
    for scope in harness.BOTH:
        tidy(scope)
