"""Post of finished clips in pieces: what is wanted of a clip, its spans, and the clip made of the pieces again."""
