#!/usr/bin/python3
"""runner.py [-k PATTERN] [--claims DESCRIPTOR [--patient]] [--before-reboot | --after-reboot]: runs the tests of
test_*.py beside it, inside a lab. With --claims several labs share them: each takes the next free class, by a file of
its name in a common directory. A class runs once for each of its scopes on each release. Classes marked any_release
(modules: ANY_RELEASE) test only our programs and the kernel, and run once on any release. While there are other
classes, those that mostly wait are left to a lab that is --patient, so that the processors stay busy.

Prints one line for each test; after a failure its reason and the journal since the test began. Failed tests run once
more, alone, after all others, only to show whether they always fail (those after a reboot do not: the reboot belongs to
them): a test that passes then is flaky, and still counts as failed. Each of them then gets a line with the reason. The
last line is "N passed, N failed". The exit status is 0 even after failures; 3 if --before-reboot finds no reason to
reboot."""

import argparse
import fnmatch
import importlib
import os
import pathlib
import platform
import signal
import subprocess
import sys
import time
import traceback
import unittest

import harness

HERE = pathlib.Path(__file__).parent
NOTHING_TO_DO = 3
JOURNAL_LINES = 200
REASON_LENGTH = 600


class Result(unittest.TestResult):
    """Prints each outcome at once; all but a success is a failure."""

    def __init__(self):
        super().__init__()
        self.passed = self.failed = 0
        self.reasons = []
        self.to_repeat = {}

    def startTest(self, test):
        super().startTest(test)
        self.began = time.time()
        self.reasons = []

    def stopTest(self, test):
        super().stopTest(test)
        self.tell(not self.reasons, name_of(test), time.time() - self.began)
        for reason in self.reasons:
            print(indent(reason))
        if self.reasons:
            print(indent(journal_since(self.began)), flush=True)
            self.to_repeat[test] = self.reasons[0]

    def tell(self, passed, name, seconds):
        self.passed += passed
        self.failed += not passed
        print(f"{'ok  ' if passed else 'FAIL'} {name} ({seconds:.1f} s)", flush=True)

    def addError(self, test, error):
        self.reasons.append(explain(error[1]))
        if not hasattr(test, "scope"):  # a setUpClass or the like failed: no test begins or ends
            self.tell(False, str(test), 0)
            tell_failing("failed", str(test), self.reasons.pop())

    addFailure = addError

    def addSubTest(self, test, subtest, error):
        if error is not None:
            self.reasons.append(f"{subtest._subDescription()} " + explain(error[1]))

    def addSkip(self, test, reason):
        self.reasons.append(f"skipped, which counts as failed: {reason}")

    def addExpectedFailure(self, test, error):
        self.reasons.append("an expected failure counts as failed")

    def addUnexpectedSuccess(self, test):
        self.reasons.append("unexpected success")


def tell_failing(how, name, reason):
    print(f"{how}: {name}: {' | '.join(reason.split(chr(10)))[:REASON_LENGTH]}")


def explain(error):
    """The frames in our own files, one a line, and the message."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if frame.filename.startswith(str(HERE)) and frame.name != "limited"]
    where = [f"{pathlib.Path(frame.filename).name}:{frame.lineno}: {frame.line}" for frame in ours]
    return "\n".join([*where, "".join(traceback.format_exception_only(error))])


def indent(text):
    return "\n".join("    | " + line for line in text.rstrip().splitlines())


def journal_since(began):
    """Its last lines. --lines does not help: with --since it shows the first ones."""
    argv = ["journalctl", "--no-pager", "--quiet", "--output=short-precise", "--all", f"--since=@{began}"]
    lines = subprocess.run(argv, capture_output=True, text=True).stdout.splitlines()
    return "\n".join(lines[-JOURNAL_LINES:])


def name_of(test):
    method = getattr(test, "_testMethodName", "")
    return f"{type(test).__module__}.{type(test).__name__}[{test.scope}].{method}"


def classes():
    """Every test class of every module, once for each of its scopes; any_release of each is a truth value."""
    for module in [importlib.import_module(path.stem) for path in sorted(HERE.glob("test_*.py"))]:
        for cls in vars(module).values():
            if isinstance(cls, type) and issubclass(cls, harness.Case) and cls.__module__ == module.__name__:
                anywhere = cls.any_release or getattr(module, "ANY_RELEASE", False)
                for scope in cls.scopes:
                    here = scope in anywhere if isinstance(anywhere, tuple) else anywhere
                    yield type(cls.__name__, (cls,), {"scope": scope, "any_release": here, "__module__": cls.__module__})


def in_order(options, found):
    """Classes for labs of this release come before those for any, and those that may take long before others: no lab is to
    begin a long one when the others are done."""
    tests_of = unittest.TestLoader().getTestCaseNames
    return sorted(found, key=lambda cls: (cls.waits != options.patient, cls.any_release, -len(tests_of(cls)) * cls.timeout))


def is_taken(options, name, any_release=False):
    """Has another lab taken it? If not, this one takes it."""
    if options.claims is None:
        return False
    release = "any" if any_release else platform.freedesktop_os_release()["VERSION_CODENAME"]
    try:
        os.close(os.open(f"{release}.{name}", os.O_CREAT | os.O_EXCL | os.O_WRONLY, dir_fd=options.claims))
    except FileExistsError:
        return True
    return False


def tests(options, across_reboot):
    """Each class with those of its tests that are to run. One across a reboot is nobody's own: they share the reboot."""
    loader = unittest.TestLoader()
    for cls in in_order(options, classes()):
        if issubclass(cls, harness.RebootCase) == across_reboot:
            suite = loader.loadTestsFromTestCase(cls)
            chosen = [test for test in suite if fnmatch.fnmatchcase(name_of(test), f"*{options.pattern}*")]
            name = f"{cls.__module__}.{cls.__name__}[{cls.scope}]"
            if chosen and (across_reboot or not is_taken(options, name, cls.any_release)):
                yield cls, chosen


def before_reboot(options, result):
    """Prepares every class that is tested across a reboot. Reports a failed preparation; its tests will fail too."""
    prepared = False
    if is_taken(options, "reboot"):
        return False
    for cls, chosen in tests(options, across_reboot=True):
        prepared = True
        test = chosen[0]
        try:
            with harness.time_limit(cls.timeout):
                test.before_reboot()
        except BaseException as error:
            result.tell(False, name_of(test), 0)
            tell_failing("failed", name_of(test), explain(error))
    return prepared


def repeat(tests):
    """Which of them fail again?"""
    if not tests:
        return {}
    print("once more:", flush=True)
    again = Result()
    for test in tests:
        unittest.TestSuite([test]).run(again)
    return again.to_repeat


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("-k", dest="pattern", default="")
    parser.add_argument("--claims", type=int)
    parser.add_argument("--patient", action="store_true")
    parser.add_argument("--before-reboot", action="store_true")
    parser.add_argument("--after-reboot", action="store_true")
    options = parser.parse_args()

    # A shell starts background jobs with these signals ignored, and child processes of tests would inherit that.
    for number in (signal.SIGINT, signal.SIGQUIT):
        signal.signal(number, signal.SIG_DFL)
    result = Result()
    nothing_to_do = False
    if options.before_reboot:
        nothing_to_do = not before_reboot(options, result)
    else:
        for _cls, chosen in tests(options, across_reboot=options.after_reboot):
            unittest.TestSuite(chosen).run(result)
    failing = result.to_repeat if options.after_reboot else repeat(result.to_repeat)
    for test, reason in result.to_repeat.items():
        tell_failing("failed" if test in failing else "flaky", name_of(test), reason)
    print(f"{result.passed} passed, {result.failed} failed")
    return NOTHING_TO_DO if nothing_to_do else 0


if __name__ == "__main__":
    sys.exit(main())
