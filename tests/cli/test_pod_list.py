"""rkt-pod list"""

import json
import os

from conftest import run
from podlib import house  # noqa: F401


def test_no_store_is_an_empty_list_and_makes_none(data_dir):
    result = run(["rkt-pod", "list", "--json"])
    assert (result.status, json.loads(result.out)) == (0, [])
    assert not data_dir.exists()


def test_pod_is_listed_with_its_state(house):
    running = house.start(house.shell("sleep 1000", name="example.com/sleeper"))[1]
    assert run(["rkt-run", house.image(name="example.com/done")]).status == 0
    lines = run(["rkt-pod", "list"]).out.splitlines()
    assert lines[0].split() == ["UUID", "APP", "IMAGE", "STATE", "CREATED", "STARTED"]
    rows = {line.split()[1]: line.split()[:4] for line in lines[1:]}
    assert rows["sleeper"] == [running[:8], "sleeper", "example.com/sleeper", "running"]
    assert rows["done"][2:] == ["example.com/done", "exited"]


def test_full_and_no_legend(house):
    image = house.image()
    assert run(["rkt-run", image]).status == 0
    (line,) = run(["rkt-pod", "list", "--full", "--no-legend"]).out.splitlines()
    words = line.split()
    assert words[0] == house.pods()[0] and words[2] == image
    assert words[4].endswith("Z") and words[5].endswith("Z")


def test_pod_of_two_apps_is_named_once(house):
    images = [house.image(name=f"example.com/{name}") for name in ("one", "two")]
    assert run(["rkt-run", *images]).status == 0
    first, second = run(["rkt-pod", "list", "--no-legend"]).out.splitlines()
    assert first.split()[1] == "one" and "exited" in first
    assert second.split() == ["two", "example.com/two"]


def test_json_has_all_there_is(house):
    image = house.shell("exit 3")
    assert run(["rkt-run", image]).status == 3
    (pod,) = json.loads(run(["rkt-pod", "list", "--json"]).out)
    assert set(pod) == {"uuid", "state", "created", "started", "ended", "apps"}
    assert pod["apps"] == [
        {"name": "busybox", "image": "example.com/busybox", "imageID": image, "status": 3}
    ]


def test_broken_pod_does_not_break_the_list(house):
    assert run(["rkt-run", house.image()]).status == 0
    broken = house.data / "containers/11111111-1111-4111-8111-111111111111"
    broken.mkdir()
    (broken / "container").write_text("{ not json")
    (broken / "pid").mkdir()
    os.mkfifo(house.data / "containers/22222222-2222-4222-8222-222222222222")
    result = run(["rkt-pod", "list", "--no-legend"])
    assert "exited" in result.out
