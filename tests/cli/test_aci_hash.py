"""aci-hash: digests as coreutils prints them, image IDs, lists, and what is refused."""

import gzip
import hashlib
import os
import re
import shutil
import subprocess

import pexpect
import pytest
from acilib import as_nobody, one_line, public_dir  # noqa: F401 (a fixture)
from conftest import entry, make_aci, run, tool

COMPRESSIONS = ["gzip", "xz", "bzip2", "zstd", "none"]


@pytest.fixture
def aci(tmp_path):
    return make_aci(tmp_path / "a.aci", [entry("rootfs/motd", "hello\n")])


def tar_of(aci):
    return gzip.decompress(aci.read_bytes())


def test_prints_what_gzip_and_sha256sum_print(aci):
    expected = hashlib.sha256(tar_of(aci)).hexdigest()
    result = run(["aci-hash", aci])
    assert (result.status, result.out, result.err) == (0, f"{expected}  {aci}\n", "")


@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_the_digest_does_not_depend_on_the_compression(tmp_path, compression):
    plain = make_aci(tmp_path / "plain.aci", compression="none")
    packed = make_aci(tmp_path / "packed.aci", compression=compression)
    expected = hashlib.sha256(plain.read_bytes()).hexdigest()
    assert run(["aci-hash", packed]).out.split()[0] == expected


def test_concatenated_gzip_members_are_one_stream(tmp_path, aci):
    tar = tar_of(aci)
    (tmp_path / "b.aci").write_bytes(gzip.compress(tar[:1000]) + gzip.compress(tar[1000:]))
    assert run(["aci-hash", tmp_path / "b.aci"]).out.split()[0] == hashlib.sha256(tar).hexdigest()


def test_id_is_printed_alone(aci):
    assert run(["aci-hash", "--id", aci]).out == f"sha256-{hashlib.sha256(tar_of(aci)).hexdigest()}\n"


def test_sha512(aci):
    expected = hashlib.sha512(tar_of(aci)).hexdigest()
    assert run(["aci-hash", "-a", "sha512", aci]).out == f"{expected}  {aci}\n"


def test_all_digests_are_tagged(aci):
    tar = tar_of(aci)
    assert run(["aci-hash", "-a", "all", aci]).out == (
        f"SHA256 ({aci}) = {hashlib.sha256(tar).hexdigest()}\n"
        f"SHA512 ({aci}) = {hashlib.sha512(tar).hexdigest()}\n"
    )


def test_standard_input(aci):
    result = run(["aci-hash", "-"], stdin=aci.read_bytes())
    assert result.out == f"{hashlib.sha256(tar_of(aci)).hexdigest()}  -\n"


@pytest.mark.parametrize("name", ["a\\b", "a\nb", "a\rb", "plain", "ü", " "])
def test_names_are_escaped_as_sha256sum_does(tmp_path, name):
    make_aci(tmp_path / name, compression="none")
    theirs = subprocess.run(
        ["sha256sum", name], cwd=tmp_path, stdout=subprocess.PIPE, check=True
    ).stdout
    assert run(["aci-hash", name], cwd=tmp_path).out.encode(errors="surrogateescape") == theirs


def test_raw_hashes_what_is_no_image(tmp_path):
    (tmp_path / "x").write_bytes(b"no tar")
    result = run(["aci-hash", "--raw", tmp_path / "x"])
    assert result.out.split()[0] == hashlib.sha256(b"no tar").hexdigest()


# ---- lists


def test_check_accepts_its_own_list(tmp_path, aci):
    (tmp_path / "SUMS").write_text(run(["aci-hash", aci]).out)
    result = run(["aci-hash", "-c", tmp_path / "SUMS"])
    assert (result.status, result.out, result.err) == (0, f"{aci}: OK\n", "")


def test_check_accepts_tagged_and_sha512_lines(tmp_path, aci):
    text = run(["aci-hash", "-a", "all", aci]).out + run(["aci-hash", "-a", "sha512", aci]).out
    (tmp_path / "SUMS").write_text("# comment\n\n" + text.upper().replace(str(aci).upper(), str(aci)))
    result = run(["aci-hash", "-c", tmp_path / "SUMS"])
    assert (result.status, result.out) == (0, f"{aci}: OK\n" * 3)


def test_check_reads_escaped_names(tmp_path):
    make_aci(tmp_path / "a\nb")
    (tmp_path / "SUMS").write_text(run(["aci-hash", "a\nb"], cwd=tmp_path).out)
    result = run(["aci-hash", "-c", "SUMS"], cwd=tmp_path)
    assert (result.status, result.out) == (0, "\\a\\nb: OK\n")


def test_check_quiet_says_nothing_of_what_is_well(tmp_path, aci):
    (tmp_path / "SUMS").write_text(run(["aci-hash", aci]).out)
    result = run(["aci-hash", "--quiet", "-c", tmp_path / "SUMS"])
    assert (result.status, result.out) == (0, "")


def test_check_tells_of_a_mismatch(tmp_path, aci):
    (tmp_path / "SUMS").write_text(f"{'0' * 64}  {aci}\n")
    result = run(["aci-hash", "-c", tmp_path / "SUMS"])
    assert (result.status, result.out) == (1, f"{aci}: FAILED\n")
    assert "1 of 1 digests did NOT match" in result.err


def test_check_status_prints_nothing(tmp_path, aci):
    (tmp_path / "SUMS").write_text(f"{'0' * 64}  {aci}\n")
    result = run(["aci-hash", "--status", "-c", tmp_path / "SUMS"])
    assert (result.status, result.out, result.err) == (1, "", "")


def test_check_status_leaves_of_a_missing_file_the_error_alone(tmp_path):
    (tmp_path / "SUMS").write_text(f"{'0' * 64}  {tmp_path}/none\n")
    result = run(["aci-hash", "--status", "-c", tmp_path / "SUMS"])
    assert (result.status, result.out) == (3, "")
    assert result.err == f"aci-hash: reading {tmp_path}/none: no such file\n"


def test_check_of_a_missing_file_is_3(tmp_path):
    (tmp_path / "SUMS").write_text(f"{'0' * 64}  {tmp_path}/none\n")
    result = run(["aci-hash", "-c", tmp_path / "SUMS"])
    assert result.status == 3
    assert result.out == f"{tmp_path}/none: FAILED open or read\n"


def test_check_of_what_is_no_list_is_4(tmp_path):
    (tmp_path / "SUMS").write_text("hello\n")
    result = run(["aci-hash", "-c", tmp_path / "SUMS"])
    assert result.status == 4
    assert result.err == (
        f"aci-hash: reading {tmp_path}/SUMS: no line with a digest and a file name in it\n"
    )


def test_check_warns_of_bad_lines_when_asked(tmp_path, aci):
    (tmp_path / "SUMS").write_text("hello\n" + run(["aci-hash", aci]).out)
    result = run(["aci-hash", "-w", "-c", tmp_path / "SUMS"])
    assert result.status == 0
    assert "line 1 is no line of digests" in result.err
    assert "1 of its lines are no lines of digests" in result.err
    assert "line 1" not in run(["aci-hash", "-c", tmp_path / "SUMS"]).err
    assert run(["aci-hash", "--status", "-c", tmp_path / "SUMS"]).err == ""


# ---- lists, held against coreutils: of plain tars both say the same


def coreutils(*args, cwd, program="sha256sum"):
    done = subprocess.run([program, *args], cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                          env=dict(os.environ, LC_ALL="C"), check=False)
    return done.stdout.decode()


NAMES = ["a.tar", "with space.tar", "back\\slash.tar", "new\nline.tar", "return\r.tar", "(a) = b.tar", " lead.tar"]


@pytest.fixture
def tars(tmp_path):
    for i, name in enumerate(NAMES):
        make_aci(tmp_path / name, [entry("rootfs/f", "x" * i)], compression="none")
    return tmp_path


@pytest.mark.parametrize("program", ["sha256sum", "sha512sum"])
def test_digests_are_printed_as_by_coreutils(tars, program):
    theirs = coreutils(*NAMES, cwd=tars, program=program)
    assert run(["aci-hash", "-a", program[:6], *NAMES], cwd=tars).out == theirs


def test_tagged_digests_are_printed_as_by_coreutils(tars):
    theirs = [coreutils("--tag", *NAMES, cwd=tars, program=f"sha{size}sum").splitlines()
              for size in (256, 512)]
    assert run(["aci-hash", "-a", "all", *NAMES], cwd=tars).out.splitlines() == [
        line for pair in zip(*theirs) for line in pair]


@pytest.mark.parametrize("options", [[], ["--tag"], ["--binary"]])
@pytest.mark.parametrize("program", ["sha256sum", "sha512sum"])
@pytest.mark.parametrize("quiet", [[], ["--quiet"], ["--status"]])
def test_lists_of_coreutils_are_checked_as_by_coreutils(tars, options, program, quiet):
    # versions differ in whether a backslash or return alone makes them escape a verdict
    names = [name for name in NAMES if name not in (NAMES[2], NAMES[4])]
    (tars / "SUMS").write_text(coreutils(*options, *names, cwd=tars, program=program))
    make_aci(tars / NAMES[3], [entry("rootfs/f", "changed")], compression="none")
    (tars / NAMES[5]).unlink()
    theirs = coreutils("-c", *quiet, "SUMS", cwd=tars, program=program)
    ours = run(["aci-hash", "-c", *quiet, "SUMS"], cwd=tars)
    assert (ours.out, ours.status) == (theirs, 1)
    assert "FAILED open or read" in theirs or quiet == ["--status"]


@pytest.mark.parametrize("line", [
    "{hex}  a.tar", "{hex} *a.tar", "  {hex}  a.tar", "{HEX}  a.tar", "{hex}  a.tar\r", "\\{hex}  a.tar",
    "SHA256 (a.tar) = {hex}", "SHA256(a.tar)= {hex}", "SHA256 (a.tar)={hex}", "SHA512 (a.tar) = {hex}",
    "SHA256 (a.tar) {hex}", "SHA256 a.tar = {hex}", "{short}  a.tar", "{hex}g  a.tar", "{hex}\ta.tar",
    "{hex} a.tar", "{hex}\t a.tar", "{hex} a.tar\n{hex}  a.tar", "{hex}  a.tar\n{hex} a.tar", "{hex} ", "{hex}  ",
    "# {hex}  a.tar", "SHA256 (a.tar = {hex}", "\\{hex}  a\\x.tar", "md5 (a.tar) = {hex}",
])
def test_the_same_lines_are_understood_as_by_coreutils(tars, line):
    digits = hashlib.sha256((tars / "a.tar").read_bytes()).hexdigest()
    text = line.format(hex=digits, HEX=digits.upper(), short=digits[1:])
    (tars / "SUMS").write_text(text + "\n")
    theirs = coreutils("-c", "SUMS", cwd=tars)
    assert run(["aci-hash", "-c", "SUMS"], cwd=tars).out == theirs


# ---- progress


def on_a_terminal(args):
    """What ARGS print on a terminal, and their status."""
    child = pexpect.spawn(tool(args[0]), [str(arg) for arg in args[1:]], timeout=60, encoding="utf-8",
                          env=dict(os.environ, TERM="xterm"))
    text = child.read()
    child.close()
    return text, child.exitstatus


def test_progress_is_shown_on_a_terminal_for_what_takes_long(tmp_path):
    """A pipe that is fed slowly takes as long as one likes."""
    data = make_aci(tmp_path / "a.aci", [entry("rootfs/f", b"x" * 3000000)], compression="none").read_bytes()
    (tmp_path / "first").write_bytes(data[:2000000])
    (tmp_path / "rest").write_bytes(data[2000000:])
    script = f"(cat {tmp_path}/first; sleep 1.5; cat {tmp_path}/rest) | {tool('aci-hash')} -"
    text, status = on_a_terminal([shutil.which("sh"), "-c", script])
    assert status == 0
    assert re.search(r"-  1\.[89] MiB  \S+ \w+/s", text), text
    assert text.endswith(f"\r\x1b[K{hashlib.sha256(data).hexdigest()}  -\r\n"), text


def test_no_progress_for_what_is_quick_and_none_with_quiet(aci):
    for options in ([], ["--quiet"]):
        text, status = on_a_terminal(["aci-hash", *options, aci])
        assert status == 0 and "\x1b" not in text


# ---- several files


@pytest.mark.parametrize("jobs", ["1", "4"])
def test_results_come_in_the_order_of_the_files(tmp_path, jobs):
    files = [make_aci(tmp_path / f"{i}.aci", [entry("rootfs/f", "x" * i)]) for i in range(20)]
    result = run(["aci-hash", "-j", jobs, *files])
    assert [line.split("  ")[1] for line in result.out.splitlines()] == [str(f) for f in files]
    assert len({line.split()[0] for line in result.out.splitlines()}) == 20


def test_a_missing_file_is_3_and_the_others_are_done(tmp_path, aci):
    result = run(["aci-hash", tmp_path / "none", aci])
    assert result.status == 3
    assert result.err == f"aci-hash: reading {tmp_path}/none: no such file\n"
    assert result.out.endswith(f"  {aci}\n")


# ---- what is refused: one clear line, no digest


def refused(args, status, words):
    result = one_line(run(["aci-hash", *args]), status, words)
    assert result.out == ""
    return result


def test_truncated_gzip_is_refused(tmp_path, aci):
    for cut in (1, 9, 100):
        (tmp_path / "t.aci").write_bytes(aci.read_bytes()[:-cut])
        refused([tmp_path / "t.aci"], 4, "gzip: ")


def test_garbage_after_gzip_is_refused(tmp_path, aci):
    (tmp_path / "t.aci").write_bytes(aci.read_bytes() + b"garbage")
    refused([tmp_path / "t.aci"], 4, "gzip: ")


def test_a_damaged_checksum_is_refused(tmp_path, aci):
    data = bytearray(aci.read_bytes())
    data[-6] ^= 1
    (tmp_path / "t.aci").write_bytes(data)
    refused([tmp_path / "t.aci"], 4, "gzip: ")


def test_what_is_no_archive_is_refused(tmp_path):
    (tmp_path / "t.aci").write_bytes(b"hello, world\n" * 100)
    refused([tmp_path / "t.aci"], 4, "tar")


def test_an_empty_file_is_refused(tmp_path):
    (tmp_path / "t.aci").write_bytes(b"")
    refused([tmp_path / "t.aci"], 4, "empty")


def test_bytes_after_the_end_marker_are_refused(tmp_path, aci):
    (tmp_path / "t.aci").write_bytes(gzip.compress(tar_of(aci) + b"x" * 512))
    refused([tmp_path / "t.aci"], 4, "tar")


def test_a_plain_tar_that_is_no_image_is_refused(tmp_path):
    subprocess.run(["tar", "-cf", "t.tar", "--files-from=/dev/null"], cwd=tmp_path, check=True)
    refused([tmp_path / "t.tar"], 4, "the image has no manifest")


def test_escapes_in_names_do_not_reach_the_terminal(tmp_path):
    aci = make_aci(tmp_path / "t.aci", [entry("rootfs/\x1b[2J", ""), entry("rootfs/\x1b[2J", "")])
    assert "\x1b" not in refused([aci], 4, "rootfs/\\x1b[2J: is in the archive twice").err


def test_a_directory_is_1(tmp_path):
    refused([tmp_path], 1, "Is a directory")


def test_no_permission_is_1(public_dir):
    aci = make_aci(public_dir / "a.aci")
    aci.chmod(0)
    result = as_nobody(public_dir, ["aci-hash", "a.aci"])
    one_line(result, 1, "aci-hash: reading a.aci: open: Permission denied")


def test_closed_standard_input_is_refused(aci):
    result = run(["sh", "-c", f'exec "$0" - <&-', tool("aci-hash")])
    assert result.status == 4
    assert "empty" in result.err


def test_closed_standard_output_is_a_failure(aci):
    result = run(["sh", "-c", 'exec "$0" "$1" >&-', tool("aci-hash"), aci])
    assert result.status == 1
    assert "standard output" in result.err


def test_a_full_disk_under_standard_output_is_a_failure(aci):
    result = run(["sh", "-c", 'exec "$0" "$1" >/dev/full', tool("aci-hash"), aci])
    assert result.status == 1
    assert "No space left on device" in result.err


def test_no_file_is_a_usage_error():
    result = run(["aci-hash"])
    assert result.status == 2
    assert "aci-hash --help" in result.err
