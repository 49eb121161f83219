"""A witness for other people's logs: what it knows of them, and the service that cosigns."""
