"""The asset library: characters, environments, cinematic presets."""
