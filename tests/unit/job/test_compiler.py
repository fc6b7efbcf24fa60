"""C++ that is compiled once, and never trusted blindly."""

import os
import shutil
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from convprobe.errors import InputError
from convprobe.job import compiler, machine

needs_compiler = pytest.mark.skipif(
    not any(map(shutil.which, compiler.COMPILERS)), reason="there is no C++ compiler"
)
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="used on Linux alone")
ANSWER = 'extern "C" int answer() {{ return {}; }}\n'


@pytest.fixture
def source(tmp_path, monkeypatch):
    """A C++ file, and an empty folder for what is made of it."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("CXX", raising=False)
    path = tmp_path / "answer.cpp"
    path.write_text(ANSWER.format(42))
    return path


def made(tmp_path):
    """All that lies in the folder."""
    return sorted((tmp_path / "cache/convprobe").iterdir())


def answer(source, *options):
    return compiler.library(source, options).answer()


@needs_compiler
def test_a_library_is_compiled_once(source, tmp_path, monkeypatch):
    assert answer(source) == 42
    (library,) = made(tmp_path)
    assert (tmp_path / "cache/convprobe").stat().st_mode & 0o777 == 0o700
    monkeypatch.setenv("PATH", "")
    assert answer(source) == 42
    assert made(tmp_path) == [library]


@needs_compiler
def test_another_source_or_option_makes_another_library(source, tmp_path):
    answer(source)
    answer(source, "-O1")
    source.write_text(ANSWER.format(43))
    assert answer(source) == 43
    assert len(made(tmp_path)) == 3


@needs_compiler
def test_a_processor_of_another_kind_never_runs_it(source, tmp_path, monkeypatch):
    answer(source)
    (ours,) = made(tmp_path)
    ours.unlink()  # or what this process has loaded would change
    ours.write_bytes(b"of another kind")
    told = tmp_path / "cpuinfo"
    monkeypatch.setattr(machine, "CPU_INFO", str(told))
    for flags in ("fpu avx2", "fpu avx2 avx512f"):
        told.write_text(f"processor\t: 0\nmodel name\t: other\nflags\t\t: {flags}\n")
        assert answer(source) == 42
        assert ours.read_bytes() == b"of another kind"
    assert len(made(tmp_path)) == 3


@needs_compiler
@pytest.mark.parametrize("keep", [0, 40, 4000, -1])
def test_a_damaged_library_is_made_anew(source, tmp_path, keep):
    answer(source)
    (library,) = made(tmp_path)
    whole = library.read_bytes()
    library.unlink()  # as above
    library.write_bytes(whole[:keep])
    library.chmod(0o700)
    assert answer(source) == 42
    assert library.read_bytes()[-32:] != whole[:keep][-32:]


@needs_compiler
def test_one_that_others_may_write_to_is_not_loaded(source, tmp_path):
    answer(source)
    (library,) = made(tmp_path)
    library.chmod(0o722)
    with pytest.raises(InputError, match="others may write to it"):
        answer(source)
    library.chmod(0o700)
    library.parent.chmod(0o777)
    with pytest.raises(InputError, match="others may write to it"):
        answer(source)


@needs_compiler
@pytest.mark.skipif(os.getuid() != 0, reason="only root gives files away")
def test_one_of_another_user_is_not_loaded(source, tmp_path):
    answer(source)
    (library,) = made(tmp_path)
    os.chown(library, 12345, -1)
    with pytest.raises(InputError, match="belongs to another user"):
        answer(source)


@needs_compiler
def test_jobs_that_start_at_once_all_get_it(source, tmp_path):
    def load(_):
        return answer(source)

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(load, range(4))) == [42] * 4
    assert len(made(tmp_path)) == 1


@needs_compiler
def test_what_a_killed_job_left_is_removed(source, tmp_path):
    folder = tmp_path / "cache/convprobe"
    folder.mkdir(mode=0o700, parents=True)
    for name, age in (("tmpold", 1e4), ("tmpnew", 0)):
        (folder / name).mkdir()
        (folder / name / "answer.so").write_text("half")
        os.utime(folder / name, (time.time() - age,) * 2)
    assert answer(source) == 42
    assert [path.name[:6] for path in made(tmp_path)] == ["answer", "tmpnew"]


def test_without_a_compiler_that_is_said(source, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(InputError, match=r"no C\+\+ compiler: expected one of c\+\+, g\+\+, clang"):
        answer(source)
    monkeypatch.setenv("CXX", "own-c++ -m64")
    with pytest.raises(InputError, match=r"expected one of own-c\+\+$"):
        answer(source)
    monkeypatch.setenv("CXX", 'c++ "-m64')
    with pytest.raises(InputError, match=r"CXX is no command: No closing quotation$"):
        answer(source)
    assert made(tmp_path) == []


@needs_compiler
def test_what_does_not_compile_leaves_nothing(source, tmp_path):
    source.write_text("int answer( {}\n")
    with pytest.raises(InputError, match=r"ended with 1: .*answer\.cpp"):
        answer(source)
    assert made(tmp_path) == []


@pytest.mark.parametrize("folder", ["is-a-file", "missing/without-right"])
def test_a_folder_that_cannot_be_made_is_named_by_the_system(source, tmp_path, monkeypatch, folder):
    (tmp_path / "is-a-file").write_text("")
    (tmp_path / "missing").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / folder))
    with pytest.raises(InputError, match="Not a directory"):
        answer(source)


@needs_compiler
def test_without_a_place_of_its_own_the_cache_lies_at_home(source, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for named in (None, "", "relative"):
        if named is None:
            monkeypatch.delenv("XDG_CACHE_HOME")
        else:
            monkeypatch.setenv("XDG_CACHE_HOME", named)
        assert answer(source) == 42
    assert len(list((tmp_path / "home/.cache/convprobe").iterdir())) == 1
