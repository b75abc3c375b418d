"""Bit rot: a changed byte is found, what is damaged is not handed out, a damaged index is refused
with a sentence (S-043, S-047).

Every byte of a small blob is flipped, one in each of many images at a time, and bytes of its index, and of
an index over several layers: all of them with RKT_FAULT_FULL, else every 97th.
"""

import pathlib
import random
import shutil
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "cli"))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from conftest import data_dir, entry, make_aci, manifest  # noqa: E402
from faultlib import FULL  # noqa: E402
from storelib import add, blob_path, flip, image_tar, info, store, write  # noqa: E402

assert data_dir  # a fixture

IMAGES = 128
PAGE = 4096


def add_many(tmp_path):
    return add(*[write(tmp_path / f"{n}.aci", image_tar(content=f"{n:04}")) for n in range(IMAGES)])


def index_path(data_dir, image):
    return pathlib.Path(data_dir) / "cas/erofs/sha256" / image[7:9] / image


def flip_each(data_dir, images, path_of, places):
    """Flips PLACES, one an image, until all were; returns after each round had all found."""
    places = list(places)
    while places:
        now = list(zip(images, places))
        places = places[len(now) :]
        for image, at in now:
            flip(path_of(data_dir, image), at)
        result = store("verify")
        damaged = {line.split()[0] for line in result.out.splitlines() if line.split()[1] == "damaged"}
        assert damaged == {image for image, _ in now}, now
        assert result.status == 4
        for image, at in now:
            flip(path_of(data_dir, image), at)
    assert store("verify").status == 0


def test_every_byte_of_a_blob(data_dir, tmp_path):
    images = add_many(tmp_path)
    flip_each(data_dir, images, blob_path, range(blob_path(data_dir, images[0]).stat().st_size))


def test_bytes_of_an_index(data_dir, tmp_path):
    images = add_many(tmp_path)
    size = index_path(data_dir, images[0]).stat().st_size
    flip_each(data_dir, images, index_path, range(0, size, 1 if FULL else 97))


def test_bytes_of_an_index_over_several_layers(data_dir, tmp_path):
    """One in each of many trees at a time; then bytes of their layers."""
    names = [f"example.com/top-{n}" for n in range(16)]
    on = [{"imageName": "example.com/base"}]
    base = make_aci(tmp_path / "base.aci", [entry("rootfs/base", "b" * 700)], manifest("example.com/base"))
    tops = [make_aci(tmp_path / f"{n}.aci", [entry("rootfs/own", f"{n:04}")], manifest(name, dependencies=on))
            for n, name in enumerate(names)]
    base, *tops = add(base, *tops)
    for name in names:
        store("render", "--form=erofs", name)
    store("gc")  # the mounts
    trees = [info(name)["tree"] for name in names]
    size = index_path(data_dir, trees[0]).stat().st_size
    flip_each(data_dir, trees, index_path, range(0, size, 1 if FULL else 97))
    for at in random.Random(46).sample(range(blob_path(data_dir, base).stat().st_size), 64 if FULL else 8):
        flip(blob_path(data_dir, base), at)
        result = store("verify")
        damaged = {line.split()[0] for line in result.out.splitlines() if line.split()[1] == "damaged"}
        assert result.status == 4 and damaged == {base, *trees}, at
        flip(blob_path(data_dir, base), at)
    assert store("verify").status == 0


def test_damaged_blob_is_not_handed_out(data_dir, tmp_path):
    """Random bytes of a large one."""
    chance = random.Random(43)
    image = add(write(tmp_path / "a.aci", image_tar(content=chance.randbytes(8 << 20))))
    path = blob_path(data_dir, image)
    for number in range(200 if FULL else 12):
        at = chance.randrange(path.stat().st_size)
        flip(path, at)
        for command in ("export", "extract"):
            target = tmp_path / f"{command}-{number}"
            result = store(command, image, target)
            assert result.status == 4 and "damaged" in result.err, (at, result)
            assert len(result.err.splitlines()) == 1 and not target.exists()
        assert store("verify").status == 4
        flip(path, at)
    assert store("verify").status == 0


def damages(chance, size):
    """(what, function of a copy of data.mdb) of damage as disks and people do it."""
    used = [at for at in range(0, size, PAGE)]
    for number in range(400 if FULL else 60):
        page = chance.choice(used)
        kind = chance.choice(["byte", "zeros", "garbage", "swap", "cut"])
        yield f"{number}: {kind} at page {page // PAGE}", kind, page


def damage(path, kind, page, chance):
    data = bytearray(path.read_bytes())
    if kind == "byte":
        data[page + chance.randrange(PAGE)] ^= 1 << chance.randrange(8)
    elif kind == "zeros":
        data[page : page + PAGE] = bytes(PAGE)
    elif kind == "garbage":
        data[page : page + PAGE] = chance.randbytes(PAGE)
    elif kind == "swap":
        data[page : page + PAGE], data[0:PAGE] = data[0:PAGE], data[page : page + PAGE]
    else:
        del data[page + chance.randrange(PAGE) :]
    path.write_bytes(data)


def test_damaged_index_is_refused_with_a_sentence(data_dir, tmp_path):
    images = add(*[write(tmp_path / f"{n}.aci", image_tar(f"example.com/{n}")) for n in range(20)])
    path, good = data_dir / "cas/index/data.mdb", tmp_path / "good"
    shutil.copytree(data_dir, good)
    size = len(path.read_bytes().rstrip(b"\0")) + PAGE - 1
    chance = random.Random(47)
    wrong = []
    for what, kind, page in damages(chance, size // PAGE * PAGE):
        damage(path, kind, page, chance)
        before = path.read_bytes()
        reading = (["list"], ["verify"], ["stat"], ["gc", "--dry-run", "--grace-period=0s", "--max-size=1K"])
        for args in (*reading, ["rm", images[3]], ["import", tmp_path / "1.aci"]):
            result = store(*args)
            if result.status not in (0, 1, 3, 4) or (result.status and not result.err):
                wrong.append((what, args[0], result))
            if args in reading and path.read_bytes() != before:
                wrong.append((what, args[0], "changed"))
        shutil.rmtree(data_dir)
        shutil.copytree(good, data_dir)
    assert not wrong, "\n".join(map(str, wrong))


