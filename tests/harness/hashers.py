"""Passwords of test people: the real algorithm with one round, so that making five people takes no seconds."""

from django.contrib.auth.hashers import PBKDF2PasswordHasher


class OneRound(PBKDF2PasswordHasher):
    """Hashes that the studio's own processes verify too: the number of rounds stands in each of them."""

    iterations = 1
