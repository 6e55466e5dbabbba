"""Who is tested: the profile, its keys and hooks, what may be written and what may be recorded."""
