"""What work leaves behind: run folders, measured casts, scores kept as they come."""
