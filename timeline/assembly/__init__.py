"""Movies from a cut: segments per clip, re-used while unchanged, joined without encoding again."""
