"""The cut: edited, exported, and made into movies."""
