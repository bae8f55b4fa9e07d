"""What can be done to scenarios, scenes and shots. Each function owns its transaction and makes one Action."""
