from __future__ import annotations

import pytest

from app.paths import ensure_home, resources, set_aside, write_private


def mode(path) -> int:
    return path.stat().st_mode & 0o777


def test_a_written_file_is_private_and_whole(tmp_path):
    path = tmp_path / "new" / "file"
    write_private(path, "one\n")
    write_private(path, "two\n")
    assert (path.read_text(), mode(path), mode(path.parent)) == ("two\n", 0o600, 0o700)
    assert [item.name for item in path.parent.iterdir()] == ["file"]


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "file"
    path.write_text("old")
    with pytest.raises(UnicodeEncodeError):
        write_private(path, "new \ud800")
    assert [(item.name, item.read_text()) for item in tmp_path.iterdir()] == [("file", "old")]


def test_a_link_is_followed(tmp_path):
    (tmp_path / "real").write_text("old")
    (tmp_path / "link").symlink_to("real")
    write_private(tmp_path / "link", "new")
    assert ((tmp_path / "link").is_symlink(), (tmp_path / "real").read_text()) == (True, "new")


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [("new", None, 0o700), ("empty", [], 0o700), (".anthropic-proxy", ["x"], 0o700), ("shared", ["x"], 0o755)],
)
def test_the_data_folder_is_private_unless_it_is_somebody_elses(tmp_path, name, content, expected):
    home = tmp_path / name
    if content is not None:
        home.mkdir(mode=0o755)
    for item in content or ():
        (home / item).touch()
    ensure_home(home)
    assert mode(home) == expected


def test_set_aside_never_overwrites(tmp_path):
    names = set()
    for text in ("one", "two"):
        (tmp_path / "file").write_text(text)
        names.add(set_aside(tmp_path / "file"))
    assert {path.read_text() for path in names} == {"one", "two"}


def test_resources_are_where_they_are_looked_for():
    assert (resources() / "tokenizers").is_dir()
