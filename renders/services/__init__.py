"""Jobs, versions and reviews: what can be done to them."""
