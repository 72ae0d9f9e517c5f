"""A RADIUS library; it knows nothing of the application that uses it."""
