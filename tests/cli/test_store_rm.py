"""rkt-store rm: images leave the store with all that is theirs, unless a pod uses them."""

import hashlib
import json
import os
import pathlib
import subprocess

import pytest
from conftest import BUILD, Held, entry, make_aci, manifest, needs_erofs, run, run_failing, tool
from podlib import house
from storelib import (
    add,
    assert_one_line,
    blob_path,
    files_in,
    ids,
    image_tar,
    info,
    mounts_below,
    own_mounts,
    same_prefix,
    store,
    write,
)

assert house and own_mounts  # fixtures


@pytest.fixture
def images(data_dir, tmp_path):
    return add(*[write(tmp_path / f"{n}.aci", image_tar(content=str(n))) for n in range(3)])


def test_record_and_files_go_and_the_id_is_printed(images, data_dir):
    result = store("rm", images[0])
    assert result.status == 0 and result.out == f"{images[0]}\n" and result.err == ""
    assert images[0] not in ids()
    assert not any(images[0] in name for name in files_in(data_dir))
    assert len(files_in(data_dir)) == 4


def test_several_at_once_by_prefix_and_name(images, data_dir):
    result = store("rm", images[0][:15], images[1].removeprefix("sha256-"), "example.com/test")
    assert result.out.split() == images
    assert ids() == [] and files_in(data_dir) == []


def test_name_means_the_newest_import(images):
    assert store("rm", "example.com/test").out == f"{images[2]}\n"


def test_first_unknown_image_ends_the_work(images):
    result = store("rm", images[0], "example.com/none", images[1])
    assert_one_line(result, 3, "example.com/none")
    assert result.out == f"{images[0]}\n"
    assert len(ids()) == 2


def test_files_that_cannot_be_removed_are_told_to_be_left_over(images, data_dir):
    path = blob_path(data_dir, images[0]).parent
    result = run_failing([tool("rkt-store"), "rm", images[0]], "unlinkat:error=EIO", path)
    told = "it is out of the store, but not all that it leaves could be removed; gc tries again: "
    assert_one_line(result, 1, f"removing {images[0]}: {told}", "Input/output error")
    assert images[0] not in ids()
    assert store("gc").status == 0 and len(files_in(data_dir)) == 4


def test_ambiguous_prefix_removes_nothing(data_dir, tmp_path):
    one, other = same_prefix()
    both = add(write(tmp_path / "one", one), write(tmp_path / "other", other))
    assert_one_line(store("rm", both[0][:15]), 2, "ambiguous")
    assert len(ids()) == 2


def test_removed_image_can_be_imported_again(images, data_dir, tmp_path):
    store("rm", images[0])
    assert add(tmp_path / "0.aci") == images[0]
    assert blob_path(data_dir, images[0]).exists()


def test_extracted_tree_goes_too(images, data_dir):
    tree = json.loads(store("render", "--form=extracted", "--json", images[0]).out)["path"]
    assert store("rm", images[0]).status == 0
    assert not pathlib.Path(tree).exists()
    assert list((data_dir / "cas/tmp").iterdir()) == []


@needs_erofs
def test_mount_goes_too(own_mounts, images, data_dir):
    store("render", images[0])
    assert len(mounts_below(data_dir)) == 1
    assert store("rm", images[0]).status == 0
    assert mounts_below(data_dir) == []
    assert list((data_dir / "cas/mnt").iterdir()) == []


def test_other_names_that_begin_alike_stay(data_dir, tmp_path):
    one = add(write(tmp_path / "one", image_tar("example.com/app")))
    add(write(tmp_path / "more", image_tar("example.com/app-more")))
    assert store("rm", "example.com/app").out == f"{one}\n"
    assert len(ids()) == 1


# ---- what a removal breaks ---------------------------------------------------------------------


def warnings(result):
    return [line for line in result.err.splitlines() if line.startswith("rkt-store: warning: ")]


@pytest.fixture
def layers(data_dir, tmp_path):
    """A base, a middle over it, and a top over the middle; their IDs."""
    specs = [("base", []), ("middle", ["base"]), ("top", ["middle"])]
    return add(
        *[
            write(
                tmp_path / name,
                image_tar(f"example.com/{name}", dependencies=[{"imageName": f"example.com/{one}"} for one in below]),
            )
            for name, below in specs
        ]
    )


def test_images_that_depend_on_a_removed_one_are_named_and_do_not_keep_it(layers, data_dir):
    base, middle, top = layers
    result = store("rm", base)
    assert result.status == 0 and result.out == f"{base}\n"
    (line,) = result.err.splitlines()
    assert line.startswith(f"rkt-store: warning: {base} was a dependency of ")
    assert f"{middle} (example.com/middle)" in line and f"{top} (example.com/top)" in line
    assert sorted(ids()) == sorted([middle, top])


def test_only_what_is_left_is_warned_of(layers):
    base, middle, top = layers
    result = store("rm", base, middle)
    assert warnings(result)[0] == f"rkt-store: warning: {base} was a dependency of {top} (example.com/top)"
    assert len(warnings(result)) == 2
    assert store("rm", top).err == ""


def test_images_that_do_not_depend_on_it_are_not_named(layers, data_dir, tmp_path):
    """The top, and one that speaks of dependencies only in a text."""
    says = {"annotations": [{"name": "says", "value": "dependencies"}]}
    add(write(tmp_path / "says", image_tar("example.com/says", **says)))
    assert store("rm", layers[2]).err == ""


def test_an_image_that_lacks_another_dependency_too_is_named(data_dir, tmp_path):
    both = [{"imageName": "example.com/nowhere"}, {"imageName": "example.com/base"}]
    base = add(write(tmp_path / "base", image_tar("example.com/base")))
    top = add(write(tmp_path / "top", image_tar("example.com/top", dependencies=both)))
    assert f"dependency of {top} (example.com/top)" in store("rm", base).err


def test_a_long_warning_is_cut_and_force_names_all(data_dir, tmp_path):
    on = [{"imageName": "example.com/base"}]
    base = write(tmp_path / "base", image_tar("example.com/base"))
    add(base)
    tops = [write(tmp_path / f"{n}", image_tar(f"example.com/top{n}", dependencies=on)) for n in range(11)]
    tops = add(*tops)
    (line,) = store("rm", "example.com/base").err.splitlines()
    assert line.endswith(" and 3 more") and sum(top in line for top in tops) == 8
    add(base)
    (line,) = store("rm", "--force", "example.com/base").err.splitlines()
    assert all(top in line for top in tops)


def test_force_changes_nothing_where_no_pod_is(images, data_dir):
    result = store("rm", "--force", images[0])
    assert result.status == 0 and result.out == f"{images[0]}\n" and result.err == ""
    assert len(files_in(data_dir)) == 4


LATE = "until [ -e /go ]; do sleep 0.05; done; cat /late; ls /bin | wc -l"


def let_go(house, process, uuid, image):
    """Lets the app of IMAGE in the pod go on with LATE; what it said."""
    stage1 = pathlib.Path(f"/proc/{process.pid}/root{house.pod(uuid)}/stage1")
    (stage1 / f"opt/stage2/{image}/rootfs/go").touch()
    return process.communicate(timeout=60)[0].decode()


@pytest.mark.parametrize("form", ["extracted", pytest.param("erofs", marks=needs_erofs)])
def test_a_running_pod_keeps_its_root_when_its_image_is_removed_by_force(house, form):
    image = house.shell(LATE, extra=[entry("rootfs/late", "still there\n")])
    process, uuid = house.start(f"--tree={form}", image)
    assert_one_line(store("rm", image), 1, image, "in use by pod", uuid)
    assert image in ids()
    result = store("rm", "--force", image)
    assert result.status == 0 and result.out == f"{image}\n"
    assert warnings(result) == [
        f"rkt-store: warning: pod {uuid} cannot be started any more; if it runs, it keeps its root file "
        "system until it ends"
    ]
    assert image not in ids()
    assert not any(image in name for name in files_in(house.data) if name.startswith(("blob", "erofs")))
    assert image not in os.listdir(house.data / "cas/mnt")
    assert store("gc", "--grace-period=0s").status == 0
    assert house.state(uuid) == "running"
    out = let_go(house, process, uuid, image)
    assert process.returncode == 0 and "still there" in out, out
    assert int(out.split()[-1]) > 5  # what was never looked at before
    assert house.status(uuid)["apps"][0]["status"] == 0
    assert run(["rkt-pod", "rm", uuid]).status == 0
    assert store("gc", "--grace-period=0s").status == 0
    assert ids() == [] and not any(image in name for name in files_in(house.data))
    assert list((house.data / "cas/mnt").iterdir()) == []


@pytest.mark.parametrize("form", ["extracted", pytest.param("erofs", marks=needs_erofs)])
def test_a_running_pod_keeps_its_root_when_a_layer_is_removed_by_force(house, tmp_path, form):
    base = house.image(name="example.com/base", extra=[entry("rootfs/late", "still there\n")])
    text = manifest("example.com/top", ["/bin/sh", "-c", LATE], dependencies=[{"imageName": "example.com/base"}])
    top = add(make_aci(tmp_path / "top.aci", [], text))
    process, uuid = house.start(f"--tree={form}", top)
    tree = info(top)["tree"]
    result = store("rm", "--force", base)
    assert result.status == 0 and tree not in os.listdir(house.data / "cas/mnt")
    assert f"pod {uuid} cannot be started" in warnings(result)[0]
    assert warnings(result)[1].endswith(f"was a dependency of {top} (example.com/top)")
    assert info(top)["pods"] == [uuid]
    assert store("gc", "--grace-period=0s").status == 0
    out = let_go(house, process, uuid, top)
    assert process.returncode == 0 and "still there" in out, out
    assert run(["rkt-pod", "rm", uuid]).status == 0
    assert store("gc", "--grace-period=0s").status == 0
    assert files_in(house.data) == []
    assert list((house.data / "cas/mnt").iterdir()) == []


def test_a_pod_that_is_gone_is_not_spoken_of(images, data_dir):
    pod = "6ba7b810-9dad-11d1-80b4-00c04fd430c8"
    assert run([BUILD / "tests/fault/pods", "lease", pod, images[0]]).status == 0
    (data_dir / "containers" / pod).rmdir()
    assert store("rm", "--force", images[0]).err == ""


def test_a_pod_that_just_starts_is_told_that_its_image_was_removed(house, tmp_path):
    """Its start is held after it has its lease."""
    image = house.shell("true")
    assert run(["rkt-run", house.shell("true", name="example.com/other")]).status == 0  # stage1 is there
    before = set(house.pods())
    file = tmp_path / "uuid"
    command = [tool("rkt-run"), f"--uuid-file-save={file}", image]
    with Held(command, "openat", file, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.wait_held()
        assert info(image)["pods"]
        result = store("rm", "--force", image)
        (uuid,) = set(house.pods()) - before
        assert f"pod {uuid} cannot be started" in result.err
        process.release()
        err = process.communicate(timeout=60)[1].decode()
    assert process.returncode == 254, err
    (line,) = [line for line in err.splitlines() if line.startswith("rkt-run: ") and "rendering" in line]
    assert f"{image}, which pod {uuid} took, was removed from the store" in line
    assert set(house.pods()) == before


FILL = 'dd if=/dev/zero of="$FOLDER/fill" bs=1k 2>/dev/null'


@pytest.mark.parametrize("command", ["rm", "gc --grace-period=0s"])
@pytest.mark.parametrize("kind", ["tmpfs", "ext4"])
def test_what_is_on_a_full_disk_can_be_removed(tmp_path, kind, command):
    """Imports keep the room in the index that this takes."""
    if os.geteuid() != 0:
        pytest.skip("needs root")
    (folder := tmp_path / "disk").mkdir()
    files = [write(tmp_path / f"{n}.aci", image_tar(content=str(n), name=f"example.com/{n}")) for n in range(1)]
    images = [f"sha256-{hashlib.sha256(file.read_bytes()).hexdigest()}" for file in files]
    mount = ('mount -t tmpfs -o size=2m none "$FOLDER"' if kind == "tmpfs" else
             'truncate -s 16M "$FOLDER.img" && mkfs.ext4 -q "$FOLDER.img" && mount -o loop "$FOLDER.img" "$FOLDER"')
    script = (f'{mount} && "$STORE" import $FILES >&2 && {FILL}; "$STORE" import "$FILE" || echo full; '
              f'"$STORE" {command} {" ".join(images) if command == "rm" else ""}; echo $?; "$STORE" list --no-legend')
    result = run(["unshare", "-m", "--propagation", "private", "sh", "-c", script],
                 env={"FOLDER": folder, "STORE": tool("rkt-store"), "RKT_DIR": folder / "rkt",
                      "FILES": " ".join(map(str, files)),
                      "FILE": write(tmp_path / "more.aci", image_tar(content="x" * 100_000))})
    said = result.out.splitlines()
    assert said[0] == "full" and "No space left on device" in result.err, result
    assert sorted(said[1:-1]) == sorted(images) and said[-1] == "0", result


def test_remove_is_told_to_be_rm(data_dir):
    assert_one_line(store("remove", "x"), 2, 'unknown command "remove"; did you mean "rm"?')
