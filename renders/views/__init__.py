"""Pages of first images, versions, jobs and the farm."""
