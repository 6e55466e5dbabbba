"""Requirements over several runs: what broke when, what was fixed, and what comes and goes."""
