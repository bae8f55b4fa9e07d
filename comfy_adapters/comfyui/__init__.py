"""ComfyUI as a render engine: client, graphs with slots, preflight, progress, and the backend over them."""
