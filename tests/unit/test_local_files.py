"""Downloaded files on the local disk: whole and verified, or not there."""

import hashlib
import ntpath
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from operate.local_files import DifferentBytesError, beside, local_name, write


def test_a_file_appears_whole(tmp_path: Path) -> None:
    """A file appears whole in a new folder, with nothing beside it."""
    write(tmp_path / "new" / "a.txt", [b"a", b"b"], hashlib.sha256(b"ab").hexdigest())

    assert {"a.txt": b"ab"} == {path.name: path.read_bytes() for path in (tmp_path / "new").iterdir()}


def test_wrong_bytes_leave_nothing(tmp_path: Path) -> None:
    """Wrong bytes leave no file, under any name."""
    with pytest.raises(DifferentBytesError):
        write(tmp_path / "a.txt", [b"evil"], hashlib.sha256(b"good").hexdigest())

    assert [] == list(tmp_path.iterdir())


def test_a_download_that_breaks_off_leaves_nothing(tmp_path: Path) -> None:
    """A download that breaks off leaves no file, whatever is raised."""

    def blocks() -> Iterator[bytes]:
        yield b"half"
        raise ConnectionError

    with pytest.raises(ConnectionError):
        write(tmp_path / "a.txt", blocks(), hashlib.sha256(b"half").hexdigest())

    assert [] == list(tmp_path.iterdir())


def test_a_file_that_came_meanwhile_stays(tmp_path: Path) -> None:
    """A file that another program wrote meanwhile is not replaced."""

    def blocks() -> Iterator[bytes]:
        (tmp_path / "a.txt").write_bytes(b"mine")
        yield b"x"

    with pytest.raises(FileExistsError):
        write(tmp_path / "a.txt", blocks(), hashlib.sha256(b"x").hexdigest())

    assert {"a.txt": b"mine"} == {path.name: path.read_bytes() for path in tmp_path.iterdir()}


@pytest.mark.parametrize(
    "name",
    [
        *("NUL", "nul.txt", "NUL .txt", "NUL  .tar.gz", "COM1 .log", "com¹", "LPT³ .x", "CONIN$", "conout$.txt"),
        *("AUX.", "AUX ", "PRN . .", "Con", "CLOCK$"),
    ],
)
def test_names_of_devices_get_a_dash(name: str) -> None:
    """Windows reserves these names for devices, with any extension: the file would be lost."""
    assert local_name(name).startswith("_")
    assert not ntpath_is_reserved(local_name(name))


@pytest.mark.parametrize(
    "name", ["console.txt", "NULL.txt", "COM10.log", "a NUL.txt", "LPT.txt", "CON-1.txt", "CONIN.txt"]
)
def test_names_that_only_resemble_devices_stay(name: str) -> None:
    """Names that only resemble devices stay as they are."""
    assert name == local_name(name)


def ntpath_is_reserved(name: str) -> bool:
    """Python's own rule, where this version has it."""
    rule = getattr(ntpath, "isreserved", None)
    return bool(rule(name)) if rule else False


@given(st.text(max_size=300))
def test_any_name_is_a_name_anywhere(name: str) -> None:
    """Any name becomes one visible path component that Windows accepts, with room for a number; the second name
    differs.
    """
    local = local_name(name)

    assert local
    assert not set(local) & set('/\\<>:"|?*\0\n')
    assert not local.startswith(".")
    assert not local.endswith((".", " "))
    assert local.partition(".")[0].lower() not in ("con", "nul", "aux", "prn", "com1", "lpt1")
    other = beside(Path("folder") / local, "5570213000000900004")
    assert (Path("folder"), True) == (other.parent, other.name != local)
    assert len(other.name.encode()) <= 255
