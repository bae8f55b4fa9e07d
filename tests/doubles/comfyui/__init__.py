"""A ComfyUI server for tests: a process of its own that speaks the real one's HTTP and websocket protocol."""
