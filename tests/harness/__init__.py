"""What the tests start for real: Redis, workers, the web, a browser."""
