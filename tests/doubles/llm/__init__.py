"""A double of an OpenAI-compatible chat server: a process of its own, spoken to over real HTTP."""
