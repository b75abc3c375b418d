"""rkt-run of what is not in the store: URLs and names are fetched first."""

import os
import pathlib
import subprocess
import threading

from conftest import run, tool
from fetchlib import pki, proxy, web  # noqa: F401
from podlib import house  # noqa: F401
from storelib import wait_until


def test_a_url_is_fetched_and_run(house, web, busybox_aci):
    web.file("/a.aci", pathlib.Path(busybox_aci(exec_=["/bin/echo", "from the web"])).read_bytes())
    env = {"RKT_CACERT": web.ca}
    result = run(["rkt-run", "--insecure-options=image", f"{web.url}/a.aci"], env=env)
    assert (result.status, result.out) == (0, "from the web\n"), result
    # the second time it is there
    result = run(["rkt-run", "--insecure-options=image", f"{web.url}/a.aci"], env=env)
    assert (result.status, result.out, len(web.requests)) == (0, "from the web\n", 1), result


def test_a_name_is_fetched_and_run(house, web, proxy, busybox_aci):
    body = pathlib.Path(busybox_aci(name="example.com/tool", exec_=["/bin/echo", "by name"])).read_bytes()
    web.file("/tool-1.0.0-linux-amd64.aci", body)
    env = {"RKT_CACERT": web.ca, "https_proxy": proxy.url}
    name = "example.com/tool:1.0.0,os=linux,arch=amd64"
    result = run(["rkt-run", "--insecure-options=image", name], env=env)
    assert (result.status, result.out) == (0, "by name\n"), result


def test_what_nobody_signed_is_not_run(house, web, busybox_aci):
    web.file("/a.aci", pathlib.Path(busybox_aci()).read_bytes())
    result = run(["rkt-run", f"{web.url}/a.aci"], env={"RKT_CACERT": web.ca})
    assert result.status == 254 and "no signature" in result.err, result
    assert len(result.err.splitlines()) == 1 and house.pods() == []


def test_who_is_killed_does_not_leave_its_fetch_behind(house, web):
    asked, done = threading.Event(), threading.Event()

    def hang(handler, _):
        asked.set()
        done.wait(60)

    def fetches():
        return [line for line in run(["ps", "-A", "-ww", "-o", "args="]).out.splitlines() if f"{web.url}/a.aci" in line]

    web.route("/a.aci", hang)
    command = [tool("rkt-run"), "--insecure-options=image", f"{web.url}/a.aci"]
    try:
        with subprocess.Popen(command, env={**os.environ, "RKT_CACERT": str(web.ca)}) as process:
            assert asked.wait(60)
            assert any("rkt-store fetch" in line for line in fetches())
            process.kill()
        wait_until(lambda: not fetches())
    finally:
        done.set()
