"""The graph of the network that a factory makes, for a plan.

plan/traced_networks runs it in a process of its own: it reads from standard input what is asked,
and writes the answer to the file that it is given.
"""

import json
import sys
from pathlib import Path

from convprobe.errors import InputError
from convprobe.network import factories, tracing
from convprobe.network.graph import Graph

OTHER_SEED = 1


def described(network: dict, image_size: list[int]) -> dict[str, str]:
    """The graph's text, or what is wrong with the network.

    Args:
        image_size: height and width in pixels.
    """
    try:
        module = factories.build(network)
    except InputError as error:
        return {"mistake": str(error)}
    try:
        graph = tracing.trace(module, (3, *image_size))
        other = factories.build(network, OTHER_SEED)
        _refuse_random(graph, tracing.trace(other, (3, *image_size)))
        return {"graph": graph.to_json()}
    except InputError as error:
        return {"mistake": f"network.factory: {network['factory']} {error}"}


def _refuse_random(graph: Graph, other: Graph) -> None:
    """Refuse what each process would draw anew, for no checkpoint holds it.

    Args:
        graph, other: of the network as it is made with two seeds.
    """
    for name, constant in graph.constants.items():
        if other.constants.get(name) != constant:
            raise InputError(
                f"draws {name} at random, which is no part of its state dict: expected a parameter "
                "or a persistent buffer"
            )
    if other != graph:
        raise InputError(
            "makes networks that differ in more than their weights if it is called twice: expected "
            "what it draws at random, as connections or numbers, to depend on its arguments alone"
        )


if __name__ == "__main__":
    asked = json.load(sys.stdin)
    found = described(asked["network"], asked["image_size"])
    Path(sys.argv[1]).write_text(json.dumps(found), encoding="utf-8")
