"""What is different between two runs: BASE, the earlier one, and HEAD, the one in question."""
