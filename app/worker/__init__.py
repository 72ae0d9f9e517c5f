"""The worker: brings journals home, closes what has gone silent, and clears away what is over. No HTTP, no RADIUS."""
