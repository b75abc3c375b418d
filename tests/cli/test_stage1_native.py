"""stage1/init of the native flavour against stage1/contract.h: pods made by hand, no store, no runner."""

import contextlib
import errno
import fcntl
import json
import os
import pathlib
import pty
import re
import select
import shutil
import signal
import stat
import struct
import subprocess
import termios
import time

import pytest

from conftest import needs_root, tool

pytestmark = needs_root

UUID = "0a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c4d"
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
TIMEOUT_SEC = 30
APPLETS = (
    "sh true false echo cat ls id env sleep kill ps mount touch stat pwd hostname ip stty tty "
    "head grep readlink sed seq mkdir rm dd nc wc setsid nproc chmod mknod chroot cp test"
)


class Pod:
    """A pod directory. Apps are added by app(); start() or run() executes stage1/init in it."""

    def __init__(self, path):
        self.path = path
        self.apps, self.volumes, self.processes = [], [], []
        (path / "stage1/opt/stage2").mkdir(parents=True)
        for name in ("status", "log"):
            (path / name).mkdir()
        shutil.copy(tool("stage1/native/stage1-native"), path / "stage1/init")

    def app(self, *exec_, name=None, mounts=(), read_only=False, version="0.8.11", **fields):
        """Adds an app with an image of its own; FIELDS are those of its app section."""
        name = name or f"app{len(self.apps)}"
        image_id = f"sha256-{len(self.apps):064x}"
        home = self.path / "stage1/opt/stage2" / image_id
        root = home / "rootfs"
        make_root(root)
        app = {"exec": list(exec_), "user": "0", "group": "0", **fields}
        image = {
            "acKind": "ImageManifest",
            "acVersion": version,
            "name": f"example.com/{name}",
            "app": app,
        }
        (home / "manifest").write_text(json.dumps(image))
        entry = {"name": name, "image": {"id": image_id}, "mounts": list(mounts)}
        if read_only:
            entry["readOnlyRootFS"] = True
        self.apps.append(entry)
        return root

    def write(self):
        pod = {
            "acVersion": "0.8.11",
            "acKind": "PodManifest",
            "apps": self.apps,
            "volumes": self.volumes,
        }
        (self.path / "container").write_text(json.dumps(pod))

    def start(self, *options, **streams):
        """Popen of stage1/init, in a mount namespace of its own and with the lock held."""
        self.write()
        lock = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY)
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        environment = {"RKT_LOCK_FD": str(lock), "TERM": "vt100", "SECRET": "of the caller"}
        streams = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE} | streams
        streams = {"stderr": subprocess.PIPE} | streams
        try:
            process = subprocess.Popen(
                ["/usr/bin/unshare", "-m", "--propagation", "private"]
                + ["stage1/init", *options, UUID],
                cwd=self.path,
                env=environment,
                pass_fds=(lock, *streams.pop("pass_fds", ())),
                **streams,
            )
            self.processes.append(process)
            return process
        finally:
            os.close(lock)

    def run(self, *options, stdin=b"", **streams):
        process = self.start(*options, stdin=subprocess.PIPE, **streams)
        try:
            out, err = process.communicate(stdin, timeout=TIMEOUT_SEC)
        except subprocess.TimeoutExpired:
            process.kill()
            out, err = process.communicate()
            pytest.fail(f"no end within {TIMEOUT_SEC} s; out {out!r}, err {err!r}")
        return process.returncode, out.decode(), err.decode()

    def status(self, name="app0"):
        return (self.path / "status" / name).read_text()


def make_root(root):
    program = shutil.which("busybox")
    if not program:
        pytest.skip("busybox-static is not installed")
    for name in ("bin", "etc", "srv", "tmp"):
        (root / name).mkdir(parents=True, exist_ok=True)
    shutil.copy(program, root / "bin/busybox")
    for applet in APPLETS.split():
        (root / "bin" / applet).symlink_to("busybox")
    (root / "etc/passwd").write_text("root:x:0:0::/root:/bin/sh\nweb:x:33:34:web:/srv:/bin/ash\n")
    (root / "etc/group").write_text("root:x:0:\nweb:x:34:\nextra:x:44:web\n")


@pytest.fixture
def pod(tmp_path):
    made = Pod(tmp_path / "pod")
    yield made
    for process in made.processes:  # of a test that failed
        if process.poll() is None:
            process.kill()
            process.wait()


def shell(pod_, script, *options, **fields):
    """Runs SCRIPT in a pod of one app and returns what it printed."""
    pod_.app("/bin/sh", "-c", script, **fields)
    status, out, err = pod_.run(*options)
    assert (status, err) == (0, "")
    return out


def wait_for(condition, what):
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end, f"timed out: {what}"
        time.sleep(0.02)


def wait_for_line(stream, text):
    line = stream.readline().decode()
    assert text in line


def alive(pid):
    with contextlib.suppress(OSError):
        return pathlib.Path(f"/proc/{pid}/stat").read_text().split(")")[1].split()[0] != "Z"
    return False


# ---- exit statuses and files ----------------------------------------------------------------


@pytest.mark.parametrize("status", [0, 7, 200])
def test_exit_status_is_the_apps(pod, status):
    pod.app("/bin/sh", "-c", f"exit {status}")
    assert pod.run() == (status, "", "")
    assert pod.status() == f"{status}\n"


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGSEGV])
def test_killed_app_is_128_and_the_signal(pod, number):
    pod.app("/bin/sh", "-c", f"kill -{int(number)} $$")
    assert pod.run() == (128 + number, "", "")
    assert pod.status() == f"{128 + number}\n"


def test_missing_program_is_127(pod):
    pod.app("/bin/none")
    status, out, err = pod.run()
    assert (status, out) == (127, "")
    assert err == "stage1: app app0: exec /bin/none: No such file or directory\n"


def test_program_not_in_path_is_127(pod):
    pod.app("none")
    assert pod.run()[0] == 127


def test_program_that_is_not_executable_is_126(pod):
    pod.app("/etc/passwd")
    status, _, err = pod.run()
    assert status == 126
    assert err == "stage1: app app0: exec /etc/passwd: Permission denied\n"


def test_pid_file_names_the_first_process_of_the_pod(pod):
    pod.app("/bin/sh", "-c", "echo up; read line", name="web")
    process = pod.start(stdin=subprocess.PIPE)
    wait_for_line(process.stdout, "up")
    pid = int((pod.path / "pid").read_text())
    inner = re.search(r"NSpid:\s+(.*)", pathlib.Path(f"/proc/{pid}/status").read_text())
    process.communicate(b"\n", timeout=TIMEOUT_SEC)
    assert inner.group(1).split()[-1] == "1"
    assert (pod.path / "pid").read_text() == f"{pid}\n"


def test_first_failing_app_stops_the_others_and_gives_the_status(pod):
    pod.app("/bin/sh", "-c", "trap 'exit 9' TERM; echo up; while :; do sleep 0.05; done", name="long")
    pod.app("/bin/sh", "-c", "sleep 0.3; exit 5", name="short")
    status, out, _ = pod.run()
    assert (status, out) == (5, "up\n")
    assert (pod.status("long"), pod.status("short")) == ("9\n", "5\n")


def test_pod_ends_when_all_apps_have(pod):
    pod.app("/bin/true", name="one")
    pod.app("/bin/sh", "-c", "sleep 0.3; echo late", name="two")
    assert pod.run() == (0, "late\n", "")
    assert (pod.status("one"), pod.status("two")) == ("0\n", "0\n")


def test_status_is_told_and_kept_when_the_app_fills_the_disk(tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "rkt-test", disk], check=True)
    try:
        pod = Pod(disk / "pod")
        pod.app("/bin/sh", "-c", "cat /dev/zero >/tmp/full; echo again >/tmp/more; exit 3")
        status, _, err = pod.run()
        assert "No space left" in err and "stage1" not in err
        assert (status, pod.status()) == (3, "3\n")
    finally:
        subprocess.run(["umount", "-l", disk], check=True)


def test_missing_container_is_one_line_and_254(pod):
    pod.app("/bin/true")
    pod.write = lambda: None
    assert pod.run() == (254, "", "stage1: reading container: no such file\n")


@pytest.mark.parametrize("options", [["--net=bridge"], ["--nonsense"], ["--hostname="], ["x", "y"]])
def test_wrong_options_are_one_line_and_254(pod, options):
    pod.app("/bin/true")
    status, out, err = pod.run(*options)
    assert (status, out) == (254, "")
    assert err.startswith("stage1: ") and err.count("\n") == 1


# ---- what an app sees -----------------------------------------------------------------------


def test_environment_is_exact(pod):
    out = shell(pod, "exec env", environment=[{"name": "COLOUR", "value": "a = b"}], name="web")
    got = dict(line.split("=", 1) for line in out.splitlines())
    assert got.pop("PWD") == "/"  # the shell's own
    got.pop("SHLVL", None)
    assert got == {
        "PATH": PATH,
        "AC_APP_NAME": "web",
        "container": "rocket",
        "COLOUR": "a = b",
    }


def test_environment_of_an_early_image_has_the_login(pod):
    pod.app("/bin/env", version="0.1.1", user="web", group="web")
    out = pod.run()[1]
    assert set(out.splitlines()) == {
        f"PATH={PATH}",
        "AC_APP_NAME=app0",
        "container=rocket",
        "HOME=/srv",
        "USER=web",
        "LOGNAME=web",
        "SHELL=/bin/ash",
    }


def test_path_of_the_manifest_is_searched(pod):
    root = pod.app("tool", environment=[{"name": "PATH", "value": "/none:/opt/x"}])
    (root / "opt/x").mkdir(parents=True)
    (root / "opt/x/tool").write_text("#!/bin/sh\necho found\n")
    (root / "opt/x/tool").chmod(0o755)
    assert pod.run() == (0, "found\n", "")


def test_user_and_group_come_from_the_image(pod):
    out = shell(pod, "id -u; id -g; id -G", user="web", group="extra", supplementaryGIDs=[7, 8])
    assert out == "33\n44\n44 7 8\n"


def test_user_may_be_a_number_the_image_does_not_know(pod):
    assert shell(pod, "id -u; id -g", user="4242", group="4343") == "4242\n4343\n"


def test_user_may_be_the_owner_of_a_file(pod):
    root = pod.app("/bin/id", "-u", user="/srv/thing", group="/srv/thing")
    (root / "srv/thing").touch()
    os.chown(root / "srv/thing", 1234, 55)
    assert pod.run() == (0, "1234\n", "")


def test_unknown_user_is_refused(pod):
    pod.app("/bin/true", user="nobody-here")
    assert pod.run() == (254, "", "stage1: app app0: the image knows no user nobody-here\n")


def test_working_directory(pod):
    assert shell(pod, "pwd", workingDirectory="/srv") == "/srv\n"


def test_working_directory_must_exist(pod):
    pod.app("/bin/true", workingDirectory="/none")
    status, _, err = pod.run()
    assert status == 254
    assert err == "stage1: app app0: working directory /none: No such file or directory\n"


def test_umask_is_022(pod):
    assert shell(pod, "umask") == "0022\n"


def test_processes_of_the_host_are_not_seen(pod):
    out = shell(pod, "ls -d /proc/[0-9]* | wc -l; readlink /proc/self")
    count, own = out.split()
    assert int(count) <= 5 and int(own) < 10


def test_host_name(pod):
    assert shell(pod, "hostname") == f"rkt-{UUID}\n"


def test_host_name_as_asked_for(pod):
    assert shell(pod, "hostname; cat /etc/hosts", "--hostname=box") == (
        "box\n127.0.0.1\tlocalhost box\n::1\tlocalhost\n"
    )


def test_hosts_of_the_image_stay(pod):
    root = pod.app("/bin/cat", "/etc/hosts")
    (root / "etc/hosts").write_text("mine\n")
    assert pod.run() == (0, "mine\n", "")


@pytest.mark.parametrize("target", ["/etc", "/srv"])
def test_hosts_are_not_written_into_a_volume(pod, tmp_path, target):
    """Neither where the volume is the image's /etc, nor where the image's /etc leads into it."""
    (tmp_path / "mine").mkdir()
    pod.volumes.append({"name": "mine", "kind": "host", "source": str(tmp_path / "mine")})
    root = pod.app("/bin/true", mounts=[{"volume": "mine", "path": target}])
    if target != "/etc":
        shutil.rmtree(root / "etc")
        (root / "etc").symlink_to(target)
    status, _, err = pod.run()
    assert status == 0, err
    assert list((tmp_path / "mine").iterdir()) == []


def test_network_of_its_own_has_loopback_only(pod):
    out = shell(pod, "ls /sys/class/net; ip addr show dev lo")
    assert out.splitlines()[0] == "lo" and "UP" in out and "127.0.0.1/8" in out
    assert len(out.split("1: lo")[0].split()) == 1


def test_network_of_the_host(pod):
    out = shell(pod, "readlink /proc/self/ns/net", "--net=host")
    assert out.strip() == os.readlink("/proc/self/ns/net")


def test_namespaces_differ_from_the_hosts(pod):
    kinds = ("mnt", "pid", "ipc", "uts", "net", "cgroup")
    out = shell(pod, "for n in mnt pid ipc uts net cgroup; do readlink /proc/self/ns/$n; done")
    for kind, inner in zip(kinds, out.split()):
        assert inner != os.readlink(f"/proc/self/ns/{kind}"), kind


def test_root_is_the_apps_and_nothing_else_is_mounted_from_the_host(pod):
    out = shell(pod, "ls /; cat /proc/self/mountinfo")
    listing, mounts = out.split("\n", 1)[0], out
    assert "stage1" not in listing
    points = [line.split()[4] for line in mounts.splitlines() if " - " in line]
    assert points[0] == "/"
    assert all(re.match(r"/($|proc|sys|dev)", point) for point in points)


def test_devices_are_those_of_the_specification(pod):
    """S-067"""
    out = shell(pod, "ls /dev; cd /dev; stat -c '%n %t:%T %a' null zero full random urandom tty ptmx")
    listing = out.split("null 1:3")[0].split()
    assert sorted(listing) == sorted(
        "console fd full null ptmx pts random shm stderr stdin stdout tty urandom zero".split()
    )
    for line in ("null 1:3 666", "zero 1:5 666", "full 1:7 666", "random 1:8 666"):
        assert line in out
    for line in ("urandom 1:9 666", "tty 5:0 666"):
        assert line in out


def test_console_is_not_the_hosts(pod):
    assert shell(pod, "echo nothing >/dev/console; stat -c %t:%T /dev/console") == "1:3\n"


def test_ptys_are_the_apps_own(pod):
    assert shell(pod, "ls /dev/pts; readlink /dev/ptmx").split() == ["ptmx", "pts/ptmx"]


def test_devices_elsewhere_do_not_open(pod):
    root = pod.app("/bin/sh", "-c", "cat /srv/zero")
    os.mknod(root / "srv/zero", stat.S_IFCHR | 0o666, os.makedev(1, 3))
    status, _, err = pod.run()
    assert status == 1 and "Permission denied" in err


def test_sys_is_read_only(pod):
    pod.app("/bin/sh", "-c", "echo 1 >/sys/kernel/uevent_seqnum; touch /sys/x")
    status, _, err = pod.run()
    assert status != 0 and "Read-only file system" in err


@pytest.mark.parametrize("path", ["sys/kernel/hostname", "sysrq-trigger", "irq/default_smp_affinity"])
def test_settings_of_the_machine_are_read_only(pod, path):
    if not os.path.exists(f"/proc/{path}"):
        pytest.skip(f"this kernel has no /proc/{path}")
    pod.app("/bin/sh", "-c", f"echo h >/proc/{path}")
    status, _, err = pod.run()
    assert status != 0 and "Read-only file system" in err


def test_what_shows_the_host_is_masked(pod):
    """S-061"""
    paths = ("keys", "timer_list", "kcore", "interrupts", "latency_stats", "sched_debug")
    present = [f"/proc/{path}" for path in paths if os.path.exists(f"/proc/{path}")]
    assert shell(pod, f"cat {' '.join(present)}; ls /sys/firmware") == ""


def test_capabilities_are_the_default_14(pod):
    """S-063"""
    out = shell(pod, "grep ^Cap /proc/self/status")
    sets = dict(re.findall(r"Cap(\w+):\s+(\w+)", out))
    assert sets["Bnd"] == sets["Prm"] == sets["Eff"] == "00000000a80425fb"
    assert sets["Inh"] == sets["Amb"] == "0000000000000000"


def test_capabilities_as_the_isolator_retains(pod):
    out = shell(
        pod,
        "grep CapBnd /proc/self/status",
        isolators=[{"name": "os/linux/capabilities-retain-set", "value": {"set": ["CAP_KILL"]}}],
    )
    assert out.split()[1] == f"{1 << 5:016x}"


def test_app_that_is_not_root_has_no_capabilities_and_gets_none(pod):
    out = shell(pod, "grep -E '^Cap(Prm|Eff)|NoNewPrivs' /proc/self/status", user="33", group="33")
    assert out.split() == ["CapPrm:", "0" * 16, "CapEff:", "0" * 16, "NoNewPrivs:", "1"]


@pytest.mark.parametrize("user, wanted", [("0", True), ("33", False)])
def test_no_new_privileges_as_the_isolator_says(pod, user, wanted):
    isolators = [{"name": "os/linux/no-new-privileges", "value": wanted}]
    out = shell(pod, "grep NoNewPrivs /proc/self/status", user=user, isolators=isolators)
    assert out.split()[1] == str(int(wanted))


def test_no_descriptor_is_inherited(pod):
    reader, writer = os.pipe()
    pod.app("/bin/ls", "-l", "/proc/self/fd")
    _, out, _ = pod.run(pass_fds=(reader, writer))
    numbers = re.findall(r" (\d+) -> (\S+)", out)
    assert [number for number, target in numbers if not target.startswith("/proc/")] == ["0", "1", "2"]


def test_signals_are_at_their_default(pod):
    out = shell(pod, "exec grep -E '^Sig(Blk|Ign)' /proc/self/status")
    assert out.split() == ["SigBlk:", "0" * 16, "SigIgn:", "0" * 16]


def test_session_is_the_apps_own(pod):
    out = shell(pod, "exec sed -E 's/\\(.*\\)//' /proc/self/stat")
    own, _, _, group, session = out.split()[:5]
    assert own == group == session != "1"


def test_read_only_root(pod):
    pod.app("/bin/sh", "-c", "touch /dev/shm/x && touch /x", read_only=True)
    status, _, err = pod.run()
    assert status == 1 and err == "touch: /x: Read-only file system\n"


def test_program_cannot_be_written_through_proc(pod):
    """S-062: not even root of the host gets a writable descriptor out of /proc/PID/exe."""
    pod.app("/bin/sh", "-c", "echo up; read line")
    process = pod.start(stdin=subprocess.PIPE)
    wait_for_line(process.stdout, "up")
    program = os.open(f"/proc/{int((pod.path / 'pid').read_text())}/exe", os.O_PATH)
    process.communicate(b"\n", timeout=TIMEOUT_SEC)
    with pytest.raises(OSError) as refused:  # nobody executes it any more: ETXTBSY is out
        os.open(f"/proc/self/fd/{program}", os.O_WRONLY)
    os.close(program)
    assert refused.value.errno == errno.EROFS


def test_first_process_shows_nothing_of_the_host(pod):
    """An app that may look into process 1 finds an empty root, and streams whose mount is gone."""
    names = ["CAP_SYS_PTRACE", "CAP_SYS_ADMIN", "CAP_DAC_READ_SEARCH", "CAP_SYS_CHROOT"]
    out = shell(
        pod,
        "ls -a /proc/1/root/; for i in 0 1 2; do readlink /proc/1/fd/$i; done; wc -l </proc/1/mountinfo",
        isolators=[{"name": "os/linux/capabilities-retain-set", "value": {"set": names}}],
    )
    assert out.split() == [".", "..", "/null", "/null", "/null", "1"]


def test_mounts_do_not_reach_the_caller(pod):
    shell(pod, "true")
    assert str(pod.path) not in pathlib.Path("/proc/self/mountinfo").read_text()


# ---- streams and signals --------------------------------------------------------------------


def test_streams_pass_through(pod):
    pod.app("/bin/sh", "-c", "cat; echo to-stderr >&2")
    assert pod.run(stdin=b"\x00\x1d\x1d\x1dbytes\xc3\xa9\r\n") == (
        0,
        "\x00\x1d\x1d\x1dbytesé\r\n",
        "to-stderr\n",
    )


def test_two_apps_run_at_the_same_time(pod):
    script = "touch /db/{0}; until [ -e /db/{1} ]; do sleep 0.02; done; echo {0} saw {1}"
    for own, other in (("a", "b"), ("b", "a")):
        pod.app(
            "/bin/sh",
            "-c",
            script.format(own, other),
            name=own,
            mountPoints=[{"name": "db", "path": "/db"}],
        )
    pod.volumes = [{"name": "db", "kind": "empty"}]
    status, out, _ = pod.run()
    assert status == 0
    assert sorted(out.splitlines()) == ["a saw b", "b saw a"]


@pytest.mark.parametrize("name", ["TERM", "INT", "HUP", "QUIT", "USR1", "USR2"])
def test_signals_are_passed_on(pod, name):
    pod.app("/bin/sh", "-c", f"trap 'echo got; exit 3' {name}; echo up; while :; do sleep 0.05; done")
    process = pod.start()
    wait_for_line(process.stdout, "up")
    process.send_signal(getattr(signal, "SIG" + name))
    out, _ = process.communicate(timeout=TIMEOUT_SEC)
    assert (process.returncode, out) == (3, b"got\n")


def test_orphans_are_reaped(pod):
    out = shell(
        pod,
        "for i in $(seq 50); do (true & ) ; done; sleep 0.3;"
        "cat /proc/[0-9]*/stat 2>/dev/null | grep -c ' Z ' || true",
    )
    assert out == "0\n"


def test_left_over_processes_die_with_the_pod(pod):
    marker = f"{os.getpid()}.5"
    pod.app("/bin/sh", "-c", f"setsid sleep 9{marker} >/dev/null 2>&1 & echo up")
    assert pod.run()[0] == 0
    wait_for(lambda: not pids_of(f"9{marker}"), "the left-over process ends")


def pids_of(argument):
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if entry.name.isdigit():
                words = (entry / "cmdline").read_bytes().split(b"\0")
                if argument.encode() in words and b"sleep" in words[0]:
                    found.append(int(entry.name))
    return found


def test_killing_the_supervisor_kills_the_pod(pod):
    marker = f"8{os.getpid()}"
    pod.app("/bin/sh", "-c", f"trap '' TERM HUP; echo up; sleep {marker}")
    process = pod.start()
    wait_for_line(process.stdout, "up")
    first = int((pod.path / "pid").read_text())
    wait_for(lambda: pids_of(marker), "the app runs")
    process.kill()
    process.wait()
    wait_for(lambda: not alive(first) and not pids_of(marker), "the pod is dead")


def test_lock_is_held_while_the_pod_runs(pod):
    pod.app("/bin/sh", "-c", "echo up; read line")
    process = pod.start(stdin=subprocess.PIPE)
    wait_for_line(process.stdout, "up")
    lock = os.open(pod.path, os.O_RDONLY | os.O_DIRECTORY)
    with pytest.raises(OSError) as refused:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    process.communicate(b"\n", timeout=TIMEOUT_SEC)
    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    os.close(lock)
    assert refused.value.errno == errno.EWOULDBLOCK


# ---- handlers -------------------------------------------------------------------------------


def handlers(**scripts):
    return [
        {"name": name.replace("_", "-"), "exec": ["/bin/sh", "-c", script]}
        for name, script in scripts.items()
    ]


def test_handlers_run_around_the_app_in_its_root(pod):
    out = shell(
        pod,
        "ls /tmp; touch /tmp/main; echo main",
        eventHandlers=handlers(
            pre_start="touch /tmp/before; echo before $AC_APP_NAME",
            post_stop="ls /tmp; echo after",
        ),
    )
    assert out == "before app0\nbefore\nmain\nbefore\nmain\nafter\n"


def test_failing_pre_start_fails_the_app(pod):
    pod.app("/bin/echo", "main", eventHandlers=handlers(pre_start="exit 4"))
    assert pod.run() == (4, "", "stage1: app app0: its pre-start handler ended with status 4\n")
    assert pod.status() == "4\n"


def test_status_is_the_apps_and_not_its_handlers(pod):
    pod.app("/bin/sh", "-c", "exit 6", eventHandlers=handlers(post_stop="echo after; exit 1"))
    assert pod.run() == (6, "after\n", "")


def test_signal_reaches_an_app_with_handlers(pod):
    pod.app(
        "/bin/sh",
        "-c",
        "trap 'exit 3' TERM; echo up; while :; do sleep 0.05; done",
        eventHandlers=handlers(post_stop="echo after"),
    )
    process = pod.start()
    wait_for_line(process.stdout, "up")
    process.terminate()
    out, _ = process.communicate(timeout=TIMEOUT_SEC)
    assert (process.returncode, out) == (3, b"after\n")


# ---- volumes --------------------------------------------------------------------------------


def with_volume(pod_, source, script, read_only=False, target="/db", **fields):
    pod_.volumes = [
        {"name": "db", "kind": "host", "source": str(source), "readOnly": read_only}
    ]
    return pod_.app("/bin/sh", "-c", script, mounts=[{"volume": "db", "path": target}], **fields)


def test_host_volume_is_mounted_and_its_target_made(pod, tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data/file").write_text("here\n")
    with_volume(pod, tmp_path / "data", "cat /deep/db/file; echo x >/deep/db/new", target="/deep/db")
    assert pod.run() == (0, "here\n", "")
    assert (tmp_path / "data/new").read_text() == "x\n"


def test_read_only_volume(pod, tmp_path):
    (tmp_path / "data").mkdir()
    with_volume(pod, tmp_path / "data", "touch /db/x", read_only=True)
    status, _, err = pod.run()
    assert status == 1 and "Read-only file system" in err


def test_read_only_mount_point_of_the_image(pod, tmp_path):
    (tmp_path / "data").mkdir()
    points = [{"name": "db", "path": "/db", "readOnly": True}]
    with_volume(pod, tmp_path / "data", "touch /db/x", mountPoints=points)
    status, _, err = pod.run()
    assert status == 1 and "Read-only file system" in err


def test_missing_source_is_an_error_and_not_made(pod, tmp_path):
    with_volume(pod, tmp_path / "none", "true")
    status, _, err = pod.run()
    assert status == 254 and "volume db: open" in err and not (tmp_path / "none").exists()


def test_source_through_a_symlink_is_refused(pod, tmp_path):
    (tmp_path / "data/sub").mkdir(parents=True)
    (tmp_path / "link").symlink_to("data")
    with_volume(pod, tmp_path / "link/sub", "true")
    status, _, err = pod.run()
    assert status == 254 and "leads through, a symbolic link" in err


def test_target_symlink_stays_in_the_root(pod, tmp_path):
    """A target that leads to /etc of the host by an absolute link gets /etc of the app (S-066)."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data/mark").touch()
    root = with_volume(pod, tmp_path / "data", "ls /inner", target="/link/inner")
    (root / "link").symlink_to("/")
    (root / "inner").mkdir()
    assert pod.run() == (0, "mark\n", "")


def test_overlapping_targets_are_refused(pod):
    points = [{"name": "a", "path": "/db"}, {"name": "b", "path": "/db/sub"}]
    pod.app("/bin/true", mountPoints=points)
    status, _, err = pod.run()
    assert status == 254 and "overlap" in err


def test_mount_point_without_volume_gets_an_empty_one(pod):
    out = shell(pod, "ls -a /db | wc -l; touch /db/x", mountPoints=[{"name": "db", "path": "/db"}])
    assert out == "2\n"
    assert (pod.path / "volumes/app0.db/x").exists()


def test_hidden_content_is_said(pod, tmp_path):
    (tmp_path / "data").mkdir()
    root = with_volume(pod, tmp_path / "data", "true")
    (root / "db").mkdir()
    (root / "db/old").touch()
    assert pod.run()[2] == "stage1: app app0: volume db hides what the image has in /db\n"


def test_file_volume(pod, tmp_path):
    (tmp_path / "conf").write_text("yes\n")
    with_volume(pod, tmp_path / "conf", "cat /etc/conf.d/x", target="/etc/conf.d/x")
    assert pod.run() == (0, "yes\n", "")


# ---- terminals ------------------------------------------------------------------------------


class Terminal:
    """stage1/init with a pty as its controlling terminal."""

    def __init__(self, pod_, *options, **streams):
        self.master, slave = pty.openpty()
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("4H", 33, 99, 0, 0))
        self.slave = slave
        self.before = termios.tcgetattr(slave)
        streams = {"stdin": slave, "stdout": slave, "stderr": slave} | streams
        self.process = pod_.start(
            *options,
            **streams,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(slave, termios.TIOCSCTTY, 0),
        )
        self.seen = ""

    def read_until(self, text):
        end = time.monotonic() + 60
        while text not in self.seen:
            assert time.monotonic() < end, f"{text!r} not in {self.seen!r}"
            if select.select([self.master], [], [], 0.1)[0]:
                self.seen += os.read(self.master, 4096).decode()
        return self.seen

    def type(self, keys):
        os.write(self.master, keys)

    def wait(self):
        """Reads to the end, closes, and returns the exit status."""
        status = self.process.wait(TIMEOUT_SEC)
        while select.select([self.master], [], [], 0.1)[0]:
            self.seen += os.read(self.master, 4096).decode()
        self.after = termios.tcgetattr(self.slave)
        os.close(self.master)
        os.close(self.slave)
        return status


HINT = "Press ^] three times to kill container\r\n"


def test_terminal_shows_the_way_out_and_output(pod):
    pod.app("/bin/sh", "-c", "tty; stty size; echo $TERM; exit 7")
    terminal = Terminal(pod)
    assert terminal.wait() == 7
    assert terminal.seen == HINT + "/dev/pts/0\r\n33 99\r\nvt100\r\n"


def test_hint_is_not_shown_without_a_terminal(pod):
    pod.app("/bin/true")
    assert pod.run() == (0, "", "")


def test_terminal_is_restored(pod):
    pod.app("/bin/sh", "-c", "read line; stty -echo raw; echo done")
    terminal = Terminal(pod)
    terminal.read_until(HINT)
    wait_for(lambda: termios.tcgetattr(terminal.slave) != terminal.before, "raw mode")
    terminal.type(b"go\n")
    assert terminal.wait() == 0
    assert terminal.after == terminal.before


def test_three_escape_keys_kill_the_pod(pod):
    pod.app("/bin/sh", "-c", "trap '' TERM INT HUP QUIT; echo up; while :; do sleep 1; done")
    terminal = Terminal(pod)
    terminal.read_until("up")
    first = int((pod.path / "pid").read_text())
    terminal.type(b"\x1d\x1d\x1d")
    assert terminal.wait() == 137
    assert not alive(first)
    assert pod.status() == "137\n"
    assert terminal.after == terminal.before


def test_escape_keys_with_another_between_do_not_kill(pod):
    pod.app("/bin/sh", "-c", "echo up; read line; echo got; exit 3")
    terminal = Terminal(pod)
    terminal.read_until("up")
    terminal.type(b"\x1d\x1dx\x1d\n")
    assert terminal.wait() == 3


def test_slow_escape_keys_do_not_kill(pod):
    pod.app("/bin/sh", "-c", "echo up; read line; exit 3")
    terminal = Terminal(pod)
    terminal.read_until("up")
    for pause in (0.6, 0.6, 0):
        terminal.type(b"\x1d")
        time.sleep(pause)
    terminal.type(b"\n")
    assert terminal.wait() == 3


def test_interrupt_key_goes_to_the_app(pod):
    pod.app("/bin/sh", "-c", "trap 'echo interrupted; exit 5' INT; echo up; while :; do sleep 0.1; done")
    terminal = Terminal(pod)
    terminal.read_until("up")
    terminal.type(b"\x03")
    assert terminal.wait() == 5
    assert "interrupted" in terminal.seen


def test_interrupt_key_goes_to_an_app_with_handlers(pod):
    pod.app(
        "/bin/sh",
        "-c",
        "trap 'echo interrupted; exit 5' INT; echo up; while :; do sleep 0.1; done",
        eventHandlers=handlers(pre_start="true", post_stop="echo after"),
    )
    terminal = Terminal(pod)
    terminal.read_until("up")
    terminal.type(b"\x03")
    assert terminal.wait() == 5
    assert "interrupted" in terminal.seen and "after" in terminal.seen


def test_keys_reach_an_app_with_handlers(pod):
    pod.app(
        "/bin/sh",
        "-c",
        "echo up; read line; echo got $line",
        eventHandlers=handlers(pre_start="read line; echo first $line", post_stop="true"),
    )
    terminal = Terminal(pod)
    terminal.read_until(HINT)
    wait_for(lambda: termios.tcgetattr(terminal.slave) != terminal.before, "raw mode")
    terminal.type(b"a\n")
    terminal.read_until("up")
    terminal.type(b"b\n")
    assert terminal.wait() == 0
    assert "first a" in terminal.seen and "got b" in terminal.seen


def test_window_size_is_passed_on(pod):
    pod.app("/bin/sh", "-c", "trap 'stty size; exit 0' WINCH; echo up; while :; do sleep 0.1; done")
    terminal = Terminal(pod)
    terminal.read_until("up")
    fcntl.ioctl(terminal.master, termios.TIOCSWINSZ, struct.pack("4H", 50, 120, 0, 0))
    assert terminal.wait() == 0
    assert "50 120" in terminal.seen


def test_callers_terminal_is_out_of_reach(pod):
    """S-071: the app's streams are its own pty, not the caller's terminal."""
    pod.app("/bin/sh", "-c", "stat -L -c %d:%i /proc/self/fd/0; echo x >/dev/tty; echo x >/dev/console")
    terminal = Terminal(pod)
    callers = os.fstat(terminal.slave)
    assert terminal.wait() == 0
    assert f"{callers.st_dev}:{callers.st_ino}" not in terminal.seen


def test_large_output_arrives_whole(pod):
    pod.app("/bin/seq", "20000")
    terminal = Terminal(pod)
    terminal.read_until("20000\r\n")
    assert terminal.wait() == 0
    assert terminal.seen == HINT + "".join(f"{i}\r\n" for i in range(1, 20001))


def test_output_arrives_whole_at_a_slow_terminal(pod):
    """It takes seconds to take what the app, gone by then, has left in its own terminal."""
    pod.app("/bin/sh", "-c", "seq 4000; exit 3")
    terminal = Terminal(pod)
    while "4000\r\n" not in terminal.seen:
        got = select.select([terminal.master], [], [], 20)[0]
        assert got, f"the output ends with {terminal.seen[-20:]!r}"
        terminal.seen += os.read(terminal.master, 512).decode()
        time.sleep(0.1)
    assert terminal.wait() == 3
    assert terminal.seen == HINT + "".join(f"{i}\r\n" for i in range(1, 4001))


def test_output_to_a_terminal_with_input_from_a_pipe(pod):
    pod.app("/bin/cat")
    reader, writer = os.pipe()
    os.write(writer, b"from the pipe\n")
    os.close(writer)
    terminal = Terminal(pod, stdin=reader)
    os.close(reader)
    assert terminal.wait() == 0
    assert terminal.seen == "from the pipe\r\n"


def test_output_to_a_pipe_with_input_from_a_terminal(pod):
    pod.app("/bin/sh", "-c", "read line; echo got $line")
    terminal = Terminal(pod, stdout=subprocess.PIPE)
    terminal.read_until(HINT)
    terminal.type(b"keys\n")
    assert terminal.process.stdout.read() == b"got keys\n"
    assert terminal.wait() == 0


def test_output_of_several_apps_appears_on_the_terminal(pod):
    pod.app("/bin/sh", "-c", "tty; echo one; read line || echo one has no input")
    pod.app("/bin/sh", "-c", "tty >/dev/null; echo two")
    terminal = Terminal(pod)
    assert terminal.wait() == 0
    assert terminal.seen.startswith(HINT)
    assert set(terminal.seen[len(HINT) :].splitlines()) == {
        "not a tty",
        "one",
        "one has no input",
        "two",
    }


def test_app_with_handlers_may_set_a_terminal_it_only_writes_to(pod):
    """From the background that would stop it, and with it the pod, for good (SIGTTOU)."""
    modes = "stty -echo <&1; stty echo <&1"
    pod.app(
        "/bin/sh",
        "-c",
        f"{modes}; echo app",
        eventHandlers=handlers(pre_start=f"{modes}; echo first", post_stop=f"{modes}; echo last"),
    )
    terminal = Terminal(pod, stdin=subprocess.DEVNULL)
    assert terminal.wait() == 0
    assert terminal.seen == "first\r\napp\r\nlast\r\n"


def test_volume_over_dev_cannot_hold_up_a_pod_of_several_apps(pod, tmp_path):
    """Their input is /dev/null, and a FIFO of that name would wait for a writer for ever."""
    (tmp_path / "mine").mkdir()
    os.mkfifo(tmp_path / "mine/null")
    pod.volumes.append({"name": "mine", "kind": "host", "source": str(tmp_path / "mine")})
    for _ in range(2):
        pod.app("/bin/cat", mounts=[{"volume": "mine", "path": "/dev"}])
    status, _, err = pod.run(stdin=b"not for them")
    assert status == 0, err


def test_interactive_is_for_one_app(pod):
    pod.app("/bin/true")
    pod.app("/bin/true")
    status, _, err = pod.run("--interactive")
    assert (status, err) == (254, "stage1: --interactive: the pod has 2 apps, not one\n")
