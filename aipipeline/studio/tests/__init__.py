"""Tests of the studio as a whole."""
