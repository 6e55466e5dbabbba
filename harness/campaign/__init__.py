"""The fuzz run: random requests and histories, led by what was not reached yet, within a budget."""
