"""A run that sends nothing."""
