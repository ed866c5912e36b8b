# Shadows the real package, as if it were not installed.
raise ModuleNotFoundError("No module named 'minigrid'", name="minigrid")
