# Stands in the way of the real one: as if it were not installed.
raise ModuleNotFoundError("No module named 'minigrid'", name="minigrid")
