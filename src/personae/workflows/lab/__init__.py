"""What the studies repeat: the laboratory, its trainings side by side, and what was foreseen of them."""
