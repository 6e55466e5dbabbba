"""The frame that every run has: it opens, records, keeps and gives back rules, and ends every run the same way."""
