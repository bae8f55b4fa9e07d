"""What people do to mirrors, and when they run."""
