"""rkt-run: images become a pod, the pod runs, its status is ours."""

import fcntl
import hashlib
import json
import os
import pathlib
import pty
import shutil
import signal
import struct
import subprocess
import termios

import pytest
from conftest import Held, busybox_entries, entry, make_aci, manifest, run, run_failing, tar_bytes, tool
from podlib import STAGE1, house, mounts_below, processes_in, wait_for  # noqa: F401


def test_output_and_status_of_the_app_come_through(house):
    image = house.shell("echo out; echo err >&2; exit 7")
    result = run(["rkt-run", image])
    assert (result.status, result.out) == (7, "out\n")
    assert "err\n" in result.err


@pytest.mark.parametrize("status", [0, 1, 2, 7, 253, 255])
def test_exit_status_passes_through(house, status):
    assert run(["rkt-run", house.shell(f"exit {status}")]).status == status


def test_app_killed_by_a_signal_gives_128_and_its_number(house):
    assert run(["rkt-run", house.shell("kill -KILL $$")]).status == 128 + signal.SIGKILL


def test_missing_program_gives_127(house):
    result = run(["rkt-run", house.image("/bin/nowhere")])
    assert result.status == 127
    assert "/bin/nowhere" in result.err


def test_prefix_of_eight_digits_is_enough(house):
    image = house.image()
    assert run(["rkt-run", image[: len("sha256-") + 8]]).status == 0
    assert run(["rkt-run", image[len("sha256-") :][:8]]).status == 0


def test_image_is_found_by_its_name(house):
    house.shell("exit 3", name="example.com/named")
    assert run(["rkt-run", "example.com/named"]).status == 3


def test_file_is_imported_and_run(house, tmp_path, busybox_aci):
    path = busybox_aci(["/bin/sh", "-c", "exit 9"])
    assert run(["rkt-run", path]).status == 9
    assert run(["rkt-run", os.path.basename(path)], cwd=tmp_path).status == 9


@pytest.mark.parametrize(
    "reference, says",
    [
        ("sha256-" + "0" * 64, "0" * 64),
        ("deadbeef", "deadbeef"),
        ("example.com/nowhere", "example.com/nowhere"),
        ("./nowhere.aci", "No such file"),
        ("/tmp", "not a regular file"),
        ("https://localhost:1/app.aci", "localhost:1"),
    ],
)
def test_unknown_image_is_one_clear_line_and_254(house, reference, says):
    house.image()
    result = run(["rkt-run", "--pull-policy=never", reference])
    assert result.status == 254
    assert says in result.err and result.err.count("\n") == 1
    assert house.pods() == []


def test_broken_file_is_254_and_leaves_no_pod(house, tmp_path):
    (tmp_path / "broken.aci").write_bytes(b"this is no image at all\n" * 100)
    result = run(["rkt-run", tmp_path / "broken.aci"])
    assert result.status == 254 and "broken.aci" in result.err
    assert house.pods() == []


def twins():
    """Two images whose IDs begin with the same eight digits: some 80 000 tries find a pair."""
    text = json.dumps(manifest("example.com/twin", annotations=[{"name": "n", "value": "@" * 9}]))
    tar = bytearray(tar_bytes([entry("manifest", text), entry("rootfs")]))
    at = tar.index(b"@" * 9)
    seen = {}
    for number in range(10**6):
        tar[at : at + 9] = b"%09d" % number
        head = hashlib.sha256(tar).digest()[:4]
        if head in seen:
            first = bytearray(tar)
            first[at : at + 9] = b"%09d" % seen[head]
            return head.hex(), bytes(first), bytes(tar)
        seen[head] = number
    raise AssertionError("no pair in a million")


def test_ambiguous_prefix_names_the_candidates(house):
    prefix, *tars = twins()
    ids = []
    for tar in tars:
        (house.tmp / "twin.aci").write_bytes(tar)
        ids.append(run(["rkt-store", "import", house.tmp / "twin.aci"]).out.strip())
    result = run(["rkt-run", prefix])
    assert result.status == 2
    assert ids[0] in result.err and ids[1] in result.err
    assert house.pods() == []


def test_two_images_run_in_one_pod(house):
    first = house.shell("echo one; sleep 0.2", name="example.com/one")
    second = house.shell("echo two", name="example.com/two")
    result = run(["rkt-run", first, second])
    assert result.status == 0
    assert sorted(result.out.split()) == ["one", "two"]
    names = [app["name"] for app in json.loads((house.pod() / "container").read_text())["apps"]]
    assert names == ["one", "two"]


def test_first_failure_is_the_status_of_the_pod(house):
    good = house.shell("sleep 30", name="example.com/good")
    bad = house.shell("exit 5", name="example.com/bad")
    assert run(["rkt-run", good, bad], timeout=60).status == 5


def test_one_image_twice_needs_names(house):
    image = house.image()
    result = run(["rkt-run", image, image])
    assert result.status == 2 and "multiple apps with name" in result.err
    assert house.pods() == []
    assert run(["rkt-run", image, "--name=a", image, "--name=b"]).status == 0
    apps = house.pod() / "overlay/stage1/upper/opt/stage2"
    assert sorted(path.name for path in apps.iterdir()) == [image, f"{image}.2"]


def test_app_name_that_no_file_can_have_is_refused(house, tmp_path):
    """It may come from the image's name, which may be longer."""
    text = manifest("example.com/" + "n" * 251, ["/bin/sh", "-c", "exit 3"])
    image = make_aci(tmp_path / "long.aci", busybox_entries(), text)
    result = run(["rkt-run", image])
    assert result.status == 2 and "--name" in result.err
    assert house.pods() == []
    name = "n" * 250
    assert run(["rkt-run", image, f"--name={name}"]).status == 3
    assert (house.pod() / "status" / name).read_text() == "3\n"


def test_layout_is_that_of_the_readme(house):
    """README of v0.1.1: container, stage1, stage1/init, stage1/opt/stage2/sha256-…"""
    image = house.shell("while [ ! -e /stop ]; do sleep 0.05; done")
    process, uuid = house.start(image)
    pod = house.pod(uuid)
    inside = pathlib.Path(f"/proc/{process.pid}/root{pod}")
    assert (inside / "stage1/init").stat().st_mode & 0o111
    app = inside / "stage1/opt/stage2" / image
    assert json.loads((app / "manifest").read_text())["name"] == "example.com/busybox"
    assert (app / "rootfs/bin/busybox").exists()
    (app / "rootfs/stop").touch()
    assert process.wait(timeout=60) == 0
    names = {path.name for path in pod.iterdir()}
    assert names >= {"container", "stage1", "overlay", "status", "log", "pid"}
    assert list((pod / "stage1").iterdir()) == []
    assert (pod / f"overlay/stage1/upper/opt/stage2/{image}/manifest").exists()
    assert (pod / "status/busybox").read_text() == "0\n"
    assert pod.stat().st_mode & 0o777 == 0o700
    assert pod.parent.stat().st_mode & 0o777 == 0o700


def test_pod_manifest_has_the_fields_in_order(house):
    image = house.image(mountPoints=[{"name": "data", "path": "/srv"}])
    args = ["--volume", "data,kind=host,source=/tmp,readOnly=true", image]
    assert run(["rkt-run", *args, "--environment=A=b"]).status == 0
    text = (house.pod() / "container").read_text()
    pod = json.loads(text)
    assert list(pod) == ["acVersion", "acKind", "apps", "volumes"]
    assert pod["acVersion"], pod["acKind"] == ("0.8.11", "PodManifest")
    (app,) = pod["apps"]
    assert list(app) == ["name", "image", "app", "mounts"]
    assert app["image"]["id"] == image and app["image"]["labels"]
    assert app["app"]["environment"] == [{"name": "A", "value": "b"}]
    assert app["mounts"] == [{"volume": "data", "path": "/srv"}]
    assert pod["volumes"] == [
        {"name": "data", "kind": "host", "source": "/tmp", "readOnly": True}
    ]
    assert run(["aci-validate", house.pod() / "container"]).status == 0


def test_arguments_are_added_behind_those_of_the_image(house):
    image = house.image("/bin/echo", "of the image")
    assert run(["rkt-run", image, "--", "and", "--more"]).out == "of the image and --more\n"


def test_exec_replaces_program_and_arguments(house):
    image = house.image("/bin/false", "x")
    assert run(["rkt-run", image, "--exec", "/bin/echo", "--", "a", "b"]).out == "a b\n"


def test_image_without_an_app_needs_exec(house):
    text = manifest("example.com/bare")
    del text["app"]
    path = make_aci(house.tmp / "bare.aci", [entry("rootfs/bin")], text)
    result = run(["rkt-run", path])
    assert result.status == 254 and "--exec" in result.err
    assert house.pods() == []


def test_each_image_has_its_own_options(house):
    one = house.image("/bin/echo", name="example.com/one")
    two = house.image("/bin/env", name="example.com/two")
    result = run(
        ["rkt-run", one, "--", "first", "---", two, "--environment=SECOND=2", "--name=second"]
    )
    assert result.status == 0
    assert "first\n" in result.out and "SECOND=2\n" in result.out
    assert "AC_APP_NAME=second\n" in result.out


def test_app_option_before_any_image_is_wrong_usage(house):
    result = run(["rkt-run", "--user=web", house.image()])
    assert result.status == 2 and "--user" in result.err


def test_environment_overrides_the_images(house):
    image = house.image(
        "/bin/env", environment=[{"name": "A", "value": "old"}, {"name": "B", "value": "kept"}]
    )
    lines = run(["rkt-run", image, "--environment=A=new", "--environment=C=x=y"]).out.split("\n")
    assert {"A=new", "B=kept", "C=x=y"} <= set(lines) and "A=old" not in lines


def test_user_group_and_directory_are_overridden(house):
    image = house.shell("id -u; id -g; pwd")
    args = ["--user=web", "--group=web", "--working-dir=/srv"]
    assert run(["rkt-run", image, *args]).out == "33\n34\n/srv\n"


def test_hostname_is_set(house):
    assert run(["rkt-run", "--hostname=box", house.image("/bin/hostname")]).out == "box\n"


def test_network_is_its_own_or_the_hosts(house):
    image = house.shell("cat /proc/net/dev")
    own = run(["rkt-run", image]).out
    assert "lo:" in own and len(own.splitlines()) == 3
    links = pathlib.Path("/proc/net/dev").read_text().splitlines()
    assert len(run(["rkt-run", "--net=host", image]).out.splitlines()) == len(links)


def test_writes_land_in_the_pod_and_not_in_the_store(house):
    image = house.shell("echo new >/srv/file; rm /etc/group; echo more >>/etc/passwd")
    blob = next((house.data / "cas/blob/sha256").glob(f"*/{image}"))
    before = blob.read_bytes()
    assert run(["rkt-run", image]).status == 0
    upper = house.pod() / f"overlay/{image}/upper"
    assert (upper / "srv/file").read_text() == "new\n"
    assert blob.read_bytes() == before
    check = house.image("/bin/sh", "-c", "cat /etc/group >/dev/null && test ! -e /srv/file")
    assert run(["rkt-run", check]).status == 0
    assert run(["rkt-run", image, "--exec=/bin/test", "--", "-e", "/etc/group"]).status == 0


def test_setuid_programs_work_inside(house):
    """An app of root, because those of others run with no_new_privs (S-063)."""
    source = house.tmp / "whoami.c"
    source.write_text("#include <unistd.h>\nint main(void) { return geteuid() == 33 ? 0 : 1; }\n")
    made = subprocess.run(["cc", "-static", "-o", house.tmp / "whoami", source], check=False)
    if made.returncode != 0:
        pytest.skip("no compiler for a static program")
    program = (house.tmp / "whoami").read_bytes()
    extra = [entry("rootfs/bin/whoami", program, mode=0o4755, uid=33)]
    image = house.image("/bin/whoami", extra=extra)
    assert run(["rkt-run", image]).status == 0
    assert run(["rkt-run", "--tree=extracted", image]).status == 0


def test_root_of_the_pod_has_owner_and_mode_of_the_image(house):
    text = manifest(exec_=["/bin/stat", "-c", "%a %u %g", "/"])
    pairs = [entry("rootfs", mode=0o751, uid=33, gid=34)]
    tar = tar_bytes([entry("manifest", json.dumps(text)), *pairs, *busybox_entries()])
    (house.tmp / "root.aci").write_bytes(tar)
    assert run(["rkt-run", house.tmp / "root.aci"]).out == "751 33 34\n"


@pytest.mark.parametrize("tree", ["auto", "extracted"])
def test_both_kinds_of_tree_give_the_same(house, tree):
    image = house.shell("echo new >/srv/f; stat -c '%n %a %u %g' /bin/busybox /tmp /etc; exit 4")
    result = run(["rkt-run", f"--tree={tree}", image])
    assert result.status == 4
    assert result.out == "/bin/busybox 755 0 0\n/tmp 1777 0 0\n/etc 755 0 0\n"
    assert (house.pod() / f"overlay/{image}/upper/srv/f").read_text() == "new\n"


def test_volume_is_shared_with_the_host(house, tmp_path):
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared/in").write_text("from the host\n")
    image = house.shell(
        "cat /srv/data/in; echo back >/srv/data/out",
        mountPoints=[{"name": "data", "path": "/srv/data"}],
    )
    result = run(["rkt-run", "-volume", f"data:{tmp_path}/shared", image])
    assert (result.status, result.out) == (0, "from the host\n")
    assert (tmp_path / "shared/out").read_text() == "back\n"


def test_read_only_volume_cannot_be_written(house, tmp_path):
    (tmp_path / "shared").mkdir()
    image = house.shell("touch /srv/data/f", mountPoints=[{"name": "data", "path": "/srv/data"}])
    volume = f"data,kind=host,source={tmp_path}/shared,readOnly=true"
    result = run(["rkt-run", "--volume", volume, image])
    assert result.status == 1 and "Read-only" in result.err
    assert list((tmp_path / "shared").iterdir()) == []


def test_missing_volume_source_is_an_error_and_is_not_made(house, tmp_path):
    image = house.image(mountPoints=[{"name": "data", "path": "/srv/data"}])
    result = run(["rkt-run", "-volume", f"data:{tmp_path}/nowhere", image])
    assert result.status == 254 and "nowhere" in result.err
    assert not (tmp_path / "nowhere").exists()


def test_open_mount_point_is_warned_about(house):
    image = house.shell("touch /srv/f", mountPoints=[{"name": "data", "path": "/srv"}])
    result = run(["rkt-run", image])
    assert result.status == 0 and '"data"' in result.err


@pytest.mark.parametrize(
    "args",
    [
        ["--volume=data", "x"],
        ["--volume=data:/a", "--volume=data:/b", "x"],
        ["x", "--environment=novalue"],
        ["x", "--name=Not_A_Name"],
        ["x", "--working-dir=relative"],
        ["x", "--user="],
        ["x", "--group="],
        # bytes that are not UTF-8, as Python has them: a pod manifest cannot hold them
        ["x", "--", "caf\udce9"],
        ["x", "--exec=/bin/caf\udce9"],
        ["x", "--environment=A=\udce9"],
        ["x", "--user=\udce9"],
        ["x", "--working-dir=/\udce9"],
        ["--volume=data:/\udce9", "x"],
        ["--hostname=" + "h" * 65, "x"],
        ["--net=bridge", "x"],
        ["--interactive", "x", "y"],
        [],
        ["--no-such-option", "x"],
    ],
)
def test_wrong_usage_is_two(house, args):
    result = run(["rkt-run", *args])
    assert result.status == 2
    assert "--help" in result.err
    assert house.pods() == []


def test_uuid_file_is_written(house, tmp_path):
    assert run(["rkt-run", f"--uuid-file-save={tmp_path}/uuid", house.image()]).status == 0
    assert (tmp_path / "uuid").read_text() == house.pod().name + "\n"


def test_stage1_is_imported_on_first_use_only(house, tmp_path):
    image = house.image()
    for suffix in (".aci", ".id"):
        shutil.copy(STAGE1.with_suffix(suffix), tmp_path / f"mine{suffix}")
    stage1 = (tmp_path / "mine.id").read_text().strip()
    env = {"RKT_STAGE1_PATH": tmp_path / "mine.aci"}
    assert stage1 not in run(["rkt-store", "list", "--json"]).out
    assert run(["rkt-run", image], env=env).status == 0
    assert stage1 in run(["rkt-store", "list", "--json"]).out
    (tmp_path / "mine.aci").write_text("nobody reads this any more")
    assert run(["rkt-run", image], env=env).status == 0


def test_stage1_is_looked_for_where_the_configuration_says(house, tmp_path):
    image = house.image()
    (tmp_path / "paths.d").mkdir()
    file = tmp_path / "paths.d/a.json"
    paths = {"rktKind": "paths", "rktVersion": "v1", "stage1-images": str(tmp_path / "images")}
    file.write_text(json.dumps(paths))
    env = {"RKT_LOCAL_CONFIG": tmp_path}
    result = run(["rkt-run", image], env=env)
    assert result.status == 254
    assert f"{tmp_path}/images/stage1-native.aci is not there (stage1-images of {file})" in result.err
    (tmp_path / "images").mkdir()
    shutil.copy(STAGE1, tmp_path / "images")
    assert run(["rkt-run", image], env=env).status == 0


def test_stage1_that_is_not_what_its_id_says_is_refused(house, tmp_path, busybox_aci):
    image = house.image()
    path = pathlib.Path(busybox_aci(file="fake.aci"))
    (tmp_path / "fake.id").write_text(STAGE1.with_suffix(".id").read_text())
    result = run(["rkt-run", f"--stage1-path={path}", image])
    assert result.status == 254 and house.pods() == []
    (tmp_path / "fake.id").unlink()
    result = run(["rkt-run", f"--stage1-path={path}", image])
    assert result.status == 254 and "not a stage1 image" in result.err


def test_leased_image_is_not_removed(house):
    image = house.shell("while [ ! -e /stop ]; do sleep 0.05; done")
    _, uuid = house.start(image)
    refused = run(["rkt-store", "rm", image])
    assert refused.status == 1 and uuid in refused.err
    assert run(["rkt-store", "gc", "--grace-period=0s"]).status == 0
    assert image in run(["rkt-store", "list", "--full"]).out


def test_killed_supervisor_takes_the_pod_along(house):
    """S-070, S-072"""
    image = house.shell("sleep 1000 & sleep 1000")
    before = mounts_below("/")
    process, uuid = house.start(image)
    process.kill()
    process.wait(timeout=60)
    wait_for(lambda: house.state(uuid) == "exited", "the pod has exited")
    wait_for(lambda: not processes_in(house.data), "no process is left")
    assert run(["rkt-pod", "gc", "--grace-period=0s"]).status == 0
    assert house.pods() == []
    rest = [at for at in mounts_below("/") if at not in before]
    assert all(at.startswith(f"{house.data}/cas/mnt/") for at in rest)


@pytest.mark.parametrize("propagation", ["private", "shared"])
def test_mounts_of_a_pod_are_not_seen_outside(house, propagation):
    """S-065, also on a host whose mounts are shared, as systemd makes them."""
    image = house.shell("sleep 1000")
    script = """
        "$1" --uuid-file-save="$3/uuid" "$4" & pid=$!
        until "$2" status "$(cat "$3/uuid")" | grep -q state=running; do
            kill -0 $pid || exit 9; sleep 0.05
        done 2>/dev/null
        grep -c "/containers/" /proc/self/mountinfo
        kill -KILL $pid; wait $pid; exit 0
    """
    tools = [tool("rkt-run"), tool("rkt-pod")]
    args = ["unshare", "-m", "--propagation", propagation, "sh", "-c", script, "sh", *tools]
    result = run([*args, house.tmp, image])
    assert (result.status, result.out) == (0, "0\n"), result


def test_failure_after_the_pod_was_made_leaves_nothing(house, tmp_path):
    """The UUID file cannot be written: by then the pod has a directory and a lease."""
    image = house.image()
    result = run(["rkt-run", f"--uuid-file-save={tmp_path}/no/such/dir", image])
    assert result.status == 254 and result.err.count("\n") == 1
    assert house.pods() == []
    assert run(["rkt-store", "rm", image]).status == 0


def input_of_app(supervisor):
    """The file system of what the first app of a pod, or what is to become it, has as its input."""
    first = pathlib.Path(f"/proc/{supervisor}/task/{supervisor}/children").read_text().split()[0]
    apps = pathlib.Path(f"/proc/{first}/task/{first}/children")
    return os.stat(f"/proc/{wait_for(apps.read_text, 'there is an app').split()[0]}/fd/0").st_dev


def test_terminal_resized_while_the_app_starts_has_its_new_size(house):
    """The app's own terminal was made with the old size, and the supervisor does not have it yet."""
    image = house.shell("busybox stty size")
    ours, theirs = pty.openpty()
    fcntl.ioctl(ours, termios.TIOCSWINSZ, struct.pack("4H", 33, 99, 0, 0))
    with Held(
        [tool("rkt-run"), image],
        "renameat",  # the pid of the pod, the last before the apps are let go
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(theirs, termios.TIOCSCTTY, 0),
    ) as held:
        held.wait_held()
        wait_for(lambda: input_of_app(held.pid) != os.fstat(theirs).st_dev, "the app has its terminal")
        fcntl.ioctl(ours, termios.TIOCSWINSZ, struct.pack("4H", 50, 120, 0, 0))
        held.release()
        seen = b""
        while b"120" not in seen and b"99" not in seen:
            seen += os.read(ours, 4096)
        assert b"50 120" in seen
        assert held.wait(60) == 0
    os.close(ours)
    os.close(theirs)


def test_pod_that_cannot_be_told_to_start_is_given_up(house):
    """The first message of the supervisor lets the apps go: without it they would wait for ever."""
    result = run_failing(["timeout", "-s", "KILL", "20", tool("rkt-run"), house.image()], "sendmsg:error=ENOBUFS")
    assert result.status == 254 and "control: send" in result.err, result


def test_more_arguments_than_a_manifest_holds_are_refused_before_there_is_a_pod(house):
    image = house.image("/bin/echo")
    words = ["x" * 100_000] * 11
    result = run(["rkt-run", image, "--", *words])
    assert result.status == 254 and result.err.count("\n") == 1
    assert "fewer or shorter arguments" in result.err
    assert house.pods() == []
    assert run(["rkt-run", image, "--", *words[:10]]).status == 0


def test_upper_layers_go_to_memory_where_the_disk_takes_none(house):
    """An overlay cannot hold the upper layer of another: a data directory inside a container."""
    image = house.shell("echo new >/srv/f && cat /srv/f; exit 6")
    script = """
        mount -t tmpfs none "$1" && mkdir "$1/u" "$1/w" "$1/l" "$1/m" &&
        mount -t overlay none -o lowerdir="$1/l",upperdir="$1/u",workdir="$1/w" "$1/m" &&
        mkdir -m 0700 "$1/m/data" && export RKT_DIR="$1/m/data" &&
        "$2" import "$4" >/dev/null && "$3" --debug --tree=extracted "$4"
        status=$?; umount -l "$1"; exit $status
    """
    file = next(house.tmp.glob("*.aci"))
    work = house.tmp / "nested"
    work.mkdir()
    tools = [tool("rkt-store"), tool("rkt-run")]
    args = ["unshare", "-m", "--propagation", "private", "sh", "-c", script, "sh", work, *tools]
    result = run([*args, file])
    assert (result.status, result.out) == (6, "new\n"), result
    assert "in memory" in result.err
    assert image


def test_ordinary_user_is_told_at_once(house):
    result = run(["rkt-run", "x"], preexec_fn=lambda: os.setuid(65534))
    assert result.status == 254 and "root" in result.err
    assert run(["rkt-run", "--help"], preexec_fn=lambda: os.setuid(65534)).status == 0


def test_descriptors_of_the_caller_do_not_reach_the_pod(house):
    """S-060: neither the app nor the supervisor gets them."""
    listing = run(["rkt-run", house.shell("ls /proc/self/fd")], pass_fds=[]).out
    assert set(listing.split()) <= {"0", "1", "2", "3"}  # 3: ls itself
    stranger = house.tmp / "stranger"
    stranger.touch()
    with open(stranger, "rb") as file:
        process, uuid = house.start(house.shell("sleep 1000"), pass_fds=[file.fileno()])
        for pid in (process.pid, house.status(uuid)["pid"]):
            held = [os.readlink(fd) for fd in pathlib.Path(f"/proc/{pid}/fd").iterdir()]
            assert str(stranger) not in held
