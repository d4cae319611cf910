"""What the benches' drivers share: a lab of their own to measure in, and the page that they write."""

import argparse
import json
import os
import pathlib
import re
import subprocess
import sys
import time

PROJECT = pathlib.Path(__file__).resolve().parent.parent.parent
LAB = PROJECT / "tests/integration/lab/lab"
PAGE = PROJECT / "docs/performance.md"
PROCESSORS = 2
QUIET = 0.1  # the share of all processors that is in use on a machine that is quiet enough for figures to be kept ...
QUIET_SECONDS = 10  # ... for so long
PATIENCE = 1800  # seconds to wait for that


def parser(usage, name):
    result = argparse.ArgumentParser(usage=usage)
    result.add_argument("--release", default="trixie")
    result.add_argument("--only", default="")
    result.add_argument("--markdown", action="store_true")
    result.add_argument("--write", action="store_true")
    result.add_argument("--keep", action="store_true")
    result.add_argument("--reuse", action="store_true")
    result.add_argument("--name", default=name)
    return result


def lab(command, *argv, **options):
    return subprocess.run([LAB, command, *argv], check=True, **options)


def processor_time():
    """Ticks of all processors since boot (proc(5), /proc/stat): the busy ones, and all."""
    with open("/proc/stat") as stat:
        ticks = [int(field) for field in stat.readline().split()[1:9]]
    return sum(ticks) - ticks[3] - ticks[4], sum(ticks)


def wait_for_quiet():
    """What is written down is measured on a machine that does nothing else, or not at all."""
    deadline = time.monotonic() + PATIENCE
    busy, total = processor_time()
    while time.monotonic() < deadline:
        time.sleep(QUIET_SECONDS)
        busy_before, total_before = busy, total
        busy, total = processor_time()
        share = (busy - busy_before) / (total - total_before)
        if share <= QUIET:
            return
        print(f"waiting for a quiet machine; now {share:.0%} of it is in use", file=sys.stderr, flush=True)
    sys.exit(f"{sys.argv[0]}: the machine was not quiet for {PATIENCE // 60} min; measure later, or without --write")


def run_inside(options, *program):
    """Boots the lab unless one that is up shall do (--reuse), builds and installs the project there, runs a measuring
    program in it and returns what it found. The lab and all that runs in it is on the first two processors."""
    name = ("--name", options.name)
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:PROCESSORS])
    if not options.reuse:
        lab("down", *name)
    if options.write:
        wait_for_quiet()
    try:
        if not options.reuse:
            lab("up", options.release, *name, *(() if options.keep else ("--owner", str(os.getpid()))))
        lab("exec", *name, "--", "/src/tests/integration/lab/install", stdout=subprocess.DEVNULL)
        inside = ["python3", "-B", f"/src/tests/bench/{program[0]}", *program[1:], *(("--only", options.only) if options.only else ())]
        return json.loads(lab("exec", *name, "--", *inside, stdout=subprocess.PIPE).stdout)
    except subprocess.CalledProcessError as error:
        command = " ".join(map(str, error.cmd))
        sys.exit(f"{sys.argv[0]}: {command}: exit status {error.returncode}; what it said is above")
    finally:
        leave(options)


def leave(options):
    name = ("--name", options.name)
    if options.reuse:
        lab("exec", *name, "--", "python3", "-B", "/src/tests/bench/tidy.py")
    elif not options.keep:
        lab("down", *name)


def write(section, text):
    """Replaces a section of the page, or adds it."""
    begin, end = f"<!-- {section}: written by tests/bench -->", f"<!-- end of {section} -->"
    page = PAGE.read_text() if PAGE.exists() else "# Performance\n"
    block = f"{begin}\n{text}\n{end}"
    pattern = re.compile(f"{re.escape(begin)}.*?{re.escape(end)}", re.DOTALL)
    page = pattern.sub(lambda _: block, page) if pattern.search(page) else f"{page.rstrip()}\n\n{block}\n"
    PAGE.write_text(page)
