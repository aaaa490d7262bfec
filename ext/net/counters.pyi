NAMES: tuple[str, ...]
TIME_BOUNDS: tuple[float, ...]
