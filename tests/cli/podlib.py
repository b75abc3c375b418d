"""What the tests of rkt-run and rkt-pod share: images that run, pods to look at, a host left clean."""

import json
import os
import pathlib
import shutil
import subprocess
import time

import pytest
from conftest import BUILD, busybox_entries, make_aci, manifest, run, tool

STAGE1 = BUILD / "stage1/native/stage1-native.aci"
WAIT_SEC = 60


def mounts_below(path):
    """Mount points of this namespace below PATH, deepest first."""
    text = pathlib.Path("/proc/self/mountinfo").read_text()
    found = [line.split()[4].encode().decode("unicode_escape") for line in text.splitlines()]
    return sorted((at for at in found if at.startswith(f"{path}/")), reverse=True)


def processes_in(path):
    """Processes whose working directory or root is below PATH."""
    found = []
    for process in pathlib.Path("/proc").glob("[0-9]*"):
        for link in ("cwd", "root"):
            try:
                target = os.readlink(process / link)
            except OSError:
                continue
            if target.startswith(f"{path}/"):
                found.append(int(process.name))
    return found


def killed_at(call, number, args):
    """Runs ARGS and kills it (SIGKILL) as it enters the NUMBERth system call CALL."""
    if not shutil.which("strace"):
        pytest.skip("strace is not installed")
    inject = f"inject={call}:signal=KILL:when={number}"
    result = run(["strace", "-qq", "-o", "/dev/null", "-e", f"trace={call}", "-e", inject, *args])
    assert result.status in (-9, 137), result


def wait_for(condition, what):
    end = time.monotonic() + WAIT_SEC
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.02)
    raise AssertionError(f"waited {WAIT_SEC} s in vain until {what}")


class House:
    """A data directory of its own and the pods in it."""

    def __init__(self, data_dir, tmp_path):
        self.data, self.tmp = data_dir, tmp_path
        self.started = []

    def image(self, *exec_, name="example.com/busybox", extra=(), **app):
        """Imports a busybox image that executes EXEC_ and returns its ID."""
        text = manifest(name, exec_ or ("/bin/true",))
        text["app"].update(app)
        path = self.tmp / f"{name.replace('/', '-')}-{len(list(self.tmp.iterdir()))}.aci"
        make_aci(path, [*busybox_entries(), *extra], text, compression="none")
        result = run(["rkt-store", "import", path])
        assert result.status == 0, result
        return result.out.strip()

    def shell(self, script, **more):
        return self.image("/bin/sh", "-c", script, **more)

    def start(self, *args, **more):
        """Starts rkt-run in the background; returns (process, uuid) once the pod is running."""
        file = self.tmp / f"uuid-{len(self.started)}"
        process = subprocess.Popen(
            [tool("rkt-run"), f"--uuid-file-save={file}", *map(str, args)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            **more,
        )
        self.started.append(process)
        uuid = wait_for(lambda: file.exists() and file.read_text().strip(), "there is a UUID")
        wait_for(lambda: self.state(uuid) == "running" or process.poll(), "the pod runs")
        return process, uuid

    def status(self, uuid):
        result = run(["rkt-pod", "status", "--json", uuid])
        return json.loads(result.out) if result.status == 0 else {}

    def state(self, uuid):
        return self.status(uuid).get("state")

    def pods(self):
        """UUIDs of the pods there are."""
        folder = self.data / "containers"
        return sorted(path.name for path in folder.iterdir()) if folder.exists() else []

    def pod(self, uuid=None):
        """The directory of a pod: of the only one when none is named."""
        if uuid is None:
            (uuid,) = self.pods()
        return self.data / "containers" / uuid

    def clean(self):
        for process in self.started:
            if process.poll() is None:
                process.kill()
            process.communicate(timeout=WAIT_SEC)
        for at in mounts_below(self.data):
            subprocess.run(["umount", "-l", at], check=False)


@pytest.fixture
def house(data_dir, tmp_path):
    if not STAGE1.exists():
        pytest.skip("the stage1 image is not built")
    if os.geteuid() != 0:
        pytest.skip("needs root")
    it = House(data_dir, tmp_path)
    yield it
    it.clean()
