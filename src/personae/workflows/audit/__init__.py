"""What a file says about who the Assistant is, and what would change, before any training."""
