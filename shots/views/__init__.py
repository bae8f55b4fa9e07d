"""Pages of the scenario and the shot list."""
