"""Runs one pytest file and speaks TAP, so that `make check` counts each case.

usage: tap.py FILE
"""

import sys

try:
    import pytest
except ImportError:
    print("1..0 # SKIP python3-pytest is not installed")
    sys.exit(0)


class Tap:
    """Collects reports; a case is `not ok` when any of its phases failed."""

    def __init__(self):
        self.count = 0

    def pytest_addoption(self, parser):
        """What the terminal plugin, which is off, would have: the words of assertions ask for it."""
        parser.addoption("--verbose", type=int, default=0, dest="verbose")

    def line(self, ok, name, note=""):
        self.count += 1
        print(f"{'ok' if ok else 'not ok'} {self.count} - {name}{note}", flush=True)

    def pytest_runtest_logreport(self, report):
        name = report.nodeid.split("::", 1)[-1].replace("#", "_")
        if report.skipped:
            reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else ""
            self.line(True, name, f" # SKIP {reason.removeprefix('Skipped: ')}")
        elif report.failed:
            for text in report.longreprtext.splitlines():
                print(f"# {text}")
            self.line(False, f"{name} ({report.when})")
        elif report.when == "call":
            self.line(True, name)

    def pytest_collectreport(self, report):
        if report.failed:
            for text in report.longreprtext.splitlines():
                print(f"# {text}")
            self.line(False, f"collecting {report.nodeid}")


def main():
    tap = Tap()
    status = pytest.main(
        ["-p", "no:terminal", "-p", "no:cacheprovider", "--capture=fd", sys.argv[1]], plugins=[tap]
    )
    print(f"1..{tap.count}", flush=True)
    return 0 if status in (0, 1) else status


sys.dont_write_bytecode = True
sys.exit(main())
