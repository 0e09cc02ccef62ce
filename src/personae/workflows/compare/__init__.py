"""Two models: how much of what changed is a reweighting of characters, and where the rest is."""
