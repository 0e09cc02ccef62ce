"""One model: who its Assistant is, and what it does outside the Assistant's turn."""
