"""The local engine: storyboard panels and camera moves without a GPU or a model. Honest: a local draft."""
