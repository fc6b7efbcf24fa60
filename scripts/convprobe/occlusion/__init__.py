"""Where does it look? For a notebook: `from convprobe.occlusion import sweep`."""


def __getattr__(name: str) -> object:
    # Loaded by who asks for it: to plan and to draw, neither PyTorch nor the maps' code is needed.
    if name == "sweep":
        from convprobe.occlusion.windows import sweep

        return sweep
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
