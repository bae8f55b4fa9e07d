"""Tests of the prompt engine."""
