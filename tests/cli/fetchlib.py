"""What the tests of fetching share: a web with an own CA, and commands that ask it."""

import pytest
from conftest import run
from storelib import files_in, image_tar
from weblib import Proxy, Web, make_ca

# What shall be tried again is so at once; what is to come comes, however slow the machine is.
SOON = ["--retry-wait=0s", "--idle-timeout=60s", "--connect-timeout=60s"]


@pytest.fixture(scope="session")
def pki(tmp_path_factory):
    """(CA, certificate with key) of localhost, example.com and all below it."""
    return make_ca(tmp_path_factory.mktemp("pki"))


@pytest.fixture
def web(pki):
    server = Web(pki[1])
    server.ca = pki[0]
    yield server
    server.close()


@pytest.fixture
def other(pki):
    """A second host: https://127.0.0.1:PORT, while the first is called localhost."""
    server = Web(pki[1])
    server.url = server.url.replace("localhost", "127.0.0.1")
    yield server
    server.close()


@pytest.fixture
def proxy(web):
    """Through it WEB is every host: https://example.com and its like."""
    it = Proxy(web)
    yield it
    it.close()


def fetch(web, *args, env=None, timeout=60, **more):
    """rkt-store fetch, which trusts the CA of WEB."""
    return run(["rkt-store", "fetch", "--cacert", web.ca, *SOON, *args], env=env, timeout=timeout, **more)


def unsigned(web, *args, **more):
    return fetch(web, "--insecure-options=image", *args, **more)


def partial(data_dir):
    """Names of the downloads under way, notes left out."""
    return [name for name in files_in(data_dir) if name.startswith("partial/") and not name.endswith(".json")]


def noise(size, seed=b"noise"):
    """SIZE bytes that do not compress, the same ones for the same SEED."""
    import random

    return random.Random(seed).randbytes(size)


def big_image(size=300_000, **fields):
    """An image as a tar of a bit more than SIZE bytes."""
    return image_tar(content=noise(size), **fields)
