"""rkt-store import, of a file that lies there as it did: known without reading all of it, and only then."""

import mmap
import os
import re
import shutil
import subprocess
import time

import pytest
from conftest import run, tool
from siglib import Gpg, needs_gpg, trust  # noqa: F401 (a fixture)
from storelib import NOBODY, add, ids, image_tar, info, own_mounts, store, write  # noqa: F401

MEGABYTE = 1 << 20
SETTLED = 3.1  # seconds, after which the time of a change is believed
SIZE = 4 * MEGABYTE


def tar_of(letter, middle=b"a"):
    """Tars of one size whose contents differ in the middle only, where no sample is taken."""
    return image_tar(content=(letter.encode() * (SIZE // 2) + middle + letter.encode() * (SIZE // 2 - 1)).decode())


class Disk:
    """An ext4 of our own: which file system the tests are in does not matter then."""

    def __init__(self, top):
        self.image, self.folder = top / "image", top / "mnt"
        self.folder.mkdir()
        with open(self.image, "wb") as file:
            file.truncate(256 * MEGABYTE)
        self.must("mkfs.ext4", "-q", "-b", "4096", self.image)
        self.device = self.must("losetup", "--find", "--show", self.image).strip()
        self.mount()

    @staticmethod
    def must(*args):
        result = run(args)
        if result.status != 0:
            pytest.skip(f"no file system of our own: {result.err}")
        return result.out

    def __truediv__(self, name):
        return self.folder / name

    def mount(self):
        self.must("mount", self.device, self.folder)

    def change_behind(self, file, old, new):
        """Everywhere in the blocks of FILE but the first and the last."""
        extents = self.must("filefrag", "-s", "-v", file)
        self.must("umount", self.folder)
        with open(self.device, "r+b") as disk:
            for first, last in re.findall(r"^ *\d+: +\d+\.\. *\d+: +(\d+)\.\. *(\d+):", extents, re.M):
                disk.seek(int(first) * 4096)
                data = disk.read((int(last) - int(first) + 1) * 4096)
                disk.seek((int(first) + 1) * 4096)
                disk.write(data[4096:-4096].replace(old, new))
        self.mount()

    def close(self):
        run(["umount", "-l", self.folder])
        run(["losetup", "-d", self.device])


@pytest.fixture(scope="module")
def disk(own_mounts, tmp_path_factory):  # noqa: F811
    disk = Disk(tmp_path_factory.mktemp("disk"))
    for letter in "abcdefij":
        write(disk / f"{letter}.aci", tar_of(letter))
    time.sleep(SETTLED)
    yield disk
    disk.close()


def bytes_read(data_dir, file, *options):
    """Imports FILE: its ID, and how much of it was read."""
    trace = data_dir.parent / "trace"
    args = ["strace", "-f", "-o", trace, "-P", file, "-e", "trace=read,pread64,readv,mmap"]
    # LeakSanitizer cannot look at what strace looks at
    env = {"ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0"}
    result = run([*args, tool("rkt-store"), "import", *options, file], env=env)
    assert result.status == 0, result
    calls = [line for line in trace.read_text().splitlines() if "mmap" not in line]
    return result.out.strip(), sum(int(re.search(r"= (\d+)$", line)[1]) for line in calls if "= " in line)


@pytest.fixture
def seen(disk, data_dir, request):
    """A file on the disk that was imported, and its image. Each test has its own."""
    file = disk / f"{request.param}.aci"
    return file, add(file)


def own(letter):
    return pytest.mark.parametrize("seen", [letter], indirect=True)


needs_strace = pytest.mark.skipif(not shutil.which("strace"), reason="needs strace")


@needs_strace
@own("a")
def test_a_file_that_lies_there_untouched_is_not_read(data_dir, seen):
    file, image = seen
    found, count = bytes_read(data_dir, file)
    assert found == image and 0 < count < MEGABYTE


@own("a")
def test_debug_says_that_a_file_was_not_read(data_dir, seen):
    file, image = seen
    told = f"rkt-store: {file}: not read: it lies there as when it was imported"
    assert store("import", "--debug", file).err.splitlines()[0] == told
    told = f"rkt-store: {file}: read: the bytes are those of a file that was imported before"
    assert store("import", "--debug", f"--verify-with={image}", file).err.splitlines()[0] == told


@needs_strace
@needs_gpg
def test_a_signature_is_checked_over_all_bytes_again(data_dir, disk, tmp_path, trust):  # noqa: F811
    file = disk / "i.aci"
    gpg = Gpg(tmp_path / "home")
    gpg.make_key("alice")
    trust.put("local", "example.com", gpg.fingerprint("alice"), (tmp_path / "alice.asc").read_bytes())
    signature = gpg.sign("alice", file, "i.asc", "--armor", "--detach-sign")
    gpg.stop()
    image = add(file)
    assert bytes_read(data_dir, file)[1] < MEGABYTE
    found, count = bytes_read(data_dir, file, f"--signature={signature}")
    assert found == image and count >= SIZE


@needs_strace
def test_what_is_verified_is_read(data_dir, disk):
    file = disk / "i.aci"
    image = add(file)
    found, count = bytes_read(data_dir, file, f"--verify-with={image}")
    assert found == image and count >= SIZE


@needs_strace
def test_a_change_behind_the_back_of_the_kernel_is_seen_in_samples(data_dir, disk):
    """What a clock that was set back does as well: the times are the same, the bytes are not."""
    file = disk / "j.aci"
    image = add(file)
    assert bytes_read(data_dir, file)[1] < MEGABYTE
    before = file.stat()
    disk.change_behind(file, b"jjjj", b"jzjj")
    after = file.stat()
    assert (after.st_dev, after.st_ino, after.st_ctime_ns) == (before.st_dev, before.st_ino, before.st_ctime_ns)
    assert add(file) != image


@own("b")
def test_a_change_that_keeps_size_and_time_is_seen(data_dir, seen):
    file, image = seen
    before = file.stat()
    with open(file, "r+b") as stream:
        stream.write(tar_of("b", b"z"))
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    after = file.stat()
    assert (after.st_ino, after.st_size, after.st_mtime_ns) == (before.st_ino, before.st_size, before.st_mtime_ns)
    changed = add(file)
    assert changed != image
    time.sleep(SETTLED)  # and no mark was left that would say otherwise later
    assert add(file) == changed and add(file) == changed
    assert set(ids()) == {image, changed}


@own("c")
def test_a_change_through_a_memory_map_is_seen(data_dir, seen):
    file, image = seen
    with open(file, "r+b") as stream, mmap.mmap(stream.fileno(), 0) as pages:
        pages[:] = tar_of("c", b"z")
        changed = add(file)
        assert changed != image
        time.sleep(SETTLED)
        assert add(file) == changed
        pages[:] = tar_of("c", b"y")  # of pages that were written before the kernel may take no notice
        assert add(file) not in (image, changed)


@needs_strace
@own("c")
def test_a_file_that_somebody_may_be_writing_is_not_marked(data_dir, seen):
    """A write sets the time when it begins; its bytes may come when the file has been read."""
    file, image = seen
    os.utime(file)
    time.sleep(SETTLED)
    with open(file, "r+b"):
        for _ in range(2):
            assert bytes_read(data_dir, file)[1] >= SIZE
    assert bytes_read(data_dir, file)[1] >= SIZE
    assert bytes_read(data_dir, file)[1] < MEGABYTE


@needs_strace
@pytest.mark.parametrize("owner, mode, marked", [(0, 0o644, True), (NOBODY, 0o644, False), (0, 0o664, False),
                                                 (0, 0o646, False), (0, 0o555, True)])
def test_a_file_that_others_may_write_is_not_marked(data_dir, disk, owner, mode, marked):
    file = disk / f"{owner}-{mode}.aci"
    write(file, tar_of("k"))
    os.chown(file, owner, owner)
    file.chmod(mode)
    time.sleep(SETTLED)
    add(file)
    assert (bytes_read(data_dir, file)[1] < MEGABYTE) == marked


@needs_strace
@own("e")
def test_a_file_is_known_from_the_position_it_was_read_from(data_dir, seen, tmp_path):
    file, image = seen
    shutil.copy(file, tmp_path / "first")
    both = file.with_suffix(".two")
    write(both, tar_of("e", b"x") + file.read_bytes())
    time.sleep(SETTLED)
    length = file.stat().st_size
    for at, found in ((0, None), (length, image), (length, image)):
        with open(both, "rb") as stream:
            stream.seek(at)
            result = subprocess.run([tool("rkt-store"), "import", "-"], stdin=stream, capture_output=True, text=True)
            if found:
                assert result.stdout.strip() == found, result
                assert stream.fileno() and os.lseek(stream.fileno(), 0, os.SEEK_CUR) == 2 * length
            else:
                assert result.returncode == 4, result  # two tars in a row are no image


def test_no_boot_is_no_mark_and_no_failure(data_dir, disk, tmp_path):
    """As where /proc/sys is hidden."""
    file = disk / "i.aci"
    script = 'mount -t tmpfs none /proc/sys && "$STORE" import "$FILE" && "$STORE" import "$FILE"'
    result = run(["unshare", "-m", "sh", "-c", script], env={"STORE": tool("rkt-store"), "FILE": file})
    assert result.status == 0 and len(set(result.out.split())) == 1, result


@own("d")
def test_another_file_under_the_same_name_is_another_file(data_dir, seen):
    file, image = seen
    before = file.stat()
    other = write(file.with_suffix(".new"), tar_of("d", b"z"))
    os.utime(other, ns=(before.st_atime_ns, before.st_mtime_ns))
    os.replace(other, file)
    assert add(file) != image


@needs_strace
@own("e")
def test_what_changed_just_now_is_read_until_its_time_has_passed(data_dir, seen):
    file, image = seen
    os.utime(file)
    assert bytes_read(data_dir, file)[1] >= SIZE and bytes_read(data_dir, file)[1] >= SIZE
    time.sleep(SETTLED)
    assert bytes_read(data_dir, file)[1] >= SIZE
    found, count = bytes_read(data_dir, file)
    assert found == image and count < MEGABYTE


@own("f")
def test_a_removed_image_is_not_taken_for_there(data_dir, seen):
    file, image = seen
    assert store("rm", image).status == 0
    assert add(file) == image and info(image)["id"] == image


@own("f")
def test_what_is_expected_of_the_image_is_asked_of_a_file_that_is_not_read_too(data_dir, seen):
    file, _ = seen
    other = "sha256-" + "0" * 64
    assert store("import", "--verify-with", other, file).status == 4
    assert store("import", "--name-check", "example.com/other", file).status == 4


@needs_strace
def test_an_image_has_one_such_mark_however_many_copies_are_imported(data_dir, disk, tmp_path):
    copies = [disk / f"{number}.aci" for number in range(8)]
    for copy in copies:
        write(copy, tar_of("g"))
    time.sleep(SETTLED)
    for copy in copies:
        add(copy)
    assert bytes_read(data_dir, copies[-1])[1] < MEGABYTE
    assert bytes_read(data_dir, copies[0])[1] >= SIZE


@needs_strace
def test_a_file_system_that_does_not_keep_such_times_is_read(data_dir, own_mounts, tmp_path):  # noqa: F811
    folder = tmp_path / "memory"
    folder.mkdir()
    assert run(["mount", "-t", "tmpfs", "none", folder]).status == 0
    file = write(folder / "h.aci", tar_of("h"))
    time.sleep(SETTLED)
    image = add(file)
    assert bytes_read(data_dir, file) == (image, pytest.approx(SIZE, rel=0.2))
    subprocess.run(["umount", "-l", folder], check=True)
