"""Which states of the optimizer stay on the disk."""

from convprobe.store import files
from convprobe.training import states


def test_only_the_states_asked_for_are_deleted_and_all_that_are_gone_are_named(tmp_path, capsys):
    paths = [tmp_path / f"epoch-{epoch:02d}.optimizer.pth" for epoch in (1, 2, 3, 4)]
    for path in (paths[0], paths[1], paths[3]):  # the third was deleted before
        with files.replacing(path) as partial:
            partial.write_bytes(bytes(1_000_000))
    paths[0].unlink()  # a killed job had come as far as this
    assert states.discard(paths, [1, 4]) == [1, 3, 4]
    assert [path.name for path in sorted(tmp_path.iterdir())] == [
        ".epoch-02.optimizer.pth.sha256",
        "epoch-02.optimizer.pth",
    ]
    assert capsys.readouterr().out == "1 MB freed: no optimizer state after 3 epochs\n"
    assert states.discard(paths, [1, 4]) == [1, 3, 4]
