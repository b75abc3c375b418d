"""Too little memory: whatever does not work is told in a line, and the store stays as it was."""

import resource

import pytest
from conftest import is_sanitized, run
from storelib import add, ids, image_tar, store, write

STEP, MOST = 500 << 10, 64 << 20  # of address space


@pytest.mark.skipif(is_sanitized(), reason="AddressSanitizer needs more of the address space")
@pytest.mark.parametrize("words", [["list"], ["verify"], ["gc", "--dry-run"], ["import"]], ids=" ".join)
def test_no_command_ends_in_silence(words, data_dir, tmp_path):
    image = add(write(tmp_path / "a.aci", image_tar("example.com/app")))
    other = write(tmp_path / "b.aci", image_tar("example.com/other"))
    statuses = set()
    for room in range(STEP, MOST, STEP):
        result = run(["rkt-store", *words, *([other] if words == ["import"] else [])],
                     preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (room, room)))
        statuses.add(result.status)
        if result.status == 0:
            break
        if result.status != -11:  # what the kernel did while it loaded the program
            assert result.err.endswith("\n"), (room, result)
        assert image in ids(), (room, result)
    assert result.status == 0 and len(statuses) > 1, statuses
    assert store("verify").status == 0
