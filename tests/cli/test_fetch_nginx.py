"""rkt-store fetch from nginx, as people run it: HTTP/2, ranges (S-027), revalidation, who may see what."""

import gzip
import json
import os
import pathlib
import shutil
import signal
import subprocess
import time

import pytest
from conftest import tool
from fetchlib import SOON, big_image, fetch, noise, partial, pki, unsigned  # noqa: F401
from nginxlib import Nginx, client_certificate, needs_nginx
from siglib import Gpg, trust  # noqa: F401
from storelib import assert_one_line, blob_path, ids, image_tar, own_mounts, store, write  # noqa: F401
from weblib import Proxy, make_ca

pytestmark = needs_nginx
NAME = "example.com/app"


@pytest.fixture(scope="module")
def nginx(tmp_path_factory, pki):
    it = Nginx(tmp_path_factory.mktemp("nginx"), pki)
    yield it
    it.close()


@pytest.fixture(autouse=True)
def no_log(nginx):
    """Each test sees what it asked for itself."""
    os.truncate(nginx.folder / "access.log", 0)


def the_id(result):
    assert result.status == 0, result
    (line,) = result.out.splitlines()
    return line


def test_http2_is_spoken_where_it_is_offered(data_dir, nginx):
    body = big_image(2_000_000)
    nginx.put("a.aci", body)
    image = the_id(unsigned(nginx, f"{nginx.url}/a.aci"))
    assert blob_path(data_dir, image).read_bytes() == body
    (asked,) = nginx.asked()
    assert (asked["http2"], asked["protocol"], asked["tls"]) == ("h2", "HTTP/2.0", "TLSv1.3")
    assert image == the_id(unsigned(nginx, f"{nginx.old}/a.aci"))
    assert nginx.asked()[-1]["protocol"] == "HTTP/1.1"
    assert store("verify").status == 0


def test_what_did_not_change_is_304(data_dir, nginx):
    file = nginx.put("b.aci", image_tar(content="b"))
    image = the_id(unsigned(nginx, f"{nginx.url}/b.aci"))
    assert the_id(unsigned(nginx, f"{nginx.url}/b.aci")) == image
    assert [asked["status"] for asked in nginx.asked()] == [200, 304]
    os.utime(file, (1, 1))  # its ETag is made of time and size
    assert the_id(unsigned(nginx, f"{nginx.url}/b.aci")) == image
    assert nginx.asked()[-1]["status"] == 200


def test_being_told_that_nothing_changed_writes_nothing(data_dir, nginx):
    nginx.put("d.aci", image_tar(content="d"))
    image = the_id(unsigned(nginx, f"{nginx.url}/d.aci"))
    before = (data_dir / "cas/index/data.mdb").read_bytes()
    assert the_id(unsigned(nginx, f"{nginx.url}/d.aci")) == image
    assert (data_dir / "cas/index/data.mdb").read_bytes() == before


def test_what_is_fresh_is_not_asked_for(data_dir, nginx):
    nginx.put("c.aci", image_tar(content="c"))
    for _ in range(2):
        the_id(unsigned(nginx, f"{nginx.url}/fresh/c.aci"))
    assert len(nginx.asked()) == 1


@pytest.fixture
def authorities(own_mounts, nginx, tmp_path):  # noqa: F811
    """What lies where the system's authorities lie: a folder, and the file in it."""
    where = pathlib.Path("/etc/ssl/certs")
    if not where.is_dir():
        pytest.skip(f"no {where}")
    subprocess.run(["mount", "--bind", tmp_path, where], check=True)
    yield tmp_path, tmp_path / "ca-certificates.crt"
    subprocess.run(["umount", "-l", where], check=True)


def by_system(nginx, name):
    """Fetches, trusting only what the system trusts."""
    nginx.put(name, image_tar(content=name))
    return store("fetch", *SOON, "--insecure-options=image", f"{nginx.url}/{name}")


def test_the_one_authority_that_is_needed_is_read_from_the_folder(data_dir, nginx, authorities):
    folder, file = authorities
    shutil.copy(nginx.ca, folder / "ours.pem")
    subprocess.run(["openssl", "rehash", folder], check=True)
    file.write_text("not looked at")
    the_id(by_system(nginx, "f.aci"))


def test_an_authority_that_only_the_file_has_is_found(data_dir, nginx, authorities):
    folder, file = authorities
    shutil.copy(nginx.ca, file)
    the_id(by_system(nginx, "g.aci"))


def test_a_host_that_no_authority_knows_is_refused(data_dir, nginx, authorities, tmp_path_factory):
    folder, file = authorities
    shutil.copy(make_ca(tmp_path_factory.mktemp("strangers"))[0], file)
    shutil.copy(file, folder / "theirs.pem")
    subprocess.run(["openssl", "rehash", folder], check=True)
    assert_one_line(by_system(nginx, "h.aci"), 1, "certificate")
    assert ids() == []


def test_who_names_authorities_trusts_those_of_the_system_no_more(data_dir, nginx, authorities, tmp_path_factory):
    """Of the same name they would hide each other."""
    folder, file = authorities
    shutil.copy(nginx.ca, folder / "ours.pem")
    subprocess.run(["openssl", "rehash", folder], check=True)
    shutil.copy(nginx.ca, file)
    named = make_ca(tmp_path_factory.mktemp("named"), "another CA")[0]
    nginx.put("i.aci", image_tar())
    result = store("fetch", *SOON, "--cacert", named, "--insecure-options=image", f"{nginx.url}/i.aci")
    assert_one_line(result, 1, "certificate")
    assert ids() == []


def kill_in_the_middle(nginx, data_dir, url, least):
    """Begins a fetch of URL and kills it when LEAST bytes are there; how many are."""
    command = [tool("rkt-store"), "fetch", "--cacert", nginx.ca, *SOON, "--insecure-options=image", url]
    process = subprocess.Popen([str(word) for word in command], stdout=subprocess.DEVNULL)
    end = time.monotonic() + 60
    while not (names := partial(data_dir) if data_dir.exists() else []) or (
            data_dir / "cas" / names[0]).stat().st_size < least:
        assert process.poll() is None and time.monotonic() < end
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    return (data_dir / "cas" / partial(data_dir)[0]).stat().st_size


@pytest.mark.parametrize("way", ["url", "old"])
def test_a_killed_download_is_gone_on_with(data_dir, nginx, way):
    body = big_image(1_000_000)
    nginx.put("slow.aci", body)
    url = f"{getattr(nginx, way)}/slow/slow.aci"
    have = kill_in_the_middle(nginx, data_dir, url, 300_000)
    assert have < len(body)
    image = the_id(unsigned(nginx, url))
    assert blob_path(data_dir, image).read_bytes() == body
    last = nginx.asked()[-1]
    assert (last["status"], last["range"]) == (206, f"bytes={have}-")
    assert last["ifRange"].startswith('"')
    assert last["sent"] == len(body) - have
    assert partial(data_dir) == [] and store("verify").status == 0


def test_what_changed_since_the_kill_begins_again(data_dir, nginx):
    nginx.put("changes.aci", big_image(1_000_000))
    url = f"{nginx.url}/slow/changes.aci"
    kill_in_the_middle(nginx, data_dir, url, 300_000)
    body = image_tar(content=noise(500_000, b"other"))
    nginx.put("changes.aci", body)
    image = the_id(unsigned(nginx, url))
    assert blob_path(data_dir, image).read_bytes() == body
    last = nginx.asked()[-1]
    assert last["status"] == 200 and last["ifRange"]


def test_who_we_are_by_password(data_dir, nginx, tmp_path):
    nginx.put("d.aci", image_tar(content="d"))
    url = f"{nginx.url}/private/d.aci"
    assert_one_line(unsigned(nginx, url), 1, "401")
    assert unsigned(nginx, url.replace("://", "://me:wrong@")).status == 1
    assert ids() == []
    the_id(unsigned(nginx, url.replace("://", "://me:open%20sesame@")))
    (tmp_path / "auth.d").mkdir()
    file = write(tmp_path / "auth.d/a.json", json.dumps({
        "rktKind": "auth", "rktVersion": "v1", "domains": [f"localhost:{nginx.port}"], "type": "basic",
        "credentials": {"user": "me", "password": "open sesame"}}).encode())
    file.chmod(0o600)
    the_id(unsigned(nginx, "--no-cache", url, env={"RKT_LOCAL_CONFIG": tmp_path}))
    assert [(asked["status"], asked["user"]) for asked in nginx.asked()] == [
        (401, ""), (401, "me"), (200, "me"), (200, "me")]


def test_who_we_are_by_certificate(data_dir, nginx, tmp_path):
    nginx.put("e.aci", image_tar(content="e"))
    url = f"{nginx.url}/known/e.aci"
    assert_one_line(unsigned(nginx, url), 1, "403")
    client = client_certificate(tmp_path, nginx.ca)
    the_id(unsigned(nginx, "--cert", client, url))
    the_id(unsigned(nginx, "--no-cache", "--cert", tmp_path / "client.crt", "--key", tmp_path / "client.key", url))
    assert [asked["certificate"] for asked in nginx.asked()] == ["", "CN=a client", "CN=a client"]
    result = unsigned(nginx, "--cert", tmp_path / "none.pem", url)
    assert result.status == 1 and "none.pem" in result.err, result


def test_a_server_that_compresses_whatever_was_asked(data_dir, nginx):
    """gzip_static always: Content-Encoding: gzip, and these are the bytes of the file."""
    body = image_tar(content="packed")
    packed = gzip.compress(body)
    nginx.put("packed.aci", body)
    nginx.put("packed.aci.gz", packed)
    image = the_id(unsigned(nginx, f"{nginx.url}/packed/packed.aci"))
    assert nginx.asked()[-1]["encoding"] == "gzip"
    # what is stored is the tar inside, under its digest, wherever it came from
    assert image == the_id(unsigned(nginx, f"{nginx.url}/packed.aci"))
    assert nginx.asked()[-1]["encoding"] == ""  # nobody asks for that, though it is offered for all
    assert store("verify").status == 0


def test_http_that_sends_to_https(data_dir, nginx):
    nginx.put("f.aci", image_tar(content="f"))
    assert_one_line(unsigned(nginx, f"{nginx.plain}/f.aci"), 2, "http is not safe")
    assert nginx.asked() == []
    the_id(fetch(nginx, "--insecure-options=http,image", f"{nginx.plain}/f.aci"))
    assert [(asked["status"], asked["https"]) for asked in nginx.asked()] == [(301, ""), (200, "on")]


def test_a_list_of_files_is_no_image(data_dir, nginx):
    result = unsigned(nginx, f"{nginx.url}/")
    assert_one_line(result, 4)
    assert ids() == [] and partial(data_dir) == []


def test_a_signed_image_by_its_name(data_dir, nginx, tmp_path, trust):
    """Discovery, signature and image, all from nginx behind a proxy, over HTTP/2."""
    gpg = Gpg(tmp_path / "home")
    try:
        gpg.make_key("alice")
        trust.put("local", NAME, gpg.fingerprint("alice"), (tmp_path / "alice.asc").read_bytes())
        file = nginx.put("images/app.aci", image_tar(NAME))
        nginx.put("images/app.aci.asc", gpg.run("-u", "alice@example.com", "--armor", "--detach-sign", "-o", "-", file))
        nginx.put("app.html", f'<meta name="ac-discovery" content="{NAME} https://example.com/images/app.{{ext}}">'
                  .encode())
        proxy = Proxy(nginx)
        try:
            the_id(fetch(nginx, f"{NAME}:1.0.0", env={"https_proxy": proxy.url}))
        finally:
            proxy.close()
    finally:
        gpg.stop()
    assert [(asked["path"], asked["http2"]) for asked in nginx.asked() if asked["status"] == 200] == [
        ("/app?ac-discovery=1", "h2"), ("/images/app.aci.asc", "h2"), ("/images/app.aci", "h2")]
